"""The ledger's tables, step by step: `MIGRATIONS[n]` leads from schema version n to n + 1.

Rules:

1. A step that was released is never edited; a change is a new step at the end.
2. `actor`, `action`, `dataset` and `version` repeat what an event's content says, to be found by; `audit` compares
   them.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

from lastro.model.text import _
from lastro.state.connection import Kind

_FIRST = (
    """CREATE TABLE event (
        number INTEGER PRIMARY KEY CHECK (number >= 0),
        content TEXT NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        dataset TEXT NOT NULL,
        version INTEGER
    ) STRICT""",
    """CREATE INDEX event_by_dataset ON event (dataset, action, version)""",
    """CREATE INDEX event_by_actor ON event (actor)""",
    """CREATE TABLE tile (
        level INTEGER NOT NULL CHECK (level >= 0),
        place INTEGER NOT NULL CHECK (place >= 0),
        hashes BLOB NOT NULL,
        PRIMARY KEY (level, place)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE checkpoint (
        number INTEGER PRIMARY KEY CHECK (number >= 0),
        size INTEGER NOT NULL UNIQUE CHECK (size > 0),
        note TEXT NOT NULL
    ) STRICT""",
)
MIGRATIONS = (_FIRST,)
KIND = Kind(
    0x4C53544C,  # `LSTL`
    MIGRATIONS,
    name=lambda: _("the ledger"),
    repair=lambda: _("see what was changed: lastro ledger verify"),
    only=True,
)


def is_as_made(connection: sqlite3.Connection) -> bool:
    """True if the file has the ledger's tables and indexes to the letter, and nothing else: no view, no trigger."""
    with closing(sqlite3.connect(":memory:")) as new:
        for step in MIGRATIONS:
            for statement in step:
                new.execute(statement)
        return _schema(new) == _schema(connection)


def _schema(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    query = "SELECT type, name, tbl_name, CAST(sql AS TEXT) FROM sqlite_schema ORDER BY type, name"
    return [tuple(row) for row in connection.execute(query)]
