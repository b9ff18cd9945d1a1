"""Sources made of values in memory, and targets in a folder: what the pipeline's tests are fed with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from lastro.engine.duck.engine import DuckEngine
from lastro.engine.scan import StreamScan
from lastro.model.plan import ColumnPlan, Plan
from lastro.model.reconciliation import Reconciliation
from lastro.model.schema import Primitive, Type
from lastro.model.version import Mode
from lastro.pipeline.target import Target
from lastro.source.protocol import Cursor, Opened
from lastro.store.table import Table

COLUMNS: Mapping[str, Type] = {"id": Primitive.LONG, "value": Primitive.LONG}


def plan_of(columns: Mapping[str, Type] = COLUMNS, *, key: tuple[str, ...] = ("id",), **more: Any) -> Plan:
    made = tuple(ColumnPlan(name, name, kind, nullable=name not in key) for name, kind in columns.items())
    return Plan("loans", "sha256:contract", made, primary_key=key, **more)


def target_in(root: Path, plan: Plan | None = None, **more: Any) -> Target:
    return Target(
        table=Table(root, "loans"),
        quarantine=Table(root, "loans.quarantine"),
        plan=plan or plan_of(),
        engine=DuckEngine(memory_mb=200, threads=1),
        **more,
    )


def rows_of(target: Target) -> list[tuple[Any, ...]]:
    """All rows of the newest version, sorted."""
    head = target.table.head()
    if head is None:
        return []
    stream = target.engine.read(target.table.paths(head), head.schema)
    return sorted((tuple(row.values()) for row in pa.table(stream).to_pylist()), key=repr)


@dataclass(slots=True)
class Feed:
    """A source that gives the rows it holds; everything the protocol leaves open is a field."""

    rows: Sequence[Mapping[str, Any]]
    schema: pa.Schema = field(default_factory=lambda: pa.schema([("id", pa.int64()), ("value", pa.int64())]))
    kind: str = "feed"
    label: str = "feed"
    more: Callable[[], bool] = lambda: False
    reconciliation: Callable[[], Reconciliation] | None = None
    keys: Callable[[Sequence[str]], Any] | None = None
    asked: list[tuple[Any, Mode]] = field(default_factory=list)

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened]:
        self.asked.append((cursor, mode))
        stream = pa.Table.from_pylist(list(self.rows), self.schema)
        yield Opened(
            StreamScan(stream, self.label),
            lambda: {"rows": len(self.rows)},
            self.label,
            more=self.more,
            reconciliation=self.reconciliation,
            keys=self.keys,
        )
