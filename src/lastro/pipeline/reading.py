"""Where a reading begins, and whether what it brought is anything new.

Rules:

1. The cursor lives in the commit that carries its rows, and nowhere else.
2. A changed contract reads everything again, where rows can be replaced.
3. A reading of everything – `overwrite`, `snapshot`, a whole history – forgets the cursors of what it replaced, and
   trusts its own only where the table is still what that reading made of it.
4. A batch is nothing new if it changes no row, sets none aside and moves no cursor. One that is derived is new, too,
   if it was made of anything else: then the newest version tells what it is made of. An interval is always new: its
   version tells that it was made, even if it holds no rows.
5. `append` never reads a source from its start, where the table holds rows of a source of another label, unless it
   recognises what it reads or a person says that it is another one. A watermark that was handed over replaces the
   former.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from lastro.engine.protocol import Staged
from lastro.model.errors import SourceChanged
from lastro.model.text import _
from lastro.model.version import Mode, VersionInfo
from lastro.pipeline.joining import Joined
from lastro.pipeline.lineage import snapshot
from lastro.pipeline.target import SourceIs, Target
from lastro.source.protocol import Cursor, Handed, Movable, Source
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


@dataclass(frozen=True, slots=True)
class Beginning:
    """After which watermark to read, and the labels of those that it takes the place of."""

    cursor: Cursor | None = None
    replaced: tuple[str, ...] = ()

    def notes(self, label: str) -> tuple[str, ...]:
        """What to say of a source that has a new label."""
        if not self.replaced:
            return ()
        earlier = ", ".join(self.replaced)
        return (_("{label} goes on after what was read of {earlier}").format(label=label, earlier=earlier),)


def begin(target: Target, head: VersionInfo | None, source: Source, mode: Mode) -> Beginning:
    """Where to go on. Raises `SourceChanged` where that is not known, and rows would be doubled (rule 5)."""
    own = cursor(target, head, source.label, mode)
    if head is None or mode is not Mode.APPEND or target.source_is is SourceIs.ANOTHER:
        return Beginning(own)
    same = target.source_is is SourceIs.SAME
    if own is not None:
        again = source.moved({source.label: own}, same=True) if same and isinstance(source, Movable) else None
        return Beginning(own if again is None else again.cursor)
    earlier = {label: each for label, each in head.origin.cursor.items() if each}
    if not earlier:
        return Beginning()
    earlier = _newest_first(target, earlier)
    handed = _handed(source, earlier, same=same)
    if handed is None:
        raise _another(target, source.label, earlier, same=same)
    return Beginning(handed.cursor, handed.labels)


def _newest_first(target: Target, earlier: Mapping[str, Cursor]) -> dict[str, Cursor]:
    if len(earlier) == 1:
        return dict(earlier)
    order = {info.origin.source: place for place, info in reversed(list(enumerate(target.table.history())))}
    return dict(sorted(earlier.items(), key=lambda each: order.get(each[0], len(order))))


def _handed(source: Source, earlier: Mapping[str, Cursor], *, same: bool) -> Handed | None:
    if isinstance(source, Movable):
        return source.moved(earlier, same=same)
    label, newest = next(iter(earlier.items()))
    return Handed(newest, (label,)) if same else None


def _another(target: Target, label: str, earlier: Mapping[str, Cursor], *, same: bool) -> SourceChanged:
    name, before = target.dataset, ", ".join(earlier)
    another = _("if it is one more, read it from its start: lastro ingest {name} --source-is another")
    if same:
        return SourceChanged(
            _("{name} was read from {earlier}, which is another kind of source; nothing was read").format(
                name=name, earlier=before
            ),
            where=label,
            do=another.format(name=name),
        )
    return SourceChanged(
        _(
            "{name} was read from {earlier} before, and appending what may be the same rows would double them; nothing "
            "was read"
        ).format(name=name, earlier=before),
        where=label,
        do=_("if it is the same source in a new place, go on: lastro ingest {name} --source-is same; {another}").format(
            name=name, another=another.format(name=name)
        ),
    )


def others(head: VersionInfo | None, mode: Mode, *, whole: bool, replaced: Collection[str] = ()) -> Cursor:
    """The watermarks of the sources whose rows stay in the table."""
    if head is None or whole or mode in {Mode.OVERWRITE, Mode.SNAPSHOT}:
        return {}
    return {label: each for label, each in head.origin.cursor.items() if label not in replaced}


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
