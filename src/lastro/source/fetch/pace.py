"""Pace: how fast requests may follow each other, and how long to wait before one is repeated.

Rules:

1. A rate limit spreads requests evenly: at most one in each interval, whoever sends it. There are no bursts, since a
   server that counts by the minute and one that counts by the second would see them differently.
2. `Retry-After` is seconds or a date. One that is no such thing counts as absent; one beyond `RETRY_AFTER_MAX_S` is
   not waited for.
3. Without it, the wait is a random part of a time that doubles with every attempt, so that many clients do not come
   back together.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRY_AFTER_MAX_S = 300.0
_BACKOFF_S = 0.5
_BACKOFF_MAX_S = 60.0


@dataclass(slots=True)
class Pace:
    """Lets requests through one by one, `interval_s` apart. Threads may share it."""

    interval_s: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    lock: threading.Lock = field(default_factory=threading.Lock)
    next_at: float = float("-inf")

    def wait(self) -> None:
        """Returns when the next request may go."""
        if self.interval_s <= 0:
            return
        with self.lock:
            now = self.clock()
            start = max(now, self.next_at)
            self.next_at = start + self.interval_s
        if start > now:
            self.sleep(start - now)


def backoff(attempt: int, chance: float) -> float:
    """Seconds to wait after the attempt of that number, from 0; `chance` is between 0 and 1.

    >>> backoff(0, 1.0), backoff(3, 0.5), backoff(20, 1.0)
    (1.0, 4.0, 60.0)
    """
    return chance * min(_BACKOFF_MAX_S, _BACKOFF_S * 2.0 ** (attempt + 1))


def retry_after(text: str, now: datetime) -> float | None:
    """Seconds that a `Retry-After` asks for; None if it says nothing that can be understood."""
    text = text.strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (zoned - now).total_seconds())
