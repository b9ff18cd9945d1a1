"""One column of both profiles, compared fact by fact.

Rules:

1. What can be compared is: where values cannot, because a side has none, the missing still can.
2. A column of one side only, of another type, or counted under another frame cannot be compared, nor can a side without
   rows.
3. A column whose values are withheld, or whose type has none that are counted, is compared by its missing values alone,
   and says so.
"""

from __future__ import annotations

from dataclasses import replace

from lastro.drift import bounds, distance, measure
from lastro.drift.constant import Hidden, hidden, still
from lastro.drift.measure import Rate
from lastro.drift.result import Bars, ColumnDrift, Distances, Shift, Verdict, worst_of
from lastro.drift.settings import Budget, Chance, Fact, Settings
from lastro.drift.words import of_shift
from lastro.model.profile import ColumnProfile, NumberCounts, NumberFrame, ValueCounts, ValueFrame
from lastro.model.text import _

Pair = tuple[ColumnProfile, ColumnProfile]
TEXT = "string"
FLOATING = frozenset({"float", "double"})
"""Types that know NaN and infinities."""


def compared(name: str, pair: Pair, rows: tuple[int, int], settings: Settings, budget: Budget) -> ColumnDrift:
    """One column that both sides have."""
    first, _second = pair
    why = _incomparable(pair, rows)
    if why:
        return ColumnDrift(name, first.frame.type, Verdict.NOT_COMPARABLE, why, *_present(pair, rows))
    facts = _facts(pair)
    shifts = []
    for fact in facts:
        margin, chance = settings.margin_of(name, fact), budget.chance(fact, facts)
        shifts.append(_shift(fact, pair, rows, margin, chance))
    column = ColumnDrift(
        name,
        first.frame.type,
        worst_of([shift.verdict for shift in shifts]),
        _words(shifts, pair),
        *_present(pair, rows),
        tuple(shifts),
    )
    return _with_distances(column, pair, budget, facts)


def one_sided(name: str, column: ColumnProfile, words: str) -> ColumnDrift:
    """A column that only one side has."""
    return ColumnDrift(name, column.frame.type, Verdict.NOT_COMPARABLE, words)


def _incomparable(pair: Pair, rows: tuple[int, int]) -> str:
    """Why nothing of a column can be compared; empty if something can."""
    first, second = pair
    if first.frame.type != second.frame.type:
        return _("its type changed from {before} to {after}").format(before=first.frame.type, after=second.frame.type)
    if first.withheld == second.withheld and first.frame != second.frame:
        return _("both sides were counted under different frames")
    if not rows[0]:
        return _("the reference has no rows")
    return "" if rows[1] else _("the window has no rows")


def _facts(pair: Pair) -> tuple[Fact, ...]:
    frame = pair[0].frame
    if _withheld(pair) or (frame.values is None and frame.numbers is None):
        return (Fact.MISSING,)
    lengths = (Fact.LENGTHS,) if frame.numbers is not None else ()
    if frame.type == TEXT and not _lists(frame.values):
        return (*lengths, Fact.MISSING)
    if frame.values is not None:
        new = (Fact.NEW,) if frame.values.complete else ()
        return (Fact.VALUES, *lengths, Fact.MISSING, *new)
    floating = (Fact.NAN, Fact.INFINITE) if frame.type in FLOATING else ()
    return (Fact.VALUES, Fact.MISSING, *floating)


def _lists(frame: ValueFrame | None) -> bool:
    """True if a list tells something: an empty one does if there was nothing else to list."""
    return frame is not None and (bool(frame.values) or frame.complete)


def _shift(fact: Fact, pair: Pair, rows: tuple[int, int], margin: float, chance: Chance) -> Shift:
    if fact is Fact.MISSING:
        one, two = (Rate(side.nulls, total) for side, total in zip(pair, rows, strict=True))
        return measure.judged(fact, measure.rate(one, two, chance), rows, margin, (one, two))
    if fact in {Fact.NAN, Fact.INFINITE}:
        return _rate(fact, _floating(fact, pair), margin, chance)
    if fact is Fact.NEW:
        return _new(pair, margin, chance)
    return _distribution(fact, pair, margin, chance)


def _distribution(fact: Fact, pair: Pair, margin: float, chance: Chance) -> Shift:
    first, second = _counts(fact, pair)
    present = sum(first), sum(second)
    if not all(present):
        return _empty(fact, margin, of_both=not any(present))
    if _still(fact, pair):
        return Shift(fact, Verdict.STILL, of_shift(fact, Verdict.STILL), margin)
    listed = pair[0].frame.values
    if fact is Fact.VALUES and listed is not None:
        size = measure.categories(first, second, chance, others=not listed.complete)
        return measure.judged(fact, size, present, margin, None)
    unseen = hidden(*pair)
    if not _edges(pair[0].frame.numbers) and unseen == Hidden():
        return _not_comparable(fact, margin, _("its frame has no edges"))
    shift = measure.judged(fact, measure.distribution(first, second, unseen, chance), present, margin, None)
    if shift.verdict is Verdict.UNSURE and unseen.share > margin:
        return replace(shift, words=of_shift(fact, Verdict.UNSURE, why=_("values moved inside of one bin")))
    return shift


