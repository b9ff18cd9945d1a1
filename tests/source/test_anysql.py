"""Any ADBC driver and any SQLAlchemy URL: what both promise, and what a hostile `lastro.yaml` cannot make them do."""

import datetime as dt
import decimal
import json
import sqlite3

import pyarrow as pa
import pytest

from lastro.model.errors import (
    ConfigurationError,
    MissingExtra,
    SourceBroken,
    SourceError,
    SourceUnreachable,
    SqlRefused,
)
from lastro.model.version import Mode
from lastro.source import create
from lastro.source.anysql.alchemy import text_of
from lastro.source.anysql.types import arriving, converted
from lastro.source.protocol import Unchanged

KINDS = {
    "adbc": {"kind": "adbc", "driver": "adbc_driver_sqlite", "uri": "${LASTRO_ANY_URI}"},
    "sqlalchemy": {"kind": "sqlalchemy", "url": "sqlite:///core.db"},
}


class Database:
    """A SQLite file. No connection is kept: the driver brings a SQLite of its own, and two in one process take each
    other's locks.
    """

    def __init__(self, path):
        self.path = path

    def execute(self, statement):
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute(statement).fetchall()
        connection.close()


@pytest.fixture
def core(tmp_path, monkeypatch):
    monkeypatch.setenv("LASTRO_ANY_URI", f"file:{tmp_path / 'core.db'}")
    database = Database(tmp_path / "core.db")
    database.execute("CREATE TABLE loans (id INTEGER PRIMARY KEY, seen TEXT, rate REAL, who TEXT)")
    database.execute(
        "INSERT INTO loans (seen, rate, who) VALUES ('2026-01-01 00:00:10', 0.1, 'é😀'),"
        "('2026-01-01 00:00:20', 1e300, NULL), ('2026-01-01 00:00:30', 2.5, '%s')"
    )
    return database


@pytest.fixture(params=KINDS)
def kind(request):
    if request.param == "adbc":
        pytest.importorskip("adbc_driver_sqlite")
    else:
        pytest.importorskip("sqlalchemy")
    return KINDS[request.param]


def read(options, base, cursor=None, mode=Mode.OVERWRITE):
    with create(options, base=base).open(cursor, mode) as opened:
        if isinstance(opened, Unchanged):
            return opened, cursor, ()
        table = pa.table(opened.scan.stream)
        after = json.loads(json.dumps(opened.watermark()))
        if opened.reconciliation is not None:
            found = opened.reconciliation()
            assert (found.differences(), found.source.rows) == ((), table.num_rows)
        return table, after, opened.notes


def ids(table):
    return [int(value) for value in table["id"].to_pylist()]


def test_a_table_arrives_whole(kind, core, tmp_path):
    table, _cursor, notes = read({**kind, "table": "loans", "reconcile": True}, tmp_path)

    assert ids(table) == [1, 2, 3]
    assert [float(value) for value in table["rate"].to_pylist()] == [0.1, 1e300, 2.5]
    assert table["who"].to_pylist() == ["é😀", None, "%s"]
    assert notes == ()


def test_a_query_with_percent_signs_and_colons(kind, core, tmp_path):
    query = "SELECT id, '50 % :x ''' AS text FROM loans WHERE who LIKE '%s' OR id = 1"

    table, *_rest = read({**kind, "query": query}, tmp_path)

    assert table["text"].to_pylist() == ["50 % :x '"] * 2


def test_append_with_a_lag_reads_each_row_once(kind, core, tmp_path):
    options = {**kind, "table": "loans", "cursor": "seen", "lag": 15}
    first, cursor, _notes = read(options, tmp_path, None, Mode.APPEND)
    core.execute("INSERT INTO loans (seen) VALUES ('2026-01-01 00:00:40'), ('2026-01-01 00:00:16')")
    second, after, _notes = read(options, tmp_path, cursor, Mode.APPEND)

    assert (ids(first), ids(second)) == ([1], [5, 2])
    assert isinstance(read(options, tmp_path, after, Mode.APPEND)[0], Unchanged)


