"""Rows as wholes, texts and vectors: bounds hold, formulas agree with closed forms, ugly values break nothing."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import cdist

from lastro.drift.result import Verdict
from lastro.drift.settings import Budget, Chance, Settings
from lastro.drift.together import auc, letters, rows, texts, vectors
from lastro.drift.together.answer import Question
from lastro.drift.together.compare import Asked, answers
from lastro.drift.together.features import FREQUENT, LARGEST, features, matrix
from lastro.drift.together.halves import Halves
from lastro.model.schema import Field, Primitive

pytest.importorskip("sklearn")
NOTHING_MATTERS = Settings(alpha=0.5, looks=1, margin=0.0)
CHANCE = Chance(0.05, 0.05, 0.1)


def test_the_area_is_mann_and_whitneys_with_ties() -> None:
    draws = np.random.default_rng(0)
    one, two = draws.integers(0, 5, 30).astype(float), draws.integers(1, 7, 50).astype(float)

    assert auc.area(one, two) == pytest.approx(stats.mannwhitneyu(two, one).statistic / 1500)


@given(st.floats(0, 0.99))
def test_a_margin_of_rows_and_its_area_say_the_same(margin: float) -> None:
    assert auc.moved(auc.limit_of(margin)) == pytest.approx(margin, abs=1e-6)


@given(st.lists(st.integers(0, 30), min_size=2, max_size=8), st.lists(st.integers(0, 30), min_size=2, max_size=8))
def test_no_scores_have_a_larger_area_than_the_moved_share_allows(first: list[int], second: list[int]) -> None:
    size = min(len(first), len(second))
    one, two = (np.array(side[:size], float) + 0.1 for side in (first, second))
    one, two = one / one.sum(), two / two.sum()
    order = np.argsort(two / one)
    before, after = one[order], two[order]
    best = sum(after[place] * (before[:place].sum() + before[place] / 2) for place in range(size))

    assert best <= auc.limit_of(abs(one - two).sum() / 2) + 1e-9


def test_the_bound_of_two_halves_holds_though_they_hang_together() -> None:
    draws, halves, chance, worse = np.random.default_rng(5), Halves(40, 30, 0), 0.2, 0
    for _round in range(400):
        scores = np.concatenate([draws.normal(0, 1, 40), draws.normal(0.5, 1, 30)])
        value = halves.mean_area(lambda _train, scores=scores: lambda test: scores[test])
        worse += abs(value - stats.norm.cdf(0.5 / math.sqrt(2))) > auc.width(halves.smaller, chance)

    assert worse <= 0.2 * 400


def test_without_drift_alarms_stay_in_the_budget_though_no_change_is_allowed() -> None:
    fields = tuple(Field(name, Primitive.DOUBLE) for name in "xyz")
    alarms = 0
    for seed in range(12):
        draws = np.random.default_rng(seed)
        sides = tuple(pa.table({name: draws.normal(size=120) for name in "xyz"}) for _side in range(2))
        asked = Asked(fields, frozenset(), (), ())
        found = answers(asked, sides, {}, NOTHING_MATTERS, Budget(0.5, 1, 1), seed=seed)
        alarms += found[0].verdict is Verdict.DRIFTED

    assert alarms <= 0.5 * 12


def test_halves_teach_and_test_every_row_once() -> None:
    for reference, current in ((2, 2), (3, 7), (100, 41)):
        one, two = Halves(reference, current, 3).folds()

        assert sorted([*one.test, *two.test]) == list(range(reference + current))
        assert set(one.train) == set(two.test)
        assert len(one.train) - len(one.test) in range(3)


def test_frequent_texts_are_looked_up_among_the_rows_that_teach_only() -> None:
    table = pa.table({"x": ["a", "a", "b", None, "c", "c", "c"]})
    found = features(table, [Field("x", Primitive.STRING)], ())

    made = matrix(found, np.array([0, 1, 2, 3]))

    assert made.values[:3, 0].tolist() == [0, 0, 1]
    assert math.isnan(made.values[3, 0])
    assert made.values[4:, 0].tolist() == [FREQUENT] * 3


def test_infinite_and_huge_numbers_are_cut_and_withheld_values_not_looked_at() -> None:
    table = pa.table({"x": [math.inf, -math.inf, 1e300, math.nan, None], "y": ["a", "b", None, "c", "d"]})

    number, closed = features(table, [Field("x", Primitive.DOUBLE), Field("y", Primitive.STRING)], {"y"})

    assert number.values[:3].tolist() == [LARGEST, -LARGEST, LARGEST]
    assert np.isnan(number.values[3:]).all()
    assert closed.values.tolist() == [1, 1, 0, 1, 1]


@pytest.mark.parametrize(
    "values",
    [[math.inf] * 60, [math.inf, -math.inf] * 30, [math.nan] * 60, [None] * 60, [1.0] * 60, [5e-324, 1.7e308] * 30],
)
def test_ugly_numbers_are_told_apart_from_themselves_no_better_than_by_chance(values: list) -> None:
    table = pa.table({"x": pa.array(values + values, pa.float64()), "y": np.arange(120) % 60 * 1.0})
    halves = Halves(60, 60, 0)
    both = rows.taught(table, halves, [Field("x", Primitive.DOUBLE), Field("y", Primitive.DOUBLE)], ())

    area = rows.area(both, halves)

    assert area is not None
    assert area < 0.65
    assert len(rows.separators(both, halves)) >= 1


@pytest.mark.parametrize(
    ("letter", "kind"),
    [
        *(
            ("a", "latin"),
            ("Ａ", "latin"),
            ("ç", "accented"),
            ("\u0301", "accented"),
            ("ж", "cyrillic"),
            ("λ", "greek"),
        ),
        *(("ש", "hebrew"), ("م", "arabic"), ("漢", "east_asian"), ("한", "east_asian"), ("か", "east_asian")),
        *(
            ("ก", "other_script"),
            ("7", "digit"),
            ("٣", "digit"),
            ("!", "punctuation"),
            ("€", "symbol"),
            ("😀", "emoji"),
        ),
        *(("\u2764", "emoji"), ("\n", "space"), ("\u00a0", "space"), ("\x00", "control"), ("\ufffd", "damaged")),
    ],
)
def test_letters_have_kinds(letter: str, kind: str) -> None:
    assert letters.kind_of_letter(letter) == kind
    assert letters.shares([letter])[0, letters.KINDS.index(letters.Kind(kind))] == 1


@settings(max_examples=25)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=6))
def test_the_shares_of_every_text_add_to_one(some: list[str]) -> None:
    assert letters.shares(some).sum(axis=1) == pytest.approx(np.ones(len(some)))
    assert all(letters.kind_text(kind) for kind in letters.KINDS)


def test_words_are_unknown_alike_on_both_sides_if_nothing_changed() -> None:
    draws = np.random.default_rng(3)
    sides = [[f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)} o" for n in draws.zipf(1.3, 600)] for _side in range(2)]

    size, before, after, tested = texts.unknown_words(*sides, CHANCE, seed=0)

    assert 0 < before < 0.5
    assert size.low == 0
    assert abs(after - before) < size.high
    assert tested == 300


def test_the_discrepancy_is_the_unbiased_estimator() -> None:
    draws = np.random.default_rng(1)
    one, two = draws.normal(size=(30, 4)), draws.normal(0.7, 1, (20, 4))
    found = vectors.discrepancy(one, two, seed=0)

    def kernel(first, second):
        return np.exp(-cdist(first, second, "sqeuclidean") / (2 * found.bandwidth**2))

    within = [(kernel(side, side).sum() - len(side)) / (len(side) * (len(side) - 1)) for side in (one, two)]
    assert found.squared == pytest.approx(sum(within) - 2 * kernel(one, two).mean())
    assert found.p_value == 0.001


def test_the_discrepancy_is_as_often_significant_as_it_says() -> None:
    draws = np.random.default_rng(2)
    found = [vectors.discrepancy(*draws.normal(size=(2, 20, 3)), seed=seed).p_value for seed in range(40)]

    assert sum(p <= 0.1 for p in found) <= stats.binom.ppf(0.999, 40, 0.1)


def test_a_gross_outlier_hides_no_shift_of_the_vectors() -> None:
    draws = np.random.default_rng(4)
    one, two = draws.normal(size=(400, 5)), draws.normal(0.8, 1, (400, 5))
    one[0], two[0] = 1e300, -1.7e308

    moved = vectors.witnessed(np.concatenate([one, two]), Halves(400, 400, 0))

    assert moved > 0.8


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.list_(pa.float32()), pa.large_list(pa.float64())])
def test_vectors_that_are_not_usable_are_counted_by_why(kind: pa.DataType) -> None:
    held = [[1.0, 2.0], [], [1.0], None, [math.nan, 1.0], [math.inf, 1.0], [None, 1.0], [3.0, 4.0]]
    column = pa.array(held, kind)

    found = vectors.vectors(column, vectors.length_of(column) or 0)

    assert found.usable.tolist() == [[1, 2], [3, 4]]
    assert (found.total, found.broken) == (7, (1, 1, 3))


def test_equal_vectors_are_still_and_no_vectors_not_comparable() -> None:
    asked = Asked((), frozenset(), ("v",), ())
    same, none = pa.array([[1.0, 1.0]] * 9), pa.array([None, []], pa.list_(pa.float64()))

    def verdicts(first, second):
        found = answers(asked, (None, None), {"v": (first, second)}, Settings(), Budget(0.05, 1, 1), seed=0)
        return {one.question: one.verdict for one in found}

    assert verdicts(same, same)[Question.VECTORS] is Verdict.STILL
    assert set(verdicts(none, same).values()) == {Verdict.NOT_COMPARABLE}
    assert verdicts(same, none)[Question.VECTORS] is Verdict.NOT_COMPARABLE
