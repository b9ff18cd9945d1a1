"""Leakage: what counts of two sides mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from lastro.model.leakage import Guessed, Met, Sides
from lastro.quality.leakage import CERTAINTY, Leak, leakages, tells_of_target, wilson


def sides(*, equal: int = 0, near: int = 0, key: int | None = None, guessed: tuple[Guessed, ...] = ()) -> Sides:
    met = None if key is None else Met(second=key)
    return Sides(800, 200, Met(second=equal), Met(second=equal + near), met, 800, 600, guessed)


def kinds(found: Sides, *, tolerated: float = 0.0) -> list[Leak]:
    return [each.leak for each in leakages(found, tolerated=tolerated)]


def test_nothing_shared_is_no_leak() -> None:
    assert kinds(sides(key=0, guessed=(Guessed("x", 610, 600),))) == []


def test_each_thing_that_is_shared_is_told_once() -> None:
    assert kinds(sides(equal=3, near=2, key=4)) == [Leak.KEY, Leak.EQUAL, Leak.NEAR]
    assert kinds(sides(equal=3)) == [Leak.EQUAL]
    assert [each.rows for each in leakages(sides(equal=3, near=2))] == [3, 2]


def test_rows_that_chance_makes_equal_are_no_leak() -> None:
    few = Sides(800, 200, Met(second=9, by_chance=2), Met(second=9, by_chance=9))
    more = Sides(800, 200, Met(second=6, by_chance=2), Met(second=20, by_chance=9))

    assert kinds(few) == [Leak.EQUAL]
    assert kinds(more) == []


def test_what_is_tolerated_is_a_share_of_the_second_side() -> None:
    assert kinds(sides(equal=4, near=5), tolerated=0.02) == [Leak.NEAR]


def test_a_column_gives_the_target_away_only_beyond_what_the_most_frequent_one_tells() -> None:
    columns = (Guessed("answer", 800, 600), Guessed("frequent", 640, 600), Guessed("gone", 790, 780))

    found = leakages(sides(guessed=columns))

    assert [(each.leak, each.column) for each in found] == [(Leak.COLUMN, "answer"), (Leak.MISSING, "gone")]
    assert found[0].tells == 1
    assert found[0].low > 0.9


def test_few_rows_are_no_proof() -> None:
    few = Sides(8, 2, Met(), Met(), None, 8, 4, (Guessed("answer", 8, 4),))

    assert kinds(few) == []


def test_a_target_that_is_always_the_same_tells_nothing() -> None:
    assert kinds(Sides(8, 2, Met(), Met(), None, 800, 800, (Guessed("x", 800, 800),))) == []
    assert kinds(Sides(0, 0, Met(), Met())) == []


def test_how_much_is_told_runs_from_nothing_to_everything() -> None:
    assert tells_of_target(600, 800, 600)[0] == 0
    assert tells_of_target(800, 800, 600)[0] == 1


@given(st.integers(1, 10_000), st.data())
def test_the_interval_is_wilsons(rows: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, rows))

    low, high = wilson(right, rows)

    known = binomtest(right, rows).proportion_ci(CERTAINTY, "wilson")
    assert (low, high) == (pytest.approx(known.low, abs=1e-9), pytest.approx(known.high, abs=1e-9))
