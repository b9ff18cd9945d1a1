"""What is known of logs: the cursor of a source that follows them.

Rules:

1. A log is known by its content: by how many bytes of it were read (`offset`), the digest of its first bytes and that
   of the last bytes before the offset, at most 4 KiB each. Where it stands, its inode and its size are noted beside.
2. A log that may still grow has a mark of its own. One that was read to its end and rotated away, or that is gone, is
   an entry of 34 bytes: the hash of inode, size and time (64 bits), offset (48), and the two digests (80 and 80).
3. Of the entries whose files are gone, the newest `REMEMBERED` are kept: should such a file come back, none of its
   lines is read again.
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

from lastro.model.errors import SourceChanged
from lastro.model.text import _
from lastro.source.moved import of_kind
from lastro.source.options import read_cursor, write_cursor
from lastro.source.protocol import Cursor, Handed

REMEMBERED = 5_000
ENTRY = 34
_STAMP, _OFFSET, _HEAD = 8, 14, 24
NO_STAMP = bytes(_STAMP)


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
    """One log that may still grow: `name` is its path when it was read, `size` its bytes then."""

    name: str
    offset: int
    head: str
    edge: str
    device: int
    inode: int
    size: int


class LogsCursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was read: `logs` may still grow; `ended` are the entries of the others, in base64. `follows` is the form's
    version.
    """

    follows: Literal[1]
    logs: tuple[LogMark, ...] = ()
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A log that has ended. `stamp` stands for its file; it is `NO_STAMP` where the file is gone."""

    stamp: bytes
    offset: int
    head: str
    edge: str


Known = LogMark | Entry


def stamp(file: Seen) -> bytes:
    """What tells that a file was not touched."""
    return hashlib.sha256(f"{file.inode} {file.size} {file.mtime_ns}".encode()).digest()[:_STAMP]


def read_marks(cursor: Cursor, label: str) -> tuple[tuple[LogMark, ...], tuple[Entry, ...]]:
    """What the last commit's cursor knows. Raises `SourceChanged` if it cannot be read."""
    last = read_cursor(cursor, LogsCursor, label)
    try:
        return last.logs, tuple(_unpacked(last.ended))
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
    ended = [entry for _marks, entries in reversed(known) for entry in entries]
    return Handed(write_cursor(to_cursor(logs, ended)), tuple(labels))


def to_cursor(logs: Iterable[LogMark], ended: Iterable[Entry]) -> LogsCursor:
    """The cursor after these logs were read (rule 3); entries that come later are newer."""
    latest = {(entry.offset, entry.head, entry.edge): entry for entry in ended}
    gone = sum(entry.stamp == NO_STAMP for entry in latest.values())
    packed = []
    for entry in latest.values():
        if entry.stamp == NO_STAMP:
            gone -= 1
            if gone >= REMEMBERED:
                continue
        packed.append(_packed(entry))
    written = binascii.b2a_base64(b"".join(packed), newline=False).decode()
    return LogsCursor(1, tuple(sorted(logs, key=lambda mark: (mark.name, mark.offset))), written)


def _packed(entry: Entry) -> bytes:
    edges = bytes.fromhex(entry.head) + bytes.fromhex(entry.edge)
    return entry.stamp + entry.offset.to_bytes(_OFFSET - _STAMP, "big") + edges


def _unpacked(ended: str) -> Iterator[Entry]:
    packed = binascii.a2b_base64(ended, strict_mode=True) if ended else b""
    if len(packed) % ENTRY:
        raise ValueError
    for start in range(0, len(packed), ENTRY):
        entry = packed[start : start + ENTRY]
        offset = int.from_bytes(entry[_STAMP:_OFFSET], "big")
        yield Entry(entry[:_STAMP], offset, entry[_OFFSET:_HEAD].hex(), entry[_HEAD:].hex())
