"""Files: governed ingestion, verified read, small appends; and what only `--full` measures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.data import FOLDER, csv
from bench.figure import GIB, Figure, Size, mib, versus
from bench.process import alternate, cost, cpu, peak, side

CONTRACT = Path(__file__).resolve().parent / "accounts.odcs.yaml"
SETTINGS = """\
lastro: 1
engine: duckdb
datasets:
  accounts:
    contract: contracts/accounts.odcs.yaml
    mode: append
    source:
      kind: files
      path: {source}
"""


def figures(size: Size) -> Iterator[Figure]:
    """Every figure of files; the data and the workspaces lie in `bench/data`."""
    source = csv(size.rows)
    yield from ingestion(source, size)
    yield reading(source, size)
    yield from appending(size)
    if size.rows_full:
        yield memory(csv(size.rows_full), size.rows_full)


def workspace(name: str, source: Path) -> Path:
    """A new workspace with one dataset and no version."""
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "contracts").mkdir(parents=True)
    shutil.copy(CONTRACT, folder / "contracts")
    (folder / "lastro.yaml").write_text(SETTINGS.format(source=source), encoding="utf-8")
    return folder


def ingestion(source: Path, size: Size) -> Iterator[Figure]:
    """Governed ingestion against the engine's own copy of CSV to Parquet."""
    plain = FOLDER / "plain.parquet"
    governed = side("governed_ingest", FOLDER / "ingest", before=lambda: workspace("ingest", source))
    copy = side("plain_copy", source, plain, before=lambda: plain.unlink(missing_ok=True))
    costs = alternate((governed, copy), rounds=size.rounds)
    counts = json.loads(costs["governed_ingest"][0].output)
    assert counts["read"] == size.rows == counts["kept"] + counts["quarantined"]
    mine, theirs = costs["governed_ingest"], costs["plain_copy"]
    ratio, highest = cpu(mine) / cpu(theirs), peak(mine)
    work = f"governed ingest of {size.rows:,} x 12 CSV, CPU against DuckDB `COPY` to Parquet"
    details = f"{versus(mine, theirs)}; {counts['quarantined']:,} rows set aside"
    yield Figure(work, "<= 2.0x", f"{ratio:.2f}x", ratio <= 2.0, details)
    yield Figure(
        "the same ingest, peak of memory", "<= 1 GiB", mib(highest), highest <= GIB, f"plain {mib(peak(theirs))}"
    )


def reading(source: Path, size: Size) -> Figure:
    """A verified read of a version to Arrow against a plain read of the same files."""
    folder = workspace("read", source)
    listed = folder / "files.json"
    cost(side("governed_ingest", folder))
    cost(side("file_list", folder, listed))
    costs = alternate((side("governed_read", folder), side("plain_read", listed)), rounds=size.rounds)
    mine, theirs = costs["governed_read"], costs["plain_read"]
    assert mine[0].output == theirs[0].output
    ratio = cpu(mine) / cpu(theirs)
    work = f"read of a version of {size.rows:,} x 12 to Arrow, verified, CPU against DuckDB on the same files"
    return Figure(work, "<= 1.15x", f"{ratio:.2f}x", ratio <= 1.15, versus(mine, theirs))


def appending(size: Size) -> Iterator[Figure]:
    """How long one small append takes, fsync and all: its commit, and the whole of it."""
    folder = workspace("append", Path("none.csv"))
    told = json.loads(cost(side("small_appends", folder, size.appends)).output)
    details = f"p95 {told['p95_ms']:.0f} ms; one fsync of 4 KiB costs {told['fsync_ms']:.1f} ms here"
    commit = f"commit of 10 staged rows, median of {size.appends}"
    p50 = told["commit_p50_ms"]
    yield Figure(commit, "<= 60 ms", f"{p50:.0f} ms", p50 <= 60, f"p95 {told['commit_p95_ms']:.0f} ms; every fsync")
    work = f"the whole append of 10 rows, contract and engine included, median of {size.appends}"
    yield Figure(work, "<= 60 ms", f"{told['p50_ms']:.0f} ms", told["p50_ms"] <= 60, details)


def memory(source: Path, rows: int) -> Figure:
    """The peak of memory of a large ingestion."""
    folder = workspace("large", source)
    spent = cost(side("governed_ingest", folder))
    details = f"{spent.cpu_s:.0f} s CPU, {spent.wall_s:.0f} s by the clock"
    work = f"governed ingest of {rows:,} x 12 CSV, peak of memory"
    return Figure(work, "<= 1 GiB", mib(spent.peak_bytes), spent.peak_bytes <= GIB, details)
