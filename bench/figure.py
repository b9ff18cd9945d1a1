"""A figure and the size it is measured at; what every topic uses to tell one."""

from __future__ import annotations

from dataclasses import dataclass

from bench.process import Cost, cpu

MIB, GIB = 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: rows of the ingestion and the read, small appends, rounds of each comparison, how many rows
    the tables of a database have, lines of a log, and bytes of a large one (none if None).
    """

    rows: int
    appends: int
    rounds: int
    tables: tuple[int, ...] = (1_000_000, 5_000_000)
    lines: int = 1_000_000
    rows_full: int | None = None
    log_bytes: int | None = GIB


SMALL = Size(rows=20_000, appends=5, rounds=1, tables=(2_000,), lines=5_000, log_bytes=None)
USUAL = Size(rows=5_000_000, appends=100, rounds=3)
FULL = Size(rows=5_000_000, appends=100, rounds=3, rows_full=20_000_000)


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
