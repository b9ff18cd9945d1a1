"""How good predictions still are: a window's, against a reference whose labels are known.

Rules:

1. The reference is read first: which classes there are, how good the predictions were, and what scores mean or which
   rows have large errors. Then the window is read once. No row is kept, but for those that an error model learns from:
   at most `LEARN_ROWS`, drawn evenly and always the same ones; how many is told.
2. Rows whose label has come tell what was realised; rows that wait for it, what is expected. What is expected of rows
   with a label is held against the label: where it is surely better, scores no longer mean what they meant.
3. A row without prediction, or with one that the reference does not know, counts nowhere; how many there are is told.
   A label that the reference does not know makes the prediction wrong.
4. Drift is that of the predictions, the scores and the labels that have come. That labels are missing is no drift: they
   are counted as waiting.
5. Of columns that are withheld, only what is counted of all rows together is told; classes are not named then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lastro.drift import tally as tallies
from lastro.drift.assessment import Assessment, Count, Period, Task, Trouble
from lastro.drift.decline import Change, Standing, Tolerance, changes, standing_of
from lastro.drift.metrics import CLASSIFICATION, Measured, Metric, of_classes
from lastro.drift.performance import Calibration, calibrated
from lastro.drift.result import ORDER, Drift, worst_of
from lastro.drift.settings import Fact, Settings
from lastro.drift.tally import Tally
from lastro.drift.words import of_table
from lastro.model.errors import UnknownName, UsageError
from lastro.model.schema import Schema, type_text
from lastro.model.text import _, ngettext
from lastro.model.version import FileEntry, VersionInfo
from lastro.pipeline.drift import Window, condition, drift, files_of
from lastro.pipeline.predictions import CLASSES_MAX, Names, Reader, classes_in, family, is_fraction, names_of
from lastro.pipeline.target import Target

if TYPE_CHECKING:
    from lastro.pipeline.predictions import Rows

PERIODS_MAX = 100


@dataclass(frozen=True, slots=True)
class Question:
    """Which columns hold what. `scores` maps classes to columns, `score` is the column of the positive class's score.

    `features` are the columns that errors are learned from, all that mean something where there are none. With a
    `period`, the window's parts are told, too.
    """

    prediction: str
    label: str
    score: str | None = None
    scores: Mapping[str, str] = field(default_factory=dict)
    features: Sequence[str] = ()
    task: Task | None = None
    metrics: Sequence[Metric] = ()
    period: timedelta | None = None
    tolerance: Tolerance = field(default_factory=Tolerance)

    @property
    def score_columns(self) -> tuple[str, ...]:
        """The columns of scores."""
        return (*([self.score] if self.score is not None else ()), *self.scores.values())

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is asked about."""
        return (self.prediction, self.label, *self.score_columns, *self.features)

    def chosen(self, metrics: Sequence[Metric]) -> tuple[Metric, ...]:
        """Those of these metrics that are asked for. Raises `UsageError` if none is."""
        found = tuple(metric for metric in metrics if not self.metrics or metric in self.metrics)
        if not found:
            raise UsageError(
                _("these metrics are not of this task"),
                do=_("choose among: {names}").format(names=", ".join(metrics)),
            )
        return found


@dataclass(frozen=True, slots=True)
class Side:
    """The rows of one side: some files of a version, and a condition."""

    target: Target
    info: VersionInfo
    files: Sequence[FileEntry]
    where: str | None = None

    @property
    def schema(self) -> Schema:
        """The version's columns."""
        return self.info.schema

    def batches(self, *columns: str) -> Iterator[Any]:  # Any: pyarrow.RecordBatch
        """The rows of these columns, as far as the version has them, a batch at a time."""
        import pyarrow as pa

        table = self.target.table
        table.paths(self.info)  # proves the files
        if not self.files:
            return
        names = [name for name in dict.fromkeys(columns) if name in self.schema.names]
        paths = [table.file(entry.path) for entry in self.files]
        stream = self.target.engine.read(paths, self.schema, columns=names, where=self.where)
        yield from pa.RecordBatchReader.from_stream(stream)


def performance(
    target: Target, reference: VersionInfo, window: Window, question: Question, *, settings: Settings
) -> Assessment:
    """How good the predictions of a window are, against those of a reference. `settings` are of the drift.

    Raises `UsageError`, `UnknownName`, `MissingExtra`, `Corrupted`, `Expired`, `EngineError`.
    """
    before = Side(target, reference, reference.files)
    now = Side(target, window.version, files_of(window), condition(window))
    _check(before, now, question)
    task = question.task or _task(before.schema, question)
    parts = _parts(now, window, question.period)
    if task is Task.REGRESSION:
        from lastro.pipeline.regression import regression

        _check_numbers(before, now, question)
        found = regression(before, now, question, time=window.time, parts=parts)
    else:
        found = _classification(before, now, question, parts)
    return replace(found, drift=_drift(target, reference, window, question, settings))


