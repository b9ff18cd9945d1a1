"""A fault at any system call leaves the old state or the new one; see `tests/store/failing.py`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.store.making import append, content, overwrite

from lastro.model.errors import StoreError, WriteFailed
from lastro.store.check import verify
from lastro.store.table import Table

ROOT = Path(__file__).resolve().parents[2]


def swept(folder: Path, stride: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.failing", str(folder), str(stride)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["wrong"] == [], done.stderr[-3000:]
    return found


def test_a_fault_at_any_call_leaves_the_old_or_the_new_state(quick_folder: Path) -> None:
    found = swept(quick_folder, 7)

    assert sum(found["points"].values()) >= 100
    assert set(found["points"]) == {"append", "upsert", "overwrite", "restore", "tag", "gc", "repair"}


@pytest.mark.soak
def test_a_fault_at_every_call_leaves_the_old_or_the_new_state(quick_folder: Path) -> None:
    assert sum(swept(quick_folder, 1)["points"].values()) >= 700


@pytest.fixture
def table(tmp_path: Path) -> Table:
    table = Table(tmp_path, "loans")
    append(table, [(1, 10)], "a")
    return table


LIMITED = """
import resource, sys
from pathlib import Path
from tests.store.making import append
from lastro.model.errors import WriteFailed
from lastro.store.table import Table
table = Table(Path(sys.argv[1]), "loans")
append(Table(Path(sys.argv[1]), "warm"), [(1, 1)], "so that everything is loaded")
with table.lock() as writer, writer.staging() as folder:
    from tests.store.making import SCHEMA, Mode, Change, origin, stage
    change = Change(SCHEMA, [stage(folder, [(2, 20)])], origin(Mode.APPEND, "b", 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        writer.commit(change)
    except WriteFailed as error:
        print(error)
        sys.exit(error.exit_code)
"""


def test_a_full_disk_is_told_and_changes_nothing(table: Table) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(table.places.root)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 3, done.stderr
    assert "LST-0401" in done.stdout
    assert "nothing was committed; loans is still at version 0" in done.stdout
    assert content(table) == [(1, 10)]
    assert sorted(path.name for path in table.path.glob("*.parquet")) == [
        entry.path for info in table.history() for entry in info.files
    ]
    assert content(table, append(table, [(2, 20)], "b").number) == [(1, 10), (2, 20)]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000


@pytest.mark.parametrize("place", [".lastro/locks", ".lastro/staging", "tables/loans/_lastro/temporary"])
def test_a_folder_that_cannot_be_written_is_told_and_changes_nothing(table: Table, place: str) -> None:
    folder = table.places.root / place
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink()
    folder.rmdir()
    folder.write_text("a file stands in the way, which stops root too")

    with pytest.raises(StoreError, match="loans") as caught:
        append(table, [(2, 20)], "b")

    assert caught.value.exit_code == 3
    folder.unlink()
    assert content(table) == [(1, 10)]
    assert verify(table, read_data=True) == ()


def test_the_first_commit_that_fails_leaves_no_version(tmp_path: Path) -> None:
    (tmp_path / "tables").write_text("in the way")
    table = Table(tmp_path, "loans")

    with pytest.raises(WriteFailed, match="loans has no version yet"):
        overwrite(table, [(1, 10)], "a")

    (tmp_path / "tables").unlink()
    assert not table.exists
    assert overwrite(table, [(1, 10)], "a").number == 0
