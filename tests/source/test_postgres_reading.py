"""What a reading of PostgreSQL tells besides its rows: both sides' counts, where it stopped, keys; and its ranges."""

import json
import signal
import threading
import time

import pyarrow as pa
import pytest
from tests.source.conformance import take

from lastro.model.errors import ConfigurationError, SourceBroken, SourceError
from lastro.model.reconciliation import ColumnTotals
from lastro.model.version import Mode
from lastro.source import create
from lastro.source.postgres.ranges import block_ranges
from lastro.source.postgres.tables import Relation, tables
from lastro.source.protocol import Unchanged


def source(server, table="t", **options):
    named = {} if table is None else {"table": f"{server.schema}.{table}"}
    return create({"kind": "postgres", "url": server.reference, **named, **options}, base=None)


@pytest.fixture
def mixed(server):
    server.run(
        "CREATE TABLE SCHEMA_.t (id bigint PRIMARY KEY, n int, big bigint, money numeric(20,4), free numeric,"
        " x float8, r real, ok boolean, name varchar(9), raw bytea, day date, at timestamptz, plain timestamp,"
        " tags text[], j jsonb)",
        "INSERT INTO SCHEMA_.t SELECT i, nullif(i % 7, 0), 9223372036854775807 - i, i * 1.0005, i / 3.0, sqrt(i),"
        " i / 7.0, i % 2 = 0, 'é' || i, decode(lpad(to_hex(i), 8, '0'), 'hex'), date '1500-01-01' + i,"
        " now() - i * interval '1 h', now()::timestamp - i * interval '3 us', array['a', null, i::text],"
        " jsonb_build_object('i', i) FROM generate_series(1, 3000) AS i",
        "INSERT INTO SCHEMA_.t (id) VALUES (0)",
        "INSERT INTO SCHEMA_.t (id, x, r) VALUES (-1, 'NaN', '-Infinity'), (-2, 1e308, 1), (-3, 1e308, '-0')",
    )
    return server


