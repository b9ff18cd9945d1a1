"""PostgreSQL's columns: which of them Arrow can hold whole, and how the others are turned into text.

Rules:

1. Whole numbers, floats, booleans, texts and bytes arrive as they are; `numeric(p, s)` up to 38 digits as a decimal;
   dates and timestamps as Arrow's, in microseconds, `timestamptz` in UTC.
2. A reading in which a date or timestamp lies outside the years 1 to 9999 (or is infinite), or a `numeric(p, s)` is
   NaN, brings that column as text, spelled by PostgreSQL. If nobody looked beforehand, it is refused, with the repair.
3. What is text by its type (char, enum, bit, network addresses, …) says so, and is not taken for a number later; text
   that stands for a number, a date, JSON, an array or a composite is.
4. All else arrives as text: numerics without a precision, uuid, enums, json, intervals, ranges; arrays and composites
   as JSON. A domain arrives as what it is made of.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from lastro.model.declared import TEXT
from lastro.model.errors import ConfigurationError, SourceBroken
from lastro.model.text import _
from lastro.source.database.select import quoted

_AS_THEY_ARE = {"int2", "int4", "int8", "float4", "float8", "bool", "text", "varchar", "name", "bytea"}
_STAND_INS = {"numeric", "money", "json", "jsonb", "date", "timestamp", "timestamptz"}
_PRECISION_MAX = 38
FIRST, BEYOND = "0001-01-01", "10000-01-01"
"""Dates and moments from the first up to (and without) the second arrive as such."""
_DAY_US = 86_400 * 10**6
_DAYS = (-719_162, 2_932_897)  # the same, as days since 1970-01-01


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, PostgreSQL's type, the SQL of the value that is read, and the Arrow type it arrives with."""

    name: str
    type: str
    value: str
    arrow: Any  # Any: pyarrow.DataType

    @property
    def expression(self) -> str:
        """How a SELECT asks for it."""
        return f"{self.value} AS {quoted(self.name)}"

    @property
    def narrow(self) -> bool:
        """True if PostgreSQL's type has values that this Arrow type has not (rule 2)."""
        return self.temporal or self.decimal

    @property
    def temporal(self) -> bool:
        """True for dates and timestamps."""
        import pyarrow as pa

        return bool(pa.types.is_date32(self.arrow) or pa.types.is_timestamp(self.arrow))

    @property
    def literal(self) -> bool:
        """True for what is text by its own type (rule 3)."""
        import pyarrow as pa

        stands_in = self.type in _STAND_INS or self.value.startswith("to_json(")
        return bool(pa.types.is_string(self.arrow)) and not stands_in

    @property
    def decimal(self) -> bool:
        """True for decimals."""
        import pyarrow as pa

        return bool(pa.types.is_decimal128(self.arrow))

    def as_text(self) -> Column:
        """The same column, brought as text."""
        import pyarrow as pa

        return replace(self, value=f"{quoted(self.name)}::text", arrow=pa.string())


def columns_of(schema: Any, label: str) -> tuple[Column, ...]:  # Any: pyarrow.Schema
    """The columns of a relation, as ADBC describes it. Raises `ConfigurationError`, `SourceBroken`."""
    names = schema.names
    if not names:
        raise SourceBroken(_("it has no columns"), where=label, do=_("choose another table"))
    if len(set(names)) != len(names):
        raise ConfigurationError(
            _("two columns of the query have the same name"), where=label, do=_("name them apart with AS")
        )
    return tuple(_column(field) for field in schema)


def schema_of(columns: tuple[Column, ...]) -> Any:  # Any: pyarrow.Schema
    """The schema the columns arrive with."""
    import pyarrow as pa

    return pa.schema(
        [pa.field(column.name, column.arrow, metadata=TEXT if column.literal else None) for column in columns]
    )


@dataclass(frozen=True, slots=True)
class Conversion:
    """From batches as ADBC gives them to exactly our schema."""

    columns: tuple[Column, ...]
    label: str

    @property
    def schema(self) -> Any:  # Any: pyarrow.Schema
        """What batches have afterwards."""
        return schema_of(self.columns)

    def __call__(self, batch: Any) -> Any:  # Any: pyarrow.RecordBatch
        """The batch converted. Raises `SourceBroken` for what its type cannot hold (rule 2)."""
        import pyarrow as pa

        arrays = [self._array(column, array) for column, array in zip(self.columns, batch.columns, strict=True)]
        return pa.record_batch(arrays, schema=self.schema)

    def _array(self, column: Column, array: Any) -> Any:  # Any: pyarrow.Array
        import pyarrow as pa

        plain = array.storage if isinstance(array, pa.ExtensionArray) else array
        if plain.type != column.arrow:
            try:
                return plain.cast(column.arrow)
            except pa.ArrowInvalid:
                raise _cannot_hold(column, _("NaN"), self.label) from None
        if column.temporal and _outside(plain):
            raise _cannot_hold(column, _("a date beyond the years 1 to 9999"), self.label)
        return plain


def _outside(array: Any) -> bool:  # Any: pyarrow.Array of dates or timestamps
    import pyarrow as pa
    import pyarrow.compute as pc

    days = pa.types.is_date32(array.type)
    found = pc.min_max(array.view(pa.int32() if days else pa.int64()))
    low, high = found["min"].as_py(), found["max"].as_py()
    unit = 1 if days else _DAY_US
    return low is not None and (low < _DAYS[0] * unit or high >= _DAYS[1] * unit)


def _column(field: Any) -> Column:  # Any: pyarrow.Field
    import pyarrow as pa

    metadata = field.metadata or {}
    kind = metadata.get(b"POSTGRESQL:type", b"").decode()
    name = quoted(field.name)
    if kind in _AS_THEY_ARE:
        return Column(field.name, kind, name, field.type)
    if kind in ("date", "timestamp", "timestamptz"):
        return Column(field.name, kind, name, _temporal(kind))
    if kind == "numeric":
        precision, scale = _numeric(int(metadata.get(b"POSTGRESQL:typmod", b"-1")))
        if 1 <= precision <= _PRECISION_MAX and 0 <= scale <= precision:
            return Column(field.name, kind, f"{name}::text", pa.decimal128(precision, scale))
    return Column(field.name, kind, _as_text(name, kind, field.type), pa.string())


def _temporal(kind: str) -> Any:  # Any: pyarrow.DataType
    import pyarrow as pa

    return pa.date32() if kind == "date" else pa.timestamp("us", tz="UTC" if kind == "timestamptz" else None)


def _as_text(name: str, kind: str, arrow: Any) -> str:  # Any: pyarrow.DataType
    import pyarrow as pa

    if kind.startswith("_") or pa.types.is_list(arrow) or pa.types.is_struct(arrow) or kind == "record":
        return f"to_json({name})::text"
    if kind == "money":
        return f"{name}::numeric::text"  # as text, money is written in the server's locale
    return f"{name}::text"


def _numeric(typmod: int) -> tuple[int, int]:
    """Precision and scale as PostgreSQL packs them: 16 bits, and 11 bits with a sign; none at all is -1."""
    if typmod < 4:
        return 0, 0
    return (typmod - 4) >> 16 & 0xFFFF, (((typmod - 4) & 0x7FF) ^ 1024) - 1024


def _cannot_hold(column: Column, what: str, label: str) -> SourceBroken:
    return SourceBroken(
        _("{column} holds {what}, which its type here cannot").format(column=column.name, what=what),
        where=label,
        do=_("leave reconcile on, which brings such a column as text, or select {column}::text in a query").format(
            column=column.name
        ),
    )
