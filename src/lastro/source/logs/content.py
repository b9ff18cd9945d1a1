"""The bytes of a log file, whichever way it is stored: its length, and any part of it, read when asked for.

Rules:

1. What is meant are the lines' bytes: of a compressed file, what it holds.
2. A file is opened for each question, never through a link, and must still be the one that was found.
3. Nothing is held but the beginning and the part last asked for. A compressed file is unpacked from its beginning
   each time, a block at a time; its length is found once.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

from lastro.model.errors import SourceChanged
from lastro.model.text import _
from lastro.source.files.matching import Found
from lastro.source.logs import names
from lastro.source.logs.birth import born_ns

BLOCK_BYTES = 1 << 20
EDGE_BYTES = 4_096
"""How much of a log's beginning, and of what lies before an offset, tells it from others."""
HASH_BYTES = 10


class Torn(Exception):
    """A compressed file ends too early, or is none: `log` is it."""

    def __init__(self, log: Log) -> None:
        super().__init__(log.name)
        self.log = log


def hashed(content: bytes) -> str:
    """A short digest: 80 bits in hexadecimal digits."""
    return hashlib.sha256(content).digest()[:HASH_BYTES].hex()


@dataclass(slots=True)
class Log:
    """One log file as it was found, and its bytes as long as it is the same file. Raises `SourceChanged`, `Torn`."""

    found: Found
    _head: bytes | None = None
    _length: int | None = None
    _edges: dict[int, str] = field(default_factory=dict)
    _born_ns: int | None = None

    @property
    def name(self) -> str:
        """Its path as people see it."""
        return self.found.name

    @property
    def packed(self) -> bool:
        """True if it is compressed."""
        return names.is_packed(self.found.name)

    @property
    def born_ns(self) -> int:
        """When the file was made; 0 where nobody tells."""
        if self._born_ns is None:
            self._born_ns = born_ns(self.found.path, self.found.inode)
        return self._born_ns

    @property
    def length(self) -> int:
        """Bytes of lines when the file was found."""
        if not self.packed:
            return self.found.size
        if self._length is None:
            length, last = 0, b""
            for block in self.blocks():
                length, last = length + len(block), (last + block)[-EDGE_BYTES:]
            self._length, self._edges[length] = length, hashed(last)
        return self._length

    def holds(self, size: int) -> bool:
        """True if the file has at least so many bytes; a compressed one is not always unpacked for it."""
        if self.packed and size <= EDGE_BYTES:
            return len(self.head(size)) == size
        return self.length >= size

    def ends_at(self, size: int) -> bool:
        """True if the file has exactly so many bytes. A compressed one is unpacked for it: what a gzip file says of its
        length is said of its last member only.
        """
        if self.packed and size < EDGE_BYTES:
            return len(self.head(size + 1)) == size
        return self.length == size

    def head(self, size: int) -> bytes:
        """The first bytes, at most `EDGE_BYTES`; fewer where there are fewer."""
        if self._head is None:
            self._head = self.part(0, EDGE_BYTES)
        return self._head[:size]

    def edge(self, end: int) -> str:
        """The digest of the bytes before `end`, at most `EDGE_BYTES`."""
        if end not in self._edges:
            begin = max(0, end - EDGE_BYTES)
            self._edges[end] = hashed(self.part(begin, end - begin))
        return self._edges[end]

    def part(self, begin: int, size: int) -> bytes:
        """So many bytes from `begin` on; fewer where the file ends."""
        if not self.packed:
            with self._opened() as stream:
                return os.pread(stream.fileno(), max(0, min(size, self.found.size - begin)), begin)
        held = bytearray()
        for block in self.blocks():
            held += block[max(0, begin) : max(0, begin + size)]
            begin -= len(block)
            if begin + size <= 0:
                break
        return bytes(held)

    def blocks(self) -> Iterator[bytes]:
        """All bytes, a block at a time."""
        with self._opened() as stream:
            if self.packed and self.found.size == 0:
                raise Torn(self)
            if not self.packed:
                rest = self.found.size
                while rest > 0 and (block := stream.read(min(rest, BLOCK_BYTES))):
                    rest -= len(block)
                    yield block
                return
            unpacked = gzip.GzipFile(fileobj=stream, mode="rb") if self.name.lower().endswith(".gz") else _zstd(stream)
            try:
                while block := unpacked.read(BLOCK_BYTES):
                    yield block
            except (OSError, EOFError, ValueError, zlib.error):  # gzip's and Arrow's ways to say that it is damaged
                raise Torn(self) from None

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        try:
            descriptor = os.open(self.found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            raise changed(self.name) from None
        with os.fdopen(descriptor, "rb", buffering=0) as stream:
            status = os.fstat(descriptor)
            if (status.st_dev, status.st_ino) != (self.found.device, self.found.inode):
                raise changed(self.name)
            yield stream


def changed(name: str) -> SourceChanged:
    """The error for a file that is no longer the one that was found."""
    return SourceChanged(
        _("{name} was replaced or cut while it was read").format(name=name),
        do=_("ingest again: what was rotated meanwhile is found under its new name"),
    )


def _zstd(stream: BinaryIO) -> BinaryIO:
    import pyarrow as pa

    unpacked: BinaryIO = pa.CompressedInputStream(pa.PythonFile(stream, "r"), "zstd")
    return unpacked
