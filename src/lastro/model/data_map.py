"""The data map: every column of every dataset with what is known of personal values in it (GDPR 30, LGPD 37)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lastro.model.personal import OF_PERSONS, Classified


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One column. `said` is its class, if it has one; `protection` the method; `is_restricted` whether its values stand
    in no statistics; `sources` what it was made from, as far as that is known; `reads` how often it was read, and
    `last_read` when, as the ledger tells.
    """

    dataset: str
    column: str
    said: Classified | None = None
    protection: str = ""
    is_restricted: bool = False
    sources: tuple[str, ...] = ()
    reads: int = 0
    last_read: str = ""

    @property
    def is_personal(self) -> bool:
        """True if its class is one of those that tell who somebody is, or that the law protects most."""
        return self.said is not None and self.said.of in OF_PERSONS

    @property
    def is_settled(self) -> bool:
        """True if a person said or confirmed its class."""
        return self.said is not None and self.said.is_settled

    @property
    def is_unused(self) -> bool:
        """True for a personal column that nobody read."""
        return self.is_personal and not self.reads


@dataclass(frozen=True, slots=True)
class DataMap:
    """All columns, by dataset, in the datasets' order. `problems` are datasets whose columns cannot be told, and why.

    `is_recorded` is False if readings are not recorded, so that no column can be called unused.
    """

    columns: tuple[MappedColumn, ...]
    problems: tuple[tuple[str, str], ...] = ()
    is_recorded: bool = True

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets that have columns here."""
        return tuple(dict.fromkeys(each.dataset for each in self.columns))

    def of(self, dataset: str) -> tuple[MappedColumn, ...]:
        """The columns of one dataset."""
        return tuple(each for each in self.columns if each.dataset == dataset)

    @property
    def classified(self) -> int:
        """How many columns have a class, confirmed or not."""
        return sum(each.said is not None for each in self.columns)

    @property
    def settled(self) -> int:
        """How many columns have a class that a person said or confirmed."""
        return sum(each.is_settled for each in self.columns)

    @property
    def unused(self) -> tuple[MappedColumn, ...]:
        """The personal columns that nobody read; none if readings are not recorded."""
        return tuple(each for each in self.columns if each.is_unused) if self.is_recorded else ()

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The map as plain values."""
        return {
            "coverage": {"columns": len(self.columns), "classified": self.classified, "settled": self.settled},
            "recorded": self.is_recorded,
            "columns": [self._column(each) for each in self.columns],
            "problems": [{"dataset": name, "what": what} for name, what in self.problems],
        }

    def _column(self, each: MappedColumn) -> dict[str, Any]:  # Any: JSON values
        said = each.said
        return {
            "dataset": each.dataset,
            "column": each.column,
            "class": None if said is None else said.of.value,
            "kind": "" if said is None else said.kind,
            "evidence": "" if said is None else said.evidence,
            "confirmed": "" if said is None else said.confirmed,
            "settled": each.is_settled,
            "protection": each.protection,
            "restricted": each.is_restricted,
            "sources": list(each.sources),
            "reads": each.reads,
            "last_read": each.last_read,
            "unused": each.is_unused and self.is_recorded,
        }
