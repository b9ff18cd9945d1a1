"""The same rows by every reader of Delta tables, for every type; statistics, protocol, checkpoints."""

from __future__ import annotations

import ast
import datetime as dt
import importlib.util
import json
import shutil
import subprocess
import sys
from decimal import Decimal as Number
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from tests.store import making
from tests.store.by_value import ByValue
from tests.store.making import append, content, origin, overwrite, restore, upsert

from lastro.model.schema import Decimal, Field, ListOf, MapOf, Primitive, Schema, StructOf
from lastro.model.version import Mode
from lastro.store import checkpoint, delta, stats
from lastro.store.check import verify
from lastro.store.erasure.erasing import erase
from lastro.store.table import Table
from lastro.store.writer import Change

UTC = dt.UTC
PLAIN = (
    ("string", Primitive.STRING, pa.string(), ["é" * 50, ""]),
    ("long", Primitive.LONG, pa.int64(), [2**62, -(2**62)]),
    ("integer", Primitive.INTEGER, pa.int32(), [7, -7]),
    ("short", Primitive.SHORT, pa.int16(), [7, -7]),
    ("byte", Primitive.BYTE, pa.int8(), [7, -7]),
    ("double", Primitive.DOUBLE, pa.float64(), [1.5, -1e300]),
    ("float", Primitive.FLOAT, pa.float32(), [1.5, -2.25]),
    ("boolean", Primitive.BOOLEAN, pa.bool_(), [True, False]),
    ("binary", Primitive.BINARY, pa.binary(), [b"\x00\xff", b""]),
    ("date", Primitive.DATE, pa.date32(), [dt.date(2026, 1, 31), dt.date(1900, 1, 1)]),
    ("decimal", Decimal(12, 2), pa.decimal128(12, 2), [Number("1234567890.12"), Number("-0.01")]),
    ("wide", Decimal(38, 10), pa.decimal128(38, 10), [Number("1234567890123456789012345678.0123456789"), Number(0)]),
    (
        "timestamp",
        Primitive.TIMESTAMP,
        pa.timestamp("us", "UTC"),
        [dt.datetime(2026, 1, 31, 10, 0, 0, 123456, UTC), dt.datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)],
    ),
    ("list", ListOf(Primitive.STRING), pa.list_(pa.string()), [["a", None], []]),
    (
        "struct",
        StructOf((Field("a", Primitive.LONG), Field("b", ListOf(Primitive.DOUBLE)))),
        pa.struct([("a", pa.int64()), ("b", pa.list_(pa.float64()))]),
        [{"a": 1, "b": [1.0]}, {"a": None, "b": None}],
    ),
    ("map", MapOf(Primitive.STRING, Primitive.LONG), pa.map_(pa.string(), pa.int64()), [[("k", 1)], []]),
)
NTZ = (
    "timestamp_ntz",
    Primitive.TIMESTAMP_NTZ,
    pa.timestamp("us"),
    [dt.datetime(2026, 1, 31, 10, 0, 0, 123456), dt.datetime(1900, 1, 1)],
)
Column = tuple[str, Any, pa.DataType, list[Any]]


def commit(table: Table, columns: tuple[Column, ...], **change: Any) -> pa.Table:
    """Commits two full rows and one of missing values; returns them as Arrow."""
    rows = pa.table({name: pa.array([*values, None], kind) for name, _type, kind, values in columns})
    schema = Schema(tuple(Field(name, kind) for name, kind, _arrow, _values in columns))
    with table.lock() as writer, writer.staging() as folder:
        pq.write_table(rows, folder / "rows.parquet")
        files = [making.StagedFile(folder / "rows.parquet", 3)]
        writer.commit(Change(schema, files, origin(Mode.APPEND, f"k{len(table.history())}", 3), **change))
    return rows


def added_stats(table: Table, number: int = 0) -> dict[str, Any]:
    """The statistics that a version's only added file carries in Delta's log."""
    actions = [json.loads(line) for line in table.places.commit(number).read_text().splitlines()]
    (add,) = [action["add"] for action in actions if "add" in action]
    return json.loads(add["stats"])


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path, "loans")


