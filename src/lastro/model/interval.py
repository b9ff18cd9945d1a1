"""Intervals of time by which a derived dataset is made: which there are, and how people write them.

Rules:

1. An interval goes from its `start` (inclusive) to its `end` (exclusive). Both are moments in UTC; no other zone is
   understood, so that no interval is longer or shorter than its name for a change of clocks.
2. Intervals begin where the calendar says: hours on the hour, days at midnight, weeks on Mondays, months on their
   first.
3. A moment is written `2026-01-31` or `2026-01-31T05:00`; `Z` or `+00:00` may follow, any other offset is refused.
4. Where intervals are days or longer, people and code see dates, else moments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from lastro.model.errors import UsageError
from lastro.model.text import _, ngettext

COUNT_MAX = 200_000
"""So many intervals are made at once at most."""
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?(?P<zone>Z|[+-]\d{2}:?\d{2})?", re.ASCII)
_UTC = frozenset({None, "Z", "+00:00", "+0000", "-00:00", "-0000"})


class Every(StrEnum):
    """How long an interval is."""

    HOUR = "1h"
    DAY = "1d"
    WEEK = "1w"
    MONTH = "1mo"

    def floor(self, moment: datetime) -> datetime:
        """Where the interval begins that holds the moment."""
        hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        if self is Every.HOUR:
            return hour
        day = hour.replace(hour=0)
        if self is Every.MONTH:
            return day.replace(day=1)
        return day - timedelta(days=day.weekday()) if self is Every.WEEK else day

    def next(self, start: datetime) -> datetime:
        """Where the interval that begins at `start` ends. Raises `OverflowError` at the end of the calendar."""
        match self:
            case Every.HOUR:
                return start + timedelta(hours=1)
            case Every.DAY:
                return start + timedelta(days=1)
            case Every.WEEK:
                return start + timedelta(weeks=1)
            case Every.MONTH:
                return self.floor(start + timedelta(days=31))

    def between(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The intervals from `start`, where one must begin, that end by `end`."""
        while start < end and (after := self.next(start)) <= end:
            yield start, after
            start = after

    def bound(self, moment: datetime) -> date:
        """A bound as code sees it: a date, for hours a moment in UTC (rule 4)."""
        return moment if self is Every.HOUR else moment.date()

    def shown(self, moment: datetime) -> str:
        """A bound as people write it."""
        return moment.strftime("%Y-%m-%dT%H:%MZ") if self is Every.HOUR else moment.date().isoformat()


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """The rows whose `column` lies from `start` to before `end`."""

    column: str
    start: datetime
    end: datetime

    def covers(self, other: Interval) -> bool:
        """True if every row of the other interval is one of this."""
        return self.column == other.column and self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Interval) -> bool:
        """True if a row may be of both; of columns that differ nothing is known."""
        return self.column != other.column or (self.start < other.end and other.start < self.end)


@dataclass(frozen=True, slots=True)
class Cut:
    """How a derived dataset is cut into intervals: by which column, how long each is, where the first begins (None if
    nothing says so), and how long after its end one is over: rows may arrive late.
    """

    column: str
    every: Every
    since: datetime | None = None
    wait: timedelta = timedelta(0)

    def between(self, start: datetime, end: datetime) -> tuple[Interval, ...]:
        """The intervals of a span. Raises `UsageError` for more than `COUNT_MAX`."""
        found: list[Interval] = []
        for first, after in self.every.between(start, end):
            if len(found) == COUNT_MAX:
                raise UsageError(
                    _("from {start} to {end} there are more than {n:,} intervals").format(
                        start=self.every.shown(start), end=self.every.shown(end), n=COUNT_MAX
                    ),
                    do=_("make them in parts, with --from and --to"),
                )
            found.append(Interval(self.column, first, after))
        return tuple(found)

    def over(self, moment: datetime) -> datetime:
        """Where the last interval ends that is over at the moment."""
        return self.every.floor(moment - self.wait)

    def shown(self, interval: Interval) -> str:
        """An interval as people write it: where it begins, and where the next one does."""
        return f"{self.every.shown(interval.start)} – {self.every.shown(interval.end)}"


def parse_moment(text: str) -> datetime:
    """The moment that a person wrote (rule 3). Raises `UsageError`.

    >>> parse_moment("2026-01-31")
    datetime.datetime(2026, 1, 31, 0, 0, tzinfo=datetime.timezone.utc)
    """
    found = _MOMENT.fullmatch(text)
    if found is not None and found["zone"] not in _UTC:
        raise UsageError(
            _("{text} is not in UTC, and intervals are").format(text=text[:40]),
            do=_("write the moment in UTC, with Z or without a zone"),
        )
    try:
        moment = datetime.fromisoformat(text) if found is not None else None
    except ValueError:
        moment = None
    if moment is None:
        raise UsageError(
            _("{text!r} is no date or moment").format(text=text[:40]),
            do=_("write it as 2026-01-31 or 2026-01-31T05:00, in UTC"),
        )
    return moment.replace(tzinfo=UTC)


def not_aligned(every: Every, moment: datetime) -> UsageError:
    """No interval begins at this moment."""
    return UsageError(
        _("no interval of {every} begins at {moment}").format(every=every, moment=moment.strftime("%Y-%m-%dT%H:%MZ")),
        do=_("begin at {moment}: hours on the hour, days at midnight, weeks on Mondays, months on their first").format(
            moment=every.shown(every.floor(moment))
        ),
    )


def joined(intervals: Sequence[Interval]) -> tuple[Interval, ...]:
    """Intervals of one column, in order, with those joined that follow one another."""
    found: list[Interval] = []
    for one in sorted(intervals):
        if found and found[-1].column == one.column and one.start <= found[-1].end:
            found[-1] = Interval(one.column, found[-1].start, max(found[-1].end, one.end))
        else:
            found.append(one)
    return tuple(found)


def counted(intervals: Sequence[Interval], every: Every) -> str:
    """How many there are, and from when to when: `3 intervals (2026-01-01 – 2026-01-04)`."""
    spans = joined(intervals)
    shown = [f"{every.shown(one.start)} – {every.shown(one.end)}" for one in spans[:3]]
    shown += ["…"] if len(spans) > 3 else []
    sentence = ngettext("{n} interval ({spans})", "{n} intervals ({spans})", len(intervals))
    return sentence.format(n=len(intervals), spans=", ".join(shown))
