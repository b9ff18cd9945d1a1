"""Service levels as rules of a check: how old the newest rows are, against what the contract promises.

A promise that cannot be judged warns, as `lastro status` does.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from lastro.model.check import Category, CheckedRule
from lastro.model.finding import Finding, Policy, Severity, Verdict
from lastro.model.text import _
from lastro.quality.nature import TIMELINESS
from lastro.report.numbers import duration
from lastro.workspace.quality.freshness import Age


def freshness_rule(age: Age, now: datetime, *, rows: int, committed: datetime | None = None) -> CheckedRule:
    """A promise of freshness about so many rows; without a column it is about when they were `committed`."""
    promise = age.promise
    since = age.newest or (None if promise.column else committed)
    verdict = Verdict.PASSED if age.over is not None and age.over <= timedelta(0) else Verdict.FAILED
    return _rule(
        f"{promise.column}.{promise.property}" if promise.column else promise.property,
        Verdict.WARNING if age.over is None else verdict,
        rows,
        column=promise.column or None,
        measured=None if since is None else round((now - since).total_seconds(), 3),
        expected=_("at most {period} old").format(period=duration(promise.period.total_seconds())),
        reason=age.note,
    )


def unread_rule(note: str, rows: int) -> CheckedRule:
    """A service level that could not be read, as the note says."""
    return _rule("servicelevel", Verdict.WARNING, rows, reason=note)


def _rule(
    rule: str,
    verdict: Verdict,
    rows: int,
    *,
    column: str | None = None,
    measured: float | None = None,
    expected: str = "",
    reason: str = "",
) -> CheckedRule:
    finding = Finding(
        rule,
        verdict,
        Severity.ERROR,
        Policy.FAIL,
        column=column,
        dimension=TIMELINESS,
        measured=measured,
        unit="seconds",
        expected=expected,
        rows_total=rows,
    )
    return CheckedRule(finding, Category.SERVICE_LEVEL, "servicelevel_freshness", reason=reason)
