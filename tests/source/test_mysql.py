"""MySQL as a source, on a real server: every type whole, one snapshot, batches, counting, servers that misbehave."""

import decimal
import json
import socket
import struct
import threading
from contextlib import suppress
from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.source.conformance import *  # noqa: F403
from tests.source.conformance import World, take

from lastro.model.errors import (
    ConfigurationError,
    LimitExceeded,
    SourceBroken,
    SourceChanged,
    SourceUnreachable,
    SqlRefused,
)
from lastro.model.version import Mode
from lastro.source import create
from lastro.source.mysql.wire import CELL_BYTES, STRETCH_BYTES, Framed, cut
from lastro.source.protocol import Unchanged

PASSWORD = "s3cr3t p@ss/é"
ROUND_TRIP = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def source(server, **options):
    return create({"kind": "mysql", "url": server.reference, **options}, base=None)


def read(made, cursor=None, mode=Mode.OVERWRITE):
    """The table, the cursor after it, and whether there is more. What was counted on both sides agrees."""
    with made.open(cursor, mode) as opened:
        if isinstance(opened, Unchanged):
            return opened, cursor, False
        table = pa.table(opened.scan.stream)
        after = opened.watermark()
        if opened.reconciliation is not None:
            assert opened.reconciliation().differences() == ()
        return table, json.loads(json.dumps(after)), opened.more()


def column(made, name, cursor=None, mode=Mode.OVERWRITE):
    return read(made, cursor, mode)[0][name].to_pylist()


@pytest.fixture
def loans(mysql):
    mysql.run(
        "CREATE TABLE loans (id BIGINT PRIMARY KEY AUTO_INCREMENT, seen DATETIME(3))",
        "INSERT INTO loans (seen) VALUES ('2026-01-01 00:00:10'), ('2026-01-01 00:00:20'), ('2026-01-01 00:00:30')",
    )
    return mysql


@pytest.fixture
def world(loans, monkeypatch):
    account = f"reader_{loans.database[-6:]}"
    loans.run(f"CREATE USER {account} IDENTIFIED BY '{PASSWORD}'", f"GRANT SELECT ON {loans.database}.* TO {account}")
    monkeypatch.setenv("LASTRO_MYSQL_PASSWORD", PASSWORD)
    url = loans.elsewhere(account=account, password="${LASTRO_MYSQL_PASSWORD}")
    yield World(
        make=lambda: create({"kind": "mysql", "url": url, "table": "loans"}, base=None),
        rows=3,
        change=lambda: loans.run("INSERT INTO loans (seen) VALUES (now())"),
        vanish=lambda: loans.run("DROP TABLE loans"),
        secrets=(PASSWORD,),
    )
    loans.run(f"DROP USER {account}")


ODD = {
    "TINYINT": [-128, 127, None],
    "TINYINT UNSIGNED": [0, 255],
    "SMALLINT UNSIGNED": [65535],
    "MEDIUMINT": [-8388608, 8388607],
    "MEDIUMINT UNSIGNED": [16777215],
    "INT UNSIGNED": [4294967295],
    "INT(8) ZEROFILL": [42],
    "BIGINT": [-(2**63), 2**63 - 1],
    "YEAR": [1901, 2155],
}


@pytest.mark.parametrize("kind", ODD)
def test_whole_numbers_keep_their_width(mysql, kind):
    mysql.run(f"CREATE TABLE t (n {kind})", many=[("INSERT INTO t VALUES (%s)", [(value,) for value in ODD[kind]])])

    assert column(source(mysql, table="t", reconcile="rows"), "n") == ODD[kind]


def test_unsigned_numbers_beyond_what_64_bits_with_a_sign_hold(mysql):
    mysql.run(
        "CREATE TABLE t (n BIGINT UNSIGNED, b BIT(64))", f"INSERT INTO t VALUES ({2**64 - 1}, {2**64 - 1}), (7, 7)"
    )

    table, *_rest = read(source(mysql, table="t", reconcile="rows"))

    assert table["n"].to_pylist() == table["b"].to_pylist() == [2**64 - 1, 7]
    assert table.schema.field("n").type == pa.decimal128(20, 0)


