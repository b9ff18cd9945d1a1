"""What counts as drift, and how the chance of a false alarm is spent.

Rules:

1. `alpha` bounds the chance that anything at all is raised that is not there: over all columns, all their facts and all
   looks at the same reference together.
2. It is divided evenly among the columns. Of a column's share, one half is for how its values are distributed (for
   texts one quarter for the values and one for their lengths), the other half for its rates: missing, NaN, infinite,
   new. If there is nothing of one kind, the other has all.
3. Of a fact's share, one half is for the reference's error, which is made once and is the same at every look; the
   other is divided evenly among the looks.
4. Which facts a column has depends on its frame alone, never on what was counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Fact(StrEnum):
    """What of a column is compared."""

    VALUES = "values"
    LENGTHS = "lengths"
    MISSING = "missing"
    NAN = "nan"
    INFINITE = "infinite"
    NEW = "new"


DISTRIBUTIONS = (Fact.VALUES, Fact.LENGTHS)


@dataclass(frozen=True, slots=True)
class Settings:
    """How much change matters, and how often a false alarm may be raised.

    `margin` is the share of a column's values that may move without anybody caring, `margins` the same for columns by
    name; `margin_rates` the change of a rate (missing, NaN, infinite, new values) that may. `columns` is how many
    columns will be compared (at least all of both profiles), `looks` how many windows with the same reference.

    With `together`, samples of at most `sample_rows` of each side are also compared by whole rows, texts and vectors;
    see `lastro.drift.together`. `margin_together` is the share of rows that may be others there, `margin` where None.
    Raises `ValueError` for numbers that make no sense.
    """

    alpha: float = 0.05
    columns: int | None = None
    looks: int = 30
    margin: float = 0.05
    margins: Mapping[str, float] = field(default_factory=dict)
    margin_rates: float = 0.01
    together: bool = False
    margin_together: float | None = None
    sample_rows: int = 20_000

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise ValueError("alpha is a probability between 0 and 1")
        if self.looks < 1 or (self.columns is not None and self.columns < 1):
            raise ValueError("columns and looks are counted from 1")
        if self.sample_rows < 2:
            raise ValueError("a sample has at least two rows of each side: one to learn of, one to test")
        margins = (self.margin, self.margin_rates, self.margin_together or 0.0, *self.margins.values())
        if not all(0 <= margin < 1 for margin in margins):
            raise ValueError("a margin is a share: at least 0, less than 1")

    def margin_of(self, column: str, fact: Fact) -> float:
        """The change of this fact of this column that nobody cares about."""
        return self.margins.get(column, self.margin) if fact in DISTRIBUTIONS else self.margin_rates


@dataclass(frozen=True, slots=True)
class Chance:
    """How likely an interval may fail: because of the reference, at whatever look; because of one look's window; and at
    one look because of either, for bounds that do not tell them apart.
    """

    reference: float
    look: float
    either: float

    def half(self) -> Chance:
        """The chance of each of two bounds that must hold together."""
        return Chance(self.reference / 2, self.look / 2, self.either / 2)


@dataclass(frozen=True, slots=True)
class Budget:
    """How `alpha` was divided: among so many columns, and so many looks."""

    alpha: float
    columns: int
    looks: int

    def chance(self, fact: Fact, facts: tuple[Fact, ...]) -> Chance:
        """What is left for one fact of a column that has `facts`."""
        alike = [other for other in facts if (other in DISTRIBUTIONS) == (fact in DISTRIBUTIONS)]
        part = 1.0 if len(alike) == len(facts) else 0.5
        half = self.alpha / self.columns * part / len(alike) / 2
        return Chance(half, half / self.looks, 2 * half / self.looks)
