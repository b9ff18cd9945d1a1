"""What a lock changed, as a terminal shows it."""

from __future__ import annotations

from lastro.model.locked import LockedVersion, LockResult
from lastro.model.text import _
from lastro.report.blocks import Blocks, Column, table
from lastro.report.numbers import NOTHING, short_digest


def changes(result: LockResult) -> Blocks:
    """What differs from the lock before; nothing if nothing does."""
    if not result.changes:
        return ()
    columns = (Column(_("dataset")), Column(_("change")), Column(_("before")), Column(_("after")))
    words = {"added": _("added"), "removed": _("removed"), "moved": _("moved"), "rewritten": _("rewritten")}
    rows = (
        (change.dataset, words.get(change.change, change.change), _version(change.before), _version(change.after))
        for change in result.changes
    )
    return (table(columns, rows),)


def _version(locked: LockedVersion | None) -> str:
    return f"{locked.version} {short_digest(locked.digest)}" if locked else NOTHING
