"""Slack: bounds hold what was seen, and are passed by as many rows again as often as they say."""

from __future__ import annotations

from decimal import Decimal as Number

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.quality.slack import CHANCE, DIGITS_MAX, Span, rounded, widened

RUNS = 4_000


def span(numbers: np.ndarray) -> Span:
    low, middle, high = (Number(repr(float(each))) for each in (numbers.min(), np.median(numbers), numbers.max()))
    return Span(low, middle, high, len(numbers))


@pytest.mark.parametrize("n", [300, 2_000])
def test_as_many_numbers_again_pass_the_bound_of_an_exponential_tail_as_often_as_said(n: int) -> None:
    random = np.random.default_rng(n)
    passed = 0
    for _run in range(RUNS):
        seen, after = random.exponential(1, (2, n))
        found = span(seen)
        _low, high = widened(found, found.low, found.high, whole=False)
        passed += after.max() > float(high)

    # Rounding outwards makes the bound wider, so that the chance is what is passed at most.
    assert passed / RUNS <= CHANCE + 3 * (CHANCE / RUNS) ** 0.5
    assert passed / RUNS >= CHANCE / 10


@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_lighter_tails_pass_more_rarely(draw: str) -> None:
    random = np.random.default_rng(7)
    passed = 0
    for _run in range(RUNS):
        seen, after = getattr(random, draw)(size=(2, 1_000))
        found = span(seen)
        low, high = widened(found, found.low, found.high, whole=False)
        passed += after.max() > float(high) or after.min() < float(low)

    assert passed / RUNS <= CHANCE / 4


def test_more_numbers_need_less_slack() -> None:
    ends = [widened(Span(Number(-100), Number(0), Number(100), n), Number(-100), Number(100), whole=True)[1]
            for n in (300, 10_000, 1_000_000)]  # fmt: skip

    assert ends == sorted(ends, reverse=True)
    assert len(set(ends)) == 3


def test_no_bound_passes_zero_where_no_number_did_and_a_crowded_end_stays() -> None:
    assert widened(Span(Number(1), Number(50), Number(90), 400), Number(1), Number(90), whole=True)[0] == 0
    assert widened(Span(Number(-9), Number(-5), Number(-1), 400), Number(-9), Number(-1), whole=True)[1] == 0
    assert widened(Span(Number(7), Number(7), Number(90), 400), Number(7), Number(90), whole=True)[0] == 7


FINITE = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)


@given(st.tuples(FINITE, FINITE, FINITE).map(sorted), st.integers(1, 10**9), st.booleans())
def test_bounds_hold_the_extremes_in_few_digits(numbers: list[Number], n: int, whole: bool) -> None:
    low, middle, high = [each.to_integral_value() for each in numbers] if whole else numbers

    least, most = widened(Span(low, middle, high, n), low, high, whole=whole)

    assert least <= low
    assert most >= high
    assert all(len(each.normalize().as_tuple().digits) <= DIGITS_MAX + 1 for each in (least, most))


@given(st.decimals(min_value="1e-9", max_value=10**20, allow_nan=False))
def test_two_digits_are_on_the_side_that_was_asked_for(number: Number) -> None:
    low, high = rounded(number, up=False), rounded(number, up=True)

    assert low <= number <= high
    assert high - low <= number / 9
