"""Distances are those of closed forms and of SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon
from tests.drift.profiles import binned, profile

from lastro.drift import distance
from lastro.drift.compare import compare
from lastro.drift.distance import Sides

CENTS = tuple(stats.norm.ppf(np.linspace(0, 1, 101)[1:-1]).tolist())
COUNTS = st.lists(st.integers(0, 50), min_size=2, max_size=12)
PAIRS = st.integers(2, 12).flatmap(
    lambda size: st.tuples(*[st.lists(st.integers(0, 50), min_size=size, max_size=size).filter(any)] * 2)
)


def normal(mean: float) -> list[float]:
    """A normal law's shares of a hundred bins."""
    return np.diff([0.0, *stats.norm.cdf(np.array(CENTS) - mean), 1.0]).tolist()


@pytest.mark.parametrize("shift", [0.0, 0.02, 0.1, 0.5, 2.0])
def test_ks_of_two_normals_is_known(shift: float) -> None:
    ks = distance.kolmogorov_smirnov(normal(0), normal(shift))

    assert ks == pytest.approx(2 * stats.norm.cdf(shift / 2) - 1, abs=1.4e-4 if shift < 1 else 0.01)
    assert ks <= 2 * stats.norm.cdf(shift / 2) - 1 + 1e-12


@pytest.mark.parametrize("shift", [0.05, 0.2, 0.5])
def test_wasserstein_and_the_mean_of_two_normals_are_the_shift(shift: float) -> None:
    moved = distance.wasserstein(normal(0), normal(shift), CENTS) / distance.spread(normal(0), CENTS)

    assert moved == pytest.approx(shift, rel=0.06)
    assert distance.mean(normal(shift), CENTS) - distance.mean(normal(0), CENTS) == pytest.approx(shift, rel=0.06)


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.5), (0.1, 0.2), (0.0, 1.0), (0.3, 0.9)])
def test_jensen_shannon_of_two_coins_is_known(p: float, q: float) -> None:
    def entropy(share: float) -> float:
        return -sum(x * math.log(x) for x in (share, 1 - share) if x)

    divergence = distance.jensen_shannon([p, 1 - p], [q, 1 - q])

    assert divergence == pytest.approx(entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2, abs=1e-12)


@given(PAIRS)
def test_ks_is_scipys_where_edges_are_the_values(pair: tuple[list[int], list[int]]) -> None:
    one, two = (np.repeat(np.arange(len(counts)), counts) for counts in pair)

    ks = distance.kolmogorov_smirnov(distance.shares(pair[0]), distance.shares(pair[1]))

    assert ks == pytest.approx(stats.ks_2samp(one, two, method="asymp").statistic, abs=1e-9)


@given(PAIRS)
def test_wasserstein_is_scipys_where_edges_are_the_values(pair: tuple[list[int], list[int]]) -> None:
    first, second = pair
    edges = [float(place**2) for place in range(len(first))]
    one, two = distance.shares([*first, 0]), distance.shares([*second, 0])

    moved = distance.wasserstein(one, two, edges)

    assert moved == pytest.approx(stats.wasserstein_distance(edges, edges, one[:-1], two[:-1]), abs=1e-9)
    assert abs(distance.mean(one, edges) - distance.mean(two, edges)) <= moved + 1e-9


@given(PAIRS)
def test_the_divergence_is_scipys(pair: tuple[list[int], list[int]]) -> None:
    one, two = map(distance.shares, pair)

    assert math.sqrt(distance.jensen_shannon(one, two)) == pytest.approx(float(jensenshannon(one, two)), abs=1e-7)


@given(PAIRS)
def test_distances_are_symmetric_bounded_and_in_order(pair: tuple[list[int], list[int]]) -> None:
    one, two = map(distance.shares, pair)
    ks, variation = distance.kolmogorov_smirnov(one, two), distance.total_variation(one, two)
    bits = distance.jensen_shannon(one, two) / math.log(2)

    assert ks == pytest.approx(distance.kolmogorov_smirnov(two, one), abs=1e-12)
    assert variation == pytest.approx(distance.total_variation(two, one), abs=1e-12)
    assert bits == pytest.approx(distance.jensen_shannon(two, one) / math.log(2), abs=1e-12)
    assert 0 <= ks <= variation + 1e-12 <= 1 + 2e-12
    assert variation**2 / 2 / math.log(2) - 1e-12 <= bits <= variation + 1e-12


