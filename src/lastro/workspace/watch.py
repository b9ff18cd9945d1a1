"""Watching: from how datasets stand to what somebody should be told, and telling it.

Rules:

1. What is a trouble is decided by `alert.trouble`, whom to tell of it by the book (`alert.book`).
2. Sending never fails a round: what was not delivered is told as a note and tried again next time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lastro.alert import book
from lastro.alert.event import Event
from lastro.alert.target import Target, targets
from lastro.alert.trouble import troubles
from lastro.model.errors import LastroError
from lastro.model.status import DatasetStatus
from lastro.model.text import _
from lastro.workspace import configuration

if TYPE_CHECKING:
    from lastro.workspace.workspace import Workspace

FILE = Path(".lastro") / "alerts.json"
Send = Callable[[Target, Event, str], None]


def watch(workspace: Workspace, found: tuple[DatasetStatus, ...], *, send: Send | None = None) -> tuple[str, ...]:
    """Tells those who are to be told how these datasets stand; gives a note for each message that did not get through.

    Without `alerts:` in `lastro.yaml` nothing happens. Raises `ConfigurationError`, `WriteFailed`.
    """
    listed = {target.name: target for target in targets(workspace.settings.alerts)}
    path = workspace.root / FILE
    if not listed and not path.exists():
        return ()
    now = workspace.clock()
    wanted = {name: target.kinds for name, target in listed.items()}
    known = book.read(path)
    after = known.look(troubles(found, now), {status.dataset for status in found}, wanted, now)
    notes = []
    for name, event in after.due():
        try:
            (send or _send)(listed[name], event, workspace.root.name)
        except LastroError as error:
            notes.append(_("{target} could not be told: {what}").format(target=name, what=error.what))
        else:
            after = after.delivered(name, event)
    with configuration.writing(path):
        book.write(path, after)
    return tuple(notes)


def _send(target: Target, event: Event, source: str) -> None:
    from lastro.alert.deliver import deliver

    deliver(target, event, source=source)
