"""What `lastro.lock` says, and how two locks differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class LockedVersion:
    """The version of a dataset that the lock names."""

    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class LockChange:
    """A dataset that differs between two locks: `added`, `removed`, `moved` (another version) or `rewritten` (the same
    number with another digest: history is not what it was).
    """

    dataset: str
    change: str
    before: LockedVersion | None
    after: LockedVersion | None


@dataclass(frozen=True, slots=True)
class LockResult:
    """The lock as it is in the file now, and what differs from before."""

    path: Path
    locked: Mapping[str, LockedVersion]
    changes: tuple[LockChange, ...]

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The result as plain values."""
        return {
            "path": str(self.path),
            "locked": {name: asdict(version) for name, version in self.locked.items()},
            "changes": [asdict(change) for change in self.changes],
        }
