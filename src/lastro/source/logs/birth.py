"""When a file was made: with its inode, what no other file on its device ever was.

An inode's number is given away again at once on common file systems; together with the moment at which the file was
made it is not. Python does not tell that moment on Linux, so the C library is asked (`statx`).
"""

from __future__ import annotations

import ctypes
import os
import struct
from functools import cache
from pathlib import Path

_AT_FDCWD, _NO_FOLLOW, _WANTED = -100, 0x100, 0x100 | 0x800  # the inode and the birth
_BORN = 0x800
_ANSWER_BYTES = 256
_MASK_AT, _INODE_AT, _BORN_AT = 0, 32, 80
_SECOND_NS = 10**9


def born_ns(path: Path, inode: int) -> int:
    """Nanoseconds since 1970 at which this file was made; 0 where the system does not tell, or another file is
    there.
    """
    try:
        birth = getattr(path.lstat(), "st_birthtime", None)  # macOS and the BSDs
        if birth is not None:
            return int(birth * _SECOND_NS)
    except OSError:
        return 0
    library = _library()
    answer = ctypes.create_string_buffer(_ANSWER_BYTES)
    if library is None or library.statx(_AT_FDCWD, os.fsencode(path), _NO_FOLLOW, _WANTED, answer):
        return 0
    (mask,) = struct.unpack_from("=I", answer, _MASK_AT)
    (number,) = struct.unpack_from("=Q", answer, _INODE_AT)
    seconds, nanoseconds = struct.unpack_from("=qI", answer, _BORN_AT)
    return seconds * _SECOND_NS + nanoseconds if mask & _BORN and number == inode else 0


@cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):
        return None
    return library if hasattr(library, "statx") else None
