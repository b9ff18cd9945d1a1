"""Numbers counted in bins, and how many of them are different, a batch at a time.

Rules:

1. Whole numbers that lie close together – lengths, ages, days – are counted each, and what is counted of a number is
   then counted as often.
2. Other numbers are sorted, and the edges looked for among them: that costs less than to look for each number among
   the edges, and gives the extremes, NaN (which sorts last) and the infinities on the way.
3. Once it is known that many numbers are different, each is hashed as it comes; before, equal ones once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal as Number
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lastro.engine.profiling import hashes
from lastro.engine.profiling import numbers as column
from lastro.engine.profiling.numbers import Numbers, Scale
from lastro.model.profile import NumberCounts, NumberFrame
from lastro.model.schema import Decimal, Primitive, Type

CLOSE = 4_096
MANY_LEVEL = 3


@dataclass(slots=True)
class Bins:
    """A column's numbers as they are counted under its frame; `seen` are the different ones, if these are wanted."""

    frame: NumberFrame
    kind: Type
    seen: hashes.Kept | None = None
    nans: int = 0
    infinite: int = 0
    sums: tuple[float, float] = (0.0, 0.0)
    low: Any = None  # Any: a stored number or a decimal
    high: Any = None  # Any: likewise
    scale: Scale = field(init=False)
    bins: Numbers = field(init=False)

    def __post_init__(self) -> None:
        self.scale = Scale.of(self.frame, self.kind)
        self.bins = np.zeros(len(self.frame.edges) + 1, dtype=np.int64)

    def column(self, present: pa.Array) -> None:
        """Counts a column's values, of which none is missing."""
        if isinstance(self.kind, Decimal):
            bounds = pc.min_max(present).as_py()
            self._widen(bounds["min"], bounds["max"])
        self.numbers(column.of_column(present, self.kind))

    def numbers(self, found: Numbers) -> None:
        """Counts numbers that come in any order."""
        if found.dtype.kind == "i" and len(found):
            low, high = int(found.min()), int(found.max())
            if high - low < min(CLOSE, len(found)):
                times = np.bincount(found.astype(np.int64) - low)
                places = np.flatnonzero(times)
                self._few(places + low, times[places])
                return
        self._many(np.sort(found))

    def weighted(self, found: Numbers, times: Numbers) -> None:
        """Counts whole numbers that occur so many times each."""
        order = np.argsort(found)
        order = order[times[order] > 0]
        self._few(found[order].astype(np.int64), times[order])

    def counts(self) -> NumberCounts:
        """What was counted so far."""
        kind = Primitive.LONG if self.kind == Primitive.STRING else self.kind
        low, high = (None if end is None else column.written(end, kind) for end in (self.low, self.high))
        return NumberCounts(tuple(self.bins.tolist()), *self.sums, low, high, nans=self.nans, infinite=self.infinite)

    def _few(self, ordered: Numbers, times: Numbers) -> None:
        """Counts ascending whole numbers that occur so many times each (rule 1)."""
        if not len(ordered):
            return
        before = np.concatenate(([0], np.cumsum(times)))
        self.bins += np.diff(before[np.concatenate(([0], self.scale.ends(ordered), [len(ordered)]))])
        self._widen(ordered[0].item(), ordered[-1].item())
        if self.seen is not None:
            self.seen.take(hashes.of_numbers(ordered), times)
        distances = ordered / self.scale.unit - self.scale.centre
        self._add(float((distances * times).sum()), float((np.square(distances) * times).sum()))

    def _many(self, ordered: Numbers) -> None:
        """Counts ascending numbers (rule 2)."""
        first = 0
        end = count = len(ordered)
        if ordered.dtype.kind == "f":
            count = int(np.searchsorted(ordered, np.inf, side="right"))
            end = int(np.searchsorted(ordered, np.inf, side="left"))
            first = int(np.searchsorted(ordered, -np.inf, side="right"))
            self.nans += len(ordered) - count
            self.infinite += first + count - end
        if not count:
            return
        self.bins += np.diff(np.concatenate(([0], self.scale.ends(ordered[:count]), [count])))
        if not isinstance(self.kind, Decimal):
            self._widen(ordered[0].item(), ordered[count - 1].item())
        self._different(ordered[:count])
        with np.errstate(over="ignore", invalid="ignore"):  # the largest doubles of both signs have no sum
            distances = ordered[first:end] / self.scale.unit - self.scale.centre
            # Not by np.dot, whose threads cost more than they bring here.
            self._add(float(distances.sum()), float(np.square(distances).sum()))

    def _different(self, ordered: Numbers) -> None:
        """Rule 3."""
        if self.seen is None:
            return
        if self.seen.level >= MANY_LEVEL:
            self.seen.take(hashes.of_numbers(ordered), None)
            return
        begins = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        self.seen.take(hashes.of_numbers(ordered[begins]), np.diff(begins, append=len(ordered)))

    def _add(self, total: float, squares: float) -> None:
        self.sums = self.sums[0] + total, self.sums[1] + squares

    def _widen(self, low: Number | float, high: Number | float) -> None:
        self.low = low if self.low is None or low < self.low else self.low
        self.high = high if self.high is None or high > self.high else self.high
