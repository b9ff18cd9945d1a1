"""Findings: what a rule, an outlier test or a drift test said about some data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


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

    `measured` is the number the rule compared (in `unit`: `rows`, `percent` or the query's own), `expected` says in
    words what it should have been, `rows_refused` how many rows broke a row rule.
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

    @property
    def passed(self) -> bool:
        """True unless the rule failed."""
        return self.verdict is not Verdict.FAILED

    def to_dict(self) -> dict[str, str | int | float | None]:
        """The finding as plain values."""
        return asdict(self)
