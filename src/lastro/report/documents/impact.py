"""The impact assessment: GDPR article 35(7) (DPIA); LGPD articles 5 XVII and 38 (RIPD). One text with both laws' order.

The facts are a draft: risks and necessity are judgements, which stand in `lastro.yaml`.
"""

from __future__ import annotations

from enum import StrEnum

from lastro.model.dossier import Dossier, Holding
from lastro.model.personal import PersonalClass
from lastro.model.text import _, ngettext
from lastro.report.blocks import Block, Blocks, Column, Line, Title, Tone, table
from lastro.report.documents.parts import bound, classes, facts, measures, missing, purposes, responsible, said
from lastro.report.numbers import NOTHING, number


class Law(StrEnum):
    """Whose assessment it is."""

    DPIA = "dpia"
    RIPD = "ripd"


def impact(dossier: Dossier, law: Law) -> Blocks:
    """The assessment of the datasets that hold values of natural persons."""
    held = dossier.personal
    return (
        *responsible(dossier),
        Title(_description(law)),
        *(block for each in held for block in _processing(each)),
        *_trainings(dossier),
        Title(_necessity(law)),
        facts(
            [
                (_("why less would not do"), said(dossier.judgements.necessity, "judgements.necessity")),
                (_("who was heard"), said(dossier.judgements.consultation, "judgements.consultation")),
            ]
        ),
        Title(_("Risks to people's rights (GDPR 35(7)(c), LGPD 38)")),
        *_found(held),
        *_judged(dossier),
        Title(_measures(law)),
        facts(
            [
                *((each.name, measures(each)) for each in held),
                (_("other measures"), "; ".join(dossier.judgements.security) or missing("judgements.security")),
            ]
        ),
        *bound(dossier, held),
    )


def impact_title(law: Law) -> str:
    """What the document is called."""
    if law is Law.RIPD:
        return _("Personal data protection impact report, RIPD (LGPD art. 5 XVII, art. 38)")
    return _("Data protection impact assessment, DPIA (GDPR art. 35)")


def impact_verdict(dossier: Dossier) -> str:
    """How many risks somebody judged."""
    n = len(dossier.judgements.risks)
    return ngettext("{n} risk is judged", "{n} risks are judged", n).format(n=number(n))


def _description(law: Law) -> str:
    if law is Law.RIPD:
        return _("Kinds of data, and how they are collected (LGPD 38, sole paragraph)")
    return _("The processing and its purposes (GDPR 35(7)(a))")


def _necessity(law: Law) -> str:
    return _("Why it is needed (LGPD 6 III, 10 §3)") if law is Law.RIPD else _("Why it is needed (GDPR 35(7)(b))")


def _measures(law: Law) -> str:
    if law is Law.RIPD:
        return _("Measures, safeguards and mitigation (LGPD 38, 46)")
    return _("Measures against the risks (GDPR 35(7)(d), 32)")


def _processing(holding: Holding) -> Blocks:
    if holding.fault:
        return (Title(holding.name, 2), Line(holding.fault, Tone.BAD))
    where = f"contracts: {holding.name}"
    newest = holding.newest
    rows = [
        (_("purposes and legal bases (GDPR 6, LGPD 7)"), purposes(holding) or missing(f"{where}: purposes")),
        (_("collected from"), ", ".join((*holding.sources, *holding.upstream)) or NOTHING),
        (_("checked on arrival by"), ngettext("{n} rule", "{n} rules", holding.rules).format(n=number(holding.rules))),
        (_("kept for"), said(holding.retention, f"{where}: slaProperties.retention")),
        (_("rows in the newest version"), number(newest.rows) if newest else NOTHING),
    ]
    about = [Line(each) for each in (holding.description, holding.purpose, holding.limitations) if each]
    return (Title(holding.name, 2), *about, facts(rows), *classes(holding))


def _trainings(dossier: Dossier) -> Blocks:
    if not dossier.trainings:
        return ()
    columns = (Column(_("run"), names=True), Column(_("name")), Column(_("read")))
    rows = [(each.id, each.name, ", ".join(each.inputs)) for each in dossier.trainings]
    return (Title(_("Trained with these data (GDPR 22, LGPD 20)"), 2), table(columns, rows))


def _found(held: tuple[Holding, ...]) -> Blocks:
    """What Lastro itself sees that raises the risk."""
    bare = (PersonalClass.IDENTIFIER, PersonalClass.SENSITIVE)
    lines: list[Block] = []
    for each in held:
        open_ = [name for name in each.personal.columns(*bare) if each.personal.protection(name) is None]
        if open_:
            told = _("{name}: identifiers or sensitive values without protection: {columns}")
            lines.append(Line(told.format(name=each.name, columns=", ".join(open_)), Tone.DOUBTFUL))
        if each.unclassified:
            count = ngettext(
                "{name}: {n} column has no class", "{name}: {n} columns have no class", len(each.unclassified)
            )
            lines.append(Line(count.format(name=each.name, n=number(len(each.unclassified))), Tone.DOUBTFUL))
        if each.personal.subject is None:
            told = _("{name}: the contract names no subject, so that nobody can be found in it by identifier")
            lines.append(Line(told.format(name=each.name), Tone.DOUBTFUL))
        if each.quarantined:
            told = ngettext(
                "{name}: {n} refused row waits in the quarantine",
                "{name}: {n} refused rows wait in the quarantine",
                each.quarantined,
            )
            lines.append(Line(told.format(name=each.name, n=number(each.quarantined)), Tone.FAINT))
    return tuple(lines)


def _judged(dossier: Dossier) -> Blocks:
    risks = dossier.judgements.risks
    if not risks:
        return (facts([(_("judged by people"), missing("judgements.risks"))]),)
    columns = (Column(_("risk"), names=True), Column(_("likelihood")), Column(_("severity")), Column(_("measure")))
    rows = [
        (each.risk, each.likelihood or NOTHING, each.severity or NOTHING, each.measure or NOTHING) for each in risks
    ]
    return (table(columns, rows),)
