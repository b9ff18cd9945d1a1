"""Verification: every byte that a version needs is what was committed, or the file is named.

Rules:

1. What a crash left is put in order first, if the lock is free: it is no damage.
2. Manifests are proven in order, each by its own digest and by its parent's; commits are compared with what the
   manifests render to; then checkpoints, tags and the list of expired versions.
3. Data files are looked for and measured; with `read_data` they are hashed, all or a seeded sample.
4. What erasures recorded is proven as a chain; a version that lost rows is proven by the last of them that names it,
   and its files by what that says of each.
5. A finding names one file and says whether `repair` can mend it from what is left. Nothing else is changed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lastro.model import digest
from lastro.model.errors import Conflict, Corrupted, Locked, StoreError, WriteFailed
from lastro.model.text import _
from lastro.model.version import FileEntry
from lastro.store import adopt, checkpoint, delta, expiry, keys, profiles, reading, tags
from lastro.store.erasure.generations import Generations, Proof
from lastro.store.erasure.generations import check as erasures
from lastro.store.log import Log
from lastro.store.manifest import Manifest, State, advance, start
from lastro.store.paths import COMMIT_NAME, PROFILE_NAME, Places, numbers
from lastro.store.table import Table


class Kind(StrEnum):
    """What is damaged."""

    FOLDER = "folder"
    MANIFEST = "manifest"
    COMMIT = "commit"
    TORN = "torn commit"
    UNFINISHED = "unfinished commit"
    FOREIGN = "foreign commit"
    CHECKPOINT = "checkpoint"
    KEYS = "index of keys"
    PROFILE = "profile"
    TAG = "tag"
    EXPIRY = "list of expired versions"
    DATA = "data file"
    ERASURE = "record of an erasure"


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged file: its path relative to the table, what is wrong with it, and whether `repair` can mend it."""

    kind: Kind
    path: str
    what: str
    repairable: bool
    number: int = -1
    """The version, for manifests and commits."""

    def to_dict(self) -> dict[str, str | bool | int]:
        """The finding as plain values."""
        return {"kind": self.kind.value, "path": self.path, "what": self.what, "repairable": self.repairable}


@dataclass(frozen=True, slots=True)
class Chain:
    """The versions as far as they can be proven: all digests by number, the states that follow from them."""

    damages: tuple[Damage, ...]
    manifests: Mapping[int, Manifest]
    files: Mapping[str, FileEntry]
    """Every file of a version that is not expired."""
    newest: State | None


def verify(table: Table, *, read_data: bool = False, subset: float | None = None, seed: int = 0) -> tuple[Damage, ...]:
    """Every damage of a table; empty if it is whole. Raises nothing about damage, only `OSError` where the disk fails.

    With `read_data` every data file is hashed; `subset` (0 to 1) hashes a sample of that share, chosen by `seed`.
    """
    # A live writer needs no help, and whatever else is wrong is what this function is about to find.
    with suppress(Locked, Conflict, Corrupted, WriteFailed), table.lock(timeout_s=0):
        pass
    places = table.places
    try:
        places.check()
    except Corrupted as error:
        return (Damage(Kind.FOLDER, error.where, error.what, repairable=False),)
    while True:
        expired, mark = expired_or_none(places), Generations(places).mark()
        chain = walk(places)
        # Without the list of expired versions nobody knows which files should be there, save for the newest's.
        files = chain.files if expired is not None else chain.newest.files if chain.newest else {}
        found = [*structure(places, chain), *_data(places, files, _chosen(files, read_data, subset, seed))]
        # Otherwise files were collected, or rows erased, while we looked for them.
        if expired == expired_or_none(places) and mark == Generations(places).mark():
            return tuple(found)


