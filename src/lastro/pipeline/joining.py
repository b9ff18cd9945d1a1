"""Joining: how a staged batch meets the table.

Rules:

1. An `append` refuses keys that are stored; an `overwrite` replaces every file. Every other mode is a merge.
2. A merge reads no file that cannot hold a key of the batch, unless rows may end because their key is absent.
3. Where a type becomes wider, all stored rows are carried over into new files first, and the batch meets those.
4. An interval replaces the rows of its interval: files without one of them stay, the others are rewritten without. An
   `overwrite` with an interval begins anew with it. A row of the batch that lies elsewhere refuses the batch, and so
   does a key that another interval holds.
5. Rows that vanish at once beyond the guard refuse the batch: a source that is suddenly empty empties no table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from lastro.engine.protocol import Cleared, Merged, StagedFile
from lastro.model.errors import DataRefused
from lastro.model.interval import Interval
from lastro.model.schema import Schema
from lastro.model.text import _, figures, ngettext
from lastro.model.version import Mode, RowChanges, VersionInfo
from lastro.pipeline import schema_change
from lastro.pipeline.target import Target
from lastro.transform.evolve import widened
from lastro.transform.joining import merge_plan, table_schema

PERCENT_MAX = 20.0
ROWS_ALLOWED = 10
"""So few rows may always vanish, unless they are all or a percentage is configured."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A batch and its table: stored files that remain, files that are added, stored ones that go, what became of the
    rows (None where nothing was compared).
    """

    schema: Schema
    remaining: tuple[Path, ...]
    added: tuple[StagedFile, ...]
    removed: tuple[str, ...] = ()
    replace_all: bool = False
    changes: RowChanges | None = None
    carried: int = 0
    """Rows of removed files that `added` brings again under wider types."""

    @property
    def files(self) -> list[Path]:
        """All files of the table as it would be."""
        return [*self.remaining, *(file.path for file in self.added)]


def join(
    target: Target,
    mode: Mode,
    head: VersionInfo | None,
    kept: Sequence[StagedFile],
    folder: Path,
    *,
    present: Sequence[Path] | None = None,
) -> Joined:
    """Meets the batch's kept rows with the newest version. Raises `DataRefused`, `BreakingChange`."""
    before = None if head is None or mode is Mode.OVERWRITE else head.schema
    schema = table_schema(before, target.plan, mode, target.history)
    if target.interval is not None:
        stored = None if head is None or mode is Mode.OVERWRITE else _stored(target, head, schema, folder)
        joined = _replace(target, target.interval, stored, schema, kept, folder)
        return joined if stored is not None or head is None else _alone(joined, head)
    if mode is Mode.OVERWRITE or head is None:
        if mode is Mode.APPEND:
            return Joined(schema, (), tuple(kept))
        return _start(target, mode, head, schema, kept, folder)
    stored = _stored(target, head, schema, folder)
    if mode is Mode.APPEND:
        return _append(target, stored, schema, kept)
    merged = _merge(target, mode, head, schema, stored.paths, kept, folder, present)
    _guard(target, merged)
    return _merged(target, stored, schema, merged)


