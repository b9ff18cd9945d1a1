"""The loop behind `lastro run --every`: one round after another, at a steady beat, until somebody says stop.

Rules:

1. Beats are counted from the start: a round that takes long does not shift the later ones, and beats that were missed
   meanwhile are left out, never made up for.
2. SIGTERM and SIGINT end the loop after the step that is under way; a second one ends the process at once, which loses
   nothing.
3. A round that fails does not end the loop. What makes every round fail – a configuration that cannot be read – does.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType

Monotonic = Callable[[], float]


class Stop:
    """Whether somebody said stop; waiting ends at once when they do."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __call__(self) -> bool:
        """True once somebody said stop."""
        return self._event.is_set()

    def say(self) -> None:
        """Says stop."""
        self._event.set()

    def wait(self, seconds: float) -> None:
        """Waits so long, or until somebody says stop."""
        self._event.wait(seconds)


def beats(every: timedelta, stop: Stop, *, now: Monotonic = time.monotonic) -> Iterator[int]:
    """Yields at each beat, the first at once, until `stop`; the number tells which beat since the start it is."""
    start, period, beat = now(), every.total_seconds(), 0
    while not stop():
        yield beat
        beat = max(beat + 1, math.ceil((now() - start) / period))
        while not stop() and (left := start + beat * period - now()) > 0:
            stop.wait(left)


@contextmanager
def stopping_on_signals(stop: Stop) -> Iterator[None]:
    """Within, the first SIGTERM or SIGINT says stop; the handlers that were there come back with it and at the end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def first(_number: int, _frame: FrameType | None) -> None:
        stop.say()
        restore()

    for number in numbers:
        signal.signal(number, first)
    try:
        yield
    finally:
        restore()
