"""The target of a pipeline: a dataset with all that it takes to change it.

Of a stored column that the contract does not name – one of an earlier version that was renamed or left out since –
nobody says who may know it: it is withheld. So is one that differs from a withheld column by capitals only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from lastro.contract import Contract
from lastro.engine.protocol import Engine
from lastro.model.arrival import OnChange
from lastro.model.interval import Interval
from lastro.model.merging import Deletes, History
from lastro.model.plan import Plan
from lastro.model.schema import Schema
from lastro.store.table import Table

if TYPE_CHECKING:
    from lastro.privacy.protect import Protector
    from lastro.privacy.vault import Vault


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
    is what the mode `interval` replaces. `datasets` finds the tables of others, in which rules look keys up.
    `source_is` says what a source of a new label is; where None, `append` asks. `vault` is where identifiers go that
    the contract protects. Of a source that `is_foreign`, no token is believed.
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
    datasets: Callable[[str], Table] | None = None
    vault: Vault | None = None
    is_foreign: bool = False
    open_columns: frozenset[str] = frozenset()
    """Columns of the source, beside the contract's, whose values may stand in the quarantine as they are."""

    @property
    def dataset(self) -> str:
        """The dataset's name."""
        return self.plan.dataset

    @property
    def protect(self) -> Protector | None:
        """What protects rows by the contract; None where it protects nothing."""
        if self.vault is None or self.contract is None:
            return None
        from lastro.privacy.protect import protector

        personal, also = self.contract.personal, self.open_columns
        found = protector(self.plan, personal, self.vault, withheld=self.withheld, open_also=also)
        return found if found is None else replace(found, is_foreign=self.is_foreign)

    @property
    def protected(self) -> frozenset[str]:
        """The columns whose values are not stored as they came."""
        protect = self.protect
        return frozenset() if protect is None else protect.names

    def withheld_of(self, stored: Schema) -> frozenset[str]:
        """The columns of a stored schema of whose values nothing may be told."""
        hidden = {name.casefold() for name in self.withheld}
        known = {name.casefold() for name in self.plan.schema.names}
        if set(self.history.columns) <= set(stored.names):
            known |= {name.casefold() for name in self.history.columns}
        folded = {name: name.casefold() for name in stored.names}
        return frozenset(name for name, each in folded.items() if each in hidden or each not in known)


def part(target: Target) -> Target:
    """The target for rows that are not all there are: no key counts as gone for being absent from them."""
    return replace(target, history=replace(target.history, whole=False), deletes=replace(target.deletes, keys=False))
