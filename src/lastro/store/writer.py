"""Commits: how a staged batch becomes a version.

Rules, in the order of the steps:

1. The lock is held from before the plan to after the answer.
2. An idempotency key that was committed already is answered with the first result.
3. Rows are conserved: what the source gave is kept or quarantined, what was kept is what is added.
4. Every file is hashed, made read-only and fsynced while in staging, then renamed into the table; the folder is
   fsynced.
5. The manifest is written and fsynced under a temporary name, so that a full disk is met before anything is visible.
6. The Delta commit is linked to its name, which must be free, and its folder fsynced: from here on the version exists.
7. The manifest gets its name. Only then is the version acknowledged.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.engine.protocol import StagedFile
from lastro.model import clock
from lastro.model.errors import BreakingChange, Conflict, StoreError, UsageError, WriteFailed
from lastro.model.profile import Profile
from lastro.model.schema import Schema
from lastro.model.text import _
from lastro.model.version import FileEntry, Mode, Origin, VersionInfo
from lastro.model.widening import is_wider
from lastro.store import checkpoint, content, delta, disk, profiles, reading, stats
from lastro.store.manifest import Manifest, State, entry_value, origin_value

if TYPE_CHECKING:
    from lastro.store.table import Table


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit changes.

    `added` lie in a folder of `Writer.staging`. `removed` are table-relative paths of the newest version; with
    `replace_all` every file is removed. `planned_at` is the version number the plan was made on, -1 for none: the
    commit is refused with `Conflict` if another is the newest by now. Columns in `withhold_stats` get no bounds in the
    log. `carried` says how many rows of the removed files `added` brings again, rewritten under wider types; all files
    are removed then.
    """

    schema: Schema
    added: Sequence[StagedFile]
    origin: Origin
    removed: Sequence[str] = ()
    replace_all: bool = False
    planned_at: int | None = None
    withhold_stats: frozenset[str] = field(default=frozenset())
    carried: int = 0


