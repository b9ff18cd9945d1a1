r"""Lines: a text file's bytes as batches of records, each with its place.

Rules:

1. A record is a line; with `Joining`, a line and those that belong to it, line feeds between them. The first line of a
   file begins a record whatever it looks like. The last one needs no line feed.
2. A line ends at a line feed; a carriage return before it is dropped, any other stays. A byte order mark is dropped.
3. A place is the number of bytes before the record: in the file, or in what a compressed file holds.
4. Text of another encoding, of one byte a character, is made UTF-8 on the way.
5. A record that is no UTF-8, or holds a NUL byte, is broken: its bytes are shown as `\xff`, and it is set aside. To the
   pattern of `Joining` a byte that is no UTF-8 is some character.
6. A line longer than the limit arrives in pieces, all of them broken. The lines of a joined record beyond its limit
   arrive one by one, broken too. So memory is bounded, nothing is lost, and nobody can stop the reading.
7. No line is looked at in Python, save broken ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lastro.engine.duck import feed
from lastro.engine.duck.failure import Failure, Refused, of_exception
from lastro.engine.duck.positions import Integers
from lastro.engine.duck.relations import LINE
from lastro.engine.duck.transcoding import Transcoder
from lastro.engine.protocol import OFFSET
from lastro.engine.scan import Joining

BROKEN = "_lastro_broken"
SCHEMA = pa.schema([(LINE, pa.string()), (OFFSET, pa.int64()), (BROKEN, pa.bool_())])
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
Content = Callable[[], Iterator[bytes]]
_NEWLINE = 10


class LineReader:
    """Reads blocks of bytes, the first of which begins at `begin`, as an Arrow stream with the columns of `SCHEMA`.

    After the stream's end, `finish` raises what went wrong with the bytes.
    """

    def __init__(
        self,
        content: Content,
        file: str,
        *,
        line_bytes_max: int,
        begin: int = 0,
        joining: Joining | None = None,
        encoding: str = "utf-8",
    ) -> None:
        self._content, self._file, self._encoding = content, file, encoding
        self._line_bytes_max, self._begin, self._joining = line_bytes_max, begin, joining
        self._failure: Failure | None = None
        self.bytes_read = 0

    def stream(self) -> pa.RecordBatchReader:
        """The records, to be read once."""
        return pa.RecordBatchReader.from_batches(SCHEMA, self._guarded())

    def finish(self) -> None:
        """Raises `Refused` if the bytes could not be read to their end."""
        if self._failure:
            raise Refused(self._failure)

    def _guarded(self) -> Iterator[pa.RecordBatch]:
        try:
            if feed.is_utf8(self._encoding, self._file):
                yield from self._batches(self._content())
                return
            other = Transcoder(self._content(), self._encoding, self._begin)
            for batch in self._batches(other.blocks()):
                offsets = pa.array(other.raw(batch.column(OFFSET).to_numpy()), pa.int64())
                yield batch.set_column(1, SCHEMA.field(OFFSET), offsets)
        except Exception as error:
            self._failure = of_exception(error, file=self._file)
            raise

    def _batches(self, blocks: Iterator[bytes]) -> Iterator[pa.RecordBatch]:
        chunks = self._counted(_chunks(blocks, self._begin, self._line_bytes_max))
        if self._joining is not None:
            return _Joiner(self._joining).batches(chunks)
        return (_lines(chunk, offset, broken=piece) for chunk, offset, piece in chunks)

    def _counted(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        for chunk, offset, piece in chunks:
            self.bytes_read = offset + len(chunk) - self._begin
            yield chunk, offset, piece


Chunk = tuple[bytes, int, bool]
"""Whole lines, where the first begins, and whether they are a piece of a line that is too long."""


def _chunks(blocks: Iterator[bytes], begin: int, line_bytes_max: int) -> Iterator[Chunk]:
    """The blocks cut at line ends."""
    held: list[bytes] = []
    size, offset, cut_off = 0, begin, False
    first = begin == 0
    for each in blocks:
        block = each
        if first:
            if len(held_start := b"".join([*held, block])) < len(feed.BOM):
                held = [held_start]
                continue
            first, held, size = False, [], 0
            block = held_start.removeprefix(feed.BOM)
            offset += len(held_start) - len(block)
        cut = block.rfind(b"\n") + 1
        if cut:
            chunk = b"".join([*held, block[:cut]])
            if cut_off:
                end = chunk.index(b"\n") + 1
                yield chunk[:end], offset, True
                chunk, offset, cut_off = chunk[end:], offset + end, False
            if chunk:
                yield chunk, offset, False
            offset += len(chunk)
            held, size = [], 0
            block = block[cut:]
        if block:
            held.append(block)
            size += len(block)
        if size > line_bytes_max:
            yield b"".join(held), offset, True
            offset += size
            held, size, cut_off = [], 0, True
    if held:
        yield b"".join(held), offset, cut_off


def _lines(chunk: bytes, offset: int, *, broken: bool = False) -> pa.RecordBatch:
    """Each line of a chunk as a record."""
    starts, ends = _bounds(chunk)
    return _batch(chunk, starts, ends, offset, broken=broken)


def _bounds(chunk: bytes) -> tuple[Integers, Integers]:
    """Where each line begins, and where its line feed stands (or would stand)."""
    ends = np.flatnonzero(np.frombuffer(chunk, np.uint8) == _NEWLINE)
    if not chunk.endswith(b"\n"):
        ends = np.append(ends, len(chunk))
    starts = np.empty_like(ends)
    starts[:1] = 0
    starts[1:] = ends[:-1] + 1
    return starts, ends


def _batch(chunk: bytes, starts: Integers, ends: Integers, offset: int, *, broken: bool) -> pa.RecordBatch:
    """Records that lie one after another, each from its start to the line feed at its end."""
    count = len(starts)
    flags = np.full(count, broken)
    if not chunk.isascii() or b"\0" in chunk or broken:
        sound = None if broken or b"\0" in chunk else _decoded(chunk)
        if sound is None:
            texts = [chunk[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
            shown = [_shown(text, broken=broken) for text in texts]
            flags = np.array([text is None for text, _written in shown], dtype=bool)
            values = pa.array([written for _text, written in shown], pa.string())
            return _record_batch(values, starts + offset, flags)
    return _record_batch(_texts(chunk, starts, ends), starts + offset, flags)


def _record_batch(values: pa.Array, offsets: Integers, flags: Flags) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([values, pa.array(offsets, pa.int64()), pa.array(flags)], schema=SCHEMA)


def _decoded(chunk: bytes) -> str | None:
    try:
        return chunk.decode()
    except UnicodeDecodeError:
        return None


def _shown(line: bytes, *, broken: bool) -> tuple[str | None, str]:
    """The line's text (None if it is broken), and what stands for it."""
    line = line.removesuffix(b"\r").replace(b"\r\n", b"\n")
    text = None if broken or b"\0" in line else _decoded(line)
    return text, line.decode(errors="backslashreplace").replace("\0", "\\x00") if text is None else text


