"""Anchors that an authority saw: time-stamps (RFC 3161) of checkpoints, beside the file that holds these.

Rules:

1. The authority is asked about a checkpoint's note. It gets a digest and a nonce, and no word of the note.
2. `FILE.SIZE.tsr` is its whole answer, as any other program reads it, for the checkpoint of so many events in FILE. It
   is there before the checkpoint is appended: where nothing was stamped, nothing is kept. What is there is never
   replaced, nor asked for again.
3. Without certificates, an answer is held against what was asked. With them – the authority's root, and whatever leads
   to it – it is proven, offline and at any later day.
4. A person names the authority, so that it need not be at a public address; a redirect leads nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lastro.ledger.note import size_of
from lastro.model.durable import write_durably
from lastro.model.errors import ConfigurationError, Corrupted, SourceBroken, SourceError, UsageError, WriteFailed
from lastro.model.system import reason_of
from lastro.model.text import _
from lastro.privacy import timestamp
from lastro.privacy.timestamp import NotStamped, Stamp
from lastro.workspace.audit.anchoring import into_file, notes_of, stamp_of

if TYPE_CHECKING:
    from lastro.workspace.audit.ledger import WorkspaceLedger

TIMEOUT_S = 30.0
RETRIES = 2
ANSWER_BYTES_MAX = 256 << 10
_HEADERS = {"content-type": "application/timestamp-query", "accept": "application/timestamp-reply"}


@dataclass(frozen=True, slots=True)
class Stamped:
    """A checkpoint of so many events, the answer about it, and what it says; `fault` instead if it proves nothing."""

    size: int
    path: Path
    stamp: Stamp | None
    fault: str = ""


def stamp(
    ledger: WorkspaceLedger, path: Path, url: str, *, certificates: bytes | None = None, timeout_s: float = TIMEOUT_S
) -> tuple[str, Stamped]:
    """Has the newest checkpoint stamped by the authority at `url`, and appends it to a file; gives note and stamp.

    `url` may hold `${NAME}` for what is secret, `certificates` is PEM. Raises `SourceError` if there is no time-stamp,
    `Corrupted` if what is there is none of it, `UnknownName`, `ConfigurationError`, `MissingExtra`, `WriteFailed`.
    """
    note = ledger.checkpoint()
    size = size_of(note) or 0
    target = stamp_of(path, size)
    try:
        if target.exists():
            found = _read(target, note, certificates)
        else:
            answer, found = _asked(url, note, certificates, timeout_s)
            _keep(target, answer)
    except SourceError as error:
        error.do, error.state = _("check the authority's address, or anchor without it"), _("nothing was kept")
        raise
    into_file(ledger, path, note=note)
    return note, Stamped(size, target, found)


def stamps(path: Path, certificates: bytes) -> tuple[Stamped, ...]:
    """The time-stamps beside a file of checkpoints, each held against its note and the certificates (PEM).

    Raises `MissingExtra`.
    """
    notes = ((note, size) for note in notes_of(path) if (size := size_of(note)) is not None)
    kept = ((note, size, stamp_of(path, size)) for note, size in notes)
    return tuple(_held(note, size, beside, certificates) for note, size, beside in kept if beside.exists())


def certificates_of(path: Path) -> bytes:
    """The content of a file of certificates. Raises `UsageError` for one that cannot be read."""
    return _content(path, do=_("name the authority's root certificate, as PEM"))


def _held(note: str, size: int, path: Path, certificates: bytes) -> Stamped:
    try:
        content = _content(path, do=_("bring it back from a backup"))
        return Stamped(size, path, timestamp.proven(content, note.encode(), certificates))
    except (NotStamped, UsageError) as error:
        what = _("the time-stamp of {size} events: {reason}").format(size=f"{size:,}", reason=error)
        return Stamped(size, path, None, what)


def _asked(url: str, note: str, certificates: bytes | None, timeout_s: float) -> tuple[bytes, Stamp]:
    """What the authority answers."""
    from lastro.source.fetch import posting
    from lastro.source.location import refuse_written_secrets
    from lastro.source.secret import Secret

    question = timestamp.question(note.encode())
    address = Secret.checked(url)
    host = _host(address.reveal_url())
    refuse_written_secrets(url)
    receiver = posting.Receiver(
        label=_("time-stamp authority {host}").format(host=host),
        allowed=frozenset({host}),
        timeout_s=timeout_s,
        retries=RETRIES,
        do=_("check the authority's address"),
        bytes_max=ANSWER_BYTES_MAX,
    )
    answer = posting.ask(address, question.encoded, receiver, headers=_HEADERS)
    try:
        found = timestamp.read(answer, note.encode(), nonce=question.nonce)
        if certificates is not None:
            found = timestamp.proven(answer, note.encode(), certificates)
    except NotStamped as error:
        told = _("what the authority answered proves nothing: {reason}").format(reason=error)
        raise SourceBroken(told, where=receiver.label) from None
    return answer, found


def _host(url: str) -> str:
    """The host of an address, with its port. Raises `ConfigurationError` for what is none."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        host, port = "", 0
    if not host:
        raise ConfigurationError(_("this is no address of a time-stamp authority"), do=_("write https://…"))
    return f"{host}:{port}"


def _read(path: Path, note: str, certificates: bytes | None) -> Stamp:
    """What a time-stamp says that is there already."""
    content = _content(path, do=_("name another file"))
    try:
        if certificates is None:
            return timestamp.read(content, note.encode())
        return timestamp.proven(content, note.encode(), certificates)
    except NotStamped as error:
        raise Corrupted(
            _("the time-stamp that is there proves nothing: {reason}").format(reason=error),
            where=str(path),
            do=_("name another file, or move this one away"),
        ) from None


def _content(path: Path, *, do: str) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(ANSWER_BYTES_MAX + 1) if path.is_file() else b""
    except OSError as error:
        raise UsageError(
            _("{path} cannot be read: {reason}").format(path=path.name, reason=reason_of(error)), do=do
        ) from error
    if not content or len(content) > ANSWER_BYTES_MAX:
        raise UsageError(_("{path} is empty, or too large").format(path=path.name), do=do)
    return content


def _keep(path: Path, answer: bytes) -> None:
    try:
        write_durably(path, answer)
    except OSError as error:
        raise WriteFailed(
            _("the time-stamp cannot be written: {reason}").format(reason=reason_of(error)),
            where=str(path),
            do=_("name a file in a folder that can be written"),
        ) from error
