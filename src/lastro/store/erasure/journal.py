"""The journal of an erasure: what is to get which name, so that a kill at any moment is finished by whoever comes next.

Rules:

1. Everything that will get a name lies complete and fsynced in `_lastro/erasure/new/`, under the very path that it will
   have in the table. Then `_lastro/erasure/journal.json` is written, durably: from here on the erasure is done, and
   readers see it. Without a journal the folder is left from a crash and is removed.
2. Rolling forward is mechanical: each file is renamed over the old one, what is to go is removed, and the journal last.
   Doing it twice does what doing it once does.
3. The journal holds paths, digests and counts, and no value of the data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lastro.model import digest
from lastro.model.errors import Corrupted
from lastro.model.text import _
from lastro.store import disk, reading
from lastro.store.paths import Places

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Journal:
    """The number and digest of the generation that begins, the paths that get new content, and those that go."""

    generation: int
    digest: str
    moves: Sequence[str]
    drops: Sequence[str]

    def encode(self) -> bytes:
        """The journal as it stands on disk."""
        record = {
            "lastro": FORMAT,
            "generation": self.generation,
            "digest": self.digest,
            "moves": list(self.moves),
            "drops": list(self.drops),
        }
        return digest.canonical({"digest": digest.of_value(record), "journal": record}) + b"\n"


def prepared(places: Places, path: str) -> Path:
    """Where the new content of a table-relative path lies until it gets its name."""
    return places.erasure / "new" / path


def read(places: Places) -> Journal | None:
    """The journal of an erasure that is under way, None if there is none. Raises `Corrupted`."""
    try:
        found = reading.read(places.journal)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _damaged(places) from error
    try:
        record = json.loads(found)["journal"]
        moves, drops = ([_checked(path) for path in record[name]] for name in ("moves", "drops"))
        journal = Journal(int(record["generation"]), str(record["digest"]), moves, drops)
    except (ValueError, LookupError, TypeError) as error:
        raise _damaged(places) from error
    if journal.encode() != found:
        raise _damaged(places)
    return journal


def begin(places: Places, journal: Journal) -> None:
    """Makes an erasure whose files are all prepared: it can no longer be undone. Raises `OSError`."""
    disk.replace(disk.write_temporary(places.erasure, journal.encode()), places.journal)


def settle(places: Places) -> None:
    """Finishes an erasure that has a journal, and removes what is left of one that has none; the lock is held.

    Raises `Corrupted` if the journal cannot be read, `OSError`.
    """
    journal = read(places)
    if journal is not None:
        for _step in forward(places, journal):
            pass
    else:
        clear(places)


def clear(places: Places) -> None:
    """Removes what an erasure without a journal has prepared. A link is removed, not followed."""
    if places.erasure.is_symlink():
        disk.remove(places.erasure)
    else:
        disk.remove_tree(places.erasure)


def forward(places: Places, journal: Journal) -> Iterator[str]:
    """Rolls an erasure forward, telling each path after its step; the lock is held. Raises `OSError`."""
    folders = set()
    pointer = places.hint.relative_to(places.table).as_posix()
    if pointer in journal.drops:  # before its checkpoint: a reader that found the pointer alone would fail
        disk.remove(places.hint)
        disk.sync_folder(places.log)
        yield pointer
    for path in journal.moves:
        source, target = prepared(places, path), places.table / path
        if reading.size_of(source) is not None:
            disk.make_folder(target.parent)
            disk.move(source, target)
        folders.add(target.parent)
        yield path
    for path in journal.drops:
        disk.remove(places.table / path)
        folders.add((places.table / path).parent)
        yield path
    for folder in folders:
        disk.sync_folder(folder)
    disk.remove(places.journal)
    disk.sync_folder(places.erasure)
    yield str(places.journal)
    clear(places)


def _checked(path: str) -> str:
    """A path of a journal stays inside the table. Raises `ValueError`."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or str(pure) != path:
        raise ValueError("a path outside the table")
    return path


def _damaged(places: Places) -> Corrupted:
    return Corrupted(
        _("the journal of an erasure is damaged"),
        where=str(places.journal),
        do=_("restore the table from a copy, and erase again"),
    )
