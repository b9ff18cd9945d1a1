"""The embedded engine: DuckDB, behind the engine protocol. Each method says where its work is done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from lastro.engine.duck.limits import Limits
from lastro.engine.protecting import Protect
from lastro.engine.protocol import (
    Arrange,
    Cleared,
    Failing,
    KeyDiff,
    Measures,
    Merged,
    OtherRows,
    Staged,
    StagedFile,
    Tally,
)
from lastro.engine.scan import ArrowStream, Scan
from lastro.model.interval import Interval
from lastro.model.merging import MergePlan
from lastro.model.plan import Plan, TableRule
from lastro.model.profile import Frame, Profile
from lastro.model.progress import Told
from lastro.model.sample import Sample
from lastro.model.schema import Schema


class DuckEngine:
    """An engine within `limits`; spills into `temp`, or where it stages. Implements `engine.protocol.Engine`."""

    name = "duckdb"

    def __init__(
        self,
        *,
        memory_mb: int = 600,
        threads: int | None = None,
        temp: Path | Callable[[], Path] | None = None,
        **limits: Any,  # Any: the other fields of `Limits`
    ) -> None:
        self.limits = Limits(memory_mb=memory_mb, threads=threads, **limits)
        self._place = temp

    @property
    def _temp(self) -> Path | None:
        """Where it spills; a place that is still to be made is made when it is first needed."""
        return self._place() if callable(self._place) else self._place

    def describe(self, scan: Scan) -> Schema:
        """The source's columns as they arrive; of several files, those of all of them."""
        from lastro.engine.duck import looking

        return looking.describe(scan, self.limits, self._temp)

    def sample(self, scan: Scan) -> Sequence[Sample]:
        """What was seen of each source column."""
        from lastro.engine.duck import looking

        return looking.sample(scan, self.limits, self._temp)

    def check(self, plan: Plan) -> None:
        """Checks every SQL text of a plan. Raises `SqlRefused`, `ContractError`."""
        from lastro.engine.sql import compile as sql

        sql.check(plan)

    def explain(self, plan: Plan) -> str:
        """The SQL the plan compiles to."""
        from lastro.engine.sql import compile as sql

        return sql.explain(plan)

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
        """One scan into `folder`."""
        from lastro.engine.duck.stage import Order, stage

        temp = self._temp or folder
        return stage(Order(plan, folder, batch, keep_last, protect, progress, self.limits, temp, arrange), scan)

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
        """Counts per column and every table rule's number."""
        from lastro.engine.duck.stored import measured

        return measured(files, schema, rules, table, self.limits, self._temp, only=only, others=others)

    def profile(
        self,
        files: Sequence[Path],
        schema: Schema,
        *,
        frame: Frame | None = None,
        withheld: frozenset[str] = frozenset(),
        where: str | None = None,
    ) -> Profile:
        """Counts under a frame, given or made."""
        from lastro.engine.duck import profiles

        found = profiles.Counting(tuple(files), schema, withheld, where, self.limits, self._temp)
        return profiles.profile(found, frame or {})

    def slices(
        self,
        files: Sequence[Path],
        schema: Schema,
        *,
        by: str,
        frame: Frame,
        withheld: frozenset[str] = frozenset(),
        where: str | None = None,
    ) -> Mapping[str, Profile]:
        """Counts of every slice."""
        from lastro.engine.duck import profiles

        found = profiles.Counting(tuple(files), schema, withheld, where, self.limits, self._temp)
        return profiles.slices(found, frame, by)

    def tally(
        self,
        files: Sequence[Path],
        schema: Schema,
        plan: Plan,
        *,
        only: str | None = None,
        others: Mapping[str, OtherRows] | None = None,
    ) -> Tally:
        """How many rows break each row rule, and every table rule's number."""
        from lastro.engine.duck.tally import tally

        return tally(files, schema, plan, self.limits, self._temp, only=only, others=others or {})

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
        """Rows that break some of these rules."""
        from lastro.engine.duck.tally import Asked, failing

        return failing(files, schema, plan, Asked(rules, show, limit, only), self.limits, self._temp)

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
        """A batch and the stored rows it meets."""
        from lastro.engine.duck.merge import Order, merge

        return merge(Order(stored, batch, schema, plan, folder, present, self.limits, self._temp or folder))

    def clear(
        self, stored: Sequence[Path], batch: Sequence[StagedFile], schema: Schema, interval: Interval, folder: Path
    ) -> Cleared:
        """Stored files without the rows of an interval."""
        from lastro.engine.duck.clear import clear

        return clear(stored, batch, schema, interval, folder)

    def recast(self, existing: Sequence[Path], schema: Schema, folder: Path) -> Sequence[StagedFile]:
        """All rows of `existing` in new files, under a wider schema."""
        from lastro.engine.duck.recast import recast

        return recast(existing, schema, folder)

    def holding(self, existing: Sequence[Path], incoming: Sequence[Path], key: Sequence[str]) -> Sequence[Path]:
        """Those of `existing` that hold at least one key of `incoming`."""
        from lastro.engine.duck.merge import holding

        return holding(existing, incoming, key, self.limits, self._temp)

    def open_rows(self, aside: Sequence[Path], keys: Collection[str], *, columns: Sequence[str]) -> ArrowStream:
        """The open rows of a quarantine's files."""
        from lastro.engine.duck.aside import open_rows

        found: ArrowStream = open_rows(aside, keys, columns, self.limits, self._temp)
        return found

    def again(
        self, aside: Sequence[Path], keys: Collection[str], staged: Staged, plan: Plan, folder: Path, *, batch: str
    ) -> Sequence[StagedFile]:
        """Marks for the open rows that a batch brings again."""
        from lastro.engine.duck.aside import Order, again

        return again(Order(aside, keys, staged, plan, batch, folder, self.limits, self._temp or folder))

    def read(
        self, files: Sequence[Path], schema: Schema, *, columns: Sequence[str] | None = None, where: str | None = None
    ) -> ArrowStream:
        """The files' rows as a stream."""
        from lastro.engine.duck.stored import read

        found: ArrowStream = read(files, schema, columns, where, self.limits, self._temp)
        return found

    def write(self, stream: ArrowStream, target: Path, *, form: str) -> int:
        """Writes a stream to one file."""
        from lastro.engine.duck.output import write

        return write(stream, target, form, self.limits, self._temp)

    def diff(
        self, before: Sequence[Path], after: Sequence[Path], schema: Schema, key: Sequence[str], *, limit: int
    ) -> KeyDiff:
        """Rows added, removed and changed."""
        from lastro.engine.duck.diff import diff

        return diff(before, after, schema, key, limit, self.limits, self._temp)
