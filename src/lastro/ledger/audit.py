"""Whether the ledger is what was signed: every event, hash and checkpoint read again, and trusted for nothing.

Rules:

1. Events are numbered from 0 without gaps; checkpoints, too, each covering more than the one before. Each is signed
   with the key that the auditor holds, or with one that an event announced (`key`) under a checkpoint signed with the
   key before. Its root is that of the events it covers. The last covers all.
2. A root tells that events before it were changed; the hashes that are kept beside tell which: the first event whose
   hash is another than the one kept.
3. What the ledger looked like at a moment that somebody noted elsewhere (`anchors`: notes) must be the beginning of
   what it is. Without anchors, a ledger whose last events are gone, together with their checkpoints, is one that
   somebody could have had.
4. Reading is bounded: a tile of hashes and a block of events are held at a time.
5. Nothing in the file is believed: that its tables are those that Lastro makes, and hold what these may hold, either.
   A ledger without a checkpoint, or without its file, is none that was signed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from lastro.ledger import note, tree
from lastro.ledger.event import Event, found_by
from lastro.ledger.note import Checkpoint, PublicKey
from lastro.ledger.tables import KIND, is_as_made
from lastro.ledger.tiles import WIDTH, split
from lastro.model.errors import Corrupted
from lastro.model.text import _
from lastro.state.connection import Connection

FAULTS_MAX = 100
# Casts, because the types that a table is said to have are not what somebody may have written into the file.
_EVENTS = (
    "SELECT number, coalesce(CAST(content AS TEXT), ''), actor, action, dataset, version FROM event ORDER BY number"
)
_TILE = "SELECT coalesce(substr(CAST(hashes AS BLOB), 1, ?), x'') FROM tile WHERE level = ? AND place = ?"
_NOTES = "SELECT number, size, coalesce(CAST(note AS TEXT), '') FROM checkpoint ORDER BY number"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, in words; `number` is the first event concerned, from 0, where it is known."""

    what: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found: how many `events` and `checkpoints` there are, the newest checkpoint that is right, and the
    `faults`, at most `FAULTS_MAX`.
    """

    events: int
    checkpoints: int
    head: Checkpoint | None
    faults: tuple[Fault, ...] = ()

    @property
    def passed(self) -> bool:
        """True if nothing is wrong."""
        return not self.faults


def audit(path: Path, key: PublicKey, *, anchors: Sequence[str] = ()) -> Audit:
    """Reads a ledger's file as a whole. Raises `ConfigurationError`, `Locked`, `WriteFailed`."""
    work = _Work(key, [key], {size: None for each in anchors if (size := note.size_of(each)) is not None})
    if not path.exists():
        work.tell(_("the ledger's file is gone"))
        return work.result()
    try:
        with Connection(path, KIND).reading() as connection:
            connection.text_factory = lambda text: text.decode("utf-8", "replace")
            work.read(connection)
    except Corrupted as error:
        work.tell(error.what)
    for each in anchors:
        work.hold(each)
    return work.result()


