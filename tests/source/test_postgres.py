"""PostgreSQL as a source, against a real server: nothing lost on the way, and nothing lost that commits late."""

import socket
import threading
import time
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from tests.source.conformance import *  # noqa: F403
from tests.source.conformance import World, take

from lastro.model.errors import (
    ConfigurationError,
    SourceBroken,
    SourceChanged,
    SourceUnreachable,
    SqlRefused,
)
from lastro.model.version import Mode
from lastro.source import create
from lastro.source.protocol import Unchanged


def source(server, table=None, **options):
    named = {} if table is None else {"table": f"{server.schema}.{table}"}
    return create({"kind": "postgres", "url": server.reference, **named, **options}, base=None)


def read(made, cursor=None, mode=Mode.OVERWRITE):
    with made.open(cursor, mode) as opened:
        if isinstance(opened, Unchanged):
            return opened, cursor
        table = pa.table(opened.scan.stream)
        return table, opened.watermark()


def column(made, name="id", cursor=None, mode=Mode.OVERWRITE):
    table, after = read(made, cursor, mode)
    return (table if isinstance(table, Unchanged) else table[name].to_pylist()), after


@pytest.fixture
def events(server):
    server.run(
        "CREATE TABLE SCHEMA_.events (id bigserial PRIMARY KEY, name text, at timestamptz DEFAULT now())",
        "INSERT INTO SCHEMA_.events (name) VALUES ('a'), ('b'), ('c')",
    )
    return server


@pytest.fixture
def world(events, monkeypatch):
    mark = "&" if "?" in events.url else "?"
    monkeypatch.setenv("LASTRO_URL_FOR_TEST", f"{events.url}{mark}application_name=hunter2")
    return World(
        make=lambda: create(
            {"kind": "postgres", "url": "${LASTRO_URL_FOR_TEST}", "table": f"{events.schema}.events"}, base=None
        ),
        rows=3,
        change=lambda: events.run("INSERT INTO SCHEMA_.events (name) VALUES ('d')"),
        vanish=lambda: events.run("DROP TABLE SCHEMA_.events"),
        secrets=("hunter2", events.url),
    )


VALUES = [
    ("smallint", "'-32768'", pa.int16(), -32768),
    ("bigint", "9223372036854775807", pa.int64(), 2**63 - 1),
    ("real", "0.1", pa.float32(), pytest.approx(0.1)),
    ("double precision", "'NaN'", pa.float64(), pytest.approx(float("nan"), nan_ok=True)),
    ("double precision", "'-Infinity'", pa.float64(), float("-inf")),
    ("boolean", "true", pa.bool_(), True),
    ("text", "'é😀 ''x'' \\n'", pa.string(), "é😀 'x' \\n"),
    ("char(5)", "'ab'", pa.string(), "ab"),
    ("bytea", r"'\x00ff'", pa.binary(), b"\x00\xff"),
    ("numeric(12,2)", "1234567890.10", pa.decimal128(12, 2), Decimal("1234567890.10")),
    ("numeric(38,0)", "'9' || repeat('0', 37)", pa.decimal128(38, 0), Decimal("9e37")),
    ("numeric(40,2)", "'9' || repeat('0', 37)", pa.string(), "9" + "0" * 37 + ".00"),
    ("numeric(3,-2)", "12345", pa.string(), "12300"),
    ("numeric(9,2)", "'NaN'", pa.string(), "NaN"),
    ("numeric", "'NaN'", pa.string(), "NaN"),
    ("numeric", "'-Infinity'", pa.string(), "-Infinity"),
    ("numeric", "1.50", pa.string(), "1.50"),
    ("money", "'12.50'", pa.string(), "12.50"),
    ("date", "'infinity'", pa.string(), "infinity"),
    ("date", "'1582-10-10'", pa.date32(), date(1582, 10, 10)),
    ("date", "'9999-12-31'", pa.date32(), date(9999, 12, 31)),
    ("date", "'0001-01-01'", pa.date32(), date(1, 1, 1)),
    ("date", "'0044-03-15 BC'", pa.string(), "0044-03-15 BC"),
    ("date", "'12026-01-31'", pa.string(), "12026-01-31"),
    ("timestamp", "'2026-01-31 10:00:00.123456'", pa.timestamp("us"), datetime(2026, 1, 31, 10, 0, 0, 123456)),
    ("timestamp", "'0001-01-01 BC'", pa.string(), "0001-01-01 00:00:00 BC"),
    ("timestamptz", "'2026-01-31 10:00:00-03'", pa.timestamp("us", tz="UTC"), datetime(2026, 1, 31, 13, tzinfo=UTC)),
    ("timestamptz", "'-infinity'", pa.string(), "-infinity"),
    ("time", "'24:00:00'", pa.string(), "24:00:00"),
    ("interval", "'1 month 2 days'", pa.string(), "P1M2D"),
    ("uuid", "'0123ABCD-0000-0000-0000-000000000000'", pa.string(), "0123abcd-0000-0000-0000-000000000000"),
    ("jsonb", """'{"a": [1, null]}'""", pa.string(), '{"a": [1, null]}'),
    ("integer[]", "'{1,NULL,3}'", pa.string(), "[1,null,3]"),
    ("text[][]", """'{{a,"b,c"},{d,e}}'""", pa.string(), '[["a","b,c"],["d","e"]]'),
    ("timestamptz[]", "'{infinity}'", pa.string(), '["infinity"]'),
    ("inet", "'10.0.0.1/8'", pa.string(), "10.0.0.1/8"),
    ("int4range", "'[1,3)'", pa.string(), "[1,3)"),
    ("bit(3)", "B'101'", pa.string(), "101"),
    ("xml", "'<a/>'", pa.string(), "<a/>"),
    ("oid", "4294967295", pa.string(), "4294967295"),
    ('"char"', "'x'", pa.string(), "x"),
]


