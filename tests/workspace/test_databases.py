"""Tables of databases become datasets: what they declare is kept, and nothing is rounded or taken for another."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal

import pytest
from tests.source.conftest import postgres_url, server  # noqa: F401 – fixtures
from tests.source.mysql_server import mysql, mysql_url  # noqa: F401 – fixtures

import lastro
from lastro.model.schema import Decimal as DecimalType
from lastro.model.schema import Field, Primitive, StructOf
from lastro.model.version import Mode
from lastro.source import create


@pytest.fixture
def lake(tmp_path):
    return lastro.init(tmp_path / "lake")


def added(lake, source, **options):
    """The dataset `rows` of a source, whose contract nobody changed."""
    lake.add(source, name="rows", options=options)
    return lake.dataset("rows")


def rows(dataset):
    dataset.ingest()
    return sorted(dataset.version().to_arrow().to_pylist(), key=lambda row: row["id"])


@pytest.mark.xdist_group("postgres")
def test_text_of_postgresql_stays_text_whatever_it_looks_like(lake, server):  # noqa: F811
    server.run(
        "CREATE TABLE SCHEMA_.t (id int PRIMARY KEY, zip text, flag varchar(9), b bit(3), day char(10))",
        "INSERT INTO SCHEMA_.t VALUES (1, '10001', 'true', B'101', '2026-01-01')",
        "INSERT INTO SCHEMA_.t VALUES (2, '20002', 'no', B'110', '2026-01-02')",
    )
    dataset = added(lake, "postgresql://h/d#t", url=server.reference, table=f"{server.schema}.t")
    before = rows(dataset)
    server.run("INSERT INTO SCHEMA_.t VALUES (3, '01001', '', B'001', 'unknown')")

    after = rows(dataset)

    assert before[0] == {"id": 1, "zip": "10001", "flag": "true", "b": "101", "day": "2026-01-01"}
    assert after[2] == {"id": 3, "zip": "01001", "flag": "", "b": "001", "day": "unknown"}


@pytest.mark.xdist_group("postgres")
def test_numerics_of_postgresql_keep_every_digit(lake, server):  # noqa: F811
    server.run(
        "CREATE TABLE SCHEMA_.t (id int PRIMARY KEY, n numeric, wide numeric(40, 2), whole numeric, j jsonb, a int[])",
        f"INSERT INTO SCHEMA_.t VALUES (1, 0.1234567890123456789, {'9' * 38}.99, {'9' * 30}, '{{\"k\": 1}}', '{{1}}')",
    )

    (row,) = rows(added(lake, "postgresql://h/d#t", url=server.reference, table=f"{server.schema}.t"))

    assert (row["n"], row["wide"]) == ("0.1234567890123456789", "9" * 38 + ".99")
    assert (row["whole"], row["j"], row["a"]) == (Decimal("9" * 30), {"k": 1}, [1])


def test_characters_of_mysql_stay_text_whatever_they_look_like(lake, mysql):  # noqa: F811
    mysql.run(
        "CREATE TABLE t (id int PRIMARY KEY, zip char(5), kind enum('1', '2'), note varchar(20), day date, j json)",
        "INSERT INTO t VALUES (1, '10001', '1', '2026-01-01', '2026-01-01', '{\"k\": 1}')",
    )
    source = create({"kind": "mysql", "url": mysql.reference, "table": "t"}, base=lake.root)

    with source.open(None, Mode.OVERWRITE) as opened:
        samples = lake.engine().sample(opened.scan)

    types = {sample.column.name: sample.column.type for sample in samples}
    assert list(types) == ["id", "zip", "kind", "note", "day", "j"]
    assert {types[name] for name in ("zip", "kind", "note")} == {Primitive.STRING}
    assert types["day"] == Primitive.DATE
    assert types["j"] == StructOf((Field("k", Primitive.LONG),))


def test_digits_that_sqlite_holds_as_text_are_no_difference(lake):
    with closing(sqlite3.connect(lake.root / "core.db")) as connection, connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT, mixed)")
        connection.execute("INSERT INTO t VALUES (1, '2', 5), (2, '3', '7'), (3, NULL, x'00')")
    dataset = added(lake, "core.db#t")

    result = dataset.ingest()

    assert result.reconciled
    assert sorted(row["n"] or 0 for row in dataset.version().to_arrow().to_pylist()) == [0, 2, 3]


def keys_of(dataset):
    return dataset.plan().plan.primary_key


KEYED = (
    "CREATE TABLE plain (label varchar(9) PRIMARY KEY, n int)",
    "CREATE TABLE pairs (a int, b int, n int, PRIMARY KEY (b, a))",
    "CREATE TABLE numbered (number_of_it int PRIMARY KEY, n int)",
    "INSERT INTO plain VALUES ('x', 1), ('y', 2)",
    "INSERT INTO pairs VALUES (1, 1, 1), (1, 2, 1)",
    "INSERT INTO numbered VALUES (1, 1), (2, 1)",
)


@pytest.fixture(params=["sqlite", "adbc", "sqlalchemy", "mysql", "postgres"])
def keyed(request, lake, monkeypatch):
    """The options of a source that holds the tables of `KEYED`, and what stands before their names."""
    if request.param == "mysql":
        found = request.getfixturevalue("mysql")
        found.run(*KEYED)
        return {"kind": "mysql", "url": found.reference}, ""
    if request.param == "postgres":
        found = request.getfixturevalue("server")
        session = found.session(autocommit=True)
        found.run(f"SET search_path = {found.schema}", *KEYED, on=session)
        return {"kind": "postgres", "url": found.reference}, f"{found.schema}."
    with closing(sqlite3.connect(lake.root / "core.db")) as connection, connection:
        for statement in KEYED:
            connection.execute(statement)
    if request.param == "adbc":
        pytest.importorskip("adbc_driver_sqlite")
        monkeypatch.setenv("LASTRO_ANY_URI", f"file:{lake.root / 'core.db'}")
        return {"kind": "adbc", "driver": "adbc_driver_sqlite", "uri": "${LASTRO_ANY_URI}"}, ""
    if request.param == "sqlalchemy":
        pytest.importorskip("sqlalchemy")
        return {"kind": "sqlalchemy", "url": "sqlite:///core.db"}, ""
    return {"kind": "sqlite", "path": "core.db"}, ""


def test_a_declared_primary_key_is_the_key_and_no_guess(lake, keyed):
    options, before = keyed

    found = {
        name: lake.add("", name=name, options={**options, "table": before + name})
        for name in ("plain", "pairs", "numbered")
    }

    keys = {name: keys_of(lake.dataset(name)) for name in found}
    assert keys == {"plain": ("label",), "pairs": ("b", "a"), "numbered": ("number_of_it",)}
    assert not [note for added in found.values() for note in added.notes if "unique" in note or "key" in note]


def test_a_declared_key_of_mysql_seen_through_another_database_name(lake, mysql):  # noqa: F811
    mysql.run("CREATE TABLE t (b int, a int, PRIMARY KEY (b, a))", "INSERT INTO t VALUES (1, 1)")
    table = f"{mysql.database}.t"

    assert keys_of(added(lake, "", kind="mysql", url=mysql.reference, table=table)) == ("b", "a")


def test_a_table_of_sqlite_without_rowid_and_one_with_a_key_that_is_missing(lake):
    with closing(sqlite3.connect(lake.root / "core.db")) as connection, connection:
        connection.execute("CREATE TABLE bare (code TEXT PRIMARY KEY, n) WITHOUT ROWID")
        connection.execute("INSERT INTO bare VALUES ('a', 1)")
        connection.execute("CREATE TABLE loose (label TEXT PRIMARY KEY, n)")
        connection.execute("INSERT INTO loose VALUES (NULL, 1), (NULL, 2), ('a', 3)")
    lake.add("core.db#bare", name="bare")

    loose = lake.add("core.db#loose", name="loose")

    assert (keys_of(lake.dataset("bare")), keys_of(lake.dataset("loose"))) == (("code",), ())
    assert "label of the declared one is missing in 2 of 3 rows" in loose.notes[0]


EMPTY = {
    "id": ("INTEGER PRIMARY KEY", Primitive.LONG),
    "amount": ("DECIMAL(12, 2)", DecimalType(12, 2)),
    "rate": ("DOUBLE PRECISION", Primitive.DOUBLE),
    "day": ("DATE", Primitive.DATE),
    "at": ("TIMESTAMP", Primitive.TIMESTAMP_NTZ),
    "ok": ("BOOLEAN", Primitive.BOOLEAN),
    "name_of": ("VARCHAR(20)", Primitive.STRING),
}


@pytest.mark.parametrize("kind", ["sqlite", "sqlalchemy"])
def test_an_empty_table_has_the_types_that_it_declares(lake, kind):
    if kind == "sqlalchemy":
        pytest.importorskip("sqlalchemy")
    place = {"kind": "sqlite", "path": "core.db"} if kind == "sqlite" else {"kind": kind, "url": "sqlite:///core.db"}
    with closing(sqlite3.connect(lake.root / "core.db")) as connection, connection:
        connection.execute(f"CREATE TABLE t ({', '.join(f'{name} {said}' for name, (said, _type) in EMPTY.items())})")
    dataset = added(lake, "", **place, table="t")
    with closing(sqlite3.connect(lake.root / "core.db")) as connection, connection:
        connection.execute("INSERT INTO t VALUES (1, 2.5, 0.1, '2026-01-01', '2026-01-01 10:00:00', 1, 'x')")

    result = dataset.ingest()

    assert {column.name: column.type for column in dataset.plan().plan.columns} == {
        name: kind for name, (_said, kind) in EMPTY.items()
    }
    assert (result.counts.kept, result.counts.quarantined) == (1, 0)
    assert keys_of(dataset) == ("id",)


def test_an_empty_table_of_mysql_has_the_types_that_it_declares(lake, mysql):  # noqa: F811
    mysql.run("CREATE TABLE t (id int PRIMARY KEY, title varchar(9), day date, at datetime, seen timestamp NULL)")

    found = lake.add("", name="rows", options={"kind": "mysql", "url": mysql.reference, "table": "t"})

    assert [column.type for column in lake.dataset("rows").plan().plan.columns] == [
        *(Primitive.LONG, Primitive.STRING, Primitive.DATE, Primitive.TIMESTAMP_NTZ, Primitive.TIMESTAMP)
    ]
    assert found.notes == ()


@pytest.mark.xdist_group("postgres")
def test_an_empty_table_of_postgresql_has_the_types_that_it_declares(lake, server):  # noqa: F811
    server.run("CREATE TABLE SCHEMA_.t (id int PRIMARY KEY, title text, day date, at timestamptz, any_of json)")

    options = {"kind": "postgres", "url": server.reference, "table": f"{server.schema}.t"}
    found = lake.add("", name="rows", options=options)

    assert [column.type for column in lake.dataset("rows").plan().plan.columns] == [
        *(Primitive.LONG, Primitive.STRING, Primitive.DATE, Primitive.TIMESTAMP, Primitive.STRING)
    ]
    assert found.notes == ("guessed: any_of has no value, so it may be anything",)
