"""Feeding: text files as UTF-8 blocks, decompressed and with line ends alike, for parsers that take only that.

Rules:

1. gzip and zstd are told by the file's name. A stream that ends too early, or whose checksum is wrong, is an error.
2. Any encoding Python knows is read; a byte that the encoding does not have is an error, not a replacement character.
3. A line end is a newline. Outside quotes, a carriage return with its newline becomes a newline; one alone becomes a
   newline in delimited text and a space elsewhere. Quoted values keep theirs.
4. A byte order mark is dropped.
5. Of a part of a file nothing before and after it is given; that a compressed file is whole beyond it, is not proven.
"""

from __future__ import annotations

import codecs
import gzip
import os
import re
import stat
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from lastro.engine.duck.failure import Failure, Refused, of_exception, refuse
from lastro.engine.duck.survey import BLOCK_BYTES, Surveyor
from lastro.engine.scan import Span

BOM = b"\xef\xbb\xbf"
COMPRESSED = (".gz", ".zst")
Normalise = Callable[[bytes], bytes]
Content = Callable[[], Iterator[bytes]]


class Readable(Protocol):
    """What can be read block by block."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


def is_utf8(encoding: str, file: str) -> bool:
    """True if the encoding is UTF-8 by any of its names. Raises `Refused` for a name Python does not know."""
    try:
        return codecs.lookup(encoding).name in {"utf-8", "utf-8-sig", "ascii"}
    except LookupError:
        refuse("encoding_unknown", file)


def open_plain(path: Path) -> BinaryIO:
    """Opens a regular file, never a link, a device or a pipe. Raises `Refused`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        refuse("missing", str(path))
    except OSError as error:
        refuse("link" if path.is_symlink() else "unreadable", str(path), detail=type(error).__name__)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        refuse("link", str(path))
    return os.fdopen(descriptor, "rb", buffering=0)


def blocks(path: Path, *, encoding: str = "utf-8", normalise: Normalise | None = None) -> Iterator[bytes]:
    """The file's text in UTF-8, block by block. Raises `Refused` (`truncated`, `encoding`, `missing`, `link`)."""
    whole = _decoded(path, raw_blocks(path), encoding)
    start = next(whole, b"")
    while len(start) < len(BOM) and (more := next(whole, b"")):
        start += more
    for block in _chain(start.removeprefix(BOM), whole):
        yield normalise(block) if normalise else block
    if normalise and (rest := normalise(b"")):
        yield rest


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def raw_blocks(path: Path, *, span: Span | None = None) -> Iterator[bytes]:
    """The file's bytes, or those of a part of it, decompressed. Raises `Refused`, `ended` if the part is not there."""
    if span is None:
        yield from _all_blocks(path)
        return
    with open_plain(path) as plain:
        if path.suffix.lower() in COMPRESSED:
            blocks, skip = _all_blocks(path), span.begin
        else:
            plain.seek(span.begin)
            blocks, skip = iter(lambda: plain.read(BLOCK_BYTES), b""), 0
        rest = span.end - span.begin
        while rest > 0:
            block = next(blocks, b"")
            if not block:
                refuse("ended", str(path), first=span.end)
            block, skip = block[skip : skip + rest], max(0, skip - len(block))
            rest -= len(block)
            if block:
                yield block


def _all_blocks(path: Path) -> Iterator[bytes]:
    with open_plain(path) as plain:
        match path.suffix.lower():
            case ".gz":
                yield from _inflated(path, gzip.GzipFile(fileobj=plain, mode="rb"))
            case ".zst":
                import pyarrow as pa

                yield from _inflated(path, pa.CompressedInputStream(pa.PythonFile(plain, "r"), "zstd"))
            case _:
                yield from iter(lambda: plain.read(BLOCK_BYTES), b"")


def _inflated(path: Path, stream: Readable) -> Iterator[bytes]:
    try:
        while block := stream.read(BLOCK_BYTES):
            yield block
    except (OSError, EOFError, ValueError, zlib.error):
        # gzip: BadGzipFile, EOFError, zlib.error; Arrow's zstd: OSError and ArrowInvalid, which is a ValueError.
        refuse("truncated", str(path))


