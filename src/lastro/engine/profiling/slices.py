"""Profiles of slices: rows told apart by a column of few values, each slice counted by itself.

The slices are the column's own cells: the values that its frame lists, or the numbers that have a bin of their own,
then all other values together, then the rows without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lastro.engine.profiling import numbers as column
from lastro.engine.profiling.count import Tally
from lastro.engine.profiling.numbers import Numbers, Scale
from lastro.model.profile import ColumnFrame, Frame, Profile
from lastro.model.schema import Schema, Type

OTHERS, MISSING = "\x00others", "\x00missing"
"""What the slices of all other values, and of no value, are called; no value begins so."""


def labels(frame: ColumnFrame) -> tuple[str, ...]:
    """The slices by a column with this frame; none if it has too many values to be told apart by."""
    if frame.values is not None:
        return (*frame.values.values, OTHERS, MISSING)
    if frame.numbers is not None and frame.numbers.single and frame.type != "string":
        return (*(f"{edge:.15g}" for edge in frame.numbers.edges), OTHERS, MISSING)
    return ()


def counted_by(
    batches: Iterable[pa.RecordBatch], schema: Schema, frame: Frame, withheld: frozenset[str], by: str
) -> Mapping[str, Profile]:
    """The profile of each slice that has rows."""
    names = labels(frame[by])
    tallies: dict[int, Tally] = {}
    for batch in batches:
        places = _places(batch, by, frame[by], schema.field(by).type)
        for place in np.unique(places).tolist():
            tally = tallies.setdefault(place, Tally(schema, frame, withheld, pairs=False))
            tally.take(batch.filter(pa.array(places == place)))
    return {names[place]: tally.profile() for place, tally in sorted(tallies.items())}


def _places(batch: pa.RecordBatch, by: str, frame: ColumnFrame, kind: Type) -> Numbers:
    """Which slice each row belongs to, by its number."""
    values = batch.column(by) if by in batch.schema.names else pa.nulls(batch.num_rows)
    slices = len(labels(frame))
    missing = values.is_null().to_numpy(zero_copy_only=False)
    if missing.all():
        return np.full(batch.num_rows, slices - 1)
    if frame.values is not None:
        listed = pa.array(frame.values.values, pa.string())
        found = pc.index_in(_texts(values), value_set=listed)
        places = found.fill_null(slices - 2).to_numpy(zero_copy_only=False)
        return np.where(missing, slices - 1, places)
    assert frame.numbers is not None  # noqa: S101 – `labels` gave slices
    places = np.full(batch.num_rows, slices - 1)
    numbers = column.of_column(values.drop_null(), kind)
    edges = Scale.of(frame.numbers, kind).edges
    nearest = np.minimum(np.searchsorted(edges, numbers), len(edges) - 1)
    places[~missing] = np.where(edges[nearest] == numbers, nearest, slices - 2)
    return places


def _texts(values: pa.Array) -> pa.Array:
    return pc.if_else(values, "true", "false") if pa.types.is_boolean(values.type) else values.cast(pa.string())
