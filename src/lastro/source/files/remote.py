"""Files that are somewhere else: they come to a private folder first, for the engine's child has no network.

Rules:

1. What a batch reads is fetched before it is read, several objects at a time, into a folder of mode 0700 in the
   workspace's staging. It is removed when the batch is done, and by the next process if this one is killed.
2. `append` fetches at most `batch_bytes` at once, and says that there is more. What has to be read as a whole must fit
   `spool_bytes_max` and the disk, or is refused before anything is fetched.
3. SHA-256 is computed while an object is fetched. An object is the same if size and time are those noted; where they
   are not, it is fetched again and its digest decides. Tags (ETag) prove nothing, but that nothing changed meanwhile.
4. A time younger than `SETTLE_NS` proves nothing: stores count in seconds, and their clocks are not ours.
5. Errors name the object, never the folder.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lastro.engine.scan import FileFormat, FileScan
from lastro.model import scratch
from lastro.model.errors import LastroError, LimitExceeded, SourceBroken
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.source.files.formats import reading_of
from lastro.source.files.known import Bounds, FileMark, Known, choose, handed, known_files
from lastro.source.files.reading import beginnings
from lastro.source.options import write_cursor
from lastro.source.protocol import Cursor, Handed, Opened, Unchanged

SETTLE_NS = 60 * 1_000_000_000
BATCH_BYTES = 1 << 30
SPOOL_BYTES_MAX = 64 << 30
DISK_SPARE = 256 << 20
_AT_ONCE = 8
_PART_MAX = 120


@dataclass(frozen=True, slots=True)
class Remote:
    """One object: its URL as people see it, bytes, and when it was last written (nanoseconds; 0: not known).

    `key` is how its place calls it.
    """

    name: str
    size: int
    mtime_ns: int
    key: str = ""
    tag: str = ""

    def mark(self, sha256: str) -> FileMark:
        """The object for the cursor."""
        settled = self.mtime_ns if time.time_ns() - self.mtime_ns > SETTLE_NS else 0
        return FileMark(self.name, self.size, settled, sha256, self.tag)


class Place(Protocol):
    """Where objects are, while it is open."""

    def found(self, known: Known, spool: Spool) -> Sequence[Remote]:
        """The objects there, sorted by name. Raises `SourceUnreachable` if there is none, `SourceBroken`."""
        ...

    def fetch(self, remote: Remote, target: Path, stopped: threading.Event) -> str:
        """Writes one object to a file and gives its digest. Raises `SourceError`; `SourceChanged` if it is another."""
        ...


class Closed(Protocol):
    """A place that is not open yet."""

    def opened(self) -> AbstractContextManager[Place]:
        """The place, until the context ends. Raises `ConfigurationError`, `SourceUnreachable`."""
        ...


class Spool:
    """Objects in a private folder: each is fetched once."""

    def __init__(self, folder: Path, place: Place, size_max: int) -> None:
        self._folder, self._place, self.size_max = folder, place, size_max
        self._digests: dict[str, str] = {}
        self._present: set[str] = set()
        self._names: dict[str, str] = {}
        self._stopped = threading.Event()

    def path(self, name: str) -> Path:
        """Where an object lies, or will: its URL's path with parts that are safe, for positions are named after it."""
        parts = [_safe(part) for part in name.partition("://")[2].partition("?")[0].split("/")]
        path = self._folder.joinpath(*parts)
        if self._names.setdefault(str(path), name) != name:
            path = path.with_name(f"{len(self._names)}-{path.name}")
            self._names[str(path)] = name
        return path

    def note(self, name: str, sha256: str, *, present: bool) -> None:
        """Notes an object's digest, and whether the object is there already."""
        self._digests[name] = sha256
        if present:
            self._present.add(name)

    def of(self, remote: Remote) -> str:
        """The object's digest; it is fetched for it, if it is not known."""
        if remote.name not in self._digests:
            self._fetch(remote)
        return self._digests[remote.name]

    def beginnings(self, remote: Remote, sizes: Collection[int]) -> Mapping[int, str]:
        """The digests of the object's first bytes, by how many; it is fetched for them."""
        self._fetch(remote)
        return beginnings(self.path(remote.name), sizes)

    def _fetch(self, remote: Remote) -> None:
        if remote.name not in self._present:
            path = self.path(remote.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            self.note(remote.name, self._place.fetch(remote, path, self._stopped), present=True)

    def bring(self, remotes: Sequence[Remote]) -> tuple[Path, ...]:
        """Fetches all of them, several at once. Raises what goes wrong first."""
        self._check_room(remotes)
        paths = tuple(self.path(remote.name) for remote in remotes)
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="lastro-fetch") as pool:
            try:
                list(pool.map(self._fetch, remotes))
            except BaseException:
                self._stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return paths

    def told(self, error: LastroError) -> LastroError:
        """The error with objects' names in place of their files'."""
        for path, name in self._names.items():
            error.what, error.where, error.do = (
                text.replace(path, name) for text in (error.what, error.where, error.do)
            )
        error.args = (error.what,)
        return error

    def _check_room(self, remotes: Sequence[Remote]) -> None:
        size = sum(remote.size for remote in remotes if remote.name not in self._present)
        free = shutil.disk_usage(self._folder).free - DISK_SPARE
        if size > min(self.size_max, free):
            raise LimitExceeded(
                _("{size:,} bytes have to be fetched, and there is room for {room:,}").format(
                    size=size, room=max(0, min(self.size_max, free))
                ),
                do=_(
                    "use the mode append, which fetches batch_bytes at a time; or free disk, or raise spool_bytes_max"
                ),
            )


