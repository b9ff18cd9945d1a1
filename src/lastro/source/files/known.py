"""What is known of files that were read: the cursor of `files`, and what it decides.

The cursor stands in every commit, so it must stay small: of `DETAILED` files it has the whole mark, of the others
`ENTRY` bytes each. Rules:

1. A file is recognised by its path. It is the same if size and time of modification are those noted, or else if its
   digest is. A path that is known and no longer the same is another file.
2. An entry has the path's hash (80 bits), the hash of size and time (32) and that of size and digest (48). A new file
   is taken for a known one by chance once in 10^18 with a million of them; a changed one for unchanged once in 10^14.
3. A time that proves nothing is noted as 0, and equals no time.
4. Files that are gone stay known to `append`: should one come back, it is not read again.
5. Where the source has a new place (`moved`), a file that is not known by its path is recognised by its size and digest
   as one that is not there any more, each known file once. One that begins with all of such a file is refused: it grew.
   Of a million files that move at once, one is taken for a known one by chance once in 300.
"""

from __future__ import annotations

import binascii
import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec

from lastro.model.errors import SourceChanged
from lastro.model.text import _, ngettext
from lastro.model.version import Mode
from lastro.source.moved import of_kind
from lastro.source.options import read_cursor, write_cursor
from lastro.source.protocol import Cursor, Handed

DETAILED = 1_000
ENTRY = 20
_PATH, _TIME = 10, 14


