"""Rows leave every version of a table: all versions stay, readable and provable, less exactly those rows."""

from __future__ import annotations

import datetime as dt
import json
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from tests.store import making
from tests.store.by_value import ByValue
from tests.store.making import Clock, Row, append, content, files_of, overwrite, restore, upsert

from lastro.model.errors import Corrupted, StoreError
from lastro.model.reference import Digest, Moment, Tag
from lastro.model.schema import Field, ListOf, Primitive, Schema, StructOf
from lastro.model.version import Mode, Origin, RowCounts
from lastro.store import checkpoint
from lastro.store.check import Kind, verify
from lastro.store.collect import collect
from lastro.store.erasure import rewriting
from lastro.store.erasure.erasing import Erased, erase, find
from lastro.store.erasure.finding import AnyOf, ByText
from lastro.store.repair import repair
from lastro.store.table import Table
from lastro.store.writer import Change

GONE = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """A table of every mode, with a tag, a checkpoint and a profile's worth of history."""
    clock = Clock()
    table = Table(tmp_path_factory.mktemp("made"), "loans", clock=clock)
    for batch in range(6):
        append(table, [(key, key % 7) for key in range(batch * 10, batch * 10 + 10)], f"append {batch}")
        clock.pass_(days=1)
    checkpoint.write(table.places, 5)
    upsert(table, [(1, 100), (2, GONE)], "upsert")
    overwrite(table, [(key, key) for key in range(9)], "overwrite")
    restore(table, 6, "restore")
    table.tag("approved", 6)
    return table


@pytest.fixture
def table(made: Table, tmp_path: Path) -> Table:
    """The same table, elsewhere."""
    shutil.copytree(made.places.root, tmp_path / "lake", dirs_exist_ok=True)
    return Table(tmp_path / "lake", "loans", clock=Clock(dt.datetime(2026, 3, 1, tzinfo=dt.UTC)))


def value(*values: int) -> ByValue:
    return ByValue("value", frozenset(map(str, values)))


def rows(table: Table) -> list[list[Row]]:
    """The rows of every version, by a handle that knows nothing yet."""
    fresh = Table(table.places.root, table.dataset)
    return [content(fresh, number) for number in range(len(fresh.history()))]


def without(rows: list[list[Row]], *values: int) -> list[list[Row]]:
    return [[row for row in version if row[1] not in values] for version in rows]


def test_every_version_is_the_original_less_those_rows(table: Table) -> None:
    before, infos, shapes = rows(table), table.history(), sizes(table)

    erased = erase(table, value(GONE), request="r-1")

    assert rows(table) == without(before, GONE)
    assert [content(table, number) for number in range(9)] == without(before, GONE)
    assert [(each.number, each.digest, each.parent, each.committed, each.size) for each in table.history()] == [
        (each.number, each.digest, each.parent, each.committed, each.size) for each in infos
    ]
    assert [each.rows for each in table.history()] == [len(version) for version in reversed(without(before, GONE))]
    assert erased.rows == {number: len(found) - len(without([found], GONE)[0]) for number, found in enumerate(before)}
    assert erased.generation == 1
    assert sizes(table) == shapes
    assert verify(table, read_data=True) == verify(Table(table.places.root, "loans"), read_data=True) == ()


def sizes(table: Table) -> dict[str, tuple[int, int]]:
    """Name, size and time of modification of all data files, and the times of all commits."""
    found = {path.name: path.stat() for path in files_of(table) if path.suffix == ".parquet" and "log" not in str(path)}
    commits = {path.name: path.stat().st_mtime_ns for path in table.places.log.glob("*.json")}
    return {name: (each.st_size, each.st_mtime_ns) for name, each in found.items()} | {
        name: (0, modified) for name, modified in commits.items()
    }


