"""Rows set aside: committed to the quarantine before the dataset's own commit, which alone makes them count."""

from __future__ import annotations

import dataclasses
import uuid

from lastro.engine.protocol import QUARANTINE, Staged
from lastro.model.version import Mode, Origin, RowCounts
from lastro.pipeline.target import Target
from lastro.store.table import Table
from lastro.store.writer import Change


def set_aside(target: Target, staged: Staged, origin: Origin) -> None:
    """Commits the batch's quarantined rows; they count once the dataset's commit carries the same key."""
    if not staged.quarantined and not target.quarantine.exists:
        return
    with target.quarantine.lock() as writer:
        tried = writer.find_key(origin.idempotency_key) is not None
        if not staged.quarantined and not tried:
            return
        rows = sum(file.rows for file in staged.quarantined)
        aside = dataclasses.replace(
            origin,
            mode=Mode.APPEND,
            idempotency_key=f"{uuid.uuid4().hex}:{origin.idempotency_key}" if tried else origin.idempotency_key,
            counts=RowCounts(rows, rows, 0),
            cursor={},
            content=origin.idempotency_key,
            profile={},
            findings=(),
            more=False,
            whole=False,
            changes=None,
            reconciliation={},
        )
        writer.commit(
            Change(
                schema=QUARANTINE,
                added=staged.quarantined,
                removed=_of_earlier_attempts(target.quarantine, origin.idempotency_key) if tried else (),
                replace_all=False,
                origin=aside,
                withhold_stats=frozenset(QUARANTINE.names),
            )
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
