"""How far a reading has come: what was read so far, and of how much, where that is known.

Rules:

1. Bytes are those of the files as they lie on the disk, or of the rows as they arrive from anywhere else.
2. What is expected may be an estimate; the share that was read never exceeds 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """`rows` and `bytes` read so far; how many there are in all, each 0 where nobody knows."""

    rows: int
    bytes: int = 0
    rows_expected: int = 0
    bytes_expected: int = 0

    @property
    def share(self) -> float | None:
        """The part of the whole that was read, 0 to 1; None where the whole is not known."""
        if self.rows_expected:
            return min(1.0, self.rows / self.rows_expected)
        return min(1.0, self.bytes / self.bytes_expected) if self.bytes_expected else None

    def left(self, seconds: float) -> float | None:
        """How many seconds the rest will take if it goes on as in the first `seconds`; None where that is not known."""
        share = self.share
        return seconds * (1 - share) / share if share else None

    def after(self, earlier: Progress) -> Progress:
        """The progress of a batch that follows on an earlier one: both together."""
        return Progress(
            earlier.rows + self.rows,
            earlier.bytes + self.bytes,
            self.rows_expected and earlier.rows + self.rows_expected,
            self.bytes_expected and earlier.bytes + self.bytes_expected,
        )


Told = Callable[[Progress], None]
"""Told how far it is, a few times a second."""


def following(told: Told | None, earlier: Progress) -> Told | None:
    """Who is told of work that follows on an earlier part: both together."""
    return None if told is None else lambda now: told(now.after(earlier))
