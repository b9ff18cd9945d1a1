"""The engine protocol: everything Lastro asks of whatever computes.

Rules:

1. Nothing outside this package knows which engine runs; nothing assumes one process.
2. Every engine gives the same kept rows, the same quarantine and the same counts for the same plan and scan:
   `tests/engine/conformance.py` holds each of them to it.
3. An engine writes Parquet into a staging folder and nowhere else; it never commits.
4. `protect` is applied to kept and quarantined rows before a byte of them is written.

The quarantine's Parquet files have the schema `QUARANTINE`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lastro.engine.scan import ArrowStream, Scan
from lastro.model.interval import Interval
from lastro.model.merging import MergePlan
from lastro.model.plan import Plan, TableRule
from lastro.model.progress import Told
from lastro.model.sample import Sample
from lastro.model.schema import Field, ListOf, Primitive, Schema
from lastro.model.version import RowChanges, RowCounts

QUARANTINE = Schema(
    (
        Field("batch", Primitive.STRING, nullable=False),  # the commit's idempotency key
        Field("rules", ListOf(Primitive.STRING), nullable=False),  # names of the broken rules, in the plan's order
        Field("source", Primitive.STRING, nullable=False),  # file name or stream label
        Field("position", Primitive.LONG, nullable=False),  # 1-based record within `source`
        Field("offset", Primitive.LONG),  # where the record begins in `source`, in bytes; NULL where it is not known
        Field("form", Primitive.STRING, nullable=False),  # how `record` is to be read: raw, clean or text
        Field("record", Primitive.STRING, nullable=False),  # JSON object of the source's (raw) or table's (clean)
    )  #                                                      columns; for `text` the malformed line itself
)

Protect = Callable[[Any], Any]  # Any: a pyarrow.RecordBatch, which this module must not import
Arrange = Callable[[Sequence[Schema]], Plan]
"""Told the columns of each source as they arrive, gives the plan to stage by, or refuses by raising.

Of JSON objects these are the members that the plan reads, and `REST` where it has a rule `Foreseen`.
"""

REST = "_lastro_rest"
"""Stands among a JSON source's columns for the members that the plan does not read: a record that has values there."""
UNREAD = "_lastro_unread"
"""Carried along: a JSON list of the names of the members that the plan does not read, NULL where there are none."""
OFFSET = "_lastro_offset"
"""Carried along: where a line begins in its file, in bytes from 0 (of a compressed file: of what it holds)."""
UNREAD_MAX = 2_000
"""So many names of unread columns are told at most."""

MALFORMED = "malformed"
"""The rule's name for records that cannot be taken apart at all: ragged rows, broken JSON, unmatched lines."""
PRIMARY_KEY = "primary_key"
"""The rule's name for rows set aside because their primary key stands in the batch already."""


@dataclass(frozen=True, slots=True)
class StagedFile:
    """One Parquet file in the staging folder."""

    path: Path
    rows: int
    sha256: str = ""
    """Its digest, where it was taken already."""


@dataclass(frozen=True, slots=True)
class Staged:
    """One batch, cast, cleaned, split and written to staging. `refused` maps each row rule's name (and `malformed`,
    `primary_key`) to the number of rows that broke it; a row that broke several counts for each.
    """

    kept: tuple[StagedFile, ...]
    quarantined: tuple[StagedFile, ...]
    counts: RowCounts
    refused: Mapping[str, int]
    unread: tuple[str, ...] = ()
    """The source's columns (of JSON objects, the members that occurred) which the plan does not read; `UNREAD_MAX` at
    most."""
    sources: tuple[tuple[str, int], ...] = ()
    """Each source in the order in which it was read, and its records. Kept rows stand in this order, too."""


@dataclass(frozen=True, slots=True)
class ColumnMeasures:
    """Counts of one column; `minimum`, `maximum` and `mean` only for numbers, dates and moments, as text."""

    nulls: int
    distinct: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    mean: float | None = None


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured over a set of files: rows, per-column counts, and each table rule's number by its name."""

    rows: int
    columns: Mapping[str, ColumnMeasures]
    table_rules: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeyDiff:
    """Rows that differ between two versions, by key: counts, cells changed per column, and at most `limit` examples.

    `examples` are rows of `{"change": "added"|"removed"|"changed", "key": {...}, "before": {...}, "after": {...}}`.
    """

    added: int
    removed: int
    changed: int
    cells: Mapping[str, int]
    examples: tuple[Mapping[str, Any], ...]  # Any: column values


