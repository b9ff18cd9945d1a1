"""What the engine's tests share: an engine, a folder to stage into, and what a stage left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from lastro.engine.duck.engine import DuckEngine
from lastro.engine.protocol import Staged
from lastro.engine.scan import FileFormat, FileScan, Scan
from lastro.model.finding import Policy
from lastro.model.plan import CastHolds, ColumnPlan, Plan, RowRule
from lastro.model.schema import Primitive, Type


@dataclass(frozen=True)
class Result:
    """A staged batch, read back."""

    staged: Staged
    kept: list[dict[str, Any]]
    aside: list[dict[str, Any]]

    @property
    def places(self) -> list[tuple[str, int, list[str], str]]:
        return sorted((row["source"], row["position"], row["rules"], row["record"]) for row in self.aside)


Stage = Callable[..., Result]


@pytest.fixture
def engine(tmp_path: Path) -> DuckEngine:
    return DuckEngine(temp=tmp_path / "spill")


def plan(*columns: str, key: tuple[str, ...] = (), **types: Type) -> Plan:
    """A plan that takes columns as they are: the named ones as text, others with their types, whose casts must hold."""
    kinds: dict[str, Type] = {**dict.fromkeys(columns, Primitive.STRING), **types}
    rules = tuple(RowRule(f"{name}.type", CastHolds(name), Policy.QUARANTINE) for name in types)
    return Plan(
        "loans", "sha256:0", tuple(ColumnPlan(name, name, kind) for name, kind in kinds.items()), rules, primary_key=key
    )


@pytest.fixture
def stage(engine: DuckEngine, tmp_path: Path) -> Stage:
    """Stages a scan, or bytes as a file of the given name and format; checks that nothing but the result is left."""

    def run(
        what: Plan, source: Scan | bytes, form: FileFormat | None = None, *, name: str = "a.csv", **options: Any
    ) -> Result:
        scan = source
        if isinstance(scan, bytes):
            (tmp_path / name).write_bytes(scan)
            assert form is not None
            scan = FileScan((tmp_path / name,), form)
        folder = tmp_path / f"stage-{len(list(tmp_path.glob('stage-*')))}"
        folder.mkdir()
        try:
            staged = engine.stage(what, scan, folder, batch="batch-1", **options)
        except BaseException:
            assert not list(folder.iterdir())
            assert not list((tmp_path / "spill").glob("*"))
            raise
        files = (*staged.kept, *staged.quarantined)
        assert {file.path for file in files} == set(folder.iterdir())
        assert not list((tmp_path / "spill").glob("*"))
        assert staged.counts.conserved
        kept, aside = (
            [row for file in part for row in pq.read_table(file.path).to_pylist()]
            for part in (staged.kept, staged.quarantined)
        )
        assert (len(kept), len(aside)) == (staged.counts.kept, staged.counts.quarantined)
        return Result(staged, kept, aside)

    return run