def test_every_reader_of_delta_tables_reads_every_version(table: Table) -> None:
    before, old = rows(table), [DeltaTable(str(table.path), version=number) for number in range(9)]

    erase(table, value(GONE))

    for number, expected in enumerate(without(before, GONE)):
        delta = DeltaTable(str(table.path), version=number)
        paths = [str(table.path / each.path) for each in table.version(number).files]
        assert of_arrow(delta.to_pyarrow_table()) == expected
        assert of_arrow(old[number].to_pyarrow_table()) == expected
        assert sum(pa.table(delta.get_add_actions(flatten=True))["num_records"].to_pylist()) == len(expected)
        with duckdb.connect() as connection:
            found = connection.execute(f"SELECT id, value FROM read_parquet({paths})").fetchall()
        assert sorted(found) == expected
        assert sorted(pl.scan_delta(str(table.path), version=number).select("id", "value").collect().rows()) == expected


def of_arrow(found: pa.Table) -> list[Row]:
    return sorted(zip(found["id"].to_pylist(), found["value"].to_pylist(), strict=True))


def test_an_old_view_of_a_version_is_no_damage_and_the_old_file_is(table: Table, tmp_path: Path) -> None:
    info = table.version(5)
    shutil.copytree(table.path, tmp_path / "copy")
    erased = erase(table, value(GONE))

    assert table.paths(info) == Table(table.places.root, "loans").paths(info)
    old = tmp_path / "copy" / erased.replaced[0].path
    (table.path / old.name).chmod(0o644)
    shutil.copy2(old, table.path / old.name)
    assert [(each.kind, each.path) for each in verify(table, read_data=True)] == [(Kind.DATA, old.name)]
    with pytest.raises(Corrupted):
        Table(table.places.root, "loans").paths(info)


def test_an_old_manifest_put_back_is_damage_and_is_mended_from_the_commit(table: Table) -> None:
    path = table.places.manifest(3)
    old = path.read_bytes()
    erase(table, value(GONE))
    new = path.read_bytes()
    path.write_bytes(old)

    assert [(each.kind, each.number) for each in verify(table)] == [(Kind.MANIFEST, 3)]
    repair(table, apply=True)
    assert path.read_bytes() == new
    assert verify(table, read_data=True) == ()


def test_a_newest_manifest_that_is_lost_is_made_again(table: Table) -> None:
    erase(table, value(GONE))
    path = table.places.manifest(8)
    new = path.read_bytes()
    path.unlink()

    assert content(Table(table.places.root, "loans")) == content(table, 8)
    assert path.read_bytes() == new
    assert verify(table, read_data=True) == ()


def test_a_lost_or_changed_generation_is_named(table: Table) -> None:
    erase(table, value(GONE))
    erase(table, value(1))
    path = table.places.generation(1)
    found = path.read_bytes()

    path.write_bytes(found.replace(b'"rows_after":9', b'"rows_after":8', 1))
    assert Kind.ERASURE in {each.kind for each in verify(table)}
    path.unlink()
    assert Kind.ERASURE in {each.kind for each in verify(table)}
    path.write_bytes(found)
    assert verify(table, read_data=True) == ()


def test_nothing_to_erase_changes_nothing(table: Table) -> None:
    before = {path: path.read_bytes() for path in files_of(table)}

    assert erase(table, value(12345)) == Erased("loans", {}, {})
    assert {path: path.read_bytes() for path in files_of(table)} == before
    assert erase(Table(table.places.root, "absent"), value(1)) == Erased("absent", {}, {})


def test_all_rows_may_go(table: Table) -> None:
    erase(table, AnyOf([value(*range(9)), value(100)]))

    assert rows(table) == [[]] * 9
    assert DeltaTable(str(table.path)).to_pyarrow_table().num_rows == 0
    assert verify(table, read_data=True) == ()


def test_one_erasure_after_another(table: Table) -> None:
    before = rows(table)

    first, second = erase(table, value(GONE)), erase(table, value(1, 100))
    append(table, [(900, 1), (901, 2)], "after")
    third = erase(table, value(1))

    assert [first.generation, second.generation, third.generation] == [1, 2, 3]
    assert rows(table)[:9] == without(before, GONE, 1, 100)
    assert rows(table)[9:] == [sorted([*without(before, GONE, 1, 100)[8], (901, 2)])]
    assert third.rows == {9: 1}
    assert verify(table, read_data=True) == ()


