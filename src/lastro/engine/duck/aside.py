"""Rows set aside before: which of them are open, and which a batch brings again.

Rules:

1. A row is open if its `batch` is one of the keys that count, and no mark whose `record` is one of them names it.
2. A row comes again if its key stands in a batch, in a kept row or in a refused one. Its key is read from its record
   as the batch's own rows are read: through the contract's expressions and casts.
3. A record whose key cannot be read comes again if the same text was refused of the same source.
4. Nothing is held of a row: joins and sorts spill to disk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa

from lastro.engine.duck import relations
from lastro.engine.duck.arrow import conform, to_arrow
from lastro.engine.duck.connection import name, session, texts
from lastro.engine.duck.limits import Limits
from lastro.engine.duck.parquet import BATCH_ROWS, Writer
from lastro.engine.duck.split import REFUSED_SCHEMA
from lastro.engine.duck.stored import told
from lastro.engine.protocol import MARK, QUARANTINE, Staged, StagedFile
from lastro.engine.sql.compile import compile_batch, source_columns
from lastro.engine.sql.dialect import data_type
from lastro.model.plan import ColumnPlan, Plan
from lastro.model.schema import Field, Primitive, Schema

_ADDRESS = ("batch", "source", "position")
_HELD = (*_ADDRESS, "form", "record")
_CARRIED = tuple(f"_lastro_{each}" for each in _HELD)


def open_rows(
    aside: Sequence[Path], counting: Collection[str], columns: Sequence[str], limits: Limits, temp: Path | None
) -> pa.RecordBatchReader:
    """The open rows of a quarantine's files, in the order in which they were set aside. Raises `Corrupted`."""
    schema = to_arrow(Schema(tuple(QUARANTINE.field(column) for column in columns)))
    rows = _in_order(aside, counting, columns, limits, temp)
    return pa.RecordBatchReader.from_batches(schema, (conform(batch, schema) for batch in rows))


def _in_order(
    aside: Sequence[Path], counting: Collection[str], columns: Sequence[str], limits: Limits, temp: Path | None
) -> Iterator[pa.RecordBatch]:
    if not aside or not counting:
        return
    with _opened(aside, [], counting, limits, temp) as connection:
        chosen = ", ".join(f"o.{name(column)}" for column in columns)
        query = f"SELECT {chosen} FROM open_rows o JOIN files f USING (filename) ORDER BY f.place, o.file_row_number"
        yield from connection.sql(query).to_arrow_reader(BATCH_ROWS)


@dataclass(frozen=True, slots=True)
class Order:
    """What `again` was asked for: open rows of `aside`, whose keys may stand in the staged batch. `plan` says with its
    `primary_key` what a key is; the marks will count as of the batch named `key`.
    """

    aside: Sequence[Path]
    counting: Collection[str]
    staged: Staged
    plan: Plan
    key: str
    folder: Path
    limits: Limits
    temp: Path | None


def again(order: Order) -> Sequence[StagedFile]:
    """Files with a mark for each open row that the batch brings again; none if there is no such row."""
    kept, refused = [file.path for file in order.staged.kept], [file.path for file in order.staged.quarantined]
    if not order.aside or not order.counting or not (kept or refused):
        return ()
    with (
        _opened(order.aside, [*kept, *refused], order.counting, order.limits, order.temp) as connection,
        Writer(order.folder, "marks") as writer,
    ):
        found = connection.sql(_meet(connection, order.plan, kept, refused))
        for batch in found.to_arrow_reader(BATCH_ROWS):
            writer.write(marks(batch.columns, order.key))
    return writer.files


def marks(addresses: Sequence[pa.Array], key: str) -> pa.RecordBatch:
    """Rows of the quarantine that close those at these places: batches, sources, positions."""
    rows = len(addresses[0])
    named = dict(zip(_ADDRESS, addresses, strict=True))
    named |= {"form": pa.repeat(pa.scalar(MARK), rows), "record": pa.repeat(pa.scalar(key), rows)}
    named |= {"rules": pa.array([[]] * rows, REFUSED_SCHEMA.field("rules").type), "offset": pa.nulls(rows, pa.int64())}
    columns = [named[field.name].cast(field.type) for field in REFUSED_SCHEMA]
    return pa.RecordBatch.from_arrays(columns, schema=REFUSED_SCHEMA)


