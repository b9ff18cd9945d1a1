"""Summaries of profiles: what a person wants to know of each column, from the counts alone.

Rules:

1. A quantile lies in the bin that holds its rank; within the bin, numbers are taken to lie evenly. In the outer bins,
   they lie between the outer edge and the smallest or largest number.
2. A picture has equal steps between the 0.5 and the 99.5 percent quantile, or nearer where these lie far from all
   others, so that no outlier squeezes it; what lies beyond counts in the outer steps.
3. Of a withheld column only the missing are told.
4. What columns have to do with each other is told by `relations`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lastro.model.profile import ColumnProfile, NumberCounts, NumberFrame, Profile
from lastro.quality.relations import Relations, related
from lastro.quality.steps import Piece, located, stepped, visible

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
STEPS = 20
SHOWN_VALUES = 10
_DAY_ZERO = date(1970, 1, 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """One column in numbers: of text, they are about its length in characters.

    `missing` are rows without a value, `nans` and `infinite` rows whose number is none or has no end. `minimum`,
    `maximum` and `quantiles` (by their share) are written as the column writes its values. `picture` are counts in
    equal steps from `low` to `high`, in the frame's numbers. `values` are the most frequent with their counts, `others`
    all further ones together, and `complete` says whether there were any when they were listed. `distinct` is how many
    values are different, right to a share of `distinct_error` (0: exact) in 95 of 100 cases, None if it is not known.
    `shapes` are those of texts with how many texts have them, of `shapes_of` that were looked at.
    """

    name: str
    type: str
    rows: int
    missing: int
    nans: int = 0
    infinite: int = 0
    mean: float | None = None
    deviation: float | None = None
    minimum: str | None = None
    maximum: str | None = None
    quantiles: tuple[tuple[float, str], ...] = ()
    picture: tuple[int, ...] = ()
    low: float | None = None
    high: float | None = None
    values: tuple[tuple[str, int], ...] = ()
    others: int = 0
    complete: bool = False
    withheld: bool = False
    distinct: int | None = None
    distinct_error: float = 0.0
    shapes: tuple[tuple[str, int], ...] = ()
    shapes_of: int = 0

    @property
    def missing_share(self) -> float:
        """The missing values' share of the rows, 0 to 1."""
        return self.missing / self.rows if self.rows else 0.0

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The summary as plain values."""
        found = asdict(self)
        found["quantiles"] = {f"{share:g}": text for share, text in self.quantiles}
        found["values"] = dict(self.values)
        found["shapes"] = dict(self.shapes)
        return found


@dataclass(frozen=True, slots=True)
class Summary:
    """A profile in numbers for people: its rows, every column, and what columns have to do with each other.

    `relations` is None if that was not counted, as in profiles of an older Lastro.
    """

    rows: int
    columns: tuple[ColumnSummary, ...] = field(default=())
    relations: Relations | None = None


def summarise(profile: Profile) -> Summary:
    """The summary of a profile."""
    columns = tuple(_column(name, each, profile.rows) for name, each in profile.columns.items())
    return Summary(profile.rows, columns, None if profile.together is None else related(profile.together, profile.rows))


def quantile(counts: NumberCounts, frame: NumberFrame, share: float, *, kind: str) -> float | None:
    """The number below which about this share (0 to 1) of the counted numbers lie (rule 1); None if there are none."""
    return located(_pieces(counts, frame, kind), share) if counts.counted else None


def text_of(number: float, kind: str) -> str:
    """A frame's number as a column of this type writes it."""
    try:
        if kind == "date":
            return (_DAY_ZERO + timedelta(days=round(number))).isoformat()
        if kind.startswith("timestamp"):
            moment = _EPOCH + timedelta(seconds=number)
            return moment.replace(tzinfo=None).isoformat(timespec="seconds") + ("Z" if kind == "timestamp" else "")
    except OverflowError:
        return f"{number:.6g}"
    return f"{number:.6g}"


