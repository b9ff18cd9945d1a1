"""The budget holds in simulation: no more false alarms than alpha, and enough power; `bench` publishes the tables."""

from __future__ import annotations

import numpy as np
import pytest
from bench.drift_calibration import (
    ALPHA,
    BUDGET,
    COLUMNS,
    FLOATING,
    KINDS,
    LOOKS,
    MARGIN,
    TEXT,
    Kind,
    alarming,
    missing,
    numbers,
    values,
)
from scipy import stats
from tests.drift.profiles import binned, profile, texts

from lastro.drift import measure
from lastro.drift.compare import compare
from lastro.drift.constant import Hidden
from lastro.drift.measure import Rate
from lastro.drift.result import Verdict
from lastro.drift.settings import Fact, Settings

SIZES = [(n, n * factor) for n in (1000, 10_000, 100_000) for factor in (1, 10)]


@pytest.mark.parametrize("kind", [make() for make in KINDS], ids=lambda kind: kind.name)
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_false_alarms_stay_in_the_budget(kind: Kind, n: int, m: int) -> None:
    share, _windows = alarming(kind, n, m, MARGIN, MARGIN, 20)

    assert share <= ALPHA


@pytest.mark.parametrize("effect", [0.0, 0.02, 0.1])
def test_what_is_simulated_is_what_the_package_decides(effect: float) -> None:
    draws, n, m = np.random.default_rng(9), 50_000, 20_000
    for kind, fact in ((values(), Fact.VALUES), (missing(), Fact.MISSING), (numbers(), Fact.VALUES)):
        before = draws.multinomial(n, kind.law, COLUMNS)
        after = draws.multinomial(m, kind.moved(effect), (COLUMNS, LOOKS))

        alarms = kind.alarm(before, after, MARGIN)

        chance = BUDGET.chance(fact, FLOATING if kind.name == numbers().name else TEXT)
        for place in range(COLUMNS):
            first, second = before[place].tolist(), after[place, 0].tolist()
            if kind.name == values().name:
                size = measure.categories(first, second, chance, others=False)
            elif kind.name == missing().name:
                size = measure.rate(Rate(first[0], n), Rate(second[0], m), chance)
            else:
                size = measure.distribution(first, second, Hidden(), chance)
            assert (size(n, m).low > MARGIN) == alarms[place, 0]


def test_the_bounds_hold_without_the_help_of_a_margin() -> None:
    share, _windows = alarming(numbers(), 10_000, 10_000, 0.0, 0.0, 40)

    assert share <= ALPHA


@pytest.mark.parametrize(("m", "power"), [(100_000, 0.8), (1_000_000, 0.99)])
def test_a_ks_of_two_hundredths_is_found(m: int, power: float) -> None:
    _months, windows = alarming(numbers(), 1_000_000, m, 0.02, MARGIN, 5)

    assert windows >= power


def test_a_shift_of_a_normal_is_found_in_profiles() -> None:
    draws, edges = np.random.default_rng(6), stats.norm.ppf(np.linspace(0, 1, 101)[1:-1])
    shift = 2 * stats.norm.ppf((1 + 0.02) / 2)
    one, two = (np.diff([0, *stats.norm.cdf(edges - mean), 1]) for mean in (0, shift))
    settings = Settings(columns=20, margin=MARGIN)
    found = 0
    for _window in range(60):
        before, after = draws.multinomial(10**6, one), draws.multinomial(10**5, two)
        drift = compare(
            profile(x=binned(before, edges=edges)), profile(x=binned(after, edges=edges)), settings=settings
        )
        found += drift.verdict is Verdict.DRIFTED

    assert found >= 0.8 * 60


@pytest.mark.parametrize(
    ("n", "m", "different"),
    [(1000, 1000, 100), (1000, 10_000, 400), (1000, 10_000, 2000), (100_000, 100_000, 100), (100_000, 100_000, 400)],
)
def test_lists_made_of_the_reference_itself_raise_no_alarm(n: int, m: int, different: int) -> None:
    draws, law = np.random.default_rng(7), np.full(different, 1 / different)
    settings, alarms = Settings(margin=0.0, margin_rates=0.0, looks=1), 0
    for _window in range(10):
        before, after = draws.multinomial(n, law), draws.multinomial(m, law)
        listed = np.argsort(-before, kind="stable")[:50]
        rest = n - before[listed].sum(), m - after[listed].sum()
        seen = np.flatnonzero(before)
        drift = compare(
            profile(
                frequent=texts(before[listed], others=int(rest[0]), complete=False),
                seen=texts(before[seen]),
            ),
            profile(
                frequent=texts(after[listed], others=int(rest[1]), complete=False),
                seen=texts(after[seen], others=int(m - after[seen].sum())),
            ),
            settings=settings,
        )
        alarms += drift.verdict is Verdict.DRIFTED

    assert alarms == 0


def test_a_change_of_what_is_missing_is_found_and_of_nothing_else() -> None:
    draws, law = np.random.default_rng(8), np.full(50, 0.02)
    for _window in range(20):
        before, after = draws.multinomial(10**5, law), draws.multinomial(95_000, law)

        drift = compare(profile(x=binned(before)), profile(x=binned(after, nulls=5000)))

        verdicts = {shift.fact: shift.verdict for shift in drift.columns[0].shifts}
        assert verdicts == {Fact.VALUES: Verdict.STABLE, Fact.MISSING: Verdict.DRIFTED}