def test_append_without_a_lag_says_what_it_loses(kind, core, tmp_path):
    *_rest, notes = read({**kind, "table": "loans", "cursor": "id"}, tmp_path, None, Mode.APPEND)

    assert "commit behind newer ones are lost" in notes[0]


def test_upsert_reads_the_window_again(kind, core, tmp_path):
    options = {**kind, "table": "loans", "cursor": "id", "lag": 1}
    _all, cursor, _notes = read(options, tmp_path, None, Mode.UPSERT)
    core.execute("INSERT INTO loans (seen) VALUES ('x')")

    again, *_rest = read(options, tmp_path, cursor, Mode.UPSERT)

    assert ids(again) == [2, 3, 4]


def test_one_state_and_its_keys(kind, core, tmp_path):
    if kind["kind"] == "sqlalchemy":
        core.execute("PRAGMA journal_mode = WAL")
    with create({**kind, "table": "loans"}, base=tmp_path).open(None, Mode.OVERWRITE) as opened:
        if kind["kind"] == "sqlalchemy":
            core.execute("DELETE FROM loans WHERE id = 2")
        table = pa.table(opened.scan.stream)
        keys = pa.table(opened.keys(["id"]))

        assert ids(table) == ids(keys) == [1, 2, 3]


def test_what_is_not_there(kind, core, tmp_path):
    for options in ({"table": "nope"}, {"query": "SELECT nope FROM loans WHERE who = 'João'"}):
        with pytest.raises(SourceError) as caught:
            read({**kind, **options}, tmp_path)
        assert "João" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="no column nope"):
        read({**kind, "table": "loans", "cursor": "nope"}, tmp_path)


@pytest.mark.parametrize(
    "query", ["DELETE FROM loans", "SELECT 1; DROP TABLE loans", "SELECT 1) _rows; DROP TABLE loans --"]
)
def test_queries_that_do_more_than_select(kind, tmp_path, query):
    with pytest.raises(SqlRefused):
        create({**kind, "query": query}, base=tmp_path)


def test_a_cursor_that_somebody_forged_cannot_leave_its_quotes(kind, core, tmp_path):
    options = {**kind, "table": "loans", "cursor": "who"}
    _all, cursor, _notes = read(options, tmp_path, None, Mode.UPSERT)

    table, *_rest = read(options, tmp_path, {**cursor, "last": "z' OR '1'='1"}, Mode.UPSERT)

    assert ids(table) == [2, 1]  # the row without a value, and the one that sorts behind
    with pytest.raises(SourceBroken):
        read(options, tmp_path, {**cursor, "last": "z\\"}, Mode.UPSERT)


@pytest.mark.parametrize(
    "driver",
    ["/tmp/evil.so", "./evil.so", "evil.so", "../x", "profile://evil", "postgresql://h", "a b", "é", "evil.toml"],
)
def test_a_driver_is_named_not_pointed_at(tmp_path, driver):
    with pytest.raises(ConfigurationError, match="not allowed on this machine"):
        create({"kind": "adbc", "driver": driver, "table": "t"}, base=tmp_path)


def test_a_library_that_the_machine_allows(core, tmp_path, monkeypatch):
    sqlite = pytest.importorskip("adbc_driver_sqlite")
    monkeypatch.setenv("LASTRO_ADBC_DRIVERS", sqlite._driver_path())

    table, *_rest = read({**KINDS["adbc"], "driver": sqlite._driver_path(), "table": "loans"}, tmp_path)

    assert table.num_rows == 3


@pytest.mark.parametrize(
    "more",
    [
        {"options": {"adbc.sqlite.load_extension.path": "/tmp/evil.so"}},
        {"options": {"profile": "evil"}},
        {"options": {"entrypoint": "evil"}},
        {"options": {"driver": "/tmp/evil.so"}},
        {"uri": "profile:///tmp/evil.toml"},
        {"options": {"password": "written"}},
        {"uri": "flightsql://u:written@h"},
    ],
)
def test_options_that_load_code_or_show_secrets(tmp_path, more):
    with pytest.raises(ConfigurationError):
        create({"kind": "adbc", "driver": "adbc_driver_sqlite", "table": "t", **more}, base=tmp_path)


