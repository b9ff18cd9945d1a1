"""A Parquet file without some of its rows, under the same size to the byte.

Rules:

1. What readers may rely on stays: columns, types, compression, dictionaries, row groups, order, key-value metadata. A
   column that has no bounds gets none; bloom filters, which tell of values that are gone, are not made again.
2. Zeros before the data make the file as large as it was. Nothing refers to them. No column
   begins where one began before: a reader of another program that took the old footer and reads the new file by it, in
   the moment of the renaming, finds no page there and fails, instead of taking one column for another. (Where the file
   has an index of pages, the zeros follow the data.)
3. A file that grew all the same – fewer rows may be harder to compress: numbers in a row with gaps – is written again
   with more effort, each column as it became smallest; then numbers as differences or byte by byte; at last without
   bounds. If that is not enough, nothing is changed.
4. Columns that are encrypted stay so, under the key that they had. The footer of such a file is signed, and says of
   those columns in cipher where they begin: it is written once more behind zeros, as nobody can move it.
5. Row groups are read and written one at a time, and what is moved is moved a piece at a time: a file may be larger
   than memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from lastro.engine.encrypted import Sealing, carrying, metadata, note_of, opened, sealing_of
from lastro.model.errors import StoreError
from lastro.model.text import _
from lastro.store.erasure import footer
from lastro.store.erasure.finding import Doomed, stays
from lastro.store.erasure.types import flat

_CODECS = {"UNCOMPRESSED": "NONE", "LZ4_RAW": "LZ4"}
_EFFORTS = (2, 9, 19)
_PAGE_BYTES, _PAGE_ROWS = 8 << 20, 200_000
_MAGIC = b"PAR1"
_PIECE = 8 << 20
_PACKED = {
    "INT32": "DELTA_BINARY_PACKED",
    "INT64": "DELTA_BINARY_PACKED",
    "FLOAT": "BYTE_STREAM_SPLIT",
    "DOUBLE": "BYTE_STREAM_SPLIT",
}
_PLACE_BYTES = 24
"""So much longer a column's part of the footer becomes at most, if it says of greater places."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is written, by column paths; `levels` are those of zstd, where they are not its own."""

    codecs: dict[str, str]
    dictionaries: list[str]
    bounded: list[str]
    indexed: bool
    legacy_moments: bool
    whole_decimals: bool
    keeps_schema: bool
    notes: dict[bytes, bytes]
    """Key-value metadata, where the writer does not take it from the schema."""
    levels: dict[str, int] = field(default_factory=dict)
    encodings: dict[str, str] = field(default_factory=dict)
    """Of columns without a dictionary, where they are not plain."""

    def options(self) -> dict[str, Any]:  # Any: what `pyarrow.parquet.ParquetWriter` takes
        """The writer's options."""
        # Without an index nothing depends on pages; larger ones compress better, so that hardly a file grows.
        pages = {} if self.indexed else {"data_page_size": _PAGE_BYTES, "max_rows_per_page": _PAGE_ROWS}
        return {
            "compression": self.codecs or "NONE",
            "compression_level": self.levels or None,
            "use_dictionary": self.dictionaries or False,
            "column_encoding": self.encodings or None,
            "write_statistics": self.bounded or False,
            "write_page_index": self.indexed and bool(self.bounded),
            "use_deprecated_int96_timestamps": self.legacy_moments,
            "store_decimal_as_integer": self.whole_decimals,
            "store_schema": self.keeps_schema,
            **pages,
        }


@dataclass(frozen=True, slots=True)
class _Work:
    """A file that is read, where it goes, which rows do not, and how its columns are encrypted."""

    file: pq.ParquetFile
    target: Path
    doomed: Doomed
    sealing: Sealing | None


