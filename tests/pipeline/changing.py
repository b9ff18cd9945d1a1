"""A dataset whose source changes, in every form in which rows can arrive."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

import lastro

CONTRACT = """\
# What the lender promised.
apiVersion: v3.2.0
kind: DataContract
id: loans
version: 1.0.0
status: active
schema:
  - name: loans
    properties:
      - name: id
        logicalType: integer
        physicalType: int   # fits for now
        primaryKey: true
      - name: uf
        logicalType: string
        transformLogic: upper(trim(uf))
      - name: amount
        logicalType: number
        physicalType: decimal(5,2)
      - name: day   # of application
        logicalType: date
"""
FORMS = ("csv", "jsonl", "parquet", "data")
TYPES = {
    "id": pa.int64(),
    "uf": pa.string(),
    "amount": pa.decimal128(20, 2),
    "day": pa.date32(),
}

Row = dict[str, Any]


class Changing:
    """A workspace in a temporary folder whose dataset `loans` takes rows in one form."""

    def __init__(self, root: Path, form: str, *, policy: str | None = None, mode: str = "append", engine="duckdb"):
        self.root, self.form, self.number = root, form, 0
        lastro.init(root)
        self.contract_file = root / "contracts" / "loans.odcs.yaml"
        self.configure(policy, mode=mode, engine=engine)

    def configure(self, policy: str | None, *, mode="append", contract=CONTRACT, engine="duckdb") -> None:
        if contract is not None:
            self.contract_file.write_text(contract)
        extension = self.form if self.form != "data" else "csv"
        stated = f"    schema_change: {policy}\n" if policy else ""
        (self.root / "lastro.yaml").write_text(
            f"lastro: 1\nengine: {engine}\ndatasets:\n  loans:\n    mode: {mode}\n{stated}"
            f"    source: {{kind: files, path: 'in-*.{extension}'}}\n"
        )
        self.workspace = lastro.open(self.root)

    @property
    def loans(self):
        return self.workspace.dataset("loans")

    def ingest(self, *rows: Row, types: dict[str, pa.DataType] | None = None, columns: Sequence[str] = (), **options):
        """Brings rows in; columns are those that occur, or `columns`."""
        self.number += 1
        names = list(columns) or list(dict.fromkeys(name for row in rows for name in row))
        path = self.root / f"in-{self.number:03d}.{self.form}"
        match self.form:
            case "csv":
                text = {name: pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in names}
                pc.write_csv(pa.table(text), path)
            case "jsonl":
                path.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))
            case _:
                kinds = TYPES | (types or {})
                table = pa.table({name: pa.array([row.get(name) for row in rows], kinds.get(name)) for name in names})
                if self.form == "data":
                    return self.loans.ingest(data=table, **options)
                pq.write_table(table, path)
        return self.loans.ingest(**options)

    def rows(self, selector: str = "latest") -> list[Row]:
        return sorted(self.loans.version(selector).to_arrow().to_pylist(), key=lambda row: row["id"])

    def types(self, selector: str = "latest") -> dict[str, str]:
        from lastro.model.schema import type_text

        return {field.name: type_text(field.type) for field in self.loans.version(selector).schema.fields}


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value) if isinstance(value, dict | list) else str(value)
