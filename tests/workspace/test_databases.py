"""Tables of databases become datasets: what they declare is kept, and nothing is rounded or taken for another."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal

import pytest
from tests.source.conftest import postgres_url, server  # noqa: F401 – fixtures
from tests.source.mysql_server import mysql, mysql_url  # noqa: F401 – fixtures

import lastro
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
