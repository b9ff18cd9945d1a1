"""Primary keys: of rows with an equal key in one batch, one is kept.

Rules:

1. A key with a NULL in it equals nothing: whether it may be NULL is for the contract's `required`.
2. A single key that only ever grows has no duplicates: no query is needed.
3. Otherwise keys are grouped by a 64-bit hash (spilling to disk); only rows of groups with more than one are compared.
4. The first row is kept, or the last if asked. The others are returned with the position they had in their source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from lastro.engine.duck.arrow import integers
from lastro.engine.duck.connection import name, texts
from lastro.engine.duck.positions import Integers, positions
from lastro.engine.protocol import StagedFile
from lastro.engine.sql.compile import compile_batch
from lastro.model.plan import ColumnPlan, Plan
from lastro.model.schema import Schema

ROWS = 8_192


class Watch:
    """Sees every kept batch; afterwards `grows` says whether the single key strictly grew, without a NULL."""

    def __init__(self, key: Sequence[str]) -> None:
        self._key = key[0] if len(key) == 1 else None
        self._last: int | None = None
        self.grows = self._key is not None

    def look(self, batch: pa.RecordBatch) -> None:
        """Takes the next batch into account."""
        if not self.grows or self._key is None or batch.num_rows == 0:
            return
        values = _as_integers(batch.column(self._key))
        inside = values is not None and bool((values[1:] > values[:-1]).all())
        if values is None or not inside or (self._last is not None and int(values[0]) <= self._last):
            self.grows = False
        else:
            self._last = int(values[-1])


def _as_integers(column: pa.Array) -> Integers | None:
    kind = column.type
    if column.null_count or not (pa.types.is_integer(kind) or pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
        return None
    if not pa.types.is_integer(kind):
        column = column.view(pa.int32() if pa.types.is_date32(kind) else pa.int64())
    return integers(column)


@dataclass(frozen=True, slots=True)
class Repeats:
    """Rows of one staged file whose key stands elsewhere: their row numbers in it, and their cleaned rows as JSON."""

    file: int
    rows: Integers
    records: pa.Array


def repeats(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[StagedFile],
    schema: Schema,
    key: Sequence[str],
    *,
    last: bool,
) -> Iterator[Repeats]:
    """The rows that must go, file by file in ascending order; nothing if all keys differ."""
    if not files or not _hash_repeats(connection, [file.path for file in files], key):
        return
    columns = ", ".join(name(column) for column in key)
    order = "DESC" if last else "ASC"
    paths = texts([file.path for file in files])
    ranked = (
        f"SELECT filename, file_row_number, row_number() OVER (PARTITION BY {columns} ORDER BY filename {order}, "
        f"file_row_number {order}) AS nth FROM read_parquet({paths}, filename = true, file_row_number = true) "
        f"WHERE hash({columns}) IN (SELECT h FROM repeated) AND {_present(key)}"
    )
    connection.execute(
        f"CREATE TEMP TABLE going AS SELECT filename, file_row_number FROM ({ranked}) WHERE nth > 1 "
        "ORDER BY filename, file_row_number"
    )
    for index, file in enumerate(files):
        yield from _of_file(connection, index, file, schema)


def _hash_repeats(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], key: Sequence[str]) -> bool:
    """Makes the table `repeated` of the hashes that occur more than once; True if there are any."""
    columns = ", ".join(name(column) for column in key)
    source = f"read_parquet({texts(paths)})"
    connection.execute(
        f"CREATE TEMP TABLE repeated AS SELECT h FROM (SELECT hash({columns}) AS h FROM {source} "
        f"WHERE {_present(key)}) GROUP BY h HAVING count(*) > 1"
    )
    ((found,),) = connection.execute("SELECT count(*) FROM repeated").fetchall()
    return bool(found)


def _present(key: Sequence[str]) -> str:
    return " AND ".join(f"{name(column)} IS NOT NULL" for column in key)


def _of_file(connection: duckdb.DuckDBPyConnection, index: int, file: StagedFile, schema: Schema) -> Iterator[Repeats]:
    path = texts([file.path])
    relation = (
        f"(SELECT * FROM read_parquet({path}, file_row_number = true) WHERE file_row_number IN "
        f"(SELECT file_row_number FROM going WHERE filename = {path[1:-1]}) ORDER BY file_row_number)"
    )
    query = f"SELECT {_record_sql(schema, relation)}"
    for batch in connection.sql(query).to_arrow_reader(ROWS):
        if batch.num_rows:
            yield Repeats(index, batch.column("file_row_number").to_numpy(), batch.column("record"))


def _record_sql(schema: Schema, relation: str) -> str:
    """The items and source of a SELECT that gives each row as the JSON object a quarantine holds."""
    plain = Plan("", "", tuple(ColumnPlan(field.name, field.name, field.type) for field in schema.fields))
    batch = compile_batch(plain, schema, dialect="duckdb")
    return f"{batch.clean_record_sql} AS record, file_row_number FROM {relation}"


def by_source(
    rows: Integers, sources: Sequence[tuple[str, int]], removed: Sequence[Integers]
) -> Iterator[tuple[str, Integers]]:
    """Label and positions of kept rows, given by their ascending number over all sources. `sources` are labels with
    their numbers of kept rows, `removed` the sorted positions of each that were not kept.
    """
    start = 0
    for (label, count), gone in zip(sources, removed, strict=True):
        mine = rows[(rows >= start) & (rows < start + count)]
        if len(mine):
            yield label, positions(mine - start, gone)
        start += count
