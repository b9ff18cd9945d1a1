"""Performance: what was realised, what is expected, and against what; then what speaks against it.

Rules:

1. What decides comes first: each metric on one row for each way it is known, with the interval, against the reference
   and the margin.
2. Limits are told in words where they apply: what is expected of rows without labels holds only as long as rows that
   look the same get the same labels.
3. Classes are named only where the columns' policy allows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lastro.drift.assessment import Assessment, Learning, Period, Task, Trouble
from lastro.drift.decline import Change, Standing
from lastro.drift.metrics import Metric
from lastro.drift.result import Estimate
from lastro.model.text import _
from lastro.report.blocks import Blocks, Cell, Column, Line, Table, Title, Tone, table
from lastro.report.drift import drift, drift_verdict, share_text, short
from lastro.report.html import to_page
from lastro.report.numbers import NOTHING, moment, number, percent


def performance(found: Assessment) -> Blocks:
    """The metrics, what was counted and noted, and the drift of predictions, scores and labels."""
    moved: Blocks = ()
    if found.drift is not None:
        title = Title(_("Drift of predictions, scores and labels"))
        moved = (title, Line(drift_verdict(found.drift)), *drift(found.drift))
    notes = tuple(Line(text, tone) for text, tone in _notes(found))
    return (*_tables(found), *_periods(found), *notes, *moved)


def performance_html(found: Assessment, title: str) -> str:
    """The same as a page of its own."""
    return to_page(title, performance(found), answer=performance_verdict(found))


def performance_verdict(found: Assessment) -> str:
    """Whether predictions became worse, by which metric, and how that is known."""
    if not found.current.rows:
        return _("there are no rows to judge")
    if found.standing is Standing.UNKNOWN:
        return _("nothing is known of how good these predictions are")
    known = (*found.realised, *found.expected)
    chosen = max((each for each in known if each.standing is found.standing), key=_loss)
    told = _change_text(chosen)
    if found.standing is Standing.WORSE:
        how = _("as labels show") if chosen in found.realised else _("as is expected before labels arrive")
        return _("worse than the reference, {how}: {change}").format(how=how, change=told)
    if found.standing is Standing.UNSURE:
        return _("cannot be told yet: {change}").format(change=told)
    return _("no worse than the reference: {change}").format(change=told)


def metric_text(metric: Metric) -> str:
    """What is measured."""
    match metric:
        case Metric.ACCURACY:
            return _("accuracy")
        case Metric.PRECISION:
            return _("precision")
        case Metric.RECALL:
            return _("recall")
        case Metric.F1:
            return _("F1")
        case Metric.ROC_AUC:
            return _("ROC AUC")
        case Metric.MAE:
            return _("mean absolute error")
        case Metric.RMSE:
            return _("root mean squared error")


def _tables(found: Assessment) -> Iterator[Title | Table | Line]:
    if found.realised:
        yield Title(_("Realised, where labels have come"))
        yield _table(found.realised)
    if found.expected:
        yield Title(_("Expected, where labels are awaited"))
        yield _table(found.expected)
    yield Line(_rows_text(found), Tone.FAINT)
    if found.classes and {change.metric for change in (*found.realised, *found.expected)} - {Metric.ACCURACY}:
        yield Line(_classes_text(found), Tone.FAINT)


def _table(changes: Sequence[Change]) -> Table:
    columns = (
        Column(_("metric"), names=True),
        Column(_("verdict"), fixed=True),
        Column(_("reference"), right=True),
        Column(_("now"), right=True),
        Column(_("between"), right=True, spare=2),
        Column(_("change"), right=True),
        Column(_("between"), right=True, spare=1),
        Column(_("margin"), right=True, spare=3),
    )
    return table(columns, (_row(change) for change in changes))


def _periods(found: Assessment) -> Blocks:
    """The first metric in each part of the window."""
    known = (*found.realised, *found.expected)
    if not found.periods or not known:
        return ()
    metric = known[0].metric
    columns = (
        Column(_("beginning"), fixed=True),
        Column(_("rows"), right=True),
        Column(_("with label"), right=True),
        Column(_("realised"), right=True),
        Column(_("verdict"), fixed=True),
        Column(_("expected"), right=True),
        Column(_("verdict"), fixed=True),
    )
    title = Title(_("By period: {metric}").format(metric=metric_text(metric)))
    return (title, table(columns, (_period_row(period, metric) for period in found.periods)))


def _period_row(period: Period, metric: Metric) -> Iterator[Cell | str]:
    yield moment(period.start)
    yield number(period.rows.rows)
    yield number(period.rows.labelled)
    for changes in (period.realised, period.expected):
        change = next((each for each in changes if each.metric is metric), None)
        yield _value(change.now if change else None, is_error=metric.is_error)
        yield _standing_cell(change.standing) if change else NOTHING


def _row(change: Change) -> tuple[Cell | str, ...]:
    is_error = change.metric.is_error
    return (
        metric_text(change.metric),
        _standing_cell(change.standing),
        _value(change.reference, is_error=is_error),
        _value(change.now, is_error=is_error),
        _interval(change.now, is_error=is_error),
        _plus(change.size.value) if change.size else NOTHING,
        f"{_plus(change.size.low)} … {_plus(change.size.high)}" if change.size else NOTHING,
        share_text(change.margin),
    )


def _standing_cell(standing: Standing) -> Cell:
    match standing:
        case Standing.WORSE:
            return Cell(_("✗ worse"), Tone.BAD)
        case Standing.UNSURE:
            return Cell(_("? unsure"), Tone.DOUBTFUL)
        case Standing.NO_WORSE:
            return Cell(_("✓ no worse"), Tone.GOOD)
        case Standing.UNKNOWN:
            return Cell(_("– unknown"), Tone.FAINT)


def _change_text(change: Change) -> str:
    filled = {
        "metric": metric_text(change.metric),
        "before": _value(change.reference, is_error=change.metric.is_error),
        "now": _value(change.now, is_error=change.metric.is_error),
        "low": _plus(change.size.low) if change.size else NOTHING,
        "high": _plus(change.size.high) if change.size else NOTHING,
        "margin": share_text(change.margin),
    }
    return _("{metric} went from {before} to {now} (by {low} to {high}, margin {margin})").format(**filled)


def _loss(change: Change) -> float:
    """By how much a metric is worse."""
    if change.size is None:
        return -1.0
    return change.size.value if change.metric.is_error else -change.size.value


def _value(estimate: Estimate | None, *, is_error: bool) -> str:
    if estimate is None:
        return NOTHING
    return number(float(f"{estimate.value:.4g}")) if is_error else share_text(estimate.value)


def _interval(estimate: Estimate | None, *, is_error: bool) -> str:
    if estimate is None:
        return NOTHING
    ends = (Estimate(each, each, each) for each in (estimate.low, estimate.high))
    return " … ".join(_value(end, is_error=is_error) for end in ends)


def _plus(size: float) -> str:
    """A change in parts of a hundred, with its sign."""
    text = share_text(size)
    return f"+{text}" if size > 0 else text


def _rows_text(found: Assessment) -> str:
    told = _(
        "{labelled} of {rows} rows have a label, {waiting} wait for theirs; the reference has {reference} labels; the "
        "chance of any false alarm is at most {alpha} over {looks} looks"
    )
    return told.format(
        labelled=number(found.current.labelled),
        rows=number(found.current.rows),
        waiting=number(found.current.waiting),
        reference=number(found.reference.labelled),
        alpha=share_text(found.tolerance.alpha),
        looks=number(found.tolerance.looks),
    )


def _classes_text(found: Assessment) -> str:
    if found.positive is not None:
        return _("precision, recall, F1 and ROC AUC are of the class {name}").format(name=short(found.positive))
    names = ", ".join(short(name) for name in found.classes)
    return _("precision, recall, F1 and ROC AUC are means over the classes {names}").format(names=names)


def _notes(found: Assessment) -> Iterator[tuple[str, Tone]]:
    """What speaks against the numbers: rows that do not count, and what an expectation cannot know."""
    for side, count in ((_("reference"), found.reference), (_("now"), found.current)):
        for trouble, rows in count.troubles.items():
            told = _("{side} – {what}: {n} ({share})")
            share = percent(rows, count.rows)
            yield told.format(side=side, what=_rows_with(trouble), n=number(rows), share=share), Tone.DOUBTFUL
    for trouble in found.notes:
        yield _note(trouble), Tone.BAD if trouble is Trouble.MEANING else Tone.DOUBTFUL
    if found.learning is not None:
        yield from ((text, Tone.FAINT) for text in _learning(found.learning))
    if found.expected:
        yield _limit(found.task), Tone.FAINT


def _limit(task: Task) -> str:
    if task is Task.CLASSIFICATION:
        return _(
            "what is expected follows other rows, not other labels: if the same rows now get other labels (concept "
            "drift), only labels will show it"
        )
    return _(
        "what is expected follows other rows as far as their columns tell, not other labels: if the same rows now get "
        "other labels (concept drift), only labels will show it"
    )


def _learning(learning: Learning) -> Iterator[str]:
    told = _("errors were learned from {rows} of {of} rows, by {n} columns, which explain {share} of their variation")
    yield told.format(
        rows=number(learning.rows),
        of=number(learning.of),
        n=number(len(learning.columns)),
        share=share_text(learning.explained),
    )
    if learning.left_out:
        names = ", ".join(f"{short(name)} ({why})" for name, why in learning.left_out.items())
        yield _("not learned from: {names}").format(names=names)


def _rows_with(trouble: Trouble) -> str:
    match trouble:
        case Trouble.NO_PREDICTION:
            return _("rows without prediction, which count nowhere")
        case Trouble.NEW_PREDICTION:
            return _("rows with a predicted class that the reference does not know, which count nowhere")
        case Trouble.NEW_LABEL:
            return _("rows with a label that the reference does not know, whose prediction is wrong")
        case Trouble.NO_SCORE:
            return _("rows without score, of which nothing is expected")
        case Trouble.SCORE_OUTSIDE:
            return _("rows with a score below 0 or above 1, of which nothing is expected")
        case Trouble.SCORE_UNKNOWN:
            return _("rows with a score beyond all of the reference's, whose meaning is a guess")
        case Trouble.NOT_FINITE:
            return _("rows with an infinite prediction or label, which count nowhere")
        case _:
            return str(trouble)


def _note(trouble: Trouble) -> str:
    match trouble:
        case Trouble.TYPES_DIFFER:
            return _("labels and predictions have different types; they are compared as texts of numbers")
        case Trouble.NO_SCORES:
            return _("no scores were named: nothing can be expected of rows without labels (--score, --score-of)")
        case Trouble.FEW_LABELS:
            return _("the reference has too few labels to learn errors from: nothing is expected")
        case Trouble.MEANING:
            return _(
                "rows with labels are worse than was expected of these very rows: scores no longer mean what they "
                "meant (concept drift), and what is expected of other rows is too good"
            )
        case _:
            return str(trouble)
