"""What the names of log files tell: which belong to one log, and whether a file was rotated away.

Rules:

1. Rotation adds numbers, dates, `old` or `bak` to a log's name, each after `-`, `_` or a dot, and the extension of a
   compression. What is left without them is the log's own name: `app.log` of `app.log-20260131.2.gz` and `app.1.log`.
2. Files belong to one log if their folder and the log's own name are the same.
3. A file is rotated away if another file bears the log's own name; where none does (every file is dated), all but the
   newest are. A compressed file always is.
4. Rotation moves a log from one name to another: from the log's own name to any with something added, from a rotated
   name to that with more added, or compressed, and from a number to a higher one. Numbers that are no rotation's look
   the same (`worker.1.log`), so that a higher number counts only where the file is compressed on the way: renaming
   keeps the file, by which it is known.
5. Of files of the same time, the older is that with the earlier date, else that with the higher number; that with the
   log's own name is the newest.
"""

from __future__ import annotations

import posixpath
import re

PACKED = (".gz", ".zst")
"""Compressions that are read."""
FOREIGN = (".bz2", ".xz", ".lzma", ".lz4", ".zip", ".Z", ".br", ".7z")
"""Compressions that are not: their bytes must not be taken for lines."""
_ADDED = re.compile(r"[-._](?:\d+(?:T\d+)?Z?|old|bak|save)(?=[-._]|$)")
_NUMBER = re.compile(r"\d+")
_DATE_DIGITS = 6


def is_packed(name: str) -> bool:
    """True if the file is compressed."""
    return name.lower().endswith(PACKED)


def family(name: str) -> tuple[str, str]:
    """The folder, and the log's own name."""
    folder, base = posixpath.split(name)
    return folder, own(base)


def own(base: str) -> str:
    """The log's own name, of a file's name without its folder."""
    for ending in PACKED:
        base = base.removesuffix(ending)
    return _ADDED.sub("", base)


def is_bare(name: str) -> bool:
    """True if the file bears its log's own name."""
    base = posixpath.basename(name)
    return own(base) == base


def unpacked(name: str) -> str:
    """The name before its compression."""
    return name[: name.rindex(".")] if is_packed(name) else name


def may_become(earlier: str, later: str) -> bool:
    """True if a rotation may give the second name to the log that has the first (rule 4)."""
    if earlier == later or family(earlier) != family(later) or is_bare(later):
        return False
    begun, ended = unpacked(earlier), unpacked(later)
    if is_bare(earlier) or begun == ended:
        return True
    if ended.startswith(begun) and _ADDED.match(ended, len(begun)):
        return True
    (kind, numbers), (later_kind, later_numbers) = age(begun), age(ended)
    counted = kind == later_kind == 1 and len(numbers) == len(later_numbers) > 0
    return counted and later_numbers < numbers and is_packed(later)


def age(name: str) -> tuple[int, tuple[int, ...]]:
    """Orders names of one log, the oldest first (rule 4)."""
    if is_bare(name):
        return 2, ()
    base = posixpath.basename(name)
    digits = _NUMBER.findall(base[len(posixpath.commonprefix([base, own(base)])) :])
    if any(len(each) >= _DATE_DIGITS for each in digits) or len(digits) > 2:
        return 0, tuple(int(each) for each in digits)
    return 1, tuple(-int(each) for each in digits)
