"""People's SQL: what passes the door, what does not, and in which form it leaves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.sql import honest, hostile

from lastro.engine.sql import dialect, door
from lastro.model.errors import SqlRefused

NAMES = ("a", "b", "n", "m", "x", "p", "d", "e", "t", "ok")
HOSTILE = list(dict.fromkeys(hostile.texts()))


def test_hostile_texts_are_many() -> None:
    assert len(HOSTILE) >= 900


@pytest.mark.parametrize("family", range(20))
def test_nothing_hostile_passes(family: int) -> None:
    passed = [text[:80] for text in HOSTILE[family::20] if _passes(text)]

    assert passed == []


def _passes(text: str) -> bool:
    try:
        door.expression(text, columns=("a", "b"), where="rule")
    except SqlRefused as error:
        assert error.where == "rule"
        assert error.do
        return False
    return True


@pytest.mark.parametrize("text", HOSTILE[::7], ids=lambda text: text[:30])
def test_hostile_texts_do_not_pass_inside_a_query(text: str) -> None:
    with pytest.raises(SqlRefused):
        door.query(f"select max({text}) from loans", table="loans", columns=("a", "b"), column=None, where="rule")


@pytest.mark.parametrize("text", honest.EXPRESSIONS)
def test_honest_expressions_pass_and_pass_again_as_generated(text: str) -> None:
    tree = door.expression(text, columns=NAMES, where="rule")
    again = door.expression(tree.sql("duckdb"), columns=NAMES, where="rule")

    assert dialect.render(again, "duckdb") == dialect.render(tree, "duckdb")
    assert "comment" not in dialect.render(tree, "spark")


@pytest.mark.parametrize("text", honest.QUERIES)
def test_honest_queries_pass(text: str) -> None:
    tree = door.query(text, table="loans", columns=NAMES, column="n", where="rule")

    assert '"data"' in tree.sql("duckdb")
    assert "loans" not in tree.sql("duckdb").replace("'{object}'", "")


@pytest.mark.parametrize(
    "text",
    [
        "select count(*) from customers",
        "select count(*) from loans, customers",
        "select count(*) from loans join loans on true",
        "select count(*) from read_csv('/etc/passwd')",
        "select count(*) from '/etc/passwd'",
        "select count(*) from main.loans",
        "select count(*) from loans limit 1",
        "select count(*) from loans order by 1",
        "select n from loans",
        "select n from loans group by n",
        "select count(*), sum(n) from loans",
        "select count(*) from loans union select 1",
        "with loans as (select 1) select count(*) from loans",
        "select count(*) from (select * from loans) as l",
        "select count(*) over () from loans",
        "select count(*) from loans tablesample 1 percent",
        "select count(*) from loans where n in (select secret from vault)",
        "select count(*) from loans where exists (select 1 from duckdb_secrets())",
        "select count(*)",
        "select max(z) from loans",
        "select max(other.n) from loans",
        "select distinct on (n) count(*) from loans",
        "select count(*) into x from loans",
        "select max(l.n) from loans as l, lateral (select 1)",
        "from loans select count(*)  qualify true",
        "delete from loans",
    ],
)
def test_hostile_queries_do_not_pass(text: str) -> None:
    with pytest.raises(SqlRefused):
        door.query(text, table="loans", columns=NAMES, column=None, where="rule")


def test_a_placeholder_without_a_column_is_refused() -> None:
    with pytest.raises(SqlRefused, match="property"):
        door.query(
            "select count(*) from {object} where {property} > 1",
            table="loans",
            columns=NAMES,
            column=None,
            where="rule",
        )


def test_names_are_quoted_whatever_they_hold() -> None:
    name = 'age" from d; drop table d; --'
    tree = door.query(
        "select max({property}) from {object}", table='t"; drop', columns=(name,), column=name, where="rule"
    )

    assert tree.sql("duckdb") == 'SELECT MAX("age"" from d; drop table d; --") FROM "data"'


def test_a_column_is_found_without_regard_to_case_if_that_is_clear() -> None:
    assert door.expression("UF = 'SP'", columns=("uf",), where="r").sql("duckdb") == "\"uf\" = 'SP'"
    with pytest.raises(SqlRefused):
        door.expression("UF = 'SP'", columns=("uf", "Uf"), where="r")


def test_an_unknown_column_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(SqlRefused, match="did you mean 'income'"):
        door.expression("incme > 1", columns=("income", "age"), where="r")


def test_a_condition_is_no_plain_value() -> None:
    with pytest.raises(SqlRefused):
        door.condition("trim(a)", columns=NAMES, where="r")


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.text("ab1'\"()[]{}.,;:=<>+-*/%$#@!~^&| \n", max_size=60))
def test_any_text_is_refused_or_generates_what_passes_again(text: str) -> None:
    try:
        tree = door.expression(text, columns=("a", "b"), where="r")
    except SqlRefused:
        return
    written = tree.sql("duckdb")

    assert door.expression(written, columns=("a", "b"), where="r").sql("duckdb") == written
