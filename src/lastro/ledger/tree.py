"""The Merkle tree of a log: roots, and proofs that a leaf is in it and that a later one only added (RFC 9162, 2.1).

Rules:

1. The hash of a leaf is SHA-256 of a zero byte and its content, that of a node SHA-256 of a one byte and both its
   children's hashes; the root of an empty tree is SHA-256 of nothing (2.1.1). These are the hashes of RFC 6962.
2. A tree of n leaves is split at the largest power of two below n. So every complete part of 2^k leaves stands at a
   multiple of 2^k, and its hash never changes: `Parts` gives it by its level k and its place.
3. Proofs are made as 2.1.3.1 and 2.1.4.1 say, and checked as 2.1.3.2 and 2.1.4.2 do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

HASH_BYTES = 32
EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""

Parts = Callable[[int, int], bytes]
"""The hash of a complete part: its level (2^level leaves) and its place among those."""


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf, 32 bytes."""
    return hashlib.sha256(b"\0" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children, 32 bytes."""
    return hashlib.sha256(b"\1" + left + right).digest()


def joined(hashes: Sequence[bytes]) -> bytes:
    """The hash over hashes of complete parts that lie side by side and are a power of two in number."""
    while len(hashes) > 1:
        pairs = iter(hashes)
        hashes = [node_hash(left, right) for left, right in zip(pairs, pairs, strict=True)]
    return hashes[0]


class Frontier:
    """A tree that only grows, as the hashes of its complete parts, the largest first: at most one per level."""

    def __init__(self, *, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count():
            raise ValueError("a tree of so many leaves has another number of complete parts")

    def add(self, leaf: bytes) -> None:
        """Adds the hash of one leaf."""
        self.size += 1
        rest = self.size
        while not rest & 1:
            leaf = node_hash(self.hashes.pop(), leaf)
            rest >>= 1
        self.hashes.append(leaf)

    def root(self) -> bytes:
        """The root over all leaves."""
        if not self.hashes:
            return EMPTY
        *rest, found = self.hashes
        for each in reversed(rest):
            found = node_hash(each, found)
        return found


def root_of(size: int, parts: Parts) -> bytes:
    """The root of a tree of so many leaves."""
    return _span(0, size, parts) if size else EMPTY


def inclusion(place: int, size: int, parts: Parts) -> tuple[bytes, ...]:
    """The proof that the leaf at `place`, from 0, is in a tree of `size` leaves. Raises `ValueError` if it is not."""
    if not 0 <= place < size:
        raise ValueError("no such leaf")
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if place < middle:
            path.append(_span(middle, end, parts))
            end = middle
        else:
            path.append(_span(begin, middle, parts))
            begin = middle
    return tuple(reversed(path))


def consistency(old: int, new: int, parts: Parts) -> tuple[bytes, ...]:
    """The proof that the tree of `new` leaves begins with that of `old`. Raises `ValueError` if it has fewer."""
    if not 0 <= old <= new:
        raise ValueError("a tree does not shrink")
    if old in (0, new):
        return ()
    path: list[bytes] = []
    begin, end, is_whole = 0, new, True
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            path.append(_span(middle, end, parts))
            end = middle
        else:
            path.append(_span(begin, middle, parts))
            begin, is_whole = middle, False
    if not is_whole:
        path.append(_span(begin, end, parts))
    return tuple(reversed(path))


def includes(leaf: bytes, place: int, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """True if the proof shows that the leaf of this hash is at `place` in the tree with this root."""
    if not 0 <= place < size:
        return False
    first, last, found = place, size - 1, leaf
    for each in proof:
        if last == 0:
            return False
        if first & 1 or first == last:
            found = node_hash(each, found)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            found = node_hash(found, each)
        first, last = first >> 1, last >> 1
    return last == 0 and found == root


def grows(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """True if the proof shows that the tree with the new root begins with that of the old one."""
    if old == 0:
        return new >= 0 and not proof and old_root == EMPTY and (new > 0 or new_root == EMPTY)
    if old == new:
        return not proof and old_root == new_root
    if not old < new:
        return False
    path = list(proof)
    if not old & (old - 1):
        path.insert(0, old_root)
    if not path:
        return False
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    was = now = path[0]
    for each in path[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            was, now = node_hash(each, was), node_hash(each, now)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            now = node_hash(now, each)
        first, last = first >> 1, last >> 1
    return last == 0 and was == old_root and now == new_root


def _split(count: int) -> int:
    """The largest power of two below a number of two or more."""
    return 1 << ((count - 1).bit_length() - 1)


def _span(begin: int, end: int, parts: Parts) -> bytes:
    """The hash over the leaves from `begin` to before `end`, as the tree is split."""
    count = end - begin
    if not count & (count - 1):
        return parts(count.bit_length() - 1, begin // count)
    middle = begin + _split(count)
    return node_hash(_span(begin, middle, parts), _span(middle, end, parts))
