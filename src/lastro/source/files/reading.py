"""A set of files while it is read: hashed in a thread beside the engine, and proven unchanged at the end."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from lastro.model import digest
from lastro.model.errors import SourceChanged, SourceUnreachable
from lastro.model.system import reason_of
from lastro.model.text import _
from lastro.source.files.known import FileMark
from lastro.source.files.matching import Found, look

Digests = dict[str, str]


class Hasher:
    """Digests of files, each computed once, in one thread of its own. `stop` ends it within one block of 1 MiB."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lastro-hash")
        self._stopped = threading.Event()
        self._running: dict[str, Future[str]] = {}

    def begin(self, files: Sequence[Found]) -> None:
        """Starts hashing these files, in this order."""
        for file in files:
            if file.name not in self._running:
                self._running[file.name] = self._pool.submit(self._hash, file.path)

    def of(self, file: Found) -> str:
        """The file's digest, waited for. Raises `SourceUnreachable`."""
        self.begin([file])
        try:
            return self._running[file.name].result()
        except OSError as error:
            raise SourceUnreachable(
                _("{name} can no longer be read: {reason}").format(name=file.name, reason=reason_of(error)),
                do=_("check the file and ingest again"),
            ) from error

    def beginnings(self, file: Found, sizes: Collection[int]) -> dict[int, str]:
        """The digests of the file's first bytes, by how many."""
        return beginnings(file.path, sizes)

    def stop(self) -> None:
        """Ends the thread, finished or not."""
        self._stopped.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _hash(self, path: Path) -> str:
        state = hashlib.sha256()
        with path.open("rb", buffering=0) as stream:
            while (block := stream.read(digest.BLOCK_BYTES)) and not self._stopped.is_set():
                state.update(block)
        return digest.PREFIX + state.hexdigest()


def beginnings(path: Path, sizes: Collection[int]) -> dict[int, str]:
    """The digests of a file's first bytes, for each of these sizes that it has, read once."""
    state, found, place = hashlib.sha256(), {}, 0
    with path.open("rb") as stream:
        for size in sorted(sizes):
            while place < size and (block := stream.read(min(digest.BLOCK_BYTES, size - place))):
                state.update(block)
                place += len(block)
            if place == size:
                found[size] = digest.PREFIX + state.hexdigest()
    return found


@contextmanager
def hashing() -> Iterator[Hasher]:
    """A hasher that ends with the context."""
    hasher = Hasher()
    try:
        yield hasher
    finally:
        hasher.stop()


def marks_after(files: Sequence[Found], base: Path, pattern: str, hasher: Hasher) -> tuple[FileMark, ...]:
    """The files' marks, once they were read. Raises `SourceChanged` if one was written, replaced or removed."""
    marks = []
    for file in files:
        try:
            sha256 = hasher.of(file)
            now = look(file.name, base, pattern)
        except SourceUnreachable as error:
            raise _changed(file.name) from error
        if now is None or not _same(file, now):
            raise _changed(file.name)
        marks.append(file.mark(sha256))
    return tuple(marks)


def _same(before: Found, after: Found) -> bool:
    """True if nobody touched the file: times can be set back, the inode's own change time cannot."""
    return (before.size, before.mtime_ns, before.ctime_ns, before.inode) == (
        after.size,
        after.mtime_ns,
        after.ctime_ns,
        after.inode,
    )


def _changed(name: str) -> SourceChanged:
    return SourceChanged(
        _("{name} changed while it was read").format(name=name),
        do=_("ingest again when nothing writes to it; write files elsewhere and rename them into place"),
    )
