"""How a source's columns differ from its contract's, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class OnChange(StrEnum):
    """What becomes of a batch whose source no longer has the columns that the contract names.

    `evolve` follows: new columns and wider types go into contract and table. `freeze` refuses the batch.
    `discard_value` leaves out what is new and fills in NULL for what may be missing. `quarantine` sets aside the rows
    that hold a value in a new column.
    """

    EVOLVE = "evolve"
    FREEZE = "freeze"
    DISCARD_VALUE = "discard_value"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Added:
    """A column that was added to contract and table: its name, the source's, and its type in words."""

    column: str
    source: str
    type: str


@dataclass(frozen=True, slots=True)
class Widened:
    """A column whose type was widened, or asks for it: both types in words, and the rows that ask for it."""

    column: str
    before: str
    after: str
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Renamed:
    """A column that is missing, and a new one that looks like it. Nothing was done about it."""

    column: str
    source: str
    now: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """One batch's columns against the contract's. Names are the source's, but for `Added`, `Widened`, `Renamed.column`.

    `left_out` hold what nobody reads, `members` are the same inside objects (`address.zip`), `missing` read as NULL,
    `wider` would fit a wider type and do not fit theirs. `amendment` is what the commit carries of the contract's
    change. `set_aside` counts rows with values in new columns.
    """

    policy: OnChange | None = None
    left_out: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    added: tuple[Added, ...] = ()
    widened: tuple[Widened, ...] = ()
    wider: tuple[Widened, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    set_aside: int = 0
    amendment: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values

    def __bool__(self) -> bool:
        told = (self.left_out, self.members, self.missing, self.added, self.widened, self.wider, self.renamed)
        return any(told) or self.set_aside > 0

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The difference as plain values, for `--json`."""
        values = asdict(self)
        del values["amendment"]
        return {**values, "policy": self.policy.value if self.policy else None}
