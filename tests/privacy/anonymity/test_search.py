"""The best node is the best of all nodes, and recoding never makes it worse or less anonymous."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.privacy.anonymity.oracle import Oracle

from lastro.privacy.anonymity.criteria import Criteria, held
from lastro.privacy.anonymity.hierarchy import Step, hierarchy
from lastro.privacy.anonymity.lattice import search
from lastro.privacy.anonymity.recoding import recoded
from lastro.privacy.anonymity.risk import risk
from lastro.privacy.anonymity.tuples import tuples_of

LEAVES = 6


@st.composite
def trees(draw):
    """A column's hierarchy: some levels over at most six leaves."""
    labels = list(range(LEAVES))
    steps = [Step("0", [str(label) for label in labels])]
    for number in range(draw(st.integers(0, 2))):
        into = draw(st.lists(st.integers(0, 3), min_size=LEAVES, max_size=LEAVES))
        labels = [into[label] for label in labels]
        steps.append(Step(str(number + 1), [f"{number}-{label}" for label in labels]))
    return hierarchy("drawn", steps)


@st.composite
def problems(draw):
    columns = draw(st.integers(1, 3))
    leaf = st.integers(0, LEAVES - 1)
    rows = draw(st.lists(st.tuples(*[leaf] * columns), min_size=1, max_size=40))
    values = draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    whose = draw(st.lists(st.integers(0, 30), min_size=len(rows), max_size=len(rows)))
    made = [draw(trees()) for _column in range(columns)]
    asked = Criteria(
        draw(st.integers(1, 5)),
        draw(st.sampled_from([None, 1, 2, 3])),
        draw(st.sampled_from([None, 0.1, 0.3, 0.6])),
        draw(st.booleans()),
    )
    return rows, values, whose if draw(st.booleans()) else None, made, asked, draw(st.booleans())


def posed(problem):
    rows, values, whose, made, asked, ordered = problem
    codes = [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)]
    _known, ranks = np.unique(values, return_inverse=True)
    subjects = None if whose is None else np.unique(whose, return_inverse=True)[1]
    tuples, of_row = tuples_of(codes, sensitive=[("s", ranks, ordered)], subjects=subjects)
    oracle = Oracle(
        rows,
        [[level.groups.tolist() for level in each.levels] for each in made],
        [[level.losses[level.groups].tolist() for level in each.levels] for each in made],
        asked.k,
        asked.l,
        asked.t,
        asked.entropy,
        ranks.tolist(),
        ordered,
        [] if subjects is None else subjects.tolist(),
    )
    return tuples, of_row, oracle


@given(problems(), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_the_best_node_is_that_of_an_exhaustive_search(problem, share):
    tuples, _of_row, oracle = posed(problem)
    limit = int(share * len(problem[0]))

    found = search(tuples, problem[3], problem[4], limit=limit)

    best = oracle.best(limit)
    assert (found is None) == (best is None)
    if found is not None:
        assert found.loss == pytest.approx(best)
        assert oracle.loss(found.node) == (pytest.approx(found.loss), found.suppressed)


@given(problems(), st.sampled_from([0.0, 0.2, 1.0]))
def test_recoding_never_worsens_and_keeps_what_is_asked(problem, share):
    tuples, of_row, oracle = posed(problem)
    made = problem[3]
    found = search(tuples, made, problem[4], limit=int(share * len(problem[0])))
    if found is None:
        return

    after = recoded(tuples, made, problem[4], found)

    assert after.loss <= found.loss + 1e-9
    assert after.suppressed <= found.suppressed
    shown = [
        tuple(
            each.levels[level].labels[each.levels[level].groups[leaf]]
            for each, level, leaf in zip(made, after.levels[of_row[place]], row, strict=True)
        )
        for place, row in enumerate(problem[0])
    ]
    kept = after.classes[of_row] >= 0
    for members in oracle.classes(lambda place: shown[place] if kept[place] else ("out", place)).values():
        assert not kept[members[0]] or oracle.holds(members)
    same = {row: {shown[other] for other in range(len(shown)) if problem[0][other] == row} for row in problem[0]}
    assert all(len(each) == 1 for each in same.values())


@given(problems())
def test_what_is_measured_is_what_is_counted(problem):
    tuples, _of_row, oracle = posed(problem)
    made = problem[3]
    node = tuple(each.top for each in made)
    classes = np.zeros(len(tuples.counts), dtype=np.int64)

    found = risk(tuples, classes)

    (members,) = oracle.at(node).values()
    assert found.rows == len(problem[0])
    assert found.k == (len(set(oracle.subjects)) if oracle.subjects else len(members))
    assert found.l == len(set(oracle.sensitive))
    assert found.t == pytest.approx(0, abs=1e-9)


def test_the_tallest_lattice_is_refused():
    tuples, _of_row = tuples_of([np.zeros(1, dtype=np.int64)] * 30)
    tall = hierarchy("x", [Step("0", ["a", "b"])])

    with pytest.raises(ValueError, match="nodes"):
        search(tuples, [tall] * 30, Criteria(1), limit=0)


def test_a_search_that_ends_early_says_so(monkeypatch):
    drawn = np.random.default_rng(3)
    codes = [drawn.integers(0, 50, 500) for _column in range(5)]
    tens = hierarchy("tens", [Step("0", [str(n) for n in range(50)]), Step("1", [f"{n // 10}x" for n in range(50)])])
    tuples, _of_row = tuples_of(codes)

    whole = search(tuples, [tens] * 5, Criteria(3), limit=50)
    monkeypatch.setattr("lastro.privacy.anonymity.lattice.CHECKED_MAX", 0)
    early = search(tuples, [tens] * 5, Criteria(3), limit=50)

    assert whole is not None
    assert early is not None
    assert (whole.proven, early.proven) == (True, False)
    assert whole.loss <= early.loss


def test_a_known_optimum_of_many_rows():
    """Two columns of 100 values, 10 rows in each pair of decades: decades are the best, with nothing left out."""
    rows = [(10 * a + n, 10 * b + n) for a in range(10) for b in range(10) for n in range(10)]
    codes = [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)]
    tens = hierarchy("tens", [Step("0", [str(n) for n in range(100)]), Step("1", [f"{n // 10}x" for n in range(100)])])
    tuples, _of_row = tuples_of(codes)

    found = search(tuples, [tens, tens], Criteria(10), limit=0)

    assert found is not None
    assert found.node == (1, 1)
    assert found.loss == pytest.approx(0.1)
    assert held(Criteria(10), tuples, found.classes, 100).all()
