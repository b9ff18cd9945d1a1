"""MySQL's columns: with which Arrow type each arrives, and the expression that selects it whole.

Rules:

1. Whole numbers, unsigned ones too, keep their width; BIGINT UNSIGNED and BIT(64) are decimals of 20 digits; BIT is the
   number its bits make; YEAR is a number.
2. DECIMAL arrives exactly: up to 38 digits as a decimal, beyond as text.
3. FLOAT and DOUBLE arrive bit by bit. MySQL shows a FLOAT with six digits, and a DOUBLE(M,D) with D places: adding
   0e0 makes it show the number itself.
4. Dates and times arrive as text, since MySQL has dates no calendar has (0000-00-00, 2026-02-31) and times of day up to
   838 hours. The session is in UTC: a TIMESTAMP ends with `+00`, a DATETIME has no zone.
5. Text of every character set arrives as UTF-8, and so do ENUM, SET, JSON, UUID and INET. BINARY, VARBINARY, BLOB and
   geometries arrive as bytes.
6. CHAR, VARCHAR, ENUM and SET say that they are text, and are not taken for numbers later. TEXT does not: MariaDB keeps
   JSON in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from lastro.model.declared import TEXT
from lastro.model.errors import ConfigurationError, SourceBroken
from lastro.model.schema import Primitive
from lastro.model.text import _
from lastro.source.database.absent import check_named
from lastro.source.mysql.wire import Described

Kind = Literal["number", "decimal", "float", "moment", "text", "binary", "listed"]

_NOT_NULL, _UNSIGNED, _ENUM, _SET = 1, 32, 256, 2048
_TINY, _SHORT, _LONG, _FLOAT, _DOUBLE, _NULL, _TIMESTAMP, _LONGLONG, _INT24 = 1, 2, 3, 4, 5, 6, 7, 8, 9
_DATE, _TIME, _DATETIME, _YEAR, _NEWDATE, _BIT, _JSON = 10, 11, 12, 13, 14, 16, 245
_DECIMALS = (0, 246)
_CHARACTERS = (15, 253, 254)
_WIDTHS = {_TINY: 8, _SHORT: 16, _INT24: 32, _LONG: 32, _LONGLONG: 64}
_MOMENTS = (_DATE, _NEWDATE, _TIMESTAMP, _DATETIME)
MOMENTS = {"date": Primitive.DATE, "datetime": Primitive.TIMESTAMP_NTZ, "timestamp": Primitive.TIMESTAMP}
"""What a column of text holds, by the type that the server declares (rule 4)."""
_BINARY_CHARSET = 63
_PRECISION_MAX = 38
_FLOATING_DECIMALS = 31
"""What the server says where a floating-point number has as many places as it has."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `suffix` is put behind each text that arrives; `kind` says how its values compare.

    `literal` is text that stands for nothing else (rule 6).
    """

    name: str
    kind: Kind
    expression: str
    arrow: Any  # Any: pyarrow.DataType
    nullable: bool
    suffix: str = ""
    literal: bool = False


def quoted(name: str) -> str:
    """A name as MySQL writes it, whatever the server's `sql_mode`."""
    return "`" + name.replace("`", "``") + "`"


def columns_of(described: tuple[Described, ...], label: str) -> tuple[Column, ...]:
    """The columns of a relation. Raises `ConfigurationError` where two have one name, `SourceBroken` for none."""
    check_named([column.name for column in described], label)
    if len({column.name.casefold() for column in described}) != len(described):
        raise ConfigurationError(
            _("two columns of the query have the same name"), where=label, do=_("name them apart with AS")
        )
    return tuple(_column(column) for column in described)


def schema_of(columns: tuple[Column, ...]) -> Any:  # Any: pyarrow.Schema
    """The schema the columns arrive with."""
    import pyarrow as pa

    return pa.schema(
        [pa.field(column.name, column.arrow, metadata=TEXT if column.literal else None) for column in columns]
    )


def converted(cells: list[Any], columns: tuple[Column, ...], schema: Any, label: str) -> Any:  # Any: Arrow
    """A record batch of exactly our schema from columns of bytes. Raises `SourceBroken` for text that is not UTF-8."""
    import pyarrow as pa

    arrays = []
    for column, array in zip(columns, cells, strict=True):
        try:
            arrays.append(_converted(array, column))
        except pa.ArrowInvalid:
            raise _unreadable(column, label) from None
    return pa.record_batch(arrays, schema=schema)


def _converted(array: Any, column: Column) -> Any:  # Any: pyarrow.Array
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.kind == "binary":
        return array
    text = array.cast(pa.string())
    if column.suffix:
        return pc.binary_join_element_wise(text, column.suffix, "")
    return text if column.arrow == pa.string() else text.cast(column.arrow)


def _column(found: Described) -> Column:
    import pyarrow as pa

    name, nullable = quoted(found.name), not found.flags & _NOT_NULL
    unsigned = bool(found.flags & _UNSIGNED)

    def column(kind: Kind, arrow: Any, *, expression: str = name, suffix: str = "") -> Column:  # Any: an Arrow type
        literal = kind in ("text", "listed") and found.code in _CHARACTERS
        return Column(found.name, kind, expression, arrow, nullable, suffix, literal)

    match found.code:
        case code if code in _WIDTHS:
            return column("number", _integer(_WIDTHS[code], unsigned=unsigned))
        case code if code in _DECIMALS:
            return column("decimal", _decimal(found, unsigned=unsigned))
        case code if code in (_FLOAT, _DOUBLE):
            bare = code == _DOUBLE and found.decimals >= _FLOATING_DECIMALS
            return column(
                "float",
                pa.float32() if code == _FLOAT else pa.float64(),
                expression=name if bare else f"({name} + 0e0)",
            )
        case code if code == _YEAR:
            return column("number", pa.int16())
        case code if code == _BIT:
            return column("number", _integer(64, unsigned=found.length > 63), expression=f"({name} + 0)")
        case code if code in _MOMENTS:
            return column("moment", pa.string(), suffix="+00" if code == _TIMESTAMP else "")
        case code if code in (_TIME, _NULL, _JSON):
            return column("listed", pa.string())
        case _ if found.flags & (_ENUM | _SET):
            return column("listed", pa.string())
        case _ if found.charset == _BINARY_CHARSET:
            return column("binary", pa.binary())
        case _:
            return column("text", pa.string())


def _integer(width: int, *, unsigned: bool) -> Any:  # Any: pyarrow.DataType
    import pyarrow as pa

    if unsigned:
        return {8: pa.uint8(), 16: pa.uint16(), 32: pa.uint32(), 64: pa.decimal128(20, 0)}[width]
    return {8: pa.int8(), 16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[width]


def _decimal(found: Described, *, unsigned: bool) -> Any:  # Any: pyarrow.DataType
    """The server says how many characters the longest value has: sign and point among them."""
    import pyarrow as pa

    precision = found.length - (0 if unsigned else 1) - (1 if found.decimals else 0)
    exact = 1 <= precision <= _PRECISION_MAX and found.decimals <= precision
    return pa.decimal128(precision, found.decimals) if exact else pa.string()


def _unreadable(column: Column, label: str) -> SourceBroken:
    return SourceBroken(
        _("{column} holds a value that is no {type}").format(
            column=column.name, type="UTF-8" if column.kind in ("text", "listed") else str(column.arrow)
        ),
        where=label,
        do=_("correct it at the source, or read its bytes with a query: SELECT …, CAST(… AS BINARY)"),
    )
