"""Types: from the logical and physical type of ODCS to a column's type.

Rules:

1. integer: `logicalTypeOptions.format` decides (i8 byte, i16 and u8 short, i32 and u16 integer, i64 and u32 long, u64
   and wider decimal); else `physicalType` (int, smallint, tinyint, and the like); else long.
2. number: `physicalType: decimal(p,s)` or `numeric(p,s)` is exact, `money` is decimal(19,4); `real` and format f32 are
   float; all else is double.
3. timestamp: `timezone: false`, or a physical type without a zone, is a time without zone; else it is a moment in UTC.
   `defaultTimezone` says for moments in which zone a text is meant that tells none.
4. time is kept as text; string is text, unless the physical type is binary.
5. array needs `items`, object needs `properties`, map needs `map`; a vector is a list of numbers.
"""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from lastro.contract.document import Node, shown
from lastro.model.schema import Decimal, Field, ListOf, MapOf, Primitive, StructOf, Type
from lastro.model.text import _

COLUMNS_MAX = 2_000
NAME_MAX = 255

_PHYSICAL = re.compile(
    r"\s*([a-z_][a-z0-9_]*(?: [a-z0-9_]+)*)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?\s*([a-z ]*)", re.IGNORECASE
)
_FORBIDDEN = re.compile('[ ,;{}()\n\t=\x00-\x1f\x7f`"]')
_INTEGERS = {
    "byte": Primitive.BYTE,
    "tinyint": Primitive.BYTE,
    "short": Primitive.SHORT,
    "smallint": Primitive.SHORT,
    "int2": Primitive.SHORT,
    "int": Primitive.INTEGER,
    "integer": Primitive.INTEGER,
    "int4": Primitive.INTEGER,
    "mediumint": Primitive.INTEGER,
    "serial": Primitive.INTEGER,
}
_INTEGER_FORMATS: dict[str, Type] = {
    "i8": Primitive.BYTE,
    "i16": Primitive.SHORT,
    "u8": Primitive.SHORT,
    "i32": Primitive.INTEGER,
    "u16": Primitive.INTEGER,
    "i64": Primitive.LONG,
    "u32": Primitive.LONG,
    "u64": Decimal(20, 0),
    "i128": Decimal(38, 0),
    "u128": Decimal(38, 0),
}
_EXACT = frozenset({"decimal", "numeric", "number", "dec"})
_BINARY = frozenset({"binary", "varbinary", "bytea", "blob"})
_WITHOUT_ZONE = frozenset({"timestamp_ntz", "timestamp without time zone", "datetime", "datetime2"})
_VECTOR_ITEMS = {
    "float64": Primitive.DOUBLE,
    "int8": Primitive.BYTE,
    "uint8": Primitive.SHORT,
    "binary": Primitive.BYTE,
}
_UTC = frozenset({"utc", "etc/utc", "z", "gmt", "etc/gmt", "+00:00"})


def column_type(node: Node) -> Type | None:
    """The type of a column, member or item; None if something is wrong, which is then noted."""
    if node.problems.within(node.path):
        return None
    match node.data["logicalType"]:
        case "integer":
            return _integer(node)
        case "number":
            return _number(node)
        case "boolean":
            return Primitive.BOOLEAN
        case "date":
            return Primitive.DATE
        case "timestamp":
            return _timestamp(node)
        case "array" | "map" | "object" | "vector" as kind:
            return _nested(node, kind)
        case _:
            return Primitive.BINARY if _physical(node)[0] in _BINARY else Primitive.STRING


def check_name(node: Node) -> str | None:
    """The name of a column or member if Delta Lake can store it; else None, and the problem is noted."""
    name = str(node.data["name"])
    found = _FORBIDDEN.search(name)
    if name and not found and len(name) <= NAME_MAX:
        return name
    what = _("{name!r} cannot be a column's name").format(name=shown(name))
    if found:
        do = _("leave out {letter!r}; keep the source's name in physicalName").format(letter=found[0])
    else:
        do = _("use 1 to {n} letters").format(n=NAME_MAX)
    node.child("name").refuse(what, do)
    return None