def _texts(chunk: bytes, starts: Integers, ends: Integers) -> pa.Array:
    """The records as one Arrow array over one buffer, from which the line feeds between records are taken out."""
    count = len(starts)
    if b"\r" in chunk:
        return _without_returns(chunk, ends)
    offsets = np.zeros(count + 1, dtype=np.int32)
    offsets[1:] = ends - np.arange(count)
    if count == chunk.count(b"\n") + (not chunk.endswith(b"\n")):
        text = chunk.replace(b"\n", b"")
    else:
        text = np.delete(np.frombuffer(chunk, np.uint8), ends[ends < len(chunk)]).tobytes()
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text))


def _without_returns(chunk: bytes, ends: Integers) -> pa.Array:
    """The same where carriage returns may stand before line feeds, or at the very end."""
    data = np.frombuffer(chunk, np.uint8)
    feeds = np.flatnonzero(data == _NEWLINE)
    before = feeds[feeds > 0] - 1
    drop = np.zeros(len(chunk) + 1, dtype=bool)
    drop[before[data[before] == 13]] = True
    if chunk.endswith(b"\r"):
        drop[len(chunk) - 1] = True
    drop[ends] = True
    kept = np.cumsum(~drop)
    offsets = np.zeros(len(ends) + 1, dtype=np.int32)
    offsets[1:] = kept[ends]
    text = data[~drop[:-1]].tobytes()
    return pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(text))


