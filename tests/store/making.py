"""Small tables for the tests of the store: batches of rows with a key, a number and a text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lastro.engine.protocol import StagedFile
from lastro.model.schema import Field, Primitive, Schema
from lastro.model.version import Mode, Origin, RowCounts, VersionInfo
from lastro.store.table import Table
from lastro.store.writer import Change, Writer

SCHEMA = Schema((Field("id", Primitive.LONG), Field("value", Primitive.LONG), Field("text", Primitive.STRING)))
START = datetime(2026, 1, 1, tzinfo=UTC)
Row = tuple[int, int]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **spans: float) -> None:
        self.now += timedelta(**spans)


def stage(folder: Path, rows: Sequence[Row], *, name: str = "batch.parquet") -> StagedFile:
    """Writes rows `(id, value)` to a Parquet file in a staging folder."""
    columns = {
        "id": pa.array([key for key, _ in rows], pa.int64()),
        "value": pa.array([value for _, value in rows], pa.int64()),
        "text": pa.array([f"text {value}" for _, value in rows], pa.string()),
    }
    pq.write_table(pa.table(columns), folder / name)
    return StagedFile(folder / name, len(rows))


def origin(mode: Mode, key: str, rows: int | None = None) -> Origin:
    """An origin that claims to have kept so many rows."""
    return Origin(mode, key, source="test", counts=None if rows is None else RowCounts(rows, rows, 0))


def append(table: Table, rows: Sequence[Row], key: str) -> VersionInfo:
    """Appends rows under a key."""
    with table.lock() as writer, writer.staging() as folder:
        return writer.commit(Change(SCHEMA, [stage(folder, rows)], origin(Mode.APPEND, key, len(rows))))


def overwrite(table: Table, rows: Sequence[Row], key: str) -> VersionInfo:
    """Replaces all rows under a key."""
    with table.lock() as writer, writer.staging() as folder:
        change = Change(SCHEMA, [stage(folder, rows)], origin(Mode.OVERWRITE, key, len(rows)), replace_all=True)
        return writer.commit(change)


def upsert(table: Table, rows: Sequence[Row], key: str) -> VersionInfo:
    """Replaces the rows with these ids and adds the others, as an engine would: whole files are written anew."""
    with table.lock() as writer, writer.staging() as folder:
        if first := writer.find_key(key):
            return first
        return writer.commit(upsert_change(table, writer, folder, rows, key))


def upsert_change(table: Table, writer: Writer, folder: Path, rows: Sequence[Row], key: str) -> Change:
    """What an upsert of these rows changes in the newest version."""
    head = table.head()
    ids = {key for key, _ in rows}
    touched, survivors = [], []
    for entry in head.files if head else ():
        found = rows_of([table.path / entry.path])
        if ids & {key for key, _ in found}:
            touched.append(entry.path)
            survivors += [row for row in found if row[0] not in ids]
    files = [stage(folder, rows, name="new.parquet")]
    if survivors:
        files.append(stage(folder, survivors, name="kept.parquet"))
    return Change(
        SCHEMA,
        files,
        origin(Mode.UPSERT, key, len(rows)),
        removed=touched,
        planned_at=head.number if head else -1,
    )


def restore(table: Table, number: int, key: str) -> VersionInfo:
    """Makes a version the newest again."""
    with table.lock() as writer:
        return writer.restore(table.version(number), origin(Mode.RESTORE, key))


def rows_of(paths: Iterable[Path]) -> list[Row]:
    """The rows of some files, sorted."""
    found: list[Row] = []
    for path in paths:
        columns = pq.read_table(path, columns=["id", "value"], use_threads=False).to_pydict()
        found += zip(columns["id"], columns["value"], strict=True)
    return sorted(found)


def content(table: Table, number: int | None = None) -> list[Row]:
    """The rows of a version, proven, sorted; of the newest one without a number."""
    info = table.head() if number is None else table.version(number)
    return [] if info is None else rows_of(table.paths(info))


def files_of(table: Table) -> list[Path]:
    """Every file below the table's folder."""
    return sorted(path for path in table.path.rglob("*") if path.is_file())
