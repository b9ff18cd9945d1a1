"""What columns have to do with each other: which are missing in the same rows, and which rise together.

Rules:

1. Of every two of the first `MISSING_MAX` columns, the rows in which both are missing are counted, of those whose
   values are withheld, too: it tells nothing of them but what is missing.
2. Numbers, dates, moments and truth values – of the first `LEVELLED_MAX` columns of these types – are put on levels:
   groups of neighbouring bins of their frame, `LEVELS` at most, about as full as each other when the frame was made.
   Infinities are on the outer levels. NaN is missing here. Where a column has an `every`, the rows whose value of it
   its hash chooses stand for all.
3. Of every two such columns, over the rows that have both, the levels, their squares and products are summed: whole
   numbers, so that they add and subtract exactly, in any order, and no outlier outweighs the others.
4. The correlation of levels is Pearson's. Of continuous columns it is within 0.01 of Spearman's rank correlation, of
   columns with up to `LEVELS` values it is that of the values' places in their order.
5. Both are kept of rows whose columns are known: parts with other columns do not add.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from operator import add, sub

LEVELS = 16
LEVELLED_MAX = 32
MISSING_MAX = 100

Matrix = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Levels:
    """Sums over the rows that have both of two columns, by the places of the columns.

    `rows[i][j]` are these rows, `sums[i][j]` the levels of `i` in them, `squares[i][j]` the squares of these, and
    `products[i][j]` the products of both levels. `rows` and `products` are symmetric.
    """

    columns: tuple[str, ...]
    rows: Matrix
    sums: Matrix
    squares: Matrix
    products: Matrix

    def correlation(self, one: int, two: int) -> float | None:
        """How alike two columns rise, -1 to 1; None if one of them has a single level in the rows that have both."""
        rows = self.rows[one][two]
        spreads = [rows * self.squares[i][j] - self.sums[i][j] ** 2 for i, j in ((one, two), (two, one))]
        if min(spreads) <= 0:
            return None
        covered = rows * self.products[one][two] - self.sums[one][two] * self.sums[two][one]
        return max(-1.0, min(1.0, covered / math.sqrt(spreads[0]) / math.sqrt(spreads[1])))


@dataclass(frozen=True, slots=True)
class Together:
    """`missing[i][j]` are the rows in which the columns at both places of `columns` are missing."""

    columns: tuple[str, ...]
    missing: Matrix
    levels: Levels

    def missing_pairs(self) -> Iterator[tuple[str, str, int]]:
        """Every two columns that are missing in the same row at least once, with these rows."""
        for one, two in combinations(range(len(self.columns)), 2):
            if self.missing[one][two]:
                yield self.columns[one], self.columns[two], self.missing[one][two]


def merged(one: Together, two: Together) -> Together | None:
    """The sums over the rows of both; None if they are about different columns."""
    if not _fit(one, two):
        return None
    first, second = one.levels, two.levels
    pairs = zip(_matrices(first), _matrices(second), strict=True)
    levels = Levels(first.columns, *(_plus(left, right) for left, right in pairs))
    return Together(one.columns, _plus(one.missing, two.missing), levels)


def without(whole: Together, part: Together) -> Together | None:
    """The sums over the rows that are left; None as `merged`. Raises `ValueError` if the part is none of the whole."""
    if not _fit(whole, part):
        return None
    first, second = whole.levels, part.levels
    pairs = zip(_matrices(first), _matrices(second), strict=True)
    levels = Levels(first.columns, *(_less(left, right) for left, right in pairs))
    return Together(whole.columns, _less(whole.missing, part.missing), levels)


def _fit(one: Together, two: Together) -> bool:
    return (one.columns, one.levels.columns) == (two.columns, two.levels.columns)


def _matrices(levels: Levels) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    return levels.rows, levels.sums, levels.squares, levels.products


def _plus(one: Matrix, two: Matrix) -> Matrix:
    return tuple(tuple(map(add, left, right)) for left, right in zip(one, two, strict=True))


def _less(whole: Matrix, part: Matrix) -> Matrix:
    left = tuple(tuple(map(sub, one, two)) for one, two in zip(whole, part, strict=True))
    if any(number < 0 for row in left for number in row):
        raise ValueError("something is counted more often in the part than in the whole")
    return left
