"""A whole database becomes datasets, whatever its tables are called."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from tests.source.conftest import postgres_url, server  # noqa: F401 – fixtures
from tests.source.mysql_server import VARIABLE, mysql, mysql_url  # noqa: F401 – fixtures

import lastro
from lastro.model.errors import ConfigurationError, SourceBroken
from lastro.workspace.add_all import name_of

HOSTILE = ('Odd "name"', "a.b", "select", "É", "x'y;--", "UPPER")


@pytest.fixture
def lake(tmp_path):
    return lastro.init(tmp_path / "lake")


def database(lake, *tables):
    with closing(sqlite3.connect(lake.root / "shop.db")) as connection, connection:
        for name in tables:
            quoted = '"' + name.replace('"', '""') + '"'
            connection.execute(f"CREATE TABLE {quoted} (id INTEGER PRIMARY KEY, note TEXT)")
            connection.execute(f"INSERT INTO {quoted} VALUES (1, 'x')")


def told(found):
    return {each.table: (each.name, each.outcome.value) for each in found}


def test_each_table_becomes_a_dataset_that_can_be_ingested(lake):
    database(lake, *HOSTILE)

    found = lake.add_all("shop.db#*", prefix="shop_")

    assert {each.table for each in found} == set(HOSTILE)
    assert {each.outcome.value for each in found} == {"added"}
    assert len({each.name for each in found}) == len(HOSTILE)
    for each in found:
        assert lake.dataset(each.name).ingest().counts.kept == 1


def test_a_plan_adds_nothing(lake):
    database(lake, "orders")

    found = lake.add_all("shop.db#*", plan=True)

    assert told(found) == {"orders": ("orders", "would_be_added")}
    assert lake.datasets() == ()
    assert list((lake.root / "contracts").iterdir()) == []


def test_adding_again_adds_what_is_new(lake):
    database(lake, "orders")
    lake.add("shop.db#orders", name="mine")
    database(lake, "customers")

    found = lake.add_all("shop.db#*")

    assert told(found) == {"customers": ("customers", "added"), "orders": ("mine", "there")}
    assert told(lake.add_all("shop.db#*")) == {"customers": ("customers", "there"), "orders": ("mine", "there")}


def test_one_that_fails_leaves_the_others_whole(lake):
    database(lake, "orders", "customers")
    with closing(sqlite3.connect(lake.root / "shop.db")) as connection, connection:
        connection.execute("CREATE VIEW broken AS SELECT * FROM gone")

    found = lake.add_all("shop.db#*")

    assert told(found) == {
        "broken": ("broken", "failed"),
        "customers": ("customers", "added"),
        "orders": ("orders", "added"),
    }
    assert lake.datasets() == ("customers", "orders")
    assert not (lake.root / "contracts" / "broken.odcs.yaml").exists()
    assert next(each for each in found if each.error).error.do


def test_a_database_without_tables_and_a_kind_that_lists_none(lake):
    database(lake, "orders")
    with closing(sqlite3.connect(lake.root / "shop.db")) as connection, connection:
        connection.execute("DROP TABLE orders")

    with pytest.raises(SourceBroken, match="no table"):
        lake.add_all("shop.db#*")
    with pytest.raises(ConfigurationError, match="does not list"):
        lake.add_all("adbc_driver_sqlite#*", options={"kind": "adbc"})


@pytest.mark.parametrize(
    ("table", "taken", "name"),
    [
        ("Orders", (), "orders"),
        ("São Paulo", (), "sao_paulo"),
        ("2026", (), "t_2026"),
        ("日本", (), "table"),
        ("orders", ("orders", "orders_2"), "orders_3"),
        ("x" * 200, (), "x" * 55),
        ("a.quarantine", (), "a_quarantine"),
    ],
)
def test_names_are_made_safe_and_unique(table, taken, name):
    assert name_of(table, "", taken) == name


@pytest.mark.xdist_group("postgres")
def test_a_schema_of_postgresql(lake, server, monkeypatch):  # noqa: F811
    server.run(
        "CREATE TABLE SCHEMA_.orders AS SELECT 1 AS id",
        'CREATE TABLE SCHEMA_."a.B" AS SELECT 2 AS id',
        "CREATE VIEW SCHEMA_.seen AS SELECT 3 AS id",
    )
    monkeypatch.setenv("SHOP_URL", server.url)

    found = lake.add_all(f"postgresql://shop#{server.schema}.*", options={"url": "${SHOP_URL}"})

    assert {each.name for each in found} == {"orders", "a_b", "seen"}
    assert [lake.dataset(name).ingest().counts.kept for name in ("orders", "a_b", "seen")] == [1, 1, 1]


def test_a_database_of_mysql(lake, mysql):  # noqa: F811
    mysql.run("CREATE TABLE orders AS SELECT 1 AS id", "CREATE TABLE `a.B``c` AS SELECT 2 AS id")
    place = {"url": f"${{{VARIABLE}}}"}

    here = lake.add_all("mysql://shop/db#*", options=place, prefix="here_")
    there = lake.add_all(f"mysql://shop/db#{mysql.database}.*", options=place, prefix="there_")

    assert {each.name for each in here} == {"here_orders", "here_a_b_c"}
    assert {each.name for each in there} == {"there_orders", "there_a_b_c"}
    assert [lake.dataset(each.name).ingest().counts.kept for each in (*here, *there)] == [1, 1, 1, 1]
