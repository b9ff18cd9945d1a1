"""Samples of stored rows, drawn by a seed: every set of so many rows is as likely as any other.

Rules:

1. Which rows are drawn follows from the seed, from how many there are, and from the order in which they are stored.
2. Rows pass by, few at a time, up to the last one that is drawn; only those that are drawn are kept.
"""

from __future__ import annotations

from typing import Any

from lastro.engine.scan import ArrowStream


def sampled(stream: ArrowStream, total: int, count: int, *, seed: int) -> Any:  # Any: a pyarrow.Table
    """At most `count` of the stream's first `total` rows, in order, without view types, which few functions take."""
    import numpy as np
    import pyarrow as pa

    places = np.sort(np.random.default_rng(seed).choice(total, min(count, total), replace=False, shuffle=False))
    reader = pa.RecordBatchReader.from_stream(stream)
    plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    schema = pa.schema([each.with_type(plain.get(each.type, each.type)) for each in reader.schema])
    kept, before = [], 0
    for batch in reader.cast(schema):
        if before >= total:
            break
        first, last = np.searchsorted(places, [before, before + batch.num_rows])
        if last > first:
            kept.append(batch.take(pa.array(places[first:last] - before)))
        before += batch.num_rows
    return pa.Table.from_batches(kept, schema)
