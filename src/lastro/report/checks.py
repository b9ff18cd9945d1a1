"""Checks as reports: the rules that failed first, each with its number, then the rows that break them."""

from __future__ import annotations

from collections.abc import Sequence

from lastro.model.check import CheckedRule, CheckReport, FailingValues, Failures
from lastro.model.finding import Finding, Verdict
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Title, Tone, table
from lastro.report.cells import clean, cut
from lastro.report.numbers import NOTHING, duration, moment, number, percent

_ORDER = (Verdict.FAILED, Verdict.WARNING, Verdict.PASSED)
_VALUE_CELLS = 60


def checks(reports: Sequence[CheckReport]) -> Blocks:
    """Each version with its rules; of several, those that did not pass come first."""
    ordered = sorted(reports, key=lambda report: report.passed)
    return tuple(block for report in ordered for block in _version(report, named=len(reports) > 1))


def checks_verdict(reports: Sequence[CheckReport]) -> str:
    """`loans@3 breaks 2 of 14 rules`; of several datasets, how many do not keep their contracts."""
    if len(reports) == 1:
        return _one(reports[0])
    broken = [report for report in reports if not report.passed]
    if not broken:
        kept = ngettext("{n} dataset keeps its contract", "{n} datasets keep their contracts", len(reports))
        return kept.format(n=number(len(reports)))
    sentence = ngettext(
        "{n} of {total} datasets does not keep its contract: {names}",
        "{n} of {total} datasets do not keep their contracts: {names}",
        len(broken),
    )
    names = ", ".join(report.reference for report in broken[:10]) + (" …" if len(broken) > 10 else "")
    return sentence.format(n=number(len(broken)), total=number(len(reports)), names=names)


def ranked(rules: Sequence[CheckedRule]) -> list[CheckedRule]:
    """Failed rules, then those that warn, then the others; among equals, those that most rows break come first."""
    return sorted(rules, key=lambda each: (_ORDER.index(each.finding.verdict), -each.finding.rows_refused))


def measured(finding: Finding) -> str:
    """The number that was compared, with its unit: `3`, `2.5 %`, `3 h`."""
    if finding.measured is None:
        return NOTHING
    match finding.unit:
        case "percent":
            return f"{number(finding.measured, decimals=2)} %"
        case "seconds":
            return duration(max(0.0, finding.measured))
        case _:
            return number(finding.measured)


def rule_sentence(subject: str, finding: Finding) -> str:
    """What a rule that failed says of a dataset or version: how many rows of how many, or the number it measured."""
    if finding.rows_refused:
        told = ngettext(
            "{subject} breaks the rule {rule}: {refused} of {total} row ({share}), expected {expected}",
            "{subject} breaks the rule {rule}: {refused} of {total} rows ({share}), expected {expected}",
            finding.rows_total,
        )
    elif finding.measured is None:
        told = _("{subject} breaks the rule {rule}: expected {expected}")
    else:
        told = _("{subject} breaks the rule {rule}: {measured}, expected {expected}")
    return told.format(
        subject=subject,
        rule=clean(finding.rule),
        refused=number(finding.rows_refused),
        total=number(finding.rows_total),
        share=percent(finding.rows_refused, finding.rows_total),
        measured=measured(finding),
        expected=finding.expected,
    )


def _one(report: CheckReport) -> str:
    total, failed = len(report.rules), report.count(Verdict.FAILED)
    if report.error:
        return _("{reference} could not be checked: {what}").format(
            reference=report.reference, what=report.error.get("what", "")
        )
    if failed:
        sentence = ngettext(
            "{reference} breaks {failed} of {total} rule",
            "{reference} breaks {failed} of {total} rules",
            total,
        )
        return sentence.format(reference=report.reference, failed=number(failed), total=number(total))
    if warned := report.count(Verdict.WARNING):
        sentence = ngettext(
            "{reference} keeps its contract, with {warned} warning among {total} rules",
            "{reference} keeps its contract, with {warned} warnings among {total} rules",
            warned,
        )
        return sentence.format(reference=report.reference, warned=number(warned), total=number(total))
    if not total:
        return _("the contract of {dataset} has no rule to check").format(dataset=report.dataset)
    sentence = ngettext("{reference} keeps {total} rule", "{reference} keeps all {total} rules", total)
    return sentence.format(reference=report.reference, total=number(total))


def _version(report: CheckReport, *, named: bool) -> Blocks:
    head: Blocks = (Title(report.reference),) if named else ()
    if report.error:
        return (*head, Line(_one(report), Tone.BAD))
    if not report.rules:
        return head
    shown = ranked(report.rules)
    columns = (
        Column(_("verdict"), fixed=True),
        Column(_("rule")),
        Column(_("measured"), right=True),
        Column(_("expected")),
        Column(_("rows"), right=True),
        Column(_("dimension"), spare=1),
    )
    notes = tuple(Line(f"  {clean(each)}", Tone.FAINT) for each in report.notes)
    reasons = tuple(Line(f"  {each.finding.rule}: {each.reason}", Tone.DOUBTFUL) for each in shown if each.reason)
    rows = () if report.failures is None else _failures(report.failures)
    return (*head, table(columns, (_row(each.finding) for each in shown)), *reasons, *notes, *rows)


def _row(finding: Finding) -> tuple[Cell | str, ...]:
    return (
        _mark(finding.verdict),
        finding.rule,
        measured(finding),
        finding.expected,
        number(finding.rows_total),
        finding.dimension or NOTHING,
    )


def _mark(verdict: Verdict) -> Cell:
    match verdict:
        case Verdict.PASSED:
            return Cell(_("✓ passed"), Tone.GOOD)
        case Verdict.WARNING:
            return Cell(_("! warning"), Tone.DOUBTFUL)
        case Verdict.FAILED:
            return Cell(_("✗ failed"), Tone.BAD)


def _failures(found: Failures) -> Blocks:
    sentence = ngettext("{n} row breaks a rule", "{n} rows break rules", found.total)
    title = Title(sentence.format(n=number(found.total)))
    if not found.rows:
        return (title,)
    columns = (Column(_("row"), right=True), Column(_("key")), Column(_("rules")), Column(_("values")))
    blocks: Blocks = (title, table(columns, map(_failing, found.rows)))
    if found.total > len(found.rows):
        more = _("  … {n} more; --limit shows more of them").format(n=number(found.total - len(found.rows)))
        blocks += (Line(more, Tone.FAINT),)
    return blocks


def _failing(row: FailingValues) -> tuple[str, ...]:
    key = ", ".join(_value(value) for value in row.key.values()) or NOTHING
    values = [f"{name}: {_value(value)}" for name, value in row.values.items()]
    values += [_("{name}: withheld").format(name=name) for name in row.withheld]
    return number(row.row), key, ", ".join(row.rules), ", ".join(values) or NOTHING


def _value(value: object) -> str:
    return NOTHING if value is None else cut(clean(str(value)), _VALUE_CELLS)


def finished(reports: Sequence[CheckReport]) -> str:
    """When the last of the checks ended, for a page's title."""
    return moment(max(report.ended for report in reports)) if reports else NOTHING
