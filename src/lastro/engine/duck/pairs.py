"""Pairs: stored rows and rows of the batch that have the same key, and what becomes of both.

Rules, for one stored file:

1. A pair whose compared columns are equal changes nothing: the stored row stays, the batch's is left out.
2. A pair that differs, or whose batch row says `gone`, ends the stored row; a `gone` row never joins.
3. Of a history, only current rows are met; a row that ends stays, with its end.
4. A stored row without a pair ends if its key is absent: from the batch, where that is whole, or from the keys that the
   source holds. A key with a NULL in it can be absent from a whole batch only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq

from lastro.engine.duck.arrow import arrow_type
from lastro.engine.duck.connection import name, text, texts
from lastro.engine.duck.fates import Batch, Mask, Stored, moment_value
from lastro.engine.duck.positions import Integers
from lastro.engine.protocol import StagedFile
from lastro.engine.sql.dialect import data_type
from lastro.model.merging import MergePlan
from lastro.model.schema import Primitive, Schema
from lastro.model.version import RowChanges

ROWS = 1 << 17
INCOMING = "incoming"
GONE = '"_lastro_gone"'
ROW = '"_lastro_row"'


class Meeting:
    """One batch and the table it meets: the connection, the fates so far, and what was counted."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        schema: Schema,
        plan: MergePlan,
        batch: Sequence[StagedFile],
        present: Sequence[Path],
        bare: set[Path],
    ) -> None:
        self.connection, self.schema, self.plan, self.bare = connection, schema, plan, bare
        self.batch = Batch(batch)
        self.gone: Mask = np.zeros(len(self.batch.skips), dtype=bool)
        self.paired: Mask = np.zeros(len(self.batch.skips), dtype=bool)
        self.present = present
        self.stored: list[Stored] = []
        self.unchanged = self.deleted = self.absent = self.held = 0
        self.changes = RowChanges()
        self._incoming()

    def count(self) -> None:
        """Sums up, once every file was met."""
        new = ~self.batch.skips
        inserted = int((new & ~self.paired).sum())
        removed = sum(int(file.goes.sum()) for file in self.stored)
        self.changes = RowChanges(
            inserted=inserted,
            updated=int(new.sum()) - inserted,
            unchanged=self.unchanged,
            gone=int(self.gone.sum()),
            deleted=self.deleted + self.absent,
            removed=removed,
        )

    def read(self, query: str) -> Iterator[list[Any]]:  # Any: numpy arrays, one for each column
        """The rows of a query, in blocks of columns."""
        for batch in self.connection.sql(query).to_arrow_reader(ROWS):
            if batch.num_rows:
                yield [column.to_numpy(zero_copy_only=False) for column in batch.columns]

    def column(self, column: str) -> str:
        """A column as the schema has its type: a file may have been written when it was narrower."""
        return f"CAST({name(column)} AS {data_type(self.schema.field(column).type).sql('duckdb')}) AS {name(column)}"

    def _incoming(self) -> None:
        """Makes the view of the batch, with the number of each row, and notes which rows say `gone`."""
        names = dict.fromkeys([*self.plan.key, *self.plan.compared, *self._extra()])
        gone = "false" if self.plan.gone is None else _truth(self.plan.gone, self.schema)
        parts = [
            f"SELECT {', '.join(self.column(each) for each in names)}, {gone} AS {GONE}, "
            f"file_row_number + {start} AS {ROW} FROM read_parquet({text(file.path)}, file_row_number = true)"
            for file, start in zip(self.batch.files, self.batch.starts, strict=True)
        ]
        if not parts:
            types = {each: data_type(self.schema.field(each).type).sql("duckdb") for each in names}
            nothing = ", ".join(f"CAST(NULL AS {kind}) AS {name(each)}" for each, kind in types.items())
            parts = [f"SELECT {nothing}, false AS {GONE}, 0::BIGINT AS {ROW} LIMIT 0"]
        self.connection.execute(f"CREATE TEMP VIEW {INCOMING} AS {' UNION ALL '.join(parts)}")
        if self.plan.gone is not None:
            for (rows,) in self.read(f"SELECT {ROW} FROM {INCOMING} WHERE {GONE}"):
                self.gone[rows] = True
            self.batch.skips |= self.gone

    def _extra(self) -> tuple[str, ...]:
        history = self.plan.history
        return () if history is None or history.effective is None else (history.effective,)

    def old(self, path: Path, *, all_states: bool = False) -> str:
        """A sub-select of the rows of a stored file that can be met: all, or of a history the current ones, unless all
        its states are asked for, with their moments.
        """
        present = set(pq.read_schema(path).names)
        history = self.plan.history
        moments = [history.start, history.end] if history is not None and all_states and path not in self.bare else []
        names = dict.fromkeys([*self.plan.key, *self.plan.compared, *moments])
        items = [
            self.column(each)
            if each in present
            else f"CAST(NULL AS {data_type(self.schema.field(each).type).sql('duckdb')}) AS {name(each)}"
            for each in names
        ]
        where = ""
        if history is not None and not all_states and path not in self.bare:
            where = f" WHERE {name(history.current)}"
        source = f"read_parquet({text(path)}, file_row_number = true)"
        return f"(SELECT {', '.join(items)}, file_row_number AS {ROW} FROM {source}{where})"


