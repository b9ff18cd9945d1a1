"""The vault in reports: how much is in it, its keys, and rows whose tokens were turned back into values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from lastro.model.text import _
from lastro.report.blocks import Blocks, Column, Title, table
from lastro.report.cells import clean, cut
from lastro.report.numbers import number

_CELL = 60


class Held(Protocol):
    """What is in the vault."""

    @property
    def entries(self) -> Mapping[str, int]:
        """How many entries of each kind."""
        ...


class Epoch(Protocol):
    """A month of backups."""

    @property
    def name(self) -> str:
        """The month."""
        ...

    @property
    def expires(self) -> date:
        """The last day on which they can be read."""
        ...


class Key(Protocol):
    """What is known of a key."""

    @property
    def purpose(self) -> str:
        """What it is for."""
        ...

    @property
    def number(self) -> int:
        """Which it is, of those for the purpose."""
        ...

    @property
    def made(self) -> str:
        """When it was made."""
        ...

    @property
    def root(self) -> str:
        """The identity of the root key that wraps it."""
        ...

    @property
    def destroyed(self) -> bool:
        """True if it is gone for good."""
        ...


def vault(held: Held, epochs: Sequence[Epoch]) -> Blocks:
    """Entries by kind, then the epochs whose backups can be read."""
    columns = (Column(_("kind")), Column(_("entries"), right=True))
    blocks: Blocks = (table(columns, ((kind, number(count)) for kind, count in held.entries.items())),)
    if epochs:
        until = (Column(_("backups of")), Column(_("can be read until")))
        blocks += (Title(_("Backups")), table(until, ((each.name, str(each.expires)) for each in epochs)))
    return blocks


def keys(found: Sequence[Key]) -> Blocks:
    """Each key with what is known of it."""
    columns = (
        Column(_("purpose")),
        Column(_("number"), right=True),
        Column(_("made")),
        Column(_("root key")),
        Column(_("state")),
    )
    rows = (
        (
            each.purpose,
            str(each.number),
            each.made[:10],
            each.root[:16],
            _("destroyed") if each.destroyed else _("in use"),
        )
        for each in found
    )
    return (table(columns, rows),) if found else ()


def revealed(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Blocks:  # Any: column values
    """Rows with values; long ones are cut."""
    shown = (
        tuple(cut(clean(str(row[name] if row[name] is not None else "")), _CELL) for name in columns) for row in rows
    )
    return (table(tuple(Column(name) for name in columns), shown),) if rows else ()
