"""A dataset that is watched: batches whose incomes lie where a test wants them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.workspace.lake import HEADER, Lake

import lastro
from lastro.catalog.look_record import Look

START = datetime(2026, 1, 10, 12, tzinfo=UTC)
ROWS = 2000


class Watched(Lake):
    """A workspace in which `loans` appends batches, watched by `drift` against the tag `approved`, with a clock."""

    now = START

    def watch(self, monitor: str = "", *, extra: str = "", mode: str = "append") -> None:
        """Writes `lastro.yaml` with the monitor's keys beside dataset and reference."""
        given = monitor or "reference: approved"
        self.configure(mode=mode, extra=f"monitors:\n  drift: {{dataset: loans, {given}}}\n{extra}")

    def open(self) -> lastro.workspace.workspace.Workspace:
        """The workspace as another process would open it."""
        self.workspace = lastro.open(self.root)
        self.workspace.clock = lambda: self.now
        return self.workspace

    def wait(self, **period: float) -> None:
        """Time passes."""
        self.now += timedelta(**period)

    def batch(self, number: int, *, moved: bool = False, ingest: bool = True, name: str = "") -> None:
        """The next file: incomes spread evenly, or all of them moved by half of their range."""
        low = 500 if moved else 0
        lines = (
            f"{number * ROWS + row},{('SP', 'RJ', 'MG')[row % 3]},{low + row * 1000 / ROWS},2026-01-{1 + row % 28:02}\n"
            for row in range(ROWS)
        )
        (self.root / (name or f"loans{number}.csv")).write_text(HEADER + "".join(lines))
        if ingest:
            self.open().dataset("loans").ingest()

    def approved(self) -> Watched:
        """With a first batch, which carries the tag."""
        self.batch(0)
        self.loans.tag("approved")
        return self

    def look(self) -> Look:
        """Looks now."""
        return self.open().look("drift")
