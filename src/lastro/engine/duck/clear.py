"""Clearing an interval: stored files without the rows whose column lies in it.

Rules:

1. Files are ruled out by the smallest and largest values in their footers first; of the others the column alone is
   read, and only files that hold a row of the interval are read whole.
2. A file of which every row stays is not written anew. Rows that stay keep their order.
3. A row without a value lies in no interval; it is counted, and then nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lastro.engine.duck import fates
from lastro.engine.duck.arrow import arrow_type
from lastro.engine.duck.parquet import BATCH_ROWS
from lastro.engine.duck.stored import told
from lastro.engine.encrypted import metadata, opened
from lastro.engine.protocol import Cleared, StagedFile
from lastro.model.interval import Interval
from lastro.model.merging import MergePlan
from lastro.model.schema import Schema


def clear(
    stored: Sequence[Path], batch: Sequence[StagedFile], schema: Schema, interval: Interval, folder: Path
) -> Cleared:
    """Clears an interval. Raises `Corrupted`, `WriteFailed`."""
    place = _Place.of(interval, schema)
    with told([file.path for file in batch]):
        outside = sum(int((~place.inside(values)).sum()) for file in batch for values in place.values(file.path))
    found: list[fates.Stored] = []
    nowhere = 0
    for path in stored:
        with told([path]):
            if place.may_touch(path):
                fate, missing = place.fate(path)
                found, nowhere = [*found, fate] if fate.touched else found, nowhere + missing
    if outside or nowhere:
        return Cleared((), (), 0, outside, nowhere)
    with told([file.path for file in found]):
        rewritten = fates.rewrite(found, schema, MergePlan((), ()), folder)
    return Cleared(rewritten, tuple(file.path for file in found), sum(int(file.goes.sum()) for file in found))


@dataclass(frozen=True, slots=True)
class _Place:
    """An interval as the whole numbers that its column holds: days, or microseconds in UTC."""

    column: str
    kind: pa.DataType
    low: int
    high: int

    @classmethod
    def of(cls, interval: Interval, schema: Schema) -> _Place:
        kind = arrow_type(schema.field(interval.column).type)
        low, high = (fates.moment_value(moment, kind) for moment in (interval.start, interval.end))
        return cls(interval.column, kind, low, high)

    def values(self, path: Path) -> Iterator[pa.Array]:
        """The column, batch by batch; NULL for every row of a file that does not have it."""
        with opened(path, columns=[self.column]) as file:
            if self.column not in file.schema_arrow.names:
                yield pa.nulls(file.metadata.num_rows, self.kind)
                return
            for batch in file.iter_batches(BATCH_ROWS, columns=[self.column], use_threads=False):
                yield batch.column(0).cast(self.kind)

    def inside(self, values: pa.Array) -> fates.Mask:
        """Which rows lie in the interval."""
        whole = pa.int32() if pa.types.is_date(self.kind) else pa.int64()
        plain = values.view(whole).fill_null(self.low).to_numpy(zero_copy_only=False)
        there: fates.Mask = values.is_valid().to_numpy(zero_copy_only=False)
        inside: fates.Mask = there & (plain >= self.low) & (plain < self.high)
        return inside

    def fate(self, path: Path) -> tuple[fates.Stored, int]:
        """Which of the file's rows go, and how many have no value."""
        masks, missing = [np.zeros(0, dtype=bool)], 0
        for values in self.values(path):
            masks.append(self.inside(values))
            missing += values.null_count
        goes = np.concatenate(masks)
        return fates.Stored(path, goes, np.zeros(len(goes), dtype=bool)), missing

    def may_touch(self, path: Path) -> bool:
        """False if the footer rules out rows of the interval, and rows without a value."""
        footer = metadata(path, columns=[self.column])
        places = {footer.schema.column(index).path: index for index in range(footer.num_columns)}
        if self.column not in places:
            return True
        groups = [footer.row_group(group).column(places[self.column]) for group in range(footer.num_row_groups)]
        return any(self._may_hold(group.statistics) for group in groups)

    def _may_hold(self, found: pq.Statistics | None) -> bool:
        if found is None or not found.has_min_max or not found.has_null_count or found.null_count:
            return True
        try:
            return self._whole(found.min) < self.high and self._whole(found.max) >= self.low
        except (ValueError, OverflowError):  # a moment that Python's calendar does not reach: the column itself is read
            return True

    def _whole(self, value: date) -> int:
        if not isinstance(value, datetime):
            return (value - date(1970, 1, 1)).days
        return int(np.datetime64(value.replace(tzinfo=None), "us").astype(np.int64))
