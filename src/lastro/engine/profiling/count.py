"""The kernel: batches of rows counted under a frame.

Rules:

1. Text that comes as a dictionary is counted by its indices; each of the dictionary's entries is looked at once.
2. Counts are Python integers, which never overflow.
3. Slices are counted without what columns have to do with each other: nobody asks for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lastro.engine.profiling import hashes, shapes
from lastro.engine.profiling import numbers as column
from lastro.engine.profiling.bins import Bins
from lastro.engine.profiling.numbers import Numbers
from lastro.engine.profiling.together import Pairs
from lastro.model.profile import ColumnFrame, ColumnProfile, Frame, Profile, ValueCounts, merged
from lastro.model.schema import Primitive, Schema, Type


def counted(batches: Iterable[pa.RecordBatch], schema: Schema, frame: Frame, withheld: frozenset[str]) -> Profile:
    """The profile of all rows of these batches. A column that a batch does not have is missing in its rows."""
    tally = Tally(schema, frame, withheld)
    for batch in batches:
        tally.take(batch)
    return tally.profile()


class Tally:
    """Counts batches as they come."""

    def __init__(self, schema: Schema, frame: Frame, withheld: frozenset[str], *, pairs: bool = True) -> None:
        self.rows = 0
        self._pairs = Pairs(schema, frame) if pairs else None
        self._columns = {
            each.name: _Column(each.type, frame[each.name], is_withheld=each.name in withheld) for each in schema.fields
        }

    def take(self, batch: pa.RecordBatch) -> None:
        """Counts a batch's rows."""
        self.rows += batch.num_rows
        names = batch.schema.names
        for name, each in self._columns.items():
            each.take(batch.column(name) if name in names else None, batch.num_rows)
        if self._pairs is not None:
            self._pairs.take(batch)

    def profile(self) -> Profile:
        """What was counted so far."""
        together = None if self._pairs is None else self._pairs.together()
        return Profile(self.rows, {name: each.profile() for name, each in self._columns.items()}, together=together)


def total(parts: Iterable[Profile], schema: Schema, frame: Frame, withheld: frozenset[str]) -> Profile:
    """The profile of all parts together."""
    found = Tally(schema, frame, withheld).profile()
    for part in parts:
        found = merged(found, part)
    return found


@dataclass(slots=True)
class _Column:
    """One column's counts as they grow."""

    kind: Type
    frame: ColumnFrame
    is_withheld: bool
    nulls: int = 0
    others: int = 0
    shape_others: int = 0
    numbers: Bins | None = field(init=False)
    seen: hashes.Kept | None = field(init=False)
    times: Numbers = field(init=False)
    listed: pa.Array = field(init=False)
    shapes: pa.Array = field(init=False)
    shape_times: Numbers = field(init=False)

    def __post_init__(self) -> None:
        frame = self.frame
        self.seen = None if frame.numbers is None else hashes.Kept()
        of_numbers = None if self.kind == Primitive.STRING else self.seen  # of text, the lengths are the numbers
        self.numbers = None if frame.numbers is None else Bins(frame.numbers, self.kind, of_numbers)
        self.listed = _as_texts(frame.values.values if frame.values is not None else ())
        self.times = np.zeros(len(self.listed), dtype=np.int64)
        self.shapes = _as_texts(frame.shapes or ())
        self.shape_times = np.zeros(len(self.shapes), dtype=np.int64)

    def take(self, values: pa.Array | None, rows: int) -> None:
        """Counts a batch's values; None are `rows` missing ones."""
        if values is None:
            self.nulls += rows
            return
        self.nulls += values.null_count
        if (self.frame.numbers is None and self.frame.values is None) or values.null_count == rows:
            return
        present = values.drop_null() if values.null_count else values
        if self.kind == Primitive.STRING:
            self._texts(present)
        elif self.kind == Primitive.BOOLEAN:
            self._truths(present)
        elif self.numbers is not None:
            self.numbers.column(present)

    def profile(self) -> ColumnProfile:
        """What was counted so far."""
        frame = self.frame
        return ColumnProfile(
            frame,
            self.nulls,
            None if self.numbers is None else self.numbers.counts(),
            None if frame.values is None else ValueCounts(tuple(self.times.tolist()), self.others),
            withheld=self.is_withheld,
            shapes=None if frame.shapes is None else ValueCounts(tuple(self.shape_times.tolist()), self.shape_others),
            distinct=None if self.seen is None else self.seen.distinct(),
        )

    def _texts(self, present: pa.Array) -> None:
        if not isinstance(present, pa.DictionaryArray):
            if self.frame.values is None:
                self._known(present, None)
                if self.numbers is not None:
                    self.numbers.column(present)
                return
            present = present.dictionary_encode()
        entries = present.dictionary.cast(pa.string())
        times = np.bincount(column.plain(present.indices), minlength=len(entries))
        if self.frame.values is not None:
            self._listed(entries, times)
        self._known(entries, times)
        if self.numbers is not None:
            self.numbers.weighted(column.of_column(entries, self.kind), times)

    def _known(self, texts: pa.StringArray, times: Numbers | None) -> None:
        """Counts different texts and shapes, of texts that stand for so many rows each, or for one."""
        found = hashes.of_texts(texts)
        if self.seen is not None:
            self.seen.take(found, times)
        if self.frame.shapes is None:
            return
        if self.frame.every > 1:
            chosen = np.flatnonzero(found % np.uint64(self.frame.every) == 0)
            texts, times = texts.take(column.as_places(chosen)), None if times is None else times[chosen]
        listed, others = shapes.counted(texts, times, self.shapes)
        self.shape_times += listed
        self.shape_others += others

    def _listed(self, entries: pa.Array, times: Numbers) -> None:
        places = pc.index_in(self.listed, value_set=entries)
        of_listed = times[column.plain(places.drop_null())]
        self.times[column.plain(pc.indices_nonzero(places.is_valid()))] += of_listed
        self.others += int(times.sum() - of_listed.sum())

    def _truths(self, present: pa.Array) -> None:
        true = present.true_count
        counts = {"true": true, "false": len(present) - true}
        listed = np.array([counts.get(value, 0) for value in self.listed.to_pylist()], dtype=np.int64)
        self.times += listed
        self.others += len(present) - int(listed.sum())


def _as_texts(values: Sequence[str]) -> pa.Array:
    """Texts as Arrow's. `pyarrow.array` would load pandas where it is installed."""
    parts = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, parts)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(parts), pa.py_buffer(ends), pa.py_buffer(b"".join(parts)))
