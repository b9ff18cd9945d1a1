"""The Spark engine: the engine protocol on Apache Spark in local mode.

Rules:

1. What a batch or a table needs computed is computed by Spark: describing, staging, measuring, reading.
2. What one person looks at on one machine is left to the embedded engine: samples, differences, one file written. So is
   merging: it goes file by file, by the number of each row, which Spark's readers do not tell.
3. A read gathers one file at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa

from lastro.engine.duck.arrow import conform, to_arrow
from lastro.engine.duck.engine import DuckEngine
from lastro.engine.protocol import Arrange, Cleared, KeyDiff, Measures, Merged, Protect, Staged, StagedFile
from lastro.engine.scan import ArrowStream, Scan
from lastro.engine.spark import intake
from lastro.engine.spark import stage as staging
from lastro.engine.spark.intake import DataFrame, Session
from lastro.engine.spark.session import failures, start
from lastro.engine.sql import compile as compiler
from lastro.engine.sql import door, measure
from lastro.engine.sql.dialect import quoted, render
from lastro.model.interval import Interval
from lastro.model.merging import MergePlan
from lastro.model.plan import Plan, TableRule
from lastro.model.progress import Told
from lastro.model.sample import Sample
from lastro.model.schema import Schema
from lastro.model.text import _


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
    ) -> Measures:
        """Counts per column and every table rule's number."""
        frame = self._files(files, schema)
        frame = frame if only is None else frame.filter(_column(only))
        with _view(frame) as view, failures(_("Spark could not measure"), where=table):
            counts = self._session.sql(measure.columns(schema, view, dialect="spark")).collect()[0]
            rows, columns = measure.read_columns(counts, schema)
            found = {}
            for rule in rules:
                query = measure.table_rule(rule, schema, view, table=table, dialect="spark")
                found[rule.name] = measure.measured(self._session.sql(query).collect()[0][0])
        return Measures(rows, columns, found)

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
        with failures(_("Spark could not look for keys")):
            keys = self._session.read.parquet(*map(str, incoming)).select(*[_column(name) for name in key]).distinct()
            return [
                path
                for path in existing
                if not self._session.read.parquet(str(path)).join(keys, list(key), "left_semi").isEmpty()
            ]

    def read(
        self, files: Sequence[Path], schema: Schema, *, columns: Sequence[str] | None = None, where: str | None = None
    ) -> ArrowStream:
        """The files' rows in the files' order, one file in memory at a time."""
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

    def _files(self, files: Sequence[Path], schema: Schema) -> DataFrame:
        """The files as one frame; columns a file does not have are NULL."""
        from pyspark.sql.types import StructType

        struct = StructType.fromJson(json.loads(schema.to_delta()))
        if not files:
            return self._session.createDataFrame([], struct)
        return self._session.read.schema(struct).parquet(*map(str, files))


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
