"""The ledger's file: adding events under a signed checkpoint, reading them, and proving them.

Rules:

1. Events are added in one transaction with the hashes and the checkpoint that covers them: after a crash all are
   there, or none. They are numbered from 0 without gaps, in the order in which they were added.
2. Each addition is signed once, however many events it brings: whoever has many brings them together.
3. What is added is signed with the key that was announced last, or else with the first: whoever still holds another is
   refused, and has to load it anew.
4. Nothing is ever changed or removed. What was is found by `audit`, which trusts none of this.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from lastro.ledger import event, note, tree
from lastro.ledger.event import Action, Event, found_by
from lastro.ledger.note import Checkpoint, PublicKey
from lastro.ledger.tables import KIND
from lastro.ledger.tiles import Tiles
from lastro.model import clock
from lastro.model.clock import Clock
from lastro.model.errors import Conflict, Corrupted, UnknownName
from lastro.model.text import _
from lastro.privacy.signing import SigningKey
from lastro.state.connection import Connection

_BLOCK = 1_000
_KEYS = "SELECT number, content FROM event WHERE dataset = '' AND action = 'key' ORDER BY number"


@dataclass(frozen=True, slots=True)
class Proof:
    """That an event (`content`, its bytes as text) is the ledger's `number`, of those that the checkpoint in `note`
    covers: `path` leads from the event's hash to the root. `keys` prove the events that announced the keys, from the
    first to the one that signed the note, each under the key before.
    """

    number: int
    content: str
    note: str
    path: tuple[bytes, ...]
    keys: tuple[Proof, ...] = ()


@dataclass(frozen=True, slots=True)
class Growth:
    """That the ledger of `new` (a note) begins with all that the one of `old` held."""

    old: str
    new: str
    path: tuple[bytes, ...]


class View:
    """The ledger at one moment."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def contents(self) -> Iterator[str]:
        """The events' texts, oldest first."""
        return (content for (content,) in self._connection.execute("SELECT content FROM event ORDER BY number"))

    def notes(self) -> Iterator[str]:
        """The checkpoints' notes, oldest first."""
        return (note for (note,) in self._connection.execute("SELECT note FROM checkpoint ORDER BY number"))