@dataclass(slots=True)
class _Work:
    key: PublicKey
    keys: list[PublicKey]
    roots: dict[int, bytes | None]  # of the sizes that anchors have
    frontier: tree.Frontier = field(default_factory=tree.Frontier)
    checkpoints: int = 0
    head: Checkpoint | None = None
    faults: list[Fault] = field(default_factory=list)
    leaves: bytearray = field(default_factory=bytearray)
    upper: list[bytearray] = field(default_factory=list)

    def tell(self, what: str, *, number: int | None = None) -> None:
        self.faults.append(Fault(what, number))

    def result(self) -> Audit:
        return Audit(self.frontier.size, self.checkpoints, self.head, tuple(self.faults[:FAULTS_MAX]))

    def hold(self, anchor: str) -> None:
        """Compares what was noted elsewhere with the events read (rule 3)."""
        checkpoint = next((found for key in self.keys if (found := note.opened(anchor, key))), None)
        if checkpoint is None:
            self.tell(_("a checkpoint that was kept elsewhere is not signed with the ledger's key"))
        elif self.roots[checkpoint.size] is None:
            self.tell(_("a checkpoint that was kept elsewhere covers events that are gone"), number=self.frontier.size)
        elif self.roots[checkpoint.size] != checkpoint.root:
            self.tell(_("a checkpoint that was kept elsewhere is of other events"), number=0)

    def read(self, connection: sqlite3.Connection) -> None:
        if not is_as_made(connection):
            self.tell(_("the file has other tables than Lastro makes"))
        notes = self._notes(connection)
        following = next(notes, None)
        for number, content, *keys in connection.execute(_EVENTS):
            if not self._take(number, content, tuple(keys), connection):
                break
            while following is not None and following.size <= self.frontier.size:
                self._compare(following)
                following = next(notes, None)
        self._end(following, connection)

    def _take(self, number: int, content: str, keys: tuple[object, ...], connection: sqlite3.Connection) -> bool:
        """Adds an event; False if what follows cannot be told apart any more."""
        if number != self.frontier.size:
            self.tell(_("events are missing"), number=self.frontier.size)
            return False
        try:
            told = msgspec.json.decode(content, type=Event)
        except msgspec.DecodeError:
            self.tell(_("the event cannot be read"), number=number)
        else:
            if found_by(told) != keys:
                self.tell(_("the event is filed under other names than it holds"), number=number)
            if told.action == "key":
                self._follow(told, number)
        leaf = tree.leaf_hash(content.encode())
        self.frontier.add(leaf)
        if self.frontier.size in self.roots:
            self.roots[self.frontier.size] = self.frontier.root()
        self.leaves += leaf
        if len(self.leaves) == WIDTH * tree.HASH_BYTES:
            self._close_tile(connection)
        return True

    def _close_tile(self, connection: sqlite3.Connection) -> None:
        """Compares the hashes that are kept with those of the events (rule 2)."""
        place = self.frontier.size // WIDTH - 1
        hashes, level = bytes(self.leaves), 0
        self.leaves.clear()
        while True:
            self._compare_tile(connection, level, place, hashes)
            if len(hashes) < WIDTH * tree.HASH_BYTES:
                return
            if len(self.upper) == level:
                self.upper.append(bytearray())
            held = self.upper[level]
            held += tree.joined(list(split(hashes)))
            level, place, hashes = level + 1, place // WIDTH, bytes(held)
            if len(held) == WIDTH * tree.HASH_BYTES:
                held.clear()

    def _compare_tile(self, connection: sqlite3.Connection, level: int, place: int, hashes: bytes) -> None:
        found = connection.execute(_TILE, (len(hashes), level, place)).fetchone()
        kept = found[0] if found else b""
        if kept == hashes:
            return
        pairs = enumerate(zip(split(hashes), [*split(kept), *[b""] * WIDTH], strict=False))
        first = next(at for at, (made, noted) in pairs if made != noted)
        self.tell(_("the hash that is kept is not that of the events"), number=((place * WIDTH) + first) * WIDTH**level)

    def _notes(self, connection: sqlite3.Connection) -> Iterator[Checkpoint]:
        """The checkpoints that are signed, by size; tells the others."""
        last = 0
        for expected, (number, size, text) in enumerate(connection.execute(_NOTES)):
            self.checkpoints += 1
            found = note.opened(text, self.key)
            if found is None:
                self.tell(
                    _("checkpoint {number:,} is not signed with the ledger's key").format(number=expected), number=last
                )
                continue
            if (found.number, found.size) != (expected, size) or number != expected or found.size <= last:
                self.tell(_("checkpoint {number:,} is not where it belongs").format(number=expected), number=last)
                continue
            last = found.size
            yield found

    def _compare(self, checkpoint: Checkpoint) -> None:
        """Compares a checkpoint of exactly so many events with them."""
        if checkpoint.size != self.frontier.size:
            return
        if checkpoint.root != self.frontier.root():
            begin = self.head.size if self.head else 0
            self.tell(_("checkpoint {number:,} is of other events").format(number=checkpoint.number), number=begin)
        else:
            self.head = checkpoint

    def _follow(self, told: Event, number: int) -> None:
        """The key that an event announces signs what comes after the checkpoint over it."""
        try:
            announced = note.public_key(str(told.about.get("public")))
        except ValueError:
            announced = None
        if announced is None or announced.name != self.key.name:
            self.tell(_("the event announces no key of this ledger"), number=number)
            return
        self.key = announced
        self.keys.append(announced)

    def _end(self, following: Checkpoint | None, connection: sqlite3.Connection) -> None:
        size = self.frontier.size
        if following is not None:
            self.tell(_("a checkpoint covers events that are gone"), number=size)
        if not self.checkpoints:
            self.tell(_("there is no checkpoint: nothing is signed"))
        if self.head is None or self.head.size != size:
            covered = self.head.size if self.head else 0
            if size > covered:
                self.tell(_("events at the end are covered by no checkpoint that is right"), number=covered)
        query = "SELECT count(*) FROM tile"
        kept, wanted = connection.execute(query).fetchone()[0], _tiles_of(size)
        if kept != wanted:
            self.tell(_("there are hashes of events that are not there, or too few"), number=size)


def _tiles_of(size: int) -> int:
    """How many tiles a ledger of so many events keeps."""
    full = size // WIDTH
    wanted, rest = full, full
    while rest:
        above = -(-rest // WIDTH)
        wanted += above
        rest = rest // WIDTH
    return wanted
