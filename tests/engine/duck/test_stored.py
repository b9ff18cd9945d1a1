"""Our own files: written the same for the same rows, read back, merged, compared, exported, found damaged."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal as Number
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lastro.engine.duck import parquet
from lastro.engine.duck.arrow import from_arrow, to_arrow
from lastro.engine.duck.engine import DuckEngine
from lastro.engine.duck.parquet import Writer
from lastro.engine.protocol import StagedFile
from lastro.model.errors import Corrupted, SqlRefused, UsageError, WriteFailed
from lastro.model.merging import MergePlan
from lastro.model.schema import Decimal, Field, ListOf, MapOf, Primitive, Schema, StructOf

P = Primitive
EVERY = Schema(
    (
        *(Field(kind.value, kind) for kind in Primitive),
        Field("decimal", Decimal(38, 10)),
        Field("list", ListOf(P.LONG)),
        Field("map", MapOf(P.STRING, P.DATE)),
        Field("struct", StructOf((Field("a", P.STRING), Field("b", ListOf(P.BOOLEAN))))),
    )
)
ROW: dict[str, Any] = {
    "string": 'é "x",\n', "long": 2**62, "integer": -5, "short": 7, "byte": -1, "double": 0.1, "float": 0.5,
    "boolean": True, "binary": b"\x00\xff", "date": date(2024, 2, 29),
    "timestamp": datetime(2024, 1, 1, 12, 30, 0, 5, tzinfo=UTC), "timestamp_ntz": datetime(1999, 12, 31, 23, 59, 59),
    "decimal": Number("1234567890123456789012345678.0123456789"),
    "list": [1, None], "map": [("k", date(2020, 1, 1))], "struct": {"a": "x", "b": [True, None]},
}  # fmt: skip
SMALL = Schema((Field("id", P.LONG), Field("v", P.STRING)))


def written(folder: Path, rows: list[dict[str, Any]], schema: Schema, stem: str = "part") -> list[Path]:
    with Writer(folder, stem, schema=to_arrow(schema)) as writer:
        writer.write(pa.RecordBatch.from_pylist(rows, to_arrow(schema)))
    return [file.path for file in writer.files]


def small(folder: Path, values: dict[int | None, str | None], stem: str) -> list[Path]:
    return written(folder, [{"id": key, "v": value} for key, value in values.items()], SMALL, stem)


def test_every_type_is_written_and_read_back(engine: DuckEngine, tmp_path: Path) -> None:
    empty = dict.fromkeys(ROW)
    files = written(tmp_path, [ROW, empty], EVERY)

    found = pa.table(engine.read(files, EVERY))
    assert found.schema == to_arrow(EVERY)
    assert found.to_pylist() == [ROW, empty]
    assert from_arrow(pq.read_schema(files[0])) == EVERY


@given(sizes=st.lists(st.integers(1, 9000), min_size=1, max_size=12))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_equal_rows_give_equal_bytes_however_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int]
) -> None:
    monkeypatch.setattr(parquet, "GROUP_ROWS", 2 * parquet.STEP_ROWS)
    monkeypatch.setattr(parquet, "FILE_ROWS", 4 * parquet.STEP_ROWS)
    rows = sum(sizes)
    table = pa.table({"id": range(rows), "v": [str(index % 7) if index % 3 else None for index in range(rows)]})

    digests = []
    for name, cuts in (("whole", [rows]), ("cut", sizes)):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        with Writer(folder, "part") as writer:
            start = 0
            for size in cuts:
                writer.write(table.slice(start, size).combine_chunks().to_batches()[0])
                start += size
        digests.append([hashlib.sha256(file.path.read_bytes()).hexdigest() for file in writer.files])
        assert sum(file.rows for file in writer.files) == rows
        assert all(pq.read_metadata(file.path).num_rows == file.rows <= parquet.FILE_ROWS for file in writer.files)
    assert digests[0] == digests[1]


def test_long_rows_make_small_row_groups(tmp_path: Path) -> None:
    with Writer(tmp_path, "part") as writer:
        for _ in range(12):
            writer.write(pa.record_batch({"v": ["x" * 20_000 + str(index) for index in range(1000)]}))

    footer = pq.read_metadata(writer.files[0].path)
    assert footer.num_row_groups > 1
    assert footer.row_group(0).num_rows % parquet.STEP_ROWS == 0


def test_a_writer_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Writer(tmp_path, "part") as writer:
        writer.write(pa.record_batch({"v": range(parquet.GROUP_ROWS)}))
        raise RuntimeError

    assert not list(tmp_path.iterdir())


def test_a_condition_and_columns_are_chosen(engine: DuckEngine, tmp_path: Path) -> None:
    files = small(tmp_path, {1: "a", 2: "b", 3: None}, "one")

    assert pa.table(engine.read(files, SMALL, columns=["v"], where="id >= 2 AND v IS NOT NULL")).to_pylist() == [
        {"v": "b"}
    ]
    assert pa.table(engine.read([], SMALL)).num_rows == 0
    for attack in ("id IN (SELECT 1)", "read_text('/etc/passwd') = ''", "1=1; DROP TABLE x", "getenv('HOME') = 'x'"):
        with pytest.raises(SqlRefused):
            engine.read(files, SMALL, where=attack)


def test_a_missing_or_damaged_file_is_damage(engine: DuckEngine, tmp_path: Path) -> None:
    (one,), (two,) = small(tmp_path, {1: "a"}, "one"), small(tmp_path, {2: "b"}, "two")
    two.write_bytes(two.read_bytes()[:-20])

    with pytest.raises(Corrupted):
        pa.table(engine.read([one, two], SMALL))
    two.unlink()
    with pytest.raises(Corrupted) as caught:
        pa.table(engine.read([one, two], SMALL))
    assert caught.value.where == str(two)


def test_a_reader_that_is_dropped_leaves_nothing(engine: DuckEngine, tmp_path: Path) -> None:
    files = written(tmp_path, [{"id": index, "v": "x"} for index in range(300_000)], SMALL)
    reader = pa.RecordBatchReader.from_stream(engine.read(files, SMALL))
    assert reader.read_next_batch().num_rows > 0
    del reader

    assert not list((tmp_path / "spill").iterdir())


def test_files_holding_keys_are_found_and_rewritten(engine: DuckEngine, tmp_path: Path) -> None:
    existing = (
        small(tmp_path, {1: "a", 2: "b", None: "n"}, "one")
        + small(tmp_path, {11: "c", 13: "d"}, "two")
        + small(tmp_path, {20: "e"}, "three")
    )
    incoming = small(tmp_path, {2: "B", 12: "X", 13: "D", None: "N"}, "new")
    out = tmp_path / "out"
    out.mkdir()

    held = engine.holding(existing, incoming, ["id"])
    assert [path.name for path in held] == ["one-00000.parquet", "two-00000.parquet"]
    wider = Schema((*SMALL.fields, Field("w", P.DOUBLE)))
    batch = [StagedFile(path, 4) for path in incoming]
    merged = engine.merge(existing, batch, wider, MergePlan(("id",), ("v",)), out)
    files = merged.rewritten
    assert merged.touched == held
    assert merged.added == tuple(batch)
    assert sum(file.rows for file in files) == 3
    assert pa.table(engine.read([file.path for file in files], wider)).to_pylist() == [
        {"id": 1, "v": "a", "w": None},
        {"id": None, "v": "n", "w": None},
        {"id": 11, "v": "c", "w": None},
    ]


def test_holding_reads_no_further_than_it_must(engine: DuckEngine, tmp_path: Path) -> None:
    existing, incoming = small(tmp_path, {1: "a"}, "one"), small(tmp_path, {5: "a"}, "new")

    assert tuple(engine.holding(existing, incoming, ["id"])) == ()
    assert tuple(engine.holding(existing, [], ["id"])) == ()
    assert tuple(engine.holding(existing, small(tmp_path, {9: "a"}, "other"), ["v"])) == tuple(existing)
    assert tuple(engine.holding(existing, small(tmp_path, {1: "b"}, "both"), ["id", "v"])) == ()


VALUES = st.dictionaries(st.integers(0, 12), st.sampled_from(["a", "b", None]), max_size=10)


@given(before=VALUES, after=VALUES)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_diff_is_that_of_two_dicts(
    engine: DuckEngine, tmp_path: Path, before: dict[int, str | None], after: dict[int, str | None]
) -> None:
    old, new = small(tmp_path, dict(before), "old"), small(tmp_path, dict(after), "new")
    found = engine.diff(old, new, SMALL, ["id"], limit=5)
    changed = [key for key in before.keys() & after.keys() if before[key] != after[key]]

    assert (found.added, found.removed, found.changed) == (
        len(after.keys() - before.keys()),
        len(before.keys() - after.keys()),
        len(changed),
    )
    assert dict(found.cells) == ({"v": len(changed)} if changed else {})
    touched = sorted({*changed, *(before.keys() ^ after.keys())})[:5]
    assert [example["key"]["id"] for example in found.examples] == touched
    for example in found.examples:
        key = example["key"]["id"]
        assert example["before"] == ({"id": key, "v": before[key]} if key in before else {})
        assert example["after"] == ({"id": key, "v": after[key]} if key in after else {})


def test_without_a_key_rows_are_counted(engine: DuckEngine, tmp_path: Path) -> None:
    def rows(stem: str, values: list[str | None]) -> list[Path]:
        return written(tmp_path, [{"id": 1, "v": value} for value in values], SMALL, stem)

    shared = rows("shared", ["s"])
    found = engine.diff(
        [*shared, *rows("old", ["a", "a", "b", None])],
        [*rows("new", ["a", "c", "c", None]), *shared],
        SMALL,
        [],
        limit=9,
    )

    assert (found.added, found.removed, found.changed, dict(found.cells)) == (2, 2, 0, {})
    assert [(example["change"], (example["before"] or example["after"])["v"]) for example in found.examples] == [
        ("removed", "a"), ("removed", "b"), ("added", "c"),
    ]  # fmt: skip


def test_exports_hold_every_type(engine: DuckEngine, tmp_path: Path) -> None:
    files = written(tmp_path, [ROW, dict.fromkeys(ROW)], EVERY)
    for form in ("parquet", "csv", "jsonl", "arrow"):
        assert engine.write(engine.read(files, EVERY), tmp_path / f"out.{form}", form=form) == 2

    assert pq.read_table(tmp_path / "out.parquet").to_pylist()[0] == ROW
    assert pa.ipc.open_file(tmp_path / "out.arrow").read_all().to_pylist()[0] == ROW
    first, second = (json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines())
    assert first["decimal"] == str(ROW["decimal"])
    assert (first["binary"], first["list"], first["long"]) == ("00ff", [1, None], 2**62)
    assert second == dict.fromkeys(ROW)
    with (tmp_path / "out.csv").open(newline="") as stream:
        one, two = csv.DictReader(stream)
    assert (one["string"], one["binary"], one["list"], one["decimal"]) == (
        ROW["string"],
        "00ff",
        "[1,null]",
        str(ROW["decimal"]),
    )
    assert set(two.values()) == {""}


def test_times_are_written_alike_in_every_form_and_within_every_value(engine: DuckEngine, tmp_path: Path) -> None:
    kinds = (P.TIMESTAMP, P.TIMESTAMP_NTZ)
    schema = Schema(
        tuple(
            field
            for kind in kinds
            for field in (
                Field(f"{kind} 1", kind),
                Field(f"{kind} 2", ListOf(StructOf((Field("at", kind), Field("n", P.LONG))))),
                Field(f"{kind} 3", MapOf(kind, ListOf(kind))),
            )
        )
    )
    row: dict[str, Any] = {}
    for kind, zone in zip(kinds, (UTC, None), strict=True):
        plain, fine = (datetime(2026, 1, 31, 10, 0, 0, part, tzinfo=zone) for part in (0, 500_000))
        nested = [{"at": fine, "n": 1}, None, {"at": None, "n": None}]
        row |= {f"{kind} 1": plain, f"{kind} 2": nested, f"{kind} 3": [(plain, [fine, None])]}
    files = written(tmp_path, [row, dict.fromkeys(row)], schema)

    for form in ("csv", "jsonl"):
        engine.write(engine.read(files, schema), tmp_path / f"out.{form}", form=form)

    first, second = (json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines())
    with (tmp_path / "out.csv").open(newline="") as stream:
        one, two = csv.DictReader(stream)
    for kind, end in zip(kinds, ("Z", ""), strict=True):
        plain_text, fine_text = f"2026-01-31T10:00:00{end}", f"2026-01-31T10:00:00.5{end}"
        found = [first[f"{kind} {index}"] for index in (1, 2, 3)]
        assert found == [
            plain_text,
            [{"at": fine_text, "n": 1}, None, {"at": None, "n": None}],
            {plain_text: [fine_text, None]},
        ]
        assert [one[f"{kind} 1"], *(json.loads(one[f"{kind} {index}"]) for index in (2, 3))] == found
    assert (second, set(two.values())) == (dict.fromkeys(row), {""})


def test_an_export_is_whole_or_not_there(engine: DuckEngine, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")

    def broken() -> Any:
        yield pa.record_batch({"a": [1]})
        raise OSError(28, "no space")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64())]), broken())
    with pytest.raises(Exception, match=r"space|LST"):
        engine.write(reader, target, form="csv")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.csv"]
    with pytest.raises(WriteFailed):
        engine.write(pa.table({"a": [1]}), tmp_path / "none" / "out.csv", form="csv")
    with pytest.raises(UsageError, match="xlsx"):
        engine.write(pa.table({"a": [1]}), target, form="xlsx")