def test_decimals_of_any_width_are_exact(mysql):
    long = "12345678901234567890123456789012345.000000000000000000000000000001"
    mysql.run(
        "CREATE TABLE t (a DECIMAL(12,2), b DECIMAL(38,38), c DECIMAL(65,30),"
        " d DECIMAL(5,2) UNSIGNED ZEROFILL, e DECIMAL(1))",
        f"INSERT INTO t VALUES ('-0.05', '0.{'9' * 38}', '{long}', '1.5', '-9'), (NULL, NULL, NULL, NULL, NULL)",
    )

    table, *_rest = read(source(mysql, table="t", reconcile="rows"))

    assert table.slice(0, 1).to_pylist() == [
        {
            "a": decimal.Decimal("-0.05"),
            "b": decimal.Decimal("0." + "9" * 38),
            "c": long,
            "d": decimal.Decimal("1.50"),
            "e": decimal.Decimal(-9),
        }
    ]
    assert table.schema.field("a").type == pa.decimal128(12, 2)


def test_dates_that_no_calendar_has_arrive_as_they_are(mysql):
    session = mysql.session()
    mysql.run(
        "SET sql_mode = 'ALLOW_INVALID_DATES'",
        "CREATE TABLE t (d DATE, m DATETIME(6), s TIMESTAMP(2) NULL, h TIME(6))",
        "INSERT INTO t VALUES ('0000-00-00', '0000-00-00', '0000-00-00', '-838:59:59.000001'),"
        "('2026-02-31', '1500-02-28 23:59:59.123456', '2026-06-01 12:00:00.25', '26:00:00'),"
        "('0001-01-01', '9999-12-31 23:59:59.999999', NULL, NULL)",
        on=session,
    )

    table, *_rest = read(source(mysql, table="t", reconcile="rows"))

    assert table["d"].to_pylist() == ["0000-00-00", "2026-02-31", "0001-01-01"]
    assert table["m"].to_pylist() == [
        "0000-00-00 00:00:00.000000",
        "1500-02-28 23:59:59.123456",
        "9999-12-31 23:59:59.999999",
    ]
    assert table["s"].to_pylist() == ["0000-00-00 00:00:00.00+00", "2026-06-01 12:00:00.25+00", None]
    assert table["h"].to_pylist() == ["-838:59:59.000001", "26:00:00.000000", None]


def test_moments_are_in_utc_whatever_the_servers_zone(mysql):
    session = mysql.session()
    mysql.run(
        "SET time_zone = '-03:00'",
        "CREATE TABLE t (s TIMESTAMP, d DATETIME)",
        "INSERT INTO t VALUES ('2026-01-01 09:00:00', '2026-01-01 09:00:00')",
        on=session,
    )

    table, *_rest = read(source(mysql, table="t"))

    assert table.to_pylist() == [{"s": "2026-01-01 12:00:00+00", "d": "2026-01-01 09:00:00"}]


def test_floats_arrive_bit_by_bit(mysql):
    mysql.run(
        "CREATE TABLE t (f FLOAT, d DOUBLE, p DOUBLE(10,2), q FLOAT(7,3))",
        "INSERT INTO t VALUES (16777217, 0.1, 0.13, 1.063), (0.1, 1.7976931348623157e308, 1, 2),"
        "(3.4028234e38, 5e-324, NULL, NULL)",
    )

    table, *_rest = read(source(mysql, table="t", reconcile="rows"))

    def single(number):
        return struct.unpack("f", struct.pack("f", number))[0]

    assert table["f"].to_pylist() == [16777216.0, single(0.1), single(3.4028234e38)]
    assert table["d"].to_pylist() == [0.1, 1.7976931348623157e308, 5e-324]
    assert table["p"].to_pylist() == [0.13, 1.0, None]
    assert table["q"].to_pylist() == [single(1.063), 2.0, None]