@pytest.mark.parametrize("options", [{"reconcile": True}, {"reconcile": "rows"}, {"reconcile": "rows", "parallel": 2}])
def test_both_sides_count_alike(mixed, options):
    with source(mixed, **options).open(None, Mode.OVERWRITE) as opened:
        pa.table(opened.scan.stream)
        found = opened.reconciliation()
    assert opened.scan.rows == found.source.rows

    assert found.differences() == ()
    assert found.arrived.rows == 3004
    assert found.arrived.columns["n"] == ColumnTotals(432, str(sum(i % 7 for i in range(3001))))
    assert found.arrived.columns["big"].total == str(3000 * (2**63 - 1) - 3000 * 3001 // 2)
    assert found.arrived.columns["money"].total == "4503750.75"
    assert found.source.columns["x"].total is not None
    assert found.arrived.columns["tags"] == ColumnTotals(4)
    assert (found.source.row_hash is None) is (options["reconcile"] is True)
    assert json.loads(json.dumps(found.to_dict()))["holds"]


def test_a_row_that_is_lost_or_changed_on_the_way_is_told(mixed):
    with source(mixed, reconcile="rows").open(None, Mode.OVERWRITE) as opened:
        opened.scan.stream._batches = ours(opened, lambda batch: batch.slice(1))
        pa.table(opened.scan.stream)
        lost = opened.reconciliation()

    assert {difference.measure for difference in lost.differences()} >= {"rows", "sum", "row_hash"}


def ours(opened, spoil):
    """The stream's batches, spoiled before they are counted."""
    from lastro.source.postgres import source as postgres

    stream = opened.scan.stream
    batches = stream._batches
    inner = batches.gi_frame.f_locals["batches"]
    tally = inner.gi_frame.f_locals["tally"]
    source_batches = inner.gi_frame.f_locals["batches"]
    return stream._watched(postgres._tallied(map(spoil, source_batches), tally))


def test_what_is_counted_is_what_is_read(mixed):
    """In the same snapshot, under the same condition, whoever writes meanwhile."""
    made = source(mixed, cursor="id")
    _rows, cursor = take(made, None, Mode.UPSERT)
    mixed.run("INSERT INTO SCHEMA_.t (id) VALUES (5000), (5001)")

    with made.open(cursor, Mode.UPSERT) as opened:
        mixed.run("INSERT INTO SCHEMA_.t (id) VALUES (6000)", "DELETE FROM SCHEMA_.t WHERE id = 5000")
        pa.table(opened.scan.stream)
        found = opened.reconciliation()

    assert found.holds
    assert found.source.rows == 3


def test_nothing_is_counted_where_that_was_declined_or_not_all_was_read(mixed):
    with source(mixed, reconcile=False).open(None, Mode.OVERWRITE) as opened:
        assert opened.reconciliation is None
    with source(mixed).open(None, Mode.OVERWRITE) as opened, pytest.raises(SourceError):
        opened.reconciliation()


def test_a_table_of_very_many_columns_is_counted(server):
    names = ", ".join(f"c{number} int" for number in range(1200))
    server.run(f"CREATE TABLE SCHEMA_.t ({names})", "INSERT INTO SCHEMA_.t (c0, c1199) VALUES (1, 2)")

    with source(server, reconcile="rows").open(None, Mode.OVERWRITE) as opened:
        pa.table(opened.scan.stream)
        found = opened.reconciliation()

    assert found.holds
    assert (found.source.columns["c1199"].total, found.source.columns["c5"].nulls) == ("2", 1)


def test_a_database_in_another_encoding(server):
    """Texts come as UTF-8, and have the same hash on both sides."""
    name = f"{server.schema}_latin"
    server.run(f"CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    try:
        made = create(
            {
                "kind": "postgres",
                "url": server.elsewhere(database=name),
                "query": "SELECT 'é' AS a",
                "reconcile": "rows",
            },
            base=None,
        )
        with made.open(None, Mode.OVERWRITE) as opened:
            table = pa.table(opened.scan.stream)
            found = opened.reconciliation()
    finally:
        server.run(f"DROP DATABASE {name}")

    assert table["a"].to_pylist() == ["é"]
    assert found.holds


def test_text_of_no_known_encoding_is_refused_if_it_is_no_utf8(server):
    name = f"{server.schema}_ascii"
    server.run(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    try:
        for text, holds in [
            ("convert_from('\\xc3a9', 'SQL_ASCII')", True),
            ("convert_from('\\xe9', 'SQL_ASCII')", False),
        ]:
            made = create(
                {"kind": "postgres", "url": server.elsewhere(database=name), "query": f"SELECT {text} AS a"}, base=None
            )
            if holds:
                assert take(made)[0] == 1
            else:
                with pytest.raises(SourceBroken, match="encoding"):
                    take(made)
    finally:
        server.run(f"DROP DATABASE {name}")


def batches(made, mode, *, change=lambda: None):
    """All batches of a reading that stops in between: the ids of each."""
    cursor, found, more = None, [], True
    while more:
        with made.open(cursor, mode) as opened:
            if isinstance(opened, Unchanged):
                break
            found.append(pa.table(opened.scan.stream)["id"].to_pylist())
            cursor, more = json.loads(json.dumps(opened.watermark())), opened.more()
        change()
    return found, cursor


def flat(parts):
    return [each for part in parts for each in part]


@pytest.fixture
def numbers(server):
    server.run(
        "CREATE TABLE SCHEMA_.t (id bigserial PRIMARY KEY, g int, at timestamptz DEFAULT clock_timestamp())",
        "INSERT INTO SCHEMA_.t (g, at)"
        " SELECT i / 10, now() - (100 - i) * interval '1 ms' FROM generate_series(0, 99) AS i",
    )
    return server


@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.UPSERT])
def test_a_long_reading_stops_between_two_values_and_goes_on(numbers, mode):
    found, cursor = batches(source(numbers, cursor="id", batch_rows=30), mode)

    assert [len(part) for part in found] == [30, 30, 30, 10]
    assert flat(found) == list(range(1, 101))
    assert isinstance(take(source(numbers, cursor="id"), cursor, mode), Unchanged)


def test_everything_is_read_at_once_where_all_was_asked_for(numbers):
    with source(numbers, cursor="id", batch_rows=30).open(None, Mode.OVERWRITE) as opened:
        assert pa.table(opened.scan.stream).num_rows == 100
        assert not opened.more()


@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.UPSERT])
def test_rows_of_one_value_are_never_parted(numbers, mode):
    found, _cursor = batches(source(numbers, cursor="g", batch_rows=25), mode)

    assert [len(part) for part in found] == [30, 30, 30, 10]
    assert sorted(flat(found)) == list(range(1, 101))


