"""Drift of a dataset, as a person asks for it: which reference, which window, which change matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lastro.model.errors import NotPermitted, UnknownName, UsageError
from lastro.model.period import parse_period
from lastro.model.reference import Moment, Reference
from lastro.model.text import _
from lastro.model.version import VersionInfo

if TYPE_CHECKING:
    from lastro.drift.result import ColumnDrift
    from lastro.drift.settings import Settings
    from lastro.drift.slices import SliceShare
    from lastro.pipeline.drift import Comparison, Window
    from lastro.workspace.dataset import Dataset
    from lastro.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, repr=False)
class DriftReport:
    """How the rows of a window differ from a reference's. `passed` if there were rows to compare and none drifted."""

    comparison: Comparison

    @property
    def passed(self) -> bool:
        """True if both sides have rows, and nothing surely moved by more than its margin."""
        from lastro.drift.result import Verdict

        found = self.comparison.drift
        return self.comparison.verdict is not Verdict.DRIFTED and bool(found.reference and found.current)

    def worst(self, count: int) -> tuple[ColumnDrift, ...]:
        """The first so many columns that drifted, or of which it is not known."""
        return self.comparison.drift.worst(count)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The report as plain values."""
        found = self.comparison
        counted = found.drift.to_dict()
        rows = {side: counted.pop(side) for side in ("reference", "current")}
        return {
            **sides(found.reference, found.window),
            "passed": self.passed,
            "rows_read": found.rows_read,
            "rows": rows,
            **counted,
            "verdict": found.verdict,
            "together": None if found.together is None else found.together.to_dict(),
            "left_out": dict(found.left_out),
            "by": found.by,
            "slices": [_slice(each) for each in found.slices],
            "slices_by_column": {name: [_slice(each) for each in shares] for name, shares in found.by_column.items()},
        }

    def __repr__(self) -> str:
        found = self.comparison
        return f"<drift from {found.reference.reference} to {found.window.version.reference}: {found.verdict}>"

    def _repr_html_(self) -> str:
        from lastro.report.blocks import Line
        from lastro.report.drift import drift, drift_verdict, left_out
        from lastro.report.html import to_html
        from lastro.report.together import together, with_together

        found = self.comparison
        told = drift(found.drift, slices=found.slices, by_column=found.by_column)
        verdict = Line(with_together(drift_verdict(found.drift), found.together))
        return to_html((verdict, *told, *together(found.together), *left_out(found.left_out)))


def sides(reference: VersionInfo, window: Window) -> dict[str, Any]:  # Any: JSON values
    """What is compared with what, as plain values."""
    return {
        "reference": {"version": reference.reference, "digest": reference.digest},
        "current": {
            "version": window.version.reference,
            "digest": window.version.digest,
            "after": None if window.after is None else window.after.reference,
            "time": window.time,
            "start": None if window.start is None else window.start.isoformat(),
        },
    }


def _slice(share: SliceShare) -> dict[str, Any]:  # Any: JSON values
    names = ("slice", "explained", "mix", "within", "share", "reference", "current")
    return {name: getattr(share, name) for name in names}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks to be compared; see `Dataset.drift`. `period` is for `Dataset.performance`, as `7d`."""

    reference: str
    current: str = "latest"
    since: str | None = None
    window: str | None = None
    time: str | None = None
    by: str | None = None
    columns: Sequence[str] = ()
    period: str | None = None


def drifted(dataset: Dataset, asked: Asked, settings: Settings) -> DriftReport:
    """Compares a window of a dataset with a reference."""
    from lastro.pipeline.drift import drift

    reference = dataset.find(asked.reference, collected=True)
    window = window_of(dataset, asked)
    refuse_hidden(dataset, (asked.by, asked.time))
    return DriftReport(drift(dataset.shown(), reference, window, settings=settings, columns=asked.columns, by=asked.by))


def refuse_hidden(dataset: Dataset, names: Sequence[str | None]) -> None:
    """Raises `NotPermitted` if whoever asks may be told nothing of one of these columns, by which rows are chosen."""
    hidden = {name.casefold() for name in dataset.hidden()}
    for name in names:
        if name is not None and name.casefold() in hidden:
            raise NotPermitted(
                _("of {column} of {dataset} you may be told nothing").format(column=name, dataset=dataset.name),
                do=_("see why: lastro policy explain {dataset}").format(dataset=dataset.name),
            )


