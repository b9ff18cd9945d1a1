"""How often a metric's history alarms: `python -m bench --topic history_calibration`.

Rules:

1. A history is 150 days with one value each, and nothing is wrong in it. Every alarm is a false one; they are counted
   by month of the days on which there was a verdict.
2. For the power, one such history's last value is replaced by something wrong, and it is counted how often that is
   told.
3. The rules are the package's own function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np

from bench.figure import Size
from lastro.quality.history.judge import Verdict, judged

DAYS, MONTH = 150, 30
BUDGETS = (0.1, 0.25, 1.0)
START = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = np.array([1.0, 1.1, 1.05, 1.0, 1.2, 0.3, 0.2])

Draw = Callable[[np.random.Generator, int], np.ndarray]


def _weekly(draws: np.random.Generator, days: int) -> np.ndarray:
    return 1000 * WEEK[np.arange(days) % 7] * draws.lognormal(0, 0.08, days)


def _walk(draws: np.random.Generator, days: int) -> np.ndarray:
    return 1000 * np.exp(np.cumsum(draws.normal(0, 0.03, days)))


def _correlated(draws: np.random.Generator, days: int) -> np.ndarray:
    found = draws.normal(0, 1, days)
    for day in range(1, days):
        found[day] += 0.5 * found[day - 1]
    return 1000 + 20 * found


STILL: Mapping[str, Draw] = {
    "normal": lambda draws, days: draws.normal(1000, 50, days),
    "lognormal": lambda draws, days: draws.lognormal(7, 0.5, days),
    "Student's t, 3 degrees": lambda draws, days: 5 * draws.standard_t(3, days),
    "counts, 5 a day": lambda draws, days: draws.poisson(5, days).astype(float),
    "counts, 1 a week": lambda draws, days: draws.poisson(1 / 7, days).astype(float),
    "null rate of 1,000 rows": lambda draws, days: draws.binomial(1000, 0.02, days) / 1000,
    "weekly pattern": _weekly,
    "trend": lambda draws, days: 1000 + 30 * np.arange(days) + draws.normal(0, 40, days),
    "weekly pattern and trend": lambda draws, days: _weekly(draws, days) * 1.01 ** np.arange(days),
    "autocorrelated": _correlated,
    "random walk": _walk,
}

WRONG: Mapping[str, tuple[str, float]] = {
    "normal, 6 deviations more": ("normal", 1300.0),
    "normal, twice as much": ("normal", 2000.0),
    "lognormal, ten times as much": ("lognormal", 11_000.0),
    "counts, 5 a day: 25": ("counts, 5 a day", 25.0),
    "null rate, 2 % to 5 %": ("null rate of 1,000 rows", 0.05),
    "weekly pattern, nothing came": ("weekly pattern", 0.0),
    "weekly pattern, a weekend's rows on a workday": ("weekly pattern", 250.0),
    "trend, the level of a month ago": ("trend", 1000 + 30 * 44),
}


def history(values: np.ndarray) -> list[tuple[datetime, float]]:
    """The values, one a day."""
    return [(START + timedelta(days=day), float(value)) for day, value in enumerate(values)]


def false_alarms(draw: Draw, budget: float, histories: int, *, days: int = DAYS) -> float:
    """How many alarms a month has where nothing is wrong."""
    draws = np.random.default_rng(1)
    alarms = looks = 0
    for _history in range(histories):
        found = judged(history(draw(draws, days)), budget=budget)
        alarms += sum(each.verdict is Verdict.ANOMALY for each in found)
        looks += sum(each.verdict is not Verdict.TOO_LITTLE for each in found)
    return MONTH * alarms / looks if looks else 0.0


def power(wrong: str, budget: float, histories: int, *, days: int = 75) -> float:
    """The share of histories of which the last value, which is wrong, is told. The 75th day is a Friday."""
    name, value = WRONG[wrong]
    draws, told = np.random.default_rng(2), 0
    for _history in range(histories):
        values = STILL[name](draws, days)
        values[-1] = value
        told += judged(history(values), budget=budget)[-1].verdict is Verdict.ANOMALY
    return told / histories


def rows(histories: int) -> Iterator[str]:
    """The lines of both tables, as Markdown."""
    head = "".join(f" {budget:g} a month |" for budget in BUDGETS)
    yield f"| nothing is wrong, budget: |{head}"
    yield "|---|" + "---:|" * len(BUDGETS)
    for name, draw in STILL.items():
        yield f"| {name} |" + "".join(f" {false_alarms(draw, each, histories):.3f} |" for each in BUDGETS)
    yield ""
    yield f"| something is wrong on the 75th day, budget: |{head}"
    yield "|---|" + "---:|" * len(BUDGETS)
    for name in WRONG:
        yield f"| {name} |" + "".join(f" {100 * power(name, each, histories):.0f} % |" for each in BUDGETS)


def tables(size: Size) -> str:
    """All tables of the page, as Markdown."""
    return "\n".join(rows(size.histories))
