"""Outliers: by column what is far and where that begins, by row what makes it unlike others; never a row's value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lastro.model.text import _, ngettext
from lastro.quality.outliers.column import ColumnOutliers
from lastro.quality.outliers.rows import OutlyingRow, RowOutliers
from lastro.quality.summary import text_of
from lastro.report.blocks import Blocks, Cell, Column, Line, Tone, table
from lastro.report.numbers import NOTHING, number, percent

_MICROSECONDS = 1_000_000


def columns(found: Sequence[ColumnOutliers], types: Mapping[str, str], left_out: Mapping[str, str]) -> Blocks:
    """One row per column, then what was left out."""
    headings = (
        Column(_("column")),
        Column(_("outliers"), right=True),
        Column(_("share"), right=True),
        Column(_("below"), right=True, spare=2),
        Column(_("lower limit"), right=True),
        Column(_("upper limit"), right=True),
        Column(_("above"), right=True, spare=2),
        Column(_("deviations"), right=True, spare=1),
        Column(_("infinite"), right=True, spare=3),
    )
    return (table(headings, (_column(each, types[each.name]) for each in found)), *_left_out(left_out))


def columns_verdict(reference: str, found: Sequence[ColumnOutliers]) -> str:
    """How many columns have outliers, and which has most."""
    having = [each for each in found if each.counts.outside]
    if not having:
        return _("{reference} has no outliers").format(reference=reference)
    first = having[0]
    share = percent(first.counts.outside, first.counts.rows - first.counts.missing)
    sentence = _("{reference} has outliers in {n} of {columns} columns; most in {name}: {share}")
    return sentence.format(reference=reference, n=len(having), columns=len(found), name=first.name, share=share)


def rows(found: RowOutliers, left_out: Mapping[str, str]) -> Blocks:
    """The rows with the highest scores, then what was left out, and why none can be called if none can."""
    headings = (
        Column(_("row"), right=True),
        Column(_("score"), right=True, spare=1),
        *([] if found.budget is None else [Column(_("p-value"), right=True, spare=2), Column(_("unlike"), fixed=True)]),
        Column(_("because")),
    )
    blocks: Blocks = (table(headings, (_row(row, judged=found.budget is not None) for row in found.rows)),)
    if found.budget is not None and not found.called and found.least > 1:
        sentence = _(
            "fewer than {least} rows cannot be called unlike: {calibration} rows are few to compare {tested} with"
        ).format(least=found.least, calibration=number(found.calibration), tested=number(found.tested))
        blocks = (*blocks, Line(sentence, Tone.FAINT))
    return (*blocks, *_left_out(left_out))


def rows_verdict(reference: str, found: RowOutliers, against: str | None) -> str:
    """How many rows are unlike those of the other version; without one, that rows were only ranked."""
    if against is None or found.budget is None:
        sentence = ngettext(
            "{reference}: the most unusual row of {tested}, by rank only",
            "{reference}: the {n} most unusual rows of {tested}, by rank only",
            len(found.rows),
        )
        return sentence.format(reference=reference, n=len(found.rows), tested=number(found.tested))
    sentence = ngettext(
        "{reference}: {n} of {tested} new rows is unlike those of {against}",
        "{reference}: {n} of {tested} new rows are unlike those of {against}",
        found.called,
    )
    told = sentence.format(reference=reference, n=number(found.called), tested=number(found.tested), against=against)
    if not found.called:
        return told
    sentence = _("{told}; of these, at most {share} are expected to be like them after all")
    return sentence.format(told=told, share=percent(found.budget, 1))


def _column(found: ColumnOutliers, kind: str) -> tuple[Cell | str, ...]:
    counts = found.counts
    tone = Tone.DOUBTFUL if counts.outside else Tone.PLAIN
    far = max(counts.lowest, counts.highest)
    return (
        found.name,
        Cell(number(counts.outside), tone),
        percent(counts.outside, counts.rows - counts.missing),
        number(counts.below),
        _limit(found.low, kind),
        _limit(found.high, kind),
        number(counts.above),
        number(far, decimals=1) if counts.outside else NOTHING,
        number(counts.infinite),
    )


def _limit(limit: float | int | None, kind: str) -> str:
    if limit is None:
        return NOTHING
    if kind == "date":
        return text_of(limit, kind)
    if kind.startswith("timestamp"):
        return text_of(limit / _MICROSECONDS, kind)
    return number(limit)


def _row(row: OutlyingRow, *, judged: bool) -> tuple[Cell | str, ...]:
    called = Cell(_("yes"), Tone.DOUBTFUL) if row.is_called else Cell(_("no"))
    verdict: list[Cell | str] = [number(row.p_value, decimals=6), called] if judged else []
    return (number(row.place), number(row.score, decimals=2), *verdict, row.words or NOTHING)


def _left_out(left_out: Mapping[str, str]) -> Blocks:
    if not left_out:
        return ()
    told = ", ".join(f"{name} ({why})" for name, why in left_out.items())
    return (Line(_("left out: {columns}").format(columns=told), Tone.FAINT),)
