"""Lists, structs and maps from JSON text: taken apart to texts by the engine, each leaf then cast strictly.

Rules:

1. The text must be JSON of the right kind: an object for structs and maps, an array for lists; JSON's null is NULL.
2. A leaf that is present and cannot be cast makes the whole value NULL, so that its row breaks the column's type; and
   so does an object for a struct in which a name occurs twice.
3. Members that a struct does not name are left out, as columns that a contract does not name are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from lastro.engine.sql.dialect import Dialect, build, column, full_match, text
from lastro.model.plan import ColumnPlan
from lastro.model.schema import Field, ListOf, MapOf, StructOf, Type

Leaf = Callable[[exp.Expr, ColumnPlan, Dialect], exp.Expr]
_OBJECT = r"(?:[ \t\n\r]*\{[^\x00]*)"
_ARRAY = r"(?:[ \t\n\r]*\[[^\x00]*)"


def from_json(source: exp.Expr, plan: ColumnPlan, dialect: Dialect, *, leaf: Leaf) -> exp.Expr:
    """The nested value of a JSON text, NULL if the text is no such JSON or one of its leaves cannot be cast."""
    reader = _Nested(plan, dialect, leaf)
    valid = {"duckdb": "json_valid(:x)", "spark": "try_parse_json(:x) IS NOT NULL"}[dialect]
    return build(
        f"CASE WHEN CASE WHEN :kind AND {valid} THEN NOT (:broken) ELSE FALSE END THEN :value END",
        kind=full_match(source, _ARRAY if isinstance(plan.type, ListOf) else _OBJECT),
        x=source,
        broken=reader.broken(source, plan.type, 0),
        value=reader.value(source, plan.type, 0),
    )


class _Nested:
    """Writes the value of a JSON text, and whether it holds something that cannot be cast, level by level."""

    def __init__(self, plan: ColumnPlan, dialect: Dialect, leaf: Leaf) -> None:
        self.plan = plan
        self.dialect = dialect
        self.leaf = leaf

    def value(self, source: exp.Expr, kind: Type, depth: int) -> exp.Expr:
        match kind:
            case StructOf(fields):
                members = [(field.name, self.value(self._member(source, field), field.type, depth)) for field in fields]
                return _unless_null(source, self._struct(members))
            case ListOf(item):
                name = f"item_{depth}"
                return self._each(self._items(source), name, self.value(column(name), item, depth + 1))
            case MapOf(key, item):
                return self._map(source, key, item, depth)
            case _:
                return self.leaf(source, self._column(kind), self.dialect)

    def broken(self, source: exp.Expr, kind: Type, depth: int) -> exp.Expr:
        match kind:
            case StructOf(fields):
                parts = [self.broken(self._member(source, field), field.type, depth) for field in fields]
                return self._guarded(source, kind, exp.or_(self._repeats(source), *parts))
            case ListOf(item):
                name = f"item_{depth}"
                return self._guarded(source, kind, self._any(self._items(source), name, item, depth))
            case MapOf(key, item):
                name = f"item_{depth}"
                values = self._any(self._values(source), name, item, depth)
                keys = self._any(self._keys(source), name, key, depth)
                return self._guarded(source, kind, exp.or_(values, keys))
            case _:
                value = self.leaf(source, self._column(kind), self.dialect)
                return build(":x IS NOT NULL AND :v IS NULL", x=source, v=value)

    def _column(self, kind: Type) -> ColumnPlan:
        return replace(self.plan, type=kind, format=None, is_time=False)

    def _guarded(self, source: exp.Expr, kind: Type, inner: exp.Expr) -> exp.Expr:
        """CASE, not AND: the engine must not take apart what is no JSON."""
        valid = {"duckdb": "json_valid(:x)", "spark": "try_parse_json(:x) IS NOT NULL"}[self.dialect]
        pattern = _ARRAY if isinstance(kind, ListOf) else _OBJECT
        return build(
            f"CASE WHEN :x IS NULL THEN FALSE WHEN NOT :kind THEN TRUE WHEN NOT ({valid}) THEN TRUE ELSE :inner END",
            x=source,
            kind=exp.Paren(this=full_match(source, pattern)),
            inner=inner,
        )

    def _member(self, source: exp.Expr, field: Field) -> exp.Expr:
        if self.dialect == "spark":
            return _call("get_json_object", source, text(f"$['{field.name}']"))
        return _call("json_extract_string", source, text('$."' + field.name.replace('"', '\\"') + '"'))

    def _repeats(self, source: exp.Expr) -> exp.Expr:
        """Whether a name occurs twice in an object."""
        distinct = {"duckdb": "list_unique(:k) < len(:k)", "spark": "size(array_distinct(:k)) < size(:k)"}[self.dialect]
        return build(distinct, k=self._keys(source))

    def _struct(self, members: list[tuple[str, exp.Expr]]) -> exp.Expr:
        if self.dialect == "spark":
            return _call("named_struct", *(part for name, value in members for part in (text(name), value)))
        return exp.Struct(expressions=[exp.PropertyEQ(this=text(name), expression=value) for name, value in members])

    def _items(self, source: exp.Expr) -> exp.Expr:
        if self.dialect == "spark":
            return _call("from_json", source, text("array<string>"))
        return _call("json_extract_string", source, text("$[*]"))

    def _keys(self, source: exp.Expr) -> exp.Expr:
        if self.dialect == "spark":
            return _call("json_object_keys", source)
        return _call("json_keys", source)

    def _values(self, source: exp.Expr) -> exp.Expr:
        if self.dialect == "spark":
            return _call("map_values", _call("from_json", source, text("map<string,string>")))
        return _call("json_extract_string", source, text("$.*"))

    def _each(self, items: exp.Expr, name: str, value: exp.Expr) -> exp.Expr:
        return _call("transform" if self.dialect == "spark" else "list_transform", items, self._lambda(name, value))

    def _any(self, items: exp.Expr, name: str, item: Type, depth: int) -> exp.Expr:
        broken = self._lambda(name, self.broken(column(name), item, depth + 1))
        if self.dialect == "spark":
            return _call("exists", items, broken)
        return build("len(:f) > 0", f=_call("list_filter", items, broken))

    def _lambda(self, name: str, body: exp.Expr) -> exp.Expr:
        return exp.Lambda(this=body, expressions=[exp.to_identifier(name, quoted=True)], colon=self.dialect == "duckdb")

    def _map(self, source: exp.Expr, key: Type, item: Type, depth: int) -> exp.Expr:
        name = f"item_{depth}"
        keys = self._each(self._keys(source), name, self.value(column(name), key, depth + 1))
        values = self._each(self._values(source), name, self.value(column(name), item, depth + 1))
        made = _call("map_from_arrays" if self.dialect == "spark" else "map", keys, values)
        return _unless_null(source, made)


def _call(name: str, *parts: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[part.copy() for part in parts])


def _unless_null(source: exp.Expr, made: exp.Expr) -> exp.Expr:
    return build("CASE WHEN :x IS NOT NULL THEN :made END", x=source, made=made)
