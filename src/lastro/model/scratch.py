"""Where this process parses, spills and puts what it fetched, and what becomes of it when the process is killed.

Rules:

1. Each process has folders of its own in the workspace's staging. Each holds a locked file for as long as it lives; the
   system frees the lock however the process ends.
2. Who makes such a folder first removes those whose lock is free: what a killed process parsed may be personal.
3. A folder gets its final name, by which others find it, only once its lock is held.
4. Where the workspace cannot be written – a disk that is read-only or full – a private folder of the system serves.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

PREFIX = "engine-"
_LOCK = "lock"


class Later:
    """Claims a folder at the first call, one for each process: who computes nothing writes nothing."""

    def __init__(self, staging: Path) -> None:
        self._staging = staging
        self._claimed: Path | None = None

    def __call__(self) -> Path:
        """The folder."""
        if self._claimed is None:
            self._claimed = claim(self._staging)
        return self._claimed

    def __getstate__(self) -> dict[str, object]:
        """For a worker process: it claims its own."""
        return {"_staging": self._staging, "_claimed": None}


def claim(staging: Path) -> Path:
    """A private folder for this process; it is removed when the process ends, or by the next one."""
    folder, _descriptor = _made(staging)  # never closed: the lock lasts as long as this process
    atexit.register(partial(_remove, folder, os.getpid()))
    return folder


@contextmanager
def held(staging: Path | None) -> Iterator[Path]:
    """A private folder for as long as the context lasts; removed with it, or by the next process. Without a staging
    it is one of the system's.
    """
    folder, descriptor = _made(staging)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


def _made(staging: Path | None) -> tuple[Path, int | None]:
    """A new folder and its lock; those of processes that are gone are removed."""
    if staging is not None:
        with suppress(OSError):  # read-only or full: reading a version must still be possible
            made = _make(staging)
            with suppress(OSError):
                sweep(staging)
            return made
    return Path(tempfile.mkdtemp(prefix=f"lastro-{PREFIX}")), None


def sweep(staging: Path) -> None:
    """Removes the folders of processes that are gone. Raises `OSError` if there is no staging."""
    for folder in staging.glob(f"{PREFIX}*"):
        with suppress(OSError):  # removed by another at this moment, or not ours to remove
            descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not folder.is_symlink():
                    shutil.rmtree(folder)
            finally:
                os.close(descriptor)


def _make(staging: Path) -> tuple[Path, int]:
    staging.mkdir(parents=True, exist_ok=True)
    name = uuid.uuid4().hex
    unnamed = staging / f"new-{name}"
    unnamed.mkdir(mode=0o700)
    # Programs that this process starts do not inherit the lock.
    descriptor = os.open(unnamed / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return unnamed.rename(staging / f"{PREFIX}{name}"), descriptor


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # a forked child leaves its parent's folder alone
        shutil.rmtree(folder, ignore_errors=True)
