"""Database streams, records of an API, log lines and Spark follow a source by the same rules."""

from __future__ import annotations

import shutil
import sqlite3

import pyarrow as pa
import pytest
from tests.pipeline.changing import Changing

import lastro
from lastro.contract import load
from lastro.engine.scan import StreamScan
from lastro.model.errors import SchemaChanged
from lastro.pipeline import schema_change

spark = pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs a Java runtime")
CONTRACT = """\
version: 1.0.0
apiVersion: v3.2.0
kind: DataContract
id: orders
status: active
schema:
  - name: orders
    properties:
      - name: id
        logicalType: integer
        physicalType: int
        primaryKey: true
"""


def database(root, *, mode="upsert", policy="evolve"):
    lastro.init(root)
    (root / "contracts" / "orders.odcs.yaml").write_text(CONTRACT)
    (root / "lastro.yaml").write_text(
        f"lastro: 1\nschema_change: {policy}\ndatasets:\n  orders:\n    mode: {mode}\n"
        "    source: {kind: sqlite, path: core.db, table: orders}\n"
    )
    with sqlite3.connect(root / "core.db") as core:
        core.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
        core.execute("INSERT INTO orders VALUES (1), (2)")
    return lastro.open(root).dataset("orders")


def change(root, *statements):
    core = sqlite3.connect(root / "core.db")
    with core:
        for statement in statements:
            core.execute(statement)
    core.close()


def test_a_table_that_gets_columns_and_larger_keys_is_followed(tmp_path):
    orders = database(tmp_path / "lake")
    orders.ingest()
    change(
        tmp_path / "lake",
        "ALTER TABLE orders ADD COLUMN total REAL",
        "INSERT INTO orders VALUES (5000000000, 2.5)",
    )

    result = orders.ingest()

    rows = sorted(orders.version().to_arrow().to_pylist(), key=lambda row: row["id"])
    assert [(row["id"], row["total"]) for row in rows] == [(1, None), (2, None), (5_000_000_000, 2.5)]
    assert [each.column for each in result.arrived.added] == ["total"]
    assert [each.after for each in result.arrived.widened] == ["long"]
    assert orders.version("0").to_arrow().schema.field("id").type == pa.int32()


def test_a_general_policy_holds_for_datasets_that_say_nothing(tmp_path):
    orders = database(tmp_path / "lake", policy="freeze")
    change(tmp_path / "lake", "ALTER TABLE orders ADD COLUMN total REAL")

    with pytest.raises(SchemaChanged, match="'total'"):
        orders.ingest()


@pytest.mark.parametrize("policy", ["evolve", "quarantine", "discard_value"])
def test_records_of_an_api_are_followed_in_the_middle_of_a_stream(tmp_path, policy):
    made = Changing(tmp_path / "lake", "data", policy=policy)
    records = [f'{{"id": {number}, "uf": "sp", "amount": null, "day": null}}' for number in range(1_000)]
    records[500] = '{"id": 500, "uf": "sp", "tags": ["a", {"b": 1.50}], "big": 123456789012345678901234567890}'
    folder = tmp_path / "stage"
    folder.mkdir()
    scan = StreamScan(pa.table({"record": records}), "api", records=True)

    intake = schema_change.stage(made.loans.target(), scan, folder, label="api", batch="b")

    names = intake.target.plan.schema.names
    assert intake.staged.counts.read == 1_000
    assert intake.staged.counts.kept == (999 if policy == "quarantine" else 1_000)
    assert ("tags" in names and "big" in names) == (policy == "evolve")
    assert set(intake.arrived.left_out) == (set() if policy == "evolve" else {"tags", "big"})


@spark
@pytest.mark.xdist_group("spark")
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_spark_follows_by_the_same_rules(tmp_path, form):
    made = Changing(tmp_path / "lake", form, policy="evolve", mode="upsert", engine="spark")
    made.ingest({"id": 1, "uf": "sp", "amount": "1.00", "day": "2026-01-01"}, types={"amount": None, "day": None})

    result = made.ingest(
        {"id": 3_000_000_000, "uf": "sp", "amount": "123456.50", "day": "2026-01-01", "code": "x"},
        {"id": 1, "uf": "mg", "amount": "2.00", "day": "2026-01-01", "code": None},
        types={"amount": None, "day": None},
    )

    assert made.types() == {
        "id": "long",
        "uf": "string",
        "amount": "decimal(18,2)",
        "day": "date",
        "code": "string",
    }
    assert [(row["id"], row["uf"], row["code"]) for row in made.rows()] == [(1, "MG", None), (3_000_000_000, "SP", "x")]
    assert (result.updated, result.inserted) == (1, 1)
    assert load(made.contract_file).digest == made.loans.log()[0].origin.contract_digest
