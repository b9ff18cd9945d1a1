"""What SQL says a value is, is what arrives: round trips of every type through the real server."""

import json
import math
import struct
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lastro.model.version import Mode
from lastro.source import create

NAIVE = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999))
TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12)
FIXED = st.integers(-(10**38) + 1, 10**38 - 1).map(lambda n: Decimal((n < 0, [*map(int, str(abs(n)))], -10)))
ENDLESS = st.sampled_from(["infinity", "-infinity"])
FREE = st.sampled_from(["NaN", "Infinity", "-Infinity", "0.000", "1e-30", "-0"]) | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**60), max_value=10**60
).map(str)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | TEXT, lambda inner: st.lists(inner, max_size=3)
)
INTERVAL = st.tuples(*[st.integers(-99, 99)] * 3).map(lambda parts: "{} mons {} days {} microseconds".format(*parts))


def listed(values):
    return (
        "{"
        + ",".join("NULL" if v is None else '"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"' for v in values)
        + "}"
    )


def grid(values):
    return "{" + ",".join("{" + ",".join("NULL" if v is None else str(v) for v in row) + "}" for row in values) + "}"


GRID = st.integers(1, 3).flatmap(
    lambda wide: st.lists(
        st.lists(st.none() | st.integers(-9, 9), min_size=wide, max_size=wide), min_size=1, max_size=3
    )
)
# column: PostgreSQL's type, strategy of what is inserted, how it is spelled in SQL
TYPED = {
    "n2": ("int2", st.integers(-(2**15), 2**15 - 1), str),
    "n4": ("int4", st.integers(-(2**31), 2**31 - 1), str),
    "n8": ("int8", st.integers(-(2**63), 2**63 - 1), str),
    "x8": ("float8", st.floats(), repr),
    "x4": ("float4", st.floats(width=32), repr),
    "ok": ("bool", st.booleans(), str),
    "t": ("text", TEXT, str),
    "raw": ("bytea", st.binary(max_size=9), lambda value: "\\x" + value.hex()),
    "d": ("date", NAIVE.map(datetime.date), str),
    "at": ("timestamptz", NAIVE.map(lambda value: value.replace(tzinfo=UTC)), datetime.isoformat),
    "plain": ("timestamp", NAIVE, datetime.isoformat),
    "fixed": ("numeric(38,10)", FIXED, str),
    "v": ("varchar(12)", TEXT, str),
    "cents": ("SCHEMA_.cents", st.decimals(0, 10**6, places=2), str),
}
AS_TEXT = {
    "dd": ("date", ENDLESS | st.integers(-2451545, 2145031948).map(lambda n: f"J{n + 2451545}"), str),
    "tt": ("timestamptz", ENDLESS | st.sampled_from(["4713-02-01 BC", "294276-12-31 23:59:59.999999+00"]), str),
    "free": ("numeric", FREE, str),
    "wide": ("numeric(60,20)", st.integers(-(10**59), 10**59).map(lambda n: f"{n}e-20"), str),
    "u": ("uuid", st.uuids(), str),
    "i": ("interval", INTERVAL, str),
    "b": ("varbit", st.text("01", max_size=9), str),
    "rng": (
        "int8range",
        st.tuples(st.integers(-9, 9), st.integers(0, 9)).map(lambda p: f"[{p[0]},{p[0] + p[1]})"),
        str,
    ),
    "net": ("inet", st.ip_addresses(), str),
    "tod": ("time", st.times(), str),
    "usd": ("money", st.integers(-(10**12), 10**12).map(lambda n: f"{n / 100:.2f}"), str),
    "mood": ("SCHEMA_.mood", st.sampled_from(["ok", "so'so"]), str),
    "h": ("SCHEMA_.label", TEXT, str),
    "js": ("jsonb", JSON, json.dumps),
}
AS_JSON = {
    "texts": ("text[]", st.lists(st.none() | TEXT, max_size=3).map(listed), str),
    "grid": ("int4[]", GRID.map(grid), str),
    "moods": ("SCHEMA_.mood[]", st.sampled_from(["{}", "{ok,NULL}"]), str),
    "pair": (
        "SCHEMA_.pair",
        st.tuples(st.integers(-9, 9), st.sampled_from(["a", "b c"])).map(lambda p: f'({p[0]},"{p[1]}")'),
        str,
    ),
}
COLUMNS = {**TYPED, **AS_TEXT, **AS_JSON}


def spelled(name, value):
    if value is None:
        return "NULL"
    return "'" + COLUMNS[name][2](value).replace("'", "''") + "'"


def rows():
    one = st.fixed_dictionaries({name: st.none() | kind[1] for name, kind in COLUMNS.items()})
    return st.lists(one, min_size=1, max_size=6)