def test_a_profile_that_comes_out_of_the_environment(core, tmp_path, monkeypatch):
    monkeypatch.setenv("LASTRO_ANY_URI", "profile:///tmp/evil.toml")

    with pytest.raises(ConfigurationError, match="profile"):
        read({**KINDS["adbc"], "table": "loans"}, tmp_path)


def test_a_package_in_the_workspace_is_no_driver(tmp_path, monkeypatch):
    (tmp_path / "adbc_driver_evil.py").write_text("raise SystemExit('ran')")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(MissingExtra, match="pip install adbc-driver-evil"):
        read({"kind": "adbc", "driver": "adbc_driver_evil", "table": "t"}, tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "not a url",
        "mysql+pymysql://u:written@h/db",
        "mssql+pyodbc://u@h/db?driver=/tmp/evil.so",
        "mssql+pyodbc:///?odbc_connect=DRIVER%3D/tmp/evil.so",
        "sqlite:///x.db?plugin=evil",
        "mysql+pymysql://u@h/db?init_command=DROP",
        "mysql+pymysql://u@h/db?local_infile=1",
        "mysql+pymysql://u@h/db?read_default_file=/etc/my.cnf",
        "oracle+oracledb://u@h/db?config_dir=/tmp/evil",
        "mssql+pyodbc://u@h/db?TraceFile=/tmp/evil",
        "sqlite:///x.db?vfs=evil",
        "sqlite:///x.db#?plugin=evil",
        "mysql+pymysql://u:${A}?timeout=@h/db?read_default_file=evil",
    ],
)
def test_urls_that_load_code_or_show_secrets(tmp_path, url):
    with pytest.raises(ConfigurationError):
        create({"kind": "sqlalchemy", "url": url, "table": "t"}, base=tmp_path)


def test_parameters_that_are_known_or_that_the_machine_allows(tmp_path, monkeypatch):
    monkeypatch.setenv("LASTRO_SQLALCHEMY_PARAMETERS", "other, events")
    given = "driver=ODBC+Driver+18+for+SQL+Server&Encrypt=yes&other=1"

    made = create({"kind": "sqlalchemy", "url": f"mssql+pyodbc://u@h/db?{given}", "table": "t"}, base=tmp_path)

    assert made.label == "t"


