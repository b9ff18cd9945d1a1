"""pointblank on a Polars frame; the failing rows are its sundered data, written to a file."""

from __future__ import annotations

import sys

import pointblank as pb
import polars as pl

from bench.peers import planted
from bench.peers.tools import said


def check(source: str, target: str) -> None:
    """Every check, and the rows that fail one."""
    asked, names = pb.Validate(pl.read_parquet(source)), []
    for name in planted.REQUIRED:
        asked, names = asked.col_vals_not_null(name), [*names, f"{name}.missing"]
    asked, names = asked.rows_distinct("order_id"), [*names, "order_id.unique"]
    for name, values in planted.LISTED.items():
        asked, names = asked.col_vals_in_set(name, list(values)), [*names, f"{name}.listed"]
    for name, pattern in planted.PATTERNS.items():
        asked, names = asked.col_vals_regex(name, f"^{pattern}$", na_pass=True), [*names, f"{name}.pattern"]
    for name, (least, most) in planted.RANGES.items():
        asked = (
            asked.col_vals_ge(name, least, na_pass=True)
            if most is None
            else asked.col_vals_between(name, least, most, na_pass=True)
        )
        names.append(f"{name}.range")
    apart = (pl.col("total") - pl.col("amount") * pl.col("quantity") * (1 - pl.col("discount"))).abs()
    low, high = planted.SCORE
    asked = (
        asked.col_vals_ge("updated_at", pb.col("ordered_at"), na_pass=True)
        .col_vals_expr((apart <= planted.TOTAL_APART).fill_null(value=True))
        .specially(lambda frame: frame.height > planted.ROWS_MIN)
        .col_avg_ge("score", low)
        .col_avg_le("score", high)
        .interrogate(collect_extracts=False)
    )
    names += ["updated_after", "total_adds_up", "rows", "usual_score", "usual_score"]
    failing = asked.get_sundered_data(type="fail")
    failing.write_parquet(target)
    failed, counts = asked.n_failed(), {}
    for place, name in enumerate(names, 1):
        count = int(failed[place])
        counts[name] = counts.get(name, False) or bool(count) if name in planted.WHOLE else count
    said(counts=counts, set_aside=failing.height)


if __name__ == "__main__":
    check(*sys.argv[1:])
