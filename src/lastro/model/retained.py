"""What is past its retention, and what became of it: counts and names, no value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Retained:
    """One dataset against its retention.

    `kept_for` is empty where the contract says nothing, `column` where the time counts from the commit. `rows` of the
    newest version are past, and of `versions` so many each, `quarantined` rows that were set aside; `undated` have no
    date, and stay. `expiring` are versions whose files go as a whole, `pinned` those that a tag, a run, a lock or a
    monitor keeps. `held` is the article that forbids it all, `fault` why nothing could be told. Once it was applied,
    `made` is the new version, and `erased` are the older ones that lost rows.
    """

    dataset: str
    kept_for: str = ""
    column: str = ""
    before: datetime | None = None
    rows: int = 0
    versions: Mapping[int, int] = field(default_factory=dict)
    quarantined: int = 0
    undated: int = 0
    expiring: tuple[int, ...] = ()
    pinned: tuple[int, ...] = ()
    held: str = ""
    fault: str = ""
    made: int | None = None
    erased: tuple[int, ...] = ()

    @property
    def is_due(self) -> bool:
        """True if anything is past."""
        return bool(self.rows or self.versions or self.quarantined or self.expiring)


@dataclass(frozen=True, slots=True)
class Retention:
    """All datasets that were asked about."""

    applied: bool
    datasets: tuple[Retained, ...]

    @property
    def due(self) -> tuple[Retained, ...]:
        """Those with something that is past, and that nothing holds."""
        return tuple(each for each in self.datasets if each.is_due and not each.held)

    @property
    def held(self) -> tuple[Retained, ...]:
        """Those that a law holds."""
        return tuple(each for each in self.datasets if each.held)

    @property
    def failed(self) -> tuple[Retained, ...]:
        """Those of which nothing could be told."""
        return tuple(each for each in self.datasets if each.fault)
