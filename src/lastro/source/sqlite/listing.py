"""The tables of a SQLite file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lastro.model.errors import SourceBroken
from lastro.model.text import _
from lastro.source.listing import Listed
from lastro.source.options import read_options
from lastro.source.sqlite.session import connected
from lastro.source.sqlite.source import SqliteOptions, database


def tables(options: Mapping[str, Any], base: Path) -> tuple[Listed, ...]:  # Any: a source's options
    """The tables and views of the file. Raises `SourceUnreachable`, `SourceBroken` if there is none."""
    given = read_options(options, SqliteOptions)
    found = database(given.path, base)
    with connected(found.path, given.path, timeout_s=given.busy_timeout_s, query=False) as session:
        rows = sorted(session.rows("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')"))
    listed = tuple(Listed(name, view=kind == "view") for name, kind in rows if not name.startswith("sqlite_"))
    if not listed:
        raise SourceBroken(_("the file has no table"), where=given.path, do=_("check the path"))
    return listed
