"""Backups of the vault, each under the key of its epoch, which is destroyed when the epoch expires.

Rules:

1. A backup is one file: a line of JSON that says what it is, then the vault's file in sealed pieces. A piece is bound
   to the backup, its place, and whether it is the last: none can be changed, moved or cut off unnoticed. What is within
   is encrypted as in the vault itself, so that the root key is needed, too.
2. An epoch is a month. Its key is a file of mode 0600, named by the day on which it expires; whoever looks after
   backups destroys keys that have expired, and with them all backups of that epoch can no longer be read, wherever they
   lie.
3. A restored vault forgets whoever was forgotten since: tombstones are carried over from the vault that is there. Where
   that one is lost, those erasures have to be repeated. So are keys of encrypted columns, which files written since
   need; where they are lost, those columns are.
4. What is there is replaced once the backup was read whole, and only if that is said.
"""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import BinaryIO

import msgspec

from lastro.model.durable import sync_folder
from lastro.model.errors import Corrupted, LastroError, NotPermitted, UnknownName, UsageError, WriteFailed
from lastro.model.system import reason_of
from lastro.model.text import _
from lastro.privacy import key_file
from lastro.privacy.keys import KeyFor
from lastro.privacy.sealing import NotOpened, Seal, opener, sealer
from lastro.privacy.vault import Vault

