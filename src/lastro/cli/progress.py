"""Progress: a line on standard error for work that takes longer than a second, on a terminal only.

Rich draws it and is imported when the second is over, so that quick commands never pay for it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lastro.cli import journal
from lastro.cli.answer import Settings
from lastro.model.text import _
from lastro.report.cells import clean
from lastro.report.numbers import duration, number

if TYPE_CHECKING:
    from rich.live import Live

Told = Callable[[int], None]
PATIENCE_SECONDS = 1.0
JOURNAL_SECONDS = 10.0
_DRAWN_PER_SECOND = 5


@contextmanager
def working(label: str, settings: Settings) -> Iterator[Told]:
    """Gives a function to be told the rows read so far; shows them, their rate and the time spent while within.

    With a journal, every `JOURNAL_SECONDS` a line of it says the same.
    """
    if settings.log_json is not None:
        with _drawn(label, settings) as told:
            yield _noting(told, label, settings.log_json)
    else:
        with _drawn(label, settings) as told:
            yield told


def _noting(told: Told, label: str, path: Path) -> Told:
    began = last = time.monotonic()

    def both(rows: int) -> None:
        nonlocal last
        told(rows)
        now = time.monotonic()
        if now - last >= JOURNAL_SECONDS:
            last = now
            journal.note(path, "progress", "", dataset=label, rows=rows, seconds=round(now - began, 3))

    return both


@contextmanager
def _drawn(label: str, settings: Settings) -> Iterator[Told]:
    if settings.json or settings.quiet or not sys.stderr.isatty():
        yield _ignored
        return
    work = _Work(clean(label))
    work.start()
    try:
        yield work.told
    finally:
        work.stop()


def progress_text(label: str, rows: int, seconds: float) -> str:
    """`loans  1,200,000 rows  400,000 rows/s  3 s`; without rows, only the label and the time."""
    parts = [label]
    if rows:
        parts.append(_("{n} rows").format(n=number(rows)))
        parts.append(_("{n} rows/s").format(n=number(round(rows / max(seconds, 0.001)))))
    parts.append(duration(round(max(seconds, 1.0))))
    return "  ".join(parts)


def _ignored(_rows: int) -> None:
    pass


class _Work:
    """Work under way; a timer starts the drawing, so that quick work draws nothing."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._rows = 0
        self._since = time.monotonic()
        self._live: Live | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self._timer = threading.Timer(PATIENCE_SECONDS, self._draw)
        self._timer.daemon = True

    def start(self) -> None:
        self._timer.start()

    def told(self, rows: int) -> None:
        self._rows = rows

    def stop(self) -> None:
        self._timer.cancel()
        with self._lock:
            self._stopped = True
            if self._live is not None:
                self._live.stop()

    def _draw(self) -> None:
        from rich.console import Console
        from rich.live import Live

        with self._lock:
            if self._stopped:
                return
            self._live = Live(
                get_renderable=self._line,
                console=Console(stderr=True, highlight=False),
                refresh_per_second=_DRAWN_PER_SECOND,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()

    def _line(self) -> str:
        from rich.markup import escape

        return escape(progress_text(self._label, self._rows, time.monotonic() - self._since))