def structure(places: Places, chain: Chain) -> list[Damage]:
    """Every damage but that of data files."""
    found = [
        Damage(Kind.CHECKPOINT, _relative(places, path), _("is not as it was written"), repairable=True)
        for path in (checkpoint.damaged(places) if places.log.is_dir() else ())
    ]
    if places.keys.exists() and keys.read(places) is None:
        found.append(Damage(Kind.KEYS, _relative(places, places.keys), _("is damaged"), repairable=True))
    if expired_or_none(places) is None:
        found.append(Damage(Kind.EXPIRY, _relative(places, places.expired), _("is damaged"), repairable=True))
    found += [Damage(Kind.ERASURE, _relative(places, path), what, repairable=False) for path, what in erasures(places)]
    beside = [*_tags(places, chain.manifests), *_profiles(places, chain.manifests)]
    return [*found, *chain.damages, *_beyond(places, chain), *beside]


def expired_or_none(places: Places) -> frozenset[int] | None:
    """The expired versions, None if their list is damaged."""
    try:
        return expiry.read(places)
    except (Corrupted, OSError):
        return None


def walk(places: Places) -> Chain:
    """Proves every version from the first to the newest."""
    log, expired = Log(places), expired_or_none(places) or frozenset()
    head = log.head()
    damages: list[Damage] = []
    manifests: dict[int, Manifest] = {}
    files: dict[str, FileEntry] = {}
    state: State | None = None
    for number in range(0 if head is None else head + 1):
        manifest, damage = _manifest(places, log, number, state)
        damages += damage
        state, damage = _state(places, manifests.get(number - 1), state, manifest, number)
        damages += damage
        if manifest is not None:
            manifests[number] = manifest
        if manifest is not None and number not in expired:
            files |= state.files if state else {entry.path: entry for entry in manifest.added}
    return Chain(tuple(damages), manifests, files, state)


def _manifest(places: Places, log: Log, number: int, parent: State | None) -> tuple[Manifest | None, list[Damage]]:
    """A version's manifest, from its file or, where that is damaged, from its commit; and what is damaged."""
    commit = _relative(places, places.commit(number))
    found = _bytes(places.commit(number))
    try:
        manifest = _fitting(log.manifest(number), parent, number)
    except Corrupted as error:
        path = _relative(places, places.manifest(number))
        rebuilt = recovered(found, parent, proof=proof_of(log, number))
        damages = [Damage(Kind.MANIFEST, path, error.what, rebuilt is not None, number)]
        if rebuilt is None or delta.render(rebuilt) != found:
            what = _("cannot be proven without its manifest") if rebuilt is None else _("has other bytes")
            damages.append(Damage(Kind.COMMIT, commit, what, rebuilt is not None, number))
        return rebuilt, damages
    if delta.render(manifest) != found:
        what = _("is missing") if found is None else _("has other bytes than were committed")
        return manifest, [Damage(Kind.COMMIT, commit, what, repairable=True, number=number)]
    return manifest, []


def proof_of(log: Log, number: int) -> Proof | None:
    """What proves a version since rows were erased from it, None if nothing does or need."""
    try:
        return log.generations.known().proof(number)
    except StoreError:  # it is named as damage of its own; without it nothing proves the commit
        return None


def _fitting(manifest: Manifest, parent: State | None, number: int) -> Manifest:
    if parent is not None or number == 0:
        advance(parent, manifest)
    return manifest


def recovered(commit: bytes | None, parent: State | None, *, proof: Proof | None = None) -> Manifest | None:
    """The manifest that a commit of ours proves, None if it proves none."""
    try:
        return None if commit is None else delta.rebuild(delta.parse(commit), parent, proof=proof)
    except ValueError:
        return None


def _state(
    places: Places, before: Manifest | None, parent: State | None, manifest: Manifest | None, number: int
) -> tuple[State | None, list[Damage]]:
    if manifest is None:
        return None, []
    if number == 0 or parent is not None:
        return advance(parent, manifest), []
    # An earlier manifest is lost: the next full listing goes on from here.
    if before is not None and manifest.parent != before.digest:
        path = _relative(places, places.manifest(number))
        return start(manifest), [Damage(Kind.MANIFEST, path, _("does not continue its parent"), repairable=False)]
    return start(manifest), []


