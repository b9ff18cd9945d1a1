"""How the source's columns differ from the contract's now, before anything is ingested.

Rules:

1. The source is opened as for the next batch, and left alone after its first rows: nothing is taken in.
2. What one cannot know before all values were read – a member in a late record, a type that is too narrow – is not
   claimed here.
3. Where the policy would refuse the batch, `refused` says so in the words of that error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lastro.contract.infer import column_names
from lastro.engine.scan import Scan
from lastro.engine.sql.compile import unread
from lastro.model.arrival import Added, Arrived, OnChange
from lastro.model.errors import LastroError
from lastro.model.schema import Field, Schema, type_text
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.pipeline import columns, reading
from lastro.pipeline.arrival_notes import arrival_notes
from lastro.pipeline.evolution import roomy
from lastro.pipeline.schema_change import prepared, scan_is_json
from lastro.pipeline.target import Target
from lastro.source.protocol import Source, Unchanged


@dataclass(frozen=True, slots=True)
class Preview:
    """What the next batch would change, and the sentences that say it; `refused` if it would be refused."""

    arrived: Arrived
    notes: tuple[str, ...]
    refused: str = ""


def preview(target: Target, source: Source, mode: Mode) -> Preview:
    """Looks at the source. Raises `SourceError`, `ContractError`."""
    head = target.table.head()
    if mode is Mode.APPEND:
        cursor = reading.begin(target, head, source, mode).cursor
    else:
        cursor = head.origin.cursor.get(source.label) if head is not None else None
    with source.open(cursor, mode) as opened:
        if isinstance(opened, Unchanged):
            return Preview(Arrived(target.on_change), (_("the source has nothing new"),))
        return _of_scan(target, opened.scan, opened.label)


def _of_scan(target: Target, scan: Scan, label: str) -> Preview:
    plan = prepared(target, target.plan, label)
    fields = [sample.column for sample in target.engine.sample(scan)]
    found = Schema(tuple(fields))
    is_json = scan_is_json(scan)
    new = columns.fields_of([found], unread(plan, [found]))
    lost = columns.missing(plan, [found])
    refused = _refused(target, found, label, is_json=is_json)
    follows = target.on_change is OnChange.EVOLVE
    arrived = Arrived(
        policy=target.on_change,
        left_out=() if follows else tuple(field.name for field in new),
        missing=lost,
        added=tuple(_added(new, plan.schema.names)) if follows else (),
        renamed=columns.suggested(plan, lost, new),
    )
    return Preview(arrived, arrival_notes(target, arrived), refused)


def _refused(target: Target, found: Schema, label: str, *, is_json: bool) -> str:
    plan = prepared(target, target.plan, label)
    new = columns.fields_of([found], unread(plan, [found]))
    try:
        if not is_json:
            columns.check(target, plan, [found], label)
        elif new and target.on_change is OnChange.FREEZE:
            raise columns.refusal(target, plan, label, columns.missing(plan, [found]), new)
    except LastroError as error:
        return f"{error.what}; {error.do}"
    return ""


def _added(new: Sequence[Field], beside: Sequence[str]) -> list[Added]:
    names = column_names([field.name for field in new], beside=beside)
    return [Added(name, field.name, type_text(roomy(field.type))) for name, field in zip(names, new, strict=True)]
