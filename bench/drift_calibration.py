"""How often drift is called, rightly and wrongly: `python -m bench --topic drift_calibration`.

Rules:

1. Rows are not drawn, counts are: a window is one draw of a multinomial, so ten million rows cost what ten do.
2. A month is 20 columns looked at on 30 days against one reference each, the rule's whole budget. It has a false alarm
   if any column has one on any day.
3. A change as large as the margin is the worst there is that must not be called drift; it is simulated beside none.
4. The bounds are the package's own functions; a test holds the rules made of them to the package's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from bench.figure import Size
from lastro.drift.bounds import distribution_width, each_category, exact_interval, sets_width
from lastro.drift.settings import Budget, Fact

COLUMNS, LOOKS, ALPHA, MARGIN = 20, 30, 0.05, 0.01
BUDGET = Budget(ALPHA, COLUMNS, LOOKS)
FLOATING = (Fact.VALUES, Fact.MISSING, Fact.NAN, Fact.INFINITE)
TEXT = (Fact.VALUES, Fact.LENGTHS, Fact.MISSING, Fact.NEW)
BINS, VALUES, MISSING = 100, 20, 0.02
SIZES, DAYS = (10**3, 10**4, 10**5, 10**6, 10**7), (1, 10)

Counts = np.ndarray
Alarm = Callable[[Counts, Counts, float], np.ndarray]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of column: its law, the law `effect` away from it, and which windows of a month alarm.

    `alarm` takes counts of shape (columns, cells) and (columns, looks, cells), and the margin.
    """

    name: str
    law: np.ndarray
    moved: Callable[[float], np.ndarray]
    alarm: Alarm


