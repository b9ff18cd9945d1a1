"""What others told of themselves: which jobs read and wrote which datasets.

Rules:

1. An event is known by its run, its type and its moment; told again, it changes nothing.
2. A run that failed or was broken off wrote nothing that counts; what it read, it read.
3. Unlike everything else in the catalogue, this stands nowhere else in the workspace: `Catalog.rebuild` leaves it. Only
   a file that is damaged or gone takes it along; then it is to be imported again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lastro.model import clock
from lastro.model.foreign import ForeignDataset, ForeignEvent, ForeignJob
from lastro.state.connection import Connection

_FAILED = "EXISTS (SELECT 1 FROM foreign_event AS e WHERE e.run = u.run AND e.type IN ('FAIL', 'ABORT'))"
_COUNTS = f"(u.role = 'input' OR NOT {_FAILED})"


class Foreign:
    """The part of a catalogue that others told. Every method raises what the catalogue's do."""

    def __init__(self, file: Connection) -> None:
        self._file = file

    def take(self, events: Iterable[ForeignEvent]) -> int:
        """Records events, all or none; gives how many were not known before."""
        new = 0
        with self._file.writing() as connection:
            for event in events:
                key = (event.run, event.type, clock.to_text(event.moment))
                values = (*key, event.job.namespace, event.job.name)
                if connection.execute("INSERT OR IGNORE INTO foreign_event VALUES (?, ?, ?, ?, ?)", values).rowcount:
                    new += 1
                    used = [("input", one) for one in event.inputs] + [("output", one) for one in event.outputs]
                    connection.executemany(
                        "INSERT OR IGNORE INTO foreign_use VALUES (?, ?, ?, ?, ?, ?, ?)",
                        [(*key, role, one.namespace, one.name, one.version) for role, one in used],
                    )
        return new

    def readers(self, dataset: ForeignDataset, *, since: str = "", until: str = "~") -> tuple[ForeignJob, ...]:
        """The jobs that read a dataset. With a version: that one, or one that they did not name, in an event of at
        least `since` and before `until` (as `clock.to_text` writes moments).
        """
        return self._jobs("input", dataset, since, until)

    def writers(self, dataset: ForeignDataset, *, since: str = "", until: str = "~") -> tuple[ForeignJob, ...]:
        """The jobs that wrote a dataset, as `readers`."""
        return self._jobs("output", dataset, since, until)

    def used_in(self, namespace: str) -> frozenset[str]:
        """The names of the datasets of a namespace that any job read or wrote."""
        query = "SELECT DISTINCT name FROM foreign_use WHERE namespace = ?"
        return frozenset(name for (name,) in self._all(query, namespace))

    def inputs(self, job: ForeignJob) -> tuple[tuple[ForeignDataset, str], ...]:
        """What a job read, each with the moment of the last event that tells it."""
        return self._datasets("input", job)

    def outputs(self, job: ForeignJob) -> tuple[tuple[ForeignDataset, str], ...]:
        """What a job wrote, as `inputs`."""
        return self._datasets("output", job)

    def _jobs(self, role: str, dataset: ForeignDataset, since: str, until: str) -> tuple[ForeignJob, ...]:
        query = (
            "SELECT DISTINCT e.job_namespace, e.job_name FROM foreign_use AS u"
            " JOIN foreign_event AS e ON e.run = u.run AND e.type = u.type AND e.moment = u.moment"
            " WHERE u.role = ? AND u.namespace = ? AND u.name = ?"
            " AND (? = '' OR u.version = ? OR (u.version = '' AND u.moment >= ? AND u.moment < ?))"
            f" AND {_COUNTS} ORDER BY 1, 2"
        )
        values = (role, dataset.namespace, dataset.name, dataset.version, dataset.version, since, until)
        return tuple(ForeignJob(*found) for found in self._all(query, *values))

    def _datasets(self, role: str, job: ForeignJob) -> tuple[tuple[ForeignDataset, str], ...]:
        query = (
            "SELECT u.namespace, u.name, u.version, max(u.moment) FROM foreign_event AS e"
            " JOIN foreign_use AS u ON e.run = u.run AND e.type = u.type AND e.moment = u.moment"
            f" WHERE e.job_namespace = ? AND e.job_name = ? AND u.role = ? AND {_COUNTS}"
            " GROUP BY u.namespace, u.name, u.version ORDER BY u.namespace, u.name, u.version"
        )
        found = self._all(query, job.namespace, job.name, role)
        return tuple((ForeignDataset(*dataset), moment) for *dataset, moment in found)

    def _all(self, query: str, *values: str) -> list[Any]:  # Any: tuples of SQLite's values
        with self._file.reading() as connection:
            return connection.execute(query, values).fetchall()