def _check(before: Side, now: Side, question: Question) -> None:
    """Raises `UnknownName` for a column that is not there, `UsageError` for one that cannot be what it is said to."""
    needed = [question.prediction, *question.score_columns]
    for side, names in ((before, [*needed, question.label, *question.features]), (now, [*needed, *question.features])):
        for name in names:
            if name not in side.schema.names:
                raise UnknownName(
                    _("{reference} has no column {name!r}").format(reference=side.info.reference, name=name),
                    do=_("use one of: {names}").format(names=", ".join(side.schema.names[:20])),
                )
        for name in (*needed, question.label):
            if name in side.schema.names:
                _check_type(side, name, number=name in question.score_columns)
    if question.label == question.prediction:
        raise UsageError(
            _("label and prediction are the same column"), do=_("name the column of labels that came later")
        )


def _check_type(side: Side, name: str, *, number: bool) -> None:
    kind = side.schema.field(name).type
    if family(kind) is None or (number and family(kind) != "number"):
        raise UsageError(
            _("{name} is {type}: it holds no such thing").format(name=name, type=type_text(kind)),
            do=_("scores are numbers; labels and predictions are texts, numbers or truth values"),
        )


def _check_numbers(before: Side, now: Side, question: Question) -> None:
    """Raises `UsageError` for texts where a regression's numbers are meant."""
    for side in (before, now):
        for name in (question.prediction, question.label):
            kind = side.schema.field(name).type if name in side.schema.names else None
            if kind is not None and family(kind) == "text":
                raise UsageError(
                    _("{name} is {type}, and a regression is about numbers").format(name=name, type=type_text(kind)),
                    do=_("leave out --task, or say classification"),
                )


def _task(schema: Schema, question: Question) -> Task:
    kinds = [schema.field(name).type for name in (question.prediction, question.label)]
    are_numbers = all(family(kind) == "number" for kind in kinds)
    if are_numbers and any(map(is_fraction, kinds)) and not question.score_columns:
        return Task.REGRESSION
    return Task.CLASSIFICATION


@dataclass(frozen=True, slots=True)
class _Classes:
    """The classes in order, the positive one last if there is one, and the columns of their scores."""

    order: tuple[str, ...]
    names: Names
    scores: tuple[str, ...] = ()
    positive: int | None = None


@dataclass(frozen=True, slots=True)
class _Counted:
    """What was counted of one side of a classifier."""

    rows: Count
    realised: Tally
    waiting: Tally
    checked: Tally


def _parts(now: Side, window: Window, period: timedelta | None) -> dict[datetime, Side]:
    """The window's parts, by the moment from which each is. Raises `UsageError` without a time, or if they are many."""
    if period is None:
        return {}
    if window.time is None or window.start is None:
        raise UsageError(
            _("periods need a column that says when a row happened"), do=_("add --time COLUMN and --since DATE")
        )
    newest = max((last for batch in now.batches(window.time) if (last := _newest(batch.column(0)))), default=None)
    starts: list[datetime] = []
    while newest is not None and window.start + len(starts) * period <= newest:
        starts.append(window.start + len(starts) * period)
        if len(starts) > PERIODS_MAX:
            raise UsageError(
                _("there are more than {n} periods").format(n=PERIODS_MAX), do=_("choose a longer period, such as 7d")
            )
    bounds = [condition(replace(window, start=start)) for start in (*starts, window.start + len(starts) * period)]
    pairs = zip(starts, bounds, bounds[1:], strict=False)
    return {start: replace(now, where=f"({first}) AND NOT ({last})") for start, first, last in pairs}


def _newest(column: Any) -> datetime | None:  # Any: a pyarrow array of dates or moments
    import pyarrow as pa
    import pyarrow.compute as pc

    found: datetime | None = pc.max(column.cast(pa.timestamp("us"))).as_py()
    return None if found is None else found.replace(tzinfo=UTC)


