"""The Spark engine: the engine protocol on Apache Spark in local mode.

Rules:

1. What a batch or a table needs computed is computed by Spark: describing, staging, measuring, tallying, reading.
2. What one person looks at on one machine is left to the embedded engine: samples, differences, rows that fail, one
   file written. So is merging: it goes file by file, by the number of each row, which Spark's readers do not tell.
   So is the quarantine, which is small.
3. A read gathers one file at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa

from lastro.engine.duck.arrow import conform, to_arrow
from lastro.engine.duck.engine import DuckEngine
from lastro.engine.duck.profiles import missing, sample
from lastro.engine.duck.stored import told
from lastro.engine.encrypted import has_encrypted
from lastro.engine.profiling.count import counted, total
from lastro.engine.profiling.frame import framed, settled
from lastro.engine.profiling.slices import counted_by, labels
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
from lastro.engine.spark import intake
from lastro.engine.spark import stage as staging
from lastro.engine.spark.intake import DataFrame, Session
from lastro.engine.spark.session import failures, start
from lastro.engine.sql import compile as compiler
from lastro.engine.sql import counting, door, measure, stored
from lastro.engine.sql.dialect import quoted, render
from lastro.model.interval import Interval
from lastro.model.merging import MergePlan
from lastro.model.plan import Measure, Plan, RowCount, TableRule
from lastro.model.profile import Frame, Profile
from lastro.model.profile_record import profile_of, record_of
from lastro.model.progress import Told
from lastro.model.sample import Sample
from lastro.model.schema import Schema
from lastro.model.text import _

Counting = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


class SparkEngine:
    """Computes with Apache Spark. The JVM starts with the first call that needs it.

    `memory_mb` and `temp` are those of the embedded engine; the JVM takes 1 GiB. Raises `MissingExtra` where pyspark is
    not installed, `EngineError` where there is no Java runtime.
    """

    name = "spark"

    def __init__(
        self,
        *,
        memory_mb: int = 600,
        threads: int | None = None,
        temp: Path | Callable[[], Path] | None = None,
        **limits: Any,  # Any: fields of `engine.duck.limits.Limits`
    ) -> None:
        self._threads = threads
        self._embedded = DuckEngine(memory_mb=memory_mb, threads=threads, temp=temp, **limits)

    @cached_property
    def _session(self) -> Session:
        return start(threads=self._threads)

    def describe(self, scan: Scan) -> Schema:
        """The source's columns as they arrive."""
        return intake.describe(self._session, scan)

    def sample(self, scan: Scan) -> Sequence[Sample]:
        """What inference needs to know of each source column, by the embedded engine."""
        return self._embedded.sample(scan)

    def check(self, plan: Plan) -> None:
        """Checks every SQL text of a plan. Raises `SqlRefused`, `ContractError`."""
        compiler.check(plan)

    def explain(self, plan: Plan) -> str:
        """The Spark SQL the plan compiles to."""
        return compiler.explain(plan, dialect="spark")

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
        """One batch, staged. `protect` must be picklable: it runs where the rows are."""
        if protect is not None and protect.sealing is not None:
            return self._embedded.stage(
                plan,
                scan,
                folder,
                batch=batch,
                keep_last=keep_last,
                protect=protect,
                progress=progress,
                arrange=arrange,
            )
        order = staging.Order(plan, folder, batch, keep_last, protect, progress, arrange)
        return staging.stage(self._session, order, scan)

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
        if self._is_shut(files, others):
            return self._embedded.measure(files, schema, rules, table=table, only=only, others=others)
        frame = self._files(files, schema)
        frame = frame if only is None else frame.filter(_column(only))
        with ExitStack() as views, failures(_("Spark could not measure"), where=table):
            view = views.enter_context(_view(frame))
            there = self._relations(others or {}, views)
            counts = self._session.sql(measure.columns(schema, view, dialect="spark")).collect()[0]
            rows, columns = measure.read_columns(counts, schema)
            found = {}
            for rule in rules:
                query = counting.table_rule(rule, schema, view, table=table, dialect="spark", others=there)
                found[rule.name] = measure.measured(self._session.sql(query).collect()[0][0])
        return Measures(rows, columns, found)

    def profile(
        self,
        files: Sequence[Path],
        schema: Schema,
        *,
        frame: Frame | None = None,
        withheld: frozenset[str] = frozenset(),
        where: str | None = None,
    ) -> Profile:
        """Counts where the rows are; frames are made of a sample on one machine."""
        if self._is_shut(files):
            return self._embedded.profile(files, schema, frame=frame, withheld=withheld, where=where)
        frame = frame or {}
        lacking = missing(schema, frame)
        with told(files):
            made = framed(sample(files, lacking, withheld), lacking, withheld)
        whole = {**frame, **made}
        parts = self._counted(files, schema, where, partial(_partial, schema=schema, frame=whole, withheld=withheld))
        return settled(total((part for _slice, part in parts), schema, whole, withheld), made)

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
        """Counts of every slice, where the rows are."""
        if self._is_shut(files):
            return self._embedded.slices(files, schema, by=by, frame=frame, withheld=withheld, where=where)
        counting = partial(_partial_slices, schema=schema, frame=frame, withheld=withheld, by=by)
        parts: dict[str, list[Profile]] = {}
        for name, part in self._counted(files, schema, where, counting):
            parts.setdefault(name, []).append(part)
        return {name: total(parts[name], schema, frame, withheld) for name in labels(frame[by]) if name in parts}

    def _counted(
        self, files: Sequence[Path], schema: Schema, where: str | None, counting: Counting
    ) -> list[tuple[str, Profile]]:
        """The profiles of all partitions, each with its slice's name."""
        with failures(_("Spark could not measure")):
            rows = self._files(files, schema)
            if where is not None:
                rows = rows.filter(render(door.condition(where, columns=schema.names, where="where"), "spark"))
            found = rows.mapInArrow(counting, "slice string, profile string").collect()
        return [(row[0], profile_of(json.loads(row[1]))) for row in found]

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
        if self._is_shut(files, others):
            return self._embedded.tally(files, schema, plan, only=only, others=others)
        frame = self._files(files, schema)
        batch = compiler.compile_batch(plan, schema, dialect="spark")
        with ExitStack() as views, failures(_("Spark could not measure"), where=plan.dataset):
            every, there = views.enter_context(_view(frame)), self._relations(others or {}, views)
            rows, *counts = self._session.sql(batch.tally(every)).collect()[0]
            chosen, counted = every, rows
            if only is not None:
                chosen = f"(SELECT * FROM {every} WHERE {_column(only)})"
                counted = self._session.sql(f"SELECT COUNT(*) FROM {chosen}").collect()[0][0]
            table, source = stored.table(plan, schema, batch, chosen)
            known: dict[Measure, float] = {RowCount(): float(counted)}
            for rule in plan.table_rules:
                if rule.measure not in known:
                    query = counting.table_rule(rule, table, source, table=plan.dataset, dialect="spark", others=there)
                    known[rule.measure] = measure.measured(self._session.sql(query).collect()[0][0])
        numbers = {rule.name: known[rule.measure] for rule in plan.table_rules}
        return Tally(rows, dict(zip(batch.rules, counts, strict=True)), counted, numbers)

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
        """Rows that break some of these rules, by the embedded engine."""
        return self._embedded.failing(files, schema, plan, rules, show=show, limit=limit, only=only)

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
        """A batch and the stored rows it meets, by the embedded engine."""
        return self._embedded.merge(stored, batch, schema, plan, folder, present=present)

    def clear(
        self, stored: Sequence[Path], batch: Sequence[StagedFile], schema: Schema, interval: Interval, folder: Path
    ) -> Cleared:
        """Stored files without the rows of an interval, by the embedded engine."""
        return self._embedded.clear(stored, batch, schema, interval, folder)

    def recast(self, existing: Sequence[Path], schema: Schema, folder: Path) -> Sequence[StagedFile]:
        """All rows of `existing` in new files under a wider schema, by the embedded engine."""
        return self._embedded.recast(existing, schema, folder)

    def holding(self, existing: Sequence[Path], incoming: Sequence[Path], key: Sequence[str]) -> Sequence[Path]:
        """Those of `existing` that hold a key of `incoming`."""
        if self._is_shut([*existing, *incoming]):
            return self._embedded.holding(existing, incoming, key)
        with failures(_("Spark could not look for keys")):
            keys = self._session.read.parquet(*map(str, incoming)).select(*[_column(name) for name in key]).distinct()
            return [
                path
                for path in existing
                if not self._session.read.parquet(str(path)).join(keys, list(key), "left_semi").isEmpty()
            ]

    def open_rows(self, aside: Sequence[Path], keys: Collection[str], *, columns: Sequence[str]) -> ArrowStream:
        """The open rows of a quarantine's files, by the embedded engine."""
        return self._embedded.open_rows(aside, keys, columns=columns)

    def again(
        self, aside: Sequence[Path], keys: Collection[str], staged: Staged, plan: Plan, folder: Path, *, batch: str
    ) -> Sequence[StagedFile]:
        """Marks for the open rows that a batch brings again, by the embedded engine."""
        return self._embedded.again(aside, keys, staged, plan, folder, batch=batch)

    def read(
        self, files: Sequence[Path], schema: Schema, *, columns: Sequence[str] | None = None, where: str | None = None
    ) -> ArrowStream:
        """The files' rows in the files' order, one file in memory at a time."""
        if self._is_shut(files):
            return self._embedded.read(files, schema, columns=columns, where=where)
        chosen = Schema(tuple(schema.field(name) for name in columns)) if columns is not None else schema
        condition = None
        if where is not None:
            condition = render(door.condition(where, columns=schema.names, where="where"), "spark")
        target = to_arrow(chosen)
        reader: ArrowStream = pa.RecordBatchReader.from_batches(target, self._batches(files, schema, chosen, condition))
        return reader

    def write(self, stream: ArrowStream, target: Path, *, form: str) -> int:
        """Writes a stream to one file, by the embedded engine."""
        return self._embedded.write(stream, target, form=form)

    def diff(
        self, before: Sequence[Path], after: Sequence[Path], schema: Schema, key: Sequence[str], *, limit: int
    ) -> KeyDiff:
        """Rows added, removed and changed, by the embedded engine."""
        return self._embedded.diff(before, after, schema, key, limit=limit)

    def _batches(
        self, files: Sequence[Path], schema: Schema, chosen: Schema, condition: str | None
    ) -> Iterator[pa.RecordBatch]:
        target = to_arrow(chosen)
        for file in files:
            with failures(_("the file cannot be read"), where=str(file)):
                frame = self._files([file], schema)
                frame = frame.filter(condition) if condition is not None else frame
                table = frame.select(*[_column(name) for name in chosen.names]).toArrow()
            for batch in table.to_batches():
                yield conform(batch, target)

    @staticmethod
    def _is_shut(files: Sequence[Path], others: Mapping[str, OtherRows] | None = None) -> bool:
        """True if files have encrypted columns: the embedded engine computes then, since Spark does not read them."""
        return has_encrypted([*files, *(path for other in (others or {}).values() for path in other.files)])

    def _relations(self, others: Mapping[str, OtherRows], views: ExitStack) -> dict[str, counting.Relation]:
        """Views of the rows of other datasets, by what each is called."""
        return {
            key: counting.Relation(views.enter_context(_view(self._files(other.files, other.schema))), other.schema)
            for key, other in others.items()
        }

    def _files(self, files: Sequence[Path], schema: Schema) -> DataFrame:
        """The files as one frame; columns a file does not have are NULL."""
        from pyspark.sql.types import StructType

        struct = StructType.fromJson(json.loads(schema.to_delta()))
        if not files:
            return self._session.createDataFrame([], struct)
        return self._session.read.schema(struct).parquet(*map(str, files))


