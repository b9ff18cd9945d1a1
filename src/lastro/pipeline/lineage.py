"""Which versions' batches make up a version's rows.

Rules:

1. A version that was restored stands for the one that it restored: what was committed in between is no part of it.
2. An `overwrite`, a `snapshot` and a whole reading of a history stand for everything that there was: the walk ends
   there.
3. An interval stands for its own rows: what lies beyond it came of the batches before. An earlier making of the same
   interval, or of one that it covers with others, has no row left and is no part.
4. Corrected rows of the quarantine join a batch; they do not replace it. Nor does what a law asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from lastro.model.clock import from_text
from lastro.model.errors import NameRefused
from lastro.model.interval import Interval, joined
from lastro.model.reference import Number, Reference
from lastro.model.version import LAW, Mode, VersionInfo
from lastro.store.table import Table

CORRECTIONS = "quarantine:"


def lineage(table: Table, *, of: VersionInfo | None = None) -> Iterator[VersionInfo]:
    """The versions whose batches make up one of the table's (the newest, unless said), newest first, down to the last
    that stands for everything.
    """
    head = of or table.head()
    if head is None:
        return
    known: dict[int, VersionInfo] = {head.number: head}
    number, made = head.number, tuple[Interval, ...]()
    while number >= 0:
        if number not in known:
            known = {info.number: info for info in table.history()}
        info = known[number]
        interval = interval_of(info)
        if interval is None or not any(other.covers(interval) for other in made):
            yield info
            made = made if interval is None else joined((*made, interval))
        if replaces(info):
            return
        restored = _restored(info)
        number = number - 1 if restored is None else restored


def snapshot(table: Table) -> VersionInfo | None:
    """The version that stands for everything and whose rows, apart from corrected ones, are the newest version's; None
    if others joined them.
    """
    for info in lineage(table):
        if replaces(info):
            return info
        if info.origin.mode is not Mode.RESTORE and not info.origin.source.startswith((CORRECTIONS, LAW)):
            return None
    return None


def replaces(info: VersionInfo) -> bool:
    """True if the version's batch stands for everything that there was (rule 2)."""
    return info.origin.mode in {Mode.OVERWRITE, Mode.SNAPSHOT} or info.origin.whole


def interval_of(info: VersionInfo) -> Interval | None:
    """The interval that the version replaced, or with which it began anew; None if it is of another kind."""
    kept = info.origin.made_of.get("interval")
    if info.origin.mode not in {Mode.INTERVAL, Mode.OVERWRITE} or not kept:
        return None
    return Interval(kept["column"], from_text(kept["start"]), from_text(kept["end"]))


def _restored(info: VersionInfo) -> int | None:
    if info.origin.mode is not Mode.RESTORE:
        return None
    try:
        selector = Reference.parse(info.origin.source).selector
    except NameRefused:
        return None
    return selector.number if isinstance(selector, Number) and selector.number < info.number else None
