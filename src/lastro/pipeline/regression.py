"""How good predicted numbers still are: the regression's half of `lastro.pipeline.performance`, whose rules hold here.

Rules of its own:

1. Errors are learned from columns of numbers, truth values and texts of few values; of texts, the most frequent
   `CATEGORIES_MAX` are told apart, others are as if missing. Keys, moments, labels and withheld columns are left out
   unless they are named.
2. A prediction or label that is infinite, or an error beyond `ERROR_MAX`, counts nowhere, and is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lastro.drift.assessment import Assessment, Count, Learning, Period, Task, Trouble
from lastro.drift.decline import Change, Standing, changes, standing_of
from lastro.drift.losses import CATEGORIES_MAX, ROWS_MIN, ErrorModel, estimate, learned
from lastro.drift.metrics import REGRESSION, Errors, Measured, Metric, of_errors
from lastro.model.errors import UsageError
from lastro.model.text import _
from lastro.pipeline.predictions import family, numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lastro.pipeline.performance import Question, Side

    Floats = NDArray[np.float64]

LEARN_ROWS = 50_000
SEED = 0
ERROR_MAX = 1e70


@dataclass(frozen=True, slots=True)
class _Features:
    """The columns that errors are learned from; of texts, which values have which code."""

    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, int]] = field(default_factory=dict, repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them, those of numbers first."""
        return (*self.numbers, *self.texts)

    def matrix(self, table: Any) -> Floats:  # Any: a pyarrow.RecordBatch or Table
        """A row for each row; NaN is missing."""
        import numpy as np

        found = [numbers(_whole(table.column(name))) for name in self.numbers]
        found += [_coded(_whole(table.column(name)), self.codes[name]) for name in self.texts]
        return np.stack(found, axis=1) if found else np.zeros((table.num_rows, 0))


_Learned = tuple[ErrorModel | None, _Features]


@dataclass(slots=True)
class _Taken:
    """What has been taken in of one side."""

    rows: int = 0
    labelled: int = 0
    counts: Counter[Trouble] = field(default_factory=Counter)
    realised: Errors = field(default_factory=Errors)

    def count(self) -> Count:
        """The side's rows."""
        return Count(self.rows, self.labelled, {trouble: n for trouble, n in self.counts.items() if n})


def regression(
    before: Side, now: Side, question: Question, *, time: str | None, parts: Mapping[datetime, Side]
) -> Assessment:
    """How good the window's predictions are. Raises what `performance` does."""
    features = _features(before, now, question, time)
    first, model, features = _learned(before, question, features)
    metrics = question.chosen(REGRESSION)
    second, waiting, checked = _applied(now, question, model, features)
    compared = _Compared(metrics, first.realised, question)
    realised, expected = _known(second, waiting, compared)
    meaning = compared.changes(compared.expected(*checked), compared.realised(second.realised))
    notes = [
        *([Trouble.FEW_LABELS] if model is None else []),
        *([Trouble.MEANING] if standing_of(meaning) is Standing.WORSE else []),
    ]
    learning = None
    if model is not None:
        learning = Learning(
            model.learned, first.realised.rows, features.columns, model.explained, dict(features.left_out)
        )
    return Assessment(
        Task.REGRESSION,
        question.tolerance,
        first.count(),
        second.count(),
        realised=realised,
        expected=expected,
        meaning=meaning if checked[0] else (),
        learning=learning,
        periods=tuple(_period(start, part, (model, features), compared) for start, part in parts.items()),
        notes=tuple(notes),
    )


def _known(
    taken: _Taken, waiting: tuple[int, Floats], compared: _Compared
) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """What was realised and is expected of some rows; nothing where there are none."""
    realised = compared.with_reference(compared.realised(taken.realised), taken.realised) if taken.realised.rows else ()
    return realised, compared.with_reference(compared.expected(*waiting), compared.reference) if waiting[0] else ()


def _period(start: datetime, part: Side, learned_from: _Learned, compared: _Compared) -> Period:
    taken, waiting, _checked = _applied(part, compared.question, *learned_from)
    return Period(start, taken.count(), *_known(taken, waiting, compared))


@dataclass(frozen=True, slots=True)
class _Compared:
    metrics: tuple[Metric, ...]
    reference: Errors
    question: Question

    @property
    def deviations(self) -> float:
        return self.question.tolerance.deviations(len(self.metrics))

    def realised(self, errors: Errors) -> Measured:
        return of_errors(errors, self.deviations, beside=self.reference)

    def expected(self, rows: int, sums: Floats) -> Measured:
        """What is expected of so many rows; they spread as the reference's do."""
        if not rows:
            return {}
        errors, doubt = estimate(rows, sums)
        return of_errors(errors, self.deviations, spread=self.reference, doubt=doubt)

    def with_reference(self, now: Measured, errors: Errors) -> tuple[Change, ...]:
        """What was measured against the reference; `errors` tell how far those of the rows spread."""
        return self.changes(of_errors(self.reference, self.deviations, beside=errors), now)

    def changes(self, before: Measured, now: Measured) -> tuple[Change, ...]:
        return changes(self.metrics, before, now, margin=self.question.tolerance.margin)