def test_every_type_arrives_without_loss(server):
    names = [f"c{number}" for number in range(len(VALUES))]
    server.run(
        "CREATE TABLE SCHEMA_.t ("
        + ", ".join(f"{name} {value[0]}" for name, value in zip(names, VALUES, strict=True))
        + ")",
        "INSERT INTO SCHEMA_.t VALUES (" + ", ".join(f"({value[1]})::{value[0]}" for value in VALUES) + ")",
        "INSERT INTO SCHEMA_.t DEFAULT VALUES",
    )

    table, _cursor = read(source(server, "t"))

    assert table.schema.types == [value[2] for value in VALUES]
    assert table.slice(0, 1).to_pylist()[0] == {name: value[3] for name, value in zip(names, VALUES, strict=True)}
    assert set(table.slice(1, 1).to_pylist()[0].values()) == {None}


def test_types_of_ones_own(server):
    server.run(
        "CREATE TYPE SCHEMA_.mood AS ENUM ('ok', 'so''so')",
        "CREATE TYPE SCHEMA_.pair AS (a int, b text)",
        "CREATE DOMAIN SCHEMA_.cents AS numeric(9,2) CHECK (value >= 0)",
        "CREATE DOMAIN SCHEMA_.code AS text",
        "CREATE TABLE SCHEMA_.t (m SCHEMA_.mood, p SCHEMA_.pair, c SCHEMA_.cents, d SCHEMA_.code, ms SCHEMA_.mood[])",
        "INSERT INTO SCHEMA_.t VALUES ('so''so', ROW(1, 'x'), 1.5, 'y', '{ok}')",
    )

    table, _cursor = read(source(server, "t"))

    row = table.to_pylist()[0]
    assert (row["m"], row["p"], row["d"], row["ms"]) == ("so'so", '{"a":1,"b":"x"}', "y", '["ok"]')
    assert str(row["c"]) == "1.50"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("numeric(9,2)", "NaN"),
        ("date", "infinity"),
        ("timestamptz", "-infinity"),
        ("timestamp", "4713-01-01 00:00:00 BC"),
    ],
)
def test_what_no_arrow_value_is_arrives_as_text_or_is_refused_if_nobody_looked(server, kind, value):
    server.run(f"CREATE TABLE SCHEMA_.t (v {kind})", f"INSERT INTO SCHEMA_.t VALUES ('{value}'), (NULL)")

    with pytest.raises(SourceBroken, match="v holds") as caught:
        take(source(server, "t", reconcile=False))
    assert "v::text" in caught.value.do
    assert column(source(server, "t"), "v")[0] == [value, None]


