"""What a start costs, and that it loads nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator

from bench.figure import Figure, Size
from bench.process import Side, cost, cpu

HEAVY = ["duckdb", "pyarrow", "polars", "pandas", "scipy"]


def figures(size: Size) -> Iterator[Figure]:
    """What a start costs, and that it loads nothing heavy."""
    listing = f"\nimport sys; print([name for name in {HEAVY} if name in sys.modules])"
    programs = {
        "`import lastro`": ("import lastro" + listing, 120),
        "`lastro --help`": (
            "import sys; sys.argv = ['lastro', '--help']\nfrom lastro.cli.main import main\n"
            "try:\n    main()\nexcept SystemExit:\n    pass" + listing,
            150,
        ),
    }
    for name, (program, limit) in programs.items():
        runs = [cost(Side(name, ("-c", program))) for _round in range(size.rounds * 3)]
        loaded = runs[0].output.strip().splitlines()[-1]
        taken = cpu(runs) * 1000
        met = taken <= limit and loaded == "[]"
        details = "loads no heavy library" if loaded == "[]" else f"loads {loaded}"
        yield Figure(f"{name}, CPU", f"<= {limit} ms", f"{taken:.0f} ms", met, details)
