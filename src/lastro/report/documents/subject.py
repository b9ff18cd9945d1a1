"""The answer to a person who asks what is kept about them (GDPR 12, 15, 20, 22; LGPD 9, 18, 19, 20).

Everything in it comes from contracts, versions, runs and the ledger; no value from the data is in it: those are in the
files beside it. Whoever works for the controller is counted, not named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lastro.model.dossier import Access, Dossier, Holding
from lastro.model.subject import Request, Sought, Stands
from lastro.model.text import _, ngettext
from lastro.report.blocks import Block, Blocks, Cell, Column, Line, Title, Tone, table
from lastro.report.documents.access import ranges
from lastro.report.documents.parts import bound, facts, kinds, missing, purposes, responsible, said
from lastro.report.numbers import NOTHING, moment, number

OWN = "subject-"
"""How the purposes begin of what was done at a person's own request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is told: where the person stands, which request this answers, and the `files` beside it with their rows."""

    sought: Sought
    request: Request
    files: tuple[tuple[str, int], ...] = ()


def title() -> str:
    """What the document is called."""
    return _("What is kept about you (GDPR art. 15 and 20, LGPD art. 18, I, II and V)")


def verdict(told: Answer) -> str:
    """How much there is."""
    sought = told.sought
    if not sought.is_anywhere:
        return _("Nothing about this person was found.")
    rows = sought.rows + sought.quarantined
    counted = ngettext("{n} row", "{n} rows", rows).format(n=number(rows))
    n = len(sought.found)
    return ngettext("{rows} in {n} dataset", "{rows} in {n} datasets", n).format(rows=counted, n=number(n))


def answer(dossier: Dossier, told: Answer) -> Blocks:
    """The document."""
    by_name = {each.name: each for each in dossier.holdings}
    found = [(each, by_name[each.dataset]) for each in told.sought.found if each.dataset in by_name]
    return (
        *_request(told.request),
        *responsible(dossier),
        *_files(told),
        *(block for stands, holding in found for block in _dataset(dossier, stands, holding)),
        *_automated(dossier, told.sought),
        *_searched(told.sought),
        *_rights(),
        *bound(dossier, [holding for _stands, holding in found]),
    )


def _request(request: Request) -> Blocks:
    rows: list[tuple[Cell | str, ...]] = [(_("request"), request.id), (_("received"), request.received.isoformat())]
    rows += [
        (_("answer due by {law} {article}").format(law=due.law, article=due.article), due.day.isoformat())
        for due in request.dues
    ]
    return (Title(_("Your request")), facts(rows))


def _files(told: Answer) -> Blocks:
    if not told.files:
        return ()
    columns = (Column(_("file"), names=True), Column(_("rows"), right=True))
    rows = [(path, number(count)) for path, count in told.files]
    note = _(
        "JSON lines hold every value as it is kept. The CSV files are for spreadsheets: a text that one would take "
        "for a formula has an apostrophe before it."
    )
    return (Title(_("Your data, in the files beside this document")), table(columns, rows), Line(note, Tone.FAINT))


def _dataset(dossier: Dossier, stands: Stands, holding: Holding) -> Blocks:
    where = f"contracts: {holding.name}"
    basis = purposes(holding)
    receivers = "; ".join(
        ", ".join(filter(None, (each.name, each.role, each.country))) for each in dossier.parties_of(holding.name)
    )
    rows: list[tuple[Cell | str, ...]] = [
        (_("purposes and legal bases (GDPR 6, LGPD 7)"), Cell(basis) if basis else missing(f"{where}: purposes")),
        (_("kinds of personal values"), kinds(holding)),
        (_("where the data comes from"), ", ".join((*holding.sources, *holding.upstream)) or NOTHING),
        (_("recipients"), receivers or missing("organisation.parties")),
        (_("kept for"), said(holding.retention, f"{where}: slaProperties.retention")),
        (_("rows about you now"), number(stands.rows)),
        (_("rows about you that were set aside"), number(stands.quarantined)),
        (_("versions that hold rows about you"), ranges(tuple(sorted(stands.versions)))),
    ]
    if holding.personal.hold is not None:
        rows.append((_("must be kept by law"), hold_text(holding)))
    if stands.lost:
        rows.append((_("versions whose files are gone"), ranges(stands.lost)))
    return (
        Title(holding.name),
        *([Line(holding.description)] if holding.description else []),
        facts(rows),
        *_columns(holding),
        *_uses(dossier, stands),
    )


