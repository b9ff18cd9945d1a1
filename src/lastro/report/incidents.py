"""Incidents: one row each, the open first; or one with its history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lastro.alert.incident import Action, Change, Incident, State
from lastro.model import clock
from lastro.model.text import _
from lastro.report.blocks import Blocks, Cell, Column, Line, Tone, table
from lastro.report.cells import clean
from lastro.report.numbers import NOTHING, moment, number


def incidents(found: Sequence[Incident], now: datetime) -> Blocks:
    """One row per incident, in the order given."""
    number_of, state, cause, *others = _columns()
    columns = (number_of, state, cause, Column(_("what was found first")), *others)
    rows = ((*cells[:3], clean(one.opening.what), *cells[3:]) for one in found for cells in [_row(one, now)])
    return (table(columns, rows),)


def incident(one: Incident, now: datetime) -> Blocks:
    """An incident, and all that was found and done about it."""
    columns = (
        Column(_("moment (UTC)"), fixed=True),
        Column(_("what")),
        Column(_("by")),
        Column(_("reason")),
    )
    what, newest = one.opening.what, one.newest.what
    told = [Line("  " + _("found first: {what}").format(what=clean(what)))]
    if newest != what:
        told.append(Line("  " + _("found last: {what}").format(what=clean(newest))))
    return (table(_columns(), [_row(one, now)]), *told, table(columns, map(_change, one.changes)))


def incident_values(one: Incident, now: datetime) -> dict[str, Any]:  # Any: JSON values
    """An incident as plain values."""
    return {
        "number": one.number,
        "state": one.state(now).value,
        "kind": one.opening.kind.value,
        "dataset": one.opening.dataset,
        "monitor": one.opening.monitor or None,
        "rule": one.opening.rule or None,
        "opened": clock.to_text(one.opening.moment),
        "what": one.opening.what,
        "do": one.opening.do,
        "numbers": dict(one.opening.numbers),
        "found": one.found,
        "assignee": one.assignee or None,
        "muted_until": None if one.muted_until is None else clock.to_text(one.muted_until),
        "changes": [change.to_dict() for change in one.changes],
    }


def state_text(state: State) -> str:
    """A state in a word."""
    words = {
        State.OPEN: _("open"),
        State.ACKNOWLEDGED: _("acknowledged"),
        State.MUTED: _("muted"),
        State.RESOLVED: _("resolved"),
        State.REOPENED: _("reopened"),
    }
    return words[state]


def _state_cell(state: State) -> Cell:
    tones = {State.OPEN: Tone.BAD, State.REOPENED: Tone.BAD, State.RESOLVED: Tone.GOOD, State.MUTED: Tone.FAINT}
    return Cell(state_text(state), tones.get(state, Tone.DOUBTFUL))


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("incident"), right=True),
        Column(_("state"), fixed=True),
        Column(_("cause")),
        Column(_("found"), right=True, spare=2),
        Column(_("assigned to"), spare=1),
        Column(_("since (UTC)"), spare=3),
    )


def _row(one: Incident, now: datetime) -> tuple[Cell | str, ...]:
    return (
        number(one.number),
        _state_cell(one.state(now)),
        clean(one.opening.title),
        number(one.found),
        clean(one.assignee) or NOTHING,
        moment(one.opening.moment),
    )


def _change(change: Change) -> tuple[str, ...]:
    return moment(change.moment), _done(change), clean(change.by), clean(change.reason) or NOTHING


def _done(change: Change) -> str:
    match change.action:
        case Action.OPENED:
            told = _("opened")
        case Action.FOUND:
            told = _("found again")
        case Action.ACKNOWLEDGED:
            told = _("acknowledged")
        case Action.ASSIGNED:
            told = _("assigned to {name}").format(name=clean(change.to))
        case Action.MUTED:
            told = _("muted until {moment}").format(moment=NOTHING if change.until is None else moment(change.until))
        case Action.RESOLVED:
            told = _("resolved")
        case Action.REOPENED:
            told = _("reopened")
    return told if change.look is None else _("{what} by look {look}").format(what=told, look=number(change.look))
