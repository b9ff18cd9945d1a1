"""Scans: what a source hands to an engine. Nothing in them has been interpreted yet.

A `FileScan` is read by the engine itself, in a guarded child process. A `StreamScan` holds any object with
`__arrow_c_stream__` (a pyarrow reader, an ADBC result).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol


class ArrowStream(Protocol):
    """Anything that exports an Arrow C stream."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The stream as a PyCapsule."""
        ...


@dataclass(frozen=True, slots=True)
class Csv:
    """Delimited text. Every column arrives as text; `null_texts` are read as missing."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    header: bool = True
    encoding: str = "utf-8"
    null_texts: tuple[str, ...] = ("",)
    skip: int = 0
    columns: tuple[str, ...] | None = None
    """The columns' names, where there is no header line."""


@dataclass(frozen=True, slots=True)
class JsonLines:
    """JSON objects: one a line, or in an array, or one after another over several lines. Every field arrives as text
    (nested values as JSON text).
    """


@dataclass(frozen=True, slots=True)
class Parquet:
    """Apache Parquet; columns arrive with their types."""


@dataclass(frozen=True, slots=True)
class LineColumn:
    """A column made of one group of a line's pattern, by the group's number from 1.

    `how`: `text` (as it stands, missing if empty), `facility` and `severity` (the words a syslog priority stands for),
    `structured` (the structured data of RFC 5424 as JSON), `dated` (`Jan 31 13:55:36` as ISO 8601, with a year),
    `quoted` (perhaps between double quotes, with those inside doubled).
    """

    name: str
    group: int
    how: Literal["text", "facility", "severity", "structured", "dated", "quoted"] = "text"


@dataclass(frozen=True, slots=True)
class Joining:
    """Which lines belong to the record before them: those that match `pattern` (RE2), or, if it `starts` a record,
    those that do not. The lines of a record with more than `bytes_max` bytes are set aside one by one.
    """

    pattern: str
    starts: bool
    bytes_max: int = 1 << 20


@dataclass(frozen=True, slots=True)
class Pairs:
    """Lines of keys and values: `key=value key="quoted value"`, with `between` pairs and `within` one."""

    between: str = " "
    within: str = "="


@dataclass(frozen=True, slots=True)
class Moments:
    """How a column writes its moments, told by who knows: in strptime notation, or a word such as `epoch_ms`. It is
    tried first when a sample is looked at.
    """

    column: str
    format: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of text, each a record with a place in bytes, taken apart in one of three ways; all columns are text.

    By default by `pattern` (RE2 syntax): `columns` says which groups are columns; if empty, those with names. Where the
    match takes no text, there is none. With `pairs`, the keys are columns; with `objects`, lines are JSON objects.
    """

    pattern: str = ""
    columns: tuple[LineColumn, ...] = ()
    pairs: Pairs | None = None
    objects: bool = False
    joining: Joining | None = None
    encoding: str = "utf-8"
    """Of the text: UTF-8, or one of a byte a character."""
    usual: Literal["", "common", "combined"] = ""
    """The access log whose pattern this is: most of its lines are cut faster, to the same end."""
    moments: tuple[Moments, ...] = ()
    zone: str | None = None
    """Where clocks stood whose zone no text tells; for samples, too."""
    year: int | None = None
    """The year of moments without one; if None, that which brings them closest below the file's last change."""

    @property
    def has_members(self) -> bool:
        """True if each line says itself which columns it has."""
        return self.objects or self.pairs is not None


@dataclass(frozen=True, slots=True)
class Excel:
    """A sheet of a workbook (xlsx, xlsm, xlsb, xls, ods), by name, or by number from 1; the first visible one if None.

    Every cell arrives as text: numbers as the shortest that means the same, dates and times as ISO 8601.
    """

    sheet: str | int | None = None
    header: bool = True
    skip: int = 0
    columns: tuple[str, ...] | None = None
    null_texts: tuple[str, ...] = ("",)
    fill_merged: bool = False
    """Whether all cells of a merged range have its value; else only the first."""


@dataclass(frozen=True, slots=True)
class Xml:
    """Elements of an XML document; `record` is the end of the path to them (`catalog/book`), or empty for those below
    the root. Attributes are columns `@name`, child elements columns; nested ones arrive as JSON text.
    """

    record: str = ""
    null_texts: tuple[str, ...] = ("",)


FileFormat = Csv | JsonLines | Parquet | Lines | Excel | Xml


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a file: from the byte `begin` up to the byte `end`; of a compressed file, bytes of what it holds."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class FileScan:
    """Files of one format, read in this order. gzip and zstd are told by the names `.gz` and `.zst` (text formats).

    `spans`, if given, says of each path which part of it is read; this is for `Lines` only, and a part begins and ends
    where lines do.
    """

    paths: tuple[Path, ...]
    format: FileFormat
    spans: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        if self.spans and (len(self.spans) != len(self.paths) or not isinstance(self.format, Lines)):
            raise ValueError("each of the files, of lines, has one span")

    def parts(self) -> tuple[tuple[Path, Span | None], ...]:
        """Each file with the part that is read; None is all of it."""
        return tuple(zip(self.paths, self.spans or (None,) * len(self.paths), strict=True))


@dataclass(frozen=True, slots=True)
class StreamScan:
    """An Arrow stream, read once. `label` names it in positions and errors (`core.loan_application`).

    With `records`, the stream has one text column named `record` that holds one JSON object a row; fields arrive as
    with `JsonLines`.
    """

    stream: ArrowStream
    label: str
    records: bool = False
    rows: int = 0
    """About how many rows there are, to tell how far it is; 0 if nobody knows."""


Scan = FileScan | StreamScan


def labels(paths: Sequence[Path]) -> tuple[str, ...]:
    """What files are called in positions: their names, or their paths below the common folder if names repeat."""
    names = tuple(path.name for path in paths)
    if len(set(names)) == len(names):
        return names
    common = os.path.commonpath([os.path.abspath(path.parent) for path in paths])  # noqa: PTH100 – resolve() follows links
    return tuple(os.path.relpath(path, common) for path in paths)