class Ledger:
    """The ledger of one workspace. Any number of processes and threads may use it at once.

    Every method raises `Corrupted`, `ConfigurationError` (file of a newer Lastro), `Locked` and, if it writes,
    `WriteFailed`.
    """

    def __init__(self, path: Path, origin: str) -> None:
        self.origin = origin
        self._file = Connection(path, KIND)

    def add(self, events: Sequence[Event], key: SigningKey, *, now: Clock = clock.utc_now) -> str | None:
        """Adds events, all or none; gives the note of the checkpoint that covers them, or None if there were none.

        Raises `Conflict` if another key was announced meanwhile (rule 3).
        """
        contents = [event.to_text(each) for each in events]
        if not contents:
            return None
        with self._file.writing() as connection:
            _check_key(connection, key)
            begin = _size(connection)
            tiles = Tiles(connection)
            tiles.frontier(begin)  # whose hashes are there
            tiles.add(begin, [tree.leaf_hash(content.encode()) for content in contents])
            rows = zip(count(begin), contents, map(found_by, events), strict=False)
            connection.executemany(
                "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", ((number, text, *keys) for number, text, keys in rows)
            )
            frontier = tiles.frontier(begin + len(contents))
            number = connection.execute("SELECT coalesce(max(number) + 1, 0) FROM checkpoint").fetchone()[0]
            at = clock.to_text(now())
            signed = note.signed(Checkpoint(self.origin, frontier.size, frontier.root(), number, at), key)
            connection.execute("INSERT INTO checkpoint VALUES (?, ?, ?)", (number, frontier.size, signed))
        return signed

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        self._file.close()

    @contextmanager
    def view(self) -> Iterator[View]:
        """The ledger as it is now, however long that takes to read."""
        with self._file.reading() as connection:
            yield View(connection)

    def size(self) -> int:
        """How many events there are."""
        with self._file.reading() as connection:
            return _size(connection)

    def last(self) -> str | None:
        """The newest checkpoint's note; None in an empty ledger."""
        with self._file.reading() as connection:
            found = connection.execute("SELECT note FROM checkpoint ORDER BY number DESC LIMIT 1").fetchone()
        return found[0] if found else None

    def newest(self, dataset: str, action: Action) -> int:
        """The highest version of a dataset about which there is such an event; -1 if there is none."""
        with self._file.reading() as connection:
            query = "SELECT coalesce(max(version), -1) FROM event WHERE dataset = ? AND action = ?"
            return int(connection.execute(query, (dataset, action)).fetchone()[0])

    def events(
        self, *, dataset: str | None = None, actor: str | None = None, action: str | None = None
    ) -> Iterator[tuple[int, Event]]:
        """The events with their numbers, oldest first: all, or those about one dataset, of one actor, of one kind."""
        asked = {"dataset": dataset, "actor": actor, "action": action}
        wanted = {name: value for name, value in asked.items() if value is not None}
        where = "".join(f" AND {name} = :{name}" for name in wanted)
        query = f"SELECT number, content FROM event WHERE number > :after{where} ORDER BY number LIMIT :block"
        after = -1
        while True:
            with self._file.reading() as connection:
                found = connection.execute(query, {**wanted, "after": after, "block": _BLOCK}).fetchall()
            yield from ((number, event.from_text(content, number)) for number, content in found)
            if len(found) < _BLOCK:
                return
            after = found[-1][0]

    def announced(self) -> PublicKey | None:
        """The key that signs, as it was announced last; None if the first still does. Raises `Corrupted`."""
        with self._file.reading() as connection:
            return _announced(connection)

    def keys(self) -> tuple[PublicKey, ...]:
        """The keys that took the first one's place, as events announce them, in their order. Raises `Corrupted`."""
        with self._file.reading() as connection:
            return tuple(_key(*row) for row in connection.execute(_KEYS))

    def prove(self, number: int) -> Proof:
        """The proof of an event under the newest checkpoint. Raises `UnknownName`."""
        with self._file.reading() as connection:
            found = connection.execute("SELECT content FROM event WHERE number = ?", (number,)).fetchone()
            last = connection.execute("SELECT size, note FROM checkpoint ORDER BY number DESC LIMIT 1").fetchone()
            if found is None or last is None or number >= last[0]:
                raise UnknownName(
                    _("the ledger has no event {number:,}").format(number=number), do=_("see which: lastro ledger show")
                )
            path = tree.inclusion(number, last[0], Tiles(connection).part)
            announced = (_announcement(connection, *row) for row in connection.execute(_KEYS))
            # The checkpoint over an announcement is still signed with the key before.
            keys = tuple(each for each in announced if each.note != last[1])
        return Proof(number, found[0], last[1], path, keys)

    def prove_growth(self, old: str, key: PublicKey) -> Growth:
        """The proof that the ledger only grew since a checkpoint. Raises `UnknownName` if it never had that one."""
        before = note.opened(old, key)
        with self._file.reading() as connection:
            last = connection.execute("SELECT size, note FROM checkpoint ORDER BY number DESC LIMIT 1").fetchone()
            if before is None or last is None or before.size > last[0]:
                raise UnknownName(
                    _("the ledger never had this checkpoint, or it was cut off since"),
                    do=_("see what was changed: lastro ledger verify"),
                )
            return Growth(old, last[1], tree.consistency(before.size, last[0], Tiles(connection).part))


def _announced(connection: sqlite3.Connection) -> PublicKey | None:
    found = connection.execute(f"{_KEYS} DESC LIMIT 1").fetchone()
    return None if found is None else _key(*found)


def _key(number: int, content: str) -> PublicKey:
    """The key that an event announces."""
    try:
        return note.public_key(str(event.from_text(content, number).about.get("public")))
    except ValueError:
        raise Corrupted(
            _("the event announces no key of this ledger"), do=_("see what was changed: lastro ledger verify")
        ) from None


def _check_key(connection: sqlite3.Connection, key: SigningKey) -> None:
    announced = _announced(connection)
    if announced is not None and announced.key != key.public:
        raise Conflict(_("the ledger has another key by now"), do=_("do it again"))


def _announcement(connection: sqlite3.Connection, number: int, content: str) -> Proof:
    """The proof of an event that announced a key, under the first checkpoint over it, which the key before signed."""
    query = "SELECT size, note FROM checkpoint WHERE size > ? ORDER BY size LIMIT 1"
    size, signed = connection.execute(query, (number,)).fetchone()
    return Proof(number, content, signed, tree.inclusion(number, size, Tiles(connection).part))


def _size(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(number) + 1, 0) FROM event").fetchone()[0])
