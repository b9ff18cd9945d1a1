"""The child's half of `stage`: each file read once, split, and sent to the parent.

Rules:

1. Files are read one after another; positions count a file's records from 1, without its header.
2. Rows refused by a rule are sent as they come. Records that the reader itself set aside (ragged, unreadable) are known
   at the file's end only; then they are sent too, and their positions, so that the others can be corrected.
3. A record that swallowed the lines after it (a quote never closed) is no refused row: the file is refused.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from lastro.engine.duck import feed, frames, opening
from lastro.engine.duck.connection import in_order
from lastro.engine.duck.failure import Failure, Refused, of_exception, refuse
from lastro.engine.duck.header import record_end
from lastro.engine.duck.limits import Limits
from lastro.engine.duck.positions import corrected
from lastro.engine.duck.relations import REJECTS_MAX
from lastro.engine.duck.split import Shape, Splitter, refused_batch
from lastro.engine.protocol import MALFORMED, UNREAD_MAX
from lastro.engine.scan import Csv, FileFormat, Lines, Parquet, Span

PROGRESS_SECONDS = 0.25
REJECT_ROWS = 2_048
REJECT_TEXT_MAX = 9_000
"""Below the length at which the reader cuts a rejected record's text."""
BytesRead = Callable[[int], int]
"""Of a source: how many of its bytes were read once so many of its rows were, as far as that is known."""
Row = Mapping[str, Any]  # Any: a rejected record's line, start (in bytes, from 1), kind and text
_REJECTS = (
    "SELECT line, min(line_byte_position) AS start, min(error_type) AS kind, min(csv_line) AS text "
    "FROM reject_errors GROUP BY line ORDER BY line"
)


class Sink(Protocol):
    """Where rows go: over the pipe, or straight to the files."""

    def keep(self, batch: pa.RecordBatch) -> None:
        """Takes kept rows; the first call tells their schema, and may hold none."""
        ...

    def refuse(self, batch: pa.RecordBatch) -> None:
        """Takes refused rows, positions not yet corrected."""
        ...

    def malformed(self, batch: pa.RecordBatch) -> None:
        """Takes records that the reader set aside, positions right."""
        ...

    def end(self, ended: frames.Ended) -> None:
        """Told at a file's end."""
        ...

    def progress(self, rows: int, size: int) -> None:
        """Told how many records were read, and how many bytes."""
        ...


class Reading:
    """One scan's reading: splits batches, hands them on, and counts."""

    def __init__(self, shape: Shape, batch: str, sink: Sink) -> None:
        self.splitter, self.sink = Splitter(shape, batch), sink
        self._told = 0.0
        self._read_before = self._bytes_before = 0
        self._bytes_read: BytesRead = lambda _rows: 0
        self._size = 0
        self._first = True

    def take(self, batch: pa.RecordBatch) -> int:
        """Splits and hands on; returns how many rows were kept."""
        kept, refused = self.splitter.split(batch)
        if kept.num_rows or self._first:
            self._first = False
            self.sink.keep(kept)
        if refused is not None:
            self.sink.refuse(refused)
        if time.monotonic() - self._told > PROGRESS_SECONDS:
            self._told = time.monotonic()
            self.sink.progress(self.splitter.read, self._bytes_before + self._bytes())
        return int(kept.num_rows)

    def begin(self, source: str, bytes_read: BytesRead, *, size: int = 0) -> None:
        """Begins a source, of so many bytes if it is a file."""
        self._bytes_read, self._size = bytes_read, size
        self.splitter.begin(source)

    def end(self, source: str, kept: int, skipped: list[int]) -> None:
        """Counts in what the source's reader set aside."""
        self.splitter.read += len(skipped)
        self.splitter.refused[MALFORMED] += len(skipped)
        self.sink.end(frames.Ended(source, kept, tuple(skipped), self.splitter.read - self._read_before))
        self._bytes_before += self._size or self._bytes()
        self._read_before = self.splitter.read
        self.sink.progress(self.splitter.read, self._bytes_before)

    def _bytes(self) -> int:
        """Those of the source under way."""
        return self._bytes_read(self.splitter.read - self._read_before)

    def counted(self) -> frames.Counted:
        """The counts so far."""
        rules = {**dict.fromkeys(self.splitter.shape.rules, 0), MALFORMED: 0}
        refused, unread = {**rules, **self.splitter.refused}, tuple(self.splitter.unread)[:UNREAD_MAX]
        return frames.Counted(self.splitter.read, self.splitter.kept, refused, unread, dict(self.splitter.marked))


def read(
    parts: Sequence[tuple[Path, Span | None]],
    kind: FileFormat,
    query: frames.Query,
    limits: Limits,
    temp: Path,
    sink: Sink,
) -> frames.Counted:
    """Reads the files, or parts of them, one after another. Raises `Refused`."""
    reading = Reading(query.shape, query.batch, sink)
    for (path, span), label, columns, select in zip(parts, query.labels, query.columns, query.selects, strict=True):
        try:
            with opening.opened(path, kind, columns, limits, temp, span=span) as file:
                _read_file(file, kind, select, label, reading)
        except Refused:
            raise
        except Exception as error:  # whatever a parser makes of a hostile file, named by that file
            failure = of_exception(error, file=str(path))
            if failure.reason == "engine" and isinstance(kind, Parquet):
                failure = Failure("parquet", str(path))
            raise Refused(failure) from error
    return reading.counted()


