"""The tables of a MySQL database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lastro.model.errors import SourceBroken
from lastro.model.text import _
from lastro.source.mysql.columns import quoted
from lastro.source.mysql.session import check_tls, check_url, connected, text_literal
from lastro.source.mysql.source import MysqlOptions, table_name
from lastro.source.options import read_options
from lastro.source.secret import Secret


def tables(options: Mapping[str, Any], base: Path) -> tuple[str, ...]:  # Any: a source's options
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
            f"SELECT table_name FROM information_schema.tables WHERE table_schema = {place} ORDER BY table_name"
        )
    if not rows:
        raise SourceBroken(
            _("the database has no table that this account may read"),
            where=asked,
            do=_("check its name, or GRANT SELECT"),
        )
    before = "" if database is None else f"{_written(database)}."
    return tuple(before + _written(str(name)) for (name,) in rows)


def _written(name: str) -> str:
    """The name as the option `table` takes it: in backticks where it holds a dot, a backtick, or blanks at its ends."""
    plain = name == name.strip() and "." not in name and "`" not in name
    return name if plain else quoted(name)
