"""Lines taken apart by a source's format, as the engine does it, without a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from lastro.engine.duck import taking
from lastro.engine.duck.lines import SCHEMA
from lastro.engine.duck.relations import LINE
from lastro.engine.scan import Lines
from lastro.source import create

CHANGED = datetime(2026, 2, 1, tzinfo=UTC)


def lines_of(**options: Any) -> Lines:
    """What the options of a `logs` source come to."""
    kind = create({"kind": "logs", "path": "a.log", **options}, base=Path("/")).format
    assert isinstance(kind, Lines)
    return kind


def taken(kind: Lines, *lines: str, fields: Sequence[str] = ()) -> list[dict[str, str] | None]:
    """What is there in each line; None if it is set aside."""
    names = list(fields) or [column.name for column in taking.columns(kind)]
    table = pa.table([list(lines), range(len(lines)), [False] * len(lines)], schema=SCHEMA)
    with duckdb.connect() as connection:
        connection.register("given", table)
        query = taking.relation("SELECT * FROM given", kind, names, CHANGED)
        rows = connection.sql(query).to_arrow_table().to_pylist()
    return [
        None if row[LINE] is not None else {name: row[name] for name in names if row[name] is not None} for row in rows
    ]