def _column(name: str, column: ColumnProfile, rows: int) -> ColumnSummary:
    kind = column.frame.type
    found: dict[str, Any] = {"withheld": column.withheld}  # Any: the summary's fields
    if column.numbers is not None and column.frame.numbers is not None:
        found |= _numbers(column.numbers, column.frame.numbers, "long" if kind == "string" else kind)
    if column.values is not None and column.frame.values is not None:
        pairs = zip(column.frame.values.values, column.values.times, strict=True)
        found["values"] = tuple(sorted(pairs, key=lambda pair: -pair[1])[:SHOWN_VALUES])
        listed = sum(times for _value, times in found["values"])
        found["others"] = sum(column.values.times) + column.values.others - listed
        found["complete"] = column.frame.values.complete
    if column.shapes is not None and column.frame.shapes is not None:
        pairs = zip(column.frame.shapes, column.shapes.times, strict=True)
        found["shapes"] = tuple(sorted((pair for pair in pairs if pair[1]), key=lambda pair: -pair[1]))
        found["shapes_of"] = column.shapes.counted
    return ColumnSummary(name, kind, rows, column.nulls, **found, **_different(column, rows))


def _different(column: ColumnProfile, rows: int) -> dict[str, Any]:  # Any: the summary's fields
    """How many values are different: exactly where all are counted each, else from the hashes that were kept."""
    values = column.values
    if values is not None and not values.others:
        return {"distinct": sum(times > 0 for times in values.times)}
    present = rows - column.nulls - (column.numbers.nans if column.numbers is not None else 0)
    found = None if column.distinct is None else column.distinct.estimate(present)
    return {} if found is None else {"distinct": found.count, "distinct_error": found.error}


def _numbers(counts: NumberCounts, frame: NumberFrame, kind: str) -> dict[str, Any]:  # Any: the summary's fields
    found: dict[str, Any] = {"nans": counts.nans, "infinite": counts.infinite}  # Any: likewise
    if not counts.counted:
        return found
    pieces = _pieces(counts, frame, kind)
    numbers = {share: located(pieces, share) for share in QUANTILES}
    low, high = visible(pieces) or (0.0, 0.0)
    return found | {
        "mean": counts.mean(frame),
        "deviation": counts.deviation(),
        "minimum": counts.minimum,
        "maximum": counts.maximum,
        "quantiles": tuple((share, text_of(each, kind)) for share, each in numbers.items() if each is not None),
        "low": low,
        "high": high,
        "picture": tuple(map(round, stepped(pieces, low, high, STEPS))),
    }


def _limits(counts: NumberCounts, frame: NumberFrame, kind: str) -> list[float]:
    """Where the bins begin and end; the outer ones at the extremes, or as wide as the others are on average."""
    edges = frame.edges
    width = (edges[-1] - edges[0]) / (len(edges) - 1) if len(edges) > 1 else 0.0
    low, high = _number(counts.minimum, kind), _number(counts.maximum, kind)
    first = edges[0] - width if low is None else min(low, edges[0])
    last = edges[-1] + width if high is None else max(high, edges[-1])
    return [first, *edges, last]


def _number(text: str | None, kind: str) -> float | None:
    """An extreme as a finite number of the frame; None if there is none, or if it has no end."""
    try:
        if kind == "date":
            return float((date.fromisoformat(text or "") - _DAY_ZERO).days)
        if kind.startswith("timestamp"):
            return (datetime.fromisoformat((text or "").removesuffix("Z")).replace(tzinfo=UTC) - _EPOCH).total_seconds()
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _pieces(counts: NumberCounts, frame: NumberFrame, kind: str) -> list[Piece]:
    """Where each bin's numbers lie, and how many there are; in a bin of one number, they all lie there."""
    limits = _limits(counts, frame, kind)
    begins = [*frame.edges, limits[-2]] if frame.single else limits[:-1]
    return list(zip(begins, limits[1:], counts.bins, strict=True))
