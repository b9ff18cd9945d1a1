"""Generations: what proves that a version is what was committed, minus exactly the rows that were erased.

Rules:

1. A version's digest is its name for ever: tags, locks, runs and later versions refer to it. Once rows were erased from
   it, its record is another; what proves that one is the newest generation that names the version.
2. `_lastro/generations/<number>.json`, from 1, holds the digest of the generation before: the newest digest, which the
   ledger keeps, pins them all. For each version that changed it holds the digest of its record now; for each file its
   digest before and after, and its rows before and after.
3. While an erasure's journal stands, its generation is pending: manifests count as it says, wherever they still lie,
   and a data file may be as before or as after. Rows are less or not, and never doubled.
4. Without that, only the newest content of a file counts: whoever puts the old file back has damaged the table.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lastro.model import digest
from lastro.model.errors import Corrupted, StoreError
from lastro.model.text import _
from lastro.store import reading
from lastro.store.erasure import journal
from lastro.store.paths import MANIFEST_NAME, Places, numbers

FORMAT = 1
_Mark = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class Replaced:
    """A data file that lost rows: its path in the table, bytes (the same ever after), digests and rows."""

    path: str
    size: int
    before: str
    after: str
    rows_before: int
    rows_after: int

    @property
    def rows(self) -> int:
        """How many rows went."""
        return self.rows_before - self.rows_after


@dataclass(frozen=True, slots=True)
class Proof:
    """What a version is called, and the digest of its record since a generation."""

    generation: int
    digest: str
    record: str


@dataclass(frozen=True, slots=True)
class Generation:
    """One erasure of one table. `request` names the wish for it and holds no value of the data."""

    dataset: str
    number: int
    previous: str | None
    moment: str
    request: str
    head: Mapping[str, Any]  # Any: the newest version's number and digest
    versions: Mapping[int, tuple[str, str]]
    files: tuple[Replaced, ...]

    @property
    def record(self) -> dict[str, Any]:  # Any: JSON values
        """The generation as it is digested."""
        return {
            "lastro": FORMAT,
            "dataset": self.dataset,
            "generation": self.number,
            "previous": self.previous,
            "moment": self.moment,
            "request": self.request,
            "head": dict(self.head),
            "versions": [[number, *proof] for number, proof in sorted(self.versions.items())],
            "files": [asdict(file) for file in self.files],
        }

    @property
    def digest(self) -> str:
        """What the next generation, the ledger and the certificate call it."""
        return digest.of_value(self.record)

    def taken(self, files: Collection[str]) -> int:
        """How many rows it took from these files of the table."""
        return sum(file.rows for file in self.files if file.path in files)

    def encode(self) -> bytes:
        """The generation as it stands on disk."""
        return digest.canonical({"digest": self.digest, "generation": self.record}) + b"\n"


@dataclass(frozen=True)
class Known:
    """All generations of a table, from the first. `pending` is true while the newest one's journal stands."""

    generations: tuple[Generation, ...] = ()
    pending: bool = False

    @property
    def newest(self) -> Generation | None:
        """The last one, None if nothing was ever erased."""
        return self.generations[-1] if self.generations else None

    def proof(self, number: int) -> Proof | None:
        """What proves a version's record, None if nothing was erased from it."""
        for generation in reversed(self.generations):
            if number in generation.versions:
                return Proof(generation.number, *generation.versions[number])
        return None

    def acceptable(self, path: str, sha256: str) -> frozenset[str]:
        """The digests that a file may have of which a version, perhaps read long ago, says this one."""
        steps = self.steps.get(path, [])
        if not any(sha256 in (file.before, file.after) for _number, file in steps):
            return frozenset({sha256})
        number, file = steps[-1]
        is_pending = self.pending and number == len(self.generations)
        return frozenset({file.after, file.before} if is_pending else {file.after})

    @cached_property
    def steps(self) -> Mapping[str, Sequence[tuple[int, Replaced]]]:
        """By path, what each generation, by its number, made of the file."""
        found: dict[str, list[tuple[int, Replaced]]] = {}
        for each in self.generations:
            for file in each.files:
                found.setdefault(file.path, []).append((each.number, file))
        return found