@dataclass(frozen=True, slots=True)
class Stored:
    """The stored rows as a batch meets them: the newest version's files, or all of them anew under wider types."""

    head: VersionInfo
    paths: tuple[Path, ...]
    carried: tuple[StagedFile, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All files of the version, as the table names them."""
        return tuple(entry.path for entry in self.head.files)


def _stored(target: Target, head: VersionInfo, schema: Schema, folder: Path) -> Stored:
    if not widened(head.schema, Schema(tuple(field for field in schema.fields if field.name in head.schema.names))):
        return Stored(head, target.table.paths(head, verify=False))
    carried = tuple(schema_change.carry(target, head, schema, folder))
    return Stored(head, tuple(file.path for file in carried), carried)


def _merged(target: Target, stored: Stored, schema: Schema, merged: Merged) -> Joined:
    touched = set(merged.touched)
    if stored.carried is not None:
        stays = tuple(file for file in stored.carried if file.path not in touched)
        return Joined(
            schema=schema,
            remaining=(),
            added=(*stays, *merged.rewritten, *merged.added),
            removed=stored.names,
            changes=merged.changes,
            carried=sum(file.rows for file in stays),
        )
    entries = {path: entry for entry, path in zip(stored.head.files, stored.paths, strict=True)}
    going = tuple(entries[path] for path in merged.touched)
    # What was read of them is proven before it is written on.
    target.table.paths(dataclasses.replace(stored.head, files=going))
    return Joined(
        schema=schema,
        remaining=tuple(path for path in stored.paths if path not in touched),
        added=(*merged.rewritten, *merged.added),
        removed=tuple(entry.path for entry in going),
        changes=merged.changes,
    )


def _replace(
    target: Target,
    interval: Interval,
    stored: Stored | None,
    schema: Schema,
    kept: Sequence[StagedFile],
    folder: Path,
) -> Joined:
    """The rows of an interval instead of those that are stored of it; without stored ones, they alone."""
    area = folder / "cleared"
    area.mkdir()
    cleared = target.engine.clear(() if stored is None else stored.paths, kept, schema, interval, area)
    _check_places(target, interval, cleared)
    rows = sum(file.rows for file in kept)
    changes = RowChanges(inserted=rows, removed=cleared.removed)
    if stored is None:
        return Joined(schema, (), tuple(kept), changes=changes)
    merged = Merged(tuple(kept), cleared.rewritten, cleared.touched, changes)
    joined = _merged(target, stored, schema, merged)
    incoming, key = [file.path for file in kept], target.plan.primary_key
    others = [path for path in joined.files if path not in {*incoming}]
    if key and incoming and others and target.engine.holding(others, incoming, key):
        raise DataRefused(
            _("{dataset} holds rows with these primary keys outside of the interval").format(dataset=target.dataset),
            where=f"{target.dataset} ({', '.join(key)})",
            do=_("make {column} a part of the primary key, or let a row stay in one interval").format(
                column=interval.column
            ),
        )
    return joined


def _alone(joined: Joined, head: VersionInfo) -> Joined:
    """An interval with which a dataset begins anew."""
    changes = RowChanges(inserted=sum(file.rows for file in joined.added), removed=head.rows)
    return dataclasses.replace(joined, replace_all=True, changes=changes)


def _check_places(target: Target, interval: Interval, cleared: Cleared) -> None:
    where = f"{target.dataset}.{interval.column}"
    if cleared.outside:
        sentence = ngettext(
            "{n} row of the step lies outside of the interval that was to be made",
            "{n} rows of the step lie outside of the interval that was to be made",
            cleared.outside,
        )
        raise DataRefused(
            sentence.format(n=figures(f"{cleared.outside:,}")),
            where=where,
            do=_("give only rows whose {column} is at or after start and before end").format(column=interval.column),
        )
    if cleared.nowhere:
        sentence = ngettext(
            "{n} stored row of {dataset} has no {column}, and belongs to no interval",
            "{n} stored rows of {dataset} have no {column}, and belong to no interval",
            cleared.nowhere,
        )
        raise DataRefused(
            sentence.format(n=figures(f"{cleared.nowhere:,}"), dataset=target.dataset, column=interval.column),
            where=where,
            do=_("make the dataset once without `interval`, with a value in every row"),
        )


def _append(target: Target, stored: Stored, schema: Schema, kept: Sequence[StagedFile]) -> Joined:
    key, incoming = target.plan.primary_key, [file.path for file in kept]
    if key and stored.paths and incoming and target.engine.holding(stored.paths, incoming, key):
        raise _key_stored_already(target)
    if stored.carried is None:
        return Joined(schema, stored.paths, tuple(kept))
    carried = sum(file.rows for file in stored.carried)
    return Joined(schema, (), (*stored.carried, *kept), removed=stored.names, carried=carried)


def _start(
    target: Target, mode: Mode, head: VersionInfo | None, schema: Schema, kept: Sequence[StagedFile], folder: Path
) -> Joined:
    """A table that begins, or begins anew."""
    if mode is not Mode.SCD2 and target.deletes.column is None:
        changes = None if mode is Mode.OVERWRITE else RowChanges(inserted=sum(file.rows for file in kept))
        return Joined(schema, (), tuple(kept), replace_all=head is not None, changes=changes)
    merged = _merge(target, mode, None, schema, (), kept, folder, None)
    changes = dataclasses.replace(merged.changes, removed=0 if head is None else head.rows)
    return Joined(schema, (), merged.added, replace_all=head is not None, changes=changes)


def _merge(
    target: Target,
    mode: Mode,
    head: VersionInfo | None,
    schema: Schema,
    existing: Sequence[Path],
    kept: Sequence[StagedFile],
    folder: Path,
    present: Sequence[Path] | None,
) -> Merged:
    plan = merge_plan(
        target.plan,
        mode,
        target.history,
        target.deletes,
        moment=_moment(target, head),
        began=None if head is None else head.committed,
    )
    area = folder / "merged"
    area.mkdir()
    return target.engine.merge(existing, kept, schema, plan, area, present=present)


def _moment(target: Target, head: VersionInfo | None) -> datetime:
    """The clock's moment; never that of the version before, so that no state has to begin where another does."""
    now = target.table.clock()
    return now if head is None else max(now, head.committed + timedelta(microseconds=1))


def _guard(target: Target, merged: Merged) -> None:
    if not merged.absent:
        return
    share, most = 100 * merged.absent / merged.held, target.deletes.percent_max
    if most is None and merged.absent <= ROWS_ALLOWED and merged.absent < merged.held:
        return
    allowed = PERCENT_MAX if most is None else most
    if share <= allowed:
        return
    raise DataRefused(
        ngettext(
            "{absent} of {held} rows of {dataset} ({share} %) is gone at the source; {most} % may be",
            "{absent} of {held} rows of {dataset} ({share} %) are gone at the source; {most} % may be",
            merged.absent,
        ).format(
            absent=figures(f"{merged.absent:,}"),
            held=figures(f"{merged.held:,}"),
            dataset=target.dataset,
            share=figures(f"{share:.1f}"),
            most=figures(f"{allowed:g}"),
        ),
        where=target.dataset,
        do=_("look at the source; if they are truly deleted, raise deletes.max of {dataset} for once").format(
            dataset=target.dataset
        ),
    )


def _key_stored_already(target: Target) -> DataRefused:
    key = ", ".join(target.plan.primary_key)
    return DataRefused(
        _("{dataset} already holds rows with these primary keys").format(dataset=target.dataset),
        where=f"{target.dataset} ({key})",
        do=_(
            "lastro ingest {dataset} --mode upsert replaces them; in a file of corrected rows, "
            "give those rows another key or leave them out"
        ).format(dataset=target.dataset),
    )