def test_texts_of_every_character_set_and_bytes(mysql):
    mysql.run(
        "CREATE TABLE t (a VARCHAR(20) CHARACTER SET latin1, b TEXT CHARACTER SET utf8mb4,"
        " c CHAR(3) CHARACTER SET ucs2,"
        " d VARCHAR(9) CHARACTER SET sjis, e BLOB, f BINARY(3), g VARBINARY(5), h ENUM('é', 'b'), i SET('x', 'y'),"
        " j JSON, k LONGTEXT)",
        "INSERT INTO t VALUES ('ação', '😀 nul\0end', 'é', '日本', X'00FF0A', X'01', X'', 'é',"
        " 'x,y', '{\"a\": [1]}', ''),"
        "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL)",
    )

    table, *_rest = read(source(mysql, table="t", reconcile="rows"))

    assert list(table.slice(0, 1).to_pylist()[0].values()) == [
        "ação", "😀 nul\0end", "é", "日本", b"\x00\xff\n", b"\x01\x00\x00", b"", "é", "x,y", '{"a": [1]}', "",
    ]  # fmt: skip
    assert list(table.slice(1).to_pylist()[0].values()) == [None] * 8 + ["", None, None]


def test_bits_generated_columns_and_what_a_query_makes(mysql):
    mysql.run(
        "CREATE TABLE t (a INT NOT NULL, flag BIT(1), mask BIT(12), twice INT AS (a * 2) STORED,"
        " `virtual` INT AS (a + 1))",
        "INSERT INTO t (a, flag, mask) VALUES (4, 1, 4095)",
    )
    made = source(
        mysql, query="SELECT *, NULL AS nothing, a / 3 AS third, concat(a, 'x') AS joined, count(*) AS n FROM t"
    )

    table, *_rest = read(made)

    assert table.to_pylist() == [
        {
            "a": 4, "flag": 1, "mask": 4095, "twice": 8, "virtual": 5, "nothing": None,
            "third": decimal.Decimal("1.3333"), "joined": "4x", "n": 1,
        }
    ]  # fmt: skip


@ROUND_TRIP
@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
            st.none() | st.decimals(-(10**10), 10**10, places=4),
            st.none() | st.text(st.characters(codec="utf-8"), max_size=12),
            st.none() | st.binary(max_size=12),
            st.none() | st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)),
            st.none() | st.dates(),
            st.none() | st.timedeltas(timedelta(hours=-838), timedelta(hours=838)),
        ),
        max_size=20,
    )
)
def test_what_is_written_is_read(mysql, rows):
    mysql.run(
        "CREATE OR REPLACE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, i BIGINT, f DOUBLE,"
        " n DECIMAL(20,4), s TEXT, b BLOB, m DATETIME(6), d DATE, h TIME(6))",
        many=[("INSERT INTO t (i, f, n, s, b, m, d, h) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", rows)] if rows else (),
    )

    table, *_rest = read(source(mysql, query="SELECT i, f, n, s, b, m, d, h FROM t ORDER BY id", reconcile="rows"))

    read_back = [
        (
            i,
            f,
            n,
            s,
            b,
            None if m is None else datetime.fromisoformat(m),
            None if d is None else date.fromisoformat(d),
            _span(h),
        )
        for i, f, n, s, b, m, d, h in zip(*table.to_pydict().values(), strict=True)
    ]
    assert read_back == rows


def _span(text):
    if text is None:
        return None
    hours, minutes, seconds = text.lstrip("-").split(":")
    span = timedelta(hours=int(hours), minutes=int(minutes), microseconds=int(seconds.replace(".", "")))
    return -span if text.startswith("-") else span


@pytest.mark.parametrize("length", [250, 251, 252, 65_535, 65_536, 9_000_000])
def test_cells_of_every_length_the_protocol_tells_apart(mysql, length):
    mysql.run(
        "CREATE TABLE t (a INT, b LONGBLOB, c INT)", f"INSERT INTO t VALUES (1, repeat('x', {length}), 2), (3, NULL, 4)"
    )

    table, *_rest = read(source(mysql, query="SELECT a, b, b AS again, c FROM t"))  # the longest row takes two packets

    assert table.to_pylist() == [
        {"a": 1, "b": b"x" * length, "again": b"x" * length, "c": 2},
        {"a": 3, "b": None, "again": None, "c": 4},
    ]


def test_a_cell_beyond_the_limit_is_refused():
    row = b"\xfe" + (CELL_BYTES + 1).to_bytes(8, "little") + bytes(CELL_BYTES + 1)

    with pytest.raises(LimitExceeded, match="a cell is larger"):
        cut(row, [0], [len(row)], 1, "t")


