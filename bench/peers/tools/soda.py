"""Soda 4 on DuckDB: a contract verified on a view over the file. It counts; failing rows stay where they are."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from soda_core.contracts import verify_contract_locally

from bench.peers import planted
from bench.peers.tools import said


def check(source: str, _target: str) -> None:
    """Every check; the failing rows of each are counted."""
    with TemporaryDirectory() as folder:
        database = Path(folder) / "orders.duckdb"
        with duckdb.connect(str(database)) as connection:
            connection.execute(f"CREATE VIEW orders AS SELECT * FROM read_parquet('{source}')")
            columns = [row[0] for row in connection.execute("DESCRIBE orders").fetchall()]
        place = Path(folder) / "source.yml"
        place.write_text(
            json.dumps({"type": "duckdb", "name": "bench", "connection": {"database": str(database)}}), encoding="utf-8"
        )
        contract = Path(folder) / "contract.yml"
        contract.write_text(json.dumps(_contract(columns)), encoding="utf-8")
        found = verify_contract_locally(data_source_file_path=str(place), contract_file_path=str(contract))
    said(counts={each.check.name: _count(each) for each in found.contract_verification_results[0].check_results})


def _contract(names: list[str]) -> dict[str, object]:
    columns: dict[str, list[dict[str, object]]] = {name: [] for name in names}
    for name in planted.REQUIRED:
        columns[name].append({"missing": {"name": f"{name}.missing"}})
    columns["order_id"].append({"duplicate": {"name": "order_id.unique"}})
    for name, values in planted.LISTED.items():
        columns[name].append({"invalid": {"name": f"{name}.listed", "valid_values": list(values)}})
    for name, pattern in planted.PATTERNS.items():
        form = {"regex": f"^{pattern}$", "name": name}
        columns[name].append({"invalid": {"name": f"{name}.pattern", "valid_format": form}})
    for name, (least, most) in planted.RANGES.items():
        limits = {"valid_min": least} if most is None else {"valid_min": least, "valid_max": most}
        columns[name].append({"invalid": {"name": f"{name}.range", **limits}})
    low, high = planted.SCORE
    between = {"must_be_between": {"greater_than_or_equal": low, "less_than_or_equal": high}}
    columns["score"].append({"aggregate": {"name": "usual_score", "function": "avg", "threshold": between}})
    apart = f"abs(total - amount * quantity * (1 - discount)) > {planted.TOTAL_APART}"
    return {
        "dataset": "bench/main/orders",
        "columns": [{"name": name, "checks": checks} if checks else {"name": name} for name, checks in columns.items()],
        "checks": [
            {"row_count": {"name": "rows", "threshold": {"must_be_greater_than": planted.ROWS_MIN}}},
            {"failed_rows": {"name": "updated_after", "qualifier": "1", "expression": "updated_at < ordered_at"}},
            {"failed_rows": {"name": "total_adds_up", "qualifier": "2", "expression": apart}},
        ],
    }


def _count(result: object) -> int | bool:
    """How many rows fail; of a check of the whole table, whether it fails."""
    if result.check.name in planted.WHOLE:
        return result.is_failed
    told = result.diagnostic_metric_values or {}
    counts = [
        told[name]
        for name in ("invalid_count", "duplicate_count", "failed_rows_count", "missing_count")
        if name in told
    ]
    return int(counts[0]) if counts else result.is_failed


if __name__ == "__main__":
    check(*sys.argv[1:])
