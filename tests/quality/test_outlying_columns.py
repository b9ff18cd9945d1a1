"""Outliers of columns: what is far from a column's other numbers, skewed or not, and nothing else."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.quality.outliers.column import ColumnOutliers, Counts, Spread, count, limits_of, outlying

ROWS = 50_000
LAWS = {
    "normal": (lambda draws: draws.normal(50, 5, ROWS), 0.001),
    "uniform": (lambda draws: draws.random(ROWS), 0.0),
    "counts": (lambda draws: draws.poisson(5, ROWS), 0.001),
    "exponential": (lambda draws: draws.exponential(size=ROWS), 0.006),
    "lognormal": (lambda draws: draws.lognormal(10, 1, ROWS), 0.02),
}


def one(values: object) -> ColumnOutliers:
    (found,) = outlying({"x": np.asarray(values)})
    return found


@pytest.mark.parametrize("law", LAWS)
def test_columns_without_outliers_have_hardly_any(law: str) -> None:
    draw, most = LAWS[law]

    found = one(draw(np.random.default_rng(1)))

    assert found.counts.share <= most


@pytest.mark.parametrize("law", LAWS)
def test_planted_numbers_are_found_on_both_sides(law: str) -> None:
    values = LAWS[law][0](np.random.default_rng(1)).astype(float)
    before = one(values).counts
    wide = float(np.ptp(values))
    values[:7], values[7:10] = values.max() + 2 * wide, values.min() - 2 * wide

    after = one(values).counts

    assert after.below - before.below == 3
    assert 4 <= after.above - before.above <= 7
    assert min(after.lowest, after.highest) > 3.5


def test_skewness_moves_the_fences() -> None:
    values = np.random.default_rng(2).exponential(size=ROWS)
    first, third = np.quantile(values, (0.25, 0.75))

    found = limits_of(values)

    assert found.skewness == pytest.approx(0.333, abs=0.02)
    assert found.fences[1] > third + 1.5 * (third - first)
    assert found.fences[0] > first - 1.5 * (third - first)


def test_distances_are_in_deviations_from_the_median() -> None:
    values = [*np.linspace(-1, 1, 101), 20.0]

    found = one(values)

    assert found.limits.spread is Spread.MEDIAN
    assert found.counts.highest == pytest.approx((20 - 0.01) / (1.4826 * np.median(np.abs(np.array(values) - 0.01))))
    assert "1 row above the upper limit, up to 26" in found.words


def test_where_more_than_half_is_one_number_the_mean_deviation_counts() -> None:
    found = one([0.0] * 900 + [1.0] * 90 + [500.0] * 10)

    assert found.limits.spread is Spread.MEAN
    assert (found.counts.below, found.counts.above) == (0, 10)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "no numbers"),
        ([math.nan] * 3, "no numbers"),
        ([math.inf, -math.inf, math.nan], "no numbers"),
        ([5.0], "all numbers are equal: none is far from the others"),
        ([5.0] * 100, "all numbers are equal: none is far from the others"),
        ([1.0, 2.0], "no outliers"),
    ],
)
def test_hardly_any_number_has_no_outlier(values: list[float], words: str) -> None:
    found = one(np.array(values, dtype=float))

    assert found.words == words
    assert found.counts.outside == 0
    assert found.to_dict()["rows"] == len(values)


def test_missing_and_infinite_numbers_are_counted_apart() -> None:
    values = np.ma.array([1.0, 2.0, 3.0, math.nan, math.inf, -math.inf, 9e9], mask=[False] * 6 + [True])

    (found,) = outlying({"x": values})

    assert (found.counts.missing, found.counts.infinite, found.counts.outside) == (2, 2, 0)
    assert found.limits.made_of == 3


def test_no_digit_of_a_large_whole_number_is_lost() -> None:
    values = (1 << 60) + np.arange(100)
    values[0] = (1 << 60) + 300

    found = one(values)

    assert found.counts.above == 1
    assert (1 << 60) + 99 < found.high < (1 << 60) + 300
    assert isinstance(found.high, int)


@pytest.mark.parametrize(
    "values",
    [
        np.array([*range(20), 2**64 - 1], dtype=np.uint64),
        np.array([*range(20), 2**63 - 1]),
        np.array([*range(20), 9e307]),
        np.array([*range(20), -9e307]) * -1,
    ],
)
def test_numbers_at_the_ends_of_their_type_are_outliers(values: np.ndarray) -> None:
    found = one(values)

    assert (found.counts.below, found.counts.above) == (0, 1)


def test_the_smallest_and_the_largest_whole_number_differ() -> None:
    found = one(np.array([-(2**63), *range(20), 2**63 - 1]))

    assert (found.counts.below, found.counts.above) == (1, 1)


def test_large_numbers_do_not_overflow() -> None:
    found = one(np.random.default_rng(3).normal(size=1000) * 1e307)

    assert found.counts.outside <= 3
    assert found.limits.deviation > 0


def test_limits_are_told_so_that_whole_numbers_beyond_them_are_the_outliers() -> None:
    values = np.random.default_rng(4).poisson(20, 10_000)

    found = one(values)

    assert found.counts.below == int((values < found.low).sum())
    assert found.counts.above == int((values > found.high).sum())


@given(st.lists(st.floats(-1e9, 1e9) | st.just(math.nan), max_size=60), st.integers(0, 60))
def test_counts_under_the_same_limits_add_up(values: list[float], cut: int) -> None:
    numbers = np.array(values, dtype=float)
    limits = limits_of(numbers)

    parts = count(numbers[:cut], limits).plus(count(numbers[cut:], limits))

    assert parts == count(numbers, limits)


def test_a_deviation_next_to_nothing_is_no_infinity() -> None:
    found = one([0.0, 0.0, 1.0, 32.0, 1.1125369292536007e-308])

    assert found.counts.highest == sys.float_info.max


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=50), st.integers(-(2**62), 2**62))
def test_whole_numbers_are_judged_the_same_wherever_they_begin(values: list[int], move: int) -> None:
    small = np.array([value % 1000 for value in values])

    assert one(small + move).counts == one(small).counts


def test_the_column_with_most_outliers_comes_first() -> None:
    draws = np.random.default_rng(5)
    clean, dirty = draws.normal(size=1000), draws.normal(size=1000)
    dirty[:50] = 40.0

    assert [each.name for each in outlying({"clean": clean, "dirty": dirty})] == ["dirty", "clean"]


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not among"):
        outlying({"name": np.array(["ana", "bruno"])})


def test_of_no_columns_there_is_nothing() -> None:
    assert outlying({}) == ()
    assert Counts().share == 0.0
