"""Rows that a stage set aside, taken up once more: as a scan of their own, and put back in their places afterwards.

Rules:

1. Only whole records (`form` = `raw`) are taken up, those that broke one of the given rules.
2. Each value is read as it stands in the record. Where the source told types, it has them again: what was a number in
   the source is cast as a number, not as the text of one.
3. Rows that are refused once more keep the source and position at which they were found.
4. Records stream: of each row only its place is held in memory.
5. Records may be restated before they are set aside: their text and form, never their place.
6. Where records were protected, `opened` turns them back as they are read, and nothing that it gives is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lastro.engine import reordered
from lastro.engine.duck.arrow import arrow_type
from lastro.engine.duck.aside import marks
from lastro.engine.duck.parquet import Writer, batches, silent_in
from lastro.engine.encrypted import metadata
from lastro.engine.protocol import StagedFile
from lastro.engine.scan import StreamScan
from lastro.model.schema import Decimal, Primitive, Schema, Type

RECORDS = pa.schema([pa.field("record", pa.string())])
Opening = Callable[[pa.RecordBatch], pa.RecordBatch]
Positions = np.ndarray[tuple[int], np.dtype[np.int64]]


class Returned:
    """The rows of quarantine `files` that broke one of `rules`, the first `rows_max` or all of them.

    `scan` may be asked for again, once the last was read.
    """

    def __init__(
        self,
        files: Sequence[StagedFile],
        rules: frozenset[str],
        *,
        typed: Schema | None = None,
        rows_max: int | None = None,
        opened: Opening | None = None,
    ) -> None:
        self._opened = opened
        self._rows_max = rows_max
        self._files = tuple(file.path for file in files)
        self._rules = rules
        self._typed = typed
        self._sources: list[pa.Array] = []
        self._positions: list[Positions] = []

    def scan(self, label: str) -> StreamScan:
        """The rows as a stream: of JSON objects, or of the source's columns where these have types."""
        self._sources, self._positions = [], []
        if self._typed is None:
            reader = pa.RecordBatchReader.from_batches(RECORDS, self._records())
            return StreamScan(reader, label, records=True)
        schema = pa.schema([pa.field(field.name, _arrow(field.type)) for field in self._typed.fields])
        return StreamScan(pa.RecordBatchReader.from_batches(schema, self._columns(schema, self._typed)), label)

    def texts(self) -> Iterator[str]:
        """The records, one after another."""
        for batch, mask in self._taken():
            yield from batch.column("record").filter(mask).to_pylist()

    def rules(self) -> Mapping[str, int]:
        """How many of the rows broke each rule."""
        found: Counter[str] = Counter()
        for batch, mask in self._taken():
            for name, count in _counted(batch.column("rules").filter(mask).flatten()):
                found[name] += count
        return found

    def others(self, folder: Path, stem: str) -> list[StagedFile]:
        """New files with the rows that are not taken up."""
        with Writer(folder, stem, silent=silent_in(self._files)) as writer:
            for path in self._files:
                for batch in batches(path):
                    writer.write(batch.filter(pc.invert(self._mask(batch))))
        return writer.files

    def placed(self, files: Sequence[StagedFile], folder: Path, stem: str) -> list[StagedFile]:
        """New files with the rows of `files`, which a stage of `scan` set aside, under their first places."""
        if not files:
            return []
        sources = pa.chunked_array(self._sources, pa.string()).combine_chunks()
        return moved(files, sources, np.concatenate(self._positions), folder, stem)

    def ordinals(self, starts: Mapping[str, int]) -> Positions:
        """The ordinals (see `reordered`) of the rows that the last scan gave, in its order."""
        found = [
            reordered.ordinals(starts, sources, positions)
            for sources, positions in zip(self._sources, self._positions, strict=True)
        ]
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)

    def _records(self) -> Iterator[pa.RecordBatch]:
        for batch, mask in self._taken():
            self._note(batch, mask)
            yield pa.RecordBatch.from_arrays([batch.column("record").filter(mask)], schema=RECORDS)

    def _columns(self, schema: pa.Schema, typed: Schema) -> Iterator[pa.RecordBatch]:
        decoder = msgspec.json.Decoder(dict[str, str | None])
        for batch, mask in self._taken():
            self._note(batch, mask)
            rows = [decoder.decode(text) for text in batch.column("record").filter(mask).to_pylist()]
            columns = [_values([row.get(field.name) for row in rows], field.type) for field in typed.fields]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def _note(self, batch: pa.RecordBatch, mask: pa.Array) -> None:
        self._sources.append(batch.column("source").filter(mask))
        self._positions.append(batch.column("position").filter(mask).to_numpy())

    def _taken(self) -> Iterator[tuple[pa.RecordBatch, pa.Array]]:
        taken = 0
        for path in self._files:
            for batch in batches(path):
                if self._rows_max is not None and taken >= self._rows_max:
                    return
                mask = self._mask(batch)
                taken += mask.true_count
                if mask.true_count:
                    yield (batch if self._opened is None else self._opened(batch)), mask

    def _mask(self, batch: pa.RecordBatch) -> pa.Array:
        rules = batch.column("rules")
        hit = pc.is_in(rules.flatten(), pa.array(sorted(self._rules), pa.string())).to_numpy(zero_copy_only=False)
        rows = pc.list_parent_indices(rules).to_numpy()[hit]
        mask = np.zeros(batch.num_rows, dtype=bool)
        mask[rows] = True
        return pc.and_(pa.array(mask), pc.equal(batch.column("form"), "raw"))


