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

    found = lake.add_all("shop.db#*", views=True)

    assert told(found) == {
        "broken": ("broken", "failed"),
        "customers": ("customers", "added"),
        "orders": ("orders", "added"),
    }
    assert lake.datasets() == ("customers", "orders")
    assert not (lake.root / "contracts" / "broken.odcs.yaml").exists()
    assert next(each for each in found if each.error).error.do


def test_a_column_without_a_name_fails_its_table_only_and_a_query_reads_it(lake):
    database(lake, "orders")
    with closing(sqlite3.connect(lake.root / "shop.db")) as connection, connection:
        connection.execute('CREATE TABLE odd (id int, "" int)')
        connection.execute("INSERT INTO odd VALUES (1, 2)")
    named = {"kind": "sqlite", "path": "shop.db", "query": 'SELECT id, "" AS name FROM odd'}

    found = lake.add_all("shop.db#*")
    lake.add("", name="named", options=named)

    assert told(found) == {"odd": ("odd", "failed"), "orders": ("orders", "added")}
    assert (found[0].error.code, found[0].error.what) == ("LST-0302", "column 2 has no name")
    assert lake.dataset("named").ingest().counts.kept == 1


def test_a_column_without_a_name_in_a_result_of_mysql(lake, mysql):  # noqa: F811
    options = {"kind": "mysql", "url": f"${{{VARIABLE}}}", "query": "SELECT 1 AS id, 2 AS ``"}

    with pytest.raises(SourceBroken, match="column 2 has no name"):
        lake.add("", name="odd", options=options)


@pytest.mark.parametrize("kind", ["adbc", "sqlalchemy"])
def test_a_column_without_a_name_through_a_general_driver(lake, kind, monkeypatch):
    pytest.importorskip("adbc_driver_sqlite" if kind == "adbc" else "sqlalchemy")
    with closing(sqlite3.connect(lake.root / "shop.db")) as connection, connection:
        connection.execute('CREATE TABLE odd (id int, "" int)')
    monkeypatch.setenv("LASTRO_ANY_URI", f"file:{lake.root / 'shop.db'}")
    place = {"driver": "adbc_driver_sqlite", "uri": "${LASTRO_ANY_URI}"}
    place = place if kind == "adbc" else {"url": "sqlite:///shop.db"}

    with pytest.raises(SourceBroken, match="column 2 has no name"):
        lake.add("", name="odd", options={"kind": kind, **place, "table": "odd"})


def test_views_are_skipped_until_they_are_asked_for_and_told(lake):
    database(lake, "orders")
    with closing(sqlite3.connect(lake.root / "shop.db")) as connection, connection:
        connection.execute("CREATE VIEW recent AS SELECT * FROM orders")

    without, asked = lake.add_all("shop.db#*"), lake.add_all("shop.db#*", views=True)

    assert told(without) == {"orders": ("orders", "added"), "recent": (None, "skipped")}
    assert without[1].to_dict() == {
        "table": "recent",
        "name": None,
        "outcome": "skipped",
        "what": "it is a view",
        "do": "--views adds views, too",
    }
    assert told(asked) == {"orders": ("orders", "there"), "recent": ("recent", "added")}
    assert told(lake.add_all("shop.db#*")) == {"orders": ("orders", "there"), "recent": ("recent", "there")}


def test_a_table_of_a_file_is_known_however_it_is_written(lake):
    database(lake, "Orders", "None")
    lake.add("./shop.db#Orders", name="mine")
    lake.add("shop.db", name="asked", options={"kind": "sqlite", "query": "SELECT 1 AS id"})

    assert told(lake.add_all("shop.db#*")) == {"None": ("none", "added"), "Orders": ("mine", "there")}


def test_an_option_that_a_table_lacks_fails_that_table_only(lake):
    database(lake, "orders")
    with closing(sqlite3.connect(lake.root / "shop.db")) as connection, connection:
        connection.execute("CREATE TABLE codes (code TEXT)")

    found = lake.add_all("shop.db#*", options={"cursor": "id"})

    assert told(found) == {"codes": ("codes", "failed"), "orders": ("orders", "added")}
    assert (found[0].error.what, found[0].error.do) == ("there is no column id", "columns are: code")
    assert lake.datasets() == ("orders",)


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

    found = lake.add_all(f"postgresql://shop#{server.schema}.*", options={"url": "${SHOP_URL}"}, views=True)

    assert {each.name for each in found} == {"orders", "a_b", "seen"}
    assert [lake.dataset(name).ingest().counts.kept for name in ("orders", "a_b", "seen")] == [1, 1, 1]


