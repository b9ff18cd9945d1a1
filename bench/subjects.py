"""Persons: how long it takes to find one in every version, and to hand out a million rows of one."""

from __future__ import annotations

import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lastro
from bench.data import FOLDER
from bench.figure import MIB, Figure, Size
from lastro.workspace.workspace import Workspace

VERSIONS, PERSON = 20, "529.982.247-25"
FIND_S, EXPORT_S, MORE_MIB = 30.0, 60.0, 300
_CONTRACT = """\
version: 1.0.0
apiVersion: v3.2.0
kind: DataContract
id: loans
status: active
schema:
  - name: loans
    customProperties:
      - {property: subject, value: cpf, vendor: lastro}
    properties:
      - {name: id, logicalType: integer}
      - name: cpf
        logicalType: string
        customProperties:
          - {property: personal, value: {class: identifier, kind: cpf}, vendor: lastro}
      - {name: note, logicalType: string}
      - {name: amount, logicalType: number}
"""


def figures(size: Size) -> Iterator[Figure]:
    """Two figures; workspaces lie in `bench/data`."""
    yield _finding(min(size.rows, 1_000_000))
    yield _exporting(min(size.rows, 1_000_000))


def _finding(rows: int) -> Figure:
    workspace = _workspace("subjects-find")
    for version in range(VERSIONS):
        workspace.dataset("loans").ingest(data=_rows(rows, people=rows // 10 or 1, first=version), mode="overwrite")
    began = time.perf_counter()
    found = workspace.subject_find(f"cpf={PERSON}")
    seconds = time.perf_counter() - began
    assert len(found.found[0].versions) == VERSIONS
    work = f"one of {rows // 10:,} persons found in {VERSIONS} versions of {rows:,} rows, each file another"
    return Figure(work, f"< {FIND_S:.0f} s", f"{seconds:.1f} s", seconds < FIND_S, "wall time")


def _exporting(rows: int) -> Figure:
    workspace = _workspace("subjects-export")
    workspace.dataset("loans").ingest(data=_rows(rows, people=1, first=0))
    before, began = _resident(), time.perf_counter()
    done = _package(workspace)
    seconds, more = time.perf_counter() - began, (_resident() - before) / MIB
    assert done == rows
    good = seconds < EXPORT_S and more < MORE_MIB
    work = f"a person's {rows:,} rows written as JSON lines and CSV, with documents and manifest"
    return Figure(work, f"< {EXPORT_S:.0f} s, < {MORE_MIB} MiB more", f"{seconds:.1f} s, {more:.0f} MiB", good, "peak")


def _package(workspace: Workspace) -> int:
    """Writes the package outside of the project's git, where alone it may lie; gives its rows."""
    with tempfile.TemporaryDirectory() as folder:
        return workspace.subject_export(f"cpf={PERSON}", to=Path(folder) / "package").rows


def _resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _workspace(name: str) -> Workspace:
    root = FOLDER / name
    shutil.rmtree(root, ignore_errors=True)
    lastro.init(root)
    (root / "contracts" / "loans.odcs.yaml").write_text(_CONTRACT, encoding="utf-8")
    entry = "lastro: 1\ndatasets:\n  loans: {contract: contracts/loans.odcs.yaml, mode: append}\n"
    (root / "lastro.yaml").write_text(entry, encoding="utf-8")
    return lastro.open(root)


def _rows(rows: int, *, people: int, first: int) -> Any:  # Any: a pyarrow.Table
    """A table of so many rows, in which the person has every row, or one in `people`."""
    import numpy as np
    import pyarrow as pa

    ids = np.arange(first, first + rows)
    others = pa.array([PERSON, *(f"{number:011d}" for number in range(1, people))])
    cpf = others.take(pa.array(np.arange(rows) % people))
    return pa.table({"id": ids, "cpf": cpf, "note": pa.array(["a loan"]).take(pa.array(ids * 0)), "amount": ids / 7})
