"""Leakage between two sides of a training set: versions, or views of one.

Versions are read where they are, once they are proven; a view, which can only be streamed, is written to scratch first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lastro.model import scratch
from lastro.model.errors import UnknownName, UsageError
from lastro.model.schema import Decimal, Primitive, Schema, type_text
from lastro.model.text import _
from lastro.workspace.version import Version

if TYPE_CHECKING:
    from lastro.quality.leakage import LeakageReport
    from lastro.workspace.training.rows import Rows
    from lastro.workspace.workspace import Workspace


def leakage(
    workspace: Workspace, first: Rows, second: Rows, *, key: Sequence[str], target: str | None, tolerated: float
) -> LeakageReport:
    """What leaks from the first side into the second. Raises `UnknownName`, `UsageError`, `Corrupted`, `Expired`."""
    from lastro.engine import sides
    from lastro.quality.leakage import LeakageReport, leakages

    if not 0 <= tolerated < 1:
        raise UsageError(_("what is tolerated is no share"), do=_("write a number from 0 to below 1, such as 0.01"))
    schema = _shared(first, second)
    if not schema.fields:
        raise UsageError(
            _("{first} and {second} have no column in common").format(first=first.label, second=second.label),
            do=_("compare two parts of the same data"),
        )
    _check(schema, (*key, *([target] if target else [])))
    settings = workspace.settings
    staging = workspace.root / ".lastro" / "staging"
    with scratch.held(staging) as folder:
        found = sides(
            _files(first, schema, folder / "first.parquet"),
            _files(second, schema, folder / "second.parquet"),
            schema,
            key=key,
            target=target,
            memory_mb=settings.memory_mb,
            threads=settings.threads,
            temp=folder,
        )
    return LeakageReport(
        first=first.label,
        second=second.label,
        rows=(found.first, found.second),
        columns=schema.names,
        key=tuple(key),
        target=target,
        leaks=leakages(found, tolerated=tolerated),
    )


def _shared(first: Rows, second: Rows) -> Schema:
    """The columns that both have with one type, and may be read; nested ones are compared as they are."""
    there = {name: second.schema.field(name).type for name in second.readable}
    fields = (first.schema.field(name) for name in first.readable)
    return Schema(tuple(field for field in fields if there.get(field.name) == field.type))


def _check(schema: Schema, names: Sequence[str]) -> None:
    for name in names:
        if name not in schema.names:
            raise UnknownName(
                _("there is no column {name} that both sides have").format(name=name),
                do=_("choose among: {names}").format(names=", ".join(schema.names)),
            )
        kind = schema.field(name).type
        if not isinstance(kind, Primitive | Decimal):
            raise UsageError(
                _("{name} is {type}, which is neither a key nor a target").format(name=name, type=type_text(kind)),
                do=_("choose a column of numbers, texts, truth values, dates or moments"),
            )


def _files(rows: Rows, schema: Schema, scratch_file: Path) -> Sequence[Path]:
    if isinstance(rows, Version) and rows.is_plain:
        return rows.table.paths(rows.info, verify=True)
    rows.write(scratch_file, columns=schema.names)
    return [scratch_file]
