"""A whole database becomes datasets: one for each of its tables.

Rules:

1. A table that a dataset has already (the same source, the same table) is left as it is, so that adding again adds
   what is new.
2. A dataset's name is the table's in lower case, other characters than letters and digits as `_`, after the prefix; a
   name that is taken gets a number.
3. A table that cannot be added leaves the others whole; it is told with its error.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from lastro.engine.protocol import Engine
from lastro.model.clock import Clock
from lastro.model.errors import LastroError
from lastro.source.listing import tables
from lastro.workspace import configuration
from lastro.workspace.add import Added, add
from lastro.workspace.attempt import Working, silently

NAME_MAX = 55
_OTHER = re.compile(r"[^a-z0-9]+")
_PARTS = re.compile(r"[.](?=[^\"`]*(?:[\"`][^\"`]*[\"`][^\"`]*)*$)")
"""Dots that stand outside quotes."""


class Outcome(StrEnum):
    """What became of a table."""

    ADDED = "added"
    THERE = "there"
    WOULD_BE = "would_be_added"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Addition:
    """One table: its dataset's name, what became of it, the addition or the error."""

    table: str
    name: str
    outcome: Outcome
    added: Added | None = None
    error: LastroError | None = None

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The table as plain values, for `--json`."""
        told: dict[str, Any] = {"table": self.table, "name": self.name, "outcome": self.outcome.value}  # Any: as above
        if self.added is not None:
            told |= {"contract": str(self.added.contract), "columns": self.added.columns, "mode": self.added.mode}
        if self.error is not None:
            told |= {"code": self.error.code, "what": self.error.what, "do": self.error.do}
        return told


def add_all(
    root: Path,
    engine: Engine,
    source: Mapping[str, Any],  # Any: a source's own options
    *,
    prefix: str,
    mode: str | None,
    plan: bool,
    clock: Clock,
    working: Working = silently,
) -> tuple[Addition, ...]:
    """Adds each table that the source's options mean, or says with `plan` what would be added.

    `working` is entered for each table. Raises `SourceError`, `ConfigurationError` if the tables cannot be listed.
    """
    held = {_place(entry.source): name for name, entry in configuration.read(root).datasets.items()}
    taken = set(held.values())
    found = []
    for table in tables(source, root):
        options = {**source, "table": table}
        if (name := held.get(_place(options))) is not None:
            found.append(Addition(table, name, Outcome.THERE))
            continue
        name = name_of(_last(table, str(source["kind"])), prefix, taken)
        taken.add(name)
        if plan:
            found.append(Addition(table, name, Outcome.WOULD_BE))
            continue
        with working(name):
            found.append(_one(root, engine, options, table=table, name=name, mode=mode, clock=clock))
    return tuple(found)


def name_of(table: str, prefix: str, taken: Iterable[str]) -> str:
    """A dataset's name for a table (rule 2)."""
    plain = unicodedata.normalize("NFKD", table).encode("ascii", "ignore").decode().lower()
    stem = (prefix + (_OTHER.sub("_", plain).strip("_") or "table"))[:NAME_MAX]
    stem = stem if stem[:1].isalpha() else f"t_{stem}"
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}_{number}", number + 1
    return name


def _last(table: str, kind: str) -> str:
    """The table's own name, without its schema; a table of a SQLite file has none."""
    return table if kind == "sqlite" else _PARTS.split(table)[-1]


def _one(
    root: Path,
    engine: Engine,
    options: Mapping[str, Any],  # Any: a source's own options
    *,
    table: str,
    name: str,
    mode: str | None,
    clock: Clock,
) -> Addition:
    try:
        added = add(root, engine, "", name=name, mode=mode, options=options, clock=clock)
    except LastroError as error:
        return Addition(table, name, Outcome.FAILED, error=error)
    return Addition(table, name, Outcome.ADDED, added=added)


def _place(source: Mapping[str, Any]) -> tuple[str, str, str]:  # Any: a source's own options
    return str(source.get("kind")), str(source.get("url", source.get("path"))), str(source.get("table"))
