"""Emission: one event to where events go.

Rules:

1. To a file: one line, written and fsynced under a lock of the file, so that two processes do not tear each other's
   lines. After a line that a crash cut off, a new one begins. A link is not followed.
2. To an address: under the same address checks as any source's request, once, with a short time-out. Anything but a 2xx
   is no delivery.
3. No error repeats the address or the key.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from pathlib import Path

from lastro.model.errors import Locked, WriteFailed
from lastro.model.system import reason_of
from lastro.model.text import _
from lastro.openlineage.target import File, Receiver, Target
from lastro.source.fetch import posting

TIMEOUT_S = 5.0
LABEL = "openlineage"
_POLL_S = 0.02


def emit(target: Target, content: bytes) -> None:
    """Tells one event. Raises `SourceError`, `ConfigurationError`, `MissingExtra`, `WriteFailed`, `Locked`."""
    match target:
        case File(path):
            try:
                _append(path, content)
            except OSError as error:
                reason = reason_of(error)
                raise WriteFailed(
                    _("the file of events cannot be written: {reason}").format(reason=reason), where=path.name
                ) from error
        case Receiver():
            _post(target, content)


def _append(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o644)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise WriteFailed(_("the file of events is no file"), where=path.name)
        _lock(descriptor, path)
        size = os.fstat(descriptor).st_size
        cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        left = (b"\n" if cut else b"") + content + b"\n"
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Locked(_("another process holds the file of events"), where=path.name) from None
            time.sleep(_POLL_S)
        else:
            return


def _post(target: Receiver, content: bytes) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    if target.key is not None:
        headers["authorization"] = f"Bearer {target.key.reveal()}"
    posting.deliver(
        target.url,
        content,
        headers=headers,
        label=LABEL,
        allowed=target.allowed,
        timeout_s=TIMEOUT_S,
        retries=0,
        do=_("check the url and its receiver"),
    )