def window_of(dataset: Dataset, asked: Asked) -> Window:
    """The rows that are asked for. Raises `UsageError`, `UnknownName`."""
    from lastro.pipeline.drift import Window

    current, since, time = dataset.find(asked.current, collected=True), asked.since, asked.time
    if since is not None and asked.window is not None:
        raise UsageError(_("since and window both say where the rows begin"), do=_("give one of them"))
    if since is None and asked.window is None:
        if time is not None:
            raise UsageError(_("a time column without a beginning"), do=_("add --since DATE, or --window 7d"))
        return Window(current)
    start = _start(dataset, asked)
    if time is not None:
        if start is None:
            raise UsageError(
                _("{since!r} is no date").format(since=since), do=_("write --since 2026-01-31, or leave out --time")
            )
        return Window(current, time=time, start=start)
    if start is None:
        return Window(current, after=dataset.find(since or "", collected=True))
    return Window(current, after=_newest_before(dataset, start))


def _start(dataset: Dataset, asked: Asked) -> datetime | None:
    """The moment at which the window begins; None if a version says so."""
    if asked.window is not None:
        return dataset.workspace.clock() - parse_period(asked.window)
    return _moment(dataset, asked.since or "")


def _moment(dataset: Dataset, since: str) -> datetime | None:
    """The moment that `since` names; None if it names a version otherwise. A date means its start."""
    selector = Reference.parse(f"{dataset.name}@{since}").selector
    if not isinstance(selector, Moment):
        return None
    return (
        selector.moment.replace(hour=0, minute=0, second=0, microsecond=0)
        if len(since) == len("2026-01-31")
        else selector.moment
    )


def _newest_before(dataset: Dataset, start: datetime) -> VersionInfo | None:
    """The version that was the newest at a moment; None if there was none yet: then all rows are new."""
    try:
        return dataset.table.find(Moment(start), collected=True)
    except UnknownName:
        return None


def settings_of(
    *,
    alpha: float | None,
    looks: int | None,
    margin: float | None,
    margin_rates: float | None,
    margins: Mapping[str, float],
    together: bool = False,
    margin_together: float | None = None,
    sample_rows: int | None = None,
) -> Settings:
    """The settings that a person gave, and the usual ones for what they did not. Raises `UsageError`."""
    from lastro.drift.settings import Settings

    usual = Settings()
    try:
        return Settings(
            alpha=usual.alpha if alpha is None else alpha,
            looks=usual.looks if looks is None else looks,
            margin=usual.margin if margin is None else margin,
            margins=dict(margins),
            margin_rates=usual.margin_rates if margin_rates is None else margin_rates,
            together=together,
            margin_together=margin_together,
            sample_rows=usual.sample_rows if sample_rows is None else sample_rows,
        )
    except ValueError as error:
        raise UsageError(
            _("the settings of drift make no sense: {why}").format(why=error),
            do=_("a margin is a share from 0 to less than 1, alpha a probability, looks a number from 1"),
        ) from error


def trained_on(workspace: Workspace, run_id: str, name: str | None) -> tuple[str, str]:
    """The dataset and version that a run read: what a model was trained on is what its production data is held against.

    Raises `UnknownName` if there is no such run or input, `UsageError` if the run read several and none is named.
    """
    from lastro.catalog.run_files import RunFiles
    from lastro.workspace.training.run import RUNS

    inputs = RunFiles(workspace.root / RUNS).read(run_id).inputs
    fitting = [used for used in inputs if name is None or used.dataset == name]
    if not fitting:
        raise UnknownName(
            _("the run {run} did not read {name}").format(run=run_id, name=name or _("any dataset")),
            do=_("it read: {names}").format(names=", ".join(used.reference for used in inputs) or "–"),
        )
    if len(fitting) > 1:
        raise UsageError(
            _("the run {run} read several versions").format(run=run_id),
            do=_("say which: lastro drift NAME --reference REF, with one of {names}").format(
                names=", ".join(used.reference for used in fitting)
            ),
        )
    return fitting[0].dataset, str(fitting[0].number)