def _features(before: Side, now: Side, question: Question, time: str | None) -> _Features:
    """The columns to learn from (rule 1). Raises `UsageError` for a named one of which nothing can be learned."""
    told = {question.label, question.prediction, *([time] if time else [])}
    chosen: dict[str, str | None] = {}
    left_out: dict[str, str] = {}
    for each in before.schema.fields:
        kind = family(each.type)
        if each.name in told or (question.features and each.name not in question.features):
            continue
        if kind is None or each.name not in now.schema.names or family(now.schema.field(each.name).type) != kind:
            left_out[each.name] = _("its type")
        elif question.features:
            chosen[each.name] = kind
        elif each.name in before.target.plan.primary_key:
            left_out[each.name] = _("a key")
        elif each.name in before.target.withheld_of(before.schema):
            left_out[each.name] = _("withheld")
        else:
            chosen[each.name] = kind
    if refused := [name for name in question.features if name not in chosen]:
        raise UsageError(
            _("nothing can be learned from {names}").format(names=", ".join(refused)),
            do=_("name columns of numbers, truth values or texts that both sides have"),
        )
    texts = tuple(name for name, kind in chosen.items() if kind == "text")
    figures = (question.prediction, *(name for name in chosen if name not in texts))
    return _Features(figures, texts, left_out)


def _learned(before: Side, question: Question, features: _Features) -> tuple[_Taken, ErrorModel | None, _Features]:
    """Reads the reference, and learns from a part of it."""
    import numpy as np
    import pyarrow as pa

    taken, kept, errors = _Taken(), [], []
    draws = np.random.default_rng(SEED)
    for batch in before.batches(question.label, *features.columns):
        told, found = _take(taken, batch, question)
        taken.realised = taken.realised.plus(found)
        drawn = draws.random(len(found)) * before.info.rows < LEARN_ROWS
        kept.append(batch.filter(pa.array(told)).filter(pa.array(drawn)))
        errors.append(found[drawn])
    if not taken.realised.rows:
        raise UsageError(
            _("the reference has no labels"),
            where=before.info.reference,
            do=_("choose a reference whose labels have come"),
        )
    sample = np.concatenate(errors)
    if len(sample) < ROWS_MIN:
        return taken, None, features
    table = pa.Table.from_batches(kept)
    codes = {name: _codes(table.column(name)) for name in features.texts}
    features = _Features(features.numbers, features.texts, features.left_out, codes)
    kinds = [False] * len(features.numbers) + [True] * len(features.texts)
    return taken, learned(features.matrix(table), sample, kinds), features


def _applied(
    now: Side, question: Question, model: ErrorModel | None, features: _Features
) -> tuple[_Taken, tuple[int, Floats], tuple[int, Floats]]:
    """Reads the window: what was realised, and the sums expected of rows that wait, and of those with a label."""
    import numpy as np

    taken = _Taken()
    rows, sums = [0, 0], [np.zeros((1, 2)), np.zeros((1, 2))]
    for batch in now.batches(question.label, *(features.columns if model else (question.prediction,))):
        told, found = _take(taken, batch, question)
        taken.realised = taken.realised.plus(found)
        if model is None:
            continue
        usable = np.isfinite(numbers(batch.column(question.prediction)))
        matrix = features.matrix(batch)
        for place, mask in enumerate((usable & _unlabelled(batch, question), told)):
            rows[place] += int(mask.sum())
            sums[place] = sums[place] + model.expected(matrix[mask])
    return taken, (rows[0], sums[0]), (rows[1], sums[1])


def _take(taken: _Taken, batch: Any, question: Question) -> tuple[NDArray[np.bool_], Floats]:  # Any: a RecordBatch
    """Counts a batch's rows; says which have an error that is a number, and gives those errors."""
    import numpy as np

    predicted = numbers(batch.column(question.prediction))
    waiting = _unlabelled(batch, question)
    taken.rows += batch.num_rows
    taken.labelled += int((~waiting).sum())
    taken.counts[Trouble.NO_PREDICTION] += int(np.isnan(predicted).sum())
    if waiting.all():
        taken.counts[Trouble.NOT_FINITE] += int(np.isinf(predicted).sum())
        return ~waiting, np.zeros(0)
    labels = numbers(batch.column(question.label))
    with np.errstate(invalid="ignore", over="ignore"):
        errors = predicted - labels
        told = np.abs(errors) <= ERROR_MAX
    strange = np.isinf(predicted) | (~waiting & ~np.isnan(predicted) & ~told)
    taken.counts[Trouble.NOT_FINITE] += int(strange.sum())
    return told, errors[told]


def _unlabelled(batch: Any, question: Question) -> NDArray[np.bool_]:  # Any: a pyarrow.RecordBatch
    """Which rows have no label; all if there is no such column."""
    import numpy as np

    if question.label not in batch.schema.names:
        return np.ones(batch.num_rows, dtype=bool)
    return np.isnan(numbers(batch.column(question.label)))


def _whole(column: Any) -> Any:  # Any: a pyarrow array, in one piece
    return column.combine_chunks() if hasattr(column, "combine_chunks") else column


def _codes(column: Any) -> dict[str, int]:  # Any: a pyarrow chunked array of texts
    """The most frequent values, each with its code."""
    counts = Counter({each["values"]: each["counts"] for each in column.value_counts().to_pylist()})
    counts.pop(None, None)
    first = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:CATEGORIES_MAX]
    return {value: code for code, (value, _count) in enumerate(first)}


def _coded(column: Any, codes: Mapping[str, int]) -> Floats:  # Any: a pyarrow array of texts
    import numpy as np

    coding = column.dictionary_encode()
    values = (*coding.dictionary.to_pylist(), None)
    table = np.asarray([codes.get(value, np.nan) if value is not None else np.nan for value in values])
    found: Floats = table[coding.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)]
    return found
