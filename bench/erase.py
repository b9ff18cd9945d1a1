"""Erasure: one person, and a thousand, from a hundred versions of a table that grew by appends or by upserts."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pyarrow as pa

import lastro
from bench.data import FOLDER
from bench.figure import SMALL, Figure, Size
from lastro.workspace.workspace import Workspace

SECONDS, TIMES = 30.0, 10.0
BASIS = "LGPD art. 18, VI"
CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: loans
version: 1.0.0
status: active
schema:
  - name: loans
    customProperties:
      - {property: subject, value: cpf, vendor: lastro}
    properties:
      - {name: id, logicalType: integer, primaryKey: true, required: true}
      - name: cpf
        logicalType: string
        customProperties:
          - {property: personal, value: {class: identifier, kind: cpf}, vendor: lastro}
          - {property: protection, value: token, vendor: lastro}
      - {name: uf, logicalType: string}
      - {name: day, logicalType: integer}
      - {name: amount, logicalType: number}
      - {name: score, logicalType: number}
"""


def figures(size: Size) -> Iterator[Figure]:
    """One person and a thousand, of both shapes, with certificate and search."""
    rows, versions, people = (2_000, size.appends, 500) if size is SMALL else (1_000_000, 100, 100_000)
    many = 10 if size is SMALL else 1_000
    for mode in ("append", "upsert"):
        FOLDER.mkdir(parents=True, exist_ok=True)
        folder = Path(mkdtemp(dir=FOLDER, prefix="erase-"))
        try:
            workspace = _made(folder, mode, rows, versions, people)
            one, hits = _erased(workspace, [_cpf(0)])
            all_of_them, more = _erased(workspace, [_cpf(number) for number in range(1, many + 1)])
        finally:
            shutil.rmtree(folder)
        work = (
            f"one of {people:,} people from {versions} versions of {rows:,} rows, made by {mode}; with the certificate"
        )
        yield Figure(work, f"< {SECONDS:g} s", f"{one:.1f} s", one < SECONDS, f"{hits} hits in a search of all bytes")
        times = all_of_them / one
        work = f"{many:,} people at once, against one ({mode})"
        details = f"{all_of_them:.1f} s; {more} hits in a search of all bytes"
        yield Figure(work, f"< {TIMES:g}x", f"{times:.1f}x", times < TIMES and not hits + more, details)


def _made(folder: Path, mode: str, rows: int, versions: int, people: int) -> Workspace:
    """A workspace whose table has so many rows at the end, and so many versions."""
    lastro.init(folder)
    (folder / "contracts" / "loans.odcs.yaml").write_text(CONTRACT)
    (folder / "lastro.yaml").write_text(
        f"lastro: 1\ndatasets:\n  loans:\n    contract: contracts/loans.odcs.yaml\n    mode: {mode}\n"
        "    source: {kind: files, path: none/*.csv}\n"
    )
    workspace, drawn = lastro.open(folder), np.random.default_rng(1)
    loans = workspace.dataset("loans")
    if mode == "append":
        share = rows // versions
        for number in range(versions):
            loans.ingest(data=_rows(drawn, np.arange(number * share, (number + 1) * share), people))
        return workspace
    loans.ingest(data=_rows(drawn, np.arange(rows), people))
    for _number in range(1, versions):
        loans.ingest(data=_rows(drawn, drawn.choice(rows, rows // 1_000 or 1, replace=False), people))
    return workspace


def _rows(drawn: np.random.Generator, ids: np.ndarray, people: int) -> pa.Table:
    count = len(ids)
    known = np.array([_cpf(number) for number in range(people)])
    return pa.table(
        {
            "id": ids,
            "cpf": known[ids % people],
            "uf": np.array(["SP", "RJ", "MG", "BA"])[drawn.integers(0, 4, count)],
            "day": drawn.integers(0, 9_000, count),
            "amount": drawn.random(count).round(4) * 100_000,
            "score": drawn.random(count),
        }
    )


def _cpf(number: int) -> str:
    return f"{(number * 7_919 + 10_007) % 10**9:09d}00"


def _erased(workspace: Workspace, people: list[str]) -> tuple[float, int]:
    began = time.perf_counter()
    done = workspace.erase(*people, basis=BASIS)
    return time.perf_counter() - began, done.hits
