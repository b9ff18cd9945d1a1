"""What every engine must do: import these tests beside a fixture `engine`, and they hold yours to the protocol.

A third party's whole test module::

    import pytest

    pytest.register_assert_rewrite("tests.engine.conformance")
    from tests.engine.conformance import *  # noqa: E402, F403

    from my_package import MyEngine


    @pytest.fixture(scope="module")
    def engine():
        return MyEngine()

Rules that break are counted with the policy `warn` where a test looks at values, so that every row is kept and seen.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal as Number
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.engine import cases

from lastro.engine.protocol import QUARANTINE, Engine, StagedFile
from lastro.engine.scan import Csv, FileScan, JsonLines, Lines, Parquet, Scan, StreamScan
from lastro.model.errors import ContractError, LastroError, SourceBroken, SourceUnreachable, SqlRefused
from lastro.model.finding import Policy
from lastro.model.merging import MergePlan
from lastro.model.plan import (
    CastHolds,
    ColumnPlan,
    Duplicates,
    Holds,
    Matches,
    NoneOf,
    NotNull,
    Operator,
    Plan,
    Query,
    RowCount,
    RowRule,
    TableRule,
    Threshold,
    Within,
)
from lastro.model.progress import Progress
from lastro.model.schema import Decimal, Field, ListOf, Primitive, Schema, StructOf, Type

P = Primitive
WARN, ASIDE = Policy.WARN, Policy.QUARANTINE


@dataclass(frozen=True)
class Result:
    """What a stage left behind, read back with pyarrow."""

    kept: list[dict[str, Any]]
    aside: list[dict[str, Any]]
    read: int
    refused: Mapping[str, int]
    names: list[str]

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.kept]


def staged(engine: Engine, plan: Plan, scan: Scan, folder: Path, **options: Any) -> Result:
    """Stages, checks what always holds, and reads the files back."""
    folder.mkdir(exist_ok=True)
    found = engine.stage(plan, scan, folder, batch="batch-1", **options)
    kept = [table for file in found.kept for table in [pq.read_table(file.path)]]
    aside = [row for file in found.quarantined for row in pq.read_table(file.path).to_pylist()]
    rows = [row for table in kept for row in table.to_pylist()]

    assert found.counts.conserved
    assert found.counts.kept == len(rows) == sum(file.rows for file in found.kept)
    assert found.counts.quarantined == len(aside) == sum(file.rows for file in found.quarantined)
    assert {path.resolve() for path in folder.iterdir()} == {
        file.path.resolve() for file in (*found.kept, *found.quarantined)
    }
    for row in aside:
        assert list(row) == list(QUARANTINE.names)
        assert row["batch"] == "batch-1"
    names = kept[0].column_names if kept else []
    return Result(rows, aside, found.counts.read, {k: v for k, v in found.refused.items() if v}, names)


def stream(columns: Mapping[str, Sequence[Any]], types: Mapping[str, pa.DataType] | None = None) -> StreamScan:
    """An Arrow stream; columns are text unless told otherwise, and shorter ones end in NULL."""
    rows = max(map(len, columns.values()))
    arrays = {
        name: pa.array([*values, *[None] * (rows - len(values))], (types or {}).get(name, pa.string()))
        for name, values in columns.items()
    }
    return StreamScan(pa.table(arrays), "core.table")


def simple(types: Mapping[str, Type], *rules: RowRule, key: Sequence[str] = ()) -> Plan:
    """A plan that takes columns as they are."""
    columns = tuple(ColumnPlan(name, name, kind) for name, kind in types.items())
    return Plan("loans", "sha256:0", columns, rules, primary_key=tuple(key))


def casts_hold(*names: str, policy: Policy = WARN) -> tuple[RowRule, ...]:
    return tuple(RowRule(f"{name}.type", CastHolds(name), policy) for name in names)


def same(found: Any, expected: Any) -> bool:
    """Equal, and of one kind: `1` is not `1.0` here, nor `True`."""
    if isinstance(found, float) and isinstance(expected, float):
        return found == expected or (found != found and expected != expected)
    return type(found) is type(expected) and found == expected


def plain(value: Any) -> Any:
    """A value as pyarrow reads it back, without the differences that are pyarrow's own."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo else value
    return value


