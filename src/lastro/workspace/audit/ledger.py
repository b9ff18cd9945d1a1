"""The workspace's ledger: what was committed, read, tagged and removed, by whom, signed and ready to be proven.

Rules:

1. What is read is in the ledger before a row is handed out: no record, no rows. Those who may not write there can turn
   this off for a workspace (`ledger: {reads: false}` in `lastro.yaml`), which then cannot tell who read what.
2. What is committed is in the ledger right after; what a crash kept out of it comes with the next commit of that
   dataset, and says when it was committed.
3. The actor is `LASTRO_ACTOR`, else the name of the account. In embedded use nobody can stop the owner of the files:
   the ledger makes what is changed afterwards visible to whoever holds a checkpoint.
4. The key is `.lastro/keys/ledger.key`; the public keys, of which the first one names the ledger, are in
   `.lastro/keys/ledger.pub`, one a line.
5. A new key is announced by an event under the old one's signature, before it takes its place: after a crash in
   between, whoever signs next puts it there. The old private key is gone then, and what it signed stays provable.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lastro.model import clock
from lastro.model.access import Act
from lastro.model.durable import sync_folder, write_durably
from lastro.model.errors import Conflict, Corrupted, UnknownName, WriteFailed
from lastro.model.system import reason_of
from lastro.model.text import _

if TYPE_CHECKING:
    from lastro.ledger.audit import Audit
    from lastro.ledger.book import Ledger, Proof
    from lastro.ledger.event import Action, Event
    from lastro.ledger.note import PublicKey
    from lastro.ledger.touched import Touched
    from lastro.model.clock import Clock
    from lastro.model.dossier import Head
    from lastro.model.version import VersionInfo
    from lastro.privacy.signing import SigningKey
    from lastro.workspace.access.handed import Opening

FILE, KEY, PUBLIC, ANCHORED = "ledger.sqlite", "keys/ledger.key", "keys/ledger.pub", "ledger.anchors"
COMING = "keys/ledger.key.new"
_ORIGIN_DIGITS = 16
_KEY_MAX = 4096


def actor() -> str:
    """Who acts (rule 3); bytes that are no text are told as such."""
    return _named().encode("utf-8", "backslashreplace").decode()


def _named() -> str:
    named = os.environ.get("LASTRO_ACTOR", "").strip()
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return f"uid {os.getuid()}"


def _at_once(path: str, flags: int) -> int:
    """Opens a file without waiting for somebody to write into it, which a pipe would do."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


