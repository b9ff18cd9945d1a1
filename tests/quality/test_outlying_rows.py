"""Rows unlike others: the budget holds in simulation, planted rows are found, and hardly any rows break nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lastro.quality.outliers import discovery, rows, tails
from lastro.quality.outliers.rows import RowOutliers, against, ranking
from lastro.quality.outliers.words import of_part

Table = dict[str, np.ndarray]


def table(draws: np.random.Generator, n: int) -> Table:
    """Columns that depend on one another, skewed, few-valued, and with missing numbers."""
    first = draws.normal(size=n)
    second = np.exp(first + draws.normal(size=n) / 2)
    third = draws.poisson(np.exp(first / 2)).astype(float)
    third[draws.random(n) < 0.1] = math.nan
    return {"income": first, "spent": second, "visits": third}


def planted(whole: Table, places: slice | int) -> Table:
    """The same rows, but for some in which every column is higher than in any other."""
    whole["income"][places], whole["spent"][places], whole["visits"][places] = 9.0, 987654.0, 900.0
    return whole


def outcome(good: Table, new: Table, *, budget: float = 0.1, parts: int = 1, forest: bool = False) -> RowOutliers:
    test = against(good, forest=forest)
    for part in np.array_split(np.arange(len(new["income"])), parts):
        test.take({name: values[part] for name, values in new.items()})
    return test.result(budget=budget)


def test_rows_like_the_good_ones_are_hardly_ever_called() -> None:
    draws = np.random.default_rng(0)
    trials = 300

    alarms = sum(outcome(table(draws, 400), table(draws, 300), budget=0.1).called > 0 for _trial in range(trials))

    assert alarms / trials <= 0.1 + 2 * math.sqrt(0.09 / trials)


def test_of_the_called_rows_few_are_like_the_good_ones() -> None:
    draws, shares, found = np.random.default_rng(1), [], []
    for _trial in range(60):
        new = planted(table(draws, 1000), slice(50))
        result = outcome(table(draws, 2000), new, budget=0.1)
        wrong = sum(row.is_called and row.place >= 50 for row in result.rows)
        shares.append(wrong / max(1, min(result.called, len(result.rows))))
        found.append(result.called)

    assert np.mean(shares) <= 0.1
    assert np.mean(found) >= 45


def test_why_a_row_is_unlike_is_said_without_its_value() -> None:
    draws = np.random.default_rng(2)
    new = planted(table(draws, 500), 17)

    result = outcome(table(draws, 20_000), new)

    assert [row.place for row in result.rows if row.is_called] == [17]
    assert "spent is among the highest 0.01 %" in result.rows[0].words
    assert "987654" not in repr(result)


def test_why_is_said_with_the_readers_separators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_LANG", "pt_BR")

    assert "0,25 %" in of_part("spent", 0.0025, is_high=True)


def test_parts_come_to_what_the_whole_does() -> None:
    draws = np.random.default_rng(3)
    good, new = table(draws, 1000), planted(table(draws, 500), slice(5, 30))

    assert outcome(good, new, parts=7) == outcome(good, new)


def test_a_budget_needs_a_calibration_large_enough() -> None:
    draws = np.random.default_rng(4)
    new = planted(table(draws, 1000), 0)

    small, large = (outcome(table(draws, n), new, budget=0.1) for n in (1000, 40_000))

    assert (small.called, small.least) == (0, 20)
    assert (large.called, large.least) == (1, 1)


def test_outliers_among_the_good_rows_hide_their_like() -> None:
    draws = np.random.default_rng(5)
    good, new = planted(table(draws, 4000), slice(80)), planted(table(draws, 1000), slice(20))

    assert outcome(good, new).called == 0


def test_ranking_claims_nothing() -> None:
    whole = planted(table(np.random.default_rng(6), 2000), 1234)
    test = ranking(whole, told=3)
    test.take(whole)

    result = test.result()

    assert result.rows[0].place == 1234
    assert (result.called, result.budget, len(result.rows)) == (0, None, 3)
    assert result.rows[0].p_value is None


def test_tails_are_shares_of_the_fitted_rows() -> None:
    fitted = tails.fitted({"x": np.arange(1, 100)})

    scores = fitted.scores({"x": np.array([0, 50, 1000])})

    assert scores == pytest.approx([math.log(100), -math.log(51 / 100), math.log(100)])
    assert [part.is_high for part in fitted.parts({"x": np.array([1000])}, 0)] == [True]


def test_a_missing_number_is_neither_usual_nor_unusual() -> None:
    fitted = tails.fitted({"x": np.arange(100.0), "y": np.arange(100.0)})

    scores = fitted.scores({"x": np.array([math.nan, 50.0, 99.0]), "y": np.array([math.nan] * 3)})

    assert scores[0] == 2.0
    assert scores[2] > scores[0] > scores[1]


@pytest.mark.parametrize(
    "values",
    [
        np.full(10, 3.0),
        np.full(10, math.nan),
        np.array([math.inf, -math.inf] * 5),
        np.array([2**63 - 1, -(2**63)] * 5),
        np.ma.array(np.arange(10), mask=True),
    ],
)
def test_degenerate_columns_score_finitely(values: np.ndarray) -> None:
    fitted = tails.fitted({"x": values})

    assert np.isfinite(fitted.scores({"x": values})).all()


def test_whole_numbers_that_floats_cannot_tell_apart_are_told_apart() -> None:
    base = 1 << 60
    fitted = tails.fitted({"x": base + np.arange(100)})

    assert fitted.scores({"x": np.array([base + 99])}) > fitted.scores({"x": np.array([base + 98])})


def test_of_no_rows_nothing_is_called() -> None:
    good = table(np.random.default_rng(7), 10)

    result = outcome(good, {name: values[:0] for name, values in good.items()})

    assert (result.tested, result.called, result.rows) == (0, 0, ())


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_good_rows_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match="at least two"):
        against({"x": np.arange(n)})


def test_columns_of_different_lengths_are_refused() -> None:
    test = ranking({"x": np.arange(3), "y": np.arange(3)})

    with pytest.raises(ValueError, match="equally many"):
        test.take({"x": np.arange(3), "y": np.arange(2)})


@pytest.mark.parametrize("budget", [0.0, 1.0, -1.0, math.nan])
def test_a_budget_is_a_share(budget: float) -> None:
    with pytest.raises(ValueError, match="share"):
        ranking({"x": np.arange(3)}).result(budget=budget)


def test_ranks_come_to_what_benjamini_and_hochberg_would_call() -> None:
    from scipy.stats import false_discovery_control

    draws = np.random.default_rng(8)
    for _trial in range(50):
        calibration = np.sort(draws.normal(size=200))
        scores = np.concatenate((draws.normal(size=60), draws.normal(3, 1, 20)))
        found = discovery.ranks(calibration, scores)
        p_values = (1 + found) / 201
        last = discovery.last_called(np.bincount(found, minlength=201), 0.1)

        assert ((found <= last) == (false_discovery_control(p_values) <= 0.1 + 1e-12)).all()


def test_a_forest_sees_combinations_that_no_tail_shows() -> None:
    pytest.importorskip("sklearn")
    draws = np.random.default_rng(9)

    def pair(n: int) -> Table:
        income, spent = (draws.choice([-3.0, 3.0], n) + draws.normal(size=n) / 5 for _column in range(2))
        return {"income": income, "spent": spent}

    new = pair(400)
    new["income"][:40], new["spent"][:40] = 0.0, 0.0

    result = outcome(pair(4000), new, forest=True)

    assert result.called >= 36
    assert sum(row.place < 40 for row in result.rows) >= rows.TOLD - 3
    assert result.rows[0].parts == ()


def test_a_forest_takes_missing_and_infinite_numbers() -> None:
    pytest.importorskip("sklearn")
    good = {"income": np.array([1.0, math.nan, math.inf, 2.0] * 20), "spent": np.full(80, math.nan)}

    result = outcome(good, good, forest=True)

    assert result.tested == 80


def test_without_the_library_a_forest_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from lastro.model.errors import MissingExtra

    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)

    with pytest.raises(MissingExtra, match="optional library"):
        ranking({"x": np.arange(10)}, forest=True)
