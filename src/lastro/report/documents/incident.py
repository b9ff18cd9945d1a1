"""The incident dossier: what an actor could have taken, whom it concerns, and by when whom to tell.

GDPR 33 (72 hours after becoming aware), 34; LGPD 48 with ANPD Resolution 15/2024: three business days, a complement
within 20, and a record that is kept for five years.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lastro.model.dossier import Access, Dossier, Holding
from lastro.model.text import _, ngettext
from lastro.report.blocks import Block, Blocks, Cell, Column, Line, Title, Tone, table
from lastro.report.documents.access import accesses
from lastro.report.documents.parts import bound, facts, kinds, measures, missing, said
from lastro.report.numbers import NOTHING, moment, number

HOURS_GDPR = 72
BUSINESS_DAYS_LGPD = 3
BUSINESS_DAYS_COMPLEMENT = 20
YEARS_KEPT = 5
_WEEKEND = 5


@dataclass(frozen=True, slots=True)
class Incident:
    """What is asked: since when it was known, whose doings are looked at, and within which span."""

    known: datetime
    actors: tuple[str, ...]
    since: datetime | None = None
    until: datetime | None = None

    def concerns(self, actor: str, at: datetime) -> bool:
        """Whether what somebody did at a moment may be part of it."""
        early = self.since is not None and at < self.since
        late = self.until is not None and at > self.until
        return (not self.actors or actor in self.actors) and not early and not late


def incident(dossier: Dossier, asked: Incident) -> Blocks:
    """The document, of a dossier of the events that concern the incident."""
    taken = [each for each in dossier.accesses if not each.refused]
    touched = [each for each in dossier.holdings if any(one.dataset == each.name for one in taken)]
    nothing = Line(_("the ledger tells of nothing that was handed out"))
    return (
        *_deadlines(dossier, asked),
        Title(_("What was done")),
        *(accesses(dossier.accesses) or (nothing,)),
        *_concerned(touched, taken),
        Title(_("Consequences and measures (GDPR 33(3)(c)–(d), LGPD 48 §1)")),
        facts(
            [
                (_("likely consequences"), missing(_("by whoever judges the incident"))),
                (_("measures taken"), "; ".join(dossier.judgements.security) or missing("judgements.security")),
            ]
        ),
        *bound(dossier, touched),
    )


def incident_title() -> str:
    """What the document is called."""
    return _("Incident dossier (GDPR art. 33, LGPD art. 48)")


def incident_verdict(dossier: Dossier) -> str:
    """How many datasets it reached."""
    names = {each.dataset for each in dossier.accesses if not each.refused}
    return ngettext("{n} dataset was reached", "{n} datasets were reached", len(names)).format(n=number(len(names)))


def business_days(start: datetime, days: int) -> datetime:
    """The moment so many business days later, Saturdays and Sundays left out; holidays are not known here."""
    at = start
    while days > 0:
        at += timedelta(days=1)
        if at.weekday() < _WEEKEND:
            days -= 1
    return at


def _deadlines(dossier: Dossier, asked: Incident) -> Blocks:
    one = dossier.organisation
    rows: list[tuple[Cell | str, ...]] = [
        (_("known since (UTC)"), moment(asked.known)),
        (_("supervisory authority, GDPR 33(1): 72 hours"), moment(asked.known + timedelta(hours=HOURS_GDPR))),
        (_("ANPD and people, 3 business days"), moment(business_days(asked.known, BUSINESS_DAYS_LGPD))),
        (_("complement to the ANPD, 20 business days"), moment(business_days(asked.known, BUSINESS_DAYS_COMPLEMENT))),
        (_("record kept until at least"), str(asked.known.year + YEARS_KEPT)),
        (_("controller"), said(one.name, "organisation.name")),
        (_("data protection officer"), said(one.officer, "organisation.officer.name")),
        (_("whose doings"), ", ".join(asked.actors) or _("everybody's")),
        (_("from (UTC)"), moment(asked.since) if asked.since else _("the beginning")),
        (_("to (UTC)"), moment(asked.until) if asked.until else _("now")),
    ]
    note = Line(_("Public holidays move business days; they are not counted here."), Tone.FAINT)
    return (Title(_("By when whom to tell")), facts(rows), note)


def _concerned(touched: Sequence[Holding], taken: Sequence[Access]) -> Blocks:
    """Which values of which people: columns that were handed out, by what they are."""
    if not touched:
        return ()
    columns = (
        Column(_("dataset"), names=True),
        Column(_("rows in the newest version"), right=True),
        Column(_("kinds of personal values")),
        Column(_("columns handed out")),
        Column(_("protection")),
    )
    rows = []
    for holding in touched:
        out = dict.fromkeys(column for each in taken if each.dataset == holding.name for column in each.columns)
        newest = number(holding.newest.rows) if holding.newest else NOTHING
        rows.append((holding.name, newest, kinds(holding), ", ".join(out) or NOTHING, measures(holding)))
    blocks: list[Block] = [Title(_("Which values, and whose")), table(columns, rows)]
    return tuple(blocks)
