"""Repair: what can be mended from what is left, and nothing else.

Rules:

1. Without `apply` nothing is changed; what would be done is told.
2. No data file is ever removed or changed, and no version that was acknowledged is undone.
3. A manifest is made again from its commit, a commit from its manifest, only where the digest proves it equal.
4. A torn newest commit without a manifest was never acknowledged: it is set aside in `_lastro/aside/`.
5. Checkpoints that nobody vouches for are dropped; a commit of another writer is taken over as a version.
6. A damaged list of expired versions is made again: expired is what lacks a file and is neither tagged nor newest.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from lastro.model.errors import Corrupted
from lastro.model.text import _
from lastro.store import adopt, checkpoint, delta, disk, expiry, reading, recovery, tags
from lastro.store.check import Chain, Damage, Kind, proof_of, structure, tag_target, walk
from lastro.store.erasure import journal
from lastro.store.log import Log
from lastro.store.manifest import Manifest, State, advance
from lastro.store.paths import Places
from lastro.store.table import LOCK_TIMEOUT_S, Table

_ORDER = (
    Kind.CHECKPOINT,
    Kind.KEYS,
    Kind.PROFILE,
    Kind.MANIFEST,
    Kind.COMMIT,
    Kind.UNFINISHED,
    Kind.TORN,
    Kind.FOREIGN,
    Kind.TAG,
    Kind.EXPIRY,
)


@dataclass(frozen=True, slots=True)
class Repair:
    """One mending: of which damage, in words, and whether it was done or would be."""

    kind: Kind
    path: str
    what: str
    done: bool

    def to_dict(self) -> dict[str, str | bool]:
        """The repair as plain values."""
        return {"kind": self.kind.value, "path": self.path, "what": self.what, "done": self.done}


def repair(table: Table, *, apply: bool = False) -> tuple[Repair, ...]:
    """What can be mended, in the order it is; with `apply`, it is. Damaged data files are beyond it: see `verify`.

    Raises `Locked`, `WriteFailed`, `Corrupted` if another writer's files cannot be taken over.
    """
    places = table.places
    places.check()
    with table.exclusive(LOCK_TIMEOUT_S), table.failing_cleanly():
        journal.settle(places)
        chain = walk(places)
        found = [damage for damage in structure(places, chain) if damage.repairable]
        planned = sorted(found, key=lambda damage: (_ORDER.index(damage.kind), damage.number, damage.path))
        if apply:
            newest = chain.newest
            for damage in planned:
                newest = _mend(places, chain, damage, newest)
        return tuple(Repair(damage.kind, damage.path, _words()[damage.kind], apply) for damage in planned)


def _mend(places: Places, chain: Chain, damage: Damage, newest: State | None) -> State | None:
    match damage.kind:
        case Kind.CHECKPOINT:
            checkpoint.drop(places)
        case Kind.KEYS:
            disk.remove(places.keys)
        case Kind.PROFILE:
            disk.remove(places.profile(damage.number))
        case Kind.MANIFEST:
            recovery.write_manifest(places, chain.manifests[damage.number])
        case Kind.COMMIT:
            _write_commit(places, chain.manifests[damage.number])
        case Kind.UNFINISHED:
            commit, proof = (
                delta.parse(reading.read(places.commit(damage.number))),
                proof_of(Log(places), damage.number),
            )
            manifest = delta.rebuild(commit, newest, proof=proof)
            disk.sync_file(places.commit(damage.number))
            disk.sync_folder(places.log)
            recovery.write_manifest(places, manifest)
            return advance(newest, manifest)
        case Kind.TORN:
            _set_aside(places, damage.number)
        case Kind.FOREIGN:
            manifest = adopt.adopt(places, damage.number, newest)
            following = advance(newest, manifest)
            recovery.write_manifest(places, manifest)
            return following
        case Kind.TAG:
            _write_tag(places, damage, chain.manifests)
        case Kind.EXPIRY:
            expiry.write(places, _lacking(places, chain))
        case Kind.FOLDER | Kind.DATA | Kind.ERASURE:
            raise ValueError("nothing can mend this")
    return newest


def _write_commit(places: Places, manifest: Manifest) -> None:
    disk.make_folder(places.log)
    disk.make_folder(places.temporary)
    modified_ns = delta.microseconds_of(manifest.record["committed"]) * 1000
    temporary = disk.write_temporary(places.temporary, delta.render(manifest), modified_ns=modified_ns)
    disk.replace(temporary, places.commit(manifest.number))


def _set_aside(places: Places, number: int) -> None:
    aside = places.own / "aside"
    disk.make_folder(aside)
    disk.move(places.commit(number), aside / f"{number}-{uuid.uuid4().hex}.json")
    disk.sync_folder(places.log)
    disk.sync_folder(aside)


def _write_tag(places: Places, damage: Damage, manifests: Mapping[int, Manifest]) -> None:
    path = places.table / damage.path
    target = tag_target(reading.read(path), manifests)
    if target is not None:
        tags.write(places, path.stem, target)


def _lacking(places: Places, chain: Chain) -> set[int]:
    """The versions that lack a file and that nothing pins."""
    head = max(chain.manifests, default=-1)
    pinned = {head}
    with suppress(Corrupted):  # a tag beyond repair pins what it can no longer say
        pinned |= set(tags.read(places).values())
    gone = {path for path, entry in chain.files.items() if reading.size_of(places.data(path)) is None}
    lacking = {state.manifest.number for state in Log(places).states(head) if gone & state.files.keys()}
    return lacking - pinned


def _words() -> Mapping[Kind, str]:
    return {
        Kind.CHECKPOINT: _("dropped; readers use the commits"),
        Kind.KEYS: _("dropped; it is written again in time"),
        Kind.PROFILE: _("removed; it is made again when it is asked for"),
        Kind.MANIFEST: _("made again from the commit, which proves it"),
        Kind.COMMIT: _("made again from the manifest, which proves it"),
        Kind.UNFINISHED: _("given its manifest"),
        Kind.TORN: _("set aside; its version was never acknowledged"),
        Kind.FOREIGN: _("taken over as a version; its files are hashed now"),
        Kind.TAG: _("made again; the version's digest was still in it"),
        Kind.EXPIRY: _("made again from what is missing"),
    }
