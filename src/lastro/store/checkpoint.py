"""Delta checkpoints: they make other readers fast, and nothing of ours depends on them.

Rules:

1. Every 50th version gets one, after it was acknowledged; failing at it fails nothing.
2. delta-rs writes it; then it, Delta's pointer to it and their folder are fsynced, and a note with their digests is
   kept beside the manifests. What has no note is not vouched for and is dropped when the lock is taken next, while the
   version of the checkpoint is still the newest.
3. The newest three stay. Every commit stays, so that dropping a checkpoint never loses anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from lastro.model import digest
from lastro.store import disk, reading
from lastro.store.paths import CHECKPOINT_NAME, MANIFEST_NAME, Places, numbers

FORMAT = 1
EVERY = 50
KEPT = 3


def write_if_due(places: Places, number: int) -> None:
    """Writes the checkpoint of a version whose turn it is; the lock is held."""
    if number == 0 or number % EVERY:
        return
    # Swallows whatever delta-rs or the disk say: the version is acknowledged, other readers go without a checkpoint,
    # and what is half written is dropped when the lock is taken next.
    with suppress(Exception):
        write(places, number)


def write(places: Places, number: int) -> None:
    """Writes the checkpoint of a version, durably, with its note."""
    from deltalake import DeltaTable

    DeltaTable(str(places.table), version=number).create_checkpoint()
    files = sorted(places.log.glob(f"{number:020d}.checkpoint.*"))
    for path in (*files, places.hint):
        disk.sync_file(path)
    disk.sync_folder(places.log)
    for folder in (places.checkpoints, places.temporary):
        disk.make_folder(folder)
    told = [(path.name, path.stat().st_size, digest.of_file(path)) for path in files]
    disk.replace(disk.write_temporary(places.temporary, encode(number, told, places.hint)), note(places, number))
    for older in numbers(places.checkpoints, MANIFEST_NAME)[:-KEPT]:
        _remove(places, older)


def settle(places: Places, head: int | None) -> None:
    """Drops Delta's pointer and its checkpoint unless a note vouches for both, and what a killed writer of the newest
    version's checkpoint left. Raises `OSError`.
    """
    number = _pointed_at(places)
    if number is not None and not (number >= 0 and is_vouched_for(places, number, thoroughly=False)):
        drop(places)
    elif head and head % EVERY == 0:
        _drop_unfinished(places)


def drop(places: Places) -> None:
    """Removes every checkpoint, Delta's pointer and the notes. Raises `OSError`."""
    disk.remove(places.hint)
    for path in _files(places):
        disk.remove(path)
    for number in numbers(places.checkpoints, MANIFEST_NAME):
        disk.remove(note(places, number))
    disk.sync_folder(places.log)


def _drop_unfinished(places: Places) -> None:
    noted = numbers(places.checkpoints, MANIFEST_NAME)
    for number in {*noted, *(int(path.name[:20]) for path in _files(places))}:
        if number not in noted or not is_vouched_for(places, number, thoroughly=False):
            _remove(places, number)


def damaged(places: Places) -> list[Path]:
    """The checkpoints (and the pointer) that are not what the notes say, every byte looked at."""
    noted = numbers(places.checkpoints, MANIFEST_NAME)
    wrong = [path for number in noted for path in _wrong(places, number, thoroughly=True)]
    strange = [path for path in _files(places) if int(path.name[:20]) not in noted]
    pointed = _pointed_at(places)
    if pointed is not None and (not noted or pointed != noted[-1]):
        wrong.append(places.hint)
    return list(dict.fromkeys(wrong + strange))


def is_vouched_for(places: Places, number: int, *, thoroughly: bool) -> bool:
    """True if a note holds the digests of this checkpoint's files and, for the newest, of the pointer.

    Without `thoroughly` the files' sizes are compared and the pointer's bytes, not the files' bytes.
    """
    return not _wrong(places, number, thoroughly=thoroughly)


def _wrong(places: Places, number: int, *, thoroughly: bool) -> list[Path]:
    note_path = note(places, number)
    try:
        found = reading.read(note_path)
        told = json.loads(found)["checkpoint"]
        files = {str(name): (int(size), str(sha256)) for name, size, sha256 in told["files"]}
        whole = digest.canonical({"checkpoint": told, "digest": digest.of_value(told)}) + b"\n" == found
    except (OSError, ValueError, LookupError, TypeError):
        return [note_path]
    if not whole or told["number"] != number:
        return [note_path]
    paths = {places.log / name: noted for name, noted in files.items()}
    wrong = [path for path, noted in paths.items() if not _is_as_noted(path, *noted, thoroughly=thoroughly)]
    newest = number == max(numbers(places.checkpoints, MANIFEST_NAME))
    return [*wrong, places.hint] if newest and digest.of_bytes(_pointer(places)) != told["pointer"] else wrong


def _is_as_noted(path: Path, size: int, sha256: str, *, thoroughly: bool) -> bool:
    return reading.size_of(path) == size and (not thoroughly or digest.of_file(path) == sha256)


def encode(number: int, files: Sequence[tuple[str, int, str]], pointer: Path) -> bytes:
    """The content of a note on files by name, size and digest, and on Delta's pointer."""
    record = {
        "lastro": FORMAT,
        "number": number,
        "files": [list(file) for file in files],
        "pointer": digest.of_file(pointer),
    }
    return digest.canonical({"checkpoint": record, "digest": digest.of_value(record)}) + b"\n"


def _pointer(places: Places) -> bytes:
    try:
        return reading.read(places.hint)
    except OSError:
        return b""


def _pointed_at(places: Places) -> int | None:
    """The version Delta's pointer names; None without a pointer, -1 if it cannot be read."""
    if not places.hint.exists():
        return None
    try:
        return int(json.loads(_pointer(places))["version"])
    except (ValueError, LookupError, TypeError):
        return -1


def _files(places: Places) -> Iterator[Path]:
    yield from sorted(path for path in places.log.iterdir() if CHECKPOINT_NAME.fullmatch(path.name))


def _remove(places: Places, number: int) -> None:
    for path in places.log.glob(f"{number:020d}.checkpoint.*"):
        disk.remove(path)
    disk.remove(note(places, number))


def note(places: Places, number: int) -> Path:
    """Where the note on a version's checkpoint lies."""
    return places.checkpoints / f"{number}.json"