def test_a_reading_stops_before_a_flood_of_equal_values(server):
    server.run(
        "CREATE TABLE SCHEMA_.t (id bigserial, g int NOT NULL)",
        "INSERT INTO SCHEMA_.t (g) SELECT CASE WHEN i <= 20 THEN i WHEN i <= 500 THEN 21 ELSE i END"
        " FROM generate_series(1, 530) AS i",
    )

    found, _cursor = batches(source(server, cursor="g", batch_rows=25), Mode.APPEND)

    assert [len(part) for part in found] == [20, 480, 25, 5]


def test_only_one_value_in_all(server):
    server.run(
        "CREATE TABLE SCHEMA_.t (id bigserial, g int)", "INSERT INTO SCHEMA_.t (g) SELECT 1 FROM generate_series(1, 99)"
    )

    assert [len(part) for part in batches(source(server, cursor="g", batch_rows=5), Mode.APPEND)[0]] == [99]


def test_what_changes_during_a_pass_of_upsert_is_read(numbers):
    """Rows already read that change, rows not yet read that move on, and rows without a value, which come last."""
    numbers.run("INSERT INTO SCHEMA_.t (id, g, at) VALUES (0, 0, NULL)")
    changes = iter(["UPDATE SCHEMA_.t SET g = -1, at = clock_timestamp() WHERE id IN (1, 2, 99)"])

    def change():
        for statement in changes:
            numbers.run(statement)
            return

    found, cursor = batches(source(numbers, cursor="at", batch_rows=40), Mode.UPSERT, change=change)

    assert found[0] == list(range(1, 41))
    assert {1, 2, 99, 0} <= set(flat(found[1:]))
    assert found[-1][-1] == 0
    assert cursor["last"] == numbers.value("SELECT max(at)::text FROM SCHEMA_.t")
    assert "resume" not in cursor


def test_an_unfinished_pass_keeps_where_it_began(numbers):
    made = source(numbers, cursor="id", batch_rows=1000)
    _rows, first = take(made, None, Mode.UPSERT)
    numbers.run("INSERT INTO SCHEMA_.t (g) SELECT 7 FROM generate_series(1, 100)")
    small = source(numbers, cursor="id", batch_rows=30)
    _rows, second = take(small, first, Mode.UPSERT)
    _rows, third = take(small, second, Mode.UPSERT)

    assert (second["last"], second["resume"]) == ("100", "129")
    assert (third["last"], third["resume"]) == ("100", "159")


def test_an_intermediate_bound_lies_below_what_may_still_come(numbers):
    """With a lag, rows may appear up to the lag behind the newest: a pass does not stop within it."""
    with source(numbers, cursor="id", lag=60, batch_rows=30).open(None, Mode.UPSERT) as opened:
        pa.table(opened.scan.stream)
        first, more = opened.watermark(), opened.more()
    with source(numbers, cursor="id", lag=60, batch_rows=30).open(first, Mode.UPSERT) as opened:
        rest = pa.table(opened.scan.stream)["id"].to_pylist()

    assert (first["resume"], more) == ("30", True)
    assert rest == list(range(31, 101))
    assert not opened.more()


def test_a_pass_behind_an_open_transaction_does_not_stop_early(numbers):
    slow = numbers.session()
    numbers.run("INSERT INTO SCHEMA_.t (g) VALUES (0)", on=slow)

    with source(numbers, cursor="id", batch_rows=30, wait_s=0).open(None, Mode.UPSERT) as opened:
        rows, after = pa.table(opened.scan.stream).num_rows, opened.watermark()
    slow.rollback()

    assert (rows, opened.more()) == (100, False)
    assert "last" not in after and "resume" not in after


@pytest.fixture
def large(server):
    server.run(
        "CREATE TABLE SCHEMA_.t AS SELECT i AS id, repeat('x', 100) AS text, now() AS at"
        " FROM generate_series(1, 150000) AS i",
        "DELETE FROM SCHEMA_.t WHERE id % 10 = 0",
    )
    return server


@pytest.mark.parametrize("parallel", [1, 2, 5])
def test_ranges_arrive_in_the_order_of_one_reading(large, parallel):
    with source(large, parallel=parallel).open(None, Mode.OVERWRITE) as opened:
        ids = pa.table(opened.scan.stream)["id"].to_pylist()

        assert opened.reconciliation().holds
    assert ids == [i for i in range(1, 150001) if i % 10]


