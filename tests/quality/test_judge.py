"""The judgement of counts against rules."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.engine.protocol import ColumnMeasures, Measures, Staged, Tally
from lastro.model.finding import Policy, Severity, Verdict
from lastro.model.plan import (
    ColumnPlan,
    Duplicates,
    Holds,
    NotNull,
    Operator,
    Orphans,
    Plan,
    RowCount,
    RowRule,
    Statistic,
    StatisticKind,
    TableRule,
    Threshold,
    Unit,
)
from lastro.model.schema import Primitive
from lastro.model.version import RowCounts
from lastro.quality.judge import in_words, judge_rows, judge_source, judge_stored, judge_table, satisfies, unjudged
from lastro.quality.nature import nature

PERCENT_2 = Threshold(Operator.LESS_OR_EQUAL, (2.0,), Unit.PERCENT)


def plan(*rules: RowRule, quarantined_max: Threshold | None = None) -> Plan:
    column = ColumnPlan("income", "income", Primitive.DOUBLE)
    return Plan("loans", "sha256:0", (column,), tuple(rules), quarantined_max=quarantined_max)


def staged(refused: int, *, read: int = 100, quarantined: int = 0, name: str = "income.required") -> Staged:
    return Staged((), (), RowCounts(read, read - quarantined, quarantined), {name: refused})


def rule(policy: Policy, threshold: Threshold | None = None, severity: Severity = Severity.ERROR) -> RowRule:
    return RowRule("income.required", NotNull("income"), policy, severity, "income", threshold=threshold)


@pytest.mark.parametrize(
    ("policy", "threshold", "severity", "refused", "verdict"),
    [
        (Policy.QUARANTINE, None, Severity.ERROR, 0, Verdict.PASSED),
        (Policy.QUARANTINE, None, Severity.ERROR, 3, Verdict.WARNING),
        (Policy.QUARANTINE, PERCENT_2, Severity.ERROR, 2, Verdict.WARNING),
        (Policy.QUARANTINE, PERCENT_2, Severity.ERROR, 3, Verdict.FAILED),
        (Policy.FAIL, None, Severity.ERROR, 0, Verdict.PASSED),
        (Policy.FAIL, None, Severity.ERROR, 1, Verdict.FAILED),
        (Policy.FAIL, None, Severity.WARNING, 1, Verdict.WARNING),
        (Policy.FAIL, PERCENT_2, Severity.ERROR, 2, Verdict.PASSED),
        (Policy.WARN, None, Severity.ERROR, 1, Verdict.WARNING),
        (Policy.WARN, PERCENT_2, Severity.ERROR, 2, Verdict.PASSED),
    ],
)
def test_a_row_rule_is_judged_by_its_policy_and_threshold(policy, threshold, severity, refused, verdict):
    (finding,) = judge_rows(plan(rule(policy, threshold, severity)), staged(refused))

    assert finding.verdict is verdict
    assert finding.rows_refused == refused
    assert finding.rows_total == 100


def test_no_rows_are_zero_percent():
    (finding,) = judge_rows(plan(rule(Policy.FAIL, PERCENT_2)), staged(0, read=0))

    assert finding.verdict is Verdict.PASSED
    assert finding.measured == 0.0


def test_the_bound_on_the_quarantine_fails_the_batch():
    findings = judge_rows(plan(quarantined_max=PERCENT_2), staged(0, quarantined=3))

    assert [finding.verdict for finding in findings] == [Verdict.FAILED]


@pytest.mark.parametrize("name", ["malformed", "primary_key"])
def test_rows_refused_by_no_rule_of_the_contract_are_findings_too(name):
    (finding,) = judge_rows(plan(), staged(4, name=name))

    assert (finding.rule, finding.rows_refused, finding.verdict) == (name, 4, Verdict.WARNING)


@pytest.mark.parametrize(
    ("operator", "operands", "inside", "outside"),
    [
        (Operator.MUST_BE, (5.0,), 5, 6),
        (Operator.MUST_NOT_BE, (5.0,), 6, 5),
        (Operator.GREATER, (5.0,), 5.1, 5),
        (Operator.GREATER_OR_EQUAL, (5.0,), 5, 4.9),
        (Operator.LESS, (5.0,), 4.9, 5),
        (Operator.LESS_OR_EQUAL, (5.0,), 5, 5.1),
        (Operator.BETWEEN, (5.0, 7.0), 7, 7.1),
        (Operator.NOT_BETWEEN, (5.0, 7.0), 4.9, 5),
    ],
)
def test_each_operator_at_its_edge(operator, operands, inside, outside):
    threshold = Threshold(operator, operands)

    assert satisfies(inside, threshold)
    assert not satisfies(outside, threshold)
    assert "5" in in_words(threshold)


@given(st.sampled_from(list(Operator)), st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_what_could_not_be_measured_satisfies_nothing(operator, first, second):
    assert not satisfies(math.nan, Threshold(operator, (min(first, second), max(first, second))))


@pytest.mark.parametrize(("rows", "verdict"), [(10, Verdict.PASSED), (9, Verdict.FAILED)])
def test_a_table_rule_is_judged_by_its_number(rows, verdict):
    minimum = TableRule("enough", RowCount(), Threshold(Operator.GREATER_OR_EQUAL, (10.0,)))
    measures = Measures(rows, {"income": ColumnMeasures(0)}, {"enough": float(rows)})

    (finding,) = judge_table((minimum,), measures)

    assert finding.verdict is verdict


def test_a_query_without_an_answer_fails():
    minimum = TableRule("enough", RowCount(), Threshold(Operator.MUST_NOT_BE, (10.0,)))

    (finding,) = judge_table((minimum,), Measures(0, {}, {"enough": math.nan}))

    assert finding.verdict is Verdict.FAILED
    assert finding.measured is None


@pytest.mark.parametrize(
    ("policy", "threshold", "refused", "verdict"),
    [
        (Policy.QUARANTINE, None, 0, Verdict.PASSED),
        (Policy.QUARANTINE, None, 1, Verdict.FAILED),
        (Policy.QUARANTINE, PERCENT_2, 2, Verdict.PASSED),
        (Policy.QUARANTINE, PERCENT_2, 3, Verdict.FAILED),
        (Policy.FAIL, PERCENT_2, 3, Verdict.FAILED),
        (Policy.WARN, None, 1, Verdict.WARNING),
    ],
)
def test_rows_where_they_live_are_judged_by_the_threshold_that_is_stated(policy, threshold, refused, verdict):
    tally = Tally(100, {"income.required": refused}, 100)

    (finding,) = judge_source(plan(rule(policy, threshold)), tally)

    assert (finding.verdict, finding.rows_refused) == (verdict, refused)


@pytest.mark.parametrize(
    ("policy", "threshold", "severity", "refused", "verdict"),
    [
        (Policy.QUARANTINE, None, Severity.ERROR, 0, Verdict.PASSED),
        (Policy.QUARANTINE, None, Severity.ERROR, 1, Verdict.FAILED),
        (Policy.QUARANTINE, PERCENT_2, Severity.ERROR, 1, Verdict.FAILED),
        (Policy.QUARANTINE, None, Severity.WARNING, 1, Verdict.WARNING),
        (Policy.FAIL, PERCENT_2, Severity.ERROR, 2, Verdict.PASSED),
        (Policy.FAIL, PERCENT_2, Severity.ERROR, 3, Verdict.FAILED),
        (Policy.FAIL, None, Severity.INFO, 1, Verdict.WARNING),
        (Policy.WARN, None, Severity.ERROR, 1, Verdict.WARNING),
    ],
)
def test_of_stored_rows_none_may_be_such_as_quarantine_holds(policy, threshold, severity, refused, verdict):
    tally = Tally(100, {"income.required": refused}, 100)

    (finding,) = judge_stored(plan(rule(policy, threshold, severity)), tally)

    assert (finding.verdict, finding.rows_refused, finding.rows_total) == (verdict, refused, 100)
    assert finding.policy is policy


def test_table_rules_of_stored_rows_are_in_percent_of_the_rows_they_see():
    few = TableRule("unique", Duplicates(("income",)), Threshold(Operator.LESS_OR_EQUAL, (10.0,), Unit.PERCENT))
    tally = Tally(100, {}, 10, {"unique": 2.0})

    (finding,) = judge_stored(replace(plan(), table_rules=(few,)), tally)

    assert (finding.measured, finding.rows_total, finding.verdict) == (20.0, 10, Verdict.FAILED)


@pytest.mark.parametrize(
    ("policy", "severity", "verdict"),
    [
        (Policy.QUARANTINE, Severity.ERROR, Verdict.FAILED),
        (Policy.FAIL, Severity.WARNING, Verdict.WARNING),
        (Policy.WARN, Severity.ERROR, Verdict.WARNING),
    ],
)
def test_what_cannot_be_judged_never_passes(policy, severity, verdict):
    finding = unjudged(rule(policy, PERCENT_2, severity), 7)

    assert (finding.verdict, finding.measured, finding.rows_total) == (verdict, None, 7)


@pytest.mark.parametrize(
    ("promise", "expected"),
    [
        (rule(Policy.FAIL), ("field_required", "completeness")),
        (replace(rule(Policy.FAIL), dimension="accuracy"), ("field_required", "accuracy")),
        (replace(rule(Policy.FAIL), condition=Holds("income > 0")), ("row_expression", None)),
        (TableRule("u", Duplicates(("a", "b")), PERCENT_2), ("field_duplicate_values", "uniqueness")),
    ],
)
def test_a_rule_has_a_kind_and_a_dimension(promise, expected):
    assert nature(promise) == expected


def test_a_statistic_has_its_own_unit():
    limit = Threshold(Operator.LESS_OR_EQUAL, (2.5,), None)
    measured = TableRule("typical", Statistic("income", StatisticKind.MEDIAN), limit)
    (finding,) = judge_table([measured], Measures(10, {}, {"typical": 2.0}))

    assert (finding.verdict, finding.measured, finding.unit) == (Verdict.PASSED, 2.0, "number")
    assert finding.expected == "at most 2.5"


def test_a_finding_names_the_version_it_looked_into_and_no_other():
    none = Threshold(Operator.MUST_BE, (0.0,))
    rules = [TableRule("known", Orphans("shops", (("a", "id"),)), none), TableRule("rows", RowCount(), none)]
    found = judge_table(rules, Measures(3, {}, {"known": 0, "rows": 3}), against={"shops": "shops@2 sha256:0"})

    assert [finding.to_dict().get("against") for finding in found] == ["shops@2 sha256:0", None]
