"""Which upstream columns the columns of one SELECT come from.

Rules:

1. A column comes from every column that stands in the expression that makes it, through CTEs, subqueries and set
   operations, in the arguments, partition and order of a window function, too. What filters, joins and groups rows is
   not told: it decides which rows there are, not what they hold.
2. `EXISTS` comes from every column in it; a constant and `count(*)` come from none; a whole row from all its columns.
3. A query whose columns cannot be told for sure – a PIVOT, `COLUMNS(…)`, a name that is found nowhere – has no answer,
   which is another thing than "from no column". So has one that gives other columns than those that came out of it.
4. `sqlglot` qualifies the tree. It is not asked to write aliases out: each use of one would double the tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema

from lastro.engine.sql import door
from lastro.engine.sql.select import LENGTH_MAX
from lastro.model.plan import Plan

Columns = Mapping[str, tuple[tuple[str, str], ...]]
"""For each column the (dataset, column)s that it comes from, sorted."""
REFERENCES_MAX = 20_000
"""More are not kept with a version."""
DEPTH_MAX = 500
"""Deeper trees take the optimizer minutes."""
STEPS_MAX = 100_000
"""So many expressions are looked at: one of a recursive CTE more than once, nested ones more than that."""
_NEVER_TOLD = (exp.Pivot, exp.Columns, exp.PositionalColumn)
_Found = frozenset[tuple[str, str]]
_NOTHING: _Found = frozenset()


class _Untold(Exception):
    """What a column comes from cannot be told."""


def of_select(text: str, tables: Mapping[str, Sequence[str]], outputs: Sequence[str]) -> Columns | None:
    """What the columns `outputs` of a SELECT come from; `tables` are the columns of the datasets it reads. None if that
    cannot be told.
    """
    if len(text) > LENGTH_MAX:
        return None
    try:
        found = _Select(tables).outputs(_qualified(text, tables))
    except (SqlglotError, _Untold, RecursionError, ValueError, TypeError, AttributeError, LookupError):
        return None  # the optimizer stumbles over SQL that it does not know in several ways; all mean one thing here
    alike = len({name.casefold() for name in outputs}) < len(outputs)
    if alike or len(found) != len(outputs) or sum(map(len, found)) > REFERENCES_MAX:
        return None
    return {name: tuple(sorted(each)) for name, each in zip(outputs, found, strict=True)}


def through(plan: Plan, columns: Columns) -> Columns:
    """What the columns of a dataset come from, whose plan takes rows with these columns."""
    known = {name.casefold(): each for name, each in columns.items()}
    found = {}
    for each in plan.columns:
        read = [each.source]
        if each.expression is not None:
            tree = door.expression(each.expression, columns=None, where=f"{plan.dataset}.{each.name} transformLogic")
            read = [column.name for column in tree.find_all(exp.Column)]
        found[each.name] = tuple(sorted({one for name in read for one in known.get(name.casefold(), ())}))
    return found


def _qualified(text: str, tables: Mapping[str, Sequence[str]]) -> Scope:
    tree = sqlglot.parse_one(text, read="duckdb")
    if isinstance(tree, exp.Subquery) and tree.args.get("with_") is None:
        tree = tree.unnest()
    if not isinstance(tree, exp.Select | exp.SetOperation) or tree.find(*_NEVER_TOLD) is not None:
        raise _Untold
    _check_depth(tree)
    if any(table.alias_column_names for table in tree.find_all(exp.Table)):
        raise _Untold
    columns: dict[str, object] = {
        name.lower(): dict.fromkeys(map(str.lower, given), "unknown") for name, given in tables.items()
    }
    scope = build_scope(
        qualify(
            tree,
            dialect="duckdb",
            schema=MappingSchema(columns, dialect="duckdb", normalize=False),
            expand_alias_refs=False,
            validate_qualify_columns=False,
            quote_identifiers=False,
        )
    )
    if scope is None:
        raise _Untold
    return scope


def _check_depth(tree: exp.Expr) -> None:
    level, depth = [tree], 0
    while level:
        level, depth = [inner for node in level for inner in node.iter_expressions()], depth + 1
        if depth > DEPTH_MAX:
            raise _Untold


class _Select:
    """One walk through the scopes of a qualified SELECT; a scope is looked at once."""

    def __init__(self, tables: Mapping[str, Sequence[str]]) -> None:
        self._tables = {
            name.lower(): {column.lower(): (name, column) for column in columns} for name, columns in tables.items()
        }
        self._known: dict[int, list[_Found]] = {}
        self._named: dict[int, Mapping[str, int]] = {}
        self._growing: dict[int, list[_Found]] = {}
        """Of the recursive CTEs that are being looked at: what is known of them so far, by their first SELECT."""
        self._met: set[int] = set()
        """Of these, which did use themselves."""
        self._steps = 0

    def outputs(self, scope: Scope) -> list[_Found]:
        """What each column of a scope comes from, in their order."""
        if id(scope) not in self._known:
            self._known[id(scope)] = self._outputs(scope)
        return self._known[id(scope)]

    def _outputs(self, scope: Scope) -> list[_Found]:
        match scope.expression:
            case exp.Select() as select:
                return self._selected(scope, select)
            case exp.SetOperation() as operation if operation.args.get("by_name"):
                raise _Untold
            case exp.SetOperation() as operation:
                return self._combined(scope, operation)
            case exp.Subquery() if len(scope.subquery_scopes) == 1:
                return self.outputs(scope.subquery_scopes[0])
        raise _Untold

    def _selected(self, scope: Scope, select: exp.Select) -> list[_Found]:
        found: list[_Found] = []
        earlier: dict[str, _Found] = {}
        for each in select.selects:
            value = self._value(scope, each, earlier)
            found.append(value)
            earlier.setdefault(each.alias_or_name, value)
        if sum(map(len, found)) > 10 * REFERENCES_MAX:
            raise _Untold
        return found

    def _combined(self, scope: Scope, operation: exp.SetOperation) -> list[_Found]:
        first, second = scope.set_operation_scopes
        found = self.outputs(first)
        if isinstance(operation, exp.Except):
            return found
        start, before = id(first.expression), set(self._known)
        while True:
            self._growing[start] = found
            joined = [one | other for one, other in zip(found, self.outputs(second), strict=True)]
            if joined == found or start not in self._met:
                del self._growing[start]
                return joined
            found = joined
            self._known = {key: value for key, value in self._known.items() if key in before}

    def _value(self, scope: Scope, tree: exp.Expr, earlier: Mapping[str, _Found]) -> _Found:
        """What an expression comes from; `earlier` are the columns before it in its SELECT, which it may use."""
        self._steps += 1
        if self._steps > STEPS_MAX:
            raise _Untold
        found = _NOTHING
        for node in tree.walk(prune=lambda node: isinstance(node, exp.Query | exp.Exists)):
            match node:
                case exp.Exists():
                    found |= self._mentioned(scope, node.this)
                case exp.Query():
                    found = found.union(*self.outputs(_nested(scope, node)))
                case exp.TableColumn():
                    found = found.union(*self._row(_source(scope, node.name)))
                case exp.Column():
                    found |= self._column(scope, node, earlier)
                case exp.Window() if node.args.get("alias") is not None:
                    found |= self._value(scope, _window(scope, node.alias), earlier)
                case exp.Star() if not isinstance(node.parent, exp.Count):
                    raise _Untold
        return found

    def _mentioned(self, scope: Scope, query: exp.Expr) -> _Found:
        found = _NOTHING
        for inner in _nested(scope, query).traverse():
            for column in inner.columns:
                found |= self._column(inner, column, {})
        return found

    def _column(self, scope: Scope, column: exp.Column, earlier: Mapping[str, _Found]) -> _Found:
        if not column.table:
            if column.name not in earlier:
                raise _Untold
            return earlier[column.name]
        return self._of_source(_source(scope, column.table), column.name)

    def _row(self, source: exp.Expr | Scope) -> list[_Found]:
        if isinstance(source, Scope):
            return self._grown(source)
        return [frozenset({one}) for one in self._tables[source.name].values()]

    def _of_source(self, source: exp.Expr | Scope, name: str) -> _Found:
        if not isinstance(source, Scope):
            return frozenset({self._tables[source.name][name]})
        if isinstance(source.expression, exp.UDTF):
            return self._of_function(source, name)
        return self._grown(source)[self._places(source)[name]]

    def _places(self, source: Scope) -> Mapping[str, int]:
        key = id(source.expression)
        if key not in self._named:
            names = source.expression.named_selects if isinstance(source.expression, exp.Query) else []
            self._named[key] = {name: place for place, name in reversed([*enumerate(names)])}
        return self._named[key]

    def _of_function(self, source: Scope, name: str) -> _Found:
        """Of a column of UNNEST, VALUES or LATERAL."""
        made = source.expression
        if isinstance(made, exp.Lateral) and not made.alias_column_names and len(source.subquery_scopes) == 1:
            return self._of_source(source.subquery_scopes[0], name)
        return self._value(source, made, {})

    def _grown(self, source: Scope) -> list[_Found]:
        start = id(source.expression)
        if start not in self._growing:
            return self.outputs(source)
        self._met.add(start)
        return self._growing[start]


def _source(scope: Scope, name: str) -> exp.Expr | Scope:
    """What a name stands for in a scope, or in one around it."""
    around: Scope | None = scope
    while around is not None:
        if name in around.sources:
            return around.sources[name]
        around = around.parent
    raise _Untold


def _nested(scope: Scope, query: exp.Expr) -> Scope:
    inner = query.unnest()
    for each in scope.subquery_scopes:
        if each.expression is query or each.expression is inner:
            return each
    raise _Untold


def _window(scope: Scope, name: str) -> exp.Expr:
    for window in scope.expression.args.get("windows") or ():
        if isinstance(window, exp.Window) and window.name == name:
            return window
    raise _Untold
