"""MySQL's rows, taken off the wire in columns.

PyMySQL connects, authenticates and sends; its decoding of each cell in Python would take ten times as long as all the
rest. Here a stretch of the stream is taken whole and cut with vectors, by the text protocol's own rules:

1. A row is a packet: three bytes of size, one of sequence, then each cell as a length and its bytes. A first byte of
   251 is NULL; 252, 253 and 254 say that two, three or eight bytes of length follow.
2. A packet of the greatest size goes on in the next one: their heads are cut out and the row is whole.
3. A short packet beginning with 254 ends the rows; one beginning with 255 is an error.
4. What does not add up (sequence, lengths, the end of a row) breaks the reading; nothing is guessed.
5. A cell over `CELL_BYTES` or a row over `ROW_BYTES` is refused.

This module alone knows of PyMySQL's inner names: `_rfile`, `_result`, `_next_seq_id`, `_force_close`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lastro.model.errors import LimitExceeded, SourceBroken, SourceUnreachable
from lastro.model.text import _

STRETCH_BYTES = 4 << 20
CELL_BYTES = 16 << 20
ROW_BYTES = 64 << 20
_READ_BYTES = 1 << 20
_FULL = 0xFFFFFF
_END, _ERROR = 0xFE, 0xFF
_END_BYTES = 9
_NULL = 251


@dataclass(frozen=True, slots=True)
class Described:
    """A column as the server describes it: name, type code, flags, character set, length and decimals."""

    name: str
    code: int
    flags: int
    charset: int
    length: int
    decimals: int


def described(connection: Any) -> tuple[Described, ...]:  # Any: pymysql.Connection
    """The columns of the result that the connection's last query began."""
    return tuple(
        Described(field.name, field.type_code, field.flags, field.charsetnr, field.length, field.scale)
        for field in connection._result.fields  # noqa: SLF001 - see the module's docstring
    )


class Rows:
    """The rows of an unbuffered query that was just sent, as columns of bytes. `finished` once all were taken."""

    def __init__(self, connection: Any, columns: int, label: str) -> None:  # Any: pymysql.Connection
        self._connection, self._columns, self._label = connection, columns, label
        self._held = bytearray()
        self.finished = False

    def stretches(self) -> Iterator[list[Any]]:  # Any: binary pyarrow.Array
        """Each stretch of rows, as one array a column."""
        framed = Framed(self._held, self._connection._next_seq_id, self._label)  # noqa: SLF001
        while not self.finished:
            self._read()
            self._frame(framed)
            if framed.starts and (self.finished or framed.at >= STRETCH_BYTES):
                yield self._taken(framed)
                framed = Framed(self._held, framed.sequence, self._label)

    def release(self) -> None:
        """Lets go of the connection: it is free for the next statement, or closed if rows were left on the wire."""
        connection = self._connection
        connection._result.unbuffered_active = False  # noqa: SLF001
        connection._result.connection = None  # noqa: SLF001
        if not self.finished:
            connection._force_close()  # noqa: SLF001

    def _read(self) -> None:
        try:
            came = self._connection._rfile.read1(_READ_BYTES)  # noqa: SLF001
        except OSError:
            came = b""
        if not came:
            raise SourceUnreachable(
                _("the server ended the connection while it sent rows"),
                where=self._label,
                do=_("ingest again when the server answers"),
            )
        self._held += came

    def _frame(self, framed: Framed) -> None:
        outcome = framed.go_on()
        if outcome == _ERROR:
            self.finished = True
            self._connection._rfile.close()  # noqa: SLF001
            raise ServerError(bytes(self._held[framed.at + 4 :]))
        self.finished = outcome == _END
        if not self.finished and len(self._held) - framed.at > ROW_BYTES:
            raise _too_large(_("a row is larger than 64 MiB"), self._label)

    def _taken(self, framed: Framed) -> list[Any]:  # Any: binary pyarrow.Array
        stretch = bytes(self._held[: framed.at])
        del self._held[: framed.at]
        return cut(stretch, framed.starts, framed.ends, self._columns, self._label)


class ServerError(Exception):
    """An error packet in the middle of rows, as bytes."""