@given(COUNTS.filter(any))
def test_equal_sides_have_no_distance(counts: list[int]) -> None:
    both = distance.shares(counts)

    assert distance.kolmogorov_smirnov(both, both) == 0
    assert distance.total_variation(both, both) == 0
    assert distance.jensen_shannon(both, both) == 0
    assert distance.psi(Sides.of(counts, counts), ordered=True).value == 0
    assert distance.jensen_shannon_estimate(Sides.of(counts, counts), 0.95).value == 0


@given(PAIRS, st.floats(0.1, 100), st.floats(-1000, 1000))
def test_normed_distances_know_neither_unit_nor_origin(
    pair: tuple[list[int], list[int]], scale: float, origin: float
) -> None:
    first, second = pair
    edges = [float(place) for place in range(len(first) - 1)]
    moved = [origin + scale * edge for edge in edges]

    before = distance.wasserstein_estimate(Sides.of(first, second), edges, 0.95)
    after = distance.wasserstein_estimate(Sides.of(first, second), moved, 0.95)

    assert (before is None) == (after is None) or distance.spread(distance.shares(first), moved) < 1e-6
    if before is not None and after is not None:
        assert after.value == pytest.approx(before.value, rel=1e-6, abs=1e-9)
        assert after.low <= after.value <= after.high


@pytest.mark.parametrize(("n", "m"), [(200, 200), (1000, 200), (100_000, 1000)])
def test_psi_without_drift_follows_its_law(n: int, m: int) -> None:
    draws = np.random.default_rng(3)
    law = np.full(100, 0.01)
    found = [
        distance.psi(Sides.of(*(draws.multinomial(rows, law).tolist() for rows in (n, m))), ordered=True)
        for _round in range(600)
    ]

    assert np.mean([psi.value for psi in found]) == pytest.approx(np.mean([psi.expected for psi in found]), rel=0.1)
    assert 0.02 <= np.mean([psi.p_value < 0.05 for psi in found]) <= 0.08
    assert {psi.groups for psi in found} == {10}


def test_psi_is_near_the_chi_squared_of_a_contingency_table() -> None:
    first, second = [2000, 3000, 5000], [2100, 2950, 4950]

    psi = distance.psi(Sides.of(first, second), ordered=False)

    assert psi.p_value == pytest.approx(stats.chi2_contingency([first, second], correction=False).pvalue, rel=0.02)


def test_jensen_shannons_interval_holds_as_often_as_it_says() -> None:
    draws = np.random.default_rng(4)
    one, two = np.full(20, 0.05), np.array([0.06, 0.04] * 10)
    truth = math.sqrt(distance.jensen_shannon(one.tolist(), two.tolist()) / math.log(2))
    held = []
    for _round in range(300):
        first, second = (draws.multinomial(5000, law).tolist() for law in (one, two))
        estimate = distance.jensen_shannon_estimate(Sides.of(first, second), 0.95)
        held.append(estimate.low <= truth <= estimate.high)

    assert np.mean(held) >= 0.92


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_the_intervals_of_lengths_hold_as_often_as_they_say(shift: float) -> None:
    draws = np.random.default_rng(5)
    one, two = normal(0), normal(shift)
    truth = distance.wasserstein(one, two, CENTS) / distance.spread(one, CENTS)
    mean = (distance.mean(two, CENTS) - distance.mean(one, CENTS)) / distance.spread(one, CENTS)
    moved, shifted = [], []
    for _round in range(200):
        first, second = (draws.multinomial(5000, law).tolist() for law in (one, two))
        length = distance.wasserstein_estimate(Sides.of(first, second), CENTS, 0.95)
        centre = distance.mean_shift_estimate(Sides.of(first, second), CENTS, 0.95)
        assert length is not None
        assert centre is not None
        moved.append(length.low <= truth <= length.high)
        shifted.append(centre.low <= mean <= centre.high)

    assert np.mean(moved) >= 0.93
    assert np.mean(shifted) >= 0.88


def test_gross_outliers_neither_hide_nor_make_a_shift() -> None:
    first = [10_000] * 100
    same = [*first[:-1], first[-1] + 100]
    shifted = [round(1_000_000 * share) for share in normal(0.1)]
    outlying = [*shifted[:-1], shifted[-1] + 100]

    def told(second: list[int]) -> tuple[float, float, float]:
        column = compare(profile(x=binned(first, edges=CENTS)), profile(x=binned(second, edges=CENTS))).columns[0]
        size, distances = column.shifts[0].size, column.distances
        assert size is not None
        assert distances is not None
        assert distances.wasserstein is not None
        return size.value, distances.wasserstein.value, distances.jensen_shannon.value

    assert told(same) == pytest.approx((0, 0, 0), abs=5e-4)
    assert told(outlying) == pytest.approx(told(shifted), rel=0.01)