def _classification(before: Side, now: Side, question: Question, parts: Mapping[datetime, Side]) -> Assessment:
    classes = _classes(before, now, question)
    reader = Reader(
        question.label,
        question.prediction,
        classes.scores,
        {name: place for place, name in enumerate(classes.order)},
        classes.names,
    )
    first = _counted(before, reader, len(classes.order), None)
    calibration = _calibration(first, classes)
    second = _counted(now, reader, len(classes.order), calibration)
    metrics = question.chosen(CLASSIFICATION if classes.scores else CLASSIFICATION[:-1])
    compared = _Compared(metrics, first.realised, classes.positive, question.tolerance)
    meaning = compared.against(second.realised, second.checked)
    notes = [
        *([Trouble.TYPES_DIFFER] if classes.names.is_loose else []),
        *([] if classes.scores else [Trouble.NO_SCORES]),
        *([Trouble.MEANING] if standing_of(meaning) is Standing.WORSE else []),
    ]
    hidden = {question.label, question.prediction} & before.target.withheld_of(before.schema)
    return Assessment(
        Task.CLASSIFICATION,
        question.tolerance,
        first.rows,
        _beyond(second, first.realised),
        realised=compared.with_reference(second.realised),
        expected=compared.with_reference(second.waiting),
        meaning=meaning,
        classes=() if hidden else classes.order,
        positive=None if hidden or classes.positive is None else classes.order[classes.positive],
        periods=tuple(
            _period(start, _counted(part, reader, len(classes.order), calibration), compared)
            for start, part in parts.items()
        ),
        notes=tuple(notes),
    )


def _period(start: datetime, counted: _Counted, compared: _Compared) -> Period:
    realised, expected = compared.with_reference(counted.realised), compared.with_reference(counted.waiting)
    return Period(start, counted.rows, realised, expected)


def _classes(before: Side, now: Side, question: Question) -> _Classes:
    """Raises `UsageError` if there are too few or too many, or scores do not fit them."""
    names = names_of([before.schema, now.schema], [question.label, question.prediction])
    found = classes_in(before.batches(question.label, question.prediction), names) or [set(), set()]
    if any(len(each) > CLASSES_MAX for each in found):
        raise UsageError(
            _("there are more than {n} classes").format(n=CLASSES_MAX),
            where=before.info.reference,
            do=_("choose other columns, or say that numbers are predicted: --task regression"),
        )
    labels, predicted = found
    if len(labels) < 2:
        raise UsageError(
            _("the labels of the reference are all of one class") if labels else _("the reference has no labels"),
            where=before.info.reference,
            do=_("choose a reference whose labels have come, of two classes at least"),
        )
    asked = {names.asked(name): column for name, column in question.scores.items()}
    order = tuple(sorted(labels | predicted | set(asked)))
    hidden = bool({question.label, question.prediction} & before.target.withheld_of(before.schema))
    if question.score is not None and not asked:
        asked = {_positive(order, hidden=hidden): question.score}
    if len(asked) == 1:
        return _of_two(order, names, *next(iter(asked.items())))
    missing = [name for name in order if asked and name not in asked]
    if missing or (question.score is not None and question.scores):
        raise UsageError(
            ngettext("{n} class has no score", "{n} classes have no score", len(missing)).format(n=len(missing)),
            do=_("write --score-of CLASS=COLUMN for each class: {names}").format(
                names="…" if hidden else ", ".join(order)
            ),
        )
    place = order.index(_positive(order, hidden=hidden)) if _are_plain(order) else None
    return _Classes(order, names, tuple(asked[name] for name in order) if asked else (), place)


def _of_two(order: tuple[str, ...], names: Names, positive: str, column: str) -> _Classes:
    if len(order) != 2 or positive not in order:
        raise UsageError(
            _("one score tells two classes apart, and there are {n}").format(n=len(order)),
            do=_("write --score-of CLASS=COLUMN for each class, as the reference names it"),
        )
    return _Classes((*(name for name in order if name != positive), positive), names, (column,), 1)


def _are_plain(order: tuple[str, ...]) -> bool:
    return order in {("0", "1"), ("false", "true")}


def _positive(order: tuple[str, ...], *, hidden: bool) -> str:
    """The class that a single score is of. Raises `UsageError` if nobody said so."""
    if _are_plain(order):
        return order[1]
    raise UsageError(
        _("of which class is the score?"),
        do=_("write --score-of CLASS=COLUMN, with one of: {names}").format(names="…" if hidden else ", ".join(order)),
    )


def _calibration(first: _Counted, classes: _Classes) -> Calibration | None:
    if not classes.scores:
        return None
    if not first.realised.rows.sum():
        raise UsageError(
            _("no row of the reference has a label and scores from 0 to 1"),
            do=_("name columns of probabilities, or leave the scores out"),
        )
    return calibrated(first.realised)


