"""What slices explain adds up to the change, and names the slice that is why."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.drift.profiles import binned, profile, texts

from lastro.drift import distance
from lastro.drift.slices import contributions
from lastro.model.profile import Profile, merged

SLICE = st.tuples(st.lists(st.integers(0, 30), min_size=4, max_size=4), st.integers(0, 5))
SIDE = st.lists(SLICE, min_size=3, max_size=3).filter(lambda side: any(sum(bins) + nulls for bins, nulls in side))


def sliced(side: list[tuple[list[int], int]]) -> dict[str, Profile]:
    return {name: profile(x=binned(bins, nulls=nulls)) for name, (bins, nulls) in zip("abc", side, strict=True)}


@given(SIDE, SIDE)
def test_what_slices_explain_is_the_total_variation(
    first: list[tuple[list[int], int]], second: list[tuple[list[int], int]]
) -> None:
    before, after = sliced(first), sliced(second)
    cells = []
    for side in (before, after):
        whole = merged(merged(side["a"], side["b"]), side["c"]).columns["x"]
        assert whole.numbers is not None
        cells.append([*whole.numbers.bins, whole.nulls])

    found = contributions(before, after)

    variation = distance.total_variation(*map(distance.shares, cells))
    assert math.fsum(each.explained for each in found) == pytest.approx(variation, abs=1e-12)
    assert all(each.explained == pytest.approx(each.mix + each.within) for each in found)
    assert [each.explained for each in found] == sorted((each.explained for each in found), reverse=True)
    assert variation < 1e-9 or math.fsum(each.share for each in found) == pytest.approx(1)


def test_the_slice_whose_rows_changed_is_named() -> None:
    before = {name: profile(x=binned([50, 50])) for name in ("SP", "RJ", "MG")}
    after = before | {"RJ": profile(x=binned([10, 90]))}

    first, *others = contributions(before, after)

    assert first.slice == "RJ"
    assert first.share == pytest.approx(1)
    assert first.within == pytest.approx(0.4 / 3)
    assert [each.explained for each in others] == pytest.approx([0, 0])


def test_a_slice_that_grew_and_is_different_is_mix() -> None:
    before = {"web": profile(x=binned([90, 10])), "app": profile(x=binned([10, 90]))}
    after = {"web": profile(x=binned([90, 10])), "app": profile(x=binned([30, 270]))}

    found = contributions(before, after)

    assert math.fsum(each.within for each in found) == pytest.approx(0)
    assert math.fsum(each.mix for each in found) == pytest.approx(0.2)


def test_a_slice_that_grew_and_is_like_all_explains_nothing() -> None:
    before = {"a": profile(x=binned([50, 50])), "b": profile(x=binned([50, 50]))}
    after = {"a": profile(x=binned([500, 500])), "b": profile(x=binned([50, 50]))}

    assert [each.explained for each in contributions(before, after)] == pytest.approx([0, 0])


def test_a_new_slice_is_all_mix() -> None:
    before = {"old": profile(x=binned([100, 0]))}
    after = before | {"new": profile(x=binned([0, 100]))}

    found = {each.slice: each for each in contributions(before, after)}

    assert found["new"].within == 0
    assert found["new"].reference == 0
    assert math.fsum(each.explained for each in found.values()) == pytest.approx(0.5)


def test_one_column_can_be_asked_for() -> None:
    before = {"a": profile(x=binned([50, 50]), s=texts([100, 0])), "b": profile(x=binned([50, 50]), s=texts([50, 50]))}
    after = before | {"a": profile(x=binned([50, 50]), s=texts([0, 100]))}

    assert all(each.explained == 0 for each in contributions(before, after, column="x"))
    assert contributions(before, after, column="s")[0].slice == "a"
    assert contributions(before, after)[0].slice == "a"


def test_a_side_without_rows_has_nothing_to_explain() -> None:
    assert contributions({}, {}) == ()
    assert contributions({"a": profile(x=binned([1, 2]))}, {"a": Profile(0, profile(x=binned([0, 0])).columns)}) == ()


def test_slices_of_different_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="frames"):
        contributions({"a": profile(x=binned([1, 2]))}, {"a": profile(x=binned([1, 2, 3]))})


def test_names_of_slices_are_not_printed() -> None:
    found = contributions({"a-person": profile(x=binned([1, 2]))}, {"a-person": profile(x=binned([2, 1]))})

    assert "a-person" not in repr(found)