def _decoded(path: Path, source: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if is_utf8(encoding, str(path)):
        yield from source
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    lines = 1
    try:
        for block in source:
            text = decoder.decode(block)
            yield text.encode()
            lines += text.count("\n")
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError:  # also surrogates that UTF-8 cannot hold
        refuse("encoding", str(path), line=lines, detail=encoding)


class QuotedText:
    """Makes line ends outside quotes alike; call it with each block in turn and at the end with none."""

    def __init__(self, quote: str, escape: str) -> None:
        self._quote, self._escape = quote.encode(), escape.encode()
        self._inside = False
        self._held = b""
        escaped = re.escape(escape.encode()) + b"." if escape and escape != quote else None
        self._token = re.compile(rb"|".join(filter(None, [escaped, re.escape(self._quote), rb"\r\n?"])), re.DOTALL)
        self._doubled = escaped is None

    def __call__(self, block: bytes) -> bytes:
        """The block with its line ends made alike, without what cannot be decided before the next one."""
        held, self._held = self._held + block, b""
        if block and (held.endswith(b"\r") or self._escape_open(held)):
            held, self._held = held[:-1], held[-1:]
        if not self._quote:
            return _alike(held)
        if self._doubled:
            return self._by_parity(held)
        return self._token.sub(self._replace, held)

    def _escape_open(self, text: bytes) -> bool:
        """True if the text ends with an escape that belongs to the character after it."""
        if self._doubled:
            return False
        return (len(text) - len(text.rstrip(self._escape))) % 2 == 1

    def _by_parity(self, block: bytes) -> bytes:
        parts = block.split(self._quote)
        for index in range(int(self._inside), len(parts), 2):
            parts[index] = _alike(parts[index])
        self._inside ^= (len(parts) - 1) % 2 == 1
        return self._quote.join(parts)

    def _replace(self, found: re.Match[bytes]) -> bytes:
        token = found[0]
        if token == self._quote:
            self._inside = not self._inside
        return b"\n" if token[:1] == b"\r" and not self._inside else token


def _alike(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text


class LineText:
    """Makes line ends alike where there are no quotes: a carriage return alone becomes a space."""

    def __init__(self) -> None:
        self._held = b""

    def __call__(self, block: bytes) -> bytes:
        """The block with its line ends made alike; a carriage return at its end waits for the next block."""
        held, self._held = self._held + block, b""
        if block and held.endswith(b"\r"):
            held, self._held = held[:-1], b"\r"
        return held.replace(b"\r\n", b"\n").replace(b"\r", b" ") if b"\r" in held else held


class Feeder:
    """Writes blocks made of a file into a named pipe from a thread of its own, surveying them on the way. `content`
    gives them afresh each time.

    After the reader saw the end, `finish` says whether that was the file's end: it raises what went wrong.
    """

    def __init__(self, path: Path, pipe: Path, content: Content, surveyor: Surveyor) -> None:
        self._path, self.pipe, self.content, self._surveyor = path, pipe, content, surveyor
        self._failure: Failure | None = None
        os.mkfifo(pipe, 0o600)
        self._thread = threading.Thread(target=self._run, daemon=True, name="feeder")
        self._thread.start()

    def finish(self) -> None:
        """Waits for the thread. Raises `Refused` if the file could not be read to its end."""
        self._thread.join()
        self.pipe.unlink(missing_ok=True)
        if self._failure:
            raise Refused(self._failure)

    @property
    def failed(self) -> bool:
        """True once reading the file went wrong: what the reader makes of the rest is a consequence."""
        return self._failure is not None

    def _run(self) -> None:
        try:
            with self.pipe.open("wb", buffering=0) as sink:
                for block in self.content():
                    self._surveyor.look(block)
                    _write(sink, block)
        except BrokenPipeError:
            return  # the reader gave up first and says why
        except Exception as error:  # noqa: BLE001 – whatever broke the file is told by `finish`, in the reader's thread
            self._failure = of_exception(error, file=str(self._path))


def _write(sink: BinaryIO, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[sink.write(rest) :]
