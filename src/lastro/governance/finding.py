"""Finding a person: by what they are named, in which columns, in how many rows of which versions.

Rules:

1. A person is named by a kind and a value (`cpf=…`) or by a token of the vault. A value is compared in its canonical
   form; wherever a token stands in its place, that token is the person's own.
2. A further name is followed if the vault knows it to be theirs alone: an entry of another kind that names persons
   itself, belongs to nobody else, and to which nobody else belongs by the kind that was asked for. A person has one
   name of a kind: another one in their rows is a guarantor's, a mother's. Names of others are counted, not followed.
3. Searched is the column that a contract names as its `subject`, of these kinds; where it names none, the columns that
   it says to hold values of these kinds; and in datasets made of such ones the columns that come from them, or have
   their name where it is not known what a column comes from. A derived column that holds neither value nor token, or
   nested values, tells of nobody.
4. Versions share files, and each file is read once. What was collected can no longer be searched; it is told.
5. Rows set aside are searched wherever they stand, open or not: in the subject's column of a record; in a line that
   could not be taken apart, as a word of it.
6. No error holds what was asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from lastro.model.errors import UnknownName, UsageError
from lastro.model.personal import Method, Personal, PersonalClass
from lastro.model.plan import Plan
from lastro.model.subject import Named, Person, Place, Skipped, Stands
from lastro.model.text import _
from lastro.privacy.canonical import canonical, form_of
from lastro.privacy.token import TOKEN
from lastro.privacy.vault import Entry, Vault

if TYPE_CHECKING:
    import pyarrow as pa

    from lastro.engine.protocol import Engine
    from lastro.store.table import Table

KIND = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a dataset before it is searched: `made_from` says of each column of a derived one which
    `(dataset, column)` it comes from, `upstream` what it is made of.
    """

    dataset: str
    personal: Personal
    columns: tuple[str, ...] = ()
    made_from: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    upstream: tuple[str, ...] = ()
    fault: str = ""


def identify(vault: Vault, asked: str, kinds: Iterable[str]) -> Person:
    """Whom `cpf=…`, or a token, means. `kinds` are those that contracts name subjects by. Raises `UsageError`,
    `UnknownName`.
    """
    known = sorted(set(kinds))
    if TOKEN.fullmatch(asked.strip()):
        return _by_token(vault, asked.strip())
    kind, equals, value = asked.partition("=")
    kind = kind.strip()
    if not equals or not KIND.fullmatch(kind):
        raise UsageError(
            _("this does not say who is meant"),
            do=_("write KIND=VALUE, such as cpf=…, or a token; kinds that contracts name: {kinds}").format(
                kinds=", ".join(known) or _("none")
            ),
        )
    if kind not in known:
        raise UnknownName(
            _("no contract names its subject by this kind"),
            do=_("use one of: {kinds}; a contract names its subject by `subject: COLUMN`").format(
                kinds=", ".join(known) or _("none")
            ),
        )
    if not canonical(kind, value):
        raise UsageError(_("the value is empty"), do=_("write KIND=VALUE, such as cpf=…"))
    if TOKEN.fullmatch(value.strip()):
        found = _by_token(vault, value.strip())
        if found.asked.kind != kind:
            raise UsageError(
                _("the token names somebody by another kind"), do=_("leave the kind out: the token tells it")
            )
        return found
    return _linked(vault, Named(kind, value, vault.find(kind, value)))


def _by_token(vault: Vault, token: str) -> Person:
    entry = vault.reveal([token]).get(token)
    if entry is None or not entry.is_subject:
        raise UnknownName(
            _("the vault knows nobody by this token"), do=_("look the person up by a value: KIND=VALUE, such as cpf=…")
        )
    return _linked(vault, Named(entry.kind, entry.value, token))


def _linked(vault: Vault, asked: Named) -> Person:
    """Rule 2."""
    if asked.token is None:
        return Person(asked)
    others = [each for each in vault.entries(asked.token)[1:] if each.is_subject]
    alone = [each for each in others if _is_their_own(vault, each, asked)]
    linked = tuple(Named(each.kind, each.value, each.token) for each in alone)
    return Person(asked, linked, len(others) - len(alone))


def _is_their_own(vault: Vault, name: Entry, asked: Named) -> bool:
    if name.kind == asked.kind or not set(vault.owners(name.token)) <= {name.token, asked.token}:
        return False
    return all(each.token == asked.token for each in vault.entries(name.token) if each.kind == asked.kind)


def where_to_look(known: Sequence[Known], kinds: Iterable[str]) -> tuple[tuple[Place, ...], tuple[Skipped, ...]]:
    """The columns to search for persons of these kinds (rule 3), and the datasets that are not searched."""
    wanted = set(kinds)
    found = {each.dataset: places for each in known if (places := _own(each, wanted))}
    waiting = [each for each in known if each.upstream and not each.fault]
    while True:
        fresh = {each.dataset: new for each in waiting if (new := list(_inherited(each, found)))}
        if not fresh:
            break
        for name, places in fresh.items():
            found[name] = [*found.get(name, ()), *places]
    skipped = [Skipped(each.dataset, _why_not(each)) for each in known if each.dataset not in found]
    return tuple(place for each in known for place in found.get(each.dataset, ())), tuple(skipped)


