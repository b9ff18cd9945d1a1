"""Events: what is worth telling somebody, as values.

Rules:

1. An event is about one dataset and one kind of trouble: `failed`, `late`, `quarantined`; `broken`, which is also about
   one rule; `drifted` or `blind`, which are also about one monitor. It opens, and it is resolved.
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
from lastro.model.text import _, ngettext


class Kind(StrEnum):
    """What the trouble is: an ingestion or build that failed, a rule that is broken, a promise of freshness broken,
    rows set aside, rows that differ from a monitor's reference, or a monitor that cannot look.
    """

    FAILED = "failed"
    BROKEN = "broken"
    LATE = "late"
    QUARANTINED = "quarantined"
    DRIFTED = "drifted"
    BLIND = "blind"


def key_of(dataset: str, kind: Kind, *, of: str = "") -> tuple[str, str]:
    """The cause of a trouble: its dataset and kind, and the monitor or rule if it is one's."""
    return dataset, f"{kind} {of}" if of else kind.value


@dataclass(frozen=True, slots=True)
class Event:
    """One thing to tell. `id` stays the same from opening to resolving; `numbers` are what the sentence is based on.
    `monitor` is the one that found it, if one did, `rule` the one that is broken, if one is; `incident` the number of
    the incident that it belongs to. `also` are all events that it stands for, if they are several (`alert.message`).
    """

    id: str
    kind: Kind
    dataset: str
    moment: datetime
    what: str
    do: str = ""
    code: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    resolved: bool = False
    monitor: str = ""
    incident: int = 0
    rule: str = ""
    also: tuple[Event, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What makes two events the same trouble: the dataset and the kind, with the monitor or rule if it is one's."""
        return key_of(self.dataset, self.kind, of=self.monitor or self.rule)

    @property
    def title(self) -> str:
        """One line for a subject."""
        more = len(self.also) - 1
        if more < 1:
            return self._title
        return ngettext("{title}, and {n} more", "{title}, and {n} more", more).format(title=self._title, n=more)

    @property
    def _title(self) -> str:
        match self.kind, self.resolved:
            case Kind.FAILED, False:
                title = _("{dataset} failed")
            case Kind.FAILED, True:
                title = _("{dataset} works again")
            case Kind.BROKEN, False:
                title = _("{dataset} breaks the rule {rule}")
            case Kind.BROKEN, True:
                title = _("{dataset} keeps the rule {rule} again")
            case Kind.LATE, False:
                title = _("{dataset} is late")
            case Kind.LATE, True:
                title = _("{dataset} is fresh again")
            case Kind.QUARANTINED, False:
                title = _("{dataset} has rows in its quarantine")
            case Kind.QUARANTINED, True:
                title = _("the quarantine of {dataset} is empty again")
            case Kind.DRIFTED, False:
                title = _("{dataset} drifted ({monitor})")
            case Kind.DRIFTED, True:
                title = _("the drift of {dataset} is resolved ({monitor})")
            case Kind.BLIND, False:
                title = _("{monitor} cannot look at {dataset}") if self.monitor else _("{dataset} cannot be checked")
            case _:
                title = _("{monitor} looks at {dataset} again") if self.monitor else _("{dataset} is checked again")
        return title.format(dataset=self.dataset, monitor=self.monitor, rule=self.rule)

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
            **({"monitor": self.monitor} if self.monitor else {}),
            **({"rule": self.rule} if self.rule else {}),
            **({"incident": self.incident} if self.incident else {}),
            **({"events": [each.to_dict() for each in self.also]} if self.also else {}),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Event:  # Any: JSON values
        """The event that `to_dict` wrote. Raises `ValueError`, `LookupError`, `TypeError`, `AttributeError`."""
        return cls(
            id=str(value["id"]),
            kind=Kind(str(value["kind"])),
            dataset=str(value["dataset"]),
            moment=clock.from_text(str(value["moment"])),
            what=str(value["what"]),
            do=str(value["do"]),
            code=str(value["code"]),
            numbers={str(name): float(number) for name, number in value["numbers"].items()},
            resolved=value["resolved"] is True,
            monitor=str(value.get("monitor", "")),
            incident=int(value.get("incident", 0)),
            rule=str(value.get("rule", "")),
        )


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
