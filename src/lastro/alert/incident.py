"""Incidents: one for each cause of trouble, with all that was found and done about it.

Rules:

1. A cause is a dataset and a kind of trouble, of drift also the monitor, of a broken rule the rule (`Event.key`). It
   has one incident: what is found again is added to it, or opens it again once it was resolved.
2. An incident is what its changes come to. Changes are only added; each says who, when and why.
3. States: `open`; `acknowledged`; `muted` until a moment, after which it is open, and opened again by the next finding;
   `resolved`; `reopened`.
4. A trouble of a dataset is resolved by a look at the dataset that did not find it; drift by a look that surely found
   none; that a monitor cannot look, by a look. Looks that could not tell resolve nothing, and those that may not alarm
   open nothing. While an incident is muted it is not resolved by itself.
5. A rule that a batch broke is resolved by an ingestion that does not break it; one that a stored version broke
   (`version` is among the numbers), by a check that does not. Neither says anything of the other.
6. Of a trouble that lasts, what is found again is added only if its error is another one, or a rule's numbers are: the
   file does not grow by the round. Each look of a monitor that found drift is added.
7. A monitor or dataset that `lastro.yaml` has no longer resolves its incidents, and that is their reason.
8. A look is taken in once: it is known by its number and by the chain that it stands in, which begins anew where a
   person moved a damaged one away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from lastro.alert.event import Event, Kind, key_of
from lastro.model import clock

LASTRO = "lastro"
"""Who changes an incident by itself."""
OF_DATASETS = frozenset({Kind.FAILED, Kind.LATE, Kind.QUARANTINED})
"""What a look at a dataset finds or does not find."""
VERSION = "version"
"""Among a broken rule's numbers: the stored version that breaks it. Of a batch there is none."""
Key = tuple[str, str]


class Action(StrEnum):
    """What a change does."""

    OPENED = "opened"
    FOUND = "found"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    MUTED = "muted"
    RESOLVED = "resolved"
    REOPENED = "reopened"