def _own(each: Known, kinds: set[str]) -> list[Place]:
    subject = each.personal.subject
    if each.fault:
        return []
    if subject is not None:
        return [Place(each.dataset, subject.column, subject.kind)] if subject.kind in kinds else []
    said = {one.column: one.kind or one.column for one in each.personal.classes if one.of is PersonalClass.IDENTIFIER}
    said |= {one.column: one.kind for one in each.personal.protections if one.method is Method.TOKEN}
    return [Place(each.dataset, column, kind) for column, kind in said.items() if kind in kinds]


def _inherited(each: Known, found: Mapping[str, Sequence[Place]]) -> Iterator[Place]:
    """Columns of a derived dataset that come from places, and are none yet."""
    taken = {place.column.casefold() for place in found.get(each.dataset, ())}
    for upstream in dict.fromkeys(each.upstream):
        for place in found.get(upstream, ()):
            for column in each.columns:
                if column.casefold() not in taken and _comes_from(each, column, place):
                    taken.add(column.casefold())
                    yield Place(each.dataset, column, place.kind, f"{place.dataset}.{place.column}")


def _comes_from(each: Known, column: str, place: Place) -> bool:
    origins = each.made_from.get(column)
    if not origins:
        return column.casefold() == place.column.casefold()
    wanted = (place.dataset, place.column.casefold())
    return any((dataset, name.casefold()) == wanted for dataset, name in origins)


def _why_not(each: Known) -> str:
    if each.fault:
        return each.fault
    subject = each.personal.subject
    if subject is not None:
        return _("its subject is named by {kind}").format(kind=subject.kind)
    if each.personal.is_personal:
        return _("its contract names no subject, though it holds personal values")
    return _("its contract names no subject")


