"""Chains: files to which records are added and in which none can be changed unnoticed.

Rules:

1. A chain is a text file; each line is `{"digest": …, "record": …}` in canonical JSON. `digest` is the record's.
2. A record has the form of its content (`lastro`, 1 or 2), its `number` from 0 and the digest of the record before it
   (`previous`, null for the first): the newest digest pins all that came before.
3. A record is acknowledged once its line is whole and fsynced. What a crash left of a line was never acknowledged: it
   is set aside when the next record is added.
4. A file in which anything else is wrong is refused (`Corrupted`), and nothing is added to it.
5. Whoever adds holds a lock; this module takes none.
6. Whoever proved a file may go on from a place in it, for as long as the system says that the file is the same
   (`identity_of`): what lies before the place was proven then.
7. Only where people are erased is a chain written anew (`rewrite`), as a whole: the records keep their numbers and get
   other digests. What a crash left of lines goes then.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lastro.model import digest
from lastro.model.durable import sync_folder, write_durably
from lastro.model.errors import ConfigurationError, Corrupted, StoreError, WriteFailed
from lastro.model.system import reason_of
from lastro.model.text import _

FORMS = (1, 2)
_TORN = ".torn-"
Record = Mapping[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a chain a record begins: its number, the byte, and the digest of the record before it."""

    number: int = 0
    at: int = 0
    previous: str | None = None


START = Place()


@dataclass(frozen=True, slots=True, repr=False)
class Chain:
    """The records of a file from a place on, oldest first, and where each begins; `end` is where the next will, `torn`
    what a crash left there.
    """

    records: tuple[Record, ...] = ()
    places: tuple[Place, ...] = ()
    end: Place = START
    torn: bytes = b""


def identity_of(path: Path) -> tuple[int, ...]:
    """What the system says of a file; it changes with every change of its content. Empty where there is none."""
    try:
        found = path.stat(follow_symlinks=False)
    except OSError:
        return ()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def read(path: Path, *, begin: Place = START) -> Chain:
    """The chain in a file, from a place on that is known from it; an empty one where there is no file.

    Raises `Corrupted`, `ConfigurationError`, `StoreError`.
    """
    try:
        with path.open("rb") as stream:
            stream.seek(begin.at)
            content = stream.read()
    except FileNotFoundError:
        return Chain()
    except OSError as error:
        raise StoreError(
            _("the records cannot be read: {reason}").format(reason=reason_of(error)),
            where=str(path),
            do=_("make the file readable"),
        ) from error
    *lines, torn = content.split(b"\n")
    records, places, place = [], [], begin
    for line in lines:
        last, record = _checked(line, place, path)
        records.append(record)
        places.append(place)
        place = Place(place.number + 1, place.at + len(line) + 1, last)
    return Chain(tuple(records), tuple(places), place, torn)


def append(path: Path, contents: Sequence[Record], *, form: int = 1, known: Chain | None = None) -> Chain:
    """Adds records and gives the chain with them; each gets its form, its number and the digest before it.

    `known` is the chain as whoever holds the lock has just read it; without it, it is read.
    Raises `WriteFailed`, and what `read` raises.
    """
    chain = read(path) if known is None else known
    records, places, lines, place = list(chain.records), list(chain.places), [], chain.end
    for content in contents:
        record, line, after = _line({**content, "lastro": form}, place)
        lines.append(line)
        records.append(record)
        places.append(place)
        place = after
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if chain.torn:
            write_durably(path.with_name(f"{path.name}{_TORN}{uuid.uuid4().hex}"), chain.torn, mode=0o600)
        _write(path, chain.end.at, b"".join(lines))
    except OSError as error:
        raise _not_written(path, error) from error
    return Chain(tuple(records), tuple(places), place)


def rewrite(path: Path, change: Callable[[Record], Record]) -> Mapping[str, str]:
    """Writes a chain anew, each record as `change` gives it, if any is another then; and removes what crashes left of
    lines. Gives the digests that became others, old and new. Whoever is killed has written all of it or nothing.

    Raises `WriteFailed`, and what `read` raises.
    """
    chain, place = read(path), START
    before = [str(each.previous) for each in (*chain.places, chain.end)][1:]
    lines, digests = [], {}
    for record, known in zip(chain.records, before, strict=True):
        _record, line, place = _line(change(record), place)
        lines.append(line)
        digests[known] = str(place.previous)
    changed = {old: new for old, new in digests.items() if old != new}
    try:
        if changed or chain.torn:
            write_durably(path, b"".join(lines), mode=0o600)
        for torn in path.parent.glob(f"{path.name}{_TORN}*"):
            torn.unlink()
    except OSError as error:
        raise _not_written(path, error) from error
    return changed


def _line(content: Record, place: Place) -> tuple[Record, bytes, Place]:
    """A record at its place, its line, and the place after it."""
    record = {**content, "number": place.number, "previous": place.previous}
    last = digest.of_value(record)
    line = digest.canonical({"digest": last, "record": record}) + b"\n"
    return record, line, Place(place.number + 1, place.at + len(line), last)


def _not_written(path: Path, error: OSError) -> WriteFailed:
    return WriteFailed(
        _("the record cannot be written: {reason}").format(reason=reason_of(error)),
        where=str(path),
        do=_("make room or give the right to write, then do the same again"),
        state=_("no part of the record became visible"),
    )


def _write(path: Path, place: int, content: bytes) -> None:
    is_new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(descriptor, place)
        try:
            rest, at = memoryview(content), place
            while rest:
                done = os.pwrite(descriptor, rest, at)
                rest, at = rest[done:], at + done
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, place)
            raise
    finally:
        os.close(descriptor)
    if is_new:
        sync_folder(path.parent)


def _checked(line: bytes, place: Place, path: Path) -> tuple[str, Record]:
    where = f"{path}:{place.number + 1}"
    try:
        whole = json.loads(line)
        found, record = whole["digest"], whole["record"]
        version = record["lastro"]
        fits = record["number"] == place.number and record["previous"] == place.previous
        # Of a canonical record, its very bytes are what was digested: nothing has to be written again to prove it.
        head = b'{"digest":"' + found.encode() + b'","record":'
        right = fits and line.startswith(head) and digest.of_bytes(line[len(head) : -1]) == found
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise damaged(where) from error
    if isinstance(version, int) and version > FORMS[-1]:
        raise ConfigurationError(
            _("a record has format {version}; this Lastro reads up to {known}").format(
                version=version, known=FORMS[-1]
            ),
            where=where,
            do=_("upgrade Lastro"),
        )
    if not right or version not in FORMS:
        raise damaged(where)
    return found, record


def damaged(where: str) -> Corrupted:
    """The error for a record that is not what was written."""
    return Corrupted(
        _("a record is not what was written"),
        where=where,
        do=_("restore the file from a backup, or move it away to begin anew without what it holds"),
        state=_("nothing was added to the file"),
    )