def hold_text(holding: Holding) -> str:
    """The article that keeps a dataset's rows, and until when."""
    hold = holding.personal.hold
    if hold is None:
        return NOTHING
    until = hold.until.isoformat() if hold.until is not None else _("without end")
    return _("{basis}, until {day}").format(basis=hold.basis, day=until)


def _columns(holding: Holding) -> Blocks:
    classed = {each.column: each for each in holding.personal.classes}
    if not classed:
        return ()
    rows = [
        (name, (classed[name].kind or classed[name].of.value) if name in classed else NOTHING)
        for name in holding.columns
    ]
    return (table((Column(_("column"), names=True), Column(_("kind"))), rows),)


def _uses(dossier: Dossier, stands: Stands) -> Blocks:
    """Who read versions that hold the person, by purpose (GDPR 15(1)(a), (c))."""
    mine = [
        each
        for each in dossier.accesses
        if each.dataset == stands.dataset
        and not each.refused
        and set(each.versions) & set(stands.versions)
        and not each.purpose.startswith(OWN)
    ]
    if not mine:
        return (Line(_("Nobody read versions with rows about you, as far as the ledger knows.")),)
    columns = (
        Column(_("what was done")),
        Column(_("purpose"), names=True),
        Column(_("people"), right=True),
        Column(_("times"), right=True),
        Column(_("last (UTC)"), fixed=True),
    )
    grouped: dict[tuple[str, str], list[Access]] = {}
    for each in mine:
        grouped.setdefault((each.action, each.purpose), []).append(each)
    rows = [(action, purpose or _("not stated"), *_counted(group)) for (action, purpose), group in grouped.items()]
    return (table(columns, rows),)


def _counted(group: Sequence[Access]) -> tuple[str, str, str]:
    people = len({each.actor for each in group})
    return number(people), number(sum(each.times for each in group)), moment(max(each.last for each in group))


def _automated(dossier: Dossier, sought: Sought) -> Blocks:
    """Recorded runs – trainings, scorings – that read versions with the person's rows."""
    mine = {f"{each.dataset}@{number}" for each in sought.found for number in each.versions}
    runs = [each for each in dossier.trainings if mine & set(each.inputs)]
    heading = Title(_("Models and automated decisions (GDPR art. 22, LGPD art. 20)"))
    if not runs:
        return (heading, Line(_("No recorded run read rows about you.")))
    columns = (Column(_("run"), names=True), Column(_("name")), Column(_("started (UTC)")), Column(_("read")))
    rows = [(each.id, each.name, moment(each.started), ", ".join(sorted(mine & set(each.inputs)))) for each in runs]
    note = _(
        "These runs read versions that hold rows about you. Whether a decision about you was made by a machine alone, "
        "by which logic and with which consequences, the controller must add here."
    )
    return (heading, table(columns, rows), Line(note, Tone.DOUBTFUL))


def _searched(sought: Sought) -> Blocks:
    blocks: list[Block] = [Title(_("What was searched"))]
    names = ", ".join(each.dataset for each in sought.stands) or NOTHING
    blocks.append(Line(_("Searched by {kind}: {names}").format(kind=sought.kind, names=names)))
    if sought.linked:
        told = _("Also searched by names that belong to you alone: {kinds}")
        blocks.append(Line(told.format(kinds=", ".join(sought.linked))))
    if sought.skipped:
        rows = [(each.dataset, each.why) for each in sought.skipped]
        blocks.append(table((Column(_("not searched"), names=True), Column(_("why"))), rows))
    return tuple(blocks)


def _rights() -> Blocks:
    rows = [
        (_("have wrong data corrected"), "GDPR 16, LGPD 18 III"),
        (_("have data erased, or its use restricted"), "GDPR 17, 18, LGPD 18 IV, VI"),
        (_("take the data along to somebody else"), "GDPR 20, LGPD 18 V"),
        (_("withdraw consent, or object"), "GDPR 7(3), 21, LGPD 8 §5, 18 IX, §2"),
        (_("have a decision by a machine reviewed"), "GDPR 22(3), LGPD 20"),
        (_("complain to the supervisory authority"), "GDPR 77, LGPD 18 §1 (ANPD)"),
    ]
    return (Title(_("Your rights")), table((Column(_("you may"), names=True), Column(_("article"))), rows))
