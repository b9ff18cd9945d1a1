"""Which intervals are made, outdated or to be made, decided without anything being read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model.clock import to_text
from lastro.model.errors import ConfigurationError, UsageError
from lastro.model.interval import Cut, Every, Interval
from lastro.model.schema import Schema
from lastro.model.version import Mode, Origin, VersionInfo
from lastro.pipeline.lineage import interval_of, lineage
from lastro.transform.derived.intervals import MISSING, Asked, Todo, made, todo
from lastro.transform.derived.made_of import MadeOf

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
CUT = Cut("day", Every.DAY, MONDAY)
NOW = MadeOf("sha256:now")
OLD = MadeOf("sha256:old")
NOON = timedelta(hours=12)

SIZES = st.sampled_from([(Every.DAY, 1), (Every.WEEK, 7)])
HISTORY = st.lists(st.tuples(SIZES, st.integers(0, 20), st.sampled_from([NOW, OLD])), max_size=10)
"""Versions from the oldest: how long an interval, in which it lies (by one of its days), and what it was made of."""


def day(number: int) -> datetime:
    return MONDAY + timedelta(days=number)


def one(number: int) -> Interval:
    return Interval("day", day(number), day(number + 1))


def version(number: int, interval: Interval, of: MadeOf, *, mode: Mode = Mode.INTERVAL) -> VersionInfo:
    kept = {"column": interval.column, "start": to_text(interval.start), "end": to_text(interval.end)}
    origin = Origin(mode, f"key-{number}", made_of={**of.kept(), "interval": kept})
    return VersionInfo("x", number, f"sha256:{number}", None, MONDAY, Schema(()), 0, 0, (), origin)


def versions(history: list[tuple[tuple[Every, int], int, MadeOf]]) -> list[VersionInfo]:
    found = []
    for number, ((every, _days), at, of) in enumerate(history):
        start = every.floor(day(at))
        found.append(version(number, Interval("day", start, every.next(start)), of))
    return found


class Table:
    """A table's history, in memory."""

    def __init__(self, infos: list[VersionInfo]) -> None:
        self._infos = infos

    def head(self) -> VersionInfo | None:
        return self._infos[-1] if self._infos else None

    def history(self) -> tuple[VersionInfo, ...]:
        return tuple(reversed(self._infos))


def last_touch(infos: list[VersionInfo]) -> dict[datetime, VersionInfo]:
    """For each day the newest version that made it."""
    found: dict[datetime, VersionInfo] = {}
    for info in infos:
        interval = interval_of(info)
        assert interval is not None
        for more in range((interval.end - interval.start).days):
            found[interval.start + timedelta(days=more)] = info
    return found


@given(HISTORY)
def test_a_version_counts_as_long_as_a_day_of_it_is_its_own(
    history: list[tuple[tuple[Every, int], int, MadeOf]],
) -> None:
    infos = versions(history)

    parts = list(lineage(Table(infos)))  # type: ignore[arg-type]

    assert parts == [info for info in reversed(infos) if info in last_touch(infos).values()]


@given(HISTORY, SIZES)
def test_an_interval_is_made_if_all_its_days_are_of_one_version_that_made_it(
    history: list[tuple[tuple[Every, int], int, MadeOf]], size: tuple[Every, int]
) -> None:
    infos, touched = versions(history), last_touch(versions(history))
    pairs = [(interval, info) for info in lineage(Table(infos)) if (interval := interval_of(info))]  # type: ignore[arg-type]

    found = made(pairs, Cut("day", size[0]))

    wanted = {}
    for start in filter(lambda start: size[0].floor(start) == start, touched):
        newest = touched[start]
        days = [touched.get(start + timedelta(days=more)) for more in range(size[1])]
        if set(map(id, days)) == {id(newest)} and interval_of(newest) == Interval("day", start, size[0].next(start)):
            wanted[interval_of(newest)] = newest.origin.made_of["code"]
    assert {interval: of.code for interval, of in found.items()} == wanted


def planned(made_: dict[Interval, MadeOf], asked: Asked = MISSING, *, at: int = 4, cut: Cut = CUT) -> Todo:
    return todo(cut, made_, NOW, asked, day(at) + NOON)


def test_what_is_missing_is_made_gaps_included() -> None:
    found = planned({one(0): NOW, one(2): OLD})

    assert found.make == (one(1), one(3))
    assert found.outdated == (one(2),)


@given(st.dictionaries(st.integers(0, 3), st.sampled_from([NOW, OLD])), st.integers(0, 3), st.integers(1, 4))
def test_a_span_makes_what_is_missing_or_outdated_in_it_and_a_second_time_nothing(
    state: dict[int, MadeOf], first: int, count: int
) -> None:
    last = min(4, first + count)
    before = {one(number): of for number, of in state.items()}
    asked = Asked(day(first), day(last))

    found = planned(before, asked)

    assert found.make == tuple(one(number) for number in range(first, last) if state.get(number) != NOW)
    assert planned({**before, **dict.fromkeys(found.make, NOW)}, asked).make == ()


def test_everything_goes_back_to_the_earliest_there_is() -> None:
    cut = Cut("day", Every.DAY, day(2))

    plain = planned({one(0): OLD}, cut=cut)
    found = planned({one(0): OLD}, Asked(everything=True), cut=cut)

    assert plain.make == (one(2), one(3))
    assert found.make == (one(0), one(1), one(2), one(3))


def test_anew_makes_what_was_made_of_the_same_too() -> None:
    assert planned({one(0): NOW, one(1): NOW}, Asked(everything=True, anew=True)).make == tuple(map(one, range(4)))


def test_nothing_is_made_before_an_interval_is_over() -> None:
    assert planned({}, at=0).make == ()
    assert planned({}, cut=Cut("day", Every.DAY, day(30))).make == ()


def test_without_a_beginning_nothing_can_be_said() -> None:
    with pytest.raises(ConfigurationError, match="nothing says where the first interval begins"):
        planned({}, cut=Cut("day", Every.DAY))
    with pytest.raises(UsageError, match="is not over yet"):
        planned({}, Asked(day(0), day(5)))


def test_what_is_outdated_tells_what_changed_since_the_last_of_them() -> None:
    found = planned({one(number): OLD for number in range(4)})

    assert [change.before for change in found.changes] == ["sha256:old"]


def test_beginning_anew_ends_the_lineage() -> None:
    infos = [version(0, one(0), OLD), version(1, one(1), NOW, mode=Mode.OVERWRITE), version(2, one(2), NOW)]

    assert [info.number for info in lineage(Table(infos))] == [2, 1]  # type: ignore[arg-type]
