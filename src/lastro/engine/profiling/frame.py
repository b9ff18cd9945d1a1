"""Frames from a sample: which edges and values a column will be counted by.

Rules:

1. A column of few different numbers gets an edge at each, so that every bin is one value.
2. Otherwise edges are quantiles at every percent, at 0.1 and at 99.9 percent, so that bins hold alike; a number that
   makes up at least a percent of all gets a bin of its own.
3. Quantiles are rounded as far as their neighbours allow: short in a file, and no person's own value.
4. Text and truth values are counted each if they recur: the most frequent, as many as `VALUES_MAX` and `TEXT_MAX`
   allow. Text that hardly recurs – names, comments – is counted by its length only.
5. Shapes of text are chosen by `shapes`.
6. Where most values of a large sample are different, one value in `EVERY` is looked at closely: that is many still.
7. Without a single value there is nothing to frame; the column is framed anew once it has some.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lastro.engine.profiling import numbers as column
from lastro.engine.profiling import shapes
from lastro.engine.profiling.numbers import Numbers
from lastro.model.profile import ColumnFrame, ColumnProfile, Frame, NumberFrame, Profile, ValueFrame
from lastro.model.schema import Decimal, Field, Primitive, Schema, Type, type_text

SINGLE_MAX = 64
"""A column of at most so many different numbers has a bin for each."""
ATOM_SHARE = 0.01
PERCENTS = (0.001, *(percent / 100 for percent in range(1, 100)), 0.999)
VALUES_MAX = 50
VALUE_LENGTH_MAX = 64
TEXT_MAX = 600
"""So many characters of values are listed at most."""
EVERY = 16
EVERY_FROM = 100_000
RECURRING_MIN = 2
LISTED_SHARE = 0.05
"""Values are listed if they make up at least this share of all."""


def framed(sample: pa.Table, schema: Schema, withheld: frozenset[str]) -> Frame:
    """The frame for a table of which these are some rows, spread over it."""
    return {each.name: _column(sample, each, withheld) for each in schema.fields}


def settled(profile: Profile, made: Frame) -> Profile:
    """The first profile under frames that were `made` for it, which now know whether their values are all there are."""
    found = {name: _settled(column) if name in made else column for name, column in profile.columns.items()}
    return replace(profile, columns=found)


def _settled(column: ColumnProfile) -> ColumnProfile:
    if column.values is None or column.frame.values is None:
        return column
    values = replace(column.frame.values, complete=not column.values.others)
    return replace(column, frame=replace(column.frame, values=values))


def _column(sample: pa.Table, each: Field, withheld: frozenset[str]) -> ColumnFrame:
    kind = type_text(each.type)
    if each.name in withheld or each.name not in sample.schema.names or not sample.num_rows:
        return ColumnFrame(kind)
    present = sample.column(each.name).combine_chunks().drop_null()
    if not len(present):
        return ColumnFrame(kind)
    numbers, values, different = None, None, 0
    if column.has_values(each.type):
        values, different = _values(present, each.type)
    if column.has_numbers(each.type):
        numbers, among = _numbers(present, each.type)
        different = different or among
    is_listed = each.type != Primitive.STRING or (values is not None and values.complete)
    shape = None if is_listed else shapes.framed(present)
    hardly_recurs = len(present) >= EVERY_FROM and different > len(present) // 2
    return ColumnFrame(kind, numbers, values, len(present), shape, EVERY if hardly_recurs else 1)


def _numbers(present: pa.Array, kind: Type) -> tuple[NumberFrame | None, int]:
    """The frame of a column's numbers, and how many different ones there are."""
    found = column.in_frame(column.of_column(present, kind), kind)
    found = np.sort(found[np.isfinite(found)])
    if not len(found):
        return None, 0
    single, times = np.unique(found, return_counts=True)
    if len(single) <= SINGLE_MAX:
        return NumberFrame(tuple(single.tolist()), _middle(found), single=True), len(single)
    atoms = single[times >= ATOM_SHARE * len(found)]
    is_whole = not (kind in column.FLOATS or isinstance(kind, Decimal))
    return NumberFrame(edges_of(found, atoms, whole=is_whole), _middle(found)), len(single)


def edges_of(ordered: Numbers, atoms: Numbers, *, whole: bool) -> tuple[float, ...]:
    """The edges for ascending finite numbers, of which some, the `atoms`, get bins of their own."""
    below = np.ceil(atoms) - 1 if whole and np.all(atoms == np.floor(atoms)) else np.nextafter(atoms, -np.inf)
    quantiles = np.unique(np.quantile(ordered, PERCENTS, method="inverted_cdf"))
    rounded = [_rounded(quantiles, index) for index in range(len(quantiles))]
    return tuple(sorted({*rounded, *atoms.tolist(), *below.tolist()}))


def _rounded(quantiles: Numbers, index: int) -> float:
    """A quantile with as few digits as keep it within a quarter of the way to its nearer neighbour."""
    here = float(quantiles[index])
    gaps = [abs(here - float(quantiles[other])) for other in (index - 1, index + 1) if 0 <= other < len(quantiles)]
    room = min(gaps, default=0.0) / 4
    if room <= 0 or not math.isfinite(room):
        return here
    return float(round(here, max(-300, -math.floor(math.log10(room)))))


def _middle(ordered: Numbers) -> float:
    """About the median, in few digits."""
    middle = float(ordered[len(ordered) // 2])
    short = float(f"{middle:.4g}")
    return short if math.isfinite(short) else middle  # the largest doubles round up to infinity


def _values(present: pa.Array, kind: Type) -> tuple[ValueFrame | None, int]:
    """The values to be counted each, and how many different ones there are."""
    if kind == Primitive.BOOLEAN:
        return ValueFrame(("false", "true"), complete=True), 2
    counts = pc.value_counts(present.cast(pa.string()))
    texts, times = counts.field("values"), counts.field("counts").to_numpy()
    order = np.lexsort((np.arange(len(times)), -times))
    listed: list[str] = []
    room, of_listed = TEXT_MAX, 0
    for place in order[:VALUES_MAX]:
        text = texts[int(place)].as_py()
        if times[place] < RECURRING_MIN or len(text) > VALUE_LENGTH_MAX or len(text) > room:
            continue
        listed.append(text)
        room -= len(text)
        of_listed += int(times[place])
    if of_listed < LISTED_SHARE * len(present):
        return None, len(times)
    return ValueFrame(tuple(listed), complete=of_listed == len(present)), len(times)
