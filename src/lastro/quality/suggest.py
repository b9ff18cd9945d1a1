"""Rules suggested from what was counted of one or more versions.

Rules:

1. A suggestion holds in every version it was made from. Versions share rows, so that the evidence is that of the
   version in which most were counted, and never the sum.
2. Fewer than `ROWS_MIN` rows speak for nothing. Who saw something never happen in n independent rows knows with 95 %
   certainty that it happens in fewer than 3/n of all (0.05 = (1 - 3/n)^n, the rule of three): with 300 in
   less than 1 %.
3. `required` where no value was missing. Where some were, the share that may be missing: the smallest that a batch as
   large as the smallest version exceeds with a chance of `CHANCE`, by the beta-binomial prediction from Jeffreys'
   prior. No share is suggested where more than half of a batch may be missing.
4. `enum` for text of which every value is known, 2 to `VALUES_MAX` values with at least `TIMES_MIN` rows each, unless
   they look like identifiers, or like people.
5. `range` for numbers, `length` for text, from the extremes with a slack (`slack`). Columns with NaN or infinities,
   identifiers and constants get no range; dates move on, and get none either. No evidence names an extreme.
6. `unique` where no value repeats, for whole numbers and text, but only if that is no accident: the column is named
   like an identifier, or is a number for which n draws at random from its span would have repeated three times
   (n²/2 of span).
7. `pattern` for text of which every value was looked at and has one of at most `SHAPES_MAX` shapes, each with at least
   `TIMES_MIN` rows, where these say which signs there are (`shaped`). It says the length, too.
8. `rows` from three versions or more: a prediction interval of the logarithms of their counts by Student's t, whose
   spread is at least that of counts that vary by chance alone; of a table that only grew, its smallest count.
9. What the contract has a rule about is not suggested again; of withheld columns only the missing are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal as Number
from itertools import pairwise
from statistics import fmean, stdev

from lastro.contract.guess import names_identifier, names_person, tells_of_person
from lastro.model.plan import ColumnPlan, Plan
from lastro.model.profile import ColumnProfile, NumberCounts, NumberFrame
from lastro.model.schema import Decimal, Primitive, type_text
from lastro.model.text import _, figures, ngettext
from lastro.quality.shaped import pattern_of
from lastro.quality.slack import CHANCE, MAGNITUDE_MAX, Span, rounded, span_of, widened
from lastro.quality.suggestion import Kind, Observed, Suggestion, between, ruled

ROWS_MIN = 300
MISSING_MAX = 0.5
VALUES_MAX = 50
SHAPES_MAX = 4
TIMES_MIN = 5
VERSIONS_MIN = 3
REPEATS_EXPECTED_MIN = 3
_WHOLE = frozenset({Primitive.BYTE, Primitive.SHORT, Primitive.INTEGER, Primitive.LONG})


@dataclass(frozen=True, slots=True)
class _Seen:
    """One column in all versions, and the version in which most of it was counted."""

    plan: ColumnPlan
    all: tuple[tuple[ColumnProfile, int], ...]
    """Each version's counts, and its rows."""
    withheld: bool

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def most(self) -> tuple[ColumnProfile, int]:
        return max(self.all, key=lambda each: each[1] - each[0].nulls)

    @property
    def present(self) -> int:
        """How many values the version has that has most."""
        column, rows = self.most
        return rows - column.nulls


def suggest(observed: Sequence[Observed], plan: Plan, *, withheld: frozenset[str]) -> tuple[Suggestion, ...]:
    """The rules that every version speaks for and the plan does not have, by column, those of the table last."""
    known = ruled(plan)
    found: list[Suggestion] = []
    for column in plan.columns:
        seen = _seen(column, observed, withheld)
        if seen is not None:
            found += (each for each in _column(seen, observed) if (each.column, each.kind) not in known)
    found += (each for each in _rows([each.profile.rows for each in observed]) if (None, Kind.ROWS) not in known)
    listed = {each.column for each in found if each.kind in {Kind.ENUM, Kind.PATTERN}}
    return tuple(each for each in found if each.kind is not Kind.LENGTH or each.column not in listed)


def may_be_unique(plan: Plan, observed: Sequence[Observed], *, withheld: frozenset[str]) -> tuple[str, ...]:
    """The columns whose repeated values are worth counting (rule 6): no count of a version says that some repeat."""
    known = ruled(plan)
    seen = [_seen(column, observed, withheld) for column in plan.columns if (column.name, Kind.UNIQUE) not in known]
    return tuple(each.name for each in seen if each is not None and not each.withheld and _is_distinct(each))


def _seen(plan: ColumnPlan, observed: Sequence[Observed], withheld: frozenset[str]) -> _Seen | None:
    """A column that every version has with the contract's type; None if one has not."""
    columns = [each.profile.columns.get(plan.name) for each in observed]
    found = [each for each in columns if each is not None and each.frame.type == type_text(plan.type)]
    if not observed or len(found) < len(observed):
        return None
    rows = [each.profile.rows for each in observed]
    hidden = plan.name in withheld or any(each.withheld for each in found)
    return _Seen(plan, tuple(zip(found, rows, strict=True)), hidden)


