"""Events: what is worth telling somebody, as values.

Rules:

1. An event is about one dataset and one kind of trouble: `failed`, `late`, `quarantined`. It opens, and it is resolved.
2. It holds names, counts and the error's own words, which never hold a value of a row.
3. It leaves this program as a CloudEvent 1.0 in structured JSON (https://github.com/cloudevents/spec).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from lastro.model import clock
from lastro.model.text import _


class Kind(StrEnum):
    """What the trouble is: an ingestion or build that failed, a promise of freshness broken, rows set aside."""

    FAILED = "failed"
    LATE = "late"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing to tell. `id` stays the same from opening to resolving; `numbers` are what the sentence is based on."""

    id: str
    kind: Kind
    dataset: str
    moment: datetime
    what: str
    do: str = ""
    code: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    resolved: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What makes two events the same trouble: the dataset and the kind."""
        return self.dataset, self.kind.value

    @property
    def title(self) -> str:
        """One line for a subject."""
        match self.kind, self.resolved:
            case Kind.FAILED, False:
                title = _("{dataset} failed")
            case Kind.FAILED, True:
                title = _("{dataset} works again")
            case Kind.LATE, False:
                title = _("{dataset} is late")
            case Kind.LATE, True:
                title = _("{dataset} is fresh again")
            case Kind.QUARANTINED, False:
                title = _("{dataset} has rows in its quarantine")
            case _:
                title = _("the quarantine of {dataset} is empty again")
        return title.format(dataset=self.dataset)

    @property
    def text(self) -> str:
        """The message: what happened, and the command to look further."""
        return "\n".join(part for part in (self.what, self.do) if part)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The event as plain values."""
        return {
            "id": self.id,
            "kind": self.kind.value,
            "dataset": self.dataset,
            "moment": clock.to_text(self.moment),
            "what": self.what,
            "do": self.do,
            "code": self.code,
            "numbers": dict(self.numbers),
            "resolved": self.resolved,
        }


def cloud_event(event: Event, *, source: str) -> bytes:
    """The event as a CloudEvent; `source` names the workspace. The attributes `id` and `source` together are unique."""
    state = "resolved" if event.resolved else "opened"
    envelope = {
        "specversion": "1.0",
        "id": f"{event.id}.{state}",
        "source": source,
        "type": f"lastro.alert.{state}.v1",
        "subject": event.dataset,
        "time": clock.to_text(event.moment),
        "datacontenttype": "application/json",
        "data": event.to_dict(),
    }
    return json.dumps(envelope, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
