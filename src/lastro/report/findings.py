"""Findings as a table: the failed first, then the doubtful, then the passed, each with a mark and a word."""

from __future__ import annotations

from collections.abc import Sequence

from lastro.model.finding import Finding, Policy, Verdict
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Tone, table
from lastro.report.numbers import NOTHING, number, percent

_ORDER = (Verdict.FAILED, Verdict.WARNING, Verdict.PASSED)


def findings(items: Sequence[Finding], *, passed: bool = True) -> Blocks:
    """One row per finding; without `passed`, only those that failed or warned are listed and the rest counted."""
    shown = sorted((item for item in items if passed or item.verdict is not Verdict.PASSED), key=_place)
    hidden = len(items) - len(shown)
    columns = (
        Column(_("verdict"), fixed=True),
        Column(_("rule")),
        Column(_("column")),
        Column(_("measured"), right=True),
        Column(_("allowed")),
        Column(_("rows refused"), right=True),
    )
    blocks: Blocks = (table(columns, (_row(item) for item in shown)),) if shown else ()
    if hidden:
        blocks += (Line("  " + ngettext("✓ {n} rule passed", "✓ {n} rules passed", hidden).format(n=number(hidden))),)
    return blocks


def mark(item: Finding) -> Cell:
    """`✓ passed`, `! set aside`, `! warning` or `✗ failed`."""
    match item.verdict:
        case Verdict.PASSED:
            return Cell(_("✓ passed"), Tone.GOOD)
        case Verdict.FAILED:
            return Cell(_("✗ failed"), Tone.BAD)
        case Verdict.WARNING:
            return Cell(_("! set aside") if item.policy is Policy.QUARANTINE else _("! warning"), Tone.DOUBTFUL)


def _place(item: Finding) -> tuple[int, int]:
    return _ORDER.index(item.verdict), -item.rows_refused


def _row(item: Finding) -> tuple[Cell | str, ...]:
    return mark(item), item.rule, item.column or NOTHING, _measured(item), item.expected, _refused(item)


def _measured(item: Finding) -> str:
    if item.measured is None:
        return NOTHING
    return f"{number(item.measured, decimals=2)} %" if item.unit == "percent" else number(item.measured)


def _refused(item: Finding) -> str:
    if not item.rows_refused:
        return NOTHING
    return f"{number(item.rows_refused)} ({percent(item.rows_refused, item.rows_total)})"
