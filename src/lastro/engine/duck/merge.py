"""Merging by key: which stored files hold keys of a batch, and those files without these rows.

Rules:

1. Files are ruled out by the smallest and largest keys in their footers first; only the rest are read.
2. A key with a NULL in it equals nothing.
3. Rows that stay keep their order; equal input gives equal bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq

from lastro.engine.duck.arrow import to_arrow
from lastro.engine.duck.connection import name, session, text, texts
from lastro.engine.duck.limits import Limits
from lastro.engine.duck.parquet import Writer, without
from lastro.engine.duck.positions import Integers
from lastro.engine.duck.stored import told
from lastro.engine.protocol import StagedFile
from lastro.model.schema import Schema

Bounds = tuple[Any, Any] | None  # Any: a key's smallest and largest value; None where the file does not say


def holding(
    existing: Sequence[Path], incoming: Sequence[Path], key: Sequence[str], limits: Limits, temp: Path | None
) -> tuple[Path, ...]:
    """Those of `existing` that hold at least one key of `incoming`, in their order."""
    with told([*existing, *incoming]):
        near = _near(existing, incoming, key)
    if not near or not incoming:
        return ()
    with told(near), session(limits, readable=[*near, *incoming], temp=temp) as connection:
        matched = _matched(connection, near, incoming, key)
        found = {row[0] for row in connection.execute(f"SELECT DISTINCT filename FROM {matched}").fetchall()}
    return tuple(path for path in near if str(path) in found)


def replace(
    existing: Sequence[Path],
    incoming: Sequence[Path],
    schema: Schema,
    key: Sequence[str],
    folder: Path,
    limits: Limits,
    temp: Path | None,
) -> tuple[StagedFile, ...]:
    """Writes the rows of `existing` whose key is not in `incoming` into `folder`."""
    with (
        told(existing),
        session(limits, readable=[*existing, *incoming], temp=temp) as connection,
        Writer(folder, "rewritten", schema=to_arrow(schema)) as writer,
    ):
        for path in existing:
            without(StagedFile(path, 0), _rows(connection, path, incoming, key), writer)
    return tuple(writer.files)


def _rows(connection: duckdb.DuckDBPyConnection, path: Path, incoming: Sequence[Path], key: Sequence[str]) -> Integers:
    matched = _matched(connection, [path], incoming, key)
    found: Integers = np.concatenate(
        [
            np.empty(0, dtype=np.int64),
            *[
                batch.column(0).to_numpy()
                for batch in connection.sql(
                    f"SELECT file_row_number FROM {matched} ORDER BY file_row_number"
                ).to_arrow_reader(1 << 20)
            ],
        ]
    )
    return found


def _matched(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], incoming: Sequence[Path], key: Sequence[str]
) -> str:
    """A sub-select of the files' rows (`filename`, `file_row_number`) whose key is among the incoming ones."""
    present = [
        path
        for path in files
        if set(key) <= {row[0] for row in connection.execute(f"DESCRIBE FROM read_parquet({text(path)})").fetchall()}
    ]
    if not present:
        return "(SELECT '' AS filename, 0::BIGINT AS file_row_number LIMIT 0)"
    columns = ", ".join(name(column) for column in key)
    same = " AND ".join(f"old.{name(column)} = new.{name(column)}" for column in key)
    paths = texts([str(path) for path in present])
    old = f"read_parquet({paths}, filename = true, file_row_number = true, union_by_name = true)"
    new = f"(SELECT {columns} FROM read_parquet({texts([str(path) for path in incoming])}))"
    return f"(SELECT old.filename, old.file_row_number FROM {old} AS old SEMI JOIN {new} AS new ON {same})"


def _near(existing: Sequence[Path], incoming: Sequence[Path], key: Sequence[str]) -> list[Path]:
    column = key[0]
    wanted = [bounds for path in incoming for bounds in [_bounds(path, column)]]
    return [path for path in existing if _overlaps(_bounds(path, column), wanted)]


def _overlaps(bounds: Bounds, wanted: Sequence[Bounds]) -> bool:
    return bounds is None or any(other is None or (other[0] <= bounds[1] and bounds[0] <= other[1]) for other in wanted)


def _bounds(path: Path, column: str) -> Bounds:
    footer = pq.read_metadata(path)
    index = footer.schema.names.index(column) if column in footer.schema.names else None
    if index is None:
        return None
    found = [footer.row_group(group).column(index).statistics for group in range(footer.num_row_groups)]
    if not found or any(each is None or not each.has_min_max for each in found):
        return None
    return min(each.min for each in found), max(each.max for each in found)
