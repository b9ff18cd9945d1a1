"""Profiles for tests: counted the slow way, or made of counts."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

from lastro.model.profile import (
    ColumnFrame,
    ColumnProfile,
    NumberCounts,
    NumberFrame,
    Profile,
    ValueCounts,
    ValueFrame,
)

EDGES = tuple(i / 10 for i in range(-20, 21))
STATES = ("SP", "RJ", "MG")


def numbers(values: Sequence[float | None], *, edges: Sequence[float] = EDGES, kind: str = "double") -> ColumnProfile:
    """A column of numbers, counted."""
    present = [value for value in values if value is not None]
    counted = [value for value in present if not math.isnan(value)]
    bins = [0] * (len(edges) + 1)
    for value in counted:
        bins[bisect_left(edges, value)] += 1
    made = NumberCounts(
        tuple(bins),
        minimum=repr(min(counted)) if counted else None,
        maximum=repr(max(counted)) if counted else None,
        nans=len(present) - len(counted),
        infinite=sum(map(math.isinf, counted)),
    )
    return ColumnProfile(ColumnFrame(kind, NumberFrame(tuple(edges))), len(values) - len(present), made)


def binned(bins: Sequence[int], *, edges: Sequence[float] | None = None, nulls: int = 0) -> ColumnProfile:
    """A column of whole numbers whose bins are known."""
    edges = tuple(map(float, range(len(bins) - 1))) if edges is None else tuple(edges)
    return ColumnProfile(ColumnFrame("long", NumberFrame(edges)), nulls, NumberCounts(tuple(map(int, bins))))


def texts(
    times: Sequence[int],
    *,
    others: int = 0,
    nulls: int = 0,
    complete: bool = True,
    listed: Sequence[str] | None = None,
) -> ColumnProfile:
    """A column of values that occur so often."""
    names = tuple(listed or (f"v{place}" for place in range(len(times))))
    frame = ColumnFrame("string", values=ValueFrame(names, complete))
    return ColumnProfile(frame, nulls, values=ValueCounts(tuple(map(int, times)), others))


def profile(**columns: ColumnProfile) -> Profile:
    """A profile of columns that have equally many rows."""
    return Profile(max((rows(column) for column in columns.values()), default=0), columns)


def rows(column: ColumnProfile) -> int:
    """How many rows a column has."""
    if column.values is not None:
        return sum(column.values.times) + column.values.others + column.nulls
    if column.numbers is not None:
        return column.numbers.counted + column.numbers.nans + column.nulls
    return column.nulls
