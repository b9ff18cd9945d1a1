"""Damage of every kind: found, located, mended where it can be proven; and no alarm where there is none."""

from __future__ import annotations

import json
import random
import shutil
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from tests.store.making import START, Clock, append, content, files_of, overwrite, restore, upsert

from lastro.model.errors import Conflict, Corrupted
from lastro.model.version import Mode
from lastro.store import checkpoint
from lastro.store.check import Kind, verify
from lastro.store.collect import collect
from lastro.store.log import Log
from lastro.store.repair import repair
from lastro.store.table import Table


def build(root: Path) -> Table:
    """Versions of every mode, tags, a checkpoint, a full listing; none of it expired."""
    table = Table(root, "loans", clock=Clock())
    for key in range(60):
        append(table, [(key, key)], str(key))
    upsert(table, [(1, 11), (2, 22)], "u")
    overwrite(table, [(key, 0) for key in range(9)], "o")
    restore(table, 60, "r")
    for key in range(100, 105):
        append(table, [(key, key)], str(key))
    table.tag("approved", 60)
    table.tag("old", 3)
    return table


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Table:
    return build(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def table(whole: Table, tmp_path: Path) -> Table:
    """A copy that a test may damage."""
    shutil.copytree(whole.places.root, tmp_path / "copy")
    return Table(tmp_path / "copy", "loans")


def damaged(table: Table, *, read_data: bool = True) -> list[tuple[Kind, str, bool]]:
    return [(damage.kind, damage.path, damage.repairable) for damage in verify(table, read_data=read_data)]


def mended(table: Table) -> None:
    """Repairs, and asserts that nothing is left to repair or find."""
    told = repair(table)
    done = repair(table, apply=True)

    assert [(one.kind, one.path) for one in told] == [(one.kind, one.path) for one in done]
    assert not any(one.done for one in told)
    assert all(one.done for one in done)
    assert damaged(Table(table.places.root, "loans")) == []


def test_a_whole_table_raises_no_alarm(whole: Table) -> None:
    before = {path: path.read_bytes() for path in files_of(whole)}

    assert verify(whole) == verify(whole, read_data=True) == repair(whole) == repair(whole, apply=True) == ()
    assert {path: path.read_bytes() for path in files_of(whole)} == before


def test_an_empty_dataset_raises_no_alarm(tmp_path: Path) -> None:
    assert verify(Table(tmp_path, "loans"), read_data=True) == ()


def flips(whole: Table, count: int, seed: int) -> list[tuple[str, int, int]]:
    """Random files, places in them and bits; small files as often as large ones."""
    chance = random.Random(seed)
    places = [path for path in files_of(whole) if path.stat().st_size and not is_hint(path)]
    kinds = sorted({path.parent for path in places})
    found = []
    for _flip in range(count):
        folder = chance.choice(kinds)
        path = chance.choice([path for path in places if path.parent == folder])
        place = chance.randrange(path.stat().st_size)
        found.append((path.relative_to(whole.path).as_posix(), place, 1 << chance.randrange(8)))
    return found


def is_hint(path: Path) -> bool:
    """True for the notes on checkpoints: the next lock drops what they no longer vouch for, and that is all."""
    return path.name == "_last_checkpoint" or path.parent.name == "checkpoints"


def flip(path: Path, place: int, bit: int) -> bytes:
    """Flips one bit; returns what was there."""
    before = path.read_bytes()
    after = bytearray(before)
    after[place] ^= bit
    path.chmod(0o644)
    path.write_bytes(after)
    return before


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """A few versions of every mode, a tag, a checkpoint: quick to verify two hundred times."""
    table = Table(tmp_path_factory.mktemp("small"), "loans", clock=Clock())
    for key in range(6):
        append(table, [(key, key)], str(key))
    checkpoint.write(table.places, 5)
    upsert(table, [(1, 11), (2, 22)], "u")
    overwrite(table, [(key, 0) for key in range(9)], "o")
    restore(table, 6, "r")
    table.tag("approved", 6)
    return table


def check_flips(whole: Table, folder: Path, count: int, seed: int) -> None:
    shutil.copytree(whole.places.root, folder)
    table = Table(folder, "loans")
    for name, place, bit in flips(whole, count, seed):
        path = table.path / name
        before = flip(path, place, bit)
        found = verify(Table(folder, "loans"), read_data=True)
        assert [damage.path for damage in found] == [name], f"{name} at {place}, bit {bit}"
        if found[0].repairable and found[0].kind not in (Kind.CHECKPOINT, Kind.KEYS):
            repair(Table(folder, "loans"), apply=True)
            assert path.read_bytes() == before, f"{name} at {place}, bit {bit}"
        elif found[0].repairable:
            repair(Table(folder, "loans"), apply=True)
            shutil.rmtree(folder)
            shutil.copytree(whole.places.root, folder)
        else:
            assert found[0].kind in (Kind.DATA, Kind.TAG)
            path.write_bytes(before)
    assert verify(Table(folder, "loans"), read_data=True) == ()


def test_any_flipped_bit_is_found_and_located(small: Table, quick_folder: Path) -> None:
    check_flips(small, quick_folder / "copy", 200, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 52))
