"""Proof that data files hold the bytes that were committed.

A file that was hashed in this process is not hashed again while the system says it is the same file, unchanged (device,
inode, size, times of modification and change): damage by a program is found at once, damage below the file system at
the next process or by `verify`. A file from which rows were erased since its version was read is no damage.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from lastro.model import digest
from lastro.model.errors import Corrupted
from lastro.model.text import _
from lastro.model.version import FileEntry
from lastro.store import reading
from lastro.store.erasure.generations import Generations, Known
from lastro.store.paths import Places

_Identity = tuple[int, int, int, int, int]
_REMEMBERED_MAX = 200_000
_PARALLEL_BYTES = 8 << 20
_proven: dict[_Identity, str] = {}


def hashes(paths: Sequence[Path]) -> list[str]:
    """The digests of some files, in order; large ones side by side, since hashing frees the interpreter's lock."""
    if len(paths) < 2 or sum(path.stat().st_size for path in paths) < _PARALLEL_BYTES:
        return [digest.of_file(path) for path in paths]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(digest.of_file, paths))


def remember(path: Path, sha256: str) -> None:
    """Notes that a file was hashed just now, or written by us from what was hashed."""
    if len(_proven) >= _REMEMBERED_MAX:
        _proven.clear()
    _proven[_identity(path)] = sha256


def prove(places: Places, entries: Iterable[FileEntry], *, afresh: bool = False) -> None:
    """Raises `Corrupted`, naming the first file that is missing, of another size or of other content.

    With `afresh` every file is hashed, whatever this process knows of it.
    """
    generations = Generations(places)
    entries = tuple(entries)
    while True:
        mark = generations.mark()
        try:
            _prove(places, entries, generations.known(), afresh=afresh)
        except Corrupted:
            if generations.mark() == mark:  # else rows were erased while we looked
                raise
        else:
            return


def _prove(places: Places, entries: Sequence[FileEntry], known: Known, *, afresh: bool) -> None:
    unknown = [(entry, places.data(entry.path), known.acceptable(entry.path, entry.sha256)) for entry in entries]
    for entry, path, _allowed in unknown:
        size = reading.size_of(path)
        if size != entry.size:
            raise _corrupted(path, _("is missing") if size is None else _("has another size than was committed"))
    if not afresh:
        unknown = [each for each in unknown if _proven.get(_identity(each[1])) not in each[2]]
    for (_entry, path, allowed), found in zip(
        unknown, hashes([path for _entry, path, _allowed in unknown]), strict=True
    ):
        if found not in allowed:
            raise _corrupted(path, _("has other bytes than were committed"))
        remember(path, found)


def _identity(path: Path) -> _Identity:
    found = os.lstat(path)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _corrupted(path: Path, how: str) -> Corrupted:
    return Corrupted(
        _("data file {name} {how}").format(name=path.name, how=how),
        where=str(path),
        do=_("put the file back from a copy, or restore a version that does not need it: lastro log, lastro restore"),
    )
