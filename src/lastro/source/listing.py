"""Whole databases: which tables there are, as the option `table` takes each of them.

Rules:

1. A source's `table` may end in `*` when it is added: `schema.*` of PostgreSQL, `*` or `database.*` of MySQL, `*` of a
   SQLite file.
2. Everything that could be read as a table is listed: views, too, and what cannot be read, with the reason.
3. One table may have several names (`orders`, `public.orders`, `"orders"`): all that mean it from this account's place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lastro.model import plugin
from lastro.model.errors import ConfigurationError
from lastro.model.text import _
from lastro.source.database.table_name import parts_of

GROUP = "lastro.listings"
"""The entry points' group under which a third party registers a listing, `(options, base) -> tables`, each a name or a
`Listed`.
"""

KINDS: Mapping[str, str] = {
    "postgres": "lastro.source.postgres.tables:tables",
    "mysql": "lastro.source.mysql.listing:tables",
    "sqlite": "lastro.source.sqlite.listing:tables",
}


_QUOTES: Mapping[str, str] = {"postgres": '"', "mysql": "`"}


@dataclass(frozen=True, slots=True)
class Listed:
    """One table, as the option `table` takes it; `also` are other names that mean it. `refused` tells why it cannot be
    read, and what to do.
    """

    table: str
    also: tuple[str, ...] = ()
    view: bool = False
    refused: tuple[str, str] | None = None


def asks_for_all(options: Mapping[str, Any]) -> bool:  # Any: a source's options
    """True if these options mean every table of a database, or of one of its schemas."""
    table = options.get("table")
    return isinstance(table, str) and (table == "*" or table.endswith(".*"))


def spelled(kind: str, table: str) -> tuple[str, ...]:
    """A table's name in the one spelling in which names are compared."""
    try:
        return parts_of(table.strip(), quote=_QUOTES[kind], most=2) if kind in _QUOTES else (table,)
    except ConfigurationError:  # a name that no table has: it equals none
        return (table,)


def tables(options: Mapping[str, Any], base: Path) -> tuple[Listed, ...]:  # Any: a source's options
    """The tables that the options mean, in order of name. Raises `ConfigurationError`, `SourceError`."""
    found: tuple[str | Listed, ...] = plugin.find(
        str(options.get("kind")),
        KINDS,
        GROUP,
        unknown=_("{name} does not list its tables"),
        known=_("those that do are: {names}; name one table after #"),
    )(options, base)
    return tuple(Listed(each) if isinstance(each, str) else each for each in found)