def numbers() -> Kind:
    """Numbers in a hundred equal bins, of which the lower half loses rows to the upper."""
    law = np.full(BINS, 1 / BINS)
    return Kind("numbers, KS", law, lambda effect: law + np.repeat([-effect, effect], BINS // 2) / (BINS // 2), _by_ks)


def values() -> Kind:
    """Twenty values as Zipf has them, of which every other one loses rows to the next."""
    law = 1 / np.arange(1, VALUES + 1)
    law /= law.sum()
    sign = np.where(np.arange(VALUES) % 2, law / law[1::2].sum(), -law / law[::2].sum())
    return Kind("values, total variation", law, lambda effect: law + effect * sign, _by_variation)


def missing() -> Kind:
    """A share of missing values, which rises."""
    return Kind(
        "share of missing",
        np.array([MISSING, 1 - MISSING]),
        lambda effect: np.array([MISSING + effect, 1 - MISSING - effect]),
        _by_rate,
    )


KINDS = (numbers, values, missing)


def months(kind: Kind, n: int, m: int, effect: float, *, draws: np.random.Generator, count: int) -> Iterator[tuple]:
    """Both sides' counts for each of so many months."""
    for _month in range(count):
        reference = draws.multinomial(n, kind.law, COLUMNS)
        yield reference, draws.multinomial(m, kind.moved(effect), (COLUMNS, LOOKS))


def alarming(kind: Kind, n: int, m: int, effect: float, margin: float, count: int) -> tuple[float, float]:
    """The share of months with an alarm, and the share of windows that raise one."""
    draws = np.random.default_rng(n * 7 + m)
    found = np.array([kind.alarm(*drawn, margin) for drawn in months(kind, n, m, effect, draws=draws, count=count)])
    return float(found.any(axis=(1, 2)).mean()), float(found.mean())


def naive(n: int, m: int, count: int) -> float:
    """The share of months in which a KS test at 5 % calls drift where there is none."""
    kind, draws = numbers(), np.random.default_rng(n + m)
    scale = np.sqrt(n * m / (n + m))
    found = [
        (stats.kstwobign.sf(_ks(*drawn) * scale) < ALPHA).any()
        for drawn in months(kind, n, m, 0, draws=draws, count=count)
    ]
    return float(np.mean(found))


def _ks(reference: Counts, windows: Counts) -> np.ndarray:
    n, m = reference[0].sum(), windows[0, 0].sum()
    apart = np.cumsum(windows, axis=-1) / m - (np.cumsum(reference, axis=-1) / n)[:, None]
    return np.abs(apart).max(axis=-1)


def _by_ks(reference: Counts, windows: Counts, margin: float) -> np.ndarray:
    n, m = int(reference[0].sum()), int(windows[0, 0].sum())
    return _ks(reference, windows) - distribution_width(n, m, BUDGET.chance(Fact.VALUES, FLOATING)) > margin


def _by_variation(reference: Counts, windows: Counts, margin: float) -> np.ndarray:
    n, m, half = int(reference[0].sum()), int(windows[0, 0].sum()), BUDGET.chance(Fact.VALUES, TEXT).half()
    before = _intervals(reference, n, half.reference / VALUES)
    after = _intervals(windows, m, half.look / VALUES)
    rising = [
        [each_category((before[0][c], before[1][c]), (after[0][c, d], after[1][c, d]))[0] for d in range(LOOKS)]
        for c in range(COLUMNS)
    ]
    variation = np.abs(windows / m - (reference / n)[:, None]).sum(axis=-1) / 2
    return np.maximum(variation - sets_width(n, m, VALUES, half), rising) > margin


def _by_rate(reference: Counts, windows: Counts, margin: float) -> np.ndarray:
    n, m, chance = int(reference[0].sum()), int(windows[0, 0].sum()), BUDGET.chance(Fact.MISSING, TEXT)
    low, high = (side[:, None] for side in _intervals(reference[:, 0], n, chance.reference))
    least, most = _intervals(windows[:, :, 0], m, chance.look)
    return np.maximum(least - high, low - most) > margin


def _intervals(counts: Counts, total: int, chance: float) -> tuple[np.ndarray, np.ndarray]:
    low, high = exact_interval(counts.ravel(), total, chance)
    return low.reshape(counts.shape), high.reshape(counts.shape)


def false_alarms(count: int) -> Iterator[str]:
    """The table of months with a false alarm, as Markdown."""
    yield "| kind of column | rows of the reference | rows of a day | no change | change as large as the margin |"
    yield "|---|---|---|---|---|"
    for make in KINDS:
        kind = make()
        for n in SIZES:
            for m in (n * factor for factor in DAYS):
                none, edge = (alarming(kind, n, m, effect, MARGIN, count)[0] for effect in (0, MARGIN))
                yield f"| {kind.name} | {n:,} | {m:,} | {of(none, count)} | {of(edge, count)} |"


def naive_alarms(count: int) -> Iterator[str]:
    """The table of months in which a p-value alone alarms, as Markdown."""
    yield "| rows of the reference and of a day | months in which KS with p < 5 % calls drift that is not there |"
    yield "|---|---|"
    for n in SIZES:
        yield f"| {n:,} | {of(naive(n, n, count), count)} |"


def power(count: int) -> Iterator[str]:
    """The table of windows in which a change is found, as Markdown."""
    yield "| kind of column | change | day of 10,000 | day of 100,000 | day of 1,000,000 |"
    yield "|---|---|---|---|---|"
    for make in KINDS:
        kind = make()
        for effect in (0.015, 0.02, 0.03, 0.05):
            few = max(1, count // 10)
            found = [alarming(kind, 10**6, m, effect, MARGIN, few)[1] for m in (10**4, 10**5, 10**6)]
            yield f"| {kind.name} | {effect} | " + " | ".join(f"{share:.1%}" for share in found) + " |"


def of(share: float, count: int) -> str:
    """A share as how many of how many."""
    return f"{round(share * count)} of {count}"


def tables(size: Size) -> str:
    """All tables of the page, as Markdown."""
    head = f"A month is {COLUMNS} columns on {LOOKS} days; the budget is {ALPHA:.0%}, the margin {MARGIN}."
    alone, calibrated = "\n".join(naive_alarms(max(1, size.months // 10))), "\n".join(false_alarms(size.months))
    found = "Windows in which a change was found that is larger than the margin, the reference having 1,000,000 rows:"
    return "\n\n".join([f"{head} Months with a false alarm:", calibrated, alone, found, "\n".join(power(size.months))])
