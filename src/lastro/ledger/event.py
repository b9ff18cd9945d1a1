"""What happened, as the ledger keeps it: who did what with which data, for which purpose, and whether that was allowed.

Rules:

1. An event holds names, numbers and digests of the workspace's own: no value from the data, no literal of a query, and
   no hash of an identifier that can be guessed.
2. Its bytes are JSON with sorted keys and without blanks, in UTF-8; what is not said is left out. They are made once
   and never again: proofs are of the bytes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from lastro.model import clock
from lastro.model.errors import Corrupted
from lastro.model.text import _

FORMAT = 1
Action = Literal[
    "commit", "read", "refuse", "tag", "remove", "run", "export", "erase", "rectify", "reveal", "key", "vault"
]
Decision = Literal["allow", "deny"]


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One event. `at` is RFC 3339 in UTC; `columns` are those that were handed out; `rows` how many; `about` tells more
    in names and numbers.
    """

    lastro: Literal[1]
    at: str
    actor: str
    action: Action
    decision: Decision = "allow"
    purpose: str = ""
    dataset: str = ""
    version: int | None = None
    digest: str = ""
    columns: tuple[str, ...] = ()
    rows: int | None = None
    run: str = ""
    about: dict[str, str | int] = msgspec.field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        """When it happened."""
        return clock.from_text(self.at)


def found_by(event: Event) -> tuple[str, str, str, int | None]:
    """What an event is looked up by: actor, action, dataset and version."""
    return event.actor, event.action, event.dataset, event.version


def to_text(event: Event) -> str:
    """The event's JSON (rule 2)."""
    return msgspec.json.encode(event, order="sorted").decode()


def from_text(text: str, number: int) -> Event:
    """The event of a text, which is the ledger's `number`, from 0. Raises `Corrupted`."""
    try:
        return msgspec.json.decode(text, type=Event)
    except (msgspec.DecodeError, UnicodeError, TypeError):
        raise Corrupted(
            _("event {number:,} of the ledger cannot be read").format(number=number),
            do=_("see what was changed: lastro ledger verify"),
        ) from None
