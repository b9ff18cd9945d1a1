"""Versions of a table: written, found, read, tagged, restored, refused."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from tests.store import making
from tests.store.making import SCHEMA, Clock, append, content, origin, overwrite, restore, stage, upsert

from lastro.model.errors import (
    BreakingChange,
    Conflict,
    Corrupted,
    Locked,
    NameRefused,
    StoreError,
    UnknownName,
    UsageError,
)
from lastro.model.reference import Reference
from lastro.model.schema import Field, Primitive, Schema
from lastro.model.version import Mode, Origin, RowCounts
from lastro.store.table import Table, tables
from lastro.store.writer import Change


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path, "loans", clock=Clock())


def find(table: Table, selector: str) -> int:
    return table.find(Reference.parse(f"loans@{selector}").selector).number


def test_a_new_dataset_has_no_version(table: Table) -> None:
    assert not table.exists
    assert table.head() is None
    assert table.history() == ()
    assert table.tags() == {}
    with pytest.raises(UnknownName):
        table.version(0)


def test_the_first_version_is_number_zero(table: Table) -> None:
    info = append(table, [(1, 10), (2, 20)], "first")

    assert (info.number, info.parent, info.rows, info.reference) == (0, None, 2, "loans@0")
    assert content(table) == [(1, 10), (2, 20)]
    assert table.exists


def test_versions_are_chained_and_read_the_same_by_another_handle(table: Table, tmp_path: Path) -> None:
    first, second = append(table, [(1, 10)], "a"), append(table, [(2, 20)], "b")

    other = Table(tmp_path, "loans")
    assert second.parent == first.digest
    assert other.history() == (second, first)
    assert other.history(limit=1) == (second,)
    assert other.head() == second


def test_every_mode_changes_what_it_should(table: Table) -> None:
    append(table, [(1, 10), (2, 20)], "a")
    upsert(table, [(2, 21), (3, 30)], "b")
    overwrite(table, [(9, 90)], "c")
    restore(table, 1, "d")

    assert [content(table, number) for number in range(4)] == [
        [(1, 10), (2, 20)],
        [(1, 10), (2, 21), (3, 30)],
        [(9, 90)],
        [(1, 10), (2, 21), (3, 30)],
    ]
    assert [info.rows for info in table.history()] == [3, 1, 3, 2]


def test_the_same_key_is_answered_with_the_first_result(table: Table) -> None:
    first = append(table, [(1, 10)], "once")
    append(table, [(2, 20)], "between")

    again = append(table, [(1, 10)], "once")

    assert again == first
    assert content(table) == [(1, 10), (2, 20)]


def test_a_restore_under_the_same_key_is_answered_with_the_first_result(table: Table) -> None:
    append(table, [(1, 10)], "a")
    append(table, [(2, 20)], "b")

    assert restore(table, 0, "back") == restore(table, 0, "back")
    assert len(table.history()) == 3


def test_an_empty_batch_makes_a_version_with_the_same_rows(table: Table) -> None:
    append(table, [(1, 10)], "a")

    with table.lock() as writer:
        info = writer.commit(Change(SCHEMA, [], Origin(Mode.APPEND, "b", counts=RowCounts(5, 0, 5))))

    assert (info.number, info.rows) == (1, 1)


@pytest.mark.parametrize(
    ("selector", "number"),
    [("latest", 2), ("1", 1), ("2026-01-01", 0), ("2026-01-02T00:00:00Z", 1), ("2026-06-01", 2), ("good", 1)],
)
def test_references_find_their_version(table: Table, selector: str, number: int) -> None:
    clock = table.clock
    assert isinstance(clock, Clock)
    for key in range(3):
        append(table, [(key, key)], str(key))
        clock.pass_(days=1)
    table.tag("good", 1)

    assert find(table, selector) == number


def test_a_digest_finds_its_version(table: Table) -> None:
    first = append(table, [(1, 10)], "a")
    append(table, [(2, 20)], "b")

    assert find(table, first.digest) == 0
    assert find(table, first.digest[:20]) == 0


@pytest.mark.parametrize("selector", ["7", "nowhere", "2025-12-31", "sha256:00000000"])
def test_what_is_not_there_is_named(table: Table, selector: str) -> None:
    append(table, [(1, 10)], "a")

    with pytest.raises(UnknownName, match="loans"):
        find(table, selector)


def test_commit_time_never_goes_back(table: Table) -> None:
    clock = table.clock
    assert isinstance(clock, Clock)
    first = append(table, [(1, 10)], "a")
    clock.now -= timedelta(days=400)

    second = append(table, [(2, 20)], "b")

    assert second.committed == first.committed
    assert find(table, "2026-01-01") == 1


def test_tags_move_and_go(table: Table) -> None:
    for key in range(3):
        append(table, [(key, key)], str(key))
    table.tag("approved", 0)
    table.tag("approved", 2)
    table.tag("old", 1)

    table.untag("old")

    assert table.tags() == {"approved": 2}
    with pytest.raises(UnknownName):
        table.untag("old")


@pytest.mark.parametrize("tag", ["latest", "17", "2026-01-31", "../x", "A", "", "a/b", "sha256:00000000"])
def test_a_tag_is_a_name_that_means_nothing_else(table: Table, tag: str) -> None:
    append(table, [(1, 10)], "a")

    with pytest.raises(NameRefused):
        table.tag(tag, 0)


def test_a_tag_needs_a_version(table: Table) -> None:
    append(table, [(1, 10)], "a")

    with pytest.raises(UnknownName):
        table.tag("good", 1)


@pytest.mark.parametrize(
    "name",
    ["", "../x", "/etc", "a/b", "a..b", ".hidden", "-x", "A", "a\x00b", "a\nb", "é", "a" * 64, "con ", "a\\b", "%2e"],
)
def test_hostile_names_never_form_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(NameRefused):
        Table(tmp_path / "inside", name)

    assert list(tmp_path.iterdir()) == []


def test_the_datasets_with_a_table_are_listed(tmp_path: Path) -> None:
    for name in ("loans", "customers", "loans.quarantine"):
        append(Table(tmp_path, name), [(1, 10)], "a")
    (tmp_path / "tables" / "empty").mkdir()
    (tmp_path / "tables" / "Not A Name").mkdir()
    (tmp_path / "tables" / "link").symlink_to(tmp_path / "tables" / "loans")

    assert tables(tmp_path) == ("customers", "loans")
    assert tables(tmp_path, quarantine=True) == ("customers", "loans", "loans.quarantine")
    assert tables(tmp_path / "nowhere") == ()


def test_rows_that_were_lost_are_refused(table: Table) -> None:
    append(table, [(1, 10)], "a")

    with table.lock() as writer, writer.staging() as folder:
        change = Change(SCHEMA, [stage(folder, [(2, 20)])], Origin(Mode.APPEND, "b", counts=RowCounts(3, 2, 1)))
        with pytest.raises(StoreError, match="lost or doubled"):
            writer.commit(change)

    assert content(table) == [(1, 10)]


@pytest.mark.parametrize("counts", [RowCounts(3, 1, 1), RowCounts(1, 1, 1), RowCounts(0, 0, 0)])
def test_counts_that_do_not_add_up_are_refused(table: Table, counts: RowCounts) -> None:
    with table.lock() as writer, writer.staging() as folder:
        change = Change(SCHEMA, [stage(folder, [(2, 20)])], Origin(Mode.APPEND, "b", counts=counts))
        with pytest.raises(StoreError):
            writer.commit(change)

    assert not table.exists


def test_an_upsert_may_bring_survivors_but_not_more_than_were_there(table: Table) -> None:
    append(table, [(1, 10), (2, 20)], "a")
    head = table.head()
    assert head is not None
    with table.lock() as writer, writer.staging() as folder:
        files = [stage(folder, [(9, 9)] * 4)]
        change = Change(SCHEMA, files, origin(Mode.UPSERT, "b", 1), removed=[head.files[0].path])
        with pytest.raises(StoreError, match="lost or doubled"):
            writer.commit(change)


def test_a_staged_file_is_what_it_claims_to_be(table: Table, tmp_path: Path) -> None:
    with table.lock() as writer, writer.staging() as folder:
        staged = stage(folder, [(1, 10)])
        (folder / "text.parquet").write_text("not parquet")
        (folder / "link.parquet").symlink_to(staged.path)
        wrong = [
            making.StagedFile(staged.path, 2),
            making.StagedFile(folder / "text.parquet", 1),
            making.StagedFile(folder / "link.parquet", 1),
            making.StagedFile(folder / "absent.parquet", 1),
        ]
        for file in wrong:
            with pytest.raises(StoreError, match="nothing was committed"):
                writer.commit(Change(SCHEMA, [file], origin(Mode.APPEND, "x")))

    assert not table.exists


def test_columns_of_a_staged_file_are_the_schemas(table: Table) -> None:
    other = Schema((*SCHEMA.fields[:2], Field("more", Primitive.STRING)))
    with table.lock() as writer, writer.staging() as folder, pytest.raises(StoreError, match="other columns"):
        writer.commit(Change(other, [stage(folder, [(1, 1)])], origin(Mode.APPEND, "x")))


def test_a_nullable_column_may_be_added_and_old_files_stay(table: Table) -> None:
    append(table, [(1, 10)], "a")
    wider = Schema((*SCHEMA.fields, Field("more", Primitive.DOUBLE)))

    with table.lock() as writer, writer.staging() as folder:
        info = writer.commit(Change(wider, [stage(folder, [(2, 20)])], origin(Mode.APPEND, "b", 1)))

    assert info.schema == wider
    assert table.version(0).schema == SCHEMA


@pytest.mark.parametrize(
    "after",
    [
        Schema(SCHEMA.fields[:2]),
        Schema((*SCHEMA.fields, Field("more", Primitive.LONG, nullable=False))),
        Schema((Field("id", Primitive.STRING), *SCHEMA.fields[1:])),
        Schema((Field("id", Primitive.LONG, nullable=False), *SCHEMA.fields[1:])),
    ],
)
def test_a_schema_that_stored_rows_do_not_fit_is_refused(table: Table, after: Schema) -> None:
    append(table, [(1, 10)], "a")

    with table.lock() as writer, pytest.raises(BreakingChange):
        writer.commit(Change(after, [], origin(Mode.APPEND, "b")))

    assert len(table.history()) == 1


def test_an_overwrite_may_bring_any_schema(table: Table) -> None:
    append(table, [(1, 10)], "a")
    other = Schema(
        (Field("id", Primitive.LONG), Field("value", Primitive.LONG), Field("text", Primitive.STRING, False))
    )

    with table.lock() as writer, writer.staging() as folder:
        change = Change(other, [stage(folder, [(2, 20)])], origin(Mode.OVERWRITE, "b", 1), replace_all=True)
        info = writer.commit(change)

    assert info.schema == other


def test_values_that_json_cannot_hold_are_refused(table: Table) -> None:
    broken = Origin(Mode.APPEND, "x", cursor={"at": float("nan")})

    with table.lock() as writer, pytest.raises(UsageError, match="nothing was committed"):
        writer.commit(Change(SCHEMA, [], broken))

    assert not table.exists


def test_a_second_writer_is_told_who_holds_the_lock(table: Table, tmp_path: Path) -> None:
    other = Table(tmp_path, "loans")

    with table.lock(), pytest.raises(Locked, match=str(os.getpid())), other.lock(timeout_s=0.05):
        raise AssertionError

    with other.lock(timeout_s=0):
        pass


def test_the_lock_of_a_dead_process_is_free(table: Table, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, pathlib; from lastro.store.table import Table\n"
        "with Table(pathlib.Path(sys.argv[1]), 'loans').lock(): os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)

    with table.lock(timeout_s=0):
        assert done.returncode == -9


def test_a_child_made_by_fork_does_not_keep_the_lock(table: Table, tmp_path: Path) -> None:
    code = (
        "import os, sys, time, pathlib; from lastro.store.table import Table\n"
        "with Table(pathlib.Path(sys.argv[1]), 'loans').lock():\n"
        "    if os.fork() == 0: time.sleep(30); os._exit(0)\n"
        "    os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)

    with table.lock(timeout_s=0.5):
        assert table.head() is None


def test_a_writer_is_of_no_use_after_its_lock(table: Table) -> None:
    with table.lock() as writer:
        pass

    with pytest.raises(UsageError):
        writer.commit(Change(SCHEMA, [], origin(Mode.APPEND, "a")))
    with pytest.raises(UsageError):
        writer.find_key("a")


def test_staging_is_private_and_gone_afterwards(table: Table) -> None:
    with table.lock() as writer, writer.staging() as folder:
        mode = folder.stat().st_mode & 0o777
        (folder / "left").write_text("x")

    assert mode == 0o700
    assert not folder.exists()


def test_staging_of_a_dead_writer_is_removed_by_the_next(table: Table, tmp_path: Path) -> None:
    dead = tmp_path / ".lastro" / "staging" / ("0" * 32 + ".loans")
    other = tmp_path / ".lastro" / "staging" / ("1" * 32 + ".loans.quarantine")
    for folder in (dead, other):
        folder.mkdir(parents=True)
        (folder / "rows.parquet").write_text("x")

    with table.lock():
        pass

    assert not dead.exists()
    assert other.exists()


def test_data_files_are_read_only_and_lie_in_the_table(table: Table) -> None:
    info = append(table, [(1, 10)], "a")

    (path,) = table.paths(info)
    assert path.is_absolute()
    assert path.parent == table.path
    assert path.stat().st_mode & 0o222 == 0


def test_a_changed_file_is_refused_on_read(table: Table) -> None:
    info = append(table, [(1, 10)], "a")
    (path,) = table.paths(info)
    path.chmod(0o644)
    found = bytearray(path.read_bytes())
    found[len(found) // 2] ^= 1
    path.write_bytes(found)

    with pytest.raises(Corrupted, match=path.name):
        table.paths(info)
    assert table.paths(info, verify=False) == (path,)


def test_a_missing_file_is_named_on_read(table: Table) -> None:
    info = append(table, [(1, 10)], "a")
    table.paths(info)[0].unlink()

    with pytest.raises(Corrupted, match="missing"):
        table.paths(info)


@pytest.mark.parametrize("folder", [".", "_delta_log", "_lastro", "_lastro/manifests"])
def test_links_in_place_of_folders_are_not_followed(table: Table, tmp_path: Path, folder: str) -> None:
    append(table, [(1, 10)], "a")
    place = table.path / folder
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Corrupted, match="folder"):
        table.head()


def test_a_link_in_place_of_a_data_file_is_not_followed(table: Table, tmp_path: Path) -> None:
    info = append(table, [(1, 10)], "a")
    (path,) = table.paths(info)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Corrupted):
        table.paths(info)


def test_readers_see_whole_versions_while_a_writer_commits(table: Table, tmp_path: Path) -> None:
    append(table, [(0, 0), (0, 1)], "first")
    stop, wrong = threading.Event(), []

    def read() -> None:
        other = Table(tmp_path, "loans")
        while not stop.is_set():
            rows = content(other)
            if len(rows) % 2 or {key for key, _ in rows} != set(range(len(rows) // 2)):
                wrong.append(rows)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for key in range(1, 25):
        upsert(table, [(key, 0), (key, 1)], str(key))
    stop.set()
    for reader in readers:
        reader.join()

    assert wrong == []


def test_a_plan_made_on_another_version_is_refused(table: Table) -> None:
    append(table, [(1, 10)], "a")
    with table.lock() as writer, writer.staging() as folder:
        change = making.upsert_change(table, writer, folder, [(1, 11)], "b")
        staged = [(file.path.name, file.path.read_bytes(), file.rows) for file in change.added]
    append(table, [(1, 12)], "c")

    with table.lock() as writer, writer.staging() as folder:
        for name, found, _rows in staged:
            (folder / name).write_bytes(found)
        files = [making.StagedFile(folder / name, rows) for name, _found, rows in staged]
        late = Change(SCHEMA, files, change.origin, removed=change.removed, planned_at=change.planned_at)
        with pytest.raises(Conflict, match="still at version 1"):
            writer.commit(late)

    assert content(table) == [(1, 10), (1, 12)]


def test_opening_a_table_loads_no_heavy_library(table: Table, tmp_path: Path) -> None:
    append(table, [(1, 10)], "a")
    code = (
        "import sys, pathlib; from lastro.store.table import Table; t = Table(pathlib.Path(sys.argv[1]), 'loans')\n"
        "t.paths(t.head()); t.tag('x', 0)\n"
        "with t.lock() as w: w.find_key('a')\n"
        "sys.exit(', '.join({'pyarrow', 'deltalake', 'duckdb', 'numpy', 'polars'} & set(sys.modules)) or 0)"
    )

    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
