"""The key ring: a key for each purpose, wrapped by the root key, in the vault's file.

Rules:

1. A key is 32 random bytes, made at its purpose's first use, and wrapped (`root`) with its purpose and number bound to
   it. Each purpose has keys numbered from 1; the one with the highest number is the present one, earlier ones stay for
   as long as something needs them.
2. A key whose `wrapped` is NULL was destroyed: what was sealed with it is gone.
3. A vault that has keys never gets a new root key unasked: where the root key is gone or another, that is told.
4. Keys stand in memory, once unwrapped, until the vault changes (`forget`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum

from lastro.model import clock
from lastro.model.clock import Clock
from lastro.model.errors import Corrupted, NotPermitted
from lastro.model.text import _
from lastro.privacy.root import NotOpened, Root, RootAt
from lastro.privacy.sealing import KEY_BYTES
from lastro.state.connection import Connection, Handle


class KeyFor(StrEnum):
    """What a key is for."""

    RECORD = "record"
    LOOKUP = "lookup"
    BLOCK = "block"
    HASH = "hash"
    JOURNAL = "journal"
    COLUMN = "column"


@dataclass(frozen=True, slots=True)
class Key:
    """A key by its purpose and number."""

    purpose: KeyFor
    number: int
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyState:
    """What is known of a key without unwrapping it. `root` is the identity of the root key that wraps it."""

    purpose: str
    number: int
    root: str
    made: str
    destroyed: bool


class Ring:
    """The keys of one vault, for one thread at a time. `add` and `rewrap` are called within a transaction, the others
    outside of one.
    """

    def __init__(self, connection: Connection, root: RootAt, now: Clock) -> None:
        self.connection, self.root, self.now = connection, root, now
        self._held: dict[tuple[KeyFor, int], Key] = {}
        self._newest: dict[KeyFor, int] = {}
        self._roots: tuple[Root, ...] = ()

    def forget(self) -> None:
        """Keys are read from the file again at their next use."""
        self._held, self._newest, self._roots = {}, {}, ()

    def current(self, purpose: KeyFor) -> Key:
        """The present key of a purpose, made if there is none. Raises `NotPermitted`, `ConfigurationError`,
        `Corrupted`, `WriteFailed`.
        """
        if purpose not in self._newest:
            self._newest[purpose] = self._find(purpose) or self._make_first(purpose)
        return self.key(purpose, self._newest[purpose])

    def key(self, purpose: KeyFor, number: int) -> Key:
        """A key by its number. Raises `Corrupted` if it was destroyed or changed, `NotPermitted`."""
        if (purpose, number) not in self._held:
            with self.connection.reading() as handle:
                found = handle.execute(
                    "SELECT wrapped, root FROM key WHERE purpose = ? AND number = ?", (purpose, number)
                ).fetchone()
            self._held[purpose, number] = self._unwrapped(purpose, number, found)
        return self._held[purpose, number]

    def numbers(self, purpose: KeyFor) -> tuple[int, ...]:
        """The numbers of a purpose's keys that were not destroyed, the present one first."""
        with self.connection.reading() as handle:
            rows = handle.execute(
                "SELECT number FROM key WHERE purpose = ? AND wrapped IS NOT NULL ORDER BY number DESC", (purpose,)
            ).fetchall()
        return tuple(int(row[0]) for row in rows)

    def states(self) -> tuple[KeyState, ...]:
        """What is known of each key."""
        with self.connection.reading() as handle:
            rows = handle.execute(
                "SELECT purpose, number, root, made, wrapped IS NULL FROM key ORDER BY purpose, number"
            ).fetchall()
        return tuple(KeyState(row[0], row[1], row[2], row[3], bool(row[4])) for row in rows)

    def add(self, handle: Handle, purpose: KeyFor, *, secret: bytes | None = None) -> Key:
        """A new key, random unless it is given, and the present one of its purpose from now on, within a transaction
        that writes.
        """
        root = self._root(handle)
        number = (
            1 + handle.execute("SELECT coalesce(max(number), 0) FROM key WHERE purpose = ?", (purpose,)).fetchone()[0]
        )
        secret = os.urandom(KEY_BYTES) if secret is None else secret
        handle.execute(
            "INSERT INTO key (purpose, number, wrapped, root, made) VALUES (?, ?, ?, ?, ?)",
            (
                purpose,
                number,
                root.wrap(secret, _about(purpose, number)),
                root.identity,
                clock.to_text(self.now()),
            ),
        )
        return Key(purpose, number, secret)

    def rewrap(self, handle: Handle, root: Root) -> int:
        """Wraps every key by another root key, within a transaction that writes; gives how many there are."""
        rows = handle.execute("SELECT purpose, number, wrapped, root FROM key WHERE wrapped IS NOT NULL").fetchall()
        for purpose, number, wrapped, by in rows:
            key = self._unwrapped(KeyFor(purpose), number, (wrapped, by))
            handle.execute(
                "UPDATE key SET wrapped = ?, root = ? WHERE purpose = ? AND number = ?",
                (root.wrap(key.secret, _about(purpose, number)), root.identity, purpose, number),
            )
        return len(rows)

    def _find(self, purpose: KeyFor) -> int | None:
        with self.connection.reading() as handle:
            return _newest(handle, purpose)

    def _make_first(self, purpose: KeyFor) -> int:
        with self.connection.writing() as handle:
            return _newest(handle, purpose) or self.add(handle, purpose).number

    def _root(self, handle: Handle) -> Root:
        """The root key that wraps new keys: the one that wraps those there are."""
        known = handle.execute("SELECT root FROM key WHERE wrapped IS NOT NULL LIMIT 1").fetchone()
        if known is None:
            return self.root.open(make=True)
        return self._by(known[0])

    def _by(self, identity: str) -> Root:
        """The root key of this identity. Raises `NotPermitted`."""
        for again in (False, True):  # it may have been turned since it was asked for
            self._roots = self._roots if self._roots and not again else self.root.candidates(again=again)
            for root in self._roots:
                if root.identity == identity:
                    return root
        raise NotPermitted(
            _("the root key {found} is not the one that protects the vault, {wanted}").format(
                found=self._roots[0].identity[:16], wanted=identity[:16]
            ),
            where=f"lastro.yaml: keys.root ({self.root.said})",
            do=_("name the right root key, or put it back; without it, tokens can no longer be turned into values"),
            state=_("tables, with their tokens, are as they were; so is the vault"),
        )

    def _unwrapped(self, purpose: KeyFor, number: int, found: tuple[bytes | None, str] | None) -> Key:
        if found is None or found[0] is None:
            raise Corrupted(
                _("the key {purpose} {number} was destroyed").format(purpose=purpose, number=number),
                where=str(self.connection.path),
                do=_("what was sealed with it cannot be read again"),
            )
        try:
            secret = self._by(found[1]).unwrap(found[0], _about(purpose, number))
        except NotOpened as error:
            raise Corrupted(
                _("the key {purpose} {number} was changed").format(purpose=purpose, number=number),
                where=str(self.connection.path),
                do=self.connection.kind.repair(),
            ) from error
        return Key(purpose, number, secret)


def _newest(handle: Handle, purpose: KeyFor) -> int | None:
    found: int | None = handle.execute(
        "SELECT max(number) FROM key WHERE purpose = ? AND wrapped IS NOT NULL", (purpose,)
    ).fetchone()[0]
    return found


def _about(purpose: str, number: int) -> bytes:
    return f"lastro key 1 {purpose} {number}".encode()
