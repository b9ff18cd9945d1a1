"""The ledger: events, what an audit found, and proofs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from lastro.ledger import tree
from lastro.model import clock
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Line, Tone, table
from lastro.report.numbers import NOTHING, moment, number

if TYPE_CHECKING:
    from datetime import datetime

    from lastro.ledger.audit import Audit
    from lastro.ledger.book import Proof
    from lastro.ledger.event import Event
    from lastro.ledger.touched import Touched


def events(found: Sequence[tuple[int, Event]]) -> Blocks:
    """One row an event, in the order given."""
    columns = (
        Column(_("number"), fixed=True),
        Column(_("at (UTC)"), fixed=True),
        Column(_("actor")),
        Column(_("action"), fixed=True),
        Column(_("version")),
        Column(_("columns"), spare=2),
        Column(_("purpose"), spare=1),
        Column(_("run"), spare=3),
    )
    return (table(columns, (_row(place, event) for place, event in found)),)


def event_values(place: int, event: Event) -> dict[str, Any]:  # Any: JSON values
    """An event as plain values, with its number."""
    import msgspec

    return {"number": place, **msgspec.to_builtins(event)}


def audit_values(audit: Audit) -> dict[str, Any]:  # Any: JSON values
    """What an audit found, as plain values."""
    head = audit.head
    return {
        "passed": audit.passed,
        "events": audit.events,
        "checkpoints": audit.checkpoints,
        "head": None if head is None else {"size": head.size, "root": head.root.hex(), "at": head.at},
        "faults": [{"what": fault.what, "number": fault.number} for fault in audit.faults],
    }


def faults(audit: Audit) -> Blocks:
    """What is wrong, if anything is."""
    if audit.passed:
        return ()
    columns = (Column(_("from event"), fixed=True), Column(_("what is wrong")))
    rows = ((NOTHING if each.number is None else number(each.number), each.what) for each in audit.faults)
    return (table(columns, rows),)


def audit_verdict(audit: Audit) -> str:
    """What the audit comes to."""
    if not audit.passed:
        return ngettext("{n} fault in the ledger", "{n} faults in the ledger", len(audit.faults)).format(
            n=number(len(audit.faults))
        )
    sentence = ngettext("{n} event is as it was signed", "{n} events are as they were signed", audit.events)
    return sentence.format(n=number(audit.events))


class Stamp(Protocol):
    """What an authority signed."""

    @property
    def moment(self) -> datetime:
        """When it saw the checkpoint."""
        ...

    @property
    def policy(self) -> str:
        """Under which policy, an object identifier."""
        ...

    @property
    def serial(self) -> int:
        """Its number for it."""
        ...


def with_stamps(audit: Audit, broken: Sequence[str]) -> Audit:
    """An audit that tells of time-stamps that prove nothing, too."""
    from lastro.ledger.audit import Fault

    return replace(audit, faults=(*audit.faults, *(Fault(what) for what in broken)))


def stamp_values(size: int, stamp: Stamp | None) -> dict[str, Any]:  # Any: JSON values
    """The time-stamp of a checkpoint of so many events as plain values; null where it proves nothing."""
    told = None if stamp is None else {"at": stamp.moment, "policy": stamp.policy, "serial": str(stamp.serial)}
    return {"events": size, "stamp": told}


def stamps(found: Sequence[tuple[int, Stamp | None]]) -> Blocks:
    """Which checkpoints an authority saw, and when."""
    columns = (
        Column(_("events"), right=True),
        Column(_("seen (UTC)"), fixed=True),
        Column(_("policy")),
        Column(_("number")),
    )
    rows = [
        (number(size), moment(stamp.moment), stamp.policy, str(stamp.serial))
        for size, stamp in found
        if stamp is not None
    ]
    return (table(columns, rows),) if rows else ()


def proof(found: Proof) -> Blocks:
    """The event, and the hashes that lead to the root."""
    leaf = tree.leaf_hash(found.content.encode()).hex()
    lines = [found.content, leaf, *(each.hex() for each in found.path), *found.note.splitlines()]
    return tuple(Line(line) for line in lines)


def note(text: str) -> Blocks:
    """A checkpoint's note, line by line."""
    return tuple(Line(line) for line in text.splitlines())


def touched(found: Sequence[Touched]) -> Blocks:
    """One row a version that was touched."""
    columns = (
        Column(_("version"), names=True),
        Column(_("what")),
        Column(_("columns"), spare=1),
        Column(_("purposes"), spare=2),
        Column(_("first (UTC)"), fixed=True),
        Column(_("last (UTC)"), fixed=True),
    )
    return (table(columns, map(_touched, found)),)


def _touched(each: Touched) -> tuple[Cell | str, ...]:
    did = [f"{action} x {number(times)}" for action, times in each.actions.items()]
    did += [_("refused x {n}").format(n=number(each.refused))] if each.refused else []
    return (
        each.reference or NOTHING,
        ", ".join(did),
        ", ".join(each.columns) or NOTHING,
        ", ".join(each.purposes) or NOTHING,
        moment(clock.from_text(each.first)),
        moment(clock.from_text(each.last)),
    )


def _row(place: int, event: Event) -> tuple[Cell | str, ...]:
    version = event.dataset if event.version is None else f"{event.dataset}@{event.version}"
    refused = event.decision == "deny"
    return (
        number(place),
        moment(event.moment),
        event.actor,
        Cell(event.action, Tone.BAD) if refused else event.action,
        version or NOTHING,
        ", ".join(event.columns) or NOTHING,
        event.purpose or NOTHING,
        event.run or NOTHING,
    )
