"""Where a reading begins, and whether what it brought is anything new.

Rules:

1. The cursor lives in the commit that carries its rows, and nowhere else.
2. A changed contract reads everything again, where rows can be replaced.
3. A reading of everything – `overwrite`, `snapshot`, a whole history – forgets the cursors of what it replaced, and
   trusts its own only where the table is still what that reading made of it.
4. A batch is nothing new if it changes no row, sets none aside and moves no cursor. One that is derived is new, too,
   if it was made of anything else: then the newest version tells what it is made of. An interval is always new: its
   version tells that it was made, even if it holds no rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lastro.engine.protocol import Staged
from lastro.model.version import Mode, VersionInfo
from lastro.pipeline.joining import Joined
from lastro.pipeline.lineage import snapshot
from lastro.pipeline.target import Target
from lastro.source.protocol import Cursor
from lastro.transform.joining import reading


def cursor(target: Target, head: VersionInfo | None, label: str, mode: Mode) -> Cursor | None:
    """The source's last watermark; None reads everything."""
    if head is None:
        return None
    if mode is not Mode.APPEND and head.origin.contract_digest != target.plan.contract_digest:
        return None
    if _is_whole(target, mode):
        made = snapshot(target.table)
        if made is None or (made.origin.mode is Mode.SCD2) is not (mode is Mode.SCD2):
            return None
    found: Cursor | None = head.origin.cursor.get(label)
    return found


def others(head: VersionInfo | None, mode: Mode, *, whole: bool) -> Cursor:
    """The watermarks of the sources whose rows stay in the table."""
    return {} if head is None or whole or mode in {Mode.OVERWRITE, Mode.SNAPSHOT} else head.origin.cursor


def is_repeat(target: Target, head: VersionInfo | None, mode: Mode, content: str) -> bool:
    """True if the head is what this batch, which brings the same as the head's, would make of the table again."""
    if head is None or head.origin.content != content or target.deletes.keys:
        return False
    if _is_whole(target, mode):
        made = snapshot(target.table)
        same = made is not None and (made.origin.mode is Mode.SCD2) is (mode is Mode.SCD2)
        return made is not None and same and made.origin.content == content
    return mode is Mode.UPSERT and not head.origin.more


def is_alone(target: Target, head: VersionInfo | None, mode: Mode) -> bool:
    """True if the table will hold the batch's kept rows and nothing else."""
    return (head is None or mode is Mode.OVERWRITE) and mode is not Mode.SCD2 and target.deletes.column is None


def changes_nothing(
    target: Target,
    head: VersionInfo | None,
    mode: Mode,
    joined: Joined,
    staged: Staged,
    watermark: Mapping[str, Any],  # Any: JSON values
    before: Cursor | None,
) -> bool:
    """True if there is no reason for a version (rule 4)."""
    if target.interval is not None:
        return False
    if head is None or staged.counts.quarantined or head.origin.contract_digest != target.plan.contract_digest:
        return False
    moved = before is None or dict(watermark) != dict(before)
    if mode is Mode.APPEND:
        return staged.counts.read == 0 and not moved
    if joined.changes is None or joined.changes.any or joined.schema != head.schema:
        return False
    return _is_whole(target, mode) or not moved


def _is_whole(target: Target, mode: Mode) -> bool:
    return reading(mode, target.history) is Mode.OVERWRITE
