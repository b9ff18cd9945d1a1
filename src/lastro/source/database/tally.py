"""The tally: what arrives, counted while record batches stream by, to be held against the source's own count.

Rules:

1. Rows and missing values are counted. Sums of integers and decimals are exact, however large; `exact` writes a sum in
   the one way both sides share: no trailing zeros, no exponent, `0` for the sum of nothing.
2. A sum of floating-point numbers takes in the values smaller in size than `FLOAT_LIMIT` only: NaN, infinities and
   numbers that could overflow a sum stay outside on both sides. It depends on the order of addition; where positive
   and negative values cancel out so far that rounding decides the result, there is no total to compare.
3. The row hash does not depend on the order of rows, and equal rows count as often as they occur. A row's text is its
   values in the columns' order: `-` for a missing value, else the length of its text in bytes, `:`, and the text in
   UTF-8. The first 15 hex digits of the text's MD5 are a number; the hash is the sum of these numbers, in decimal.
4. A value's text in the row hash, by the type it arrives with:
   whole numbers in decimal; booleans `1` and `0`; decimals as the whole number of their last digit's unit (1.50 with
   two decimal places is `150`); floating-point numbers as their IEEE 754 bytes, most significant first, in lower-case
   hex (8 or 16 digits); binary in lower-case hex; dates as days and moments as microseconds since 1970-01-01 (UTC or
   without a zone); text as it is. Other types have no such text: `hashable` says so.

MD5 is here because every database has it; it guards against accidents, not against forgery.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

from lastro.model.reconciliation import ColumnTotals, Totals

FLOAT_LIMIT = 1e200
CANCELLED = 1e-2
"""A sum this small a share of the sum of sizes says nothing: rounding may have made it."""
_INT64_MAX = 2**63 - 1
_DECIMAL_DIGITS = 38


def summing(kind: Any) -> Literal["exact", "approximate"] | None:  # Any: pyarrow.DataType
    """How a column of this Arrow type is summed, if at all."""
    import pyarrow as pa

    if pa.types.is_integer(kind) or pa.types.is_decimal128(kind):
        return "exact"
    return "approximate" if pa.types.is_floating(kind) else None


def hashable(kind: Any) -> bool:  # Any: pyarrow.DataType
    """True if values of this Arrow type have a text in the row hash (rule 4)."""
    import pyarrow as pa

    tests = (
        pa.types.is_integer,
        pa.types.is_boolean,
        pa.types.is_decimal128,
        pa.types.is_float32,
        pa.types.is_float64,
        pa.types.is_binary,
        pa.types.is_date32,
        pa.types.is_string,
    )
    return any(test(kind) for test in tests) or (pa.types.is_timestamp(kind) and kind.unit == "us")


def exact(value: int | Decimal | str | None) -> str:
    """An exact sum as both sides write it; None is the sum of nothing.

    >>> exact("10.500"), exact(Decimal("-0.00")), exact(None), exact(10)
    ('10.5', '0', '0', '10')
    """
    if value is None:
        return "0"
    text = format(Decimal(value), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


class Tally:
    """Counts record batches of one schema. With `hashed`, the columns of that name make the row hash, in this order."""

    def __init__(self, schema: Any, *, hashed: Sequence[str] | None = None) -> None:  # Any: pyarrow.Schema
        self._names: list[str] = list(schema.names)
        self._sums = [_sum_of(field.type) for field in schema]
        self._nulls = [0] * len(self._names)
        self._rows = 0
        self._hashed = None if hashed is None else [self._names.index(name) for name in hashed]
        self._hash = 0

    def add(self, batch: Any) -> None:  # Any: pyarrow.RecordBatch
        """Counts a batch in."""
        self._rows += batch.num_rows
        for index, array in enumerate(batch.columns):
            self._nulls[index] += array.null_count
            found = self._sums[index]
            if found is not None and array.null_count < len(array):
                found.add(array)
        if self._hashed is not None:
            self._hash += row_hash([batch.column(index) for index in self._hashed], batch.num_rows)

    def totals(self) -> Totals:
        """What was counted so far."""
        columns = {
            name: ColumnTotals(nulls) if found is None else found.totals(nulls)
            for name, nulls, found in zip(self._names, self._nulls, self._sums, strict=True)
        }
        return Totals(self._rows, columns, None if self._hashed is None else str(self._hash))


def row_hash(arrays: Sequence[Any], rows: int) -> int:  # Any: pyarrow.Array
    """The sum of the rows' hashes (rule 3). Raises `TypeError` for a type that has no text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pieces: list[Any] = []  # Any: pyarrow.Array
    for array in arrays:
        text = _texts(array)
        length = pc.binary_length(text).cast(pa.string())
        value = pc.binary_join_element_wise(length.cast(pa.binary()), text, pa.scalar(b":", pa.binary()))
        pieces.append(pc.fill_null(value, b"-"))
    if not pieces:
        return 0
    joined = pc.binary_join_element_wise(*pieces, pa.scalar(b"", pa.binary()))
    md5 = hashlib.md5
    digests = b"".join([md5(text, usedforsecurity=False).digest()[:8] for text in joined.to_pylist()])
    return _sum_of_heads(digests, rows)


def _sum_of_heads(digests: bytes, rows: int) -> int:
    """The sum of the first 60 bits of each 8 bytes."""
    import numpy as np

    numbers = np.frombuffer(digests, dtype=">u8", count=rows).astype(np.uint64) >> np.uint64(4)
    low, high = numbers & np.uint64(0xFFFFFFFF), numbers >> np.uint64(32)
    return int(low.sum()) + (int(high.sum()) << 32)


