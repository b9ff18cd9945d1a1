"""Files with encrypted columns: written, read by every way that there is, and refused when they were changed."""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lastro.engine.duck import merge as merging
from lastro.engine.duck.engine import DuckEngine
from lastro.engine.duck.parquet import Writer, batches
from lastro.engine.encrypted import (
    NOTE,
    Sealing,
    clear,
    content_of,
    encrypted_in,
    metadata,
    needing,
    opened,
    sealing_of,
)
from lastro.model import schema as types
from lastro.model.errors import Corrupted, EngineError, NotPermitted
from lastro.model.keyed_path import KeyedPath, keyed
from lastro.model.schema import Field, Primitive, Schema
from lastro.privacy.columns import VaultColumnKeys
from lastro.privacy.root import RootAt
from lastro.privacy.vault import Vault

P = Primitive
SCHEMA = Schema((Field("id", P.LONG), Field("illness", P.STRING), Field("dose", P.LONG), Field("uf", P.STRING)))
ROWS = [
    {"id": 1, "illness": "zygomatic", "dose": 7731001, "uf": "SP"},
    {"id": 2, "illness": None, "dose": 7731002, "uf": "RJ"},
    {"id": 3, "illness": "quartan", "dose": None, "uf": None},
]
HIDDEN = frozenset({"illness", "dose"})


@pytest.fixture
def keys(tmp_path: Path) -> VaultColumnKeys:
    return VaultColumnKeys(Vault(tmp_path / "vault.sqlite", RootAt("file", tmp_path / "keys")))


@pytest.fixture
def engine(tmp_path: Path) -> DuckEngine:
    return DuckEngine(temp=tmp_path / "spill")


def written(folder: Path, keys: VaultColumnKeys, table: pa.Table, stem: str = "kept", hidden=HIDDEN) -> Path:
    folder.mkdir(exist_ok=True)
    with Writer(folder, stem, sealing=Sealing(hidden, keys)) as writer:
        for batch in table.to_batches():
            writer.write(batch)
    [file] = writer.files
    return file.path


@pytest.fixture
def path(tmp_path: Path, keys: VaultColumnKeys) -> Path:
    return written(tmp_path / "stage", keys, pa.Table.from_pylist(ROWS))


def read(engine: DuckEngine, *paths: Path, **how) -> list[dict]:
    return pa.RecordBatchReader.from_stream(engine.read(paths, SCHEMA, **how)).read_all().to_pylist()


def test_what_is_written_is_read_and_stands_nowhere_in_clear(engine, path, tmp_path):
    assert read(engine, path) == ROWS
    assert [row for batch in batches(path) for row in batch.to_pylist()] == ROWS
    assert (encrypted_in(path).columns, encrypted_in(path).key) == (("illness", "dose"), 1)
    raw = path.read_bytes()
    assert not [value for value in (b"zygomatic", b"quartan", (7731001).to_bytes(8, "little")) if value in raw]
    assert [each for each in tmp_path.rglob("*") if each.is_file() and b"zygomatic" in each.read_bytes()] == []


def test_the_footer_tells_nothing_of_encrypted_columns(path):
    group = metadata(path).row_group(0)

    assert {group.column(at).path_in_schema for at in range(4) if group.column(at).is_stats_set} == {"id", "uf"}
    assert pq.read_metadata(path).row_group(0).column(0).statistics.max == 3


def test_files_of_every_type_come_back(tmp_path, keys, engine):
    columns = {
        "t": (P.STRING, pa.array(["á" * 5000, "", None])),
        "b": (P.BOOLEAN, pa.array([True, None, False])),
        "r": (P.BINARY, pa.array([b"\0", b"", None])),
        "d": (P.DATE, pa.array([date(1, 1, 1), date(9999, 12, 31), None])),
        "m": (P.TIMESTAMP, pa.array([datetime(2026, 1, 1, tzinfo=UTC), None, None], pa.timestamp("us", "UTC"))),
        "f": (P.DOUBLE, pa.array([1.5, float("inf"), None])),
        "n": (types.Decimal(38, 9), pa.array([Decimal("1.000000001"), None, Decimal(-5)], pa.decimal128(38, 9))),
        "i": (P.INTEGER, pa.array([1, -(2**31), None], pa.int32())),
        "x": (P.STRING, pa.nulls(3, pa.string())),
    }
    table = pa.table({name: values for name, (_kind, values) in columns.items()})
    shape = Schema(tuple(Field(name, kind) for name, (kind, _values) in columns.items()))
    path = written(tmp_path / "stage", keys, table, hidden=frozenset(columns))

    found = pa.RecordBatchReader.from_stream(engine.read([path], shape)).read_all()
    assert found.to_pylist() == table.to_pylist()