class FileMark(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file as a cursor notes it: path (relative to the workspace) or URL, bytes, nanoseconds, digest, and `tag`, by
    which an HTTP server can be asked whether it changed.
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str
    tag: str = ""


class FilesCursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was read: marks of files, `older` ones as entries in base64, and `reading`, the identity of how they were
    read. `moved` is said of a cursor that was another label's, and never kept (rule 5).
    """

    reading: str
    files: tuple[FileMark, ...]
    older: str = ""
    moved: bool = False


class Seen(Protocol):
    """A file as it is found now."""

    @property
    def name(self) -> str:
        """Its path or URL, as cursors see it."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    @property
    def mtime_ns(self) -> int:
        """When it was last written; 0 where that is not known."""
        ...


File = TypeVar("File", bound=Seen)
Looked_contra = TypeVar("Looked_contra", contravariant=True)


class Digests(Protocol[Looked_contra]):
    """What tells files by what they hold."""

    def of(self, file: Looked_contra) -> str:
        """The file's digest."""
        ...

    def beginnings(self, file: Looked_contra, sizes: Collection[int]) -> Mapping[int, str]:
        """The digests of its first bytes, by how many."""
        ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one batch of `append` takes: files, and their bytes. At least one file is taken."""

    files: int = 5_000
    size: int = 4 << 30


@dataclass(frozen=True, slots=True)
class Choice(Generic[File]):
    """Which files to read now; which were proven to be the same by their digest; how many come in the next batch."""

    read: tuple[File, ...]
    proven: tuple[File, ...] = ()
    left: int = 0

    def notes(self, found: int) -> tuple[str, ...]:
        """What to say of it, where `found` files were there."""
        said = []
        if len(self.read) < found:
            said.append(
                ngettext(
                    "{new} of {all} files is new", "{new} of {all} files are new", len(self.read) + self.left
                ).format(new=len(self.read) + self.left, all=found)
            )
        if self.left:
            said.append(
                ngettext(
                    "{count} file is left for the next batch", "{count} files are left for the next batch", self.left
                ).format(count=self.left)
            )
        return tuple(said)


class Known:
    """The files of a cursor. `reading` is how they were read; empty without a cursor."""

    def __init__(self, cursor: FilesCursor | None) -> None:
        self.reading = cursor.reading if cursor else ""
        self.marks = {mark.path: mark for mark in cursor.files} if cursor else {}
        self.moved = cursor.moved if cursor else False
        self._entries = dict(_unpacked(cursor.older)) if cursor else {}

    def __len__(self) -> int:
        return len(self.marks) + len(self._entries)

    def __contains__(self, name: str) -> bool:
        return name in self.marks or _key(name) in self._entries

    def equals(self, file: Seen, digest: Callable[[], str]) -> tuple[bool, bool]:
        """Whether a known file is the same, and whether its digest had to say so (rule 1)."""
        known = self.marks.get(file.name)
        entry = _entry(known) if known else _key(file.name) + self._entries[_key(file.name)]
        if file.mtime_ns and entry[_PATH:_TIME] == _time(file.size, file.mtime_ns):
            return True, False
        if known and known.size != file.size:
            return False, True
        return entry[_TIME:] == _content(file.size, digest()), True

    def missing(self, found: Sequence[Seen]) -> tuple[list[FileMark], Counter[bytes]]:
        """What is known of files that are not among these: their marks, and how often each content stands in all."""
        names = {file.name for file in found}
        keys = {_key(name) for name in names}
        marks = [mark for mark in self.marks.values() if mark.path not in names]
        contents = Counter(_content(mark.size, mark.sha256) for mark in marks)
        contents.update(rest[_TIME - _PATH :] for key, rest in self._entries.items() if key not in keys)
        return marks, contents

    def with_marks(self, marks: Sequence[FileMark], reading: str) -> FilesCursor:
        """The cursor after these files were read, or proven, too."""
        latest = {mark.path: mark for mark in marks}
        entries = {**self._entries}
        for name in latest:
            entries.pop(_key(name), None)
        earlier = [mark for mark in self.marks.values() if mark.path not in latest]
        room = max(0, DETAILED - len(latest))
        detailed = [*list(latest.values())[:DETAILED], *earlier[:room]]
        for mark in (*list(latest.values())[DETAILED:], *earlier[room:]):
            entry = _entry(mark)
            entries[entry[:_PATH]] = entry[_PATH:]
        packed = b"".join(key + rest for key, rest in sorted(entries.items()))
        older = binascii.b2a_base64(packed, newline=False).decode()
        return FilesCursor(reading, tuple(sorted(detailed, key=lambda mark: mark.path)), older)


def handed(earlier: Mapping[str, Cursor]) -> Handed | None:
    """All that is known of files under other labels, as one cursor; None if nothing is."""
    cursors = dict(of_kind(earlier, FilesCursor))
    if not cursors:
        return None
    marks: dict[str, FileMark] = {}
    entries: dict[bytes, bytes] = {}
    for label, cursor in cursors.items():
        known = known_files(earlier[label], label)
        marks = {**known.marks, **marks}
        entries = {**dict(_unpacked(cursor.older)), **entries}
    packed = b"".join(key + rest for key, rest in sorted(entries.items()) if key not in {_key(name) for name in marks})
    older = binascii.b2a_base64(packed, newline=False).decode()
    reading = next(iter(cursors.values())).reading
    return Handed(write_cursor(FilesCursor(reading, tuple(marks.values()), older, moved=True)), tuple(cursors))


def known_files(cursor: Cursor | None, label: str) -> Known:
    """What the last commit's cursor knows. Raises `SourceChanged` if another kind of source wrote it."""
    last = None if cursor is None else read_cursor(cursor, FilesCursor, label)
    try:
        return Known(last)
    except (ValueError, binascii.Error):
        raise SourceChanged(
            _("what the last commit noted about these files cannot be read"),
            where=label,
            do=_("ingest once with --mode overwrite"),
        ) from None


def choose(
    found: Sequence[File],
    known: Known,
    mode: Mode,
    digests: Digests[File],
    *,
    bounds: Bounds,
    reading: str,
) -> Choice[File]:
    """Which files to read now, none if nothing changed. Raises `SourceChanged` if `append` met another file."""
    digest = digests.of
    if mode is Mode.APPEND:
        return _appended(found, known, digests, bounds)
    same = (
        reading == known.reading
        and len(found) == len(known)
        and all(file.name in known for file in found)
        and all(known.equals(file, lambda file=file: digest(file))[0] for file in found)  # type: ignore[misc]
    )
    return Choice(()) if same else Choice(tuple(found))


def _appended(found: Sequence[File], known: Known, digests: Digests[File], bounds: Bounds) -> Choice[File]:
    digest = digests.of
    new: list[File] = []
    proven: list[File] = []
    for file in found:
        if file.name not in known:
            new.append(file)
            continue
        same, hashed = known.equals(file, lambda file=file: digest(file))  # type: ignore[misc]
        if not same:
            raise SourceChanged(
                _("{name} was ingested before and is another file now").format(name=file.name),
                do=_("add new rows in new files, restore the old file, or ingest with --mode upsert or overwrite"),
            )
        if hashed:
            proven.append(file)
    if known.moved:
        proven += (again := _recognised(found, new, known, digests))
        names = {file.name for file in again}
        new = [file for file in new if file.name not in names]
    count = _fitting(new, bounds)
    return Choice(tuple(new[:count]), tuple(proven), len(new) - count)


def _recognised(found: Sequence[File], new: Sequence[File], known: Known, digests: Digests[File]) -> list[File]:
    """Those of the new files that were read in another place (rule 5). Raises `SourceChanged` for one that grew."""
    marks, contents = known.missing(found)
    sizes = {mark.size for mark in marks}
    every = contents.total() > len(marks)  # entries do not tell a size
    again: list[File] = []
    for file in new:
        content = _content(file.size, digests.of(file)) if every or file.size in sizes else b""
        if contents[content] > 0:
            contents[content] -= 1
            again.append(file)
        else:
            _refuse_grown(file, marks, digests)
    return again


def _refuse_grown(file: File, marks: Sequence[FileMark], digests: Digests[File]) -> None:
    shorter = [mark for mark in marks if 0 < mark.size < file.size]
    begins = digests.beginnings(file, {mark.size for mark in shorter}) if shorter else {}
    for mark in shorter:
        if begins.get(mark.size) == mark.sha256:
            raise SourceChanged(
                _(
                    "{name} begins with all of {earlier}, which was ingested before; which rows are new is not known"
                ).format(name=file.name, earlier=mark.path),
                do=_(
                    "add new rows in new files, or ingest with --mode upsert or overwrite; --source-is another reads "
                    "all of it"
                ),
            )


def _fitting(files: Sequence[Seen], bounds: Bounds) -> int:
    """How many of these files make one batch: at least one."""
    size = 0
    for count, file in enumerate(files[: bounds.files]):
        size += file.size
        if size > bounds.size and count:
            return count
    return min(len(files), bounds.files)


def _entry(mark: FileMark) -> bytes:
    time = _time(mark.size, mark.mtime_ns) if mark.mtime_ns else bytes(_TIME - _PATH)
    return _key(mark.path) + time + _content(mark.size, mark.sha256)


def _key(name: str) -> bytes:
    return _hash(name, _PATH)


def _time(size: int, mtime_ns: int) -> bytes:
    found = _hash(f"{size} {mtime_ns}", _TIME - _PATH)
    return found if any(found) else b"\x01" * len(found)  # zeros mean that no time is known


def _content(size: int, sha256: str) -> bytes:
    return _hash(f"{size} {sha256}", ENTRY - _TIME)


def _hash(text: str, size: int) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()[:size]


def _unpacked(older: str) -> Iterator[tuple[bytes, bytes]]:
    packed = binascii.a2b_base64(older, strict_mode=True) if older else b""
    if len(packed) % ENTRY:
        raise ValueError
    for start in range(0, len(packed), ENTRY):
        yield packed[start : start + _PATH], packed[start + _PATH : start + ENTRY]
