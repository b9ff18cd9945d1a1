"""What every engine must do with columns that came, went, or became wider; used as `tests.engine.conformance` is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal as Number
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.engine.conformance import casts_hold, simple, staged, stream

from lastro.engine.protocol import Engine, StagedFile
from lastro.engine.scan import FileScan, JsonLines, StreamScan
from lastro.model.errors import Corrupted, LastroError
from lastro.model.interval import Interval
from lastro.model.plan import (
    CastHolds,
    ColumnPlan,
    Foreseen,
    Plan,
    Policy,
    RowRule,
)
from lastro.model.schema import Decimal, Field, ListOf, MapOf, Primitive, Schema, StructOf

P = Primitive
ASIDE = Policy.QUARANTINE


def test_columns_that_the_plan_does_not_read_are_told(engine: Engine, tmp_path: Path) -> None:
    scan = stream({"id": ["1"], "uf": ["SP"], "a.b": ["x"], 'c"d': [None]})

    (tmp_path / "out").mkdir()
    found = engine.stage(simple({"uf": P.STRING}), scan, tmp_path / "out", batch="b")

    assert found.unread == ("id", "a.b", 'c"d')


@pytest.mark.parametrize("as_records", [False, True])
def test_members_that_the_plan_does_not_read_are_told_wherever_they_occur(
    engine: Engine, tmp_path: Path, as_records: bool
) -> None:
    lines = ['{"id": 1}', "{broken", "", '{"id": 2, "a.b": null, "it\'s": {"x": 1}}', '{"id": 3, "ID": 1}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    records = pa.table({"record": [line for line in lines if line]})
    scan = StreamScan(records, "api", records=True) if as_records else FileScan((tmp_path / "in.jsonl",), JsonLines())
    (tmp_path / "out").mkdir()

    found = engine.stage(simple({"id": P.LONG}), scan, tmp_path / "out", batch="b")

    assert set(found.unread) == {"a.b", "it's", "ID"}
    assert (found.counts.kept, found.refused["malformed"]) == (3, 1)


def test_a_row_with_a_value_that_nobody_reads_is_set_aside_whole(engine: Engine, tmp_path: Path) -> None:
    rule = RowRule("schema_change", Foreseen(), ASIDE)
    result = staged(
        engine, simple({"id": P.LONG}, rule), stream({"id": ["1", "2"], "a b": [None, "x"], "c": []}), tmp_path
    )

    assert [row["id"] for row in result.kept] == [1]
    assert [json.loads(row["record"]) for row in result.aside] == [{"id": "2", "a b": "x", "c": None}]
    assert result.aside[0]["rules"] == ["schema_change"]


def test_a_record_with_a_member_that_nobody_reads_is_set_aside_as_it_came(engine: Engine, tmp_path: Path) -> None:
    whole = '{"id": 2, "more": {"deep": [1, null]}, "n": 1.50}'
    scan = StreamScan(pa.table({"record": ['{"id": 1}', whole, '{"id": "x"}']}), "api", records=True)
    rules = (RowRule("id.type", CastHolds("id"), ASIDE), RowRule("schema_change", Foreseen(), ASIDE))

    result = staged(engine, simple({"id": P.LONG}, *rules), scan, tmp_path)

    assert [row["id"] for row in result.kept] == [1]
    assert [(row["rules"], row["position"]) for row in result.aside] == [(["schema_change"], 2), (["id.type"], 3)]
    assert result.aside[0]["record"] == whole
    assert json.loads(result.aside[1]["record"]) == {"id": "x"}


def test_two_thousand_columns_that_nobody_reads_are_no_trouble(engine: Engine, tmp_path: Path) -> None:
    columns: dict[str, list[str | None]] = {f"c{index}": [None, "x"] for index in range(1_999)}
    plan = simple({"id": P.STRING}, RowRule("schema_change", Foreseen(), ASIDE))

    result = staged(engine, plan, stream({"id": ["1", "2"], **columns}), tmp_path)

    assert [row["id"] for row in result.kept] == ["1"]


def test_absent_columns_read_as_null(engine: Engine, tmp_path: Path) -> None:
    columns = (
        ColumnPlan("id", "id", P.LONG),
        ColumnPlan("day", "gone", P.DATE),
        ColumnPlan("uf", "uf", P.STRING, expression="coalesce(upper(trim(lost)), 'none')"),
        ColumnPlan("sum", "sum", P.DOUBLE, expression="amount * 2"),
    )
    plan = Plan("loans", "sha256:0", columns, casts_hold("day"), absent=frozenset({"gone", "lost", "amount", "id"}))

    result = staged(engine, plan, stream({"id": ["1"]}), tmp_path)

    assert result.kept == [{"id": 1, "day": None, "uf": "none", "sum": None}]


def test_the_plan_is_arranged_once_the_columns_are_known(engine: Engine, tmp_path: Path) -> None:
    seen: list[Sequence[Schema]] = []

    def arrange(sources: Sequence[Schema]) -> Plan:
        seen.append(sources)
        return simple(dict.fromkeys(sources[0].names, P.LONG), key=["a"])

    result = staged(
        engine, simple({"a": P.STRING}), stream({"a": ["1", "1"], "b": ["2", "3"]}), tmp_path, arrange=arrange
    )

    assert [schema.names for (schema,) in seen] == [("a", "b")]
    assert result.kept == [{"a": 1, "b": 2}]
    assert result.refused == {"primary_key": 1}


def test_files_are_recast_under_a_wider_schema_row_by_row(engine: Engine, tmp_path: Path) -> None:
    old = pa.table(
        {
            "n": pa.array([1, None, 3], pa.int32()),
            "d": pa.array([Number("1.50"), None, Number("-0.01")], pa.decimal128(5, 2)),
            "day": pa.array([date(2026, 1, 1), date(1, 1, 1), None]),
            "f": pa.array([0.1, None, 2.5], pa.float32()),
            "items": pa.array([[1, None], None, []], pa.list_(pa.int16())),
            "thing": pa.array([{"a": 1}, None, {"a": None}], pa.struct([("a", pa.int32())])),
            "pairs": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int32())),
        }
    )
    pq.write_table(old.slice(0, 2), tmp_path / "0.parquet")
    pq.write_table(old.slice(2).drop_columns(["pairs"]), tmp_path / "1.parquet")
    wide = Schema(
        (
            Field("n", Decimal(12, 2)),
            Field("d", Decimal(38, 4)),
            Field("day", P.TIMESTAMP_NTZ),
            Field("f", P.DOUBLE),
            Field("items", ListOf(P.LONG)),
            Field("thing", StructOf((Field("b", P.STRING), Field("a", P.LONG)))),
            Field("pairs", MapOf(P.STRING, P.LONG)),
            Field("late", P.DATE),
        )
    )
    (tmp_path / "out").mkdir()

    files = engine.recast([tmp_path / "0.parquet", tmp_path / "1.parquet"], wide, tmp_path / "out")

    rows = [row for file in files for row in pq.read_table(file.path).to_pylist()]
    assert sum(file.rows for file in files) == 3
    assert [row["n"] for row in rows] == [Number("1.00"), None, Number("3.00")]
    assert [row["d"] for row in rows] == [Number("1.5000"), None, Number("-0.0100")]
    assert [row["day"] for row in rows] == [datetime(2026, 1, 1), datetime(1, 1, 1), None]
    assert rows[0]["f"] == float(pa.scalar(0.1, pa.float32()).as_py())
    assert [row["items"] for row in rows] == [[1, None], None, []]
    assert [row["thing"] for row in rows] == [{"b": None, "a": 1}, None, {"b": None, "a": None}]
    assert [row["pairs"] for row in rows] == [[("k", 1)], None, None]
    assert {row["late"] for row in rows} == {None}


def test_what_a_wider_type_does_not_hold_stops_the_recasting(engine: Engine, tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": pa.array([1, 1 << 40], pa.int64())}), tmp_path / "0.parquet")
    (tmp_path / "out").mkdir()

    with pytest.raises(LastroError):
        engine.recast([tmp_path / "0.parquet"], Schema((Field("n", P.INTEGER),)), tmp_path / "out")

    assert list((tmp_path / "out").iterdir()) == []


JANUARY = Interval("day", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))


def days(path: Path, *values: str | None, kind: pa.DataType, more: int = 0) -> StagedFile:
    """A file with these days, numbered from `more`."""
    moments = [None if value is None else datetime.fromisoformat(value) for value in values]
    column = pa.array(moments, pa.timestamp("us")).cast(kind)
    pq.write_table(pa.table({"n": range(more, more + len(values)), "day": column}), path, row_group_size=2)
    return StagedFile(path, len(values))


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        (pa.date32(), P.DATE),
        (pa.timestamp("us"), P.TIMESTAMP_NTZ),
        (pa.timestamp("us", tz="UTC"), P.TIMESTAMP),
    ],
)
def test_an_interval_is_cleared_and_all_other_rows_stay_in_order(
    engine: Engine, tmp_path: Path, kind: pa.DataType, type_: P
) -> None:
    before = days(tmp_path / "0.parquet", "2025-12-31", "2024-01-15", kind=kind)
    mixed = days(
        tmp_path / "1.parquet", "2026-02-01", "2026-01-01", "1900-01-01", "2026-01-31", "2025-12-31", kind=kind, more=2
    )
    within = days(tmp_path / "2.parquet", "2026-01-15", "2026-01-16", kind=kind, more=7)
    batch = days(tmp_path / "new.parquet", "2026-01-01", "2026-01-31", kind=kind)
    schema = Schema((Field("n", P.LONG), Field("day", type_, nullable=False)))
    (tmp_path / "out").mkdir()

    found = engine.clear([before.path, mixed.path, within.path], [batch], schema, JANUARY, tmp_path / "out")

    assert (found.touched, found.removed) == ((mixed.path, within.path), 4)
    assert (found.outside, found.nowhere) == (0, 0)
    assert [row["n"] for file in found.rewritten for row in pq.read_table(file.path).to_pylist()] == [2, 4, 6]
    assert sum(file.rows for file in found.rewritten) == 3


def test_moments_at_the_edges_of_an_interval_are_told_apart(engine: Engine, tmp_path: Path) -> None:
    edges = ("2025-12-31T23:59:59.999999", "2026-01-01T00:00:00", "2026-01-31T23:59:59.999999", "2026-02-01T00:00:00")
    stored = days(tmp_path / "0.parquet", *edges, kind=pa.timestamp("us", tz="UTC"))
    schema = Schema((Field("n", P.LONG), Field("day", P.TIMESTAMP, nullable=False)))
    (tmp_path / "out").mkdir()

    found = engine.clear([stored.path], [], schema, JANUARY, tmp_path / "out")

    assert [row["n"] for file in found.rewritten for row in pq.read_table(file.path).to_pylist()] == [0, 3]


@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us")])
def test_moments_beyond_the_calendar_of_python_are_no_trouble(
    engine: Engine, tmp_path: Path, kind: pa.DataType
) -> None:
    scale = 1 if pa.types.is_date(kind) else 86_400_000_000
    whole = pa.array([n * scale for n in (-900_000, 20_454, 3_000_000)], pa.int32() if scale == 1 else pa.int64())
    pq.write_table(pa.table({"n": [0, 1, 2], "day": whole.view(kind)}), tmp_path / "0.parquet")
    schema = Schema((Field("n", P.LONG), Field("day", P.DATE if scale == 1 else P.TIMESTAMP_NTZ, nullable=False)))
    (tmp_path / "out").mkdir()

    found = engine.clear([tmp_path / "0.parquet"], [], schema, JANUARY, tmp_path / "out")

    assert (found.removed, [file.rows for file in found.rewritten]) == (1, [2])


def test_rows_elsewhere_and_rows_without_a_value_are_counted_and_nothing_is_written(
    engine: Engine, tmp_path: Path
) -> None:
    stored = days(tmp_path / "0.parquet", "2026-01-01", None, "2026-03-01", None, kind=pa.date32())
    batch = days(tmp_path / "new.parquet", "2026-01-02", None, "2026-02-01", kind=pa.date32())
    schema = Schema((Field("n", P.LONG), Field("day", P.DATE)))
    (tmp_path / "out").mkdir()

    found = engine.clear([stored.path], [batch], schema, JANUARY, tmp_path / "out")

    assert (found.outside, found.nowhere) == (2, 2)
    assert (found.rewritten, list((tmp_path / "out").iterdir())) == ((), [])


def test_a_stored_file_that_cannot_be_read_is_damage(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "0.parquet").write_bytes(b"PAR1 not at all")
    (tmp_path / "out").mkdir()

    with pytest.raises(Corrupted):
        engine.clear(
            [tmp_path / "0.parquet"], [], Schema((Field("day", P.DATE, nullable=False),)), JANUARY, tmp_path / "out"
        )
