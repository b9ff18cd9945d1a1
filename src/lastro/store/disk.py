"""Durable changes to files: everything the store changes on a disk is changed here.

Rules:

1. Content is written to a temporary file in one folder of the same file system, fsynced, and only then given its name.
2. A name is given by `link` where nothing may be replaced, by `rename` where replacing is meant; then the folder is
   fsynced. Before that fsync nobody may be told.
3. Links are not followed.
4. Nothing here decides anything; errors are the operating system's.
"""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
READ_ONLY = 0o444


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, _READ | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Makes a file's content durable."""
    descriptor = os.open(path, _READ)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Makes a folder and its missing parents, durably. An existing one is left as it is."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def write_temporary(folder: Path, content: bytes, *, modified_ns: int | None = None) -> Path:
    """A new file in `folder` with this content, fsynced, its modification time set if given; it has no name to keep."""
    path = folder / uuid.uuid4().hex
    descriptor = os.open(path, _CREATE, 0o644)
    try:
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            if modified_ns is not None:
                os.utime(descriptor, ns=(modified_ns, modified_ns))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return path


def put_if_absent(temporary: Path, target: Path) -> None:
    """Gives a temporary file its name, unless that is taken: `FileExistsError`. Durable on return."""
    try:
        os.link(temporary, target, follow_symlinks=False)
    except FileExistsError:
        # The kernel may have made the link and lost the answer (network file systems): then the name is ours.
        if not target.samefile(temporary):
            raise
    sync_folder(target.parent)


def replace(temporary: Path, target: Path) -> None:
    """Gives a temporary file its name, replacing what had it. Durable on return."""
    temporary.rename(target)
    sync_folder(target.parent)


def move(source: Path, target: Path) -> None:
    """Renames within the file system; the caller fsyncs the folder."""
    source.rename(target)


def freeze(path: Path) -> None:
    """Makes a data file read-only and durable."""
    path.chmod(READ_ONLY)
    sync_file(path)


def remove(path: Path) -> None:
    """Removes a file; an absent one is no error. The caller fsyncs the folder."""
    path.unlink(missing_ok=True)


def remove_tree(folder: Path) -> None:
    """Removes a folder and what is in it, as far as that is possible."""
    shutil.rmtree(folder, ignore_errors=True)


def make_private(folder: Path) -> None:
    """Makes a folder that only this user may enter; its parents are made first."""
    make_folder(folder.parent)
    folder.mkdir(0o700)
