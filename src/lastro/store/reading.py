"""Looking at files without following links."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


def is_real_folder(folder: Path) -> bool:
    """True if this is a folder and not a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(folder).st_mode)
    except OSError:
        return False


def size_of(path: Path) -> int | None:
    """The bytes of a regular file, None if there is no such file. A link counts as no file."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def read(path: Path) -> bytes:
    """A whole file's content. Raises `OSError`, also if the path is a link."""
    descriptor = os.open(path, _READ)
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()


def edges(path: Path, length: int) -> tuple[bytes, bytes]:
    """The first and the last `length` bytes of a file."""
    descriptor = os.open(path, _READ)
    try:
        size = os.fstat(descriptor).st_size
        return os.pread(descriptor, length, 0), os.pread(descriptor, length, max(size - length, 0))
    finally:
        os.close(descriptor)
