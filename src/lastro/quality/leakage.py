"""Leakage: whether what is tested was seen in training, or gives its answer away.

Rules:

1. Keys on both sides leak as soon as they are of more than the tolerated share of the second side's rows. So do equal
   rows, and near-equal rows that are not equal, beyond as many as chance makes among rows of few values: three
   deviations of a Poisson count above those expected if columns had nothing to do with each other.
2. How much a column tells of the target is its share of right guesses beyond the most frequent target's, of what there
   is beyond it: 0 is nothing, 1 is everything. Guesses are made from the other rows only (`model.leakage`).
3. The share's interval is Wilson's at 99.9 %, so that one column in hundreds is told by chance. A column gives the
   target away if even its lower end tells `GIVEN_AWAY`; whether a value is missing does from `BY_MISSING` on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist
from typing import Any

from lastro.model.leakage import Sides

GIVEN_AWAY = 0.9
BY_MISSING = 0.5
CERTAINTY = 0.999
DEVIATIONS = 3


class Leak(StrEnum):
    """What leaks."""

    EQUAL = "equal_rows"
    NEAR = "near_rows"
    KEY = "key"
    COLUMN = "column"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Leakage:
    """One thing that leaks: rows of the second side, with their equals in the first; or a `column`, with how much it
    tells of the target (0 to 1), and between which bounds.
    """

    leak: Leak
    rows: int = 0
    of: int = 0
    column: str | None = None
    tells: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The finding as plain values."""
        return {
            "leak": self.leak.value,
            "rows": self.rows,
            "of": self.of,
            "column": self.column,
            "tells": round(self.tells, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
        }


@dataclass(frozen=True, slots=True)
class LeakageReport:
    """What leaks from the side `first` into `second` (labels), of so many `rows` each; counts and no value.

    `columns` are those that were compared, of which `key` names one row or subject, and `target` what is learned.
    """

    first: str
    second: str
    rows: tuple[int, int]
    columns: tuple[str, ...]
    key: tuple[str, ...]
    target: str | None
    leaks: tuple[Leakage, ...]

    @property
    def passed(self) -> bool:
        """True if both sides have rows, and nothing leaks."""
        return not self.leaks and all(self.rows)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The report as plain values."""
        return {
            "first": self.first,
            "second": self.second,
            "rows": list(self.rows),
            "columns": list(self.columns),
            "key": list(self.key),
            "target": self.target,
            "leaks": [each.to_dict() for each in self.leaks],
        }


def leakages(found: Sides, *, tolerated: float = 0.0) -> tuple[Leakage, ...]:
    """Everything that leaks; rows first, then columns, those that tell most first."""
    shared = (
        (Leak.KEY, found.key.second if found.key else 0, 0.0),
        (Leak.EQUAL, found.equal.second, found.equal.by_chance),
        (Leak.NEAR, found.near.second - found.equal.second, found.near.by_chance),
    )
    free = tolerated * found.second
    rows = [
        Leakage(leak, count, found.second)
        for leak, count, chance in shared
        if count > free + chance + DEVIATIONS * math.sqrt(chance)
    ]
    return (*rows, *sorted(_columns(found), key=lambda each: -each.tells))


def _columns(found: Sides) -> Iterator[Leakage]:
    if found.known <= found.most:
        return  # one target only: there is nothing to tell
    for each in found.guessed:
        for leak, right, least in (
            (Leak.MISSING, each.right_by_missing, BY_MISSING),
            (Leak.COLUMN, each.right, GIVEN_AWAY),
        ):
            tells, low, high = tells_of_target(right, found.known, found.most)
            if low >= least:
                yield Leakage(leak, right, found.known, each.column, tells, low, high)
                break


def tells_of_target(right: int, known: int, most: int) -> tuple[float, float, float]:
    """How much of what is beyond the most frequent target `right` guesses of `known` tell, and between which bounds."""
    base = most / known
    low, high = wilson(right, known)
    return tuple((share - base) / (1 - base) for share in (right / known, low, high))  # type: ignore[return-value]


def wilson(right: int, rows: int) -> tuple[float, float]:
    """Wilson's interval of a share (Wilson 1927), at `CERTAINTY`."""
    z = NormalDist().inv_cdf((1 + CERTAINTY) / 2)
    share, spread = right / rows, z * z / rows
    middle = (share + spread / 2) / (1 + spread)
    reach = z * math.sqrt(share * (1 - share) / rows + spread / (4 * rows)) / (1 + spread)
    return max(0.0, middle - reach), min(1.0, middle + reach)
