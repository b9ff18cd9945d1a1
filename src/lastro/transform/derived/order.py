"""The order in which steps are built.

Rules:

1. A step comes after every step that it reads. They come in waves – those that read no other step, those that read only
   these, and so on – and by name within one: the order is a function of the steps alone.
2. Steps that read each other in a circle are refused, and the circle is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from lastro.model.errors import ConfigurationError
from lastro.model.text import _
from lastro.transform.derived.step import Step


def ordered(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps, each after those that it reads. Raises `ConfigurationError` for a circle."""
    known = {step.name: step for step in sorted(steps, key=lambda step: step.name)}
    sorter = TopologicalSorter({name: [one for one in step.upstream if one in known] for name, step in known.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        raise ConfigurationError(
            _("derived datasets read each other in a circle: {names}").format(names=" → ".join(circle)),
            where=known[circle[0]].file,
            do=_("take one of them out of the circle"),
        ) from None
    found: list[Step] = []
    while sorter.is_active():
        for name in sorted(sorter.get_ready()):
            found.append(known[name])
            sorter.done(name)
    return tuple(found)


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