@dataclass(frozen=True, slots=True)
class Merged:
    """A batch that met the stored rows: `added` are the files of its rows that join, `rewritten` those with what stays
    of the `touched` stored files. Of `held` stored rows that could have ended so, `absent` did because their key is
    gone.
    """

    added: tuple[StagedFile, ...]
    rewritten: tuple[StagedFile, ...]
    touched: tuple[Path, ...]
    changes: RowChanges
    absent: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class Cleared:
    """Stored files of which the rows of an interval are gone: `rewritten` hold what stays of the `touched` ones, and
    `removed` rows do not stay. `outside` rows of the batch lie elsewhere, `nowhere` stored ones have no value.
    """

    rewritten: tuple[StagedFile, ...]
    touched: tuple[Path, ...]
    removed: int
    outside: int = 0
    nowhere: int = 0


class Engine(Protocol):
    """What computes. Implementations: `engine.duck`, `engine.spark`."""

    name: str

    def describe(self, scan: Scan) -> Schema:
        """The source's columns as they arrive. Raises `SourceBroken`, `LimitExceeded`. Does not consume a stream."""
        ...

    def sample(self, scan: Scan) -> Sequence[Sample]:
        """What inference needs to know of each source column; may read the whole source."""
        ...

    def check(self, plan: Plan) -> None:
        """Checks every SQL text of a plan against the allow-list and the plan's columns, executing nothing.

        Raises `SqlRefused`, naming the rule or column.
        """
        ...

    def explain(self, plan: Plan) -> str:
        """The SQL the plan compiles to, for `--plan`."""
        ...

    def stage(
        self,
        plan: Plan,
        scan: Scan,
        folder: Path,
        *,
        batch: str,
        keep_last: bool = False,
        protect: Protect | None = None,
        progress: Told | None = None,
        arrange: Arrange | None = None,
    ) -> Staged:
        """One scan: cast, clean, one bit per row rule, split, protect, write Parquet into `folder`.

        `arrange` may give another plan once the source's columns are known. `batch` goes into the quarantine's rows. Of
        rows with equal primary keys the first is kept, with `keep_last` the last; the others are quarantined. Raises
        `SourceBroken`, `LimitExceeded`, `EngineError`, `WriteFailed`.
        """
        ...

    def measure(
        self,
        files: Sequence[Path],
        schema: Schema,
        rules: Sequence[TableRule],
        *,
        table: str,
        only: str | None = None,
    ) -> Measures:
        """Counts per column and every table rule's number over Parquet files. `table` is the name queries use; with
        `only`, rows count for which this truth column is true.
        """
        ...

    def merge(
        self,
        stored: Sequence[Path],
        batch: Sequence[StagedFile],
        schema: Schema,
        plan: MergePlan,
        folder: Path,
        *,
        present: Sequence[Path] | None = None,
    ) -> Merged:
        """Meets a batch, whose keys differ, with stored files, and writes what changes into `folder`.

        `schema` is the table's afterwards; `present` are files of the keys that the source holds. Files of the batch of
        which not every row joins as it is are replaced.
        """
        ...

    def clear(
        self, stored: Sequence[Path], batch: Sequence[StagedFile], schema: Schema, interval: Interval, folder: Path
    ) -> Cleared:
        """Writes what stays of stored files without the rows of an interval into `folder`; files without such rows are
        left alone. Nothing is written if rows of the batch lie outside of it, or stored ones have no value.
        """
        ...

    def recast(self, existing: Sequence[Path], schema: Schema, folder: Path) -> Sequence[StagedFile]:
        """Writes all rows of `existing`, in order, to new Parquet files in `folder`, under a schema that is wider."""
        ...

    def holding(self, existing: Sequence[Path], incoming: Sequence[Path], key: Sequence[str]) -> Sequence[Path]:
        """Those of `existing` that hold at least one key of `incoming`."""
        ...

    def read(
        self, files: Sequence[Path], schema: Schema, *, columns: Sequence[str] | None = None, where: str | None = None
    ) -> ArrowStream:
        """A stream of the files' rows in the files' order. `where` is a person's SQL condition. Columns added to the
        schema after a file was written are NULL for its rows.
        """
        ...

    def write(self, stream: ArrowStream, target: Path, *, form: str) -> int:
        """Writes a stream to one file: `parquet`, `csv`, `jsonl` or `arrow`. Returns the number of rows."""
        ...

    def diff(
        self, before: Sequence[Path], after: Sequence[Path], schema: Schema, key: Sequence[str], *, limit: int
    ) -> KeyDiff:
        """Rows added, removed and changed by key; without a key, whole rows are compared as a multiset."""
        ...