def rewrite(source: Path, target: Path, doomed: Doomed) -> int:
    """Writes `source` without the rows that go to `target`, at the same size; returns how many rows stay.

    Raises `StoreError` if that cannot be done, `OSError`.
    """
    size = source.stat().st_size
    try:
        sealing = sealing_of([source])
        target = carrying(target, sealing)
        with opened(source, coerce_int96_timestamp_unit="us") as file:
            work = _Work(file, target, doomed, sealing)
            for rows, layout in _attempts(work):
                if sealing is not None and (begin := _beginning(target, size, file.metadata)):
                    _write(work, layout, begin=begin)
                if fit(target, size, file.metadata):
                    return rows
    except pa.ArrowException as error:
        target.unlink(missing_ok=True)
        raise StoreError(
            _("data file {name} cannot be written anew").format(name=source.name),
            where=str(source),
            do=_("overwrite the dataset, collect the old versions, and erase again"),
            state=_("nothing was erased"),
        ) from error
    target.unlink(missing_ok=True)
    raise StoreError(
        _("data file {name} would grow, though rows leave it").format(name=source.name),
        where=str(source),
        do=_("overwrite the dataset, collect the old versions, and erase again"),
        state=_("nothing was erased"),
    )


def fit(path: Path, size: int, before: pq.FileMetaData) -> bool:
    """Makes a Parquet file as large as `size`; false, and nothing is changed, if it is too large for that. No column
    begins where one did `before`.

    Raises `ValueError` if it is no plain Parquet file.
    """
    found = path.stat().st_size
    last = _footer(path, found)
    data = found - len(_MAGIC) - len(last) - 8
    gap = size - found
    try:
        most = gap - (len(footer.moved(last, max(gap, 0))) - len(last))
        by = _apart(_starts(before), _starts(metadata(path)), most)
        last = footer.moved(last, by) if by > 0 else b""
    except ValueError:  # an index of pages, which holds places, too: the data stay where they are
        by = 0
    rest = size - data - len(last) - by - 12
    if rest < 0 or not last:
        return False
    with path.open("r+b") as stream:
        _move(stream, len(_MAGIC), data, by)
        stream.seek(len(_MAGIC))
        stream.write(bytes(by))
        stream.seek(data, os.SEEK_CUR)
        stream.writelines((bytes(rest), last, len(last).to_bytes(4, "little"), _MAGIC))
    return True


def _footer(path: Path, size: int) -> bytes:
    """What stands between the data and the last eight bytes. Raises `ValueError` if it is no plain Parquet file."""
    with path.open("rb") as stream:
        stream.seek(max(size - 8, 0))
        length = stream.read(4)
        if stream.read() != _MAGIC:
            raise ValueError("not a plain Parquet file")
        stream.seek(size - 8 - int.from_bytes(length, "little"))
        return stream.read(int.from_bytes(length, "little"))


