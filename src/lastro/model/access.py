"""Who asks for what, and what is decided: the values of access control.

The words are those of Cedar: a principal with roles asks for an action on a resource; a policy permits or forbids.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from lastro.model.personal import PersonalClass


class Act(StrEnum):
    """What a principal does with data. `read` hands rows to whoever asks, `export` lets them leave the workspace."""

    READ = "read"
    EXPORT = "export"
    REVEAL = "reveal"
    ERASE = "erase"
    INGEST = "ingest"
    BUILD = "build"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a name, and the roles it has in this workspace."""

    name: str
    roles: tuple[str, ...] = ()


class Hiding(StrEnum):
    """How a value is hidden, from what tells most to what tells nothing."""

    ROUND = "round"
    YEAR = "year"
    MONTH = "month"
    FIRST = "first"
    LAST = "last"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Mask:
    """How the values of a column are hidden; `n` is how many characters stay, or the step that numbers are rounded
    to.
    """

    how: Hiding
    n: int = 0

    def __str__(self) -> str:
        return f"{self.how}{self.n or ''}"


class Reach(StrEnum):
    """How much of a column's values a principal gets."""

    CLEAR = "clear"
    MASKED = "masked"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What policies know of a column: its name in the version, its class (None: not classified yet), the kind of its
    values, and its classification in the contract's words.
    """

    name: str
    of: PersonalClass | None = None
    kind: str = ""
    classification: str = ""
    restricted: bool = True
    """Whether it takes a policy to read it; the others are open to the roles that the contract lets read."""


@dataclass(frozen=True, slots=True)
class Resource:
    """What is asked for: columns of a dataset. Its contract lets `readers`, which are roles, read what is open."""

    dataset: str
    columns: tuple[ColumnFacts, ...] = ()
    personal: bool = False
    readers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants to do what for which purpose, and the legal basis that the contract gives for that purpose."""

    principal: Principal
    act: Act
    purpose: str = ""
    basis: str = ""


@dataclass(frozen=True, slots=True)
class ColumnAccess:
    """What is decided of one column. `rows` are conditions of which one must hold, none if every row may be read;
    `because` are the names of the rules that decided, `why` says it in words.
    """

    column: str
    reach: Reach
    why: str
    because: tuple[str, ...] = ()
    mask: Mask | None = None
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """What is decided of a dataset's columns, in the version's order."""

    asked: Asked
    dataset: str
    columns: tuple[ColumnAccess, ...] = field(default=())

    def of(self, column: str) -> ColumnAccess:
        """What is decided of a column. Raises `LookupError` if the version has none such."""
        return next(each for each in self.columns if each.column == column)

    def named(self, *reaches: Reach) -> tuple[str, ...]:
        """The columns that are reached so."""
        return tuple(each.column for each in self.columns if each.reach in reaches)
