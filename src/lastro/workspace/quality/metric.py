"""A metric of a dataset over its versions, and which of its values are not what those before let expect.

Rules:

1. Rows are those of each version. All else is read from the profiles that are kept beside the versions: no row is read,
   and a version without one has no value.
2. `missing` is the share of rows without a value, `mean` of numbers as they are and of texts of their lengths, `share`
   that of one value among the present ones.
3. A withheld column tells its missing values only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from lastro.model.errors import UnknownName, UsageError
from lastro.model.profile import ColumnProfile
from lastro.model.text import _
from lastro.model.version import VersionInfo

if TYPE_CHECKING:
    from lastro.quality.history.judge import Judged
    from lastro.workspace.dataset import Dataset

    Measure = Callable[[VersionInfo], float | None]


class Metric(StrEnum):
    """What is followed over versions."""

    ROWS = "rows"
    MISSING = "missing"
    MEAN = "mean"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which metric: all but `rows` are of a `column`, `share` is of one `value` of it."""

    metric: Metric = Metric.ROWS
    column: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class MetricHistory:
    """A metric's values, oldest first, each judged by those before it, with the versions they are of."""

    dataset: str
    asked: Asked
    budget: float
    versions: tuple[VersionInfo, ...]
    values: tuple[Judged, ...]

    @property
    def anomalies(self) -> int:
        """How many values are not what was expected."""
        from lastro.quality.history.judge import Verdict

        return sum(each.verdict is Verdict.ANOMALY for each in self.values)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The history as plain values."""
        return {
            "dataset": self.dataset,
            "metric": self.asked.metric.value,
            "column": self.asked.column,
            "of": self.asked.value,
            "budget": self.budget,
            "anomalies": self.anomalies,
            "values": [
                {"version": info.reference, **each.to_dict()}
                for info, each in zip(self.versions, self.values, strict=True)
            ],
        }

    def __repr__(self) -> str:
        return f"<{self.asked.metric} of {self.dataset} over {len(self.versions)} versions>"


def history(dataset: Dataset, asked: Asked, *, budget: float | None = None) -> MetricHistory:
    """What `Dataset.history` gives."""
    from lastro.quality.history.judge import BUDGET, judged

    if budget is not None and not budget > 0:
        raise UsageError(
            _("a budget of false alarms is more than none"), do=_("use a number such as 0.25: one in four months")
        )
    measure = _measure(dataset, asked)
    measured = [(info, measure(info)) for info in reversed(dataset.log())]
    # As judging puts them in order, too.
    present = sorted(((info, value) for info, value in measured if value is not None), key=lambda one: one[0].committed)
    chosen = BUDGET if budget is None else budget
    values = judged([(info.committed, value) for info, value in present], budget=chosen)
    return MetricHistory(dataset.name, asked, chosen, tuple(info for info, _value in present), values)


def asked(metric: str, column: str | None, value: str | None) -> Asked:
    """The metric that a person means. Raises `UsageError`."""
    if metric not in set(Metric):
        raise UsageError(
            _("{metric!r} is not followed over versions").format(metric=metric),
            do=_("use one of {metrics}").format(metrics=", ".join(Metric)),
        )
    found = Asked(Metric(metric), column, value)
    if (column is None) != (found.metric is Metric.ROWS):
        raise UsageError(
            _("the metric {metric} is of a whole table").format(metric=metric)
            if column is not None
            else _("the metric {metric} is of one column").format(metric=metric),
            do=_("leave out --column") if column is not None else _("add --column COLUMN"),
        )
    if (value is None) != (found.metric is not Metric.SHARE):
        raise UsageError(
            _("only the metric share is of one value"),
            do=_("write: lastro history NAME share --column COLUMN --value V"),
        )
    return found


def _measure(dataset: Dataset, asked: Asked) -> Measure:
    if asked.metric is Metric.ROWS:
        return lambda info: float(info.rows)
    column, target, schema = asked.column or "", dataset.shown(), dataset.find("latest").schema
    if column not in schema.names:
        raise UnknownName(
            _("there is no column {name!r}").format(name=column),
            do=_("use one of: {names}").format(names=", ".join(schema.names[:20])),
        )
    if asked.metric is not Metric.MISSING and column in target.withheld_of(schema):
        raise UsageError(
            _("{name} is withheld: of its values nothing is told").format(name=column),
            do=f"lastro history {dataset.name} missing --column {column}",
        )

    def measured(info: VersionInfo) -> float | None:
        profile = target.table.profile(info)
        if profile is None or column not in profile.columns:
            return None
        return _of_column(profile.columns[column], profile.rows, asked)

    return measured


def _of_column(column: ColumnProfile, rows: int, asked: Asked) -> float | None:
    present = rows - column.nulls
    if asked.metric is Metric.MISSING:
        return column.nulls / rows if rows else None
    if asked.metric is Metric.MEAN:
        numbers, frame = column.numbers, column.frame.numbers
        return None if numbers is None or frame is None else numbers.mean(frame)
    values, listed = column.values, column.frame.values
    if values is None or listed is None or not present:
        return None
    if asked.value in listed.values:
        return values.times[listed.values.index(asked.value)] / present
    return None if values.others else 0.0
