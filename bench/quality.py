"""Checks, profiles and drift: what it costs to know a table, against queries by hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.data import FOLDER
from bench.figure import Figure, Size, mib, versus
from bench.process import alternate, cost, cpu, peak, side

CONTRACT = Path(__file__).resolve().parent / "orders.odcs.yaml"
SETTINGS = """\
lastro: 1
engine: duckdb
datasets:
  orders:
    contract: contracts/orders.odcs.yaml
    mode: append
    source: {{kind: files, path: '{source}'}}
"""
MAKING = """
COPY (
  SELECT i AS order_id, (hash(i, 1) % 500000)::INTEGER AS customer_id,
    'person' || hash(i, 2) % 900000 || '@example.com.br' AS email,
    round(exp((hash(i, 3) % 10000) / 2500.0 + {shift}), 2) AS amount, (18 + hash(i, 4) % 70)::INTEGER AS age,
    ['BR', 'AR', 'CL', 'CO', 'MX', 'PE', 'UY', 'US'][1 + (hash(i, 5) % 8)::INTEGER] AS country,
    ['pix', 'credit', 'debit', 'boleto', 'wallet', 'cash'][1 + (hash(i, 6) % 6)::INTEGER] AS payment,
    ['created', 'paid', 'shipped', 'delivered', 'refunded'][1 + (hash(i, 7) % 5)::INTEGER] AS status,
    (hash(i, 8) % 40) / 100.0 AS discount, (1 + hash(i, 9) % 5)::INTEGER AS quantity,
    format('{{:03d}}.{{:03d}}.{{:03d}}-{{:02d}}', (hash(i, 10) % 1000)::INTEGER, (hash(i, 11) % 1000)::INTEGER,
      (hash(i, 12) % 1000)::INTEGER, (hash(i, 13) % 100)::INTEGER) AS cpf,
    round(amount * quantity * (1 - discount), 2) AS total,
    CASE WHEN hash(i, 14) % 50 = 0 THEN NULL ELSE (hash(i, 15) % 100000) / 100000.0 END AS score,
    TIMESTAMP '2026-01-01' + to_seconds((hash(i, 16) % 20000000)::BIGINT) AS ordered_at,
    ordered_at + to_seconds((hash(i, 17) % 900000)::BIGINT) AS updated_at,
    DATE '2026-01-01' + (hash(i, 18) % 300)::INTEGER AS day,
    CASE WHEN hash(i, 19) % 20 <> 0 THEN ['web', 'app', 'store'][1 + (hash(i, 20) % 3)::INTEGER] END AS channel,
    (hash(i, 21) % 3000)::INTEGER AS store, (hash(i, 22) % 1000000) / 1000.0 AS weight, hash(i, 23) % 3 = 0 AS express
  FROM range({first}, {first} + {rows}) AS numbers(i)
) TO '{target}' (FORMAT parquet)
"""


def figures(size: Size) -> Iterator[Figure]:
    """Every figure of quality and drift."""
    folder = _stored(size.checked)
    yield from _checks(folder, size)
    yield from _profile(folder, size)
    yield from _drift(size)


def orders(name: str, rows: int, *, first: int = 0, shift: float = 0.0) -> Path:
    """The file of that many orders, made if it is not there yet."""
    import duckdb

    target = FOLDER / f"{name}-{rows}.parquet"
    if not target.exists():
        FOLDER.mkdir(exist_ok=True)
        partial = target.with_suffix(".partial")
        duckdb.connect().execute(MAKING.format(rows=rows, target=partial, first=first, shift=shift))
        partial.rename(target)
    return target


def _workspace(name: str, source: str) -> Path:
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "contracts").mkdir(parents=True)
    shutil.copy(CONTRACT, folder / "contracts")
    (folder / "lastro.yaml").write_text(SETTINGS.format(source=source), encoding="utf-8")
    return folder


def _stored(rows: int) -> Path:
    """A workspace with one version of that many orders."""
    folder = _workspace("orders", str(orders("orders", rows)))
    cost(side("ingest_orders", folder))
    return folder


def _checks(folder: Path, size: Size) -> Iterator[Figure]:
    costs = alternate((side("checks", folder), side("plain_checks", folder)), rounds=size.rounds)
    mine, theirs = costs["checks"], costs["plain_checks"]
    assert json.loads(mine[0].output)["rules"] >= 20
    ratio, memory = cpu(mine) / cpu(theirs), peak(mine) / peak(theirs)
    work = f"20 checks and more on {size.checked:,} x 20, CPU against one query by hand"
    yield Figure(work, "<= 1.15x", f"{ratio:.2f}x", ratio <= 1.15, f"{versus(mine, theirs)}; digests verified")
    details = f"{mib(peak(mine))} against {mib(peak(theirs))}"
    yield Figure("the same checks, peak of memory", "<= 1.2x", f"{memory:.2f}x", memory <= 1.2, details)


def _profile(folder: Path, size: Size) -> Iterator[Figure]:
    sides = (side("profile", folder), side("plain_checks", folder), side("summarize", folder))
    costs = alternate(sides, rounds=size.rounds)
    mine, scan, known = costs["profile"], costs["plain_checks"], costs["summarize"]
    ratio, less = cpu(mine) / cpu(scan), cpu(known) / cpu(mine)
    work = f"profile of {size.checked:,} x 20, CPU"
    yield Figure(f"{work} against the checks' scan", "<= 1.5x", f"{ratio:.2f}x", ratio <= 1.5, versus(mine, scan))
    yield Figure(f"{work} against `SUMMARIZE`", ">= 5x less", f"{less:.1f}x", less >= 5, versus(mine, known))
    told = json.loads(mine[0].output)
    kept = told["bytes"] / told["columns"]
    details = f"{told['columns']} columns, {told['bytes']:,} bytes with all counts"
    yield Figure("what is kept of a reference, a column", "<= 1 KB", f"{kept:.0f} B", kept <= 1000, details)


def _drift(size: Size) -> Iterator[Figure]:
    rows = size.compared
    sources = (orders("before", rows), orders("after", rows, first=rows, shift=0.05))
    folder = _workspace("drift", str(FOLDER / f"[ab]*e[rf]*-{rows}.parquet"))
    cost(side("ingest_two", folder, *sources))
    names = ("drift_read", "histograms", "warm_drift", "warm_histograms")
    costs = alternate([side(name, folder) for name in names], rounds=size.rounds)
    mine, theirs, *warm = (costs[name] for name in names)
    ratio = cpu(mine) / cpu(theirs)
    work = f"drift of {rows:,} rows against {rows:,}, 15 columns, all read, CPU against one histogram scan"
    yield Figure(f"{work}, the whole process", "<= 1.2x", f"{ratio:.2f}x", ratio <= 1.2, versus(mine, theirs))
    took, scan = (median(json.loads(each.output)["cpu_s"] for each in side) for side in warm)
    details = f"{took:.2f} s against {scan:.2f} s, median of {size.rounds}; imports and start not counted"
    yield Figure("the same in a running process", "<= 1.2x", f"{took / scan:.2f}x", took <= 1.2 * scan, details)
    taken = json.loads(cost(side("drift_stored", FOLDER / "wide")).output)
    middle = median(taken["ms"])
    work = "drift of two stored versions, 100 columns"
    yield Figure(work, "<= 50 ms", f"{middle:.0f} ms", middle <= 50, f"median of {len(taken['ms'])}, in one process")