def _texts(array: Any) -> Any:  # Any: pyarrow.Array in, binary pyarrow.Array out
    """The values as rule 4 writes them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_string(kind):
        return array.cast(pa.binary())
    if pa.types.is_binary(kind):
        return _hex(array)
    if pa.types.is_boolean(kind):
        return pc.if_else(array, b"1", b"0")
    if pa.types.is_floating(kind):
        return _hex(_bytes_of_floats(array))
    if pa.types.is_decimal128(kind):
        whole = pa.Array.from_buffers(
            pa.decimal128(kind.precision, 0), len(array), array.buffers(), offset=array.offset
        )
        return whole.cast(pa.string()).cast(pa.binary())
    if pa.types.is_date32(kind):
        array = array.cast(pa.int32())
    elif pa.types.is_timestamp(kind):
        array = array.cast(pa.int64())
    elif not pa.types.is_integer(kind):
        raise TypeError(f"no text in a row hash: {kind}")
    return array.cast(pa.string()).cast(pa.binary())


def _floats(array: Any) -> Any:  # Any: pyarrow.Array without missing values in, numpy.ndarray out
    """The values without a copy. `to_numpy` would load pandas where it is installed."""
    import numpy as np

    kind = np.dtype(f"f{array.type.bit_width // 8}")
    return np.frombuffer(array.buffers()[1] or b"", kind, len(array), array.offset * kind.itemsize)


def _bytes_of_floats(array: Any) -> Any:  # Any: pyarrow.Array
    import numpy as np
    import pyarrow as pa

    size = array.type.bit_width // 8
    plain = _floats(array.fill_null(0.0)).astype(f">f{size}")
    offsets = np.arange(0, size * (len(array) + 1), size, dtype=np.int32)
    missing = None if array.null_count == 0 else array.is_null()
    made = pa.Array.from_buffers(pa.binary(), len(array), [None, pa.py_buffer(offsets), pa.py_buffer(plain.tobytes())])
    return made if missing is None else _where_present(made, missing)


def _where_present(array: Any, missing: Any) -> Any:  # Any: pyarrow.Array
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(missing, pa.scalar(None, array.type), array)


def _hex(array: Any) -> Any:  # Any: pyarrow.Array
    import pyarrow as pa

    return pa.array([None if value is None else value.hex().encode() for value in array.to_pylist()], pa.binary())


class _Whole:
    """The exact sum of integers."""

    def __init__(self) -> None:
        self.total = 0

    def add(self, array: Any) -> None:  # Any: pyarrow.Array
        import pyarrow.compute as pc

        bounds = pc.min_max(array)
        low, high = bounds["min"].as_py(), bounds["max"].as_py()
        if max(-low, high) * len(array) <= _INT64_MAX:
            self.total += pc.sum(array).as_py()
        else:
            self.total += sum(value for value in array.to_pylist() if value is not None)

    def totals(self, nulls: int) -> ColumnTotals:
        return ColumnTotals(nulls, str(self.total))


class _Fixed:
    """The exact sum of decimals."""

    def __init__(self, scale: int) -> None:
        self.unscaled, self.scale = 0, scale

    def add(self, array: Any) -> None:  # Any: pyarrow.Array
        import pyarrow as pa
        import pyarrow.compute as pc

        if array.type.precision + len(str(len(array))) > _DECIMAL_DIGITS:
            array = array.cast(pa.decimal256(76, self.scale))
        found: Decimal = pc.sum(array).as_py()
        sign, digits, exponent = found.as_tuple()
        whole = int("".join(map(str, digits))) * 10 ** (int(exponent) + self.scale)
        self.unscaled += -whole if sign else whole

    def totals(self, nulls: int) -> ColumnTotals:
        sign, digits = "-" if self.unscaled < 0 else "", str(abs(self.unscaled)).zfill(self.scale + 1)
        point = len(digits) - self.scale
        return ColumnTotals(nulls, exact(f"{sign}{digits[:point]}.{digits[point:]}"))


class _Floating:
    """The sum of floating-point numbers, and of their sizes (rule 2)."""

    def __init__(self) -> None:
        self.total = self.size = 0.0

    def add(self, array: Any) -> None:  # Any: pyarrow.Array
        import numpy as np

        numbers = _floats(array.drop_null() if array.null_count else array).astype(np.float64, copy=False)
        sizes = np.abs(numbers)
        with np.errstate(over="ignore"):  # an overflow is what is looked for
            size = float(sizes.sum())
        if not math.isfinite(size) or size >= FLOAT_LIMIT:
            inside = sizes < FLOAT_LIMIT
            numbers, size = numbers[inside], float(sizes[inside].sum())
        self.total += float(numbers.sum())
        self.size += size

    def totals(self, nulls: int) -> ColumnTotals:
        known = abs(self.total) >= CANCELLED * self.size
        return ColumnTotals(nulls, repr(self.total) if known else None, approximate=True)


def _sum_of(kind: Any) -> _Whole | _Fixed | _Floating | None:  # Any: pyarrow.DataType
    import pyarrow as pa

    match summing(kind):
        case "exact":
            return _Fixed(kind.scale) if pa.types.is_decimal128(kind) else _Whole()
        case "approximate":
            return _Floating()
        case _:
            return None
