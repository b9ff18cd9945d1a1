"""What is known of how good predictions are, as plain frozen values. Names of classes are values of the data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from lastro.drift.decline import Change, Standing, Tolerance, standing_of
from lastro.drift.result import Drift


class Task(StrEnum):
    """What is predicted: one of several classes, or a number."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class Trouble(StrEnum):
    """Why rows do not count, or what speaks against what is expected of them."""

    NO_PREDICTION = "no prediction"
    NEW_PREDICTION = "new prediction"
    NEW_LABEL = "new label"
    NO_SCORE = "no score"
    SCORE_OUTSIDE = "score outside 0 to 1"
    SCORE_UNKNOWN = "score beyond the reference's"
    NOT_FINITE = "not finite"
    TYPES_DIFFER = "types differ"
    NO_SCORES = "no scores"
    FEW_LABELS = "few labels"
    MEANING = "scores mean something else"


@dataclass(frozen=True, slots=True)
class Count:
    """A side's rows: all, and those of them whose label has come. `troubles` are rows that do not count, or hardly."""

    rows: int = 0
    labelled: int = 0
    troubles: dict[Trouble, int] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """The rows whose label has not come."""
        return self.rows - self.labelled


@dataclass(frozen=True, slots=True)
class Learning:
    """What an error model learned from: so many rows `of` the reference's, which columns, and what they explain of the
    errors' variation (0 to 1). `left_out` says why other columns are not among them.
    """

    rows: int
    of: int
    columns: tuple[str, ...]
    explained: float
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Period:
    """The metrics of a part of the window, from a moment on. They say when it became worse, and decide nothing."""

    start: datetime
    rows: Count
    realised: tuple[Change, ...] = ()
    expected: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """How good predictions still are, against a reference whose labels are known.

    `realised` are the metrics of rows whose labels have come, `expected` those of the rows that wait for theirs.
    `meaning` are the realised metrics against what was expected of the very same rows. `drift` is that of predictions,
    scores and labels. `classes` are the reference's, in order; none if their names are withheld.
    """

    task: Task
    tolerance: Tolerance
    reference: Count
    current: Count
    realised: tuple[Change, ...] = ()
    expected: tuple[Change, ...] = ()
    meaning: tuple[Change, ...] = ()
    drift: Drift | None = None
    classes: tuple[str, ...] = field(default=(), repr=False)
    positive: str | None = field(default=None, repr=False)
    learning: Learning | None = None
    periods: tuple[Period, ...] = ()
    notes: tuple[Trouble, ...] = ()
    """What was noted of the whole, not of rows."""

    @property
    def standing(self) -> Standing:
        """What all metrics came to together."""
        return standing_of((*self.realised, *self.expected))

    @property
    def passed(self) -> bool:
        """True if something is known of some rows, and no metric is surely worse."""
        return self.standing not in {Standing.WORSE, Standing.UNKNOWN}

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """All of it as JSON's values."""
        plain = {name: value for name, value in asdict(self).items() if name != "drift"}
        plain["drift"] = None if self.drift is None else self.drift.to_dict()
        plain["current"]["waiting"] = self.current.waiting
        for period in plain["periods"]:
            period["start"] = period["start"].isoformat()
        return {"standing": self.standing, "passed": self.passed, **plain}