def test_life_goes_on_after_an_erasure(table: Table) -> None:
    before = without(rows(table), GONE)
    stale = table.version(2)
    erase(table, value(GONE))

    assert table.find(Tag("approved")).number == 6
    assert table.find(Digest(stale.digest)).number == 2
    assert table.find(Moment(stale.committed)).number == 2
    upsert(table, [(1, 55), (77, 77)], "later")
    append(table, [(1000, 5)], "more")
    with table.lock() as writer:
        back = writer.restore(stale, making.origin(Mode.RESTORE, "back"))
    assert content(table, back.number) == before[2]
    assert content(table, 10) == sorted([row for row in before[8] if row[0] != 1] + [(1, 55), (77, 77), (1000, 5)])
    table.clock = Clock(dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    collected = collect(table, keep={0}, grace=dt.timedelta(days=7), apply=True)
    assert collected.expired
    assert verify(table, read_data=True) == ()
    erase(table, value(5))
    assert content(table, 0) == without([before[0]], 5)[0]
    assert verify(table, read_data=True) == ()


def test_a_byte_search_finds_nothing(tmp_path: Path) -> None:
    secret = "tok-3f9a7c"
    table = Table(tmp_path, "people", clock=Clock())
    schema = Schema((Field("who", Primitive.STRING), Field("more", ListOf(Primitive.STRING))))
    for number in range(3):
        columns = {"who": [f"other-{number}", secret, f"zz-{number}"], "more": [[secret], ["x", secret], None]}
        kept = {"who": [f"other-{number}", secret, f"zz-{number}"], "more": [["a"], ["x", secret], None]}
        with table.lock() as writer, writer.staging() as folder:
            batch = pa.table(kept if number else columns | {"more": [["b"], [secret], None]})
            pq.write_table(batch, folder / "rows.parquet", compression="NONE", store_schema=False)
            origin = Origin(
                Mode.APPEND,
                f"key {number}",
                source=f"export of {secret}.csv",
                cursor={"files": {"x": [secret]}} if number < 2 else {"files": {"x": []}},
                counts=RowCounts(3, 3, 0),
                profile={"rows": 3, "columns": {"who": {"nulls": 0, "maximum": secret}}},
                findings=({"rule": "top", "unit": "number", "measured": 7.5},),
            )
            writer.commit(Change(schema, [making.StagedFile(folder / "rows.parquet", 3)], origin))
    checkpoint.write(table.places, 2)
    write_deltalake(str(table.path), pa.table({"who": [secret, "q"], "more": [["z"], None]}), mode="append")
    DeltaTable(str(table.path)).delete(f"who = '{secret}x'")
    repair(table, apply=True)
    (table.path / "orphan.parquet").write_bytes((table.path / table.version(0).files[0].path).read_bytes())
    assert hits(table, secret) > 3
    before = [DeltaTable(str(table.path), version=number).to_pyarrow_table() for number in range(len(table.history()))]

    erase(table, ByValue("who", frozenset({secret})), text=lambda found: found.replace(secret, "<erased>"))

    assert hits(table, secret) == 0
    for number, was in enumerate(before):
        left = [row for row in was.to_pylist() if row["who"] != secret]
        assert sorted(map(str, DeltaTable(str(table.path), version=number).to_pyarrow_table().to_pylist())) == sorted(
            map(str, left)
        )
    assert table.version(0).origin.source == "export of <erased>.csv"
    assert table.version(0).origin.findings[0]["measured"] is None
    assert verify(table, read_data=True) == ()


def test_what_was_measured_of_rows_that_were_collected_goes_too(tmp_path: Path) -> None:
    clock = Clock()
    table = Table(tmp_path, "loans", clock=clock)
    with table.lock() as writer, writer.staging() as folder:
        profile = {"rows": 1, "columns": {"value": {"nulls": 0, "maximum": 700119283}}}
        begun = replace(making.origin(Mode.APPEND, "a", 1), profile=profile)
        writer.commit(Change(making.SCHEMA, [making.stage(folder, [(1, 700119283)])], begun))
    clock.pass_(days=30)
    overwrite(table, [(2, GONE), (3, 4)], "b")
    clock.pass_(days=30)
    assert collect(table, keep=set(), grace=dt.timedelta(days=7), apply=True).expired == (0,)

    erase(table, value(GONE))

    left = table.history()[-1].origin.profile
    assert (left["rows"], left["columns"]) == (1, {"value": {"nulls": 0}})
    assert hits(table, "700119283") == 0
    assert verify(table, read_data=True) == ()


def hits(table: Table, secret: str) -> int:
    return sum(secret.encode() in path.read_bytes() for path in files_of(table))


def test_the_place_to_go_on_from_is_not_taken_away(table: Table) -> None:
    with table.lock() as writer, writer.staging() as folder:
        origin = Origin(Mode.APPEND, "c", cursor={"last": "12345678909"}, counts=RowCounts(1, 1, 0))
        writer.commit(Change(making.SCHEMA, [making.stage(folder, [(1, GONE)])], origin))
    before = {path: path.read_bytes() for path in files_of(table)}

    with pytest.raises(StoreError):
        erase(table, value(GONE), text=lambda found: found.replace("12345678909", "-"))
    assert {path: path.read_bytes() for path in files_of(table)} == before


def test_what_would_go_is_told_and_nothing_is_changed(table: Table) -> None:
    before = {path: path.read_bytes() for path in files_of(table)}

    found = find(table, value(GONE))

    assert {path: path.read_bytes() for path in files_of(table)} == before
    done = erase(table, value(GONE))
    assert (found.rows, found.files) == (done.rows, done.files)


def test_a_damaged_file_is_told_and_nothing_is_erased_over_it(table: Table) -> None:
    path = table.path / table.version(0).files[0].path
    path.chmod(0o644)
    found = bytearray(path.read_bytes())
    found[30] ^= 1
    path.write_bytes(found)
    before = {path: path.read_bytes() for path in files_of(table)}

    with pytest.raises(Corrupted):
        erase(table, value(GONE))
    assert {path: path.read_bytes() for path in files_of(table)} == before


WIDE = pa.table(
    {
        "who": pa.array(["a", "b", "a", None, "c"] * 400),
        "long": pa.array(range(2000), pa.int64()),
        "cost": pa.array([dt.date(2026, 1, 1)] * 2000),
        "amount": pa.array(range(2000), pa.int64()).cast(pa.decimal128(19, 0)).cast(pa.decimal128(22, 3)),
        "at": pa.array([dt.datetime(9999, 12, 31)] * 2000, pa.timestamp("us", "UTC")),
        "tags": pa.array([["x", None], [], None, ["y"], ["z"]] * 400),
        "deep": pa.array([{"a": {"b": [1, 2]}, "m": [("k", "a")]}] * 2000, pa.struct(
            [("a", pa.struct([("b", pa.list_(pa.int32()))])), ("m", pa.map_(pa.string(), pa.string()))]
        )),
        "view": pa.array(["some text that is longer"] * 2000, pa.string_view()),
    }
)  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd", "row_group_size": 100, "use_dictionary": ["who"], "store_schema": False},
        {"compression": "snappy", "row_group_size": 700, "write_statistics": ["who", "long"]},
        {"compression": "gzip", "write_statistics": False, "use_dictionary": False},
        {"compression": {"who": "snappy", "long": "zstd"}, "use_deprecated_int96_timestamps": True},
        {"compression": "none", "write_page_index": True, "store_decimal_as_integer": True, "data_page_size": 100},
    ],
)
def test_a_rewritten_file_keeps_size_layout_and_types(tmp_path: Path, options: dict[str, Any]) -> None:
    source, target = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(WIDE.replace_schema_metadata({"note": "kept"}), source, **options)

    left = rewriting.rewrite(source, target, ByValue("who", frozenset({"a"})))

    assert left == 1200
    assert target.stat().st_size == source.stat().st_size
    was, now = pq.ParquetFile(source), pq.ParquetFile(target)
    assert now.metadata.num_row_groups == was.metadata.num_row_groups
    assert [str(each) for each in now.schema] == [str(each) for each in was.schema]
    assert now.schema_arrow.metadata == was.schema_arrow.metadata
    first, second = rewriting.layout_of(was), rewriting.layout_of(now)
    assert (second.bounded, second.indexed, second.legacy_moments) == (
        first.bounded,
        first.indexed,
        first.legacy_moments,
    )
    expected = [row for row in duckdb_rows(source) if row[0] != "a"]
    assert duckdb_rows(target) == expected
    assert pl.read_parquet(target).height == 1200


