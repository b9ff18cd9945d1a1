"""Whatever looks cost, those that may alarm never spend more than half of the month's budget."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from lastro.drift.monthly import cost, is_left, month_of
from lastro.drift.settings import Budget, Fact, Settings

ALPHA = 0.05


@given(looks=st.integers(1, 5000))
def test_exactly_so_many_looks_as_were_meant_may_alarm(looks):
    settings = Settings(alpha=ALPHA, looks=looks)
    spent = 0.0
    taken = 0
    while is_left(settings, spent):
        spent += cost(settings)
        taken += 1

    assert taken == looks


@given(looks=st.lists(st.integers(1, 100), max_size=60))
def test_settings_that_change_within_a_month_do_not_make_the_budget_larger(looks):
    spent = 0.0
    for count in looks:
        settings = Settings(alpha=ALPHA, looks=count)
        if is_left(settings, spent):
            spent += cost(settings)

    assert spent <= ALPHA / 2 * (1 + 1e-6)


@given(looks=st.integers(1, 1000), columns=st.integers(1, 500))
def test_a_look_costs_what_its_bounds_may_fail_together(looks, columns):
    facts = (Fact.VALUES, Fact.MISSING)
    budget = Budget(ALPHA, columns, looks)
    of_windows = sum(budget.chance(fact, facts).look for fact in facts) * columns
    of_reference = sum(budget.chance(fact, facts).reference for fact in facts) * columns

    assert abs(of_windows - cost(Settings(alpha=ALPHA, looks=looks))) < 1e-12
    assert abs(of_reference - ALPHA / 2) < 1e-12


def test_a_month_is_the_calendars_in_utc():
    west = timezone(timedelta(hours=-3))

    assert month_of(datetime(2026, 1, 31, 23, 59, tzinfo=UTC)) == "2026-01"
    assert month_of(datetime(2026, 1, 31, 22, tzinfo=west)) == "2026-02"
