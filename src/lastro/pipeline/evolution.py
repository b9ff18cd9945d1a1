"""Following a source: which columns a batch adds to the contract, and which types it widens.

Rules:

1. Rows with values in new columns, and values that do not fit their type, were set aside by the first stage. They are
   taken up a second time under the amended contract; all other rows stay as they were written.
2. A new column's type is inferred from its values by the casts that a plan uses. If a later value does not fit it, the
   column is text. A source that has types tells the type itself; one whose columns are all text has none.
3. A new column without any value is told, and not added: nobody can know its type.
4. A type becomes wider if values that it refused fit a wider one (`transform.widen`); what fits none stays refused.
   Columns with a list of values, a pattern or a format are not widened: their rules speak of how values are written;
   nor are columns that the contract protects, since their values would be written down to be looked at.
5. Where rows with the same primary key stand in both stages, all kept rows are put into the source's order again, and
   the first or last is kept as in any batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from lastro.contract import Contract
from lastro.contract.amend import Amendment, Property, Widening, amend, new_property, widening
from lastro.contract.formats import jdk_format
from lastro.contract.infer import column_names
from lastro.contract.types import COLUMNS_MAX
from lastro.engine import reordered
from lastro.engine.protocol import ERASED, MALFORMED, PRIMARY_KEY, Staged, StagedFile
from lastro.engine.returned import Opening, Returned, moved, texts_without_value
from lastro.engine.scan import StreamScan
from lastro.engine.sql.compile import read_columns
from lastro.model.arrival import Added, Widened
from lastro.model.errors import SchemaChanged
from lastro.model.finding import Policy
from lastro.model.plan import CastHolds, ColumnPlan, Matches, OneOf, Plan
from lastro.model.sample import Sample
from lastro.model.schema import Field, Primitive, Schema, Type, type_text
from lastro.model.text import _, ngettext
from lastro.model.version import RowCounts
from lastro.pipeline.columns import contract_name, listed
from lastro.pipeline.target import Target
from lastro.transform.widen import Needs

SAMPLE_ROWS = 20_000
RULE = "schema_change"
"""The rule's name for rows with a value in a column that the contract does not name."""


@dataclass(frozen=True, slots=True)
class Stage:
    """How the batch at hand is staged: for a second stage as for the first."""

    target: Target
    folder: Path
    label: str
    batch: str
    keep_last: bool
    typed: Schema | None = None
    """The source's columns with their types, where it told them."""

    def probe(self, name: str, plan: Plan, scan: StreamScan, *, is_stored: bool = False) -> Staged:
        """Stages something else beside the batch; `is_stored` says of rows that they are protected already."""
        folder = self.folder / name
        folder.mkdir()
        protect = self.target.protect
        if protect is not None and is_stored:
            protect = protect.stored()
        return self.target.engine.stage(plan, scan, folder, batch=self.batch, keep_last=self.keep_last, protect=protect)


@dataclass(frozen=True, slots=True)
class Evolved:
    """A batch under its amended contract, and what was amended."""

    staged: Staged
    plan: Plan
    amendment: Amendment
    added: tuple[Added, ...] = ()
    widened: tuple[Widened, ...] = ()


@dataclass(slots=True)
class Seen:
    """New columns as sampled records show them: how many rows have a value in each, and rows to infer types from."""

    rows: Counter[str] = field(default_factory=Counter)
    sampled: Counter[str] = field(default_factory=Counter)
    records: list[str] = field(default_factory=list)


def opening(target: Target) -> Opening | None:
    """What turns refused rows back into what they were, in memory; None where nothing is protected."""
    protect = target.protect
    return None if protect is None else protect.opened


def type_rules(plan: Plan) -> Mapping[str, str]:
    """The rules about columns' types, each with its column."""
    return {rule.name: rule.condition.column for rule in plan.row_rules if isinstance(rule.condition, CastHolds)}


