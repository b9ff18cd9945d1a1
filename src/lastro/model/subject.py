"""A natural person in a workspace: what names them, where they stand, and what they asked for.

No value here is shown by `repr`, and none but tokens and counts leave `Stands`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Named:
    """One name of a person: a value of a kind (`cpf`, `customer_id`), and its token if the vault holds it."""

    kind: str
    value: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """A person by the name that was asked for, and by `linked` names that the vault knows to be theirs alone.

    `shared` counts names that others have, too: they are not followed.
    """

    asked: Named
    linked: tuple[Named, ...] = ()
    shared: int = 0

    @property
    def names(self) -> tuple[Named, ...]:
        """All names that are followed, the one that was asked for first."""
        return (self.asked, *self.linked)


@dataclass(frozen=True, slots=True)
class Place:
    """A column that names persons of a kind. `via` says of which upstream column it was made, where it was."""

    dataset: str
    column: str
    kind: str
    via: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A dataset that was not searched, and why."""

    dataset: str
    why: str


@dataclass(frozen=True, slots=True)
class Stands:
    """Where a person stands in one dataset: rows of each retained version that has any, and rows set aside.

    `files` are rows by data file, `lost` the versions whose files were collected, which can no longer be searched.
    """

    dataset: str
    columns: tuple[str, ...]
    newest: int | None
    versions: Mapping[int, int] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)
    quarantined: int = 0
    lost: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        """Rows in the newest version."""
        return 0 if self.newest is None else self.versions.get(self.newest, 0)

    @property
    def is_there(self) -> bool:
        """True if anything about the person is kept here."""
        return bool(self.versions) or self.quarantined > 0


@dataclass(frozen=True, slots=True)
class Sought:
    """What a search for a person came to. It holds no value."""

    kind: str
    stands: tuple[Stands, ...]
    skipped: tuple[Skipped, ...] = ()
    linked: tuple[str, ...] = ()
    """The kinds of further names that were followed."""
    shared: int = 0
    entries: int = 0
    """How many values of the person are in the vault."""

    @property
    def found(self) -> tuple[Stands, ...]:
        """The datasets that keep anything about the person."""
        return tuple(each for each in self.stands if each.is_there)

    @property
    def rows(self) -> int:
        """Rows in the newest versions."""
        return sum(each.rows for each in self.stands)

    @property
    def quarantined(self) -> int:
        """Rows that are set aside."""
        return sum(each.quarantined for each in self.stands)

    @property
    def is_anywhere(self) -> bool:
        """True if anything about the person is kept."""
        return bool(self.found) or self.entries > 0


@dataclass(frozen=True, slots=True)
class Due:
    """When a law wants the answer: its name, the article, the last day."""

    law: str
    article: str
    day: date


@dataclass(frozen=True, slots=True)
class Request:
    """A request of a person, by a random id: nothing in it says whose it is.

    `right` is what was asked for (`access`, `rectification`, `erasure`, …); `answered` is when, and `outcome` how.
    """

    id: str
    right: str
    received: date
    basis: str = ""
    dues: tuple[Due, ...] = ()
    answered: date | None = None
    outcome: str = ""

    @property
    def due(self) -> date:
        """The first last day."""
        return min((each.day for each in self.dues), default=self.received)

    def is_overdue(self, today: date) -> bool:
        """True if it is open, and the first last day is past."""
        return self.answered is None and today > self.due
