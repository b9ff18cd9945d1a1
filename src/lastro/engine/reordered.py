"""Two stages of one batch in the order of their source again: which row came first is what `first` and `last` rest on.

Rules:

1. A stage keeps rows in their source's order. Which positions it kept are those that it did not set aside.
2. A row's ordinal is its number in the whole batch: the records of the sources before its own, and its position.
3. Both stages are read once, side by side, and give batches of bounded size; of each row only the ordinal is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from lastro.engine.duck.arrow import to_arrow
from lastro.engine.duck.parquet import batches
from lastro.engine.protocol import Staged, StagedFile
from lastro.model.schema import Schema

Ordinals = np.ndarray[tuple[int], np.dtype[np.int64]]
ROWS = 65_536


def kept_ordinals(staged: Staged) -> Ordinals:
    """The ordinals of the rows that a stage kept, in their order."""
    starts = source_starts(staged)
    rows = sum(read for _label, read in staged.sources)
    kept = np.ones(rows, dtype=bool)
    for file in staged.quarantined:
        for batch in batches(file.path):
            kept[ordinals(starts, batch.column("source"), batch.column("position").to_numpy())] = False
    return np.flatnonzero(kept)


def source_starts(staged: Staged) -> Mapping[str, int]:
    """How many records stand before each source's first one."""
    counts = [read for _label, read in staged.sources]
    return {label: sum(counts[:index]) for index, (label, _read) in enumerate(staged.sources)}


def ordinals(starts: Mapping[str, int], sources: pa.Array, positions: Ordinals) -> Ordinals:
    """The ordinals of rows at these positions (from 1) of their sources."""
    coded = sources.dictionary_encode()
    offsets = np.array([starts[label] for label in coded.dictionary.to_pylist()], dtype=np.int64)
    found: Ordinals = offsets[coded.indices.to_numpy()] + positions - 1
    return found


def places(starts: Mapping[str, int], found: Ordinals) -> tuple[pa.Array, Ordinals]:
    """The sources and positions of rows with these ordinals."""
    labels = list(starts)
    offsets = np.array(list(starts.values()), dtype=np.int64)
    index = np.searchsorted(offsets, found, side="right") - 1
    return pa.array(labels, pa.string()).take(pa.array(index)), found - offsets[index] + 1


def merged(
    first: Sequence[StagedFile], first_at: Ordinals, second: Sequence[StagedFile], second_at: Ordinals, schema: Schema
) -> Iterator[pa.RecordBatch]:
    """The rows of both, by their ordinals, which ascend in each."""
    target = to_arrow(schema)
    left, right = _Rows(first, target), _Rows(second, target)
    comes = np.argsort(np.concatenate([first_at, second_at]), kind="stable")
    from_left = comes < len(first_at)
    for start in range(0, len(comes), ROWS):
        mine = from_left[start : start + ROWS]
        count = int(mine.sum())
        both = pa.concat_tables([left.take(count), right.take(len(mine) - count)])
        order = np.empty(len(mine), dtype=np.int64)
        order[mine] = np.arange(count)
        order[~mine] = np.arange(count, len(mine))
        yield from both.take(pa.array(order)).combine_chunks().to_batches()


def in_order(first_at: Ordinals, second_at: Ordinals) -> Ordinals:
    """The ordinals of the rows that `merged` gives, one after another."""
    return np.sort(np.concatenate([first_at, second_at]))


def arrow_schema(schema: Schema) -> pa.Schema:
    """The schema of the batches that `merged` gives."""
    return to_arrow(schema)


class _Rows:
    """The rows of files, taken as many at a time as are asked for; columns that a file does not have are NULL."""

    def __init__(self, files: Sequence[StagedFile], schema: pa.Schema) -> None:
        self._schema = schema
        self._batches = (batch for file in files for batch in batches(file.path))
        self._waiting = schema.empty_table()

    def take(self, rows: int) -> pa.Table:
        while self._waiting.num_rows < rows:
            self._waiting = pa.concat_tables([self._waiting, pa.Table.from_batches([self._whole(next(self._batches))])])
        taken, self._waiting = self._waiting.slice(0, rows), self._waiting.slice(rows)
        return taken

    def _whole(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        names = batch.schema.names
        columns = [
            batch.column(field.name).cast(field.type) if field.name in names else pa.nulls(batch.num_rows, field.type)
            for field in self._schema
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)