def needs(stage: Stage, plan: Plan, staged: Staged, *, rows_max: int | None = None) -> dict[str, Needs]:
    """What the refused values of each column ask for, where a wider type could hold them."""
    rules = {rule: name for rule, name in type_rules(plan).items() if staged.refused.get(rule)}
    shut = stage.target.protected
    columns = [
        column
        for column in plan.columns
        if column.name in rules.values() and column.name not in shut and _can_widen(plan, column)
    ]
    names = {column.name for column in columns}
    asked = frozenset(rule for rule, name in rules.items() if name in names)
    if not columns:
        return {}
    found = Returned(staged.quarantined, asked, typed=stage.typed, rows_max=rows_max, opened=opening(stage.target))
    probe = stage.probe("probe", _probe(plan, columns), found.scan(stage.label))
    wanted = {}
    for index, column in enumerate(columns):
        need = Needs(column.type)
        for texts in texts_without_value(probe.kept, f"text_{index}", f"value_{index}"):
            need.look(texts)
        if need.wider() is not None:
            wanted[column.name] = need
    return wanted


def _can_widen(plan: Plan, column: ColumnPlan) -> bool:
    bound = {rule.condition.column for rule in plan.row_rules if isinstance(rule.condition, (OneOf, Matches))}
    return column.format is None and not column.is_time and column.name not in bound


def _probe(plan: Plan, columns: Sequence[ColumnPlan]) -> Plan:
    """A plan that gives each column's cleaned value as text, and as its own type."""
    made = []
    for index, column in enumerate(columns):
        made.append(replace(column, name=f"text_{index}", type=Primitive.STRING, nullable=True))
        made.append(replace(column, name=f"value_{index}", nullable=True))
    return Plan(plan.dataset, plan.contract_digest, tuple(made), absent=frozenset(read_columns(plan)))


def evolve(stage: Stage, contract: Contract, plan: Plan, staged: Staged, typed: Sequence[Property]) -> Evolved:
    """The batch under a contract that names its new columns and holds its values.

    `plan` is what the first stage went by, `typed` the columns that it had already beyond the contract's own. Raises
    `SchemaChanged`, `ContractError`.
    """
    wanted = needs(stage, plan, staged)
    rules = frozenset({RULE, *type_rules(plan)})
    again = Returned(staged.quarantined, rules, typed=stage.typed, opened=opening(stage.target))
    new = _new_columns(stage, plan, staged, again)
    if not (wanted or staged.refused.get(RULE) or _altered(contract.plan(), staged)):
        amendment = Amendment(contract.digest, today(stage.target), tuple(typed))
        final = _final(contract, amendment, plan)
        return Evolved(_without_rule(staged), final, amendment, tuple(_added(final, each) for each in typed))
    texts: frozenset[str] = frozenset()
    while True:
        amendment = _amendment(stage, contract, staged, [*typed, *_as_text(new, texts)], wanted)
        final = _final(contract, amendment, plan)
        second = stage.probe(f"again-{len(texts)}", _lenient(final), again.scan(stage.label))
        unfit = {each["name"] for each in new if second.refused.get(f"{each['name']}.type")} - texts
        if not unfit:
            break
        texts |= unfit
    return Evolved(
        _joined(stage, final, staged, second, again, recast=bool(wanted)),
        final,
        amendment,
        tuple(_added(final, each) for each in [*typed, *new]),
        tuple(_widened(plan, final, name, need) for name, need in wanted.items()),
    )


def restated(stage: Stage, plan: Plan, staged: Staged) -> Staged:
    """The batch under `plan`, whose rules about types need not set rows aside, as those of the first stage did."""
    altered = _altered(plan, staged)
    if not altered:
        return _without_rule(staged)
    again = Returned(staged.quarantined, altered, typed=stage.typed, opened=opening(stage.target))
    second = stage.probe("again", _lenient(plan), again.scan(stage.label))
    return _joined(stage, plan, staged, second, again, recast=False)


def _altered(plan: Plan, staged: Staged) -> frozenset[str]:
    """The rules about types that some row broke, and that do not set rows aside by themselves."""
    rules = (rule for rule in plan.row_rules if isinstance(rule.condition, CastHolds))
    return frozenset(rule.name for rule in rules if rule.policy is not Policy.QUARANTINE and staged.refused[rule.name])


def _final(contract: Contract, amendment: Amendment, plan: Plan) -> Plan:
    amended = amend(contract, amendment).plan()
    return replace(amended, absent=plan.absent, ignored=plan.ignored, primary_key=plan.primary_key)


def _without_rule(staged: Staged) -> Staged:
    return replace(staged, refused={name: count for name, count in staged.refused.items() if name != RULE})


