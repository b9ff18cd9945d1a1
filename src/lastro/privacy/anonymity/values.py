"""The distinct values of a column, as hierarchies are made of them.

Rules:

1. A missing value and NaN are one value: missing. Infinities are values of their own.
2. Dates and moments are counted as days and microseconds, so that any year is one, also beyond 9999.
3. The text of a value is the one that a person would write: numbers without trailing zeros, dates as ISO 8601.
4. A person whose identifier is spelt in two ways is one person.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lastro.privacy.anonymity.hierarchy import Codes, Floats, Label
from lastro.privacy.canonical import form_of


class Nature(StrEnum):
    """What values are, as far as hierarchies are concerned."""

    DATE = "dates"
    MOMENT = "moments"
    NUMBER = "numbers"
    TEXT = "texts"


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The distinct values of a column: their texts (None: missing), how many rows have each, and – of dates, moments
    and numbers – their places on a line (days, microseconds, numbers; NaN where there is none).
    """

    nature: Nature
    texts: tuple[Label, ...]
    counts: Codes
    places: NDArray[np.float64]
    whole: bool = False
    """True for whole numbers."""

    def order(self) -> Codes:
        """The rank of each value; those without a place are the last."""
        keys = self.places if self.nature is not Nature.TEXT else _ranks(self.texts)
        _known, ranks = np.unique(keys, return_inverse=True)
        return ranks.astype(np.int64)


def persons(values: Values, kind: str) -> Codes:
    """Of each value of a subject's column the number of the person whom it names, from 0 (rule 4)."""
    form, numbers = form_of(kind), dict[Label, int]()
    named = (None if text is None else form(text) for text in values.texts)
    return np.array([numbers.setdefault(each, len(numbers)) for each in named], dtype=np.int64)


def values_of(column: Any) -> tuple[Values, Codes]:  # Any: a pyarrow array or chunked array
    """The distinct values of a column, and of each row which one it has.

    Raises `TypeError` for nested columns.
    """
    import pyarrow as pa

    if pa.types.is_nested(column.type) or pa.types.is_interval(column.type):
        raise TypeError("nested values have no hierarchy")
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    chunks = pa.chunked_array([column]) if isinstance(column, pa.Array) else column
    coded = chunks.dictionary_encode().unify_dictionaries()
    known = coded.chunk(0).dictionary if coded.num_chunks else pa.nulls(0, column.type)
    missing = len(known)
    parts = [part.indices.cast(pa.int64()).fill_null(missing).to_numpy(zero_copy_only=False) for part in coded.chunks]
    codes = np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, dtype=np.int64)
    nature, texts, places, whole = _described(known)
    if chunks.null_count:
        texts, places = [*texts, None], np.append(places, math.nan)
    counts = np.bincount(codes, minlength=len(texts)).astype(np.int64)
    return Values(nature, tuple(texts), counts, places, whole), codes


def _described(known: Any) -> tuple[Nature, Sequence[Label], Floats, bool]:  # Any: a pyarrow array
    import pyarrow as pa

    kind = known.type
    if pa.types.is_date(kind):
        days = known.cast(pa.date32()).cast(pa.int32())
        return Nature.DATE, *_moments(days, "D"), False
    if pa.types.is_timestamp(kind):
        moments = known.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64())
        return Nature.MOMENT, *_moments(moments, "us"), False
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = known.to_pylist()
        places = np.array([math.nan if value is None else _float(value) for value in values], dtype=np.float64)
        texts = [_number(value) for value in values]
        return Nature.NUMBER, texts, places, bool(pa.types.is_integer(kind))
    texts = [_text(value) for value in known.to_pylist()]
    return Nature.TEXT, texts, np.full(len(texts), math.nan), False


def _moments(numbers: Any, unit: str) -> tuple[list[Label], Floats]:  # Any: a pyarrow array of whole numbers
    missing = numbers.is_null().to_numpy(zero_copy_only=False)
    plain = numbers.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    texts = np.datetime_as_string(plain.astype(f"datetime64[{unit}]")).tolist()
    labels: list[Label] = [None if gone else _short(text) for gone, text in zip(missing, texts, strict=True)]
    return labels, np.where(missing, math.nan, plain.astype(np.float64))


def _short(text: str) -> str:
    """A moment without a fraction of zeros."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _float(value: int | float | Decimal) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _number(value: int | float | Decimal | None) -> Label:
    if value is None or value != value:
        return None
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(value: object) -> Label:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case bytes():
            return value.hex()
        case _:
            return str(value)


def _ranks(texts: Sequence[Label]) -> Floats:
    places = {text: place for place, text in enumerate(sorted(text for text in texts if text is not None))}
    return np.array([math.nan if text is None else places[text] for text in texts])
