"""The history of one table, read from its manifests and kept in memory.

Rules:

1. A version exists once its manifest does. Numbers order versions, never clocks.
2. What was read is kept; a manifest is read again when its file is another (inode, size, time of change).
3. A version's files come from the nearest full listing at or before it and the manifests after that.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator

from lastro.model.errors import Corrupted
from lastro.model.text import _
from lastro.store import reading
from lastro.store.manifest import Manifest, State, advance, decode, start
from lastro.store.paths import MANIFEST_NAME, Places, numbers

_Signature = tuple[int, int, int, int]
_STATES_MAX = 4


class Log:
    """Reads manifests and states, each once."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._manifests: dict[int, tuple[_Signature, Manifest]] = {}
        self._states: OrderedDict[str, State] = OrderedDict()
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
        try:
            signature = _signature(os.lstat(path))
            if (known := self._manifests.get(number)) and known[0] == signature:
                return known[1]
            content = reading.read(path)
        except OSError as error:
            raise Corrupted(
                _("the manifest of version {number} cannot be read").format(number=number),
                where=str(path),
                do=_("lastro repair {name} shows what can be mended").format(name=self._places.dataset),
            ) from error
        manifest = decode(content, dataset=self._places.dataset, number=number, where=str(path))
        self._manifests[number] = (signature, manifest)
        return manifest

    def state(self, number: int) -> State:
        """A version with its files; every manifest since the last full listing is proven and chained."""
        pending: list[Manifest] = []
        state: State | None = None
        for earlier in range(number, -1, -1):
            manifest = self.manifest(earlier)
            state = self._states.get(manifest.digest) or start(manifest)
            if state is not None:
                break
            pending.append(manifest)
        for manifest in reversed(pending):
            state = advance(state, manifest)
        if state is None:
            raise ValueError("version numbers begin with 0")
        self.remember(state)
        return state

    def states(self, newest: int) -> Iterator[State]:
        """Every version from 0 to `newest`, ascending, one at a time."""
        state: State | None = None
        for number in range(newest + 1):
            state = advance(state, self.manifest(number))
            yield state

    def remember(self, state: State) -> None:
        """Keeps a state that was just made or read."""
        self._states[state.manifest.digest] = state
        self._states.move_to_end(state.manifest.digest)
        while len(self._states) > _STATES_MAX:
            self._states.popitem(last=False)


def _signature(found: os.stat_result) -> _Signature:
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