@pytest.mark.parametrize("name", ['a"b', "select", "é ü", "x'y", "Upper", "a;b--", "$1", "%s"])
def test_odd_names(server, name):
    quoted = '"' + name.replace('"', '""') + '"'
    server.run(f"CREATE TABLE SCHEMA_.{quoted} ({quoted} int NOT NULL)", f"INSERT INTO SCHEMA_.{quoted} VALUES (7)")
    made = create(
        {"kind": "postgres", "url": server.reference, "table": f"{server.schema}.{quoted}", "cursor": name}, base=None
    )

    assert column(made, name, None, Mode.APPEND)[0] == [7]


def test_a_large_table_is_streamed_in_batches(server):
    server.run("CREATE TABLE SCHEMA_.t AS SELECT n, repeat('x', 1000) AS x FROM generate_series(1, 60000) AS n")

    with source(server, "t").open(None, Mode.OVERWRITE) as opened:
        reader = pa.RecordBatchReader.from_stream(opened.scan.stream)
        sizes = [batch.nbytes for batch in reader]
        opened.watermark()

    assert len(sizes) > 2
    assert max(sizes) < 40 << 20


def test_one_state_of_the_database_whoever_writes_meanwhile(events):
    with source(events, "events").open(None, Mode.OVERWRITE) as opened:
        events.run("DELETE FROM SCHEMA_.events", "INSERT INTO SCHEMA_.events (name) VALUES ('later')")

        assert pa.table(opened.scan.stream)["name"].to_pylist() == ["a", "b", "c"]


def test_an_empty_table_has_columns_and_no_rows(server):
    server.run("CREATE TABLE SCHEMA_.t (id bigint, at timestamptz)")
    table, cursor = read(source(server, "t", cursor="id"), None, Mode.APPEND)

    assert (table.schema.names, table.num_rows) == (["id", "at"], 0)
    assert "last" not in cursor


def test_append_reads_what_is_greater_once(events):
    made = source(events, "events", cursor="id")
    first, cursor = column(made, "id", None, Mode.APPEND)
    nothing, _same = column(made, "id", cursor, Mode.APPEND)
    events.run("INSERT INTO SCHEMA_.events (name) VALUES ('d')", "UPDATE SCHEMA_.events SET name = 'x' WHERE id = 1")
    second, _after = column(made, "id", cursor, Mode.APPEND)

    assert (first, second) == ([1, 2, 3], [4])
    assert isinstance(nothing, Unchanged)


def test_a_row_that_commits_late_is_not_lost(events):
    made = source(events, "events", cursor="id")
    _first, cursor = column(made, "id", None, Mode.APPEND)
    slow = events.session()
    events.run("INSERT INTO SCHEMA_.events (name) VALUES ('slow')", on=slow)  # takes 4, commits last
    events.run("INSERT INTO SCHEMA_.events (name) VALUES ('fast')")  # takes 5, commits at once
    release = threading.Timer(0.4, slow.commit)
    release.start()
    second, _after = column(made, "id", cursor, Mode.APPEND)
    release.join()

    assert second == [4, 5]


def test_a_younger_transaction_below_an_older_one_is_not_lost(events):
    """The order that defeats bounding by `xmin`: the older transaction takes the greater number and commits first."""
    made = source(events, "events", cursor="id")
    _first, cursor = column(made, "id", None, Mode.APPEND)
    older, younger = events.session(), events.session()
    events.run("CREATE TABLE SCHEMA_.other (a int)", on=older)  # has its transaction id now
    events.run("INSERT INTO SCHEMA_.events (name) VALUES ('young')", on=younger)  # takes 4
    events.run("INSERT INTO SCHEMA_.events (name) VALUES ('old')", on=older)  # takes 5
    older.commit()
    release = threading.Timer(0.4, younger.commit)
    release.start()
    second, _after = column(made, "id", cursor, Mode.APPEND)
    release.join()

    assert second == [4, 5]


