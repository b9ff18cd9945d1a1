"""Judging a batch: what is measured of it and of the table it makes, and the refusal where a rule fails."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from lastro.engine.protocol import Measures, Staged
from lastro.model.errors import DataRefused
from lastro.model.finding import Finding, Verdict
from lastro.model.plan import Scope
from lastro.model.text import _, figures, ngettext
from lastro.model.version import RowCounts
from lastro.pipeline.discretion import discreet
from lastro.pipeline.joining import Joined
from lastro.pipeline.lookups import Lookups
from lastro.pipeline.target import Target
from lastro.quality.judge import judge_table


def judge_batch(target: Target, staged: Staged, found: Lookups, *, alone: bool) -> tuple[Measures, tuple[Finding, ...]]:
    """Counts of the batch's kept rows and what rules say; of a batch that is `alone` in its table, all rules. A number
    that could tell a withheld value is in no finding.
    """
    rules = [rule for rule in found.judged(target.plan.table_rules) if alone or rule.scope is not Scope.TABLE]
    kept = [file.path for file in staged.kept]
    measures = target.engine.measure(kept, target.plan.schema, rules, table=target.dataset, others=found.rows)
    return measures, discreet(target.plan, target.withheld, rules, judge_table(rules, measures, against=found.versions))


def judge_whole(target: Target, joined: Joined, found: Lookups, *, only: str | None) -> tuple[Finding, ...]:
    """What rules say of the whole table as it would be; `only` names the column of a history's current rows."""
    rules = [rule for rule in found.judged(target.plan.table_rules) if rule.scope is Scope.TABLE]
    if not rules:
        return ()
    whole = target.engine.measure(
        joined.files, joined.schema, rules, table=target.dataset, only=only, others=found.rows
    )
    return discreet(target.plan, target.withheld, rules, judge_table(rules, whole, against=found.versions))


def profile(measures: Measures, withheld: frozenset[str]) -> dict[str, object]:
    """The counts that go into the commit; a withheld column shows only how many values are missing."""
    columns: dict[str, object] = {}
    for name, column in measures.columns.items():
        values = dataclasses.asdict(column)
        columns[name] = {"nulls": column.nulls} if name in withheld else values
    return {"rows": measures.rows, "columns": columns}


def refuse_failed(dataset: str, findings: Sequence[Finding], source: str, counts: RowCounts) -> None:
    """Raises `DataRefused` if a rule failed."""
    failed = [finding for finding in findings if finding.verdict is Verdict.FAILED]
    if not failed:
        return
    first = failed[0]
    rows = _("row") if first.measured == 1 else _("rows")
    what = _broken(first).format(
        dataset=dataset,
        rule=first.rule,
        measured="" if first.measured is None else figures(f"{first.measured:g}"),
        unit=rows if first.unit == "rows" else "%",
        expected=first.expected,
    )
    if len(failed) > 1:
        what += _("; and {count} more").format(count=len(failed) - 1)
    error = DataRefused(
        what,
        where=ngettext("source {source}, {rows} row read", "source {source}, {rows} rows read", counts.read).format(
            source=source, rows=figures(f"{counts.read:,}")
        ),
        do=_("correct the source, or change the rule or its policy in the contract of {dataset}").format(
            dataset=dataset
        ),
    )
    error.findings = tuple(findings)
    raise error


def _broken(finding: Finding) -> str:
    if finding.measured is None:
        return _("{dataset} breaks the rule {rule}: expected {expected}")
    if finding.unit == "number":
        return _("{dataset} breaks the rule {rule}: {measured}, expected {expected}")
    return _("{dataset} breaks the rule {rule}: {measured} {unit}, expected {expected}")
