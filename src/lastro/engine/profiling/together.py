"""Counting what columns have to do with each other, a batch at a time (`model.together`).

Rules:

1. Levels are found by comparing with every cut: that costs less than to look for each number among the cuts.
2. Products are summed as small blocks of floats, in which every sum is exact: larger ones would be given to threads
   that cost more than they bring, and would round.
3. Rows in which two columns are missing are the bits that both bitmaps have.
4. Levels are found in all rows, or, if there is a column of which hardly a value recurs, in those that the hash of its
   value chooses: many still, and the same ones on every engine, however the rows are divided among files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lastro.engine.profiling import hashes
from lastro.engine.profiling import numbers as column
from lastro.engine.profiling.numbers import Numbers, Scale
from lastro.model.profile import ColumnFrame, Frame
from lastro.model.schema import Decimal, Primitive, Schema, Type
from lastro.model.together import LEVELLED_MAX, LEVELS, MISSING_MAX, Levels, Matrix, Together

BLOCK_ROWS = 1_024
_ORDERED = column.WHOLE | column.FLOATS | column.MOMENTS | {Primitive.DATE, Primitive.BOOLEAN}


class Pairs:
    """Sums over pairs of columns, as batches come."""

    def __init__(self, schema: Schema, frame: Frame) -> None:
        self._missing = schema.names[:MISSING_MAX]
        self._absent = np.zeros((len(self._missing), len(self._missing)), dtype=np.int64)
        levelled = [_Levelled.of_frame(each.name, each.type, frame[each.name]) for each in schema.fields]
        self._levelled = [each for each in levelled if each is not None][:LEVELLED_MAX]
        self._chooser = _chooser(schema, frame)
        self._sums = np.zeros((4, len(self._levelled), len(self._levelled)), dtype=np.int64)

    def take(self, batch: pa.RecordBatch) -> None:
        """Counts a batch's rows."""
        if not batch.num_rows:
            return
        self._count_missing(batch)
        if len(self._levelled) > 1:
            self._sum_levels(
                batch if self._chooser is None else self._chooser.chosen(batch, [each.name for each in self._levelled])
            )

    def together(self) -> Together:
        """What was counted so far."""
        names = tuple(each.name for each in self._levelled)
        rows, sums, squares, products = (_matrix(each) for each in self._sums)
        return Together(tuple(self._missing), _matrix(self._absent), Levels(names, rows, sums, squares, products))

    def _count_missing(self, batch: pa.RecordBatch) -> None:
        """Rule 3; the diagonal is what is missing of each."""
        places, maps = [], []
        names = set(batch.schema.names)
        for place, name in enumerate(self._missing):
            if name not in names:
                maps.append(np.packbits(np.ones(batch.num_rows, dtype=bool)))
            elif batch.column(name).null_count:
                maps.append(np.packbits(column.truths(batch.column(name).is_null())))
            else:
                continue
            places.append(place)
        for first, (one, bits) in enumerate(zip(places, maps, strict=True)):
            for two, others in zip(places[first:], maps[first:], strict=True):
                both = int(np.bitwise_count(bits & others).sum())
                self._absent[one, two] += both
                if one != two:
                    self._absent[two, one] += both

    def _sum_levels(self, batch: pa.RecordBatch) -> None:
        """Rule 2. Levels of missing values are 0; columns that miss some have a row of ones for those they have."""
        rows, count = batch.num_rows, len(self._levelled)
        if not rows:
            return
        found = [each.of(batch) for each in self._levelled]
        missing = [place for place, (_levels, absent) in enumerate(found) if absent is not None]
        padded = -(-rows // BLOCK_ROWS) * BLOCK_ROWS
        stacked = np.zeros((count + len(missing), padded), dtype=np.float32)
        for place, (levels, absent) in enumerate(found):
            stacked[place, :rows] = levels
            if absent is not None:
                stacked[place, :rows][absent] = 0
                stacked[count + missing.index(place), :rows] = ~absent
        both = _products(stacked, stacked)
        sums = np.repeat(stacked[:count].sum(axis=1, dtype=np.float64).astype(np.int64)[:, None], count, axis=1)
        squares = np.repeat(np.diagonal(both)[:count, None], count, axis=1)
        present = np.full((count, count), rows, dtype=np.int64)
        if missing:
            has = both[count:, count:]
            sums[:, missing] = both[:count, count:]
            squares[:, missing] = _products(np.square(stacked[:count]), stacked[count:])
            present[:, missing] = np.diagonal(has)
            present[missing, :] = np.diagonal(has)[:, None]
            present[np.ix_(missing, missing)] = has
        self._sums += np.stack((present, sums, squares, both[:count, :count]))


@dataclass(frozen=True, slots=True)
class _Chooser:
    """Chooses rows by the hash of a column's value in them."""

    name: str
    kind: Type
    every: int

    def chosen(self, batch: pa.RecordBatch, names: Sequence[str]) -> pa.RecordBatch:
        """These columns of the rows that were chosen; of none in which the column is missing."""
        if self.name not in batch.schema.names:
            return batch.slice(0, 0)
        values = batch.column(self.name)
        is_there = column.truths(values.is_valid())
        if self.kind == Primitive.STRING:
            found = hashes.of_texts(values.cast(pa.string()))
        else:
            numbers = _numbers(values, self.kind)
            is_there = is_there & (numbers == numbers)
            found = hashes.of_numbers(numbers)
        chosen = is_there & (found % np.uint64(self.every) == 0)
        return batch.select([name for name in names if name in batch.schema.names]).take(
            column.as_places(np.flatnonzero(chosen))
        )


def _chooser(schema: Schema, frame: Frame) -> _Chooser | None:
    """The first column of which hardly a value recurs, one that is no text if there is any."""
    kinds = [each for each in schema.fields if frame[each.name].every > 1]
    found = min(kinds, key=lambda each: each.type == Primitive.STRING, default=None)
    return None if found is None else _Chooser(found.name, found.type, frame[found.name].every)


@dataclass(frozen=True, slots=True)
class _Levelled:
    """A column that may be put on levels."""

    name: str
    kind: Type
    cuts: Numbers

    @classmethod
    def of_frame(cls, name: str, kind: Type, frame: ColumnFrame) -> _Levelled | None:
        """None if the column has no order, or only one level."""
        if not (isinstance(kind, Decimal) or kind in _ORDERED):
            return None
        if kind == Primitive.BOOLEAN:
            return cls(name, kind, np.zeros(1)) if frame.values is not None else None
        if frame.numbers is None:
            return None
        edges = Scale.of(frame.numbers, kind).edges
        return cls(name, kind, _cuts(edges, single=frame.numbers.single))

    def of(self, batch: pa.RecordBatch) -> tuple[Numbers, Numbers | None]:
        """The level of each row, and where there is none; None if all rows have one."""
        if self.name not in batch.schema.names:
            return np.zeros(batch.num_rows, dtype=np.uint8), np.ones(batch.num_rows, dtype=bool)
        values = batch.column(self.name)
        absent = column.truths(values.is_null()) if values.null_count else None
        if self.kind == Primitive.BOOLEAN:
            return column.plain(values.fill_null(column.zero(values.type)).cast(pa.uint8())), absent
        numbers = _numbers(values, self.kind)
        if numbers.dtype.kind == "f":
            nans = np.isnan(numbers)
            absent = nans if absent is None else absent | nans
            absent = absent if absent.any() else None
        return _levels(numbers, self.cuts), absent


def _numbers(values: pa.Array, kind: Type) -> Numbers:
    """The numbers of a column, and anything where they are missing."""
    if isinstance(kind, Decimal):
        values, kind = values.cast(pa.float64()), Primitive.DOUBLE
    if values.null_count:
        values = values.fill_null(column.zero(values.type))
    return column.of_column(values, kind)


def _cuts(edges: Numbers, *, single: bool) -> Numbers:
    """Between which numbers a level ends; evenly among the edges, which are about as evenly among the numbers."""
    inner = edges[:-1] if single else edges
    if len(inner) < LEVELS:
        return inner
    return inner[np.unique(np.linspace(0, len(inner) - 1, LEVELS + 1).round().astype(np.int64)[1:-1])]


def _levels(numbers: Numbers, cuts: Numbers) -> Numbers:
    """How many cuts lie below each number."""
    found = np.zeros(len(numbers), dtype=np.uint8)
    above = np.empty(len(numbers), dtype=bool)
    limits = np.iinfo(numbers.dtype) if numbers.dtype.kind == "i" else None
    for cut in cuts:
        if limits is not None and not limits.min <= cut <= limits.max:
            found += cut < limits.min
            continue
        np.greater(numbers, numbers.dtype.type(cut), out=above)
        found += above
    return found


def _products(one: Numbers, two: Numbers) -> Numbers:
    """The sums of the products of every row of one with every row of the other, exactly."""
    first, second = (each.reshape(len(each), -1, BLOCK_ROWS).transpose(1, 0, 2) for each in (one, two))
    sums: Numbers = np.matmul(first, second.transpose(0, 2, 1)).sum(axis=0, dtype=np.float64).astype(np.int64)
    return sums


def _matrix(sums: Numbers) -> Matrix:
    return tuple(map(tuple, sums.tolist()))
