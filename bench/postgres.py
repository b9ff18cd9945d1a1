"""Ingestion from PostgreSQL: against `COPY … (FORMAT binary)` to nowhere, and against dlt.

Rules:

1. CPU is the client's and the server's. What the server used is read from the postmaster's times of children that
   ended (`/proc`): every backend of a round ends with it. Nothing else may use the server meanwhile.
2. The table has 12 columns, is vacuumed, and fits the machine's memory; no cursor, so that every row is read.
3. dlt reads with ConnectorX where that is installed, else record batches from the driver that we use; it writes Delta.
4. Where there is no server on this machine, or no `psql`, there are no figures.
"""

from __future__ import annotations

import compileall
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.data import FOLDER
from bench.figure import MIB, Figure, Size
from bench.process import ROOT, Cost, Side, cost, ingested

URL = os.environ.get("LASTRO_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
SCHEMA = "lastro_bench"
SETTLE_S = 0.5
MAKE = """
CREATE TABLE {table} AS SELECT
  i AS id, i * 7919 % 2000000 AS customer, lpad((i * 104729 % 100000000000)::text, 11, '0') AS document,
  (ARRAY['SP','MG','RJ','BA','PR','RS','PE','CE'])[1 + i % 8] AS state,
  (ARRAY['personal','payroll','vehicle','card'])[1 + i / 3 % 4] AS product,
  (i * 7907 % 10000000 / 100.0)::numeric(12,2) AS amount, (i * 31 % 60000 / 10000.0)::float8 AS rate,
  (6 * (1 + i % 12))::int AS term_months, date '2020-01-01' + (i * 17 % 2190)::int AS opened,
  timestamptz '2026-01-01' + i * 13 % 28000000 * interval '1 second' AS updated,
  CASE WHEN i % 50 > 0 THEN (ARRAY['App','BRANCH','phone','partner'])[1 + i % 4] END AS channel, i % 10 < 8 AS active
FROM generate_series(1::bigint, {rows}) AS i
"""
CONTRACT = """\
version: 0.1.0
apiVersion: v3.2.0
kind: DataContract
id: accounts
status: draft
schema:
  - name: accounts
    logicalType: object
    properties:
{columns}"""
TYPES = {
    "id": "integer",
    "customer": "integer",
    "document": "string",
    "state": "string",
    "product": "string",
    "amount": "number\n        physicalType: decimal(12,2)",
    "rate": "number",
    "term_months": "integer",
    "opened": "date",
    "updated": "timestamp\n        logicalTypeOptions:\n          timezone: true",
    "channel": "string",
    "active": "boolean",
}
SETTINGS = """\
lastro: 1
engine: duckdb
datasets:
  accounts:
    contract: contracts/accounts.odcs.yaml
    mode: overwrite
    source: {source}
"""


def figures(size: Size) -> Iterator[Figure]:
    """The figures for tables of so many rows each; none where they cannot be measured."""
    compileall.compile_dir(ROOT / "src", quiet=1)  # as an installed package is
    parent = postmaster()
    if parent is None or shutil.which("psql") is None:
        return
    for count in size.tables:
        table = made(count)
        try:
            yield from measured(table, count, size.rounds, parent)
        finally:
            run(f"DROP TABLE {table}")


def measured(table: str, rows: int, rounds: int, parent: int) -> Iterator[Figure]:
    """Takes turns; the median of each side counts, server included."""
    sides = {
        "ingest": Side("ingest", program("ingest", folder()), lambda: workspace(table, reconcile=True)),
        "unreconciled": Side("unreconciled", program("ingest", folder()), lambda: workspace(table, reconcile=False)),
        "copy": Side("copy", program("copy", table)),
        "dlt": Side("dlt", program("with_dlt", table), lambda: shutil.rmtree(FOLDER / "dlt", ignore_errors=True)),
    }
    costs: dict[str, list[Cost]] = {name: [] for name in sides}
    for number in range(rounds):
        for name in sides if number % 2 == 0 else reversed(sides):
            costs[name].append(with_server(sides[name], parent))
    assert all(json.loads(each.output.splitlines()[-1]) == rows for each in costs["ingest"])
    spent = {name: median(each.cpu_s for each in all_) for name, all_ in costs.items()}
    details = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in spent.items())
    ratio, against = spent["ingest"] / spent["copy"], spent["dlt"] / spent["ingest"]
    work = f"PostgreSQL {rows:,} x 12 -> committed version"
    yield Figure(f"{work}, CPU against `COPY` to nowhere", "<= 3.5x", f"{ratio:.2f}x", ratio <= 3.5, details)
    peak = max(each.peak_bytes for each in costs["ingest"])
    yield Figure(f"{work}, peak of memory", "<= 350 MiB", f"{peak / MIB:.0f} MiB", peak <= 350 * MIB, "the client's")
    yield Figure(f"{work}, CPU against dlt", ">= 1.8x less", f"{against:.2f}x", against >= 1.8, details)
    share = (spent["ingest"] - spent["unreconciled"]) / spent["unreconciled"]
    yield Figure(f"{work}, reconciliation", "<= 30 %", f"{share:.0%}", share <= 0.3, "of the same without it")


