"""The catalogue's tables, step by step: `MIGRATIONS[n]` leads from schema version n to n + 1.

Rules:

1. A step that was released is never edited; a change is a new step at the end.
2. Every table is STRICT and WITHOUT ROWID: what stands in it depends on its keys alone, never on the order of writing.
3. Nothing is stored that the tables of the workspace and the run records could not give again – save what others told
   of themselves (`FOREIGN`).
"""

from __future__ import annotations

APPLICATION_ID = 0x4C535452
"""`LSTR`, in the file's header: a file with another number is not ours."""

_FIRST = (
    """CREATE TABLE dataset (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID""",
    """CREATE TABLE version (
        dataset TEXT NOT NULL,
        number INTEGER NOT NULL CHECK (number >= 0),
        digest TEXT NOT NULL,
        parent TEXT,
        committed TEXT NOT NULL,
        rows INTEGER NOT NULL,
        size INTEGER NOT NULL,
        mode TEXT NOT NULL,
        contract_digest TEXT NOT NULL,
        run TEXT NOT NULL,
        source TEXT NOT NULL,
        rows_read INTEGER,
        rows_kept INTEGER,
        rows_quarantined INTEGER,
        PRIMARY KEY (dataset, number)
    ) STRICT, WITHOUT ROWID""",
    """CREATE INDEX version_by_digest ON version (dataset, digest)""",
    """CREATE INDEX version_by_run ON version (run)""",
    """CREATE TABLE tag (
        dataset TEXT NOT NULL,
        tag TEXT NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (dataset, tag)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE upstream (
        dataset TEXT NOT NULL,
        number INTEGER NOT NULL,
        reference TEXT NOT NULL,
        PRIMARY KEY (dataset, number, reference)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE metric (
        dataset TEXT NOT NULL,
        number INTEGER NOT NULL,
        name TEXT NOT NULL,
        "column" TEXT NOT NULL,
        value REAL NOT NULL,
        unit TEXT NOT NULL,
        PRIMARY KEY (dataset, name, "column", number)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE run (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        started TEXT NOT NULL,
        ended TEXT,
        status TEXT NOT NULL,
        replay_of TEXT,
        record TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE run_version (
        run TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('input', 'output')),
        dataset TEXT NOT NULL,
        number INTEGER NOT NULL,
        name TEXT NOT NULL,
        digest TEXT NOT NULL,
        PRIMARY KEY (run, role, dataset, number, name)
    ) STRICT, WITHOUT ROWID""",
    """CREATE INDEX run_version_by_version ON run_version (dataset, number, role)""",
)

_SECOND = (
    """CREATE TABLE foreign_event (
        run TEXT NOT NULL,
        type TEXT NOT NULL,
        moment TEXT NOT NULL,
        job_namespace TEXT NOT NULL,
        job_name TEXT NOT NULL,
        PRIMARY KEY (run, type, moment)
    ) STRICT, WITHOUT ROWID""",
    """CREATE INDEX foreign_event_by_job ON foreign_event (job_namespace, job_name)""",
    """CREATE TABLE foreign_use (
        run TEXT NOT NULL,
        type TEXT NOT NULL,
        moment TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('input', 'output')),
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        PRIMARY KEY (run, type, moment, role, namespace, name, version)
    ) STRICT, WITHOUT ROWID""",
    """CREATE INDEX foreign_use_by_dataset ON foreign_use (namespace, name, role)""",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _SECOND)
TABLES = ("dataset", "version", "tag", "upstream", "metric", "run", "run_version")
FOREIGN = ("foreign_event", "foreign_use")
"""What no table and no run record could give again."""
