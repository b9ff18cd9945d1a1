"""From a path or glob to the files it means, and what those files are.

Rules:

1. Matches are sorted by their path, so that the same files are always read in the same order.
2. Symbolic links are not followed, neither files nor folders that a wildcard matched: a link is refused by name, since
   leaving it out would lose data silently. Folders written out in the pattern may be links.
3. A pattern that matches nothing is an error; so is a file that cannot be opened.
4. A modification time that is younger than `SETTLE_NS` proves nothing (two writes can share one tick of the clock): it
   is noted as 0, and the digest decides next time.
"""

from __future__ import annotations

import glob
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from lastro.model.errors import SourceBroken, SourceUnreachable
from lastro.model.system import reason_of
from lastro.model.text import _
from lastro.source.files.known import FileMark

SETTLE_NS = 100_000_000


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
    device: int

    def mark(self, sha256: str) -> FileMark:
        """The file for the cursor."""
        settled = self.seen_ns - self.mtime_ns > SETTLE_NS
        return FileMark(self.name, self.size, self.mtime_ns if settled else 0, sha256)


def find(pattern: str, base: Path) -> tuple[Found, ...]:
    """The files a pattern means, sorted. Raises `SourceUnreachable`, `SourceBroken`."""
    try:
        names = sorted(glob.iglob(pattern, root_dir=base, recursive=True))  # noqa: PTH207 - pathlib has no root_dir
    except ValueError:
        names = []
    links = Links(base / _literal_part(pattern))
    files = tuple(found for name in names if (found := _look(name, base, links)) is not None)
    if not files:
        raise SourceUnreachable(
            _("no file matches {pattern}").format(pattern=pattern),
            where=str(base.absolute()),
            do=_("check the path; unless it begins with /, it begins in that folder"),
        )
    return files


def look(name: str, base: Path, pattern: str) -> Found | None:
    """What stands at one path now; None if that is a folder. Raises `SourceUnreachable`, `SourceBroken`."""
    return _look(name, base, Links(base / _literal_part(pattern)))


def _look(name: str, base: Path, links: Links) -> Found | None:
    path = base / name
    links.refuse(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return None
        if not stat.S_ISREG(status.st_mode):
            raise SourceBroken(_("{name} is no regular file").format(name=name), do=_("name files only"))
        if not os.access(path, os.R_OK):
            path.open("rb").close()  # says why
    except OSError as error:
        if isinstance(error, SourceBroken):
            raise
        raise SourceUnreachable(
            _("{name} cannot be opened: {reason}").format(name=name, reason=reason_of(error)),
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
        status.st_dev,
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


class Links:
    """Refuses links below the literal part of a pattern; each folder is looked at once."""

    def __init__(self, literal: Path) -> None:
        self._literal = literal
        self._folders: set[Path] = set()

    def refuse(self, path: Path) -> None:
        """Raises `SourceUnreachable` if the path, or a folder on the way to it, is a link."""
        below = path.is_relative_to(self._literal)
        for place in (path.parent, *path.parent.parents) if below else ():
            if place in self._folders or place == self._literal.parent:
                break
            self._refuse(place)
            self._folders.add(place)
        self._refuse(path)

    def _refuse(self, place: Path) -> None:
        if place != self._literal and place.is_symlink():
            raise SourceUnreachable(
                _("{name} is a symbolic link, and links are not followed").format(name=os.fspath(place)),
                do=_("name the file or folder it points to"),
            )