@given(
    rows=st.lists(st.lists(st.none() | st.binary(max_size=300), min_size=3, max_size=3), min_size=1, max_size=20),
    begun=st.integers(0, 255),
    pieces=st.integers(1, 50),
)
def test_rows_are_cut_as_they_were_written_however_they_come(rows, begun, pieces):
    sent = b"".join(packet(number + begun, b"".join(map(cell, row))) for number, row in enumerate(rows))
    sent += packet(begun + len(rows), b"\xfe\x00\x00\x02\x00")
    held = bytearray()
    framed = Framed(held, begun, "t")

    outcomes = []
    for at in range(0, len(sent), pieces):
        held += sent[at : at + pieces]
        outcomes.append(framed.go_on())
    columns = cut(bytes(held[: framed.at]), framed.starts, framed.ends, 3, "t")

    assert outcomes[-1] == 254
    assert [list(row) for row in zip(*(column.to_pylist() for column in columns), strict=True)] == rows


@given(st.binary(min_size=5, max_size=400), st.integers(0, 3))
def test_bytes_that_are_not_rows_are_refused_or_wait(noise, columns):
    framed = Framed(bytearray(noise), 0, "t")

    try:
        framed.go_on()
        if framed.starts:
            cut(noise[: framed.at], framed.starts, framed.ends, columns + 1, "t")
    except (SourceBroken, LimitExceeded):
        return
    assert framed.at <= len(noise)


def packet(sequence, payload):
    return len(payload).to_bytes(3, "little") + bytes([sequence & 0xFF]) + payload


def cell(value):
    if value is None:
        return b"\xfb"
    return (bytes([len(value)]) if len(value) < 251 else b"\xfc" + len(value).to_bytes(2, "little")) + value


def test_large_tables_come_in_bounded_batches(mysql):
    mysql.run(
        "CREATE TABLE t (id BIGINT, s VARCHAR(200))",
        "INSERT INTO t SELECT seq, repeat('y', seq % 200) FROM seq_1_to_100000",
    )

    with source(mysql, table="t", reconcile=False).open(None, Mode.OVERWRITE) as opened:
        sizes = [(batch.num_rows, batch.nbytes) for batch in pa.RecordBatchReader.from_stream(opened.scan.stream)]

    assert sum(rows for rows, _size in sizes) == 100_000
    assert max(size for _rows, size in sizes) < 3 * STRETCH_BYTES
    assert len(sizes) > 1


@pytest.mark.parametrize("name", ["a`b", "select", "é ü", "x'y", "[1]", "a;b--", "%s", 'a"b'])
def test_odd_names_of_tables_and_columns(mysql, name):
    quoted = "`" + name.replace("`", "``") + "`"
    mysql.run(f"CREATE TABLE {quoted} ({quoted} INTEGER)", f"INSERT INTO {quoted} VALUES (7)")

    assert column(source(mysql, table=quoted if "`" in name else name, cursor=name), name) == [7]


def test_a_table_of_another_database_and_a_view(mysql):
    mysql.run(
        "CREATE TABLE `a.b` (n INT)", "INSERT INTO `a.b` VALUES (1)", "CREATE VIEW v AS SELECT n + 1 AS m FROM `a.b`"
    )

    assert column(source(mysql, table=f"{mysql.database}.`a.b`"), "n") == [1]
    assert column(source(mysql, table="v"), "m") == [2]


def test_one_state_of_the_database_whoever_writes_meanwhile(mysql):
    mysql.run("CREATE TABLE t (a INT PRIMARY KEY)", "INSERT INTO t SELECT seq FROM seq_0_to_1999")
    with source(mysql, table="t").open(None, Mode.OVERWRITE) as opened:
        mysql.run("DELETE FROM t WHERE a % 2 = 0", "INSERT INTO t VALUES (-1)")
        table = pa.table(opened.scan.stream)
        keys = pa.table(opened.keys(["a"]))
        assert opened.reconciliation().differences() == ()

    assert table["a"].to_pylist() == keys["a"].to_pylist() == list(range(2_000))


