"""Status: how a dataset stands now, and how the last round of ingestions went, as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from lastro.model import clock


class Freshness(StrEnum):
    """Whether a dataset is as fresh as its contract promises: `empty` never had a version, `unpromised` owes nothing,
    `unknown` has a promise that cannot be judged.
    """

    FRESH = "fresh"
    LATE = "late"
    EMPTY = "empty"
    UNPROMISED = "unpromised"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """What a step of a round came to."""

    MADE = "made"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not tried, since a step failed that it is made from."""


@dataclass(frozen=True, slots=True)
class Step:
    """One dataset in one round. `what`, `where` and `do` are the error's, if it failed."""

    dataset: str
    outcome: Outcome
    ended: datetime
    seconds: float
    attempts: int = 1
    version: int | None = None
    kept: int = 0
    quarantined: int = 0
    code: str = ""
    what: str = ""
    do: str = ""
    exit_code: int = 0
    where: str = ""

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The step as plain values."""
        return {**asdict(self), "outcome": self.outcome.value, "ended": clock.to_text(self.ended)}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Step:  # Any: JSON values
        """The step that `to_dict` wrote. Raises `TypeError`, `ValueError`, `KeyError` on anything else."""
        return cls(**{**value, "outcome": Outcome(value["outcome"]), "ended": clock.from_text(value["ended"])})


@dataclass(frozen=True, slots=True)
class MonitorStep:
    """One look of a monitor in a round: the comparison's `verdict` and what was found in a sentence; `alarm` if it is
    drift that somebody is to be told of. `code`, `what` and `do` are the error's, if nothing could be compared.
    """

    monitor: str
    dataset: str
    number: int
    verdict: str
    alarm: bool
    what: str
    do: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class CheckStep:
    """A dataset's newest version held to its contract in a round: how many `rules` were judged and `failed`, in a
    sentence `what` that came to, and the command to look further. `code` is the error's if it could not be checked.
    """

    dataset: str
    reference: str
    passed: bool
    rules: int
    failed: int
    what: str
    do: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """One round: its steps in order. `flattened` are the datasets that lists became in it, with `flatten: true`;
    `looks` what monitors saw, `checks` what those that were due came to. `notes` are what could not be recorded.
    """

    started: datetime
    ended: datetime
    steps: tuple[Step, ...]
    flattened: tuple[str, ...] = ()
    looks: tuple[MonitorStep, ...] = ()
    checks: tuple[CheckStep, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True if no step failed, and none was skipped for it."""
        return all(step.outcome in {Outcome.MADE, Outcome.UNCHANGED} for step in self.steps)

    @property
    def exit_code(self) -> int:
        """The greatest of the steps'; 0 if all went well."""
        return worst(self.steps)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The round as plain values."""
        return {
            "started": clock.to_text(self.started),
            "ended": clock.to_text(self.ended),
            "passed": self.passed,
            "steps": [step.to_dict() for step in self.steps],
            "flattened": list(self.flattened),
            "looks": [asdict(look) for look in self.looks],
            "checks": [asdict(check) for check in self.checks],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """One dataset now. `age` is the newest version's; `late_by` is how much the worst broken promise is exceeded, and
    `promised` what it promised; `quarantined` are open rows; `last` is its step in the last round, if there was any.
    `stale` says in a word each why a derived dataset is to be built anew; None for others. `incidents` are those that
    are neither resolved nor muted; None if they cannot be read.
    """

    dataset: str
    freshness: Freshness
    version: int | None = None
    committed: datetime | None = None
    rows: int = 0
    size: int = 0
    quarantined: int = 0
    age: timedelta | None = None
    newest: datetime | None = None
    promised: timedelta | None = None
    late_by: timedelta | None = None
    last: Step | None = None
    notes: tuple[str, ...] = ()
    stale: tuple[str, ...] | None = None
    incidents: int | None = 0

    @property
    def passed(self) -> bool:
        """True unless it is late."""
        return self.freshness is not Freshness.LATE

    def to_dict(self) -> dict[str, Any]:  # Any: values for `report.json_values`
        """The status as plain values; periods are in seconds."""
        return {
            "dataset": self.dataset,
            "freshness": self.freshness.value,
            "version": self.version,
            "committed": self.committed,
            "rows": self.rows,
            "bytes": self.size,
            "quarantined": self.quarantined,
            "age_s": _seconds(self.age),
            "newest": self.newest,
            "promised_s": _seconds(self.promised),
            "late_by_s": _seconds(self.late_by),
            "last": None if self.last is None else self.last.to_dict(),
            "notes": list(self.notes),
            "stale": None if self.stale is None else list(self.stale),
            "incidents": self.incidents,
        }


def worst(steps: Iterable[Step]) -> int:
    """The greatest exit code among steps."""
    return max((step.exit_code for step in steps), default=0)


def _seconds(period: timedelta | None) -> float | None:
    return None if period is None else period.total_seconds()
