"""The history of one table, read from its manifests and kept in memory.

Rules:

1. A version exists once its manifest does. Numbers order versions, never clocks.
2. What was read is kept; a manifest is read again when its file is another (inode, size, time of change).
3. A manifest is what the newest erasure that names its version says, wherever that lies while the erasure is under way;
   what was read while another erasure began is read again.
4. A version's files come from the nearest full listing at or before it and the manifests after that.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

from lastro.model.errors import Corrupted
from lastro.model.text import _
from lastro.store import reading
from lastro.store.erasure import journal
from lastro.store.erasure.generations import Generations, Proof
from lastro.store.manifest import Manifest, State, advance, decode, start
from lastro.store.paths import MANIFEST_NAME, Places, numbers

_Signature = tuple[int, int, int, int]
_STATES_MAX = 4
_Key = tuple[str, int]


class Log:
    """Reads manifests and states, each once."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._manifests: dict[int, tuple[_Signature, Manifest]] = {}
        self._states: OrderedDict[_Key, State] = OrderedDict()
        self.generations = Generations(places)
        self._head = -1

    def head(self) -> int | None:
        """The number of the newest version, None if there is none."""
        if self._head < 0 or not self._places.manifest(self._head).exists():
            self._head = max(numbers(self._places.manifests, MANIFEST_NAME), default=-1)
        while self._places.manifest(self._head + 1).exists():
            self._head += 1
        return None if self._head < 0 else self._head

    def manifest(self, number: int) -> Manifest:
        """A version's manifest, its digest proven. Raises `Corrupted`, also if it is missing."""
        path = self._places.manifest(number)
        while True:
            mark = self.generations.mark()
            proof = self.generations.known().proof(number) if mark != (None, None) else None
            try:
                return self._proven(number, path, proof)
            except Corrupted:
                if proof is not None and (found := self._prepared(number, proof)) is not None:
                    return found
                if self.generations.mark() == mark:
                    raise

    def _proven(self, number: int, path: Path, proof: Proof | None) -> Manifest:
        try:
            signature = _signature(os.lstat(path))
            known = self._manifests.get(number)
            found = known[1] if known is not None and known[0] == signature else None
            manifest = found or self._decode(number, reading.read(path), path)
        except OSError as error:
            raise Corrupted(
                _("the manifest of version {number} cannot be read").format(number=number),
                where=str(path),
                do=_("lastro repair {name} shows what can be mended").format(name=self._places.dataset),
            ) from error
        if not is_proven(manifest, proof, thoroughly=found is None):
            raise Corrupted(
                _("version {number} is not as the last erasure left it").format(number=number),
                where=str(path),
                do=_("lastro repair {name} shows what can be mended").format(name=self._places.dataset),
            )
        self._manifests[number] = (signature, manifest)
        return manifest

    def _prepared(self, number: int, proof: Proof) -> Manifest | None:
        """The manifest that an erasure under way has yet to put in place."""
        places = self._places
        waiting = journal.prepared(places, places.manifest(number).relative_to(places.table).as_posix())
        try:
            manifest = self._decode(number, reading.read(waiting), waiting)
        except OSError:
            return None
        return manifest if is_proven(manifest, proof, thoroughly=True) else None

    def _decode(self, number: int, content: bytes, path: Path) -> Manifest:
        return decode(content, dataset=self._places.dataset, number=number, where=str(path))

    def state(self, number: int) -> State:
        """A version with its files; every manifest since the last full listing is proven and chained."""
        while True:
            mark = self.generations.mark()
            try:
                state = self._state(number)
            except Corrupted:
                if self.generations.mark() == mark:
                    raise
            else:
                if self.generations.mark() == mark:
                    self.remember(state)
                    return state

    def _state(self, number: int) -> State:
        pending: list[Manifest] = []
        state: State | None = None
        for earlier in range(number, -1, -1):
            manifest = self.manifest(earlier)
            state = self._states.get(_key(manifest)) or start(manifest)
            if state is not None:
                break
            pending.append(manifest)
        for manifest in reversed(pending):
            state = advance(state, manifest)
        if state is None:
            raise ValueError("version numbers begin with 0")
        return state

    def states(self, newest: int) -> Iterator[State]:
        """Every version from 0 to `newest`, ascending, one at a time, all of them before or all after an erasure."""
        mark = None
        while mark is None or self.generations.mark() != mark:
            mark = self.generations.mark()
            manifests = [self.manifest(number) for number in range(newest + 1)]
        state: State | None = None
        for manifest in manifests:
            state = advance(state, manifest)
            yield state

    def remember(self, state: State) -> None:
        """Keeps a state that was just made or read."""
        key = _key(state.manifest)
        self._states[key] = state
        self._states.move_to_end(key)
        while len(self._states) > _STATES_MAX:
            self._states.popitem(last=False)


def is_proven(manifest: Manifest, proof: Proof | None, *, thoroughly: bool) -> bool:
    """True if a manifest is what the newest erasure that names it says, or none names it and it proves itself.

    Without `thoroughly` the record itself, which was proven before, is not digested again.
    """
    if proof is None:
        return manifest.generation == 0
    named = (manifest.generation, manifest.digest) == (proof.generation, proof.digest)
    return named and (not thoroughly or manifest.proof == proof.record)


def _key(manifest: Manifest) -> _Key:
    return manifest.digest, manifest.generation


def _signature(found: os.stat_result) -> _Signature:
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
