"""Intervals are those of the calendar, in UTC, and lie side by side without a gap."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model.errors import UsageError
from lastro.model.interval import COUNT_MAX, Cut, Every, Interval, counted, joined, parse_moment

MOMENTS = st.datetimes(datetime(1, 1, 10), datetime(9990, 1, 1), timezones=st.just(UTC))
EVERY = st.sampled_from(Every)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def day(first: int, last: int, column: str = "day") -> Interval:
    return Interval(column, utc(2026, 1, first), utc(2026, 1, last))


@given(EVERY, MOMENTS)
def test_every_moment_lies_in_one_interval(every: Every, moment: datetime) -> None:
    start = every.floor(moment)
    after = every.next(start)

    assert start <= moment < after
    assert (every.floor(start), every.floor(after)) == (start, after)
    assert every.floor(after - timedelta(microseconds=1)) == start


@given(EVERY, MOMENTS, st.integers(0, 400))
def test_intervals_of_a_span_follow_one_another_and_end_in_it(every: Every, moment: datetime, hours: int) -> None:
    start, end = every.floor(moment), moment + timedelta(hours=hours)

    found = Cut("day", every).between(start, end)

    assert [one.end for one in found[:-1]] == [one.start for one in found[1:]]
    assert all(one.end <= end for one in found)
    assert (found[-1].end if found else start) == every.floor(end)


@pytest.mark.parametrize(
    ("every", "moment", "start", "end"),
    [
        (Every.MONTH, utc(2024, 2, 29, 23), utc(2024, 2, 1), utc(2024, 3, 1)),
        (Every.MONTH, utc(2026, 12, 31), utc(2026, 12, 1), utc(2027, 1, 1)),
        (Every.WEEK, utc(2027, 1, 1), utc(2026, 12, 28), utc(2027, 1, 4)),
        (Every.DAY, utc(2026, 10, 25, 1, 30), utc(2026, 10, 25), utc(2026, 10, 26)),
        (Every.HOUR, utc(2026, 3, 29, 1, 30), utc(2026, 3, 29, 1), utc(2026, 3, 29, 2)),
    ],
)
def test_the_calendar_tells_where_they_begin(every: Every, moment: datetime, start: datetime, end: datetime) -> None:
    assert (every.floor(moment), every.next(every.floor(moment))) == (start, end)


def test_code_sees_dates_save_for_hours() -> None:
    assert type(Every.DAY.bound(utc(2026, 1, 1))) is date
    assert Every.HOUR.bound(utc(2026, 1, 1, 5)) == utc(2026, 1, 1, 5)


def test_too_many_are_refused() -> None:
    with pytest.raises(UsageError, match=f"more than {COUNT_MAX:,} intervals"):
        Cut("day", Every.HOUR).between(utc(1, 1, 1), utc(9000, 1, 1))


@pytest.mark.parametrize(
    "text",
    ["2026-01-31", "2026-01-31T00:00", "2026-01-31 00:00Z", "2026-01-31T00:00:00+00:00", "2026-01-31T00:00+0000"],
)
def test_a_moment_is_read_in_utc(text: str) -> None:
    assert parse_moment(text) == utc(2026, 1, 31)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-01-31T00:00-03:00", "is not in UTC"),
        ("2026-01-31+01:00", "is not in UTC"),
        ("2026-02-30", "is no date or moment"),
        ("2026-01-31T25:00", "is no date or moment"),
        ("2026-W05-1", "is no date or moment"),
        ("20260131", "is no date or moment"),
        ("31/01/2026", "is no date or moment"),
        ("٢٠٢٦-٠١-٣١", "is no date or moment"),
        ("2026-01-31T00:00 America/Sao_Paulo", "is no date or moment"),
        ("", "is no date or moment"),
        ("x" * 10_000, "is no date or moment"),
    ],
)
def test_what_is_no_moment_in_utc_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        parse_moment(text)

    assert len(caught.value.what) < 120


@given(st.lists(st.tuples(st.integers(1, 28), st.integers(1, 3)), max_size=12))
def test_joined_intervals_hold_the_same_days(parts: list[tuple[int, int]]) -> None:
    intervals = [day(first, first + days) for first, days in parts]

    found = joined(intervals)

    assert all(one.end < other.start for one, other in itertools.pairwise(found))
    assert {first + more for first, days in parts for more in range(days)} == {
        number for one in found for number in range(one.start.day, one.start.day + (one.end - one.start).days)
    }


def test_intervals_of_other_columns_cover_nothing_and_may_share_rows() -> None:
    assert day(1, 4).covers(day(2, 3))
    assert not day(1, 4).covers(day(2, 5))
    assert not day(1, 4).covers(day(2, 3, "other"))
    assert day(1, 4).overlaps(day(9, 10, "other"))
    assert not day(1, 4).overlaps(day(4, 5))


def test_they_are_counted_with_their_spans() -> None:
    assert counted([day(1, 2), day(2, 3)], Every.DAY) == "2 intervals (2026-01-01 – 2026-01-03)"
    assert counted([day(n, n + 1) for n in (1, 3, 5, 7)], Every.DAY).endswith("2026-01-05 – 2026-01-06, …)")
