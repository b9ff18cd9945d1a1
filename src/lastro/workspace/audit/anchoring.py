"""Anchors: checkpoints of the ledger that are kept where whoever changes the ledger does not reach.

Rules:

1. An anchor is the newest checkpoint's note. Into a file it is appended, so that one file holds many.
2. In git it is the message of an annotated tag, `lastro/ledger/SIZE`, in the repository that the workspace lies in. It
   protects as far as the tag is pushed, which Lastro does not do: it asks no network.
3. What was handed out is noted in `.lastro/ledger.anchors`, which proves nothing: it lets `lastro doctor` know.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lastro.ledger.note import size_of
from lastro.model.errors import UsageError, WriteFailed
from lastro.model.system import reason_of
from lastro.model.text import _
from lastro.workspace.audit.ledger import ANCHORED, WorkspaceLedger

TAGS = "lastro/ledger/"
NOTE_LINES = 6
_ANCHOR_BYTES_MAX = 64 << 20


@dataclass(frozen=True, slots=True)
class Anchored:
    """Where a checkpoint of so many events was put last; `notes` are those that are still there, none if none is, and
    `is_stamped` says that a time-stamp lies beside.
    """

    size: int
    place: str
    notes: tuple[str, ...]
    is_stamped: bool = False


def into_file(ledger: WorkspaceLedger, path: Path, *, note: str | None = None) -> str:
    """Appends a checkpoint, the newest if none is given, to a file; gives the note. Raises `UnknownName`, `UsageError`,
    `WriteFailed`.
    """
    note = ledger.checkpoint() if note is None else note
    held = notes_of(path) if path.exists() else []
    if note not in held:
        _append(path, note)
    _noted(ledger, f"{size_of(note)} {path.absolute()}")
    return note


def into_git(ledger: WorkspaceLedger) -> tuple[str, str]:
    """Makes a tag that holds the newest checkpoint; gives the note and the tag. Raises `UnknownName`, `UsageError`."""
    note = ledger.checkpoint()
    tag = f"{TAGS}{size_of(note)}"
    root = ledger.state.parent
    if _message(root, tag) != note:
        _git(root, "tag", "-a", tag, "--cleanup=verbatim", "-F", "-", text=note)
    _noted(ledger, f"{size_of(note)} git {tag}")
    return note, tag


def of_git(ledger: WorkspaceLedger) -> list[str]:
    """The notes in the tags of the repository that the workspace lies in. Raises `UsageError`."""
    root = ledger.state.parent
    tags = _git(root, "tag", "--list", f"{TAGS}*").split()
    return [message for tag in tags if (message := _message(root, tag)) is not None]


def notes_of(path: Path) -> list[str]:
    """The notes of a file, one after another; what is none is given as it is, for an audit to say so."""
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = text.splitlines(keepends=True)
    if len(lines) % NOTE_LINES or any(size_of("".join(lines[at : at + NOTE_LINES])) is None for at in _starts(lines)):
        return [text]
    return ["".join(lines[at : at + NOTE_LINES]) for at in _starts(lines)]


def places(ledger: WorkspaceLedger) -> tuple[Anchored, ...]:
    """Every place to which a checkpoint went, as far as this workspace noted (rule 3), with its last one."""
    try:
        lines = (ledger.state / ANCHORED).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    last: dict[str, tuple[int, str]] = {}
    for line in lines:
        size, _blank, place = line.partition(" ")
        if size.isascii() and size.isdigit() and place:
            last[place.partition(TAGS)[0]] = (int(size), place)
    return tuple(
        Anchored(size, place, _still_there(ledger, size, place), stamp_of(Path(place), size).is_file())
        for size, place in last.values()
    )


def stamp_of(path: Path, size: int) -> Path:
    """Where the time-stamp lies of the checkpoint of so many events in a file."""
    return path.with_name(f"{path.name}.{size}.tsr")


def _still_there(ledger: WorkspaceLedger, size: int, place: str) -> tuple[str, ...]:
    if place.startswith(f"git {TAGS}"):
        message = _message(ledger.state.parent, place.removeprefix("git "))
        return () if message is None else (message,)
    path = Path(place)
    try:
        fits = path.is_file() and path.stat().st_size <= _ANCHOR_BYTES_MAX
        notes = notes_of(path) if fits else []
    except OSError:
        return ()
    return tuple(note for note in notes if size_of(note) == size)


def _starts(lines: list[str]) -> range:
    return range(0, len(lines), NOTE_LINES)


def _append(path: Path, text: str) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644), "ab") as stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise WriteFailed(
            _("the anchor cannot be written: {reason}").format(reason=reason_of(error)),
            where=str(path),
            do=_("name a file that can be written"),
        ) from error


def _noted(ledger: WorkspaceLedger, line: str) -> None:
    _append(ledger.state / ANCHORED, f"{line}\n")


def _message(root: Path, tag: str) -> str | None:
    """The message of an annotated tag, None if there is none such."""
    try:
        content = _git(root, "cat-file", "tag", f"refs/tags/{tag}")
    except UsageError:
        return None
    return content.partition("\n\n")[2]


def _git(root: Path, *arguments: str, text: str | None = None) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            input=text if text is not None else "",
            capture_output=True,
            timeout=60,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(_("git cannot be asked"), do=_("install git, or write into a file: --file FILE")) from error
    if done.returncode:
        reason = " ".join(done.stderr.split())[:200]
        raise UsageError(
            _("git does not do it: {reason}").format(reason=reason),
            where=str(root),
            do=_("make a first commit, tell git your name, or write into a file: --file FILE"),
        )
    return done.stdout