def _read_file(file: opening.Opened, kind: FileFormat, select: str, label: str, reading: Reading) -> None:
    kept = 0
    reading.begin(label, file.bytes_read, size=file.size)
    try:
        for batch in in_order(file.connection, select).to_arrow_reader(file.batch_rows):
            kept += reading.take(batch)
    except Exception:
        file.connection.close()  # lets the feeder go, whose failure may be the cause
        file.finish()
        raise
    file.finish()
    skipped: list[int] = []
    if not isinstance(kind, Parquet | Lines):
        for batch in _malformed(file, kind, label, reading.splitter):
            reading.sink.malformed(batch)
            skipped += batch.column("position").to_pylist()
    reading.end(label, kept, skipped)


def _malformed(file: opening.Opened, kind: FileFormat, label: str, splitter: Splitter) -> Iterator[pa.RecordBatch]:
    """The records the reader set aside, as rows of the quarantine. Raises `Refused` if one is more than a record."""
    ((found,),) = file.connection.execute("SELECT count(*) FROM reject_errors").fetchall()
    if not found:
        return
    if found >= REJECTS_MAX:
        refuse("malformed_many", str(file.path), first=REJECTS_MAX)
    before = _before(file, kind, splitter.blanks)
    for rejected in file.connection.sql(_REJECTS).to_arrow_reader(REJECT_ROWS):
        rows = rejected.to_pylist()
        for row in rows:
            _check_whole(row, kind, file)
        positions = [row["line"] - before(row) for row in rows]
        records = pa.array([_whole_text(row, kind, file) for row in rows], pa.string())
        names = [[MALFORMED]] * len(rows)
        yield refused_batch(splitter.batch, names, label, positions, ["text"] * len(rows), records)


def _before(file: opening.Opened, kind: FileFormat, blanks: list[int]) -> Callable[[Row], int]:
    """How many of the lines before a rejected one are no records: the header, and blank lines."""
    if isinstance(kind, Csv):
        header = kind.skip + int(kind.header)
        places = _blank_lines(file, kind) if file.columns > 1 else []
        return lambda row: header + bisect_left(places, row["start"])
    rejected = file.connection.execute("SELECT DISTINCT line FROM reject_errors ORDER BY line").fetchall()
    lines = corrected(np.array(blanks, dtype=np.int64), np.array([line for (line,) in rejected], dtype=np.int64))
    return lambda row: int(np.searchsorted(lines, row["line"]))


def _check_whole(row: Row, kind: FileFormat, file: opening.Opened) -> None:
    if row["kind"] == "LINE SIZE OVER MAXIMUM":
        refuse("line_long", str(file.path), line=row["line"], first=file.line_bytes_max)
    if isinstance(kind, Csv) and kind.quote:
        text = row["text"].strip("\r\n")
        if "\n" in text and text.count(kind.quote) % 2:
            refuse("quote_open", str(file.path), line=row["line"])


def _whole_text(row: Row, kind: FileFormat, file: opening.Opened) -> str:
    """The record's text as it stands in the file: the reader cuts long ones and replaces what is not UTF-8."""
    text: str = row["text"].strip("\r\n")
    if row["kind"] != "INVALID ENCODING" and len(text) < REJECT_TEXT_MAX:
        return text
    if isinstance(file.feeder, feed.Feeder):
        start, found = row["start"] - 1, b""
        for block in file.feeder.content():
            found += block[max(0, start) :]
            start -= len(block)
            if len(found) > file.line_bytes_max:
                break
    else:
        with feed.open_plain(file.path) as stream:
            stream.seek(row["start"] - 1)
            found = stream.read(file.line_bytes_max)
    found = found.lstrip(b"\r\n")  # blank lines before the record count as its own
    end = record_end(found, kind if isinstance(kind, Csv) else Csv(quote=""))
    return found[:end].removesuffix(b"\r").decode(errors="backslashreplace")


def _normaliser(kind: FileFormat) -> feed.Normalise:
    return feed.QuotedText(kind.quote, kind.escape) if isinstance(kind, Csv) else feed.LineText()


def _blank_lines(file: opening.Opened, kind: Csv) -> list[int]:
    """Where the file's blank lines are, in bytes: the reader counts them as lines, though they are no records."""
    found: list[int] = []
    quote = kind.quote.encode()
    inside, offset, last = 0, 0, b""
    normalise = _normaliser(kind) if file.feeder else None
    for block in feed.blocks(file.path, encoding=kind.encoding, normalise=normalise):
        text = last + block
        counted = 0
        for match in _BLANK.finditer(text):
            inside += text.count(quote, counted, match.start()) if quote else 0
            counted = match.start()
            if inside % 2 == 0:
                found.append(offset + match.start() + 1)
        cut = max(len(text) - 3, counted)  # the next match may begin in the last bytes
        inside += text.count(quote, counted, cut) if quote else 0
        offset += cut
        last = text[cut:]
    return found


_BLANK = re.compile(rb"\n(?=\r?\n)")
