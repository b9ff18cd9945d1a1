"""Logs that were read by a Lastro that did not follow them yet, or in another mode: from files known whole to marks.

Rules:

1. Such a cursor knows files by path, size and digest (`files.known`). A file that is as it was noted was read whole.
2. A file of the same log (of any, where the source has a new place) that begins with the bytes of a noted one, by
   their digest, continues it: it grew, or was renamed or compressed since. Where these bytes do not tell (`evidence`),
   only one file does, it must have its name or one that a rotation gives, and the noted file must not be there as it
   was.
3. Where a path now holds another file and no file continues the noted one, that is lost. A noted file that is gone was
   read whole, and nothing more is known of it.
4. Of the oldest files of a long list only hashes are noted: one of those that changed cannot be continued, and is
   refused as before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence, Set
from contextlib import suppress
from functools import partial

from lastro.model import digest
from lastro.model.errors import SourceChanged
from lastro.model.text import _
from lastro.source.files.known import FileMark, Known, known_files
from lastro.source.logs import evidence, names
from lastro.source.logs.content import EDGE_BYTES, HASH_BYTES, Log, Torn, hashed
from lastro.source.logs.marks import LogMark
from lastro.source.protocol import Cursor

_NEVER = "0" * 2 * HASH_BYTES


def upgraded(cursor: Cursor, label: str, found: Sequence[Log]) -> tuple[LogMark, ...]:
    """The marks of the logs that the cursor knows. Raises `SourceChanged`."""
    known = known_files(cursor, label)
    marks: list[LogMark] = []
    as_noted = {log.name for log in found if log.name in known and known.equals(log.found, partial(_digest, log))[0]}
    continued = set(as_noted)
    for log in found:
        with suppress(Torn):  # it is being written: `recognition` sees to it
            path, offset = (log.name, log.length) if log.name in as_noted else _continued(log, known, continued)
            continued.add(path)
            marks += [_at(log, offset)] if offset else []
    present = {log.name: log for log in found}
    for path, noted in known.marks.items():
        if path in present and path not in continued:
            marks.append(LogMark(path, noted.size, _NEVER, _NEVER, present[path].found.device, 0, noted.size))
    return tuple(marks)


def _continued(log: Log, known: Known, continued: Set[str]) -> tuple[str, int]:
    """Which noted file a log is, and how much of it was read; nothing of a new one."""
    if log.name in known and log.name not in known.marks:
        raise SourceChanged(
            _("{name} was ingested before and is another file now").format(name=log.name),
            do=_("add new rows in new files, restore the old file, or ingest with --mode upsert or overwrite"),
        )
    family = names.family(log.name)
    kin = [mark for mark in known.marks.values() if known.moved or names.family(mark.path) == family]
    for mark in sorted(kin, key=lambda mark: -mark.size):
        if names.is_packed(mark.path):
            same = mark.size == log.found.size and mark.path not in continued
            if same and mark.sha256 == _digest(log):
                return mark.path, log.length
        elif mark.size and _begins(log, mark) and _is_told(log, mark, continued, moved=known.moved):
            return mark.path, mark.size
    return "", 0


def _is_told(log: Log, mark: FileMark, continued: Set[str], *, moved: bool) -> bool:
    """True if a file that begins with a noted one is it (rule 2)."""
    if evidence.tells(log, mark.size):
        return True
    named = moved or log.name == mark.path or names.may_become(mark.path, log.name)
    return named and (mark.path not in continued or names.unpacked(log.name) == names.unpacked(mark.path))


def _at(log: Log, offset: int) -> LogMark:
    file = log.found
    head = hashed(log.head(min(offset, EDGE_BYTES)))
    size = offset if log.packed else file.size
    return LogMark(log.name, offset, head, log.edge(offset), file.device, file.inode, size, log.born_ns)


def _begins(log: Log, mark: FileMark) -> bool:
    """True if the log begins with the file that was noted."""
    if not log.holds(mark.size):
        return False
    state, rest = hashlib.sha256(), mark.size
    for block in log.blocks():
        state.update(block[:rest])
        rest -= len(block)
        if rest <= 0:
            break
    return digest.PREFIX + state.hexdigest() == mark.sha256


def _digest(log: Log) -> str:
    """The digest of the file as it is stored."""
    return digest.of_file(log.found.path)
