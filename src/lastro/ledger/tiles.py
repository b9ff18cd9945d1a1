"""Tiles: the hashes of the tree, 256 side by side, so that a proof of any leaf reads a few rows.

Rules:

1. The tile of level t at a place holds the hashes of 256 complete parts of 256^t leaves each, as the C2SP specification
   `tlog-tiles` has it. Leaves' hashes (level 0) are kept once 256 are there, and made of the events before; a tile of
   a higher level is kept from its first hash on.
2. A tile is only ever added to.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

from lastro.ledger import tree
from lastro.model.errors import Corrupted
from lastro.model.text import _

WIDTH = 256
_WIDTH_LEVELS = 8
Find = Callable[[int, int], bytes]
"""The hashes of a tile by its level and place, one after another; nothing where there is none."""


class Tiles:
    """The tree of the events in a file, within one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._held: dict[tuple[int, int], bytes] = {}

    def part(self, level: int, place: int) -> bytes:
        """The hash of a complete part (`tree.Parts`). Raises `Corrupted` if the file lacks what it is made of."""
        tile_level, inner = divmod(level, _WIDTH_LEVELS)
        count = 1 << inner
        tile, first = divmod(place * count, WIDTH)
        hashes = self._tile(tile_level, tile)[first * tree.HASH_BYTES : (first + count) * tree.HASH_BYTES]
        if len(hashes) != count * tree.HASH_BYTES:
            raise Corrupted(_("the ledger lacks hashes"), do=_("see what was changed: lastro ledger verify"))
        return tree.joined(list(split(hashes)))

    def frontier(self, size: int) -> tree.Frontier:
        """The tree of the first `size` events, to be added to. Raises `Corrupted`."""
        hashes, begin = [], 0
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                hashes.append(self.part(level, begin >> level))
                begin += 1 << level
        return tree.Frontier(size=size, hashes=hashes)

    def add(self, begin: int, leaves: list[bytes]) -> None:
        """Keeps the hashes of leaves from `begin` on."""
        level, hashes = 0, leaves
        while hashes:
            tile, first = divmod(begin, WIDTH)
            before = self._tile(level, tile)[: first * tree.HASH_BYTES]
            rows = list(_rows(level, tile, before + b"".join(hashes)))
            self._connection.executemany("INSERT OR REPLACE INTO tile VALUES (?, ?, ?)", rows)
            self._held.clear()
            begin, level = tile, level + 1
            hashes = [tree.joined(list(split(row[2]))) for row in rows if _is_full(row[2])]

    def _tile(self, level: int, place: int) -> bytes:
        key = (level, place)
        if key not in self._held:
            self._held[key] = self._kept(level, place)
        return self._held[key]

    def _kept(self, level: int, place: int) -> bytes:
        find = self._connection.execute
        found = find("SELECT hashes FROM tile WHERE level = ? AND place = ?", (level, place)).fetchone()
        if found is not None or level > 0:
            return found[0] if found and isinstance(found[0], bytes) else b""
        events = find(
            "SELECT content FROM event WHERE number BETWEEN ? AND ? ORDER BY number",
            (place * WIDTH, (place + 1) * WIDTH - 1),
        )
        return b"".join(tree.leaf_hash(content.encode()) for (content,) in events)


def split(hashes: bytes) -> Iterator[bytes]:
    """The hashes that a tile holds."""
    return (hashes[at : at + tree.HASH_BYTES] for at in range(0, len(hashes), tree.HASH_BYTES))


def _is_full(hashes: bytes) -> bool:
    return len(hashes) == WIDTH * tree.HASH_BYTES


def _rows(level: int, place: int, hashes: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The tiles to keep, from a place on: of leaves, only full ones (rule 1)."""
    size = WIDTH * tree.HASH_BYTES
    for at in range(0, len(hashes), size):
        tile = hashes[at : at + size]
        if level > 0 or _is_full(tile):
            yield level, place + at // size, tile
