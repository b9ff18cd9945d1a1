"""A run that finds nothing new: how long the whole process takes, and that it writes nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

from bench.data import FOLDER, csv
from bench.figure import Figure, Size
from bench.governed import CONTRACT
from bench.process import Side, cost

LONG_AGO_S = 1_700_000_000
INGEST = "import sys; sys.argv = ['lastro', '-C', {folder!r}, 'ingest']\nfrom lastro.cli.main import main\nmain()"
SETTINGS = """\
lastro: 1
datasets:
  accounts:
    contract: contracts/accounts.odcs.yaml
    mode: {mode}
    source: {source}
"""


def figures(size: Size) -> Iterator[Figure]:
    """One figure for each kind of source that can tell, after a first ingestion of the same rows."""
    source = csv(size.rows)
    database = _database(FOLDER / "nothing.sqlite")
    yield _figure("files", "append", f"{{kind: files, path: {source}}}", size)
    yield _figure("sqlite", "overwrite", f"{{kind: sqlite, path: {database}, table: accounts}}", size)


def _figure(kind: str, mode: str, source: str, size: Size) -> Figure:
    folder = FOLDER / f"nothing-{kind}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "contracts").mkdir(parents=True)
    shutil.copy(CONTRACT, folder / "contracts")
    (folder / "lastro.yaml").write_text(SETTINGS.format(mode=mode, source=source), encoding="utf-8")
    side = Side("nothing new", ("-c", INGEST.format(folder=str(folder))))
    cost(side)
    before = _listing(folder)
    runs = [cost(side) for _round in range(size.rounds * 3)]
    written = _listing(folder) != before
    seconds = median(run.wall_s for run in runs)
    work = f"a run with nothing new, {kind} into {mode}, the whole process"
    details = "not one byte written" if not written else "something was written"
    return Figure(work, "< 1 s, no byte", f"{seconds:.2f} s", seconds < 1 and not written, details)


def _database(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    header = _columns(csv(1_000))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"CREATE TABLE accounts ({', '.join(header)})")
        lines = csv(1_000).read_text(encoding="utf-8").splitlines()[1:]
        places = ", ".join("?" * len(header))
        rows = [line.split(",") for line in lines]
        fitting = [row for row in rows if len(row) == len(header)]
        connection.executemany(f"INSERT INTO accounts VALUES ({places})", fitting)
    os.utime(path, (LONG_AGO_S, LONG_AGO_S))
    return path


def _columns(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as stream:
        return stream.readline().strip().split(",")


def _listing(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        found[str(path)] = (status.st_size, status.st_mtime_ns)
    return found
