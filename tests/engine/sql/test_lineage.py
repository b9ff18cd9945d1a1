"""Lineage of columns: what stands in an expression is told, and what alters a value is never left out."""

from __future__ import annotations

import time

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.engine.sql.lineage import DEPTH_MAX, REFERENCES_MAX, of_select, through
from lastro.model.plan import ColumnPlan, Plan
from lastro.model.schema import Primitive

TABLES = {"loans": ["id", "uf", "Amount", "s", "items"], "by.uf": ["uf", "n"], "other": ["id", "x y", "a.b"]}
ROWS = {
    "loans": "(1, 'SP', 10.0, {'a': {'b': 1}, 'k': 2}, [1, 2]), (2, 'RJ', 20.0, {'a': {'b': 3}, 'k': 4}, [3])",
    "by.uf": "('SP', 1), ('RJ', 2)",
    "other": "(1, 10, 100), (2, 20, 200)",
}
OTHERWISE = {
    "id": "id + 7",
    "uf": "uf || 'x'",
    "Amount": "Amount * 3 + 1",
    "s": "{'a': {'b': s.a.b + 5}, 'k': s.k + 9}",
    "items": "list_transform(items, lambda x: x + 11)",
    "n": "n + 4",
    "x y": '"x y" + 3',
    "a.b": '"a.b" + 2',
}
"""Another value for each column."""

CASES = {
    "SELECT id AS a, Amount b, 1 AS one FROM loans": "a=loans.id b=loans.Amount one=",
    'SELECT LOANS.ID, "Loans"."AMOUNT" FROM Loans': "id=loans.id Amount=loans.Amount",
    "SELECT * FROM loans": "id=loans.id uf=loans.uf Amount=loans.Amount s=loans.s items=loans.items",
    "FROM loans SELECT id": "id=loans.id",
    "SELECT * EXCLUDE (s, items) REPLACE (id + amount AS amount) FROM loans": (
        "id=loans.id uf=loans.uf amount=loans.Amount,loans.id"
    ),
    "SELECT * EXCLUDE (id, s, items) RENAME (uf AS state) FROM loans": "state=loans.uf Amount=loans.Amount",
    "SELECT id + 1 AS a, a * 2 AS b, b + amount AS c FROM loans": "a=loans.id b=loans.id c=loans.Amount,loans.id",
    "SELECT id AS amount, amount AS q FROM loans": "amount=loans.id q=loans.Amount",
    'SELECT "x_y" FROM (SELECT "x y" AS x_y FROM other)': "x_y=other.x y",
    'SELECT "a.b" AS v, other."A.B" AS w FROM other': "v=other.a.b w=other.a.b",
    'SELECT b.n, b.uf FROM "by.uf" AS b': "n=by.uf.n uf=by.uf.uf",
    "SELECT t.v FROM (SELECT id, uf FROM loans) AS t(w, v)": "v=loans.uf",
    'SELECT * EXCLUDE (s, items) FROM loans JOIN "by.uf" USING (uf)': (
        "id=loans.id uf=by.uf.uf,loans.uf Amount=loans.Amount n=by.uf.n"
    ),
    'SELECT uf, n FROM loans NATURAL JOIN "by.uf"': "uf=by.uf.uf,loans.uf n=by.uf.n",
    'SELECT l.uf, b.n FROM loans l LEFT JOIN "by.uf" b ON l.uf = b.uf AND l.id > 0': "uf=loans.uf n=by.uf.n",
    "WITH a AS (SELECT id AS i, uf FROM loans), b AS (SELECT i AS j FROM a) "
    "SELECT j, (SELECT max(uf) FROM a) AS u FROM b": "j=loans.id u=loans.uf",
    "WITH loans AS (SELECT uf AS id FROM loans) SELECT id FROM loans": "id=loans.uf",
    "WITH RECURSIVE t AS (SELECT id, amount FROM loans UNION ALL SELECT id + 1, amount FROM t WHERE id < 5) FROM t": (
        "id=loans.id Amount=loans.Amount"
    ),
    "WITH RECURSIVE t(a, b, c, d) AS (SELECT id, amount, 1.0, 1 FROM loans UNION ALL "
    "SELECT b, c, a, d + 1 FROM t WHERE d < 4) SELECT * FROM t": (
        "a=loans.Amount,loans.id b=loans.Amount,loans.id c=loans.Amount,loans.id d="
    ),
    'SELECT id FROM loans UNION ALL SELECT n FROM "by.uf"': "id=by.uf.n,loans.id",
    '(SELECT id FROM loans) INTERSECT (SELECT n FROM "by.uf")': "id=by.uf.n,loans.id",
    'SELECT id FROM loans EXCEPT SELECT n FROM "by.uf"': "id=loans.id",
    "SELECT row_number() OVER (PARTITION BY uf ORDER BY amount) AS r, lag(id) OVER w AS p FROM loans "
    "WINDOW w AS (ORDER BY uf)": "r=loans.Amount,loans.uf p=loans.id,loans.uf",
    "SELECT uf, count(*) AS n, sum(amount) FILTER (WHERE id > 0) AS t FROM loans GROUP BY uf": (
        "uf=loans.uf n= t=loans.Amount,loans.id"
    ),
    "SELECT CASE WHEN uf = 'SP' THEN amount END AS c, uf::varchar AS v FROM loans": (
        "c=loans.Amount,loans.uf v=loans.uf"
    ),
    "SELECT s.a.b AS q, s['k'] AS r, (loans.s).a AS t FROM loans": "q=loans.s r=loans.s t=loans.s",
    "SELECT u.x, id FROM loans, UNNEST(items) AS u(x)": "x=loans.items id=loans.id",
    "SELECT unnest(items) AS i FROM loans": "i=loans.items",
    "SELECT list_transform(items, lambda id: id + amount) AS q FROM loans": "q=loans.Amount,loans.items",
    "SELECT t.b FROM loans, LATERAL (SELECT amount * 2 AS a, id AS b) t": "b=loans.id",
    "SELECT loans AS whole FROM loans": "whole=loans.Amount,loans.id,loans.items,loans.s,loans.uf",
    'SELECT EXISTS (SELECT 1 FROM "by.uf" b WHERE b.uf = l.uf) AS e FROM loans l': "e=by.uf.uf,loans.uf",
    "SELECT id IN (SELECT id FROM other) AS f FROM loans": "f=loans.id,other.id",
    "SELECT v.c, id FROM loans, (VALUES (1), (2)) AS v(c)": "c= id=loans.id",
    "SELECT id FROM loans WHERE amount > 1 ORDER BY uf": "id=loans.id",
}
UNTOLD = (
    "SELECT COLUMNS('i.*') FROM loans",
    "SELECT COLUMNS('id') FROM loans",
    "SELECT * LIKE 'i%' FROM loans",
    "SELECT s.* FROM loans",
    "SELECT unnest(s, recursive := true) FROM loans",
    "SELECT #1 FROM loans",
    "SELECT rowid FROM loans",
    "SELECT x FROM loans AS l(uf, id, x, y, z)",
    "FROM (PIVOT loans ON uf USING sum(amount))",
    "FROM (UNPIVOT (SELECT id, amount FROM loans) ON amount INTO NAME k VALUE v)",
    'SELECT id FROM loans UNION ALL BY NAME SELECT n AS id, uf FROM "by.uf"',
    "SELECT id, id + 1 AS ID FROM loans",
)
ASKS_FOR_ROWS = ("WHERE", "JOIN", "GROUP", "INTERSECT", "EXCEPT", "RECURSIVE")