@contextmanager
def _opened(
    aside: Sequence[Path], others: Sequence[Path], counting: Collection[str], limits: Limits, temp: Path | None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the view `open_rows` of the quarantine, and the table `files` with each file's place."""
    readable = [*aside, *others]
    modest = replace(limits, memory_mb=max(64, limits.memory_mb // 2))  # joins and sorts spill well
    with told(readable), session(modest, readable=readable, temp=temp) as connection:
        places = {"filename": [str(path) for path in aside], "place": list(range(len(aside)))}
        _given(connection, "counting", pa.table({"key": pa.array(sorted(counting), pa.string())}))
        _given(connection, "files", pa.table(places))
        connection.execute(f"CREATE TEMP VIEW every AS {_rows(connection, aside)}")
        connection.execute(
            "CREATE TEMP VIEW open_rows AS SELECT * FROM every e WHERE e.form <> 'mark' AND e.batch IN (FROM counting) "
            "AND NOT EXISTS (FROM every m WHERE m.form = 'mark' AND m.record IN (FROM counting) "
            "AND m.batch = e.batch AND m.source = e.source AND m.position = e.position)"
        )
        yield connection


def _given(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    connection.register(f"{table}_in", rows)
    connection.execute(f"CREATE TEMP TABLE {table} AS FROM {table}_in")


def _rows(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> str:
    """The rows of the quarantine's files; those from before there was an `offset` lack it."""
    found = f"read_parquet({texts(files)}, union_by_name = true, filename = true, "
    found = f"SELECT * FROM {found}file_row_number = true)"
    there = {row[0] for row in connection.execute(f"DESCRIBE {found}").fetchall()}
    return found if "offset" in there else f'SELECT *, NULL::BIGINT AS "offset" FROM ({found})'


def _meet(connection: duckdb.DuckDBPyConnection, plan: Plan, kept: Sequence[Path], refused: Sequence[Path]) -> str:
    """The query for the places of the open rows that come again."""
    columns = [column for column in plan.columns if column.name in plan.primary_key]
    key = [name(column.name) for column in columns]
    unknown = " OR ".join(f"{each} IS NULL" for each in key)
    record = f"CASE WHEN {unknown} THEN _lastro_record END AS _lastro_record"
    connection.execute(
        f"CREATE TEMP TABLE before AS SELECT * REPLACE ({record}) FROM {_keyed(plan, columns, 'open_rows')}"
    )
    arrived = []
    if kept:
        types = [data_type(column.type).sql("duckdb") for column in columns]
        items = ", ".join(f"CAST({each} AS {kind}) AS {each}" for each, kind in zip(key, types, strict=True))
        arrived.append(f"SELECT {items} FROM read_parquet({texts(kept)}, union_by_name = true)")
    if refused:
        connection.execute(f"CREATE TEMP VIEW refused AS {_rows(connection, refused)}")
        arrived.append(f"SELECT {', '.join(key)} FROM {_keyed(plan, columns, 'refused')}")
    equal = " AND ".join(f"b.{each} = a.{each}" for each in key)
    places = f"SELECT {', '.join(f'b.{each}' for each in _CARRIED[:3])} FROM before b WHERE EXISTS"
    found = f"{places} (FROM ({' UNION ALL '.join(arrived)}) a WHERE {equal})"
    if not refused:
        return found
    same = " AND ".join(f"r.{held} = b._lastro_{held}" for held in ("source", "form", "record"))
    return f"{found} UNION {places} (FROM refused r WHERE {same})"


def _keyed(plan: Plan, columns: Sequence[ColumnPlan], relation: str) -> str:
    """The keys of rows set aside, and what is carried along; what is no object has no key."""
    raw = Plan(plan.dataset, "", tuple(replace(column, nullable=True) for column in columns))
    raw = replace(raw, absent=frozenset(source_columns(raw)))
    clean = Plan(plan.dataset, "", tuple(ColumnPlan(column.name, column.name, column.type) for column in columns))
    parts = [(raw, "form <> 'clean'"), (clean, "form = 'clean'")]
    read = [_read(each, f"(SELECT * FROM {relation} WHERE {which})") for each, which in parts]
    return f"({' UNION ALL '.join(read)})"


def _read(plan: Plan, relation: str) -> str:
    wanted = source_columns(plan)
    held = ", ".join(f"{each} AS _lastro_{each}" for each in _HELD)
    line = f"CASE WHEN form <> 'text' THEN record END AS {name(relations.LINE)}"
    records = relations.objects(f"SELECT {held}, {line} FROM {relation}", wanted, beside=_CARRIED)
    source = Schema(tuple(Field(column, Primitive.STRING) for column in wanted))
    compiled = compile_batch(plan, source, dialect="duckdb", carry=_CARRIED)
    items = ", ".join(name(each) for each in (*plan.schema.names, *_CARRIED))
    return f"SELECT {items} FROM ({compiled.select(f'({records})', carry=_CARRIED)})"
