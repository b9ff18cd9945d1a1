"""Incidents as a person works with them: acknowledged, assigned, muted, resolved, reopened – each with a reason."""

from __future__ import annotations

import os
import pwd
import uuid
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from lastro.alert.incident import Action, Change, Incident, Incidents, State
from lastro.alert.incident_file import IncidentFile
from lastro.model.errors import UnknownName, UsageError
from lastro.model.text import _
from lastro.workspace.monitoring.watch import INCIDENTS

if TYPE_CHECKING:
    from lastro.workspace.workspace import Workspace

REASON_MAX = 1000
NAME_MAX = 200


def incidents(workspace: Workspace, *, everything: bool = False) -> tuple[Incident, ...]:
    """The incidents that are not resolved, or all; the newest first. Raises `Corrupted`."""
    now = workspace.clock()
    found = _file(workspace).read().entries.values()
    chosen = (one for one in found if everything or one.state(now) is not State.RESOLVED)
    return tuple(sorted(chosen, key=lambda one: (one.state(now) is State.RESOLVED, -one.number)))


def incident(workspace: Workspace, number: int) -> Incident:
    """The incident of that number. Raises `UnknownName`, `Corrupted`."""
    return _one(_file(workspace).read(), number)


def change(
    workspace: Workspace,
    number: int,
    action: Action | str,
    *,
    reason: str,
    until: datetime | None = None,
    to: str = "",
    by: str | None = None,
) -> Incident:
    """Changes an incident, and gives it as it is then. `by` is who does; without it, the system's user.

    Raises `UnknownName`, `UsageError` where the change has no meaning, `Locked`, `WriteFailed`, `Corrupted`.
    """
    action = _action(action)
    _check_text(reason, to, action)
    who, now = by or _user(), workspace.clock()

    def decide(known: Incidents) -> tuple[Change, ...]:
        one = _one(known, number)
        _check(one, action, until, now)
        event = None
        if action is Action.REOPENED:
            event = replace(one.newest, id=uuid.uuid4().hex, moment=now)
        return (Change(number, action, now, who, reason.strip(), event, until=until, to=to.strip()),)

    return _one(_file(workspace).change(decide).incidents, number)


def _action(given: Action | str) -> Action:
    wanted = [action for action in Action if action not in {Action.OPENED, Action.FOUND}]
    if given not in wanted:
        raise UsageError(
            _("{word!r} is no change of an incident").format(word=str(given)[:80]),
            do=_("use one of {words}").format(words=", ".join(wanted)),
        )
    return Action(given)


def _file(workspace: Workspace) -> IncidentFile:
    return IncidentFile(workspace.root / INCIDENTS)


def _one(known: Incidents, number: int) -> Incident:
    found = known.entries.get(number)
    if found is None:
        raise UnknownName(
            _("there is no incident {number}").format(number=number), do=_("lastro incidents --all lists them")
        )
    return found


def _check_text(reason: str, to: str, action: Action) -> None:
    if not reason.strip():
        raise UsageError(
            _("a change of an incident needs a reason"), do=_("say why, for whoever reads it later: --reason TEXT")
        )
    if len(reason) > REASON_MAX:
        raise UsageError(
            _("a change of an incident has a reason of at most {most:,} characters").format(most=REASON_MAX),
            do=_("say why, for whoever reads it later: --reason TEXT"),
        )
    if (action is Action.ASSIGNED) != bool(to.strip()) or len(to) > NAME_MAX:
        raise UsageError(
            _("an incident is assigned to somebody, and other changes are not"),
            do=_("write lastro incidents assign ID --to NAME --reason TEXT"),
        )


def _check(one: Incident, action: Action, until: datetime | None, now: datetime) -> None:
    if (action is Action.MUTED) != (until is not None) or (until is not None and until <= now):
        raise UsageError(
            _("an incident is muted until a moment to come, and other changes have none"),
            do=_("write lastro incidents mute ID --until 2026-12-31 --reason TEXT"),
        )
    state = one.state(now)
    is_resolved = state is State.RESOLVED
    if action is Action.REOPENED and state in {State.OPEN, State.REOPENED}:
        raise UsageError(_("incident {number} is open").format(number=one.number), do=_("nothing is to be done"))
    if action in {Action.ACKNOWLEDGED, Action.RESOLVED, Action.MUTED} and is_resolved:
        raise UsageError(
            _("incident {number} is resolved").format(number=one.number),
            do=_("reopen it first: lastro incidents reopen {number} --reason TEXT").format(number=one.number),
        )


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user that no file names
        return str(os.getuid())
