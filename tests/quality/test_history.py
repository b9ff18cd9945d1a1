"""A metric's history: no more false alarms than the budget, what is wrong is told, and too little history is said."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from bench.history_calibration import START, STILL, WRONG, false_alarms, history, power
from hypothesis import given, settings
from hypothesis import strategies as st

from lastro.quality.history import limits
from lastro.quality.history.judge import Judged, Verdict, judged
from lastro.quality.history.prediction import Way

HISTORIES, DAYS = 12, 120


def of(*values: float | None) -> tuple[Judged, ...]:
    return judged([(START + timedelta(days=day), value) for day, value in enumerate(values)])


@pytest.mark.parametrize("name", STILL)
@pytest.mark.parametrize("budget", [0.25, 1.0])
def test_false_alarms_stay_in_the_budget(name: str, budget: float) -> None:
    months = HISTORIES * (DAYS - 19) / 30

    counted = false_alarms(STILL[name], budget, HISTORIES, days=DAYS)

    assert counted <= budget + 2 * math.sqrt(budget / months)


@pytest.mark.parametrize("wrong", [name for name in WRONG if not name.startswith("counts")])
def test_what_is_wrong_is_told(wrong: str) -> None:
    assert power(wrong, 0.25, 10) >= 0.8


def test_an_outage_does_not_hide_the_next() -> None:
    values = np.random.default_rng(3).normal(1000, 30, 90)
    values[50] = values[70] = 0.0

    found = of(*values)

    assert [place for place, each in enumerate(found) if each.verdict is Verdict.ANOMALY and each.value == 0] == [
        50,
        70,
    ]


def test_what_changed_for_good_becomes_what_is_expected() -> None:
    draws = np.random.default_rng(4)
    values = [*draws.normal(1000, 20, 60), *draws.normal(3000, 60, 40)]

    found = of(*values)

    assert found[60].verdict is Verdict.ANOMALY
    assert found[60].words == "higher than expected by the level so far"
    assert {each.verdict for each in found[80:]} == {Verdict.EXPECTED}


def test_the_weekday_counts_once_it_is_known() -> None:
    values = STILL["weekly pattern"](np.random.default_rng(5), 84)

    found = of(*values)

    assert found[-1].way in {Way.WEEKDAY, Way.WEEKDAY_TREND}
    assert {each.way for each in found[:40]}.isdisjoint({Way.WEEKDAY, Way.WEEKDAY_TREND})
    assert found[-1].high < found[-4].low, "a Sunday's most is below a Thursday's least"


def test_weekdays_are_those_of_the_moments_own_zone() -> None:
    zone = timezone(timedelta(hours=-11))
    values = STILL["weekly pattern"](np.random.default_rng(5), 84)
    points = list(history(values))
    moved = [(moment.astimezone(UTC).replace(tzinfo=zone), value) for moment, value in points]

    assert [each.high for each in judged(moved)] == pytest.approx([each.high for each in judged(points)], nan_ok=True)


def test_a_trend_is_followed() -> None:
    found = of(*(1000 + 50.0 * np.arange(60) + np.random.default_rng(6).normal(0, 10, 60)))

    assert found[-1].way is Way.TREND
    assert found[-1].low < 3950 < found[-1].high


@pytest.mark.parametrize("count", [0, 1, 5, 18])
def test_too_little_history_is_said_and_nothing_is_guessed(count: int) -> None:
    found = of(*range(count), 10**9)[-1]

    assert (found.verdict, found.lacking) == (Verdict.TOO_LITTLE, 19 - count)
    assert (found.low, found.high, found.expected, found.way) == (None, None, None, None)
    assert found.words.startswith(f"too little history: {19 - count} more value")


def test_the_nineteenth_value_is_enough() -> None:
    assert of(*np.random.default_rng(7).normal(50, 1, 19), 10.0**6)[-1].verdict is Verdict.ANOMALY


def test_what_never_changed_needs_longer_before_a_change_is_told() -> None:
    early, late = of(*[0.0] * 30, 0.5)[-1], of(*[0.0] * 60, 0.5)[-1]

    assert early.verdict is Verdict.TOO_LITTLE
    assert "it has never changed" in early.words
    assert late.verdict is Verdict.ANOMALY


def test_what_changed_once_is_not_told_again_and_again() -> None:
    found = of(*[0.0] * 60, *[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0] * 4)

    assert sum(each.verdict is Verdict.ANOMALY for each in found) == 1


def test_rounding_is_no_change() -> None:
    values = [0.1 + 0.2 if day % 2 else 0.3 for day in range(90)]

    assert {each.verdict for each in of(*values)[60:]} == {Verdict.EXPECTED}


@pytest.mark.parametrize("value", [math.inf, -math.inf, -5.0])
def test_what_cannot_be_is_an_anomaly(value: float) -> None:
    values = np.random.default_rng(8).normal(50, 2, 60)

    assert of(*values, value)[-1].verdict is Verdict.ANOMALY


def test_infinite_values_of_the_past_do_no_harm() -> None:
    values = [*np.random.default_rng(9).normal(50, 2, 40), math.inf, *np.random.default_rng(10).normal(50, 2, 20)]

    assert of(*values)[-1].verdict is Verdict.EXPECTED


@pytest.mark.parametrize(
    "values",
    [
        [1.7e308, -1.7e308] * 20,
        [5e-324, 0.0] * 20,
        [math.inf] * 30,
        [math.inf, 1.0, -math.inf] * 12,
        [*[-1e308] * 30, 1e308],
    ],
)
def test_numbers_at_the_ends_are_no_warning_and_no_limit_is_none(values: list[float]) -> None:
    found = of(*values)

    assert len(found) == len(values)
    assert not any(each.low is not None and math.isnan(each.low) for each in found)


def test_missing_values_are_passed_over_and_moments_are_put_in_order() -> None:
    values = np.random.default_rng(11).normal(50, 2, 40)
    points = history(values)
    holes = [(START + timedelta(hours=5), None), (START + timedelta(hours=6), math.nan)]

    assert judged([*holes, *reversed(points)]) == judged(points)


def test_moments_without_a_zone_are_in_utc() -> None:
    points = history(np.random.default_rng(12).normal(50, 2, 30))

    assert judged([(moment.replace(tzinfo=None), value) for moment, value in points]) == judged(points)


def test_all_at_one_moment_is_no_month() -> None:
    values = np.random.default_rng(13).normal(50, 2, 40)

    found = judged([(START, float(value)) for value in values])

    assert all(each.verdict is not Verdict.ANOMALY for each in found)


def test_the_limits_hold_the_budget_whatever_the_errors_are() -> None:
    draws, alarms, trials = np.random.default_rng(14), 0, 4000
    for _trial in range(trials):
        *past, new = np.abs(draws.standard_cauchy(100))
        base, factor = limits.reach(past, 0.05)
        alarms += new > base * factor

    assert factor == 1.0
    assert alarms / trials <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / trials)


@pytest.mark.parametrize("law", ["normal", "t3", "exponential"])
def test_few_errors_hold_the_budget_where_tails_are_not_too_heavy(law: str) -> None:
    draws, trials, chance = np.random.default_rng(15), 40_000, 1 / 120
    sizes = (trials, 21)
    drawn = {
        "normal": lambda: draws.normal(size=sizes),
        "t3": lambda: draws.standard_t(3, sizes),
        "exponential": lambda: draws.exponential(size=sizes),
    }[law]()
    errors = np.abs(drawn)
    _base, factor = limits.reach(errors[0, :20].tolist(), chance)

    alarms = (errors[:, 20] > factor * errors[:, :20].max(axis=1)).mean()

    assert alarms <= chance + 3 * math.sqrt(chance / trials)


def test_looks_of_a_month_are_counted_or_go_on_as_they_began() -> None:
    assert limits.looks_of_a_month([float(day) for day in range(100)]) == 30
    assert limits.looks_of_a_month([float(day) for day in range(10)]) == pytest.approx(30)
    assert limits.looks_of_a_month([day / 24 for day in range(24 * 60)]) == 720
    assert limits.looks_of_a_month([0.0, 365.0, 730.0]) == 1
    assert limits.looks_of_a_month([5.0]) == 30


@pytest.mark.parametrize("budget", [0.0, -1.0, math.nan])
def test_a_budget_is_positive(budget: float) -> None:
    with pytest.raises(ValueError, match="budget"):
        judged([], budget=budget)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.none(), max_size=40))
def test_no_history_breaks_it(values: list[float | None]) -> None:
    found = of(*values)

    assert len(found) == sum(value is not None and not math.isnan(value) for value in values)
    for each in found:
        assert each.to_dict()["verdict"] == each.verdict
        assert each.low is None or each.high is None or not each.low > each.high


def test_of_no_values_there_is_no_judgement() -> None:
    assert judged([]) == ()
    assert datetime(2026, 1, 5, tzinfo=UTC) == START
