"""What to read now of the logs that are followed: a piece of each, from where it was read to its last whole record.

Rules:

1. A record that may go on waits: by default the last line without its newline; `unfinished` may say more.
2. Of a log that has ended, everything is read: its last line, too, which then needs no newline.
3. One batch takes at most `size` bytes of at most `files` logs, the oldest first. A log that is larger is cut where a
   record ends, and nothing after it is read before its rest; at least one record is taken, however long.
4. What waits is told once the batch reaches the end of its log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lastro.source.files.known import Bounds
from lastro.source.logs.content import EDGE_BYTES, Log, Torn, hashed
from lastro.source.logs.recognition import Told

Unfinished = Callable[[bytes], int]
"""Told the last bytes of what there is, says how many of them belong to a record that may go on: all of them, if they
do not tell (then it is asked again with more, if there are more). Their first line may be cut at its beginning.
"""
WINDOW_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes to read of one log, from `begin` to `end`; the digests of its beginning, as far as it will have been
    read, and of what lies before `end`, both taken before anybody reads it.
    """

    told: Told
    begin: int
    end: int
    head: str
    edge: str

    @property
    def log(self) -> Log:
        """The file."""
        return self.told.log


@dataclass(frozen=True, slots=True)
class Pieces:
    """What one batch reads; whether there may be more; which files turned out to be still written; how many bytes at
    the ends of which logs wait for the end of their record.
    """

    read: tuple[Piece, ...]
    more: bool
    torn: tuple[Log, ...]
    waiting: tuple[tuple[str, int], ...] = ()


def open_line(tail: bytes) -> int:
    """How many bytes follow the last newline."""
    return len(tail) - (tail.rfind(b"\n") + 1)


def pieces(logs: Sequence[Told], bounds: Bounds, unfinished: Unfinished) -> Pieces:
    """The pieces of one batch. Raises `SourceChanged`."""
    read: list[Piece] = []
    torn: list[Log] = []
    waiting: list[tuple[str, int]] = []
    room = bounds.size
    for told in logs:
        try:
            if told.rests or _is_read(told):
                continue
            if read and (room <= 0 or len(read) >= bounds.files):
                return Pieces(tuple(read), True, tuple(torn), tuple(waiting))
            cut = told.log.length - told.offset > room
            end = _end(told, room, unfinished)
        except Torn:
            torn.append(told.log)
            continue
        if end > told.offset:
            head = hashed(told.log.head(min(end, EDGE_BYTES)))
            read.append(Piece(told, told.offset, end, head, told.log.edge(end)))
            room -= end - told.offset
            if cut and end < told.log.length:
                return Pieces(tuple(read), True, tuple(torn), tuple(waiting))
        if end < told.log.length:
            waiting.append((told.log.name, told.log.length - end))
    return Pieces(tuple(read), False, tuple(torn), tuple(waiting))


def _is_read(told: Told) -> bool:
    return told.log.ends_at(told.offset) if told.known else told.log.found.size == 0 and not told.log.packed


def _end(told: Told, room: int, unfinished: Unfinished) -> int:
    log, begin = told.log, told.offset
    if log.length - begin <= room:
        return log.length if told.ended else _whole(log, begin, log.length, unfinished)
    step = max(room, 1)
    while True:
        until = min(begin + step, log.length)
        if until == log.length and told.ended:
            return until
        end = _whole(log, begin, until, unfinished)
        if end > begin or until == log.length:
            return end
        step *= 2


def _whole(log: Log, begin: int, end: int, unfinished: Unfinished) -> int:
    """Where the last whole record before `end` ends."""
    size = WINDOW_BYTES
    while True:
        size = min(size, end - begin)
        left = unfinished(log.part(end - size, size))
        if left < size or size == end - begin:
            return end - left
        size *= 4
