"""Access control: how long a decision takes under many policies, and what masks and rows cost a reading."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from bench.data import FOLDER
from bench.figure import SMALL, Figure, Size
from lastro.model.access import Act, Asked, ColumnFacts, Principal, Resource
from lastro.policy import cedar
from lastro.policy.decide import decide
from lastro.workspace.workspace import Workspace, create

POLICIES, COLUMNS = 10_000, 50
DECISION_MS, READING = 1_000.0, 1.5


def figures(size: Size) -> Iterator[Figure]:
    """Two figures; the workspace is made anew."""
    yield _deciding(300 if size is SMALL else POLICIES)
    yield _reading(size.rows)


def _deciding(count: int) -> Figure:
    text = "".join(
        f'permit(principal == Principal::"p{n}", action, resource in Dataset::"d{n}");' for n in range(count)
    )
    policies = cedar.read({"people.cedar": text})
    asked = Asked(Principal("p7"), Act.READ)
    resource = Resource("d7", tuple(ColumnFacts(f"c{n}") for n in range(COLUMNS)))
    milliseconds = median(_timed(lambda: decide(asked, resource, policies)) for _round in range(5)) * 1e3
    work = f"what one person may read of {COLUMNS} columns, decided under {count:,} policies"
    met = milliseconds <= DECISION_MS
    return Figure(work, f"<= {DECISION_MS:,.0f} ms", f"{milliseconds:,.0f} ms", met, "median of 5; wall time")


def _reading(rows: int) -> Figure:
    workspace = _workspace(FOLDER / "access", rows)
    plain = median(_timed(lambda: _read(workspace)) for _round in range(5))
    (workspace.root / "policies").mkdir()
    (workspace.root / "policies" / "people.cedar").write_text(
        """@mask("cpf: last2") @rows("uf <> 'XX'") permit(principal, action, resource);"""
    )
    governed = median(_timed(lambda: _read(workspace)) for _round in range(5))
    work = f"reading {rows:,} rows of 4 columns, one of them masked, under a condition on rows"
    ratio = governed / plain
    details = f"{governed:.2f} s against {plain:.2f} s without policies, median of 5; wall time"
    return Figure(work, f"<= {READING:g}x plain", f"{ratio:.2f}x", ratio <= READING, details)


def _workspace(root: Path, rows: int) -> Workspace:
    import pyarrow as pa

    import lastro

    shutil.rmtree(root, ignore_errors=True)
    create(root)
    header = root / "loans.csv"
    header.write_text("id,cpf,income,uf\n1,11144477735,10,SP\n")
    lastro.open(root).add("loans.csv", name="loans", mode="overwrite")
    numbers = range(rows)
    table = pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "cpf": pa.array([f"{number:011}" for number in numbers]),
            "income": pa.array([number % 9_000 for number in numbers], pa.int64()),
            "uf": pa.array([("SP", "RJ", "XX")[number % 3] for number in numbers]),
        }
    )
    workspace = lastro.open(root)
    workspace.dataset("loans").ingest(data=table)
    return workspace


def _read(workspace: Workspace) -> int:
    os.environ["LASTRO_ACTOR"] = "ana"
    return sum(batch.num_rows for batch in workspace.version("loans").reader())


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