def with_server(side: Side, parent: int) -> Cost:
    """What a side cost, and what the server's processes that ended with it used."""
    before = ended_children_s(parent)
    spent = cost(side)
    time.sleep(SETTLE_S)
    return replace(spent, cpu_s=spent.cpu_s + ended_children_s(parent) - before)


def ended_children_s(pid: int) -> float:
    """CPU seconds of a process's children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def postmaster() -> int | None:
    """The process that started this machine's server; None if there is no server, or it runs elsewhere."""
    try:
        import adbc_driver_postgresql.dbapi as driver

        with driver.connect(URL, autocommit=True) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backend = cursor.fetchone()[0]
            fields = Path(f"/proc/{backend}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except Exception:  # noqa: BLE001 – whatever stands in the way, there is nothing to measure
        return None
    return int(fields[1])


def made(rows: int) -> str:
    """A new table of so many rows."""
    table = f"{SCHEMA}.accounts_{rows}"
    run(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    run(f"DROP TABLE IF EXISTS {table}")
    run(MAKE.format(table=table, rows=rows))
    run(f"VACUUM ANALYZE {table}")
    return table


def run(statement: str) -> None:
    """One statement, committed."""
    import adbc_driver_postgresql.dbapi as driver

    with driver.connect(URL, autocommit=True) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(statement)


def program(name: str, *arguments: object) -> tuple[str, ...]:
    return ("-m", "bench.postgres", name, *map(str, arguments))


def folder() -> Path:
    return FOLDER / "from_postgres"


def workspace(table: str, *, reconcile: bool) -> None:
    """A new workspace with one dataset and no version."""
    shutil.rmtree(folder(), ignore_errors=True)
    (folder() / "contracts").mkdir(parents=True)
    columns = "".join(f"      - name: {name}\n        logicalType: {kind}\n" for name, kind in TYPES.items())
    (folder() / "contracts" / "accounts.odcs.yaml").write_text(CONTRACT.format(columns=columns), encoding="utf-8")
    source = json.dumps({"kind": "postgres", "url": "${LASTRO_BENCH_URL}", "table": table, "reconcile": reconcile})
    (folder() / "lastro.yaml").write_text(SETTINGS.format(source=source), encoding="utf-8")


def ingest(place: str) -> None:
    """The whole path: read, count, cast, check, write, hash, commit."""
    os.environ["LASTRO_BENCH_URL"] = URL
    print(ingested(place, "accounts"))


def copy(table: str) -> None:
    """What the server and a plain client need to hand the rows over."""
    import subprocess

    statement = f"COPY {table} TO STDOUT (FORMAT binary)"
    subprocess.run(["psql", "-X", "-q", URL, "-c", statement], stdout=subprocess.DEVNULL, check=True)


def with_dlt(table: str) -> None:
    """The fastest way of dlt from the table to a Delta table."""
    import dlt

    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["DLT_DATA_DIR"] = str(FOLDER / "dlt" / "data")
    schema, _dot, name = table.partition(".")
    try:
        import connectorx  # noqa: F401
        from dlt.sources.sql_database import sql_table

        resource = sql_table(URL, table=name, schema=schema, backend="connectorx")
    except ImportError:
        resource = dlt.resource(_by_adbc(table), name=name)
    resource.apply_hints(table_format="delta")
    target = dlt.destinations.filesystem((FOLDER / "dlt" / "out").as_uri())
    pipeline = dlt.pipeline("bench", destination=target, dataset_name="bench", pipelines_dir=str(FOLDER / "dlt" / "p"))
    pipeline.run(resource, write_disposition="replace", loader_file_format="parquet")


def _by_adbc(table: str) -> Iterator[object]:
    import adbc_driver_postgresql.dbapi as driver
    import pyarrow as pa

    columns = ", ".join("amount::text AS amount" if name == "amount" else name for name in TYPES)
    with driver.connect(URL) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(f"SELECT {columns} FROM {table}")
        for batch in cursor.fetch_record_batch():
            read = pa.Table.from_batches([batch])
            yield read.set_column(5, "amount", read.column("amount").cast(pa.decimal128(12, 2)))


if __name__ == "__main__":
    {"ingest": ingest, "copy": copy, "with_dlt": with_dlt}[sys.argv[1]](*sys.argv[2:])