def _counted(side: Side, reader: Reader, classes: int, calibration: Calibration | None) -> _Counted:
    """What the rows of a side come to; nothing is expected of them where there is no calibration yet."""
    realised, waiting, checked = (tallies.empty(classes) for _each in range(3))
    counts: Counter[Trouble] = Counter()
    rows = labelled = 0
    for batch in side.batches(reader.label, reader.prediction, *reader.scores):
        found = reader.rows(batch)
        rows += batch.num_rows
        labelled += int((found.labels >= 0).sum())
        counts.update(_troubles(found, classes))
        known = (found.predicted >= 0) & (found.predicted < classes)
        told = known & (found.labels >= 0)
        realised.take(found.labels[told], found.predicted[told])
        if found.scores is None:
            continue
        scored = found.is_scored & known
        realised.score(found.labels[told & scored], found.scores[told & scored])
        if calibration is not None:
            for mask, tally in ((scored & ~told, waiting), (scored & told, checked)):
                tally.expect(calibration.chances(found.scores[mask]), found.predicted[mask], found.scores[mask])
    troubles = {trouble: count for trouble, count in counts.items() if count}
    return _Counted(Count(rows, labelled, troubles), realised, waiting, checked)


def _troubles(rows: Rows, classes: int) -> dict[Trouble, int]:
    found = {
        Trouble.NO_PREDICTION: rows.predicted < 0,
        Trouble.NEW_PREDICTION: rows.predicted == classes,
        Trouble.NEW_LABEL: rows.labels == classes,
    }
    if rows.scores is not None:
        found[Trouble.NO_SCORE] = ~rows.is_scored & ~rows.is_outside
        found[Trouble.SCORE_OUTSIDE] = rows.is_outside
    return {trouble: int(mask.sum()) for trouble, mask in found.items()}


def _beyond(counted: _Counted, reference: Tally) -> Count:
    """The count, with the waiting rows that have a score lower or higher than any of the reference's."""
    import numpy as np

    most = 0
    for place in range(reference.classes):
        held = np.flatnonzero(reference.rows[place])
        if len(held):
            rows = counted.waiting.rows[place]
            most = max(most, int(rows[: held[0]].sum() + rows[held[-1] + 1 :].sum()))
    troubles = {**counted.rows.troubles, **({Trouble.SCORE_UNKNOWN: most} if most else {})}
    return replace(counted.rows, troubles=troubles)


@dataclass(frozen=True, slots=True)
class _Compared:
    """What a classifier's rows are compared with, and how surely."""

    metrics: tuple[Metric, ...]
    reference: Tally
    positive: int | None
    tolerance: Tolerance

    def with_reference(self, now: Tally) -> tuple[Change, ...]:
        """Each metric against the reference's; nothing if there are no rows."""
        return self.against(now, self.reference)

    def against(self, now: Tally, before: Tally) -> tuple[Change, ...]:
        """Each metric against that of other rows, over the classes that both have."""
        if now.counted <= 0 or before.counted <= 0:
            return ()
        among = _seen(now) & _seen(before)
        sides = [self._measured(tally, among) for tally in (before, now)]
        return changes(self.metrics, *sides, margin=self.tolerance.margin)

    def _measured(self, tally: Tally, among: frozenset[int]) -> Measured:
        deviations = self.tolerance.deviations(len(self.metrics))
        return of_classes(tally, deviations, positive=self.positive, among=among)


def _seen(tally: Tally) -> frozenset[int]:
    """The classes of which there is a row, or one is expected."""
    return frozenset(place for place in range(tally.classes) if tally.confusion[place].sum() >= 1)


def _drift(
    target: Target, reference: VersionInfo, window: Window, question: Question, settings: Settings
) -> Drift | None:
    """The drift of what the model gave and of what it should have given (rule 4)."""
    names = [question.prediction, *question.score_columns]
    if question.label in window.version.schema.names:
        names.append(question.label)
    found = drift(target, reference, window, settings=settings, columns=tuple(dict.fromkeys(names))).drift
    columns = []
    for column in found.columns:
        if column.name == question.label:
            shifts = tuple(shift for shift in column.shifts if shift.fact is not Fact.MISSING)
            if not column.current or not shifts:
                continue
            worst = worst_of([shift.verdict for shift in shifts])
            words = next(shift.words for shift in shifts if shift.verdict is worst)
            column = replace(column, shifts=shifts, verdict=worst, words=words)  # noqa: PLW2901 – the same, judged anew
        columns.append(column)
    columns.sort(key=lambda column: (ORDER.index(column.verdict), -column.contribution))
    worst = worst_of([column.verdict for column in columns])
    concerned = sum(column.verdict is worst for column in columns)
    return replace(found, verdict=worst, words=of_table(worst, len(columns), concerned), columns=tuple(columns))
