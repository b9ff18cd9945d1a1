"""The target of a pipeline: a dataset with all that it takes to change it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from lastro.contract import Contract
from lastro.engine.protocol import Engine
from lastro.model.arrival import OnChange
from lastro.model.interval import Interval
from lastro.model.merging import Deletes, History
from lastro.model.plan import Plan
from lastro.store.table import Table


class SourceIs(StrEnum):
    """What a person says of a source whose label is new."""

    SAME = "same"
    ANOTHER = "another"


@dataclass(frozen=True, slots=True)
class Target:
    """A dataset's table, its quarantine's table, the plan of its contract and the engine that executes it.

    `withheld` are the columns whose smallest and largest values may stand in no statistics. `history` is how the mode
    `scd2` keeps states, `deletes` how rows that are gone at the source are known. `contract` is what the plan was made
    of, and `contract_file` where it stands; `on_change` says what becomes of a source whose columns changed. `interval`
    is what the mode `interval` replaces. `source_is` says what a source of a new label is; where None, `append` asks.
    """

    table: Table
    quarantine: Table
    plan: Plan
    engine: Engine
    withheld: frozenset[str] = frozenset()
    history: History = field(default_factory=History)
    deletes: Deletes = field(default_factory=Deletes)
    contract: Contract | None = None
    contract_file: Path | None = None
    on_change: OnChange | None = None
    interval: Interval | None = None
    source_is: SourceIs | None = SourceIs.ANOTHER

    @property
    def dataset(self) -> str:
        """The dataset's name."""
        return self.plan.dataset


def part(target: Target) -> Target:
    """The target for rows that are not all there are: no key counts as gone for being absent from them."""
    return replace(target, history=replace(target.history, whole=False), deletes=replace(target.deletes, keys=False))