def test_a_hundred_thousand_flipped_bits(whole: Table, quick_folder: Path, seed: int) -> None:
    check_flips(whole, quick_folder / "copy", 2000, seed=seed)


@pytest.mark.parametrize("number", [0, 30, 64, 67])
@pytest.mark.parametrize("keep", [0, 1, 200])
def test_a_truncated_commit_is_made_again_byte_for_byte(table: Table, number: int, keep: int) -> None:
    path = table.places.commit(number)
    before, modified = path.read_bytes(), path.stat().st_mtime_ns
    path.write_bytes(before[:keep])

    assert damaged(table) == [(Kind.COMMIT, f"_delta_log/{number:020d}.json", True)]
    mended(table)
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == modified


@pytest.mark.parametrize("number", [0, 30, 64, 67])
def test_a_missing_manifest_is_made_again_byte_for_byte(table: Table, number: int) -> None:
    path = table.places.manifest(number)
    before = path.read_bytes()
    path.unlink()

    if number == 67:  # the newest: what a crash may leave is put in order by whoever opens the table
        assert table.head() is not None
    else:
        assert damaged(table) == [(Kind.MANIFEST, f"_lastro/manifests/{number}.json", True)]
        mended(table)
    assert path.read_bytes() == before


def test_all_manifests_are_made_again_from_the_commits(table: Table, whole: Table) -> None:
    shutil.rmtree(table.places.manifests)

    head = Table(table.places.root, "loans").head()

    assert head == whole.head()
    assert damaged(table) == []


def test_all_commits_are_made_again_from_the_manifests(table: Table, whole: Table) -> None:
    for path in table.places.log.glob("*.json"):
        path.unlink()

    mended(table)
    for path in whole.places.log.glob("*.json"):
        assert (table.places.log / path.name).read_bytes() == path.read_bytes()


def test_a_version_that_lost_manifest_and_commit_is_reported_and_the_rest_is_still_proven(table: Table) -> None:
    for path in (table.places.commit(10), table.places.manifest(10)):
        path.write_bytes(b"{")

    found = damaged(table)

    assert {(kind, path) for kind, path, _repairable in found} == {
        (Kind.MANIFEST, "_lastro/manifests/10.json"),
        (Kind.COMMIT, "_delta_log/00000000000000000010.json"),
    }
    assert not any(repairable for _kind, _path, repairable in found)
    assert content(table)[0] == (0, 0)  # the newest version stands on a later full listing
    with pytest.raises(Corrupted):
        table.version(12)


def test_a_manifest_of_another_history_is_found(table: Table, tmp_path: Path) -> None:
    other = Table(tmp_path / "other", "loans")
    for key in range(12):
        append(other, [(key, -key)], f"other {key}")
    shutil.copy(other.places.manifest(10), table.places.manifest(10))

    assert [path for _kind, path, _repairable in damaged(table)][:1] == ["_lastro/manifests/10.json"]


def test_a_writer_refuses_a_damaged_newest_commit_until_it_is_repaired(table: Table) -> None:
    table.places.commit(67).write_bytes(b"")

    with pytest.raises(Corrupted, match="repair"), table.lock():
        raise AssertionError
    assert len(content(table)) == 65
    mended(table)
    assert append(table, [(999, 0)], "after").number == 68


