"""A contract held to tables of real servers: accounts of the environment, one snapshot, names nobody would choose."""

from __future__ import annotations

import json
import sqlite3
from urllib.parse import urlsplit

import pytest
from tests.source.conftest import postgres_url, server  # noqa: F401 – fixtures
from tests.source.mysql_server import mysql, mysql_url  # noqa: F401 – fixtures
from tests.workspace.serving import LOANS, Served, broken, reason, verdicts

from lastro.model.errors import SourceBroken, SourceUnreachable
from lastro.pipeline import served as pipeline

PASSWORD = "s3cr3t p@ss/é"
ROWS = "(1, 'SP', 10.5, '2026-01-01'), (2, 'XX', -1, NULL), (2, NULL, NULL, NULL)"
COLUMNS = "(id bigint, uf varchar(9), income numeric(12, 2), applied_at date)"
BROKEN = {"uf.enum": 1.0, "income.range": 1.0, "primary_key": 1.0}
RELATED = """\
  - name: customers
    properties:
      - {name: cpf, logicalType: string, primaryKey: true}
  - name: loans
    relationships:
      - type: foreignKey
        from: loans.customer
        to: customers.cpf
        customProperties: [{property: policy, vendor: lastro, value: fail}]
    properties:
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: customer, logicalType: string}
"""


