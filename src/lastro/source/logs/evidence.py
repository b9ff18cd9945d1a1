"""What tells that a file is a known log, where a few equal bytes do not.

Rules:

1. An edge (4 KiB) of equal bytes tells, and so do fewer in which two different moments stand: no other log has them. A
   banner that every start of a program writes tells nothing, however often it is found; nor does one moment alone,
   which may be that of a build.
2. The same file is the same log as long as it begins with what was read: the same inode, made at the same moment. Where
   the system does not tell when a file was made, the inode alone must do.
3. A name tells if a rotation gives it to a log (`names.may_become`) that its own file does not hold any more: to a
   copy, if the file was cut off, or to a compressed one. What was only renamed is still the same file.
4. An ended log does not bear the log's own name. Where the bytes do not tell, it is a file of exactly these bytes that
   was last written in the same second (compression and restoring keep that), or has its name with a compression's
   ending.
5. In a source that has a new path, files keep their base names, and ended logs their bytes: they are taken for those,
   and that is said.
6. Whatever else begins alike is another log: its lines are read, and that is said.
"""

from __future__ import annotations

import posixpath
import re

from lastro.source.logs import names
from lastro.source.logs.content import EDGE_BYTES, Log
from lastro.source.logs.marks import UNKNOWN, Entry, Known, LogMark, short_hash

_SECOND_NS = 10**9
_MOMENT = re.compile(
    rb"\d{4}[-/.]?\d{2}[-/.]?\d{2}[T _-]?\d{2}:?\d{2}:?\d{2}(?:[.,]\d+)?"
    rb"|\d{1,2}[/ -][A-Z][a-z]{2}[/ -]\d{4}[: ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?"
    rb"|[A-Z][a-z]{2} [ \d]?\d (?:\d{4} )?\d{2}:\d{2}:\d{2}(?:[.,]\d+)?"
    rb"|(?<![\d.])1\d{9}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?(?!\d)"
)


def tells(log: Log, size: int) -> bool:
    """True if so many bytes at the log's beginning are found in no other log (rule 1)."""
    return size >= EDGE_BYTES or len(set(_MOMENT.findall(log.head(size)))) > 1


def file_hash(log: Log) -> bytes:
    """Which file it is, for an entry."""
    return short_hash(f"{log.found.inode} {log.born_ns}")


def is_same_file(log: Log, known: Known | None) -> bool:
    """True if the log was known in this very file (rule 2)."""
    if isinstance(known, LogMark):
        if known.born and log.born_ns:
            return (known.inode, known.born) == (log.found.inode, log.born_ns)
        return (known.device, known.inode) == (log.found.device, log.found.inode)
    return known is not None and known.file != UNKNOWN and known.file == file_hash(log)


def is_renamed(log: Log, mark: LogMark, *, cut: bool, moved: bool) -> bool:
    """True if the file's name tells that it holds the log, which its own file, if it was `cut`, holds no more (rules 3
    and 5).
    """
    if moved and posixpath.basename(log.name) == posixpath.basename(mark.name):
        return True
    return (log.packed or cut) and names.may_become(mark.name, log.name)


def is_ended(log: Log, entry: Entry, *, moved: bool) -> bool:
    """True if the file is a log that ended (rule 4)."""
    if is_same_file(log, entry):
        return True
    if names.is_bare(log.name) or tells(log, entry.offset):
        return not names.is_bare(log.name)
    if not log.ends_at(entry.offset):
        return False
    if moved or entry.name == UNKNOWN:
        return True
    if entry.mtime_s == log.found.mtime_ns // _SECOND_NS:
        return True
    return log.packed and short_hash(names.unpacked(log.name)) == entry.name
