"""The target of a pipeline: a dataset with all that it takes to change it."""

from __future__ import annotations

from dataclasses import dataclass

from lastro.engine.protocol import Engine
from lastro.model.plan import Plan
from lastro.store.table import Table


@dataclass(frozen=True, slots=True)
class Target:
    """A dataset's table, its quarantine's table, the plan of its contract and the engine that executes it.

    `withheld` are the columns whose smallest and largest values may stand in no statistics.
    """

    table: Table
    quarantine: Table
    plan: Plan
    engine: Engine
    withheld: frozenset[str] = frozenset()

    @property
    def dataset(self) -> str:
        """The dataset's name."""
        return self.plan.dataset
