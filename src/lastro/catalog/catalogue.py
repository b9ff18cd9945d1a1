"""The catalogue: what exists in a workspace and what happened, indexed for questions that no single table can answer.

Rules:

1. It is an index. Truth is in the tables and the run records; `rebuild` makes the same catalogue again from them. What
   others told of themselves (`foreign`) is left as it is.
2. Everything written is replaced as a whole (a version, a run, a dataset's tag): writing it twice changes nothing.
3. What a query returns depends on what was recorded, never on the order in which it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from lastro.catalog import rows
from lastro.catalog.foreign import Foreign
from lastro.catalog.rows import CataloguedVersion
from lastro.catalog.run_record import RunRecord
from lastro.catalog.tables import APPLICATION_ID, MIGRATIONS, TABLES
from lastro.model import clock
from lastro.model.errors import ConfigurationError, Corrupted, UnknownName
from lastro.model.reference import Digest, Latest, Moment, Number, Reference, Selector, Tag
from lastro.model.text import _
from lastro.model.version import VersionInfo
from lastro.state.connection import Connection, Kind

KIND = Kind(
    APPLICATION_ID,
    MIGRATIONS,
    name=lambda: _("the catalogue"),
    repair=lambda: _("make it again from the tables: lastro repair --rebuild-catalog"),
)
History = tuple[str, Iterable[VersionInfo], Mapping[str, int]]
"""A dataset as its table tells it: name, versions, tags."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number measured of one version. `column` is empty where the number is about the whole table."""

    dataset: str
    number: int
    name: str
    column: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Link:
    """`version` was made from `upstream` (both `name@number`), by `run` if one is known."""

    upstream: str
    version: str
    run: str


