"""The ledger: how fast events are added, how fast one is proven, and whether every change of it is found."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from bench.data import FOLDER
from bench.figure import SMALL, Figure, Size
from lastro.ledger.audit import audit
from lastro.ledger.book import Ledger
from lastro.ledger.event import Event
from lastro.ledger.note import PublicKey
from lastro.privacy.signing import SigningKey, key_of

ORIGIN, BATCH = "lastro/bench", 10_000
PER_SECOND, PROOF_MS = 50_000, 1.0
Change = Callable[[sqlite3.Connection, int, int], None]


def figures(size: Size) -> Iterator[Figure]:
    """Three figures; the ledger is made anew."""
    folder = FOLDER / "ledger"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    count, tries, key = (3_000, 10, key_of(b"b" * 32)) if size is SMALL else (200_000, 1_000, key_of(b"b" * 32))
    ledger = Ledger(folder / "ledger.sqlite", ORIGIN)
    yield _adding(ledger, count, key)
    yield _proving(ledger, count)
    ledger.close()
    yield _changing(folder, tries, key)


def _events(count: int) -> list[Event]:
    return [
        Event(
            lastro=1,
            at="2026-11-26T00:00:00.000000Z",
            actor=f"actor{number % 200}",
            action="read",
            purpose="training",
            dataset="customers",
            version=number % 500,
            columns=("income", "age"),
            rows=1_000,
        )
        for number in range(count)
    ]


def _adding(ledger: Ledger, count: int, key: SigningKey) -> Figure:
    events = _events(count)
    began = time.perf_counter()
    for first in range(0, count, BATCH):
        ledger.add(events[first : first + BATCH], key)
    rate = count / (time.perf_counter() - began)
    work = f"events added to the ledger, {BATCH:,} at a time, each time hashed, signed and fsynced"
    details = f"{count:,} events, {ledger.size():,} kept; wall time"
    return Figure(work, f">= {PER_SECOND:,}/s", f"{rate:,.0f}/s", rate >= PER_SECOND, details)


def _proving(ledger: Ledger, count: int) -> Figure:
    times = []
    for number in random.Random(3).sample(range(count), 300):
        began = time.perf_counter()
        ledger.prove(number)
        times.append((time.perf_counter() - began) * 1e3)
    work = f"the proof that one of {count:,} events is in the ledger"
    details = f"median of {len(times)}, the slowest {max(times):.2f} ms; wall time"
    return Figure(work, f"< {PROOF_MS:g} ms", f"{median(times):.2f} ms", median(times) < PROOF_MS, details)


def _edit(connection: sqlite3.Connection, number: int, other: int) -> None:
    connection.execute("UPDATE event SET content = replace(content, '1000', ?) WHERE number = ?", (other, number))


def _delete(connection: sqlite3.Connection, number: int, _other: int) -> None:
    connection.execute("DELETE FROM event WHERE number = ?", (number,))
    connection.execute("UPDATE event SET number = -number WHERE number > ?", (number,))
    connection.execute("UPDATE event SET number = -number - 1 WHERE number < 0")


def _insert(connection: sqlite3.Connection, number: int, other: int) -> None:
    connection.execute("UPDATE event SET number = -number - 1 WHERE number >= ?", (number,))
    connection.execute("UPDATE event SET number = -number WHERE number < 0")
    copied = "SELECT ?, content, actor, action, dataset, version FROM event WHERE number = ?"
    connection.execute(f"INSERT INTO event {copied}", (number, other if other < number else other + 1))


def _reorder(connection: sqlite3.Connection, number: int, other: int) -> None:
    for was, now in ((number, -1), (other, number), (-1, other)):
        connection.execute("UPDATE event SET number = ? WHERE number = ?", (now, was))


def _cut(connection: sqlite3.Connection, number: int, _other: int) -> None:
    connection.execute("DELETE FROM checkpoint WHERE size > ?", (number,))
    connection.execute("DELETE FROM event WHERE number >= (SELECT coalesce(max(size), 0) FROM checkpoint)")


CHANGES: tuple[Change, ...] = (_edit, _delete, _insert, _reorder, _cut)


def _changing(folder: Path, tries: int, key: SigningKey) -> Figure:
    whole, changed, size = folder / "whole.sqlite", folder / "changed.sqlite", 400
    ledger = Ledger(whole, ORIGIN)
    for first in range(0, size, 20):
        ledger.add([_numbered(first + number) for number in range(20)], key)
    anchor = ledger.last() or ""
    ledger.close()
    draw, found = random.Random(7), 0
    for attempt in range(tries):
        shutil.copy(whole, changed)
        with sqlite3.connect(changed, isolation_level=None) as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            CHANGES[attempt % len(CHANGES)](connection, *draw.sample(range(size), 2))
        connection.close()
        found += not audit(changed, PublicKey(ORIGIN, key.public), anchors=[anchor]).passed
    kinds = ", ".join(change.__name__.strip("_") for change in CHANGES)
    work = f"seeded changes of the ledger that an audit with an anchor finds ({kinds})"
    return Figure(work, "all", f"{found:,} of {tries:,}", found == tries, f"in a ledger of {size} events")


def _numbered(number: int) -> Event:
    return Event(lastro=1, at="2026-11-26T00:00:00.000000Z", actor=f"actor{number}", action="read", rows=1_000)
