"""Steps: nothing is lost, whatever the pieces are."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.quality.steps import Piece, located, stepped, visible

PLACES = st.floats(-1.7e308, 1.7e308)


@st.composite
def pieces(draw: st.DrawFn) -> list[Piece]:
    """Pieces that lie one after another, some of them of no width."""
    places = sorted(draw(st.lists(PLACES, min_size=2, max_size=12)))
    sizes = draw(st.lists(st.floats(0, 1), min_size=len(places) - 1, max_size=len(places) - 1))
    return list(zip(places, places[1:], sizes, strict=False))


@given(pieces(), PLACES, PLACES, st.integers(1, 30))
def test_every_piece_lies_in_the_steps_once(found: list[Piece], one: float, two: float, steps: int) -> None:
    heights = stepped(found, min(one, two), max(one, two), steps)

    assert math.fsum(heights) == pytest.approx(math.fsum(size for _begin, _end, size in found), abs=1e-9)
    assert len(heights) == (steps if one != two else 1)
    assert all(height >= 0 for height in heights)


@given(pieces(), st.floats(0, 1))
def test_a_quantile_lies_where_something_is(found: list[Piece], share: float) -> None:
    place = located(found, share)

    if place is None:
        assert not any(size for _begin, _end, size in found)
    else:
        assert any(begin <= place <= end for begin, end, size in found if size > 0)


def test_even_pieces_are_even_steps() -> None:
    assert stepped([(0.0, 4.0, 8.0)], 0, 4, 4) == [2, 2, 2, 2]
    assert stepped([(0.0, 4.0, 8.0), (4.0, 1e9, 1.0)], 0, 4, 2) == [4, 5]
    assert located([(0.0, 4.0, 1.0), (4.0, 4.0, 1.0), (4.0, 6.0, 2.0)], 0.75) == 5


@pytest.mark.parametrize("width", [5e-324, 3e-308, 1e308])
def test_the_narrowest_and_the_widest_pieces_are_shared_out_too(width: float) -> None:
    assert stepped([(-width, 0.0, 2.0), (0.0, width, 6.0)], -width, width, 2) == [2, 6]


def test_a_picture_ends_where_nearly_all_is() -> None:
    near, far = [(float(place), place + 1.0, 1.0) for place in range(100)], [(1e9, 2e9, 1.0)]

    assert visible(near) == (0.5, 99.5)
    assert visible(near, far) == (0.5, 95 + 2 * 90)
    assert visible([*near[:99], (99.0, 1e12, 1.0)]) == (0.5, 95 + 2 * 90)
    assert visible([(5.0, 5.0, 3.0)], [(5.0, 5.0, 1.0)]) == (5.0, 5.0)
    assert visible([], [(0.0, 1.0, 0.0)]) is None