def _beyond(places: Places, chain: Chain) -> Iterator[Damage]:
    """Commits after the newest manifest: cut off, left unfinished, or another writer's."""
    state = chain.newest
    first = max(chain.manifests, default=-1) + 1 if chain.manifests else 0
    following = [number for number in numbers(places.log, COMMIT_NAME) if number >= first]
    for number, expected in zip(following, range(first, first + len(following)), strict=True):
        path, found = _relative(places, places.commit(number)), _bytes(places.commit(number))
        manifest = recovered(found, state, proof=proof_of(Log(places), number))
        if number != expected:
            yield Damage(Kind.COMMIT, path, _("an earlier commit is missing"), repairable=False, number=number)
        elif manifest is not None:
            yield Damage(Kind.UNFINISHED, path, _("has no manifest"), repairable=True, number=number)
            state = advance(state, manifest)
        elif obstacle := adopt.obstacle(found):
            is_torn = obstacle == adopt.TORN
            what = _("is cut off and was never acknowledged") if is_torn else obstacle
            yield Damage(
                Kind.TORN if is_torn else Kind.FOREIGN, path, what, is_torn and number == following[-1], number
            )
        else:
            yield Damage(Kind.FOREIGN, path, _("was written by another writer"), repairable=True, number=number)


def _tags(places: Places, manifests: Mapping[int, Manifest]) -> Iterator[Damage]:
    for path in sorted(places.tags.glob("*.json")) if places.tags.is_dir() else ():
        found = _bytes(path) or b""
        try:
            number, version = tags.parse(path.name, found)
            whole = number in manifests and manifests[number].digest == version
        except Corrupted:
            whole = False
        if not whole:
            mendable = tag_target(found, manifests) is not None
            yield Damage(Kind.TAG, _relative(places, path), _("is damaged"), mendable)


def _profiles(places: Places, manifests: Mapping[int, Manifest]) -> Iterator[Damage]:
    for number in numbers(places.profiles, PROFILE_NAME):
        try:
            profiles.decode(reading.read(places.profile(number)), manifests[number].proof)
        except (ValueError, LookupError, OSError):
            path = _relative(places, places.profile(number))
            yield Damage(Kind.PROFILE, path, _("is damaged"), repairable=True, number=number)


def tag_target(found: bytes, manifests: Mapping[int, Manifest]) -> Manifest | None:
    """The one version whose digest still stands in a damaged tag file, None if there is none."""
    text = found.decode(errors="replace")
    named = [manifest for manifest in manifests.values() if manifest.digest in text]
    return named[0] if len(named) == 1 else None


def _chosen(files: Mapping[str, FileEntry], read_data: bool, subset: float | None, seed: int) -> set[str]:  # noqa: FBT001
    share = min(max(1.0 if subset is None else subset, 0.0), 1.0) if read_data else 0.0
    # The sample is no secret: a seed makes it repeatable.
    return set(random.Random(seed).sample(sorted(files), math.ceil(share * len(files))))  # noqa: S311


def _data(places: Places, files: Mapping[str, FileEntry], chosen: Set[str]) -> Iterator[Damage]:
    for name, entry in sorted(files.items()):
        what = ""
        try:
            size = reading.size_of(places.data(name))
            if size != entry.size:
                what = _("is missing") if size is None else _("has another size than was committed")
            elif name in chosen and digest.of_file(places.data(name)) != entry.sha256:
                what = _("has other bytes than were committed")
        except Corrupted as error:
            what = error.what
        if what:
            yield Damage(Kind.DATA, name, what, repairable=False)


def _bytes(path: Path) -> bytes | None:
    try:
        return reading.read(path)
    except OSError:  # missing, or a link: not what was committed
        return None


def _relative(places: Places, path: Path) -> str:
    return path.relative_to(places.table).as_posix()
