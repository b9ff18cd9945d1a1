"""Watching: from how datasets stand, and what monitors found, to incidents, and from those to whoever is to be told.

Rules:

1. What is a trouble of a dataset is decided by `alert.trouble`, what is one of a monitor by its looks: that they found
   drift, or failed. Both become incidents (`alert.incident`), as broken rules did before (`ruled`), with or without
   anybody to tell; whom to tell of them is decided by the book (`alert.book`), in which message by `alert.message`.
2. Each step begins with what the step before has stored – looks, incidents, the book –, so that a process that is
   killed between two of them loses nothing: whoever watches next goes on from there.
3. Sending never fails a round: what was not delivered is told as a note and tried again next time.
4. Looks that cannot be read are a trouble of their monitor: it is blind until it looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lastro.alert import book, taken
from lastro.alert.event import Event, Kind, key_of
from lastro.alert.incident import Change, Finding, Incidents, dataset_findings, left_findings, read_findings
from lastro.alert.incident_file import IncidentFile, Read
from lastro.alert.message import Message, messages
from lastro.alert.trouble import blind_of, drift_of, troubles
from lastro.model.errors import LastroError, Locked
from lastro.model.status import DatasetStatus
from lastro.model.text import _
from lastro.store.lock import held
from lastro.workspace import configuration

if TYPE_CHECKING:
    from lastro.alert.target import Target
    from lastro.catalog.look_record import Look
    from lastro.workspace.monitoring.monitors import Monitor
    from lastro.workspace.workspace import Workspace

FILE = Path(".lastro") / "alerts.json"
LOCK = Path(".lastro") / "alerts.lock"
INCIDENTS = Path(".lastro") / "incidents.jsonl"
TAKEN = Path(".lastro") / "incidents.taken.json"
PATIENCE_S = 60.0
Send = Callable[["Target", Event, str], None]


def watch(workspace: Workspace, found: tuple[DatasetStatus, ...], *, send: Send | None = None) -> tuple[str, ...]:
    """Makes incidents of what is wrong with these datasets and of what monitors found, and tells those who are to be
    told; gives a note for each message that did not get through.

    Raises `ConfigurationError`, `WriteFailed`, `Corrupted`, `Locked`.
    """
    from lastro.alert.target import targets

    listed = targets(workspace.settings.alerts)
    notes = list(take(workspace, found=found))
    if listed or (workspace.root / FILE).exists():
        notes += _tell(workspace, {target.name: target for target in listed}, send or _send)
    return tuple(notes)


def tell(workspace: Workspace, *, send: Send | None = None) -> tuple[str, ...]:
    """Tells those who are to be told of incidents as they stand. Raises as `watch` does."""
    return watch(workspace, (), send=send)


def take(workspace: Workspace, *, found: tuple[DatasetStatus, ...] = ()) -> tuple[str, ...]:
    """Makes incidents as `watch` does, and tells nobody; gives a note for looks that cannot be read. Raises as it."""
    file, now = IncidentFile(workspace.root / INCIDENTS), workspace.clock()
    before = file.whole()
    noted = taken.read(workspace.root / TAKEN)
    known = noted if before.holds(noted.at) else taken.Taken()
    looks = _looks(workspace, known)
    of_monitors = tuple(finding for each in looks for finding in each.findings)
    read = {each.monitor: each.dataset for each in looks if not each.note}

    def decide(incidents: Incidents) -> tuple[Change, ...]:
        datasets = {status.dataset for status in found}
        of_datasets = dataset_findings(incidents, troubles(found, now), datasets)
        ended = (*read_findings(incidents, read), *_left(workspace, incidents))
        return incidents.look((*of_datasets, *ended, *of_monitors), now)

    after = file.change(decide) if decide(before.incidents) else before
    _remember(workspace, known, after, looks, now)
    return tuple(each.note for each in looks if each.note)


def _remember(workspace: Workspace, known: taken.Taken, after: Read, looks: Sequence[_Looks], now: datetime) -> None:
    """Writes down how far looks were taken in. Those of a muted incident are asked again: they may end it later."""
    muted = after.incidents.muted(now)
    reached = {each.monitor: known.monitors[each.monitor] for each in looks if each.monitor in known.monitors}
    for each in (each for each in looks if each.chain):
        is_muted = any(key_of(each.dataset, kind, of=each.monitor) in muted for kind in (Kind.BLIND, Kind.DRIFTED))
        reached[each.monitor] = (each.chain, each.since - 1 if is_muted else each.last)
    if reached != known.monitors:
        with configuration.writing(workspace.root / TAKEN):
            taken.write(workspace.root / TAKEN, taken.Taken(after.end, reached))


def _left(workspace: Workspace, known: Incidents) -> tuple[Finding, ...]:
    """The end of what `lastro.yaml` has no longer."""
    watched = {name: monitor.dataset for name, monitor in workspace.settings.monitors.items()}
    return left_findings(known, workspace.datasets(), watched, _("lastro.yaml has it no longer"))


@dataclass(frozen=True, slots=True)
class _Looks:
    """What the looks of a monitor found, or surely did not find, from the number `since` to the `last`."""

    monitor: str
    dataset: str
    findings: tuple[Finding, ...]
    chain: str = ""
    since: int = 0
    last: int = -1
    note: str = ""


def _looks(workspace: Workspace, known: taken.Taken) -> tuple[_Looks, ...]:
    return tuple(_looks_of(workspace, monitor, known) for monitor in workspace.settings.monitors.values())


def _looks_of(workspace: Workspace, monitor: Monitor, known: taken.Taken) -> _Looks:
    """What a monitor's looks say since they were asked last; that they cannot be read is noted, and found (rule 4)."""
    from lastro.workspace.monitoring.looking import files

    try:
        past = files(workspace).last(monitor.name)
        since = known.since(monitor.name, past.first)
        if past.begins > since:
            past = files(workspace).all(monitor.name)
    except LastroError as error:  # the others' looks count nevertheless
        note = _("the looks of {monitor} cannot be read: {what}").format(monitor=monitor.name, what=error.what)
        return _Looks(monitor.name, monitor.dataset, (_unread(monitor, workspace.clock(), error, note),), note=note)
    fresh = [look for look in past.looks if look.number >= since]
    findings = tuple(finding for look in fresh for finding in _findings(look, past.first))
    return _Looks(monitor.name, monitor.dataset, findings, past.first, since, past.begins + len(past.looks) - 1)


