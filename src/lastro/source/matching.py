"""From a path or glob to the files it means, and what those files are.

Rules:

1. Matches are sorted by their path, so that the same files are always read in the same order.
2. Symbolic links are not followed, neither files nor folders that a wildcard matched: a link is refused by name, since
   leaving it out would lose data silently. Folders written out in the pattern may be links.
3. A pattern that matches nothing is an error; so is a file that cannot be opened.
4. A file's identity is size, modification time and SHA-256. Equal size and time mean equal; so does an equal digest.
5. A modification time that is younger than `SETTLE_NS` proves nothing (two writes can share one tick of the clock): it
   is noted as 0, and the digest decides next time.
"""

from __future__ import annotations

import glob
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from lastro.model.errors import SourceBroken, SourceUnreachable
from lastro.model.text import _

SETTLE_NS = 100_000_000


class FileMark(msgspec.Struct, frozen=True):
    """One file as a cursor notes it: path relative to the workspace, bytes, nanoseconds, digest."""

    path: str
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Found:
    """One file as it was when it was opened. `name` is its path as people and cursors see it."""

    name: str
    path: Path
    size: int
    mtime_ns: int
    inode: int
    ctime_ns: int
    seen_ns: int

    def mark(self, sha256: str) -> FileMark:
        """The file for the cursor."""
        settled = self.seen_ns - self.mtime_ns > SETTLE_NS
        return FileMark(self.name, self.size, self.mtime_ns if settled else 0, sha256)

    def surely_equals(self, mark: FileMark) -> bool:
        """True if the file has not been written since it was marked."""
        return (self.size, self.mtime_ns) == (mark.size, mark.mtime_ns)


def find(pattern: str, base: Path) -> tuple[Found, ...]:
    """The files a pattern means, sorted. Raises `SourceUnreachable`, `SourceBroken`."""
    try:
        names = sorted(glob.iglob(pattern, root_dir=base, recursive=True))  # noqa: PTH207 - pathlib has no root_dir
    except ValueError:
        names = []
    files = tuple(found for name in names if (found := look(name, base, pattern)) is not None)
    if not files:
        raise SourceUnreachable(
            _("no file matches {pattern}").format(pattern=pattern),
            where=str(base),
            do=_("check the path; it is relative to the workspace"),
        )
    return files


def look(name: str, base: Path, pattern: str) -> Found | None:
    """What stands at one path now; None if that is a folder. Raises `SourceUnreachable`, `SourceBroken`."""
    path = base / name
    _refuse_links(path, base / _literal_part(pattern))
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return None
        if not stat.S_ISREG(status.st_mode):
            raise SourceBroken(_("{name} is no regular file").format(name=name), do=_("name files only"))
        path.open("rb").close()
    except OSError as error:
        if isinstance(error, SourceBroken):
            raise
        raise SourceUnreachable(
            _("{name} cannot be opened: {reason}").format(name=name, reason=error.strerror or type(error).__name__),
            where=str(base),
            do=_("check that the file is there and may be read"),
        ) from error
    return Found(
        name,
        path,
        status.st_size,
        status.st_mtime_ns,
        status.st_ino,
        status.st_ctime_ns,
        time.time_ns(),
    )


def _literal_part(pattern: str) -> str:
    """The folders at the pattern's beginning that have no wildcard: `data/in` of `data/in/*/x*.csv`."""
    folders = pattern.split("/")[:-1]
    literal = []
    for folder in folders:
        if glob.has_magic(folder):
            break
        literal.append(folder)
    return "/".join(literal) or ("/" if pattern.startswith("/") else "")


def _refuse_links(path: Path, literal: Path) -> None:
    below = path.relative_to(literal).parts if path.is_relative_to(literal) else (path.name,)
    place = literal if path.is_relative_to(literal) else path.parent
    for part in below:
        place = place / part
        if place.is_symlink():
            raise SourceUnreachable(
                _("{name} is a symbolic link, and links are not followed").format(name=os.fspath(place)),
                do=_("name the file or folder it points to"),
            )
