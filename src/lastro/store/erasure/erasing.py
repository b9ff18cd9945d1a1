"""Erases rows from every version of a table, under its lock: same versions, same file names, same sizes.

Rules, in the order of the steps:

1. What a crash left is put in order. Every Parquet file of the table's folder is looked into, those of no version (left
   by a crash, or another writer's change data) too.
2. A file that holds such rows is hashed first: what is damaged is told, not erased over.
3. Everything is prepared and fsynced before anything is changed: files, manifests, commits, the generation. What cannot
   be done is told now, and nothing was changed.
4. The journal is written; from here on the erasure is done (`journal`). Files get their names; profiles, torn commits
   set aside and checkpoints that could not be prepared go. All profiles: a version's edges and listed values are those
   of the versions before it, whether their rows are still there or not.
5. Delta's newest checkpoint is made again where it went. Failing at it fails nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lastro.model import clock
from lastro.model.errors import Corrupted, LastroError, StoreError
from lastro.model.text import _
from lastro.store import checkpoint, content, delta, disk, reading, recovery, stats
from lastro.store.erasure import checkpoints, journal, rewriting, scrubbing
from lastro.store.erasure.finding import Doomed, count
from lastro.store.erasure.generations import Generation, Replaced
from lastro.store.erasure.journal import Journal, prepared
from lastro.store.erasure.scrubbing import Left, Text
from lastro.store.manifest import Manifest, State
from lastro.store.paths import Places
from lastro.store.table import LOCK_TIMEOUT_S, Table

Seen = dict[tuple[int, ...], int]
_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did, or would do: the rows that go of each file and of each version.

    `generation` is 0, and `digest` empty, where nothing was there to erase, or nothing was done yet. `scrubbed` are all
    versions whose record changed, those that only name a file among them.
    """

    dataset: str
    rows: Mapping[int, int]
    files: Mapping[str, int]
    generation: int = 0
    digest: str = ""
    replaced: tuple[Replaced, ...] = ()
    scrubbed: tuple[int, ...] = ()


def find(table: Table, doomed: Doomed, *, seen: Seen | None = None) -> Erased:
    """What `erase` would take. Takes no lock and changes nothing. Raises `Corrupted`.

    What was counted stands in `seen`: files that did not change since are not read again for the same `doomed`.
    """
    table.places.check()
    files = _hits(table, doomed, {} if seen is None else seen)
    head = table.log.head()
    return Erased(table.dataset, {} if head is None else _lost(table.log.states(head), files), files)