def test_text_is_cast_strictly(engine: Engine, tmp_path: Path) -> None:
    plan = simple(cases.TYPES, *casts_hold(*cases.TYPES))
    result = staged(
        engine, plan, stream({name: [text for text, _ in rows] for name, rows in cases.TEXTS.items()}), tmp_path
    )

    wrong = {
        f"{name} {text!r}": found
        for name, rows in cases.TEXTS.items()
        for (text, expected), found in zip(rows, map(plain, result.column(name)), strict=False)
        if not same(found, expected)
    }
    assert wrong == {}
    broken = {
        f"{name}.type": sum(text is not None and value is None for text, value in rows)
        for name, rows in cases.TEXTS.items()
    }
    assert result.refused == {rule: count for rule, count in broken.items() if count}


def test_dates_and_times_are_read_by_their_format(engine: Engine, tmp_path: Path) -> None:
    columns = tuple(
        ColumnPlan(name, name, kind, format=form, is_time=is_time)
        for name, (kind, form, is_time, _) in cases.FORMATS.items()
    )
    plan = Plan("loans", "sha256:0", columns, casts_hold(*cases.FORMATS))
    result = staged(
        engine,
        plan,
        stream({name: [text for text, _ in rows] for name, (_, _, _, rows) in cases.FORMATS.items()}),
        tmp_path,
    )

    wrong = {
        f"{name} {text!r}": found
        for name, (_, _, _, rows) in cases.FORMATS.items()
        for (text, expected), found in zip(rows, map(plain, result.column(name)), strict=False)
        if not same(found, expected)
    }
    assert wrong == {}


def test_times_without_a_zone_are_read_in_that_of_their_column(engine: Engine, tmp_path: Path) -> None:
    columns = (
        ColumnPlan("iso", "iso", P.TIMESTAMP, zone="America/Sao_Paulo"),
        ColumnPlan("own", "own", P.TIMESTAMP, format="%d/%m/%Y %H:%M:%S", zone="Europe/Lisbon"),
    )
    rows = {
        "iso": ["2026-01-31 10:00:00", "2026-01-31T10:00:00.5", "2018-12-01 10:00:00", "2026-01-31T10:00:00Z", "x"],
        "own": ["01/07/2026 10:00:00", "01/01/2026 10:00:00", None, "32/01/2026 10:00:00", "01/07/2026 24:00:00"],
    }
    result = staged(engine, Plan("log", "sha256:0", columns, casts_hold("iso", "own")), stream(rows), tmp_path)

    assert [plain(value) for value in result.column("iso")] == [
        datetime(2026, 1, 31, 13, tzinfo=UTC),
        datetime(2026, 1, 31, 13, 0, 0, 500000, tzinfo=UTC),
        datetime(2018, 12, 1, 12, tzinfo=UTC),  # summer time was in use then
        datetime(2026, 1, 31, 10, tzinfo=UTC),
        None,
    ]
    assert [plain(value) for value in result.column("own")] == [
        datetime(2026, 7, 1, 9, tzinfo=UTC),
        datetime(2026, 1, 1, 10, tzinfo=UTC),
        None,
        None,
        None,
    ]


def test_nested_values_are_read_from_json(engine: Engine, tmp_path: Path) -> None:
    plan = simple({name: kind for name, (kind, _) in cases.NESTED.items()}, *casts_hold(*cases.NESTED))
    result = staged(
        engine, plan, stream({name: [text for text, _ in rows] for name, (_, rows) in cases.NESTED.items()}), tmp_path
    )

    for name, (_, rows) in cases.NESTED.items():
        found = [dict(value) if isinstance(value, list) and name == "map" else value for value in result.column(name)]
        assert found[: len(rows)] == [expected for _, expected in rows], name
        failed = sum(text is not None and value is None for text, value in rows)
        assert result.refused.get(f"{name}.type", 0) == failed, name


def test_typed_values_widen_freely_and_narrow_with_care(engine: Engine, tmp_path: Path) -> None:
    source = stream(
        {name: [value for value, _ in rows] for name, (_, _, rows) in cases.TYPED.items()},
        {name: kind for name, (kind, _, _) in cases.TYPED.items()},
    )
    plan = simple({name: kind for name, (_, kind, _) in cases.TYPED.items()}, *casts_hold(*cases.TYPED))
    result = staged(engine, plan, source, tmp_path)

    wrong = {
        f"{name} {value!r}": found
        for name, (_, _, rows) in cases.TYPED.items()
        for (value, expected), found in zip(rows, map(plain, result.column(name)), strict=False)
        if not same(found, expected)
    }
    assert wrong == {}