class State(StrEnum):
    """How an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    MUTED = "muted"
    RESOLVED = "resolved"
    REOPENED = "reopened"


_STATES = {
    Action.OPENED: State.OPEN,
    Action.ACKNOWLEDGED: State.ACKNOWLEDGED,
    Action.MUTED: State.MUTED,
    Action.RESOLVED: State.RESOLVED,
    Action.REOPENED: State.REOPENED,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to an incident: who, when, why. `event` is what was found, `look` the monitor's look, and
    `chain` the digest that its chain of looks begins with; empty where it is not known.
    """

    incident: int
    action: Action
    moment: datetime
    by: str = LASTRO
    reason: str = ""
    event: Event | None = None
    look: int | None = None
    until: datetime | None = None
    to: str = ""
    chain: str = ""

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The change as plain values."""
        return {
            "incident": self.incident,
            "action": self.action.value,
            "moment": clock.to_text(self.moment),
            "by": self.by,
            "reason": self.reason,
            "event": None if self.event is None else self.event.to_dict(),
            "look": self.look,
            "until": None if self.until is None else clock.to_text(self.until),
            "to": self.to,
            **({"chain": self.chain} if self.chain else {}),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Change:  # Any: JSON values
        """The change that `to_dict` wrote. Raises `ValueError`, `LookupError`, `TypeError` on anything else."""
        event, until, look = value["event"], value["until"], value["look"]
        return cls(
            incident=int(value["incident"]),
            action=Action(value["action"]),
            moment=clock.from_text(value["moment"]),
            by=str(value["by"]),
            reason=str(value["reason"]),
            event=None if event is None else Event.from_dict(event),
            look=None if look is None else int(look),
            until=None if until is None else clock.from_text(until),
            to=str(value["to"]),
            chain=str(value.get("chain", "")),
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """A trouble that was found, or surely not found (`event` is None) and why, if there is more to say, by a monitor's
    `look` in a `chain`.
    """

    key: Key
    event: Event | None
    look: int | None = None
    chain: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """One cause with its history; `opening` is the event that opened it, the last time."""

    number: int
    opening: Event
    changes: tuple[Change, ...]

    @property
    def key(self) -> Key:
        """The cause."""
        return self.opening.key

    @property
    def assignee(self) -> str:
        """Whom it was assigned to last; empty if nobody."""
        return next((change.to for change in reversed(self.changes) if change.action is Action.ASSIGNED), "")

    @property
    def muted_until(self) -> datetime | None:
        """Until when it was muted last; None if it never was, or something else was done since."""
        last = self._last()
        return last.until if last.action is Action.MUTED else None

    def look(self, chain: str) -> int:
        """The last look of that chain that changed it; -1 if none did."""
        return max(
            (each.look for each in self.changes if each.look is not None and each.chain in {"", chain}), default=-1
        )

    @property
    def found(self) -> int:
        """How often the trouble was found."""
        return sum(change.event is not None and change.by == LASTRO for change in self.changes)

    @property
    def newest(self) -> Event:
        """What was found last."""
        return self.newest_change.event or self.opening

    @property
    def newest_change(self) -> Change:
        """The last change with something that was found."""
        return next(change for change in reversed(self.changes) if change.event is not None)

    def state(self, now: datetime) -> State:
        """How it stands at a moment."""
        last = self._last()
        if last.action is Action.MUTED and last.until is not None and last.until <= now:
            return State.OPEN
        return _STATES[last.action]

    def is_mute_over(self, now: datetime) -> bool:
        """True if it was muted, and is no longer."""
        return self._last().action is Action.MUTED and self.state(now) is not State.MUTED

    def _last(self) -> Change:
        return next(change for change in reversed(self.changes) if change.action in _STATES)


@dataclass(frozen=True, slots=True)
class Incidents:
    """All incidents, by number from 1."""

    entries: Mapping[int, Incident] = field(default_factory=dict)

    def taken(self, changes: Iterable[Change]) -> Incidents:
        """The incidents after these changes. Raises `ValueError` for a change that fits none."""
        openings = {number: one.opening for number, one in self.entries.items()}
        added: dict[int, list[Change]] = {}
        for change in changes:
            known = openings.get(change.incident)
            if known is None:
                if change.action is not Action.OPENED or change.event is None or change.incident != len(openings) + 1:
                    raise ValueError("a change of an incident that was never opened")
                openings[change.incident] = change.event
            elif change.action in {Action.OPENED, Action.REOPENED} and change.event is not None:
                if change.event.key != known.key:
                    raise ValueError("a change of another cause")
                openings[change.incident] = change.event
            added.setdefault(change.incident, []).append(change)
        entries = dict(self.entries)
        for number, more in added.items():
            before = entries[number].changes if number in entries else ()
            entries[number] = Incident(number, openings[number], (*before, *more))
        return Incidents(entries)

    def of(self, key: Key) -> Incident | None:
        """The incident of a cause."""
        return next((one for one in self.entries.values() if one.key == key), None)

    def look(self, found: Iterable[Finding], now: datetime) -> tuple[Change, ...]:
        """What these findings change, in their order."""
        after, changes = self, []
        for finding in found:
            change = after._change(finding, now)
            if change is not None:
                changes.append(change)
                after = after.taken([change])
        return tuple(changes)

    def _change(self, finding: Finding, now: datetime) -> Change | None:
        known, event, look = self.of(finding.key), finding.event, finding.look
        if known is not None and look is not None and look <= known.look(finding.chain):
            return None  # it was taken in before
        if event is None:
            if known is None or known.state(now) in {State.RESOLVED, State.MUTED}:
                return None
            return Change(known.number, Action.RESOLVED, now, reason=finding.reason, look=look, chain=finding.chain)
        if known is None:
            number, action = len(self.entries) + 1, Action.OPENED
        else:
            number, action = known.number, Action.FOUND
            if known.state(now) is State.RESOLVED or known.is_mute_over(now):
                action = Action.REOPENED
            elif look is None and _is_same(event, known.newest):
                return None
        return Change(number, action, now, event=replace(event, incident=number), look=look, chain=finding.chain)

    def open_events(self, now: datetime) -> Iterator[Event]:
        """The openings that are to be told: of all incidents that are neither resolved nor muted."""
        for one in self.entries.values():
            if one.state(now) not in {State.RESOLVED, State.MUTED}:
                yield one.opening

    def muted(self, now: datetime) -> frozenset[Key]:
        """The causes of which nothing is said."""
        return frozenset(one.key for one in self.entries.values() if one.state(now) is State.MUTED)

    def ended(self, now: datetime) -> frozenset[Key]:
        """The causes whose trouble has ended."""
        return frozenset(one.key for one in self.entries.values() if one.state(now) is State.RESOLVED)


def dataset_findings(incidents: Incidents, troubles: Iterable[Event], datasets: Collection[str]) -> tuple[Finding, ...]:
    """What a look at datasets found, and what it did not find again (rule 4)."""
    found = {event.key: Finding(event.key, event) for event in troubles}
    gone = (
        Finding(one.key, None)
        for one in incidents.entries.values()
        if one.opening.kind in OF_DATASETS and one.opening.dataset in datasets and one.key not in found
    )
    return (*found.values(), *gone)


def rule_findings(
    incidents: Incidents, dataset: str, broken: Iterable[Event], *, kept: Collection[str] | None, stored: bool
) -> tuple[Finding, ...]:
    """What an ingestion, or a check of a `stored` version, found of a dataset's rules (rule 5).

    `kept` are the rules that it did not find broken; None if it judged all that there are.
    """
    found = {event.key: Finding(event.key, event) for event in broken}
    gone = (
        Finding(one.key, None)
        for one in incidents.entries.values()
        if (one.opening.kind, one.opening.dataset) == (Kind.BROKEN, dataset)
        and one.key not in found
        and (VERSION in one.newest.numbers) == stored
        and (kept is None or one.opening.rule in kept)
    )
    return (*found.values(), *gone)


def read_findings(incidents: Incidents, monitors: Mapping[str, str]) -> tuple[Finding, ...]:
    """The end of what was found since the looks of these monitors could not be read: no look says it (rule 4)."""
    keys = {key_of(dataset, Kind.BLIND, of=monitor) for monitor, dataset in monitors.items()}
    return tuple(
        Finding(one.key, None)
        for one in incidents.entries.values()
        if one.key in keys and (one.newest_change.by, one.newest_change.look) == (LASTRO, None)
    )


def left_findings(
    incidents: Incidents, datasets: Collection[str], monitors: Mapping[str, str], reason: str
) -> tuple[Finding, ...]:
    """The end of what nobody looks at any longer (rule 7); `monitors` says which dataset each one watches."""
    return tuple(
        Finding(one.key, None, reason=reason)
        for one in incidents.entries.values()
        if not (one.opening.dataset in datasets and _is_watched(one.opening, monitors))
    )


def _is_watched(event: Event, monitors: Mapping[str, str]) -> bool:
    return not event.monitor or monitors.get(event.monitor) == event.dataset


def _is_same(event: Event, known: Event) -> bool:
    """True if nothing new is told (rule 6)."""
    return event.code == known.code and (event.kind is not Kind.BROKEN or event.numbers == known.numbers)