def erase(table: Table, doomed: Doomed, *, request: str = "", text: Text = str, seen: Seen | None = None) -> Erased:
    """Takes the rows that `doomed` names out of every version, durably. `request` names the wish, and is no value.

    `seen` is that of `find`; `text` takes out of texts – sources, cursors, predicates – what must not stay. Raises
    `Locked`, `Conflict` if another writer committed, `Corrupted`, `StoreError`, `WriteFailed`; nothing was changed
    then, or the journal stands and whoever takes the lock next finishes.
    """
    places = table.places
    with table.exclusive(LOCK_TIMEOUT_S), table.failing_cleanly():
        recovery.settle(places, table.log)
        head = table.log.head()
        if head is None:
            return Erased(table.dataset, {}, {})
        try:
            plan = _Plan.of(table, head, doomed, text, {} if seen is None else seen)
            if plan is None:
                return Erased(table.dataset, {}, {})
            generation = plan.prepare(table, head, request)
            journal.begin(places, plan.journal(places, generation))
        finally:
            if not places.journal.exists():
                journal.clear(places)
        journal.settle(places)
        if plan.stale:
            _checkpoint(places, head)
    return Erased(
        table.dataset,
        plan.rows,
        plan.files,
        generation.number,
        generation.digest,
        generation.files,
        tuple(plan.records),
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """The rows that go, of files and of versions; what is left of each file; and the manifests that change."""

    rows: Mapping[int, int]
    files: Mapping[str, int]
    replaced: Sequence[Replaced]
    records: Mapping[int, tuple[Manifest, Manifest]]
    stale: Sequence[Path]
    """Delta's checkpoints, its pointer and our notes, where they could not be prepared."""

    @classmethod
    def of(cls, table: Table, head: int, doomed: Doomed, text: Text, seen: Seen) -> _Plan | None:
        """The plan, with the files written anew where they wait for their names; None if there is nothing to do."""
        places, files = table.places, _hits(table, doomed, seen)
        known = {
            value["path"]: (value, state.manifest)
            for state in table.log.states(head)
            for value in state.manifest.record["added"]
        }
        digests = {path: value["sha256"] for path, (value, _manifest) in known.items()}
        replaced = _in_parallel(lambda path: _rewrite(table, path, doomed, digests.get(path)), list(files))
        left = {file.path: _left(places, file, known) for file in replaced}
        left |= {path: _without(value) for path, (value, _manifest) in known.items() if _is_bare(places, value, left)}
        number = (newest.number if (newest := table.log.generations.known().newest) else 0) + 1
        records = dict(_records(table.log.states(head), left, text, number))
        if not replaced and not records:
            return None
        _check_cursor(table, records.get(head))
        lost = _lost(table.log.states(head), files)
        return cls(lost, files, replaced, records, checkpoints.prepare(places, left))

    def prepare(self, table: Table, head: int, request: str) -> Generation:
        """Writes manifests, commits and the generation where they wait for their names."""
        places, newest = table.places, table.log.generations.known().newest
        for before, after in self.records.values():
            _prepare(places, places.manifest(after.number), after.encode())
            commit = delta.render(after)
            if commit != delta.render(before):
                path = places.commit(after.number)
                _prepare(places, path, commit, modified_ns=path.stat().st_mtime_ns)
        generation = Generation(
            dataset=table.dataset,
            number=newest.number + 1 if newest else 1,
            previous=newest.digest if newest else None,
            moment=clock.to_text(table.clock()),
            request=request,
            head={"number": head, "digest": table.log.manifest(head).digest},
            versions={number: (after.digest, after.proof) for number, (_before, after) in self.records.items()},
            files=tuple(sorted(self.replaced, key=lambda file: file.path)),
        )
        _prepare(places, places.generation(generation.number), generation.encode())
        return generation

    def journal(self, places: Places, generation: Generation) -> Journal:
        """What gets a name, the generation first, and what goes."""
        waiting = places.erasure / "new"
        moves = sorted(path.relative_to(waiting).as_posix() for path in waiting.rglob("*") if path.is_file())
        first = places.generation(generation.number).relative_to(places.table).as_posix()
        for folder in {(waiting / path).parent for path in moves}:
            disk.sync_folder(folder)
        drops = [*self.stale]
        drops += [path for folder in (places.profiles, places.own / "aside") for path in sorted(folder.glob("*"))]
        gone = [path.relative_to(places.table).as_posix() for path in drops]
        return Journal(generation.number, generation.digest, [first, *(path for path in moves if path != first)], gone)


def _hits(table: Table, doomed: Doomed, seen: Seen) -> dict[str, int]:
    """The Parquet files of the table's folder that hold such rows, and how many."""
    places = table.places
    paths = sorted(
        path.relative_to(places.table).as_posix()
        for path in places.table.rglob("*.parquet")
        if path.relative_to(places.table).parts[0] not in {places.log.name, places.own.name}
        and reading.size_of(path)
        and not any(parent.is_symlink() for parent in path.relative_to(places.table).parents)
    )
    marks = {path: _mark(places.table / path) for path in paths}
    unknown = [path for path, mark in marks.items() if mark not in seen]
    counts = _in_parallel(lambda path: _count(table, path, doomed), unknown)
    seen |= {marks[path]: rows for path, rows in zip(unknown, counts, strict=True)}
    return {path: seen[mark] for path, mark in marks.items() if seen[mark]}


def _mark(path: Path) -> tuple[int, ...]:
    """What the system says of a file; if it says the same, it is the same file, unchanged."""
    found = path.lstat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _count(table: Table, path: str, doomed: Doomed) -> int:
    places = table.places
    try:
        return count(table.carrying(places.table / path), doomed)
    except LastroError:  # of the keys
        raise
    except (ValueError, OSError) as error:
        raise Corrupted(
            _("data file {name} cannot be read").format(name=Path(path).name),
            where=str(places.table / path),
            do=_("put the file back from a copy, or remove it if no version needs it: lastro verify says"),
            state=_("nothing was erased"),
        ) from error


def _check(places: Places, path: str, sha256: str | None) -> str:
    """A file's digest. Raises `Corrupted` if it is not what was committed."""
    found = _digest(places.table / path)
    if sha256 is not None and found != sha256:
        raise Corrupted(
            _("data file {name} {how}").format(name=Path(path).name, how=_("has other bytes than were committed")),
            where=str(places.table / path),
            do=_(
                "put the file back from a copy, or restore a version that does not need it: lastro log, lastro restore"
            ),
            state=_("nothing was erased"),
        )

    return found


def _digest(path: Path) -> str:
    return content.hashes([path])[0]


def _rewrite(table: Table, path: str, doomed: Doomed, sha256: str | None) -> Replaced:
    places = table.places
    source, target = table.carrying(places.table / path), prepared(places, path)
    disk.make_folder(target.parent)
    found, before = source.stat(), _check(places, path, sha256)
    rows = rewriting.rewrite(source, target, doomed)
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
    disk.freeze(target)
    return Replaced(path, found.st_size, before, _digest(target), _rows(source), rows)


def _rows(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def _left(places: Places, file: Replaced, known: Mapping[str, tuple[Mapping[str, str], Manifest]]) -> Left:
    if file.path not in known:
        return Left(file.after, file.rows_after, "")
    value, manifest = known[file.path]
    schema = manifest.schema
    withheld = frozenset(schema.names) - scrubbing.bounded(value["stats"])
    footer = stats.read_footer(prepared(places, file.path), schema, withheld=withheld)
    return Left(file.after, file.rows_after, footer.stats)


def _is_bare(places: Places, value: Mapping[str, str], left: Mapping[str, Left]) -> bool:
    """True for a file that was collected, and of which bounds are left."""
    missing = value["path"] not in left and reading.size_of(places.data(value["path"])) is None
    return missing and bool(scrubbing.bounded(value["stats"]))


def _without(value: Mapping[str, str]) -> Left:
    return Left(value["sha256"], int(value["rows"]), scrubbing.counts_only(value["stats"]))


def _records(
    states: Iterator[State], left: Mapping[str, Left], text: Text, number: int
) -> Iterator[tuple[int, tuple[Manifest, Manifest]]]:
    """The manifests that change: as they are, and as they will be."""
    for state in states:
        before = state.manifest
        rows = sum(left[path].rows if path in left else entry.rows for path, entry in state.files.items())
        record = scrubbing.scrub(before.record, left, rows=rows, text=text)
        if record is not before.record:
            yield before.number, (before, Manifest(record, before.digest, number))


def _lost(states: Iterator[State], files: Mapping[str, int]) -> dict[int, int]:
    lost = {state.manifest.number: sum(files.get(path, 0) for path in state.files) for state in states}
    return {number: rows for number, rows in lost.items() if rows}


def _check_cursor(table: Table, newest: tuple[Manifest, Manifest] | None) -> None:
    """Refuses to take away where the next ingestion goes on."""
    if newest is not None and newest[0].record["origin"]["cursor"] != newest[1].record["origin"]["cursor"]:
        raise StoreError(
            _("the place up to which {name} was ingested is itself what is to be erased").format(name=table.dataset),
            do=_("ingest newer rows first, or choose another cursor column"),
            state=_("nothing was erased"),
        )


def _prepare(places: Places, target: Path, found: bytes, *, modified_ns: int | None = None) -> None:
    path = prepared(places, target.relative_to(places.table).as_posix())
    disk.make_folder(path.parent)
    disk.move(disk.write_temporary(path.parent, found, modified_ns=modified_ns), path)


def _checkpoint(places: Places, head: int) -> None:
    number = head - head % checkpoint.EVERY
    # Swallows whatever delta-rs or the disk say, as at a commit: nothing of ours depends on checkpoints.
    with suppress(Exception):
        if number:
            checkpoint.write(places, number)


def _in_parallel(work: Callable[[_Item], _Found], items: Sequence[_Item]) -> list[_Found]:
    """What comes of each item, in order; reading and writing Parquet frees the interpreter's lock."""
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(work, items))
