"""Which file is which log: the files that are there now, against the logs that are known.

Rules:

1. Content decides. A file *continues* a known log if it begins with the bytes that were read of it: as many, with the
   same beginning and the same end. Inodes and names only say where to look first, and decide where content cannot.
2. A file that was not touched since its log ended (inode, size, time) is not opened at all.
3. A log is continued by one file: by that with its inode, else that with its name, else the longest.
4. Two files of one log of which one begins with all that the other holds are one: a link, a copy that a rotation makes,
   a compressed file beside its original. The longer is the log, and the other is left alone. Where what they share
   is shorter than an edge, and the file with the known inode gave its name to the other and was not written later than
   it, they are two: a rename.
5. A file that begins with an edge or more of known bytes continues them, whoever else does. With less it is a new log
   if another file continues them or it bears the log's own name, which no ended log does.
6. A compressed file that ends too early is being written: it waits. One that nobody wrote to for `QUIET_NS`, and whose
   original is not there, is broken.
7. A log that no file continues is lost, unless a file waits that may hold it.
8. What cannot be told: where a log shorter than an edge is restored from a backup, and a copy of it with an older time
   gets the inode that became free, that looks like a rename, and its lines are read twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from lastro.model.errors import SourceBroken
from lastro.model.text import _
from lastro.source.logs import names
from lastro.source.logs.content import EDGE_BYTES, Log, Torn, hashed
from lastro.source.logs.marks import NO_STAMP, Entry, Known, LogMark, stamp

QUIET_NS = 60 * 1_000_000_000
_BUCKET = 64


@dataclass(frozen=True, slots=True)
class Told:
    """A file to follow, and what is known of it. `ended` if nothing more can come (its last line needs no newline),
    `rests` if it was not touched since it was read to its end.
    """

    log: Log
    known: Known | None
    ended: bool
    rests: bool = False

    @property
    def offset(self) -> int:
        """Up to where it was read."""
        return self.known.offset if self.known else 0


@dataclass(frozen=True, slots=True)
class Recognised:
    """The logs to follow, the oldest first; copies and files being written, which are left alone; logs that are `lost`,
    those that `wait` for a file being written, and entries whose files are `gone`.
    """

    logs: tuple[Told, ...]
    copies: tuple[str, ...]
    lost: tuple[LogMark, ...]
    waits: tuple[LogMark, ...]
    gone: tuple[Entry, ...]


def recognise(found: Sequence[Log], marks: Sequence[LogMark], entries: Sequence[Entry]) -> Recognised:
    """Tells the files apart. Raises `SourceBroken`, `SourceChanged`."""
    work = _Work(found, marks, entries)
    work.rest()
    work.match()
    work.continue_marks()
    work.sort_out()
    return work.result()


@dataclass(slots=True)
class _Work:
    found: Sequence[Log]
    marks: Sequence[LogMark]
    entries: Sequence[Entry]
    known: dict[int, Known | None] = field(default_factory=dict)  # by the file's place in `found`
    untouched: set[int] = field(default_factory=set)
    torn: set[int] = field(default_factory=set)
    copies: set[int] = field(default_factory=set)
    fitting: dict[int, list[Known]] = field(default_factory=dict)

    def rest(self) -> None:
        """Links to one file count once (rule 4), and files that were not touched are known (rule 2)."""
        stamps = {entry.stamp: entry for entry in self.entries if entry.stamp != NO_STAMP}
        first: dict[tuple[int, int], int] = {}
        for place in sorted(range(len(self.found)), key=lambda place: not names.is_bare(self.found[place].name)):
            file = self.found[place].found
            if first.setdefault((file.device, file.inode), place) != place:
                self.copies.add(place)
            elif entry := stamps.get(stamp(file)):
                self.known[place] = entry
                self.untouched.add(place)

    def match(self) -> None:
        """What each file begins with (rule 1)."""
        index = _Index((*self.marks, *self.entries))
        for place in self.open():
            try:
                self.fitting[place] = index.beginnings(self.found[place])
            except Torn:
                self._wait(place)

    def open(self) -> list[int]:
        """The files that are not yet told."""
        return [p for p in range(len(self.found)) if p not in self.known and p not in self.torn | self.copies]

    def _wait(self, place: int) -> None:
        check_waiting(self.found[place], self.found)
        self.torn.add(place)
        self.known.pop(place, None)

    def continue_marks(self) -> None:
        """Which file continues which log that may still grow (rule 3)."""
        for mark in sorted(self.marks, key=lambda mark: -mark.offset):
            places = [place for place in self.open() if mark in self.fitting[place]]
            if places:
                self.known[max(places, key=lambda place: self._closeness(place, mark))] = mark

    def _closeness(self, place: int, mark: LogMark) -> tuple[bool, bool, int, bool]:
        log = self.found[place]
        same = (log.found.device, log.found.inode) == (mark.device, mark.inode)
        length = log.found.size if log.packed else log.length
        return same, log.name == mark.name, length, not log.packed

    def sort_out(self) -> None:
        """The files that are left: copies, continued ends, new logs (rules 4 and 5)."""
        kin: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place in range(len(self.found)):
            if place not in self.torn | self.copies:
                kin[names.family(self.found[place].name)].append(place)
        left = self.open()
        try_length = {place: self._length(place) for place in left}
        for place in sorted((p for p in left if try_length[p] is not None), key=lambda p: -(try_length[p] or 0)):
            others = [other for other in kin[names.family(self.found[place].name)] if other in self.known]
            if any(self._is_copy(place, other) for other in others):
                self.copies.add(place)
            elif place not in self.torn:
                shorter = [other for other in others if self._is_beginning(other, place)]
                self.copies |= set(shorter)
                self.known[place] = self._continued(place)

    def _length(self, place: int) -> int | None:
        """The order of new files: by what they hold; a compressed one that nothing is known of by what it takes."""
        log = self.found[place]
        try:
            return log.length if self.fitting[place] else log.found.size
        except Torn:
            self._wait(place)
            return None

    def _is_copy(self, place: int, other: int) -> bool:
        """True if a file that is told holds all that this one does, and they are one."""
        log = self.found[place]
        return self._begins(other, place) and not (log.length < EDGE_BYTES and self._renamed(other, place))

    def _is_beginning(self, other: int, place: int) -> bool:
        """True if this file holds all that one does that was told before, and they are one."""
        kept, known = self.found[other], self.known.get(other)
        if other in self.torn | self.copies or isinstance(known, Entry) or not self._begins(place, other):
            return False
        return not (kept.length < EDGE_BYTES and self._renamed(other, place))

    def _begins(self, long: int, short: int) -> bool:
        """True if one file begins with all that another holds, which is something."""
        if self.found[long].found.size == 0 or self.found[short].found.size == 0:
            return False
        try:
            return self._alike(long, short) and begins_with(self.found[long], self.found[short])
        except Torn as torn:
            self._wait(short if torn.log is self.found[short] else long)
            return False

    def _renamed(self, other: int, place: int) -> bool:
        """True if one file seems to have given its name to the other."""
        log, kept, mark = self.found[place], self.found[other], self.known[other]
        moved = isinstance(mark, LogMark) and mark.name == log.name != kept.name
        return moved and kept.found.mtime_ns <= log.found.mtime_ns

    def _alike(self, long: int, short: int) -> bool:
        """Whether two files may begin alike, as cheaply as can be told."""
        kept, log, entry = self.found[long], self.found[short], self.known.get(long)
        if long in self.untouched and entry is not None:
            head = log.head(EDGE_BYTES)
            if len(head) < EDGE_BYTES:
                return not kept.packed and kept.head(_BUCKET)[: len(head)] == head[:_BUCKET]
            return hashed(head) == entry.head
        size = min(_BUCKET, len(log.head(_BUCKET)))
        return kept.head(size) == log.head(size)

    def _continued(self, place: int) -> Known | None:
        log = self.found[place]
        best = max(self.fitting[place], key=lambda known: known.offset, default=None)
        if best is None or best.offset >= EDGE_BYTES:
            return best
        others = (known for other, known in self.known.items() if other not in self.copies | {place})
        taken = any(known is best for known in others)
        if taken and not log.ends_at(best.offset):
            return None
        return None if isinstance(best, Entry) and names.is_bare(log.name) else best

    def result(self) -> Recognised:
        """What came out, in order of age."""
        places = [place for place in self.known if place not in self.torn | self.copies]
        rotated = self._rotated(places)
        places.sort(key=lambda p: (self.found[p].found.mtime_ns, names.age(self.found[p].name), self.found[p].name))
        told = tuple(
            Told(
                self.found[place],
                self.known[place],
                self._has_ended(place, rotated=place in rotated),
                place in self.untouched,
            )
            for place in places
        )
        continued = {id(known) for known in self.known.values()}
        held = {id(known) for fitting in self.fitting.values() for known in fitting}
        missing = [mark for mark in self.marks if id(mark) not in continued | held]
        writing = {names.own(self.found[place].name.rpartition("/")[2]) for place in self.torn}
        waits = [mark for mark in missing if names.own(mark.name.rpartition("/")[2]) in writing]
        return Recognised(
            logs=told,
            copies=tuple(sorted(self.found[place].name for place in self.copies)),
            lost=tuple(mark for mark in missing if mark not in waits),
            waits=tuple(waits),
            gone=tuple(entry for entry in self.entries if id(entry) not in continued),
        )

    def _rotated(self, places: Sequence[int]) -> set[int]:
        kin: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place in places:
            kin[names.family(self.found[place].name)].append(place)
        gone: set[int] = set()
        for members in kin.values():
            bare = [place for place in members if names.is_bare(self.found[place].name)]
            newest = max(members, key=lambda p: (self.found[p].found.mtime_ns, names.age(self.found[p].name)))
            gone |= set(members) - set(bare or [newest])
        return gone

    def _has_ended(self, place: int, *, rotated: bool) -> bool:
        file = self.found[place].found
        return self.found[place].packed or (rotated and file.seen_ns - file.mtime_ns >= QUIET_NS)


def check_waiting(log: Log, found: Sequence[Log]) -> None:
    """Raises `SourceBroken` if a compressed file that ends too early is not being written (rule 6)."""
    original = log.name.rpartition(".")[0]
    quiet = log.found.seen_ns - log.found.mtime_ns >= QUIET_NS
    if quiet and all(other.name != original for other in found):
        raise SourceBroken(
            _("{name} ends too early, or is not what its name says").format(name=log.name),
            do=_("restore it, or take it out of the folder: nothing was read of it"),
        )


def begins_with(long: Log, short: Log) -> bool:
    """True if all bytes of `short` are the first of `long`."""
    if not long.holds(short.length) or long.head(EDGE_BYTES)[: short.length] != short.head(EDGE_BYTES):
        return False
    if short.length <= EDGE_BYTES:
        return True
    held = b""
    blocks = long.blocks()
    for block in short.blocks():
        while len(held) < len(block):
            more = next(blocks, b"")
            if not more:
                return False
            held += more
        if held[: len(block)] != block:
            return False
        held = held[len(block) :]
    return True


class _Index:
    """Known logs by their beginnings."""

    def __init__(self, known: Sequence[Known]) -> None:
        self._by_head: dict[tuple[int, str], list[Known]] = defaultdict(list)
        for each in known:
            self._by_head[min(each.offset, EDGE_BYTES), each.head].append(each)
        self._sizes = sorted({size for size, _head in self._by_head})

    def beginnings(self, log: Log) -> list[Known]:
        """The known logs that a file continues. Raises `Torn`."""
        head = log.head(EDGE_BYTES) if self._sizes else b""
        found: list[Known] = []
        for size in self._sizes:
            if size > len(head):
                break
            alike = self._by_head.get((size, hashed(head[:size])), ())
            found += [known for known in alike if _continues(log, known)]
        return found


def _continues(log: Log, known: Known) -> bool:
    return log.holds(known.offset) and log.edge(known.offset) == known.edge
