"""The vault's tables, step by step: `MIGRATIONS[n]` leads from schema version n to n + 1.

Rules:

1. A step that was released is never edited; a change is a new step at the end.
2. No column holds a value: `lookup` and `mark` are HMACs, `sealed` and `wrapped` are encrypted.
3. `belongs` says whose an entry is: `subject` is the number of the entry that names the person.
"""

from __future__ import annotations

from lastro.model.text import _
from lastro.state.connection import Kind

_FIRST = (
    """CREATE TABLE key (
        purpose TEXT NOT NULL,
        number INTEGER NOT NULL CHECK (number > 0),
        wrapped BLOB,
        root TEXT NOT NULL,
        made TEXT NOT NULL,
        PRIMARY KEY (purpose, number)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE entry (
        number INTEGER PRIMARY KEY,
        token BLOB NOT NULL UNIQUE CHECK (length(token) = 16),
        lookup BLOB NOT NULL UNIQUE CHECK (length(lookup) = 32),
        lookup_key INTEGER NOT NULL,
        kind TEXT NOT NULL,
        record_key INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        is_subject INTEGER NOT NULL CHECK (is_subject IN (0, 1))
    ) STRICT""",
    """CREATE TABLE belongs (
        subject INTEGER NOT NULL,
        entry INTEGER NOT NULL,
        PRIMARY KEY (subject, entry)
    ) STRICT, WITHOUT ROWID""",
    """CREATE INDEX belongs_by_entry ON belongs (entry)""",
    """CREATE TABLE tombstone (
        mark BLOB PRIMARY KEY CHECK (length(mark) = 32),
        block_key INTEGER NOT NULL,
        kind TEXT NOT NULL,
        at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE state (
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """INSERT INTO state VALUES ('changes', 0), ('unwiped', 0)""",
)
MIGRATIONS = (_FIRST,)
KIND = Kind(
    0x4C535456,  # `LSTV`
    MIGRATIONS,
    name=lambda: _("the vault"),
    repair=lambda: _("bring it back from a backup: lastro vault restore"),
    only=True,
    forgets=True,
    cache_mib=64,
    private=True,
)
