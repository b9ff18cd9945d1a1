"""Rules over stored files in DuckDB: one scan that groups nothing, and rows numbered in their order."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lastro.engine import create
from lastro.engine.rules import stored_plan
from lastro.engine.sql.compile import compile_batch
from lastro.model.finding import Policy
from lastro.model.plan import ColumnPlan, Duplicates, Operator, Plan, RowRule, TableRule, Threshold, Within
from lastro.model.schema import Field, Primitive, Schema

SCHEMA = Schema((Field("x", Primitive.LONG),))
PLAN = Plan(
    "loans",
    "",
    (ColumnPlan("x", "x", Primitive.LONG),),
    tuple(RowRule(f"below_{top}", Within("x", maximum=f"{top}"), Policy.FAIL) for top in (400_000, 399_000, 7)),
    (TableRule("unique", Duplicates(("x",)), Threshold(Operator.MUST_BE, (0.0,))),),
)


def test_rows_of_many_groups_and_files_are_numbered_in_their_order(tmp_path: Path) -> None:
    order = np.random.default_rng(7).permutation(500_000)
    files = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for path, part in zip(files, np.split(order, 2), strict=True):
        pq.write_table(pa.table({"x": part}), path, row_group_size=20_000)
    plan = stored_plan(PLAN, SCHEMA).plan

    engine = create("duckdb", threads=4)
    found = engine.failing(files, SCHEMA, plan, ["below_400000"], show=["x"], limit=2_000)

    assert found.total == 99_999
    assert [row.row for row in found.rows] == (np.flatnonzero(order > 400_000)[:2_000] + 1).tolist()
    assert all(order[row.row - 1] == row.values["x"] for row in found.rows)
    assert engine.tally(files, SCHEMA, plan).refused == {
        "below_400000": 99_999,
        "below_399000": 100_999,
        "below_7": 499_992,
    }


def test_all_row_rules_share_one_scan_that_groups_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"x": [1, 2, 3]}), path)
    query = compile_batch(stored_plan(PLAN, SCHEMA).plan, SCHEMA, dialect="duckdb").tally(f"read_parquet('{path}')")

    with duckdb.connect() as connection:
        ((_kind, plan),) = connection.execute(f"EXPLAIN (FORMAT json) {query}").fetchall()

    names = [found.upper() for found in re.findall(r'"name": *"([^"]+)"', plan)]
    assert sum("READ_PARQUET" in name for name in names) == 1, names
    assert [name for name in names if "AGGREGATE" in name or "GROUP" in name] == ["UNGROUPED_AGGREGATE"]