def _column(seen: _Seen, observed: Sequence[Observed]) -> Iterator[Suggestion]:
    yield from _missing(seen)
    if seen.withheld or seen.present < ROWS_MIN or not all(rows - column.nulls for column, rows in seen.all):
        return
    yield from _enum(seen)
    yield from _pattern(seen)
    yield from _bounds(seen)
    if all(each.repeated.get(seen.name) == 0 for each in observed) and _is_distinct(seen):
        why = _("none of {n} values repeats").format(n=_count(seen.present))
        yield Suggestion(Kind.UNIQUE, seen.name, {"metric": "duplicateValues", "mustBe": 0}, why)


def _missing(seen: _Seen) -> Iterator[Suggestion]:
    rows = max(rows for _column, rows in seen.all)
    if rows < ROWS_MIN:
        return
    share = max(column.nulls / rows for column, rows in seen.all if rows)
    if not share:
        why = _("no value was missing in {n} rows, so that with 95 % certainty fewer than {share} % are").format(
            n=_count(rows), share=figures(_percent(3 / rows))
        )
        yield Suggestion(Kind.REQUIRED, seen.name, {"metric": "nullValues", "mustBe": 0}, why)
        return
    allowed = _missing_allowed(seen)
    if allowed <= MISSING_MAX:
        why = _("at most {share} % were missing, in up to {n} rows").format(
            n=_count(rows), share=figures(_percent(share))
        )
        limit = float(_percent(allowed))
        limit = int(limit) if limit.is_integer() else limit
        rule = {"metric": "nullValues", "unit": "percent", "mustBeLessOrEqualTo": limit}
        yield Suggestion(Kind.MISSING, seen.name, rule, why)


def _missing_allowed(seen: _Seen) -> float:
    from scipy.stats import betabinom

    batch = min(rows for _column, rows in seen.all if rows)
    shares = [column.nulls / rows for column, rows in seen.all if rows]
    predicted = [
        float(betabinom.isf(CHANCE, batch, column.nulls + 0.5, rows - column.nulls + 0.5)) / batch
        for column, rows in seen.all
        if rows
    ]
    return max(*shares, *predicted)


def _percent(share: float) -> str:
    """A share in percent, rounded up to two digits."""
    return f"{rounded(Number(repr(share)) * 100, up=True):f}"


def _count(rows: int) -> str:
    return figures(f"{rows:,}")


def _enum(seen: _Seen) -> Iterator[Suggestion]:
    times: dict[str, int] = {}
    for column, _rows_of in seen.all:
        frame, counts = column.frame.values, column.values
        if frame is None or counts is None or counts.others or seen.plan.type is not Primitive.STRING:
            return
        for value, count in zip(frame.values, counts.times, strict=True):
            times[value] = max(count, times.get(value, 0))
    values = {value: count for value, count in times.items() if count}
    is_list = 2 <= len(values) <= VALUES_MAX and min(values.values()) >= TIMES_MIN
    tells = names_identifier(seen.name) or names_person(seen.name) or any(map(tells_of_person, values))
    if not is_list or tells or not all(value.isprintable() for value in values):
        return
    why = _("only {k} values in {n} rows, so that with 95 % certainty fewer than {share} % have another").format(
        k=len(values), n=_count(seen.present), share=figures(_percent(3 / seen.present))
    )
    rule = {"metric": "invalidValues", "arguments": {"validValues": sorted(values)}, "mustBe": 0}
    yield Suggestion(Kind.ENUM, seen.name, rule, why)


def _pattern(seen: _Seen) -> Iterator[Suggestion]:
    times: dict[str, int] = {}
    for column, rows in seen.all:
        shapes, counts = column.frame.shapes, column.shapes
        if shapes is None or counts is None or counts.others or counts.counted != rows - column.nulls:
            return
        for shape, count in zip(shapes, counts.times, strict=True):
            times[shape] = max(count, times.get(shape, 0))
    shaped = sorted(shape for shape, count in times.items() if count)
    pattern = pattern_of(shaped)
    if pattern is None or len(shaped) > SHAPES_MAX or min(times[shape] for shape in shaped) < TIMES_MIN:
        return
    why = ngettext(
        "all {n} texts have {k} shape, so that with 95 % certainty fewer than {share} % have another",
        "all {n} texts have {k} shapes, so that with 95 % certainty fewer than {share} % have another",
        len(shaped),
    ).format(n=_count(seen.present), k=len(shaped), share=figures(_percent(3 / seen.present)))
    rule = {"metric": "invalidValues", "arguments": {"pattern": pattern}, "mustBe": 0}
    yield Suggestion(Kind.PATTERN, seen.name, rule, why)


