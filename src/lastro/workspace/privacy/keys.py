"""The vault's keys in a workspace: which there are, turning them, and backups of the vault.

Rules:

1. What is done with keys is in the ledger: which were turned, that a backup was made or brought back. No key is.
2. The hash key is turned only where no version has hashed columns: what is stored could not be made anew, and equal
   values would no longer be equal.
3. Whoever makes a backup, or asks how the vault stands, destroys the keys of epochs that have expired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lastro.model.errors import UsageError
from lastro.model.personal import Method
from lastro.model.text import _

if TYPE_CHECKING:
    from datetime import date

    from lastro.privacy.backup import Epoch, Header
    from lastro.privacy.keys import KeyState
    from lastro.privacy.rotation import Turned
    from lastro.privacy.vault import Held
    from lastro.workspace.workspace import Workspace

TURNED = ("root", "record", "lookup")
"""What is turned if nothing is named, in this order."""


@dataclass(frozen=True, slots=True)
class VaultState:
    """How the vault stands: what is in it, its keys, where the root key is, and which backups can still be read."""

    held: Held
    keys: tuple[KeyState, ...]
    root: str
    epochs: tuple[Epoch, ...]
    expired: tuple[Epoch, ...]
    """Those whose keys were destroyed just now."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The vault's keys. Methods raise what the vault raises: `NotPermitted`, `ConfigurationError`, `Corrupted`."""

    workspace: Workspace

    @property
    def folder(self) -> Path:
        """Where keys are that are files."""
        return self.workspace.root / ".lastro" / "keys"

    def status(self, *, check: bool = False) -> VaultState:
        """How the vault stands; with `check` every entry is opened, and one that was changed raises `Corrupted`."""
        from lastro.privacy import backup

        vault = self.workspace.vault
        if check and vault.exists:
            vault.check()
        expired = backup.expire(self.folder, self._today())
        states = vault.ring.states() if vault.exists else ()
        root = self.workspace.settings.root_key
        return VaultState(vault.held(), states, root, backup.epochs(self.folder), expired)

    def rotate(
        self, *purposes: str, to: str | None = None, told: Callable[[int], None] | None = None
    ) -> tuple[Turned, ...]:
        """Turns keys (`TURNED`, without names); `to` is where the new root key is. Asked again after a kill, it goes on
        where it stopped. Raises `UsageError` where nothing is there, or a hash key may not be turned.
        """
        from lastro.privacy.keys import KeyFor
        from lastro.privacy.root import RootAt
        from lastro.privacy.rotation import turn, turn_root

        vault = self.workspace.vault
        if not vault.exists:
            raise UsageError(_("there is no vault yet, and no key"), do=_("protect a column, and ingest it"))
        named = self._checked(purposes)
        found = []
        for purpose in named:
            place = None if to is None else RootAt(to, self.folder)
            made = turn_root(vault, to=place) if purpose == "root" else turn(vault, KeyFor(purpose), told=told)
            self.workspace.ledger.turned(purpose, about={"number": made.number, "entries": made.entries})
            found.append(made)
        return tuple(found)

    def back_up(self, folder: Path, *, kept_days: int | None = None) -> tuple[Path, date]:
        """Writes a backup of the vault into a folder; gives its file, and the last day on which it can be read."""
        from lastro.privacy import backup

        today = self._today()
        backup.expire(self.folder, today)
        days = backup.KEPT_DAYS if kept_days is None else kept_days
        path = backup.back_up(self.workspace.vault, folder, self.folder, today=today, kept_days=days)
        epoch = next(each for each in backup.epochs(self.folder) if each.name == f"{today:%Y-%m}")
        self.workspace.ledger.turned("backup", about={"expires": str(epoch.expires)})
        return path, epoch.expires

    def restore(self, source: Path, *, replace: bool = False) -> Header:
        """Brings a backup of the vault back: a file, or the newest of a folder. Who was erased since stays so."""
        from lastro.privacy import backup

        header = backup.restore(self.workspace.vault, source, self.folder, replace=replace)
        self.workspace.ledger.turned("restore", about={"made": header.made, "expires": header.expires})
        return header

    def unblock(self, kind: str, value: str) -> bool:
        """Lets somebody come in again who was erased, by the kind and value of their identifier; on record."""
        found = self.workspace.vault.unblock(kind, value)
        if found:
            self.workspace.ledger.turned("unblock", about={"kind": kind})
        return found

    def _checked(self, purposes: Sequence[str]) -> tuple[str, ...]:
        from lastro.privacy.keys import KeyFor

        known = ("root", *KeyFor)
        for purpose in purposes:
            if purpose not in known:
                raise UsageError(
                    _("there is no key for {purpose!r}").format(purpose=purpose[:40]),
                    do=_("use one of: {names}").format(names=", ".join(known)),
                )
        if KeyFor.HASH in purposes and (stored := self._hashed()):
            raise UsageError(
                _("{names} has hashes, which cannot be made anew").format(names=", ".join(stored)),
                do=_("remove the versions of these datasets, or protect the columns by `token`"),
                state=_("no key was turned"),
            )
        return tuple(dict.fromkeys(purposes)) or TURNED

    def _hashed(self) -> tuple[str, ...]:
        """The datasets that have versions, and protect columns by hashes."""
        datasets = [self.workspace.dataset(name) for name in self.workspace.datasets()]
        return tuple(
            each.name
            for each in datasets
            if each.has_contract()
            and any(one.method is Method.HASH for one in each.contract().personal.protections)
            and each.table.head() is not None
        )

    def _today(self) -> date:
        return self.workspace.clock().date()
