"""What is known of logs: the cursor of a source that follows them.

Rules:

1. A log is known by its content: by how many bytes of it were read (`offset`), the digest of its first bytes and that
   of the last bytes before the offset, at most 4 KiB each. Where it stands, its inode, when it was made and its size
   are noted beside: a short log is not known by its content alone (`evidence`).
2. A log that may still grow has a mark of its own. One that was read to its end and rotated away, or that is gone, is
   an entry of 50 bytes: the hash of inode, size and time (64 bits), offset (48), the two digests (80 and 80), the
   hashes of the file and of its name (48 and 48), and the second in which it was last written (32).
3. Of the entries whose files are gone, the newest `REMEMBERED` are kept: should such a file come back, none of its
   lines is read again.
4. Form 1 had entries of 34 bytes, without the last three, and did not note when a file was made. It is read, and the
   next commit has form 2.
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import msgspec

from lastro.model.errors import SourceChanged
from lastro.model.text import _
from lastro.source.moved import of_kind
from lastro.source.options import read_cursor, write_cursor
from lastro.source.protocol import Cursor, Handed

REMEMBERED = 5_000
_STAMP, _OFFSET, _HEAD, _EDGE, _FILE, _NAME, _TIME = 8, 14, 24, 34, 40, 46, 50
_ENTRY_BYTES = {1: _EDGE, 2: _TIME}
_SECONDS_MAX = (1 << 8 * (_TIME - _NAME)) - 1
NO_STAMP = bytes(_STAMP)
UNKNOWN = bytes(_FILE - _EDGE)


class Seen(Protocol):
    """A file as it is found now."""

    @property
    def inode(self) -> int:
        """Its number on its device."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    @property
    def mtime_ns(self) -> int:
        """When it was last written."""
        ...


class LogMark(msgspec.Struct, frozen=True):
    """One log that may still grow: `name` is its path when it was read, `size` its bytes then, `born` when the file was
    made (0 where nobody told).
    """

    name: str
    offset: int
    head: str
    edge: str
    device: int
    inode: int
    size: int
    born: int = 0


class LogsCursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was read: `logs` may still grow; `ended` are the entries of the others, in base64. `follows` is the form's
    version. `moved` is said of a cursor that was another label's, and never kept.
    """

    follows: Literal[1, 2]
    logs: tuple[LogMark, ...] = ()
    ended: str = ""
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A log that has ended. `stamp` stands for its file as it was left; it is `NO_STAMP` where the file is gone. `file`
    and `name` are hashes of which file it was, and what it was called; `UNKNOWN`, and 0 seconds, where form 1 told
    none.
    """

    stamp: bytes
    offset: int
    head: str
    edge: str
    file: bytes = UNKNOWN
    name: bytes = UNKNOWN
    mtime_s: int = 0


Known = LogMark | Entry


def short_hash(text: str) -> bytes:
    """What an entry keeps of a file, or of a name."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).digest()[: len(UNKNOWN)]


def stamp(file: Seen) -> bytes:
    """What tells that a file was not touched."""
    return hashlib.sha256(f"{file.inode} {file.size} {file.mtime_ns}".encode()).digest()[:_STAMP]


def read_marks(cursor: Cursor, label: str) -> tuple[tuple[LogMark, ...], tuple[Entry, ...]]:
    """What the last commit's cursor knows. Raises `SourceChanged` if it cannot be read."""
    last = read_cursor(cursor, LogsCursor, label)
    try:
        return last.logs, tuple(_unpacked(last.ended, _ENTRY_BYTES[last.follows]))
    except (ValueError, binascii.Error):
        raise SourceChanged(
            _("what the last commit noted about these files cannot be read"),
            where=label,
            do=_("ingest once with --mode overwrite"),
        ) from None


def handed(earlier: Mapping[str, Cursor]) -> Handed | None:
    """All that is known of logs under other labels, as one cursor; None if nothing is."""
    labels = [label for label, _cursor in of_kind(earlier, LogsCursor)]
    if not labels:
        return None
    known = [read_marks(earlier[label], label) for label in labels]
    logs = dict.fromkeys(mark for marks, _entries in known for mark in marks)
    ended = {(each.offset, each.head, each.edge): each for _marks, entries in reversed(known) for each in entries}
    return Handed(write_cursor(to_cursor(logs, ended.values(), moved=True)), tuple(labels))


def to_cursor(logs: Iterable[LogMark], ended: Iterable[Entry], *, moved: bool = False) -> LogsCursor:
    """The cursor after these logs were read (rule 3); entries that come later are newer."""
    latest = list(dict.fromkeys(ended))
    gone = sum(entry.stamp == NO_STAMP for entry in latest)
    packed = []
    for entry in latest:
        if entry.stamp == NO_STAMP:
            gone -= 1
            if gone >= REMEMBERED:
                continue
        packed.append(_packed(entry))
    written = binascii.b2a_base64(b"".join(packed), newline=False).decode()
    return LogsCursor(2, tuple(sorted(logs, key=lambda mark: (mark.name, mark.offset))), written, moved)


def _packed(entry: Entry) -> bytes:
    edges = bytes.fromhex(entry.head) + bytes.fromhex(entry.edge)
    last = min(max(0, entry.mtime_s), _SECONDS_MAX).to_bytes(_TIME - _NAME, "big")
    return entry.stamp + entry.offset.to_bytes(_OFFSET - _STAMP, "big") + edges + entry.file + entry.name + last


def _unpacked(ended: str, size: int) -> Iterator[Entry]:
    packed = binascii.a2b_base64(ended, strict_mode=True) if ended else b""
    if len(packed) % size:
        raise ValueError
    for start in range(0, len(packed), size):
        entry = packed[start : start + size]
        offset = int.from_bytes(entry[_STAMP:_OFFSET], "big")
        known = Entry(entry[:_STAMP], offset, entry[_OFFSET:_HEAD].hex(), entry[_HEAD:_EDGE].hex())
        if size > _EDGE:
            file, name, last = entry[_EDGE:_FILE], entry[_FILE:_NAME], int.from_bytes(entry[_NAME:], "big")
            known = replace(known, file=file, name=name, mtime_s=last)
        yield known
