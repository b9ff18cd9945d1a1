"""Schema change: what may be added to a table without rewriting it.

Rules:

1. A column may be added at the end if it is nullable; older rows then read as NULL.
2. Every stored column must still be there, with the same type or a wider one (`model.widening`); the stored rows are
   then rewritten under the wider type. No column ever becomes narrower.
3. A column may become nullable. It may not become required: stored rows were never held to that.
4. Anything else needs `overwrite`, which makes all rows anew.
"""

from __future__ import annotations

from lastro.model.errors import BreakingChange
from lastro.model.schema import Field, Schema, type_text
from lastro.model.text import _
from lastro.model.widening import is_wider


def evolve(stored: Schema, wanted: Schema, *, dataset: str) -> Schema:
    """The table's schema after a batch of `wanted` is added to rows of `stored`.

    The stored order of columns is kept; new ones come last. Raises `BreakingChange`, naming the first column at fault.
    """
    by_name = {field.name: field for field in wanted.fields}
    kept = [_still(field, by_name.get(field.name), dataset) for field in stored.fields]
    added = [_new(field, dataset) for field in wanted.fields if field.name not in stored.names]
    return Schema((*kept, *added))


def widened(stored: Schema, evolved: Schema) -> tuple[str, ...]:
    """The stored columns whose type `evolved` makes wider, so that their rows must be rewritten."""
    return tuple(field.name for field in stored.fields if evolved.field(field.name).type != field.type)


def _still(stored: Field, wanted: Field | None, dataset: str) -> Field:
    if wanted is None:
        raise _breaks(dataset, stored.name, _("the contract no longer has this column"))
    if not is_wider(stored.type, wanted.type):
        change = _("the type changes from {before} to {after}, which does not hold every value of it")
        raise _breaks(dataset, stored.name, change.format(before=type_text(stored.type), after=type_text(wanted.type)))
    if stored.nullable and not wanted.nullable:
        raise _breaks(dataset, stored.name, _("the column becomes required, but stored rows may lack it"))
    return wanted


def _new(field: Field, dataset: str) -> Field:
    if not field.nullable:
        raise _breaks(dataset, field.name, _("a new column must be nullable, for stored rows do not have it"))
    return field


def _breaks(dataset: str, column: str, reason: str) -> BreakingChange:
    return BreakingChange(
        _("the contract of {dataset} does not fit what is stored").format(dataset=dataset),
        where=f"{dataset}.{column}: {reason}",
        do=_("lastro ingest {dataset} --mode overwrite, or undo the change in the contract").format(dataset=dataset),
    )