@pytest.mark.parametrize("found", [b"", b"{", b'{"commitInfo":{}', b"\x00" * 500])
def test_a_torn_commit_that_was_never_acknowledged_is_set_aside(table: Table, found: bytes) -> None:
    table.places.commit(68).write_bytes(found)

    head = table.head()
    assert head is not None
    assert head.number == 67
    assert damaged(table) == [(Kind.TORN, f"_delta_log/{68:020d}.json", True)]
    with pytest.raises(Corrupted), table.lock():
        raise AssertionError
    mended(table)
    assert [path.read_bytes() for path in (table.places.own / "aside").iterdir()] == [found]
    assert append(table, [(999, 0)], "after").number == 68


def test_a_cut_commit_of_ours_without_a_manifest_is_set_aside(table: Table) -> None:
    append(table, [(999, 0)], "cut")
    table.places.manifest(68).unlink()
    lines = table.places.commit(68).read_bytes().splitlines(keepends=True)
    table.places.commit(68).write_bytes(b"".join(lines[:-1]))

    assert damaged(table) == [(Kind.TORN, f"_delta_log/{68:020d}.json", True)]
    mended(table)
    assert append(table, [(999, 0)], "cut").number == 68


def test_a_gap_in_the_commits_is_reported(table: Table) -> None:
    table.places.commit(69).write_bytes(table.places.commit(67).read_bytes())

    assert damaged(table) == [(Kind.COMMIT, f"_delta_log/{69:020d}.json", False)]


def test_a_missing_data_file_is_found_without_reading_data(table: Table) -> None:
    head = table.head()
    assert head is not None
    table.paths(head)[0].unlink()

    assert damaged(table, read_data=False) == [(Kind.DATA, head.files[0].path, False)]
    assert repair(table, apply=True) == ()


