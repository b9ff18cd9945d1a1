"""SQLite as a source: every value as stored, one state of the database, and files that lie."""

import os
import random
import sqlite3
import threading

import pyarrow as pa
import pytest
from hypothesis import given, settings
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
from lastro.source.protocol import Unchanged
from lastro.source.sqlite import session as sqlite_session

LONG_AGO = 1_700_000_000_000_000_000


def fill(path, *statements, many=()):
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    for statement, rows in many:
        connection.executemany(statement, rows)
    connection.commit()
    connection.close()
    os.utime(path, ns=(LONG_AGO, LONG_AGO))


def source(base, **options):
    return create({"kind": "sqlite", "path": "core.db", **options}, base=base)


def read(made, cursor=None, mode=Mode.OVERWRITE):
    with made.open(cursor, mode) as opened:
        if isinstance(opened, Unchanged):
            return opened, cursor
        table = pa.table(opened.scan.stream)
        return table, opened.watermark()


def column(made, name, cursor=None, mode=Mode.OVERWRITE):
    table, after = read(made, cursor, mode)
    return (table if isinstance(table, Unchanged) else table[name].to_pylist()), after


@pytest.fixture
def loans(tmp_path):
    fill(
        tmp_path / "core.db",
        "CREATE TABLE loans (id INTEGER PRIMARY KEY, seen TEXT)",
        "INSERT INTO loans VALUES (1, '2026-01-01 00:00:10'), (2, '2026-01-01 00:00:20'), (3, '2026-01-01 00:00:30')",
    )
    return tmp_path


@pytest.fixture
def world(loans):
    return World(
        make=lambda: source(loans, table="loans"),
        rows=3,
        change=lambda: fill(loans / "core.db", "INSERT INTO loans VALUES (4, '2026-01-01 00:00:40')"),
        vanish=(loans / "core.db").unlink,
    )


def test_every_value_arrives_as_stored_whatever_was_declared(tmp_path):
    values = [1, 2**63 - 1, -(2**63), 1.5, 0.1, 1e300, float("inf"), "word", "nul\0byte", "é😀", b"\x00\xff", "", None]
    fill(
        tmp_path / "core.db",
        "CREATE TABLE t (n INTEGER)",
        many=[("INSERT INTO t VALUES (?)", [(value,) for value in values])],
    )

    cells, _cursor = column(source(tmp_path, table="t"), "n")

    assert cells == [
        "1",
        "9223372036854775807",
        "-9223372036854775808",
        "1.5",
        "0.1",
        "1e+300",
        "inf",
        "word",
        "nul\0byte",
        "é😀",
        "00ff",
        "",
        None,
    ]


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.floats(allow_nan=False), st.none() | st.text(st.characters(codec="utf-8"), max_size=9)
        ),
        max_size=40,
    )
)
def test_numbers_and_texts_read_back_as_they_were(tmp_path_factory, rows):
    base = tmp_path_factory.mktemp("db")
    fill(base / "core.db", "CREATE TABLE t (a REAL, b TEXT)", many=[("INSERT INTO t VALUES (?, ?)", rows)])

    table, _cursor = read(source(base, table="t"))

    assert [(None if a is None else float(a), b) for a, b in zip(*table.to_pydict().values(), strict=True)] == rows


@pytest.mark.parametrize("name", ['a"b', "select", "é ü", "x'y", "[1]", "a;b--", "%s", "  "])
def test_odd_names_of_tables_and_columns(tmp_path, name):
    quoted = '"' + name.replace('"', '""') + '"'
    fill(tmp_path / "core.db", f"CREATE TABLE {quoted} ({quoted} INTEGER)", f"INSERT INTO {quoted} VALUES (7)")

    cells, _cursor = column(source(tmp_path, table=name, cursor=name), name)

    assert cells == ["7"]


def test_large_tables_come_in_bounded_batches(tmp_path):
    wide = [(number, "x" * (200_000 if number % 7 == 0 else 10)) for number in range(3_000)]
    fill(tmp_path / "core.db", "CREATE TABLE t (a, b)", many=[("INSERT INTO t VALUES (?, ?)", wide)])

    with source(tmp_path, table="t").open(None, Mode.OVERWRITE) as opened:
        batches = list(pa.RecordBatchReader.from_stream(opened.scan.stream))

    assert sum(batch.num_rows for batch in batches) == 3_000
    assert max(batch.nbytes for batch in batches) < 2 * sqlite_session.BATCH_BYTES