def _lenient(plan: Plan) -> Plan:
    """The plan for records taken up again: a member that one of them does not have is NULL there."""
    return replace(plan, absent=frozenset(read_columns(plan)))


def _as_text(new: Sequence[Property], texts: frozenset[str]) -> list[Property]:
    typing = ("logicalType", "physicalType", "logicalTypeOptions", "transformLogic")
    return [
        {key: value for key, value in each.items() if key not in typing} | {"logicalType": "string"}
        if each["name"] in texts
        else each
        for each in new
    ]


def _amendment(
    stage: Stage, contract: Contract, staged: Staged, added: Sequence[Property], wanted: Mapping[str, Needs]
) -> Amendment:
    widened = [_widening(name, need, stage.label, staged.counts.read) for name, need in wanted.items()]
    return Amendment(contract.digest, today(stage.target), tuple(added), tuple(widened))


def _widening(name: str, need: Needs, label: str, read: int) -> Widening:
    kind = need.wider() or need.kind
    evidence = _evidence(need.rows, read, label)
    return widening(name, type_text(need.kind), type_text(kind), kind, evidence=evidence)


def today(target: Target) -> str:
    """The day, as the contract notes it."""
    return target.table.clock().date().isoformat()


def _evidence(rows: int, read: int, label: str) -> str:
    return f"{rows} of {read} rows of {label}"


def _new_columns(stage: Stage, plan: Plan, staged: Staged, again: Returned) -> list[Property]:
    """The properties of the new columns that have a value somewhere."""
    if stage.typed is not None or not staged.unread or not staged.refused.get(RULE):
        return []
    _check_number(stage.target, plan, staged.unread)
    seen = look(again.texts(), staged.unread)
    found = [name for name in staged.unread if seen.rows[name]]
    if not found:
        return []
    samples = {sample.column.name: sample for sample in _samples(stage, seen)}
    names = column_names(found, beside=[column.name for column in plan.columns])
    day, read = today(stage.target), staged.counts.read
    return [
        _property(name, source, samples.get(source), on=day, evidence=_evidence(seen.rows[source], read, stage.label))
        for name, source in zip(names, found, strict=True)
    ]


def _check_number(target: Target, plan: Plan, new: Sequence[str]) -> None:
    if len(plan.columns) + len(new) > COLUMNS_MAX:
        raise SchemaChanged(
            ngettext(
                "the source has {n} new column, more than a dataset can hold: {names}",
                "the source has {n} new columns, more than a dataset can hold: {names}",
                len(new),
            ).format(n=len(new), names=listed(new)),
            where=target.dataset,
            do=_(
                "keep what is wide in one map column of {contract}, or list columns under its property `ignored`"
            ).format(contract=contract_name(target)),
        )


