"""A real MariaDB or MySQL server, where there is one: `LASTRO_TEST_MYSQL`, else the one on this machine."""

import os
import secrets
import socket
from contextlib import closing
from urllib.parse import unquote, urlsplit, urlunsplit

import pytest

LOCAL = "mysql://root@127.0.0.1:3306/test"
START = "docker run --rm -p 3306:3306 -e MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1 -e MARIADB_DATABASE=test mariadb"
VARIABLE = "LASTRO_MYSQL_FOR_TEST"


class MysqlServer:
    """A database of our own on a server, and statements for it. `session()` is a connection of its own."""

    reference = f"${{{VARIABLE}}}"

    def __init__(self, url):
        self.server = url
        self.database = f"lastro_test_{secrets.token_hex(6)}"
        self._connections = []
        self._at(url, f"CREATE DATABASE {self.database} CHARACTER SET utf8mb4")
        self.url = self.elsewhere()

    def elsewhere(self, *, account=None, password=None, database=None):
        """The server's URL with this database, or another account or database."""
        parts = urlsplit(self.server)
        user, _at, host = parts.netloc.rpartition("@")
        if account is not None:
            user = account if password is None else f"{account}:{password}"
        return urlunsplit(parts._replace(netloc=f"{user}@{host}", path=f"/{database or self.database}"))

    def session(self, *, autocommit=True):
        connection = connect(self.url, autocommit=autocommit)
        self._connections.append(connection)
        return connection

    def run(self, *statements, on=None, many=()):
        connection = on or connect(self.url)
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            for statement, rows in many:
                cursor.executemany(statement, rows)
        if on is None:
            connection.close()

    def close(self):
        for connection in self._connections:
            if connection.open:
                connection.close()
        self._at(self.server, f"DROP DATABASE {self.database}")

    def _at(self, url, statement):
        with closing(connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)


def connect(url, *, autocommit=True):
    """PyMySQL's own connection to a URL."""
    import pymysql

    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=parts.path[1:],
        charset="utf8mb4",
        autocommit=autocommit,
        client_flag=0,
    )


@pytest.fixture(scope="session")
def mysql_url():
    asked = os.environ.get("LASTRO_TEST_MYSQL")
    if asked:
        return asked
    try:
        socket.create_connection(("127.0.0.1", 3306), timeout=2).close()
    except OSError:
        pytest.skip(f"no MySQL on 127.0.0.1:3306 and LASTRO_TEST_MYSQL is not set; start one: {START}")
    if os.environ.get("CI") != "true":
        pytest.importorskip("pymysql", reason="needs pip install 'lastro[mysql]'")
    return LOCAL


@pytest.fixture
def mysql(mysql_url, monkeypatch):
    place = MysqlServer(mysql_url)
    monkeypatch.setenv(VARIABLE, place.url)
    yield place
    place.close()
