"""A real PostgreSQL server, where there is one: `LASTRO_TEST_POSTGRES`, else the one on this machine."""

import os
import secrets
import socket
from contextlib import closing
from urllib.parse import urlsplit, urlunsplit

import pytest
from tests.source.mysql_server import mysql, mysql_url  # noqa: F401 - fixtures

LOCAL = "postgresql://postgres@127.0.0.1:5432/test"
START = "docker run --rm -p 5432:5432 -e POSTGRES_HOST_AUTH_METHOD=trust -e POSTGRES_DB=test postgres"


class Server:
    """A schema of our own on a server, and statements for it. `session()` is a connection of its own."""

    reference = "${LASTRO_SERVER_FOR_TEST}"

    def __init__(self, url):
        self.url = url
        self.schema = f"lastro_test_{secrets.token_hex(6)}"
        self._connections = []
        self.run(f"CREATE SCHEMA {self.schema}")

    def elsewhere(self, *, account=None, password=None, database=None):
        """The server's URL with another account or database."""
        parts = urlsplit(self.url)
        user, _at, host = parts.netloc.rpartition("@")
        if account is not None:
            user = account if password is None else f"{account}:{password}"
        path = parts.path if database is None else f"/{database}"
        return urlunsplit(parts._replace(netloc=f"{user}@{host}" if user else host, path=path))

    def session(self, *, autocommit=False):
        import adbc_driver_postgresql.dbapi as driver

        connection = driver.connect(self.url, autocommit=autocommit)
        self._connections.append(connection)
        return connection

    def run(self, *statements, on=None):
        connection = on or self.session(autocommit=True)
        for statement in statements:
            with closing(connection.cursor()) as cursor:
                cursor.execute(statement.replace("SCHEMA_", self.schema if hasattr(self, "schema") else ""))
        if on is None:
            self._connections.remove(connection)
            connection.close()

    def value(self, statement, on=None):
        connection = on or self.session(autocommit=True)
        with closing(connection.cursor()) as cursor:
            cursor.execute(statement.replace("SCHEMA_", self.schema))
            found = cursor.fetchone()[0]
        if on is None:
            self._connections.remove(connection)
            connection.close()
        return found

    def close(self):
        for connection in self._connections:
            connection.close()
        self._connections = []
        self.run(f"DROP SCHEMA {self.schema} CASCADE")


def pytest_itemcollected(item):
    """Tests that hold transactions open share a server with those that wait for them: they run one after another."""
    if "server" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.xdist_group("postgres"))
    if "mysql" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.xdist_group("mysql"))


@pytest.fixture(scope="session")
def postgres_url():
    asked = os.environ.get("LASTRO_TEST_POSTGRES")
    if asked:
        return asked
    try:
        socket.create_connection(("127.0.0.1", 5432), timeout=2).close()
    except OSError:
        pytest.skip(f"no PostgreSQL on 127.0.0.1:5432 and LASTRO_TEST_POSTGRES is not set; start one: {START}")
    if os.environ.get("CI") != "true":
        pytest.importorskip("adbc_driver_postgresql", reason="needs pip install 'lastro[postgres]'")
    return LOCAL


@pytest.fixture
def server(postgres_url, monkeypatch):
    monkeypatch.setenv("LASTRO_SERVER_FOR_TEST", postgres_url)
    place = Server(postgres_url)
    yield place
    place.close()