class Generations:
    """The generations of one table, read again when the disk says that there may be another."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._mark: _Mark | None = None
        self._known = Known()

    def mark(self) -> _Mark:
        """What the disk says now; another mark means another erasure, or another stage of one."""
        return _looks(self._places.generations), _looks(self._places.journal)

    def known(self) -> Known:
        """All that is known now. Raises `Corrupted`, `StoreError` if a newer Lastro wrote them."""
        while (mark := self.mark()) != self._mark:
            known = Known() if mark == (None, None) else _read(self._places)
            if self.mark() == mark:
                self._mark, self._known = mark, known
        return self._known


def check(places: Places) -> Iterator[tuple[Path, str]]:
    """Each generation's file that is not what it was, or does not follow the one before it, and what is wrong."""
    previous: str | None = None
    found = numbers(places.generations, MANIFEST_NAME)
    for number in range(1, max(found, default=0) + 1):
        path = places.generation(number)
        try:
            generation = decode(reading.read(path), places, number)
        except (OSError, StoreError):
            yield path, _("is missing") if number not in found else _("is damaged")
            previous = None
        else:
            if previous is not None and generation.previous != previous:
                yield path, _("does not follow the one before")
            previous = generation.digest


def decode(found: bytes, places: Places, number: int) -> Generation:
    """The generation in a file. Raises `Corrupted`, or `StoreError` if a newer Lastro wrote it."""
    try:
        record = json.loads(found)["generation"]
        if int(record["lastro"]) > FORMAT:
            raise _newer(places, number)
        generation = _of(record)
    except (ValueError, LookupError, TypeError) as error:
        raise _damaged(places, number) from error
    if generation.dataset != places.dataset or generation.number != number or generation.encode() != found:
        raise _damaged(places, number)
    return generation


def _of(record: Mapping[str, Any]) -> Generation:  # Any: JSON values
    return Generation(
        dataset=str(record["dataset"]),
        number=int(record["generation"]),
        previous=record["previous"],
        moment=str(record["moment"]),
        request=str(record["request"]),
        head=record["head"],
        versions={int(number): (str(name), str(proof)) for number, name, proof in record["versions"]},
        files=tuple(Replaced(**file) for file in record["files"]),
    )


def _read(places: Places) -> Known:
    pending = journal.read(places)
    newest = max(numbers(places.generations, MANIFEST_NAME), default=0)
    if pending is not None:
        newest = max(newest, pending.generation)
    generations: list[Generation] = []
    for number in range(1, newest + 1):
        generation = decode(_bytes(places, number), places, number)
        if generation.previous != (generations[-1].digest if generations else None):
            raise _damaged(places, number)
        generations.append(generation)
    return Known(tuple(generations), pending is not None and pending.generation == newest)


def _bytes(places: Places, number: int) -> bytes:
    path = places.generation(number)
    waiting = journal.prepared(places, path.relative_to(places.table).as_posix())
    for place in (path, waiting, path):  # while we look, it may get its name
        with suppress(OSError):
            return reading.read(place)
    raise _damaged(places, number)


def _looks(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns


def _newer(places: Places, number: int) -> StoreError:
    return StoreError(
        _("{dataset} was written by a newer Lastro").format(dataset=places.dataset),
        where=str(places.generation(number)),
        do=_("install a newer Lastro: pip install --upgrade lastro"),
    )


def _damaged(places: Places, number: int) -> Corrupted:
    return Corrupted(
        _("the record of erasure {number} of {name} is damaged").format(number=number, name=places.dataset),
        where=str(places.generation(number)),
        do=_("put the file back from a copy: it proves what every version is since"),
    )
