"""What a comparison comes to, as plain frozen values. They may hold values of the data, which no `repr` shows."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from lastro.drift.settings import Budget, Fact


class Verdict(StrEnum):
    """What a fact, a column or a table came to; of several the first of these counts.

    `drifted`: the change is larger than the margin, surely. `not comparable`: there is nothing to compare, or not under
    the same frame. `unsure`: the interval spans the margin. `stable`: the change is at most the margin, surely.
    `still`: nothing but one and the same value, or none, on both sides.
    """

    DRIFTED = "drifted"
    NOT_COMPARABLE = "not comparable"
    UNSURE = "unsure"
    STABLE = "stable"
    STILL = "still"


ORDER = tuple(Verdict)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A counted number and the interval of the true one."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Psi:
    """The population stability index; without drift, what is expected of it, the chance of at least this."""

    value: float
    expected: float
    p_value: float
    groups: int


@dataclass(frozen=True, slots=True)
class Shift:
    """One fact of a column, compared.

    `size` is the share of rows that moved, with an interval that holds together with all others of the budget;
    `before` and `after` are the counted rates where the fact is one. `rows_needed` is how many rows of the window
    would tell if it is unsure, or how many of each side if the reference has too few (`needed_of_both`); None if no
    number would.
    """

    fact: Fact
    verdict: Verdict
    words: str
    margin: float
    size: Estimate | None = None
    before: float | None = None
    after: float | None = None
    rows_needed: int | None = None
    needed_of_both: bool = False

    @property
    def excess(self) -> float:
        """By how much the change is surely larger than the margin; below 0 if that is not sure."""
        return self.size.low - self.margin if self.size else -1.0


@dataclass(frozen=True, slots=True)
class Distances:
    """Distances that are told and decide nothing. Those of numbers are None for values, or if there is no spread."""

    jensen_shannon: Estimate
    psi: Psi
    wasserstein: Estimate | None = None
    mean_shift: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Bars:
    """Both sides' shares, to be drawn: of the bins between `edges`, or of each of `values` and last of all others.

    `single` if each bin of the reference but the last was one number, its upper edge.
    """

    reference: tuple[float, ...]
    current: tuple[float, ...]
    edges: tuple[float, ...] | None = field(default=None, repr=False)
    values: tuple[str, ...] | None = field(default=None, repr=False)
    single: bool = False


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """One column compared: `reference` and `current` are how many values are present on each side.

    `vanished` are values that occur no more, though their share surely was larger than what the window leaves possible.
    """

    name: str
    type: str
    verdict: Verdict
    words: str
    reference: int = 0
    current: int = 0
    shifts: tuple[Shift, ...] = ()
    distances: Distances | None = None
    bars: Bars | None = None
    vanished: tuple[str, ...] = field(default=(), repr=False)

    @property
    def contribution(self) -> float:
        """The share of rows, 0 to 1, that surely moved beyond the margin, by the fact that moved most."""
        return max(0.0, max((shift.excess for shift in self.shifts), default=0.0))

    @property
    def counted(self) -> float:
        """By how much the counted change exceeds the margin, by the fact where it does most."""
        sizes = [shift.size.value - shift.margin for shift in self.shifts if shift.size]
        return max(sizes, default=-1.0)

    def shift(self, fact: Fact) -> Shift | None:
        """What this fact came to; None if the column has no such fact."""
        return next((shift for shift in self.shifts if shift.fact is fact), None)


@dataclass(frozen=True, slots=True)
class Drift:
    """Two profiles compared: the columns that changed most come first."""

    verdict: Verdict
    words: str
    columns: tuple[ColumnDrift, ...]
    budget: Budget
    reference: int
    current: int

    def worst(self, count: int) -> tuple[ColumnDrift, ...]:
        """The first so many columns that drifted, are unsure or not comparable."""
        asking = [c for c in self.columns if c.verdict not in {Verdict.STABLE, Verdict.STILL}]
        return tuple(asking[:count])

    def to_dict(self) -> dict[str, Any]:  # JSON: whatever the records hold
        """The comparison as JSON's values."""
        plain = asdict(self)
        for column, told in zip(self.columns, plain["columns"], strict=True):
            told["contribution"] = column.contribution
        return plain


def worst_of(verdicts: list[Verdict]) -> Verdict:
    """The verdict of several together; `still` of none."""
    return min(verdicts, key=ORDER.index, default=Verdict.STILL)
