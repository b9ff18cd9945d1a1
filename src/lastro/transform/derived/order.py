"""The order in which steps are built.

Rules:

1. A step comes after every step that it reads. They come in waves – those that read no other step, those that read only
   these, and so on – and by name within one: the order is a function of the steps alone.
2. Steps that read each other in a circle have that as their fault, which tells the circle; they come as if they read
   nothing. Others are not concerned: what is made from one in the circle comes after it, as after any that fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from lastro.model.errors import ConfigurationError
from lastro.model.text import _
from lastro.transform.derived.step import Step


def ordered(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps, each after those that it reads; one in a circle has a fault."""
    known = {step.name: step for step in sorted(steps, key=lambda step: step.name)}
    while circle := _circle(known):
        known |= {name: replace(known[name], upstream=(), fault=_fault(circle, known[name].file)) for name in circle}
    sorter = _sorter(known)
    sorter.prepare()
    found: list[Step] = []
    while sorter.is_active():
        for name in sorted(sorter.get_ready()):
            found.append(known[name])
            sorter.done(name)
    return tuple(found)


def _sorter(known: Mapping[str, Step]) -> TopologicalSorter[str]:
    return TopologicalSorter({name: [one for one in step.upstream if one in known] for name, step in known.items()})


def _circle(known: Mapping[str, Step]) -> Sequence[str]:
    """The names in a circle, of which the first is the last again; empty if there is none."""
    try:
        _sorter(known).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return ()


def _fault(circle: Sequence[str], file: str) -> ConfigurationError:
    return ConfigurationError(
        _("derived datasets read each other in a circle: {names}").format(names=" → ".join(circle)),
        where=file,
        do=_("take one of them out of the circle"),
    )


def needed(names: Iterable[str], steps: Mapping[str, Step]) -> frozenset[str]:
    """The steps of these names, and all that they are made from, step by step."""
    found: set[str] = set()
    waiting = [name for name in names if name in steps]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [one for one in steps[name].upstream if one in steps]
    return frozenset(found)
