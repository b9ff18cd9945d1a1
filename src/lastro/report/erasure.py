"""An erasure of people as a terminal shows it: what went, what stays, what was found afterwards."""

from __future__ import annotations

from lastro.model.erased import ErasureResult
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Column, Line, table
from lastro.report.numbers import number


def erasure(result: ErasureResult) -> Blocks:
    """What each table lost, or would lose; what a legal duty keeps; what was found in the bytes afterwards."""
    columns = (
        Column(_("dataset")),
        Column(_("rows"), right=True),
        Column(_("files"), right=True),
        Column(_("versions"), right=True),
    )
    rows = [(each.dataset, number(each.rows), number(each.files), number(len(each.versions))) for each in result.tables]
    blocks: Blocks = (table(columns, rows),) if rows else ()
    if result.kept:
        blocks += (Line(_("kept by a legal duty: {datasets}").format(datasets=", ".join(result.kept))),)
    if result.done:
        blocks += (Line(_("found in the bytes of the workspace: {count}").format(count=result.hits)),)
        blocks += tuple(Line(f"  {path}") for path in result.paths[:10])
    return blocks


def verdict(result: ErasureResult) -> str:
    """How many people and rows are erased, or would be."""
    people = ngettext("{count} person", "{count} people", result.people).format(count=result.people)
    stored = sum(each.rows for each in result.tables)
    rows = ngettext("{count} stored row", "{count} stored rows", stored).format(count=number(stored))
    if not result.done:
        return _("{people} would be erased: {rows}; nothing was changed").format(people=people, rows=rows)
    return _("{people} erased: {rows}; certificate {path}").format(people=people, rows=rows, path=result.certificate)


def finished(count: int) -> str:
    """How many erasures that were cut off are finished now."""
    if not count:
        return _("no erasure was cut off")
    return ngettext("{count} erasure was finished", "{count} erasures were finished", count).format(count=count)
