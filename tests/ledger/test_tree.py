"""The tree is RFC 6962's: its known roots and proofs, and every proof of every small tree, right and wrong."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.ledger import tree

# The inputs and roots of Certificate Transparency's own test of its tree (certificate-transparency-go, merkle tests).
INPUTS = [bytes.fromhex(each) for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")] + [
    bytes(range(0x60, 0x70))
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def parts_of(leaves: list[bytes]) -> tree.Parts:
    hashes = [tree.leaf_hash(leaf) for leaf in leaves]
    return lambda level, place: tree.joined(hashes[place << level : (place + 1) << level])


def plain_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 9162, 2.1.1, word by word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return hashlib.sha256(b"\1" + plain_root(leaves[:middle]) + plain_root(leaves[middle:])).digest()


def numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


@pytest.mark.parametrize("size", range(1, 9))
def test_known_roots(size: int) -> None:
    frontier = tree.Frontier()
    for leaf in INPUTS[:size]:
        frontier.add(tree.leaf_hash(leaf))

    assert frontier.root().hex() == ROOTS[size - 1]
    assert tree.root_of(size, parts_of(INPUTS)).hex() == ROOTS[size - 1]


@given(st.lists(st.binary(max_size=9), max_size=70))
def test_roots_are_those_of_the_definition(leaves: list[bytes]) -> None:
    frontier = tree.Frontier()
    for leaf in leaves:
        frontier.add(tree.leaf_hash(leaf))

    assert frontier.root() == plain_root(leaves) == tree.root_of(len(leaves), parts_of(leaves))


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_frontier_goes_on_where_it_was_left(first: int, more: int) -> None:
    before, whole = tree.Frontier(), tree.Frontier()
    for leaf in numbered(first + more):
        whole.add(leaf)
    for leaf in numbered(first):
        before.add(leaf)
    after = tree.Frontier(size=before.size, hashes=before.hashes)
    for leaf in numbered(first + more)[first:]:
        after.add(leaf)

    assert (after.size, after.root()) == (whole.size, whole.root())


def test_a_frontier_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="another number"):
        tree.Frontier(size=3, hashes=[tree.EMPTY])


@pytest.mark.parametrize("size", [*range(1, 20), 31, 32, 33, 64])
def test_every_leaf_is_proven_and_no_other(size: int) -> None:
    leaves = numbered(size)
    parts, root = parts_of(leaves), plain_root(leaves)
    for place in range(size):
        proof = tree.inclusion(place, size, parts)
        leaf = tree.leaf_hash(leaves[place])
        assert tree.includes(leaf, place, size, root, proof)
        assert not tree.includes(tree.leaf_hash(b"x"), place, size, root, proof)
        assert not any(tree.includes(leaf, other, size, root, proof) for other in range(size) if other != place)
        assert not tree.includes(leaf, place, size, root, [*proof, tree.EMPTY])
        assert size == 1 or not tree.includes(leaf, place, size, root, proof[:-1])
        assert not tree.includes(leaf, place, size, tree.EMPTY, proof)


@pytest.mark.parametrize("new", [*range(20), 31, 32, 33])
def test_every_growth_is_proven_and_no_other(new: int) -> None:
    leaves = numbered(new)
    parts, root = parts_of(leaves), plain_root(leaves)
    for old in range(new + 1):
        was = plain_root(leaves[:old])
        proof = tree.consistency(old, new, parts)
        assert tree.grows(old, new, was, root, proof)
        assert not tree.grows(old, new, tree.leaf_hash(b"x"), root, proof)
        assert not tree.grows(old, new, was, root, [*proof, tree.EMPTY])
        assert old == 0 or not tree.grows(old, new, was, tree.leaf_hash(b"x"), proof)
        assert old in (0, new) or not tree.grows(old, new, was, root, proof[:-1])


def test_a_tree_does_not_shrink() -> None:
    assert not tree.grows(3, 2, plain_root(numbered(3)), plain_root(numbered(2)), [])
    with pytest.raises(ValueError, match="shrink"):
        tree.consistency(3, 2, parts_of(numbered(3)))


@pytest.mark.parametrize("place", [-1, 3])
def test_a_leaf_that_is_not_there_has_no_proof(place: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        tree.inclusion(place, 3, parts_of(numbered(3)))
    assert not tree.includes(tree.EMPTY, place, 3, tree.EMPTY, [])
