"""What a table declares, as SQLAlchemy and ADBC tell it; nothing where the dialect or the driver cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lastro.model.declared import Declared
from lastro.model.schema import Decimal, Primitive, Type

_NAMED_TYPES = (
    ("Boolean", Primitive.BOOLEAN),
    ("Integer", Primitive.LONG),
    ("Float", Primitive.DOUBLE),
    ("Date", Primitive.DATE),
    ("String", Primitive.STRING),
)


def by_inspector(engine: Any, parts: tuple[str, ...]) -> Declared:  # Any: sqlalchemy.Engine
    """The primary key, and the types of columns, which all arrive as text. It takes a connection of its own."""
    import sqlalchemy

    place = ".".join(parts[:-1]) or None
    try:
        inspector = sqlalchemy.inspect(engine)
        key = inspector.get_pk_constraint(parts[-1], schema=place).get("constrained_columns") or ()
        columns = inspector.get_columns(parts[-1], schema=place)
    except (sqlalchemy.exc.SQLAlchemyError, NotImplementedError):  # a view, or a dialect that cannot tell
        return Declared()
    types = {column["name"]: found for column in columns if (found := _type_of(column["type"])) is not None}
    return Declared(tuple(map(str, key)), types)


def by_objects(connection: Any, parts: tuple[str, ...]) -> Declared:  # Any: adbc_driver_manager.dbapi.Connection
    """The primary key; columns arrive with their types."""
    import adbc_driver_manager as adbc
    import pyarrow as pa

    place = parts[-2] if len(parts) > 1 else None
    try:
        asked = {"depth": "all", "table_name_filter": parts[-1], "db_schema_filter": place}
        with connection.adbc_get_objects(**asked) as reader:
            catalogs = reader.read_all().to_pylist()
    except (adbc.Error, pa.ArrowException, OSError):  # a driver need not list what is there
        return Declared()
    found = [key for schema, table, key in _keys(catalogs) if table == parts[-1] and place in (None, schema)]
    return Declared(found[0]) if len(found) == 1 else Declared()


def _keys(catalogs: list[dict[str, Any]]) -> Iterator[tuple[str, str, tuple[str, ...]]]:  # Any: Arrow's plain values
    """Schema, table and primary key of all tables with one, in ADBC's form."""
    for catalog in catalogs:
        for schema in catalog["catalog_db_schemas"] or ():
            for table in schema["db_schema_tables"] or ():
                for constraint in table["table_constraints"] or ():
                    if constraint["constraint_type"] == "PRIMARY KEY":
                        key = tuple(constraint["constraint_column_names"] or ())
                        yield schema["db_schema_name"] or "", table["table_name"], key


def _type_of(kind: Any) -> Type | None:  # Any: sqlalchemy.types.TypeEngine
    from sqlalchemy import types

    if isinstance(kind, types.DateTime):
        return Primitive.TIMESTAMP if kind.timezone else Primitive.TIMESTAMP_NTZ
    if isinstance(kind, types.Numeric) and not isinstance(kind, types.Float):
        precision, scale = kind.precision or 0, kind.scale or 0
        return Decimal(precision, scale) if 1 <= precision <= 38 and 0 <= scale <= precision else None
    return next((found for name, found in _NAMED_TYPES if isinstance(kind, getattr(types, name))), None)
