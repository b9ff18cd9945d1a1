"""Checks as JUnit's XML, which build servers read: a suite for each version, a case for each rule.

Rules:

1. A rule that failed is a failure, a check that could not be made an error. JUnit knows no warnings: what only warns
   has passed, and says so in `system-out`.
2. Texts hold counts and names, never a value from the data; a character that XML cannot hold is shown escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from lastro.model import clock
from lastro.model.check import CheckedRule, CheckReport
from lastro.model.finding import Finding, Verdict
from lastro.model.text import _
from lastro.report.cells import clean
from lastro.report.checks import measured, ranked


def junit(reports: Sequence[CheckReport]) -> str:
    """The document as text."""
    root = ET.Element("testsuites", name="lastro check")
    for report in reports:
        root.append(_suite(report))
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(report: CheckReport) -> ET.Element:
    seconds = (report.ended - report.started).total_seconds()
    suite = ET.Element(
        "testsuite",
        name=clean(report.reference),
        tests=str(len(report.rules) + bool(report.error)),
        failures=str(report.count(Verdict.FAILED)),
        errors=str(int(bool(report.error))),
        skipped="0",
        time=f"{seconds:.3f}",
        timestamp=clock.to_text(report.started),
    )
    if report.error:
        case = ET.SubElement(suite, "testcase", classname=report.dataset, name="check")
        what = clean(str(report.error.get("what", "")))
        ET.SubElement(case, "error", type=str(report.error.get("code", "")), message=what)
    for each in ranked(report.rules):
        suite.append(_case(report.dataset, each))
    return suite


def _case(dataset: str, rule: CheckedRule) -> ET.Element:
    finding = rule.finding
    case = ET.Element("testcase", classname=dataset, name=clean(finding.rule))
    match finding.verdict:
        case Verdict.FAILED:
            kind = finding.dimension or rule.category.value
            ET.SubElement(case, "failure", type=clean(kind), message=_told(finding, rule.reason))
        case Verdict.WARNING:
            ET.SubElement(case, "system-out").text = _told(finding, rule.reason)
        case Verdict.PASSED:
            pass
    return case


def _told(finding: Finding, reason: str) -> str:
    if finding.measured is None and reason:
        return clean(reason)
    told = _("{measured} measured, expected {expected}").format(measured=measured(finding), expected=finding.expected)
    if finding.rows_refused:
        told += _("; {refused} of {total} rows").format(refused=finding.rows_refused, total=finding.rows_total)
    return clean(f"{told}; {reason}" if reason else told)
