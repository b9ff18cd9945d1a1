"""Upserts read and write what they must, and no more than a bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.pipeline.feeds import Feed, plan_of, rows_of, target_in

from lastro.model.schema import Primitive
from lastro.model.version import Mode
from lastro.pipeline.ingest import ingest

ROOT = Path(__file__).resolve().parents[2]
KEYED = {"day": Primitive.LONG, "id": Primitive.LONG, "value": Primitive.LONG}
ARROW = pa.schema([(name, pa.int64()) for name in KEYED])


def rows(day: range, ids: range, value: int) -> Feed:
    return Feed([{"day": each, "id": key, "value": value} for each in day for key in ids], ARROW)


def test_every_column_of_a_key_rules_files_out(tmp_path, monkeypatch):
    target = target_in(tmp_path, plan_of(KEYED, key=("day", "id")))
    for ids in (range(10), range(10, 20), range(20, 30)):
        ingest(target, rows(range(5), ids, 0), mode=Mode.UPSERT)
    before, read = target.table.head().files, []
    monkeypatch.setattr(
        "lastro.engine.duck.merge._holds", lambda _c, path, *_rest: bool(read.append(path.name)) or True
    )

    result = ingest(target, rows(range(2, 3), range(12, 14), 1), mode=Mode.UPSERT)

    assert read == [before[1].path]
    assert [entry in target.table.head().files for entry in before] == [True, False, True]
    assert (result.updated, result.inserted, len(rows_of(target))) == (2, 0, 150)


def upserted(folder: Path, table_rows: int, batch_rows: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.pipeline.large", str(folder), str(table_rows), str(batch_rows)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "size", [pytest.param(50_000, id="small"), pytest.param(5_000_000, id="large", marks=pytest.mark.soak)]
)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is told by Linux")
def test_upserts_of_any_size_stay_within_350_mib(tmp_path, size):
    upserted(tmp_path, size, 0)
    few, all_ = upserted(tmp_path, size, 1_000), upserted(tmp_path, size, size)

    assert (few["updated"], all_["updated"], all_["rows"]) == (1_000, size, size)
    assert few["peak_mib"] <= 350
    assert all_["peak_mib"] <= 350
