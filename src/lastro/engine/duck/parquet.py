"""Writing Parquet: equal rows give equal bytes, in files and row groups of bounded size.

Rules:

1. Batches are cut anew: a row group has `GROUP_ROWS` rows, or fewer where rows are long, whatever batches they came in.
   Cuts fall on multiples of `STEP_ROWS`, and depend on the rows alone.
2. A file ends at `FILE_ROWS` rows or about `FILE_BYTES`, so that an upsert rewrites a part of a table, not all of it.
3. A column gets a dictionary if the first row group shows that it has few values: building one in vain costs more than
   all compression.
4. The writer of a file that failed removes it.
5. Columns that are `silent` have no statistics in the file: their smallest and largest values stand nowhere beside the
   rows. A file that is written anew keeps silent what was silent. Encrypted columns (`sealing`) are silent, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lastro.engine.duck.arrow import conform
from lastro.engine.duck.failure import write_failed
from lastro.engine.encrypted import NOTE, Note, Sealing, carrying, metadata, opened
from lastro.engine.protocol import StagedFile

GROUP_ROWS = 122_880
STEP_ROWS = 2_048
GROUP_BYTES = 64 << 20
BATCH_ROWS = 30_720
FILE_ROWS = 40 * GROUP_ROWS
FILE_BYTES = 256 << 20
DICTIONARY_SHARE = 0.05
"""A dictionary pays if at most this share of a row group's values differ."""
COMPRESSION, LEVEL = "zstd", 1


class Writer:
    """Writes batches of one schema (the first's, if not given) into files `<stem>-00000.parquet`, … of a folder.

    To be used as a context; `files` are complete after it. Raises `WriteFailed`.
    """

    def __init__(
        self,
        folder: Path,
        stem: str,
        *,
        schema: pa.Schema | None = None,
        silent: Collection[str] = (),
        sealing: Sealing | None = None,
    ) -> None:
        self._folder, self._stem, self._schema, self._silent = folder, stem, schema, frozenset(silent)
        self._sealing = sealing
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = self._waiting_bytes = 0
        self._sink: pa.NativeFile | None = None
        self._writer: pq.ParquetWriter | None = None
        self._path = folder
        self._rows = 0
        self._dictionaries: list[str] | None = None
        self.files: list[StagedFile] = []

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        if self._writer is not None:
            with suppress(OSError, pa.ArrowException):  # the first error is on its way; the file goes anyway
                self._writer.close()
            self._close_sink()
            self._path.unlink(missing_ok=True)

    def write(self, batch: pa.RecordBatch) -> None:
        """Takes a batch; row groups are written as they fill."""
        self._schema = self._schema or batch.schema
        batch = conform(batch, self._schema)
        offset = 0
        while offset < batch.num_rows:
            piece = batch.slice(offset, STEP_ROWS - self._waiting_rows % STEP_ROWS)
            self._waiting.append(piece)
            self._waiting_rows += piece.num_rows
            self._waiting_bytes += piece.nbytes
            offset += piece.num_rows
            whole = self._waiting_rows % STEP_ROWS == 0
            if whole and (self._waiting_rows >= GROUP_ROWS or self._waiting_bytes >= GROUP_BYTES):
                self._write_group()

    def close(self) -> None:
        """Writes what waits and ends the last file."""
        if self._waiting:
            self._write_group()
        self._end_file()

    def _write_group(self) -> None:
        group = pa.Table.from_batches(self._waiting, self._schema).combine_chunks()
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0
        try:
            writer = self._writer or self._begin_file(group)
            writer.write_table(group, row_group_size=group.num_rows)
            self._rows += group.num_rows
            if self._rows >= FILE_ROWS or (self._sink is not None and self._sink.tell() >= FILE_BYTES):
                self._end_file()
        except OSError as error:
            raise write_failed(error, str(self._folder)) from error

    def _begin_file(self, first: pa.Table) -> pq.ParquetWriter:
        if self._dictionaries is None:
            self._dictionaries = [name for name in first.column_names if _repeats(first.column(name))]
        self._path = carrying(self._folder / f"{self._stem}-{len(self.files):05d}.parquet", self._sealing)
        sealing = self._sealing
        note = Note() if sealing is None else sealing.note(first.column_names)
        how = sealing.keys.encryption(note.columns, note.key) if sealing is not None and note.columns else None
        self._sink = pa.OSFile(str(self._path), "wb")
        self._writer = pq.ParquetWriter(
            self._sink,
            self._schema,
            compression=COMPRESSION,
            compression_level=LEVEL,
            use_dictionary=self._dictionaries or False,
            write_statistics=_told(first.schema, self._silent | frozenset(note.columns)),
            store_schema=False,
            encryption_properties=how,
        )
        if note.columns:
            self._writer.add_key_value_metadata({NOTE: note.encode()})
        return self._writer

    def _end_file(self) -> None:
        if self._writer is None:
            return
        try:
            self._writer.close()
            self._close_sink()
        except OSError as error:
            raise write_failed(error, str(self._folder)) from error
        self.files.append(StagedFile(self._path, self._rows))
        self._writer, self._rows = None, 0

    def _close_sink(self) -> None:
        if self._sink is not None:
            self._sink.close()
            self._sink = None


def silent_in(paths: Sequence[Path]) -> frozenset[str]:
    """The columns of which one of our own files has no statistics."""
    found = set()
    for path in paths:
        footer = metadata(path)
        for group in (footer.row_group(index) for index in range(footer.num_row_groups)):
            chunks = (group.column(index) for index in range(group.num_columns))
            found |= {chunk.path_in_schema.split(".")[0] for chunk in chunks if not chunk.is_stats_set}
    return frozenset(found)


def _told(schema: pa.Schema, silent: frozenset[str]) -> bool | list[str]:
    """The leaves of which statistics are written."""
    if not silent & set(schema.names):
        return True
    return [leaf for field in schema if field.name not in silent for leaf in leaves(field.name, field.type)]


def leaves(path: str, kind: pa.DataType) -> Iterator[str]:
    """The paths in Parquet of the columns that a column of this type is stored as."""
    if pa.types.is_struct(kind):
        for field in kind:
            yield from leaves(f"{path}.{field.name}", field.type)
    elif pa.types.is_map(kind):
        yield from leaves(f"{path}.key_value.key", kind.key_type)
        yield from leaves(f"{path}.key_value.value", kind.item_type)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from leaves(f"{path}.list.element", kind.value_type)
    else:
        yield path


def without(file: StagedFile, rows: np.ndarray[tuple[int], np.dtype[np.int64]], writer: Writer) -> None:
    """Writes the file's rows to `writer`, all but those numbered in `rows` (sorted, from 0)."""
    start = 0
    for batch in batches(file.path):
        mine = rows[(rows >= start) & (rows < start + batch.num_rows)] - start
        start += batch.num_rows
        if len(mine):
            stays = np.ones(batch.num_rows, dtype=bool)
            stays[mine] = False
            writer.write(batch.filter(pa.array(stays)))
        else:
            writer.write(batch)


def batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The rows of one of our own files, in batches of bounded size, without reading the whole file ahead."""
    with opened(path) as file:
        yield from file.iter_batches(BATCH_ROWS, use_threads=False)


def _repeats(column: pa.ChunkedArray) -> bool:
    if any(test(column.type) for test in (pa.types.is_nested, pa.types.is_boolean, pa.types.is_null)):
        return False
    return bool(pc.count_distinct(column).as_py() <= max(16, len(column) * DICTIONARY_SHARE))
