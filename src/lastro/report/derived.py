"""Derived datasets: why each is stale, in lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lastro.model.interval import counted
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Line, Tone
from lastro.report.numbers import number
from lastro.transform.derived.intervals import Todo
from lastro.transform.derived.made_of import Change, Part
from lastro.transform.derived.why import Why

DIGITS = 19
"""How much of a digest is shown: `sha256:` and 12 digits."""


def reasons(found: Sequence[Why]) -> Blocks:
    """For each dataset its state, and below it what changed."""
    return tuple(line for one in found for line in _lines(one))


def why_verdict(found: Why) -> str:
    """`monthly is stale: code, loans`."""
    if found.fault is not None:
        return _("{name} cannot be built: {what}").format(name=found.dataset, what=found.fault.what)
    if not found.is_stale and found.intervals is not None and found.intervals.outdated:
        sentence = ngettext(
            "{name} has every interval, of which {n} is outdated",
            "{name} has every interval, of which {n} are outdated",
            len(found.intervals.outdated),
        )
        return sentence.format(name=found.dataset, n=number(len(found.intervals.outdated)))
    if not found.is_stale and found.version is None:
        return _("{name} has no interval that is over yet").format(name=found.dataset)
    if not found.is_stale:
        return _("{name} is up to date, at version {n}").format(name=found.dataset, n=number(found.version or 0))
    return _("{name} is stale: {reasons}").format(name=found.dataset, reasons=", ".join(found.words()))


def _lines(found: Why) -> Iterable[Line]:
    state = _("stale") if found.is_stale else _("up to date")
    yield Line(f"{found.dataset}  {state}  ({found.file})", Tone.DOUBTFUL if found.is_stale else Tone.GOOD)
    if found.fault is not None:
        yield Line(f"  {found.fault.what}", Tone.BAD)
        if found.fault.where:
            yield Line(f"  {found.fault.where}")
        if found.fault.do:
            yield Line(f"  {found.fault.do}")
    if found.intervals is not None:
        yield from _intervals(found.intervals, found.dataset)
    for change in found.changes:
        yield Line("  " + _told(change))
    for name in found.after:
        yield Line("  " + _("{name} is stale itself, and is built first").format(name=name))


def _intervals(found: Todo, name: str) -> Iterable[Line]:
    every = found.cut.every
    if found.make:
        yield Line("  " + _("to be made: {intervals}").format(intervals=counted(found.make, every)))
    if found.outdated:
        said = _("outdated: {intervals}").format(intervals=counted(found.outdated, every))
        do = _("lastro build {name} --all makes them anew").format(name=name)
        yield Line(f"  {said}; {do}", Tone.DOUBTFUL)


def _told(change: Change) -> str:
    match change.part:
        case Part.NEVER:
            return _("it was never built")
        case Part.OTHERWISE:
            return _("its rows came about without a build")
        case Part.INTERVALS:
            return _("it was made by intervals, and is to be made at once")
        case Part.PARAMETER:
            sentence = _("the parameter {name}: {before} → {after}")
        case Part.UPSTREAM:
            sentence = _("the upstream {name}: {before} → {after}")
        case Part.CODE:
            sentence = _("the code: {before} → {after}")
        case Part.CONTRACT:
            sentence = _("the contract: {before} → {after}")
    return sentence.format(name=change.name, before=_shown(change.before), after=_shown(change.after))


def _shown(value: str) -> str:
    return (value[:DIGITS] if value.startswith("sha256:") else value[:80]) or "–"
