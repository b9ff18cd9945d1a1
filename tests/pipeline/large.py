"""A large upsert in a process of its own, which tells its peak: `python -m tests.pipeline.large FOLDER ROWS BATCH`."""

from __future__ import annotations

import dataclasses
import itertools
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from tests.pipeline.feeds import plan_of, target_in

from lastro.engine.duck.engine import DuckEngine
from lastro.engine.scan import StreamScan
from lastro.model.schema import Primitive
from lastro.model.version import Mode
from lastro.pipeline.ingest import ingest
from lastro.source.protocol import Opened

P = Primitive
COLUMNS = {"id": P.LONG, "amount": P.LONG, "rate": P.DOUBLE, "name": P.STRING, "state": P.STRING, "note": P.STRING}


@dataclass(slots=True)
class Made:
    """Rows that are made while they are read."""

    rows: int
    salt: int
    step: int = 1
    table: int = 1 << 40
    kind: str = "made"
    label: str = "made"

    @contextmanager
    def open(self, cursor: Any, mode: Mode) -> Iterator[Opened]:
        del cursor, mode
        rows = self._batches()
        first = next(rows)
        reader = pa.RecordBatchReader.from_batches(first.schema, itertools.chain([first], rows))
        yield Opened(StreamScan(reader, self.label), lambda: {"salt": self.salt}, self.label)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for start in range(0, self.rows, 50_000):
            ids = np.arange(start, min(self.rows, start + 50_000)) * self.step % self.table
            yield pa.record_batch(
                {
                    "id": ids,
                    "amount": ids * 7 + self.salt,
                    "rate": np.random.default_rng(start).random(len(ids)),
                    "name": pa.array([f"name {each}" for each in ids]),
                    "state": pa.array([("SP", "RJ", "MG")[each % 3] for each in ids]),
                    "note": pa.array([f"text of some length {each * 31}" for each in ids]),
                }
            )


def peak_mib() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024


def main(root: Path, table_rows: int, batch_rows: int) -> dict[str, Any]:
    target = dataclasses.replace(target_in(root, plan_of(COLUMNS)), engine=DuckEngine(memory_mb=128, threads=1))
    if target.table.head() is None:
        ingest(target, Made(table_rows, 0), mode=Mode.OVERWRITE)
        return {}
    source = Made(batch_rows, batch_rows, step=1_000_003, table=table_rows)  # every id once, in no order
    result = ingest(target, source, mode=Mode.UPSERT)
    return {"peak_mib": peak_mib(), "updated": result.updated, "rows": result.rows_total}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
