"""References: how a person names a version.

Rules:

1. A name matches `^[a-z][a-z0-9_.-]{0,62}$` and holds no `..`; it never forms a path by itself.
2. `name` and `name@latest` mean the newest version.
3. `name@17` is a number, `name@sha256:…` a digest (at least 8 of its 64 hex digits).
4. `name@2026-01-31` and `name@2026-01-31T10:00:00Z` mean the newest version committed up to then; a bare date includes
   the whole day, in UTC.
5. Anything else after `@` is a tag, which obeys rule 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time

from lastro.model.errors import NameRefused
from lastro.model.text import _

QUARANTINE = ".quarantine"
"""What the name of a dataset's quarantine ends in, beside the letters that a name may have."""
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,62}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{8,64}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest version."""


@dataclass(frozen=True, slots=True)
class Number:
    """The version with this number."""

    number: int


@dataclass(frozen=True, slots=True)
class Tag:
    """The version that carries this tag."""

    tag: str


@dataclass(frozen=True, slots=True)
class Moment:
    """The newest version committed at or before this moment (UTC)."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class Digest:
    """The version whose digest begins so: `sha256:` and 8 to 64 hex digits."""

    digest: str


Selector = Latest | Number | Tag | Moment | Digest


@dataclass(frozen=True, slots=True)
class Reference:
    """A dataset's name and which of its versions is meant.

    >>> Reference.parse("loans@17")
    Reference(name='loans', selector=Number(number=17))
    """

    name: str
    selector: Selector = Latest()

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Reads `name` or `name@selector`. Raises `NameRefused`."""
        name, at, rest = text.partition("@")
        return cls(check_name(name), _selector(rest) if at else Latest())

    def __str__(self) -> str:
        match self.selector:
            case Latest():
                return self.name
            case Number(number):
                return f"{self.name}@{number}"
            case Tag(tag):
                return f"{self.name}@{tag}"
            case Moment(moment):
                return f"{self.name}@{moment.astimezone(UTC).isoformat().replace('+00:00', 'Z')}"
            case Digest(digest):
                return f"{self.name}@{digest}"


def check_name(name: str) -> str:
    """The name itself if it is well formed; a quarantine's is its dataset's and a suffix. Raises `NameRefused`."""
    if not _NAME.fullmatch(name.removesuffix(QUARANTINE)) or ".." in name:
        raise NameRefused(
            _("{name!r} is not a name").format(name=name[:80]),
            do=_("use a lower-case letter, then letters, digits, '_', '-' or '.', at most 63 in all"),
        )
    return name


def _selector(text: str) -> Selector:
    if text == "latest":
        return Latest()
    if _NUMBER.fullmatch(text):
        return Number(int(text))
    if text.startswith("sha256:"):
        return _digest(text)
    if _DATE.fullmatch(text):
        return Moment(_moment(text))
    return Tag(check_name(text))


def _digest(text: str) -> Digest:
    if not _DIGEST.fullmatch(text):
        raise NameRefused(
            _("{text!r} is not a digest").format(text=text[:80]),
            do=_("write sha256: and 8 to 64 hexadecimal digits"),
        )
    return Digest(text)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise NameRefused(
            _("{text!r} is not a date").format(text=text[:80]),
            do=_("write 2026-01-31 or 2026-01-31T10:00:00Z"),
        ) from error
    if len(text) == 10:
        moment = datetime.combine(moment.date(), time.max)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
