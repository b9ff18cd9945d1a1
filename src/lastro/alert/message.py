"""Messages: what one target hears at one time.

Rules:

1. All troubles that are due to a target at one time open in one message, and all that ended end in one: a bad night is
   two messages, not a storm.
2. The first cause leads it: an ingestion that failed, then a broken rule, a monitor that cannot look, drift, a dataset
   that is late, rows set aside. An ingestion that failed for a rule is told by that rule.
3. A message of one event is that event. One of several has all of them in `also`, the first ones in words, the numbers
   of the first, and an id that the same events always have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lastro.alert.event import Event, Kind
from lastro.model import digest
from lastro.model.errors import DataRefused
from lastro.model.text import ngettext

TOLD = 10
"""So many events of a message are told in words."""
_ORDER = (Kind.FAILED, Kind.BROKEN, Kind.BLIND, Kind.DRIFTED, Kind.LATE, Kind.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Message:
    """What a target hears: an event, which may stand for several, and those that count as told with it."""

    target: str
    event: Event
    events: tuple[Event, ...]


def messages(due: Iterable[tuple[str, Event]]) -> tuple[Message, ...]:
    """The messages in which events reach their targets, in the order in which targets first come."""
    found: dict[tuple[str, bool], list[Event]] = {}
    for target, event in due:
        found.setdefault((target, event.resolved), []).append(event)
    return tuple(Message(target, _one(events), tuple(events)) for (target, _end), events in found.items())


def _one(events: Sequence[Event]) -> Event:
    if len(events) == 1:
        return events[0]
    broken = {event.dataset for event in events if event.kind is Kind.BROKEN}
    ordered = sorted(events, key=lambda event: (_is_explained(event, broken), _ORDER.index(event.kind), event.incident))
    told = [event for event in ordered if not _is_explained(event, broken)]
    lines = [event.what for event in told[:TOLD]]
    more = len(told) - TOLD
    if more > 0:
        lines.append(ngettext("and {n} more", "and {n} more", more).format(n=more))
    identity = digest.of_parts(sorted(event.id for event in events)).rpartition(":")[2][:32]
    do = told[0].do if len(told) == 1 else "lastro incidents"
    return replace(told[0], id=identity, what="\n".join(lines), do=do, also=tuple(ordered))


def _is_explained(event: Event, broken: Iterable[str]) -> bool:
    """True for an ingestion that failed for a rule which is told, too."""
    return (event.kind, event.code) == (Kind.FAILED, DataRefused.code) and event.dataset in broken
