"""What an erasure of people came to, or would come to. It holds names and counts, and no value."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ErasedTable:
    """What one table lost, or would lose: its rows in files, and the versions with how many of theirs."""

    dataset: str
    rows: int
    files: int
    versions: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """An erasure, or what would be one: `request` and `certificate` are empty then. `unknown` people were nowhere."""

    request: str
    certificate: str
    people: int
    unknown: int
    tables: tuple[ErasedTable, ...]
    kept: tuple[str, ...]
    hits: int
    paths: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """False if it was only told what would go."""
        return bool(self.certificate)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The result as plain values."""
        return {**asdict(self), "done": self.done}
