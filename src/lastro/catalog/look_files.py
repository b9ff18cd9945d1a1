"""Look records on disk: one chain a monitor, `.lastro/monitors/<monitor>.jsonl`. They are the truth.

Rules:

1. Beside each chain lies what was proven of it, `<monitor>.proven.json`: up to where, and what the looks before the
   last few come to (`Before`). Whoever looks next goes on from there, so that a look costs the same after ten thousand.
2. What was proven holds for as long as the system says that the chain's file is the same: its place on the disk, its
   size, and when it was changed. Otherwise all is read and proven again, as `all` always does.
3. What was proven is no record: without it, or if it is damaged, all is read. `prove` holds it against the records.
4. Where people are erased, looks are written anew (`rewrite`); what was proven of them before holds no longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lastro.catalog.look_record import Look
from lastro.drift.monthly import month_of
from lastro.model import chain, digest
from lastro.model.durable import write_durably
from lastro.model.errors import Corrupted, NameRefused
from lastro.model.reference import check_name
from lastro.model.text import _
from lastro.store.lock import held

PATIENCE_S = 60.0
FORMAT = 1
KEPT = 32
"""At least so many of the last looks are at hand without reading all; at most twice as many are."""


@dataclass(frozen=True, slots=True)
class Before:
    """What looks come to that are not read: what those of each month spent, and the newest version that was seen of
    each dataset.
    """

    spent: Mapping[str, float] = field(default_factory=dict)
    seen: Mapping[str, int] = field(default_factory=dict)

    def with_looks(self, looks: Sequence[Look]) -> Before:
        """With these looks, too."""
        spent, seen = dict(self.spent), dict(self.seen)
        for look in looks:
            if look.looked is not None:
                month = month_of(look.moment)
                spent[month] = spent.get(month, 0.0) + look.spent
                seen[look.dataset] = max(look.looked.current.number, seen.get(look.dataset, -1))
        return Before(spent, seen)


@dataclass(frozen=True, slots=True)
class Past:
    """The last looks of a monitor, oldest first, and what those `before` come to. `first` is the digest of the first
    record of all, which tells this chain from another.
    """

    looks: tuple[Look, ...] = ()
    before: Before = field(default_factory=Before)
    first: str = ""
    records: chain.Chain = field(default_factory=chain.Chain)

    @property
    def begins(self) -> int:
        """The number of the first of these looks."""
        return self.records.places[0].number if self.records.places else 0

    @property
    def whole(self) -> Before:
        """What all looks come to."""
        return self.before.with_looks(self.looks)


@dataclass(frozen=True, slots=True)
class LookFiles:
    """The folder that holds the looks of all monitors."""

    folder: Path

    def all(self, monitor: str) -> Past:
        """Every look of a monitor, each record proven. Raises `Corrupted`, `ConfigurationError`, `StoreError`."""
        return self._past(monitor, chain.START, Before(), "")

    def last(self, monitor: str) -> Past:
        """The last looks, whose records are proven; all where it is not known that those before are whole. Raises as
        `all` does.
        """
        path = self._path(monitor)
        known = _proven(path)
        if known is None:
            return self.all(monitor)
        try:
            return self._past(monitor, known.begin, known.before, known.first)
        except Corrupted:
            if chain.identity_of(path) == known.file:
                raise
            return self.all(monitor)  # an erasure wrote the records anew between the two readings

    def read(self, monitor: str) -> tuple[Look, ...]:
        """Every look of a monitor, oldest first. Raises as `all` does."""
        return self.all(monitor).looks

    def prove(self, monitor: str) -> None:
        """Proves every record, and that what was noted as proven is what they come to. Raises as `all` does."""
        path = self._path(monitor)
        known, found = _proven(path), self.all(monitor)
        if known is None:
            return
        places = {place.number: place for place in (*found.records.places, found.records.end)}
        before = Before().with_looks(found.looks[: known.begin.number])
        same = (places.get(known.begin.number), places.get(known.end.number), found.first, before)
        if same != (known.begin, known.end, known.first, known.before):
            raise Corrupted(
                _("what is noted of the looks of {monitor} is not what they come to").format(monitor=monitor),
                where=str(_beside(path)),
                do=_("remove the file; the next look proves all looks and writes it anew"),
            )

    def append(self, look: Look, *, past: Past | None = None) -> Look:
        """Adds a look, durably, and gives it with its number. `past` is what whoever looks alone has read last.

        Raises `WriteFailed`, and what `all` raises.
        """
        path = self._path(look.monitor)
        past = self.all(look.monitor) if past is None else past
        content = {key: value for key, value in look.to_dict().items() if key != "number"}
        added = chain.append(path, [content], known=past.records)
        made = self._look(path, added.records[-1])
        first = past.first or str(added.end.previous)
        _prove(path, Past((*past.looks, made), past.before, first, added))
        return made

    def monitors(self) -> tuple[str, ...]:
        """The monitors that have looks, those that `lastro.yaml` has no longer among them."""
        return tuple(sorted(path.stem for path in self.folder.glob("*.jsonl") if _is_name(path.stem)))

    def rewrite(self, monitor: str, left: Callable[[Look], Look]) -> Mapping[str, str]:
        """Writes every look of a monitor anew as `left` gives it, if any is another then; whoever does looks alone.
        Gives the digests of records that became others, old and new. Raises as `append` does.
        """
        path = self._path(monitor)

        def changed(record: chain.Record) -> chain.Record:
            before = self._look(path, record)
            after = left(before)
            content = {key: value for key, value in after.to_dict().items() if key != "number"}
            return record if after == before else {**record, **content}

        return chain.rewrite(path, changed)

    @contextmanager
    def alone(self, monitor: str) -> Iterator[None]:
        """Within, nobody else looks with this monitor. Raises `Locked`."""
        path = self._path(monitor).with_suffix(".lock")
        with held(path, dataset=monitor, timeout_s=PATIENCE_S):
            yield

    def _past(self, monitor: str, begin: chain.Place, before: Before, first: str) -> Past:
        path = self._path(monitor)
        records = chain.read(path, begin=begin)
        looks = tuple(self._look(path, record) for record in records.records)
        if not first and len(records.places) > 1:
            first = str(records.places[1].previous)
        return Past(looks, before, first or str(records.end.previous or ""), records)

    def _path(self, monitor: str) -> Path:
        return self.folder / f"{check_name(monitor)}.jsonl"

    def _look(self, path: Path, record: chain.Record) -> Look:
        content = {key: value for key, value in record.items() if key not in {"lastro", "previous"}}
        try:
            return Look.from_dict(content)
        except (ValueError, TypeError) as error:
            raise chain.damaged(f"{path}:{record['number'] + 1}") from error


@dataclass(frozen=True, slots=True)
class _Proven:
    """What was proven of a chain: it is whole up to `end`; its last records `begin` there; `file` is what the system
    said of it then.
    """

    file: tuple[int, ...]
    begin: chain.Place
    end: chain.Place
    first: str
    before: Before


def _proven(path: Path) -> _Proven | None:
    """What was proven of a chain, if that still holds (rules 2 and 3)."""
    import msgspec

    try:
        whole = msgspec.json.decode(_beside(path).read_bytes())
        record = whole["proven"]
        if whole["digest"] != digest.of_value(record) or record["lastro_proven"] != FORMAT:
            return None
        found = msgspec.convert(record["content"], _Proven)
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return found if found.file and found.file == chain.identity_of(path) else None


def _prove(path: Path, past: Past) -> None:
    """Writes down what was proven; of a disk that takes no more, the next look will read all."""
    places, looks, before = past.records.places, past.looks, past.before
    begin = places[0]
    if len(looks) >= 2 * KEPT:
        before = before.with_looks(looks[:-KEPT])
        begin = places[-KEPT]
    found = _Proven(chain.identity_of(path), begin, past.records.end, past.first, before)
    plain: dict[str, Any] = {"lastro_proven": FORMAT, "content": asdict(found)}  # Any: JSON values
    content = digest.canonical({"digest": digest.of_value(plain), "proven": plain}) + b"\n"
    try:
        write_durably(_beside(path), content, mode=0o600)
    except OSError:
        _beside(path).unlink(missing_ok=True)


def _is_name(name: str) -> bool:
    with suppress(NameRefused):
        return check_name(name) == name
    return False


def _beside(path: Path) -> Path:
    return path.with_suffix(".proven.json")