@dataclass(slots=True, repr=False)
class WorkspaceLedger:
    """The ledger in a workspace's `.lastro`; nothing is made before the first event.

    Every method raises `Corrupted`, `ConfigurationError`, `Locked`, `NotPermitted` (the key) and, if it writes,
    `WriteFailed`.
    """

    state: Path
    now: Clock = clock.utc_now
    _book: Ledger | None = None
    _key_held: SigningKey | None = None

    def committed(self, info: VersionInfo, history: Callable[[], Iterable[VersionInfo]]) -> None:
        """Records a version, and those of the dataset's history before it that are not recorded yet (rule 2)."""
        after = self._ledger().newest(info.dataset, "commit")
        gap = [each for each in history() if after < each.number < info.number] if after < info.number - 1 else []
        missing = sorted(gap, key=lambda each: each.number)
        self._add([self._commit(each) for each in (*missing, info) if each.number > after])

    def read(self, info: VersionInfo, opening: Opening, *, run: str, act: Act) -> None:
        """Records that columns of a version are about to be read, for which purpose, and how much of them."""
        from msgspec import structs

        about: dict[str, str | int] = {"filtered": 1} if opening.where is not None else {}
        if act is not Act.READ:
            about["for"] = act.value
        if opening.masks:
            about["masked"] = len(opening.masks)
        if opening.consented is not None:
            about["consents"] = opening.consented.state
        event = self._event("read", info, columns=opening.columns, run=run, about=about)
        try:
            self._add([structs.replace(event, purpose=opening.purpose)])
        except WriteFailed as error:
            error.do = _("make .lastro writable, or read without a record: `ledger: {reads: false}` in lastro.yaml")
            raise

    def refused(self, info: VersionInfo, act: Act) -> None:
        """Records that somebody was not permitted to do something with a version."""
        from msgspec import structs

        event = self._event("refuse", info, about={"asked": act.value})
        self._add([structs.replace(event, decision="deny")])

    def revealed(self, info: VersionInfo, columns: Sequence[str], *, rows: int, purpose: str) -> None:
        """Records that tokens of a version, or rows set aside, are about to be turned back into values."""
        from msgspec import structs

        event = self._event("reveal", info, columns=tuple(columns), rows=rows, about={})
        self._add([structs.replace(event, purpose=purpose)])

    def turned(self, keys: str, *, about: Mapping[str, str | int] | None = None) -> None:
        """Records that keys of the vault were turned, backed up or brought back."""
        from lastro.ledger.event import Event

        at = clock.to_text(self.now())
        self._add([Event(lastro=1, at=at, actor=actor(), action="vault", about={"keys": keys, **(about or {})})])

    def tagged(self, info: VersionInfo, tag: str) -> None:
        """Records that a version got a name."""
        self._add([self._event("tag", info, about={"tag": tag})])

    def removed(self, dataset: str, versions: Sequence[int]) -> None:
        """Records that versions' files were removed."""
        from lastro.ledger.event import Event

        at, who = clock.to_text(self.now()), actor()
        self._add(
            [Event(lastro=1, at=at, actor=who, action="remove", dataset=dataset, version=each) for each in versions]
        )

    def erased(self, dataset: str, *, rows: int, request: str, basis: str, generation: tuple[int, str]) -> None:
        """Records an erasure of one table, once: the number and digest of its generation, which prove all versions."""
        from lastro.ledger.event import Event

        number, digest = generation
        if any(event.digest == digest for _number, event in self.events(dataset=dataset, action="erase")):
            return
        about: dict[str, str | int] = {"request": request, "basis": basis, "generation": number}
        at, who = clock.to_text(self.now()), actor()
        self._add(
            [Event(lastro=1, at=at, actor=who, action="erase", dataset=dataset, digest=digest, rows=rows, about=about)]
        )

    def sign(self, content: bytes) -> tuple[str, bytes]:
        """The signature over some bytes by the key that signs now, and its public key as it is written."""
        from lastro.ledger.note import PublicKey

        key = self._signing()
        return str(PublicKey(self.key.name, key.public)), key.sign(content)

    def handed_out(
        self, handed: Sequence[tuple[VersionInfo, tuple[str, ...], int]], *, request: str, values: int = 0
    ) -> None:
        """Records that rows about a person – their columns, and how many – and so many values of theirs in the vault
        are about to leave, for this request of theirs; also if there are none.
        """
        from msgspec import structs

        from lastro.ledger.event import Event

        about: dict[str, str | int] = {"request": request, "right": "access"}
        about |= {"values": values} if values else {}
        events = [self._event("export", info, columns=names, rows=rows, about=about) for info, names, rows in handed]
        none = Event(lastro=1, at=clock.to_text(self.now()), actor=actor(), action="export", rows=0, about=about)
        self._add([structs.replace(each, purpose="subject-access") for each in events or [none]])

    def rectified(self, info: VersionInfo, columns: tuple[str, ...], rows: int, *, request: str) -> None:
        """Records that values of a person were put right, for this request of theirs."""
        about: dict[str, str | int] = {"request": request, "right": "rectification"}
        self._add([self._event("rectify", info, columns=columns, rows=rows, about=about)])

    def expired(self, info: VersionInfo, rows: int, *, kept_for: str) -> None:
        """Records that rows which are past their retention left a dataset by this version."""
        self._add([self._event("erase", info, rows=rows, about={"because": "retention", "kept_for": kept_for})])

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        if self._book is not None:
            self._book.close()

    def exists(self) -> bool:
        """True if anything was recorded."""
        return (self.state / FILE).exists()

    @property
    def key(self) -> PublicKey:
        """The first public key, which names the ledger. Raises `UnknownName` if there is none yet."""
        return self._public() or self._nothing()

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """Every public key that it was signed with, the first one first. Raises `UnknownName`, `Corrupted`."""
        return (self.key, *(self._ledger().keys() if self.exists() else ()))

    def head(self) -> Head | None:
        """How long it is, what its root is, and under which first key; None while nothing was recorded.

        Raises `Corrupted` if no key of the ledger signed the newest checkpoint.
        """
        from lastro.ledger.note import opened
        from lastro.model.dossier import Head

        note = self._ledger().last() if self.exists() else None
        if note is None:
            return None
        point = next((found for key in reversed(self.keys) if (found := opened(note, key))), None)
        if point is None:
            raise Corrupted(
                _("the newest checkpoint is not signed with the ledger's key"),
                where=str(self.state / FILE),
                do=_("see what was changed: lastro ledger verify"),
            )
        return Head(point.size, point.root.hex(), str(self.key))

    def verify(self, *, anchors: Sequence[str] = ()) -> Audit:
        """Reads the whole ledger again; `anchors` are notes of checkpoints that were kept elsewhere."""
        from lastro.ledger.audit import audit

        return audit(self.state / FILE, self.key, anchors=anchors)

    def events(
        self, *, dataset: str | None = None, actor: str | None = None, action: str | None = None
    ) -> Iterator[tuple[int, Event]]:
        """The events with their numbers, oldest first."""
        return self._ledger().events(dataset=dataset, actor=actor, action=action) if self.exists() else iter(())

    def prove(self, number: int) -> Proof:
        """The proof that an event is in the ledger. Raises `UnknownName`."""
        return self._ledger().prove(number) if self.exists() else self._nothing()

    def export(self, folder: Path) -> int:
        """Writes events, checkpoints, key and verifier into a new folder; gives how many events there are."""
        from lastro.ledger.export import export

        return export(self._ledger(), self.key, folder) if self.exists() else self._nothing()

    def checkpoint(self) -> str:
        """The newest checkpoint's note, to be kept elsewhere. Raises `UnknownName` if there is none yet."""
        return (self._ledger().last() if self.exists() else None) or self._nothing()

    def anchored(self) -> bool:
        """True if a checkpoint was handed out to be kept elsewhere, as far as this workspace knows."""
        return (self.state / ANCHORED).exists()

    def _nothing(self) -> NoReturn:
        raise UnknownName(
            _("nothing was recorded yet"), where=str(self.state / FILE), do=_("ingest something: lastro ingest")
        )

    def _commit(self, info: VersionInfo) -> Event:
        origin = info.origin
        about: dict[str, str | int] = {
            "committed": clock.to_text(info.committed),
            "mode": origin.mode.value,
            "contract": origin.contract_digest,
        }
        return self._event("commit", info, rows=info.rows, run=origin.run, about=about)

    def _event(
        self,
        action: Action,
        info: VersionInfo,
        *,
        columns: tuple[str, ...] = (),
        rows: int | None = None,
        run: str = "",
        about: dict[str, str | int],
    ) -> Event:
        from lastro.ledger.event import Event

        return Event(
            lastro=1,
            at=clock.to_text(self.now()),
            actor=actor(),
            action=action,
            dataset=info.dataset,
            version=info.number,
            digest=info.digest,
            columns=columns,
            rows=rows,
            run=run,
            about=about,
        )

    def rotate(self) -> PublicKey:
        """Makes a new key that signs from now on, announced under the old one (rule 5); gives its public part.

        Raises `UnknownName` if there is no ledger yet.
        """
        from lastro.ledger.event import Event
        from lastro.ledger.note import PublicKey
        from lastro.privacy.signing import load_or_make

        if not self.exists():
            self._nothing()
        self._signing()  # whatever a crash left is put right first
        coming = load_or_make(self.state / COMING)
        following = PublicKey(self.key.name, coming.public)
        about: dict[str, str | int] = {"public": str(following)}
        self._add([Event(lastro=1, at=clock.to_text(self.now()), actor=actor(), action="key", about=about)])
        self._key_held = None
        self._signing()
        return following

    def touched(
        self, *, actor: str | None = None, key: str | None = None, since: datetime | None = None
    ) -> tuple[Touched, ...]:
        """What an actor, or a key (eight hexadecimal digits, or as events name it), did with which columns of which
        versions, since a moment.
        """
        from lastro.ledger.touched import of_key, touched

        found: Iterable[Event] = (event for _number, event in self.events(actor=actor))
        if key is not None and self.exists():
            found = of_key((event for _number, event in self.events()), key, self.key)
            found = (event for event in found if actor is None or event.actor == actor)
        return touched(event for event in found if since is None or event.moment >= since)

    def _add(self, events: Sequence[Event]) -> None:
        if not events:
            return
        try:
            self._ledger().add(events, self._signing(), now=self.now)
        except Conflict:  # somebody replaced the key since it was loaded
            self._key_held = None
            self._ledger().add(events, self._signing(), now=self.now)

    def _ledger(self) -> Ledger:
        if self._book is None:
            from lastro.ledger.book import Ledger

            if self._public() is None:
                self._signing()
            self._book = Ledger(self.state / FILE, self.key.name)
        return self._book

    def _signing(self) -> SigningKey:
        if self._key_held is None:
            self._key_held = self._made() if self._public() is None else self._kept()
        return self._key_held

    def _made(self) -> SigningKey:
        """The key of a new ledger."""
        from lastro.ledger.note import PublicKey
        from lastro.privacy.signing import load_or_make

        key = load_or_make(self.state / KEY)
        self._publish(PublicKey(f"lastro/{key.public.hex()[:_ORIGIN_DIGITS]}", key.public))
        return key

    def _kept(self) -> SigningKey:
        """The key that the ledger has been signed with."""
        from lastro.privacy.signing import load

        key, current = load(self.state / KEY), self._ledger().announced() or self.key
        if key is None or key.public != current.key:
            coming = load(self.state / COMING)
            if coming is not None and coming.public == current.key:
                return self._put_in_place(coming, current)
            lost, other = _("the ledger's private key is gone"), _("the private key is not the ledger's")
            raise Corrupted(
                lost if key is None else other,
                where=str(self.state / KEY),
                do=_("put the key back from a backup; the ledger can still be verified and exported"),
            )
        return key

    def _put_in_place(self, key: SigningKey, public: PublicKey) -> SigningKey:
        """The announced key takes the old one's place (rule 5)."""
        path = self.state / PUBLIC
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            if str(public) not in lines:
                write_durably(path, "".join(f"{line}\n" for line in (*lines, public)).encode())
            (self.state / COMING).replace(self.state / KEY)
            sync_folder(path.parent)
        except OSError as error:
            raise WriteFailed(
                _("the key cannot be kept: {reason}").format(reason=reason_of(error)),
                where=str(self.state / KEY),
                do=_("make the folder writable"),
            ) from error
        return key

    def _public(self) -> PublicKey | None:
        from lastro.ledger.note import public_key

        try:
            with open(self.state / PUBLIC, "rb", opener=_at_once) as stream:
                return public_key(stream.readline(_KEY_MAX).decode())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise Corrupted(
                _("the ledger's public key cannot be read"),
                where=str(self.state / PUBLIC),
                do=_("write the key there that was noted elsewhere"),
            ) from None

    def _publish(self, key: PublicKey) -> None:
        try:
            write_durably(self.state / PUBLIC, f"{key}\n".encode())
        except OSError as error:
            raise WriteFailed(
                _("the key cannot be kept: {reason}").format(reason=reason_of(error)),
                where=str(self.state / PUBLIC),
                do=_("make the folder writable"),
            ) from error