@pytest.fixture
def served(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Served(tmp_path)


def postgres(server, *, name="production", **values):  # noqa: F811
    """An entry for a schema of a PostgreSQL server."""
    parts = urlsplit(server.url)
    place = {
        "host": parts.hostname,
        "port": parts.port or 5432,
        "database": parts.path[1:],
        "schema": server.schema,
    }
    return json.dumps({"server": name, "type": "postgres", **place, **values})


def mariadb(mysql, **values):  # noqa: F811
    """An entry for a database of a MariaDB server."""
    parts = urlsplit(mysql.url)
    place = {"host": parts.hostname, "port": parts.port or 3306, "database": mysql.database}
    return json.dumps({"server": "production", "type": "mysql", **place, **values})


def account(monkeypatch, url, *, user=None, password=None):
    """The account of `production`, in the environment."""
    parts = urlsplit(url)
    monkeypatch.setenv("LASTRO_PRODUCTION_USERNAME", user or parts.username or "postgres")
    if password or parts.password:
        monkeypatch.setenv("LASTRO_PRODUCTION_PASSWORD", password or parts.password)


@pytest.fixture
def shop(server, served, monkeypatch):  # noqa: F811
    account(monkeypatch, server.url)
    server.run(f"CREATE TABLE SCHEMA_.loans {COLUMNS}", f"INSERT INTO SCHEMA_.loans VALUES {ROWS}")
    served.write(postgres(server))
    return served


@pytest.mark.xdist_group("postgres")
def test_a_table_of_postgresql_is_checked_and_left_as_it_is(shop, server):  # noqa: F811
    report = shop.check("production", failures=5)

    assert broken(report) == BROKEN
    assert [row.key for row in report.failures.rows] == [{"id": 2}, {"id": 2}]
    assert report.reference == "production/loans"
    assert server.value("SELECT count(*) FROM SCHEMA_.loans") == 3


@pytest.mark.xdist_group("postgres")
def test_names_nobody_would_choose_are_only_names(shop, server):  # noqa: F811
    name = "lo\"ans'; DROP TABLE loans; --"
    quoted = '"' + name.replace('"', '""') + '"'
    server.run(f"CREATE TABLE SCHEMA_.{quoted} {COLUMNS}", f"INSERT INTO SCHEMA_.{quoted} VALUES {ROWS}")
    shop.write(
        postgres(server), schema=LOANS.replace("name: loans", f"name: loans\n    physicalName: {json.dumps(name)}")
    )

    assert broken(shop.check("production")) == BROKEN
    assert server.value("SELECT count(*) FROM SCHEMA_.loans") == 3


@pytest.mark.xdist_group("postgres")
def test_what_is_missing_or_of_another_type_is_a_finding(shop, server):  # noqa: F811
    server.run(
        "ALTER TABLE SCHEMA_.loans DROP COLUMN uf",
        "ALTER TABLE SCHEMA_.loans ALTER COLUMN income TYPE boolean USING true",
        "ALTER TABLE SCHEMA_.loans ADD COLUMN more text",
    )

    report = shop.check("production")

    assert {"uf.present", "uf.enum", "income.present", "income.range", "income.type"} <= set(broken(report))
    assert "type" in reason(report, "income.range")
    assert any("more" in note for note in report.notes)


@pytest.mark.xdist_group("postgres")
def test_an_empty_table_warns(shop, server):  # noqa: F811
    server.run("TRUNCATE SCHEMA_.loans")

    assert verdicts(shop.check("production"))["empty"] == "warning"


@pytest.mark.xdist_group("postgres")
def test_a_table_that_is_not_there_and_a_server_that_does_not_answer_are_clear_errors(shop, server, monkeypatch):  # noqa: F811
    shop.write(postgres(server), postgres(server, name="gone", port=1), schema=LOANS.replace("name: loans", "name: lo"))
    with pytest.raises(SourceBroken, match="no table"):
        shop.check("production")

    with pytest.raises(SourceUnreachable, match="no connection"):
        shop.check("gone")


@pytest.mark.xdist_group("postgres")
def test_an_account_that_is_refused_is_told_without_its_secret(shop, server, monkeypatch):  # noqa: F811
    account(monkeypatch, server.url, user="nobody_of_this_name", password=PASSWORD)

    with pytest.raises(SourceUnreachable) as caught:
        shop.check("production")

    assert PASSWORD not in str(caught.value)
    assert "nobody_of_this_name" not in str(caught.value)


@pytest.mark.xdist_group("postgres")
def test_tables_that_look_into_each_other_are_read_in_one_snapshot(served, server, monkeypatch):  # noqa: F811
    account(monkeypatch, server.url)
    server.run(
        "CREATE TABLE SCHEMA_.customers (cpf text)",
        "CREATE TABLE SCHEMA_.loans (id bigint, customer text)",
        "INSERT INTO SCHEMA_.customers VALUES ('A')",
        "INSERT INTO SCHEMA_.loans VALUES (1, 'A'), (2, 'B')",
    )
    served.write(postgres(server), schema=RELATED)
    fetch = pipeline.fetch

    def busy(*arguments):
        found = fetch(*arguments)
        server.run("DELETE FROM SCHEMA_.customers")
        return found

    monkeypatch.setattr(pipeline, "fetch", busy)

    customers, loans = served.every("production")

    assert customers.passed
    assert broken(loans) == {"relationship": 1.0}


@pytest.mark.xdist_group("mysql")
def test_a_table_of_mariadb_says_the_same(mysql, served, monkeypatch):  # noqa: F811
    account(monkeypatch, mysql.url)
    mysql.run(f"CREATE TABLE `lo``ans` {COLUMNS}", f"INSERT INTO `lo``ans` VALUES {ROWS}")
    served.write(mariadb(mysql), schema=LOANS.replace("name: loans", "name: loans\n    physicalName: 'lo`ans'"))

    report = served.check("production", failures=5)

    assert broken(report) == BROKEN
    assert len(report.failures.rows) == 2


@pytest.mark.xdist_group("mysql")
def test_mariadb_refuses_an_account_without_telling_its_secret(mysql, served, monkeypatch):  # noqa: F811
    account(monkeypatch, mysql.url, user="nobody_of_this_name", password=PASSWORD)
    served.write(mariadb(mysql))

    with pytest.raises(SourceUnreachable) as caught:
        served.check("production")

    assert PASSWORD not in str(caught.value)


@pytest.mark.xdist_group("mysql")
def test_any_other_database_is_read_by_a_source_of_ones_own(mysql, served, monkeypatch):  # noqa: F811
    mysql.run(f"CREATE TABLE loans {COLUMNS}", f"INSERT INTO loans VALUES {ROWS}")
    monkeypatch.setenv("SHOP_URL", mysql.url.replace("mysql://", "mysql+pymysql://"))
    with sqlite3.connect(served.folder / "core.db") as base:
        base.execute(f"CREATE TABLE loans {COLUMNS}")
        base.execute(f"INSERT INTO loans VALUES {ROWS}")
    base.close()
    source = "customProperties: [{{property: source, vendor: lastro, value: {}}}]"
    served.write(
        "{server: any, type: custom, " + source.format("{kind: sqlalchemy, url: '${SHOP_URL}'}") + "}",
        "{server: file, type: custom, " + source.format("{kind: sqlite, path: core.db}") + "}",
    )

    assert broken(served.check("any")) == BROKEN
    assert broken(served.check("file")) == BROKEN
