"""Proposed classes of columns: one in a row, with the evidence."""

from __future__ import annotations

from lastro.model.personal import OF_PERSONS, Classified, PersonalClass
from lastro.model.text import _, ngettext
from lastro.privacy.detection.proposal import Because, Classification, Proposal
from lastro.report.blocks import Blocks, Cell, Column, Tone, table
from lastro.report.documents.parts import class_name
from lastro.report.numbers import NOTHING, number


def classes(found: Classification) -> Blocks:
    """One row a column."""
    columns = (
        Column(_("column"), names=True),
        Column(_("class"), fixed=True),
        Column(_("kind"), fixed=True),
        Column(_("evidence"), spare=1),
        Column(_("in the contract")),
    )
    rows = (
        (each.column, _class(each), each.kind or NOTHING, each.evidence or NOTHING, stands(found.settled(each.column)))
        for each in found.proposals
    )
    return (table(columns, rows),)


def stands(said: Classified | None) -> Cell:
    """What the contract says of a column now, and who confirmed it."""
    if said is None:
        return Cell(_("nothing"), Tone.FAINT)
    name = class_name(said.of)
    if said.confirmed:
        return Cell(_("{what}, confirmed by {who}").format(what=name, who=said.confirmed), Tone.GOOD)
    return Cell(name if said.is_settled else _("{what}, not confirmed").format(what=name), Tone.PLAIN)


def classes_verdict(found: Classification) -> str:
    """How many columns are personal, and what was written."""
    personal = sum(each.of in OF_PERSONS for each in found.proposals)
    open_ = sum(each.of is None for each in found.proposals)
    count = len(found.proposals)
    said = ngettext("{personal} of {n} column is personal", "{personal} of {n} columns are personal", count)
    parts = [said.format(personal=number(personal), n=number(count))]
    if open_:
        parts.append(
            ngettext("nothing is proposed for {n}", "nothing is proposed for {n}", open_).format(n=number(open_))
        )
    if found.written is None:
        parts.append(_("nothing written"))
    else:
        changed = ngettext("{n} column written to {file}", "{n} columns written to {file}", len(found.changed))
        parts.append(changed.format(n=number(len(found.changed)), file=found.written.name))
    return ", ".join(parts)


def _class(proposal: Proposal) -> Cell:
    tone = {PersonalClass.IDENTIFIER: Tone.BAD, PersonalClass.SENSITIVE: Tone.BAD, PersonalClass.QUASI: Tone.DOUBTFUL}
    if proposal.of is None:
        return Cell(_("unclear") if proposal.because is not Because.EMPTY else NOTHING, Tone.FAINT)
    return Cell(class_name(proposal.of), tone.get(proposal.of, Tone.PLAIN))
