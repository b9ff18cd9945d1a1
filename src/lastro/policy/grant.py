"""What a reading gets of what is asked for: columns, masks laid over them, and which rows.

Rules:

1. Whoever names a column that he may not read gets nothing; whoever names none gets those that he may.
2. A condition may speak only of columns that are read in the clear: whatever it kept or left would tell of the others.
3. A row is read if every column that is asked for, and every one in the condition, may be read of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lastro.model.access import Access, Mask, Reach
from lastro.model.errors import NotPermitted
from lastro.model.text import _

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Grant:
    """The columns of a reading, the masks over some of them, and conditions that must all hold."""

    columns: tuple[str, ...]
    masks: Mapping[str, Mask] = field(default_factory=dict)
    rows: tuple[str, ...] = ()


def readable(access: Access) -> tuple[str, ...]:
    """The columns that are read if none is named. Raises `NotPermitted` if there is none."""
    found = access.named(Reach.CLEAR, Reach.MASKED)
    if not found:
        raise _refused(access, access.named(Reach.DENIED), _("{name} may read no column of {dataset}"))
    return found


def granted(access: Access, columns: Sequence[str], *, condition: Sequence[str] = ()) -> Grant:
    """What is read of these columns, under a condition over those. Raises `NotPermitted`."""
    denied = [name for name in columns if access.of(name).reach is Reach.DENIED]
    if denied:
        raise _refused(access, denied, _("{name} may not read {columns} of {dataset}"))
    probed = [name for name in condition if access.of(name).reach is not Reach.CLEAR]
    if probed:
        raise _refused(access, probed, _("{name} may not choose rows of {dataset} by {columns}"))
    masks = {name: mask for name in columns if (mask := access.of(name).mask) is not None}
    rows = dict.fromkeys(_any(access.of(name).rows) for name in (*columns, *condition))
    return Grant(tuple(columns), masks, tuple(each for each in rows if each))


def both(conditions: Sequence[str]) -> str | None:
    """One condition that holds where all of these hold, each of which must be one by itself; None for none."""
    return " AND ".join(f"({each}\n)" for each in conditions) or None


def _any(conditions: Sequence[str]) -> str:
    return " OR ".join(f"({each}\n)" for each in conditions)


def _refused(access: Access, columns: Sequence[str], what: str) -> NotPermitted:
    asked = access.asked
    reasons = dict.fromkeys(access.of(name).why for name in columns)
    shown = ", ".join(columns[:SHOWN]) + (", …" if len(columns) > SHOWN else "")
    return NotPermitted(
        what.format(name=asked.principal.name, columns=shown, dataset=access.dataset),
        where="; ".join(list(reasons)[:SHOWN]),
        do=_("see why: lastro policy explain {dataset}").format(dataset=access.dataset),
        state=_("nothing was read"),
    )
