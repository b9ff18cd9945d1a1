"""What was sampled of one column, made ready: distinct texts, numbers and what type they had.

Rules:

1. Missing values and blanks count as missing. What is looked at are distinct texts, so that a placeholder such as
   `N/A` in half of the rows is one value.
2. Whole numbers become their digits, also those that are kept with decimals, as CPFs with gaps often are.
3. Of a long text the first `LENGTH_MAX` characters are looked at.
4. A column of lists or objects is its innermost values, each with its own name, as deep as `DEPTH_MAX`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

LENGTH_MAX = 2_000
DEPTH_MAX = 8
_EXACT = 1 << 53


class Nature(Enum):
    """What type the values have."""

    TEXT = auto()
    WHOLE = auto()
    NUMBER = auto()
    DATE = auto()
    MOMENT = auto()
    TRUTH = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True, repr=False)
class Sampled:
    """One column's sampled values: `texts` and `numbers` are distinct, and may be empty. `repr` shows none."""

    nature: Nature
    rows: int
    missing: int
    texts: Any  # Any: a pyarrow.StringArray
    numbers: Any = None  # Any: a numpy array of floats, None for what is no number

    @property
    def distinct(self) -> int:
        """How many distinct values are looked at."""
        return len(self.texts)

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to judge by."""
        return self.rows == self.missing

    def __repr__(self) -> str:
        return f"<{self.nature.name}: {self.rows} rows, {self.distinct} distinct>"


def sampled(values: Any) -> Sampled:  # Any: a pyarrow array
    """The values of a column without lists and objects, ready to be looked at."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pt.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind, rows, missing = values.type, len(values), values.null_count
    if pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind):
        return _texts(values, rows)
    if pt.is_boolean(kind):
        return Sampled(Nature.TRUTH, rows, missing, pc.unique(values.drop_null()).cast(pa.string()))
    if pt.is_date(kind) or pt.is_timestamp(kind):
        nature = Nature.DATE if pt.is_date(kind) else Nature.MOMENT
        return Sampled(nature, rows, missing, pc.unique(values.drop_null()).cast(pa.string()))
    if pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind):
        return _numbers(values, rows)
    return Sampled(Nature.OTHER, rows, missing, pa.array([], pa.string()))


def leaves(name: str, values: Any, *, depth: int = 0) -> Iterator[tuple[str, Any]]:  # Any: a pyarrow array
    """The innermost values of a column with their names; a column that has no inside is its own."""
    import pyarrow as pa
    import pyarrow.types as pt

    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    kind = values.type
    if depth < DEPTH_MAX and pt.is_struct(kind):
        for index in range(kind.num_fields):
            yield from leaves(kind.field(index).name, values.field(index), depth=depth + 1)
    elif depth < DEPTH_MAX and pt.is_map(kind):
        yield from leaves(name, values.keys, depth=depth + 1)
        yield from leaves(name, values.items, depth=depth + 1)
    elif depth < DEPTH_MAX and (pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind)):
        yield from leaves(name, values.flatten(), depth=depth + 1)
    else:
        yield name, values


def _texts(values: Any, rows: int) -> Sampled:  # Any: a pyarrow array
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = values if values.type == pa.string() else values.cast(pa.string())
    distinct = plain.value_counts()
    whole, counts = distinct.field(0), distinct.field(1)
    longest = pc.max(pc.binary_length(whole)).as_py() or 0
    cut = pc.utf8_slice_codeunits(whole, 0, LENGTH_MAX) if longest > LENGTH_MAX else whole
    trimmed = pc.utf8_trim_whitespace(cut)
    has_value = pc.fill_null(pc.greater(pc.binary_length(trimmed), 0), False)
    found = pc.unique(trimmed.filter(has_value))
    missing = rows - (pc.sum(counts.filter(has_value)).as_py() or 0)
    return Sampled(Nature.TEXT, rows, missing, found)


def _numbers(values: Any, rows: int) -> Sampled:  # Any: a pyarrow array
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    distinct = pc.unique(values.drop_null())
    kind = values.type
    numbers = distinct.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    finite = np.isfinite(numbers)
    missing = values.null_count
    if pt.is_integer(kind):
        return Sampled(Nature.WHOLE, rows, missing, distinct.cast(pa.string()), numbers)
    whole = finite.any() and bool((np.abs(numbers[finite]) < _EXACT).all() and (numbers[finite] % 1 == 0).all())
    if pt.is_decimal(kind) and kind.scale == 0:
        return Sampled(Nature.WHOLE, rows, missing, distinct.cast(pa.string()), numbers)
    if whole and np.abs(numbers[finite]).max() >= 1e6:
        digits = pa.array(numbers[finite].astype(np.int64)).cast(pa.string())
        return Sampled(Nature.WHOLE, rows, missing, digits, numbers[finite])
    return Sampled(Nature.NUMBER, rows, missing, distinct.cast(pa.string()), numbers[finite])
