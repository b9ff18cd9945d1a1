"""Whatever cannot be compared says so in words; nothing raises, nothing passes silently."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from tests.drift.profiles import binned, numbers, profile, rows, texts

from lastro.drift.compare import compare
from lastro.drift.result import ColumnDrift, Estimate, Verdict
from lastro.drift.settings import Fact, Settings
from lastro.model.profile import ColumnFrame, ColumnProfile, NumberCounts, Profile

USUAL = [place / 1000 for place in range(-1900, 1900)]


def only(first: ColumnProfile, second: ColumnProfile, **settings: object) -> ColumnDrift:
    """The one column of a comparison."""
    before, after = Profile(rows(first), {"c": first}), Profile(rows(second), {"c": second})
    return compare(before, after, settings=Settings(**settings)).columns[0]  # type: ignore[arg-type]


def verdict(column: ColumnDrift, fact: Fact) -> Verdict | None:
    shift = column.shift(fact)
    return shift.verdict if shift else None


def test_no_rows_in_the_window() -> None:
    drift = compare(profile(x=numbers(USUAL)), profile(x=numbers([])))

    assert drift.verdict is Verdict.NOT_COMPARABLE
    assert drift.words == "the window has no rows"
    assert drift.columns[0].words == "the window has no rows"


def test_no_rows_in_the_reference() -> None:
    drift = compare(profile(x=numbers([])), profile(x=numbers(USUAL)))

    assert drift.verdict is Verdict.NOT_COMPARABLE
    assert drift.words == "the reference has no rows"


def test_no_columns() -> None:
    drift = compare(Profile(5), Profile(5))

    assert drift.verdict is Verdict.NOT_COMPARABLE
    assert drift.words == "there is no column to compare"


def test_columns_of_one_side_only() -> None:
    drift = compare(profile(a=numbers(USUAL), b=numbers(USUAL)), profile(b=numbers(USUAL), c=numbers(USUAL)))

    told = {column.name: column.words for column in drift.columns}
    assert told["a"] == "the window has no such column"
    assert told["c"] == "the reference has no such column"
    assert drift.verdict is Verdict.NOT_COMPARABLE
    assert drift.words == "no column drifted, 2 of 3 cannot be compared"
    assert {column.name for column in drift.worst(2)} == {"a", "c"}


def test_another_type() -> None:
    column = only(numbers(USUAL, kind="long"), numbers(USUAL, kind="double"))

    assert column.verdict is Verdict.NOT_COMPARABLE
    assert column.words == "its type changed from long to double"


def test_another_frame() -> None:
    column = only(numbers(USUAL), numbers(USUAL, edges=(0.0, 1.0)))

    assert column.verdict is Verdict.NOT_COMPARABLE
    assert column.words == "both sides were counted under different frames"


def test_a_withheld_column_is_compared_by_what_is_missing() -> None:
    withheld = ColumnProfile(ColumnFrame("string"), 10, withheld=True)

    drift = compare(Profile(10_000, {"c": withheld}), Profile(10_000, {"c": replace(withheld, nulls=5000)}))

    assert drift.verdict is Verdict.DRIFTED
    assert drift.columns[0].words.endswith("its values are withheld, so only the missing were counted")


def test_a_column_withheld_since_is_compared_by_what_is_missing() -> None:
    before, after = texts([5000, 5000]), ColumnProfile(ColumnFrame("string"), 0, withheld=True)

    column = compare(Profile(10_000, {"c": before}), Profile(10_000, {"c": after})).columns[0]

    assert [shift.fact for shift in column.shifts] == [Fact.MISSING]
    assert column.verdict is Verdict.STABLE


def test_a_type_without_counts_says_that_only_the_missing_are_counted() -> None:
    binary = ColumnProfile(ColumnFrame("binary"), 0)

    column = compare(Profile(10_000, {"c": binary}), Profile(10_000, {"c": binary})).columns[0]

    assert column.verdict is Verdict.STABLE
    assert column.words.endswith("of its values only the missing are counted")


def test_everything_missing_on_one_side_leaves_what_is_missing() -> None:
    column = only(numbers(USUAL), numbers([None] * 3800))

    assert verdict(column, Fact.MISSING) is Verdict.DRIFTED
    assert verdict(column, Fact.VALUES) is Verdict.NOT_COMPARABLE
    assert column.verdict is Verdict.DRIFTED


@pytest.mark.parametrize("make", [lambda: numbers([None] * 3800), lambda: texts([0, 0], nulls=3800)])
def test_everything_missing_on_both_sides(make) -> None:
    column = only(make(), make())

    assert verdict(column, Fact.VALUES) is Verdict.STILL
    assert column.verdict is Verdict.STABLE


def test_nothing_but_nan() -> None:
    column = only(numbers(USUAL), numbers([math.nan] * 3800))

    assert verdict(column, Fact.NAN) is Verdict.DRIFTED
    assert verdict(column, Fact.VALUES) is Verdict.NOT_COMPARABLE


def test_nothing_but_infinities() -> None:
    column = only(numbers(USUAL), numbers([math.inf] * 3800))

    assert verdict(column, Fact.INFINITE) is Verdict.DRIFTED
    assert verdict(column, Fact.VALUES) is Verdict.DRIFTED


@pytest.mark.parametrize("count", [1, 2])
def test_one_row_tells_nothing_and_says_how_many_would(count: int) -> None:
    column = only(numbers(USUAL * 10), numbers([0.5] * count))

    shift = column.shift(Fact.VALUES)
    assert shift is not None
    assert shift.verdict is Verdict.UNSURE
    assert shift.size is not None
    assert shift.size.high == 1
    assert column.verdict is Verdict.UNSURE


def test_the_same_constant_is_still_however_few_the_rows() -> None:
    assert (
        verdict(
            only(
                numbers([7.0] * 500),
                numbers([7.0] * 3),
            ),
            Fact.VALUES,
        )
        is Verdict.STILL
    )
    assert verdict(only(texts([500, 0]), texts([2, 0])), Fact.VALUES) is Verdict.STILL


def test_a_constant_that_changed_inside_its_bin_is_found() -> None:
    column = only(numbers([5.0] * 5000, edges=(5.0,)), numbers([3.0] * 5000, edges=(5.0,)))

    assert verdict(column, Fact.VALUES) is Verdict.DRIFTED


@pytest.mark.parametrize(("edges", "sure"), [((5.0,), False), ((4.0, 5.0), True)])
def test_a_constant_that_varies_is_stable_only_if_its_bin_is_its_own(edges: tuple[float, ...], sure: bool) -> None:
    before, after = [5.0] * 50_000, [5.0] * 49_990 + [3.0] * 10

    column = only(numbers(before, edges=edges, kind="long"), numbers(after, edges=edges, kind="long"))

    assert verdict(column, Fact.VALUES) is (Verdict.STABLE if sure else Verdict.UNSURE)
    assert sure or "values moved inside of one bin" in column.words


@pytest.mark.parametrize(
    ("constant", "least"), [("2026-01-31", "2026-01-30"), ("2026-01-31T10:00:00", "2026-01-31T09:00:00+00:00")]
)
def test_constant_days_and_moments_are_read_as_they_are_written(constant: str, least: str) -> None:
    column = binned([50_000, 0], edges=(1e12,))
    assert column.numbers is not None
    before = replace(column, numbers=replace(column.numbers, minimum=constant, maximum=constant))
    after = replace(column, numbers=replace(column.numbers, minimum=least, maximum=constant))

    assert verdict(only(before, after), Fact.VALUES) is Verdict.UNSURE
    assert verdict(only(before, before), Fact.VALUES) is Verdict.STILL


def test_a_frame_without_edges_does_not_compare() -> None:
    column = only(numbers([1.0, 2.0] * 50_000, edges=()), numbers([1.0, 2.0] * 50_000, edges=()))

    assert verdict(column, Fact.VALUES) is Verdict.NOT_COMPARABLE
    assert column.words == "distribution of values: cannot be compared: its frame has no edges"
    assert column.distances is not None
    assert column.distances.wasserstein is None


@pytest.mark.parametrize(
    ("after", "found"), [([5.0], Verdict.STILL), ([6.0], Verdict.DRIFTED), ([5.0, 6.0], Verdict.UNSURE)]
)
def test_a_constant_without_edges_compares_by_its_extremes(after: list[float], found: Verdict) -> None:
    column = only(numbers([5.0] * 50_000, edges=()), numbers(after * 25_000, edges=()))

    assert verdict(column, Fact.VALUES) is found


def test_a_list_that_lists_nothing_leaves_what_is_missing() -> None:
    unlisted = texts([], others=50_000, complete=False)

    column = only(unlisted, unlisted)

    assert [shift.fact for shift in column.shifts] == [Fact.MISSING]
    assert column.words.endswith("of its values only the missing are counted")


def test_counts_without_extremes_compare() -> None:
    bare = ColumnProfile(ColumnFrame("double", numbers(USUAL).frame.numbers), 3800, None)

    column = compare(Profile(3800, {"c": bare}), Profile(3800, {"c": replace(bare, numbers=None)})).columns[0]

    assert verdict(column, Fact.VALUES) is Verdict.STILL
    assert NumberCounts((0,)).counted == 0


def test_a_value_list_of_nothing_knows_only_new_values() -> None:
    drift = compare(profile(s=texts([], nulls=5000)), profile(s=texts([], others=5000)))

    column = drift.columns[0]
    assert verdict(column, Fact.MISSING) is Verdict.DRIFTED
    assert verdict(column, Fact.NEW) is Verdict.NOT_COMPARABLE


@pytest.mark.parametrize("edges", [(0.0, 1.4e154), (-1.7e308, 1.7e308), (0.0, 1e-320, 1e100)])
def test_numbers_too_far_apart_for_their_squares_have_no_distances_of_numbers(edges: tuple[float, ...]) -> None:
    before = numbers([*[edges[0]] * 50, *[edges[1]] * 50], edges=edges)
    after = numbers([*[edges[0]] * 50, *[edges[-1]] * 50], edges=edges)

    column = only(before, after)

    assert column.distances is not None
    assert (column.distances.wasserstein, column.distances.mean_shift) == (None, None)


FLAGS = [0.0, 1.0] * 2000


def flags(values: list[float], *, kind: str = "double", edges: tuple[float, ...] = (0.0, 1.0)) -> ColumnProfile:
    """A column whose frame was made of two numbers, with its sums."""
    made = numbers(values, edges=edges, kind=kind)
    assert made.numbers and made.frame.numbers
    frame = replace(made.frame, numbers=replace(made.frame.numbers, single=True))
    return replace(made, frame=frame, numbers=replace(made.numbers, total=sum(values)))


@pytest.mark.parametrize(
    "moved",
    [[0.0, 0.5] * 2000, [-3.0, 1.0] * 2000, [0.25, 0.75] * 2000, [0.0, 1.0, 1.0, 0.1] * 1000],
    ids=["one between", "one below", "both", "a few"],
)
def test_flags_that_became_shares_drifted(moved: list[float]) -> None:
    column = only(flags(FLAGS), flags(moved))
    shift = column.shift(Fact.VALUES)

    assert shift is not None and shift.size is not None
    assert shift.verdict is Verdict.DRIFTED
    assert shift.size.low <= ks_2samp(FLAGS, moved).statistic <= shift.size.high


def test_flags_that_stayed_are_stable_and_one_stray_number_changes_nothing() -> None:
    assert only(flags(FLAGS * 5), flags(FLAGS * 5)).verdict is Verdict.STABLE
    assert only(flags(FLAGS * 5), flags([*FLAGS * 5, 0.5])).verdict is Verdict.STABLE


def test_whole_numbers_between_those_of_the_reference() -> None:
    terms = flags([6.0, 12.0] * 5000, kind="long", edges=(6.0, 12.0))
    stray = flags([6.0, 12.0] * 5000 + [9.0] * 20, kind="long", edges=(6.0, 12.0))
    moved = flags([6.0, 9.0] * 5000, kind="long", edges=(6.0, 12.0))

    assert only(terms, stray).verdict is Verdict.STABLE
    assert only(terms, moved).verdict is Verdict.DRIFTED


def test_a_reference_with_numbers_between_edges_is_not_called_stable() -> None:
    shares = flags([0.0, 0.5] * 2000)

    assert verdict(only(shares, shares), Fact.VALUES) is Verdict.UNSURE


@given(
    st.lists(st.integers(-300, 200).map(lambda value: value / 100), min_size=1, max_size=12),
    st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_the_counted_change_lies_within_its_bounds(now: list[float], before: list[float]) -> None:
    counted = [flags(values * 300, edges=(0.0, 1.0, 2.0)) for values in (before, now)]
    shift = only(*counted).shift(Fact.VALUES)

    assert shift is not None
    size = shift.size or Estimate(0.0, 0.0, 0.0)  # nothing changed
    assert size.low <= ks_2samp(before * 300, now * 300).statistic <= size.high + 1e-9


@pytest.mark.parametrize("values", [[-1.7e308, 1.7e308], [-1.7e308, 0.0, 1.7e308], [1e-320, 1.7e308]])
def test_numbers_whose_distances_are_beyond_a_double(values: list[float]) -> None:
    column = flags(values * 10_000, edges=tuple(values))

    assert only(column, column).verdict is Verdict.STABLE
    assert only(column, flags(values[:1] * 20_000, edges=tuple(values))).verdict is Verdict.DRIFTED
