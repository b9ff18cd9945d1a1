"""Logs: governed ingestion of access logs and JSON lines against counting the newlines of the same file.

The contract is the one that `lastro add` writes. Counting newlines is a fresh interpreter that reads in blocks.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from bench.data import FOLDER
from bench.figure import MIB, Figure, Size, mib, versus
from bench.process import Cost, Side, alternate, cost, cpu, ingested, peak

SEED = 20_260_131
PATHS = ("/", "/loans", "/loans/new", "/static/app.js", "/api/v1/offers?page=2", "/health")
AGENTS = ("curl/8.14", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Pixel/9 (pt-BR)")
GOALS = {"combined": 16, "json": 12}
LARGE_MIB = 300


def figures(size: Size) -> Iterator[Figure]:
    """CPU for each format, and the peak of memory for a large access log."""
    for form, goal in GOALS.items():
        source = log(form, size.lines)
        ingest = Side("ingest", program("ingest", folder(form)), lambda form=form, source=source: added(form, source))
        count = Side("count", program("count", source))
        costs = alternate((ingest, count), rounds=size.rounds)
        mine, theirs = costs["ingest"], costs["count"]
        assert json.loads(mine[0].output) == int(theirs[0].output) == size.lines
        ratio = cpu(mine) / cpu(theirs)
        work = f"governed ingest of {size.lines:,} lines of a log ({form}), CPU against counting newlines"
        details = f"{versus(mine, theirs)}; {source.stat().st_size / MIB:.0f} MiB, peak {mib(peak(mine))}"
        yield Figure(work, f"<= {goal}x", f"{ratio:.1f}x", ratio <= goal, details)
    if size.log_bytes:
        yield large(size.log_bytes)


def large(size: int) -> Figure:
    """The peak of memory for an access log of so many bytes."""
    source = log("combined", size // 150)
    added("combined", source)
    spent: Cost = cost(Side("ingest", program("ingest", folder("combined"))))
    work = f"governed ingest of an access log of {source.stat().st_size / MIB:,.0f} MiB, peak of memory"
    met = spent.peak_bytes <= LARGE_MIB * MIB
    return Figure(work, f"<= {LARGE_MIB} MiB", mib(spent.peak_bytes), met, f"{spent.cpu_s:.0f} s CPU")


def log(form: str, lines: int) -> Path:
    """A log of so many lines, made if it is not there yet."""
    target = FOLDER / f"{form}-{lines}.log"
    if not target.exists():
        FOLDER.mkdir(exist_ok=True)
        partial = target.with_suffix(".partial")
        with partial.open("w", encoding="utf-8") as stream:
            stream.writelines(_lines(form, lines))
        partial.rename(target)
    return target


def _lines(form: str, lines: int) -> Iterator[str]:
    draw = Random(SEED)
    for number in range(lines):
        minute, second = divmod(number // 40 % 3600, 60)
        hour = number // 144_000 % 24
        day = 1 + number // 3_456_000 % 28
        host = f"203.0.{draw.randrange(256)}.{draw.randrange(256)}"
        path, status, taken = draw.choice(PATHS), draw.choice((200, 200, 200, 304, 404, 500)), draw.randrange(90_000)
        agent = draw.choice(AGENTS)
        if form == "json":
            time = f"2026-01-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}.{number % 1000:03d}Z"
            record = {"time": time, "host": host, "path": path, "status": status, "bytes": taken, "agent": agent}
            yield json.dumps(record) + "\n"
        else:
            time = f"{day:02d}/Jan/2026:{hour:02d}:{minute:02d}:{second:02d} -0300"
            yield f'{host} - - [{time}] "GET {path} HTTP/1.1" {status} {taken} "https://example.org/" "{agent}"\n'


def folder(form: str) -> Path:
    return FOLDER / f"log-{form}"


def added(form: str, source: Path) -> None:
    """A new workspace with the log as its one dataset, and no version."""
    import lastro

    shutil.rmtree(folder(form), ignore_errors=True)
    workspace = lastro.init(folder(form))
    workspace.add(str(source), name="requests", mode="append", options={"kind": "logs", "format": form})


def ingest(place: str) -> None:
    """The whole path: read, take apart, cast, check, write, hash, commit."""
    print(ingested(place, "requests"))


def count(source: str) -> None:
    """What it costs to read the file and to see where its lines end."""
    lines = 0
    with Path(source).open("rb", buffering=0) as stream:
        while block := stream.read(1 << 20):
            lines += block.count(b"\n")
    print(lines)


def program(name: str, *arguments: object) -> tuple[str, ...]:
    return ("-m", "bench.logs", name, *map(str, arguments))


if __name__ == "__main__":
    {"ingest": ingest, "count": count}[sys.argv[1]](*sys.argv[2:])
