"""Stamps: the values in records by which an API is asked for what is new.

Rules:

1. A stamp is a number or an ISO 8601 moment; one source has only one of the two. Moments are compared by the instant
   they mean, whatever their zone (none: UTC) and however many digits their fractions have.
2. `append` takes each record once: those above the last stamp, up to the present less `lag` (moments only), fixed when
   the pass begins. Records without a stamp would be read never or always: refused.
3. `upsert` takes every record, and asks from the last stamp less `lag` on. Stamps from the future move nothing: else
   one wrong year would hide all that follows.
4. What is sent is written like the stamps themselves, or in the `format` that the options name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

import msgspec

from lastro.model.errors import SourceBroken
from lastro.model.text import _
from lastro.source.http.options import Incremental
from lastro.source.incremental import earlier

Stamp = int | float | str
Instant = tuple[int, str]
Key = int | float | Instant

_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,18}))?)?\s?(Z|z|[+-]\d\d:?(?:\d\d)?)?)?", re.ASCII
)
_EPOCH = date(1970, 1, 1).toordinal()
_TAIL_MAX = 10_000


def key(stamp: Stamp) -> Key | None:
    """What orders stamps: a number itself, or seconds since 1970 and the digits of the fraction; None if it is neither.

    >>> key("2026-01-01T02:00:00.50+02:00") == key("2026-01-01 00:00:00.5Z")
    True
    """
    return instant(stamp) if isinstance(stamp, str) else stamp


@lru_cache(maxsize=4096)
def instant(text: str) -> Instant | None:
    """The instant of an ISO moment or date; None if it is none."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    if hour > 23 or minute > 59 or second > 60:
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return None
    seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - _offset(found[8])
    return seconds, (found[7] or "").rstrip("0")


def _offset(zone: str | None) -> int:
    if zone is None or zone in "Zz":
        return 0
    sign = -1 if zone[0] == "-" else 1
    digits = zone[1:].replace(":", "")
    return sign * (int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60)


def of_now(now: datetime) -> Instant:
    """The present, as a key."""
    return int(now.timestamp()), f"{now.microsecond:06d}".rstrip("0")


@dataclass(slots=True)
class Watch:
    """Looks at the stamps of a pass: `floor` is the last pass's stamp, `until` the upper bound of `append`, `now` the
    instant beyond which stamps move nothing. `high` is the greatest so far.
    """

    options: Incremental
    label: str
    now: Instant
    floor: Stamp | None = None
    until: Instant | None = None
    appends: bool = False
    high: Stamp | None = None
    tail: list[tuple[Key, int]] | None = field(default_factory=list)
    texts: bool | None = None

    def taken(self, listed: bytes, records: list[msgspec.Raw]) -> list[msgspec.Raw]:
        """The records of a page that are to be read; the stamps are noted. Raises `SourceBroken`."""
        stamps = values(listed, self.options.path, self.label)
        keys = [None if stamp is None else self._key(stamp) for stamp in stamps]
        if self.appends and None in keys:
            raise SourceBroken(
                _("records without {path} cannot be appended once").format(path=self.options.path),
                where=self.label,
                do=_("choose a field that is never missing, or ingest with --mode upsert"),
            )
        if self.appends:
            wanted = [index for index, found in enumerate(keys) if found is not None and self._is_new(found)]
        else:
            wanted = list(range(len(keys)))
        self._note([(found, stamps[index], records[index]) for index in wanted if (found := keys[index]) is not None])
        return records if len(wanted) == len(records) else [records[index] for index in wanted]

    def tail_digest(self, *, of: int | None = None) -> str:
        """What the last records, from the greatest stamp less `lag` on, are; empty if they are too many to tell, or not
        all `of` that came.
        """
        from lastro.source.options import identity

        if not self.tail or (of is not None and of != len(self.tail)):
            return ""
        return identity(*sorted(f"{mark:x}" for _key, mark in self.tail))

    def _note(self, found: Sequence[tuple[Key, Stamp | None, msgspec.Raw]]) -> None:
        """Moves `high`, and keeps the marks of the records that the next reading will bring again."""
        past = [entry for entry in found if not isinstance(entry[0], tuple) or entry[0] <= self.now]
        if not past:
            return
        top = max(past, key=lambda entry: entry[0])
        if self.high is None or _above(top[0], self._key(self.high)):
            self.high = top[1]
        if self.appends or self.tail is None or self.high is None:
            return
        edge = self._key(earlier(self.high, self.options.lag))
        self.tail = [entry for entry in self.tail if not _above(edge, entry[0])]
        self.tail += [(each, mark(raw)) for each, _stamp, raw in found if not _above(edge, each)]
        if len(self.tail) > _TAIL_MAX:
            self.tail = None

    def _is_new(self, found: Key) -> bool:
        if self.floor is not None and not _above(found, self._key(self.floor)):
            return False
        return self.until is None or not isinstance(found, tuple) or found <= self.until

    def _key(self, stamp: Stamp) -> Key:
        found = key(stamp)
        if found is None:
            raise SourceBroken(
                _("{path} is neither a number nor a moment in ISO 8601").format(path=self.options.path),
                where=self.label,
                do=_("choose another field for incremental.path, or leave incremental out"),
            )
        if self.texts is None:
            self.texts = isinstance(stamp, str)
        if self.texts != isinstance(stamp, str):
            raise SourceBroken(
                _("{path} holds numbers and texts, which have no common order").format(path=self.options.path),
                where=self.label,
                do=_("choose another field for incremental.path, or ingest with --mode overwrite"),
            )
        return found


