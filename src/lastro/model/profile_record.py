"""Profiles as JSON values, in the form of `docs/format.md`: short, and read back to the very same profile.

A record of form 1 has no `together`, `distinct`, `shapes` or `every`; what it has means the same in form 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate, pairwise
from typing import Any

from lastro.model import together_record
from lastro.model.distinct import HASH_BITS, KEPT_MAX, Distinct
from lastro.model.profile import (
    ColumnFrame,
    ColumnProfile,
    NumberCounts,
    NumberFrame,
    Profile,
    ValueCounts,
    ValueFrame,
)

Record = Mapping[str, Any]  # Any: JSON values
FORMAT = 2


def record_of(profile: Profile) -> dict[str, Any]:  # Any: JSON values
    """The profile as JSON values. Members that say nothing are left out."""
    columns = {name: _column(column) for name, column in profile.columns.items()}
    record: dict[str, Any] = {"lastro": FORMAT, "rows": profile.rows, "columns": columns}  # Any: JSON values
    if profile.together is not None:
        record["together"] = together_record.record_of(profile.together)
    return record if profile.bounds_exact else {**record, "bounds_exact": False}


def profile_of(record: Record) -> Profile:
    """The profile that a record holds. Raises `ValueError` if it holds none, or that of a newer Lastro."""
    try:
        if int(record["lastro"]) > FORMAT:
            raise ValueError("a profile of a newer Lastro")
        columns = {str(name): _column_of(value) for name, value in record["columns"].items()}
        found, bounds_exact = record.get("together"), bool(record.get("bounds_exact", True))
        together = None if found is None else together_record.together_of(found)
        return Profile(int(record["rows"]), columns, bounds_exact, together)
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError("no profile") from error


def _column(column: ColumnProfile) -> dict[str, Any]:  # Any: JSON values
    frame = column.frame
    record: dict[str, Any] = {"type": frame.type, "nulls": column.nulls}  # Any: JSON values
    if frame.made_of:
        record["made_of"] = frame.made_of
    if frame.every != 1:
        record["every"] = frame.every
    if column.withheld:
        record["withheld"] = True
    if frame.numbers is not None and column.numbers is not None:
        record["numbers"] = _numbers(frame.numbers, column.numbers)
    if frame.values is not None and column.values is not None:
        values = {"values": list(frame.values.values), "times": list(column.values.times)}
        record["values"] = {**values, "complete": frame.values.complete, "others": column.values.others}
    if frame.shapes is not None and column.shapes is not None:
        times, others = list(column.shapes.times), column.shapes.others
        record["shapes"] = {"shapes": list(frame.shapes), "times": times, "others": others}
    if column.distinct is not None:
        record["distinct"] = _distinct(column.distinct)
    return record


def _distinct(found: Distinct) -> dict[str, Any]:  # Any: JSON values
    """Hashes as steps from one to the next, which are short; no `times` if each is 1."""
    record: dict[str, Any] = {"steps": [two - one for one, two in pairwise((0, *found.hashes))]}  # Any: JSON values
    if found.level:
        record["level"] = found.level
    return {**record, "times": list(found.times)} if set(found.times) - {1} else record


def _numbers(frame: NumberFrame, counts: NumberCounts) -> dict[str, Any]:  # Any: JSON values
    record: dict[str, Any] = {  # Any: JSON values
        "edges": [_short(edge) for edge in frame.edges],
        "centre": _short(frame.centre),
        "bins": list(counts.bins),
        "sums": [total if math.isfinite(total) else None for total in (counts.total, counts.squares)],
    }
    if frame.single:
        record["single"] = True
    if counts.minimum is not None:
        record["bounds"] = [counts.minimum, counts.maximum]
    if counts.nans:
        record["nans"] = counts.nans
    if counts.infinite:
        record["infinite"] = counts.infinite
    return record


def _short(number: float) -> float | int:
    """A whole number without its `.0`."""
    return int(number) if number == int(number) and abs(number) < 1e15 else number


def _column_of(record: Record) -> ColumnProfile:
    numbers, values = record.get("numbers"), record.get("values")
    number_frame = value_frame = number_counts = value_counts = None
    if numbers is not None:
        edges = tuple(map(float, numbers["edges"]))
        number_frame = NumberFrame(edges, float(numbers["centre"]), bool(numbers.get("single", False)))
        number_counts = _counts(numbers)
        if len(number_counts.bins) != len(edges) + 1:
            raise ValueError("a profile with other bins than its edges make")
    if values is not None:
        value_frame = ValueFrame(tuple(map(str, values["values"])), bool(values["complete"]))
        value_counts = ValueCounts(tuple(map(int, values["times"])), int(values["others"]))
        if len(value_counts.times) != len(value_frame.values):
            raise ValueError("a profile with other counts than it has values")
    shapes, distinct = record.get("shapes"), record.get("distinct")
    listed = None if shapes is None else tuple(map(str, shapes["shapes"]))
    shape_counts = None if shapes is None else ValueCounts(tuple(map(int, shapes["times"])), int(shapes["others"]))
    if shape_counts is not None and len(shape_counts.times) != len(listed or ()):
        raise ValueError("a profile with other counts than it has shapes")
    made_of, every = int(record.get("made_of", 0)), int(record.get("every", 1))
    frame = ColumnFrame(str(record["type"]), number_frame, value_frame, made_of, listed, every)
    return ColumnProfile(
        frame,
        int(record["nulls"]),
        number_counts,
        value_counts,
        withheld=bool(record.get("withheld", False)),
        shapes=shape_counts,
        distinct=None if distinct is None else _distinct_of(distinct),
    )


def _distinct_of(record: Record) -> Distinct:
    hashes = tuple(accumulate(record["steps"]))
    times = tuple(record["times"]) if "times" in record else (1,) * len(hashes)
    level = int(record.get("level", 0))
    # A sum of whole numbers is whole: so all of them are known to be, without a look at each.
    are_whole = isinstance(sum(hashes), int) and isinstance(sum(times), int)
    if not (are_whole and 0 <= level <= HASH_BITS and len(hashes) == len(times) <= KEPT_MAX):
        raise ValueError("a profile with hashes that cannot be")
    return Distinct(level, hashes, times)


def _counts(record: Record) -> NumberCounts:
    total, squares = (math.nan if each is None else float(each) for each in record["sums"])
    low, high = record.get("bounds", (None, None))
    nans, infinite = int(record.get("nans", 0)), int(record.get("infinite", 0))
    return NumberCounts(tuple(map(int, record["bins"])), total, squares, low, high, nans, infinite)