@pytest.mark.parametrize("columns", [PLAIN, (*PLAIN, NTZ)], ids=["plain", "with timestamp_ntz"])
def test_every_type_reads_the_same_in_delta_rs_polars_and_duckdb(table: Table, columns: tuple[Column, ...]) -> None:
    duckdb = pytest.importorskip("duckdb")
    rows = commit(table, columns)
    head = table.head()
    assert head is not None
    paths = [str(path) for path in table.paths(head)]

    by_delta = pa.table(DeltaTable(str(table.path)).to_pyarrow_table()).to_pylist()
    by_polars = pl.read_delta(str(table.path)).to_dicts()
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    by_duckdb = con.sql("SELECT * FROM read_parquet($1)", params=[paths]).to_arrow_table().to_pylist()

    expected = rows.to_pylist()
    assert by_delta == expected
    assert [row["timestamp"] for row in by_duckdb] == [row["timestamp"] for row in expected]
    for name in ("string", "long", "decimal", "wide", "date", "list", "struct", "timestamp"):
        assert [row[name] for row in by_polars] == [row[name] for row in expected], name
        assert [row[name] for row in by_duckdb] == [row[name] for row in expected], name


def test_the_schema_is_read_back_by_others(table: Table) -> None:
    commit(table, (*PLAIN, NTZ))

    read = Schema.from_delta(DeltaTable(str(table.path)).schema().to_json())
    head = table.head()
    assert head is not None
    assert read == head.schema


def test_the_protocol_asks_for_no_more_than_the_columns_do(table: Table, tmp_path: Path) -> None:
    commit(table, PLAIN)
    plain = DeltaTable(str(table.path)).protocol()
    other = Table(tmp_path, "times")
    commit(other, (NTZ,))
    with_times = DeltaTable(str(other.path)).protocol()

    assert (plain.min_reader_version, plain.min_writer_version, plain.reader_features) == (1, 2, None)
    assert (with_times.min_reader_version, with_times.min_writer_version) == (3, 7)
    assert with_times.reader_features == ["timestampNtz"]


def test_a_protocol_is_raised_by_a_later_column_and_never_lowered(table: Table) -> None:
    versions = []
    for columns in (PLAIN[:2], (*PLAIN[:2], NTZ), PLAIN[:2]):
        commit(table, columns, replace_all=True)
        versions.append(DeltaTable(str(table.path)).protocol().min_reader_version)

    assert versions == [1, 3, 3]
    assert verify(table, read_data=True) == ()


def test_statistics_bound_the_values(table: Table) -> None:
    commit(table, (*PLAIN, NTZ))

    found = added_stats(table)

    assert found["numRecords"] == 3
    assert found["minValues"] == {
        "string": "",
        "long": -(2**62),
        "integer": -7,
        "short": -7,
        "byte": -7,
        "double": -1e300,
        "float": -2.25,
        "date": "1900-01-01",
        "decimal": -0.01,
        "timestamp": "1969-12-31T23:59:59.999Z",
        "timestamp_ntz": "1900-01-01T00:00:00.000",
    }
    assert found["maxValues"] == {
        "string": "é" * 32 + "\U0010ffff",
        "long": 2**62,
        "integer": 7,
        "short": 7,
        "byte": 7,
        "date": "2026-01-31",
        "decimal": 1234567890.12,
        "timestamp": "2026-01-31T10:00:00.124Z",
        "timestamp_ntz": "2026-01-31T10:00:00.124",
    }
    assert {found["nullCount"][name] for name in ("string", "long", "boolean", "binary", "wide")} == {1}


def test_withheld_columns_have_no_bounds(table: Table) -> None:
    commit(table, PLAIN, withhold_stats=frozenset({"string", "long"}))

    found = added_stats(table)
    assert not {"string", "long"} & (found["minValues"].keys() | found["maxValues"].keys())
    assert found["nullCount"]["string"] == 1
    assert "é" not in table.places.commit(0).read_text() + table.places.manifest(0).read_text()


def test_a_column_of_missing_values_has_no_bounds(tmp_path: Path) -> None:
    schema = Schema((Field("a", Primitive.LONG), Field("b", Primitive.DOUBLE)))
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": pa.array([None, None], pa.int64()), "b": pa.array([float("nan")] * 2)}), path)

    found = json.loads(stats.read_footer(path, schema).stats)

    assert found == {"numRecords": 2, "minValues": {}, "maxValues": {}, "nullCount": {"a": 2, "b": 0}}