@pytest.mark.parametrize(("origin", "target"), [(pa.int64(), P.DATE), (pa.string(), None), (pa.date32(), P.LONG)])
def test_pairs_of_types_without_a_cast_are_refused_before_reading(
    engine: Engine, tmp_path: Path, origin: pa.DataType, target: Type | None
) -> None:
    source = stream({"a": [None]}, {"a": origin})
    plan = simple({"a": target}) if target else simple({"b": P.STRING})

    with pytest.raises(SourceBroken) as caught:
        engine.stage(plan, source, tmp_path, batch="b")
    assert caught.value.do


def test_people_s_expressions_mean_the_same(engine: Engine, tmp_path: Path) -> None:
    columns = tuple(
        ColumnPlan(f"c{index}", "a", kind, expression=text) for index, (text, kind, _) in enumerate(cases.EXPRESSIONS)
    )
    result = staged(
        engine, Plan("loans", "sha256:0", columns), stream(cases.EXPRESSION_ROWS, cases.EXPRESSION_TYPES), tmp_path
    )

    wrong = {
        text: found
        for index, (text, _, expected) in enumerate(cases.EXPRESSIONS)
        for found in [result.column(f"c{index}")]
        if not all(map(_close, found, expected))
    }
    assert wrong == {}


def _close(found: Any, expected: Any) -> bool:
    if isinstance(found, float) and isinstance(expected, float):
        return found == pytest.approx(expected, rel=1e-12)
    return bool(found == expected)


def test_a_cast_at_the_root_of_an_expression_is_the_column_s_own(engine: Engine, tmp_path: Path) -> None:
    columns = (
        ColumnPlan("n", "a", P.LONG, expression="cast(replace(a, '.', '') as bigint)"),
        ColumnPlan("d", "a", Decimal(10, 2), expression="replace(a, '.', '')"),
    )
    plan = Plan("loans", "sha256:0", columns, casts_hold("n", "d"))
    result = staged(engine, plan, stream({"a": ["1.000", "1,5", None]}), tmp_path)

    assert result.column("n") == [1000, None, None]
    assert result.column("d") == [Number("1000.00"), None, None]
    assert result.refused == {"n.type": 1, "d.type": 1}


def test_each_rule_counts_the_rows_that_break_it(engine: Engine, tmp_path: Path) -> None:
    rules = tuple(RowRule(f"{index} {name}", condition, WARN) for index, (name, condition, _) in enumerate(cases.RULES))
    result = staged(engine, simple(cases.RULE_TYPES, *rules), stream(cases.RULE_ROWS), tmp_path)

    found = {rule.name: result.refused.get(rule.name, 0) for rule in rules}
    assert found == {f"{index} {name}": count for index, (name, _, count) in enumerate(cases.RULES)}
    assert result.aside == []


def test_more_rules_than_bits_in_a_word(engine: Engine, tmp_path: Path) -> None:
    rules = tuple(
        RowRule(f"at_most_{index}", Within("n", None, str(index)), ASIDE if index > 60 else WARN)
        for index in range(130)
    )
    result = staged(
        engine, simple({"n": P.LONG}, *rules), stream({"n": ["-1", "0", "1", "61", "62", "129", "130"]}), tmp_path
    )

    assert result.column("n") == [-1, 0, 1, 61]
    assert [row["position"] for row in result.aside] == [5, 6, 7]
    assert result.aside[0]["rules"] == [f"at_most_{index}" for index in range(62)]
    assert result.aside[2]["rules"] == [f"at_most_{index}" for index in range(130)]
    assert result.refused["at_most_0"] == 5
    assert result.refused["at_most_129"] == 1


