"""The performance of a model's predictions in a dataset, as a person asks for it: which columns hold what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lastro.model.errors import UsageError
from lastro.model.period import parse_period
from lastro.model.text import _
from lastro.model.version import VersionInfo
from lastro.workspace.monitoring.drifted import Asked, refuse_hidden, sides, window_of

if TYPE_CHECKING:
    from lastro.drift.assessment import Assessment
    from lastro.drift.decline import Tolerance
    from lastro.pipeline.drift import Window
    from lastro.pipeline.performance import Question
    from lastro.workspace.dataset import Dataset


@dataclass(frozen=True, slots=True, repr=False)
class PerformanceReport:
    """How good the predictions of a window are, against a reference's. `passed` if something is known and none of it is
    surely worse.
    """

    reference: VersionInfo
    window: Window
    found: Assessment

    @property
    def passed(self) -> bool:
        """True if some rows could be judged, and no metric is surely worse by more than the margin."""
        return self.found.passed

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The report as plain values."""
        told = self.found.to_dict()
        counts = {side: told.pop(side) for side in ("reference", "current")}
        return {**sides(self.reference, self.window), "rows": counts, **told}

    def __repr__(self) -> str:
        compared = f"{self.window.version.reference} against {self.reference.reference}"
        return f"<performance of {compared}: {self.found.standing}>"

    def _repr_html_(self) -> str:
        from lastro.report.blocks import Line
        from lastro.report.html import to_html
        from lastro.report.performance import performance, performance_verdict

        return to_html((Line(performance_verdict(self.found)), *performance(self.found)))


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what, and how it is judged; see `Dataset.performance`."""

    prediction: str
    label: str
    score: str | Mapping[str, str] | None = None
    features: Sequence[str] = ()
    task: str | None = None
    metrics: Sequence[str] = ()


def performed(dataset: Dataset, asked: Asked, columns: Columns, tolerance: Tolerance) -> PerformanceReport:
    """Judges the predictions of a window."""
    from lastro.drift.settings import Settings
    from lastro.pipeline.performance import performance

    reference, window = dataset.find(asked.reference), window_of(dataset, asked)
    settings = Settings(alpha=tolerance.alpha, looks=tolerance.looks)
    question = _question(columns, tolerance, asked.period)
    refuse_hidden(dataset, (*question.columns, asked.time))
    found = performance(dataset.shown(), reference, window, question, settings=settings)
    return PerformanceReport(reference, window, found)


def tolerance_of(*, alpha: float | None, looks: int | None, margin: float | None) -> Tolerance:
    """What a person said, and what is usual for what they did not. Raises `UsageError`."""
    from lastro.drift.decline import Tolerance

    usual = Tolerance()
    try:
        return Tolerance(
            alpha=usual.alpha if alpha is None else alpha,
            looks=usual.looks if looks is None else looks,
            margin=usual.margin if margin is None else margin,
        )
    except ValueError as error:
        raise UsageError(
            _("how much worse is worse makes no sense: {why}").format(why=error),
            do=_("a margin is a share from 0 to less than 1, alpha a probability, looks a number from 1"),
        ) from error


def _question(columns: Columns, tolerance: Tolerance, period: str | None) -> Question:
    from lastro.drift.assessment import Task
    from lastro.drift.metrics import Metric
    from lastro.pipeline.performance import Question

    tasks = [columns.task] if columns.task else []
    for said, names in ((columns.metrics, tuple(Metric)), (tasks, tuple(Task))):
        if unknown := [name for name in said if name not in names]:
            raise UsageError(
                _("{name!r} is neither a metric nor a task").format(name=unknown[0]),
                do=_("use one of: {names}").format(names=", ".join(names)),
            )
    return Question(
        prediction=columns.prediction,
        label=columns.label,
        score=columns.score if isinstance(columns.score, str) else None,
        scores={} if columns.score is None or isinstance(columns.score, str) else dict(columns.score),
        features=columns.features,
        task=Task(columns.task) if columns.task else None,
        metrics=tuple(Metric(name) for name in columns.metrics),
        period=None if period is None else parse_period(period),
        tolerance=tolerance,
    )
