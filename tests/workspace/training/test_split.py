"""Splits: disjoint, complete, and the same for every row for good."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.workspace.rows_of import rows_of

from lastro.model.errors import NameRefused, UnknownName, UsageError
from lastro.workspace.training.split import split
from lastro.workspace.training.xxh64 import xxh64

HALF = {"train": 0.5, "test": 0.5}


def sides(table, key, fractions, seed=0):
    """Each row's side, by the row's place."""
    numbered = table.append_column("_place", pa.array(range(table.num_rows), pa.int64()))
    parts = split(rows_of(numbered), key, fractions, seed=seed)
    found = {place: name for name, part in parts.items() for place in part.to_arrow()["_place"].to_pylist()}
    assert sum(len(part) for part in parts.values()) == table.num_rows
    return [found[place] for place in range(table.num_rows)]


def hash_of(text: bytes, seed: int) -> int:
    data, ends = np.frombuffer(text, dtype=np.uint8), np.array([0, len(text)], dtype=np.int64)
    return int(xxh64(data, ends, np.array([seed], dtype=np.uint64))[0])


@pytest.mark.parametrize(
    ("text", "seed", "expected"),
    [
        (b"", 0, 0xEF46DB3751D8E999),
        (b"a", 0, 0xD24EC4F1A98C6E5B),
        (b"abc", 0, 0x44BC2CF5AD770999),
        (b"17", 7, 0x7261C5622E6E54A8),
        (b"12345678901", 42, 0x11E41A24767F98D2),
        ("São".encode(), 1, 0x6C696C9CAC434169),
        (b"0123456789abcdef0123456789abcdef0123456789", 2**63 + 5, 0x1A9166B01A370C4D),
        (b"x" * 100, 3, 0x8918A2BDBDD245D8),
    ],
)
def test_the_hash_is_the_published_one(text, seed, expected):
    assert hash_of(text, seed) == expected


P1, P2, P3, P4, P5 = (
    *(0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9),
    *(0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5),
)
M = 2**64 - 1


def rotl(x, r):
    return ((x << r) | (x >> (64 - r))) & M


def lane(acc, word):
    return rotl((acc + word * P2) & M, 31) * P1 & M


def by_the_book(text: bytes, seed: int) -> int:
    """XXH64 one text at a time, step by step as the specification tells it."""
    left = text
    h = (seed + P5) & M
    if len(text) >= 32:
        v = [(seed + P1 + P2) & M, (seed + P2) & M, seed, (seed - P1) & M]
        while len(left) >= 32:
            v = [lane(v[i], int.from_bytes(left[8 * i : 8 * i + 8], "little")) for i in range(4)]
            left = left[32:]
        h = sum(rotl(x, r) for x, r in zip(v, (1, 7, 12, 18), strict=True)) & M
        for x in v:
            h = ((h ^ lane(0, x)) * P1 + P4) & M
    h = (h + len(text)) & M
    while len(left) >= 8:
        h, left = (rotl(h ^ lane(0, int.from_bytes(left[:8], "little")), 27) * P1 + P4) & M, left[8:]
    if len(left) >= 4:
        h, left = (rotl(h ^ (int.from_bytes(left[:4], "little") * P1 & M), 23) * P2 + P3) & M, left[4:]
    for byte in left:
        h = rotl(h ^ (byte * P5 & M), 11) * P1 & M
    h = ((h ^ (h >> 33)) * P2) & M
    h = ((h ^ (h >> 29)) * P3) & M
    return h ^ (h >> 32)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=80), min_size=1, max_size=8), st.integers(0, M))
def test_many_hashes_at_once_are_those_of_the_specification(texts, seed):
    ends = np.cumsum([0, *map(len, texts)])
    data = np.frombuffer(b"".join(texts), dtype=np.uint8)

    hashes = xxh64(data, ends, np.full(len(texts), seed, dtype=np.uint64))

    assert hashes.tolist() == [by_the_book(text, seed) for text in texts]


def test_the_sides_are_these_for_good():
    """Golden: a changed side would move rows of models already trained."""
    numbers = pa.table({"id": pa.array(range(24), pa.int64())})
    names = pa.table({"cpf": ["390.533.447-05", "111.444.777-35", "ação", "", "x" * 40, None]})
    three = {"train": 0.7, "valid": 0.2, "test": 0.1}

    assert "".join(side[1] for side in sides(numbers, ["id"], HALF)) == "rerrerrrerrrrreeereeerrr"
    assert "".join(side[1] for side in sides(numbers, ["id"], three, seed=7)) == "rerarrrrrrrrerrarrrarrrr"
    assert "".join(side[1] for side in sides(names, ["cpf"], three, seed=1)) == "reraar"


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        ([0, -17, 2**62], pa.int64(), [b"0", b"-17", b"4611686018427387904"]),
        ([17], pa.int32(), [b"17"]),
        (["São", ""], pa.string(), ["São".encode(), b""]),
        (
            ["São", "a text that is too long to be inlined"],
            pa.string_view(),
            ["São".encode(), b"a text that is too long to be inlined"],
        ),
        ([True, False], pa.bool_(), [b"true", b"false"]),
        ([date(1970, 1, 2), date(1969, 12, 31)], pa.date32(), [b"1", b"-1"]),
        ([datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)], pa.timestamp("us", "UTC"), [b"1000005"]),
        ([datetime(1970, 1, 1, 0, 0, 1)], pa.timestamp("us"), [b"1000000"]),
        ([Decimal("12.50"), Decimal("-0.00"), Decimal(100)], pa.decimal128(12, 2), [b"12.5", b"0", b"100"]),
        ([Decimal(10**19)], pa.decimal128(20, 0), [b"10000000000000000000"]),
        ([b"\x00\xff"], pa.binary(), [b"\x00\xff"]),
    ],
)
def test_a_row_is_placed_by_its_keys_canonical_text(values, kind, texts):
    table = pa.table({"key": pa.array(values, kind)})

    expected = ["train" if hash_of(text, 3) < 2**63 else "test" for text in texts]

    assert sides(table, ["key"], HALF, seed=3) == expected


def test_a_second_column_is_hashed_under_the_firsts_hash():
    table = pa.table({"a": ["x", "xy"], "b": ["yz", "z"]})

    chained = [hash_of(b.encode(), hash_of(a.encode(), 5)) for a, b in (("x", "yz"), ("xy", "z"))]

    assert sides(table, ["a", "b"], HALF, seed=5) == ["train" if each < 2**63 else "test" for each in chained]


keys = st.one_of(
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)).map(lambda v: pa.array(v, pa.int64())),
    st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]))).map(lambda v: pa.array(v, pa.string())),
)


@settings(deadline=None)
@given(keys, st.integers(0, 2**64 - 1), st.randoms(use_true_random=False))
def test_an_old_row_keeps_its_side_whatever_comes_later(old, seed, random):
    more = pa.array([old[0].as_py()] * 3 + [None] if len(old) else [None], old.type)
    later = pa.concat_arrays([old, more])
    order = list(range(len(later)))
    random.shuffle(order)
    fractions = {"train": 0.6, "valid": 0.2, "test": 0.2}

    before = sides(pa.table({"key": old}), ["key"], fractions, seed)
    after = sides(pa.table({"key": later.take(pa.array(order, pa.int64()))}), ["key"], fractions, seed)

    assert [after[order.index(place)] for place in range(len(old))] == before


def test_rows_without_a_key_are_on_the_first_side():
    table = pa.table({"a": pa.array([None, 1, None], pa.int64()), "b": ["x", None, None]})

    assert sides(table, ["a", "b"], {"left": 0.01, "right": 0.99}) == ["left"] * 3


def test_the_fractions_are_kept_on_many_rows():
    count = 100_000
    table = pa.table({"id": pa.array([f"customer-{n}" for n in range(count)])})
    fractions = {"train": 0.7, "valid": 0.1, "test": 0.2}

    parts = split(rows_of(table, batch_rows=30_000), ["id"], fractions, seed=11)

    for name, part in parts.items():  # 5 standard deviations of a binomial
        assert abs(len(part) - count * fractions[name]) < 5 * (count * fractions[name] * (1 - fractions[name])) ** 0.5


def test_equal_keys_stay_together():
    table = pa.table({"customer": ["a", "b", "c", "d"] * 25})

    assert all(len(set(sides(table, ["customer"], HALF, seed=9)[k::4])) == 1 for k in range(4))


def test_another_seed_is_another_split():
    table = pa.table({"id": pa.array(range(200), pa.int64())})

    agreement = Counter(
        a == b for a, b in zip(sides(table, ["id"], HALF, 1), sides(table, ["id"], HALF, 2), strict=True)
    )

    assert 60 < agreement[True] < 140


def test_a_part_is_rows_like_any_other():
    table = pa.table({"id": pa.array(range(20), pa.int64()), "income": pa.array(np.arange(20.0))})
    part = split(rows_of(table), ["id"], HALF, seed=0)["train"]

    assert part.columns == ("id", "income")
    assert part.to_numpy("income")[:, 0].tolist() == [float(n) for n in part.to_arrow("id")["id"].to_pylist()]
    assert pa.table(part).num_rows == len(part) == len(part.to_polars()) == len(part.to_pandas())
    assert sum(len(batch["income"]) for batch in part.batches(3)) == len(part)


@pytest.mark.parametrize(
    "fractions",
    [
        {},
        {"train": 0.8},
        {"train": 0.8, "test": 0.3},
        {"train": 1.5, "test": -0.5},
        {"a": float("nan"), "b": 0.5},
        {"a": 1, "b": 0},
    ],
)
def test_fractions_must_be_shares_of_one(fractions):
    with pytest.raises(UsageError):
        split(rows_of(pa.table({"id": [1]})), ["id"], fractions, seed=0)


def test_thirds_are_one():
    parts = split(rows_of(pa.table({"id": [1, 2, 3]})), ["id"], {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, seed=0)

    assert sum(len(part) for part in parts.values()) == 3


def test_one_side_may_be_everything():
    assert sides(pa.table({"id": [1, 2]}), ["id"], {"all": 1}) == ["all", "all"]


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_beyond_64_bits_is_refused(seed):
    with pytest.raises(UsageError, match="seed"):
        split(rows_of(pa.table({"id": [1]})), ["id"], HALF, seed=seed)


def test_what_is_no_key_is_refused():
    rows = rows_of(pa.table({"income": [1.5], "tags": pa.array([[1]], pa.list_(pa.int64())), "id": [1]}))

    for name in ("income", "tags"):
        with pytest.raises(UsageError, match=f"{name} is .*: no key"):
            split(rows, [name], HALF, seed=0)
    with pytest.raises(UnknownName, match="no column customer"):
        split(rows, ["customer"], HALF, seed=0)
    with pytest.raises(UsageError, match="needs a key"):
        split(rows, [], HALF, seed=0)
    with pytest.raises(NameRefused):
        split(rows, ["id"], {"../train": 1.0}, seed=0)
