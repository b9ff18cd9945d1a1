"""What two sides of a training set have in common, and how well columns tell a target: counts, and no value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Met:
    """Rows of the first and of the second side that meet an equal on the other one, and how many different ones.

    `by_chance` rows of the second side would, if what is in one column had nothing to do with what is in the others.
    """

    first: int = 0
    second: int = 0
    different: int = 0
    by_chance: float = 0.0


@dataclass(frozen=True, slots=True)
class Guessed:
    """Of how many rows one column's value, or only whether it has one, tells the target.

    Each row is guessed from the others: as most rows with its value have it.
    """

    column: str
    right: int
    right_by_missing: int


@dataclass(frozen=True, slots=True)
class Sides:
    """The counts of both sides. `key` and the target's are None or empty where none was named.

    `known` rows of the first side have a target, and `most` of them the most frequent one.
    """

    first: int
    second: int
    equal: Met
    near: Met
    key: Met | None = None
    known: int = 0
    most: int = 0
    guessed: tuple[Guessed, ...] = ()