def values(listed: bytes, path: str, label: str) -> list[Stamp | None]:
    """What stands at a path in each of a page's records; None where it is missing. Raises `SourceBroken`."""
    try:
        found: list[object] = list(_reader(path).decode(listed))
    except msgspec.ValidationError:
        raise SourceBroken(
            _("{path} is no text or number in every record").format(path=path),
            where=label,
            do=_("correct the path; it leads from a record to one of its fields"),
        ) from None
    for _name in path.split("."):
        found = [None if each is None else getattr(each, "value") for each in found]  # noqa: B009 – made at run time
    return found  # type: ignore[return-value]


@lru_cache(maxsize=64)
def _reader(path: str) -> msgspec.json.Decoder[list[msgspec.Struct]]:
    """Reads of each record nothing but the value at `path`."""
    inner: object = Stamp | None
    made: type[msgspec.Struct] = msgspec.Struct
    for name in reversed(path.split(".")):
        made = msgspec.defstruct("Picked", [("value", inner | None, None)], rename={"value": name})  # type: ignore[operator]
        inner = made
    return msgspec.json.Decoder(list[made])  # type: ignore[valid-type]


def mark(raw: msgspec.Raw) -> int:
    """What tells a record from another, the same in every process."""
    from hashlib import blake2b

    return int.from_bytes(blake2b(bytes(raw), digest_size=8).digest(), "big")


def sent(options: Incremental, last: Stamp | None, label: str) -> dict[str, str | int]:
    """The parameter to send; none if there is nothing to start from. Raises `SourceBroken`."""
    if last is None:
        return {} if options.start is None else {options.parameter: options.start}
    value = earlier(last, options.lag)
    if options.format == "as_is":
        return {options.parameter: value if isinstance(value, int) else str(value)}
    found = instant(value) if isinstance(value, str) else None
    if found is None:
        raise SourceBroken(
            _("{path} holds numbers, which cannot be written as {format}").format(
                path=options.path, format=options.format
            ),
            where=label,
            do=_("leave incremental.format out: they are sent as they are"),
        )
    return {options.parameter: _written(options.format, *found)}


def _written(form: str, seconds: int, fraction: str) -> str | int:
    match form:
        case "epoch":
            return seconds
        case "epoch_ms":
            return seconds * 1000 + int(fraction.ljust(3, "0")[:3])
        case _:
            moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)  # noqa: DTZ001 – written with a Z below
            if form == "date":
                return moment.date().isoformat()
            return moment.isoformat() + (f".{fraction[:6]}" if fraction else "") + "Z"


def _above(one: Key, other: Key) -> bool:
    """True if the first comes after the second; they are of one sort."""
    return one > other  # type: ignore[operator]
