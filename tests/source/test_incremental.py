"""The value that lies a lag before another, in its own spelling."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model.errors import SourceBroken
from lastro.model.version import Mode
from lastro.source.incremental import Window, earlier, window


@pytest.mark.parametrize(
    ("value", "lag", "before"),
    [
        ("0999-12-31", 86_400, "0999-12-30"),
        ("1000-01-01", 1, "0999-12-31"),
        ("1000-01-01 00:00", 60, "0999-12-31 23:59"),
        ("0050-06-01T12:00:00.50Z", 0.25, "0050-06-01T12:00:00.25Z"),
        ("2026-01-01T00:00:00-03:00", 1, "2025-12-31T23:59:59-03:00"),
        (10, 0.5, 9),
        (1.5, 0.5, 1.0),
    ],
)
def test_a_value_and_the_one_before(value: int | float | str, lag: float, before: int | float | str) -> None:
    assert earlier(value, lag) == before


@given(st.datetimes(min_value=datetime(2, 1, 1)), st.integers(1, 86_400 * 300))
def test_a_time_before_sorts_before_and_is_as_long(moment: datetime, lag: int) -> None:
    text = moment.isoformat(timespec="microseconds")

    before = earlier(text, lag)

    assert isinstance(before, str)
    assert (before < text, len(before)) == (True, len(text))
    assert datetime.fromisoformat(before) == moment - timedelta(seconds=lag)


@given(st.dates(min_value=date(2, 1, 1)), st.integers(1, 300))
def test_a_date_before_sorts_before(day: date, lag: int) -> None:
    assert earlier(day.isoformat(), lag * 86_400) == (day - timedelta(days=lag)).isoformat()


def test_upsert_reads_old_moments_again() -> None:
    assert window(Mode.UPSERT, "1000-01-01", None, 86_400) == Window(above="0999-12-31", above_inclusive=True)


@pytest.mark.parametrize(
    "value", ["0001-01-01", "0001-01-01T00:00:00Z", "0000-01-01", "2026-02-30", "2026-01-01T25:00"]
)
def test_what_has_no_moment_before_it_is_refused(value: str) -> None:
    with pytest.raises(SourceBroken, match=r"LST-0302(?s:.*)leave lag out"):
        earlier(value, 1)


def test_a_lag_longer_than_all_time_is_refused() -> None:
    with pytest.raises(SourceBroken, match="year 1"):
        earlier("2026-01-01", 1e300)
