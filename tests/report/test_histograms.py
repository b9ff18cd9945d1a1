"""Figures of both sides: robust to outliers, whole where numbers are whole, and nothing is lost."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.drift.result import Bars, ColumnDrift, Verdict
from lastro.report.blocks import Figure
from lastro.report.histograms import STEPS, compared

HUNDRED = tuple(float(place) for place in range(100))


def column(bars: Bars | None, kind: str = "double") -> ColumnDrift:
    return ColumnDrift("x", kind, Verdict.DRIFTED, "words", bars=bars)


def drawn(bars: Bars, kind: str = "double") -> Figure:
    figure = compared(column(bars, kind), "caption", "says")
    assert figure is not None
    return figure


def even(count: int) -> tuple[float, ...]:
    return (1 / count,) * count


def test_an_outlier_does_not_squeeze_the_picture() -> None:
    tail = (*HUNDRED, 1e12)
    few = (*(0.999 / 101,) * 101, 0.001)

    figure = drawn(Bars(few, (*(0.97 / 101,) * 101, 0.03), edges=tail))

    assert figure.ends == ("0", "277")
    assert figure.series[1].shares[-1] == pytest.approx(0.03 + 0.97 / 101, rel=0.01)
    assert len(figure.series[0].shares) == STEPS


def test_the_picture_stays_near_the_reference() -> None:
    edges = (*HUNDRED, 1e9)
    before = (*even(100), 0.0, 0.0)
    after = (*(0.0,) * 100, 1.0, 0.0)

    figure = drawn(Bars(before, after, edges=edges))

    assert float(figure.ends[1].replace(",", "")) <= 300
    assert figure.series[1].shares[-1] == pytest.approx(1)


def test_whole_numbers_have_as_many_in_each_step() -> None:
    figure = drawn(Bars(even(11), even(11), edges=HUNDRED[:10]), "integer")

    assert figure.ends == ("0", "10")
    assert figure.series[0].shares == pytest.approx(even(11))


def test_days_are_written_as_days() -> None:
    figure = drawn(Bars(even(101), even(101), edges=HUNDRED), "date")

    assert figure.ends == ("1970-01-01", "1970-04-11")


def test_few_numbers_have_a_bar_each() -> None:
    figure = drawn(Bars((0.5, 0.5, 0.0), (0.25, 0.5, 0.25), edges=(1.0, 3.0), single=True), "long")

    assert figure.labels == ("1", "3", "> 3")


def test_values_of_least_weight_are_told_together() -> None:
    shares = tuple(place / 1275 for place in range(50, 0, -1))
    values = tuple(f"v{place}" for place in range(50))

    figure = drawn(Bars((*shares, 0.0), (*shares[:-1], 0.0, shares[-1]), values=values))

    assert figure.labels == (*values[:10], "all others")
    assert [math.fsum(series.shares) for series in figure.series] == pytest.approx([1, 1])


def test_nothing_is_drawn_of_nothing() -> None:
    assert compared(column(None), "", "") is None
    assert compared(column(Bars((0.0, 0.0), (0.0, 0.0), edges=(1.0,))), "", "") is None


@pytest.mark.parametrize("kind", ["double", "long", "date", "timestamp", "decimal(38,10)"])
@given(
    edges=st.sets(st.floats(-1.7e308, 1.7e308) | st.integers(-(2**63), 2**63 - 1).map(float), min_size=1, max_size=20),
    data=st.data(),
    single=st.booleans(),
)
def test_every_row_is_in_the_picture(kind: str, edges: set[float], data: st.DataObject, single: bool) -> None:
    counts = st.lists(st.integers(0, 9), min_size=len(edges) + 1, max_size=len(edges) + 1)
    sides = [[count / max(1, sum(side)) for count in side] for side in (data.draw(counts), data.draw(counts))]
    bars = Bars(tuple(sides[0]), tuple(sides[1]), edges=tuple(sorted(edges)), single=single)

    figure = compared(replace(column(bars), type=kind), "caption", "says")

    if figure is None:
        assert not any(map(any, sides))
    else:
        told = [math.fsum(series.shares) for series in figure.series]
        assert told == pytest.approx([math.fsum(side) for side in sides])
        assert len(figure.series[0].shares) <= STEPS
