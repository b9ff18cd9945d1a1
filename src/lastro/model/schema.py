"""Schemas: the types a column can have, independent of any engine.

The names are Delta Lake's (and Spark's), so that `to_delta` is a plain rendering of
https://github.com/delta-io/delta/blob/master/PROTOCOL.md#schema-serialization-format.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_DECIMAL = re.compile(r"decimal\((\d{1,2}),\s*(\d{1,2})\)")


class Primitive(StrEnum):
    """A type without parameters, by its Delta name. Timestamps are in microseconds."""

    STRING = "string"
    LONG = "long"
    INTEGER = "integer"
    SHORT = "short"
    BYTE = "byte"
    DOUBLE = "double"
    FLOAT = "float"
    BOOLEAN = "boolean"
    BINARY = "binary"
    DATE = "date"
    TIMESTAMP = "timestamp"
    """A moment, stored in UTC."""
    TIMESTAMP_NTZ = "timestamp_ntz"
    """A date and time of day without a zone."""


@dataclass(frozen=True, slots=True)
class Decimal:
    """An exact number with `precision` digits (1 to 38), `scale` of them after the point."""

    precision: int
    scale: int

    def __post_init__(self) -> None:
        if not (1 <= self.precision <= 38 and 0 <= self.scale <= self.precision):
            raise ValueError(f"decimal({self.precision},{self.scale}) is out of range")


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of values of one type."""

    item: Type


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map from keys to values."""

    key: Type
    value: Type


@dataclass(frozen=True, slots=True)
class StructOf:
    """Named fields."""

    fields: tuple[Field, ...]


Type = Primitive | Decimal | ListOf | MapOf | StructOf


@dataclass(frozen=True, slots=True)
class Field:
    """A named column or struct member."""

    name: str
    type: Type
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, in order."""

    fields: tuple[Field, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(field.name for field in self.fields)

    def field(self, name: str) -> Field:
        """The column of that name. Raises `KeyError`."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    def to_delta(self) -> str:
        """The schema as Delta's (and Spark's) JSON text."""
        return json.dumps(_delta_type(StructOf(self.fields)), separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_delta(cls, text: str) -> Schema:
        """Reads what `to_delta`, delta-rs or Spark wrote. Raises `ValueError` on a type Lastro does not know."""
        struct = _from_delta(json.loads(text))
        if not isinstance(struct, StructOf):
            raise ValueError("a schema is a struct")
        return cls(struct.fields)


def type_text(kind: Type) -> str:
    """The type as a person reads it: `long`, `decimal(12,2)`, `list<string>`, `struct<a: long>`."""
    match kind:
        case Primitive():
            return kind.value
        case Decimal(precision, scale):
            return f"decimal({precision},{scale})"
        case ListOf(item):
            return f"list<{type_text(item)}>"
        case MapOf(key, value):
            return f"map<{type_text(key)}, {type_text(value)}>"
        case StructOf(fields):
            return f"struct<{', '.join(f'{field.name}: {type_text(field.type)}' for field in fields)}>"


def members(kind: Type) -> Iterator[str]:
    """The names of all members within a nested type."""
    match kind:
        case StructOf(fields):
            for field in fields:
                yield field.name
                yield from members(field.type)
        case ListOf(item):
            yield from members(item)
        case MapOf(_, value):
            yield from members(value)


def _delta_type(kind: Type) -> Any:  # Any: a JSON value
    match kind:
        case ListOf(item):
            return {"type": "array", "elementType": _delta_type(item), "containsNull": True}
        case MapOf(key, value):
            return {
                "type": "map",
                "keyType": _delta_type(key),
                "valueType": _delta_type(value),
                "valueContainsNull": True,
            }
        case StructOf(fields):
            return {"type": "struct", "fields": [_delta_field(field) for field in fields]}
        case _:
            return type_text(kind)


def _delta_field(field: Field) -> dict[str, Any]:  # Any: JSON values
    return {"name": field.name, "type": _delta_type(field.type), "nullable": field.nullable, "metadata": {}}


def _from_delta(value: Any) -> Type:  # Any: a JSON value
    if isinstance(value, str):
        return _simple_from_delta(value)
    match value["type"]:
        case "array":
            return ListOf(_from_delta(value["elementType"]))
        case "map":
            return MapOf(_from_delta(value["keyType"]), _from_delta(value["valueType"]))
        case "struct":
            return StructOf(tuple(_field_from_delta(field) for field in value["fields"]))
        case other:
            raise ValueError(f"unknown type {other!r}")


def _field_from_delta(value: dict[str, Any]) -> Field:  # Any: JSON values
    return Field(value["name"], _from_delta(value["type"]), bool(value.get("nullable", True)))


def _simple_from_delta(text: str) -> Type:
    if found := _DECIMAL.fullmatch(text):
        return Decimal(int(found[1]), int(found[2]))
    return Primitive(text)