def test_ranges_see_one_snapshot(large):
    with source(large, parallel=3).open(None, Mode.OVERWRITE) as opened:
        reader = pa.RecordBatchReader.from_stream(opened.scan.stream)
        rows = reader.read_next_batch().num_rows
        large.run("UPDATE SCHEMA_.t SET text = 'y'", "DELETE FROM SCHEMA_.t WHERE id > 100000")
        rest = reader.read_all()

        assert opened.reconciliation().holds
    assert rows + rest.num_rows == 135000
    assert "y" not in rest["text"].to_pylist()


def test_ranges_that_were_left_early_leave_no_thread(large):
    before = threading.active_count()
    for _attempt in range(3):
        with source(large, parallel=3).open(None, Mode.OVERWRITE) as opened:
            pa.RecordBatchReader.from_stream(opened.scan.stream).read_next_batch()

    assert threading.active_count() <= before
    assert take(source(large, parallel=3))[0] == 135000


def test_a_connection_that_breaks_among_several_is_told(large, monkeypatch):
    mark = "&" if "?" in large.url else "?"
    monkeypatch.setenv("LASTRO_URL_FOR_TEST", f"{large.url}{mark}application_name={large.schema}")
    made = create(
        {"kind": "postgres", "url": "${LASTRO_URL_FOR_TEST}", "table": f"{large.schema}.t", "parallel": 2}, base=None
    )
    named = f"FROM pg_stat_activity WHERE application_name = '{large.schema}' AND query LIKE 'SET max_parallel%'"

    with pytest.raises(SourceError) as caught:  # noqa: SIM117 - the context itself raises
        with made.open(None, Mode.OVERWRITE) as opened:
            assert large.value(f"SELECT count(pg_terminate_backend(pid)) {named}") == 1
            pa.table(opened.scan.stream)
    assert caught.value.exit_code == 3


def test_rights_to_columns_are_enough(server, monkeypatch):
    role = f"{server.schema}_reader"
    server.run(
        "CREATE TABLE SCHEMA_.t AS SELECT 1 AS a, 2 AS b",
        f"CREATE ROLE {role} LOGIN PASSWORD 'p@ss'",
        f"GRANT USAGE ON SCHEMA SCHEMA_ TO {role}",
        f"GRANT SELECT (a, b) ON SCHEMA_.t TO {role}",
    )
    monkeypatch.setenv("LASTRO_PW_FOR_TEST", "p@ss")
    try:
        url = server.elsewhere(account=role, password="${LASTRO_PW_FOR_TEST}")

        assert take(create({"kind": "postgres", "url": url, "table": f"{server.schema}.t"}, base=None))[0] == 1
    finally:
        server.run("DROP TABLE SCHEMA_.t", f"REVOKE ALL ON SCHEMA SCHEMA_ FROM {role}", f"DROP ROLE {role}")


def test_an_interrupt_ends_a_long_survey_at_the_server(server):
    made = source(server, None, query="SELECT pg_sleep(60)::text AS a")
    interrupt = threading.Timer(1, signal.raise_signal, args=(signal.SIGINT,))
    interrupt.start()

    with pytest.raises(KeyboardInterrupt):
        take(made)
    running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%' || 'pg_sleep(60)' || '%'"
    until = time.monotonic() + 20
    while server.value(f"{running} AND pid <> pg_backend_pid()") and time.monotonic() < until:
        time.sleep(0.05)
    assert server.value(f"{running} AND pid <> pg_backend_pid()") == 0


def test_only_a_table_of_its_own_is_taken_apart():
    step = (8 << 20) // 8192
    assert block_ranges(Relation("t", True, True, 3 * step, 8192)) == (
        f"ctid >= '(0,0)' AND ctid < '({step},0)'",
        f"ctid >= '({step},0)' AND ctid < '({2 * step},0)'",
        f"ctid >= '({2 * step},0)'",
    )
    assert block_ranges(Relation("t", True, True, step, 8192)) == ("",)
    assert block_ranges(Relation("t", True, False, 0, 8192)) == ("",)


def test_partitions_and_heirs_are_read_whole(server):
    server.run(
        "CREATE TABLE SCHEMA_.t (id int, p int) PARTITION BY LIST (p)",
        "CREATE TABLE SCHEMA_.t1 PARTITION OF SCHEMA_.t FOR VALUES IN (1)",
        "CREATE TABLE SCHEMA_.t2 PARTITION OF SCHEMA_.t FOR VALUES IN (2)",
        "INSERT INTO SCHEMA_.t SELECT i, 1 + i % 2 FROM generate_series(1, 50) AS i",
        "CREATE TABLE SCHEMA_.mother (id int)",
        "CREATE TABLE SCHEMA_.child () INHERITS (SCHEMA_.mother)",
        "INSERT INTO SCHEMA_.mother VALUES (1)",
        "INSERT INTO SCHEMA_.child VALUES (2)",
    )

    assert take(source(server, "t", parallel=4))[0] == 50
    assert take(source(server, "mother", parallel=4))[0] == 2


