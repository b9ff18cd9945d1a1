"""Checks as a report, and as JUnit's XML: what failed comes first, and no value is where none belongs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from lastro.model.check import Category, CheckedRule, CheckReport, FailingValues, Failures, Result
from lastro.model.finding import Finding, Policy, Severity, Verdict
from lastro.report.blocks import Table
from lastro.report.checks import checks, checks_verdict, measured
from lastro.report.junit import junit
from lastro.report.plain import Page, to_text

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOSTILE = "a\x00\x1b[2J\u202e<&\ud800"


def rule(name: str, verdict: Verdict, refused: int = 0, *, reason: str = "") -> CheckedRule:
    finding = Finding(
        name,
        verdict,
        Severity.ERROR,
        Policy.FAIL,
        dimension="conformity",
        measured=None if reason else float(refused),
        expected="exactly 0 rows",
        rows_refused=refused,
        rows_total=10,
    )
    return CheckedRule(finding, Category.QUALITY, "field_enum", reason=reason)


def report(*rules: CheckedRule, name: str = "loans") -> CheckReport:
    return CheckReport("id", name, f"{name}@3", NOON, NOON, rules=rules)


MIXED = report(
    rule("fine", Verdict.PASSED),
    rule("few", Verdict.FAILED, 1),
    rule("doubtful", Verdict.WARNING, 9),
    rule("many", Verdict.FAILED, 5),
)
KEPT = report(rule("fine", Verdict.PASSED), name="kept")
LOST = replace(report(name="lost"), error={"code": "LST-0204", "exit_code": 2, "what": "the contract is wrong"})


def test_what_failed_comes_first_and_the_most_rows_before_the_few() -> None:
    (found,) = [block for block in checks([MIXED]) if isinstance(block, Table)]

    assert [row[1].text for row in found.rows] == ["many", "few", "doubtful", "fine"]


def test_of_several_versions_those_that_did_not_pass_come_first() -> None:
    text = to_text(checks([KEPT, MIXED, LOST]), Page())

    assert text.index("loans@3") < text.index("lost@3") < text.index("kept@3")


@pytest.mark.parametrize(
    ("reports", "verdict"),
    [
        ([MIXED], "loans@3 breaks 2 of 4 rules"),
        ([KEPT], "kept@3 keeps 1 rule"),
        ([report()], "the contract of loans has no rule to check"),
        ([report(rule("a", Verdict.WARNING, 1))], "loans@3 keeps its contract, with 1 warning among 1 rules"),
        ([LOST], "lost@3 could not be checked: the contract is wrong"),
        ([KEPT, KEPT], "2 datasets keep their contracts"),
        ([KEPT, LOST, MIXED], "2 of 3 datasets do not keep their contracts: lost@3, loans@3"),
    ],
)
def test_the_verdict_begins_with_what_is_wrong(reports: list[CheckReport], verdict: str) -> None:
    assert checks_verdict(reports) == verdict


@pytest.mark.parametrize(
    ("found", "result", "passed"),
    [
        (MIXED, Result.FAILED, False),
        (KEPT, Result.PASSED, True),
        (LOST, Result.ERROR, False),
        (report(), Result.UNKNOWN, True),
    ],
)
def test_a_check_comes_to_the_worst_of_its_rules(found: CheckReport, result: Result, passed: bool) -> None:
    assert (found.result, found.passed) == (result, passed)
    assert found.to_dict()["result"] == result.value


@pytest.mark.parametrize(
    ("unit", "number", "text"),
    [("rows", 1200.0, "1,200"), ("percent", 2.345, "2.35 %"), ("seconds", 7200.0, "2 h"), ("rows", None, "–")],
)
def test_a_measured_number_is_told_with_its_unit(unit: str, number: float | None, text: str) -> None:
    assert measured(replace(MIXED.rules[0].finding, unit=unit, measured=number)) == text


def test_failing_rows_show_their_values_but_none_that_is_withheld() -> None:
    row = FailingValues(7, ("many",), {"id": 3}, {"uf": HOSTILE, "x": None}, ("cpf",))
    text = to_text(checks([replace(MIXED, failures=Failures(12, (row,)))]), Page())

    assert "12 rows break rules" in text
    assert "cpf: withheld" in text
    assert "… 11 more" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_junit_has_a_suite_for_each_version_and_a_case_for_each_rule() -> None:
    row = FailingValues(7, ("many",), {"id": 3}, {"uf": "secret"})
    text = junit([replace(MIXED, failures=Failures(1, (row,))), LOST])
    root = ET.fromstring(text.encode())

    assert root.attrib == {"name": "lastro check", "tests": "5", "failures": "2", "errors": "1"}
    first, second = root
    assert [case.get("name") for case in first] == ["many", "few", "doubtful", "fine"]
    assert [[child.tag for child in case] for case in first] == [["failure"], ["failure"], ["system-out"], []]
    failure = first[0][0]
    assert failure.attrib == {"type": "conformity", "message": "5 measured, expected exactly 0 rows; 5 of 10 rows"}
    assert second[0][0].attrib == {"type": "LST-0204", "message": "the contract is wrong"}
    assert "secret" not in text


def test_no_name_breaks_the_xml() -> None:
    hostile = report(rule(HOSTILE, Verdict.FAILED, reason=HOSTILE))

    root = ET.fromstring(junit([hostile]).encode("utf-8"))

    (case,) = root[0]
    assert "\\x00" in str(case.get("name"))
    assert "<&" in str(case[0].get("message"))
