"""Two versions compared: columns, rows, changed cells, and each column's numbers before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lastro.engine.protocol import ColumnMeasures
from lastro.model.text import _, ngettext
from lastro.report.blocks import Blocks, Cell, Column, Title, Tone, bar, table
from lastro.report.numbers import NOTHING, bound, number, percent, signed
from lastro.report.values import Differing, SchemaChange


def difference(found: Differing) -> Blocks:
    """The four parts of a comparison; a part with nothing to say is left out."""
    return (
        *_schema(found.schema),
        *_rows(found),
        *_cells(found.cells, found.changed),
        *_numbers(found.numbers),
        *_examples(found.examples),
    )


def difference_verdict(found: Differing) -> str:
    """`from loans@1 to loans@2: 120 rows added, 3 removed, 41 changed`."""
    if not (found.schema or found.added or found.removed or found.changed):
        return _("{before} and {after} hold the same rows").format(before=found.before, after=found.after)
    added = ngettext("{n} row added", "{n} rows added", found.added).format(n=number(found.added))
    removed = ngettext("{n} removed", "{n} removed", found.removed).format(n=number(found.removed))
    changed = ngettext("{n} changed", "{n} changed", found.changed).format(n=number(found.changed))
    sentence = _("from {before} to {after}: {added}, {removed}, {changed}")
    return sentence.format(before=found.before, after=found.after, added=added, removed=removed, changed=changed)


def _schema(changes: Sequence[SchemaChange]) -> Blocks:
    if not changes:
        return ()
    columns = (Column(_("column")), Column(_("change")), Column(_("before")), Column(_("after")))
    rows = ((change.column, change.change, change.before or NOTHING, change.after or NOTHING) for change in changes)
    return Title(_("Columns")), table(columns, rows)


def _rows(found: Differing) -> Blocks:
    counts = ((_("added"), found.added), (_("removed"), found.removed), (_("changed"), found.changed))
    largest = max(count for _name, count in counts)
    columns = (Column(_("rows")), Column(_("number"), right=True), Column("", fixed=True))
    rows = ((name, number(count), bar(count, largest)) for name, count in counts)
    return Title(_("Rows")), table(columns, rows)


def _cells(cells: Mapping[str, int], changed: int) -> Blocks:
    ordered = sorted(((count, name) for name, count in cells.items() if count), key=lambda item: (-item[0], item[1]))
    if not ordered:
        return ()
    columns = (
        Column(_("column")),
        Column(_("cells changed"), right=True),
        Column(_("of changed rows"), right=True),
        Column("", fixed=True),
    )
    rows = ((name, number(count), percent(count, changed), bar(count, ordered[0][0])) for count, name in ordered)
    return Title(_("Changed cells")), table(columns, rows)


def _numbers(numbers: Mapping[str, tuple[ColumnMeasures | None, ColumnMeasures | None]]) -> Blocks:
    if not numbers:
        return ()
    columns = (
        Column(_("column"), fixed=True),
        Column(_("empty"), right=True),
        Column("±", right=True, spare=1),
        Column(_("mean"), right=True),
        Column(_("minimum")),
        Column(_("maximum")),
    )
    rows = (_measures(name, before, after) for name, (before, after) in numbers.items())
    return Title(_("Columns in numbers, before → after")), table(columns, rows)


def _measures(name: str, before: ColumnMeasures | None, after: ColumnMeasures | None) -> tuple[Cell | str, ...]:
    return (
        name,
        _pair(_nulls(before), _nulls(after)),
        _change(before, after),
        _pair(_mean(before), _mean(after)),
        _pair(bound(before.minimum) if before else None, bound(after.minimum) if after else None),
        _pair(bound(before.maximum) if before else None, bound(after.maximum) if after else None),
    )


def _nulls(measures: ColumnMeasures | None) -> str | None:
    return None if measures is None else number(measures.nulls)


def _change(before: ColumnMeasures | None, after: ColumnMeasures | None) -> Cell:
    if before is None or after is None:
        return Cell(NOTHING)
    change = after.nulls - before.nulls
    return Cell(signed(change), Tone.DOUBTFUL if change > 0 else Tone.PLAIN)


def _mean(measures: ColumnMeasures | None) -> str | None:
    return None if measures is None or measures.mean is None else number(measures.mean, decimals=2)


def _pair(before: str | None, after: str | None) -> str:
    if before == after:
        return NOTHING if before is None else before
    return f"{before or NOTHING} → {after or NOTHING}"


def _examples(examples: Sequence[Mapping[str, Any]]) -> Blocks:  # Any: column values
    if not examples:
        return ()
    columns = (Column(_("change"), fixed=True), Column(_("key")), Column(_("columns")))
    title = _("Examples ({n})").format(n=number(len(examples)))
    return Title(title), table(columns, (_example(example) for example in examples))


def _example(example: Mapping[str, Any]) -> tuple[Cell | str, ...]:  # Any: column values
    before, after = example.get("before") or {}, example.get("after") or {}
    key = _pairs(example.get("key") or {})
    match example["change"]:
        case "added":
            return Cell(_("+ added"), Tone.GOOD), key, _pairs(after)
        case "removed":
            return Cell(_("- removed"), Tone.BAD), key, _pairs(before)
        case _other:
            parts = (
                f"{name}: {_value(before.get(name))} → {_value(after[name])}"
                for name in after
                if before.get(name) != after[name]
            )
            return Cell(_("~ changed"), Tone.DOUBTFUL), key, ", ".join(parts)


def _pairs(row: Mapping[str, Any]) -> str:  # Any: column values
    return ", ".join(f"{name}={_value(value)}" for name, value in row.items())


def _value(value: Any) -> str:  # Any: a column's value
    """A value as it is, and as everywhere else where there is none."""
    return NOTHING if value is None else str(value)
