"""The quarantine: how many rows each rule set aside, and the rows themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lastro.model.text import _
from lastro.report.blocks import Blocks, Column, Line, Title, Tone, table
from lastro.report.cells import clean, cut
from lastro.report.ingested import refusals
from lastro.report.numbers import number

Row = Mapping[str, Any]  # Any: the values of one quarantined row
_RECORD_CELLS = 400


def quarantine(summary: Mapping[str, int], rows: Sequence[Row], total: int) -> Blocks:
    """Bars per rule, then the rows with their source positions. `total` is the number of rows still open.

    The rows are `source`, `position`, `offset`, `rules` and `record` of the quarantine's schema; a long record is cut.
    """
    blocks: Blocks = (Title(_("Set aside, by rule")), *refusals(summary, total)) if summary else ()
    if not rows:
        return blocks
    placed = any(row.get("offset") is not None for row in rows)
    columns = (
        Column(_("source")),
        Column(_("position"), right=True),
        *([Column(_("byte"), right=True)] if placed else []),
        Column(_("rules")),
        Column(_("record")),
    )
    listed = table(columns, (_row(row, placed=placed) for row in rows))
    blocks += (Title(_("Rows")), listed)
    if total > len(rows):
        more = _("  … {n} more; --limit shows more of them, --export writes all").format(n=number(total - len(rows)))
        blocks += (Line(more, Tone.FAINT),)
    return blocks


def _row(row: Row, *, placed: bool) -> tuple[str, ...]:
    record = cut(clean(str(row["record"])), _RECORD_CELLS)
    offset = row.get("offset")
    place = ("" if offset is None else number(offset),) if placed else ()
    return str(row["source"]), number(row["position"]), *place, ", ".join(row["rules"]), record
