"""Different values are counted well, and add and subtract exactly, whatever the rows are."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model.distinct import HASH_BITS, KEPT_MAX, Distinct, gathered, merged, without

HASHES = st.lists(st.integers(0, (1 << HASH_BITS) - 1) | st.integers(0, 2_000), max_size=400)


def kept(hashes: list[int]) -> Distinct:
    return gathered(0, Counter(hashes))


@given(HASHES, HASHES)
def test_parts_add_up_and_what_was_added_can_be_taken_away(first: list[int], second: list[int]) -> None:
    both = kept(first + second)

    assert merged(kept(first), kept(second)) == both == merged(kept(second), kept(first))
    assert without(both, kept(second)) == kept(first).narrowed(both.level)


@given(HASHES)
def test_few_hashes_are_kept_all_below_the_levels_limit(hashes: list[int]) -> None:
    found = kept(hashes)

    assert len(found.hashes) == len(found.times) <= KEPT_MAX
    assert dict(zip(found.hashes, found.times, strict=True)) == {
        key: count for key, count in Counter(hashes).items() if key < 1 << (HASH_BITS - found.level)
    }


def test_few_values_are_counted_exactly() -> None:
    found = kept([5, 7, 7, 9]).estimate(4)

    assert found is not None
    assert (found.count, found.error) == (3, 0.0)


@pytest.mark.parametrize("shape", ["alike", "once", "heavy"])
@pytest.mark.parametrize("values", [200, 5_000, 100_000])
def test_many_values_are_told_within_the_error(values: int, shape: str) -> None:
    right = 0
    for seed in range(40):
        draw = random.Random(seed)
        hashes = [draw.randrange(1 << HASH_BITS) for _ in range(values)]
        low = [key for key in hashes if key < (1 << HASH_BITS) * 16 * KEPT_MAX // values]  # others are never kept
        # In "heavy", a single value, which is not kept, has as many rows as all others together.
        times = {"alike": 7, "once": 1, "heavy": 1}[shape]
        found = gathered(0, dict.fromkeys(low, times)).estimate(values * times + values * (shape == "heavy"))
        assert found is not None
        right += abs(found.count - values) <= found.error * values

    assert right >= 34  # of 40, at 95 %, fewer happen once in a thousand times


def test_a_column_without_repeated_values_is_told_well() -> None:
    draw = random.Random(1)
    hashes = [draw.randrange(1 << HASH_BITS) for _ in range(50_000)]

    found = kept(hashes).estimate(50_000)

    assert found is not None
    assert found.count == pytest.approx(50_000, rel=0.02)


def test_nothing_is_told_where_too_little_is_known() -> None:
    assert Distinct(10, tuple(range(5)), (1,) * 5).estimate(1_000_000) is None
    assert Distinct(HASH_BITS - 5, tuple(range(32)), (9,) * 32).estimate(1_000_000) is None


@pytest.mark.parametrize("part", [Distinct(0, (3,), (2,)), Distinct(1, (3,), (2,)), Distinct(0, (4,), (1,))])
def test_what_is_no_part_cannot_be_taken_away(part: Distinct) -> None:
    with pytest.raises(ValueError, match="part"):
        without(Distinct(0, (3,), (1,)), part)


def test_a_part_that_rows_left_before_may_stand_on_a_higher_level() -> None:
    whole, part = Distinct(0, (3, 4, 1 << 20), (1, 2, 1)), Distinct(8, (3,), (1,))

    assert without(whole, part) == Distinct(8, (4,), (2,))
