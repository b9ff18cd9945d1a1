"""Profiles add and subtract exactly, and refuse what does not fit together."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model.profile import (
    ColumnFrame,
    ColumnProfile,
    NumberCounts,
    NumberFrame,
    Profile,
    ValueCounts,
    ValueFrame,
    merged,
    without,
)

EDGES = (-10.0, 0.0, 0.5, 100.0)
FRAME = ColumnFrame("double", NumberFrame(EDGES, centre=0.5))
TEXTS = ColumnFrame("string", values=ValueFrame(("SP", "RJ"), complete=False))
Rows = list[tuple[float | None, str | None]]
ROWS = st.lists(
    st.tuples(
        st.none() | st.floats(-1e6, 1e6) | st.sampled_from([*EDGES, math.inf, -math.inf, math.nan]),
        st.none() | st.sampled_from(["SP", "RJ", "AC", ""]),
    )
)


def counted(rows: Rows) -> Profile:
    """A profile made the slow way."""
    present = [number for number, _text in rows if number is not None]
    numbers = [number for number in present if not math.isnan(number)]
    finite = [number - 0.5 for number in numbers if math.isfinite(number)]
    bins = [0] * (len(EDGES) + 1)
    for number in numbers:
        bins[bisect_left(EDGES, number)] += 1
    texts = [text for _number, text in rows if text is not None]
    times = (texts.count("SP"), texts.count("RJ"))
    made = NumberCounts(
        tuple(bins),
        math.fsum(finite),
        math.fsum(value * value for value in finite),
        repr(min(numbers)) if numbers else None,
        repr(max(numbers)) if numbers else None,
        len(present) - len(numbers),
        len(numbers) - len(finite),
    )
    return Profile(
        len(rows),
        {
            "amount": ColumnProfile(FRAME, len(rows) - len(present), made),
            "uf": ColumnProfile(TEXTS, len(rows) - len(texts), values=ValueCounts(times, len(texts) - sum(times))),
        },
    )


def numbers_of(profile: Profile) -> NumberCounts:
    found = profile.columns["amount"].numbers
    assert found is not None
    return found


def bounds(profile: Profile) -> tuple[float, float] | None:
    """The extremes as numbers: 0.0 and -0.0 are equal."""
    numbers = numbers_of(profile)
    return None if numbers.minimum is None else (float(numbers.minimum), float(numbers.maximum or "nan"))


def exact(profile: Profile) -> tuple[object, ...]:
    """Everything of a profile that is a whole number."""
    numbers = numbers_of(profile)
    nulls = [column.nulls for column in profile.columns.values()]
    return profile.rows, nulls, numbers.bins, numbers.nans, numbers.infinite, profile.columns["uf"].values


@given(ROWS, ROWS)
def test_profiles_of_two_parts_add_up_to_that_of_all(first: Rows, second: Rows) -> None:
    together = merged(counted(first), counted(second))

    assert exact(together) == exact(counted(first + second))
    assert bounds(together) == bounds(counted(first + second))
    assert numbers_of(together).total == pytest.approx(numbers_of(counted(first + second)).total, abs=1e-6)


@given(ROWS, ROWS)
def test_what_was_added_can_be_taken_away(first: Rows, second: Rows) -> None:
    left = without(counted(first + second), counted(second))

    assert exact(left) == exact(counted(first))
    assert left.bounds_exact is not bool(second)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2))
def test_mean_and_deviation_are_those_of_the_rows(values: list[float]) -> None:
    found = numbers_of(counted([(value, None) for value in values]))

    assert found.mean(NumberFrame(EDGES, 0.5)) == pytest.approx(statistics.fmean(values), rel=1e-9, abs=1e-6)
    assert found.deviation() == pytest.approx(statistics.stdev(values), rel=1e-6, abs=1e-3)


def test_profiles_of_different_frames_do_not_add() -> None:
    other = Profile(1, {"amount": ColumnProfile(ColumnFrame("double", NumberFrame((1.0,))), 0, NumberCounts((1, 0)))})

    with pytest.raises(ValueError, match="different frames"):
        merged(counted([(1.0, "SP")]), other)


def test_a_part_that_is_no_part_is_refused() -> None:
    with pytest.raises(ValueError, match="more often"):
        without(counted([(1.0, "SP"), (1.0, "SP")]), counted([(-20.0, "SP")]))


def test_nothing_has_neither_mean_nor_deviation() -> None:
    nothing = numbers_of(counted([]))

    assert nothing.mean(NumberFrame(EDGES)) is None
    assert nothing.deviation() is None
    assert numbers_of(counted([(3.0, None)])).deviation() is None
