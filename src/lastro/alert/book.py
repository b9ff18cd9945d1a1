"""The book of open alerts: nobody is told twice of the same trouble.

Rules:

1. A trouble is told when it opens and when it is resolved; while it lasts, nothing is said. Which troubles are open and
   which have ended is decided by the incidents (`alert.incident`); an incident that is opened again is told again.
2. If a trouble comes back before a target heard of its end, that target never knew of an end, and hears nothing.
3. What could not be delivered stays marked, and is tried again at the next look. One target that is down holds no other
   back: each has its own mark.
4. The book is one small file, `.lastro/alerts.json`, replaced durably, and only if it changed. A damaged book is begun
   anew: the worst that follows is a message that was told before.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from lastro.alert.event import Event, Kind
from lastro.model.durable import write_durably

FORMAT = 1
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Targets:
    """Whom to tell: the kinds that each target wants to hear of, and the targets that a monitor names for its own."""

    kinds: Mapping[str, frozenset[Kind]] = field(default_factory=dict)
    of_monitor: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def concerned(self, event: Event) -> frozenset[str]:
        """Who is to hear of an event."""
        if event.monitor in self.of_monitor:
            return self.of_monitor[event.monitor] & self.kinds.keys()
        return frozenset(name for name, kinds in self.kinds.items() if event.kind in kinds)


@dataclass(frozen=True, slots=True)
class Entry:
    """One trouble: the event that opened it (or its end), which targets still have to hear of it, and which did."""

    event: Event
    untold: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Book:
    """All open troubles, by dataset and kind."""

    entries: Mapping[Key, Entry] = field(default_factory=dict)

    def look(self, found: Iterable[Event], ended: Collection[Key], targets: Targets, now: datetime) -> Book:
        """The book once these troubles are open and those have ended; whatever is neither stays as it is."""
        troubles = {event.key: event for event in found}
        entries = {key: _kept(entry, targets) for key, entry in self.entries.items()}
        for key, entry in self.entries.items():
            if key in ended and key not in troubles and not entry.event.resolved:
                entries[key] = _resolved(entry, now)
        for key, event in troubles.items():
            known = entries.get(key)
            if known is None or known.event.resolved or known.event.moment != event.moment:
                wanted = targets.concerned(event)
                unaware = known.untold if known is not None and known.event.resolved else frozenset()
                opened = event if not (known and unaware) else replace(event, id=known.event.id)
                entries[key] = Entry(opened, wanted - unaware, unaware)
        return Book({key: entry for key, entry in entries.items() if entry.untold or not entry.event.resolved})

    def due(self) -> tuple[tuple[str, Event], ...]:
        """Whom to tell of what, in a stable order."""
        entries = [entry for _key, entry in sorted(self.entries.items())]
        return tuple((target, entry.event) for entry in entries for target in sorted(entry.untold))

    def delivered(self, target: str, event: Event) -> Book:
        """The book once a target was told."""
        entry = self.entries[event.key]
        after = replace(entry, untold=entry.untold - {target}, told=entry.told | {target})
        entries = {**self.entries, event.key: after}
        return Book({key: entry for key, entry in entries.items() if entry.untold or not entry.event.resolved})


def read(path: Path) -> Book:
    """The book in a file; an empty one where there is none, or it cannot be read."""
    try:
        record = json.loads(path.read_bytes())
        if record["lastro_alerts"] != FORMAT:
            return Book()
        entries = [_entry(value) for value in record["alerts"]]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return Book()
    return Book({entry.event.key: entry for entry in entries})


def write(path: Path, book: Book) -> None:
    """Replaces the file, unless it says the same already. Raises `OSError`."""
    alerts = [
        {**entry.event.to_dict(), "untold": sorted(entry.untold), "told": sorted(entry.told)}
        for _key, entry in sorted(book.entries.items())
    ]
    content = json.dumps({"lastro_alerts": FORMAT, "alerts": alerts}, indent=1, ensure_ascii=False).encode() + b"\n"
    try:
        if path.read_bytes() == content:
            return
    except OSError:
        if not alerts:
            return
    write_durably(path, content, mode=0o600)


def _kept(entry: Entry, targets: Targets) -> Entry:
    """The entry without targets that are no longer configured."""
    return replace(entry, untold=entry.untold & targets.kinds.keys())


def _resolved(entry: Entry, now: datetime) -> Entry:
    """Whoever was told of the trouble hears of its end; whoever was not hears nothing."""
    return Entry(replace(entry.event, resolved=True, moment=now), untold=entry.told)


def _entry(value: Mapping[str, object]) -> Entry:
    untold, told = value["untold"], value["told"]
    if not (isinstance(untold, list) and isinstance(told, list)):
        raise ValueError("not an alert")
    return Entry(Event.from_dict(value), frozenset(map(str, untold)), frozenset(map(str, told)))
