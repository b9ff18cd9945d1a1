"""Columns as numbers: what of each type is counted in bins, and how its extremes are written.

Rules:

1. Whole numbers, dates and moments are counted as the whole numbers that they are stored as, so that no edge is met by
   a rounded value. Moments are stored in microseconds; their edges are seconds.
2. Decimals are counted as the nearest doubles, but their extremes are exact.
3. Of text, the lengths in characters are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as Number
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lastro.model.profile import NumberFrame
from lastro.model.schema import Decimal, Primitive, Type

Numbers = npt.NDArray[Any]  # Any: of whole numbers or of doubles
WHOLE = frozenset({Primitive.BYTE, Primitive.SHORT, Primitive.INTEGER, Primitive.LONG})
FLOATS = frozenset({Primitive.FLOAT, Primitive.DOUBLE})
MOMENTS = frozenset({Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ})
TEXTS = frozenset({Primitive.STRING, Primitive.BOOLEAN})
_SECOND = 1_000_000
_LONG_MIN, _LONG_MAX = -(1 << 63), (1 << 63) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_ZERO = date(1970, 1, 1)


def has_numbers(kind: Type) -> bool:
    """True for columns whose values, or lengths, are counted in bins."""
    return isinstance(kind, Decimal) or kind in WHOLE | FLOATS | MOMENTS | {Primitive.DATE, Primitive.STRING}


def has_values(kind: Type) -> bool:
    """True for columns whose values are counted each."""
    return kind in TEXTS


def of_column(values: pa.Array, kind: Type) -> Numbers:
    """The numbers of a column without missing values, as whole numbers or doubles in no order."""
    if kind == Primitive.STRING:
        found = pc.utf8_length(values)
    elif kind == Primitive.DATE:
        found = values.view(pa.int32())
    elif kind in MOMENTS:
        found = values.view(pa.int64())
    elif isinstance(kind, Decimal) or kind == Primitive.FLOAT:
        found = values.cast(pa.float64())
    else:
        found = values
    return plain(found)


def plain(values: pa.Array) -> Numbers:
    """Numbers without missing ones, not copied. `to_numpy` would load pandas where it is installed."""
    numbers: Numbers = np.from_dlpack(values)
    return numbers


def truths(values: pa.BooleanArray) -> Numbers:
    """Truth values without missing ones, as numpy has them; see `plain`."""
    return plain(values.cast(pa.uint8())).view(np.bool_)


def as_places(places: Numbers) -> pa.Int64Array:
    """Places of rows, to be taken."""
    wide = np.ascontiguousarray(places, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(wide), [None, pa.py_buffer(wide)])


def zero(kind: pa.DataType) -> pa.Scalar:
    """Zero, of bytes: what is made of Python's values loads pandas, where it is installed."""
    return pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(bytes(8))])[0]


@dataclass(frozen=True, slots=True)
class Scale:
    """How a frame's edges meet a column's stored numbers: `unit` stored ones are one of the frame's."""

    edges: Numbers
    centre: float
    unit: float

    @classmethod
    def of(cls, frame: NumberFrame, kind: Type) -> Scale:
        """The edges as the column's numbers are stored: `v <= e` and `v <= floor(e)` are the same for whole numbers."""
        unit = float(_SECOND) if kind in MOMENTS else 1.0
        edges = np.array(frame.edges, dtype=np.float64)
        if kind in FLOATS or isinstance(kind, Decimal):
            return cls(edges, frame.centre, unit)
        whole = [min(max(int(np.floor(edge * unit)), _LONG_MIN), _LONG_MAX) for edge in frame.edges]
        return cls(np.array(whole, dtype=np.int64), frame.centre, unit)

    def ends(self, ordered: Numbers) -> Numbers:
        """How many of these ascending numbers are at most each edge."""
        if ordered.dtype.kind != "i" or ordered.dtype == np.int64:
            return np.searchsorted(ordered, self.edges, side="right")
        limits = np.iinfo(ordered.dtype)
        inside = np.clip(self.edges, limits.min, limits.max).astype(ordered.dtype)
        return np.where(self.edges < limits.min, 0, np.searchsorted(ordered, inside, side="right"))


def in_frame(numbers: Numbers, kind: Type) -> Numbers:
    """Stored numbers as the frame's: moments in seconds."""
    return numbers / _SECOND if kind in MOMENTS else numbers.astype(np.float64)


def written(value: Any, kind: Type) -> str:  # Any: a stored number, or a decimal
    """An extreme as text, exactly, as `engine.sql.measure` writes it."""
    if isinstance(value, Number):
        return f"{value:f}"
    if kind == Primitive.DATE:
        return (_DAY_ZERO + timedelta(days=int(value))).isoformat() if _is_day(int(value)) else str(int(value))
    if kind in MOMENTS:
        return _moment(int(value), "Z" if kind == Primitive.TIMESTAMP else "")
    return repr(float(value)) if kind in FLOATS or isinstance(kind, Decimal) else str(int(value))


def _is_day(days: int) -> bool:
    return (date.min - _DAY_ZERO).days <= days <= (date.max - _DAY_ZERO).days


def _moment(microseconds: int, zone: str) -> str:
    try:
        moment = _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return str(microseconds)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + zone