@pytest.fixture
def table(server):
    server.run(
        "CREATE TYPE SCHEMA_.mood AS ENUM ('ok', 'so''so')",
        "CREATE TYPE SCHEMA_.pair AS (a int, b text)",
        "CREATE DOMAIN SCHEMA_.cents AS numeric(9,2) CHECK (value >= 0)",
        "CREATE DOMAIN SCHEMA_.label AS text",
        "CREATE TABLE SCHEMA_.t (id int, " + ", ".join(f"{name} {kind[0]}" for name, kind in COLUMNS.items()) + ")",
    )
    return server


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(rows())
def test_what_is_stored_is_what_arrives(table, stored):
    connection = table.session(autocommit=True)
    values = [
        f"({index}, {', '.join(spelled(name, row[name]) for name in COLUMNS)})" for index, row in enumerate(stored)
    ]
    table.run("TRUNCATE SCHEMA_.t", f"INSERT INTO SCHEMA_.t VALUES {', '.join(values)}", on=connection)

    made = create(
        {"kind": "postgres", "url": table.reference, "table": f"{table.schema}.t", "reconcile": "rows"}, base=None
    )
    with made.open(None, Mode.OVERWRITE) as opened:
        arrived = pa.table(opened.scan.stream).to_pylist()
        assert opened.reconciliation().differences() == ()

    for row, found in zip(stored, arrived, strict=True):
        assert {name: exactly(found[name]) for name in TYPED} == {name: expected(name, row[name]) for name in TYPED}
    assert different(table, arrived, connection) == []


def expected(name, value):
    if name == "x4" and value is not None:
        return exactly(struct.unpack("f", struct.pack("f", value))[0])
    return exactly(value)


def exactly(value):
    """Floats by their bytes; one NaN is as good as another."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else struct.pack(">d", value)
    return value


def different(table, arrived, connection):
    """The columns of which the server says that what arrived is something else."""
    found = []
    for index, row in enumerate(arrived):
        for name, kind in {**AS_TEXT, **AS_JSON}.items():
            literal = "NULL" if row[name] is None else "'" + str(row[name]).replace("'", "''") + "'"
            stored = name if name in AS_TEXT else f"to_jsonb({name})"
            back = f"{literal}::{kind[0] if name in AS_TEXT else 'jsonb'}"
            found.append(f"SELECT '{name}' FROM SCHEMA_.t WHERE id = {index} AND {stored} IS DISTINCT FROM {back}")
    with closing(connection.cursor()) as cursor:
        cursor.execute(" UNION ALL ".join(found).replace("SCHEMA_", table.schema))
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.parametrize("extension", ["hstore", "citext", "ltree", "cube", "isn"])
def test_types_of_extensions_arrive_as_text(server, extension):
    text = {
        "hstore": '"a"=>"1", "b"=>NULL',
        "citext": "ABc",
        "ltree": "a.b",
        "cube": "(1, 2)",
        "isn": "978-0-393-04002-9",
    }
    kind = {"isn": "isbn13"}.get(extension, extension)
    try:
        server.run(f"CREATE EXTENSION {extension} SCHEMA SCHEMA_")
    except Exception as error:  # whatever the server says of an extension that it does not have
        pytest.skip(f"the server has no extension {extension}: {type(error).__name__}")
    server.run(
        f"CREATE TABLE SCHEMA_.t (v SCHEMA_.{kind})", f"INSERT INTO SCHEMA_.t VALUES ('{text[extension]}'), (NULL)"
    )

    made = create({"kind": "postgres", "url": server.reference, "table": f"{server.schema}.t"}, base=None)
    with made.open(None, Mode.OVERWRITE) as opened:
        assert pa.table(opened.scan.stream)["v"].to_pylist() == [text[extension], None]


def test_what_a_contract_makes_of_them(server, tmp_path):
    """Sound values get the contract's type; one that it has not, such as infinity, sets its row aside, whole."""
    import lastro

    server.run(
        "CREATE TABLE SCHEMA_.t (id int PRIMARY KEY, day date, price numeric(9,2), at timestamptz)",
        "INSERT INTO SCHEMA_.t VALUES (1, '1500-02-28', 1.5, '2026-01-31 10:00:00-03'), (2, NULL, 99.99, NULL)",
    )
    workspace = lastro.init(tmp_path / "lake")
    workspace.add(f"postgresql://host/db#{server.schema}.t", name="t", options={"url": server.reference})
    first = workspace.dataset("t").ingest()
    server.run("INSERT INTO SCHEMA_.t VALUES (3, 'infinity', 'NaN', '-infinity')")
    second = workspace.dataset("t").ingest()

    kept = workspace.version("t").to_arrow()
    assert (first.counts.kept, second.counts.kept, second.counts.quarantined) == (2, 2, 1)
    assert [str(kind) for kind in kept.schema.types] == [
        "int64",
        "date32[day]",
        "decimal128(9, 2)",
        "timestamp[us, tz=UTC]",
    ]
    assert kept["day"].to_pylist()[0].isoformat() == "1500-02-28"
