"""Splits: every row has its side for good, whatever is added later.

Rules:

1. A row's side depends on its key, the fractions and the seed: never on other rows, their order, the engine or a
   library's version.
2. A key's canonical text is: a whole number in decimal digits; text as it is; a boolean as `true` or `false`; a date as
   days and a moment as microseconds since 1970-01-01 in decimal digits; an exact decimal in plain notation without
   trailing zeros; bytes as they are. Floating-point and nested columns are no keys.
3. The key's hash is XXH64 of its UTF-8 text under the seed; with several columns, each one's hash is the next one's
   seed. The first fraction gets the hashes below `fraction * 2**64`, the next those after it, and so on.
4. A row with a missing key value goes to the first side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from lastro.model.errors import UnknownName, UsageError
from lastro.model.reference import check_name
from lastro.model.schema import Decimal, Field, Primitive, Schema, type_text
from lastro.model.text import _
from lastro.workspace.training.rows import Rows
from lastro.workspace.training.xxh64 import xxh64

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HALVES: Mapping[str, float] = {"train": 0.8, "test": 0.2}
SLICE_ROWS = 1 << 16
_KEYS = frozenset(Primitive) - {Primitive.DOUBLE, Primitive.FLOAT}


def split(rows: Rows, key: Sequence[str], fractions: Mapping[str, float], *, seed: int) -> Mapping[str, Rows]:
    """One view per fraction, by its name; together they hold every row once. Nothing is read before it is asked for.

    Raises `UsageError` if the fractions are not positive numbers that sum to 1, the seed is not a number of 64 bits or
    a column is no key, `UnknownName` if there is no such column.
    """
    limits = _limits(fractions)
    if not 0 <= seed < 1 << 64:
        raise UsageError(_("a seed is a whole number from 0 to 2**64 - 1"), do=_("choose a small one, such as 0"))
    fields = tuple(_key_field(rows.schema, name) for name in key)
    if not fields:
        raise UsageError(_("a split needs a key column"), do=_("name the column that identifies a row: by='id'"))
    sides = _Sides(rows, fields, limits, seed)
    schema = Schema(tuple(rows.schema.field(name) for name in rows.readable))
    return {
        name: Rows(
            f"{rows.label}[{name}]", schema, rows.engine, partial(sides.opened, side), partial(sides.count, side)
        )
        for side, name in enumerate(fractions)
    }


class _Sides:
    """The split of one version: which rows are on which side."""

    def __init__(self, rows: Rows, fields: tuple[Field, ...], limits: Sequence[int], seed: int) -> None:
        self._rows = rows
        self._fields = fields
        self._limits = limits
        self._seed = seed

    def opened(self, side: int, columns: Sequence[str], where: str | None) -> Any:  # Any: an Arrow stream
        import pyarrow as pa

        keys = [field.name for field in self._fields]
        reader = self._rows.reader(*dict.fromkeys((*columns, *keys)), where=where)
        schema = pa.schema([reader.schema.field(name) for name in columns])
        chosen = (batch.filter(pa.array(sides == side)).select(columns) for batch, sides in self._judged(reader))
        return pa.RecordBatchReader.from_batches(schema, (batch for batch in chosen if batch.num_rows))

    def count(self, side: int) -> int:
        return self._counts[side]

    @cached_property
    def _counts(self) -> tuple[int, ...]:
        import numpy as np

        total = np.zeros(len(self._limits) + 1, dtype=np.int64)
        reader = self._rows.reader(*(field.name for field in self._fields))
        for _batch, sides in self._judged(reader):
            total += np.bincount(sides, minlength=len(total))
        return tuple(int(count) for count in total)

    def _judged(self, reader: Any) -> Iterator[tuple[Any, NDArray[np.int64]]]:  # Any: pyarrow reader and batches
        for batch in reader:
            for start in range(0, batch.num_rows, SLICE_ROWS):
                part = batch.slice(start, SLICE_ROWS)
                yield part, sides_of(part, self._fields, self._limits, self._seed)


def sides_of(
    batch: Any,  # Any: a pyarrow.RecordBatch
    fields: Sequence[Field],
    limits: Sequence[int],
    seed: int,
) -> NDArray[np.int64]:
    """The side of each row: 0 for hashes below the first limit, and so on."""
    import numpy as np

    hashes = np.full(batch.num_rows, seed, dtype=np.uint64)
    missing = np.zeros(batch.num_rows, dtype=bool)
    for field in fields:
        column = batch.column(field.name)
        missing |= column.is_null().to_numpy(zero_copy_only=False)
        hashes = xxh64(*_texts(column, field), hashes)
    sides = np.searchsorted(np.array(limits, dtype=np.uint64), hashes, side="right")
    return np.where(missing, 0, sides)


def _limits(fractions: Mapping[str, float]) -> tuple[int, ...]:
    """The first hash of each side but the first one's, computed exactly from the fractions' shortest decimal form."""
    shares = []
    for name, fraction in fractions.items():
        check_name(name)
        if not 0 < fraction <= 1:
            raise UsageError(
                _("the fraction {name} is not between 0 and 1").format(name=name), do=_("such as train=0.8, test=0.2")
            )
        shares.append(Fraction(repr(float(fraction))))
    if not shares or abs(sum(shares, Fraction(0)) - 1) > Fraction(1, 10**9):
        raise UsageError(
            _("the fractions sum to {total}, not to 1").format(total=float(sum(shares, Fraction(0)))),
            do=_("such as train=0.8, test=0.2"),
        )
    limits = [int(sum(shares[: place + 1], Fraction(0)) * 2**64) for place in range(len(shares) - 1)]
    return tuple(min(limit, 2**64 - 1) for limit in limits)


def _key_field(schema: Schema, name: str) -> Field:
    if name not in schema.names:
        raise UnknownName(
            _("there is no column {name}").format(name=name),
            do=_("choose among: {names}").format(names=", ".join(schema.names)),
        )
    field = schema.field(name)
    if not isinstance(field.type, Decimal) and field.type not in _KEYS:
        raise UsageError(
            _("{name} is {type}: no key to split by").format(name=name, type=type_text(field.type)),
            do=_("choose a whole number, text, date or moment that identifies a row"),
        )
    return field


def _texts(column: Any, field: Field) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:  # Any: a pyarrow array
    """The canonical texts as one block of bytes and where each ends; a missing value is an empty text."""
    import numpy as np
    import pyarrow as pa

    texts = _canonical(column, field).cast(pa.large_binary()).fill_null(b"")
    _validity, ends, data = texts.buffers()
    span = np.frombuffer(ends, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data or b"", dtype=np.uint8), span


def _canonical(column: Any, field: Field) -> Any:  # Any: pyarrow arrays
    import pyarrow as pa

    match field.type:
        case Decimal():
            return pa.array([None if value is None else _plain(value) for value in column.to_pylist()], pa.string())
        case Primitive.STRING | Primitive.BINARY:
            return column
        case Primitive.BOOLEAN:
            return pa.compute.if_else(column, "true", "false")
        case Primitive.DATE:
            return column.cast(pa.int32()).cast(pa.string())
        case Primitive.TIMESTAMP | Primitive.TIMESTAMP_NTZ:
            moments = pa.timestamp("us", column.type.tz)
            return column.cast(moments).cast(pa.int64()).cast(pa.string())
        case _:
            return column.cast(pa.int64()).cast(pa.string())


def _plain(value: Any) -> str:  # Any: a decimal.Decimal
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text