@dataclass(frozen=True, slots=True)
class Rows:
    """Says which rows of a dataset are a person's: those in whose `columns` one of the names stands.

    `gone` is what `store.erasure` asks of a predicate, so that what is found is what can be erased.
    """

    kinds: Mapping[str, str]
    """The kind of each column, by its name."""
    values: Mapping[str, frozenset[str]] = field(repr=False)
    """The canonical values of each kind."""
    tokens: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, person: Person, places: Iterable[Place]) -> Rows:
        """The rows of a person in one dataset."""
        values: dict[str, set[str]] = {}
        for name in person.names:
            values.setdefault(name.kind, set()).add(canonical(name.kind, name.value))
        tokens = frozenset(name.token for name in person.names if name.token)
        return cls(
            {place.column: place.kind for place in places},
            {kind: frozenset(each) for kind, each in values.items()},
            tokens,
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that tell."""
        return tuple(self.kinds)

    def gone(self, batch: pa.RecordBatch) -> pa.Array:
        """True for each row of a batch that is the person's; columns that it lacks tell nothing."""
        import pyarrow as pa
        import pyarrow.compute as pc

        by_name = {name.casefold(): name for name in batch.schema.names}
        found = pa.array([False] * batch.num_rows, pa.bool_())
        for column, kind in self.kinds.items():
            name = by_name.get(column.casefold())
            if name is not None and not pa.types.is_nested(batch.column(name).type):
                mine = self._looked_up(batch.column(name), self.test(kind))
                found = pc.or_(found, pc.fill_null(mine, fill_value=False))
        return found

    def test(self, kind: str) -> Callable[[str], bool]:
        """Whether a text names the person."""
        form, values, tokens = form_of(kind), self.values.get(kind, frozenset()), self.tokens
        # Where only tokens may stand, most texts are told by their first letters.
        return lambda text: text in tokens or (not text.startswith("tok_") and form(text) in values)

    @staticmethod
    def _looked_up(column: pa.Array, test: Callable[[str], bool]) -> pa.Array:
        """What the test says of each value; each different value is looked at once."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not pa.types.is_dictionary(column.type):
            column = column.cast(pa.string()).dictionary_encode()
        names = column.dictionary.cast(pa.string()).to_pylist()
        truth = pa.array([text is not None and test(text) for text in names], pa.bool_())
        return pc.take(truth, column.indices)


class Telling(Protocol):
    """Says of each row of a batch whether it is meant; what `store.erasure` calls doomed."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that tell."""
        ...

    def gone(self, batch: pa.RecordBatch) -> pa.Array:
        """True for each row that is meant."""
        ...


def count(table: Table, engine: Engine, rows: Telling) -> tuple[dict[int, int], dict[str, int], tuple[int, ...]]:
    """The rows that are meant in each retained version that has any, and in each file; and the versions that were
    collected.

    Raises `Corrupted`.
    """
    by_file: dict[str, int] = {}
    by_version: dict[int, int] = {}
    gone = table.expired()
    for info in table.history():
        if info.number in gone:
            continue
        names = _present(info.schema.names, rows.columns)
        paths = dict(zip((entry.path for entry in info.files), table.paths(info), strict=True))
        for path, place in paths.items():
            if path not in by_file:
                by_file[path] = _count_in(engine.read([place], info.schema, columns=names), rows) if names else 0
        total = sum(by_file[path] for path in paths)
        if total:
            by_version[info.number] = total
    return by_version, {path: n for path, n in by_file.items() if n}, tuple(sorted(gone))


def _present(names: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    folded = {each.casefold() for each in wanted}
    return tuple(name for name in names if name.casefold() in folded)


def _count_in(stream: Any, rows: Telling) -> int:  # Any: an Arrow stream
    import pyarrow as pa

    reader = pa.RecordBatchReader.from_stream(stream)
    return sum(rows.gone(batch).true_count for batch in reader)


@dataclass(frozen=True, slots=True)
class Aside:
    """Says which records of a quarantine are a person's (rule 5). `names` are the records' names of the columns that
    tell, for rows as their source gave them (`raw`) and for rows that were cleaned (`clean`).
    """

    rows: Rows
    names: Mapping[str, Mapping[str, str]]
    vault: Vault

    @classmethod
    def of(cls, rows: Rows, plan: Plan, vault: Vault) -> Aside:
        """For a dataset's quarantine."""
        folded = {column.casefold(): kind for column, kind in rows.kinds.items()}
        told = [(each, folded[each.name.casefold()]) for each in plan.columns if each.name.casefold() in folded]
        names = {
            "raw": {each.source: kind for each, kind in told},
            "clean": {each.name: kind for each, kind in told},
        }
        return cls(rows, names, vault)

    def theirs(self, forms: Sequence[str], records: Sequence[str]) -> list[int]:
        """The places of the records that are about the person; marks are about nobody."""
        lines = [
            record for form, record in zip(forms, records, strict=True) if form == "text" and TOKEN.fullmatch(record)
        ]
        kept = self.vault.reveal(lines) if lines else {}
        both = zip(forms, records, strict=True)
        return [place for place, (form, record) in enumerate(both) if self._is_theirs(form, record, kept)]

    def _is_theirs(self, form: str, record: str, kept: Mapping[str, Entry]) -> bool:
        if form == "text":
            return self._in_line(kept[record].value if record in kept else record)
        return any(self.rows.test(kind)(text) for text, kind in self._cells(form, record))

    def _cells(self, form: str, record: str) -> Iterator[tuple[str, str]]:
        names = self.names.get(form, {})
        members = _members(record)
        for name, kind in names.items():
            value = members.get(name)
            text = value if isinstance(value, str) else "" if value is None else str(value)
            yield (text, kind) if not text.startswith("tok_") else (text.partition(" ")[0], kind)

    def _in_line(self, line: str) -> bool:
        return any(_holds(line, kind, value) for kind, values in self.rows.values.items() for value in values)


def _members(record: str) -> dict[str, Any]:  # Any: JSON values
    import msgspec

    try:
        found = msgspec.json.decode(record)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _holds(line: str, kind: str, value: str) -> bool:
    """Whether a text holds a value as a word of its own, however its kind is punctuated."""
    form = form_of(kind)
    if kind in {"cpf", "cnpj", "cep"}:
        return any(form(word) == value for word in re.findall(r"[0-9A-Za-z][0-9A-Za-z.\-/]{6,19}[0-9A-Za-z]", line))
    place = line.find(value)
    while place >= 0:
        before, after = line[place - 1 : place], line[place + len(value) : place + len(value) + 1]
        if not before.isalnum() and not after.isalnum():
            return True
        place = line.find(value, place + 1)
    return kind == "email" and value in line.casefold()


def set_aside(table: Table, engine: Engine, aside: Aside) -> Iterator[dict[str, Any]]:  # Any: the quarantine's columns
    """The rows of a quarantine that are about the person, open or not. Raises `Corrupted`."""
    import pyarrow as pa

    head = table.head()
    if head is None:
        return
    stream = engine.read(table.paths(head), head.schema)
    for batch in pa.RecordBatchReader.from_stream(stream):
        mine = aside.theirs(batch.column("form").to_pylist(), batch.column("record").to_pylist())
        yield from batch.take(pa.array(mine, pa.int64())).to_pylist() if mine else ()


def sought(dataset: str, tables: tuple[Table, Table], engine: Engine, rows: Rows, aside: Aside | None) -> Stands:
    """Where a person stands in one dataset. Raises `Corrupted`."""
    table, quarantine = tables
    versions, files, lost = count(table, engine, rows)
    head = table.head()
    beside = Counter(1 for _row in set_aside(quarantine, engine, aside)) if aside is not None else Counter[int]()
    return Stands(
        dataset,
        rows.columns,
        None if head is None else head.number,
        dict(sorted(versions.items())),
        files,
        beside[1],
        lost,
    )