def _bounds(seen: _Seen) -> Iterator[Suggestion]:
    kind = seen.plan.type
    is_text = kind is Primitive.STRING and not seen.plan.is_time
    is_number = isinstance(kind, Decimal) or kind in _WHOLE or kind in (Primitive.FLOAT, Primitive.DOUBLE)
    if not is_text and (not is_number or names_identifier(seen.name) or _is_distinct(seen)):
        return
    spans = [span_of(column) for column, _rows_of in seen.all]
    spread = span_of(seen.most[0])
    if spread is None or any(span is None for span in spans):
        return
    whole = is_text or kind in _WHOLE
    low = min(span.low for span in spans if span)
    high = max(span.high for span in spans if span)
    if low == high and not is_text:
        return
    wide = widened(spread, low, high, whole=whole)
    if any(end and not 1 / MAGNITUDE_MAX < abs(end) < MAGNITUDE_MAX for end in wide):
        return
    yield _within(seen, wide, is_text=is_text)


def _within(seen: _Seen, ends: tuple[Number, Number], *, is_text: bool) -> Suggestion:
    """The rule for bounds. It does not tell the extremes themselves, which may be one person's own values."""
    low, high = (f"{each:f}" for each in ends)
    if is_text:
        why = _("all {n} texts are so long, and one of as many more is not with a chance of about {share} %")
        text = between(seen.name, low if ends[0] > 0 else None, high, length=True)
    else:
        why = _("all {n} numbers lie there, and one of as many more does not with a chance of about {share} %")
        text = between(seen.name, low, high)
    kind = Kind.LENGTH if is_text else Kind.RANGE
    rule = {
        "name": f"{seen.name}.{kind}",
        "type": "custom",
        "engine": "lastro",
        "implementation": {"expression": text},
    }
    return Suggestion(kind, seen.name, rule, why.format(n=_count(seen.present), share=figures(_percent(2 * CHANCE))))


def _is_distinct(seen: _Seen) -> bool:
    kind = seen.plan.type
    is_whole = kind in _WHOLE or (isinstance(kind, Decimal) and not kind.scale)
    if not (is_whole or kind is Primitive.STRING) or seen.present < ROWS_MIN:
        return False
    if any(_repeats(column, rows - column.nulls) for column, rows in seen.all):
        return False
    span = span_of(seen.most[0])
    is_dense = is_whole and span is not None and _repeats_expected(span) >= REPEATS_EXPECTED_MIN
    return is_dense or names_identifier(seen.name)


def _repeats(column: ColumnProfile, present: int) -> bool:
    """True if the counts alone say that a value stands in two rows: surely, or but for one case in ten thousand."""
    different = None if column.distinct is None else column.distinct.estimate(present)
    if different is not None and different.count * (1 + 2 * different.error) < present:
        return True
    if column.values is not None and max(column.values.times, default=0) > 1:
        return True
    frame, counts = column.frame.numbers, column.numbers
    return column.frame.type != "string" and frame is not None and counts is not None and _fuller(frame, counts)


def _fuller(frame: NumberFrame, counts: NumberCounts) -> bool:
    """True if a bin of whole numbers holds more than there are."""
    inner = zip(pairwise(frame.edges), counts.bins[1:-1], strict=True)
    return any(count > math.floor(high) - math.floor(low) for (low, high), count in inner)


def _repeats_expected(span: Span) -> float:
    """How many pairs of n numbers drawn at random from the span would be equal."""
    return span.n**2 / (2 * float(span.high - span.low + 1))


def _rows(counts: Sequence[int]) -> Iterator[Suggestion]:
    if len(counts) < VERSIONS_MIN or min(counts) < 1:
        return
    low, high = min(counts), max(counts)
    why = _("{low} to {high} rows in {k} versions").format(low=_count(low), high=_count(high), k=len(counts))
    if low < high and all(before <= after for before, after in pairwise(counts)):
        yield Suggestion(Kind.ROWS, None, {"metric": "rowCount", "mustBeGreaterOrEqualTo": low}, why)
        return
    least, most = _rows_expected(counts)
    yield Suggestion(Kind.ROWS, None, {"metric": "rowCount", "mustBeBetween": [least, most]}, why)


def _rows_expected(counts: Sequence[int]) -> tuple[int, int]:
    from scipy.stats import t

    logs = [math.log(count) for count in counts]
    middle, spread = fmean(logs), max(stdev(logs), math.exp(-fmean(logs) / 2))
    reach = float(t.isf(CHANCE / 2, len(counts) - 1)) * spread * math.sqrt(1 + 1 / len(counts))
    least = rounded(Number(math.exp(middle - reach)), up=False)
    most = rounded(Number(min(math.exp(min(middle + reach, 700)), MAGNITUDE_MAX)), up=True)
    return min(int(least), *counts), max(int(most), *counts)
