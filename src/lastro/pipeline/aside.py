"""Rows set aside: committed to the quarantine before the dataset's own commit, which alone makes them count.

The marks of rows that the batch takes the place of (`closing`) are in the same commit.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence

from lastro.engine.protocol import QUARANTINE, Staged, StagedFile
from lastro.model.version import Mode, Origin, RowCounts
from lastro.pipeline.target import Target
from lastro.store.table import Table
from lastro.store.writer import Change


def set_aside(target: Target, staged: Staged, origin: Origin, *, marks: Sequence[StagedFile] = ()) -> None:
    """Commits the batch's quarantined rows, and `marks`; they count once the dataset's commit carries the same key."""
    added = (*staged.quarantined, *marks)
    if not added and not target.quarantine.exists:
        return
    key = origin.idempotency_key
    with target.quarantine.lock() as writer:
        tried = writer.find_key(key) is not None
        if not added and not tried:
            return
        named = dataclasses.replace(origin, idempotency_key=f"{uuid.uuid4().hex}:{key}") if tried else origin
        earlier = _of_earlier_attempts(target.quarantine, key) if tried else ()
        writer.commit(_change(added, named, counts_as=key, removed=earlier))


def set_aside_alone(target: Target, files: Sequence[StagedFile], origin: Origin, counts_as: str) -> None:
    """Commits rows and marks that count at once, since they stand under the key of a commit that there is."""
    with target.quarantine.lock() as writer:
        writer.commit(_change(files, origin, counts_as=counts_as))


def _change(added: Sequence[StagedFile], origin: Origin, *, counts_as: str, removed: Sequence[str] = ()) -> Change:
    rows = sum(file.rows for file in added)
    aside = dataclasses.replace(
        origin,
        mode=Mode.APPEND,
        counts=RowCounts(rows, rows, 0),
        cursor={},
        content=counts_as,
        profile={},
        findings=(),
        more=False,
        whole=False,
        changes=None,
        reconciliation={},
    )
    return Change(
        schema=QUARANTINE,
        added=added,
        removed=removed,
        origin=aside,
        withhold_stats=frozenset(QUARANTINE.names),
    )


def _of_earlier_attempts(quarantine: Table, key: str) -> tuple[str, ...]:
    """The files that attempts under this key left in the quarantine: none of them ever counted."""
    history = quarantine.history()[::-1]
    before: frozenset[str] = frozenset()
    theirs: set[str] = set()
    for info in history:
        paths = frozenset(entry.path for entry in info.files)
        if key in (info.origin.content, info.origin.idempotency_key):
            theirs |= paths - before
        before = paths
    return tuple(sorted(theirs & before))
