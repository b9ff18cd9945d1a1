"""Why a derived dataset is stale, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lastro.model.errors import LastroError
from lastro.transform.derived.made_of import Change


@dataclass(frozen=True, slots=True)
class Why:
    """Why a derived dataset is stale: what changed since its newest version, and which datasets that it is made from
    are stale themselves. `fault` is what is wrong with its file.
    """

    dataset: str
    file: str
    version: int | None = None
    changes: tuple[Change, ...] = ()
    after: tuple[str, ...] = ()
    fault: LastroError | None = None

    @property
    def is_stale(self) -> bool:
        """True if a build has something to do."""
        return bool(self.changes or self.after or self.fault)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The reasons as plain values."""
        return {
            "dataset": self.dataset,
            "file": self.file,
            "version": self.version,
            "stale": self.is_stale,
            "changes": [change.to_dict() for change in self.changes],
            "after": list(self.after),
            "fault": None if self.fault is None else self.fault.to_dict(),
        }
