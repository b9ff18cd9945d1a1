"""The columns that arrive, held against those that the contract names, before a row is read.

Rules:

1. Columns of the source are what the plan reads: `physicalName` or `name`, and what cleaning expressions mention.
2. A missing column reads as NULL where the policy is `evolve` or `discard_value`, everything made of it may be missing,
   and no rule forbids that; else it refuses the batch. Where `lastro.yaml` says nothing, it refuses the batch, as ever.
3. A member that no JSON object has is a missing value, not a missing column: that is how such records are written.
4. A new column refuses the batch where the policy is `freeze`.
5. An error names all columns at once, and the edit that would repair it. A column that may have been renamed is
   suggested; nothing is done about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lastro.contract.scalar import scalar
from lastro.engine.protocol import REST
from lastro.engine.sql.compile import read_columns, unread
from lastro.model.arrival import OnChange, Renamed
from lastro.model.errors import LastroError, SchemaChanged, SourceBroken
from lastro.model.finding import Policy
from lastro.model.plan import Condition, NoneOf, NotNull, Plan
from lastro.model.schema import Field, Schema
from lastro.model.text import _
from lastro.pipeline.target import Target
from lastro.transform.rename import Facts, renames

LISTED_MAX = 10
LENIENT = (OnChange.EVOLVE, OnChange.DISCARD_VALUE)


def may_be_missing(plan: Plan) -> frozenset[str]:
    """The source's columns of which nothing is made that must be there."""
    conditions = (rule.condition for rule in plan.row_rules if rule.policy is not Policy.WARN)
    needed = {found for condition in conditions if (found := _needs_value(condition)) is not None}
    needed |= {*plan.primary_key, *(column.name for column in plan.columns if not column.nullable)}
    bound = {
        source
        for column in plan.columns
        if column.name in needed
        for source in read_columns(Plan(plan.dataset, "", (column,)))
    }
    return frozenset(read_columns(plan)) - bound


def _needs_value(condition: Condition) -> str | None:
    """The column that must have a value for the condition to hold."""
    match condition:
        case NotNull(column) | NoneOf(column, _, True):
            return column
        case _:
            return None


def missing(plan: Plan, sources: Sequence[Schema]) -> tuple[str, ...]:
    """The columns that the plan reads and at least one of the sources does not have."""
    return tuple(name for name in read_columns(plan) if any(name not in source.names for source in sources))


def check(target: Target, plan: Plan, sources: Sequence[Schema], label: str) -> None:
    """Refuses sources by rules 2 and 4: `SchemaChanged`, or `SourceBroken` where no policy is stated."""
    lost = missing(plan, sources)
    allowed = plan.absent if target.on_change in LENIENT else frozenset()
    refused = [name for name in lost if name not in allowed]
    new = unread(plan, sources)
    if refused or (new and target.on_change is OnChange.FREEZE):
        raise refusal(target, plan, label, refused, fields_of(sources, new))


def fields_of(sources: Sequence[Schema], names: Sequence[str]) -> list[Field]:
    """The first of the sources' fields under each of these names."""
    found: dict[str, Field] = {}
    for source in sources:
        for field in source.fields:
            found.setdefault(field.name, field)
    return [found[name] for name in names if name != REST]


def refusal(target: Target, plan: Plan, label: str, lost: Sequence[str], new: Sequence[Field]) -> LastroError:
    """The error for columns that are missing or new."""
    parts = []
    if lost:
        parts.append(_("the source has no column {names}").format(names=listed(lost)))
    if new and target.on_change is OnChange.FREEZE:
        parts.append(_("the source has columns that the contract does not name: {names}").format(names=_names(new)))
    pairs = suggested(plan, lost, new)
    kind = SourceBroken if target.on_change is None else SchemaChanged
    return kind(
        _("; ").join(parts),
        where=f"{target.dataset}, {label}",
        do=_("; ").join([*(rename_text(target, pair) for pair in pairs), *_repairs(target, lost, new, pairs)]),
    )


def _repairs(target: Target, lost: Sequence[str], new: Sequence[Field], pairs: Sequence[Renamed]) -> Iterator[str]:
    known = {pair.source for pair in pairs} | {pair.now for pair in pairs}
    if [name for name in lost if name not in known]:
        yield _("bring the column back, or take it out of {contract}").format(contract=contract_name(target))
    if target.on_change is OnChange.FREEZE and [field for field in new if field.name not in known]:
        yield _(
            "name the new columns in {contract}, list them under its property `ignored`, or follow once with {command}"
        ).format(contract=contract_name(target), command=f"lastro ingest {target.dataset} --schema-change evolve")


def members_refusal(target: Target, label: str, names: Sequence[str]) -> LastroError:
    """The error for members inside objects that are new, where the policy is `freeze`."""
    return SchemaChanged(
        _("objects of the source have members that the contract does not name: {names}").format(names=listed(names)),
        where=f"{target.dataset}, {label}",
        do=_("name them in {contract}, or list them under its property `ignored`, with the names above").format(
            contract=contract_name(target)
        ),
    )


def suggested(plan: Plan, lost: Sequence[str], new: Sequence[Field]) -> tuple[Renamed, ...]:
    """The missing columns that may have been renamed to a new one."""
    columns = {column.source: column for column in plan.columns if column.expression is None}
    order = list(read_columns(plan))
    old = [
        Facts(name, order.index(name), columns[name].type if name in columns else None)
        for name in lost
        if name in order
    ]
    now = [Facts(field.name, -1, field.type) for field in new]
    made = {source: column.name for source, column in columns.items()}
    return tuple(
        Renamed(made.get(before.name, before.name), before.name, after.name) for before, after in renames(old, now)
    )


def rename_text(target: Target, pair: Renamed) -> str:
    """The question, and the edit that answers it."""
    return _(
        "was {old} renamed to {new}? Then set `physicalName: {name}` at the property {column} in {contract}"
    ).format(
        old=repr(pair.source),
        new=repr(pair.now),
        name=scalar(pair.now),
        column=pair.column,
        contract=contract_name(target),
    )


def contract_name(target: Target) -> str:
    """The contract's file as a person finds it."""
    file = target.contract_file
    return f"{file.parent.name}/{file.name}" if file is not None else _("the contract")


def listed(names: Sequence[str]) -> str:
    """Names as a list for people, at most so many."""
    shown = ", ".join(repr(name[:80]) for name in names[:LISTED_MAX])
    more = len(names) - LISTED_MAX
    return shown + (_(" and {n} more").format(n=more) if more > 0 else "")


def _names(fields: Sequence[Field]) -> str:
    return listed([field.name for field in fields])
