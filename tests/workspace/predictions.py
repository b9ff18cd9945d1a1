"""A small workspace whose dataset `scored` holds what a model said, and what came true; the worlds are invented."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

import lastro

HEAD = """\
apiVersion: v3.2.0
kind: DataContract
id: scored
version: 1.0.0
status: active
schema:
  - name: scored
    properties:
      - {name: id, logicalType: integer, primaryKey: true, required: true}
"""


class Predictions:
    """A workspace whose dataset `scored` appends what it is given; `columns` maps names to their contract's lines."""

    def __init__(self, root: Path, columns: Mapping[str, str], *, more: str = "") -> None:
        self.root = root
        lastro.init(root)
        lines = "".join(f"      - {{name: {name}, {rest}}}\n" for name, rest in columns.items())
        (root / "contracts" / "scored.odcs.yaml").write_text(HEAD + lines)
        (root / "lastro.yaml").write_text(f"lastro: 1\ndatasets:\n  scored: {{mode: append}}\n{more}")
        self.dataset = lastro.open(root).dataset("scored")
        self.rows = 0

    def add(self, columns: Mapping[str, object]) -> None:
        """Takes in more rows."""
        table = pa.table({name: pa.array(values) for name, values in columns.items()})
        ids = pa.array(range(self.rows, self.rows + table.num_rows))
        self.rows += table.num_rows
        self.dataset.ingest(data=table.add_column(0, "id", ids))


CLASSES = {"predicted": "logicalType: integer", "actual": "logicalType: integer", "score": "logicalType: number"}
NUMBERS = {
    "predicted": "logicalType: number",
    "actual": "logicalType: number",
    "size": "logicalType: number",
    "kind": "logicalType: string",
}


def judged(
    seed: int, rows: int, *, low: float = 0.0, high: float = 1.0, labelled: float = 1.0, turned: float = 0.0
) -> dict[str, object]:
    """Rows of a classifier whose scores are right but bent: of a `turned` share the label is the other one."""
    draws = np.random.default_rng(seed)
    chance = draws.uniform(low, high, rows)
    actual = (draws.random(rows) < chance) ^ (draws.random(rows) < turned)
    known = draws.random(rows) < labelled
    return {
        "predicted": (chance > 0.5).astype(int).tolist(),
        "actual": [int(one) if is_known else None for one, is_known in zip(actual, known, strict=True)],
        "score": (chance**2).tolist(),
    }


def measured(
    seed: int, rows: int, *, large: float = 0.5, labelled: float = 1.0, times: float = 1.0
) -> dict[str, object]:
    """Rows of a regression whose errors are as large as the row's size, and double for one kind."""
    draws = np.random.default_rng(seed)
    size = np.where(draws.random(rows) < large, 10.0, 1.0)
    kind = draws.choice(["plain", "odd"], rows)
    actual = draws.normal(100, 20, rows)
    error = draws.normal(0, 1, rows) * size * np.where(kind == "odd", 2.0, 1.0) * times
    known = draws.random(rows) < labelled
    return {
        "predicted": (actual + error).tolist(),
        "actual": [float(one) if is_known else None for one, is_known in zip(actual, known, strict=True)],
        "size": size.tolist(),
        "kind": kind.tolist(),
    }
