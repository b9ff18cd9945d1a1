"""A whole database becomes datasets: one for each of its tables.

Rules:

1. A table that a dataset has already (the same source, the same table, under whichever of its names) is left as it is,
   so that adding again adds what is new.
2. A dataset's name is the table's in lower case, other characters than letters and digits as `_`, after the prefix; a
   name that is taken gets a number.
3. A table that cannot be added leaves the others whole; it is told with its error.
4. Views are added if asked for. They, and what the account may not read, are skipped, and told with the reason.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from lastro.contract.naming import distinct
from lastro.engine.protocol import Engine
from lastro.model.clock import Clock
from lastro.model.errors import LastroError
from lastro.model.naming import plain
from lastro.model.text import _
from lastro.source.listing import Listed, spelled, tables
from lastro.workspace import configuration
from lastro.workspace.add import Added, add
from lastro.workspace.attempt import Working, silently

NAME_MAX = 55
_OTHER = re.compile(r"[^a-z0-9]+")
Place = tuple[str, str, tuple[str, ...]]
"""A kind, where it is, and the table's name as names are compared."""


class Outcome(StrEnum):
    """What became of a table."""

    ADDED = "added"
    THERE = "there"
    WOULD_BE = "would_be_added"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Addition:
    """One table: its dataset's name (none if it was skipped), what became of it, the addition or the error, or why it
    was skipped and what to do.
    """

    table: str
    name: str | None
    outcome: Outcome
    added: Added | None = None
    error: LastroError | None = None
    skipped: tuple[str, str] | None = None

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The table as plain values, for `--json`."""
        told: dict[str, Any] = {"table": self.table, "name": self.name, "outcome": self.outcome.value}  # Any: as above
        if self.added is not None:
            told |= {"contract": str(self.added.contract), "columns": self.added.columns, "mode": self.added.mode}
            told["notes"] = list(self.added.notes)
        if self.error is not None:
            told |= {"code": self.error.code, "what": self.error.what, "do": self.error.do}
        if self.skipped is not None:
            told |= {"what": self.skipped[0], "do": self.skipped[1]}
        return told


@dataclass(frozen=True, slots=True)
class Asked:
    """What to do with all tables: the prefix of their datasets' names, their mode, whether to do it or only to plan it,
    and whether views are added, too.
    """

    prefix: str = ""
    mode: str | None = None
    plan: bool = False
    views: bool = False


def add_all(
    root: Path,
    engine: Engine,
    source: Mapping[str, Any],  # Any: a source's own options
    asked: Asked,
    *,
    clock: Clock,
    working: Working = silently,
) -> tuple[Addition, ...]:
    """Adds each table that the source's options mean, or says what would be added.

    `working` is entered for each table. Raises `SourceError`, `ConfigurationError` if the tables cannot be listed.
    """
    datasets = configuration.read(root).datasets
    held = {_place(entry.source): name for name, entry in datasets.items() if entry.source.get("table")}
    taken = set(datasets)
    found = []
    for listed in tables(source, root):
        options = {**source, "table": listed.table}
        if (there := _there(source, listed, held)) is not None:
            found.append(Addition(listed.table, there, Outcome.THERE))
            continue
        if (reason := _reason(listed, asked)) is not None:
            found.append(Addition(listed.table, None, Outcome.SKIPPED, skipped=reason))
            continue
        name = name_of(spelled(str(source["kind"]), listed.table)[-1], asked.prefix, taken)
        taken.add(name)
        if asked.plan:
            found.append(Addition(listed.table, name, Outcome.WOULD_BE))
            continue
        with working(name):
            found.append(_one(root, engine, options, table=listed.table, name=name, mode=asked.mode, clock=clock))
    return tuple(found)


def _there(source: Mapping[str, Any], listed: Listed, held: Mapping[Place, str]) -> str | None:  # Any: as above
    """The dataset that has the table already, under any of its names (rule 1)."""
    places = (_place({**source, "table": table}) for table in (listed.table, *listed.also))
    return next((held[place] for place in places if place in held), None)


def _reason(listed: Listed, asked: Asked) -> tuple[str, str] | None:
    """Why a table is skipped, and what to do (rule 4)."""
    if listed.view and not asked.views:
        return _("it is a view"), _("--views adds views, too")
    return listed.refused


def name_of(table: str, prefix: str, taken: Container[str]) -> str:
    """A dataset's name for a table (rule 2)."""
    stem = (prefix + (_OTHER.sub("_", plain(table).lower()).strip("_") or "table"))[:NAME_MAX]
    return distinct(stem if stem[:1].isalpha() else f"t_{stem}", taken)


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


def _place(source: Mapping[str, Any]) -> Place:  # Any: a source's own options
    kind, place = str(source.get("kind")), source.get("url")
    place = posixpath.normpath(str(source.get("path"))) if place is None else str(place)
    return kind, place, spelled(kind, str(source["table"]))
