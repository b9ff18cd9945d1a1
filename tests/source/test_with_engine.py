"""Sources and the embedded engine together: what one hands over, the other reads; what breaks keeps its name."""

import json
import os
import sqlite3

import pytest
from tests.source.misbehaving import Misbehaving, Reply, page

from lastro.engine.registry import create as create_engine
from lastro.model.errors import SourceBroken, SourceUnreachable
from lastro.model.schema import Decimal, Primitive
from lastro.model.version import Mode
from lastro.source import create
from lastro.source.logs.access import CLF_TIME


@pytest.fixture(scope="module")
def engine():
    return create_engine("duckdb", memory_mb=256, threads=1, temp=None)


def sampled(engine, source):
    with source.open(None, Mode.OVERWRITE) as opened:
        samples = {sample.column.name: sample for sample in engine.sample(opened.scan)}
        opened.watermark()
    return samples


def test_a_dash_in_a_log_is_missing(engine, tmp_path):
    (tmp_path / "access.log").write_text(
        '203.0.113.7 - ana [10/Oct/2026:13:55:36 -0300] "GET /x HTTP/1.1" 200 - "-" "curl"\n'
        '::1 - - [10/Oct/2026:13:55:37 -0300] "\\x16\\x03" 400 226 "" "-"\n'
    )
    source = create({"kind": "logs", "path": "access.log"}, base=tmp_path)

    samples = sampled(engine, source)

    nulls = {name: sample.nulls for name, sample in samples.items()}
    assert nulls["ident"] == nulls["referer"] == 2
    assert nulls["user"] == nulls["method"] == nulls["size"] == nulls["agent"] == 1
    assert nulls["host"] == nulls["target"] == nulls["status"] == 0
    assert samples["time"].format == CLF_TIME


def test_sqlite_texts_are_read_back_as_their_types(engine, tmp_path):
    connection = sqlite3.connect(tmp_path / "core.db")
    connection.execute("CREATE TABLE t (a INTEGER, b REAL, c DATE)")
    connection.execute("INSERT INTO t VALUES (1, 0.5, '2026-01-31'), (NULL, 1e-7, NULL)")
    connection.commit()
    connection.close()

    samples = sampled(engine, create({"kind": "sqlite", "path": "core.db", "table": "t"}, base=tmp_path))

    assert [samples[name].column.type for name in "abc"] == [Primitive.LONG, Primitive.DOUBLE, Primitive.DATE]


def test_postgres_types_are_read_back(engine, server):
    source = create(
        {
            "kind": "postgres",
            "url": server.reference,
            "query": "SELECT 7::bigint AS a, now() AS b, 1.5::numeric(9,2) AS c, DATE '2026-01-31' AS d",
        },
        base=None,
    )

    samples = sampled(engine, source)

    assert [samples[name].column.type for name in "abcd"] == [
        Primitive.LONG,
        Primitive.TIMESTAMP,
        Decimal(9, 2),
        Primitive.DATE,
    ]


def test_a_database_cut_off_while_the_engine_reads_is_broken(engine, tmp_path):
    connection = sqlite3.connect(tmp_path / "core.db")
    connection.execute("CREATE TABLE t (a)")
    connection.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 20_000)
    connection.commit()
    connection.close()

    with pytest.raises(SourceBroken, match="damaged"):  # noqa: SIM117 - the context itself raises
        with create({"kind": "sqlite", "path": "core.db", "table": "t"}, base=tmp_path).open(
            None, Mode.OVERWRITE
        ) as opened:
            os.truncate(tmp_path / "core.db", 1 << 20)
            engine.sample(opened.scan)


def test_an_api_is_read_and_one_that_dies_is_unreachable(engine):
    server = Misbehaving(
        lambda asked: page([{"id": asked.number, "tags": ["a"]}]) if asked.number != 2 else Reply(b"", 500, {})
    )
    options = {"url": server.url(), "allow_hosts": ["127.0.0.1"], "retries": 0}
    try:
        samples = sampled(engine, create({"kind": "http", **options}, base=None))
        paged = create({"kind": "http", **options, "pagination": {"type": "page"}}, base=None)

        with pytest.raises(SourceUnreachable, match="it answered 500"):
            sampled(engine, paged)
    finally:
        server.close()
    assert samples["id"].column.type == Primitive.LONG
    assert json.loads(samples["tags"].values[0]) == ["a"]
