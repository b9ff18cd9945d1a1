"""`python -m bench [--small | --full]`: measures, prints a table, and records it in `docs/benchmarks.md`.

`--small` is a smoke run that records nothing; `--full` adds the ingestion of 20 million rows.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from bench.cases import figures
from bench.figure import FULL, SMALL, USUAL, Figure
from bench.process import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
LIBRARIES = ("duckdb", "pyarrow", "deltalake")


def main() -> int:
    """Measures and tells; the exit code is 0 even where a goal is missed, since speed is no test."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--small", action="store_const", const=SMALL, dest="size", default=USUAL)
    size.add_argument("--full", action="store_const", const=FULL, dest="size")
    asked = parser.parse_args().size
    found = []
    for figure in figures(asked):
        found.append(figure)
        verdict = "ok  " if figure.met else "MISS"
        print(f"{verdict}  {figure.measured:>9}  ({figure.goal})  {figure.work}; {figure.details}", flush=True)
    if asked is not SMALL:
        record(found)
        print(f"recorded in {PAGE.relative_to(ROOT)}")
    return 0


def record(found: Sequence[Figure]) -> None:
    """Writes the figures between the page's two markers."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n\n{rendered(found)}\n{END}{tail}", encoding="utf-8")


def rendered(found: Sequence[Figure]) -> str:
    """The figures as a Markdown table with the machine above it."""
    rows = [f"| {f.work} | {f.goal} | {f.measured} | {'yes' if f.met else 'no'} | {f.details} |" for f in found]
    table = ["| work | goal | measured | met | details |", "|---|---|---|---|---|", *rows]
    return f"{machine()}\n\n" + "\n".join(table) + "\n"


def machine() -> str:
    """Where and with what it was measured, without naming the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"Measured {datetime.now(UTC):%Y-%m-%d} on {cores} cores, {system}, {libraries}."


if __name__ == "__main__":
    sys.exit(main())
