"""What every engine must tell of cleaning: the same counts, before and after, on any input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tests.engine.conformance import casts_hold, stream

from lastro.engine.protocol import Engine
from lastro.engine.scan import Csv, FileScan, JsonLines, Parquet, Scan
from lastro.model.cleaning import Cleaned
from lastro.model.finding import Policy
from lastro.model.plan import ColumnPlan, Plan, RowRule
from lastro.model.schema import Primitive, Type

P = Primitive
Columns = Mapping[str, tuple[Type, str | None]]


def plan(columns: Columns, *rules: RowRule, **more: Any) -> Plan:
    made = tuple(ColumnPlan(name, name, kind, expression=text) for name, (kind, text) in columns.items())
    return Plan("loans", "sha256:0", made, rules, **more)


def cleaning(engine: Engine, made: Plan, scan: Scan, folder: Path) -> Sequence[Cleaned]:
    folder.mkdir()
    return engine.stage(made, scan, folder, batch="batch-1").cleaning


def test_cleaning_is_told_before_and_after(engine: Engine, tmp_path: Path) -> None:
    columns: Columns = {
        "id": (P.LONG, None),
        "uf": (P.STRING, "nullif(upper(trim(uf)), 'NA')"),
        "amount": (P.DOUBLE, "replace(amount, ',', '.')"),
        "code": (P.STRING, "coalesce(code, 'none')"),
        "name": (P.STRING, "trim(name)"),
        "both": (P.STRING, "uf || name"),
    }
    rows = {
        "id": ["1", "2", "3", "4", "5", "6"],
        "uf": ["sp", "SP", "  ", "", "na", None],
        "amount": ["1,5", "2", "x", None, "", "3"],
        "code": [None, None, None, None, None, None],
        "name": ["\t", " \t ", "!", "Á", " á", "á"],
        "both": [None],
    }
    told = cleaning(engine, plan(columns, *casts_hold("amount")), stream(rows), tmp_path / "out")

    assert told == (
        Cleaned("uf", 6, missing_before=3, missing_after=4, changed=3),
        Cleaned("amount", 6, missing_before=2, missing_after=2, changed=1, unreadable=2),
        Cleaned("code", 6, missing_before=6, missing_after=0, changed=6),
        Cleaned("name", 6, missing_before=2, missing_after=2, changed=2),
    )


def test_rows_set_aside_are_told_of_too_and_malformed_ones_are_not(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"n": "1"}\n\n{"n": "-"}\n{"n": \n{}\n{"n": " 2"}\n{"n": "x"}\n')
    rules = casts_hold("n", policy=Policy.QUARANTINE)
    told = cleaning(
        engine,
        plan({"n": (P.LONG, "nullif(trim(n), '-')")}, *rules),
        FileScan((path,), JsonLines()),
        tmp_path / "out",
    )

    assert told == (Cleaned("n", 5, missing_before=1, missing_after=2, changed=2, unreadable=1),)


def test_an_empty_batch_has_nothing_cleaned(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("uf\n")
    told = cleaning(engine, plan({"uf": (P.STRING, "trim(uf)")}), FileScan((path,), Csv()), tmp_path / "out")

    assert told == (Cleaned("uf", 0, 0, 0, 0),)
    assert not told[0].any


def test_values_of_another_type_are_not_compared_in_any_file(engine: Engine, tmp_path: Path) -> None:
    paths = (tmp_path / "a.parquet", tmp_path / "b.parquet", tmp_path / "c.parquet")
    pq.write_table(pa.table({"n": pa.array([1, None], pa.int64()), "k": pa.array([2, 3], pa.int64())}), paths[0])
    pq.write_table(pa.table({"n": ["1", " "], "k": pa.array([0, None], pa.int64())}), paths[1])
    pq.write_table(pa.table({"k": pa.array([4], pa.int64())}), paths[2])
    made = plan({"n": (P.LONG, "CAST(n AS BIGINT) + 1"), "k": (P.LONG, "k * 2")}, absent=frozenset({"n"}))
    told = cleaning(engine, made, FileScan(paths, Parquet()), tmp_path / "out")

    assert told == (
        Cleaned("n", 5, missing_before=3, missing_after=3, changed=None),
        Cleaned("k", 5, missing_before=1, missing_after=1, changed=3),
    )


def test_any_number_of_columns_is_told_of(engine: Engine, tmp_path: Path) -> None:
    names = [f"c{index}" for index in range(43)]
    made = plan({name: (P.STRING, f"nullif(upper({name}), 'C7')") for name in names})
    told = cleaning(engine, made, stream({name: [name, "X", None] for name in names}), tmp_path / "out")

    assert [each.column for each in told] == names
    assert told[42] == Cleaned("c42", 3, missing_before=1, missing_after=1, changed=1)
    assert told[7] == Cleaned("c7", 3, missing_before=1, missing_after=2, changed=1)


def test_a_column_made_from_that_of_another_is_not_cleaned(engine: Engine, tmp_path: Path) -> None:
    columns: Columns = {"day": (P.STRING, None), "year": (P.STRING, "substring(day, 1, 4)")}
    renamed: Columns = {"state": (P.STRING, "upper(UF)")}

    assert cleaning(engine, plan(columns), stream({"day": ["2026-01-31"]}), tmp_path / "one") == ()
    assert cleaning(engine, plan(renamed), stream({"uf": ["sp"]}), tmp_path / "two") == (Cleaned("state", 1, 0, 0, 1),)


def test_names_may_be_written_otherwise(engine: Engine, tmp_path: Path) -> None:
    made = plan({"uf": (P.STRING, "upper(trim(Uf))")})

    assert cleaning(engine, made, stream({"uf": ["sp", "RJ"]}), tmp_path / "out") == (Cleaned("uf", 2, 0, 0, 1),)
