"""One committer per dataset: a lock file held with `flock`.

Rules:

1. The lock belongs to the open file: the system frees it when the process ends, however it ends.
2. The file is never removed; it holds the pid and host of the holder, for people. Who only looks for
   something to do signs it with the first change, so that a look writes nothing.
3. A child made by fork closes its copy, so that it cannot hold the lock beyond its parent's death.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lastro.model.errors import Locked
from lastro.model.text import _
from lastro.store import disk

_POLL_FIRST_S = 0.001
_POLL_LAST_S = 0.05
_held: set[int] = set()


@contextmanager
def held(path: Path, *, dataset: str, timeout_s: float) -> Iterator[Callable[[], None]]:
    """Holds the lock and gives a function that signs it. Raises `Locked`, naming the holder's pid if it signed, if the
    lock is not free within `timeout_s`.
    """
    disk.make_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        _acquire(descriptor, path, dataset, timeout_s)
        _held.add(descriptor)
        _wipe(descriptor)  # a name that a killed holder left
        try:
            yield lambda: _sign(descriptor)
        finally:
            _held.discard(descriptor)
            with suppress(OSError):  # what was done under the lock counts, not whether its holder's name is wiped
                _wipe(descriptor)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, dataset: str, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    pause = _POLL_FIRST_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            left = deadline - time.monotonic()
            if left <= 0:
                raise _locked(descriptor, path, dataset, timeout_s) from None
            time.sleep(min(pause, left))
            pause = min(pause * 2, _POLL_LAST_S)
        else:
            return


def _sign(descriptor: int) -> None:
    if os.fstat(descriptor).st_size == 0:
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)


def _wipe(descriptor: int) -> None:
    if os.fstat(descriptor).st_size:
        os.ftruncate(descriptor, 0)


def _locked(descriptor: int, path: Path, dataset: str, timeout_s: float) -> Locked:
    try:
        holder = json.loads(os.pread(descriptor, 1000, 0))
        who = _("process {pid} on {host}").format(pid=int(holder["pid"]), host=str(holder["host"])[:80])
    except (ValueError, LookupError, TypeError):
        who = _("another process")
    return Locked(
        _("{who} is changing {dataset}; waited {seconds:g} s").format(who=who, dataset=dataset, seconds=timeout_s),
        where=str(path),
        do=_("try again when it has finished"),
        state=_("nothing was committed"),
    )


def _forget() -> None:
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_forget)
