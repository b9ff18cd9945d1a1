"""Progress: a line on standard error for work that takes longer than a second, on a terminal only.

Rich draws it and is imported when the second is over, so that quick commands never pay for it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lastro.cli import journal
from lastro.cli.answer import Settings
from lastro.model.progress import Progress, Told
from lastro.model.text import _, ngettext
from lastro.report.cells import clean
from lastro.report.numbers import duration, number, percent, size

if TYPE_CHECKING:
    from rich.live import Live

PATIENCE_SECONDS = 1.0
JOURNAL_SECONDS = 10.0
_DRAWN_PER_SECOND = 5


@contextmanager
def working(label: str, settings: Settings) -> Iterator[Told]:
    """Gives a function to be told how far the reading is; shows it, its rate, the time spent and the time left while
    within.

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

    def both(progress: Progress) -> None:
        nonlocal last
        told(progress)
        now = time.monotonic()
        if now - last >= JOURNAL_SECONDS:
            last = now
            journal.note(path, "progress", "", dataset=label, **_noted(progress, now - began))

    return both


def _noted(progress: Progress, seconds: float) -> dict[str, Any]:  # Any: JSON values
    left, share = progress.left(seconds), progress.share
    known = {} if left is None or share is None else {"share": round(share, 4), "seconds_left": round(left, 3)}
    return {"rows": progress.rows, "bytes": progress.bytes, "seconds": round(seconds, 3), **known}


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


def progress_text(label: str, progress: Progress, seconds: float) -> str:
    """`loans  1,200,000 rows  96 MiB  400,000 rows/s  3 s  40 %  5 s left`, as far as each is known."""
    parts = [label]
    if progress.rows:
        parts.append(ngettext("{n} row", "{n} rows", progress.rows).format(n=number(progress.rows)))
    if progress.bytes:
        parts.append(size(progress.bytes))
    if progress.rows:
        parts.append(_("{n} rows/s").format(n=number(round(progress.rows / max(seconds, 0.001)))))
    parts.append(duration(round(max(seconds, 1.0))))
    left, share = progress.left(seconds), progress.share
    if left is not None and share is not None:
        parts.append(percent(share, 1.0))
        parts.append(_("{time} left").format(time=duration(max(1, round(left)))))
    return "  ".join(parts)


def _ignored(_progress: Progress) -> None:
    pass


class _Work:
    """Work under way; a timer starts the drawing, so that quick work draws nothing."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._progress = Progress(0)
        self._since = time.monotonic()
        self._live: Live | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self._timer = threading.Timer(PATIENCE_SECONDS, self._draw)
        self._timer.daemon = True

    def start(self) -> None:
        self._timer.start()

    def told(self, progress: Progress) -> None:
        self._progress = progress

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

        return escape(progress_text(self._label, self._progress, time.monotonic() - self._since))