@pytest.fixture
def database() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    for name, columns in TABLES.items():
        named = ", ".join(f'"{column}"' for column in columns)
        made.execute(f'CREATE TABLE "{name}" AS SELECT * FROM (VALUES {ROWS[name]}) AS t({named})')
    return made


def names(database: duckdb.DuckDBPyConnection, text: str) -> list[str]:
    return [column[0] for column in database.execute(text).description]


def told(text: str, outputs: list[str]) -> str:
    found = of_select(text, TABLES, outputs)
    assert found is not None
    return " ".join(f"{name}={','.join(map('.'.join, upstream))}" for name, upstream in found.items())


@pytest.mark.parametrize("text", CASES)
def test_a_column_comes_from_what_stands_in_its_expression(text: str, database: duckdb.DuckDBPyConnection) -> None:
    assert told(text, names(database, text)) == CASES[text]


@pytest.mark.parametrize("text", [text for text in CASES if not any(word in text for word in ASKS_FOR_ROWS)])
def test_a_column_that_alters_a_value_is_told(text: str, database: duckdb.DuckDBPyConnection) -> None:
    outputs = names(database, text)
    found = of_select(text, TABLES, outputs) or {}
    before = dict(zip(outputs, zip(*database.execute(text).fetchall(), strict=True), strict=True))
    altered: set[tuple[str, str, str]] = set()
    for table, columns in TABLES.items():
        for column in columns:
            database.execute("BEGIN")
            database.execute(f'UPDATE "{table}" SET "{column}" = {OTHERWISE[column]}')
            after = dict(zip(outputs, zip(*database.execute(text).fetchall(), strict=True), strict=True))
            database.execute("ROLLBACK")
            altered |= {
                (name, table, column)
                for name in outputs
                if sorted(map(str, before[name])) != sorted(map(str, after[name]))
            }

    assert altered <= {(name, *one) for name, upstream in found.items() for one in upstream}


