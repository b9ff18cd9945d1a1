"""What becomes of a batch whose source no longer has the columns that the contract names.

The order, which is the guarantee:

1. Under the lock the contract is read again: another ingestion may have amended it since, and a commit may carry an
   amendment that a crash kept from the file. The file gets it now, if it still says what it said before that commit.
2. The columns are compared as soon as they are known, before a row is read (`columns`).
3. One stage. Where the policy must see values in columns that nobody reads, or that do not fit their type, the rows are
   set aside; `evolve` takes them up again under an amended contract (`evolution`). Members inside objects that nobody
   reads are told (`members`), and `freeze` refuses them; no policy adds them to a struct or sets their rows aside.
4. The commit carries rows, schema and the amendment in one step. Only then is the contract's file changed. A crash in
   between is mended by step 1 of the next ingestion: what counts is the commit.
5. Whatever was left out, filled in, added, widened, or looks like a renamed column is told, every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lastro.contract import Contract
from lastro.contract.amend import Amendment, Property, amend
from lastro.engine.protocol import REST, Staged, StagedFile
from lastro.engine.returned import Returned, empty_columns
from lastro.engine.scan import FileScan, JsonLines, Lines, Parquet, Scan, StreamScan
from lastro.engine.sql.compile import unread
from lastro.model.arrival import Arrived, OnChange, Widened
from lastro.model.errors import SchemaChanged, WriteFailed
from lastro.model.finding import Policy
from lastro.model.plan import CastHolds, Foreseen, Plan, RowRule
from lastro.model.progress import Told
from lastro.model.schema import Field, Primitive, Schema, type_text
from lastro.model.text import _, ngettext
from lastro.model.version import VersionInfo
from lastro.pipeline import columns, contract_file, evolution, members
from lastro.pipeline.corrections import RESERVED
from lastro.pipeline.evolution import RULE, Stage
from lastro.pipeline.lineage import CORRECTIONS
from lastro.pipeline.target import Target
from lastro.transform.widen import Needs

PROBED_MAX = 10_000
"""So many refused rows are looked at for a suggestion."""
SETS_ASIDE = (OnChange.EVOLVE, OnChange.FREEZE, OnChange.QUARANTINE)
SEES_TYPES = (OnChange.EVOLVE, OnChange.FREEZE)


@dataclass(frozen=True, slots=True)
class Intake:
    """A staged batch, the target as it must be from here on, and how the source's columns differed."""

    target: Target
    staged: Staged
    arrived: Arrived


@dataclass(slots=True)
class Batch:
    """One batch on its way in: what is learned of its columns, and the plan it is staged by."""

    stage: Stage
    plan: Plan
    is_json: bool
    is_typed: bool
    sources: Sequence[Schema] = ()
    typed: list[Property] = field(default_factory=list)
    watch: members.Watch | None = None

    def arrange(self, sources: Sequence[Schema]) -> Plan:
        """Told the columns; gives the plan to stage by. Raises `SchemaChanged`, `SourceBroken`."""
        target, self.sources = self.stage.target, sources
        # A source of texts only, such as SQLite, tells no types: they are inferred, as those of a file of text are.
        self.is_typed = self.is_typed and any(
            each.type is not Primitive.STRING for source in sources for each in source.fields
        )
        if self.is_json:
            return self.plan
        columns.check(target, self.plan, sources, self.stage.label)
        if self.is_typed and target.on_change is OnChange.EVOLVE and target.contract is not None:
            new = columns.fields_of(sources, unread(self.plan, sources))
            self.typed = evolution.typed_columns(target, self.plan, new, self.stage.label)
        if self.typed and target.contract is not None:
            amendment = Amendment(target.contract.digest, evolution.today(target), tuple(self.typed))
            self.plan = prepared(target, amend(target.contract, amendment).plan(), self.stage.label)
        return self.plan


def current(target: Target, head: VersionInfo | None) -> Target:
    """The target under the lock, with the contract as it stands now; see step 1. Raises `ContractError`."""
    if target.contract is None or target.contract_file is None:
        return target
    contract = contract_file.read(target.contract, target.contract_file)
    amendment = Amendment.from_dict(head.origin.amendment) if head and head.origin.amendment else None
    if amendment is not None and contract.digest == amendment.base:
        contract = amend(contract, amendment)
        _write(target, contract)
    if contract is target.contract:
        return target
    target.engine.check(contract.plan())
    return under(target, contract)


