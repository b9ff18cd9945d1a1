"""Versions whose files were collected: one small file, replaced as a whole before the first file is removed."""

from __future__ import annotations

import json
from collections.abc import Iterable

from lastro.model import digest
from lastro.model.errors import Corrupted
from lastro.model.text import _
from lastro.store import disk, reading
from lastro.store.paths import Places

FORMAT = 1


def encode(numbers: Iterable[int]) -> bytes:
    """The file's content."""
    record = {"lastro": FORMAT, "expired": sorted(numbers)}
    return digest.canonical({"digest": digest.of_value(record), "expiry": record}) + b"\n"


def read(places: Places) -> frozenset[int]:
    """The numbers of the expired versions. Raises `Corrupted`."""
    if not places.expired.exists():
        return frozenset()
    found = reading.read(places.expired)
    try:
        numbers = frozenset(int(number) for number in json.loads(found)["expiry"]["expired"])
        whole = encode(numbers) == found
    except (ValueError, LookupError, TypeError):
        whole, numbers = False, frozenset()
    if not whole:
        raise Corrupted(
            _("the list of expired versions is damaged"),
            where=str(places.expired),
            do=_("lastro repair {name} shows what can be mended").format(name=places.dataset),
        )
    return numbers


def write(places: Places, numbers: Iterable[int]) -> None:
    """Replaces the list, durably. Raises `OSError`."""
    disk.make_folder(places.temporary)
    disk.replace(disk.write_temporary(places.temporary, encode(numbers)), places.expired)