def look(records: Iterable[str], names: Sequence[str]) -> Seen:
    """Counts the values of these members in JSON objects, and keeps records enough to infer each one's type."""
    seen, each = Seen(), max(1, SAMPLE_ROWS // len(names))
    wanted = frozenset(names)
    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    for record in records:
        present = [name for name, value in decoder.decode(record).items() if name in wanted and bytes(value) != b"null"]
        seen.rows.update(present)
        if any(seen.sampled[name] < each for name in present):
            seen.sampled.update(present)
            seen.records.append(record)
    return seen


def _samples(stage: Stage, seen: Seen) -> Sequence[Sample]:
    import pyarrow as pa

    table = pa.table({"record": pa.array(seen.records, pa.string())})
    return stage.target.engine.sample(StreamScan(table, stage.label, records=True))


def _property(name: str, source: str, sample: Sample | None, *, on: str, evidence: str) -> Property:
    if sample is None:
        return new_property(name, source, Primitive.STRING, on=on, evidence=evidence)
    extra: dict[str, Any] = {}  # Any: JSON values
    if sample.expression is not None:
        extra["transformLogic"] = sample.expression
    if sample.format is not None:
        extra["logicalTypeOptions"] = {"format": jdk_format(sample.format)}
    return new_property(name, source, sample.column.type, on=on, evidence=evidence, extra=extra)


def typed_columns(target: Target, plan: Plan, fields: Sequence[Field], label: str) -> list[Property]:
    """The properties of new columns whose source tells their types."""
    if not fields:
        return []
    _check_number(target, plan, [each.name for each in fields])
    names = column_names([each.name for each in fields], beside=[column.name for column in plan.columns])
    evidence = f"a column of {label}"
    return [
        new_property(name, each.name, roomy(each.type), on=today(target), evidence=evidence)
        for name, each in zip(names, fields, strict=True)
    ]


def roomy(kind: Type) -> Type:
    """The type a new column gets: whole numbers become long, since the next batch may hold a larger one."""
    whole = (Primitive.BYTE, Primitive.SHORT, Primitive.INTEGER)
    return Primitive.LONG if kind in whole else kind


def _added(plan: Plan, made: Property) -> Added:
    kind = next(column.type for column in plan.columns if column.name == made["name"])
    return Added(str(made["name"]), str(made.get("physicalName", made["name"])), type_text(kind))


def _widened(before: Plan, after: Plan, name: str, need: Needs) -> Widened:
    old, new = before.schema.field(name).type, after.schema.field(name).type
    return Widened(name, type_text(old), type_text(new), need.rows)


def _joined(stage: Stage, plan: Plan, first: Staged, second: Staged, again: Returned, *, recast: bool) -> Staged:
    """Both stages as one batch: each row once, kept or set aside under the amended contract."""
    folder, engine = stage.folder / "joined", stage.target.engine
    folder.mkdir()
    paths = [file.path for file in first.kept]
    before = tuple(engine.recast(paths, plan.schema, folder)) if recast and paths else first.kept
    kept, count = (*before, *second.kept), 0
    repeated: list[StagedFile] = []
    if _share_keys(stage, plan, before, second.kept):
        kept, repeated, count = _without_repeats(stage, plan, replace(first, kept=before), second, again)
    aside = again.others(folder, "others") if first.quarantined else []
    aside += again.placed(second.quarantined, folder, "placed")
    gone = again.rules()
    names = [*(rule.name for rule in plan.row_rules), MALFORMED, *([PRIMARY_KEY] if plan.primary_key else [])]
    names += [ERASED] if ERASED in {*first.refused, *second.refused} else []
    refused = {name: first.refused.get(name, 0) - gone.get(name, 0) + second.refused.get(name, 0) for name in names}
    refused |= {PRIMARY_KEY: refused[PRIMARY_KEY] + count} if count else {}
    rows = sum(file.rows for file in kept)
    counts = RowCounts(first.counts.read, rows, first.counts.read - rows)
    added = {column.source for column in plan.columns}
    left = tuple(name for name in first.unread if name not in added)
    known = {each.column for each in first.cleaning}  # rows of the second stage were counted by the first
    cleaned = (*first.cleaning, *(each for each in second.cleaning if each.column not in known))
    return Staged(kept, (*aside, *repeated), counts, refused, left, first.sources, cleaned)


def _share_keys(stage: Stage, plan: Plan, first: Sequence[StagedFile], second: Sequence[StagedFile]) -> bool:
    if not (plan.primary_key and first and second):
        return False
    paths = [file.path for file in first], [file.path for file in second]
    return bool(stage.target.engine.holding(*paths, plan.primary_key))


def _without_repeats(
    stage: Stage, plan: Plan, first: Staged, second: Staged, again: Returned
) -> tuple[tuple[StagedFile, ...], list[StagedFile], int]:
    """The kept rows of both stages in the source's order, each key once; the others set aside, and their number."""
    import pyarrow as pa

    starts = reordered.source_starts(first)
    first_at = reordered.kept_ordinals(first)
    second_at = again.ordinals(starts)[reordered.kept_ordinals(second)]
    rows = reordered.merged(first.kept, first_at, second.kept, second_at, plan.schema)
    identity = tuple(ColumnPlan(each.name, each.name, each.type, nullable=each.nullable) for each in plan.columns)
    only_key = Plan(plan.dataset, plan.contract_digest, identity, primary_key=plan.primary_key)
    stream = pa.RecordBatchReader.from_batches(reordered.arrow_schema(plan.schema), rows)
    third = stage.probe("distinct", only_key, StreamScan(stream, stage.label), is_stored=True)
    at = reordered.in_order(first_at, second_at)
    aside = moved(third.quarantined, *reordered.places(starts, at), stage.folder / "joined", "repeated")
    return third.kept, aside, third.counts.quarantined
