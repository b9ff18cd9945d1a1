"""Findings: what a rule, an outlier test or a drift test said about some data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How bad a violated rule is: an `error` discards the batch, a `warning` is told, `info` is noted."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Verdict(StrEnum):
    """What a rule came to."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"


class Policy(StrEnum):
    """What becomes of rows that a rule refuses.

    `fail` discards the whole batch, `quarantine` sets the rows aside under the rule's name, `warn` keeps and counts.
    """

    FAIL = "fail"
    QUARANTINE = "quarantine"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's result on one batch or version. It holds counts, never a value from the data.

    `measured` is the number the rule compared (in `unit`: `rows`, `percent`, or `number` for a statistic, which has its
    column's unit), `expected` says in words what it should have been, `rows_refused` how many rows broke a row rule.
    """

    rule: str
    verdict: Verdict
    severity: Severity
    policy: Policy
    column: str | None = None
    dimension: str | None = None
    measured: float | None = None
    unit: str = "rows"
    expected: str = ""
    rows_refused: int = 0
    rows_total: int = 0
    against: str = ""
    """The version of another dataset, with its digest, that the rule looked into."""

    @property
    def passed(self) -> bool:
        """True unless the rule failed."""
        return self.verdict is not Verdict.FAILED

    def to_dict(self) -> dict[str, str | int | float | None]:
        """The finding as plain values."""
        found = asdict(self)
        if not self.against:
            del found["against"]
        return found

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Finding:  # Any: JSON values
        """The finding of what `to_dict` gave; what this Lastro does not know is left out."""
        known = {name: told[name] for name in cls.__dataclass_fields__ if name in told}
        known |= {
            "verdict": Verdict(told["verdict"]),
            "severity": Severity(told["severity"]),
            "policy": Policy(told["policy"]),
        }
        return cls(**known)
