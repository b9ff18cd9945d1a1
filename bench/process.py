"""One side of a comparison: a fresh process, its CPU time and its peak of memory.

Rules:

1. CPU time is user and system time of the process and of every child it waited for, as the kernel counted it.
2. Memory is the resident memory of the whole process tree, sampled every 20 ms; pages that two processes share count
   twice, so that the figure errs upwards. The kernel's own peak of the largest process is its lower bound.
3. Two sides take turns, and who begins changes with every round; the median of each side counts.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_S = 0.02
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process cost: CPU and wall-clock seconds, peak bytes, and what it printed."""

    cpu_s: float
    wall_s: float
    peak_bytes: int
    output: str


@dataclass(frozen=True, slots=True)
class Side:
    """One side: a name, the arguments of the interpreter, and what to do before each round (not measured)."""

    name: str
    arguments: tuple[str, ...]
    before: Callable[[], None] = lambda: None


def cost(side: Side) -> Cost:
    """Runs one side once. Raises `RuntimeError` with what it printed if it fails."""
    side.before()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
        started = time.monotonic()
        child = subprocess.Popen([sys.executable, *side.arguments], cwd=ROOT, stdout=printed, stderr=printed)
        peak, usage, status = _watch(child.pid)
        wall = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        output = printed.read()
    if child.returncode:
        raise RuntimeError(f"{side.name} failed:\n{output}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, max(peak, usage.ru_maxrss * 1024), output)


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
    """Samples a process tree until its root ends: the peak of resident bytes, what it used, its status."""
    highest = 0
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return highest, usage, status
        highest = max(highest, _resident(pid))
        time.sleep(SAMPLE_S)


def _resident(pid: int) -> int:
    """Resident bytes of a process and all its descendants; 0 where the kernel has no /proc."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        tasks = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except (OSError, IndexError):
        return 0
    return pages * PAGE_BYTES + sum(_resident(int(child)) for children in tasks for child in children)
