"""How MySQL counts its columns, and how it writes a row for the row hash (see `lastro.source.database.tally`)."""

from __future__ import annotations

from collections.abc import Sequence

from lastro.model.reconciliation import Totals
from lastro.source.database import survey as surveys
from lastro.source.database.survey import Counted
from lastro.source.database.tally import FLOAT_LIMIT, hashable, summing
from lastro.source.mysql.columns import Column, quoted
from lastro.source.mysql.session import Session


def survey(session: Session, rows: str, columns: Sequence[Column], *, hashed: Sequence[str] | None = None) -> Totals:
    """The server's own totals of these rows, in the session's snapshot."""
    written = None
    if hashed is not None:
        named = [column for column in columns if column.name in hashed]
        written = _row_hash(named)
    return surveys.survey(session.row, rows, [_counted(column) for column in columns], row_hash=written)


def hashed(columns: Sequence[Column]) -> tuple[str, ...]:
    """The columns in the row hash: all but floating-point numbers, whose bytes MySQL does not show."""
    return tuple(column.name for column in columns if column.kind != "float" and hashable(column.arrow))


def _counted(column: Column) -> Counted:
    values = f"count({quoted(column.name)})" if column.nullable else None
    match summing(column.arrow):
        case "exact":
            return Counted(column.name, values, f"sum({column.expression})")
        case "approximate":
            number = f"({column.expression})"
            total = f"sum(CASE WHEN abs({number}) < {FLOAT_LIMIT!r} THEN {number} END)"
            return Counted(column.name, values, total, approximate=True)
        case _:
            return Counted(column.name, values)


def _row_hash(columns: Sequence[Column]) -> str:
    pieces = [_piece(column) for column in columns] or ["''"]
    return f"sum(CAST(conv(left(md5(concat({', '.join(pieces)})), 15), 16, 10) AS UNSIGNED))"


def _piece(column: Column) -> str:
    text = _text(column)
    return f"ifnull(concat(octet_length({text}), ':', {text}), '-')"


def _text(column: Column) -> str:
    import pyarrow as pa

    name = column.expression
    if column.kind == "binary":
        return f"lower(hex({name}))"
    if pa.types.is_decimal128(column.arrow) and column.arrow.scale:
        return f"CAST(CAST({name} * 1{'0' * column.arrow.scale} AS DECIMAL(65, 0)) AS CHAR CHARACTER SET utf8mb4)"
    if column.kind in ("number", "decimal") and column.arrow != pa.string():
        return f"CAST({name} + 0 AS CHAR CHARACTER SET utf8mb4)"
    text = f"CAST({name} AS CHAR CHARACTER SET utf8mb4)"
    return f"concat({text}, '{column.suffix}')" if column.suffix else text