def under(target: Target, contract: Contract) -> Target:
    """The same target under another contract; what was withheld stays so."""
    plan = contract.plan()
    return replace(target, contract=contract, plan=plan, withheld=target.withheld | plan.withheld)


def stage(
    target: Target,
    scan: Scan,
    folder: Path,
    *,
    label: str,
    batch: str,
    keep_last: bool = False,
    progress: Told | None = None,
) -> Intake:
    """Stages a batch by the dataset's policy. Raises what `Engine.stage` does, `SchemaChanged`, `ContractError`."""
    is_json = scan_is_json(scan)
    is_typed = not is_json and (not isinstance(scan, FileScan) or isinstance(scan.format, Parquet))
    how = Stage(target, folder, label, batch, keep_last)
    at_hand = Batch(how, prepared(target, target.plan, label), is_json, is_typed)
    at_hand.watch = members.watch(scan, at_hand.plan)
    passing = at_hand.watch.passing() if at_hand.watch else scan
    staged = target.engine.stage(
        at_hand.plan,
        passing,
        folder,
        batch=batch,
        keep_last=keep_last,
        protect=target.protect,
        progress=progress,
        arrange=at_hand.arrange,
    )
    if at_hand.is_typed:
        at_hand.stage = replace(how, typed=_one_schema(at_hand.sources))
    match target.on_change:
        case OnChange.EVOLVE if target.contract is not None:
            return _evolve(at_hand, target.contract, staged)
        case OnChange.FREEZE:
            return _freeze(at_hand, staged)
        case _:
            return _keep(at_hand, staged)


def scan_is_json(scan: Scan) -> bool:
    """True if the source's columns are members of JSON objects (or keys of pairs), which may turn up in any of them."""
    if isinstance(scan, StreamScan):
        return scan.records
    return isinstance(scan.format, JsonLines) or (isinstance(scan.format, Lines) and scan.format.has_members)


def carry(target: Target, head: VersionInfo, schema: Schema, folder: Path) -> list[StagedFile]:
    """All stored rows in new files under a wider schema; what is read is proven first. Raises `Corrupted`."""
    area = folder / "carried"
    area.mkdir()
    return list(target.engine.recast(target.table.paths(head), schema, area))


def settle(target: Target, arrived: Arrived, info: VersionInfo) -> None:
    """Gives the contract's file what the commit carries; see step 4. Raises `WriteFailed`, saying what holds."""
    if not arrived.amendment or target.contract is None or target.contract_file is None:
        return
    try:
        contract = contract_file.read(target.contract, target.contract_file)
        _write(target, amend(contract, Amendment.from_dict(arrived.amendment)))
    except WriteFailed as error:
        error.state = _("{reference} is committed; its contract's file gets the change with the next ingestion").format(
            reference=info.reference
        )
        raise


def prepared(target: Target, plan: Plan, label: str) -> Plan:
    """The plan with what the policy needs to see set aside, and with what may be missing."""
    rules = plan.row_rules
    if target.on_change in SEES_TYPES:
        rules = tuple(
            replace(rule, policy=Policy.QUARANTINE) if isinstance(rule.condition, CastHolds) else rule for rule in rules
        )
    if target.on_change in SETS_ASIDE:
        rules = (*rules, RowRule(RULE, Foreseen(), Policy.QUARANTINE))
    return replace(
        plan,
        primary_key=target.plan.primary_key,  # a batch of a history differs by more than the contract's key
        row_rules=rules,
        withheld=plan.withheld | target.withheld,
        absent=columns.may_be_missing(plan) if target.on_change in columns.LENIENT else frozenset(),
        ignored=plan.ignored | (frozenset(RESERVED) if label.startswith(CORRECTIONS) else frozenset()),
    )


def _one_schema(sources: Sequence[Schema]) -> Schema:
    fields: dict[str, Field] = {}
    for source in sources:
        for each in source.fields:
            known = fields.setdefault(each.name, each)
            if known.type != each.type:  # files that do not agree: their values are taken as they are written
                fields[each.name] = replace(each, type=Primitive.STRING)
    return Schema(tuple(fields.values()))


