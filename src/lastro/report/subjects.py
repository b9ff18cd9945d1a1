"""Persons as a terminal shows them: where they stand, what was written, which requests wait. No value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from lastro.model.subject import Request, Sought
from lastro.model.text import _, ngettext
from lastro.report.blocks import Block, Blocks, Cell, Column, Line, Tone, table
from lastro.report.documents.access import ranges
from lastro.report.numbers import NOTHING, number


def sought(found: Sought) -> Blocks:
    """The datasets where a person stands, and those that were not searched."""
    columns = (
        Column(_("dataset"), names=True),
        Column(_("column")),
        Column(_("rows now"), right=True),
        Column(_("set aside"), right=True),
        Column(_("versions")),
    )
    rows = [
        (
            each.dataset,
            ", ".join(each.columns),
            number(each.rows),
            number(each.quarantined),
            ranges(tuple(sorted(each.versions))),
        )
        for each in found.found
    ]
    return (*([table(columns, rows)] if rows else []), *notes(found))


def notes(found: Sought) -> Blocks:
    """What a search leaves open."""
    blocks: list[Block] = []
    if found.linked:
        told = _("also searched by names that belong to this person alone: {kinds}")
        blocks.append(Line(told.format(kinds=", ".join(found.linked))))
    if found.shared:
        told = ngettext(
            "{n} further name of this person is shared with others, and was not followed",
            "{n} further names of this person are shared with others, and were not followed",
            found.shared,
        )
        blocks.append(Line(told.format(n=number(found.shared)), Tone.DOUBTFUL))
    blocks += [
        Line(
            _("versions of {dataset} whose files are gone: {versions}").format(
                dataset=each.dataset, versions=ranges(each.lost)
            )
        )
        for each in found.stands
        if each.lost
    ]
    if found.skipped:
        rows = [(each.dataset, each.why) for each in found.skipped]
        blocks.append(table((Column(_("not searched"), names=True), Column(_("why"))), rows))
    return tuple(blocks)


def sought_verdict(found: Sought) -> str:
    """How much there is."""
    if not found.is_anywhere:
        n = len(found.stands)
        told = ngettext("nothing about this person in {n} dataset", "nothing about this person in {n} datasets", n)
        return told.format(n=number(n))
    rows = found.rows + found.quarantined
    counted = ngettext("{n} row", "{n} rows", rows).format(n=number(rows))
    n = len(found.found)
    places = ngettext("{rows} in {n} dataset", "{rows} in {n} datasets", n).format(rows=counted, n=number(n))
    if not found.entries:
        return places
    values = ngettext("{n} value in the vault", "{n} values in the vault", found.entries)
    return _("{places}, {values}").format(places=places, values=values.format(n=number(found.entries)))


def exported(found: Sought, request: Request, others: int) -> Blocks:
    """What was written, and what a person has to look at before it is sent."""
    blocks: list[Block] = list(sought(found))
    if others:
        told = ngettext(
            "{n} value names somebody else, and stayed a token",
            "{n} values name somebody else, and stayed tokens",
            others,
        )
        blocks.append(Line(told.format(n=number(others))))
    blocks.append(Line(_("look through free texts before you send it: they may speak of other people"), Tone.DOUBTFUL))
    blocks.append(Line(_("request {id}, received {day}").format(id=request.id, day=request.received.isoformat())))
    return tuple(blocks)


def requests(found: Sequence[Request], today: date) -> Blocks:
    """The register, in the order that was given."""
    columns = (
        Column(_("request"), names=True),
        Column(_("right")),
        Column(_("received"), fixed=True),
        Column(_("due"), fixed=True),
        Column(_("state")),
        Column(_("basis"), spare=1),
    )
    rows = [
        (
            each.id,
            each.right,
            each.received.isoformat(),
            ", ".join(f"{due.law} {due.day.isoformat()}" for due in each.dues) or NOTHING,
            _state(each, today),
            each.basis or NOTHING,
        )
        for each in found
    ]
    return (table(columns, rows),) if rows else ()


def _state(request: Request, today: date) -> Cell:
    if request.answered is not None:
        told = _("answered {day}").format(day=request.answered.isoformat())
        return Cell(f"{told}: {request.outcome}" if request.outcome else told, Tone.GOOD)
    days = (request.due - today).days
    if request.is_overdue(today):
        return Cell(ngettext("{n} day overdue", "{n} days overdue", -days).format(n=number(-days)), Tone.BAD)
    return Cell(ngettext("{n} day left", "{n} days left", days).format(n=number(days)), Tone.DOUBTFUL)