def test_a_transaction_that_has_written_nothing_yet_is_waited_for(events):
    """Its `now()` is its beginning, before the rows that others commit meanwhile."""
    made = source(events, "events", cursor="at")
    _first, cursor = column(made, "id", None, Mode.APPEND)
    slow = events.session()
    events.value("SELECT count(*) FROM SCHEMA_.events", on=slow)
    time.sleep(0.01)
    events.run("INSERT INTO SCHEMA_.events (name) VALUES ('fast')")

    def finish():
        events.run("INSERT INTO SCHEMA_.events (name) VALUES ('slow')", on=slow)
        slow.commit()

    release = threading.Timer(0.4, finish)
    release.start()
    second, after = column(made, "name", cursor, Mode.APPEND)
    release.join()
    third, _after = column(made, "name", after, Mode.APPEND)

    assert second == ["slow", "fast"]
    assert isinstance(third, Unchanged)


def test_append_refuses_to_pass_a_transaction_that_stays_open(events):
    made = source(events, "events", cursor="id", wait_s=0.1)
    slow = events.session()
    events.run("INSERT INTO SCHEMA_.events (name) VALUES ('slow')", on=slow)

    with pytest.raises(SourceUnreachable, match="stayed open") as caught:
        take(made, None, Mode.APPEND)
    assert "wait_s" in caught.value.do
    slow.rollback()
    assert take(made, None, Mode.APPEND)[0] == 3


def test_upsert_reads_on_and_goes_back_for_what_commits_late(events):
    made = source(events, "events", cursor="id", wait_s=0.1)
    _first, cursor = column(made, "id", None, Mode.UPSERT)
    slow = events.session()
    events.run("INSERT INTO SCHEMA_.events (name) VALUES ('slow')", on=slow)
    events.run("INSERT INTO SCHEMA_.events (name) VALUES ('fast')")
    with made.open(cursor, Mode.UPSERT) as opened:
        second = pa.table(opened.scan.stream)["id"].to_pylist()
        notes, after = opened.notes, opened.watermark()
    slow.commit()
    third, last = column(made, "id", after, Mode.UPSERT)

    assert second == [3, 5]
    assert "still open" in notes[0]
    assert third == [3, 4, 5]
    assert isinstance(take(made, last, Mode.UPSERT), Unchanged)


def test_transactions_of_other_databases_are_not_waited_for(events):
    other = events.elsewhere(database="postgres")
    import adbc_driver_postgresql.dbapi as driver

    with driver.connect(other) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()

        assert take(source(events, "events", cursor="id", wait_s=0), None, Mode.APPEND)[0] == 3


def test_a_lag_holds_the_newest_back_and_waits_for_nobody(events):
    slow = events.session()
    events.run("INSERT INTO SCHEMA_.events (name) VALUES ('slow')", on=slow)
    events.run("UPDATE SCHEMA_.events SET at = '2026-01-01 00:00:00Z'::timestamptz + id * interval '10 s'")
    made = source(events, "events", cursor="at", lag=15, wait_s=0)
    first, cursor = column(made, "id", None, Mode.APPEND)
    events.run(
        "INSERT INTO SCHEMA_.events (name, at) VALUES ('d', '2026-01-01 00:00:40Z'), ('e', '2026-01-01 00:00:16Z')"
    )
    second, _after = column(made, "name", cursor, Mode.APPEND)

    assert first == [1]
    assert second == ["e", "b"]
    slow.rollback()


def test_upsert_with_a_lag_reads_the_window_again(events):
    made = source(events, "events", cursor="id", lag=1)
    _first, cursor = column(made, "id", None, Mode.UPSERT)
    events.run("INSERT INTO SCHEMA_.events (name) VALUES ('d')")

    assert column(made, "id", cursor, Mode.UPSERT)[0] == [2, 3, 4]


def test_rows_without_a_cursor_value(server):
    server.run("CREATE TABLE SCHEMA_.t (id int)", "INSERT INTO SCHEMA_.t VALUES (1), (NULL)")
    made = source(server, "t", cursor="id")

    with pytest.raises(SourceBroken, match="cannot be appended once"):
        take(made, None, Mode.APPEND)
    _all, cursor = column(made, "id", None, Mode.UPSERT)
    server.run("INSERT INTO SCHEMA_.t VALUES (2)")
    assert column(made, "id", cursor, Mode.UPSERT)[0] == [1, 2, None]


