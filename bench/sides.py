"""The programs that are measured: `python -m bench.sides NAME ARGUMENT…`, each in a process of its own."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import quantiles


def governed_ingest(folder: str) -> None:
    """The whole path of one batch: cast, clean, judge, split, hash, fsync, commit."""
    import lastro

    result = lastro.open(folder).dataset("accounts").ingest()
    counts = result.counts
    assert counts is not None
    print(json.dumps({"read": counts.read, "kept": counts.kept, "quarantined": counts.quarantined}))


def plain_copy(source: str, target: str) -> None:
    """What the engine alone needs to turn the CSV into Parquet."""
    import duckdb

    duckdb.execute(f"COPY (SELECT * FROM read_csv('{source}')) TO '{target}' (FORMAT parquet)")


def governed_read(folder: str) -> None:
    """Reads the newest version to Arrow; every file's digest is verified on the way."""
    import lastro

    print(lastro.open(folder).version("accounts").to_arrow().num_rows)


def file_list(folder: str, target: str) -> None:
    """Writes down which files make the newest version, for a reader that knows nothing of versions."""
    import lastro

    info = lastro.open(folder).version("accounts").info
    files = [str(Path(folder, "tables", "accounts", entry.path)) for entry in info.files]
    Path(target).write_text(json.dumps(files), encoding="utf-8")


def plain_read(listed: str) -> None:
    """Reads the same Parquet files to Arrow with the engine alone."""
    import duckdb

    files = json.loads(Path(listed).read_text(encoding="utf-8"))
    print(duckdb.read_parquet(files).to_arrow_table().num_rows)


def small_appends(folder: str, count: str) -> None:
    """Appends ten rows at a time; prints the median, the 95th percentile and what one fsync costs here, in ms."""
    import pyarrow as pa

    import lastro

    dataset = lastro.open(folder).dataset("accounts")
    taken = []
    for number in range(int(count)):
        batch = pa.table(_rows(number * 10, 10))
        started = time.perf_counter()
        dataset.ingest(data=batch, mode="append")
        taken.append((time.perf_counter() - started) * 1000)
    cuts = quantiles(taken, n=20)
    commits = quantiles(_commits(Path(folder), int(count)), n=20)
    told = {"p50_ms": cuts[9], "p95_ms": cuts[18], "commit_p50_ms": commits[9], "commit_p95_ms": commits[18]}
    print(json.dumps({**told, "fsync_ms": _fsync_ms(Path(folder))}))


def _commits(root: Path, count: int) -> list[float]:
    """Milliseconds from ten staged rows to an acknowledged version: lock, hash, move, commit, manifest, every fsync."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from lastro.engine.protocol import StagedFile
    from lastro.model.schema import Field, Primitive, Schema
    from lastro.model.version import Mode, Origin, RowCounts
    from lastro.store.table import Table
    from lastro.store.writer import Change

    table, schema = Table(root, "direct"), Schema((Field("id", Primitive.LONG),))
    taken = []
    for number in range(count):
        started = time.perf_counter()
        with table.lock() as writer, writer.staging() as staging:
            staged = staging / "rows.parquet"
            pq.write_table(pa.table({"id": range(number * 10, number * 10 + 10)}), staged)
            origin = Origin(Mode.APPEND, str(number), counts=RowCounts(10, 10, 0))
            writer.commit(Change(schema, (StagedFile(staged, 10),), origin))
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def _rows(start: int, count: int) -> dict[str, list[object]]:
    numbers = range(start + 1, start + count + 1)
    return {
        "id": list(numbers),
        "customer": [number % 7 for number in numbers],
        "document": [f"{number:011d}" for number in numbers],
        "state": ["SP"] * count,
        "product": ["card"] * count,
        "amount": [float(number) for number in numbers],
        "rate": [1.5] * count,
        "term_months": [12] * count,
        "opened": ["2026-01-31"] * count,
        "updated": ["2026-01-31 10:00:00"] * count,
        "channel": [" App"] * count,
        "active": ["true"] * count,
    }


def _fsync_ms(folder: Path) -> float:
    import os

    taken = []
    for number in range(20):
        with (folder / f"probe-{number}").open("wb") as stream:
            stream.write(b"x" * 4096)
            started = time.perf_counter()
            os.fsync(stream.fileno())
            taken.append((time.perf_counter() - started) * 1000)
    return sorted(taken)[10]


SIDES = (governed_ingest, plain_copy, governed_read, file_list, plain_read, small_appends)

if __name__ == "__main__":
    from bench import quality_sides

    {side.__name__: side for side in (*SIDES, *quality_sides.SIDES)}[sys.argv[1]](*sys.argv[2:])