@dataclass(frozen=True, slots=True)
class RemoteFiles:
    """Files of one format in another place; `place` opens it. `base` is the workspace, whose staging is used."""

    label: str
    base: Path
    format: FileFormat
    place: Closed
    kind: str = "files"
    bounds: Bounds = field(default_factory=lambda: Bounds(size=BATCH_BYTES))
    spool_bytes_max: int = SPOOL_BYTES_MAX

    def moved(self, earlier: Mapping[str, Cursor], *, same: bool) -> Handed | None:
        """What is known of files under other paths: they are recognised by what they hold."""
        del same
        return handed(earlier)

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        """A scan of the files to read. Raises `SourceUnreachable`, `SourceBroken`, `SourceChanged`, `LimitExceeded`."""
        known = known_files(cursor, self.label)
        staging = self.base / ".lastro" / "staging"
        with scratch.held(staging if staging.is_dir() else None) as folder, self.place.opened() as place:
            spool = Spool(folder / "fetched", place, self.spool_bytes_max)
            (folder / "fetched").mkdir()
            try:
                yield self._opened(known, mode, place, spool)
            except LastroError as error:
                raise spool.told(error) from None

    def _opened(self, known: Known, mode: Mode, place: Place, spool: Spool) -> Opened | Unchanged:
        found = place.found(known, spool)
        reading = reading_of(self.format)
        choice = choose(found, known, mode, spool, bounds=self.bounds, reading=reading)
        if not choice.read:
            return Unchanged()
        paths = spool.bring(choice.read)
        seen = (*choice.read, *choice.proven)
        before = known if mode is Mode.APPEND else Known(None)
        marks = [remote.mark(spool.of(remote)) for remote in seen]
        return Opened(
            scan=FileScan(paths, self.format),
            watermark=lambda: write_cursor(before.with_marks(marks, reading)),
            label=self.label,
            notes=choice.notes(len(found)),
            more=lambda: choice.left > 0,
        )


def refuse_size(name: str, read: int, size: int) -> SourceBroken:
    """The error for an object that ended before, or went on beyond, the size that its place told."""
    return SourceBroken(
        _("{read:,} bytes came of {size:,} that were announced").format(read=read, size=size),
        where=name,
        do=_("ingest again; if it recurs, the object or the network on the way to it is damaged"),
    )


def _safe(part: str) -> str:
    """A part of a URL's path as a file's name: no way up, nothing unprintable, not too long; the ending stays."""
    kept = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in part)
    if kept.strip(".") == "":
        return f"_{len(kept)}"
    while len(kept.encode("utf-8", "replace")) > _PART_MAX:
        kept = kept[len(kept) // 4 :]
    return kept.encode("utf-8", "replace").decode()