def test_one_state_of_the_database_whoever_writes_meanwhile(tmp_path):
    fill(
        tmp_path / "core.db",
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE t (a)",
        many=[("INSERT INTO t VALUES (?)", [(number,) for number in range(2_000)])],
    )
    with source(tmp_path, table="t").open(None, Mode.OVERWRITE) as opened:
        fill(tmp_path / "core.db", "DELETE FROM t WHERE a % 2 = 0", "INSERT INTO t VALUES (-1)")
        table = pa.table(opened.scan.stream)

    assert [int(cell) for cell in table["a"].to_pylist()] == list(range(2_000))


def test_a_reading_that_was_left_early_locks_nobody_out(tmp_path):
    fill(tmp_path / "core.db", "CREATE TABLE t (a)", many=[("INSERT INTO t VALUES (?)", [(n,) for n in range(9_999)])])
    with source(tmp_path, table="t").open(None, Mode.OVERWRITE) as opened:
        reader = pa.RecordBatchReader.from_stream(opened.scan.stream)
        reader.read_next_batch()

    writer = sqlite3.connect(tmp_path / "core.db", timeout=0)

    assert writer.execute("DELETE FROM t").rowcount == 9_999
    writer.commit()
    writer.close()


def test_the_schema_can_be_asked_for_without_reading(loans):
    with source(loans, table="loans").open(None, Mode.OVERWRITE) as opened:
        for _time in range(2):
            assert pa.RecordBatchReader.from_stream(opened.scan.stream).schema.names == ["id", "seen"]
        assert pa.table(opened.scan.stream).num_rows == 3
        opened.watermark()


def test_a_file_nobody_wrote_to_is_unchanged(loans):
    _rows, cursor = take(source(loans, table="loans"))

    assert isinstance(take(source(loans, table="loans"), cursor), Unchanged)
    fill(loans / "core.db", "UPDATE loans SET seen = '2026-01-01 00:00:11' WHERE id = 1")
    assert take(source(loans, table="loans"), cursor)[0] == 3  # same size, same times: the change counter tells


