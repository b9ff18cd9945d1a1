"""A differentially private answer, and what it cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PrivateAnswer:
    """The answer: the statistic of the column, its numbers – of a histogram one for each label –, how far each may be
    off with a confidence of 95 %, what it cost, and what is spent of the budget now. `again` says that it was known.
    """

    reference: str
    digest: str
    statistic: str
    column: str
    labels: tuple[str, ...]
    numbers: tuple[float, ...]
    within: float | None
    epsilon: float
    spent: float
    budget: float
    subject: str
    contributions: int
    again: bool = False

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The answer as plain values."""
        return asdict(self)