def test_a_batch_without_rows_writes_no_file_and_one_of_only_encrypted_columns_is_read(tmp_path, keys, engine):
    (tmp_path / "none").mkdir()
    with Writer(tmp_path / "none", "kept", sealing=Sealing(HIDDEN, keys)) as writer:
        pass
    alone = written(tmp_path / "one", keys, pa.table({"illness": ["a"]}))

    assert writer.files == []
    assert read(engine, alone) == [{"id": None, "illness": "a", "dose": None, "uf": None}]


def test_conditions_measures_and_profiles_see_the_column(engine, path):
    assert [row["id"] for row in read(engine, path, where="ILLNESS = 'zygomatic' OR \"Dose\" > 7731001")] == [1, 2]
    assert read(engine, path, columns=["uf"], where="illness = 'quartan'") == [{"uf": None}]
    measured = engine.measure([path], SCHEMA, (), table="t")
    assert (measured.rows, measured.columns["illness"].nulls, measured.columns["dose"].maximum) == (3, 1, "7731002")
    assert engine.profile([path], SCHEMA).columns["dose"].nulls == 1


def test_files_with_and_without_encryption_are_one_table(engine, path, keys, tmp_path):
    plain = written(tmp_path / "plain", keys, pa.Table.from_pylist(ROWS), hidden=frozenset())

    assert read(engine, path, plain, path) == [*ROWS, *ROWS, *ROWS]
    assert not encrypted_in(plain).columns
    assert sealing_of([plain]) is None
    difference = engine.diff([plain], [path], SCHEMA, ["id"], limit=5)
    assert (difference.added, difference.removed, difference.changed) == (0, 0, 0)


def test_without_keys_other_columns_are_read_and_encrypted_ones_refused_by_name(engine, path):
    bare = Path(str(path))

    assert read(engine, bare, columns=["id", "uf"]) == [{"id": row["id"], "uf": row["uf"]} for row in ROWS]
    for asked in (
        lambda: opened(bare),
        lambda: metadata(bare),
        lambda: list(batches(bare)),
        lambda: sealing_of([bare]),
    ):
        with pytest.raises(NotPermitted, match="illness"):
            asked()
    with pytest.raises(EngineError):
        read(engine, bare)


def test_a_changed_byte_of_an_encrypted_column_is_refused(engine, path, keys, tmp_path):
    chunk = metadata(path).row_group(0).column(1)
    at = min(filter(None, (chunk.dictionary_page_offset, chunk.data_page_offset)))
    raw = bytearray(path.read_bytes())
    for place in (at + 20, at + chunk.total_compressed_size - 1):
        changed = keyed(tmp_path / f"changed-{place}.parquet", keys)
        changed.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        with pytest.raises(Corrupted, match="cannot be read") as caught:
            read(engine, changed)
        assert "zygomatic" not in str(caught.value)


def test_columns_of_two_files_cannot_be_swapped(engine, keys, tmp_path):
    one, other = (
        written(tmp_path / name, keys, pa.table({"id": [1], "illness": [text]}), hidden=frozenset({"illness"}))
        for name, text in (("one", "zygomatic"), ("other", "arthritis"))
    )
    chunks = [metadata(each).row_group(0).column(1) for each in (one, other)]
    assert chunks[0].total_compressed_size == chunks[1].total_compressed_size
    places = [min(filter(None, (each.dictionary_page_offset, each.data_page_offset))) for each in chunks]
    size, raw, taken = chunks[0].total_compressed_size, bytearray(one.read_bytes()), other.read_bytes()
    raw[places[0] : places[0] + size] = taken[places[1] : places[1] + size]
    one.write_bytes(raw)

    with pytest.raises(Corrupted):
        read(engine, one, columns=["illness"])


def test_a_changed_footer_is_refused(engine, path, keys, tmp_path):
    raw = path.read_bytes()
    changed = keyed(tmp_path / "changed.parquet", keys)
    changed.write_bytes(raw.replace(b'"key": 1', b'"key": 2'))

    with pytest.raises(Corrupted):
        read(engine, changed)


