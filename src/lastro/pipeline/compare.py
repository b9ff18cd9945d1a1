"""Differences between two versions of a dataset: schema, rows by key, cells, and numbers per column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lastro.engine.protocol import ColumnMeasures, Engine
from lastro.model.schema import Schema, type_text
from lastro.model.version import VersionInfo
from lastro.store.table import Table


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One column that differs: `added`, `removed` or `changed`; `before` and `after` are types in words, or None."""

    column: str
    change: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Diff:
    """How `after` differs from `before` (both references).

    Rows are matched by `key`; without one, whole rows are compared as a multiset and none is changed. `cells` are
    the changed cells per column, `numbers` each column's measures before and after, `examples` at most `limit` rows.
    """

    before: str
    after: str
    key: tuple[str, ...]
    schema: tuple[SchemaChange, ...]
    rows: tuple[int, int]
    added: int
    removed: int
    changed: int
    cells: Mapping[str, int]
    numbers: Mapping[str, tuple[ColumnMeasures | None, ColumnMeasures | None]]
    examples: tuple[Mapping[str, Any], ...]  # Any: column values

    @property
    def equal(self) -> bool:
        """True if both versions hold the same rows under the same schema."""
        return not (self.schema or self.added or self.removed or self.changed)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The difference as plain values, for `--json`."""
        return {**asdict(self), "equal": self.equal}


def compare(
    table: Table, engine: Engine, before: VersionInfo, after: VersionInfo, *, key: tuple[str, ...], limit: int
) -> Diff:
    """Compares two versions of one table; both are verified while they are read. Raises `Corrupted`, `Expired`."""
    old, new = table.paths(before), table.paths(after)
    shared = _shared(before.schema, after.schema)
    usable = key if all(name in shared.names for name in key) else ()
    rows = engine.diff(old, new, shared, usable, limit=limit)
    return Diff(
        before=before.reference,
        after=after.reference,
        key=usable,
        schema=schema_changes(before.schema, after.schema),
        rows=(before.rows, after.rows),
        added=rows.added,
        removed=rows.removed,
        changed=rows.changed,
        cells=dict(rows.cells),
        numbers=_numbers(engine, (old, before), (new, after)),
        examples=rows.examples,
    )


def concealed(found: Diff, names: frozenset[str]) -> Diff:
    """The difference without values of these columns: of them only how much is missing is told, and how many cells
    changed.
    """
    folded = {name.casefold() for name in names}
    numbers = {
        name: (_concealed(one), _concealed(two)) if name.casefold() in folded else (one, two)
        for name, (one, two) in found.numbers.items()
    }
    examples = tuple(_without(example, folded) for example in found.examples)
    told = examples if any(any(part.values()) for part in map(_rows, examples)) else ()
    return replace(found, numbers=numbers, examples=told)


def _concealed(measures: ColumnMeasures | None) -> ColumnMeasures | None:
    return None if measures is None else ColumnMeasures(measures.nulls)


def _without(example: Mapping[str, Any], folded: set[str]) -> Mapping[str, Any]:  # Any: column values
    return {
        key: {name: value for name, value in part.items() if name.casefold() not in folded}
        if isinstance(part, Mapping)
        else part
        for key, part in example.items()
    }


def _rows(example: Mapping[str, Any]) -> Mapping[str, Any]:  # Any: column values
    return {key: part for key, part in example.items() if isinstance(part, Mapping)}


def schema_changes(before: Schema, after: Schema) -> tuple[SchemaChange, ...]:
    """The columns that differ, in the order of `before`, then the new ones."""
    changes = []
    for field in before.fields:
        if field.name not in after.names:
            changes.append(SchemaChange(field.name, "removed", type_text(field.type), None))
        elif after.field(field.name).type != field.type:
            now = type_text(after.field(field.name).type)
            changes.append(SchemaChange(field.name, "changed", type_text(field.type), now))
    changes += [
        SchemaChange(field.name, "added", None, type_text(field.type))
        for field in after.fields
        if field.name not in before.names
    ]
    return tuple(changes)


def _shared(before: Schema, after: Schema) -> Schema:
    """The columns both versions have with the same type; only these can be compared cell by cell."""
    return Schema(
        tuple(
            field
            for field in after.fields
            if field.name in before.names and before.field(field.name).type == field.type
        )
    )


def _numbers(
    engine: Engine, before: tuple[tuple[Path, ...], VersionInfo], after: tuple[tuple[Path, ...], VersionInfo]
) -> dict[str, tuple[ColumnMeasures | None, ColumnMeasures | None]]:
    old, new = (engine.measure(paths, info.schema, (), table=info.dataset).columns for paths, info in (before, after))
    return {name: (old.get(name), new.get(name)) for name in dict.fromkeys((*old, *new))}