def check_distinct(nodes: list[Node]) -> None:
    """Notes every name that differs from an earlier one by capitals at most: Delta Lake cannot hold both."""
    seen: set[str] = set()
    for node in nodes:
        name = str(node.data.get("name"))
        if name.casefold() in seen:
            what = _("the name {name} is used twice (capitals do not count)").format(name=shown(name))
            node.child("name").refuse(what, _("rename one; physicalName keeps the source's name"))
        seen.add(name.casefold())


def _physical(node: Node) -> tuple[str, int | None, int | None]:
    """The physical type's name in lower case, and its two numbers where it has them."""
    found = _PHYSICAL.fullmatch(str(node.data.get("physicalType", ""))[:NAME_MAX])
    if found is None:
        return "", None, None
    name = f"{found[1]} {found[4]}".strip().lower()
    return name, int(found[2]) if found[2] else None, int(found[3]) if found[3] else None


def _options(node: Node) -> Node:
    return node.child("logicalTypeOptions")


def option(node: Node, key: str) -> object:
    """One of the column's `logicalTypeOptions`, or None."""
    return _options(node).child(key).data


def _integer(node: Node) -> Type | None:
    if form := option(node, "format"):
        return _INTEGER_FORMATS[str(form)]
    name, precision, _scale = _physical(node)
    if name in _EXACT and precision is not None and precision > 18:
        return _decimal(node, precision, 0)
    return _INTEGERS.get(name, Primitive.LONG)


def _number(node: Node) -> Type | None:
    name, precision, scale = _physical(node)
    if name in _EXACT and precision is not None:
        return _decimal(node, precision, scale or 0)
    if name in ("money", "smallmoney"):
        return Decimal(19, 4)
    single = option(node, "format") == "f32" or name in ("real", "float4")
    return Primitive.FLOAT if single else Primitive.DOUBLE


def _decimal(node: Node, precision: int, scale: int) -> Type | None:
    try:
        return Decimal(precision, scale)
    except ValueError:
        what = _("decimal({p},{s}) is out of range").format(p=precision, s=scale)
        node.child("physicalType").refuse(what, _("write decimal(p,s) with p from 1 to 38 and s from 0 to p"))
        return None


def _timestamp(node: Node) -> Type | None:
    zone = option(node, "timezone")
    local = zone is False or (zone is None and _physical(node)[0] in _WITHOUT_ZONE)
    return Primitive.TIMESTAMP_NTZ if local else Primitive.TIMESTAMP


def default_zone(node: Node) -> str | None:
    """The zone of a column's moments whose text tells none; None for UTC. An unknown one is noted."""
    default = option(node, "defaultTimezone")
    if default is None or str(default).lower() in _UTC or node.data.get("logicalType") != "timestamp":
        return None
    try:
        return ZoneInfo(str(default)).key
    except (KeyError, ValueError, OSError):
        what = _("there is no time zone {zone}").format(zone=shown(default))
        _options(node).child("defaultTimezone").refuse(what, _("write it as America/Sao_Paulo, or UTC"))
        return None


def _nested(node: Node, kind: str) -> Type | None:
    if kind == "vector":
        return ListOf(_VECTOR_ITEMS.get(str(option(node, "elementType")), Primitive.FLOAT))
    if kind == "array":
        return _list(node)
    if kind == "map":
        key, value = (column_type(node.child("map").child(part)) for part in ("key", "value"))
        return MapOf(key, value) if key and value else None
    return _struct(node)


def _list(node: Node) -> Type | None:
    items = node.child("items")
    if items.data is None:
        node.refuse(_("the array says not what it holds"), _("add `items: {logicalType: string}` or the type it has"))
        return None
    item = column_type(items)
    return ListOf(item) if item else None


def _struct(node: Node) -> Type | None:
    members = list(node.sound("properties"))
    if not members:
        node.refuse(_("the object says not what it holds"), _("add `properties:` with a name and a type for each"))
        return None
    check_distinct(members)
    fields = [(check_name(member), column_type(member)) for member in members]
    complete = [Field(name, kind) for name, kind in fields if name and kind]
    return StructOf(tuple(complete)) if len(complete) == len(members) else None
