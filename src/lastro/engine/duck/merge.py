"""Merging by key: how the rows of a batch meet those that are stored.

Rules:

1. Files are ruled out by the smallest and largest values of every key column in their footers first; of the others only
   the key columns are read, and only files that hold a key of the batch are read whole.
2. A key with a NULL in it equals nothing.
3. Stored files are taken one by one. What is held of a row is its fate (`fates`); joins spill to disk.
4. Rows that stay keep their order; equal input gives equal bytes.
5. Where stored rows can end because the batch or the source lacks their key, every file is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from lastro.engine.duck import chain, fates, pairs
from lastro.engine.duck.connection import name, session, text, texts
from lastro.engine.duck.limits import Limits
from lastro.engine.duck.stored import told
from lastro.engine.encrypted import metadata, needing
from lastro.engine.protocol import Merged, StagedFile
from lastro.model.merging import MergePlan
from lastro.model.schema import Schema

MEMORY_MB = 80
"""Of DuckDB's buffers: joins spill well, and the files' writers need memory too."""
Bounds = tuple[Any, Any] | None  # Any: a key's smallest and largest value; None where the file does not say


@dataclass(frozen=True, slots=True)
class Order:
    """What `merge` was asked for. `present` are files of all keys that the source holds."""

    stored: Sequence[Path]
    batch: Sequence[StagedFile]
    schema: Schema
    plan: MergePlan
    folder: Path
    present: Sequence[Path] | None
    limits: Limits
    temp: Path | None


def holding(
    existing: Sequence[Path], incoming: Sequence[Path], key: Sequence[str], limits: Limits, temp: Path | None
) -> tuple[Path, ...]:
    """Those of `existing` that hold at least one key of `incoming`, in their order."""
    with told([*existing, *incoming]):
        near = _near(existing, incoming, key)
        bare = needing(near, key)
        incoming = needing(incoming, key)
    if not near or not incoming:
        return ()
    with told(near), session(_modest(limits), readable=[*bare, *incoming], temp=temp) as connection:
        return tuple(path for path, each in zip(near, bare, strict=True) if _holds(connection, each, incoming, key))


def merge(order: Order) -> Merged:
    """Merges one batch. Raises `Corrupted`, `EngineError`, `WriteFailed`."""
    pa.default_memory_pool().release_unused()  # what staging needed
    plan, incoming = order.plan, [file.path for file in order.batch]
    every = plan.whole or order.present is not None
    with told([*order.stored, *incoming]):
        bare = [path for path in order.stored if plan.history is not None and _is_bare(path, plan.history.start)]
    files = order.stored if every else holding(order.stored, incoming, plan.key, order.limits, order.temp)
    files = [path for path in order.stored if path in {*files, *bare}]
    with told(files):
        try:
            found = _met(order, files, set(bare), _modest(order.limits), every=every)
        except duckdb.OutOfMemoryException:  # very long rows: nothing was written yet, and more is allowed
            found = _met(order, files, set(bare), order.limits, every=every)
    touched = [file for file in found.stored if file.touched]
    return Merged(
        added=fates.join(found.batch, order.schema, plan, order.folder),
        rewritten=fates.rewrite(touched, order.schema, plan, order.folder),
        touched=tuple(file.path for file in touched),
        changes=found.changes,
        absent=found.absent,
        held=found.held,
    )


def _met(order: Order, files: Sequence[Path], bare: set[Path], limits: Limits, *, every: bool) -> pairs.Meeting:
    """The fates of all rows, within such limits."""
    plan = order.plan
    readable = [*files, *(file.path for file in order.batch), *(order.present or ())]
    with session(limits, readable=readable, temp=order.temp) as connection:
        found = pairs.Meeting(connection, order.schema, plan, order.batch, order.present or (), bare)
        if plan.history is not None and plan.history.effective is not None:
            chain.follow(found, files)
        for path in files:
            pairs.meet(found, path, every=every)
        found.count()
    return found


def _modest(limits: Limits) -> Limits:
    return replace(limits, memory_mb=min(limits.memory_mb, MEMORY_MB))


def _holds(connection: duckdb.DuckDBPyConnection, path: Path, incoming: Sequence[Path], key: Sequence[str]) -> bool:
    if not set(key) <= {row[0] for row in connection.execute(f"DESCRIBE FROM read_parquet({text(path)})").fetchall()}:
        return False
    same = " AND ".join(f"old.{name(column)} = new.{name(column)}" for column in key)
    found = connection.execute(
        f"SELECT 1 FROM read_parquet({text(path)}) AS old SEMI JOIN read_parquet({texts(incoming)}) AS new ON {same} "
        "LIMIT 1"
    )
    return found.fetchone() is not None


def _near(existing: Sequence[Path], incoming: Sequence[Path], key: Sequence[str]) -> list[Path]:
    """The files whose bounds overlap those of a batch's file in every column of the key."""
    wanted = [_bounds(path, key) for path in incoming]
    return [path for path in existing if any(_overlap(_bounds(path, key), each) for each in wanted)]


def _overlap(one: Sequence[Bounds], other: Sequence[Bounds]) -> bool:
    return all(
        first is None or second is None or _meets(first, second) for first, second in zip(one, other, strict=True)
    )


def _meets(first: tuple[Any, Any], second: tuple[Any, Any]) -> bool:  # Any: keys of one type, or of a wider one
    try:
        return bool(first[0] <= second[1] and second[0] <= first[1])
    except TypeError:  # a date beside a moment, where the key's type was widened: the query compares them
        return True


def _bounds(path: Path, key: Sequence[str]) -> list[Bounds]:
    footer = metadata(path, columns=key)
    return [_column_bounds(footer, column) for column in key]


def _column_bounds(footer: pq.FileMetaData, column: str) -> Bounds:
    places = {footer.schema.column(index).path: index for index in range(footer.num_columns)}
    if column not in places:
        return None
    found = [footer.row_group(group).column(places[column]).statistics for group in range(footer.num_row_groups)]
    if not found or any(each is None or not each.has_min_max for each in found):
        return None
    return min(each.min for each in found), max(each.max for each in found)


def _is_bare(path: Path, column: str) -> bool:
    return column not in pq.read_schema(path).names
