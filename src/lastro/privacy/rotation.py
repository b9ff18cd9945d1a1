"""Turning keys: new ones take the places of old ones, and what the old ones protected is protected anew.

Rules:

1. A new key counts from the moment that its row is in the file; ingestions go on, and use it from then on.
2. What the old key protected is sealed anew, some thousands of entries in a transaction. Killed in between, both keys
   are there and all is readable; turned again, it goes on where it stopped, and makes no further key.
3. An old key is destroyed once nothing needs it, and no byte of it stays in the file.
4. Tombstones cannot be made anew, as nobody knows whom they are about: old keys of theirs stay. So do keys of the
   journal and of columns, which what they protect needs. A hash cannot be made anew either: its key is turned only
   where no hash is stored.
5. All keys are wrapped by a new root key in one transaction. Where it is a file, it stands beside the old one until
   then, and takes its place after; the vault opens with either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lastro.model.durable import sync_folder
from lastro.model.errors import UsageError, WriteFailed
from lastro.model.system import reason_of
from lastro.model.text import _
from lastro.privacy import key_file
from lastro.privacy.keys import Key, KeyFor
from lastro.privacy.root import Root, RootAt, local
from lastro.privacy.sealing import sealer
from lastro.privacy.vault import ENTRY, Entry, Vault, about, changed, digest
from lastro.state.connection import Handle

BATCH = 2_000
Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Turned:
    """What came of it: the purpose, the number of the key that counts now, and how many entries were sealed anew."""

    purpose: str
    number: int
    entries: int = 0


def turn(vault: Vault, purpose: KeyFor, *, told: Told | None = None) -> Turned:
    """Turns the key of one purpose. Raises what the vault raises."""
    if purpose not in {KeyFor.RECORD, KeyFor.LOOKUP}:
        return Turned(purpose, _begun(vault, purpose).number)
    with vault.held_still():
        unfinished = len(vault.ring.numbers(purpose)) > 1
        key = vault.ring.current(purpose) if unfinished else _begun(vault, purpose)
        count = 0
        while sealed := _some(vault, purpose, key):
            count += sealed
            if told is not None:
                told(count)
        _destroy_older(vault, purpose, key)
    return Turned(purpose, key.number, count)


def turn_root(vault: Vault, *, to: RootAt | None = None) -> Turned:
    """Wraps all keys by another root key: a new file, or the one that is kept at `to`. Raises what the vault raises."""
    said = vault.ring.root if to is None else to
    with vault.held_still():
        if said.said == "file" and (to is None or vault.ring.root.said == "file"):
            count = _turn_file(vault, said)
        elif to is None and said.said.startswith(("env", "keyring", "secret:", "command")):
            raise UsageError(
                _("the new root key must stand somewhere of its own"),
                where=f"lastro.yaml: keys.root ({said.said})",
                do=_("put it there, and name it: lastro keys rotate --root --to env:NAME, or keyring:NAME"),
            )
        else:
            count = _rewrapped(vault, said.open(make=True))
            vault.ring.root = said
    return Turned("root", 1, count)


def _begun(vault: Vault, purpose: KeyFor) -> Key:
    with vault.held_still():
        vault.ring.current(purpose)  # opens the root key, and makes the first key where there is none
        with vault.connection.writing() as handle:
            key = vault.ring.add(handle, purpose)
            changed(handle)
        vault.forget_remembered()
        return key


def _some(vault: Vault, purpose: KeyFor, key: Key) -> int:
    """Seals some entries anew; gives how many."""
    column = "record_key" if purpose is KeyFor.RECORD else "lookup_key"
    vault.refresh()
    record = vault.ring.current(KeyFor.RECORD)
    lookup = vault.ring.current(KeyFor.LOOKUP)
    seal = sealer(record.secret)
    with vault.connection.reading() as handle:
        rows = handle.execute(f"{ENTRY} WHERE {column} <> ? LIMIT ?", (key.number, BATCH)).fetchall()
    made = [
        _made_anew(row, entry, purpose, record, lookup, seal)
        for row, entry in zip(rows, vault.opened(rows), strict=True)
    ]
    with vault.connection.writing() as handle:
        if vault.is_unchanged(handle):  # else another process turns keys, too: look again
            handle.executemany(
                "UPDATE entry SET lookup = ?, lookup_key = ?, record_key = ?, sealed = ? WHERE number = ?"
                " AND token = ? AND lookup = ? AND record_key = ?",
                made,
            )
    return len(made)


def _made_anew(
    row: tuple[object, ...],
    entry: Entry,
    purpose: KeyFor,
    record: Key,
    lookup: Key,
    seal: Callable[[bytes, bytes], bytes],
) -> tuple[object, ...]:
    number, token, found, kind, old_record, _sealed, _is_subject, lookup_key = row
    old_lookup = found
    if purpose is KeyFor.LOOKUP:
        found, lookup_key = digest(lookup, entry.kind, entry.value), lookup.number
    sealed = seal(entry.value.encode(), about(token, found, kind))  # type: ignore[arg-type] # a row of `ENTRY`
    return found, lookup_key, record.number, sealed, number, token, old_lookup, old_record


def _destroy_older(vault: Vault, purpose: KeyFor, key: Key) -> None:
    with vault.connection.writing() as handle:
        handle.execute(
            "UPDATE key SET wrapped = NULL WHERE purpose = ? AND number < ? AND wrapped IS NOT NULL",
            (purpose, key.number),
        )
        changed(handle)
    vault.forget_remembered()
    vault.connection.wipe()


def _rewrapped(vault: Vault, root: Root) -> int:
    vault.ring.current(KeyFor.RECORD)
    with vault.connection.writing() as handle:
        count = vault.ring.rewrap(handle, root)
        changed(handle)
    vault.forget_remembered()
    vault.connection.wipe()
    return count


def _turn_file(vault: Vault, root: RootAt) -> int:
    vault.ring.current(KeyFor.RECORD)
    following = key_file.load_or_make(root.following)
    new, count = local(following), 0
    with vault.connection.reading() as handle:
        present = _identity(handle)
    if present != new.identity:
        count = _rewrapped(vault, new)
    try:
        root.following.replace(root.path)
        sync_folder(root.folder)
    except OSError as error:
        raise WriteFailed(
            _("the new root key cannot take the old one's place: {reason}").format(reason=reason_of(error)),
            where=str(root.path),
            do=_("make the folder writable, and turn the root key again"),
            state=_("both root keys are there, and the vault opens"),
        ) from error
    vault.forget_remembered()
    return count


def _identity(handle: Handle) -> str:
    found = handle.execute("SELECT root FROM key WHERE wrapped IS NOT NULL LIMIT 1").fetchone()
    return str(found[0]) if found else ""