def test_an_infinite_cursor_value_is_refused(server):
    server.run("CREATE TABLE SCHEMA_.t (at timestamptz)", "INSERT INTO SCHEMA_.t VALUES (now()), ('infinity')")

    with pytest.raises(SourceBroken, match="infinite"):
        take(source(server, "t", cursor="at"), None, Mode.APPEND)


def test_another_table_under_the_same_cursor(events):
    events.run("CREATE TABLE SCHEMA_.more (id int)", "INSERT INTO SCHEMA_.more VALUES (1)")
    _rows, cursor = take(source(events, "events", cursor="id"), None, Mode.APPEND)

    with pytest.raises(SourceChanged, match="are others than"):
        take(source(events, "more", cursor="id"), cursor, Mode.APPEND)
    assert take(source(events, "more", cursor="id"), cursor, Mode.UPSERT)[0] == 1


def test_a_query_is_read_like_a_table(events):
    made = source(
        events, query=f"WITH x AS (SELECT id * 10 AS ten FROM {events.schema}.events) SELECT * FROM x;", cursor="ten"
    )
    first, cursor = column(made, "ten", None, Mode.APPEND)
    events.run("INSERT INTO SCHEMA_.events (name) VALUES ('d')")

    assert first == [10, 20, 30]
    assert column(made, "ten", cursor, Mode.APPEND)[0] == [40]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM SCHEMA_.events",
        "WITH gone AS (DELETE FROM SCHEMA_.events RETURNING *) SELECT * FROM gone",
        "SELECT 1; DELETE FROM SCHEMA_.events",
        "SELECT 1) AS a; COMMIT; DELETE FROM SCHEMA_.events; SELECT * FROM (SELECT 1",
        "SELECT '\\'; DELETE FROM SCHEMA_.events; --'",
        "SELECT E'\\') AS a; DELETE FROM SCHEMA_.events; --'",
        "SELECT 1 AS a$b$ ) AS c; DELETE FROM SCHEMA_.events; SELECT * FROM (SELECT 1 AS d$b$",
        "SELECT 1 -- \r) AS a; DELETE FROM SCHEMA_.events; --",
        "SELECT [1;] FROM x",
        "SELECT setval('SCHEMA_.events_id_seq', 99)",
        "COPY SCHEMA_.events TO PROGRAM 'touch /tmp/x'",
        "SELECT 1 INTO SCHEMA_.made",
    ],
)
def test_a_query_that_is_more_than_a_select_is_refused(events, query):
    made_of = query.replace("SCHEMA_", events.schema)

    with pytest.raises((SqlRefused, ConfigurationError)):
        take(source(events, query=made_of))
    assert events.value("SELECT count(*) FROM SCHEMA_.events") == 3
    assert events.value("SELECT last_value FROM SCHEMA_.events_id_seq") == 3


@pytest.mark.parametrize("query", ["SELECT 'Maria'::int AS a", "SELECT 'Maria' FROM nowhere", "SELECT 1/0 AS a"])
def test_a_query_that_does_not_run_is_told_without_its_literals(server, query):
    with pytest.raises(ConfigurationError, match="SQLSTATE") as caught:
        take(source(server, query=query))
    assert "Maria" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_two_columns_of_one_name_are_refused(server):
    with pytest.raises(ConfigurationError, match="same name"):
        take(source(server, query="SELECT 1 AS a, 2 AS a"))


def test_a_row_that_fails_in_the_middle_shows_no_value(server):
    server.run(
        "CREATE TABLE SCHEMA_.t AS SELECT CASE WHEN n < 50000 THEN '1' ELSE 'Maria' END AS x"
        " FROM generate_series(1, 60000) AS n"
    )

    with pytest.raises(ConfigurationError) as caught:
        take(source(server, query=f"SELECT x::int AS y, repeat('z', 500) AS z FROM {server.schema}.t"))
    assert "Maria" not in str(caught.value)


@pytest.mark.parametrize("table", ["event", "nowhere.events"])
def test_a_table_that_is_not_there(events, table):
    with pytest.raises(SourceBroken, match="no table") as caught:
        take(create({"kind": "postgres", "url": events.reference, "table": table}, base=None))
    assert caught.value.exit_code == 3


