"""The judgement: what the counts of a batch, or of stored rows, mean under a plan's rules.

Rules:

1. A row rule with policy `quarantine` passes when no row broke it and warns when rows were set aside; with a
   threshold it fails when the number set aside does not satisfy it.
2. A row rule with policy `fail` or `warn` compares its count with its threshold, `mustBe 0` where none is given.
3. A table rule compares its measured number with its threshold. A number that could not be measured (NULL) is violated.
4. A violated rule fails if its severity is `error` and its policy is not `warn`; otherwise it warns.
5. `percent` is of the rows read for row rules, of the rows measured for table rules; 0 rows are 0 percent.
6. Records that could not be taken apart, and repeated primary keys, are findings too.
7. One failed finding refuses the whole batch.
8. Stored rows are judged as a batch is, but for the quarantine: what should be there must not be in the table. So a row
   rule with that policy allows no row, whatever its threshold says of a batch.
9. A rule that cannot be judged on stored rows is violated: silence would count as kept.
10. Rows where they live, which nobody set aside, are judged by the threshold that the contract states, whatever the
    policy; where it states none, no row may break the rule.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from lastro.engine.protocol import ERASED, MALFORMED, PRIMARY_KEY, Measures, Staged, Tally
from lastro.model.finding import Finding, Policy, Severity, Verdict
from lastro.model.plan import Operator, Orphans, Plan, RowRule, TableRule, Threshold, Unit
from lastro.model.text import _

NONE_ALLOWED = Threshold(Operator.MUST_BE, (0.0,))
QUARANTINED = "quarantined"
"""The rule's name for the bound on how much of a batch may be set aside."""


def judge_rows(plan: Plan, staged: Staged) -> tuple[Finding, ...]:
    """What the row rules, the primary key and the bound on the quarantine say of a staged batch."""
    findings = [_judge_row_rule(rule, staged) for rule in plan.row_rules]
    findings += [_set_aside(name, staged) for name in (MALFORMED, PRIMARY_KEY, ERASED) if staged.refused.get(name)]
    if plan.quarantined_max is not None:
        findings.append(_judge_quarantine(plan.quarantined_max, staged))
    return tuple(findings)


def judge_table(
    rules: Iterable[TableRule], measures: Measures, *, against: Mapping[str, str] | None = None
) -> tuple[Finding, ...]:
    """What the table rules say of measured rows; `against` tells the version behind each reference they look into."""
    return tuple(_judge_table_rule(rule, measures, against or {}) for rule in rules)


def judge_stored(plan: Plan, tally: Tally, *, against: Mapping[str, str] | None = None) -> tuple[Finding, ...]:
    """What the row rules, then the table rules of a plan say of stored rows."""
    rows = (_judge_counted(rule, _stored_threshold(rule), tally) for rule in plan.row_rules)
    return (*rows, *judge_table(plan.table_rules, Measures(tally.counted, {}, tally.table_rules), against=against))


def judge_source(plan: Plan, tally: Tally, *, against: Mapping[str, str] | None = None) -> tuple[Finding, ...]:
    """What the row rules, then the table rules of a plan say of rows where they live."""
    rows = (_judge_counted(rule, rule.threshold or NONE_ALLOWED, tally) for rule in plan.row_rules)
    return (*rows, *judge_table(plan.table_rules, Measures(tally.counted, {}, tally.table_rules), against=against))


def unjudged(rule: RowRule | TableRule, rows: int) -> Finding:
    """The finding of a rule that cannot be judged on these stored rows."""
    threshold = _stored_threshold(rule)
    return _finding(rule, threshold, None, verdict=_verdict(rule.severity, rule.policy, holds=False), total=rows)


def satisfies(number: float, threshold: Threshold) -> bool:
    """True if the number is what the threshold asks for. NaN satisfies nothing."""
    if math.isnan(number):
        return False
    first, last = threshold.operands[0], threshold.operands[-1]
    match threshold.operator:
        case Operator.MUST_BE:
            return number == first
        case Operator.MUST_NOT_BE:
            return number != first
        case Operator.GREATER:
            return number > first
        case Operator.GREATER_OR_EQUAL:
            return number >= first
        case Operator.LESS:
            return number < first
        case Operator.LESS_OR_EQUAL:
            return number <= first
        case Operator.BETWEEN:
            return first <= number <= last
        case Operator.NOT_BETWEEN:
            return not first <= number <= last


def in_words(threshold: Threshold) -> str:
    """The threshold as a person reads it: `at most 2 %`, `between 10 and 20 rows`."""
    numbers = [f"{operand:g}" for operand in threshold.operands]
    rows = _("row") if numbers[-1] == "1" else _("rows")
    unit = {Unit.PERCENT: "%", Unit.ROWS: rows, None: ""}[threshold.unit]
    return _phrase(threshold.operator).format(first=numbers[0], last=numbers[-1], unit=unit).strip()


