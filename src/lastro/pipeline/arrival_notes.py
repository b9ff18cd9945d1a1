"""What a person is told about columns that changed, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator

from lastro.model.arrival import Arrived
from lastro.model.text import _, ngettext
from lastro.pipeline.columns import contract_name, listed, rename_text
from lastro.pipeline.target import Target


def arrival_notes(target: Target, arrived: Arrived) -> tuple[str, ...]:
    """The sentences, the most important first; none where nothing differed."""
    return tuple(_sentences(target, arrived))


def _sentences(target: Target, arrived: Arrived) -> Iterator[str]:
    contract = contract_name(target)
    for pair in arrived.renamed:
        yield rename_text(target, pair)
    for added in arrived.added:
        yield _("{column} is new in the source, and added as {type}: review it in {contract}").format(
            column=added.column, type=added.type, contract=contract
        )
    for wide in arrived.widened:
        yield ngettext(
            "widened {column} from {before} to {after}, for {rows} row did not fit",
            "widened {column} from {before} to {after}, for {rows} rows did not fit",
            wide.rows,
        ).format(column=wide.column, before=wide.before, after=wide.after, rows=wide.rows)
    for wide in arrived.wider:
        yield ngettext(
            "{column}: {rows} refused row would fit {after}; set that type in {contract} to take it",
            "{column}: {rows} refused rows would fit {after}; set that type in {contract} to take them",
            wide.rows,
        ).format(column=wide.column, after=wide.after, rows=wide.rows, contract=contract)
    if arrived.missing:
        yield _("read as missing, for the source has no values there: {names}").format(names=listed(arrived.missing))
    if arrived.set_aside:
        yield ngettext(
            "{n} row set aside, for it has values in columns that the contract does not name: {names}",
            "{n} rows set aside, for they have values in columns that the contract does not name: {names}",
            arrived.set_aside,
        ).format(n=arrived.set_aside, names=listed(arrived.left_out))
    elif arrived.left_out:
        yield _("left out, for the contract does not name them: {names}").format(names=listed(arrived.left_out))
    if arrived.members:
        yield _("left out, for the objects in {contract} do not have these members: {names}").format(
            contract=contract, names=listed(arrived.members)
        )