class Writer:
    """The right to change one table; made by `Table.lock`, of no use after it."""

    def __init__(self, table: Table, sign: Callable[[], None]) -> None:
        self._table = table
        self._sign = sign
        self._open = True

    def close(self) -> None:
        """Ends the right to change the table."""
        self._open = False

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A new private folder on the workspace's file system; it is removed with what is left in it."""
        places = self._check_open().places
        folder = places.staging / f"{uuid.uuid4().hex}.{places.dataset}"
        with self._table.failing_cleanly():
            self._sign()
            disk.make_private(folder)
        try:
            yield folder
        finally:
            disk.remove_tree(folder)

    def find_key(self, idempotency_key: str) -> VersionInfo | None:
        """The version that was committed under this key, None if there is none. Raises `Corrupted`."""
        table = self._check_open()
        number = table.keys.find(idempotency_key)
        return None if number is None else table.log.state(number).info()

    def commit(self, change: Change) -> VersionInfo:
        """Makes a version, or answers with the one that was made under the same key.

        Raises `WriteFailed`, `Conflict`, `BreakingChange`, `StoreError` if rows are not conserved. Where the error says
        that nothing was committed, that is so; otherwise the same call answers whether it was.
        """
        if first := self.find_key(change.origin.idempotency_key):
            return first
        parent = self._parent()
        removed = self._removed(parent, change)
        keeps_files = parent is not None and len(removed) < len(parent.files)
        before = parent.manifest.schema if parent else None
        check_schema(before, change.schema, keeps_files=keeps_files, carries_rows=change.carried > 0)
        footers = [self._footer(staged, change) for staged in change.added]
        check_rows(change, removed)
        number = 0 if parent is None else parent.manifest.number + 1
        with self._table.failing_cleanly():
            self._sign()
            added = self._bring_in(number, change.added, footers)
            return self._publish(
                parent,
                schema=json.loads(change.schema.to_delta()),
                origin=change.origin,
                added=added,
                removed=removed,
                brought=[self._table.places.data(value["path"]) for value in added],
            )

    def keep_profile(self, info: VersionInfo, profile: Profile) -> None:
        """Keeps a version's profile beside its manifest; one that is there is replaced. One that was made of rows that
        were erased since is not kept. Raises `WriteFailed`, `Corrupted`.
        """
        table = self._check_open()
        manifest = table.log.manifest(info.number)
        if manifest.generation != info.generation:
            return  # it was made of rows that were erased since; it is made again when somebody asks
        with table.failing_cleanly():
            profiles.write(table.places, info.number, manifest.proof, profile)

    def restore(self, info: VersionInfo, origin: Origin) -> VersionInfo:
        """Makes an earlier version the newest again, as a new version with the same files and schema.

        Raises `Expired`, `Corrupted` if its files are not all there, `WriteFailed`.
        """
        if first := self.find_key(origin.idempotency_key):
            return first
        self._table.paths(info)
        parent = self._parent()
        if parent is None:
            raise Conflict(_("{name} has no version to restore").format(name=self._table.dataset))
        wanted = {entry.path: entry for entry in info.files}
        missing = [path for path in wanted if path not in parent.files]
        with self._table.failing_cleanly():
            return self._publish(
                parent,
                schema=self._table.log.manifest(info.number).record["schema"],
                origin=origin,
                added=self._brought_before(missing, info.number),
                removed=[entry for entry in parent.files.values() if entry.path not in wanted],
                brought=[],
            )

    def _check_open(self) -> Table:
        if not self._open:
            raise UsageError(_("the lock is no longer held"), do=_("take it again: with table.lock() as writer"))
        return self._table

    def _parent(self) -> State | None:
        log = self._check_open().log
        head = log.head()
        return None if head is None else log.state(head)

    def _removed(self, parent: State | None, change: Change) -> list[FileEntry]:
        files = {} if parent is None else parent.files
        newest = -1 if parent is None else parent.manifest.number
        if change.planned_at is not None and change.planned_at != newest:
            raise self._conflict(_("the plan was made on another version"))
        if change.replace_all:
            return list(files.values())
        if not all(path in files for path in change.removed):
            raise self._conflict(_("a file to be replaced is no longer in the newest version"))
        return [files[path] for path in dict.fromkeys(change.removed)]

    def _conflict(self, what: str) -> Conflict:
        return Conflict(what, where=self._table.dataset, do=_("plan again"), state=self._table.state())

    def _footer(self, staged: StagedFile, change: Change) -> stats.Footer:
        if reading.size_of(staged.path) is None:
            raise self._refused(_("a staged file is missing or is a link"), staged)
        try:
            found = stats.read_footer(staged.path, change.schema, withheld=change.withhold_stats)
        except (ValueError, OSError) as error:
            raise self._refused(_("a staged file is no Parquet file"), staged) from error
        if found.rows != staged.rows:
            raise self._refused(_("a staged file holds another number of rows than was counted"), staged)
        required = {column.name for column in change.schema.fields if not column.nullable}
        if not required <= set(found.columns) <= set(change.schema.names):
            raise self._refused(_("a staged file has other columns than the schema"), staged)
        return found

    def _refused(self, what: str, staged: StagedFile) -> StoreError:
        return StoreError(what, where=staged.path.name, do=_("stage the batch again"), state=self._table.state())

    def _bring_in(
        self, number: int, files: Sequence[StagedFile], footers: Sequence[stats.Footer]
    ) -> list[dict[str, Any]]:  # Any: JSON values
        """Moves staged files into the table, hashed, read-only and durable."""
        places = self._table.places
        disk.make_folder(places.table)
        unknown = [staged.path for staged in files if not staged.sha256]
        found = dict(zip(unknown, content.hashes(unknown), strict=True))
        added, brought = [], []
        try:
            for index, (staged, footer) in enumerate(zip(files, footers, strict=True)):
                sha256 = staged.sha256 or found[staged.path]
                disk.freeze(staged.path)
                status = staged.path.stat()
                name = f"part-{number:05d}-{index:04d}-{sha256[7:23]}.parquet"
                disk.move(staged.path, places.table / name)
                brought.append(places.table / name)
                content.remember(places.table / name, sha256)
                added.append(
                    {
                        "path": name,
                        "size": status.st_size,
                        "sha256": sha256,
                        "rows": staged.rows,
                        "stats": footer.stats,
                        "modified": status.st_mtime_ns // 1_000_000,
                    }
                )
            disk.sync_folder(places.table)
        except OSError:
            _discard(brought)
            raise
        return added

    def _publish(
        self,
        parent: State | None,
        *,
        schema: Any,  # Any: a schema in Delta's JSON form
        origin: Origin,
        added: Sequence[dict[str, Any]],  # Any: JSON values
        removed: Sequence[FileEntry],
        brought: Sequence[Path],
    ) -> VersionInfo:
        """Steps 5 to 7. `brought` are removed again if nothing became visible."""
        table, places = self._table, self._table.places
        try:
            manifest = self._manifest(parent, schema=schema, origin=origin, added=added, removed=removed)
            for folder in (places.log, places.manifests, places.temporary):
                disk.make_folder(folder)
            prepared = disk.write_temporary(places.temporary, manifest.encode())
            commit = disk.write_temporary(
                places.temporary,
                delta.render(manifest),
                modified_ns=delta.microseconds_of(manifest.record["committed"]) * 1000,
            )
        except (OSError, ValueError):
            _discard(brought)
            raise
        target = places.commit(manifest.number)
        try:
            disk.put_if_absent(commit, target)
        except FileExistsError as error:
            _discard(brought)
            raise self._conflict(_("another writer committed first")) from error
        except OSError as error:
            if not _is_same(commit, target):
                _discard(brought)
                raise
            raise self._uncertain(manifest, error) from error
        try:
            disk.replace(prepared, places.manifest(manifest.number))
        except OSError as error:
            raise self._uncertain(manifest, error) from error
        _discard([commit])
        table.keys.write_if_due(manifest.number)
        checkpoint.write_if_due(places, manifest.number)
        return table.log.state(manifest.number).info()

    def _manifest(
        self,
        parent: State | None,
        *,
        schema: Any,  # Any: a schema in Delta's JSON form
        origin: Origin,
        added: Sequence[dict[str, Any]],  # Any: JSON values
        removed: Sequence[FileEntry],
    ) -> Manifest:
        now = self._table.clock()
        before = parent.manifest if parent else None
        committed = clock.to_text(max(now, before.committed) if before else now)
        try:
            kept = {
                "dataset": self._table.dataset,
                "number": before.number + 1 if before else 0,
                "parent": before.digest if before else None,
                "committed": committed,
                "table": _table(before, committed, schema),
                "writer": delta.ENGINE,
                "origin": origin_value(origin),
            }
            return Manifest.of(
                delta.record(
                    kept=kept,
                    schema=schema,
                    announces=before is None or before.record["schema"] != schema,
                    added=added,
                    removed=[entry_value(entry) for entry in removed],
                    parent=parent,
                )
            )
        except (ValueError, TypeError) as error:
            raise UsageError(
                _("the origin of the batch holds a value that JSON cannot hold"),
                do=_("use text, finite numbers, lists and objects only"),
                state=self._table.state(),
            ) from error

    def _brought_before(self, paths: Sequence[str], newest: int) -> list[dict[str, Any]]:  # Any: JSON values
        """What the log said of files when they were added, in the given order."""
        wanted = set(paths)
        found: dict[str, dict[str, Any]] = {}  # Any: JSON values
        for number in range(newest, -1, -1):
            if not wanted:
                break
            for value in self._table.log.manifest(number).record["added"]:
                if value["path"] in wanted:
                    found[value["path"]] = dict(value)
                    wanted.discard(value["path"])
        return [found[path] for path in paths]

    def _uncertain(self, manifest: Manifest, error: OSError) -> WriteFailed:
        name = self._table.dataset
        return WriteFailed(
            _("the disk failed at the end of a commit to {name}").format(name=name),
            where=str(error.filename or self._table.path),
            do=_("do the same again: a version that was committed is found and answered with"),
            state=_("version {number} of {name} may or may not be committed").format(number=manifest.number, name=name),
        )


