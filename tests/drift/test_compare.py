"""A comparison tells each fact apart, ranks what moved, and says what would tell."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.drift.profiles import EDGES, binned, numbers, profile, rows, texts
from tests.tidy.tree import ROOT, blocks

from lastro.drift.compare import compare
from lastro.drift.result import ColumnDrift, Drift, Verdict
from lastro.drift.settings import Fact, Settings
from lastro.model.profile import ColumnProfile, Profile

EVEN = [1000] * 40


def test_what_did_not_change_is_stable_beyond_doubt() -> None:
    drift = compare(profile(x=binned(EVEN), s=texts(EVEN[:5])), profile(x=binned(EVEN), s=texts(EVEN[:5])))

    assert drift.verdict is Verdict.STABLE
    assert [c.contribution for c in drift.columns] == [0, 0]
    assert drift.worst(5) == ()


def test_a_shift_of_numbers_is_found_and_its_interval_holds_it() -> None:
    moved = [500] * 20 + [1500] * 20

    drift = compare(profile(x=binned(EVEN)), profile(x=binned(moved)))

    shift = fact(drift, "x", Fact.VALUES)
    assert drift.verdict is shift.verdict is Verdict.DRIFTED
    assert shift.size is not None
    assert shift.size.value == pytest.approx(0.25)
    assert 0.05 < shift.size.low < 0.25 < shift.size.high
    assert column(drift, "x").contribution == pytest.approx(shift.size.low - 0.05)


def test_missing_values_alone_are_reported_as_such() -> None:
    drift = compare(profile(x=binned(EVEN)), profile(x=binned([900] * 40, nulls=4000)))

    missing, values = fact(drift, "x", Fact.MISSING), fact(drift, "x", Fact.VALUES)
    assert missing.verdict is Verdict.DRIFTED
    assert (missing.before, missing.after) == (0, 0.1)
    assert values.verdict is Verdict.STABLE
    assert values.size is not None
    assert values.size.value == 0


def test_new_values_alone_are_reported_as_such() -> None:
    drift = compare(profile(s=texts([20_000] * 3)), profile(s=texts([18_000] * 3, others=6000)))

    assert fact(drift, "s", Fact.NEW).verdict is Verdict.DRIFTED
    assert fact(drift, "s", Fact.VALUES).verdict is Verdict.STABLE
    assert column(drift, "s").words == "share of values the reference does not know: changed by more than the margin"


def test_values_beyond_an_incomplete_list_are_one_more_value() -> None:
    before, after = texts([20_000] * 3, others=100, complete=False), texts([18_000] * 3, others=6100, complete=False)

    drift = compare(profile(s=before), profile(s=after))

    assert column(drift, "s").shift(Fact.NEW) is None
    assert fact(drift, "s", Fact.VALUES).verdict is Verdict.DRIFTED


def test_one_value_among_many_is_found_by_its_own_interval() -> None:
    before, after = [1000] * 200, [990] * 199 + [2990]

    drift = compare(profile(s=texts(before)), profile(s=texts(after)), settings=Settings(columns=20, margin=0.005))

    assert fact(drift, "s", Fact.VALUES).verdict is Verdict.DRIFTED


def test_values_that_vanished_are_named_if_chance_cannot_be_why() -> None:
    drift = compare(
        profile(s=texts([5000, 5000, 1], listed=["SP", "RJ", "rare"])),
        profile(s=texts([10_000, 0, 0], listed=["SP", "RJ", "rare"])),
    )

    assert column(drift, "s").vanished == ("RJ",)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_not_a_number_and_infinities_are_rates_of_their_own(bad: float) -> None:
    usual = [place / 1000 for place in range(-1900, 1900)]
    kind = Fact.NAN if math.isnan(bad) else Fact.INFINITE

    drift = compare(profile(x=numbers(usual * 3)), profile(x=numbers([*usual * 3, *[bad] * 500])))

    assert fact(drift, "x", kind).verdict is Verdict.DRIFTED
    assert fact(drift, "x", Fact.MISSING).verdict is Verdict.STABLE
    assert fact(drift, "x", Fact.VALUES).verdict is not Verdict.DRIFTED


def test_what_moved_most_comes_first_on_one_scale() -> None:
    before = profile(a=binned(EVEN), b=binned(EVEN), c=texts([40_000]), d=binned(EVEN))
    after = profile(
        a=binned([1100] * 20 + [900] * 20),
        b=binned([200] * 20 + [1800] * 20),
        c=texts([40_000]),
        d=binned([800] * 40, nulls=8000),
    )

    drift = compare(before, after)

    assert [c.name for c in drift.columns][:2] == ["b", "d"]
    assert [c.name for c in drift.worst(1)] == ["b"]
    assert all(0 <= c.contribution <= 1 for c in drift.columns)
    assert drift.words == "2 of 4 columns drifted"


def test_a_margin_of_a_column_counts_for_it_alone() -> None:
    before = profile(a=binned(EVEN), b=binned(EVEN))
    after = profile(**dict.fromkeys("ab", binned([800] * 20 + [1200] * 20)))

    drift = compare(before, after, settings=Settings(margins={"a": 0.2}))

    assert column(drift, "a").verdict is Verdict.STABLE
    assert column(drift, "b").verdict is Verdict.DRIFTED


def test_too_few_rows_say_how_many_would_tell() -> None:
    few = compare(profile(x=binned(EVEN)), profile(x=binned([5] * 40)))

    shift = fact(few, "x", Fact.VALUES)
    assert shift.verdict is Verdict.UNSURE
    assert shift.rows_needed is not None
    assert not shift.needed_of_both
    enough = binned([-(-shift.rows_needed // 40)] * 40)
    assert fact(compare(profile(x=binned(EVEN)), profile(x=enough)), "x", Fact.VALUES).verdict is Verdict.STABLE
    assert "rows in the window would tell" in shift.words


def test_a_reference_of_few_rows_says_so() -> None:
    shift = fact(compare(profile(x=binned([5] * 40)), profile(x=binned(EVEN))), "x", Fact.VALUES)

    assert shift.verdict is Verdict.UNSURE
    assert shift.needed_of_both
    assert "on either side" in shift.words


def test_a_p_value_alone_never_alarms() -> None:
    million = [25_000] * 40
    moved = [25_200] * 20 + [24_800] * 20

    drift = compare(profile(x=binned(million)), profile(x=binned(moved)))

    distances = column(drift, "x").distances
    assert distances is not None
    assert distances.psi.p_value < 0.001
    assert drift.verdict is Verdict.STABLE


def test_the_shares_of_both_sides_can_be_drawn() -> None:
    drift = compare(profile(x=binned(EVEN), s=texts([3, 1])), profile(x=binned(EVEN), s=texts([1, 1], others=2)))

    bars, values = column(drift, "x").bars, column(drift, "s").bars
    assert bars is not None
    assert bars.edges is not None
    assert len(bars.edges) + 1 == len(bars.reference) == len(bars.current) == 40
    assert values is not None
    assert values.values == ("v0", "v1")
    assert values.reference == (0.75, 0.25, 0)
    assert values.current == (0.25, 0.25, 0.5)


def test_the_result_is_json_and_shows_no_value_when_printed() -> None:
    drift = compare(
        profile(s=texts([5000, 5000], listed=["secret-one", "secret-two"])),
        profile(s=texts([10_000, 0], listed=["secret-one", "secret-two"])),
    )

    written = json.dumps(drift.to_dict(), allow_nan=False)

    assert "secret-two" in written
    assert "secret" not in repr(drift)
    assert json.loads(written)["columns"][0]["contribution"] > 0
    assert json.loads(written)["budget"] == {"alpha": 0.05, "columns": 1, "looks": 30}


def test_lengths_of_texts_are_a_fact_of_their_own() -> None:
    def text(lengths: list[int]) -> Profile:
        values, counted = texts([0], others=sum(lengths), complete=False), binned(lengths)
        frame = type(values.frame)("string", counted.frame.numbers, values.frame.values)
        return profile(t=ColumnProfile(frame, 0, counted.numbers, values.values))

    drift = compare(text([1000] * 10), text([2000] * 5 + [0] * 5))

    assert fact(drift, "t", Fact.LENGTHS).verdict is Verdict.DRIFTED
    assert fact(drift, "t", Fact.VALUES).verdict is not Verdict.DRIFTED


VALUES = st.none() | st.floats(-3, 3) | st.sampled_from([*EDGES, math.inf, -math.inf, math.nan])
COLUMNS = st.lists(VALUES, max_size=60).map(numbers)
TIMES = st.tuples(st.lists(st.integers(0, 30), min_size=3, max_size=3), st.integers(0, 5), st.integers(0, 5))


@given(COLUMNS, COLUMNS, TIMES, TIMES, st.booleans())
def test_whatever_is_counted_compares(
    first: ColumnProfile,
    second: ColumnProfile,
    one: tuple[list[int], int, int],
    two: tuple[list[int], int, int],
    complete: bool,
) -> None:
    before = texts(one[0], others=one[1], nulls=one[2], complete=complete)
    after = texts(two[0], others=two[1], nulls=two[2], complete=complete)

    for each, other in ((first, second), (before, after)):
        drift = compare(Profile(rows(each), {"c": each}), Profile(rows(other), {"c": other}))
        json.dumps(drift.to_dict(), allow_nan=False)
        for shift in drift.columns[0].shifts:
            if shift.size is not None:
                assert 0 <= shift.size.low <= shift.size.value <= shift.size.high <= 1
        assert drift.words
        assert drift.columns[0].words


@given(COLUMNS, COLUMNS)
def test_sides_can_change_places_where_both_have_the_same_rows(first: ColumnProfile, second: ColumnProfile) -> None:
    there = compare(Profile(rows(first), {"c": first}), Profile(rows(second), {"c": second}))
    back = compare(Profile(rows(second), {"c": second}), Profile(rows(first), {"c": first}))

    for one, two in zip(there.columns[0].shifts, back.columns[0].shifts, strict=True):
        assert one.fact is two.fact
        if one.size is not None and two.size is not None and "bin" not in one.words + two.words:
            assert one.size.value == pytest.approx(two.size.value, abs=1e-12)


@given(st.lists(st.integers(1, 400), min_size=3, max_size=20), st.integers(2, 50))
def test_more_rows_of_the_same_shares_are_never_less_sure(counts: list[int], times: int) -> None:
    turned = counts[::-1]

    few = fact(compare(profile(x=binned(counts)), profile(x=binned(turned))), "x", Fact.VALUES).size
    many = fact(
        compare(profile(x=binned([count * times for count in counts])), profile(x=binned([c * times for c in turned]))),
        "x",
        Fact.VALUES,
    ).size

    assert few is not None
    assert many is not None
    assert many.low >= few.low - 1e-12
    assert many.high <= few.high + 1e-12


def column(drift: Drift, name: str) -> ColumnDrift:
    return next(each for each in drift.columns if each.name == name)


def fact(drift: Drift, name: str, kind: Fact):
    found = column(drift, name).shift(kind)
    assert found is not None
    return found


def test_the_page_shows_what_happens() -> None:
    shown = [block for block in blocks(ROOT / "docs" / "explanation" / "drift.md") if block.language == "python"]

    assert shown
    for block in shown:
        exec(compile(block.text, block.at, "exec"), {})
