"""PostgreSQL's columns: which of them Arrow can hold whole, and how the others are turned into text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lastro.model.errors import ConfigurationError, SourceBroken
from lastro.model.text import _
from lastro.source.select import quoted

_AS_THEY_ARE = {"int2", "int4", "int8", "float4", "float8", "bool", "text", "varchar", "name", "bytea"}
_PRECISION_MAX = 38


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, PostgreSQL's type, the expression that selects it, and the Arrow type it arrives with."""

    name: str
    type: str
    expression: str
    arrow: Any  # Any: pyarrow.DataType


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

    return pa.schema([pa.field(column.name, column.arrow) for column in columns])


def converted(batch: Any, columns: tuple[Column, ...], schema: Any, label: str) -> Any:  # Any: pyarrow's batch, schema
    """A batch as ADBC gives it, with exactly our schema. Raises `SourceBroken` for a NaN where a decimal is due."""
    import pyarrow as pa

    arrays = []
    for column, array in zip(columns, batch.columns, strict=True):
        plain = array.storage if isinstance(array, pa.ExtensionArray) else array
        try:
            arrays.append(plain if plain.type == column.arrow else plain.cast(column.arrow))
        except pa.ArrowInvalid:
            raise _no_decimal(column, label) from None
    return pa.record_batch(arrays, schema=schema)


def _column(field: Any) -> Column:  # Any: pyarrow.Field
    import pyarrow as pa

    metadata = field.metadata or {}
    kind = metadata.get(b"POSTGRESQL:type", b"").decode()
    name = quoted(field.name)
    if kind in _AS_THEY_ARE:
        return Column(field.name, kind, name, field.type)
    if kind == "numeric":
        precision, scale = _numeric(int(metadata.get(b"POSTGRESQL:typmod", b"-1")))
        if 1 <= precision <= _PRECISION_MAX and 0 <= scale <= precision:
            return Column(field.name, kind, name, pa.decimal128(precision, scale))
    return Column(field.name, kind, _as_text(name, kind, field.type), pa.string())


def _as_text(name: str, kind: str, arrow: Any) -> str:  # Any: pyarrow.DataType
    import pyarrow as pa

    if kind.startswith("_") or pa.types.is_list(arrow) or pa.types.is_struct(arrow) or kind == "record":
        return f"to_json({name})::text AS {name}"
    if kind == "money":
        return f"{name}::numeric::text AS {name}"  # as text, money is written in the server's locale
    return f"{name}::text AS {name}"


def _numeric(typmod: int) -> tuple[int, int]:
    """Precision and scale as PostgreSQL packs them: 16 bits, and 11 bits with a sign; none at all is -1."""
    if typmod < 4:
        return 0, 0
    return (typmod - 4) >> 16 & 0xFFFF, (((typmod - 4) & 0x7FF) ^ 1024) - 1024


def _no_decimal(column: Column, label: str) -> SourceBroken:
    return SourceBroken(
        _("{column} holds NaN, which no decimal can").format(column=column.name),
        where=label,
        do=_("read it as text with a query: SELECT …, {column}::text AS {column} FROM …").format(column=column.name),
    )
