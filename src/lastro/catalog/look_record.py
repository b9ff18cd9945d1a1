"""Look records: what a monitor compared, when, under which settings, and what that came to.

Rules:

1. A look is a value; its form on disk is one record of a chain (`model.chain`), `.lastro/monitors/<monitor>.jsonl`.
2. It names versions with their digests, so that the same comparison can be made again.
3. It holds names, sizes and intervals, and no value from the data.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from lastro.model import clock, digest


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A version of a look: its number and digest."""

    number: int
    digest: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What was compared with what: the rows of `current` that came `after` a version, or whose `time` column lies at or
    after `start`; all of them if neither is there.
    """

    reference: LookedAt
    current: LookedAt
    after: LookedAt | None = None
    time: str | None = None
    start: datetime | None = None
    columns: tuple[str, ...] = ()
    """The columns that were asked for; empty if all were."""


@dataclass(frozen=True, slots=True)
class LookSettings:
    """How much change mattered, and how the budget of the month was divided."""

    budget: float
    looks: int
    columns: int
    margin: float
    margin_rates: float
    margins: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorstColumn:
    """A column that drifted, or of which it is not known: the fact that decided, and the size of its change."""

    name: str
    type: str
    verdict: str
    fact: str | None = None
    size: float | None = None
    low: float | None = None
    high: float | None = None
    margin: float | None = None
    before: float | None = None
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One look of a monitor.

    `verdict` is the comparison's, empty if none could be made: then `code`, `what` and `do` are the error's. `alarm`
    is true if somebody is to be told. `spent` is what this look spent of the month's budget, `spent_before` what
    looks of the same month had. `quiet` is true if the budget was used up, so that it could not alarm. `repeats` is
    the number of the look in the same month that made the same comparison.
    """

    monitor: str
    dataset: str
    moment: datetime
    number: int = 0
    looked: Looked | None = None
    settings: LookSettings | None = None
    verdict: str = ""
    columns: int = 0
    drifted: int = 0
    rows_reference: int = 0
    rows_current: int = 0
    worst: tuple[WorstColumn, ...] = ()
    alarm: bool = False
    spent: float = 0.0
    spent_before: float = 0.0
    quiet: bool = False
    repeats: int | None = None
    code: str = ""
    what: str = ""
    do: str = ""
    exit_code: int = 0

    @property
    def comparison(self) -> str:
        """What tells this comparison from all others; the same for two looks at the same."""
        settings = None if self.settings is None else asdict(self.settings)
        return digest.of_value([_plain(self.looked), settings])

    @property
    def is_empty(self) -> bool:
        """True if it could compare nothing, since one side has no rows."""
        return not self.code and not (self.rows_reference and self.rows_current)

    @property
    def reference(self) -> str:
        """The reference as a person names it; empty if it was not found."""
        return f"{self.dataset}@{self.looked.reference.number}" if self.looked else ""

    @property
    def command(self) -> str:
        """The command that looks further at what was compared."""
        looked = self.looked
        if looked is None:
            return f"lastro monitor {self.monitor}"
        told = f"lastro drift {self.dataset} --reference {looked.reference.number} --current {looked.current.number}"
        if looked.after is not None:
            return f"{told} --since {looked.after.number}"
        if looked.time is not None and looked.start is not None:
            return f"{told} --since {clock.to_text(looked.start)} --time {shlex.quote(looked.time)}"
        return told

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The look as plain values."""
        plain = asdict(self)
        plain["moment"] = clock.to_text(self.moment)
        plain["looked"] = _plain(self.looked)
        plain["worst"] = [asdict(column) for column in self.worst]
        return plain

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Look:  # Any: JSON values
        """The look that `to_dict` wrote. Raises `ValueError` on anything else."""
        import msgspec

        try:
            return msgspec.convert(value, cls)
        except msgspec.ValidationError as error:
            raise ValueError("a field has another type") from error

    def numbered(self, number: int) -> Look:
        """The look as the chain has it."""
        return replace(self, number=number)


def _plain(looked: Looked | None) -> dict[str, Any] | None:  # Any: JSON values
    if looked is None:
        return None
    plain = asdict(looked)
    plain["start"] = None if looked.start is None else clock.to_text(looked.start)
    plain["columns"] = list(looked.columns)
    return plain