def test_a_table_without_snapshots_is_told(mysql):
    mysql.run("CREATE TABLE t (a INT) ENGINE = MyISAM", "INSERT INTO t VALUES (1)")

    with source(mysql, table="t").open(None, Mode.OVERWRITE) as opened:
        assert "MyISAM tables have no snapshot" in opened.notes[0]


def test_append_with_a_lag_never_reads_a_row_twice(loans):
    made = source(loans, table="loans", cursor="seen", lag=15)

    first, cursor, _more = read(made, None, Mode.APPEND)
    loans.run("INSERT INTO loans VALUES (4, '2026-01-01 00:00:40'), (5, '2026-01-01 00:00:16')")  # 5 comes late
    second, after, _more = read(made, cursor, Mode.APPEND)

    assert first["id"].to_pylist() == [1]
    assert second["id"].to_pylist() == [5, 2]
    assert after["last"] == "2026-01-01 00:00:25.000"


def test_append_without_a_lag_says_what_it_loses(loans):
    with source(loans, table="loans", cursor="id").open(None, Mode.APPEND) as opened:
        assert "rows that commit behind newer ones are lost" in opened.notes[0]


def test_a_row_that_commits_late_is_found_within_the_lag(loans):
    made = source(loans, table="loans", cursor="id", lag=2)
    slow = loans.session(autocommit=False)
    loans.run("INSERT INTO loans (seen) VALUES (now())", on=slow)  # takes 4, and commits last
    loans.run("INSERT INTO loans (seen) VALUES (now())")

    first, cursor, _more = read(made, None, Mode.APPEND)
    slow.commit()
    loans.run("INSERT INTO loans (seen) VALUES (now()), (now())")
    second, _after, _more = read(made, cursor, Mode.APPEND)

    assert first["id"].to_pylist() + second["id"].to_pylist() == [1, 2, 3, 4, 5]


def test_upsert_reads_the_window_again_and_rows_without_a_value(loans):
    made = source(loans, table="loans", cursor="seen", lag=10)
    _all, cursor, _more = read(made, None, Mode.UPSERT)
    loans.run("INSERT INTO loans VALUES (9, NULL)", "UPDATE loans SET seen = '2026-01-01 00:00:50' WHERE id = 1")

    again, _after, _more = read(made, cursor, Mode.UPSERT)
    nothing, *_rest = read(made, _after, Mode.UPSERT)

    assert again["id"].to_pylist() == [9, 2, 3, 1]
    assert isinstance(nothing, Unchanged)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("INT", ["1", "2", "2", "2", "3"]),
        (
            "BIGINT UNSIGNED",
            ["1", "18446744073709551613", "18446744073709551614", "18446744073709551614", "18446744073709551615"],
        ),
        ("DECIMAL(40,20)", ["-1.5", "0.00000000000000000001", "0.00000000000000000002", "0.00000000000000000002", "7"]),
        ("FLOAT", ["0.1", "0.2", "0.3", "0.3", "0.4"]),
        ("DOUBLE", ["1e-300", "0.1", "0.2", "0.2", "1e300"]),
        ("DATE", ["'0000-00-00'", "'1500-01-01'", "'2026-01-01'", "'2026-01-01'", "'9999-12-31'"]),
        (
            "TIMESTAMP(3)",
            [
                "'2026-01-01 00:00:01'",
                "'2026-01-01 00:00:01.001'",
                "'2026-01-01 00:00:02'",
                "'2026-01-01 00:00:02'",
                "'2030-01-01'",
            ],
        ),
        ("VARCHAR(9)", ["''", "'a''\\\\'", "'B'", "'b'", "'é'"]),
        ("BIT(9)", ["1", "2", "256", "256", "511"]),
    ],
)
@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.UPSERT])
def test_batches_by_a_cursor_of_every_kind(mysql, kind, values, mode):
    session = mysql.session()
    mysql.run(
        "SET sql_mode = ''", f"CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, c {kind})",
        *(f"INSERT INTO t (c) VALUES ({value})" for value in values), on=session,
    )  # fmt: skip
    made, cursor, seen, more = source(mysql, table="t", cursor="c", batch_rows=3), None, [], True

    while more:
        table, cursor, more = read(made, cursor, mode)
        seen.append(table["id"].to_pylist())

    assert [sorted(batch) for batch in seen] == [[1, 2, 3, 4], [5]]
    assert isinstance(read(made, cursor, mode)[0], Unchanged)