def test_rows_with_nan_are_found_by_a_reader_that_skips_files(table: Table) -> None:
    schema = Schema((Field("x", Primitive.DOUBLE),))
    with table.lock() as writer, writer.staging() as folder:
        pq.write_table(pa.table({"x": [1.0, float("nan")]}), folder / "a.parquet")
        writer.commit(Change(schema, [making.StagedFile(folder / "a.parquet", 2)], origin(Mode.APPEND, "a", 2)))

    found = pl.scan_delta(str(table.path)).filter(pl.col("x").is_nan()).collect()
    assert found.height == 1


def test_a_reader_that_skips_files_by_long_text_finds_its_row(table: Table) -> None:
    schema = Schema((Field("x", Primitive.STRING),))
    text = "z" * 40
    with table.lock() as writer, writer.staging() as folder:
        pq.write_table(pa.table({"x": ["a", text]}), folder / "a.parquet")
        writer.commit(Change(schema, [making.StagedFile(folder / "a.parquet", 2)], origin(Mode.APPEND, "a", 2)))

    found = DeltaTable(str(table.path)).to_pyarrow_table(filters=[("x", "=", text)])
    assert found.num_rows == 1


def test_time_travel_by_others_reads_the_same_versions(table: Table) -> None:
    append(table, [(1, 10), (2, 20)], "a")
    upsert(table, [(2, 21)], "b")
    overwrite(table, [(9, 90)], "c")
    restore(table, 0, "d")

    for info in table.history():
        read = DeltaTable(str(table.path), version=info.number).to_pyarrow_table().to_pydict()
        assert sorted(zip(read["id"], read["value"], strict=True)) == content(table, info.number)


def test_delta_history_tells_the_operation_key_and_time(table: Table) -> None:
    append(table, [(1, 10)], "a")
    info = upsert(table, [(1, 11)], "b")

    read = DeltaTable(str(table.path))
    newest = read.history(1)[0]
    assert (newest["operation"], newest["engineInfo"]) == ("MERGE", delta.ENGINE)
    assert newest["timestamp"] == int(info.committed.timestamp() * 1000)
    assert read.transaction_version("lastro/a") == 0
    assert read.transaction_version("lastro/b") == 1
    assert int(table.places.commit(1).stat().st_mtime * 1000) == newest["timestamp"]


def test_retention_is_long_and_cleanup_is_off(table: Table) -> None:
    append(table, [(1, 10)], "a")

    configuration = DeltaTable(str(table.path)).metadata().configuration
    assert configuration["delta.enableExpiredLogCleanup"] == "false"
    assert configuration["delta.logRetentionDuration"] == "interval 36500 days"
    assert configuration["delta.deletedFileRetentionDuration"] == "interval 36500 days"


def test_checkpoints_are_written_and_nothing_needs_them(table: Table) -> None:
    for key in range(checkpoint.EVERY + 2):
        append(table, [(key, key)], str(key))
    before = pa.table(DeltaTable(str(table.path)).to_pyarrow_table()).sort_by("id")

    assert json.loads(table.places.hint.read_bytes())["version"] == checkpoint.EVERY
    assert verify(table, read_data=True) == ()
    checkpoint.drop(table.places)
    assert not table.places.hint.exists()
    assert pa.table(DeltaTable(str(table.path)).to_pyarrow_table()).sort_by("id") == before
    assert verify(table, read_data=True) == ()


@pytest.fixture
def checkpointed(table: Table) -> Table:
    for key in range(3):
        append(table, [(key, key)], str(key))
    checkpoint.write(table.places, 2)
    return table


def test_only_the_newest_checkpoints_stay(checkpointed: Table) -> None:
    for key in range(3, 8):
        append(checkpointed, [(key, key)], str(key))
        checkpoint.write(checkpointed.places, key)

    left = sorted(int(path.name[:20]) for path in checkpointed.places.log.glob("*.checkpoint.parquet"))
    assert left == [5, 6, 7]
    assert len(list(checkpointed.places.log.glob("*.json"))) == 8
    assert verify(checkpointed) == ()


