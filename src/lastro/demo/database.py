"""The lender's system: a SQLite file with the table `loan_application`, without keys or checks, as old systems are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import fields
from operator import attrgetter
from pathlib import Path

from lastro.demo.applications import Application

COLUMNS = tuple(field.name for field in fields(Application))

CREATE = """
CREATE TABLE loan_application (
  id INTEGER, cpf TEXT, name TEXT, uf TEXT, birth_date TEXT, income REAL, amount REAL, term_months INTEGER,
  product TEXT, status TEXT, applied_at TEXT, updated_at TEXT, defaulted INTEGER
)
"""


def create(path: Path, rows: Iterable[Application]) -> None:
    """A new database with these rows. Raises `sqlite3.Error` if the table is already there."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(CREATE)
        _insert(database, rows)


def arrive(path: Path, rows: Iterable[Application]) -> None:
    """The system's next month: known applications change, the others are added."""
    rows = tuple(rows)
    with closing(sqlite3.connect(path)) as database, database:
        known = {number for (number,) in database.execute("SELECT id FROM loan_application")}
        changed = [(row.defaulted, row.updated_at, row.id) for row in rows if row.id in known]
        database.executemany("UPDATE loan_application SET defaulted = ?, updated_at = ? WHERE id = ?", changed)
        _insert(database, (row for row in rows if row.id not in known))


def forget(path: Path, cpf: str) -> int:
    """Deletes a person's applications, however their CPF is written, and their bytes; gives how many there were."""
    digits = "".join(each for each in cpf if each.isdigit())
    with closing(sqlite3.connect(path)) as database:
        with database:
            plain = "replace(replace(cpf, '.', ''), '-', '')"
            gone = database.execute(f"DELETE FROM loan_application WHERE {plain} = ?", (digits,)).rowcount
        database.execute("VACUUM")
    return gone


def _insert(database: sqlite3.Connection, rows: Iterable[Application]) -> None:
    places = ", ".join("?" * len(COLUMNS))
    database.executemany(f"INSERT INTO loan_application VALUES ({places})", map(attrgetter(*COLUMNS), rows))
