"""Checks: what a contract's rules say of one stored version, or why it could not be checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from lastro.model import clock
from lastro.model.finding import Finding, Verdict

Values = Mapping[str, Any]  # Any: column values


class Category(StrEnum):
    """What a rule belongs to: the columns, the rows and the table, or the service levels."""

    SCHEMA = "schema"
    QUALITY = "quality"
    SERVICE_LEVEL = "servicelevel"


class Result(StrEnum):
    """What a check came to; `error` where it could not be made, `unknown` where there was no rule."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CheckedRule:
    """One rule's finding. `kind` names what it measures, `sql` is a person's own text of it, `reason` says why it
    could not be judged as it stands; neither holds a value from the data.
    """

    finding: Finding
    category: Category
    kind: str
    sql: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FailingValues:
    """A stored row that breaks `rules`, by its number in the version, from 1: its key, and the values they read.

    Columns whose values are withheld are named in `withheld` and stand in neither.
    """

    row: int
    rules: tuple[str, ...]
    key: Values = field(repr=False)
    values: Values = field(repr=False)
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failures:
    """How many rows break at least one of the rules judged, and the first of them."""

    total: int
    rows: tuple[FailingValues, ...]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a contract says of one version of a dataset, or of a server's rows. `rules` come in the contract's order.

    `failures` is None unless rows were asked for. Where nothing could be checked, `error` says why, as plain values.
    Rows that were checked where they live came from the contract's `server`; `cleaned` says whether they were judged
    after the contract's cleaning, and is None of stored rows, which are clean. `notes` are told beside the rules.
    """

    run: str
    dataset: str
    reference: str
    started: datetime
    ended: datetime
    digest: str = ""
    rows: int = 0
    engine: str = ""
    contract: str = ""
    contract_version: str = ""
    contract_digest: str = ""
    rules: tuple[CheckedRule, ...] = ()
    failures: Failures | None = None
    error: Mapping[str, str | int] = field(default_factory=dict)
    server: str = ""
    cleaned: bool | None = None
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True if it could be checked, and no rule failed."""
        return not self.error and all(each.finding.passed for each in self.rules)

    @property
    def result(self) -> Result:
        """The worst of what was found."""
        if self.error:
            return Result.ERROR
        verdicts = {each.finding.verdict for each in self.rules}
        for verdict, result in _WORST_FIRST:
            if verdict in verdicts:
                return result
        return Result.UNKNOWN

    def count(self, verdict: Verdict) -> int:
        """How many rules came to this verdict."""
        return sum(each.finding.verdict is verdict for each in self.rules)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The check as a test run in the form that data contract tools exchange, with Lastro's numbers in it."""
        return {
            "runId": self.run,
            "dataContractId": self.contract or None,
            "dataContractVersion": self.contract_version or None,
            "dataProductId": None,
            "server": self.server or None,
            "timestampStart": clock.to_text(self.started),
            "timestampEnd": clock.to_text(self.ended),
            "result": self.result.value,
            "checks": [self._check(each) for each in self.rules],
            "logs": self._logs(),
            "dataset": self.dataset,
            "reference": self.reference,
            "digest": self.digest,
            "contractDigest": self.contract_digest,
            "rows": self.rows,
            "cleaned": self.cleaned,
            "notes": list(self.notes),
            "failures": None if self.failures is None else _failures(self.failures),
        }

    def _check(self, rule: CheckedRule) -> dict[str, Any]:  # Any: JSON values
        finding = rule.finding
        return {
            "id": f"{self.dataset}.{finding.rule}",
            "category": rule.category.value,
            "type": rule.kind,
            "name": finding.rule,
            "model": self.dataset,
            "field": finding.column,
            "engine": self.engine or None,
            "language": "sql" if rule.sql else None,
            "implementation": rule.sql or None,
            "result": finding.verdict.value,
            "reason": rule.reason or None,
            "details": None,
            "diagnostics": {
                "measured": finding.measured,
                "unit": finding.unit,
                "expected": finding.expected,
                "rows_refused": finding.rows_refused,
                "rows_total": finding.rows_total,
                "dimension": finding.dimension,
                "severity": finding.severity.value,
                "policy": finding.policy.value,
            },
        }

    def _logs(self) -> list[dict[str, str]]:
        if not self.error:
            return []
        message = f"{self.error.get('code', '')}: {self.error.get('what', '')}"
        return [{"level": "ERROR", "message": message, "timestamp": clock.to_text(self.ended)}]


_WORST_FIRST = (
    (Verdict.FAILED, Result.FAILED),
    (Verdict.WARNING, Result.WARNING),
    (Verdict.PASSED, Result.PASSED),
)


def _failures(found: Failures) -> dict[str, Any]:  # Any: JSON values
    rows = [
        {
            "row": each.row,
            "rules": list(each.rules),
            "key": dict(each.key),
            "values": dict(each.values),
            "withheld": list(each.withheld),
        }
        for each in found.rows
    ]
    return {"total": found.total, "rows": rows}