def _keep(batch: Batch, staged: Staged) -> Intake:
    """`discard_value`, `quarantine`, or nothing stated: nothing is changed, and everything told."""
    target = batch.stage.target
    asked = evolution.needs(batch.stage, batch.plan, staged, rows_max=PROBED_MAX)
    wider = tuple(_wider(name, need) for name, need in asked.items())
    aside = staged.refused.get(RULE, 0)
    arrived = replace(_arrived(batch, staged), wider=wider, set_aside=aside)
    return Intake(replace(target, plan=batch.plan), staged, arrived)


def _freeze(batch: Batch, staged: Staged) -> Intake:
    target = batch.stage.target
    if staged.unread:
        lost = _lost(batch, staged)
        new = [Field(name, Primitive.STRING) for name in staged.unread]
        raise columns.refusal(target, batch.plan, batch.stage.label, lost, new)
    inside = _members(batch)
    if inside:
        raise columns.members_refusal(target, batch.stage.label, inside)
    asked = evolution.needs(batch.stage, batch.plan, staged)
    if asked:
        raise _type_changed(batch, tuple(_wider(name, need) for name, need in asked.items()))
    staged = evolution.restated(batch.stage, target.plan, staged)
    return Intake(target, staged, _arrived(batch, staged))


def _evolve(batch: Batch, contract: Contract, staged: Staged) -> Intake:
    found = evolution.evolve(batch.stage, contract, batch.plan, staged, batch.typed)
    arrived = replace(
        _arrived(batch, found.staged, new=(*staged.unread, *(each.source for each in found.added))),
        added=found.added,
        widened=found.widened,
        amendment=found.amendment.to_dict() if found.amendment else {},
    )
    before = batch.stage.target
    target = replace(before, plan=found.plan, withheld=before.withheld | found.plan.withheld)
    return Intake(target, found.staged, arrived)


def _arrived(batch: Batch, staged: Staged, *, new: Sequence[str] = ()) -> Arrived:
    """What differed. `new` are the source's new columns, if they are more than those that are left out."""
    lost = _lost(batch, staged)
    names = tuple(dict.fromkeys((*staged.unread, *new)))
    fields = columns.fields_of(batch.sources, names) if not batch.is_json else _texts(names)
    return Arrived(
        policy=batch.stage.target.on_change,
        left_out=staged.unread,
        members=_members(batch),
        missing=lost,
        renamed=columns.suggested(batch.plan, lost, fields),
    )


def _members(batch: Batch) -> tuple[str, ...]:
    return batch.watch.names() if batch.watch else ()


def _lost(batch: Batch, staged: Staged) -> tuple[str, ...]:
    """The source's columns that are not there; of JSON objects, the members that have no value in any row."""
    if not batch.is_json:
        return columns.missing(batch.plan, batch.sources)
    plain = {each.name: each.source for each in batch.plan.columns if each.expression is None}
    empty = [plain[name] for name in plain if not staged.kept or name in empty_columns(staged.kept)]
    if not empty or not staged.counts.read:
        return ()
    aside = Returned(
        staged.quarantined,
        frozenset(staged.refused),
        rows_max=PROBED_MAX,
        opened=evolution.opening(batch.stage.target),
    )
    seen = evolution.look(aside.texts(), empty)
    return tuple(name for name in empty if not seen.rows[name])


def _texts(names: Sequence[str]) -> list[Field]:
    return [Field(name, Primitive.STRING) for name in names if name != REST]


def _wider(name: str, need: Needs) -> Widened:
    kind = need.wider()
    return Widened(name, type_text(need.kind), type_text(kind) if kind is not None else "", need.rows)


def _type_changed(batch: Batch, wider: Sequence[Widened]) -> SchemaChanged:
    target, first = batch.stage.target, wider[0]
    edits = [
        _("give {column} the type {type} in {contract}").format(
            column=each.column, type=each.after, contract=columns.contract_name(target)
        )
        for each in wider[: columns.LISTED_MAX]
    ]
    return SchemaChanged(
        ngettext(
            "{column} is {before} in the contract, and {rows} row has a value that only fits {after}",
            "{column} is {before} in the contract, and {rows} rows have values that only fit {after}",
            first.rows,
        ).format(column=first.column, before=first.before, after=first.after, rows=first.rows),
        where=f"{target.dataset}, {batch.stage.label}",
        do=_("; ").join([*edits, f"lastro ingest {target.dataset} --schema-change evolve"]),
    )


def _write(target: Target, contract: Contract) -> None:
    if target.contract_file is not None and contract is not target.contract:
        contract_file.write(target.contract_file, contract)
