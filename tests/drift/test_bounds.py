"""The bounds hold, are what the literature says, and are no wider than they need to be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from lastro.drift import bounds
from lastro.drift.settings import Budget, Chance, Fact, Settings

NUMBER = (Fact.VALUES, Fact.MISSING, Fact.NAN, Fact.INFINITE)


def test_the_shares_of_all_facts_and_looks_make_up_alpha() -> None:
    budget = Budget(0.05, columns=20, looks=30)

    spent = [budget.chance(fact, NUMBER) for fact in NUMBER]

    assert math.isclose(20 * sum(chance.reference + 30 * chance.look for chance in spent), 0.05)
    assert math.isclose(20 * sum(30 * chance.either for chance in spent), 0.05)
    assert math.isclose(spent[0].reference, 0.05 / 20 / 2 / 2)


@pytest.mark.parametrize("facts", [(Fact.MISSING,), (Fact.VALUES, Fact.LENGTHS, Fact.MISSING, Fact.NEW)])
def test_a_column_spends_its_share_whatever_its_facts(facts: tuple[Fact, ...]) -> None:
    budget = Budget(0.1, columns=2, looks=3)

    spent = sum(budget.chance(fact, facts).reference + 3 * budget.chance(fact, facts).look for fact in facts)

    assert math.isclose(spent, 0.05)


@pytest.mark.parametrize(("n", "m"), [(100, 300), (50, 50), (1000, 20)])
def test_the_tail_of_the_sum_is_that_of_two_massart_variables(n: int, m: int) -> None:
    draws = np.random.default_rng(1)
    one, two = (np.sqrt(np.log(2 / draws.random(400_000)) / (2 * size)) for size in (n, m))
    width = float(np.quantile(one + two, 0.99))

    tail = bounds.sum_tail(width, n, m)

    assert tail == pytest.approx(0.01, rel=0.1)


def test_the_width_is_never_more_than_both_sides_added() -> None:
    chance = Chance(1e-4, 1e-6, 2e-6)
    for n in (10, 1000, 10**6):
        for m in (10, 1000, 10**7):
            added = sum(math.sqrt(math.log(2 / p) / 2 / size) for p, size in ((1e-4, n), (1e-6, m)))

            assert bounds.distribution_width(n, m, chance) <= added + 1e-12


def test_a_window_without_end_leaves_the_references_error() -> None:
    width = bounds.distribution_width(1000, 10**12, Chance(1e-3, 1e-5, 2e-5))

    assert width == pytest.approx(math.sqrt(math.log(2 / 1e-3) / 2000), rel=1e-3)


def test_two_categories_have_the_two_samples_bound_of_hoeffding() -> None:
    width = bounds.sets_width(200, 300, 2, Chance(1e-3, 1e-5, 2e-5))

    assert width == pytest.approx(math.sqrt(math.log(2 / 2e-5) * (1 / 200 + 1 / 300) / 2))


@pytest.mark.parametrize("categories", [1, 5, 5000])
def test_the_bound_of_sets_is_finite(categories: int) -> None:
    assert 0 <= bounds.sets_width(10, 10, categories, Chance(1e-3, 1e-5, 2e-5)) < math.inf


@pytest.mark.parametrize(("count", "total"), [(0, 10), (10, 10), (3, 10), (1, 1), (0, 1), (77, 10_000)])
def test_the_exact_interval_is_scipys(count: int, total: int) -> None:
    oracle = stats.binomtest(count, total).proportion_ci(0.999, method="exact")

    assert bounds.rate_interval(count, total, 0.001) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


def test_a_list_that_nothing_is_outside_of_has_a_closed_bound() -> None:
    high = bounds.outside_high(3, 0, 1000, 0.001)

    assert (1 - high) ** 997 * math.comb(1000, 3) == pytest.approx(0.001, rel=1e-6)


@pytest.mark.parametrize(("listed", "outside", "total"), [(0, 0, 5), (5, 0, 5), (7, 2, 5), (2, 3, 5), (1, 0, 1)])
def test_a_list_of_few_rows_bounds_nothing_or_something(listed: int, outside: int, total: int) -> None:
    assert 0 < bounds.outside_high(listed, outside, total, 0.001) <= 1


def test_the_bound_of_what_is_outside_holds_for_lists_made_of_these_rows() -> None:
    draws = np.random.default_rng(2)
    law = 1 / np.arange(1, 301)
    law /= law.sum()
    missed = 0
    for _round in range(300):
        counts = draws.multinomial(1000, law)
        missed += law[counts == 0].sum() > bounds.outside_high(int((counts > 0).sum()), 0, 1000, 0.05)

    assert missed <= 0.05 * 300


@pytest.mark.parametrize("rows", [1, 2, 3, 10])
@pytest.mark.parametrize("wanted", [10, 11, 12, 13, 99, 12_345, 10**9])
def test_the_rows_that_decide_are_found_to_a_tenth(wanted: int, rows: int) -> None:
    found = bounds.rows_needed(lambda more: more >= wanted, rows)

    assert found is not None
    assert wanted <= found <= 1.2 * wanted + 2


def test_rows_that_never_decide_are_none() -> None:
    assert bounds.rows_needed(lambda rows: False, 10) is None


@pytest.mark.parametrize(
    "wrong",
    [{"alpha": 0.0}, {"alpha": 1.0}, {"looks": 0}, {"columns": 0}, {"margin": -0.1}, {"margins": {"a": 1.0}}],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"alpha|counted|margin"):
        Settings(**wrong)  # type: ignore[arg-type]
