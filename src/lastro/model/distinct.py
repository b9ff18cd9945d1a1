"""How many different values a column has, from a few of their hashes, so that it can be added and taken away.

Rules:

1. A value's hash is a whole number of `HASH_BITS` bits. At level `l` only hashes below `2 ** (HASH_BITS - l)` are kept,
   each with the number of its rows. Once more than `KEPT_MAX` would be kept, the level rises; it never falls.
2. Whether a hash is kept depends on itself alone. So rows add and subtract exactly, on the higher of both levels: that
   of the whole, for a part has no more different values (P. B. Gibbons, "Distinct sampling", VLDB 2001).
3. At level 0 every hash is kept, and the count is exact but for values that share a hash: of 128 values, two do once in
   two thousand tables.
4. Above, `m = 2 ** (HASH_BITS - l)` hashes can be kept, of which `s` are. Values fall on them as balls into bins, so
   that `-m ln(1 - s / m)` values were kept (K.-Y. Whang et al., "A linear-time probabilistic counting algorithm",
   1990), and `2 ** l` times as many are there. `error` is two standard deviations of that, of sampling and of shared
   hashes.
5. Where values recur about alike, the rows that were kept are the same share of all rows, which is known: then that
   share is taken instead, if that is within the error of rule 4. A column without repeated values is told well in this
   way.
6. So few bits are kept that hashes do not tell values: a guessed number of eleven digits without its two check digits
   shares its hash with about sixty others. Nothing is kept of columns whose values may be shown to nobody.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, pvariance

HASH_BITS = 24
KEPT_MAX = 128
KEPT_MIN = 16
"""Fewer hashes than these, above level 0, say too little."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """About how many different values there are; `error` is relative, 0 if the count is exact (rule 3)."""

    count: int
    error: float


@dataclass(frozen=True, slots=True)
class Distinct:
    """Kept hashes, ascending, and in how many rows each occurs."""

    level: int = 0
    hashes: tuple[int, ...] = ()
    times: tuple[int, ...] = ()

    def narrowed(self, level: int) -> Distinct:
        """What is kept of it at this level or its own, whichever is higher."""
        return self if level <= self.level else _of(level, dict(zip(self.hashes, self.times, strict=True)))

    def estimate(self, present: int) -> Estimate | None:
        """How many different values these `present` values are; None if too little is known."""
        if not self.level:
            return Estimate(len(self.hashes), 0.0)
        slots, kept = 1 << (HASH_BITS - self.level), len(self.hashes)
        if kept < KEPT_MIN or kept >= slots:
            return None
        values = -slots * math.log1p(-kept / slots)
        load = values / slots
        shared = (math.expm1(load) - load) / (load * values)
        error = 2 * math.sqrt((1 - 0.5**self.level) / values + shared)
        plain = values * 2**self.level
        return Estimate(min(present, max(kept, round(self._by_rows(present, values, plain, error)))), error)

    def _by_rows(self, present: int, values: float, plain: float, error: float) -> float:
        """The estimate by the share of rows that were kept (rule 5), where it can be relied on."""
        by_rows = present * values / sum(self.times)
        recur_alike = pvariance(self.times) <= fmean(self.times) ** 2
        return by_rows if recur_alike and plain / (1 + error) < by_rows < plain * (1 + error) else plain


def gathered(level: int, times: Mapping[int, int]) -> Distinct:
    """The hashes that were counted at a level, at the lowest from there on at which they are few enough."""
    while len(times) > KEPT_MAX:
        level += 1
        times = {key: count for key, count in times.items() if key < 1 << (HASH_BITS - level)}
    return _of(level, times)


def merged(one: Distinct, two: Distinct) -> Distinct:
    """The different values of the rows of both."""
    level = max(one.level, two.level)
    one, two = one.narrowed(level), two.narrowed(level)
    times = dict(zip(one.hashes, one.times, strict=True))
    for key, count in zip(two.hashes, two.times, strict=True):
        times[key] = times.get(key, 0) + count
    return gathered(level, times)


def without(whole: Distinct, part: Distinct) -> Distinct:
    """Those of the rows that are left. Raises `ValueError` if the part is none of this whole."""
    level = max(whole.level, part.level)  # rows may have left the part before, and the whole be counted anew since
    whole, part = whole.narrowed(level), part.narrowed(level)
    times = dict(zip(whole.hashes, whole.times, strict=True))
    for key, count in zip(part.hashes, part.times, strict=True):
        times[key] = times.get(key, 0) - count
    if any(count < 0 for count in times.values()):
        raise ValueError("a value is counted more often in the part than in the whole")
    return _of(level, {key: count for key, count in times.items() if count})


def _of(level: int, times: Mapping[int, int]) -> Distinct:
    limit = 1 << (HASH_BITS - level)
    kept = sorted((key, count) for key, count in times.items() if key < limit)
    return Distinct(level, tuple(key for key, _count in kept), tuple(count for _key, count in kept))