def duckdb_rows(path: Path) -> list[Any]:
    with duckdb.connect() as connection:  # its own: other tests close and change the one that all share
        return connection.execute(f"SELECT * FROM read_parquet('{path}')").fetchall()


def test_a_footer_of_before_finds_no_page_in_the_file_of_after(tmp_path: Path) -> None:
    source, paths = tmp_path / "0.parquet", [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    pq.write_table(pa.table({"n": range(1000), "who": ["a", "b"] * 500}), source, compression="NONE")
    rewriting.rewrite(source, paths[0], ByValue("n", frozenset({"1"})))
    rewriting.rewrite(paths[0], paths[1], ByValue("n", frozenset({"2"})))

    for before, after in ((source, paths[0]), (paths[0], paths[1])):
        footer = pq.read_metadata(before)
        assert pq.read_table(after).num_rows == footer.num_rows - 1
        for column in ("n", "who"):
            with pytest.raises((OSError, pa.ArrowException)):
                pq.ParquetFile(after, metadata=footer).read(columns=[column])


def test_a_file_that_would_grow_is_refused(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewriting, "fit", lambda *_given: False)
    before = {path: path.read_bytes() for path in files_of(table)}

    with pytest.raises(StoreError):
        erase(table, value(GONE))
    assert {path: path.read_bytes() for path in files_of(table)} == before


def test_columns_without_statistics_get_none(tmp_path: Path) -> None:
    table = Table(tmp_path, "loans", clock=Clock())
    with table.lock() as writer, writer.staging() as folder:
        change = Change(
            making.SCHEMA,
            [making.stage(folder, [(key, key) for key in range(9)])],
            making.origin(Mode.APPEND, "k", 9),
            withhold_stats=frozenset({"value"}),
        )
        writer.commit(change)

    erase(table, value(8))

    stats = json.loads(table.log.manifest(0).record["added"][0]["stats"])
    assert stats["numRecords"] == 8
    assert set(stats["maxValues"]) == {"id", "text"}
    assert stats["maxValues"]["id"] == 7


@pytest.mark.parametrize(
    ("column", "gone", "left"),
    [
        ("text", {"ana"}, ["ana maria", None, "b"]),
        ("coded", {"ana"}, ["ana maria", None, "b"]),
        ("number", {"7"}, [70, None, 8]),
    ],
)
def test_rows_go_by_value(column: str, gone: set[str], left: list[Any]) -> None:
    found = pa.record_batch(
        {
            "text": ["ana", "ana maria", None, "b"],
            "coded": pa.array(["ana", "ana maria", None, "b"]).dictionary_encode(),
            "number": [7, 70, None, 8],
        }
    )
    from lastro.store.erasure.finding import stays

    assert found.filter(stays(ByValue(column, frozenset(gone)), found)).column(column).to_pylist() == left


def test_rows_go_by_a_word_in_a_text() -> None:
    from lastro.store.erasure.finding import stays

    found = pa.record_batch({"record": ['{"who":"tok-1"}', '{"who":"tok-12"}', "tok-1", "xtok-1", None, "a.*"]})
    doomed = ByText("record", frozenset({"tok-1", ".*"} | {f"none {each}" for each in range(250)}))

    left = found.filter(stays(doomed, found)).column("record").to_pylist()
    assert left == ['{"who":"tok-12"}', "xtok-1", None, "a.*"]


def test_nested_columns_of_a_table(tmp_path: Path) -> None:
    table = Table(tmp_path, "loans", clock=Clock())
    schema = Schema(
        (
            Field("who", Primitive.STRING),
            Field("deep", StructOf((Field("a", Primitive.LONG), Field("b", ListOf(Primitive.STRING))))),
        )
    )
    deep = pa.array([{"a": 1, "b": ["x"]}, {"a": None, "b": None}, None], pa.struct(
        [("a", pa.int64()), ("b", pa.list_(pa.string()))]
    ))  # fmt: skip
    with table.lock() as writer, writer.staging() as folder:
        pq.write_table(pa.table({"who": ["a", "b", "c"], "deep": deep}), folder / "rows.parquet")
        change = Change(schema, [making.StagedFile(folder / "rows.parquet", 3)], making.origin(Mode.APPEND, "k", 3))
        writer.commit(change)

    erase(table, ByValue("who", frozenset({"a"})))

    assert DeltaTable(str(table.path)).to_pyarrow_table().to_pylist() == [
        {"who": "b", "deep": {"a": None, "b": None}},
        {"who": "c", "deep": None},
    ]


def test_a_file_that_grows_at_first_is_written_with_more_effort(tmp_path: Path) -> None:
    chance = random.Random(3)
    source, target = tmp_path / "a.parquet", tmp_path / "b.parquet"
    rows = {
        "who": [f"tok_{chance.randrange(40):04x}" for _row in range(5000)],
        "day": [chance.randrange(9000) for _row in range(5000)],
        "n": [chance.random() for _row in range(5000)],
    }
    pq.write_table(pa.table(rows), source, compression="zstd", compression_level=1, store_schema=False)
    grew = []
    for number in range(12):
        fit = rewriting.fit

        def counting(*given: Any, fit: Any = fit) -> bool:
            grew.append(not fit(*given))
            return not grew[-1]

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(rewriting, "fit", counting)
            rewriting.rewrite(source, target, ByValue("day", frozenset({str(rows["day"][number])})))
        assert target.stat().st_size == source.stat().st_size
        assert pq.read_table(target)["day"].to_pylist() == [day for day in rows["day"] if day != rows["day"][number]]
    with pytest.MonkeyPatch.context() as patched:
        attempts = iter([False] * 7 + [True])
        patched.setattr(rewriting, "fit", lambda *given: fit(*given) and next(attempts))
        rewriting.rewrite(source, target, ByValue("who", frozenset({rows["who"][0]})))
    assert target.stat().st_size == source.stat().st_size


def test_numbers_in_a_row_that_lose_some_still_fit(tmp_path: Path) -> None:
    chance = random.Random(1)
    columns = {
        "who": [f"customer{row % 5000:05d}" for row in range(60_000)],
        "n": range(60_000),
        "v": [chance.random() for _row in range(60_000)],
    }
    source, target = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(pa.table(columns), source, compression="ZSTD", use_dictionary=["who"])

    rows = rewriting.rewrite(source, target, ByValue("who", frozenset({"customer00007"})))

    found = pq.read_table(target)
    assert (rows, target.stat().st_size) == (59_988, source.stat().st_size)
    assert found.equals(pq.read_table(source, filters=[("who", "!=", "customer00007")]))
    assert duckdb.connect().execute(f"SELECT count(*), sum(n) FROM '{target}'").fetchall() == [
        (59_988, sum(found["n"].to_pylist()))
    ]