class Framed:
    """Where rows begin and end in bytes that grow. `at` is the first byte behind the last whole row, `sequence` the
    number that the next packet must have.
    """

    def __init__(self, held: bytearray, sequence: int, label: str) -> None:
        self._held, self._label = held, label
        self.at = 0
        self.sequence = sequence
        self.starts: list[int] = []
        self.ends: list[int] = []

    def go_on(self) -> int:
        """Frames what is there; 254 at the end of all rows, 255 at an error, else 0. Raises `SourceBroken`."""
        held, at, last, sequence = self._held, self.at, len(self._held) - 4, self.sequence
        starts, ends = self.starts.append, self.ends.append
        outcome = 0
        while at < last:
            size = held[at] | held[at + 1] << 8 | held[at + 2] << 16
            end = at + 4 + size
            first = held[at + 4]
            if held[at + 3] != sequence and first != _ERROR:
                raise broken(self._label)
            if end > last + 4:
                break
            if first >= _END and (first == _ERROR or size < _END_BYTES):
                outcome = first
                break
            if size == _FULL:
                joined = self._joined(end, sequence)
                if joined is None:
                    break
                (end, sequence), last = joined, len(held) - 4
            starts(at + 4)
            ends(end)
            at, sequence = end, (sequence + 1) & 0xFF
        self.at, self.sequence = at, sequence
        return outcome

    def _joined(self, end: int, sequence: int) -> tuple[int, int] | None:
        """The end of a row of several packets, whose heads are cut out, and its last number; None if it is not all
        there.
        """
        held, heads, following, size = self._held, [], end, _FULL
        while size == _FULL:
            if following + 4 > len(held):
                return None
            size = held[following] | held[following + 1] << 8 | held[following + 2] << 16
            heads.append(following)
            if held[following + 3] != (sequence + len(heads)) & 0xFF:
                raise broken(self._label)
            following += 4 + size
        if following > len(held):
            return None
        for head in reversed(heads):
            del held[head : head + 4]
        return following - 4 * len(heads), (sequence + len(heads)) & 0xFF


def cut(data: bytes, starts: list[int], ends: list[int], columns: int, label: str) -> list[Any]:  # Any: Arrow
    """The cells of rows that begin and end there, as one binary array a column. Raises `SourceBroken`, `LimitExceeded`.

    Every cell, and every gap between two cells, becomes an element of one Arrow array over `data`; a column is every
    so-many-th of them, taken by Arrow.
    """
    import numpy as np
    import pyarrow as pa

    rows = len(starts)
    held = np.frombuffer(data + bytes(9), dtype=np.uint8)
    at = np.array(starts, dtype=np.int64)
    offsets = np.empty((rows, columns, 2), dtype=np.int32)
    missing = []
    for column in range(columns):
        if at.max() > len(data):
            raise broken(label)
        length, header, null = _lengths(held, at)
        if length.max() > CELL_BYTES:
            raise _too_large(_("a cell is larger than 16 MiB"), label)
        begin = at + header
        at = begin + length
        offsets[:, column, 0], offsets[:, column, 1] = np.minimum(begin, len(data)), np.minimum(at, len(data))
        missing.append(null)
    if not np.array_equal(at, np.array(ends, dtype=np.int64)):
        raise broken(label)
    elements = pa.Array.from_buffers(
        pa.binary(), rows * columns * 2 - 1, [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(data)]
    )
    every = np.arange(0, rows * columns * 2, columns * 2, dtype=np.int64)
    return [elements.take(pa.array(every + 2 * column, mask=missing[column])) for column in range(columns)]


def _lengths(held: Any, at: Any) -> tuple[Any, Any, Any]:  # Any: numpy arrays
    """The cells' lengths, how many bytes say them, and which cells are NULL (None if none is)."""
    import numpy as np

    first = held[at]
    if first.max() < _NULL:
        return first.astype(np.int64), 1, None
    length, header = first.astype(np.int64), np.ones(len(at), dtype=np.int64)
    null = first == _NULL
    length[null] = 0
    for mark, size in ((252, 2), (253, 3), (254, 8)):
        (where,) = np.nonzero(first == mark)
        if len(where):
            length[where] = _number(held, at[where] + 1, size)
            header[where] = size + 1
    return length, header, null if null.any() else None


def _number(held: Any, at: Any, size: int) -> Any:  # Any: numpy arrays
    """Little-endian numbers of so many bytes. The topmost bytes of eight are never used by an honest server."""
    import numpy as np

    number = np.zeros(len(at), dtype=np.int64)
    for byte in range(min(size, 5)):
        number |= held[at + byte].astype(np.int64) << (8 * byte)
    return number


def broken(label: str) -> SourceBroken:
    """The error for bytes that are not MySQL's."""
    return SourceBroken(
        _("the server's answer is garbled"),
        where=label,
        do=_("ingest again; check the network and any proxy between here and the server"),
    )


def _too_large(what: str, label: str) -> LimitExceeded:
    return LimitExceeded(what, where=label, do=_("leave that column out"))
