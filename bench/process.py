"""One side of a comparison: a fresh process, its CPU time and its peak of memory.

Rules:

1. CPU time is user and system time of the process and of every child it waited for, as the kernel counted it.
2. Memory is the peak of the whole process tree, sampled every 20 ms: the sum of the proportional set sizes, in which a
   page that several processes share counts once. The peak that the kernel kept of the largest process is its lower
   bound; what `wait` tells as that is not taken, since a process inherits it from the one that started it.
3. Two sides take turns, and who begins changes with every round; the median of each side counts.
"""

from __future__ import annotations

import io
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_S = 0.02
_PSS = re.compile(r"^Pss:\s+([0-9]+) kB", re.MULTILINE)
_PEAK = re.compile(r"^VmHWM:\s+([0-9]+) kB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process cost: CPU and wall-clock seconds, peak bytes, and what it printed."""

    cpu_s: float
    wall_s: float
    peak_bytes: int
    output: str


@dataclass(frozen=True, slots=True)
class Side:
    """One side: a name, the interpreter and its arguments, and what to do before each round (not measured)."""

    name: str
    arguments: tuple[str, ...]
    before: Callable[[], object] = lambda: None
    interpreter: str = sys.executable


def side(name: str, *arguments: object, before: Callable[[], object] = lambda: None) -> Side:
    """One of our own programs, of `bench.sides`."""
    return Side(name, ("-m", "bench.sides", name, *map(str, arguments)), before)


def cost(side: Side) -> Cost:
    """Runs one side once. Raises `RuntimeError` with what it printed if it fails."""
    side.before()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
        started = time.monotonic()
        child = subprocess.Popen([side.interpreter, *side.arguments], cwd=ROOT, stdout=printed, stderr=printed)
        peak, usage, status = _watch(child.pid)
        wall = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        output = printed.read()
    if child.returncode:
        raise RuntimeError(f"{side.name} failed:\n{output}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, peak, output)


def ingested(folder: str, dataset: str) -> int:
    """Ingests as `lastro ingest` does, in this process; how many rows the dataset has then."""
    from lastro.cli.main import main

    sys.argv = ["lastro", "-C", folder, "ingest", dataset, "--json"]
    with redirect_stdout(io.StringIO()) as printed, suppress(SystemExit):
        main()
    return int(json.loads(printed.getvalue())["results"][0]["rows_total"])


def alternate(sides: Sequence[Side], *, rounds: int) -> dict[str, tuple[Cost, ...]]:
    """Runs the sides in turn, `rounds` times each."""
    costs: dict[str, list[Cost]] = {side.name: [] for side in sides}
    for number in range(rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            costs[side.name].append(cost(side))
    return {name: tuple(each) for name, each in costs.items()}


def cpu(costs: Sequence[Cost]) -> float:
    """The median of CPU seconds."""
    return median(each.cpu_s for each in costs)


def peak(costs: Sequence[Cost]) -> int:
    """The highest peak of memory, in bytes."""
    return max(each.peak_bytes for each in costs)


def _watch(pid: int) -> tuple[int, resource.struct_rusage, int]:
    """Samples a process tree until its root ends: the peak of its memory in bytes, what it used, its status."""
    highest = 0
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return highest, usage, status
        sizes = [_size(each) for each in _tree(pid)]
        highest = max(highest, sum(size for size, _peak in sizes), *(peak for _size, peak in sizes))
        time.sleep(SAMPLE_S)


def _tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    try:
        tasks = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return [pid]
    return [pid, *(each for children in tasks for child in children for each in _tree(int(child)))]


def _size(pid: int) -> tuple[int, int]:
    """The proportional set size of a process and its peak of resident memory, in bytes; 0 where there is no /proc."""
    try:
        shares = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
        peak = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0, 0
    return (int(shares[1]) * 1024 if shares else 0), (int(peak[1]) * 1024 if peak else 0)