def test_a_write_in_the_wal_is_seen(tmp_path):
    fill(tmp_path / "core.db", "PRAGMA journal_mode = WAL", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    _cells, cursor = column(source(tmp_path, table="t"), "a")
    holder = sqlite3.connect(tmp_path / "core.db")
    holder.execute("INSERT INTO t VALUES (2)")
    holder.commit()

    cells, _cursor = column(source(tmp_path, table="t"), "a", cursor)

    holder.close()
    assert cells == ["1", "2"]


def test_a_database_just_written_is_read_again(loans):
    connection = sqlite3.connect(loans / "core.db")
    connection.execute("UPDATE loans SET seen = NULL")
    connection.commit()
    connection.close()
    _rows, cursor = take(source(loans, table="loans"))

    assert "mark" not in cursor
    assert take(source(loans, table="loans"), cursor)[0] == 3


def test_append_reads_what_is_greater_once(loans):
    made = source(loans, table="loans", cursor="id")
    first, cursor = column(made, "id", None, Mode.APPEND)
    nothing, _same = column(made, "id", cursor, Mode.APPEND)
    fill(loans / "core.db", "INSERT INTO loans VALUES (4, NULL), (5, NULL)", "UPDATE loans SET seen = '' WHERE id = 1")
    second, after = column(made, "id", cursor, Mode.APPEND)

    assert first == ["1", "2", "3"]
    assert isinstance(nothing, Unchanged)
    assert second == ["4", "5"]
    assert (cursor["last"], after["last"]) == (3, 5)


def test_append_with_a_lag_holds_the_newest_rows_back(loans):
    made = source(loans, table="loans", cursor="seen", lag=15)
    first, cursor = column(made, "id", None, Mode.APPEND)
    fill(
        loans / "core.db",
        "INSERT INTO loans VALUES (4, '2026-01-01 00:00:40'), (5, '2026-01-01 00:00:16')",  # 5 comes late
    )
    second, after = column(made, "id", cursor, Mode.APPEND)

    assert first == ["1"]
    assert second == ["5", "2"]
    assert after["last"] == "2026-01-01 00:00:25"


def test_upsert_reads_the_last_value_again_and_rows_without_one(loans):
    made = source(loans, table="loans", cursor="seen")
    _all, cursor = column(made, "id", None, Mode.UPSERT)
    fill(
        loans / "core.db",
        "UPDATE loans SET seen = '2026-01-01 00:00:50' WHERE id = 1",
        "INSERT INTO loans VALUES (4, NULL)",
    )
    again, after = column(made, "id", cursor, Mode.UPSERT)

    assert again == ["4", "3", "1"]
    assert after["last"] == "2026-01-01 00:00:50"


def test_upsert_with_nothing_new_is_unchanged_even_if_the_file_was_written(loans):
    made = source(loans, table="loans", cursor="id")
    _all, cursor = column(made, "id", None, Mode.UPSERT)
    fill(loans / "core.db", "CREATE TABLE other (a)")

    assert isinstance(take(made, cursor, Mode.UPSERT), Unchanged)


def test_upsert_sees_a_row_that_shares_the_last_value(loans):
    made = source(loans, table="loans", cursor="seen")
    _all, cursor = column(made, "id", None, Mode.UPSERT)
    fill(loans / "core.db", "INSERT INTO loans VALUES (4, '2026-01-01 00:00:30')")

    again, _after = column(made, "id", cursor, Mode.UPSERT)

    assert again == ["3", "4"]


def test_append_refuses_rows_without_a_cursor_value(loans):
    fill(loans / "core.db", "INSERT INTO loans VALUES (4, NULL)")

    with pytest.raises(SourceBroken, match="cannot be appended once"):
        take(source(loans, table="loans", cursor="seen"), None, Mode.APPEND)


def test_append_of_a_table_without_a_cursor_column_happens_once(loans):
    _rows, cursor = take(source(loans, table="loans"), None, Mode.APPEND)

    with pytest.raises(ConfigurationError, match="double every row"):
        take(source(loans, table="loans"), cursor, Mode.APPEND)


def test_another_table_under_the_same_cursor(loans):
    fill(loans / "core.db", "CREATE TABLE more (id INTEGER)", "INSERT INTO more VALUES (1), (9)")
    _rows, cursor = take(source(loans, table="loans", cursor="id"), None, Mode.APPEND)
    other = source(loans, table="more", cursor="id")

    assert take(other, cursor, Mode.OVERWRITE)[0] == 2
    with pytest.raises(SourceChanged, match="are others than"):
        take(other, cursor, Mode.APPEND)


def test_a_cursor_column_that_turned_into_texts(tmp_path):
    fill(tmp_path / "core.db", "CREATE TABLE t (a)", "INSERT INTO t VALUES (5)")
    _cells, cursor = column(source(tmp_path, table="t", cursor="a"), "a")
    fill(tmp_path / "core.db", "INSERT INTO t VALUES ('word')")

    with pytest.raises(SourceBroken, match="no common order"):
        take(source(tmp_path, table="t", cursor="a"), cursor, Mode.UPSERT)


def test_a_query_is_read_like_a_table(loans):
    made = source(loans, query="WITH x AS (SELECT id * 10 AS ten FROM loans) SELECT ten FROM x;", cursor="ten")

    cells, cursor = column(made, "ten")

    assert cells == ["10", "20", "30"]
    assert cursor["last"] == 30


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM loans",
        "PRAGMA journal_mode = DELETE",
        "ATTACH 'other.db' AS other",
        "SELECT 1; DELETE FROM loans",
        "SELECT 1) ; DELETE FROM loans; SELECT * FROM (SELECT 1",
        "SELECT 1 UNION SELECT * FROM (SELECT 1",
        "SELECT 'open",
        "SELECT '\\'; DELETE FROM loans --'",
        "SELECT /* ; /* */ 1",
        "SELECT load_extension('x')",
        "",
    ],
)
def test_a_query_that_is_more_than_a_select_is_refused(loans, query):
    before = (loans / "core.db").read_bytes()

    with pytest.raises(SqlRefused):
        take(source(loans, query=query))
    assert (loans / "core.db").read_bytes() == before
    assert not (loans / "other.db").exists()


@pytest.mark.parametrize("query", ["SELECT nothing FROM loans", "SELECT 'Maria Silva' FROM nowhere", "SELECT 1 FROM"])
def test_a_query_that_does_not_run_is_told_without_its_literals(loans, query):
    with pytest.raises(ConfigurationError, match="does not run") as caught:
        take(source(loans, query=query))
    assert "Maria" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "either a table or a query"),
        ({"table": "a", "query": "select 1"}, "either a table or a query"),
        ({"table": "a", "lag": 3}, "cursor: COLUMN"),
        ({"table": "a", "cursor": "b", "lag": -1}, "lag"),
        ({"tabel": "a"}, "did you mean 'table'"),
    ],
)
def test_a_wrong_option_is_refused(tmp_path, options, says):
    with pytest.raises(ConfigurationError) as caught:
        source(tmp_path, **options)
    assert says in str(caught.value)


def test_a_table_that_is_not_there_is_told_with_those_that_are(loans):
    with pytest.raises(SourceBroken, match="no table loan") as caught:
        take(source(loans, table="loan"))
    assert "loans" in caught.value.do


def test_a_cursor_column_that_is_not_there(loans):
    with pytest.raises(ConfigurationError, match="no column ID") as caught:
        take(source(loans, table="loans", cursor="ID"))
    assert "id" in caught.value.do


NO_DATABASE = {
    "empty": b"",
    "its first word": b"SQLite",
    "a CSV": b"id,name\n1,x\n",
    "noise": random.Random(7).randbytes(4096),
}