class _Joiner:
    """Puts lines together to records; holds the last one back until the next begins."""

    def __init__(self, joining: Joining) -> None:
        self._joining = joining
        self._held, self._offset = b"", 0
        self._overlong = False

    def batches(self, chunks: Iterator[Chunk]) -> Iterator[pa.RecordBatch]:
        for chunk, offset, piece in chunks:
            if piece:
                yield from self._rest()
                yield _lines(chunk, offset, broken=True)
                self._overlong = True
                continue
            if not self._held:
                self._offset = offset
            yield from self._take(self._held + chunk)
        yield from self._rest()

    def _rest(self) -> Iterator[pa.RecordBatch]:
        if self._held:
            starts, ends = _bounds(self._held)
            yield from self._records(self._held, starts, ends, np.zeros(1, dtype=np.int64))
        self._held = b""

    def _take(self, text: bytes) -> Iterator[pa.RecordBatch]:
        starts, ends = _bounds(text)
        firsts = np.flatnonzero(self._begins(text, starts, ends))
        if self._overlong and (len(firsts) == 0 or firsts[0] > 0):  # what belongs to a record that was too long
            last = firsts[0] if len(firsts) else len(starts)
            cut = int(ends[last - 1]) + 1
            yield _lines(text[:cut], self._offset, broken=True)
            text, self._offset = text[cut:], self._offset + cut
            starts, ends, firsts = starts[last:] - cut, ends[last:] - cut, firsts - last
        self._held = text
        if not text:
            return
        self._overlong = False
        if len(firsts) == 0 or firsts[0] > 0:
            firsts = np.insert(firsts, 0, 0)
        cut = int(starts[firsts[-1]])
        if len(firsts) > 1:
            yield from self._records(text[:cut], starts[: firsts[-1]], ends[: firsts[-1]], firsts[:-1])
        self._held, self._offset = text[cut:], self._offset + cut
        if len(self._held) > self._joining.bytes_max:
            yield _lines(self._held, self._offset, broken=True)
            self._offset += len(self._held)
            self._held, self._overlong = b"", True

    def _begins(self, text: bytes, starts: Integers, ends: Integers) -> Flags:
        """Which lines begin a record."""
        if _decoded(text) is None:
            lines = [text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
            values = pa.array([line.removesuffix(b"\r").decode(errors="replace") for line in lines], pa.string())
        else:
            values = _texts(text, starts, ends)
        matches: Flags = pc.match_substring_regex(values, self._joining.pattern).to_numpy(zero_copy_only=False)
        return matches if self._joining.starts else ~matches

    def _records(self, text: bytes, starts: Integers, ends: Integers, firsts: Integers) -> Iterator[pa.RecordBatch]:
        """Records whose first lines have these numbers."""
        lasts = np.append(firsts[1:] - 1, len(starts) - 1)
        begin, end = starts[firsts], ends[lasts]
        long = end - begin > self._joining.bytes_max
        if not long.any():
            yield _batch(text, begin, end, self._offset, broken=False)
            return
        for first, last, is_long in zip(firsts.tolist(), lasts.tolist(), long.tolist(), strict=True):
            part = text[int(starts[first]) : int(ends[last]) + 1]
            offset = self._offset + int(starts[first])
            if is_long:
                yield _lines(part, offset, broken=True)
            else:
                yield _batch(
                    part, np.zeros(1, np.int64), np.array([len(part.removesuffix(b"\n"))]), offset, broken=False
                )
