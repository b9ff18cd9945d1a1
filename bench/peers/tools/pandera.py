"""pandera on a Polars frame, lazily; the failing rows are those of its failure cases, written to a file."""

from __future__ import annotations

import sys

import pandera.polars as pa
import polars as pl

from bench.peers import planted
from bench.peers.tools import said


def check(source: str, target: str) -> None:
    """Every check, and the rows that fail one."""
    frame = pl.read_parquet(source)
    counts: dict[str, int | bool] = dict.fromkeys(planted.PLANTED, 0) | dict.fromkeys(planted.WHOLE, False)
    failing = frame.clear()
    try:
        _schema(frame).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
        for column, told, number in cases.group_by("column", "check").len().iter_rows():
            name = _name(column, told)
            counts[name] = True if name in planted.WHOLE else counts[name] + number
        places = cases["index"].drop_nulls().unique().sort()
        failing = frame[places]
    failing.write_parquet(target)
    said(counts=counts, set_aside=failing.height)


def _name(column: str | None, told: str) -> str:
    built_in = {"not_nullable": "missing", "field_uniqueness": "unique"}
    return f"{column}.{built_in[told]}" if told in built_in else told


def _schema(frame: pl.DataFrame) -> pa.DataFrameSchema:
    checks: dict[str, list[pa.Check]] = {name: [] for name in frame.columns}
    for name, values in planted.LISTED.items():
        checks[name].append(pa.Check.isin(list(values), error=f"{name}.listed", name=f"{name}.listed"))
    for name, pattern in planted.PATTERNS.items():
        checks[name].append(pa.Check.str_matches(f"^{pattern}$", error=f"{name}.pattern", name=f"{name}.pattern"))
    for name, (least, most) in planted.RANGES.items():
        told = {"error": f"{name}.range", "name": f"{name}.range"}
        limits = pa.Check.ge(least, **told) if most is None else pa.Check.in_range(least, most, **told)
        checks[name].append(limits)
    columns = {
        name: pa.Column(
            kind,
            checks[name],
            nullable=name not in planted.REQUIRED,
            unique=name == "order_id",
            report_duplicates="all",
        )
        for name, kind in frame.schema.items()
    }
    apart = (pl.col("total") - pl.col("amount") * pl.col("quantity") * (1 - pl.col("discount"))).abs()
    low, high = planted.SCORE
    rows = (
        ("updated_after", pl.col("updated_at") >= pl.col("ordered_at")),
        ("total_adds_up", apart <= planted.TOTAL_APART),
        ("rows", pl.len() > planted.ROWS_MIN),
        ("usual_score", pl.col("score").mean().is_between(low, high)),
    )
    return pa.DataFrameSchema(
        columns, checks=[pa.Check(_holding(holds), error=name, name=name) for name, holds in rows]
    )


def _holding(holds: pl.Expr):
    return lambda data: data.lazyframe.select(holds.fill_null(value=True))


if __name__ == "__main__":
    check(*sys.argv[1:])