@pytest.mark.xdist_group("postgres")
def test_a_table_of_postgresql_is_known_however_it_is_written(lake, server, monkeypatch):  # noqa: F811
    server.run(*(f"CREATE TABLE SCHEMA_.{name} AS SELECT 1 AS id" for name in ("orders", "goods", '"a.B"', "hidden")))
    server.run(f"CREATE TABLE IF NOT EXISTS public.{server.schema}_other AS SELECT 1 AS id")
    path = f"?options=-csearch_path%3D{server.schema}"
    monkeypatch.setenv("SHOP_URL", server.url + path)
    place = {"kind": "postgres", "url": "${SHOP_URL}"}
    try:
        lake.add("", name="short", options={**place, "table": "orders"})
        lake.add("", name="quoted", options={**place, "table": f'"{server.schema}"."goods"'})
        lake.add("", name="odd", options={**place, "table": '"a.B"'})
        lake.add("", name="elsewhere", options={**place, "table": f"public.{server.schema}_other"})

        found = lake.add_all(f"postgresql://shop#{server.schema}.*", options={"url": "${SHOP_URL}"})
    finally:
        server.run(f"DROP TABLE public.{server.schema}_other")

    assert dict(told(found).values()) == {
        "short": "there",
        "quoted": "there",
        "odd": "there",
        "hidden": "added",
    }


@pytest.mark.xdist_group("postgres")
def test_what_an_account_of_postgresql_may_not_read_is_told(lake, server, monkeypatch):  # noqa: F811
    account = f"{server.schema}_reader"
    server.run(
        "CREATE TABLE SCHEMA_.orders AS SELECT 1 AS id",
        "CREATE TABLE SCHEMA_.salaries AS SELECT 1 AS id",
        "CREATE MATERIALIZED VIEW SCHEMA_.daily AS SELECT 1 AS id WITH NO DATA",
        f"CREATE ROLE {account} LOGIN PASSWORD 'x'",
        f"GRANT USAGE ON SCHEMA SCHEMA_ TO {account}",
        f"GRANT SELECT ON SCHEMA_.orders, SCHEMA_.daily TO {account}",
    )
    monkeypatch.setenv("SHOP_URL", server.elsewhere(account=account, password="x"))
    ask = {"options": {"url": "${SHOP_URL}"}, "views": True}
    try:
        found = lake.add_all(f"postgresql://shop#{server.schema}.*", **ask)
        server.run(f"REVOKE SELECT ON ALL TABLES IN SCHEMA SCHEMA_ FROM {account}")
        with pytest.raises(SourceBroken, match="may read"):
            lake.add_all(f"postgresql://shop#{server.schema}.*", **ask)
    finally:
        server.run(f"DROP OWNED BY {account}", f"DROP ROLE {account}")

    assert [(each.name, each.outcome.value) for each in found] == [
        (None, "skipped"),
        ("orders", "added"),
        (None, "skipped"),
    ]
    assert [each.skipped[0] for each in found if each.skipped] == [
        "it was never filled",
        "this account may not read it",
    ]


def test_a_table_of_mysql_is_known_however_it_is_written(lake, mysql):  # noqa: F811
    mysql.run("CREATE TABLE orders AS SELECT 1 AS id", "CREATE TABLE goods AS SELECT 1 AS id")
    mysql.run("CREATE VIEW recent AS SELECT * FROM orders")
    place = {"url": f"${{{VARIABLE}}}"}
    lake.add("", name="short", options={"kind": "mysql", **place, "table": "orders"})
    lake.add("", name="long", options={"kind": "mysql", **place, "table": f"`{mysql.database}`.goods"})

    for asked in ("*", f"{mysql.database}.*"):
        found = lake.add_all(f"mysql://shop/db#{asked}", options=place)

        assert [(each.name, each.outcome.value) for each in found] == [
            ("long", "there"),
            ("short", "there"),
            (None, "skipped"),
        ]


def test_a_database_of_mysql(lake, mysql):  # noqa: F811
    mysql.run("CREATE TABLE orders AS SELECT 1 AS id", "CREATE TABLE `a.B``c` AS SELECT 2 AS id")
    place = {"url": f"${{{VARIABLE}}}"}

    here = lake.add_all("mysql://shop/db#*", options=place, prefix="here_")
    there = lake.add_all(f"mysql://shop/db#{mysql.database}.*", options=place, prefix="there_")

    assert {each.name for each in here} == {"here_orders", "here_a_b_c"}
    assert [(each.name, each.outcome.value) for each in there] == [("here_a_b_c", "there"), ("here_orders", "there")]
    assert [lake.dataset(each.name).ingest().counts.kept for each in here] == [1, 1]
