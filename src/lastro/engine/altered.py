"""Stored files with some of their rows altered or left out, written anew: what the law changes in a table.

A file keeps its rows' order, its columns and their types, and says no more of them than before. Batches stream.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from lastro.engine.duck.arrow import to_arrow
from lastro.engine.duck.parquet import Writer, batches, silent_in
from lastro.engine.duck.stored import told
from lastro.engine.encrypted import sealing_of
from lastro.engine.protocol import StagedFile
from lastro.model.schema import Schema

Change = Callable[[pa.RecordBatch], pa.RecordBatch]
Test = Callable[[pa.RecordBatch], pa.BooleanArray]


@dataclass(frozen=True, slots=True)
class Altered:
    """New files, and how many rows the old ones had."""

    files: tuple[StagedFile, ...]
    before: int

    @property
    def rows(self) -> int:
        """How many rows the new files have."""
        return sum(each.rows for each in self.files)


def altered(files: Sequence[Path], schema: Schema, change: Change, folder: Path, stem: str) -> Altered:
    """Writes what `change` makes of each batch of stored files into `folder`. Raises `Corrupted`, `WriteFailed`."""
    before = 0
    with told(files):
        silent, sealing = silent_in(files), sealing_of(files)
        with Writer(folder, stem, schema=to_arrow(schema), silent=silent, sealing=sealing) as writer:
            for path in files:
                for batch in batches(path):
                    before += batch.num_rows
                    made = change(batch)
                    if made.num_rows:
                        writer.write(made)
    return Altered(tuple(writer.files), before)


def touched(files: Sequence[Path], test: Test) -> tuple[Path, ...]:
    """Those of stored files in which the test is true for a row. Raises `Corrupted`."""
    with told(files):
        return tuple(path for path in files if any(test(batch).true_count for batch in batches(path)))