@pytest.mark.parametrize("note", [b"", b"[]", b'{"columns": 3}', b'{"columns": ["a"], "key": "x"}', b"\xff"])
def test_a_broken_note_is_damage(engine, keys, tmp_path, note):
    path = keyed(tmp_path / "a.parquet", keys)
    with pq.ParquetWriter(path, pa.schema([("id", pa.int64())])) as writer:
        writer.write_table(pa.table({"id": [1]}))
        writer.add_key_value_metadata({NOTE: note})

    with pytest.raises(Corrupted):
        read(engine, path)


def test_the_copy_in_memory_has_no_name_on_a_disk_and_ends_with_its_path(path, tmp_path):
    before = copies()
    again = keyed(path, path.keys)  # type: ignore[attr-defined]
    name = clear(again)
    assert os.readlink(name).startswith("/memfd:")
    assert clear(again) == name, "made once"
    assert not [each for each in tmp_path.rglob("*") if each.is_file() and b"zygomatic" in each.read_bytes()]
    del again
    gc.collect()

    assert copies() == before
    assert clear(Path("/plain.parquet")) == "/plain.parquet"


def test_many_files_are_read_one_at_a_time(engine, keys, tmp_path):
    paths = [
        written(tmp_path / "stage", keys, pa.table({"id": [number], "illness": [f"i{number}"]}), stem=f"k{number}")
        for number in range(12)
    ]
    before, most, found = copies(), 0, []
    for batch in pa.RecordBatchReader.from_stream(engine.read(paths, SCHEMA)):
        most = max(most, copies() - before)
        found += batch.column("illness").to_pylist()
    del batch
    gc.collect()

    assert found == [f"i{number}" for number in range(12)]
    assert 1 <= most <= 3
    assert copies() == before


def copies() -> int:
    """How many files in memory this process has open."""
    return sum(link.startswith("/memfd:lastro") for link in links())


def links() -> list[str]:
    found = []
    for each in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the folder's own
            found.append(os.readlink(f"/proc/self/fd/{each}"))
    return found


def test_no_room_in_memory_is_told(engine, path, monkeypatch):
    def full(_name: str, _flags: int) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "memfd_create", full)
    with pytest.raises(EngineError, match="no room in memory"):
        read(engine, path)
    assert read(engine, path, columns=["id"]) == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_a_system_without_files_in_memory_is_told(engine, path, monkeypatch):
    monkeypatch.delattr(os, "memfd_create")
    with pytest.raises(EngineError, match="this system has no files in memory"):
        read(engine, path)


def test_keys_are_looked_for_only_where_a_column_needs_them(path):
    [bare] = needing([path], ["id", "uf"])
    [shut] = needing([path], ["ILLNESS"])

    assert not isinstance(bare, KeyedPath)
    assert shut is path
    assert path == bare
    assert hash(path) == hash(bare)


def test_the_same_rows_have_the_same_content_whatever_the_keys_are(tmp_path, keys):
    table = pa.Table.from_pylist(ROWS)
    one, two = written(tmp_path / "one", keys, table), written(tmp_path / "two", keys, table)
    others = [
        written(tmp_path / "other", keys, table.set_column(1, "illness", pa.array(["zygomatic", None, "x"]))),
        written(tmp_path / "third", keys, table.set_column(3, "uf", pa.array(["SP", "RJ", "MG"]))),
    ]

    assert one.read_bytes() != two.read_bytes()
    assert content_of(one) == content_of(two)
    assert len({content_of(each) for each in (one, *others)}) == 3


def test_keys_are_found_without_the_encrypted_columns(path, tmp_path, engine, monkeypatch):
    monkeypatch.delattr(os, "memfd_create")
    other = tmp_path / "incoming.parquet"
    pq.write_table(pa.table({"id": [3]}), other)

    assert merging.holding([path], [other], ["id"], engine.limits, tmp_path / "spill") == (path,)


def test_recast_files_stay_encrypted(engine, path, tmp_path):
    wider = Schema((*SCHEMA.fields[:2], Field("dose", P.DOUBLE), SCHEMA.fields[3], Field("new", P.DATE)))
    (tmp_path / "recast").mkdir()
    [file] = engine.recast([path], wider, tmp_path / "recast")

    assert encrypted_in(file.path).columns == ("illness", "dose")
    assert b"zygomatic" not in file.path.read_bytes()
    found = pa.RecordBatchReader.from_stream(engine.read([file.path], wider)).read_all()
    assert found.column("dose").to_pylist() == [7731001.0, 7731002.0, None]