def moved(
    files: Sequence[StagedFile], sources: pa.Array, positions: Positions, folder: Path, stem: str
) -> list[StagedFile]:
    """New files with set-aside rows, whose position says which of these sources and positions is their place."""
    with Writer(folder, stem, silent=silent_in([file.path for file in files])) as writer:
        for file in files:
            for batch in batches(file.path):
                at = batch.column("position").to_numpy() - 1
                places = {"source": sources.take(pa.array(at)), "position": pa.array(positions[at])}
                columns = [places.get(name, batch.column(name)) for name in batch.schema.names]
                writer.write(pa.RecordBatch.from_arrays(columns, schema=batch.schema))
    return writer.files


def restated(
    files: Sequence[StagedFile], mend: Callable[[str, str], tuple[str, str]], folder: Path, stem: str
) -> list[StagedFile]:
    """New files with set-aside rows, each with the form and record that `mend` makes of its own."""
    with Writer(folder, stem, silent=silent_in([file.path for file in files])) as writer:
        for file in files:
            for batch in batches(file.path):
                made = map(mend, batch.column("form").to_pylist(), batch.column("record").to_pylist())
                forms, records = zip(*made, strict=True)
                columns = {"form": pa.array(forms, pa.string()), "record": pa.array(records, pa.string())}
                mended = [columns.get(name, batch.column(name)) for name in batch.schema.names]
                writer.write(pa.RecordBatch.from_arrays(mended, schema=batch.schema))
    return writer.files


def readdressed(
    files: Sequence[StagedFile], batch: str, source: Callable[[str], str], folder: Path, stem: str
) -> list[StagedFile]:
    """New files with set-aside rows, as rows of another batch, each source under the name that `source` gives it."""
    with Writer(folder, stem, silent=silent_in([file.path for file in files])) as writer:
        for file in files:
            for rows in batches(file.path):
                named = pa.array([source(label) for label in rows.column("source").to_pylist()], pa.string())
                columns = {"source": named, "batch": pa.repeat(pa.scalar(batch), rows.num_rows)}
                placed = [columns.get(name, rows.column(name)) for name in rows.schema.names]
                writer.write(pa.RecordBatch.from_arrays(placed, schema=rows.schema))
    return writer.files


def marked(places: Sequence[tuple[str, str, int]], key: str, folder: Path, stem: str) -> list[StagedFile]:
    """Files with marks, which count as of the commit `key`, for the rows at these batches, sources and positions."""
    with Writer(folder, stem) as writer:
        for start in range(0, len(places), reordered.ROWS):
            parts = zip(*places[start : start + reordered.ROWS], strict=True)
            writer.write(marks([pa.array(part) for part in parts], key))
    return writer.files


def texts_without_value(files: Iterable[StagedFile], text: str, value: str) -> Iterator[list[str]]:
    """The texts of one column where another has no value, batch by batch."""
    for file in files:
        for batch in batches(file.path):
            yield batch.column(text).filter(pc.is_null(batch.column(value))).drop_null().to_pylist()


def empty_columns(files: Sequence[StagedFile]) -> frozenset[str]:
    """The columns of which no row of staged files has a value, as their footers say; none if there are no rows."""
    found: frozenset[str] | None = None
    for file in files:
        footer = metadata(file.path)
        groups = [footer.row_group(index) for index in range(footer.num_row_groups)]
        places = ((index, footer.schema.column(index).path) for index in range(footer.num_columns))
        empty = frozenset(path for index, path in places if _is_empty(groups, index))
        found = empty if found is None else found & empty
    return found or frozenset()


def _is_empty(groups: Sequence[Any], index: int) -> bool:  # Any: pyarrow row groups
    statistics = [(group.column(index).statistics, group.num_rows) for group in groups]
    return all(found is not None and found.has_null_count and found.null_count == rows for found, rows in statistics)


def _counted(names: pa.Array) -> Iterator[tuple[str, int]]:
    for pair in pc.value_counts(names).to_pylist():
        yield pair["values"], pair["counts"]


def _is_plain(kind: Type) -> bool:
    return isinstance(kind, Decimal) or (isinstance(kind, Primitive) and kind is not Primitive.STRING)


def _arrow(kind: Type) -> pa.DataType:
    return arrow_type(kind) if _is_plain(kind) else pa.string()


def _values(texts: list[str | None], kind: Type) -> pa.Array:
    """The texts of a record's values in their type; lists and objects stay JSON text, which their cast reads."""
    if kind is Primitive.BINARY:
        return pa.array([None if text is None else bytes.fromhex(text) for text in texts], pa.binary())
    values = pa.array(texts, pa.string())
    return values.cast(arrow_type(kind)) if _is_plain(kind) else values
