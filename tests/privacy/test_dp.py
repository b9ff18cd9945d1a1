"""Private answers: the noise is what the epsilon asks for, and what is asked cannot be taken from the data."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lastro.model.errors import UsageError
from lastro.privacy.dp import Question, Statistic, checked, private

pytest.importorskip("opendp", reason="OpenDP is not installed: lastro[opendp]")

AGES = np.array([*range(20, 70)] * 200, dtype=np.float64)


def test_a_count_is_near():
    found = private(Question(Statistic.COUNT, epsilon=1.0), AGES)

    assert abs(found.numbers[0] - 10_000) < 40
    assert found.within == pytest.approx(math.log(20), rel=0.5)


def test_a_sum_counts_values_beyond_the_bounds_as_the_bounds():
    column = np.array([1e300, -1e300, math.nan, 5.0, math.inf])

    found = private(Question(Statistic.SUM, "x", 0.0, 10.0, epsilon=90.0), column)

    assert found.numbers[0] == pytest.approx(25, abs=5)


def test_a_mean_is_near_and_within_the_bounds():
    question = Question(Statistic.MEAN, "age", 0.0, 100.0, epsilon=1.0)

    found = private(question, AGES)
    nothing = private(question, np.zeros(0))

    assert found.numbers[0] == pytest.approx(44.5, abs=1.0)
    assert 0 <= nothing.numbers[0] <= 100


@pytest.mark.parametrize(("lower", "upper"), [(-1e12, 1e12), (1e9, 1e9 + 1), (-3e-9, 2e-9)])
def test_bounds_of_any_size(lower, upper):
    middle = (lower + upper) / 2
    found = private(Question(Statistic.MEAN, "x", lower, upper, epsilon=50.0), np.full(1000, middle))

    assert lower <= found.numbers[0] <= upper
    assert found.numbers[0] == pytest.approx(middle, abs=(upper - lower) / 100)


def test_a_histogram_counts_what_lies_between_edges_and_all_else():
    column = np.array([0.0, 5.0, 10.0, 20.0, 20.1, -1.0, math.nan])

    found = private(Question(Statistic.HISTOGRAM, "x", edges=(0.0, 10.0, 20.0), epsilon=90.0), column)

    assert [round(number) for number in found.numbers] == [2, 2, 3]


def test_a_histogram_of_texts_counts_those_that_were_asked_for():
    column = np.array(["SP", "SP", "RJ", None, "XX"], dtype=object)

    found = private(Question(Statistic.HISTOGRAM, "uf", values=("SP", "RJ", "AC"), epsilon=90.0), column)

    assert [round(number) for number in found.numbers] == [2, 1, 0, 2]


def test_noise_grows_with_contributions_and_falls_with_epsilon():
    def within(**changes: object) -> float:
        return private(Question(Statistic.COUNT, **changes), AGES[:10]).within

    assert within(epsilon=1.0, contributions=10) > 5 * within(epsilon=1.0)
    assert within(epsilon=0.1) > 5 * within(epsilon=1.0)


def test_noise_has_the_spread_that_laplace_has():
    """The mean distance from the truth is the scale, 1 / epsilon, up to discreteness: 400 draws tell it to 20 %."""
    off = [abs(private(Question(Statistic.COUNT, epsilon=0.1), AGES[:50]).numbers[0] - 50) for _draw in range(400)]

    assert 7 < np.mean(off) < 14


@pytest.mark.parametrize(
    "question",
    [
        Question(Statistic.SUM, "x"),
        Question(Statistic.MEAN, "x", 1.0, 1.0),
        Question(Statistic.MEAN, "x", 0.0, math.inf),
        Question(Statistic.SUM, "", 0.0, 1.0),
        Question(Statistic.HISTOGRAM, "x"),
        Question(Statistic.HISTOGRAM, "x", edges=(1.0,)),
        Question(Statistic.HISTOGRAM, "x", edges=(2.0, 1.0)),
        Question(Statistic.HISTOGRAM, "x", edges=(0.0, math.nan)),
        Question(Statistic.HISTOGRAM, "x", edges=(0.0, 1.0), values=("a",)),
        Question(Statistic.HISTOGRAM, "x", values=("a", "a")),
        Question(Statistic.COUNT, contributions=0),
    ],
)
def test_questions_that_make_no_sense_are_refused(question):
    with pytest.raises(UsageError):
        checked(question)
