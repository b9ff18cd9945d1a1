"""The medcouple, against its definition: every pair made, and the median taken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lastro.quality.outliers.medcouple import medcouple

LAWS = {
    "normal": lambda draws, n: draws.normal(size=n),
    "lognormal": lambda draws, n: draws.lognormal(size=n),
    "few values": lambda draws, n: draws.integers(0, 6, n).astype(float),
    "far from zero": lambda draws, n: 1e9 + draws.integers(-3, 2, n),
    "very skewed": lambda draws, n: -(draws.exponential(size=n) ** 3),
}


def by_definition(values: np.ndarray) -> float:
    """The median over all pairs of the kernel; where both are the median, the pairs' own order decides the sign."""
    away = np.sort(values) - np.median(values)
    lower, upper = away[away <= 0], away[away >= 0]
    ties, pairs = int((away == 0).sum()), []
    for i, a in enumerate(lower):
        for j, b in enumerate(upper):
            if a == b == 0:
                pairs.append(float(np.sign((i - (len(lower) - ties)) + j - (ties - 1))))
            else:
                pairs.append((b + a) / (b - a))
    return float(np.median(pairs))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n", [3, 4, 7, 20, 51])
def test_it_is_the_median_over_all_pairs(law: str, n: int) -> None:
    for seed in range(5):
        values = LAWS[law](np.random.default_rng(seed), n)

        assert medcouple(values) == pytest.approx(by_definition(values), abs=1e-12)


@given(st.lists(st.integers(-5, 5), min_size=3, max_size=30))
def test_ties_are_counted_as_the_definition_counts_them(values: list[int]) -> None:
    numbers = np.array(values, dtype=float)

    assert medcouple(numbers) == pytest.approx(by_definition(numbers), abs=1e-12)


def test_known_values() -> None:
    assert medcouple(np.array([1.0, 2.0, 3.0, 4.0, 5.0])) == pytest.approx(0.0, abs=1e-12)
    assert medcouple(np.array([1.0, 2.0, 4.0, 8.0, 16.0])) == pytest.approx(1 / 3)


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=40), st.sampled_from([1e-200, 1.0, 1e290]))
def test_mirrored_numbers_are_skewed_the_other_way_and_it_stays_in_its_bounds(values: list[float], unit: float) -> None:
    numbers = np.array(values) * unit

    assert -1 <= medcouple(numbers) <= 1
    assert medcouple(-numbers) == pytest.approx(-medcouple(numbers), abs=1e-6)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [3.0] * 50, [0.0] * 3])
def test_of_hardly_any_numbers_it_is_zero(values: list[float]) -> None:
    assert medcouple(np.array(values)) == 0.0


def test_many_numbers_need_no_pairs() -> None:
    many, some = (np.exp(stats.norm.ppf((np.arange(n) + 0.5) / n)) for n in (100_000, 401))

    assert medcouple(many) == pytest.approx(by_definition(some), abs=0.01)