def _phrase(operator: Operator) -> str:
    match operator:
        case Operator.MUST_BE:
            return _("exactly {first} {unit}")
        case Operator.MUST_NOT_BE:
            return _("not {first} {unit}")
        case Operator.GREATER:
            return _("more than {first} {unit}")
        case Operator.GREATER_OR_EQUAL:
            return _("at least {first} {unit}")
        case Operator.LESS:
            return _("less than {first} {unit}")
        case Operator.LESS_OR_EQUAL:
            return _("at most {first} {unit}")
        case Operator.BETWEEN:
            return _("between {first} and {last} {unit}")
        case Operator.NOT_BETWEEN:
            return _("not between {first} and {last} {unit}")


def _judge_row_rule(rule: RowRule, staged: Staged) -> Finding:
    refused = staged.refused.get(rule.name, 0)
    threshold = rule.threshold or NONE_ALLOWED
    measured = _in_unit(refused, staged.counts.read, threshold.unit)
    if rule.policy is Policy.QUARANTINE and rule.threshold is None:
        verdict = Verdict.WARNING if refused else Verdict.PASSED
    else:
        verdict = _verdict(rule.severity, rule.policy, holds=satisfies(measured, threshold))
        if verdict is Verdict.PASSED and rule.policy is Policy.QUARANTINE and refused:
            verdict = Verdict.WARNING
    return _finding(rule, threshold, measured, verdict=verdict, refused=refused, total=staged.counts.read)


def _judge_counted(rule: RowRule, threshold: Threshold, tally: Tally) -> Finding:
    refused = tally.refused[rule.name]
    measured = _in_unit(refused, tally.rows, threshold.unit)
    verdict = _verdict(rule.severity, rule.policy, holds=satisfies(measured, threshold))
    return _finding(rule, threshold, measured, verdict=verdict, refused=refused, total=tally.rows)


def _stored_threshold(rule: RowRule | TableRule) -> Threshold:
    if rule.policy is Policy.QUARANTINE or rule.threshold is None:
        return NONE_ALLOWED
    return rule.threshold


def _set_aside(name: str, staged: Staged) -> Finding:
    refused = staged.refused[name]
    return Finding(
        rule=name,
        verdict=Verdict.WARNING,
        severity=Severity.ERROR,
        policy=Policy.QUARANTINE,
        measured=float(refused),
        expected=in_words(NONE_ALLOWED),
        rows_refused=refused,
        rows_total=staged.counts.read,
    )


def _judge_quarantine(threshold: Threshold, staged: Staged) -> Finding:
    counts = staged.counts
    measured = _in_unit(counts.quarantined, counts.read, threshold.unit)
    return Finding(
        rule=QUARANTINED,
        verdict=Verdict.PASSED if satisfies(measured, threshold) else Verdict.FAILED,
        severity=Severity.ERROR,
        policy=Policy.FAIL,
        measured=measured,
        unit=_unit(threshold),
        expected=in_words(threshold),
        rows_refused=counts.quarantined,
        rows_total=counts.read,
    )


def _judge_table_rule(rule: TableRule, measures: Measures, against: Mapping[str, str]) -> Finding:
    number = measures.table_rules[rule.name]
    measured = _in_unit(number, measures.rows, rule.threshold.unit)
    verdict = _verdict(rule.severity, rule.policy, holds=satisfies(measured, rule.threshold))
    known = None if math.isnan(measured) else measured
    behind = against.get(rule.measure.dataset, "") if isinstance(rule.measure, Orphans) else ""
    return _finding(rule, rule.threshold, known, verdict=verdict, total=measures.rows, against=behind)


def _finding(
    rule: RowRule | TableRule,
    threshold: Threshold,
    measured: float | None,
    *,
    verdict: Verdict,
    total: int,
    refused: int = 0,
    against: str = "",
) -> Finding:
    return Finding(
        rule=rule.name,
        verdict=verdict,
        severity=rule.severity,
        policy=rule.policy,
        column=rule.column,
        dimension=rule.dimension,
        measured=measured,
        unit=_unit(threshold),
        expected=in_words(threshold),
        rows_refused=refused,
        rows_total=total,
        against=against,
    )


def _verdict(severity: Severity, policy: Policy, *, holds: bool) -> Verdict:
    if holds:
        return Verdict.PASSED
    return Verdict.FAILED if severity is Severity.ERROR and policy is not Policy.WARN else Verdict.WARNING


def _unit(threshold: Threshold) -> str:
    return "number" if threshold.unit is None else threshold.unit.value


def _in_unit(number: float, total: int, unit: Unit | None) -> float:
    if unit is not Unit.PERCENT:
        return float(number)
    return 100.0 * number / total if total else 0.0
