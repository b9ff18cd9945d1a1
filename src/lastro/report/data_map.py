"""The data map as blocks: coverage, what nobody read, and every column with its class."""

from __future__ import annotations

from lastro.model.data_map import DataMap, MappedColumn
from lastro.model.text import _, ngettext
from lastro.report.blocks import Block, Blocks, Cell, Column, Line, Table, Title, Tone, table
from lastro.report.classes import stands
from lastro.report.documents.parts import class_name
from lastro.report.numbers import NOTHING, number


def data_map(found: DataMap) -> Blocks:
    """One table a dataset."""
    blocks: list[Block] = []
    if not found.is_recorded:
        blocks.append(Line(_("readings are not recorded, so that nothing can be said of use"), Tone.DOUBTFUL))
    for name, what in found.problems:
        blocks.append(Line(_("{name} is not in the map: {what}").format(name=name, what=what), Tone.BAD))
    for dataset in found.datasets:
        blocks += [Title(dataset), _table(found, dataset)]
    return tuple(blocks)


def coverage(found: DataMap) -> str:
    """How many columns have a class, and how many of those a person confirmed."""
    sentence = ngettext(
        "{classified} of {n} column has a class ({share} %), {settled} said or confirmed by a person",
        "{classified} of {n} columns have a class ({share} %), {settled} said or confirmed by a person",
        len(found.columns),
    )
    share = round(100 * found.classified / len(found.columns)) if found.columns else 0
    return sentence.format(
        classified=number(found.classified), n=number(len(found.columns)), share=share, settled=number(found.settled)
    )


def data_map_verdict(found: DataMap) -> str:
    """How many columns have a class, and how many personal ones nobody read."""
    personal = sum(each.is_personal for each in found.columns)
    unused = len(found.unused)
    parts = [coverage(found)]
    if personal and found.is_recorded:
        told = ngettext(
            "{unused} of {n} personal column was never read",
            "{unused} of {n} personal columns were never read",
            personal,
        )
        parts.append(told.format(unused=number(unused), n=number(personal)))
    return "; ".join(parts)


def data_map_title() -> str:
    """What the document is called."""
    return _("Data map")


def _table(found: DataMap, dataset: str) -> Table:
    columns = (
        Column(_("column"), names=True),
        Column(_("class"), fixed=True),
        Column(_("kind"), fixed=True),
        Column(_("protection"), spare=1),
        Column(_("statistics"), spare=3),
        Column(_("in the contract")),
        Column(_("read"), right=True, fixed=True),
        Column(_("from"), spare=2),
    )
    return table(columns, (_row(found, each) for each in found.of(dataset)))


def _row(found: DataMap, each: MappedColumn) -> tuple[Cell | str, ...]:
    unused = found.is_recorded and each.is_unused
    read = Cell(_("never") if unused else number(each.reads), Tone.DOUBTFUL if unused else Tone.PLAIN)
    return (
        each.column,
        class_name(each.said.of) if each.said is not None else _("not classified"),
        (each.said.kind if each.said is not None else "") or NOTHING,
        each.protection or NOTHING,
        _("withheld") if each.is_restricted else _("open"),
        stands(each.said),
        read if found.is_recorded else NOTHING,
        ", ".join(each.sources) or NOTHING,
    )