@pytest.mark.parametrize("kind", ["BLOB", "ENUM('a')", "SET('a')", "TIME", "JSON"])
def test_what_has_no_lasting_order_is_no_cursor(mysql, kind):
    mysql.run(f"CREATE TABLE t (c {kind})")
    if kind == "JSON" and "JSON" not in column(source(mysql, query="SELECT version() AS v"), "v")[0]:
        pytest.skip("MariaDB's JSON is text")

    with pytest.raises(ConfigurationError, match="no order that lasts"):
        read(source(mysql, table="t", cursor="c"))


def test_a_cursor_that_somebody_forged_is_refused_not_run(loans):
    made = source(loans, table="loans", cursor="id")
    _table, cursor, _more = read(made, None, Mode.UPSERT)

    with pytest.raises((ConfigurationError, SourceBroken)):
        read(made, {**cursor, "last": "0 OR 1=1"}, Mode.UPSERT)


def test_another_table_under_the_same_cursor(loans):
    loans.run("CREATE TABLE more (id INT)")
    _table, cursor, _more = read(source(loans, table="loans", cursor="id"), None, Mode.APPEND)

    with pytest.raises(SourceChanged):
        read(source(loans, table="more", cursor="id"), cursor, Mode.APPEND)


REFUSED = [
    "DELETE FROM loans",
    "SELECT 1; DROP TABLE loans",
    "SELECT 1) AS x; DROP TABLE loans; -- ",
    "SELECT * FROM loans /*! INTO OUTFILE '/tmp/lastro' */",
    "SELECT * FROM loans /*M! FOR UPDATE */",
    "SELECT * FROM loans INTO OUTFILE '/tmp/lastro'",
    "SELECT '\\' ) , (SELECT 2 ' AS a",
    'SELECT "\\" ) , (SELECT 2 " AS a',
]


@pytest.mark.parametrize("query", REFUSED)
def test_queries_that_do_more_than_select_are_refused(loans, query):
    with pytest.raises(SqlRefused):
        source(loans, query=query)


def test_a_function_that_writes_is_refused_by_the_server(loans):
    loans.run("CREATE FUNCTION wipe() RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM loans; RETURN 1; END")

    with pytest.raises(SqlRefused, match="more than select"):
        read(source(loans, query="SELECT wipe() AS gone"))
    assert len(column(source(loans, table="loans"), "id")) == 3


def test_a_query_that_does_not_run_says_so_without_its_text(loans):
    with pytest.raises(ConfigurationError) as caught:
        read(source(loans, query="SELECT nope FROM loans WHERE id = 'João 123.456.789-09'"))

    assert "error 1054" in str(caught.value)
    assert "João" not in str(caught.value)


def test_two_columns_of_one_name(loans):
    with pytest.raises((ConfigurationError, SourceBroken)):
        read(source(loans, query="SELECT id, id FROM loans"))


def test_a_table_that_is_not_there_names_those_that_are(loans):
    with pytest.raises(SourceBroken, match="no table loanz") as caught:
        read(source(loans, table="loanz"))

    assert "loans" in caught.value.do


def test_a_text_that_is_not_what_its_column_says(mysql):
    mysql.run("CREATE TABLE t (b BLOB)", "INSERT INTO t VALUES (X'FF')")

    assert column(source(mysql, query="SELECT CAST(b AS CHAR CHARACTER SET latin1) AS s FROM t"), "s") == ["ÿ"]


WRONG_URLS = {
    "postgresql://h/db": "not a MySQL URL",
    "mysql://u:written@h/db": "written out",
    "mysql://u@h": "no database",
    "mysql://u@h/db?local_infile=1": "more than host",
    "mysql://u@h:99999/db": "no database",
    "mysql://u:${not a name}@h/db": "not a reference",
}


@pytest.mark.parametrize("url", WRONG_URLS)
def test_urls_that_are_wrong(url):
    with pytest.raises(ConfigurationError, match=WRONG_URLS[url]):
        take(create({"kind": "mysql", "url": url, "table": "t"}, base=None))