def test_a_cursor_column_that_is_not_there(events):
    with pytest.raises(ConfigurationError, match="no column ID") as caught:
        take(source(events, "events", cursor="ID"))
    assert "id" in caught.value.do


def test_a_table_the_account_may_not_read(events, monkeypatch):
    role = f"{events.schema}_reader"
    events.run(f"CREATE ROLE {role} LOGIN PASSWORD 'p@ss'")
    monkeypatch.setenv("LASTRO_PW_FOR_TEST", "p@ss")
    try:
        url = events.elsewhere(account=role, password="${LASTRO_PW_FOR_TEST}")
        made = create({"kind": "postgres", "url": url, "table": f"{events.schema}.events"}, base=None)

        with pytest.raises(SourceUnreachable, match="may not read") as caught:
            take(made)
        assert "GRANT" in caught.value.do
    finally:
        events.run(f"DROP ROLE {role}")


def test_a_server_that_goes_away_in_the_middle(server):
    server.run("CREATE TABLE SCHEMA_.t AS SELECT n, repeat('x', 1000) AS x FROM generate_series(1, 100000) AS n")

    with pytest.raises(SourceUnreachable) as caught:  # noqa: SIM117 - the context itself raises
        with source(server, "t").open(None, Mode.OVERWRITE) as opened:
            reader = pa.RecordBatchReader.from_stream(opened.scan.stream)
            reader.read_next_batch()
            server.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%"
                f"{server.schema}%' AND pid <> pg_backend_pid()"
            )
            reader.read_all()
    assert caught.value.exit_code == 3


def test_a_server_that_is_not_there_shows_no_secret(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setenv("LASTRO_PW_FOR_TEST", "hunter2@:/?")
        made = create(
            {"kind": "postgres", "url": f"postgresql://u:${{LASTRO_PW_FOR_TEST}}@127.0.0.1:{port}/db", "table": "t"},
            base=None,
        )

        with pytest.raises(SourceUnreachable, match="refused") as caught:
            take(made)
    assert "hunter2" not in f"{caught.value}{made!r}"
    assert caught.value.__suppress_context__


def test_a_database_that_does_not_exist(server, monkeypatch):
    monkeypatch.setenv("LASTRO_URL_FOR_TEST", server.elsewhere(database="no_such_database"))

    with pytest.raises(SourceUnreachable, match="does not exist"):
        take(create({"kind": "postgres", "url": "${LASTRO_URL_FOR_TEST}", "table": "t"}, base=None))


def test_an_account_that_is_refused_shows_no_password(server, monkeypatch):
    monkeypatch.setenv("LASTRO_PW_FOR_TEST", "hunter2")
    url = server.elsewhere(account="nobody_here", password="${LASTRO_PW_FOR_TEST}")

    with pytest.raises(SourceUnreachable, match="no connection to PostgreSQL") as caught:
        take(create({"kind": "postgres", "url": url, "table": "t"}, base=None))
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"url": "postgresql://u:hunter2@h/db", "table": "t"}, "${NAME}"),
        ({"url": "host=h password=hunter2", "table": "t"}, "postgresql://"),
        ({"url": "postgresql://h/db"}, "either a table or a query"),
        ({"url": "postgresql://h/db", "table": "a.b.c"}, "schema.table"),
        ({"url": "postgresql://h/db", "table": "a."}, "schema.table"),
        ({"url": "postgresql://h/db", "table": "t", "lag": 1}, "cursor: COLUMN"),
        ({"url": "postgresql://h/db", "table": "t", "curser": "id"}, "did you mean 'cursor'"),
        ({"url": "postgresql://u:${not a name}@h/db", "table": "t"}, "not a reference"),
    ],
)
def test_a_wrong_option_is_refused(options, says):
    with pytest.raises(ConfigurationError) as caught:
        create({"kind": "postgres", **options}, base=None)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_unset_variable_is_named_when_it_is_needed(monkeypatch):
    monkeypatch.delenv("LASTRO_NOT_SET", raising=False)
    made = create({"kind": "postgres", "url": "${LASTRO_NOT_SET}", "table": "t"}, base=None)

    with pytest.raises(ConfigurationError, match="LASTRO_NOT_SET"):
        take(made)
