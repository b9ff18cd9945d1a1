"""Whole databases: which tables there are, as the option `table` takes each of them.

A source's `table` may end in `*` when it is added: `schema.*` of PostgreSQL, `*` or `database.*` of MySQL, `*` of a
SQLite file. Views count as tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lastro.model import plugin
from lastro.model.text import _

GROUP = "lastro.listings"
"""The entry points' group under which a third party registers a listing, `(options, base) -> names`."""

KINDS: Mapping[str, str] = {
    "postgres": "lastro.source.postgres.tables:tables",
    "mysql": "lastro.source.mysql.listing:tables",
    "sqlite": "lastro.source.sqlite.listing:tables",
}


def asks_for_all(options: Mapping[str, Any]) -> bool:  # Any: a source's options
    """True if these options mean every table of a database, or of one of its schemas."""
    table = options.get("table")
    return isinstance(table, str) and (table == "*" or table.endswith(".*"))


def tables(options: Mapping[str, Any], base: Path) -> tuple[str, ...]:  # Any: a source's options
    """The tables that the options mean, in order of name. Raises `ConfigurationError`, `SourceError`."""
    found: tuple[str, ...] = plugin.find(
        str(options.get("kind")),
        KINDS,
        GROUP,
        unknown=_("{name} does not list its tables"),
        known=_("those that do are: {names}; name one table after #"),
    )(options, base)
    return found
