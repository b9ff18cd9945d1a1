"""What other programs read and wrote, as they told it themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ForeignDataset:
    """A dataset as others name it; `version` is empty where they did not say which."""

    namespace: str
    name: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class ForeignJob:
    """A process as others name it, over all its runs."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class ForeignEvent:
    """One event of a run: `run`, `type` and `moment` are what makes it another than all others."""

    run: str
    type: str
    moment: datetime
    job: ForeignJob
    inputs: tuple[ForeignDataset, ...] = ()
    outputs: tuple[ForeignDataset, ...] = ()
