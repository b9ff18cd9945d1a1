"""Strict casts in DuckDB's fast formulation against what the rules say, on texts nobody thought of.

The engines' own behaviour, value by value, is held by `tests/engine/conformance.py`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal as Number
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lastro.engine.sql.compile import compile_batch
from lastro.model.errors import ContractError, SourceBroken, SqlRefused
from lastro.model.plan import ColumnPlan, Plan
from lastro.model.schema import Decimal, Field, Primitive, Schema, Type

P = Primitive
SOURCE = Schema((Field("x", P.STRING),))
NUMBERS = st.text(" \t0123456789+-.eE_xXbBinfaN", max_size=14) | st.from_regex(
    r"[ ]?[+-]?[0-9]{0,22}\.?[0-9]{0,4}", fullmatch=True
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute("SET TimeZone = 'UTC'")
        yield made


def cast(connection: duckdb.DuckDBPyConnection, value: str, kind: Type, **options: Any) -> Any:
    plan = Plan("t", "", (ColumnPlan("y", "x", kind, **options),))
    (_name, sql), *_rest = compile_batch(plan, SOURCE, dialect="duckdb").cleaned
    row = connection.execute(f"SELECT {sql} FROM (SELECT $1::VARCHAR AS x)", [value]).fetchone()
    assert row is not None
    return row[0]


def whole(text: str) -> int | None:
    plain = text.strip(" \t")
    if not re.fullmatch(r"[+-]?[0-9]+", plain) or not -(2**63) <= int(plain) < 2**63:
        return None
    return int(plain)


def exact(text: str) -> Number | None:
    plain = text.strip(" \t")
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", plain):
        return None
    number = Number(plain)
    return number if number == round(number, 2) and abs(number) < 10**10 else None


def floating(text: str) -> float | None:
    plain = text.strip(" \t")
    if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", plain):
        return None
    number = float(plain)
    return number if math.isfinite(number) else None


@pytest.mark.parametrize(("kind", "rule"), [(P.LONG, whole), (Decimal(12, 2), exact), (P.DOUBLE, floating)])
def test_numbers_are_read_by_the_rules(
    connection: duckdb.DuckDBPyConnection, kind: Type, rule: Callable[[str], Any]
) -> None:
    @settings(max_examples=600, deadline=None)
    @given(NUMBERS)
    @example("1e2")
    @example("0x10")
    @example("+-1")
    @example("1_0")
    @example("- 1")
    @example(".")
    def check(text: str) -> None:
        assert cast(connection, text, kind) == rule(text)

    check()


@settings(max_examples=300, deadline=None)
@given(st.dates(), st.text("0123456789-/ :T", max_size=3), st.integers(0, 10))
def test_a_date_with_anything_put_into_it_is_none(
    connection: duckdb.DuckDBPyConnection, day: Any, put: str, at: int
) -> None:
    text = day.isoformat()[:at] + put + day.isoformat()[at:]
    expected = day if text.strip(" \t") == day.isoformat() else None

    found = cast(connection, text, P.DATE)
    assert found == expected or (found is not None and text.strip() == found.isoformat())


def test_a_whole_plan_s_select_and_its_single_expressions_agree(connection: duckdb.DuckDBPyConnection) -> None:
    plan = Plan("t", "", (ColumnPlan("y", "x", P.LONG), ColumnPlan("z", "x", P.STRING, expression="upper(trim(X))")))
    batch = compile_batch(plan, SOURCE, dialect="duckdb")
    values = "(SELECT unnest([' 1', 'a', NULL, '1.5']) AS x)"
    rows = connection.execute(batch.select(values)).fetchall()
    single = connection.execute(f"SELECT {', '.join(sql for _name, sql in batch.cleaned)} FROM {values}").fetchall()

    assert [row[:2] for row in rows] == single == [(1, "1"), (None, "A"), (None, None), (None, "1.5")]


@pytest.mark.parametrize("form", ["%d/%m/%y", "%Y-%m-%d %Q", "%", "", "%d", "%H:%M", "%Y-%m-%d %z %z", "%c"])
def test_a_format_that_gives_no_date_is_refused(form: str) -> None:
    plan = Plan("t", "", (ColumnPlan("y", "x", P.DATE, format=form),))

    with pytest.raises((SqlRefused, ContractError)):
        compile_batch(plan, SOURCE, dialect="duckdb")


@pytest.mark.parametrize("dialect", ["duckdb", "spark"])
def test_own_names_never_meet_a_source_s_or_the_plan_s(dialect: Any) -> None:
    names = ["_raw_0", "__bits_0", "_record"]
    plan = Plan("t", "", tuple(ColumnPlan(name, name, P.STRING) for name in names))
    batch = compile_batch(plan, Schema(tuple(Field(name, P.STRING) for name in names)), dialect=dialect)

    assert not any(name.startswith(batch.prefix) for name in names)
    assert all(name.startswith(batch.prefix) for name in (*batch.bits, batch.record))


def test_a_column_the_source_lacks_is_told_with_all_it_has() -> None:
    plan = Plan("t", "", (ColumnPlan("income", "renda", P.LONG),))

    with pytest.raises(SourceBroken, match="renda") as caught:
        compile_batch(plan, Schema((Field("a", P.STRING), Field("b", P.STRING))), dialect="duckdb")
    assert "a, b" in caught.value.do
