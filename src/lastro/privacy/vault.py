"""The vault: the only place where identifiers live, encrypted, each behind a random token.

Rules:

1. An entry is a kind and a value in its canonical form (`canonical`). It is found by an HMAC of both, its value is
   sealed with its token, kind and lookup bound to it, and its token is random: nothing of the value is in it.
2. One value of one kind has one token, whoever asks first, in whichever process. The value that is revealed is the text
   that came first. What is blank has no token; a token that is in the vault is its own, unless what is asked for is
   foreign: then a text that looks like a token is a text.
3. An entry belongs to the persons in whose rows it stood. A person is the entry of the value that names a subject.
4. Forgetting a person removes that entry, and those that belong to nobody else and name nobody themselves; a tombstone,
   an HMAC too, tells who is not to come back. No byte of what was removed stays in the file or its log.
5. New entries are in the file, durably, before their tokens are given. Tokens are remembered in memory, as long as
   nobody was forgotten and no key was turned: `state.changes` counts both.
6. While lookup keys are turned (`rotation`), entries are looked up under both.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from lastro.model import clock
from lastro.model.clock import Clock
from lastro.model.errors import Corrupted
from lastro.model.text import _
from lastro.privacy.canonical import form_of
from lastro.privacy.keys import Key, KeyFor, Ring
from lastro.privacy.remembered import Remembered
from lastro.privacy.root import RootAt
from lastro.privacy.sealing import NotOpened, opener, sealer
from lastro.privacy.token import TOKEN, drawn_tokens, raw_of, raws_of, texts_of
from lastro.privacy.vault_tables import KIND
from lastro.state.connection import Connection, Handle

_FOREIGN = "\0"
"""How the kinds begin under which foreign values are remembered: what looks like a token means another there."""
_CHUNK = 4_000
"""So many rows are asked for at once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A value in the vault, by its token. `is_subject` says that it names a person whose rows are somewhere."""

    token: str
    kind: str
    value: str = field(repr=False)
    is_subject: bool


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What forgetting a person removed: the tokens of the entries that are gone, and how many stay, as others have
    them, too.
    """

    tokens: tuple[str, ...]
    shared: int


@dataclass(frozen=True, slots=True)
class Held:
    """How much is in the vault: entries by kind, persons, and tombstones."""

    entries: Mapping[str, int]
    subjects: int
    tombstones: int


@dataclass(frozen=True, slots=True)
class _Known:
    number: int
    token: str
    is_subject: bool


class _Again(Exception):
    """The vault changed between looking and writing."""


