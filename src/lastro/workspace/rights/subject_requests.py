"""Requests of persons in a workspace: entered, listed by urgency, answered. See `governance.requests`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from lastro.governance import requests
from lastro.model.errors import UsageError
from lastro.model.subject import Request
from lastro.model.text import _
from lastro.workspace.audit.ledger import actor

if TYPE_CHECKING:
    from lastro.governance.requests import Register
    from lastro.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests, overdue ones first, as of `today`."""

    requests: tuple[Request, ...]
    today: date

    @property
    def overdue(self) -> int:
        """How many are open beyond their last day."""
        return sum(each.is_overdue(self.today) for each in self.requests)

    @property
    def open(self) -> int:
        """How many were not answered yet."""
        return sum(each.answered is None for each in self.requests)

    def to_dict(self) -> dict[str, Any]:  # Any: values for `report.json_values`
        """The register as plain values."""
        told = [
            {
                "id": each.id,
                "right": each.right,
                "received": each.received,
                "basis": each.basis,
                "due": {due.law: due.day for due in each.dues},
                "overdue": each.is_overdue(self.today),
                "answered": each.answered,
                "outcome": each.outcome,
            }
            for each in self.requests
        ]
        return {"today": self.today, "open": self.open, "overdue": self.overdue, "requests": told}


def register(workspace: Workspace) -> Register:
    """The workspace's register."""
    return requests.Register(workspace.root / ".lastro" / requests.FILE)


def today(workspace: Workspace) -> date:
    """The day it is, in UTC."""
    return workspace.clock().date()


def listed(workspace: Workspace) -> Requests:
    """All requests, by urgency. Raises `Corrupted`."""
    day = today(workspace)
    return Requests(requests.by_urgency(register(workspace).read(), day), day)


def enter(workspace: Workspace, right: str, *, received: date | None = None, basis: str = "") -> Request:
    """Enters a request that came. Raises `UsageError`, `Corrupted`, `WriteFailed`."""
    day = today(workspace)
    if received is not None and received > day:
        raise UsageError(_("the request would have come in the future"), do=_("write the day on which it came"))
    new = Request(requests.new_id(os.urandom(6)), right, received or day, basis)
    return register(workspace).enter(new, actor=actor())


def answer(workspace: Workspace, id_: str, outcome: str) -> Request:
    """Says that a request was answered. Raises `UsageError`, `UnknownName`, `Corrupted`, `WriteFailed`."""
    return register(workspace).answer(id_, today(workspace), outcome, actor=actor())


def taken_up(workspace: Workspace, id_: str | None, right: str, basis: str) -> Request:
    """The registered request of this id, or a new one that came today. Raises as `enter` does, and `UnknownName`."""
    return enter(workspace, right, basis=basis) if id_ is None else register(workspace).get(id_)