def _partial(
    batches: Iterator[pa.RecordBatch], *, schema: Schema, frame: Frame, withheld: frozenset[str]
) -> Iterator[pa.RecordBatch]:
    """The profile of one partition's rows, as JSON; runs in Spark's Python workers."""
    target = to_arrow(schema)
    yield _as_rows({"": counted((conform(batch, target) for batch in batches), schema, frame, withheld)})


def _partial_slices(
    batches: Iterator[pa.RecordBatch], *, schema: Schema, frame: Frame, withheld: frozenset[str], by: str
) -> Iterator[pa.RecordBatch]:
    """As `_partial`, of every slice."""
    target = to_arrow(schema)
    yield _as_rows(counted_by((conform(batch, target) for batch in batches), schema, frame, withheld, by))


def _as_rows(profiles: Mapping[str, Profile]) -> pa.RecordBatch:
    texts = [json.dumps(record_of(profile)) for profile in profiles.values()]
    return pa.RecordBatch.from_pydict(
        {"slice": pa.array(profiles, pa.string()), "profile": pa.array(texts, pa.string())}
    )


def _column(name: str) -> str:
    """A column's name as Spark's methods take it: a dot in it is no path."""
    return quoted(name, dialect="spark")


@contextmanager
def _view(frame: DataFrame) -> Iterator[str]:
    """The frame as a view, by its quoted name."""
    name = f"lastro_{uuid4().hex}"
    frame.createOrReplaceTempView(name)
    try:
        yield quoted(name, dialect="spark")
    finally:
        frame.sparkSession.catalog.dropTempView(name)
