"""Tables of PostgreSQL: their names as people write them, what is known of one, and which a schema holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lastro.model.errors import ConfigurationError, SourceBroken
from lastro.model.text import _
from lastro.source.database.absent import no_such_table
from lastro.source.database.select import quoted
from lastro.source.listing import Listed
from lastro.source.postgres.session import Session, check_url, connected, literal
from lastro.source.secret import Secret

_NAME = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^".]+))\s*')
_PLAIN = re.compile(r"[^\".\s\x00](?:[^\".\x00]*[^\".\s\x00])?")
_BLOCK_RANGES_SINCE = 140_000
_TABLES = """
SELECT CASE WHEN pg_table_is_visible(relation.oid) THEN '' ELSE nspname || '.' END || relname
FROM pg_class AS relation JOIN pg_namespace AS place ON place.oid = relnamespace
WHERE relkind IN ('r', 'v', 'm', 'p', 'f') AND nspname NOT IN ('pg_catalog', 'information_schema')
  AND nspname NOT LIKE 'pg_toast%' ORDER BY 1 LIMIT 500
"""
_RELATION = """
SELECT relkind::text, relhassubclass, coalesce(method.amname::text, ''),
  CASE WHEN relkind IN ('r', 'm') THEN pg_relation_size(relation.oid) ELSE 0 END,
  current_setting('block_size')::int, current_setting('server_version_num')::int,
  has_table_privilege(relation.oid, 'SELECT'), pg_is_in_recovery()
FROM pg_class AS relation LEFT JOIN pg_am AS method ON method.oid = relam WHERE relation.oid = to_regclass({})
"""
_KEY = """
SELECT attname::text FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
WHERE contype = 'p' AND conrelid = to_regclass({}) ORDER BY array_position(conkey, attnum)
"""
_OF_SCHEMA = """
SELECT nspname::text, relname::text, relkind IN ('v', 'm'), pg_table_is_visible(relation.oid),
  has_table_privilege(relation.oid, 'SELECT'), relkind <> 'm' OR relispopulated
FROM pg_class AS relation JOIN pg_namespace AS place ON place.oid = relnamespace
WHERE nspname = {} AND relkind IN ('r', 'v', 'm', 'p', 'f') AND NOT relispartition
  AND NOT EXISTS (SELECT 1 FROM pg_depend AS owned WHERE owned.classid = 'pg_class'::regclass
    AND owned.objid = relation.oid AND owned.deptype = 'e')
ORDER BY relname COLLATE "C"
"""


@dataclass(frozen=True, slots=True)
class Relation:
    """What is read, as SQL has it after FROM. `lockable` are tables, which a lock can keep from being rewritten under a
    snapshot (it asks for the right to the whole table, not to columns); `in_blocks` those that can be taken apart by
    their blocks, which a standby server cannot, for it exports no snapshot.
    """

    sql: str
    lockable: bool = False
    in_blocks: bool = False
    blocks: int = 0
    block_bytes: int = 8192


def relation_of(session: Session, table: str) -> Relation:
    """What is known of a table or view. Raises `SourceBroken` if it is not there."""
    name = table_name(table)
    found = session.rows(_RELATION.format(literal(name)))
    if not found:
        raise no_such_table(table, [row[0] for row in session.rows(_TABLES)], session.label)
    kind, heirs, method, size, block, version, whole, standby = found[0]
    in_blocks = kind in ("r", "m") and not heirs and method == "heap" and version >= _BLOCK_RANGES_SINCE
    lockable = kind in ("r", "p") and whole
    return Relation(name, lockable, in_blocks and not standby, -(-size // block), block)


def key_of(session: Session, relation: Relation) -> tuple[str, ...]:
    """The columns of a table's primary key, in its order."""
    return tuple(name for (name,) in session.rows(_KEY.format(literal(relation.sql))))


def table_name(table: str) -> str:
    """`schema.table` or `table`, quoted for SQL as they are written; parts may be quoted to hold a dot."""
    parts, at = [], 0
    while found := _NAME.match(table, at):
        parts.append(found[1].replace('""', '"') if found[1] else found[2].strip())
        at = found.end()
        if at == len(table) and len(parts) <= 2 and "\0" not in table:
            return ".".join(quoted(part) for part in parts)
        if table[at : at + 1] != ".":
            break
        at += 1
    raise ConfigurationError(
        _("{table} is not the name of a table").format(table=table[:80]),
        do=_('write schema.table; a name with a dot in double quotes: schema."a.b"'),
    )


def tables(options: Mapping[str, Any], base: Path) -> tuple[Listed, ...]:  # Any: a source's options
    """The tables and views of a schema, as the option `table` takes them, in order of name; those that cannot be read
    with the reason.

    `options` are a source's: `url`, and as `table` the schema's name followed by `.*`. Partitions are left out, since
    the table they belong to holds their rows; so is what an extension brought. Raises `ConfigurationError`,
    `SourceUnreachable`, `SourceBroken` if the schema has none that this account may read.
    """
    del base
    url, asked = str(options["url"]), str(options.get("table", "public.*"))
    check_url(url)
    schema = _schema_name(asked)
    with connected(Secret(url), asked, query=False) as session:
        rows = session.rows(_OF_SCHEMA.format(literal(schema)))
        if not any(may for *_row, may, _filled in rows):
            known = session.rows(
                "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
                " ORDER BY 1"
            )
            raise SourceBroken(
                _("the schema {schema} has no table that this account may read").format(schema=schema[:80]),
                where=asked,
                do=_("schemas are: {schemas}").format(schemas=", ".join(name for (name,) in known)[:500] or _("none")),
            )
    return tuple(_listed(*row) for row in rows)


def _listed(place: str, name: str, view: bool, visible: bool, may: bool, filled: bool) -> Listed:  # noqa: FBT001 – a row
    refused = None
    if not may:
        refused = _("this account may not read it"), _("GRANT SELECT, or leave it out")
    elif not filled:
        refused = _("it was never filled"), _("REFRESH MATERIALIZED VIEW, then add again")
    bare = _written(name)
    return Listed(f"{_written(place)}.{bare}", (bare,) if visible else (), view, refused)


def _schema_name(asked: str) -> str:
    found = _NAME.match(asked)
    if not found or asked[found.end() :] != ".*":
        raise ConfigurationError(
            _("{table} does not name a whole schema").format(table=asked[:80]), do=_("write SCHEMA.*")
        )
    return found[1].replace('""', '"') if found[1] else found[2].strip()


def _written(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else quoted(name)