def test_a_sample_is_repeatable_and_as_large_as_asked(table: Table) -> None:
    for path in table.path.glob("*.parquet"):
        flip(path, 100, 1)
    files = len(list(table.path.glob("*.parquet")))

    def sample(share: float, seed: int) -> list[str]:
        return [damage.path for damage in verify(table, read_data=True, subset=share, seed=seed)]

    assert len(sample(0.25, 1)) == -(-files // 4)
    assert sample(0.25, 1) == sample(0.25, 1) != sample(0.25, 2)
    assert (len(sample(1.0, 1)), len(sample(0.0, 1))) == (files, 0)


def test_a_damaged_tag_names_its_file_and_is_mended_from_the_digest_in_it(table: Table) -> None:
    path = table.places.tags / "approved.json"
    before = path.read_bytes()
    flip(path, before.index(b'"lastro":1') + 1, 1)

    with pytest.raises(Corrupted, match=r"approved\.json"):
        table.tags()
    assert damaged(table) == [(Kind.TAG, "_lastro/tags/approved.json", True)]
    mended(table)
    assert path.read_bytes() == before


def test_a_tag_file_under_another_name_is_damage(table: Table) -> None:
    shutil.copy(table.places.tags / "approved.json", table.places.tags / "forged.json")

    assert damaged(table) == [(Kind.TAG, "_lastro/tags/forged.json", True)]


def test_a_flipped_bit_in_a_checkpoint_is_found_and_the_checkpoint_dropped(table: Table) -> None:
    (path,) = table.places.log.glob("*.checkpoint.parquet")
    flip(path, path.stat().st_size // 2, 4)

    assert damaged(table) == [(Kind.CHECKPOINT, f"_delta_log/{path.name}", True)]
    mended(table)
    assert not path.exists()
    assert DeltaTable(str(table.path)).to_pyarrow_table().num_rows == 65


def test_a_damaged_index_of_keys_is_found_not_used_and_dropped(table: Table) -> None:
    flip(table.places.keys, 100, 1)

    with table.lock() as writer:
        assert [writer.find_key(key) is not None for key in ("3", "o", "104", "new")] == [True, True, True, False]
    assert damaged(table) == [(Kind.KEYS, "_lastro/keys.json", True)]
    mended(table)
    assert not table.places.keys.exists()


def foreign_append(table: Table, key: int) -> None:
    columns = {"id": pa.array([key], pa.int64()), "value": pa.array([0], pa.int64()), "text": pa.array(["x"])}
    write_deltalake(str(table.path), pa.table(columns), mode="append")


def test_another_writers_commit_is_told_and_taken_over_only_on_request(table: Table) -> None:
    foreign_append(table, 1000)

    head = table.head()
    assert head is not None
    assert head.number == 67
    with pytest.raises(Conflict, match="lastro repair loans --apply"):
        append(table, [(1001, 0)], "ours")
    assert damaged(table) == [(Kind.FOREIGN, f"_delta_log/{68:020d}.json", True)]
    mended(table)
    adopted = table.version(68)
    assert (adopted.origin.mode, adopted.rows, adopted.parent) == (Mode.APPEND, 66, head.digest)
    assert (1000, 0) in content(table)
    assert append(table, [(1001, 0)], "ours").number == 69
    assert DeltaTable(str(table.path)).to_pyarrow_table().num_rows == 67


def test_several_foreign_commits_of_every_kind_are_taken_over_in_order(table: Table) -> None:
    foreign_append(table, 1000)
    delta = DeltaTable(str(table.path))
    delta.delete("id = 1000")
    delta.optimize.compact()
    restore_to = DeltaTable(str(table.path))
    restore_to.restore(68)
    expected = sorted(restore_to.to_pyarrow_table()["id"].to_pylist())

    mended(table)
    head = table.head()
    assert head is not None
    assert head.number == 71
    assert [key for key, _value in content(table)] == expected
    modes = [info.origin.mode for info in table.history(limit=4)]
    assert modes == [Mode.RESTORE, Mode.UPSERT, Mode.UPSERT, Mode.APPEND]


def test_an_adopted_commit_is_put_back_byte_for_byte(table: Table) -> None:
    foreign_append(table, 1000)
    mended(table)
    before = table.places.commit(68).read_bytes()
    table.places.commit(68).write_bytes(b"")

    mended(table)
    assert table.places.commit(68).read_bytes() == before


def test_a_whole_foreign_table_is_taken_over(tmp_path: Path) -> None:
    table = Table(tmp_path, "loans")
    for key in range(3):
        foreign_append(table, key)

    assert not table.exists
    mended(table)
    assert [info.rows for info in table.history()] == [3, 2, 1]
    assert append(table, [(7, 7)], "ours").number == 3


def test_partitions_are_not_taken_over(tmp_path: Path) -> None:
    table = Table(tmp_path, "loans")
    write_deltalake(str(table.path), pa.table({"id": [1], "part": ["a"]}), partition_by=["part"])

    assert damaged(table) == [(Kind.FOREIGN, f"_delta_log/{0:020d}.json", False)]
    assert repair(table, apply=True) == ()


@pytest.mark.parametrize(
    "path", ["../../../secret.parquet", "/etc/passwd", "a/../../x", "%2e%2e/x", "_lastro/x", "a\\b", "a%00b", ""]
)
def test_a_foreign_commit_cannot_name_files_outside_the_table(table: Table, path: str) -> None:
    add = {"path": path, "partitionValues": {}, "size": 1, "modificationTime": 0, "dataChange": True}
    table.places.commit(68).write_text(json.dumps({"add": add}) + "\n")

    with pytest.raises(Corrupted, match="outside its table"):
        repair(table, apply=True)

    head = table.head()
    assert head is not None
    assert head.number == 67


@pytest.mark.parametrize(
    "action",
    [
        {"add": {"path": "x.parquet", "partitionValues": {}, "size": 1, "deletionVector": {"storageType": "u"}}},
        {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors"]}},
        {"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}},
        {"domainMetadata": {"domain": "x", "configuration": "", "removed": False}},
    ],
)
def test_features_lastro_does_not_use_are_not_taken_over(table: Table, action: dict[str, object]) -> None:
    table.places.commit(68).write_text(json.dumps(action) + "\n")

    assert damaged(table) == [(Kind.FOREIGN, f"_delta_log/{68:020d}.json", False)]


def test_damage_in_a_collected_table_is_no_alarm(tmp_path: Path) -> None:
    clock = Clock(START)
    table = Table(tmp_path, "loans", clock=clock)
    for key in range(5):
        overwrite(table, [(key, key)], str(key))
        clock.pass_(days=10)
    collect(table, keep=set(), grace=timedelta(days=7), apply=True)

    assert damaged(table) == []


def test_verify_runs_beside_a_writer(table: Table) -> None:
    with table.lock():
        assert damaged(Table(table.places.root, "loans")) == []


def test_the_checkpoint_of_the_example_is_there(whole: Table) -> None:
    assert checkpoint.EVERY in [int(path.name[:20]) for path in whole.places.log.glob("*.checkpoint.parquet")]
    assert [state.manifest.number for state in Log(whole.places).states(67) if state.manifest.listing] == [64]
