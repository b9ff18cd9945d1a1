"""A figure and the size it is measured at; what every topic uses to tell one."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from bench.page import table
from bench.process import Cost, cpu

MIB, GIB = 1 << 20, 1 << 30
LIBRARIES = ("duckdb", "pyarrow", "deltalake")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: rows of the ingestion and the read, small appends, rounds of each comparison, how many rows
    the tables of a database have, lines of a log, bytes of a large one (none if None), rows that are checked and
    profiled, rows of each side that drift compares, and how many months and histories the calibrations draw.
    """

    rows: int
    appends: int
    rounds: int
    tables: tuple[int, ...] = (1_000_000, 5_000_000)
    lines: int = 1_000_000
    rows_full: int | None = None
    log_bytes: int | None = GIB
    checked: int = 10_000_000
    compared: int = 1_000_000
    months: int = 40
    histories: int = 40


SMALL = Size(
    rows=20_000,
    appends=5,
    rounds=1,
    tables=(2_000,),
    lines=5_000,
    log_bytes=None,
    checked=4_000,
    compared=3_000,
    months=1,
    histories=1,
)
USUAL = Size(rows=5_000_000, appends=100, rounds=3)
FULL = Size(rows=5_000_000, appends=100, rounds=3, rows_full=20_000_000, months=100, histories=200)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result: the work, the goal, what was measured, whether the goal was met, and the details."""

    work: str
    goal: str
    measured: str
    met: bool
    details: str


def versus(mine: tuple[Cost, ...], theirs: tuple[Cost, ...]) -> str:
    """What both sides cost, in seconds of CPU."""
    return f"{cpu(mine):.2f} s against {cpu(theirs):.2f} s, median of {len(mine)}"


def mib(size: int) -> str:
    """Bytes as a person reads them."""
    return f"{size / MIB:,.0f} MiB"


def rendered(found: Sequence[Figure]) -> str:
    """The figures as a Markdown table with the machine above it."""
    rows = [(f.work, f.goal, f.measured, "yes" if f.met else "no", f.details) for f in found]
    return f"{machine()}\n\n" + table(("work", "goal", "measured", "met", "details"), rows)


def machine() -> str:
    """Where and with what it was measured, without naming the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"Measured {datetime.now(UTC):%Y-%m-%d} on {cores} cores, {system}, {libraries}."
