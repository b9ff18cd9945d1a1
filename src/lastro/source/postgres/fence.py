"""The fence: how far a growing column of PostgreSQL may be read so that nothing is lost that commits late.

A row gets its number or time when it is written and becomes visible when its transaction commits, in another order.
Who reads up to the greatest visible value and goes on from there loses the rows below it that commit later. Nor does
it help to leave out rows written since the oldest running transaction began (their `xmin`): a transaction can be older
than another that runs, take a greater value, and commit first.

1. First the greatest visible value H is read, then the list of transactions that are open now.
2. When every one of them has ended, a snapshot taken then sees every row up to H that there will ever be: a transaction
   that began after H was read takes values beyond it.
3. That holds for values taken in the order of time: sequences without a cache, `now()`, `clock_timestamp()`. Values
   made elsewhere need a `lag`.
4. Every transaction holds a lock on its own virtual id, which anybody may see; those of other databases and of
   autovacuum cannot write rows here. Prepared transactions have none: while there is one, the fence stays open.
5. Ids are told apart by name, never compared for order, so no counter that wraps around can mislead: a virtual id that
   comes again (after four thousand million transactions of one connection) makes the wait longer, never shorter.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from lastro.source.postgres.session import Session

_OPEN = """
SELECT held.virtualtransaction
FROM pg_locks AS held JOIN pg_stat_activity AS activity ON activity.pid = held.pid
WHERE held.locktype = 'virtualxid' AND held.granted AND held.pid <> pg_backend_pid()
  AND activity.datname = current_database() AND activity.backend_type IS DISTINCT FROM 'autovacuum worker'
UNION ALL
SELECT 'prepared ' || gid FROM pg_prepared_xacts WHERE database = current_database()
"""
_PAUSE_S = 0.02
_PAUSE_MAX_S = 0.5


@dataclass(frozen=True, slots=True)
class Fence:
    """The transactions that were open once the greatest value had been read."""

    session: Session
    running: frozenset[str]

    @classmethod
    def behind(cls, session: Session) -> Fence:
        """To be called right after the greatest value was read, outside a snapshot."""
        return cls(session, _open(session))

    def wait(self, wait_s: float, *, sleep: Callable[[float], None] = time.sleep) -> int:
        """Waits at most `wait_s` until all have ended. Returns how many have not."""
        left, pause, waited = self._left(), _PAUSE_S, 0.0
        while left and waited < wait_s:
            sleep(pause)
            waited += pause
            pause = min(pause * 2, _PAUSE_MAX_S)
            left = self._left()
        return left

    def _left(self) -> int:
        now = _open(self.session)
        prepared = {name for name in now if name.startswith("prepared ")}
        return len((self.running & now) | prepared)


def _open(session: Session) -> frozenset[str]:
    return frozenset(name for (name,) in session.rows(_OPEN))