class Vault:
    """The vault in a file, which is made at the first entry.

    Threads and processes may share it. Every method raises `NotPermitted` or `ConfigurationError` (the root key),
    `Corrupted`, `Locked` and, if it writes, `WriteFailed`. A pickled vault opens the file anew.
    """

    def __init__(self, path: Path, root: RootAt, *, now: Clock = clock.utc_now) -> None:
        self.connection = Connection(path, KIND)
        self.ring = Ring(self.connection, root, now)
        self._now = now
        self._turn = threading.RLock()
        self._remembered = Remembered()
        self._changes = -1
        self._data_version = -1
        """What SQLite says of the file's state: another number once another connection has written."""
        self._tombstones = 0
        self._keys: list[Key] = []
        self._lookups: dict[str, bytes] = {}
        """The lookups of what is asked for now, under the present key."""

    def __reduce__(self) -> tuple[object, ...]:
        return Vault, (self.connection.path, self.ring.root)

    @contextmanager
    def held_still(self) -> Iterator[None]:
        """No other thread uses this vault as long as the context lasts."""
        with self._turn:
            yield

    @property
    def exists(self) -> bool:
        """True if anything was ever put into it."""
        return self.connection.path.exists()

    def close(self) -> None:
        """Closes the file, and forgets what was remembered; the next use opens it again."""
        with self._turn:
            self.connection.close()
            self.forget_remembered()
            self._changes = -1

    def tokens(
        self,
        kind: str,
        values: Sequence[str],
        *,
        subjects: Sequence[str | None] | None = None,
        is_subject: bool = False,
        is_foreign: bool = False,
    ) -> list[str]:
        """The token of each value, made where there is none; of a blank value, an empty text.

        `subjects` are the tokens of the persons in whose rows the values stand, one for each value, None where nobody
        knows. With `is_subject` the values name persons themselves. A subject that is not in the vault is nobody.
        """
        with self._turn:
            while True:
                try:
                    return self._tokens(kind, values, subjects, is_subject=is_subject, is_foreign=is_foreign)
                except _Again:
                    continue

    def find(self, kind: str, value: str) -> str | None:
        """The token of a value, None if it is not in the vault. Makes nothing."""
        if not self.exists:
            return None
        with self._turn:
            self.refresh()
            self._keys, self._lookups = self._lookup_keys(), {}
            found = self._look_up(kind, [value])
            return found[value].token if value in found else None

    def reveal(self, tokens: Iterable[str]) -> dict[str, Entry]:
        """The entries of these tokens; those that are not in the vault are left out."""
        if not self.exists:
            return {}
        with self._turn:
            self.refresh()
            wanted = {raw: token for token, raw in raws_of(tokens).items()}
            with self.connection.reading() as handle:
                rows = list(_rows(handle, ENTRY + " WHERE token IN ({})", list(wanted)))
            return {entry.token: entry for entry in self.opened(rows)}

    def entries(self, subject: str) -> tuple[Entry, ...]:
        """Everything that belongs to a person, the entry that names them first; nothing for an unknown token."""
        number = self._number(subject)
        if number is None:
            return ()
        with self._turn:
            with self.connection.reading() as handle:
                rows = handle.execute(
                    ENTRY + " WHERE number = ?1 OR number IN (SELECT entry FROM belongs WHERE subject = ?1)"
                    " ORDER BY number <> ?1, number",
                    (number,),
                ).fetchall()
            return tuple(self.opened(rows))

    def owners(self, token: str) -> tuple[str, ...]:
        """The persons whom an entry belongs to: itself, if it names one, and those in whose rows it stood."""
        number = self._number(token)
        if number is None:
            return ()
        with self.connection.reading() as handle:
            rows = handle.execute(
                "SELECT token FROM entry WHERE number = ?1 AND is_subject OR number IN"
                " (SELECT subject FROM belongs WHERE entry = ?1) ORDER BY number <> ?1, number",
                (number,),
            ).fetchall()
        return tuple(texts_of([row[0] for row in rows]))

    def forget(self, *subjects: str) -> Forgotten:
        """Removes persons (rule 4), by their tokens; asked again, nothing is left to remove. The caller sees to it that
        no ingestion that knows them is under way. The file is written anew, once for all of them: forget many at once.
        Raises `Locked` if others read for too long; asked again, also without persons, it ends what was begun.
        """
        opened = [entries[0] for each in dict.fromkeys(subjects) if (entries := self.entries(each))]
        found: list[Forgotten] = []
        with self._turn:
            if opened:
                key = self.ring.current(KeyFor.BLOCK)
                with self.connection.writing() as handle:
                    found = [self._remove(handle, each, key) for each in opened]
                self._changes = -1
            if self.exists:
                self._wipe()
        return Forgotten(tuple(token for each in found for token in each.tokens), sum(each.shared for each in found))

    def blocks(self) -> bool:
        """True if anybody was forgotten who is not to come back."""
        if not self.exists:
            return False
        with self._turn:
            self.refresh()
            return self._tombstones > 0

    def blocked(self, kind: str, values: Sequence[str]) -> list[bool]:
        """Which of these values name somebody who was forgotten, or are tokens of one."""
        if not self.blocks():
            return [False] * len(values)
        with self._turn:
            marks = [
                {value: _mark(key, kind, value) for value in dict.fromkeys(values)}
                for number in self.ring.numbers(KeyFor.BLOCK)
                for key in [self.ring.key(KeyFor.BLOCK, number)]
            ]
            with self.connection.reading() as handle:
                wanted = [mark for each in marks for mark in each.values()]
                found = {row[0] for row in _rows(handle, "SELECT mark FROM tombstone WHERE mark IN ({})", wanted)}
        return [any(each[value] in found for each in marks) for value in values]

    def unblock(self, kind: str, value: str) -> bool:
        """Lets somebody come back who was forgotten; False if they were not blocked."""
        if not self.exists:
            return False
        with self._turn:
            keys = [self.ring.key(KeyFor.BLOCK, number) for number in self.ring.numbers(KeyFor.BLOCK)]
            with self.connection.writing() as handle:
                gone = sum(
                    handle.execute("DELETE FROM tombstone WHERE mark = ?", (_mark(key, kind, value),)).rowcount
                    for key in keys
                )
                changed(handle)
        return bool(gone)

    def rectify(self, token: str, value: str) -> bool:
        """Puts another value in the place of an entry's, under the same token; of the old one no byte stays in the
        file. False if nothing was changed: the vault does not know the token, or has the value under another one.
        """
        entry = self.reveal([token]).get(token)
        raw = raw_of(token)
        if entry is None or raw is None:
            return False
        with self._turn:
            self.refresh()
            record, keys = self.ring.current(KeyFor.RECORD), self._lookup_keys()
            lookup = digest(keys[0], entry.kind, value)
            sealed = sealer(record.secret)(value.encode(), about(raw, lookup, entry.kind))
            with self.connection.writing() as handle:
                theirs = _present(handle, entry.kind, [value], keys, {})
                if theirs and theirs[value].token != token:
                    return False
                handle.execute(
                    "UPDATE entry SET lookup = ?, lookup_key = ?, record_key = ?, sealed = ? WHERE token = ?",
                    (lookup, keys[0].number, record.number, sealed, raw),
                )
                handle.execute("UPDATE state SET value = value + 1 WHERE name = 'unwiped'")
                changed(handle)
            self._changes = -1
            self._wipe()
        return True

    def hasher(self) -> Callable[[bytes], bytes]:
        """A function that gives the HMAC-SHA256 of bytes under the hash key: 32 bytes."""
        with self._turn:
            self.refresh()
            secret = self.ring.current(KeyFor.HASH).secret
        return lambda content: hmac.digest(secret, content, "sha256")

    def subjects(self) -> Iterator[Entry]:
        """Every entry that names a person, some thousands at a time in memory."""
        return self._each("is_subject")

    def of_kind(self, kind: str) -> Iterator[Entry]:
        """Every entry of a kind, some thousands at a time in memory."""
        return self._each("kind = ?", kind)

    def tombstones(self) -> tuple[tuple[bytes, int, str, str], ...]:
        """Every tombstone: its mark, the number of the key that made it, the kind of whom it is about, and when."""
        with self.connection.reading() as handle:
            rows = handle.execute("SELECT mark, block_key, kind, at FROM tombstone ORDER BY mark").fetchall()
        return tuple((bytes(mark), int(key), str(kind), str(at)) for mark, key, kind, at in rows)

    def forgotten(self) -> int:
        """How many persons and lines were ever forgotten: each left a mark of its token, which nothing takes back."""
        return sum(not kind for _mark, _key, kind, _at in self.tombstones()) if self.exists else 0

    def take_tombstones(self, keys: Mapping[int, Key], tombstones: Iterable[tuple[bytes, int, str, str]]) -> None:
        """Puts tombstones of another vault into this one, with the keys that they were made with."""
        with self._turn:
            self.ring.current(KeyFor.BLOCK)
            with self.connection.writing() as handle:
                taken = {
                    number: self.ring.add(handle, KeyFor.BLOCK, secret=key.secret).number
                    for number, key in keys.items()
                }
                handle.executemany(
                    "INSERT OR IGNORE INTO tombstone VALUES (?, ?, ?, ?)",
                    [(mark, taken[key], kind, at) for mark, key, kind, at in tombstones if key in taken],
                )
                changed(handle)
            self._changes = -1

    def take_column_keys(self, keys: Iterable[Key]) -> bool:
        """Puts the column keys of another vault that this one lacks into it, under their numbers. False, and nothing is
        changed, if it has another key under one of these numbers, or lacks one before them.
        """
        wanted = sorted(keys, key=lambda each: each.number)
        with self._turn:
            there = set(self.ring.numbers(KeyFor.COLUMN))
            if any(
                self.ring.key(KeyFor.COLUMN, each.number).secret != each.secret
                for each in wanted
                if each.number in there
            ):
                return False
            lacking = [each for each in wanted if each.number not in there]
            if [each.number for each in lacking] != [len(there) + place + 1 for place in range(len(lacking))]:
                return False
            with self.connection.writing() as handle:
                for each in lacking:
                    self.ring.add(handle, KeyFor.COLUMN, secret=each.secret)
                changed(handle)
            self._changes = -1
        return True

    def held(self) -> Held:
        """How much is in it."""
        if not self.exists:
            return Held({}, 0, 0)
        with self.connection.reading() as handle:
            kinds = handle.execute("SELECT kind, count(*) FROM entry GROUP BY kind ORDER BY kind").fetchall()
            subjects, tombstones = handle.execute(
                "SELECT (SELECT count(*) FROM entry WHERE is_subject),"
                " (SELECT count(*) FROM tombstone WHERE kind <> '')"
            ).fetchone()
        return Held({kind: int(count) for kind, count in kinds}, int(subjects), int(tombstones))

    def check(self) -> int:
        """Opens every entry, and gives how many there are. Raises `Corrupted` at the first that was changed."""
        after = count = 0
        with self._turn:
            while True:
                with self.connection.reading() as handle:
                    rows = handle.execute(
                        ENTRY + " WHERE number > ? ORDER BY number LIMIT ?", (after, _CHUNK)
                    ).fetchall()
                if not rows:
                    return count
                count += sum(1 for _entry in self.opened(rows))
                after = rows[-1][0]

    def _tokens(
        self,
        kind: str,
        values: Sequence[str],
        subjects: Sequence[str | None] | None,
        *,
        is_subject: bool,
        is_foreign: bool,
    ) -> list[str]:
        self.refresh()
        shelf = f"{_FOREIGN}{kind}" if is_foreign else kind
        found = self._remembered.tokens(shelf, values, is_subject=is_subject)
        if None in found:
            asked = [value for value, token in zip(values, found, strict=True) if token is None]
            learnt = self._learn(kind, list(dict.fromkeys(asked)), is_subject=is_subject, is_foreign=is_foreign)
            self._remembered.learn(shelf, learnt, is_subject=is_subject)
            found = [learnt[value] if token is None else token for value, token in zip(values, found, strict=True)]
        tokens = cast("list[str]", found)  # nothing is unknown any more
        if subjects is not None:
            self._belong((token, each) for token, each in zip(tokens, subjects, strict=True) if each and token)
        return tokens

    def _learn(self, kind: str, values: Sequence[str], *, is_subject: bool, is_foreign: bool) -> dict[str, str]:
        """The token of each value, looked up or made; of a blank one, an empty text."""
        self._keys, self._lookups = self._lookup_keys(), {}
        present = [value for value in values if value and not value.isspace()]
        found = self._look_up(kind, present, is_foreign=is_foreign)
        missing = [value for value in present if value not in found or (is_subject and not found[value].is_subject)]
        made = self._add(kind, missing, found, is_subject=is_subject) if missing else {}
        return dict.fromkeys(values, "") | {value: each.token for value, each in found.items()} | made

    def refresh(self) -> None:
        """Forgets what was remembered, keys included, if the vault changed since (rule 5)."""
        with self.connection.reading() as handle:
            changes, tombstones = handle.execute(
                "SELECT (SELECT value FROM state WHERE name = 'changes'), (SELECT count(*) FROM tombstone)"
            ).fetchone()
            self._data_version = _data_version(handle)
        if changes != self._changes:
            self.forget_remembered()
        self._changes, self._tombstones = int(changes), int(tombstones)

    def forget_remembered(self) -> None:
        """Looks everything up again, and reads keys again, at their next use."""
        self._remembered = Remembered()
        self.ring.forget()

    def _look_up(self, kind: str, values: Sequence[str], *, is_foreign: bool = False) -> dict[str, _Known]:
        """What the vault holds of these values; a token of its own stands for itself, unless it is foreign."""
        raw = {} if is_foreign else {found: value for value in values if (found := raw_of(value)) is not None}
        with self.connection.reading() as handle:
            rows = list(_rows(handle, _SHORT + " WHERE token IN ({})", list(raw)))
            own = {raw[row[1]]: each for row, each in zip(rows, _of(rows), strict=True)}
            others = [value for value in values if value not in own]
            return own | _present(handle, kind, others, self._keys, self._lookups)

    def _lookup_keys(self) -> list[Key]:
        """The present lookup key and, while entries stand under it, the one before it."""
        current = self.ring.current(KeyFor.LOOKUP)
        older = [number for number in self.ring.numbers(KeyFor.LOOKUP) if number != current.number]
        return [current, *(self.ring.key(KeyFor.LOOKUP, number) for number in older)]

    def _add(
        self, kind: str, values: Sequence[str], found: Mapping[str, _Known], *, is_subject: bool
    ) -> dict[str, str]:
        """Makes entries, and gives their tokens; what somebody else has made meanwhile is taken."""
        record, key = self.ring.current(KeyFor.RECORD), self._keys[0]
        new = [value for value in values if value not in found]
        seal = sealer(record.secret)
        with self.connection.writing() as handle:
            self._check_unchanged(handle)
            alone = _data_version(handle) == self._data_version
            theirs = {} if alone else _present(handle, kind, new, self._keys, self._lookups)
            first: dict[bytes, str] = {}
            for value in new:
                if value not in theirs:
                    first.setdefault(self._lookups[value], value)
            drawn = drawn_tokens(len(first))
            number = handle.execute("SELECT coalesce(max(number), 0) + 1 FROM entry").fetchone()[0]
            handle.executemany(
                "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (at, raw, lookup, key.number, kind, record.number, sealed, is_subject)
                    for at, (raw, (lookup, value)) in enumerate(zip(drawn, first.items(), strict=True), number)
                    for sealed in [seal(value.encode(), about(raw, lookup, kind))]
                ),
            )
            if is_subject:
                named = [*theirs.values(), *(found[value] for value in values if value in found)]
                handle.executemany("UPDATE entry SET is_subject = 1 WHERE number = ?", ((e.number,) for e in named))
        mine = dict(zip(first, texts_of(drawn), strict=True))
        return {value: theirs[value].token if value in theirs else mine[self._lookups[value]] for value in new}

    def is_unchanged(self, handle: Handle) -> bool:
        """True if what was remembered at the last `refresh` still holds, within a transaction."""
        changes = handle.execute("SELECT value FROM state WHERE name = 'changes'").fetchone()[0]
        return bool(changes == self._changes)

    def _check_unchanged(self, handle: Handle) -> None:
        if not self.is_unchanged(handle):
            raise _Again

    def _belong(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Notes whose entries are (rule 3), both by their tokens."""
        wanted = self._remembered.strangers(pairs)
        if not wanted:
            return
        known = raws_of(text for pair in wanted for text in pair)
        rows = [(known[person], known[entry]) for entry, person in wanted if entry in known and person in known]
        with self.connection.writing() as handle:
            self._check_unchanged(handle)
            handle.executemany(
                "INSERT OR IGNORE INTO belongs SELECT person.number, entry.number FROM entry AS person, entry"
                " WHERE person.token = ? AND entry.token = ? AND person.number <> entry.number",
                rows,
            )
        self._remembered.note(wanted)

    def _each(self, which: str, *values: str) -> Iterator[Entry]:
        after = 0
        query = f"{ENTRY} WHERE {which} AND number > ? ORDER BY number LIMIT ?"
        while self.exists:
            with self._turn:
                self.refresh()
                with self.connection.reading() as handle:
                    rows = handle.execute(query, (*values, after, _CHUNK)).fetchall()
                found = list(self.opened(rows))
            if not found:
                return
            after = rows[-1][0]
            yield from found

    def _wipe(self) -> None:
        """Leaves no byte of what was removed, now or by a process that was killed before it came to this."""
        query = "SELECT value FROM state WHERE name = 'unwiped'"
        with self.connection.reading() as handle:
            unwiped = handle.execute(query).fetchone()[0]
        if unwiped:
            self.connection.wipe()
            with self.connection.writing() as handle:
                handle.execute("UPDATE state SET value = value - ? WHERE name = 'unwiped'", (unwiped,))

    def _number(self, token: str) -> int | None:
        raw = raw_of(token)
        if raw is None or not self.exists:
            return None
        with self.connection.reading() as handle:
            found = handle.execute("SELECT number FROM entry WHERE token = ?", (raw,)).fetchone()
        return None if found is None else int(found[0])

    def _remove(self, handle: Handle, subject: Entry, key: Key) -> Forgotten:
        number = handle.execute("SELECT number FROM entry WHERE token = ?", (raw_of(subject.token),)).fetchone()
        if number is None:  # another process was first
            return Forgotten((), 0)
        at = clock.to_text(self._now())
        handle.executemany(
            "INSERT OR IGNORE INTO tombstone VALUES (?, ?, ?, ?)",
            [
                (_mark(key, subject.kind, subject.value), key.number, subject.kind, at),
                (_mark(key, "", subject.token), key.number, "", at),
            ],
        )
        alone = handle.execute(
            "SELECT number, token FROM entry WHERE NOT is_subject AND number IN (SELECT entry FROM belongs WHERE"
            " subject = ?1) AND NOT EXISTS (SELECT 1 FROM belongs WHERE entry = number AND subject <> ?1)",
            number,
        ).fetchall()
        theirs = handle.execute("SELECT count(*) FROM belongs WHERE subject = ?", number).fetchone()[0]
        gone = [number[0], *(row[0] for row in alone)]
        handle.execute("DELETE FROM belongs WHERE subject = ?", number)
        handle.executemany("DELETE FROM belongs WHERE entry = ?", ((each,) for each in gone))
        handle.executemany("DELETE FROM entry WHERE number = ?", ((each,) for each in gone))
        handle.execute("UPDATE state SET value = value + 1 WHERE name = 'unwiped'")
        changed(handle)
        return Forgotten((subject.token, *texts_of([row[1] for row in alone])), int(theirs) - len(alone))

    def opened(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[Entry]:  # Any: see `ENTRY`
        """The entries of rows. Raises `Corrupted` for one that was changed, or stands in another's place."""
        openers: dict[int, Callable[[bytes, bytes], bytes]] = {}
        found = list(rows)
        for row, written in zip(found, texts_of([row[1] for row in found]), strict=True):
            _number, token, lookup, kind, record, sealed, is_subject, _lookup_key = row
            if record not in openers:
                openers[record] = opener(self.ring.key(KeyFor.RECORD, record).secret)
            try:
                value = openers[record](sealed, about(token, lookup, kind)).decode()
            except (NotOpened, UnicodeDecodeError) as error:
                raise Corrupted(
                    _("the vault's entry {token} was changed").format(token=written),
                    where=str(self.connection.path),
                    do=self.connection.kind.repair(),
                ) from error
            yield Entry(written, kind, value, bool(is_subject))


ENTRY = "SELECT number, token, lookup, kind, record_key, sealed, is_subject, lookup_key FROM entry"
"""What `Vault.opened` takes."""
_SHORT = "SELECT number, token, is_subject FROM entry"
_BY_LOOKUP = "SELECT number, token, is_subject, lookup FROM entry WHERE lookup IN ({})"


def digest(key: Key, kind: str, value: str) -> bytes:
    """HMAC-SHA256 of a value of a kind, in its canonical form: 32 bytes."""
    return _lookups(key, kind, [value])[value]


def _lookups(key: Key, kind: str, values: Sequence[str]) -> dict[str, bytes]:
    secret, start, form, make = key.secret, kind.encode() + b"\0", form_of(kind), hmac.digest
    return {value: make(secret, start + form(value).encode("utf-8", "surrogatepass"), "sha256") for value in values}


def _mark(key: Key, kind: str, value: str) -> bytes:
    """What a tombstone is known by; of a token, whatever its kind is."""
    return digest(key, "" if TOKEN.fullmatch(value) else kind, value)


def _present(
    handle: Handle, kind: str, values: Sequence[str], keys: Sequence[Key], first: dict[str, bytes]
) -> dict[str, _Known]:
    """What stands under one of these keys. `first` are the lookups under the first key, as far as they were made."""
    first |= _lookups(keys[0], kind, [value for value in values if value not in first])
    found: dict[str, _Known] = {}
    for key in keys:
        wanted = [value for value in values if value not in found]
        lookups = {value: first[value] for value in wanted} if key is keys[0] else _lookups(key, kind, wanted)
        rows = list(_rows(handle, _BY_LOOKUP, sorted(set(lookups.values()))))
        by_lookup = {row[3]: each for row, each in zip(rows, _of(rows), strict=True)}
        found |= {value: by_lookup[each] for value, each in lookups.items() if each in by_lookup}
    return found


def _data_version(handle: Handle) -> int:
    return int(handle.execute("PRAGMA data_version").fetchone()[0])


def _rows(handle: Handle, query: str, wanted: Sequence[bytes]) -> Iterator[tuple[Any, ...]]:  # Any: what a query gives
    """The rows of a query with `IN ({})`, some thousands of what is wanted at a time."""
    for begin in range(0, len(wanted), _CHUNK):
        part = wanted[begin : begin + _CHUNK]
        yield from handle.execute(query.format(", ".join("?" * len(part))), part)


def changed(handle: Handle) -> None:
    """Tells all who remember something of the vault that it is another now."""
    handle.execute("UPDATE state SET value = value + 1 WHERE name = 'changes'")


def _of(rows: Sequence[tuple[Any, ...]]) -> list[_Known]:  # Any: number, token, whether it is a subject
    texts = texts_of([row[1] for row in rows])
    return [_Known(int(row[0]), text, bool(row[2])) for row, text in zip(rows, texts, strict=True)]


def about(token: bytes, lookup: bytes, kind: str) -> bytes:
    """What an entry's value is bound to."""
    return b"lastro entry 1" + token + lookup + kind.encode()
