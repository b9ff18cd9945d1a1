"""Lastro: rows set aside while they are ingested, or every rule held to what is stored."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import lastro
from bench.peers import planted
from bench.peers.tools import said
from lastro.model.finding import Finding

CONTRACT = Path(__file__).resolve().parents[2] / "orders.odcs.yaml"
SETTINGS = """\
lastro: 1
engine: duckdb
datasets:
  orders:
    contract: contracts/orders.odcs.yaml
    mode: append
    source: {{kind: files, path: '{source}'}}
"""
WARN = "customProperties: [{property: policy, value: warn, vendor: lastro}]"
KINDS = {"required": "missing", "enum": "listed", "pattern": "pattern", "minimum": "range", "maximum": "range"}
NAMES = {"unique_orders": "order_id.unique", "enough": "rows"}


def workspace(folder: Path, source: Path | str, *, warn: bool) -> None:
    """A new workspace for the orders of a file; with `warn` no rule refuses a row."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "contracts").mkdir(parents=True)
    text = CONTRACT.read_text(encoding="utf-8")
    if warn:
        text = text.replace("    properties:\n", f"    {WARN}\n    properties:\n", 1)
    else:
        text = text.replace("mustBe: 0}", f"mustBe: 0, {WARN}}}", 1)
    (folder / "contracts" / "orders.odcs.yaml").write_text(text, encoding="utf-8")
    (folder / "lastro.yaml").write_text(SETTINGS.format(source=source), encoding="utf-8")


def ingest(folder: str, source: str) -> None:
    """The whole ingestion: cast, judge, set aside, write, hash, commit, profile."""
    workspace(Path(folder), source, warn=False)
    dataset = lastro.open(folder).dataset("orders")
    result = dataset.ingest()
    said(counts=_named(result.findings), set_aside=result.counts.quarantined)


def store(folder: str, source: str) -> None:
    """All rows, faults and all, as a version."""
    workspace(Path(folder), source, warn=True)
    lastro.open(folder).dataset("orders").ingest()
    said()


def check(folder: str) -> None:
    """Every rule on the stored version."""
    found = lastro.open(folder).dataset("orders").check()
    said(counts=_named(each.finding for each in found.rules))


def drift(folder: str) -> None:
    """The second version's own rows against the first's profile."""
    names = [*planted.DRIFTED, *planted.STILL]
    dataset = lastro.open(folder).dataset("orders")
    Path(folder, "tables", "orders", "_lastro", "profiles", "1.json.gz").unlink(missing_ok=True)
    found = dataset.drift("0", since="0", columns=names).comparison.drift
    said(drifted=[column.name for column in found.columns if column.verdict == "drifted"])


def two(folder: str, before: str, after: str) -> None:
    """Two files as two versions."""
    import pyarrow.parquet as pq

    workspace(Path(folder), before, warn=True)
    dataset = lastro.open(folder).dataset("orders")
    for path in (before, after):
        dataset.ingest(data=pq.read_table(path), mode="append")
    said()


def _named(findings: Iterable[Finding]) -> dict[str, int | bool]:
    """How many rows each rule found, by the names of what was planted; a range is two rules."""
    counts: dict[str, int | bool] = {}
    for each in findings:
        column, _, kind = each.rule.partition(".")
        name = f"{column}.{KINDS[kind]}" if kind in KINDS else NAMES.get(each.rule, each.rule)
        failing = each.rows_refused if each.rows_refused or name != "order_id.unique" else int(each.measured or 0)
        counts[name] = not each.passed if name in planted.WHOLE else counts.get(name, 0) + failing
    return counts


if __name__ == "__main__":
    {each.__name__: each for each in (ingest, store, check, drift, two)}[sys.argv[1]](*sys.argv[2:])
