"""A secret of 32 bytes in a file that only its owner reads.

Rules:

1. The file has mode 0600 and belongs to whoever uses it; any other is refused, and nothing is done with it. Its folder
   is made with mode 0700.
2. It is made once: of two processes that make one at the same moment, both use the one that was there first.
3. No secret is in an error or a log.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from lastro.model.durable import sync_folder
from lastro.model.errors import Corrupted, NotPermitted, WriteFailed
from lastro.model.system import reason_of
from lastro.model.text import _

SECRET_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def load_or_make(path: Path) -> bytes:
    """The secret of a file; a new one if there is none. Raises `NotPermitted`, `Corrupted`, `WriteFailed`."""
    if found := load(path):
        return found
    make(path, os.urandom(SECRET_BYTES))
    made = load(path)
    if made is None:
        raise WriteFailed(_("the key is gone"), where=str(path), do=_("try again"))
    return made


def load(path: Path) -> bytes | None:
    """The secret of a file, None if there is none. Raises `NotPermitted`, `Corrupted`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotPermitted(
            _("the key cannot be read: {reason}").format(reason=reason_of(error)),
            where=str(path),
            do=_("be the user who owns it, and put a file there, not a link"),
        ) from error
    try:
        _check_owner(os.fstat(descriptor), path)
        content = os.read(descriptor, SECRET_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) != SECRET_BYTES:
        raise Corrupted(_("the file is no key"), where=str(path), do=_("put the key back from a backup"))
    return content


def make(path: Path, secret: bytes) -> None:
    """Writes a secret under a name of its own, then links it there: whoever is first. Raises `WriteFailed`."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path, secret)
    except OSError as error:
        raise WriteFailed(
            _("the key cannot be kept: {reason}").format(reason=reason_of(error)),
            where=str(path),
            do=_("make the folder writable"),
        ) from error


def _check_owner(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode) or status.st_mode & _OTHERS or status.st_uid != os.geteuid():
        raise NotPermitted(
            _("others may read or change the key, or own it"),
            where=str(path),
            do=_("make it a file of yours with mode 0600; if somebody may have read it, make a new one"),
        )


def _make(path: Path, secret: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(8).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secret)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