def test_delimited_records_are_split_with_their_positions(engine: Engine, tmp_path: Path) -> None:
    one = tmp_path / "um.csv"
    one.write_bytes(
        'código,name,"other, column"\n1,Ana,x\n2,"João ""Jota"", Jr.\nof São Paulo",y\nx,Zoë,z\n\n5,too few\n'
        '6,too,many,values\n7,"",w\n8,  two  ,"a;b"\n'.encode()
    )
    two = tmp_path / "dois.csv.gz"
    two.write_bytes(gzip.compress('código,name,"other, column"\r\n-9,\x7f,last'.encode()))
    columns = (ColumnPlan("id", "código", P.INTEGER), ColumnPlan("name", "name", P.STRING))
    rules = (
        RowRule("positive", Within("id", "0"), ASIDE),
        *casts_hold("id", policy=ASIDE),
        RowRule("named", NotNull("name"), WARN),
    )
    result = staged(engine, Plan("loans", "sha256:0", columns, rules), FileScan((one, two), Csv()), tmp_path / "stage")

    assert result.names == ["id", "name"]
    assert result.kept == [
        {"id": 1, "name": "Ana"},
        {"id": 2, "name": 'João "Jota", Jr.\nof São Paulo'},
        {"id": 7, "name": None},
        {"id": 8, "name": "  two  "},
    ]
    aside = {(row["source"], row["position"]): row for row in result.aside}
    assert {place: (row["rules"], row["form"]) for place, row in aside.items()} == {
        ("um.csv", 3): (["id.type"], "raw"),
        ("um.csv", 4): (["malformed"], "text"),
        ("um.csv", 5): (["malformed"], "text"),
        ("dois.csv.gz", 1): (["positive"], "raw"),
    }
    assert json.loads(aside["um.csv", 3]["record"]) == {"código": "x", "name": "Zoë", "other, column": "z"}
    assert aside["um.csv", 4]["record"] == "5,too few"
    assert aside["um.csv", 5]["record"] == "6,too,many,values"
    assert json.loads(aside["dois.csv.gz", 1]["record"]) == {"código": "-9", "name": "\x7f", "other, column": "last"}
    assert result.read == 8
    assert result.refused == {"positive": 1, "id.type": 1, "named": 1, "malformed": 2}


