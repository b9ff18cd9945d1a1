"""The tables of a MySQL database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lastro.model.errors import SourceBroken
from lastro.model.text import _
from lastro.source.listing import Listed
from lastro.source.mysql.columns import quoted
from lastro.source.mysql.session import check_tls, check_url, connected, text_literal
from lastro.source.mysql.source import MysqlOptions, table_name
from lastro.source.options import read_options
from lastro.source.secret import Secret


def tables(options: Mapping[str, Any], base: Path) -> tuple[Listed, ...]:  # Any: a source's options
    """The tables and views that the account sees: of the URL's database for `*`, of another for `database.*`.

    Raises `ConfigurationError`, `SourceUnreachable`, `SourceBroken` if there is none.
    """
    given = read_options(options, MysqlOptions)
    check_url(given.url)
    check_tls(given.tls)
    asked = str(given.table)
    database = table_name(asked[:-2])[0] if asked.endswith(".*") else None
    place = "database()" if database is None else text_literal(database)
    with connected(Secret(given.url), given.tls, asked, base, query=False) as session:
        rows = session.rows(
            "SELECT table_name, table_type LIKE '%VIEW', table_schema = database(), table_schema "
            f"FROM information_schema.tables WHERE table_schema = {place} AND table_type <> 'SEQUENCE' "
            "ORDER BY table_name"
        )
    if not rows:
        raise SourceBroken(
            _("the database has no table that this account may read"),
            where=asked,
            do=_("check its name, or GRANT SELECT"),
        )
    return tuple(_listed(*row, short=database is None) for row in rows)


def _listed(name: str, view: int, here: int, place: str, *, short: bool) -> Listed:
    """A table, by its short name, which means it in the URL's database, or by that with its database."""
    bare = _written(str(name))
    full = f"{_written(str(place))}.{bare}"
    if short:
        return Listed(bare, (full,), bool(view))
    return Listed(full, (bare,) if here else (), bool(view))


def _written(name: str) -> str:
    """The name as the option `table` takes it: in backticks where it holds a dot, a backtick, or blanks at its ends."""
    plain = name == name.strip() and "." not in name and "`" not in name
    return name if plain else quoted(name)
