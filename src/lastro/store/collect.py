"""Garbage collection: data files that no kept version needs.

Rules:

1. Kept are the newest version, every tagged one, those the caller pins (locks, runs), and every version that was the
   newest within the grace period. Never less than 24 hours of grace.
2. What a kept version refers to is never removed; what no version ever referred to (left by a crash) is removed once it
   is older than the grace period.
3. Mark and sweep happen under the lock. Versions that lose a file are listed as expired, durably, before the first file
   goes: a crash in between leaves nothing that looks like damage.
4. A tag, manifest or list that cannot be read stops everything: it may pin something.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lastro.model.errors import UsageError
from lastro.model.text import _
from lastro.store import disk, expiry, reading
from lastro.store.paths import Places
from lastro.store.table import Table

FLOOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Collected:
    """What was, or without `apply` would be, removed: table-relative paths, bytes, and the versions that expire."""

    files: tuple[str, ...]
    size: int
    expired: tuple[int, ...]
    done: bool

    def to_dict(self) -> dict[str, list[str] | list[int] | int | bool]:
        """The result as plain values."""
        return {"files": list(self.files), "size": self.size, "expired": list(self.expired), "done": self.done}


def collect(table: Table, *, keep: Set[int], grace: timedelta, apply: bool = False) -> Collected:
    """Finds, and with `apply` removes, data files that no kept version needs. `keep` are pinned version numbers.

    Raises `UsageError` below 24 h of grace, `Locked`, `Conflict`, `Corrupted`, `WriteFailed`.
    """
    if grace < FLOOR:
        raise UsageError(
            _("a grace period below 24 hours would take files from under running readers"),
            do=_("use 24 hours or more; the default is 7 days"),
            state=_("nothing was removed"),
        )
    with table.lock(), table.failing_cleanly():
        head = table.log.head()
        if head is None:
            return Collected((), 0, (), apply)
        before = table.clock() - grace
        gone = table.expired()
        kept = {head, *keep, *table.tags().values(), *_recent(table, head, before)} - gone
        needed, known = _files(table, head, kept)
        doomed = [path for path in sorted(known - needed) if reading.size_of(table.places.data(path)) is not None]
        expired = _expiring(table, head, known - needed)
        orphans = list(_orphans(table.places, known, before))
        sizes = [reading.size_of(table.places.data(path)) or 0 for path in doomed + orphans]
        if apply:
            _sweep(table.places, doomed + orphans, gone | expired)
        return Collected(tuple(doomed + orphans), sum(sizes), tuple(sorted(expired - gone)), apply)


def _recent(table: Table, head: int, before: datetime) -> Iterator[int]:
    """The versions that were the newest after a moment: those whose successor came later."""
    for number in range(head - 1, -1, -1):
        if table.log.manifest(number + 1).committed <= before:
            return
        yield number


def _files(table: Table, head: int, kept: Set[int]) -> tuple[set[str], set[str]]:
    """The files of kept versions, and the files of all."""
    needed: set[str] = set()
    known: set[str] = set()
    for state in table.log.states(head):
        known.update(entry.path for entry in state.manifest.added)
        if state.manifest.number in kept:
            needed.update(state.files)
    return needed, known


def _expiring(table: Table, head: int, gone: Set[str]) -> frozenset[int]:
    return frozenset(state.manifest.number for state in table.log.states(head) if not gone.isdisjoint(state.files))


def _orphans(places: Places, known: Set[str], before: datetime) -> Iterator[str]:
    for path in sorted(places.table.glob("*.parquet")):
        if path.name not in known and reading.size_of(path) is not None and _changed(path) <= before:
            yield path.name


def _changed(path: Path) -> datetime:
    found = path.lstat()
    return datetime.fromtimestamp(max(found.st_mtime, found.st_ctime), UTC)


def _sweep(places: Places, paths: list[str], expired: Set[int]) -> None:
    if not paths:
        return
    expiry.write(places, expired)
    for path in paths:
        disk.remove(places.data(path))
    for folder in {places.data(path).parent for path in paths}:
        disk.sync_folder(folder)