@pytest.mark.parametrize("left", ["a part of the file", "the file without its note", "the note without its file"])
def test_what_a_killed_writer_left_of_a_checkpoint_is_dropped(
    table: Table, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    monkeypatch.setattr(checkpoint, "EVERY", 2)
    for key in range(3):
        append(table, [(key, key)], str(key))
    (file,) = table.places.log.glob("*.checkpoint.parquet")
    (note,) = table.places.checkpoints.glob("*.json")
    if left == "the note without its file":
        file.unlink()
    else:
        note.unlink()
        table.places.hint.unlink()
    if left == "a part of the file":  # delta-rs writes to such a name before it renames
        file.rename(file.with_name(f"{file.name}#1"))

    append(table, [(9, 9)], "after")

    assert verify(table) == ()
    assert list(table.places.log.glob("*.checkpoint.*")) == []


@pytest.mark.parametrize(
    "pointer", ["", "{", "[]", '{"version":7,"size":1}', '{"version":"x"}', '{"version":2,"size":99999}', "\x00" * 40]
)
def test_a_stale_pointer_is_dropped_by_the_next_writer(checkpointed: Table, pointer: str) -> None:
    checkpointed.places.hint.write_text(pointer)

    append(checkpointed, [(9, 9)], "after")

    assert not checkpointed.places.hint.exists()
    assert DeltaTable(str(checkpointed.path)).to_pyarrow_table().num_rows == 4
    assert verify(checkpointed, read_data=True) == ()


@pytest.mark.parametrize("keep", [0, 100])
def test_a_torn_checkpoint_is_dropped_by_the_next_writer(checkpointed: Table, keep: int) -> None:
    (path,) = checkpointed.places.log.glob("*.checkpoint.parquet")
    path.write_bytes(path.read_bytes()[:keep])

    append(checkpointed, [(9, 9)], "after")

    assert not path.exists()
    assert DeltaTable(str(checkpointed.path)).to_pyarrow_table().num_rows == 4


def test_a_checkpoint_without_a_note_is_dropped_by_the_next_writer(checkpointed: Table) -> None:
    shutil.rmtree(checkpointed.places.checkpoints)

    append(checkpointed, [(9, 9)], "after")

    assert not checkpointed.places.hint.exists()
    assert verify(checkpointed, read_data=True) == ()


SPARK = """
import json, sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.conf.set("spark.sql.session.timeZone", "UTC")
read = spark.read.parquet(*sys.argv[1:])
print("ROWS", json.dumps([[row["long"], row["string"], str(row["decimal"])] for row in read.collect()]))
moments = read.selectExpr("date_format(timestamp, 'yyyy-MM-dd HH:mm:ss') text").collect()
print("MOMENTS", [row["text"] for row in moments])
"""


@pytest.mark.skipif(
    not shutil.which("java") or not importlib.util.find_spec("pyspark"),
    reason="needs a JVM and the extra `spark`: apt install default-jre-headless, pip install 'lastro[spark]'",
)
def test_spark_reads_the_same_rows_and_what_an_erasure_left(table: Table) -> None:
    rows = commit(table, (*PLAIN, NTZ))
    other = Table(table.places.root, "other")
    commit(other, (*PLAIN, NTZ))
    erase(other, ByValue("long", frozenset({str(-(2**62))})))
    heads = [table.head(), other.head()]
    assert heads[0] is not None
    assert heads[1] is not None
    paths = [*table.paths(heads[0]), *other.paths(heads[1])]

    done = subprocess.run([sys.executable, "-c", SPARK, *map(str, paths)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
    told = dict(line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith(("ROWS", "MOMENTS")))
    expected = [[row["long"], row["string"], str(row["decimal"])] for row in rows.to_pylist()]
    assert sorted(json.loads(told["ROWS"]), key=str) == sorted([*expected, expected[0], expected[2]], key=str)
    moments = ["2026-01-31 10:00:00", "1969-12-31 23:59:59", None, "2026-01-31 10:00:00", None]
    assert sorted(ast.literal_eval(told["MOMENTS"]), key=str) == sorted(moments, key=str)
