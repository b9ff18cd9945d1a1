"""Predictions, scores and labels as they are read: texts made places of classes, and rows that mean nothing set aside.

Rules:

1. A class is told by its text. Numbers are written without needless zeros, so that 1 and 1.0 are one class. Where
   labels and predictions are not of one kind of type, truth values count as 1 and 0, and texts are read as numbers or
   truth values where they are such.
2. NULL and NaN are no label, no prediction and no score.
3. A score is a probability, from 0 to 1. A row with another one, or with none, says nothing of what is expected of it.
4. Rows are read a batch at a time; more classes than `CLASSES_MAX` are not told apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal as Number
from decimal import InvalidOperation
from typing import TYPE_CHECKING, Any

from lastro.model.schema import Decimal, Primitive, Schema, Type

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

CLASSES_MAX = 50
DIGITS_MAX = 40
"""Numbers of more digits are written with their exponent: `1e999999999` is a short text and a long number."""
_NUMBERS = frozenset(
    {Primitive.LONG, Primitive.INTEGER, Primitive.SHORT, Primitive.BYTE, Primitive.DOUBLE, Primitive.FLOAT}
)
_FALSE = ("0", "false")
_TRUE = ("1", "true")


def family(kind: Type) -> str | None:
    """The kind of type: `number`, `boolean`, `text`; None for what names no class."""
    if isinstance(kind, Decimal) or kind in _NUMBERS:
        return "number"
    return {Primitive.BOOLEAN: "boolean", Primitive.STRING: "text"}.get(kind) if isinstance(kind, Primitive) else None


def is_fraction(kind: Type) -> bool:
    """True if the type is one of measures, which are seldom classes."""
    return isinstance(kind, Decimal) or kind in {Primitive.DOUBLE, Primitive.FLOAT}


@dataclass(frozen=True, slots=True, repr=False)
class Names:
    """How classes are named: `is_loose` if types differ, `boolean` if all are truth values (rule 1)."""

    is_loose: bool = False
    boolean: bool = False

    def of(self, value: Any) -> str | None:  # Any: a value of a column
        """A value's class; None if it is none."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None
        if isinstance(value, bool):
            return (_TRUE if value else _FALSE)[0 if self.is_loose else 1]
        if isinstance(value, str):
            return _loose(value) if self.is_loose else value
        return _shortest(Number(str(value)))

    def asked(self, text: str) -> str:
        """The class that a person wrote."""
        if self.boolean:
            low = text.strip().lower()
            return "true" if low in _TRUE else "false" if low in _FALSE else text
        return _loose(text) if self.is_loose else text


def _loose(text: str) -> str:
    stripped = text.strip()
    for words in (_TRUE, _FALSE):
        if stripped.lower() in words:
            return words[0]
    try:
        return _shortest(Number(stripped))
    except InvalidOperation:
        return stripped


def _shortest(value: Number) -> str:
    if not value.is_finite() or abs(value.adjusted()) > DIGITS_MAX:
        return str(value)
    return format(value.normalize(), "f") if value else "0"


def names_of(schemas: Sequence[Schema], columns: Sequence[str]) -> Names:
    """How the classes in these columns are named, wherever the schemas have them."""
    kinds = {family(schema.field(name).type) for schema in schemas for name in columns if name in schema.names}
    return Names(is_loose=len(kinds) > 1, boolean=kinds == {"boolean"})


def coded(column: Any, places: Mapping[str, int], names: Names) -> Places:  # Any: a pyarrow array
    """Each value's place among the classes, -1 for none and the number of classes for another."""
    import numpy as np
    import pyarrow as pa

    coding = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    other = len(places)
    known = [names.of(value) for value in coding.dictionary.to_pylist()]
    table = np.asarray([-1 if name is None else places.get(name, other) for name in (*known, None)], dtype=np.int64)
    found: Places = table[coding.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)]
    return found


def classes_in(batches: Iterator[Any], names: Names) -> list[set[str]]:  # Any: pyarrow.RecordBatch
    """The classes in each column of some batches; stops once a column has too many."""
    found: list[set[str]] = []
    for batch in batches:
        found = found or [set() for _column in batch.columns]
        for place, column in enumerate(batch.columns):
            met = (names.of(value) for value in column.unique().to_pylist())
            found[place].update(name for name in met if name is not None)
        if any(len(each) > CLASSES_MAX for each in found):
            break
    return found


def numbers(column: Any) -> Floats:  # Any: a pyarrow array of numbers or booleans
    """The values as float64, NaN where missing."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    return np.array(column.cast(pa.float64(), safe=False).fill_null(math.nan).to_numpy(zero_copy_only=False))


@dataclass(frozen=True, slots=True, repr=False)
class Rows:
    """A batch of a classifier's rows. `labels` and `predicted` are places, -1 where there is none and the number of
    classes for one that the reference does not know; `scores` has a column for each class, `is_scored` says where each
    of a row's is a probability, `is_outside` where one is a number but none.
    """

    labels: Places
    predicted: Places
    scores: Floats | None
    is_scored: NDArray[np.bool_]
    is_outside: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, repr=False)
class Reader:
    """Takes a classifier's rows from batches. `scores` are the columns of each class's score, in the classes' order;
    of two classes the only one is the last class's, the other's is what is left to 1.
    """

    label: str
    prediction: str
    scores: tuple[str, ...]
    places: Mapping[str, int]
    names: Names

    def rows(self, batch: Any) -> Rows:  # Any: a pyarrow.RecordBatch
        """The rows of a batch; one without the column of labels has none."""
        import numpy as np

        predicted = coded(batch.column(self.prediction), self.places, self.names)
        labels = np.full(batch.num_rows, -1, dtype=np.int64)
        if self.label in batch.schema.names:
            labels = coded(batch.column(self.label), self.places, self.names)
        none = np.zeros(batch.num_rows, dtype=bool)
        if not self.scores:
            return Rows(labels, predicted, None, none, none)
        given = np.stack([numbers(batch.column(name)) for name in self.scores], axis=1)
        outside = np.asarray(((given < 0) | (given > 1)).any(axis=1))
        scored = np.asarray(~outside & ~np.isnan(given).any(axis=1))
        whole = np.hstack([1 - given, given]) if given.shape[1] == 1 else given
        return Rows(labels, predicted, whole, scored, outside)
