"""How versions, runs and tags become rows of the catalogue, and rows become values again."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lastro.catalog.run_record import RunRecord
from lastro.model import clock
from lastro.model.errors import NameRefused
from lastro.model.reference import Digest, Number, Reference
from lastro.model.version import Mode, RowCounts, VersionInfo

SELECT_VERSION = (
    "SELECT dataset, number, digest, parent, committed, rows, size, mode, contract_digest, run, source,"
    " rows_read, rows_kept, rows_quarantined FROM version"
)


@dataclass(frozen=True, slots=True)
class CataloguedVersion:
    """What the catalogue knows of a version: everything but its schema and files. `size` is in bytes."""

    dataset: str
    number: int
    digest: str
    parent: str | None
    committed: datetime
    rows: int
    size: int
    mode: Mode
    contract_digest: str
    run: str
    source: str
    counts: RowCounts | None


def write_dataset(connection: sqlite3.Connection, name: str) -> None:
    """Records that a dataset exists."""
    connection.execute("INSERT OR IGNORE INTO dataset VALUES (?)", (name,))


def write_version(connection: sqlite3.Connection, info: VersionInfo) -> None:
    """Replaces a version's row, its metrics and its upstream references."""
    erase_version(connection, info.dataset, info.number)
    write_dataset(connection, info.dataset)
    origin, counts = info.origin, info.origin.counts
    connection.execute(
        "INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(info.dataset, info.number, info.digest, info.parent, clock.to_text(info.committed)),
            *(info.rows, info.size, origin.mode.value, origin.contract_digest, origin.run, origin.source),
            *((counts.read, counts.kept, counts.quarantined) if counts else (None, None, None)),
        ),
    )
    key = (info.dataset, info.number)
    connection.executemany("INSERT OR IGNORE INTO upstream VALUES (?, ?, ?)", [(*key, text) for text in origin.inputs])
    connection.executemany(
        "INSERT OR REPLACE INTO metric VALUES (?, ?, ?, ?, ?, ?)", [(*key, *m) for m in _metrics(info)]
    )


def erase_version(connection: sqlite3.Connection, dataset: str, number: int) -> None:
    """Removes a version's row, its metrics and its upstream references."""
    for table in ("version", "metric", "upstream"):
        connection.execute(f"DELETE FROM {table} WHERE dataset = ? AND number = ?", (dataset, number))


def write_tag(connection: sqlite3.Connection, dataset: str, tag: str, number: int | None) -> None:
    """Sets, moves or (None) removes a tag."""
    connection.execute("DELETE FROM tag WHERE dataset = ? AND tag = ?", (dataset, tag))
    if number is not None:
        connection.execute("INSERT INTO tag VALUES (?, ?, ?)", (dataset, tag, number))


def write_run(connection: sqlite3.Connection, record: RunRecord) -> None:
    """Replaces a run's row and what it read and wrote."""
    connection.execute("DELETE FROM run_version WHERE run = ?", (record.id,))
    connection.execute(
        "INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(record.id, record.name, clock.to_text(record.started)),
            *(clock.to_text(record.ended) if record.ended else None, record.status.value, record.replay_of),
            record.to_json(),
        ),
    )
    used = [("input", each) for each in record.inputs] + [("output", each) for each in record.outputs]
    connection.executemany(
        "INSERT OR REPLACE INTO run_version VALUES (?, ?, ?, ?, ?, ?)",
        [(record.id, role, each.dataset, each.number, each.name, each.digest) for role, each in used],
    )


def read_version(row: tuple[Any, ...]) -> CataloguedVersion:  # Any: SQLite's values
    """The version of a row of `SELECT_VERSION`."""
    dataset, number, digest, parent, committed, rows, size, mode, contract_digest, run, source, *counts = row
    return CataloguedVersion(
        dataset=dataset,
        number=number,
        digest=digest,
        parent=parent,
        committed=clock.from_text(committed),
        rows=rows,
        size=size,
        mode=Mode(mode),
        contract_digest=contract_digest,
        run=run,
        source=source,
        counts=None if counts[0] is None else RowCounts(*counts),
    )


def read_all(connection: sqlite3.Connection, table: str) -> list[list[Any]]:  # Any: SQLite's values
    """All rows of a table, sorted. Names, texts and numbers are never mixed in one column, but any may be NULL."""
    found = [list(row) for row in connection.execute(f"SELECT * FROM {table}")]
    return sorted(found, key=lambda row: [(value is not None, value) for value in row])


def links(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Every (upstream, version, run) that a version's own record or a run's record tells, sorted, each once.

    A version that names the run that wrote it was made from what that run read.
    """
    by_run = connection.execute(
        "SELECT i.dataset || '@' || i.number, o.dataset || '@' || o.number, o.run"
        " FROM run_version AS o JOIN run_version AS i ON i.run = o.run AND i.role = 'input' AND o.role = 'output'"
        " UNION SELECT i.dataset || '@' || i.number, v.dataset || '@' || v.number, v.run"
        " FROM version AS v JOIN run_version AS i ON i.run = v.run AND i.role = 'input'"
    ).fetchall()
    told = {(upstream, version) for upstream, version, _run in by_run}
    own = connection.execute(
        "SELECT u.reference, u.dataset || '@' || u.number, coalesce(v.run, '')"
        " FROM upstream AS u LEFT JOIN version AS v ON v.dataset = u.dataset AND v.number = u.number"
    ).fetchall()
    named = {(_resolved(connection, reference), version, run) for reference, version, run in own}
    return sorted({*by_run, *(link for link in named if link[:2] not in told)})


def _resolved(connection: sqlite3.Connection, text: str) -> str:
    """A reference, perhaps followed by a digest, as `name@number` if it says which one; else as it was written."""
    try:
        reference = Reference.parse(text.partition(" ")[0])
    except NameRefused:
        return text
    match reference.selector:
        case Number(number):
            return f"{reference.name}@{number}"
        case Digest(digest):
            row = connection.execute(
                "SELECT max(number) FROM version WHERE dataset = ? AND substr(digest, 1, ?) = ?",
                (reference.name, len(digest), digest),
            ).fetchone()
            return text if row[0] is None else f"{reference.name}@{row[0]}"
        case _:
            return text


def _metrics(info: VersionInfo) -> Iterator[tuple[str, str, float, str]]:
    """(name, column, value, unit) of everything that was measured when the version was made."""
    yield "table.rows", "", float(info.rows), "rows"
    yield "table.bytes", "", float(info.size), "bytes"
    if counts := info.origin.counts:
        yield "batch.read", "", float(counts.read), "rows"
        yield "batch.kept", "", float(counts.kept), "rows"
        yield "batch.quarantined", "", float(counts.quarantined), "rows"
    for finding in info.origin.findings:
        measured = finding.get("measured")
        value = finding.get("rows_refused", 0) if measured is None else measured
        unit = "rows" if measured is None else finding.get("unit", "")
        if math.isfinite(value):
            yield str(finding.get("rule", "")), str(finding.get("column") or ""), float(value), str(unit)
