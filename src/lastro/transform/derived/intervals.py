"""Which intervals of a step are to be made.

Rules:

1. An interval is made if a version made it, and no later one made a part of it under another size or by another column.
2. Without more, those are made that never were: from the first – where `since` says, else the earliest one that was
   made – to the last that is over, which may `wait` for late rows. One that is not over yet is never made: later rows
   of it would be missed.
3. What was made of other code, parameters, upstream versions or another contract than there are now is outdated. It
   stays until somebody asks for it: rows that were right when they were made are not made again behind their back.
4. Where a span is asked for, or everything, intervals in it are made that are missing or outdated, and no others. So a
   making that was killed goes on where it was.
5. Beginning anew, nothing counts as made: the first interval replaces all rows, whatever columns they have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from lastro.model.errors import ConfigurationError, UsageError
from lastro.model.interval import Cut, Every, Interval, not_aligned, parse_moment
from lastro.model.text import _
from lastro.model.version import VersionInfo
from lastro.transform.derived.made_of import Change, MadeOf, changes, of_version


@dataclass(frozen=True, slots=True)
class Asked:
    """Which intervals somebody asks for: those of a span, `everything`, or those that are missing. A span without an
    `end` goes to the last interval that is over. With `anew` the dataset begins anew with them.
    """

    start: datetime | None = None
    end: datetime | None = None
    everything: bool = False
    anew: bool = False


MISSING = Asked()
"""What a plain build asks for."""


def asked(start: str | date | None, end: str | date | None, *, everything: bool, anew: bool = False) -> Asked:
    """What somebody asks for in so many words. Raises `UsageError`."""
    first, last = (None if bound is None else parse_moment(_text(bound)) for bound in (start, end))
    found = Asked(first, last, everything, anew)
    if found.start is None and found.end is not None:
        raise UsageError(_("a span that ends must begin somewhere"), do=_("say with --from where"))
    if everything and found.start is not None:
        raise UsageError(_("either a span is made or everything"), do=_("leave one of --from and --all out"))
    if anew and not everything and found.start is None:
        raise UsageError(_("it is not said with which intervals to begin anew"), do=_("say --all, or --from where"))
    return found


@dataclass(frozen=True, slots=True)
class Todo:
    """The intervals to `make`, in order, and those that are `outdated` and stay; `changes` is what is not as it was
    when the newest of those was made.
    """

    cut: Cut
    make: tuple[Interval, ...]
    outdated: tuple[Interval, ...] = ()
    changes: tuple[Change, ...] = ()


def made(parts: Iterable[tuple[Interval, VersionInfo]], cut: Cut) -> dict[Interval, MadeOf]:
    """What each interval was made of, from the versions that made one, newest first (rule 1)."""
    found: dict[Interval, MadeOf] = {}
    others: list[Interval] = []
    for interval, info in parts:
        before = of_version(info)
        if not _is_of(cut, interval) or before is None:
            others.append(interval)
        elif not any(other.overlaps(interval) for other in others):
            found.setdefault(interval, before)
    return found


def todo(cut: Cut, made: Mapping[Interval, MadeOf], now: MadeOf, asked: Asked, moment: datetime) -> Todo:
    """What is to be made at this moment. Raises `UsageError`, `ConfigurationError`."""
    first, over = _span(cut, made, asked, moment)
    made = {} if asked.anew else made
    differing = {interval: found for interval, before in sorted(made.items()) if (found := changes(before, now))}
    wanted = cut.between(first, over)
    again = asked.everything or asked.start is not None
    make = tuple(one for one in wanted if one not in made or (again and one in differing))
    making = frozenset(make)
    outdated = tuple(one for one in differing if one not in making)
    newest = next(reversed(differing.values()), ())
    return Todo(cut, make, outdated, newest)


def _text(bound: str | date) -> str:
    return bound if isinstance(bound, str) else bound.isoformat()


def _span(cut: Cut, made: Mapping[Interval, MadeOf], asked: Asked, moment: datetime) -> tuple[datetime, datetime]:
    over = cut.over(moment)
    if asked.start is not None:
        return _checked(cut.every, asked.start, asked.end or over, over)
    first = [min(made).start] if made else []
    if cut.since is not None:
        first = [cut.since, *first] if asked.everything else [cut.since]
    if not first:
        raise ConfigurationError(
            _("nothing says where the first interval begins"),
            do=_("make some with --from and --to, or write since: in the interval of lastro.yaml"),
        )
    return min(first), over


def _checked(every: Every, start: datetime, end: datetime, over: datetime) -> tuple[datetime, datetime]:
    for moment in (start, end):
        if every.floor(moment) != moment:
            raise not_aligned(every, moment)
    if end > over:
        raise UsageError(
            _("the interval that ends at {end} is not over yet").format(end=every.shown(end)),
            do=_("ask for intervals up to {end}").format(end=every.shown(over)),
        )
    if start >= end:
        raise UsageError(
            _("no interval begins at or after {start} and ends by {end}").format(
                start=every.shown(start), end=every.shown(end)
            ),
            do=_("let the span end after it begins"),
        )
    return start, end


def _is_of(cut: Cut, interval: Interval) -> bool:
    start = interval.start
    return interval.column == cut.column and cut.every.floor(start) == start and cut.every.next(start) == interval.end