ENDING = ".vault"
KEPT_DAYS = 90
_PIECE_BYTES = 1 << 20
_HEADER_MAX = 4_096
_KEY = re.compile(r"backup-(\d{4}-\d\d)-until-(\d{4}-\d\d-\d\d)\.key", re.ASCII)


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup says of itself."""

    lastro_vault_backup: int
    id: str
    epoch: str
    expires: str
    made: str


@dataclass(frozen=True, slots=True)
class Epoch:
    """A month of backups, and the last day on which they can be read."""

    name: str
    expires: date
    key: Path


def epochs(keys: Path) -> tuple[Epoch, ...]:
    """The epochs whose keys are there, the one that expires last at the end."""
    found = [
        Epoch(match[1], date.fromisoformat(match[2]), path)
        for path in (keys.glob("backup-*.key") if keys.is_dir() else ())
        if (match := _KEY.fullmatch(path.name))
    ]
    return tuple(sorted(found, key=lambda each: (each.expires, each.name)))


def expire(keys: Path, today: date) -> tuple[Epoch, ...]:
    """Destroys the keys of epochs that have expired; gives those. Raises `WriteFailed`."""
    gone = tuple(each for each in epochs(keys) if each.expires < today)
    try:
        for each in gone:
            with each.key.open("r+b") as stream:
                stream.write(os.urandom(key_file.SECRET_BYTES))
                stream.flush()
                os.fsync(stream.fileno())
            each.key.unlink()
        if gone:
            sync_folder(keys)
    except OSError as error:
        raise WriteFailed(
            _("the key of an expired backup cannot be destroyed: {reason}").format(reason=reason_of(error)),
            where=str(keys),
            do=_("make the folder writable, or remove the key"),
        ) from error
    return gone


def back_up(vault: Vault, folder: Path, keys: Path, *, today: date, kept_days: int = KEPT_DAYS) -> Path:
    """Writes a backup into a folder. Raises `UnknownName` if there is no vault, `WriteFailed`, `NotPermitted`."""
    if not vault.exists:
        raise UnknownName(
            _("there is no vault yet"), where=str(vault.connection.path), do=_("protect a column, and ingest it")
        )
    epoch = _epoch(keys, today, kept_days)
    seal = sealer(key_file.load_or_make(epoch.key))
    header = Header(
        lastro_vault_backup=1, id=uuid.uuid4().hex, epoch=epoch.name, expires=str(epoch.expires), made=str(today)
    )
    target = folder / f"{today}-{header.id[:8]}{ENDING}"
    copy = vault.connection.path.with_name(f".{header.id}.copy")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        vault.connection.copy_to(copy)
        with copy.open("rb") as source, _durably(target) as out:
            out.write(msgspec.json.encode(header) + b"\n")
            for piece, about in _numbered(source, header.id):
                sealed = seal(piece, about)
                out.write(len(sealed).to_bytes(4, "big") + sealed)
    except OSError as error:
        raise WriteFailed(
            _("the backup cannot be written: {reason}").format(reason=reason_of(error)),
            where=str(target),
            do=_("name a folder that may be written and has room"),
        ) from error
    finally:
        copy.unlink(missing_ok=True)
    return target


def restore(vault: Vault, source: Path, keys: Path, *, replace: bool = False) -> Header:
    """Brings the newest backup of a folder, or a file, back; see rules 3 and 4. Raises `NotPermitted`, `Corrupted`,
    `UsageError`, `UnknownName`, `WriteFailed`.
    """
    if vault.exists and not replace:
        raise UsageError(
            _("there is a vault already, and what was put into it since the backup would be lost"),
            where=str(vault.connection.path),
            do=_("if that shall be so: lastro vault restore --replace"),
        )
    path, target = _newest(source), vault.connection.path
    copy = target.with_name(f".{uuid.uuid4().hex}.copy")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as stream, _durably(copy) as out:
            header = _header(stream, path)
            for piece in _pieces(stream, path, header, _opening(header, keys, path)):
                out.write(piece)
        restored = Vault(copy, vault.ring.root)
        restored.check()
        if vault.exists:
            _carry(vault, restored)
            vault.connection.wipe()
        restored.connection.wipe()
        restored.close()
        vault.close()
        for ending in ("-wal", "-shm"):
            target.with_name(target.name + ending).unlink(missing_ok=True)
        copy.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        if isinstance(error, LastroError):
            raise
        raise WriteFailed(
            _("the backup cannot be brought back: {reason}").format(reason=reason_of(error)),
            where=str(path),
            do=_("name a backup that can be read, and make room"),
        ) from error
    finally:
        for ending in ("", "-wal", "-shm"):
            copy.with_name(copy.name + ending).unlink(missing_ok=True)
    return header


def _epoch(keys: Path, today: date, kept_days: int) -> Epoch:
    name = f"{today:%Y-%m}"
    present = [each for each in epochs(keys) if each.name == name]
    if present:
        return present[-1]
    following = date(today.year + today.month // 12, today.month % 12 + 1, 1)
    expires = following + timedelta(days=kept_days)
    return Epoch(name, expires, keys / f"backup-{name}-until-{expires}.key")


def _newest(source: Path) -> Path:
    if source.is_file():
        return source
    found = sorted(source.glob(f"*{ENDING}"), key=lambda path: (path.name[:10], path.stat().st_mtime_ns))
    if not found:
        raise UnknownName(_("there is no backup of a vault"), where=str(source), do=_("name its file or its folder"))
    return found[-1]


def _header(stream: BinaryIO, path: Path) -> Header:
    try:
        header = msgspec.json.decode(stream.readline(_HEADER_MAX), type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Corrupted(_("the file is no backup of a vault"), where=str(path), do=_("name another")) from None
    if header.lastro_vault_backup != 1:
        raise Corrupted(
            _("the backup is of a newer form"), where=str(path), do=_("upgrade Lastro, or name another backup")
        )
    return header


def _opening(header: Header, keys: Path, path: Path) -> Seal:
    secret = next((key_file.load(each.key) for each in epochs(keys) if each.name == header.epoch), None)
    if secret is None:
        raise NotPermitted(
            _("the key of the epoch {epoch} was destroyed; its backups can no longer be read").format(
                epoch=header.epoch[:20]
            ),
            where=str(path),
            do=_("name a backup of a later epoch, or put the key back if it was lost by mistake"),
        )
    return opener(secret)


def _pieces(stream: BinaryIO, path: Path, header: Header, unseal: Seal) -> Iterator[bytes]:
    number, length = 0, stream.read(4)
    while length:
        size = int.from_bytes(length, "big")
        sealed = stream.read(size) if size <= _PIECE_BYTES + 64 else b""
        length = stream.read(4)
        try:
            yield unseal(sealed, _about(header.id, number, is_last=not length))
        except NotOpened:
            raise Corrupted(
                _("the backup was changed or cut off"), where=str(path), do=_("name another backup")
            ) from None
        number += 1


def _numbered(source: BinaryIO, name: str) -> Iterator[tuple[bytes, bytes]]:
    number, piece = 0, source.read(_PIECE_BYTES)
    while piece:
        following = source.read(_PIECE_BYTES)
        yield piece, _about(name, number, is_last=not following)
        number, piece = number + 1, following


def _about(name: str, number: int, *, is_last: bool) -> bytes:
    return f"lastro vault backup 1 {name} {number} {int(is_last)}".encode()


def _carry(present: Vault, restored: Vault) -> None:
    """Makes a restored vault forget whom the present one forgot, and keep its tombstones and column keys (rule 3)."""
    try:
        gone = [each.token for each in restored.subjects() if any(present.blocked(each.kind, [each.value, each.token]))]
        keys = {number: present.ring.key(KeyFor.BLOCK, number) for number in present.ring.numbers(KeyFor.BLOCK)}
        tombstones = present.tombstones()
        columns = [present.ring.key(KeyFor.COLUMN, number) for number in present.ring.numbers(KeyFor.COLUMN)]
    except Corrupted as error:
        raise UsageError(
            _("the vault that is there cannot tell who was erased since the backup"),
            where=str(present.connection.path),
            do=_("move it away, restore again, and repeat the erasures that were made since: lastro ledger show"),
        ) from error
    restored.forget(*gone)
    restored.take_tombstones(keys, tombstones)
    if not restored.take_column_keys(columns):
        raise UsageError(
            _("the vault that is there has other keys of encrypted columns than the backup"),
            where=str(present.connection.path),
            do=_("name a backup of this workspace's own vault; or move the vault away, and with it what it can read"),
        )


@contextlib.contextmanager
def _durably(target: Path) -> Iterator[BinaryIO]:
    """A file that gets its name once it is whole and durable."""
    temporary = target.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
        sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
