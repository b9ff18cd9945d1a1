"""Root keys: the one secret from which all others are protected, and where it comes from.

Rules:

1. A root key wraps the vault's keys and does nothing else. It is held by a file of mode 0600 (`file`), the environment
   (`env`, `env:NAME`), the system's key ring (`keyring:NAME`, also written `secret://keyring/NAME`), whatever a program
   reads it from (`command`; see `lastro.privacy.command`), or a provider that another package registers as an entry
   point `lastro.keys` (`NAME` or `NAME:ADDRESS`).
2. It is made where none is, if it may be made: never for a vault that has keys already.
3. Each root key has an identity, which tells which it is and nothing of it: a wrong one is told from a damaged file.
4. No key is in an error, a log or a `repr`.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from lastro.model import plugin
from lastro.model.errors import ConfigurationError, MissingExtra, NotPermitted
from lastro.model.text import _
from lastro.privacy import key_file
from lastro.privacy.command import Command, printed
from lastro.privacy.sealing import KEY_BYTES, NotOpened, derived, opener, sealer

ENTRY_POINTS = "lastro.keys"
VARIABLE = "LASTRO_ROOT_KEY"
SERVICE = "lastro"
_SECRET = "secret://keyring/"  # noqa: S105 – how a reference begins
_IDENTITY_BYTES = 8
Found = TypeVar("Found", bytes, str)


class Root(Protocol):
    """A root key, wherever it is held; what `lastro.keys` gives for an address implements this."""

    @property
    def identity(self) -> str:
        """Which key it is, in letters and digits; another key has another identity."""
        ...

    def wrap(self, key: bytes, about: bytes) -> bytes:
        """A key as only this root key unwraps it, bound to what it is for."""
        ...

    def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """The key. Raises `NotOpened` (a `ValueError`) for what was changed, or is about something else."""
        ...


@dataclass(frozen=True, slots=True)
class LocalRoot:
    """A root key in this process's memory. Implements `Root`."""

    identity: str
    _key: bytes = field(repr=False)

    def wrap(self, key: bytes, about: bytes) -> bytes:
        """AES-256-GCM under a key derived for wrapping."""
        return sealer(self._key)(key, about)

    def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """The key. Raises `NotOpened`."""
        return opener(self._key)(wrapped, about)


def local(secret: bytes) -> LocalRoot:
    """The root key of a secret of 32 bytes."""
    identity = derived(secret, "lastro root identity 1")[:_IDENTITY_BYTES].hex()
    return LocalRoot(identity, derived(secret, "lastro root wrap 1"))


@dataclass(frozen=True, slots=True)
class RootAt:
    """Where the root key is: what `lastro.yaml` says of it, the workspace's folder of keys, and the program that prints
    it, where one does.
    """

    said: str
    folder: Path
    command: Command | None = None

    @property
    def path(self) -> Path:
        """The file, where it is one."""
        return self.folder / "root.key"

    @property
    def following(self) -> Path:
        """The next root key's file, while one takes the other's place."""
        return self.folder / "root.key.next"

    def open(self, *, make: bool, again: bool = False) -> Root:
        """The key; with `make` a new one, if there is none; `again` asks anew what was asked before.

        Raises `NotPermitted`, `ConfigurationError`, `Corrupted`, `MissingExtra`, `WriteFailed`.
        """
        kind, _colon, name = self.said.removeprefix(_SECRET).partition(":")
        if self.said.startswith(_SECRET):
            return local(_of_ring(self.said.removeprefix(_SECRET), make=make))
        match kind:
            case "file" if not name:
                found = key_file.load_or_make(self.path) if make else key_file.load(self.path)
                return local(_there(found, str(self.path)))
            case "env":
                return local(_of_environment(name or VARIABLE, os.environ))
            case "keyring" if name:
                return local(_of_ring(name, make=make))
            case "command" if not name and self.command is not None:
                return local(_secret(printed(self.command, again=again), _("the program")))
        known = _("use file, env:NAME, keyring:NAME, {{command: […]}}, or one of the installed providers: {names}")
        provider = plugin.find(kind, {}, ENTRY_POINTS, unknown=_("no root key is kept in {name!r}"), known=known)
        root: Root = provider(name)
        return root

    def candidates(self, *, again: bool = False) -> tuple[Root, ...]:
        """The root keys at hand for a vault that has keys: the present one, then the one that takes its place.

        Raises as `open` does.
        """
        following = None if self.said != "file" else key_file.load(self.following)
        if following is not None and not self.path.exists():
            return (local(following),)
        present = self.open(make=False, again=again)
        return (present,) if following is None else (present, local(following))


def text_of(secret: bytes) -> str:
    """A secret as it is written into an environment variable or a key ring."""
    return base64.b64encode(secret).decode()


def _of_environment(name: str, environment: Mapping[str, str]) -> bytes:
    text = environment.get(name, "")
    if not text:
        raise ConfigurationError(
            _("the environment variable {name} holds no root key").format(name=name[:60]),
            where="lastro.yaml: keys.root",
            do=_(
                'put 32 random bytes there, as base64: export {name}="$(openssl rand -base64 32)"; keep a copy'
            ).format(name=name[:60]),
        )
    return _secret(text, name[:60])


def _of_ring(name: str, *, make: bool) -> bytes:
    try:
        import keyring  # type: ignore[import-not-found, unused-ignore] # an extra
        from keyring.errors import KeyringError  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise MissingExtra(
            _("the root key is in the system's key ring, which this installation cannot open"),
            where="lastro.yaml: keys.root",
            do="pip install 'lastro[keyring]'",
        ) from error
    try:
        text = keyring.get_password(SERVICE, name)
        if text is None and make:
            keyring.set_password(SERVICE, name, text_of(os.urandom(KEY_BYTES)))
            text = keyring.get_password(SERVICE, name)
    except KeyringError as error:
        raise NotPermitted(
            _("the system's key ring does not open"), where=f"keyring: {SERVICE}/{name[:60]}", do=_("unlock it")
        ) from error
    return _secret(_there(text, f"keyring: {SERVICE}/{name[:60]}"), name[:60])


def _there(found: Found | None, where: str) -> Found:
    if found is None:
        raise NotPermitted(
            _("the root key is gone, and without it what is in the vault cannot be read"),
            where=where,
            do=_("put it back from where you keep a copy; without one, tokens can no longer be turned into values"),
            state=_("tables, with their tokens, are as they were; so is the vault"),
        )
    return found


def _secret(text: str, name: str) -> bytes:
    try:
        found = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != KEY_BYTES:
        raise ConfigurationError(
            _("what {name} holds is no root key").format(name=name),
            where="lastro.yaml: keys.root",
            do=_("a root key is 32 random bytes, written as base64: openssl rand -base64 32"),
        )
    return found


__all__ = ["ENTRY_POINTS", "SERVICE", "VARIABLE", "LocalRoot", "NotOpened", "Root", "RootAt", "local", "text_of"]
