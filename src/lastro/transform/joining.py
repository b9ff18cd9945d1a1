"""How a batch joins a table, by the dataset's mode: which plan the engine is given, and which columns the table has.

Rules:

1. `upsert`: rows with an equal key are replaced, the rest are added. `snapshot`: besides, rows whose key the batch
   lacks are removed. `scd2`: nothing is removed; a state that differs ends the one before it.
2. A row that says it is deleted never joins, in any mode that compares; an `append` compares nothing and is refused.
3. Which columns a history compares is all but those it ignores, the one that says when a state began, and the one
   that says that it is gone.
4. What the configuration says must fit the contract before anything is read.
"""

from __future__ import annotations

from datetime import UTC, datetime, time

from lastro.model.errors import BreakingChange, ConfigurationError
from lastro.model.interval import Interval
from lastro.model.merging import Deletes, History, MergePlan, is_flag, is_moment
from lastro.model.plan import Plan
from lastro.model.schema import Primitive, Schema, type_text
from lastro.model.text import _
from lastro.model.version import Mode
from lastro.transform.evolve import evolve

KEYED = frozenset({Mode.UPSERT, Mode.SNAPSHOT, Mode.SCD2})


def check(plan: Plan, mode: Mode, history: History, deletes: Deletes) -> None:
    """Checks what a dataset's entry says against its contract (rule 4). Raises `ConfigurationError`."""
    if mode in KEYED and not plan.primary_key:
        raise ConfigurationError(
            _("{mode} into {name} needs a primary key").format(mode=mode.value, name=plan.dataset),
            where=plan.dataset,
            do=_("set primaryKey: true on the key's properties in the contract, or choose another mode"),
        )
    if mode is Mode.APPEND and (deletes.column is not None or deletes.keys):
        raise _wrong(
            plan, "deletes", _("append only adds rows"), _("use the mode upsert or scd2, or leave deletes out")
        )
    if mode is Mode.OVERWRITE and deletes.keys:
        raise _wrong(plan, "deletes.keys", _("overwrite replaces every row"), _("leave deletes.keys out"))
    if deletes.column is not None:
        _check_column(plan, "deletes.column", deletes.column)
        kind = plan.schema.field(deletes.column).type
        if not is_flag(kind):
            what = _("a column of type {type} does not say whether a row is deleted").format(type=type_text(kind))
            raise _wrong(plan, "deletes.column", what, _("make it a boolean, a whole number or a date in the contract"))
    if mode is Mode.SCD2:
        _check_history(plan, history)


def check_interval(plan: Plan, interval: Interval) -> None:
    """Checks that every row of a contract lies in one interval. Raises `ConfigurationError`."""
    name = interval.column
    _check_column(plan, "interval.column", name)
    field = plan.schema.field(name)
    if not is_moment(field.type):
        what = _("{name} is of type {type}, and tells no time").format(name=name, type=type_text(field.type))
        raise _wrong(plan, "interval.column", what, _("choose a column that is a date or timestamp in the contract"))
    if field.nullable:
        what = _("{name} may be missing in a row, which then lies in no interval").format(name=name)
        raise _wrong(plan, "interval.column", what, _("write required: true for it in the contract"))
    if field.type is Primitive.DATE and {bound.astimezone(UTC).time() for bound in _bounds(interval)} != {time()}:
        what = _("{name} is a date, and has no hours").format(name=name)
        raise _wrong(plan, "interval.every", what, _("write every: 1d, or make the column a timestamp"))


def _bounds(interval: Interval) -> tuple[datetime, datetime]:
    return interval.start, interval.end


def reading(mode: Mode, history: History) -> Mode:
    """How a source is read for a mode: sources know `append`, `upsert` and `overwrite`."""
    match mode:
        case Mode.SNAPSHOT:
            return Mode.OVERWRITE
        case Mode.SCD2:
            return Mode.OVERWRITE if history.whole else Mode.UPSERT
        case _:
            return mode


def staging_key(plan: Plan, mode: Mode, history: History) -> tuple[str, ...]:
    """The columns by which rows of one batch must differ: the key, and in a history the moment as well."""
    if mode is Mode.SCD2 and history.effective is not None and history.effective not in plan.primary_key:
        return (*plan.primary_key, history.effective)
    return plan.primary_key


def merge_plan(
    plan: Plan, mode: Mode, history: History, deletes: Deletes, *, moment: datetime, began: datetime | None
) -> MergePlan:
    """The engine's plan for a mode. New states begin at `moment`; stored rows without a history began at `began`."""
    kept = history if mode is Mode.SCD2 else None
    silent = {*plan.primary_key}
    if kept is not None:
        silent |= {*kept.ignore, kept.effective or "", deletes.column or ""}
    return MergePlan(
        key=plan.primary_key,
        compared=tuple(name for name in plan.schema.names if name not in silent),
        gone=deletes.column,
        whole=mode is Mode.SNAPSHOT or (kept is not None and kept.whole),
        history=kept,
        moment=moment,
        began=began,
    )


def table_schema(stored: Schema | None, plan: Plan, mode: Mode, history: History) -> Schema:
    """The table's columns after a batch. Raises `BreakingChange` where stored rows do not fit."""
    added = history.fields(plan.schema) if mode is Mode.SCD2 else ()
    if stored is None:
        return Schema((*plan.schema.fields, *added))
    keeps = set(history.columns) <= set(stored.names)
    if mode is not Mode.SCD2:
        if keeps and not set(history.columns) & set(plan.schema.names):
            raise _has_history(plan.dataset)
        return evolve(stored, plan.schema, dataset=plan.dataset)
    own = Schema(tuple(field for field in stored.fields if not keeps or field.name not in history.columns))
    found = Schema((*evolve(own, plan.schema, dataset=plan.dataset).fields, *added))
    if keeps and stored.field(history.start).type != found.field(history.start).type:
        raise BreakingChange(
            _("the moments of {dataset}'s history have another type now").format(dataset=plan.dataset),
            where=f"{plan.dataset}.{history.start}",
            do=_("keep the effective column and its type, or begin the history in another dataset"),
        )
    return found


def _check_history(plan: Plan, history: History) -> None:
    for name in history.columns:
        if name in plan.schema.names:
            what = _("the contract has a column {name} already").format(name=name)
            raise _wrong(plan, "history", what, _("give the history's column another name"))
    if len(set(history.columns)) < len(history.columns):
        raise _wrong(plan, "history", _("two columns have the same name"), _("give each column its own name"))
    for name in history.ignore:
        _check_column(plan, "history.ignore", name)
    if history.effective is None:
        return
    _check_column(plan, "history.effective", history.effective)
    field = plan.schema.field(history.effective)
    if not is_moment(field.type) or field.nullable:
        what = _("{name} does not say when every row began to hold").format(name=history.effective)
        raise _wrong(plan, "history.effective", what, _("make it a required date or timestamp in the contract"))


def _check_column(plan: Plan, place: str, name: str) -> None:
    if name not in plan.schema.names:
        what = _("there is no column {name}").format(name=name)
        raise _wrong(plan, place, what, _("use one of {names}").format(names=", ".join(plan.schema.names[:20])))


def _wrong(plan: Plan, place: str, what: str, do: str) -> ConfigurationError:
    return ConfigurationError(what, where=f"lastro.yaml: datasets.{plan.dataset}.{place}", do=do)


def _has_history(dataset: str) -> BreakingChange:
    return BreakingChange(
        _("{dataset} keeps a history, which this mode would break").format(dataset=dataset),
        where=dataset,
        do=_("ingest with --mode scd2, or with --mode overwrite to give the history up"),
    )