_SURE = frozenset({"stable", "still"})


def _findings(look: Look, chain: str) -> Iterator[Finding]:
    """What a look found: drift, or surely none; that it failed, or did not. One that repeats another says nothing."""
    blind, drifted = (key_of(look.dataset, kind, of=look.monitor) for kind in (Kind.BLIND, Kind.DRIFTED))
    yield Finding(blind, _blind(look) if look.code else None, look.number, chain)
    if look.repeats is None and (look.alarm or look.verdict in _SURE):
        yield Finding(drifted, _drift(look) if look.alarm else None, look.number, chain)


def _blind(look: Look) -> Event:
    from lastro.report.looks import look_sentence

    what = "; ".join(part for part in (look_sentence(look), look.do) if part)
    return blind_of(look.dataset, look.monitor, look.moment, what=what, do=look.command, code=look.code)


def _unread(monitor: Monitor, now: datetime, error: LastroError, what: str) -> Finding:
    event = blind_of(
        monitor.dataset, monitor.name, now, what=what, do=f"lastro verify {monitor.dataset}", code=error.code
    )
    return Finding(event.key, event)


def _drift(look: Look) -> Event:
    from lastro.report.looks import look_sentence

    worst = next(iter(look.worst), None)
    numbers = {"look": float(look.number), "columns": float(look.columns), "drifted": float(look.drifted)}
    if worst is not None:
        sizes = {"size": worst.size, "low": worst.low, "high": worst.high, "margin": worst.margin}
        numbers |= {name: value for name, value in sizes.items() if value is not None}
    return drift_of(look.dataset, look.monitor, look.moment, what=look_sentence(look), do=look.command, numbers=numbers)


def _tell(workspace: Workspace, listed: dict[str, Target], send: Send) -> list[str]:
    """Delivers what is due, one process at a time. Who cannot wait for another leaves it to the next look."""
    path, source = workspace.root / FILE, workspace.root.name
    of_monitor = {
        name: frozenset(monitor.alert)
        for name, monitor in workspace.settings.monitors.items()
        if monitor.alert is not None
    }
    wanted = book.Targets({name: target.kinds for name, target in listed.items()}, of_monitor)
    try:
        with held(workspace.root / LOCK, dataset=FILE.name, timeout_s=PATIENCE_S):
            incidents, now = IncidentFile(workspace.root / INCIDENTS).read(), workspace.clock()
            after = book.read(path).look(incidents.open_events(now), incidents.ended(now), wanted, now)
            muted = incidents.muted(now)
            due = messages((name, event) for name, event in after.due() if event.key not in muted)
            after, notes = _delivered(after, due, listed, lambda target, event: send(target, event, source))
            with configuration.writing(path):
                book.write(path, after)
    except Locked as error:
        return [error.what]
    return notes


def _delivered(
    after: book.Book,
    due: Sequence[Message],
    listed: Mapping[str, Target],
    send: Callable[[Target, Event], None],
) -> tuple[book.Book, list[str]]:
    notes = []
    for message in due:
        try:
            send(listed[message.target], message.event)
        except LastroError as error:
            notes.append(_("{target} could not be told: {what}").format(target=message.target, what=error.what))
        else:
            for event in message.events:
                after = after.delivered(message.target, event)
    return after, notes


def _send(target: Target, event: Event, source: str) -> None:
    from lastro.alert.deliver import deliver

    deliver(target, event, source=source)
