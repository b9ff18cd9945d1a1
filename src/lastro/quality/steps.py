"""Steps: counts of uneven bins, told in equal steps, as a picture needs them.

A piece is where some numbers lie, from its begin to its end, and how many there are, as a count or as a share. Within a
piece, they are taken to lie evenly; a piece without width is one number.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence

Piece = tuple[float, float, float]
PICTURED = (0.005, 0.995)
MIDDLE = (0.05, 0.95)
REACH = 2
"""How many times as wide as the middle nine tenths are, a picture may reach beyond them."""


def visible(*sides: Sequence[Piece]) -> tuple[float, float] | None:
    """Where a picture of all sides begins and ends, so that no outlier squeezes it; None if nothing lies in them.

    It reaches from the least 0.5 to the largest 99.5 percent quantile, but no further from the middle of the first side
    that has any width than that allows: in a wide outer bin, even a quantile can be anywhere.
    """
    ends = [found for side in sides if (found := _quantiles(side, PICTURED))]
    if not ends:
        return None
    low, high = min(low for low, _high in ends), max(high for _low, high in ends)
    for middle in (_quantiles(side, MIDDLE) for side in sides):
        if middle is not None and middle[0] < middle[1]:
            reach = REACH * (middle[1] - middle[0])
            return max(low, middle[0] - reach), min(high, middle[1] + reach)
    return low, high


def located(pieces: Sequence[Piece], share: float) -> float | None:
    """The number below which about this share (0 to 1) of ascending pieces lies; None if nothing lies in them."""
    rank = share * sum(size for _begin, _end, size in pieces)
    passed, found = 0.0, None
    for begin, end, size in pieces:
        if size > 0:
            found = _on_the_way(begin, end, min(1.0, max(0.0, (rank - passed) / size)))
            passed += size
            if passed >= rank:
                break
    return found


def stepped(pieces: Sequence[Piece], low: float, high: float, steps: int) -> list[float]:
    """How much lies in each of so many equal steps; what lies beyond `low` and `high` counts in the outer ones."""
    if high <= low:
        return [sum(size for _begin, _end, size in pieces)]
    bounds = [_on_the_way(low, high, step / steps) for step in range(steps + 1)]
    heights = [0.0] * steps
    for begin, end, size in pieces:
        for step, share in _shares(begin, end, bounds):
            heights[step] += share * size
    return heights


def _quantiles(side: Sequence[Piece], shares: tuple[float, float]) -> tuple[float, float] | None:
    low, high = located(side, shares[0]), located(side, shares[1])
    return None if low is None or high is None else (low, high)


def _shares(begin: float, end: float, bounds: Sequence[float]) -> Iterator[tuple[int, float]]:
    """Which steps a piece lies in, and which share of it in each."""
    last = len(bounds) - 2
    if end <= bounds[0] or end <= begin or begin >= bounds[-1]:
        yield min(last, max(0, bisect_left(bounds, end) - 1)), 1.0
        return
    first, final = max(0, bisect_left(bounds, begin) - 1), min(last, bisect_left(bounds, end) - 1)
    for step in range(first, final + 1):
        from_ = begin if step == 0 else max(begin, bounds[step])
        until = end if step == last else min(end, bounds[step + 1])
        if until > from_:
            yield step, _part(from_, until, begin, end)


def _part(from_: float, until: float, begin: float, end: float) -> float:
    """Which part of a piece lies between two of its places; its width may be beyond a double, or the least of all."""
    if math.isinf(end - begin):
        return (until / 2 - from_ / 2) / (end / 2 - begin / 2)
    return (until - from_) / (end - begin)


def _on_the_way(low: float, high: float, part: float) -> float:
    """So far from one number to another, whose difference may be beyond a double."""
    return low if low == high else low * (1 - part) + high * part
