"""Which versions' batches make up a version's rows.

Rules:

1. A version that was restored stands for the one that it restored: what was committed in between is no part of it.
2. An `overwrite`, a `snapshot` and a whole reading of a history stand for everything that there was: the walk ends
   there.
3. Corrected rows of the quarantine join a batch; they do not replace it.
"""

from __future__ import annotations

from collections.abc import Iterator

from lastro.model.errors import NameRefused
from lastro.model.reference import Number, Reference
from lastro.model.version import Mode, VersionInfo
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
    number = head.number
    while number >= 0:
        if number not in known:
            known = {info.number: info for info in table.history()}
        info = known[number]
        yield info
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
        if info.origin.mode is not Mode.RESTORE and not info.origin.source.startswith(CORRECTIONS):
            return None
    return None


def replaces(info: VersionInfo) -> bool:
    """True if the version's batch stands for everything that there was (rule 2)."""
    return info.origin.mode in {Mode.OVERWRITE, Mode.SNAPSHOT} or info.origin.whole


def _restored(info: VersionInfo) -> int | None:
    if info.origin.mode is not Mode.RESTORE:
        return None
    try:
        selector = Reference.parse(info.origin.source).selector
    except NameRefused:
        return None
    return selector.number if isinstance(selector, Number) and selector.number < info.number else None