def _move(stream: BinaryIO, start: int, count: int, by: int) -> None:
    """Moves bytes of a file further back within it, from the last to the first, a piece at a time."""
    for at in range(start + (count - 1) // _PIECE * _PIECE, start - 1, -_PIECE) if by and count else ():
        stream.seek(at)
        piece = stream.read(min(_PIECE, start + count - at))
        stream.seek(at + by)
        stream.write(piece)


def _beginning(path: Path, size: int, before: pq.FileMetaData) -> int:
    """Behind how many zeros the rows of a file are to be written once more, so that no column begins where one did; 0
    if there is no room for that.
    """
    found = metadata(path)
    growth = _PLACE_BYTES * found.num_row_groups * found.num_columns
    return _apart(_starts(before), _starts(found), size - path.stat().st_size - growth)


def _apart(before: set[int], after: set[int], most: int) -> int:
    """The greatest distance up to `most` by which no start of after comes to lie on one of before, or 0."""
    return next((by for by in range(most, 0, -1) if before.isdisjoint({start + by for start in after})), 0)


def _starts(before: pq.FileMetaData) -> set[int]:
    """Where the columns' data begin."""
    groups = [before.row_group(number) for number in range(before.num_row_groups)]
    columns = [group.column(at) for group in groups for at in range(group.num_columns)]
    return {
        min(column.dictionary_page_offset or column.data_page_offset, column.data_page_offset) for column in columns
    }


def layout_of(file: pq.ParquetFile) -> Layout:
    """How a file was written."""
    columns = [
        group.column(at)
        for group in (file.metadata.row_group(number) for number in range(file.num_row_groups))
        for at in range(group.num_columns)
    ]
    physical = {column.physical_type for column in columns}
    decimals = {
        column.physical_type
        for at in range(len(file.schema))
        if (column := file.schema.column(at)).logical_type.type == "DECIMAL"
    }
    notes = file.metadata.metadata or {}
    keeps_schema = b"ARROW:schema" in notes
    return Layout(
        codecs={column.path_in_schema: _CODECS.get(column.compression, column.compression) for column in columns},
        dictionaries=_paths(columns, lambda column: any("DICTIONARY" in each for each in column.encodings)),
        bounded=_paths(columns, lambda column: column.is_stats_set),
        indexed=any(column.has_column_index for column in columns),
        legacy_moments="INT96" in physical,
        whole_decimals=bool(decimals & {"INT32", "INT64"}),
        keeps_schema=keeps_schema,
        notes={} if keeps_schema else notes,
    )


def _attempts(work: _Work) -> Iterator[tuple[int, Layout]]:
    """Writes the rows that stay, with more and more effort; gives how many they are, and how it was done, each time."""
    first = layout_of(work.file)
    best: dict[str, tuple[int, str, int | None]] = {}
    for level in (None, *_EFFORTS):
        layout = first if level is None else harder(first, level)
        yield _write(work, layout), layout
        for path, size in _sizes(work.target).items():
            if path not in best or size < best[path][0]:
                best[path] = size, layout.codecs[path], layout.levels.get(path)
        if level is not None:
            chosen = replace(
                first,
                codecs={path: codec for path, (_size, codec, _level) in best.items()},
                levels={path: each for path, (_size, _codec, each) in best.items() if each is not None},
            )
            yield _write(work, chosen), chosen
    packed = packed_numbers(work.file, chosen)
    unbounded = replace(chosen, bounded=[], indexed=False)
    packed_unbounded = replace(packed, bounded=[], indexed=False)
    last = replace(unbounded, dictionaries=list(first.codecs))
    for layout in (packed, packed_unbounded, unbounded, last):
        yield _write(work, layout), layout


def harder(layout: Layout, level: int) -> Layout:
    """The same with this level of zstd throughout."""
    return replace(layout, codecs=dict.fromkeys(layout.codecs, "ZSTD"), levels=dict.fromkeys(layout.codecs, level))


def packed_numbers(file: pq.ParquetFile, layout: Layout) -> Layout:
    """The same with numbers that have no dictionary as differences, or byte by byte."""
    columns = [file.schema.column(at) for at in range(len(file.schema))]
    plain = [column for column in columns if column.path not in layout.dictionaries]
    encodings = {column.path: _PACKED[column.physical_type] for column in plain if column.physical_type in _PACKED}
    return replace(layout, encodings=encodings)


def _sizes(path: Path) -> dict[str, int]:
    """The bytes of each column of a file."""
    found: dict[str, int] = {}
    footer = metadata(path)
    for group in (footer.row_group(number) for number in range(footer.num_row_groups)):
        for column in (group.column(at) for at in range(group.num_columns)):
            found[column.path_in_schema] = found.get(column.path_in_schema, 0) + column.total_compressed_size
    return found


def _write(work: _Work, layout: Layout, *, begin: int = 0) -> int:
    """Writes the rows that stay, behind `begin` zeros; gives how many they are."""
    file = work.file
    schema = flat(file.schema_arrow.empty_table()).schema
    note = note_of(file.metadata)
    how = None if work.sealing is None else work.sealing.keys.encryption(note.columns, note.key)
    rows = 0
    with (
        pa.OSFile(str(work.target), "wb") as sink,
        pq.ParquetWriter(sink, schema, encryption_properties=how, **layout.options()) as writer,
    ):
        sink.write(bytes(begin))  # the writer wrote the magic bytes, and asks for its place before each column
        for group in range(file.num_row_groups):
            table = flat(file.read_row_group(group, use_threads=False))
            kept = pa.Table.from_batches(
                [batch.filter(stays(work.doomed, batch)) for batch in table.to_batches()], table.schema
            )
            if kept.num_rows:
                writer.write_table(kept.combine_chunks(), row_group_size=kept.num_rows)
            rows += kept.num_rows
        if layout.notes:
            writer.add_key_value_metadata(layout.notes)
    return rows


def _paths(columns: list[Any], test: Any) -> list[str]:  # Any: pyarrow column metadata, and what is asked of it
    return list(dict.fromkeys(column.path_in_schema for column in columns if test(column)))
