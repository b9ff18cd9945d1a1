"""A whole SELECT that a person writes to derive one dataset from others.

Rules:

1. One statement, and that one gives rows: SELECT, set operations of SELECTs, with CTEs where they are wanted.
2. Tables are datasets and CTEs, by name. No function stands in place of a table, no file, no schema or catalogue.
3. The text itself is what runs, in a session that sees the datasets' files and nothing else (`duck.deriving`): this
   check tells people early and finds the upstream datasets; the session is the wall.
4. A parameter, `$name`, is a value that is bound when the text runs. Only those that the caller gives may stand in it.
5. An error quotes names, never a literal of the text.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import NoReturn

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from lastro.model.errors import SqlRefused
from lastro.model.text import _

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # its messages quote what a person wrote

LENGTH_MAX = 200_000
_REFUSED: tuple[type[exp.Expr], ...] = (
    exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Alter, exp.Copy, exp.Command, exp.Into,
    exp.Set, exp.Pragma, exp.Attach, exp.Detach, exp.Describe, exp.Summarize, exp.Parameter,
)  # fmt: skip


def upstream(text: str, *, where: str, parameters: Collection[str] = ()) -> tuple[str, ...]:
    """The datasets that one SELECT reads, in the order in which they appear. Raises `SqlRefused`."""
    tree = _parsed(text, where)
    if not isinstance(tree, exp.Select | exp.SetOperation | exp.Subquery):
        _refuse(_("the text is no SELECT"), where)
    found: list[str] = []
    for node in tree.walk(bfs=False):
        if isinstance(node, exp.Placeholder):
            _check_parameter(node, parameters, where)
            continue
        if isinstance(node, _REFUSED):
            _refuse(_("the SELECT holds {what}").format(what=type(node).__name__.upper()), where)
        if isinstance(node, exp.Table) and (name := _dataset(node, where)) is not None and name not in found:
            found.append(name)
    return tuple(found)


def parameters(text: str, *, where: str) -> frozenset[str]:
    """The names of the parameters in a text. Raises `SqlRefused`."""
    return frozenset(node.name for node in _parsed(text, where).find_all(exp.Placeholder))


def _parsed(text: str, where: str) -> exp.Expr:
    if len(text) > LENGTH_MAX:
        _refuse(_("the text has more than {n:,} characters").format(n=LENGTH_MAX), where)
    try:
        trees = [tree for tree in sqlglot.parse(text, read="duckdb") if tree is not None]
    except SqlglotError as error:
        found = getattr(error, "errors", ())
        line = found[0].get("line") if found else None
        place = _("{file}, line {line}").format(file=where, line=line) if line else where
        _refuse(_("the SQL cannot be read"), place)
    except (RecursionError, ValueError, TypeError, AttributeError, IndexError, KeyError):
        _refuse(_("the SQL cannot be read"), where)
    if len(trees) != 1 or not isinstance(trees[0], exp.Expr):
        _refuse(_("there are {n} statements instead of one").format(n=len(trees)), where)
    return trees[0]


def _check_parameter(node: exp.Placeholder, known: Collection[str], where: str) -> None:
    if node.name in known:
        return
    _refuse(
        _("the SELECT has the parameter {name}, which has no value").format(name=node.sql("duckdb")[:80]),
        where,
        do=_("use $start and $end, in a step that is made by intervals, and no others"),
    )


def _dataset(node: exp.Table, where: str) -> str | None:
    """The dataset that a table means, None where it is a CTE."""
    if not isinstance(node.this, exp.Identifier):
        _refuse(_("the SELECT has a function in place of a table"), where)
    if node.args.get("db") is not None:
        name = ".".join(part.name for part in node.parts)[:80]
        _refuse(
            _("the table {name} has a schema").format(name=name),
            where,
            do=_('name a dataset; one whose name has a dot stands in double quotes: "{name}"').format(name=name),
        )
    name = node.name.casefold()
    return None if name in _ctes(node) else name


def _ctes(node: exp.Expr) -> set[str]:
    """The names of the CTEs that can be seen from a node."""
    seen: set[str] = set()
    child, parent = node, node.parent
    while parent is not None:
        if isinstance(parent, exp.With):
            before = parent.expressions[: [id(one) for one in parent.expressions].index(id(child))]
            seen |= {cte.alias.casefold() for cte in (*before, *([child] if parent.args.get("recursive") else []))}
        else:
            opening = parent.args.get("with_")
            if opening is not None and opening is not child:
                seen |= {cte.alias.casefold() for cte in opening.expressions}
        child, parent = parent, parent.parent
    return seen


def _refuse(what: str, where: str, *, do: str = "") -> NoReturn:
    raise SqlRefused(what, where=where, do=do or _("write one SELECT over datasets, by their names"))
