"""The SELECT that makes rows of a list's elements, run as it is written, whatever names and values there are."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastro.engine.sql.elements import elements, word
from lastro.engine.sql.select import upstream

HOSTILE = (
    "a.b",
    "it's",
    "😀",
    "Ünï",
    "SELECT",
    "--x",
    "/*",
    "$1",
    "?",
    "%s",
    "\\",
    "[0]",
    ":x",
    "order",
    "element",
    "parent",
)
CONNECTION = duckdb.connect()
SCALARS = st.none() | st.integers(-(2**63), 2**63 - 1)
NAMES = st.text(
    st.characters(exclude_characters=' ,;{}()\n\t="`\x7f', exclude_categories=("Cs", "Cc")), min_size=1, max_size=5
)


def run(table: pa.Table, text: str, *, name: str = "t") -> list[dict[str, Any]]:
    CONNECTION.register(name, table)
    try:
        assert upstream(text, where="x") == (name,)
        return CONNECTION.sql(text).to_arrow_table().to_pylist()
    finally:
        CONNECTION.unregister(name)


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["t_id"], row["position"]))


@given(lists=st.lists(st.none() | st.lists(st.none() | st.fixed_dictionaries({"a": SCALARS, "b": SCALARS}))))
@settings(deadline=None, max_examples=60)
def test_each_element_is_a_row_in_its_place(lists: list[list[dict[str, Any] | None] | None]) -> None:
    kind = pa.list_(pa.struct([("a", pa.int64()), ("b", pa.int64())]))
    table = pa.table({"id": list(range(len(lists))), "items": pa.array(lists, kind)})
    text = elements("t", ["items"], keys=[("id", "t_id")], position="position", members=[(["a"], "a"), (["b"], "b")])

    found = run(table, text)

    assert in_order(found) == [
        {"t_id": row, "position": place, "a": (one or {}).get("a"), "b": (one or {}).get("b")}
        for row, several in enumerate(lists)
        for place, one in enumerate(several or (), 1)
    ]


@given(column=NAMES, member=NAMES, inner=NAMES)
@settings(deadline=None, max_examples=60)
def test_any_name_that_a_table_can_hold_is_reached(column: str, member: str, inner: str) -> None:
    check(column, member, inner)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_mean_something_are_only_names(name: str) -> None:
    check(name, name, name)


def check(column: str, member: str, inner: str) -> None:
    key = "id" if column.casefold() != "id" else "number"
    table = pa.table({key: [7], column: pa.array([{member: [{inner: 1}, {inner: None}]}])})
    text = elements("t", [column, member], keys=[(key, "t_id")], position="position", members=[([inner], "x")])

    assert in_order(run(table, text)) == [
        {"t_id": 7, "position": 1, "x": 1},
        {"t_id": 7, "position": 2, "x": None},
    ]


def test_no_word_that_duckdb_reads_as_something_else_stands_alone() -> None:
    words = [each for (each,) in duckdb.connect().execute("SELECT keyword_name FROM duckdb_keywords()").fetchall()]

    for each in words:
        table = pa.table({each: [1], f"{each}s": pa.array([[{each: 2}]])})
        text = elements(each, [f"{each}s"], keys=[(each, f"{each}_id")], position=each, members=[([each], f"{each}_x")])
        assert run(table, text, name=each) == [{f"{each}_id": 1, each: 1, f"{each}_x": 2}], each

    assert len(words) > 400
    assert (word("sku"), word("order"), word("Sku")) == ("sku", '"order"', '"Sku"')


def test_a_key_that_is_called_as_the_element_is_another_column() -> None:
    table = pa.table({"element": [1], "element_": [2], "items": pa.array([["x"]])})
    keys = [("element", "element"), ("element_", "element_")]

    text = elements("t", ["items"], keys=keys, position="position", members=[([], "value")])

    assert run(table, text) == [{"element": 1, "element_": 2, "position": 1, "value": "x"}]
