"""The record of processing activities: GDPR article 30(1); LGPD article 37 (registro das operações)."""

from __future__ import annotations

from lastro.model.dossier import Dossier, Holding
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Title, Tone, table
from lastro.report.documents.parts import bound, facts, kinds, measures, missing, purposes, responsible, said
from lastro.report.numbers import NOTHING, moment, number


def ropa(dossier: Dossier) -> Blocks:
    """One activity for each dataset that holds values of natural persons, and who received what."""
    held = dossier.personal
    others = [each.name for each in dossier.holdings if not each.personal.is_personal]
    left_out = Line(_("Datasets that no contract calls personal: {names}").format(names=", ".join(others)), Tone.FAINT)
    return (
        *responsible(dossier),
        *(block for each in held for block in _activity(dossier, each)),
        *([left_out] if others else []),
        *_transfers(dossier),
        *bound(dossier, held),
    )


def ropa_title() -> str:
    """What the document is called."""
    return _("Record of processing activities (GDPR art. 30, LGPD art. 37)")


def ropa_verdict(dossier: Dossier) -> str:
    """How many activities there are."""
    n = len(dossier.personal)
    return ngettext("{n} processing activity", "{n} processing activities", n).format(n=number(n))


def _activity(dossier: Dossier, holding: Holding) -> Blocks:
    if holding.fault:
        return (Title(holding.name), Line(holding.fault, Tone.BAD))
    where = f"contracts: {holding.name}"
    basis = purposes(holding)
    newest = holding.newest
    receivers = ", ".join(
        " ".join(filter(None, (each.name, f"({each.role})" if each.role else "")))
        for each in dossier.parties_of(holding.name)
    )
    readers = sorted({each.actor for each in dossier.accesses if each.dataset == holding.name and not each.refused})
    rows: list[tuple[Cell | str, ...]] = [
        (_("purposes and legal bases (GDPR 6, LGPD 7)"), Cell(basis) if basis else missing(f"{where}: purposes")),
        (_("people concerned"), said(dossier.judgements.subjects, "judgements.subjects")),
        (_("kinds of personal values"), kinds(holding)),
        (_("where the data comes from"), ", ".join((*holding.sources, *holding.upstream)) or NOTHING),
        (_("recipients"), receivers or missing("organisation.parties")),
        (_("who read it here"), ", ".join(readers) or NOTHING),
        (_("kept for"), said(holding.retention, f"{where}: slaProperties.retention")),
        (_("protection of columns (GDPR 32, LGPD 46)"), measures(holding)),
        (_("versions"), number(holding.versions)),
        (_("rows in the newest version"), number(newest.rows) if newest else NOTHING),
        (_("newest version of (UTC)"), moment(newest.committed) if newest else NOTHING),
    ]
    return (Title(holding.name), *([Line(holding.purpose)] if holding.purpose else []), facts(rows))


def _transfers(dossier: Dossier) -> Blocks:
    """Parties in other countries: GDPR 44–49, LGPD 33–36."""
    home = dossier.organisation.country
    abroad = [each for each in dossier.organisation.parties if each.country and each.country != home]
    if not abroad:
        return ()
    columns = (Column(_("party"), names=True), Column(_("country")), Column(_("datasets")), Column(_("safeguard")))
    rows = [
        (each.name, each.country, ", ".join(each.datasets) or _("all"), said(each.safeguard, "organisation.parties"))
        for each in abroad
    ]
    return (Title(_("Transfers to other countries (GDPR 44–49, LGPD 33–36)")), table(columns, rows))