def check_rows(change: Change, removed: Sequence[FileEntry]) -> None:
    """Refuses a change that loses or doubles rows: `StoreError`. Without counts there is nothing to check.

    Where the batch was compared with the table, its changes account for every row. An upsert that does not say them
    adds at least the rows kept, at most those and the ones of the files it replaces. Rows that were carried over come
    on top, each once.
    """
    counts, changes = change.origin.counts, change.origin.changes
    if counts is None:
        return
    added, replaced = sum(staged.rows for staged in change.added), sum(entry.rows for entry in removed)
    least = counts.kept + change.carried
    most = counts.kept + replaced if change.origin.mode is Mode.UPSERT else least
    if changes is not None:
        accounted = changes.account_for(counts.kept, added, replaced)
    else:
        accounted = change.carried <= replaced and least <= added <= most
    if not (counts.conserved and accounted):
        raise StoreError(
            _("rows were lost or doubled: {read} read, {kept} kept, {quarantined} quarantined, {added} staged").format(
                read=counts.read, kept=counts.kept, quarantined=counts.quarantined, added=added
            ),
            do=_("ingest again; if it stays so, report it with the plan: lastro ingest --plan"),
            state=_("nothing was committed"),
        )


def check_schema(before: Schema | None, after: Schema, *, keeps_files: bool, carries_rows: bool = False) -> None:
    """Refuses a schema that rows already in the table do not fit: `BreakingChange`.

    New columns must be nullable. A type must be that of the files that stay, since no reader is bound to read a
    narrower file as a wider type; it may be wider where no file stays and their rows are carried over into new ones.
    """
    if before is None or not (keeps_files or carries_rows):
        return
    found = next(_misfits(before, after, may_widen=not keeps_files), None)
    if found is not None:
        raise BreakingChange(
            _("column {name} does not fit the rows that are stored").format(name=found),
            do=_("overwrite the dataset, or keep the column as it was and add another"),
            state=_("nothing was committed"),
        )


def _misfits(before: Schema, after: Schema, *, may_widen: bool) -> Iterator[str]:
    wanted = {column.name: column for column in after.fields}
    for old in before.fields:
        new = wanted.pop(old.name, None)
        fits = new is not None and (is_wider(old.type, new.type) if may_widen else old.type == new.type)
        if new is None or not fits or (old.nullable and not new.nullable):
            yield old.name
    yield from (name for name, new in wanted.items() if not new.nullable)


def _table(before: Manifest | None, committed: str, schema: Any) -> dict[str, Any]:  # Any: JSON values
    table = before.record["table"] if before else {"id": str(uuid.uuid4()), "created": delta.milliseconds_of(committed)}
    # A protocol is never lowered: once a column without a zone was there, its readers are asked for ever after.
    return {**table, "ntz": table.get("ntz", False) or delta.needs_timestamp_ntz(Schema.from_delta(json.dumps(schema)))}


def _discard(paths: Sequence[Path]) -> None:
    for path in paths:
        try:
            disk.remove(path)
        except OSError:  # the disk that just failed may fail again; `lastro gc` removes what no version refers to
            return


def _is_same(temporary: Path, target: Path) -> bool:
    try:
        return temporary.samefile(target)
    except OSError:
        return False
