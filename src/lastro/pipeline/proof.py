"""The proof of a batch: what the source counted, what arrived and what was kept agree, or nothing is committed.

Rules:

1. The source counts in the snapshot that it is read from; what arrived is counted on its way. Both must agree, and the
   engine must have read as many rows.
2. Where every row was kept as it came, columns that the plan takes over as they are must lack as many values in what
   was staged as in what arrived; whole numbers and decimals must have the same sum.
3. An error names columns and counts, no value of a row. A sum is one. Sums of columns that the contract protects are
   neither compared with what is stored nor kept: of one row they are its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any

from lastro.engine.protocol import Measures, Staged
from lastro.model import schema as types
from lastro.model.errors import NotReconciled
from lastro.model.plan import CastHolds, ColumnPlan, Plan
from lastro.model.reconciliation import Reconciliation, Totals
from lastro.model.schema import Primitive
from lastro.model.text import _, ngettext

_WHOLE = frozenset({Primitive.BYTE, Primitive.SHORT, Primitive.INTEGER, Primitive.LONG})
_SHOWN = 5


def arrived(found: Reconciliation, staged: Staged, source: str) -> None:
    """Compares both ends of the way from the source (rule 1). Raises `NotReconciled`."""
    wrong = [
        _of_rows(difference.source, difference.arrived)
        if difference.measure == "rows"
        else _("{measure} of {column}").format(measure=difference.measure, column=difference.column or _("all rows"))
        for difference in found.differences()
    ]
    if not wrong and found.source.rows != staged.counts.read:
        wrong.append(_of_rows(str(found.source.rows), str(staged.counts.read)))
    _refuse(wrong, source)


def kept(
    plan: Plan, staged: Staged, measures: Measures, found: Reconciliation, *, protected: frozenset[str] = frozenset()
) -> dict[str, Any]:  # Any: JSON values
    """The proof as it goes into the commit, with what was staged (rule 2). Raises `NotReconciled`."""
    shut = {column.source for column in plan.columns if column.name in protected} | protected
    found = Reconciliation(_discreet(found.source, shut), _discreet(found.arrived, shut))
    proof = found.to_dict()
    if any(staged.refused.values()) or staged.counts.quarantined:
        return proof
    columns = {column.name: column for column in plan.columns if _is_comparable(column, plan, found.arrived)}
    sums = _sums(staged, [column for column in columns.values() if _has_sum(column, found.arrived)])
    wrong, stored = [], {}
    for name, column in columns.items():
        came, nulls = found.arrived.columns[column.source], measures.columns[name].nulls
        stored[name] = {"nulls": nulls, **({"sum": str(sums[name])} if name in sums else {})}
        if nulls != came.nulls:
            wrong.append(_("nulls of {column}").format(column=name))
        if name in sums and Decimal(came.total or "0") != sums[name]:
            wrong.append(_("sum of {column}").format(column=name))
    _refuse(wrong, plan.dataset)
    return {**proof, "stored": {"rows": staged.counts.kept, "columns": stored}}


def _discreet(totals: Totals, shut: frozenset[str] | set[str]) -> Totals:
    """The same without sums of these columns."""
    columns = {name: replace(each, total=None) if name in shut else each for name, each in totals.columns.items()}
    return replace(totals, columns=columns)


def _of_rows(source: str, came: str) -> str:
    return _("rows: {source} at the source, {arrived} arrived").format(source=source, arrived=came)


def _is_comparable(column: ColumnPlan, plan: Plan, totals: Totals) -> bool:
    """True if the plan takes the column over as it is, and a value that could not be would have been counted."""
    checked = {rule.condition.column for rule in plan.row_rules if isinstance(rule.condition, CastHolds)}
    sure = column.type == Primitive.STRING or column.name in checked
    return column.expression is None and column.source in totals.columns and sure


def _has_sum(column: ColumnPlan, totals: Totals) -> bool:
    came = totals.columns[column.source]
    exact = column.type in _WHOLE or isinstance(column.type, types.Decimal)
    return exact and came.total is not None and not came.approximate


def _sums(staged: Staged, columns: list[ColumnPlan]) -> Mapping[str, Decimal]:
    """Exact sums of columns of the staged files."""
    if not columns:
        return {}
    import pyarrow as pa
    import pyarrow.compute as pc

    from lastro.engine.encrypted import opened

    sums = {column.name: Decimal(0) for column in columns}
    with localcontext() as context:
        context.prec = 80
        for file in staged.kept:
            with opened(file.path, columns=list(sums)) as reader:
                for batch in reader.iter_batches(1 << 17, columns=list(sums), use_threads=False):
                    for name in sums:
                        values = batch.column(name)
                        wide = values.cast(pa.decimal256(76, getattr(values.type, "scale", 0)))
                        sums[name] += pc.sum(wide).as_py() or 0
    return sums


def _refuse(wrong: list[str], where: str) -> None:
    if not wrong:
        return
    named = ", ".join(wrong[:_SHOWN]) + (" …" if len(wrong) > _SHOWN else "")
    sentence = ngettext(
        "{n} count differs from the source's: {named}", "{n} counts differ from the source's: {named}", len(wrong)
    )
    raise NotReconciled(
        sentence.format(n=len(wrong), named=named),
        where=where,
        do=_("ingest again; if it stays so, look at what lies between the source and here"),
    )