def test_what_cannot_be_read_is_refused_once_and_what_is_missing_is_missing(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,note\n1,a\nfive,b\n,c\n")
    columns = (ColumnPlan("id", "id", P.INTEGER), ColumnPlan("note", "note", P.STRING))
    required = RowRule("id.required", NotNull("id"), ASIDE)

    strict = Plan("loans", "sha256:0", columns, (*casts_hold("id", policy=ASIDE), required))
    once = staged(engine, strict, FileScan((path,), Csv()), tmp_path / "strict")
    lenient = Plan("loans", "sha256:0", columns, (*casts_hold("id", policy=WARN), required))
    kept = staged(engine, lenient, FileScan((path,), Csv()), tmp_path / "lenient")

    assert [row["rules"] for row in once.aside] == [["id.type"], ["id.required"]]
    assert once.refused == {"id.type": 1, "id.required": 1}
    assert kept.column("id") == [1]
    assert [row["rules"] for row in kept.aside] == [["id.type", "id.required"], ["id.required"]]


def test_delimited_text_is_read_as_its_dialect_says(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("comment\n1;'It''s';NA\n;;\n2;é;''\n".encode("latin-1"))
    dialect = Csv(
        delimiter=";",
        quote="'",
        escape="'",
        header=False,
        encoding="latin-1",
        null_texts=("NA",),
        skip=1,
        columns=("a", "b", "c"),
    )
    result = staged(
        engine, simple({"a": P.STRING, "b": P.STRING, "c": P.STRING}), FileScan((path,), dialect), tmp_path / "stage"
    )

    assert result.kept == [
        {"a": "1", "b": "It's", "c": None},
        {"a": "", "b": "", "c": ""},
        {"a": "2", "b": "é", "c": ""},
    ]


def test_a_struct_in_which_a_name_occurs_twice_is_no_value(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    inner = ('{"z": 1}', '{"z": 1, "z": 2}', '{"z": 1, "y": 2}', '{"y": 2, "\\u0079": 3}', "{}")
    path.write_text("\n".join(f'{{"a": {each}, "items": [{each}]}}' for each in inner), encoding="utf-8")
    kind = StructOf((Field("z", P.LONG),))
    columns: dict[str, Type] = {"a": kind, "items": ListOf(kind)}
    plan = simple(columns, *casts_hold(*columns, policy=ASIDE))

    result = staged(engine, plan, FileScan((path,), JsonLines()), tmp_path / "stage")

    assert [row["a"] for row in result.kept] == [{"z": 1}, {"z": 1}, {"z": None}]
    assert {row["position"]: row["rules"] for row in result.aside} == {
        position: ["a.type", "items.type"] for position in (2, 4)
    }


def test_json_lines_are_taken_apart_or_set_aside(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(line for line, _ in cases.JSON_LINES), encoding="utf-8")
    plan = simple(cases.JSON_TYPES, *casts_hold(*cases.JSON_TYPES, policy=ASIDE))
    result = staged(engine, plan, FileScan((path,), JsonLines()), tmp_path / "stage")

    records = [(line, expected) for line, expected in cases.JSON_LINES if line.strip()]
    assert result.kept == [expected for _, expected in records if isinstance(expected, dict)]
    expected = {position: rules for position, (_, rules) in enumerate(records, 1) if isinstance(rules, tuple)}
    assert {row["position"]: tuple(row["rules"]) for row in result.aside} == expected
    texts = {row["position"]: row["record"] for row in result.aside if row["form"] == "text"}
    assert texts == {position: line for position, (line, rules) in enumerate(records, 1) if rules == ("malformed",)}


def test_lines_are_taken_apart_by_their_groups(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(
        '10.0.0.1 - [10/Oct/2000:13:55:36 -0700] "GET /é HTTP/1.0" 200 2326\n\nnonsense\n'
        '10.0.0.2 - [31/Feb/2000:13:55:36 +0000] "" 404 -\n',
        encoding="utf-8",
    )
    pattern = r'^(?P<host>\S+) - \[(?P<time>[^\]]+)\] "(?P<request>[^"]*)" (?P<status>\d{3}) (?:(?P<bytes>\d+)|-)$'
    columns = (
        ColumnPlan("host", "host", P.STRING),
        ColumnPlan("time", "time", P.TIMESTAMP, format="%d/%b/%Y:%H:%M:%S %z"),
        ColumnPlan("request", "request", P.STRING),
        ColumnPlan("status", "status", P.SHORT),
        ColumnPlan("bytes", "bytes", P.LONG),
    )
    plan = Plan("log", "sha256:0", columns, casts_hold("time", policy=ASIDE))
    result = staged(engine, plan, FileScan((path,), Lines(pattern)), tmp_path / "stage")

    assert [{k: plain(v) for k, v in row.items()} for row in result.kept] == [
        {
            "host": "10.0.0.1",
            "time": datetime(2000, 10, 10, 20, 55, 36, tzinfo=UTC),
            "request": "GET /é HTTP/1.0",
            "status": 200,
            "bytes": 2326,
        }
    ]
    second, third = sorted(result.aside, key=lambda row: row["position"])
    assert [(row["position"], row["offset"], row["rules"], row["form"]) for row in (second, third)] == [
        (2, path.read_bytes().index(b"nonsense"), ["malformed"], "text"),
        (3, path.read_bytes().index(b"10.0.0.2"), ["time.type"], "raw"),
    ]
    assert json.loads(third["record"])["bytes"] is None


def test_whole_numbers_without_a_sign_are_read(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "unsigned.parquet"
    values = {"large": pa.array([1, (1 << 64) - 1, None], pa.uint64()), "small": pa.array([1, 2, 3], pa.uint32())}
    pq.write_table(pa.table(values), path)

    plan = replace(simple({"large": Decimal(20, 0), "small": P.LONG}), row_rules=())
    (tmp_path / "out").mkdir()
    found = staged(engine, plan, FileScan((path,), Parquet()), tmp_path / "out")

    assert found.column("large") == [1, (1 << 64) - 1, None]
    assert found.column("small") == [1, 2, 3]


def test_parquet_keeps_its_types_and_quarantine_holds_texts(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    moment = datetime(2024, 2, 29, 23, 59, 59, 500000, tzinfo=UTC)
    table = pa.table(
        {
            "id": pa.array([1, -2, None], pa.int32()),
            "amount": pa.array([Number("1.50"), Number("-2.25"), None], pa.decimal128(10, 2)),
            "at": pa.array([moment, moment, None], pa.timestamp("us", tz="UTC")),
            "raw": pa.array([b"\x00\xff", b"a", None], pa.binary()),
            "tags": pa.array([["x"], ["é", None], None], pa.list_(pa.string())),
            "ok": pa.array([True, False, None]),
        }
    )
    pq.write_table(table, path)
    types = {
        "id": P.LONG,
        "amount": Decimal(12, 2),
        "at": P.TIMESTAMP,
        "raw": P.BINARY,
        "tags": ListOf(P.STRING),
        "ok": P.BOOLEAN,
    }
    plan = simple(types, RowRule("positive", Within("id", "0"), ASIDE))
    scan = FileScan((path,), Parquet())
    result = staged(engine, plan, scan, tmp_path / "stage")

    assert engine.describe(scan).field("amount").type == Decimal(10, 2)
    assert [plain(value) for value in result.kept[0].values()] == [1, Number("1.50"), moment, b"\x00\xff", ["x"], True]
    assert list(result.kept[1].values()) == [None] * 6
    assert result.aside[0]["position"] == 2
    record = json.loads(result.aside[0]["record"])
    assert json.loads(record.pop("tags")) == ["é", None]
    assert record == {"id": "-2", "amount": "-2.25", "at": "2024-02-29T23:59:59.500000Z", "raw": "61", "ok": "false"}


@pytest.mark.parametrize("keep_last", [False, True])
def test_of_equal_keys_one_row_is_kept(engine: Engine, tmp_path: Path, keep_last: bool) -> None:
    source = stream(
        {
            "id": ["1", "2", "1", None, "x", "1", None, "3"],
            "uf": ["SP", "SP", "SP", "SP", "SP", "RJ", "SP", "SP"],
            "v": list("abcdefgh"),
        }
    )
    plan = simple({"id": P.LONG, "uf": P.STRING, "v": P.STRING}, *casts_hold("id", policy=ASIDE), key=("id", "uf"))
    result = staged(engine, plan, source, tmp_path, keep_last=keep_last)

    assert sorted(result.column("v")) == list("bcdfgh" if keep_last else "abdfgh")
    (repeated,) = [row for row in result.aside if row["rules"] == ["primary_key"]]
    assert repeated["form"] == "clean"
    assert repeated["position"] == (1 if keep_last else 3)
    assert json.loads(repeated["record"]) == {"id": "1", "uf": "SP", "v": "a" if keep_last else "c"}
    assert result.refused == {"id.type": 1, "primary_key": 1}


def test_nothing_comes_of_nothing(engine: Engine, tmp_path: Path) -> None:
    header = tmp_path / "a.csv"
    header.write_text("n,s\n")
    plan = simple({"n": P.LONG, "s": P.STRING}, *casts_hold("n"), key=("n",))
    found = staged(engine, plan, FileScan((header,), Csv()), tmp_path / "one")
    streamed = staged(engine, plan, stream({"n": [], "s": []}), tmp_path / "two")

    assert (found.read, found.kept, found.aside) == (0, [], [])
    assert (streamed.read, streamed.kept, streamed.aside) == (0, [], [])


def test_progress_tells_rows_read(engine: Engine, tmp_path: Path) -> None:
    told: list[Progress] = []
    staged(engine, simple({"n": P.LONG}), stream({"n": ["1"] * 1000}), tmp_path, progress=told.append)

    assert told
    assert all(progress.rows <= 1000 for progress in told)


def test_columns_are_in_the_plan_s_order_whatever_they_are_called(engine: Engine, tmp_path: Path) -> None:
    names = ["_record", "_raw_0", "bits_0", "select", "a b", 'say "x"', "ação", "_bits_0", "position", "record"]
    columns = tuple(ColumnPlan(name, f"src {name}", P.STRING) for name in names)
    plan = Plan("loans", "sha256:0", columns, (RowRule("not_z", NoneOf("select", ("z",)), ASIDE),))
    result = staged(engine, plan, stream({f"src {name}": [name, "z"] for name in reversed(names)}), tmp_path)

    assert result.names == names
    assert result.kept == [{name: name for name in names}]
    assert json.loads(result.aside[0]["record"]) == {f"src {name}": "z" for name in names}


def test_a_missing_column_is_named_with_the_nearest(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("incme\n1\n")

    with pytest.raises(SourceBroken, match="income") as caught:
        engine.stage(simple({"income": P.LONG}), FileScan((path,), Csv()), tmp_path, batch="b")
    assert "incme" in caught.value.do


def test_a_missing_file_is_unreachable(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable):
        engine.stage(simple({"a": P.LONG}), FileScan((tmp_path / "none.csv",), Csv()), tmp_path, batch="b")


def test_a_damaged_parquet_file_is_broken_and_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1" + bytes(100))
    folder = tmp_path / "stage"
    folder.mkdir()

    with pytest.raises(SourceBroken):
        engine.stage(simple({"a": P.LONG}), FileScan((path,), Parquet()), folder, batch="b")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "condition",
    [
        Holds("getenv('HOME') = 'x'"),
        Holds("missing > 1"),
        Matches("n", "(a)\\1"),
        Within("n", "much"),
        NotNull("missing"),
    ],
)
def test_a_plan_is_checked_without_running(engine: Engine, condition: Any) -> None:
    plan = simple({"n": P.STRING if isinstance(condition, Matches) else P.LONG}, RowRule("rule", condition, ASIDE))

    with pytest.raises((SqlRefused, ContractError)) as caught:
        engine.check(plan)
    assert "rule" in caught.value.where


def test_a_plan_is_explained_without_running(engine: Engine) -> None:
    plan = simple({"income": P.LONG}, RowRule("positive", Within("income", "0"), ASIDE))
    engine.check(plan)

    assert "positive" in engine.explain(plan)
    assert "income" in engine.explain(plan)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two Parquet files of a table; the first lacks its newest column."""
    folder = tmp_path_factory.mktemp("table")
    first = pa.table({"id": pa.array([1, 2, 3], pa.int64()), "uf": ["SP", "RJ", None]})
    second = pa.table({"id": pa.array([4, 2, None], pa.int64()), "uf": ["SP", "MG", "SP"], "x": [1.5, None, -2.5]})
    for name, table in (("a", first), ("b", second)):
        pq.write_table(table, folder / f"{name}.parquet")
    return [folder / "a.parquet", folder / "b.parquet"]


TABLE = Schema((Field("id", P.LONG), Field("uf", P.STRING), Field("x", P.DOUBLE)))


def test_columns_and_table_rules_are_measured(engine: Engine, files: list[Path]) -> None:
    must = Threshold(Operator.MUST_BE, (0,))
    rules = [
        TableRule("rows", RowCount(), must),
        TableRule("twice", Duplicates(("id",)), must),
        TableRule("pairs", Duplicates(("id", "uf")), must),
        TableRule(
            "query", Query("select count(*) from {object} where {property} > (select avg(id) from t)", "id"), must
        ),
        TableRule("nothing", Query("select sum(x) from t where id > 100"), must),
    ]
    found = engine.measure(files, TABLE, rules, table="t")

    assert found.rows == 6
    assert (found.columns["id"].nulls, found.columns["id"].minimum, found.columns["id"].maximum) == (1, "1", "4")
    assert found.columns["id"].mean == pytest.approx(2.4)
    assert found.columns["uf"].nulls == 1
    assert (found.columns["x"].nulls, found.columns["x"].minimum, found.columns["x"].maximum) == (4, "-2.5", "1.5")
    assert found.columns["x"].mean == -0.5
    numbers = dict(found.table_rules)
    assert numbers.pop("nothing") != 0
    assert numbers == {"rows": 6, "twice": 1, "pairs": 0, "query": 2}


@pytest.mark.parametrize("values", [[float("inf"), 1.0], [sys.float_info.max] * 3, [float("nan"), 1.0]])
def test_a_mean_that_is_no_finite_number_is_none(engine: Engine, tmp_path: Path, values: list[float]) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"x": values}), path)

    found = engine.measure([path], Schema((Field("x", P.DOUBLE),)), [], table="t").columns["x"]

    assert found.mean is None
    assert found.nulls == 0


def test_moments_are_measured_as_iso_texts(engine: Engine, tmp_path: Path) -> None:
    moment = datetime(2024, 2, 29, 23, 59, 59, 1, tzinfo=UTC)
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table(
            {
                "t": pa.array([moment], pa.timestamp("us", tz="UTC")),
                "d": [date(1, 1, 1)],
                "n": pa.array([Number("0.10")]),
            }
        ),
        path,
    )
    schema = Schema((Field("t", P.TIMESTAMP), Field("d", P.DATE), Field("n", Decimal(2, 2))))
    found = engine.measure([path], schema, [], table="t").columns

    assert found["t"].minimum == "2024-02-29T23:59:59.000001Z"
    assert found["d"].maximum == "0001-01-01"
    assert found["n"].minimum == "0.10"


def test_rows_are_read_in_order_with_columns_added_later(engine: Engine, files: list[Path]) -> None:
    table = pa.table(engine.read(files, TABLE))
    some = pa.table(engine.read(files, TABLE, columns=["x", "id"], where="UF = 'SP' and id is not null"))

    assert table.column("id").to_pylist() == [1, 2, 3, 4, 2, None]
    assert table.column("x").to_pylist() == [None, None, None, 1.5, None, -2.5]
    assert some.to_pylist() == [{"x": None, "id": 1}, {"x": 1.5, "id": 4}]


def test_a_condition_for_reading_passes_the_door(engine: Engine, files: list[Path]) -> None:
    with pytest.raises(SqlRefused):
        pa.table(engine.read(files, TABLE, where="id in (select 1)"))


def test_rows_with_incoming_keys_are_replaced(engine: Engine, files: list[Path], tmp_path: Path) -> None:
    incoming = tmp_path / "in.parquet"
    pq.write_table(
        pa.table({"id": pa.array([1, 9, None], pa.int64()), "uf": ["XX", "XX", None], "x": pa.array([0.0] * 3)}),
        incoming,
    )
    folder = tmp_path / "out"
    folder.mkdir()
    held = list(engine.holding(files, [incoming], ["id"]))
    merged = engine.merge(files, [StagedFile(incoming, 3)], TABLE, MergePlan(("id",), ("uf", "x")), folder)

    assert held == [files[0]] == list(merged.touched)
    assert sum(file.rows for file in merged.rewritten) == 2
    assert sorted(path for path in folder.iterdir()) == sorted(file.path for file in merged.rewritten)
    assert (merged.changes.inserted, merged.changes.updated, merged.changes.removed) == (2, 1, 1)
    rows = pa.table(engine.read([file.path for file in merged.rewritten], TABLE)).to_pylist()
    assert sorted(row["id"] for row in rows) == [2, 3]


def test_a_snapshot_touches_only_what_differs(engine: Engine, files: list[Path], tmp_path: Path) -> None:
    same, folder = tmp_path / "same.parquet", tmp_path / "out"
    folder.mkdir()
    pq.write_table(pa.table(engine.read(files[:1], TABLE)), same)
    rows = pq.read_metadata(same).num_rows
    merged = engine.merge(
        files[:1], [StagedFile(same, rows)], TABLE, MergePlan(("id",), ("uf", "x"), whole=True), folder
    )

    assert (merged.touched, merged.added, merged.changes.unchanged, merged.held) == ((), (), rows, rows)


def test_versions_are_compared_by_key(engine: Engine, tmp_path: Path) -> None:
    before, after = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(
        pa.table({"id": pa.array([1, 2, 3], pa.int64()), "uf": ["SP", "RJ", None], "x": pa.array([1.0, 2.0, None])}),
        before,
    )
    pq.write_table(
        pa.table({"id": pa.array([2, 3, 4], pa.int64()), "uf": ["RJ", "MG", "SP"], "x": pa.array([2.5, None, 0.0])}),
        after,
    )
    found = engine.diff([before], [after], TABLE, ["id"], limit=10)

    assert (found.added, found.removed, found.changed) == (1, 1, 2)
    assert {name: count for name, count in found.cells.items() if count} == {"uf": 1, "x": 1}


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl", "arrow"])
def test_a_stream_is_written_to_one_file(engine: Engine, files: list[Path], tmp_path: Path, form: str) -> None:
    target = tmp_path / f"out.{form}"
    rows = engine.write(engine.read(files, TABLE), target, form=form)

    assert rows == 6
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_every_error_says_what_to_do(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"")
    with pytest.raises(LastroError) as caught:
        engine.describe(FileScan((path,), Csv()))

    assert caught.value.do
