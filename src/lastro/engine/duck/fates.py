"""What becomes of stored rows and of a batch's, row by row, and the files that this makes.

Rules:

1. A stored row stays, goes, or (in a history) ends at a moment. A file of which every row stays is not written anew.
2. A row of the batch joins or is left out. A file of which every row joins as it is stays as it is.
3. Rows keep their order; equal input gives equal bytes. Nothing is held but a few bytes for each row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lastro.engine.duck.arrow import arrow_type, conform, to_arrow
from lastro.engine.duck.parquet import Writer, batches, silent_in
from lastro.engine.duck.positions import Integers
from lastro.engine.encrypted import sealing_of
from lastro.engine.protocol import StagedFile
from lastro.model.merging import History, MergePlan
from lastro.model.schema import Schema

Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]
OPEN = -(1 << 62)
"""Stands for no end: no moment that a column can hold."""


@dataclass(slots=True)
class Stored:
    """The rows of one stored file. `until` holds the ends of those that end, in the unit of their type."""

    path: Path
    goes: Mask
    ends: Mask
    until: Integers | None = None
    bare: bool = False
    """True if the file has no columns of a history yet, though the table is to have one."""

    @classmethod
    def of(cls, path: Path, rows: int) -> Stored:
        """All rows stay."""
        return cls(path, np.zeros(rows, dtype=bool), np.zeros(rows, dtype=bool))

    @property
    def touched(self) -> bool:
        """True if the file must be written anew."""
        return self.bare or bool(self.goes.any() or self.ends.any())

    def end(self, rows: Integers, at: Integers | int) -> None:
        """Ends rows at moments."""
        if self.until is None:
            self.until = np.full(len(self.ends), OPEN, dtype=np.int64)
        self.ends[rows] = True
        self.until[rows] = at


@dataclass(slots=True)
class Batch:
    """The rows of the batch, numbered over all its files."""

    files: Sequence[StagedFile]
    skips: Mask = field(init=False)
    until: Integers = field(init=False)
    again: Mask = field(init=False)
    """Rows that begin at the merge's moment, whatever they say themselves."""

    def __post_init__(self) -> None:
        rows = sum(file.rows for file in self.files)
        self.skips, self.again = np.zeros(rows, dtype=bool), np.zeros(rows, dtype=bool)
        self.until = np.full(rows, OPEN, dtype=np.int64)

    @property
    def starts(self) -> list[int]:
        """The number of each file's first row."""
        return [0, *np.cumsum([file.rows for file in self.files])[:-1].tolist()] if self.files else []


def moment_value(moment: datetime | None, kind: pa.DataType) -> int:
    """A moment as the whole number that the column's type holds: days, or microseconds in UTC."""
    if moment is None:
        return OPEN
    plain = moment.astimezone(UTC).replace(tzinfo=None)
    if pa.types.is_date(kind):
        return (plain.date() - date(1970, 1, 1)).days
    return int(np.datetime64(plain, "us").astype(np.int64))


def rewrite(files: Sequence[Stored], schema: Schema, plan: MergePlan, folder: Path) -> tuple[StagedFile, ...]:
    """The rows that stay of files that are touched, in new files."""
    paths = [file.path for file in files]
    with Writer(
        folder, "rewritten", schema=to_arrow(schema), silent=silent_in(paths), sealing=sealing_of(paths)
    ) as writer:
        for file in files:
            start = 0
            for read in batches(file.path):
                place = slice(start, start + read.num_rows)
                start += read.num_rows
                rows = read if plan.history is None else _ended(read, file, place, schema, plan, plan.history)
                writer.write(rows.filter(pa.array(~file.goes[place])) if file.goes[place].any() else rows)
    return tuple(writer.files)


def _ended(
    batch: pa.RecordBatch, file: Stored, place: slice, schema: Schema, plan: MergePlan, history: History
) -> pa.RecordBatch:
    batch = conform(batch, to_arrow(schema))
    if file.bare:
        kind = arrow_type(schema.field(history.start).type)
        began = np.full(batch.num_rows, moment_value(plan.began, kind), dtype=np.int64)
        batch = _with(batch, history.start, _moments(began, kind))
        batch = _with(batch, history.current, pa.array(np.ones(batch.num_rows, dtype=bool)))
    if file.until is None or not file.ends[place].any():
        return batch
    kind = arrow_type(schema.field(history.end).type)
    ends = file.ends[place]
    began = batch.column(history.start).cast(kind).view(pa.int32() if pa.types.is_date(kind) else pa.int64())
    # A state that begins in the future and ends now never held: it ends where it begins.
    last = np.maximum(file.until[place], began.to_numpy(zero_copy_only=False))
    until = pc.if_else(pa.array(ends), _moments(last, kind), batch.column(history.end))
    current = pc.and_(batch.column(history.current), pa.array(~ends))
    return _with(_with(batch, history.end, until), history.current, current)


def join(batch: Batch, schema: Schema, plan: MergePlan, folder: Path) -> tuple[StagedFile, ...]:
    """The batch's rows that join, in the batch's own files where they all do."""
    found: list[StagedFile] = []
    for number, (file, start) in enumerate(zip(batch.files, batch.starts, strict=True)):
        skips = batch.skips[start : start + file.rows]
        if plan.history is None and not skips.any():
            found.append(file)
            continue
        if not skips.all():
            shape, silent = None if plan.history is None else to_arrow(schema), silent_in([file.path])
            sealing = sealing_of([file.path])
            with Writer(folder, f"joined-{number:05d}", schema=shape, silent=silent, sealing=sealing) as out:
                for rows in _joining(file, batch, start, schema, plan):
                    out.write(rows)
            found += out.files
        file.path.unlink()
    return tuple(found)


def _joining(file: StagedFile, batch: Batch, start: int, schema: Schema, plan: MergePlan) -> Iterator[pa.RecordBatch]:
    for read in batches(file.path):
        place = slice(start, start + read.num_rows)
        start += read.num_rows
        rows = read if plan.history is None else _begun(read, batch, place, schema, plan, plan.history)
        skips = batch.skips[place]
        yield rows.filter(pa.array(~skips)) if skips.any() else rows


def _begun(
    read: pa.RecordBatch, batch: Batch, place: slice, schema: Schema, plan: MergePlan, history: History
) -> pa.RecordBatch:
    rows = conform(read, to_arrow(schema))
    kind = arrow_type(schema.field(history.start).type)
    started = _moments(np.full(rows.num_rows, moment_value(plan.moment, kind), dtype=np.int64), kind)
    if history.effective is not None:
        given = rows.column(history.effective)
        started = pc.if_else(pa.array(batch.again[place]), started, given)
    until = batch.until[place]
    rows = _with(_with(rows, history.start, started), history.end, _moments(until, kind))
    return _with(rows, history.current, pa.array(until == OPEN))


def _moments(values: Integers, kind: pa.DataType) -> pa.Array:
    missing = values == OPEN
    plain = np.where(missing, 0, values)
    if pa.types.is_date(kind):
        return pa.array(plain.astype(np.int32), pa.int32(), mask=missing).view(kind)
    return pa.array(plain, pa.int64(), mask=missing).view(kind)


def _with(batch: pa.RecordBatch, name: str, column: pa.Array) -> pa.RecordBatch:
    place = batch.schema.get_field_index(name)
    return batch.set_column(place, batch.schema.field(place), column)
