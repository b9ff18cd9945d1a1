"""Which idempotency keys were committed: an index beside the manifests, so that asking opens few of them.

Rules:

1. The manifests are the truth. The index holds 16 hex digits of each key's SHA-256, for versions 0 to `upto`, and the
   digest of version `upto`, which pins them; a hit is confirmed by the manifest.
2. It is written anew every 64th version, after that was acknowledged; failing at it fails nothing.
3. An index that does not prove itself, or does not belong to this history, is not used.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress

from lastro.model import digest
from lastro.store import disk, reading
from lastro.store.log import Log
from lastro.store.paths import Places

FORMAT = 1
EVERY = 64
_DIGITS = 16


class Keys:
    """The keys of one table, remembered as far as they were asked for."""

    def __init__(self, places: Places, log: Log) -> None:
        self._places = places
        self._log = log
        self._marks: list[str] = []
        self._last = ""

    def find(self, key: str) -> int | None:
        """The number of the version that was committed under a key, None if there is none. Raises `Corrupted`."""
        mark = _mark(key)
        for number, known in enumerate(self._upto(self._log.head())):
            if known == mark and self._log.manifest(number).key == key:
                return number
        return None

    def write_if_due(self, number: int) -> None:
        """Writes the index with the version whose turn it is; the lock is held."""
        if number and number % EVERY == 0:
            with suppress(OSError):  # the manifests hold the same
                disk.make_folder(self._places.temporary)
                found = _encode(self._upto(number), self._log.manifest(number).digest)
                disk.replace(disk.write_temporary(self._places.temporary, found), self._places.keys)

    def _upto(self, head: int | None) -> Sequence[str]:
        newest = -1 if head is None else head
        if self._marks and (len(self._marks) > newest + 1 or not self._is_ours(len(self._marks) - 1, self._last)):
            self._marks = []
        if not self._marks:
            marks, last = read(self._places) or ([], "")
            self._marks = marks if marks and len(marks) <= newest + 1 and self._is_ours(len(marks) - 1, last) else []
        for number in range(len(self._marks), newest + 1):
            self._marks.append(_mark(self._log.manifest(number).key))
        self._last = self._log.manifest(newest).digest if self._marks else ""
        return self._marks

    def _is_ours(self, number: int, last: str) -> bool:
        return self._log.manifest(number).digest == last


def read(places: Places) -> tuple[list[str], str] | None:
    """The marks and the digest they end at; None if there is no index, or it does not prove itself."""
    try:
        found = reading.read(places.keys)
        index = json.loads(found)["keys"]
        marks, last = [str(mark) for mark in index["marks"]], str(index["last"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return (marks, last) if _encode(marks, last) == found else None


def _encode(marks: Sequence[str], last: str) -> bytes:
    index = {"lastro": FORMAT, "marks": list(marks), "last": last}
    return digest.canonical({"digest": digest.of_value(index), "keys": index}) + b"\n"


def _mark(key: str) -> str:
    return digest.of_bytes(key.encode())[len(digest.PREFIX) :][:_DIGITS]
