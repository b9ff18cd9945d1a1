"""A whole SELECT: which datasets it reads, and what is no SELECT."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.engine import parameters_of, tables_of
from lastro.model.errors import LastroError, SqlRefused


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("SELECT 1 AS one", ()),
        ("FROM loans", ("loans",)),
        ("SELECT * FROM Loans l JOIN people p USING (id) JOIN loans m USING (id);", ("loans", "people")),
        ("SELECT * FROM loans UNION ALL SELECT * FROM people", ("loans", "people")),
        ("(SELECT * FROM loans)", ("loans",)),
        ("SELECT (SELECT max(id) FROM people) FROM loans WHERE id IN (SELECT id FROM gone)", None),
        ('SELECT * FROM "a.b-c"', ("a.b-c",)),
        ("WITH a AS (SELECT * FROM loans) SELECT * FROM a JOIN people USING (id)", None),
        ("WITH loans AS (SELECT * FROM loans) SELECT * FROM loans", ("loans",)),
        ("WITH a AS (SELECT 1 AS x), b AS (SELECT * FROM a) SELECT * FROM b", ()),
        ("WITH a AS (SELECT * FROM b), b AS (SELECT 1 AS x) SELECT * FROM a", ("b",)),
        ("WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT * FROM t", ()),
        ("SELECT * FROM (WITH a AS (SELECT 1 AS x) SELECT * FROM a) JOIN a USING (x)", ("a",)),
        ("SELECT * FROM (VALUES (1)) t(x), unnest([1, 2])", ()),
    ],
)
def test_the_datasets_that_are_read(text: str, read: tuple[str, ...] | None) -> None:
    found = tables_of(text, where="x.sql")

    if read is not None:
        assert found == read
    else:
        assert {"loans", "people"} <= set(found) <= {"loans", "people", "gone"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   -- nothing",
        "SELECT 1; SELECT 2",
        "DELETE FROM loans",
        "INSERT INTO loans SELECT * FROM loans",
        "COPY loans TO 'x.csv'",
        "CREATE TABLE x AS SELECT * FROM loans",
        "ATTACH 'x.db'",
        "SET threads = 1",
        "PRAGMA version",
        "DESCRIBE loans",
        "SUMMARIZE loans",
        "SELECT * FROM (DESCRIBE loans)",
        "SELECT * INTO x FROM loans",
        "SELECT * FROM read_csv('x.csv')",
        "SELECT * FROM read_parquet('x.parquet')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('*')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM query_table('loans')",
        "SELECT * FROM main.loans",
        "SELECT * FROM information_schema.tables",
        "SELECT $1 AS x FROM loans",
        "SELECT ? AS x FROM loans",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(SqlRefused) as error:
        tables_of(text, where="x.sql")

    assert error.value.where.startswith("x.sql")


def test_a_file_in_place_of_a_table_is_a_dataset_that_is_not_there() -> None:
    assert tables_of("SELECT * FROM 'people.csv'", where="x.sql") == ("people.csv",)


def test_a_mistake_tells_its_line_and_no_literal() -> None:
    with pytest.raises(SqlRefused) as error:
        tables_of("SELECT *\nFROM loans\nWHERE name = 'Maria' AND (", where="x.sql")

    assert error.value.where == "x.sql, line 3"
    assert "Maria" not in str(error.value)


@given(
    st.text(max_size=80)
    | st.lists(
        st.sampled_from(["SELECT", "FROM", "WITH", "AS", "(", ")", "loans", ",", "*", ";", "'", '"', "JOIN"])
    ).map(" ".join)
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = tables_of(text, where="x.sql")
    except LastroError as error:
        assert isinstance(error, SqlRefused)
    else:
        assert all(isinstance(name, str) for name in found)


@pytest.mark.parametrize("text", ["SELECT * FROM t WHERE a >= $start AND a < $end", 'SELECT $"start", $end FROM t'])
def test_parameters_that_are_given_may_stand_in_it(text: str) -> None:
    assert tables_of(text, where="x.sql", parameters=("start", "end")) == ("t",)
    assert parameters_of(text, where="x.sql") == {"start", "end"}


@pytest.mark.parametrize(
    "text", ["SELECT $begin FROM t", "SELECT $START FROM t", "SELECT ? FROM t", "SELECT $1 FROM t"]
)
def test_other_parameters_are_refused(text: str) -> None:
    with pytest.raises(SqlRefused, match="which has no value"):
        tables_of(text, where="x.sql", parameters=("start", "end"))


def test_text_that_looks_like_a_parameter_is_none() -> None:
    assert parameters_of("SELECT '$start', $$end$$ FROM t", where="x.sql") == frozenset()