@pytest.mark.parametrize("content", NO_DATABASE.values(), ids=NO_DATABASE)
def test_a_file_that_is_no_database(tmp_path, content):
    (tmp_path / "core.db").write_bytes(content)

    with pytest.raises(SourceBroken, match="not a SQLite database"):
        take(source(tmp_path, table="t"))


def test_a_folder_and_a_link_are_no_database(tmp_path):
    (tmp_path / "core.db").mkdir()
    with pytest.raises(SourceUnreachable, match="folder"):
        take(source(tmp_path, table="t"))
    (tmp_path / "link.db").symlink_to("elsewhere.db")
    with pytest.raises(SourceUnreachable, match="symbolic link"):
        take(create({"kind": "sqlite", "path": "link.db", "table": "t"}, base=tmp_path))


def big(tmp_path):
    rows = [(number, "x" * 500) for number in range(20_000)]
    fill(tmp_path / "core.db", "CREATE TABLE t (a, b)", many=[("INSERT INTO t VALUES (?, ?)", rows)])
    return tmp_path / "core.db"


def test_random_damage_gives_rows_or_a_clear_error(tmp_path):
    path = big(tmp_path)
    whole, dice = path.read_bytes(), random.Random(7)
    broken = 0
    for _time in range(12):
        damaged = bytearray(whole)
        for _hit in range(200):
            damaged[dice.randrange(100, len(damaged))] = dice.randrange(256)
        path.write_bytes(damaged)
        try:
            take(source(tmp_path, table="t"))
        except (SourceBroken, LimitExceeded) as error:
            broken += 1
            assert "xxx" not in str(error)

    assert broken > 0


def test_a_file_cut_off_in_the_middle_of_reading_is_broken(tmp_path):
    path = big(tmp_path)

    with pytest.raises(SourceBroken, match="damaged") as caught:  # noqa: SIM117 - the context itself raises
        with source(tmp_path, table="t").open(None, Mode.OVERWRITE) as opened:
            reader = pa.RecordBatchReader.from_stream(opened.scan.stream)
            reader.read_next_batch()
            os.truncate(path, 1 << 20)
            reader.read_all()
    assert caught.value.exit_code == 3


def test_a_broken_stream_has_no_watermark_even_if_the_reader_said_nothing(tmp_path):
    path = big(tmp_path)

    with source(tmp_path, table="t").open(None, Mode.OVERWRITE) as opened:
        reader = pa.RecordBatchReader.from_stream(opened.scan.stream)
        reader.read_next_batch()
        os.truncate(path, 1 << 20)
        with pytest.raises(Exception):  # noqa: B017 - whatever the reader makes of it
            reader.read_all()

        with pytest.raises(SourceBroken):
            opened.watermark()


def test_text_that_is_not_utf8_is_told_without_showing_it(tmp_path):
    fill(tmp_path / "core.db", "CREATE TABLE t (a)", "INSERT INTO t VALUES (CAST(x'4d61726961ff' AS TEXT))")

    with pytest.raises(SourceBroken, match="not UTF-8") as caught:
        take(source(tmp_path, table="t"))
    assert "Maria" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_cell_beyond_the_limit_is_refused(tmp_path):
    fill(tmp_path / "core.db", "CREATE TABLE t (a)", "INSERT INTO t VALUES (zeroblob(17 << 20))")

    with pytest.raises(LimitExceeded, match="16 MiB"):
        take(source(tmp_path, table="t"))


def test_a_database_that_another_process_is_writing(loans):
    writer = sqlite3.connect(loans / "core.db", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")

    with pytest.raises(SourceUnreachable, match="another process is writing"):
        take(source(loans, table="loans", busy_timeout_s=0.05))
    writer.execute("ROLLBACK")
    writer.close()


def test_batches_may_be_pulled_from_another_thread(loans):
    result = []
    with source(loans, table="loans").open(None, Mode.OVERWRITE) as opened:
        thread = threading.Thread(target=lambda: result.append(pa.table(opened.scan.stream).num_rows))
        thread.start()
        thread.join()
        opened.watermark()

    assert result == [3]


@pytest.mark.parametrize(("options", "rows"), [({}, 3), ({"reconcile": False}, 0)])
def test_how_many_rows_there_are_is_told_if_they_were_counted(loans, options, rows):
    with source(loans, table="loans", **options).open(None, Mode.OVERWRITE) as opened:
        assert opened.scan.rows == rows


def test_of_a_part_the_whole_is_not_told(loans):
    with source(loans, table="loans", cursor="id", batch_rows=2).open(None, Mode.APPEND) as opened:
        assert opened.more()
        assert opened.scan.rows == 0
