"""Reading one snapshot in ranges, by several connections at once, delivered in the ranges' order.

Rules:

1. Ranges are small (about `RANGE_BYTES` of a table), so that every connection is busy though delivery is in order.
2. Memory is bounded: at most `AHEAD` ranges a connection are begun before the first of them is delivered, and a range
   that turns out to be large (long values lie outside the table's own blocks) waits with at most `READY` batches.
3. A range is a condition on the rows' places in the table, so the order is that of one reading from end to end.
4. Whatever goes wrong in a connection is raised where the batches are taken; the others stop.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

from lastro.model.errors import SourceUnreachable
from lastro.source.postgres.session import Session
from lastro.source.postgres.tables import Relation

RANGE_BYTES = 8 << 20
WORTHWHILE_BYTES = 64 << 20
"""A smaller table is read by one connection, unless more are asked for."""
AHEAD, READY = 2, 4
_PAUSE_S = 0.1
_END = object()


def block_ranges(relation: Relation) -> tuple[str, ...]:
    """Conditions that take a table apart by its blocks, in order; the last has no end. One empty one if that is not
    possible: ranges of blocks need a table of its own (no view, no partitions, no heirs) and PostgreSQL 14.
    """
    step = max(1, RANGE_BYTES // relation.block_bytes)
    if not relation.in_blocks or relation.blocks <= step:
        return ("",)
    starts = range(0, relation.blocks, step)
    bounds = [f"ctid >= '({start},0)' AND ctid < '({start + step},0)'" for start in starts[:-1]]
    return (*bounds, f"ctid >= '({starts[-1]},0)'")


def opened_ahead(stack: ExitStack, connect: Callable[[], Any], wanted: int) -> list[Session]:  # Any: a context
    """Up to `wanted` more sessions: a server that has no more to give is read with those there are."""
    sessions: list[Session] = []
    while len(sessions) < wanted:
        try:
            sessions.append(stack.enter_context(connect()))
        except SourceUnreachable:  # too many connections; the first session reads on
            break
    return sessions


@dataclass(slots=True)
class Readers:
    """Reads statements with several sessions; to be closed before the sessions are."""

    sessions: Sequence[Session]
    statements: Sequence[str]
    convert: Callable[[Any], Any]  # Any: pyarrow.RecordBatch
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def batches(self) -> Iterator[Any]:  # Any: pyarrow.RecordBatch
        """The batches of all statements, one statement after the other."""
        ranges = [_Range(statement, self._stopping) for statement in self.statements]
        begun = threading.Semaphore(AHEAD * len(self.sessions))
        waiting = iter(ranges)
        lock = threading.Lock()
        for session in self.sessions:
            thread = threading.Thread(target=self._work, args=(session, waiting, lock, begun), daemon=True)
            self._threads.append(thread)
            thread.start()
        with closing(self):
            for each in ranges:
                yield from each.taken()
                begun.release()

    def close(self) -> None:
        """Stops the threads and waits for them."""
        self._stopping.set()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()
        self._threads = []

    def _work(
        self, session: Session, waiting: Iterator[_Range], lock: threading.Lock, begun: threading.Semaphore
    ) -> None:
        while not self._stopping.is_set():
            if not begun.acquire(timeout=_PAUSE_S):
                continue
            with lock:
                mine = next(waiting, None)
            if mine is None:
                return
            mine.read(session, self.convert)


class _Range:
    """One statement's batches on their way from a reading thread to whoever takes them."""

    def __init__(self, statement: str, stopping: threading.Event) -> None:
        self._statement, self._stopping = statement, stopping
        self._ready: queue.Queue[Any] = queue.Queue(READY)  # Any: a batch, an error or the end

    def read(self, session: Session, convert: Callable[[Any], Any]) -> None:  # Any: pyarrow.RecordBatch
        """Reads the statement; an error is handed on as the last thing."""
        try:
            with closing(session.batches(self._statement)) as batches:
                for batch in batches:
                    if not self._hand_on(convert(batch)):
                        return
        except Exception as error:  # noqa: BLE001 – raised again by `taken`, in the thread that reads the stream
            self._hand_on(error)
        self._hand_on(_END)

    def taken(self) -> Iterator[Any]:  # Any: pyarrow.RecordBatch
        """The batches, as they come."""
        while (found := self._ready.get()) is not _END:
            if isinstance(found, Exception):
                raise found
            yield found

    def _hand_on(self, thing: Any) -> bool:  # Any: a batch, an error or the end
        while not self._stopping.is_set():
            try:
                self._ready.put(thing, timeout=_PAUSE_S)
            except queue.Full:
                continue
            return True
        return False