@pytest.mark.parametrize("table", ["", ".", "a.", "a.b.c", "a\0b", "`a", "a``"])
def test_names_that_are_no_tables(table):
    with pytest.raises(ConfigurationError):
        create({"kind": "mysql", "url": "${URL}", "table": table}, base=None)


def test_a_wrong_account_is_told_without_its_password(mysql, monkeypatch):
    monkeypatch.setenv("LASTRO_WRONG", PASSWORD)
    url = mysql.elsewhere(account="nobody", password="${LASTRO_WRONG}")

    with pytest.raises(SourceUnreachable, match="refused the account") as caught:
        take(create({"kind": "mysql", "url": url, "table": "t"}, base=None))
    assert PASSWORD not in str(caught.value)


def test_a_server_that_is_not_there(monkeypatch):
    with closed_port() as port, pytest.raises(SourceUnreachable, match="no connection to MySQL"):
        take(create({"kind": "mysql", "url": f"mysql://u@127.0.0.1:{port}/db", "table": "t"}, base=None))


class closed_port:
    def __enter__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    def __exit__(self, *_error):
        return None


def test_encryption_that_the_server_does_not_offer_is_an_error_not_a_fallback(mysql):
    if column(source(mysql, query="SELECT @@have_ssl AS s"), "s") == ["YES"]:
        pytest.skip("the server offers TLS")

    with pytest.raises(SourceUnreachable) as caught:
        read(source(mysql, query="SELECT 1 AS a", tls={"mode": "required"}))
    assert "encrypted" in str(caught.value)


def test_a_tls_password_that_is_written_out(mysql):
    with pytest.raises(ConfigurationError, match="written out"):
        source(mysql, table="t", tls={"key": "k.pem", "key_password": "hunter2"})


def test_a_server_that_dies_in_the_middle(mysql):
    mysql.run(
        "CREATE TABLE t (a INT, s VARCHAR(200))", "INSERT INTO t SELECT seq, repeat('x', 200) FROM seq_1_to_200000"
    )
    killer = mysql.session()

    with (
        pytest.raises(SourceUnreachable, match="server ended the connection"),
        source(mysql, table="t", reconcile=False).open(None, Mode.OVERWRITE) as opened,
    ):
        reader = pa.RecordBatchReader.from_stream(opened.scan.stream)
        reader.read_next_batch()
        with killer.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM information_schema.processlist WHERE db = %s AND id <> connection_id()",
                [mysql.database],
            )
            for (number,) in cursor.fetchall():
                cursor.execute(f"KILL {number}")
        for _batch in reader:
            pass


def test_a_proxy_that_garbles_rows_is_noticed(mysql, monkeypatch):
    mysql.run("CREATE TABLE t (a INT, s VARCHAR(200))", "INSERT INTO t SELECT seq, repeat('x', 20) FROM seq_1_to_5000")
    host = mysql.url.split("@")[1].split("/")[0].split(":")

    with garbling(host[0], int(host[1])) as port:
        monkeypatch.setenv("LASTRO_MYSQL_FOR_TEST", f"mysql://root@127.0.0.1:{port}/{mysql.database}")
        with pytest.raises((SourceBroken, SourceUnreachable)):
            read(source(mysql, table="t", reconcile=False))


class garbling:
    """A proxy that takes one byte out of what a server sends, deep in the rows."""

    def __init__(self, host, port):
        self.place = (host, port)

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self.listener.getsockname()[1]

    def serve(self):
        client, _address = self.listener.accept()
        with client, socket.create_connection(self.place) as server:
            up = threading.Thread(target=pump, args=(client, server), daemon=True)
            up.start()
            sent = 0
            while came := server.recv(65536):
                if sent < 60_000 <= sent + len(came):
                    cut = 60_000 - sent
                    came = came[:cut] + came[cut + 1 :]
                sent += len(came)
                try:
                    client.sendall(came)
                except OSError:
                    return

    def __exit__(self, *_error):
        self.listener.close()
        self.thread.join(timeout=10)


def pump(origin, target):
    with suppress(OSError):
        while came := origin.recv(65536):
            target.sendall(came)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