@pytest.mark.parametrize("url", ["sqlite:///gone.db", "sqlite+pysqlite:///gone.db", "sqlite:///file:gone.db?uri=true"])
def test_a_sqlite_file_that_is_not_there_is_not_made(tmp_path, monkeypatch, url):
    pytest.importorskip("sqlalchemy")
    monkeypatch.chdir(tmp_path)
    options = {"kind": "sqlalchemy", "url": url, "table": "t"}

    with pytest.raises(SourceUnreachable, match="there is no database file"):
        read(options, tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("uri", ["gone.db", "file:gone.db", "file:gone.db?cache=private"])
def test_a_sqlite_file_that_is_not_there_is_not_made_through_adbc(tmp_path, monkeypatch, uri):
    pytest.importorskip("adbc_driver_sqlite")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SourceUnreachable, match="there is no database file"):
        read({"kind": "adbc", "driver": "adbc_driver_sqlite", "uri": uri, "table": "t"}, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_sqlite_file_of_an_odd_name_is_only_read(tmp_path):
    pytest.importorskip("sqlalchemy")
    (tmp_path / "a b").mkdir()
    Database(tmp_path / "a b" / "50% #é.db").execute("CREATE TABLE t AS SELECT 1 AS id")

    table, *_rest = read({"kind": "sqlalchemy", "url": "sqlite:///a b/50% #é.db?timeout=3", "table": "t"}, tmp_path)

    assert ids(table) == [1]


def test_dialects_and_servers_that_are_not_there(tmp_path):
    with pytest.raises((MissingExtra, SourceUnreachable)):
        read({"kind": "sqlalchemy", "url": "oracle+oracledb://u@127.0.0.1:1/x", "table": "t"}, tmp_path)
    with pytest.raises(SourceUnreachable):
        read({"kind": "sqlalchemy", "url": "mysql+pymysql://u@127.0.0.1:1/x", "table": "t"}, tmp_path)


def test_a_real_server_through_sqlalchemy(mysql, tmp_path, monkeypatch):
    monkeypatch.setenv("LASTRO_ANY_URL", mysql.url.replace("mysql://", "mysql+pymysql://"))
    mysql.run(
        "CREATE TABLE t (id INT PRIMARY KEY, n DECIMAL(30,10), m DATETIME(6), d DATE, h TIME, b VARBINARY(3), j JSON)",
        "INSERT INTO t VALUES (1, '-12345678901234567890.0000000001', '2026-01-01 10:00:00.5', '1500-01-01',"
        " '-26:00:01',"
        " X'00ff', '{}'),"
        "(2, NULL, '2026-01-02', NULL, NULL, NULL, NULL)",
    )
    options = {"kind": "sqlalchemy", "url": "${LASTRO_ANY_URL}", "table": "t", "cursor": "n", "reconcile": True}

    table, cursor, notes = read(options, tmp_path, None, Mode.UPSERT)

    assert table.to_pylist()[1] == {
        "id": "1", "n": "-12345678901234567890.0000000001", "m": "2026-01-01 10:00:00.500000", "d": "1500-01-01",
        "h": "-26:00:01", "b": "00ff", "j": "{}",
    }  # fmt: skip
    assert notes == ()
    assert ids(read({**options, "cursor": "m"}, tmp_path, None, Mode.UPSERT)[0]) == [1, 2]
    assert isinstance(read(options, tmp_path, cursor, Mode.UPSERT)[0], Unchanged)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (True, "true"),
        (2**70, str(2**70)),
        (decimal.Decimal("1E+3"), "1000"),
        (0.1, "0.1"),
        (b"\x00\xff", "00ff"),
        (
            dt.datetime(2026, 1, 1, 3, tzinfo=dt.timezone(dt.timedelta(hours=3))),
            "2026-01-01 00:00:00+00:00",
        ),
        (dt.timedelta(days=-1, microseconds=1), "-23:59:59.999999"),
        ({"a": [1, None]}, '{"a": [1, null]}'),
        (None, None),
    ],
)
def test_python_values_as_text(cell, text):
    assert text_of(cell) == text


def test_arrow_types_that_have_no_whole_counterpart():
    schema = pa.schema(
        [
            ("u", pa.uint64()), ("w", pa.decimal256(50, 3)), ("t", pa.time64("us")), ("v", pa.string_view()),
            ("n", pa.timestamp("ns")), ("d", pa.dictionary(pa.int8(), pa.string())),
        ]
    )  # fmt: skip
    columns = [
        pa.array([2**64 - 1], pa.uint64()),
        pa.array([decimal.Decimal("1" * 40 + ".125")], pa.decimal256(50, 3)),
        pa.array([dt.time(1, 2, 3, 4)]),
        pa.array(["x"], pa.string_view()),
        pa.array([1_000], pa.timestamp("ns")),
        pa.array(["é"]).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string())),
    ]

    made = converted(pa.record_batch(columns, schema=schema), arriving(schema, "t"), "t")

    row = made.to_pylist()[0]
    assert (row["u"], row["w"], row["t"], row["v"], row["d"]) == (
        2**64 - 1,
        "1" * 40 + ".125",
        "01:02:03.000004",
        "x",
        "é",
    )
    short = pa.record_batch([pa.array([1], pa.timestamp("ns"))], names=["n"])
    with pytest.raises(SourceBroken, match="cannot be stored whole"):
        converted(short, arriving(short.schema, "t"), "t")
    with pytest.raises(SourceBroken, match="cannot be stored whole"):
        arriving(pa.schema([("i", pa.month_day_nano_interval())]), "t")
