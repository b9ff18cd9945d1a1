"""Retention as a terminal shows it: what is past, what a law holds, what was removed."""

from __future__ import annotations

from lastro.model.retained import Retained, Retention
from lastro.model.text import _, ngettext
from lastro.report.blocks import Block, Blocks, Cell, Column, Line, Tone, table
from lastro.report.documents.access import ranges
from lastro.report.numbers import NOTHING, number


def retention(found: Retention) -> Blocks:
    """One row for each dataset whose contract says how long rows are kept; then what is to be known of single ones."""
    columns = (
        Column(_("dataset"), names=True),
        Column(_("kept for")),
        Column(_("counted from"), spare=1),
        Column(_("past rows"), right=True),
        Column(_("in older versions"), right=True),
        Column(_("set aside"), right=True),
        Column(_("versions that go")),
        Column(_("state")),
    )
    rows = [_row(each, applied=found.applied) for each in found.datasets if each.kept_for or each.fault]
    silent = [each.dataset for each in found.datasets if not each.kept_for and not each.fault]
    blocks: list[Block] = [table(columns, rows)] if rows else []
    blocks += [line for each in found.datasets for line in _notes(each)]
    if silent:
        told = _("no retention is stated in the contracts of: {names}").format(names=", ".join(silent))
        blocks.append(Line(told, Tone.FAINT))
    return tuple(blocks)


def verdict(found: Retention) -> str:
    """What there is to remove, or was removed."""
    due = found.due
    rows = sum(each.rows + each.quarantined for each in due)
    versions = sum(len(each.expiring) for each in due)
    counted = ngettext("{n} row", "{n} rows", rows).format(n=number(rows))
    gone = ngettext("{n} version", "{n} versions", versions).format(n=number(versions))
    if not due:
        return _("nothing is past its retention")
    if found.applied:
        return _("{rows} and {versions} removed").format(rows=counted, versions=gone)
    return _("{rows} and {versions} are past their retention; nothing was removed").format(rows=counted, versions=gone)


def _row(each: Retained, *, applied: bool) -> tuple[Cell | str, ...]:
    return (
        each.dataset,
        each.kept_for or NOTHING,
        each.column or _("the commit"),
        number(each.rows),
        number(sum(each.versions.values())),
        number(each.quarantined),
        ranges(each.expiring),
        _state(each, applied=applied),
    )


def _state(each: Retained, *, applied: bool) -> Cell:
    if each.fault:
        return Cell(each.fault, Tone.BAD)
    if each.held:
        return Cell(_("held: {reason}").format(reason=each.held), Tone.DOUBTFUL)
    if not each.is_due:
        return Cell(_("nothing is past"), Tone.GOOD)
    if not applied:
        return Cell(_("due"), Tone.DOUBTFUL)
    made = "" if each.made is None else f" ({each.dataset}@{each.made})"
    return Cell(_("removed") + made, Tone.GOOD)


def _notes(each: Retained) -> Blocks:
    lines: list[Line] = []
    if each.undated:
        told = ngettext(
            "{name}: {n} row has no date, and stays", "{name}: {n} rows have no date, and stay", each.undated
        )
        lines.append(Line(told.format(name=each.dataset, n=number(each.undated)), Tone.DOUBTFUL))
    if each.pinned:
        told = _("{name}: versions {versions} are past, but a tag, run, lock or monitor keeps them")
        lines.append(Line(told.format(name=each.dataset, versions=ranges(each.pinned)), Tone.DOUBTFUL))
    if each.erased:
        told = _("{name}: versions {versions} lost what was past, under the same names")
        lines.append(Line(told.format(name=each.dataset, versions=ranges(each.erased))))
    if each.kept_for and not each.column and not each.held:
        told = _("{name}: the newest version keeps all its rows; name a column of dates as `element` to let rows go")
        lines.append(Line(told.format(name=each.dataset), Tone.FAINT))
    return tuple(lines)
