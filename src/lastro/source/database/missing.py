"""Rows without a value in the cursor column: what they hold, in a few characters.

Rules:

1. No value says which of them are new, so all of them are read to tell, each time an `upsert` looks for what is new.
2. What they hold is the row hash of `tally`, in whatever order they come, and their number; columns whose type has no
   text there take part by the text of their Python values. Nothing is written for it.
"""

from __future__ import annotations

from typing import Any

from lastro.source.database.tally import hashable, row_hash
from lastro.source.stream import Batches, telling


def fingerprint(rows: Batches) -> str:
    """What these rows hold; empty for none."""
    import pyarrow as pa

    count = total = 0
    with telling(rows):
        for batch in pa.RecordBatchReader.from_stream(rows):
            count += batch.num_rows
            total += row_hash([_hashable(array) for array in batch.columns], batch.num_rows)
    return f"{count}:{total}" if count else ""


def _hashable(array: Any) -> Any:  # Any: pyarrow.Array
    import pyarrow as pa

    if hashable(array.type):
        return array
    return pa.array([None if value is None else repr(value) for value in array.to_pylist()], pa.string())
