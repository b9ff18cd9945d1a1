"""Errors for names that are not in a database, with those that are, the most alike first; for columns without one."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from lastro.model.errors import ConfigurationError, SourceBroken
from lastro.model.text import _

_SHOWN = 20


def no_such_table(table: str, known: Sequence[str], label: str) -> SourceBroken:
    """The error for a table that is not there, with those that are."""
    return SourceBroken(
        _("there is no table {table}").format(table=table[:80]),
        where=label,
        do=_("tables are: {tables}").format(tables=_listed(known, table)),
    )


def no_such_column(column: str, known: Sequence[str], label: str) -> ConfigurationError:
    """The error for a column that options name and that is not there, with the columns that are."""
    return ConfigurationError(
        _("there is no column {column}").format(column=column[:80]),
        where=label,
        do=_("columns are: {columns}").format(columns=_listed(known, column)),
    )


def check_named(names: Sequence[str], label: str) -> None:
    """Raises `SourceBroken` for a column whose name is empty, which SQLite and results of queries may have."""
    if "" in names:
        raise SourceBroken(
            _("column {n} has no name").format(n=names.index("") + 1),
            where=label,
            do=_('read a query that names it, such as SELECT "" AS name, …'),
        )


def _listed(names: Sequence[str], wanted: str) -> str:
    """The names, the most alike first, at most `_SHOWN`."""
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.6)
    ordered = [*near, *(name for name in names if name not in near)]
    shown = ", ".join(ordered[:_SHOWN]) or _("no columns")
    return shown + (" …" if len(ordered) > _SHOWN else "")
