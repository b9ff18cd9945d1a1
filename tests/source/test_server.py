"""From a contract's server to a source's options: the standard's types, accounts, hostile entries."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.contract.servers import Server
from lastro.model.errors import ConfigurationError
from lastro.source.postgres.tables import table_name
from lastro.source.secret import Secret
from lastro.source.server import options_of

PLACE = {"host": "db.example.org", "port": 5432, "database": "shop", "schema": "core"}


def options(kind, *, source=None, name="production", physical="loans", **values):
    return options_of(Server(name, kind, values, source or {}), name="loans", physical=physical)


@pytest.fixture(autouse=True)
def without_accounts(monkeypatch):
    for prefix in ("LASTRO_PRODUCTION", "DATACONTRACT_POSTGRES", "DATACONTRACT_MYSQL"):
        for suffix in ("USERNAME", "PASSWORD"):
            monkeypatch.delenv(f"{prefix}_{suffix}", raising=False)


@pytest.mark.parametrize(
    ("kind", "values", "found"),
    [
        (
            "local",
            {"path": "{model}/*.csv", "format": "csv"},
            {"kind": "files", "path": "loans/*.csv", "format": "csv"},
        ),
        ("local", {"path": "a.json", "format": "json"}, {"kind": "files", "path": "a.json", "format": "jsonl"}),
        (
            "local",
            {"path": "a.csv", "format": "csv", "encoding": "ISO-8859-1"},
            {"kind": "files", "path": "a.csv", "format": "csv", "encoding": "iso-8859-1"},
        ),
        ("local", {"path": "d", "format": "delta"}, {"kind": "delta", "path": "d"}),
        (
            "s3",
            {"location": "s3://lake/{model}/*.parquet", "endpointUrl": "https://minio.example.com"},
            {"kind": "files", "path": "s3://lake/loans/*.parquet", "endpoint": "https://minio.example.com"},
        ),
        (
            "azure",
            {"location": "az://account1.blob.core.windows.net/box/a/*.csv", "format": "csv"},
            {"kind": "files", "path": "az://box/a/*.csv", "format": "csv", "account": "account1"},
        ),
        ("duckdb", {"database": "a.db"}, {"kind": "duckdb", "path": "a.db", "schema": "", "table": "loans"}),
        (
            "postgres",
            PLACE,
            {"kind": "postgres", "url": "postgresql://db.example.org:5432/shop", "table": '"core"."loans"'},
        ),
        ("mysql", PLACE, {"kind": "mysql", "url": "mysql://db.example.org:5432/shop", "table": "`loans`"}),
    ],
)
def test_the_standards_types_become_options(kind, values, found):
    assert options(kind, **values) == found


def test_an_account_comes_from_the_environment_the_servers_own_first(monkeypatch):
    monkeypatch.setenv("DATACONTRACT_POSTGRES_USERNAME", "reader")
    general = options("postgres", **PLACE)["url"]
    monkeypatch.setenv("LASTRO_PRODUCTION_USERNAME", "me@here")
    monkeypatch.setenv("LASTRO_PRODUCTION_PASSWORD", "p/ss:w@rd")

    url = options("postgres", **PLACE)["url"]

    assert general == "postgresql://${DATACONTRACT_POSTGRES_USERNAME}@db.example.org:5432/shop"
    assert url == "postgresql://${LASTRO_PRODUCTION_USERNAME}:${LASTRO_PRODUCTION_PASSWORD}@db.example.org:5432/shop"
    assert urlsplit(Secret(url).reveal_url()).hostname == "db.example.org"


@pytest.mark.parametrize("host", ["a/b", "a@b", "a?sslmode=disable", "", "a b", "a#b", "[::1", "a:1"])
def test_a_host_that_is_none_is_refused(host):
    with pytest.raises(ConfigurationError, match="host or port"):
        options("postgres", **{**PLACE, "host": host})


@given(st.text(min_size=1, max_size=20).filter(lambda text: "\0" not in text))
def test_no_database_or_table_leads_out_of_its_place(text):
    made = options("postgres", physical=text, **{**PLACE, "database": text, "schema": text})

    parts = urlsplit(made["url"])
    assert (parts.hostname, parts.port, parts.query, parts.fragment) == ("db.example.org", 5432, "", "")
    assert parts.path.count("/") == 1
    quoted = '"' + text.replace('"', '""') + '"'
    assert table_name(made["table"]) == f"{quoted}.{quoted}"


def test_a_kind_that_is_no_text_is_left_to_the_sources_to_refuse():
    assert options("custom", source={"kind": ["sqlite"]}) == {"kind": ["sqlite"]}


def test_what_the_type_does_not_say_lastros_own_property_does():
    other = options("oracle", host="h", source={"kind": "sqlalchemy", "url": "oracle://${USER}@h", "cursor": "id"})
    more = options("postgres", **PLACE, source={"reconcile": False})
    file = options("custom", source={"kind": "sqlite", "path": "{model}.db"})
    query = options("custom", source={"kind": "sqlite", "path": "a.db", "query": "SELECT 1 AS id"})

    assert other == {"kind": "sqlalchemy", "url": "oracle://${USER}@h", "cursor": "id", "table": '"loans"'}
    assert more["reconcile"] is False
    assert file == {"kind": "sqlite", "path": "loans.db", "table": "loans"}
    assert "table" not in query


@pytest.mark.parametrize(
    ("kind", "values", "source", "what"),
    [
        ("kafka", {"host": "h"}, {}, "kafka"),
        ("local", {"path": "a", "format": "avro"}, {}, "avro"),
        ("s3", {"location": "s3://a/b", "format": "delta"}, {}, "Delta"),
        ("custom", {}, {"kind": "python", "function": "a.py:b"}, "code"),
        ("custom", {}, {"kind": "dlt", "resource": "a.py:b"}, "code"),
        ("custom", {}, {"kind": "delta", "path": "a"}, "option"),
        ("duckdb", {"database": "a.db"}, {"path": ["a.db"]}, "option"),
        ("duckdb", {"database": "a.db"}, {"read_only": False}, "option"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(kind, values, source, what):
    with pytest.raises(ConfigurationError, match=what) as caught:
        options(kind, source=source, **values)

    assert caught.value.do
