"""Upkeep: what is damaged, what was mended, what was collected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lastro.model.text import _
from lastro.report.blocks import Blocks, Cell, Column, Line, Tone, table
from lastro.report.numbers import NOTHING, number, size

_NUMBERS_SHOWN = 8


class Damaged(Protocol):
    """One damaged file of a table, or one that was mended: what it is, its path within the table, what is to say."""

    @property
    def kind(self) -> str:
        """What is damaged."""
        ...

    @property
    def path(self) -> str:
        """The file, relative to the table."""
        ...

    @property
    def what(self) -> str:
        """What is wrong with it, or what mends it."""
        ...


class Found(Damaged, Protocol):
    """Damage that was found."""

    @property
    def repairable(self) -> bool:
        """True if `lastro repair` can mend it."""
        ...


class Gathered(Protocol):
    """What was collected of one table, or would be."""

    @property
    def files(self) -> Sequence[str]:
        """Paths relative to the table."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    @property
    def expired(self) -> Sequence[int]:
        """The numbers of the versions that can no longer be read."""
        ...


class BadRecords(Protocol):
    """A file of records that is not what was written."""

    @property
    def path(self) -> str:
        """Where in the file."""
        ...

    @property
    def what(self) -> str:
        """What is wrong with it."""
        ...

    @property
    def do(self) -> str:
        """What a person can do."""
        ...


def damaged_records(found: Sequence[BadRecords]) -> Blocks:
    """What is wrong with files of records, and what to do."""
    return tuple(
        line for each in found for line in (Line(f"  {each.path}: {each.what}", Tone.BAD), Line(f"    {each.do}"))
    )


def damage(found: Sequence[tuple[str, Found]]) -> Blocks:
    """One row per damaged file, under its dataset's name."""
    if not found:
        return ()
    rows: list[tuple[Cell | str, ...]] = [(*_file(name, item), _mendable(item)) for name, item in found]
    return (table((*_columns(_("what is wrong")), Column(_("repairable"), fixed=True)), rows),)


def repairs(mended: Sequence[tuple[str, Damaged]]) -> Blocks:
    """One row per file that was mended, or would be."""
    if not mended:
        return ()
    return (table(_columns(_("repair")), (_file(name, item) for name, item in mended)),)


def collected(gathered: Sequence[tuple[str, Gathered]]) -> Blocks:
    """One row per table that something was collected of, or would be."""
    rows = [
        (name, number(len(item.files)), size(item.size), _numbers(item.expired))
        for name, item in gathered
        if item.files or item.expired
    ]
    if not rows:
        return ()
    columns = (
        Column(_("dataset")),
        Column(_("files"), right=True),
        Column(_("size"), right=True),
        Column(_("versions that expire")),
    )
    return (table(columns, rows),)


def _columns(said: str) -> tuple[Column, ...]:
    return Column(_("dataset")), Column(_("damaged")), Column(_("file")), Column(said)


def _file(name: str, item: Damaged) -> tuple[str, ...]:
    return name, _kinds().get(item.kind, item.kind), item.path, item.what


def _kinds() -> dict[str, str]:
    """The store's words for what is damaged, in the reader's language."""
    return {
        "folder": _("folder"),
        "manifest": _("manifest"),
        "commit": _("commit"),
        "torn commit": _("torn commit"),
        "unfinished commit": _("unfinished commit"),
        "foreign commit": _("foreign commit"),
        "checkpoint": _("checkpoint"),
        "tag": _("tag"),
        "list of expired versions": _("list of expired versions"),
        "data file": _("data file"),
    }


def _mendable(item: Found) -> Cell:
    return Cell(_("✓ yes"), Tone.GOOD) if item.repairable else Cell(_("✗ no"), Tone.BAD)


def _numbers(versions: Sequence[int]) -> str:
    if not versions:
        return NOTHING
    shown = ", ".join(number(version) for version in versions[:_NUMBERS_SHOWN])
    return f"{shown}, …" if len(versions) > _NUMBERS_SHOWN else shown
