"""The engine protocol: everything Lastro asks of whatever computes.

Rules:

1. Nothing outside this package knows which engine runs; nothing assumes one process.
2. Every engine gives the same kept rows, the same quarantine and the same counts for the same plan and scan:
   `tests/engine/conformance.py` holds each of them to it.
3. An engine writes Parquet into a staging folder and nowhere else; it never commits.
4. `protect` is applied to kept and quarantined rows before a byte of them is written. Rows of persons who were erased
   are set aside without a value, under the rule `ERASED`.

The quarantine's Parquet files have the schema `QUARANTINE`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lastro.engine.protecting import Protect
from lastro.engine.scan import ArrowStream, Scan
from lastro.model.cleaning import Cleaned
from lastro.model.interval import Interval
from lastro.model.merging import MergePlan
from lastro.model.plan import Plan, TableRule
from lastro.model.profile import Frame, Profile
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
        Field("form", Primitive.STRING, nullable=False),  # how `record` is to be read: raw, clean, text, mark
        Field("record", Primitive.STRING, nullable=False),  # JSON object of the source's (raw) or table's (clean)
    )  #                                                      columns; for `text` the malformed line itself
)


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

_NONE: frozenset[str] = frozenset()
MALFORMED = "malformed"
"""The rule's name for records that cannot be taken apart at all: ragged rows, broken JSON, unmatched lines."""
PRIMARY_KEY = "primary_key"
"""The rule's name for rows set aside because their primary key stands in the batch already."""
ERASED = "erased"
"""The rule's name for rows that do not come in, since the person whom they are about was erased."""
NOTHING = "{}"
"""The record of such a row."""
MARK = "mark"
"""The form of a quarantine's row that closes another: `record` is the key that makes it count."""


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
    cleaning: tuple[Cleaned, ...] = ()
    """What cleaning did, in the plan's order of columns."""


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
class OtherRows:
    """Rows that stand in files, with the columns of their version."""

    files: tuple[Path, ...]
    schema: Schema


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


@dataclass(frozen=True, slots=True)
class Tally:
    """What a plan's rules come to over stored files: the rows there are, how many of them break each row rule, how many
    table rules see, and each table rule's number. Rules go by their names.
    """

    rows: int
    refused: Mapping[str, int]
    counted: int
    table_rules: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FailingRow:
    """One stored row that breaks rules: its number within the files, from 1, and some of its values as stored."""

    row: int
    rules: tuple[str, ...]
    values: Mapping[str, Any] = field(repr=False)  # Any: column values


@dataclass(frozen=True, slots=True)
class Failing:
    """The first rows that break any of some rules, in the files' order, and how many there are in all."""

    total: int
    rows: tuple[FailingRow, ...]


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
        others: Mapping[str, OtherRows] | None = None,
    ) -> Measures:
        """Counts per column and every table rule's number over Parquet files. `table` is the name queries use; with
        `only`, rows count for which this truth column is true. `others` are the rows of other datasets in which rules
        look keys up, by reference.
        """
        ...

    def profile(
        self,
        files: Sequence[Path],
        schema: Schema,
        *,
        frame: Frame | None = None,
        withheld: frozenset[str] = _NONE,
        where: str | None = None,
    ) -> Profile:
        """Counts the files' rows, or those of which a person's SQL condition is true, under a frame.

        Columns that the frame lacks are framed by a sample of the rows; of `withheld` ones only the missing are
        counted. Raises `Corrupted`, `EngineError`, `SqlRefused`.
        """
        ...

    def slices(
        self,
        files: Sequence[Path],
        schema: Schema,
        *,
        by: str,
        frame: Frame,
        withheld: frozenset[str] = _NONE,
        where: str | None = None,
    ) -> Mapping[str, Profile]:
        """As `profile`, of each slice by a column whose frame has `engine.profiling.slices.labels`."""
        ...

    def tally(
        self,
        files: Sequence[Path],
        schema: Schema,
        plan: Plan,
        *,
        only: str | None = None,
        others: Mapping[str, OtherRows] | None = None,
    ) -> Tally:
        """Counts the rows of Parquet files that break each row rule, in one scan, and measures every table rule.

        The files' columns are the plan's source (`engine.rules` restates a contract's plan so). With `only`, rows
        count for table rules for which this truth column is true; `others` is as for `measure`. Raises `SqlRefused`,
        `Corrupted`, `EngineError`.
        """
        ...

    def failing(
        self,
        files: Sequence[Path],
        schema: Schema,
        plan: Plan,
        rules: Sequence[str],
        *,
        show: Sequence[str],
        limit: int,
        only: str | None = None,
    ) -> Failing:
        """Rows of Parquet files that break some of these rules – row rules, or table rules that count duplicates – and
        of at most `limit` of them the values in the files' columns `show`. The rest is as for `tally`.
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

    def open_rows(self, aside: Sequence[Path], keys: Collection[str], *, columns: Sequence[str]) -> ArrowStream:
        """The rows of a quarantine's files whose batch is one of `keys` and which no mark of one of them closes, in the
        order in which they were set aside.
        """
        ...

    def again(
        self, aside: Sequence[Path], keys: Collection[str], staged: Staged, plan: Plan, folder: Path, *, batch: str
    ) -> Sequence[StagedFile]:
        """Writes a mark, which counts as of `batch`, for each open row of a quarantine's files that the staged batch
        brings again: its `plan.primary_key` stands in a kept or refused row. Of a row whose key cannot be read, the
        same record was refused of the same source.
        """
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