def meet(meeting: Meeting, path: Path, *, every: bool) -> None:
    """Decides the fates of one stored file's rows, and of the batch's rows that meet them."""
    file = next((each for each in meeting.stored if each.path == path), None)
    if file is None:
        file = Stored.of(path, pq.read_metadata(path).num_rows)
        file.bare = path in meeting.bare
        meeting.stored.append(file)
    paired = np.zeros(len(file.goes), dtype=bool)
    chained = meeting.plan.history is not None and meeting.plan.history.effective is not None
    for old, new, gone, equal in meeting.read(_pairs(meeting, path, compared=not chained)):
        paired[old] = True
        if chained:
            continue
        meeting.paired[new] = True
        same = equal & ~gone
        meeting.batch.skips[new[same]] = True
        meeting.unchanged += int(same.sum())
        meeting.deleted += int(gone.sum())
        _end(meeting, file, old[~same])
    if every:
        _end_absent(meeting, file, paired)


def _end_absent(meeting: Meeting, file: Stored, paired: Mask) -> None:
    met = np.zeros(len(file.goes), dtype=bool)
    missing = np.zeros(len(file.goes), dtype=bool)
    for (rows,) in meeting.read(f"SELECT {ROW} FROM {meeting.old(file.path)}"):
        met[rows] = True
    if meeting.plan.whole:
        missing = met.copy()
    else:
        key = meeting.plan.key
        same = " AND ".join(f"old.{name(column)} = new.{name(column)}" for column in key)
        known = " AND ".join(f"old.{name(column)} IS NOT NULL" for column in key)
        keys = _present(meeting)
        query = f"SELECT old.{ROW} FROM {meeting.old(file.path)} AS old ANTI JOIN {keys} AS new ON {same} WHERE {known}"
        for (rows,) in meeting.read(query):
            missing[rows] = True
    missing &= ~paired & ~file.ends & ~file.goes
    meeting.held += int(met.sum())
    meeting.absent += int(missing.sum())
    _end(meeting, file, np.flatnonzero(missing))


def _present(meeting: Meeting) -> str:
    columns = ", ".join(meeting.column(column) for column in meeting.plan.key)
    if meeting.present:
        return f"(SELECT {columns} FROM read_parquet({texts(meeting.present)}))"
    types = [(each, data_type(meeting.schema.field(each).type).sql("duckdb")) for each in meeting.plan.key]
    return f"(SELECT {', '.join(f'CAST(NULL AS {kind}) AS {name(each)}' for each, kind in types)} LIMIT 0)"


def _end(meeting: Meeting, file: Stored, rows: Integers) -> None:
    if not len(rows):
        return
    history = meeting.plan.history
    if history is None:
        file.goes[rows] = True
        return
    file.end(rows, moment_value(meeting.plan.moment, arrow_type(meeting.schema.field(history.end).type)))


def _pairs(meeting: Meeting, path: Path, *, compared: bool) -> str:
    key, columns = meeting.plan.key, meeting.plan.compared if compared else ()
    same = " AND ".join(f"old.{name(column)} = new.{name(column)}" for column in key)
    equal = " AND ".join(f"old.{name(column)} IS NOT DISTINCT FROM new.{name(column)}" for column in columns) or "true"
    return (
        f"SELECT old.{ROW}, new.{ROW}, new.{GONE}, {equal} AS same FROM {meeting.old(path)} AS old "
        f"JOIN {INCOMING} AS new ON {same}"
    )


def _truth(column: str, schema: Schema) -> str:
    kind = schema.field(column).type
    if kind == Primitive.BOOLEAN:
        return f"coalesce({name(column)}, false)"
    if kind in {Primitive.DATE, Primitive.TIMESTAMP, Primitive.TIMESTAMP_NTZ}:
        return f"({name(column)} IS NOT NULL)"
    return f"coalesce({name(column)} <> 0, false)"
