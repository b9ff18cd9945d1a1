"""Features: a table's columns as numbers that trees can cut.

Rules:

1. Numbers, dates, moments and truth values are themselves, NaN where missing; what is beyond 1e150, and infinite, is
   put there.
2. A text is its length and which of the most frequent texts it is. Which are frequent is looked up among the rows that
   teach, never among those that are tested; all others are one more.
3. Of everything else – lists, maps, bytes, withheld columns – it is whether a value is there.
4. What does not vary among the rows that teach is no feature.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lastro.model.schema import Decimal, Field, Primitive

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FREQUENT = 200
"""So many texts of a column are told from each other."""
LARGEST = 1e150
_TIMES = frozenset({Primitive.DATE, Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ})
_OTHER = frozenset({Primitive.STRING, Primitive.BINARY})


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of each row, NaN where missing; of a category, the number of its text."""

    column: str
    values: NDArray[np.float64]
    is_category: bool = False


@dataclass(frozen=True, slots=True)
class Matrix:
    """Features of all rows, coded by those that teach, and which column each is of."""

    values: NDArray[np.float64]
    columns: tuple[str, ...]
    is_category: tuple[bool, ...]

    def of(self, column: str) -> list[int]:
        """The places of a column's features."""
        return [place for place, name in enumerate(self.columns) if name == column]


def features(
    table: Any,  # Any: a pyarrow table
    fields: Sequence[Field],
    withheld: Collection[str],
) -> tuple[Feature, ...]:
    """The features of a table's rows, in the fields' order."""
    return tuple(
        feature for each in fields for feature in _of(table.column(each.name), each, is_withheld=each.name in withheld)
    )


def matrix(found: Sequence[Feature], train: NDArray[np.int64]) -> Matrix:
    """What trees are taught with and tested on, for the rows at these places to teach."""
    import numpy as np

    coded = [(each, _coded(each.values, train) if each.is_category else each.values) for each in found]
    varying = [(each, values) for each, values in coded if _varies(values[train])]
    rows = len(found[0].values) if found else 0
    values = np.column_stack([values for _each, values in varying]) if varying else np.zeros((rows, 0))
    names, kinds = (tuple(getattr(each, what) for each, _values in varying) for what in ("column", "is_category"))
    return Matrix(values, names, kinds)


def _of(column: Any, field: Field, *, is_withheld: bool) -> tuple[Feature, ...]:  # Any: a pyarrow chunked array
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = field.type
    if is_withheld or not isinstance(kind, Primitive | Decimal) or kind == Primitive.BINARY:
        return (Feature(field.name, column.is_valid().to_numpy().astype(float)),)
    if kind not in _OTHER:
        return (Feature(field.name, _numbers(column, kind)),)
    whole = column.combine_chunks().cast(pa.string())
    codes = pc.dictionary_encode(whole).indices.cast(pa.float64()).fill_null(np.nan)
    lengths = pc.utf8_length(whole).cast(pa.float64()).fill_null(np.nan)
    return (
        Feature(field.name, codes.to_numpy(zero_copy_only=False), is_category=True),
        Feature(field.name, lengths.to_numpy(zero_copy_only=False)),
    )


def _numbers(column: Any, kind: Primitive | Decimal) -> NDArray[np.float64]:  # Any: a pyarrow chunked array
    import numpy as np
    import pyarrow as pa

    if kind in _TIMES:
        column = column.cast(pa.int32() if kind == Primitive.DATE else pa.int64())
    elif kind == Primitive.BOOLEAN:
        column = column.cast(pa.uint8())
    values = column.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy()
    found: NDArray[np.float64] = np.clip(values, -LARGEST, LARGEST)
    return found


def _coded(values: NDArray[np.float64], train: NDArray[np.int64]) -> NDArray[np.float64]:
    """The texts' ranks among the frequent ones of the rows that teach; `FREQUENT` for all others."""
    import numpy as np

    present = values[train][~np.isnan(values[train])].astype(np.int64)
    times = np.bincount(present)
    frequent = np.argsort(-times, kind="stable")[: min(FREQUENT, np.count_nonzero(times))]
    most = int(np.nanmax(values)) if not np.isnan(values).all() else 0
    ranks = np.full(most + 1, float(FREQUENT))
    ranks[frequent] = np.arange(len(frequent))
    missing = np.isnan(values)
    return np.where(missing, np.nan, ranks[np.where(missing, 0, values).astype(np.int64)])


def _varies(values: NDArray[np.float64]) -> bool:
    import numpy as np

    missing = np.isnan(values)
    if missing.any() and not missing.all():
        return True
    present = values[~missing]
    return bool(len(present)) and bool((present != present[0]).any())