class Catalog:
    """The index of one workspace, in an SQLite file. Any number of processes and threads may use it at once.

    Every method raises `Corrupted` (damaged or foreign file), `ConfigurationError` (file of a newer Lastro), `Locked`
    and, if it writes, `WriteFailed`; all name the repair.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = Connection(path, KIND)
        self.foreign = Foreign(self._file)

    def record(self, info: VersionInfo) -> None:
        """Records a version; what was known of that number is replaced."""
        with self._file.writing() as connection:
            rows.write_version(connection, info)

    def forget(self, dataset: str, number: int) -> None:
        """Removes a version whose files are gone, its metrics, and the tags on it."""
        with self._file.writing() as connection:
            rows.erase_version(connection, dataset, number)
            connection.execute("DELETE FROM tag WHERE dataset = ? AND number = ?", (dataset, number))

    def tagged(self, dataset: str, tag: str, number: int | None) -> None:
        """Records that a tag now stands on a version; None takes the tag away."""
        with self._file.writing() as connection:
            rows.write_tag(connection, dataset, tag, number)

    def record_run(self, record: RunRecord) -> None:
        """Records a run; what was known under its id is replaced."""
        with self._file.writing() as connection:
            rows.write_run(connection, record)

    def rebuild(self, datasets: Iterable[History], runs: Iterable[RunRecord]) -> None:
        """Makes the whole catalogue anew, in one step for all who look; a damaged or foreign file is replaced."""
        try:
            self.check()
        except (Corrupted, ConfigurationError):
            self._file.discard()
        self._fill(datasets, runs)

    def wipe(self) -> None:
        """Takes what was deleted out of the file's bytes, too. Raises `Locked` if others read it for too long."""
        self._file.wipe()

    def datasets(self) -> tuple[str, ...]:
        """The names of all datasets, sorted."""
        return tuple(name for (name,) in self._all("SELECT name FROM dataset ORDER BY name"))

    def tags(self, dataset: str) -> Mapping[str, int]:
        """Every tag and the number of its version."""
        return dict(self._all("SELECT tag, number FROM tag WHERE dataset = ? ORDER BY tag", dataset))

    def versions(self, dataset: str) -> tuple[CataloguedVersion, ...]:
        """All versions of a dataset, newest first; empty if there is none."""
        found = self._all(f"{rows.SELECT_VERSION} WHERE dataset = ? ORDER BY number DESC", dataset)
        return tuple(map(rows.read_version, found))

    def find(self, reference: Reference) -> CataloguedVersion:
        """The version that is meant. Raises `UnknownName`."""
        condition, values = _condition(reference.selector)
        query = f"{rows.SELECT_VERSION} WHERE dataset = ? AND {condition} ORDER BY number DESC LIMIT 1"
        for found in self._all(query, reference.name, *values):
            return rows.read_version(found)
        raise UnknownName(
            _("the catalogue knows no version {reference}").format(reference=reference),
            where=str(self.path),
            do=_("see the list of versions, or make the catalogue again: lastro repair --rebuild-catalog"),
        )

    def runs(self) -> tuple[RunRecord, ...]:
        """All runs, newest first."""
        return tuple(self._run(text) for (text,) in self._all("SELECT record FROM run ORDER BY id DESC"))

    def run(self, run_id: str) -> RunRecord:
        """One run. Raises `UnknownName`."""
        for (text,) in self._all("SELECT record FROM run WHERE id = ?", run_id):
            return self._run(text)
        raise UnknownName(
            _("there is no run {run}").format(run=run_id[:80]), where=str(self.path), do=_("see the list of runs")
        )

    def used_by(self, dataset: str, number: int) -> tuple[str, ...]:
        """The ids of the runs that read or wrote a version, newest first."""
        query = "SELECT DISTINCT run FROM run_version WHERE dataset = ? AND number = ? ORDER BY run DESC"
        return tuple(run for (run,) in self._all(query, dataset, number))

    def lineage(self, reference: Reference, *, downstream: bool = False) -> tuple[Link, ...]:
        """All links between the version and what it was made from, however far back, nearest first.

        With `downstream`, what was made from it instead. Raises `UnknownName`.
        """
        start = self.find(reference)
        with self._file.reading() as connection:
            links = rows.links(connection)
        return _walk(f"{start.dataset}@{start.number}", tuple(Link(*link) for link in links), downstream=downstream)

    def metrics(self, dataset: str, name: str) -> tuple[Metric, ...]:
        """How one number moved: a rule's measure, or `table.rows`, `table.bytes`, `batch.read`, `batch.kept`,
        `batch.quarantined`; by column, then from the oldest version to the newest.
        """
        query = (
            'SELECT dataset, number, name, "column", value, unit FROM metric'
            ' WHERE dataset = ? AND name = ? ORDER BY "column", number'
        )
        return tuple(Metric(*found) for found in self._all(query, dataset, name))

    def dump(self) -> dict[str, list[list[Any]]]:  # Any: JSON values
        """Every table's rows in the order of their keys: equal for equal catalogues."""
        with self._file.reading() as connection:
            return {table: rows.read_all(connection, table) for table in TABLES}

    def check(self) -> None:
        """Reads the whole file. Raises `Corrupted` if SQLite finds any page or index wrong."""
        findings = self._all("PRAGMA integrity_check")
        if findings != [("ok",)]:
            raise Corrupted(
                _("the catalogue is damaged"),
                where=str(self.path),
                do=_("make it again from the tables: lastro repair --rebuild-catalog"),
            )

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _fill(self, datasets: Iterable[History], runs: Iterable[RunRecord]) -> None:
        with self._file.writing() as connection:
            for table in TABLES:
                connection.execute(f"DELETE FROM {table}")
            for name, history, tags in datasets:
                rows.write_dataset(connection, name)
                for info in history:
                    rows.write_version(connection, info)
                for tag, number in tags.items():
                    rows.write_tag(connection, name, tag, number)
            for record in runs:
                rows.write_run(connection, record)

    def _all(self, query: str, *values: str | int) -> list[Any]:  # Any: tuples of SQLite's values
        with self._file.reading() as connection:
            return connection.execute(query, values).fetchall()

    def _run(self, text: str) -> RunRecord:
        return RunRecord.from_json(text, where=str(self.path))


def _condition(selector: Selector) -> tuple[str, tuple[str | int, ...]]:
    match selector:
        case Latest():
            return "TRUE", ()
        case Number(number):
            return "number = ?", (number,)
        case Tag(tag):
            return "number = (SELECT number FROM tag WHERE tag.dataset = version.dataset AND tag = ?)", (tag,)
        case Moment(moment):
            return "committed <= ?", (clock.to_text(moment),)
        case Digest(digest):
            return "substr(digest, 1, ?) = ?", (len(digest), digest)


def _walk(start: str, links: tuple[Link, ...], *, downstream: bool) -> tuple[Link, ...]:
    """Breadth first, each link once."""
    found: dict[Link, None] = {}
    ahead, seen = [start], {start}
    while ahead:
        at = ahead.pop(0)
        for link in links:
            here, there = (link.upstream, link.version) if downstream else (link.version, link.upstream)
            if here != at:
                continue
            found[link] = None
            if there not in seen:
                seen.add(there)
                ahead.append(there)
    return tuple(found)
