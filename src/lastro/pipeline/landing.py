"""Landing: a source's rows in a temporary folder, as they arrived, for as long as they are looked at.

Rules:

1. The source is read once, whole, by the way of every ingestion: a stage, whose plan changes no value and refuses no
   row. Of its columns only those that are wanted are written.
2. Records that cannot be taken apart are counted, and are no rows.
3. Where files differ in a column's type, it lands in the narrowest that holds both, else as text.
4. Columns that are not there are left out; members that no JSON object has are told.
5. A value that its landing would lose refuses the source; nothing is missing afterwards that was there.
6. The source is asked last whether it is still what was opened, and for what it counted, which must have arrived.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lastro.engine import sniff
from lastro.engine.protocol import MALFORMED, REST, Engine, StagedFile
from lastro.engine.returned import empty_columns
from lastro.engine.scan import Csv, FileScan, Parquet
from lastro.model.errors import SourceBroken
from lastro.model.finding import Policy
from lastro.model.plan import CastHolds, ColumnPlan, Plan, RowRule
from lastro.model.schema import Field, Primitive, Schema, Type
from lastro.model.text import _
from lastro.model.widening import widest
from lastro.pipeline import proof
from lastro.pipeline.schema_change import scan_is_json
from lastro.source.protocol import Opened


@dataclass(frozen=True, slots=True)
class Landed:
    """Rows in files with the source's columns that were wanted, or any one of them if none is there.

    Of the records read, `malformed` are no rows; `unread` are columns that nobody asked for, `absent` members that no
    JSON object had, `partly` columns that only some of the files have.
    """

    files: tuple[StagedFile, ...]
    schema: Schema
    rows: int
    malformed: int = 0
    unread: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    partly: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the files are."""
        return tuple(file.path for file in self.files)


def land(
    engine: Engine, opened: Opened, wanted: Sequence[str], folder: Path, *, declared: Schema | None = None
) -> Landed:
    """Reads the source to its end. `declared` are the columns by the place's own word, whatever its files say.

    Raises `SourceBroken`, `SourceChanged`, `NotReconciled`, `LimitExceeded`, `EngineError`, `WriteFailed`.
    """
    found = Landed((), _chosen(declared, wanted), 0)
    if not isinstance(opened.scan, FileScan) or opened.scan.paths:
        found = _staged(engine, opened, wanted, folder, declared)
    else:
        opened.watermark()
    return found


def typed(engine: Engine, landed: Landed, plan: Plan, columns: Sequence[str], folder: Path) -> Landed:
    """Some of a plan's columns, made of landed rows as on the way in, in a folder of their own below `folder`; a value
    that cannot be read is missing.

    Raises `EngineError`, `WriteFailed`.
    """
    chosen = tuple(column for column in plan.columns if column.name in columns)
    alone = Plan(plan.dataset, plan.contract_digest, chosen)
    if not landed.files:
        return Landed((), alone.schema, 0)
    place = Path(tempfile.mkdtemp(prefix="typed-", dir=folder))
    staged = engine.stage(alone, FileScan(landed.paths, Parquet()), place, batch="typed")
    return Landed(staged.kept, alone.schema, staged.counts.kept)


def sniffed(opened: Opened) -> Opened:
    """The same, with delimited files read as the first of them is most likely written."""
    scan = opened.scan
    if not isinstance(scan, FileScan) or not isinstance(scan.format, Csv) or not scan.paths:
        return opened
    found = sniff(scan.paths[0])
    if scan.format.encoding != Csv().encoding:
        found = replace(found, encoding=scan.format.encoding)
    return replace(opened, scan=replace(scan, format=found))


def _staged(engine: Engine, opened: Opened, wanted: Sequence[str], folder: Path, declared: Schema | None) -> Landed:
    arrival = _Arrival(wanted, declared)
    folder.mkdir()
    staged = engine.stage(
        _plan([Field(name, Primitive.STRING) for name in wanted]),
        opened.scan,
        folder,
        batch="landed",
        arrange=arrival.arrange,
    )
    opened.watermark()
    if opened.reconciliation is not None:
        proof.arrived(opened.reconciliation(), staged, opened.label)
    if lost := [name for name in arrival.names if staged.refused.get(name)]:
        raise SourceBroken(
            _("values of {name} are not of the type that the table says they have").format(name=lost[0]),
            where=opened.label,
            do=_("correct the table, or name its files and their format instead"),
        )
    schema = Schema(tuple(arrival.fields))
    absent: tuple[str, ...] = ()
    if scan_is_json(opened.scan) and staged.counts.kept:
        empty = empty_columns(staged.kept)
        absent = tuple(name for name in schema.names if name in empty)
    return Landed(
        staged.kept,
        schema,
        staged.counts.kept,
        staged.refused.get(MALFORMED, 0),
        tuple(name for name in (*staged.unread, *schema.names) if name != REST and name not in wanted),
        absent,
        arrival.partly if declared is None else (),
    )


@dataclass(slots=True)
class _Arrival:
    """What is learned of the columns, and which of them land."""

    wanted: Sequence[str]
    declared: Schema | None
    fields: list[Field] = field(default_factory=list)
    partly: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that land."""
        return tuple(each.name for each in self.fields)

    def arrange(self, sources: Sequence[Schema]) -> Plan:
        """The plan that lands the wanted columns; if none is there, any one, so that rows are counted."""
        kinds: dict[str, Type] = {}
        for source in sources:
            for each in source.fields:
                kinds[each.name] = _both(kinds.get(each.name), each.type)
        if not kinds:
            raise SourceBroken(_("the source has no columns"), do=_("check what is there"))
        if self.declared is not None:
            kinds.update({each.name: each.type for each in self.declared.fields})
        names = [name for name in dict.fromkeys(self.wanted) if name in kinds] or list(kinds)[:1]
        self.fields = [Field(name, kinds[name]) for name in names]
        self.partly = tuple(name for name in names if any(name not in source.names for source in sources))
        return replace(_plan(self.fields), absent=frozenset(self.partly))


def _both(first: Type | None, second: Type) -> Type:
    if first is None or first == second:
        return second
    return widest(first, second) or Primitive.STRING


def _plan(fields: Sequence[Field]) -> Plan:
    """A plan that takes columns as they are; a value that is lost on the way breaks the rule of the column's name."""
    columns = tuple(ColumnPlan(each.name, each.name, each.type) for each in fields)
    rules = tuple(RowRule(each.name, CastHolds(each.name), Policy.WARN) for each in fields)
    return Plan("landed", "", columns, rules)


def _chosen(declared: Schema | None, wanted: Sequence[str]) -> Schema:
    return Schema(tuple(each for each in declared.fields if each.name in wanted) if declared is not None else ())
