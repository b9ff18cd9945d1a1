"""The results reports are made from, by the properties they must have; the façade's values have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lastro.engine.protocol import ColumnMeasures
from lastro.model.cleaning import Cleaned
from lastro.model.finding import Finding
from lastro.model.status import MonitorStep
from lastro.model.version import RowCounts


class Ingested(Protocol):
    """What became of one ingest."""

    @property
    def dataset(self) -> str:
        """The dataset's name."""
        ...

    @property
    def version(self) -> int | None:
        """The version made, or the newest if nothing changed; None if there is none."""
        ...

    @property
    def unchanged(self) -> bool:
        """True if the source brought nothing new."""
        ...

    @property
    def mode(self) -> str:
        """How the batch changed the dataset."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What else a person should know, one sentence each."""
        ...

    @property
    def looks(self) -> tuple[MonitorStep, ...]:
        """What monitors saw that look at each ingestion."""
        ...

    @property
    def counts(self) -> RowCounts | None:
        """The batch's rows."""
        ...

    @property
    def inserted(self) -> int:
        """Rows that were added."""
        ...

    @property
    def updated(self) -> int:
        """Rows that took the place of others."""
        ...

    @property
    def deleted(self) -> int:
        """Rows that went, or ended, without another."""
        ...

    @property
    def equal(self) -> int:
        """Rows that changed nothing."""
        ...

    @property
    def versions(self) -> Sequence[int]:
        """Every version that was made."""
        ...

    @property
    def reconciled(self) -> bool:
        """True if what the source counted was proven of every batch."""
        ...

    @property
    def refused(self) -> Mapping[str, int]:
        """Rows refused per rule."""
        ...

    @property
    def findings(self) -> Sequence[Finding]:
        """Every rule's result."""
        ...

    @property
    def cleaning(self) -> Sequence[Cleaned]:
        """What cleaning did to each column that is cleaned."""
        ...

    @property
    def rows_total(self) -> int:
        """The rows of the whole version."""
        ...

    @property
    def seconds(self) -> float:
        """How long it took."""
        ...

    @property
    def passed(self) -> bool:
        """True unless a rule failed."""
        ...


class SchemaChange(Protocol):
    """One column that differs between two versions."""

    @property
    def column(self) -> str:
        """The column's name."""
        ...

    @property
    def change(self) -> str:
        """What happened to it."""
        ...

    @property
    def before(self) -> str | None:
        """Its type before, if it was there."""
        ...

    @property
    def after(self) -> str | None:
        """Its type after, if it is there."""
        ...


class Differing(Protocol):
    """Two versions of a dataset, compared."""

    @property
    def before(self) -> str:
        """The earlier reference."""
        ...

    @property
    def after(self) -> str:
        """The later reference."""
        ...

    @property
    def schema(self) -> Sequence[SchemaChange]:
        """Columns that came, went or changed their type."""
        ...

    @property
    def added(self) -> int:
        """Rows whose key is only in `after`."""
        ...

    @property
    def removed(self) -> int:
        """Rows whose key is only in `before`."""
        ...

    @property
    def changed(self) -> int:
        """Rows whose key is in both, with other values."""
        ...

    @property
    def cells(self) -> Mapping[str, int]:
        """Changed cells per column."""
        ...

    @property
    def numbers(self) -> Mapping[str, tuple[ColumnMeasures | None, ColumnMeasures | None]]:
        """Each column's counts before and after; None where it was not there."""
        ...

    @property
    def examples(self) -> Sequence[Mapping[str, Any]]:  # Any: column values
        """Some of the differing rows, as `engine.protocol.KeyDiff` has them."""
        ...
