"""What others could not be told."""

from __future__ import annotations

from dataclasses import dataclass

from lastro.model.text import ngettext


@dataclass(slots=True)
class Untold:
    """What did not get through in this workspace's life: how many events, and what was wrong the first time.

    `failures` are those in a row; nothing is tried until `paused_until` (of the monotonic clock).
    """

    count: int = 0
    failures: int = 0
    paused_until: float = 0.0
    first: str = ""

    def notes(self) -> tuple[str, ...]:
        """A sentence, if anything did not get through."""
        if not self.count:
            return ()
        sentence = ngettext(
            "{n} event of OpenLineage could not be told: {what}",
            "{n} events of OpenLineage could not be told: {what}",
            self.count,
        )
        return (sentence.format(n=self.count, what=self.first),)
