"""Which file is which log: the files that are there now, against the logs that are known.

Rules:

1. A file can *continue* a known log only if it begins with the bytes that were read of it: as many, with the same
   beginning and the same end. Where these tell little, it must also be told by what `evidence` names.
2. A file that was not touched since its log ended (inode, size, time) is not opened at all.
3. A log is continued by one file: by that in which it was known; where the bytes tell, else by that with its name, else
   by the longest; where they do not, else by one with a name that a rotation gives, and rather by one that is no ended
   log.
4. Two files of one log of which one begins with all that the other holds are one: a compressed file beside its
   original; and where the bytes tell, a link or a copy. The longer is the log, and the other is left alone. Where they
   do not, a file with the name of a rotated one may be a copy that is being made of the original: it waits until nobody
   wrote to it for `QUIET_NS`. If the original is not cut off until then, they are two logs.
5. A file that begins with an edge or more of known bytes continues them, whoever else does. With less it is a new log
   if another file continues them or it bears the log's own name, which no ended log does.
6. A compressed file that ends too early is being written: it waits. One that nobody wrote to for `QUIET_NS`, and whose
   original is not there, is broken.
7. A log that no file continues is lost, unless a file waits that may hold it, or one is in doubt.
8. What is in doubt is read as a new log, and told: rather a line twice than none.
9. What cannot be told, where the bytes do not tell: whether a file that was cut off and begins as before, with as much
   or more, was cut off at all; and, of a log whose file is gone, whether a compressed one that a rotation may have made
   of it holds it or one that followed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lastro.model.errors import SourceBroken
from lastro.model.text import _
from lastro.source.logs import evidence, names
from lastro.source.logs.content import EDGE_BYTES, Log, Torn, hashed
from lastro.source.logs.marks import NO_STAMP, UNKNOWN, Entry, Known, LogMark, short_hash, stamp

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
class Alike:
    """A file that begins with the bytes of another log, of which `other` is the name if it is known."""

    name: str
    other: str
    size: int


@dataclass(frozen=True, slots=True)
class Recognised:
    """The logs to follow, the oldest first; logs that are `lost`, those that `wait` for a file being written, and
    entries whose files are `gone`. Copies and files being written are left alone. What there is to say of files that
    begin alike: those in `doubt` are read as new, those `taken` for a known log are not, and those that may be
    `copying` wait.
    """

    logs: tuple[Told, ...]
    lost: tuple[LogMark, ...]
    waits: tuple[LogMark, ...]
    gone: tuple[Entry, ...]
    doubt: tuple[Alike, ...] = ()
    taken: tuple[Alike, ...] = ()
    copying: tuple[Alike, ...] = ()


def recognise(
    found: Sequence[Log], marks: Sequence[LogMark], entries: Sequence[Entry], *, moved: bool = False
) -> Recognised:
    """Tells the files apart; `moved` if they are known from another path. Raises `SourceBroken`, `SourceChanged`."""
    work = _Work(found, marks, entries, moved)
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
    moved: bool
    known: dict[int, Known | None] = field(default_factory=dict)  # by the file's place in `found`
    continued: set[int] = field(default_factory=set)  # the ids of what is known
    untouched: set[int] = field(default_factory=set)
    torn: set[int] = field(default_factory=set)
    copies: set[int] = field(default_factory=set)
    fitting: dict[int, list[Known]] = field(default_factory=dict)
    doubt: dict[int, Alike] = field(default_factory=dict)
    taken: dict[int, Alike] = field(default_factory=dict)
    copying: dict[int, Alike] = field(default_factory=dict)

    def rest(self) -> None:
        """Links to one file count once (rule 4), and files that were not touched are known (rule 2)."""
        stamps = {entry.stamp: entry for entry in self.entries if entry.stamp != NO_STAMP}
        first: dict[tuple[int, int], int] = {}
        for place in sorted(range(len(self.found)), key=lambda place: not names.is_bare(self.found[place].name)):
            file = self.found[place].found
            if first.setdefault((file.device, file.inode), place) != place:
                self.copies.add(place)
            elif entry := stamps.get(stamp(file)):
                self._tell(place, entry)
                self.untouched.add(place)

    def _tell(self, place: int, known: Known | None) -> None:
        self.known[place] = known
        self.continued.add(id(known))

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
        fits: dict[int, list[int]] = defaultdict(list)
        for place, fitting in self.fitting.items():
            for known in fitting:
                fits[id(known)].append(place)
        every: list[Known] = [*self.marks, *self.entries]
        for known in sorted(every, key=lambda known: -known.offset):
            same = [p for p in self._free(fits, known) if evidence.is_same_file(self.found[p], known)]
            if same:
                self._tell(same[0], known)
        for mark in sorted(self.marks, key=lambda mark: -mark.offset):
            self._continue(mark, self._free(fits, mark))

    def _free(self, fits: Mapping[int, list[int]], known: Known) -> list[int]:
        """The files that are not yet told and continue a log that no other does."""
        if id(known) in self.continued:
            return []
        return [place for place in fits.get(id(known), ()) if place not in self.known and place not in self.torn]

    def _continue(self, mark: LogMark, places: Sequence[int]) -> None:
        if not places:
            return
        if evidence.tells(self.found[places[0]], mark.offset):
            chosen = list(places)
        else:
            cut = any(evidence.is_same_file(log, mark) for log in self.found)
            chosen = [p for p in places if evidence.is_renamed(self.found[p], mark, cut=cut, moved=self.moved)]
        if not chosen:
            return
        place = max(chosen, key=lambda place: self._closeness(place, mark))
        self._tell(place, mark)
        log = self.found[place]
        usual = log.name == mark.name or names.may_become(mark.name, log.name)
        if not usual and mark.offset < EDGE_BYTES:
            self.taken[place] = Alike(log.name, mark.name, mark.offset)

    def _closeness(self, place: int, mark: LogMark) -> tuple[bool, bool, int, bool]:
        log = self.found[place]
        length = log.found.size if log.packed else log.length
        return log.name == mark.name, not self._ended(place), length, not log.packed

    def sort_out(self) -> None:
        """The files that are left: copies, continued ends, new logs (rules 4 and 5)."""
        kin: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place in range(len(self.found)):
            if place not in self.torn | self.copies:
                kin[names.family(self.found[place].name)].append(place)
        left = self.open()
        try_length = {place: self._length(place) for place in left}
        read = [place for place in left if try_length[place] is not None]
        for place in sorted(read, key=lambda place: self._order(place, try_length[place])):
            others = [other for other in kin[names.family(self.found[place].name)] if other in self.known]
            if any(self._is_copy(place, other) for other in others):
                self.copies.add(place)
            elif place not in self.torn:
                shorter = [other for other in others if self._is_beginning(other, place)]
                self.copies |= set(shorter)
                self._tell(place, self._continued(place))

    def _order(self, place: int, length: int | None) -> tuple[int, bool]:
        return -(length or 0), not names.is_bare(self.found[place].name)

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
        return self._begins(other, place) and self._are_one(place, other, shorter=place)

    def _is_beginning(self, other: int, place: int) -> bool:
        """True if this file holds all that one does that was told before, and they are one."""
        if other in self.torn | self.copies or isinstance(self.known.get(other), Entry):
            return False
        return self._begins(place, other) and self._are_one(place, other, shorter=other)

    def _are_one(self, place: int, other: int, *, shorter: int) -> bool:
        """Whether a new file and one that is told, one of which begins with the other, are one log (rule 4)."""
        log, kept, size = self.found[place], self.found[other], self.found[shorter].length
        if size >= EDGE_BYTES or names.unpacked(log.name) == names.unpacked(kept.name):
            return True
        new_is_copy, kept_is_copy = (names.may_become(*pair) for pair in ((kept.name, log.name), (log.name, kept.name)))
        if evidence.tells(self.found[shorter], size):
            return new_is_copy or kept_is_copy
        alike = Alike(log.name, kept.name, size)
        if new_is_copy and shorter == place and not log.packed and not self._is_quiet(place):
            self.copying[place] = alike
            return True
        if not kept_is_copy:  # a log that moved on to that name left its own to another
            self.doubt[place] = alike
        return False

    def _is_quiet(self, place: int) -> bool:
        file = self.found[place].found
        return file.seen_ns - file.mtime_ns >= QUIET_NS

    def _begins(self, long: int, short: int) -> bool:
        """True if one file begins with all that another holds, which is something."""
        if self.found[long].found.size == 0 or self.found[short].found.size == 0:
            return False
        try:
            return self._alike(long, short) and begins_with(self.found[long], self.found[short])
        except Torn as torn:
            self._wait(short if torn.log is self.found[short] else long)
            return False

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
        """What a file continues that is no copy (rule 5); notes if that is in doubt."""
        log = self.found[place]
        best = max(self.fitting[place], key=lambda known: known.offset, default=None)
        if best is None or best.offset >= EDGE_BYTES:
            return best
        free = [known for known in self.fitting[place] if id(known) not in self.continued]
        if ended := self._ended(place):
            chosen = max(ended, key=lambda entry: (evidence.is_same_file(log, entry), entry.offset))
            if not evidence.is_same_file(log, chosen) and (self.moved or chosen.name == UNKNOWN):
                self.taken[place] = Alike(log.name, "", chosen.offset)
            return chosen
        for known in free:
            if isinstance(known, LogMark):
                self.doubt[place] = Alike(log.name, known.name, known.offset)
            elif not names.is_bare(log.name):
                self.doubt.setdefault(place, Alike(log.name, "", known.offset))
        return None

    def _ended(self, place: int) -> list[Entry]:
        """The ended logs that a file is, and no other file."""
        free = (known for known in self.fitting[place] if id(known) not in self.continued)
        entries = (known for known in free if isinstance(known, Entry))
        return [each for each in entries if evidence.is_ended(self.found[place], each, moved=self.moved)]

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
        doubted = {alike.other for alike in self.doubt.values()}
        continued = {id(known) for known in self.known.values()}
        free = [mark for mark in self.marks if id(mark) not in continued]
        dropped = [mark for mark in free if mark.name in doubted or self._is_held(mark)]
        missing = [mark for mark in free if mark not in dropped]
        writing = {names.own(self.found[place].name.rpartition("/")[2]) for place in self.torn}
        waits = [mark for mark in missing if names.own(mark.name.rpartition("/")[2]) in writing]
        lost = tuple(mark for mark in missing if mark not in waits)
        gone = [replace(entry, stamp=NO_STAMP) for entry in self.entries if id(entry) not in continued]
        return Recognised(
            logs=told,
            lost=lost,
            waits=tuple(waits),
            gone=(*gone, *map(_left, (*dropped, *lost))),
            doubt=self._said(self.doubt),
            taken=self._said(self.taken),
            copying=self._said(self.copying),
        )

    def _is_held(self, mark: LogMark) -> bool:
        """True if a file that continues another log begins with all that was read of this one, and that tells."""
        return mark.offset >= EDGE_BYTES and any(mark in fitting for fitting in self.fitting.values())

    def _said(self, alike: Mapping[int, Alike]) -> tuple[Alike, ...]:
        return tuple(each for place, each in alike.items() if place not in self.torn)

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


def _left(mark: LogMark) -> Entry:
    """What is kept of a log that nobody continues."""
    file = short_hash(f"{mark.inode} {mark.born}")
    return Entry(NO_STAMP, mark.offset, mark.head, mark.edge, file, short_hash(mark.name))


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
