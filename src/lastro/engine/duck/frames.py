"""What parent and child say to each other.

To the child: JSON, one message a line. From the child: frames of one kind byte, eight bytes of length (little endian)
and the payload: `J` a JSON message, `S` the Arrow schema of the kept rows, `K` a batch of them, `Q` a batch of refused
rows, `M` a batch of records that could not be taken apart (all as Arrow IPC messages without their schema).
"""

from __future__ import annotations

import struct
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from lastro.engine.duck.failure import Failure
from lastro.engine.duck.limits import Limits
from lastro.engine.duck.split import Shape
from lastro.engine.scan import Csv, Excel, FileFormat, FileScan, JsonLines, Lines, Parquet, Span, Xml

HEAD = struct.Struct("<cQ")
MESSAGE, SCHEMA, KEPT, REFUSED, MALFORMED = b"J", b"S", b"K", b"Q", b"M"

_FORMATS: dict[str, type[FileFormat]] = {kind.__name__: kind for kind in (Csv, JsonLines, Parquet, Lines, Excel, Xml)}


class Job(msgspec.Struct, frozen=True):
    """The first message to the child: what to open, and within which limits.

    `wanted` are the fields to take from JSON objects; empty means all that are found. `spans` are those of the scan.
    """

    task: str
    paths: tuple[str, ...]
    format: str
    dialect: dict[str, Any]  # Any: the fields of the format
    limits: Limits
    temp: str
    parent: int
    wanted: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()

    def parts(self) -> tuple[tuple[Path, Span | None], ...]:
        """The files, and which part of each is read."""
        return FileScan(tuple(Path(path) for path in self.paths), self.file_format(), self.spans).parts()

    def file_format(self) -> FileFormat:
        """The format as the scan has it."""
        return msgspec.convert(self.dialect, _FORMATS[self.format])


class Query(msgspec.Struct, frozen=True):
    """The second message of a `stage` job: each file's label, its columns, and one SELECT over the view of them."""

    labels: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    selects: tuple[str, ...]
    shape: Shape
    batch: str


class Described(msgspec.Struct, frozen=True, tag="described"):
    """Each file's columns, as Delta schema texts."""

    schemas: tuple[str, ...]


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """Rows and bytes read so far; also a sign of life."""

    rows: int
    bytes: int = 0


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The end of one file: its rows kept, the ascending positions of `skipped` records, which its reader set aside
    (positions told before do not count them yet), and how many records it had.
    """

    source: str
    kept: int
    skipped: tuple[int, ...] = ()
    read: int = 0


class Counted(msgspec.Struct, frozen=True, tag="counted"):
    """The end of a `stage`: rows by what became of them, refusals by rule, JSON members that nobody reads, and how many
    records have each bit of what cleaning did.
    """

    read: int
    kept: int
    refused: dict[str, int]
    unread: tuple[str, ...] = ()
    marked: dict[int, int] = {}


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """The result of a `sample` or `sniff`, as plain values."""

    value: Any  # Any: JSON, read by whoever asked


Message = Described | Progress | Ended | Counted | Answer | Failure

_DECODER = msgspec.json.Decoder(Message)


def encode(message: msgspec.Struct) -> bytes:
    """The message as one line of JSON."""
    return msgspec.json.encode(message) + b"\n"


def decode(payload: bytes) -> Message:
    """A message from the child."""
    message: Message = _DECODER.decode(payload)
    return message


def format_fields(kind: FileFormat) -> tuple[str, dict[str, Any]]:  # Any: the fields of the format
    """The format's name and its fields, for a `Job`."""
    return type(kind).__name__, asdict(kind)
