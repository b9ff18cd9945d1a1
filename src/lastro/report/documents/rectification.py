"""The receipt of a rectification (GDPR 16, 19; LGPD 18 III, 18 §6). It holds no value."""

from __future__ import annotations

from lastro.model.rectified import Rectified
from lastro.model.text import _, ngettext
from lastro.report.blocks import Block, Blocks, Cell, Column, Line, Title, Tone, table
from lastro.report.documents.access import accesses, ranges
from lastro.report.documents.parts import facts
from lastro.report.numbers import NOTHING, moment, number


def rectification_title() -> str:
    """What the document is called."""
    return _("Receipt of a rectification (GDPR art. 16 and 19, LGPD art. 18, III and §6)")


def rectification_verdict(found: Rectified) -> str:
    """What was put right."""
    rows = ngettext("{n} row", "{n} rows", found.rows).format(n=number(found.rows))
    told = _("{columns} put right in {rows} of {dataset}")
    return told.format(columns=", ".join(found.columns), rows=rows, dataset=found.dataset)


def rectification(found: Rectified) -> Blocks:
    """The receipt."""
    vaulted = ", ".join(found.vaulted)
    rows: list[tuple[Cell | str, ...]] = [
        (_("request"), found.request.id),
        (_("received"), found.request.received.isoformat()),
        (_("basis"), found.request.basis or NOTHING),
        (_("put right on (UTC)"), moment(found.moment)),
        (_("dataset"), found.dataset),
        (_("columns"), ", ".join(found.columns)),
        (_("rows"), number(found.rows)),
        (_("in the vault, for every version"), vaulted or NOTHING),
        (_("newest version"), found.made),
        (_("digest"), found.digest),
    ]
    return (Title(_("What was put right")), facts(rows), *_left(found), *_told(found))


def _left(found: Rectified) -> Blocks:
    blocks: list[Block] = []
    if found.earlier:
        told = _("Earlier versions keep the old value: {versions}").format(versions=ranges(found.earlier))
        blocks.append(Line(told, Tone.DOUBTFUL))
    if found.aside:
        told = ngettext(
            "{n} row that was set aside keeps the old value: correct it with lastro quarantine",
            "{n} rows that were set aside keep the old value: correct them with lastro quarantine",
            found.aside,
        )
        blocks.append(Line(told.format(n=number(found.aside)), Tone.DOUBTFUL))
    if found.derived:
        told = _("Made from it, and to be built again: {names}").format(names=", ".join(found.derived))
        blocks.append(Line(told, Tone.DOUBTFUL))
    blocks.append(Line(_("If the source still has the old value, correct it there, too."), Tone.FAINT))
    return (Title(_("What keeps the old value")), *blocks)


def _told(found: Rectified) -> Blocks:
    """Who is to be told (GDPR 19, LGPD 18 §6)."""
    columns = (Column(_("party"), names=True), Column(_("role")), Column(_("country")), Column(_("contact")))
    rows = [
        (each.name, each.role or NOTHING, each.country or NOTHING, each.contact or NOTHING) for each in found.recipients
    ]
    blocks: list[Block] = [table(columns, rows)] if rows else [Line(_("No party is named in organisation.parties."))]
    exports = accesses(found.exports)
    heading = Line(_("Exports that the ledger knows:")) if exports else Line(_("The ledger knows of no export."))
    return (Title(_("Who is to be told of it")), *blocks, heading, *exports)