@pytest.mark.parametrize("text", UNTOLD)
def test_what_cannot_be_told_for_sure_is_not_told(text: str, database: duckdb.DuckDBPyConnection) -> None:
    assert of_select(text, TABLES, names(database, text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "this is no SQL",
        "SELECT id FROM loans; SELECT id FROM loans",
        "DELETE FROM loans",
        "SELECT id FROM elsewhere",
        "SELECT \x00 FROM loans",
        "SELECT " + "(" * 5000 + "id" + ")" * 5000 + " FROM loans",
        "SELECT id FROM loans" * 20_000,
        "SELECT " + " + ".join(["id"] * DEPTH_MAX * 20) + " AS id FROM loans",
        " UNION ALL ".join(["SELECT id FROM loans"] * DEPTH_MAX * 4),
    ],
    ids=range(10),
)
def test_no_text_makes_an_error_or_takes_long(text: str) -> None:
    began = time.monotonic()

    found = of_select(text, TABLES, ["id"])

    assert found is None
    assert time.monotonic() - began < 20


@given(st.text(alphabet="SELECT*FROMloans id,()'\"=+.;-", max_size=60))
def test_any_text_has_an_answer_or_none(text: str) -> None:
    of_select("SELECT " + text, TABLES, ["id"])


def test_aliases_that_use_each_other_twice_do_not_double_the_work() -> None:
    steps = [f"a{number - 1} + a{number - 1} AS a{number}" for number in range(1, 60)]

    found = of_select(f"SELECT id AS a0, {', '.join(steps)} FROM loans", TABLES, [f"a{number}" for number in range(60)])

    assert found is not None
    assert found["a59"] == (("loans", "id"),)


def test_set_operations_inside_each_other_do_not_double_the_work() -> None:
    text = "SELECT id AS x FROM loans"
    for number in range(60):
        text = f"SELECT {'uf' if number % 2 else 'amount'} AS x FROM loans UNION ALL ({text})"
    began = time.monotonic()

    found = of_select(text, TABLES, ["x"])

    assert found == {"x": (("loans", "Amount"), ("loans", "id"), ("loans", "uf"))}
    assert time.monotonic() - began < 20


def nested(depth: int, *, level: int = 0) -> str:
    """A recursive CTE that reads the one around it, and holds another one."""
    above = f"SELECT a, b, c, d FROM t{level - 1}" if level else "SELECT id, amount, uf, 1 FROM loans"
    inside = nested(depth, level=level + 1) if level < depth else f"SELECT a, b, c, d FROM t{level}"
    step = f"SELECT b AS a, c AS b, d AS c, a AS d FROM ({inside}) AS q{level}"
    return f"WITH RECURSIVE t{level}(a, b, c, d) AS ({above} UNION ALL {step}) SELECT a, b, c, d FROM t{level}"


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_recursion_inside_recursion_reaches_everything(depth: int) -> None:
    found = of_select(nested(depth), TABLES, ["a", "b", "c", "d"])

    assert found == dict.fromkeys("abcd", (("loans", "Amount"), ("loans", "id"), ("loans", "uf")))


def test_recursion_that_is_nested_deeply_is_given_up_in_time() -> None:
    began = time.monotonic()

    of_select(nested(20), TABLES, ["a", "b", "c", "d"])

    assert time.monotonic() - began < 60


def test_more_references_than_a_version_keeps_are_not_told() -> None:
    wide = {"w": [f"c{number}" for number in range(200)]}
    total = " + ".join(f"hash({name})" for name in wide["w"])

    few = of_select(f"SELECT {total} AS x FROM w", wide, ["x"])
    many = of_select(
        "SELECT " + ", ".join(f"{total} AS x{n}" for n in range(101)) + " FROM w", wide, [f"x{n}" for n in range(101)]
    )

    assert few is not None
    assert len(few["x"]) == 200
    assert REFERENCES_MAX < 101 * 200
    assert many is None


def test_a_contract_is_one_more_step() -> None:
    plan = Plan(
        dataset="d",
        contract_digest="",
        columns=(
            ColumnPlan("plain", "UF", Primitive.STRING),
            ColumnPlan("both", "uf", Primitive.STRING, expression="concat(uf, amount)"),
            ColumnPlan("constant", "uf", Primitive.STRING, expression="'x'"),
            ColumnPlan("absent", "gone", Primitive.STRING),
        ),
    )
    columns = {"uf": (("loans", "uf"),), "Amount": (("loans", "Amount"), ("loans", "id"))}

    found = through(plan, columns)

    assert found == {
        "plain": (("loans", "uf"),),
        "both": (("loans", "Amount"), ("loans", "id"), ("loans", "uf")),
        "constant": (),
        "absent": (),
    }


def test_a_parameter_is_a_value_that_comes_from_no_column() -> None:
    text = "SELECT a, $start AS since, x + $more AS y FROM t WHERE d >= $start"

    found = of_select(text, {"t": ["a", "d", "x"]}, ["a", "since", "y"])

    assert found == {"a": (("t", "a"),), "since": (), "y": (("t", "x"),)}