def _rate(fact: Fact, rates: tuple[Rate, Rate], margin: float, chance: Chance) -> Shift:
    one, two = rates
    if not one.total or not two.total:
        return _empty(fact, margin, of_both=one.total == two.total)
    return measure.judged(fact, measure.rate(one, two, chance), (one.total, two.total), margin, rates)


def _new(pair: Pair, margin: float, chance: Chance) -> Shift:
    one, two = (Rate(side.others, sum(side.times) + side.others) for side in map(_values, pair))
    if not one.total or not two.total:
        return _empty(Fact.NEW, margin, of_both=one.total == two.total)
    size = measure.new_values(one, two, len(_values(pair[0]).times), chance)
    return measure.judged(Fact.NEW, size, (one.total, two.total), margin, (one, two))


def _empty(fact: Fact, margin: float, *, of_both: bool) -> Shift:
    """What is said of a fact of no values: nothing changed if neither side has any."""
    if of_both:
        return Shift(fact, Verdict.STILL, of_shift(fact, Verdict.STILL, why=_("no values on either side")), margin)
    return _not_comparable(fact, margin, _("one side has no values"))


def _not_comparable(fact: Fact, margin: float, why: str) -> Shift:
    words = of_shift(fact, Verdict.NOT_COMPARABLE, why=why)
    return Shift(fact, Verdict.NOT_COMPARABLE, words, margin)


def _floating(fact: Fact, pair: Pair) -> tuple[Rate, Rate]:
    first, second = (_number_rate(fact, _numbers(side)) for side in pair)
    return first, second


def _number_rate(fact: Fact, side: NumberCounts) -> Rate:
    return Rate(side.nans, side.nans + side.counted) if fact is Fact.NAN else Rate(side.infinite, side.counted)


def _counts(fact: Fact, pair: Pair) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The cells of a distribution: bins, or values and, unless they are new, all others."""
    listed = pair[0].frame.values
    if fact is Fact.LENGTHS or listed is None:
        return _numbers(pair[0]).bins, _numbers(pair[1]).bins
    first, second = ((*side.times, *(() if listed.complete else (side.others,))) for side in map(_values, pair))
    return first, second


def _still(fact: Fact, pair: Pair) -> bool:
    if fact is Fact.LENGTHS:
        return still(replace(pair[0], values=None), replace(pair[1], values=None))
    return still(*pair)


def _with_distances(column: ColumnDrift, pair: Pair, budget: Budget, facts: tuple[Fact, ...]) -> ColumnDrift:
    if Fact.VALUES not in facts:
        return column
    first, second = _counts(Fact.VALUES, pair)
    if not sum(first) or not sum(second):
        return column
    sides, confidence, frame = distance.Sides.of(first, second), 1 - budget.alpha, pair[0].frame
    jensen_shannon = distance.jensen_shannon_estimate(sides, confidence)
    psi = distance.psi(sides, ordered=frame.values is None)
    if frame.values is not None:
        distances = Distances(jensen_shannon, psi)
        vanished = _vanished(frame.values, (first, second), budget.chance(Fact.VALUES, facts))
        one, two = (_shares((*side.times, side.others)) for side in map(_values, pair))
        bars = Bars(one, two, values=frame.values.values)
        return replace(column, distances=distances, bars=bars, vanished=vanished)
    edges = _edges(frame.numbers)
    distances = Distances(
        jensen_shannon,
        psi,
        distance.wasserstein_estimate(sides, edges, confidence),
        distance.mean_shift_estimate(sides, edges, confidence),
    )
    single = frame.numbers is not None and frame.numbers.single
    bars = Bars(tuple(sides.one.tolist()), tuple(sides.two.tolist()), edges=edges, single=single)
    return replace(column, distances=distances, bars=bars)


def _vanished(listed: ValueFrame, counts: tuple[tuple[int, ...], tuple[int, ...]], chance: Chance) -> tuple[str, ...]:
    first, second = counts
    half = chance.half()
    low, _high = bounds.exact_interval(first, sum(first), half.reference / len(first))
    _low, left = bounds.exact_interval(second, sum(second), half.look / len(second))
    names = zip(listed.values, second, low, left, strict=False)
    return tuple(name for name, count, least, most in names if not count and least > most)


def _words(shifts: list[Shift], pair: Pair) -> str:
    """What a column came to: its worst facts, and what was not looked at."""
    worst = worst_of([shift.verdict for shift in shifts])
    told = [shift.words for shift in shifts if shift.verdict is worst]
    if _withheld(pair):
        told.append(_("its values are withheld, so only the missing were counted"))
    elif len(shifts) == 1:
        told.append(_("of its values only the missing are counted"))
    return "; ".join(told)


def _present(pair: Pair, rows: tuple[int, int]) -> tuple[int, int]:
    return rows[0] - pair[0].nulls, rows[1] - pair[1].nulls


def _shares(counts: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(distance.shares(counts).tolist())


def _withheld(pair: Pair) -> bool:
    return pair[0].withheld or pair[1].withheld


def _numbers(side: ColumnProfile) -> NumberCounts:
    return side.numbers or NumberCounts((0,) * (len(_edges(side.frame.numbers)) + 1))


def _values(side: ColumnProfile) -> ValueCounts:
    return side.values or ValueCounts((0,) * len(side.frame.values.values if side.frame.values else ()))


def _edges(frame: NumberFrame | None) -> tuple[float, ...]:
    return frame.edges if frame else ()
