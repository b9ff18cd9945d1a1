"""A run that finds nothing new writes nothing, anywhere in the workspace."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.workspace.lake import GOOD, Lake

import lastro

SOURCES = {
    "files": "{kind: files, path: 'loans*.csv'}",
    "sqlite": "{kind: sqlite, path: loans.sqlite, table: loans}",
    "sqlite with a cursor": "{kind: sqlite, path: loans.sqlite, table: loans, cursor: id}",
    "logs": "{kind: logs, path: loans.csv, format: {pattern: '"
    "(?P<id>[^,]*),(?P<uf>[^,]*),(?P<income>[^,]*),(?P<applied_at>.*)'}}",
}
MODES = ("append", "overwrite", "upsert", "snapshot", "scd2")


def filled(folder: Path, source: str, mode: str) -> Lake:
    """A workspace whose source was read, and has rested long enough to be told apart by its times."""
    lake = Lake(folder)
    lake.csv.write_text(GOOD)
    with sqlite3.connect(folder / "loans.sqlite") as connection:
        connection.execute("CREATE TABLE loans (id INTEGER, uf TEXT, income REAL, applied_at TEXT)")
        connection.executemany("INSERT INTO loans VALUES (?, 'SP', ?, '2026-01-01')", [(n, n) for n in range(1, 9)])
    connection.close()
    for path in (lake.csv, folder / "loans.sqlite"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    lake.configure(mode=mode)
    text = (folder / "lastro.yaml").read_text().replace("{kind: files, path: 'loans*.csv'}", source)
    (folder / "lastro.yaml").write_text(text)
    lake.workspace = lastro.open(folder)
    return lake


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder with its size and its time of change."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.lstat()
        found[str(path.relative_to(folder))] = (status.st_size if path.is_file() else 0, status.st_mtime_ns)
    return found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("source", SOURCES)
def test_not_one_byte_is_written(tmp_path, source, mode):
    if mode == "append" and source == "sqlite":
        pytest.skip("a table without a cursor column cannot be appended")
    lake = filled(tmp_path / "lake", SOURCES[source], mode)
    first = lake.loans.ingest()
    again = lastro.open(lake.root).dataset("loans").ingest()  # what is left to be settled is settled now
    before = listing(lake.root)

    last = lastro.open(lake.root).dataset("loans").ingest()

    assert listing(lake.root) == before
    assert (first.unchanged, again.unchanged, last.unchanged) == (False, True, True)


def test_the_command_writes_nothing_either(tmp_path):
    lake = filled(tmp_path / "lake", SOURCES["sqlite"], "snapshot")
    command = [sys.executable, "-c", "from lastro.cli.main import main; main()", "ingest"]
    environment = {**os.environ, "LASTRO_LANG": "en"}
    subprocess.run(command, cwd=lake.root, check=True, capture_output=True, env=environment)
    before = listing(lake.root)

    done = subprocess.run(command, cwd=lake.root, check=True, capture_output=True, text=True, env=environment)

    assert listing(lake.root) == before
    assert "nothing new" in done.stdout
