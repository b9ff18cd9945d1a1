"""A circuit that opens: a host that failed again and again is left in peace for a while.

Rules:

1. A connection that fails, a time-out and an answer of 5xx are failures; every other answer is a success, since the
   host is there. Successes set the count to nothing.
2. After `failures` of them in a row nothing is asked for `pause_s`: the error says so, and until when.
3. Then one request may try. If it fails, the pause begins again; if it succeeds, the circuit is closed.
4. The state is this process's alone: nothing is written, and another process finds out for itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lastro.model.errors import SourceUnreachable
from lastro.model.text import _


@dataclass(frozen=True, slots=True)
class Fuse:
    """After how many failures in a row a circuit opens, and for how many seconds."""

    failures: int = 10
    pause_s: float = 60


@dataclass(slots=True)
class _State:
    failures: int = 0
    closed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Circuits:
    """The circuits of all hosts this process asks. Threads may share it."""

    clock: Callable[[], float] = time.monotonic
    states: dict[str, _State] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, host: str, fuse: Fuse, label: str) -> None:
        """Raises `SourceUnreachable` while the host's circuit is open."""
        with self.lock:
            state = self.states.get(host)
            if state is None or state.failures < fuse.failures:
                return
            left = state.closed_at - self.clock()
            if left <= 0:
                state.closed_at = self.clock() + fuse.pause_s  # this one tries; others wait for what it finds
                return
            failures = state.failures
        raise SourceUnreachable(
            _("{host} failed {count} times in a row and is not asked for another {left:,.0f} s").format(
                host=host, count=failures, left=max(1.0, left)
            ),
            where=label,
            do=_("ingest again then; circuit.failures and circuit.pause_s can be changed"),
        )

    def failed(self, host: str, fuse: Fuse) -> None:
        """Notes a failure."""
        with self.lock:
            state = self.states.setdefault(host, _State())
            state.failures += 1
            if state.failures >= fuse.failures:
                state.closed_at = self.clock() + fuse.pause_s

    def succeeded(self, host: str) -> None:
        """Notes an answer."""
        with self.lock:
            self.states.pop(host, None)


CIRCUITS = Circuits()
"""Those of this process."""