def test_a_rewritten_table_does_not_look_empty(numbers):
    """TRUNCATE waits for the reading, or comes before its snapshot; it never comes between."""
    with source(numbers).open(None, Mode.OVERWRITE) as opened:
        truncating = threading.Thread(target=numbers.run, args=("TRUNCATE SCHEMA_.t",))
        truncating.start()
        rows = pa.table(opened.scan.stream).num_rows
    truncating.join()

    assert rows == 100
    assert take(source(numbers))[0] == 0


def test_keys_of_all_rows_in_the_same_snapshot(numbers):
    made = source(numbers, cursor="id", batch_rows=10)
    _rows, cursor = take(made, None, Mode.UPSERT)
    with made.open(cursor, Mode.UPSERT) as opened:
        numbers.run("DELETE FROM SCHEMA_.t WHERE id = 1")
        pa.table(opened.scan.stream)
        keys = pa.table(opened.keys(["g", "id"]))

    assert keys.schema.names == ["g", "id"]
    assert sorted(keys["id"].to_pylist()) == list(range(1, 101))


def test_keys_come_as_the_rows_do(server):
    server.run(
        "CREATE TABLE SCHEMA_.t (day date, d numeric(5,2), u uuid)",
        "INSERT INTO SCHEMA_.t VALUES ('infinity', 1.5, gen_random_uuid())",
    )

    with source(server).open(None, Mode.OVERWRITE) as opened:
        rows = pa.table(opened.scan.stream)
        assert pa.table(opened.keys(["day", "d", "u"])).equals(rows)
        with pytest.raises(ConfigurationError, match="no column"):
            opened.keys(["ID"])


def test_keys_before_the_rows_were_read_are_refused(numbers):
    with source(numbers).open(None, Mode.OVERWRITE) as opened, pytest.raises(SourceBroken):
        opened.keys(["id"])


def test_all_tables_of_a_schema(server):
    server.run(
        "CREATE TABLE SCHEMA_.plain (a int)",
        'CREATE TABLE SCHEMA_."a.b" (a int)',
        'CREATE TABLE SCHEMA_."Ünder score" (a int)',
        "CREATE VIEW SCHEMA_.view AS SELECT 1 AS a",
        "CREATE MATERIALIZED VIEW SCHEMA_.kept AS SELECT 1 AS a",
        "CREATE MATERIALIZED VIEW SCHEMA_.unfilled AS SELECT 1 AS a WITH NO DATA",
        "CREATE TABLE SCHEMA_.parted (a int) PARTITION BY LIST (a)",
        "CREATE TABLE SCHEMA_.part PARTITION OF SCHEMA_.parted FOR VALUES IN (1)",
        "CREATE SEQUENCE SCHEMA_.counter",
    )

    found = tables({"url": server.reference, "table": f"{server.schema}.*"}, None)

    names = ['"a.b"', "kept", "parted", "plain", "view", "Ünder score"]
    readable = [each.table for each in found if each.refused is None]
    assert [each.table for each in found if each.refused] == [f"{server.schema}.unfilled"]
    assert sorted(readable) == sorted(f"{server.schema}.{name}" for name in names)
    for name in readable:
        take(create({"kind": "postgres", "url": server.reference, "table": name}, base=None))


@pytest.mark.parametrize(
    ("table", "error"), [("public", ConfigurationError), ("a.b.*", ConfigurationError), ("nowhere.*", SourceBroken)]
)
def test_a_schema_that_is_none(server, table, error):
    with pytest.raises(error) as caught:
        tables({"url": server.reference, "table": table}, None)
    assert caught.value.do


@pytest.mark.parametrize(
    ("option", "value"),
    [("batch_rows", 0), ("parallel", 0), ("parallel", 99), ("reconcile", "all"), ("reconcile", None)],
)
def test_a_wrong_value_of_an_option(option, value):
    with pytest.raises(ConfigurationError, match=option):
        create({"kind": "postgres", "url": "postgresql://h/db", "table": "t", option: value}, base=None)
