"""The source protocol: everything Lastro asks of a place that data comes from.

Rules:

1. A source interprets nothing: it hands over a `Scan`; casting, cleaning and refusing are the engine's.
2. `open` is told the cursor of the last commit and answers with what came after it. The cursor is JSON, written into
   the commit that carries the rows, and nowhere else.
3. A source that can tell cheaply that nothing changed answers `Unchanged`; one that cannot, does not guess.
4. No secret appears in a cursor, a label, an error or a repr.
5. Sources know three ways to be read, whatever the dataset's mode: `append` (each row once), `upsert` (what may have
   changed, at least once) and `overwrite` (everything, if anything changed). The pipeline chooses.
6. A long reading may stop early, at a bound of its own: `more` then says that the rest comes at the next `open`, from
   the cursor of what was committed. It never stops early where everything was asked for (`overwrite`).
7. A source that can count what it holds in the snapshot it is read from gives a `reconciliation`; one that can list its
   keys there gives `keys`, from which the pipeline tells which stored rows are gone.
8. A source whose place says what a table's key and types are (a database) tells them, for the first contract.
9. A source may have a new place: another path, another name. One that recognises what it reads, wherever it is, takes
   over what is known of it under former labels; any other is asked to only where a person says that it is the same.
10. A database that can show one state of itself to several connections lets several tables be read in it.

A third party registers a factory under the entry point `lastro.sources`: `(options: Mapping, base: Path) -> Source`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from lastro.engine.scan import ArrowStream, Scan
from lastro.model.declared import Declared
from lastro.model.reconciliation import Reconciliation
from lastro.model.version import Mode

Cursor = Mapping[str, Any]  # Any: JSON values
Columns = Mapping[str, Sequence[tuple[str, str]]]
"""For each column, which columns of which datasets it comes from."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing new since the cursor. A source that tells this by its cursor alone, which does not see deletes, gives
    `keys` as `Opened` does: they are compared where the dataset asks for it. `notes` are told all the same.
    """

    keys: Callable[[Sequence[str]], ArrowStream] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """What to read now. `watermark()` is asked after the scan was read to its end and gives the new cursor; it raises
    `SourceChanged` if what was read is no longer what was opened. `label` names the source for people.

    After the watermark: `more()` tells whether the reading stopped before the end of what is there (rule 6), and
    `reconciliation()` what both sides counted (rule 7). `keys` takes the source's names of the key columns and gives
    the keys of every row that the source holds now, as a stream with those columns.
    """

    scan: Scan
    watermark: Callable[[], Cursor]
    label: str
    notes: tuple[str, ...] = field(default=())
    more: Callable[[], bool] = field(default=lambda: False)
    reconciliation: Callable[[], Reconciliation] | None = None
    keys: Callable[[Sequence[str]], ArrowStream] | None = None
    made_of: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values
    """Of a derived dataset: what beside the inputs makes the rows, to be kept with the version."""
    columns: Callable[[], Columns | None] = field(default=lambda: None)
    """Of a derived dataset: which upstream columns the scan's columns come from; None where that is not known."""


class Source(Protocol):
    """A place that data comes from."""

    @property
    def kind(self) -> str:
        """Which kind of place it is: `files`, `sqlite` and so on."""
        ...

    @property
    def label(self) -> str:
        """How a person names it; the cursor is kept under this."""
        ...

    def open(self, cursor: Cursor | None, mode: Mode) -> AbstractContextManager[Opened | Unchanged]:
        """Opens what came after `cursor` (all, if None; all for `overwrite`, if anything changed).

        Leaving the context closes connections. Raises `SourceUnreachable`, `SourceBroken`, `SourceChanged`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Handed:
    """A cursor that a source goes on from, though it was kept under other `labels`, which it stands for from now on."""

    cursor: Cursor
    labels: tuple[str, ...]


@runtime_checkable
class Declaring(Protocol):
    """A source whose place says of itself what is in it (rule 8)."""

    def declared(self) -> Declared:
        """What the table says of itself; nothing of a query. Raises `SourceUnreachable`, `SourceBroken`."""
        ...


@runtime_checkable
class Movable(Protocol):
    """A source that can go on from what was read in another place (rule 9)."""

    def moved(self, earlier: Mapping[str, Cursor], *, same: bool) -> Handed | None:
        """The cursors of other labels, the newest first, as one of this source's own; None if none is of its kind.

        Not `same`: nobody said that this is the same source. Then only one that recognises what it reads answers.
        """
        ...


@runtime_checkable
class Shareable(Protocol):
    """A source that can be read in one state of its place with others (rule 10)."""

    def sharing(self, others: Sequence[Source]) -> AbstractContextManager[str | None]:
        """What names the state in which this source and others of the place are read, for as long as the context
        lasts; None where it can share none. Raises `SourceUnreachable`.
        """
        ...

    def within(self, shared: str) -> Source:
        """The same source, to be read in the state of that name."""
        ...


Factory = Callable[[Mapping[str, Any], Path], Source]  # Any: the options as `lastro.yaml` holds them
