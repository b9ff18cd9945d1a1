"""Writers that are killed at random moments, started again, and judged: `python -m tests.store.killing FOLDER KILLS …`.

Every writer notes what it intends, does it, and notes that it was acknowledged, in a file outside the table. Started
again after a kill it repeats what was not acknowledged, under the same key. The processes are made by fork from a
parent that computes nothing, so that a kill costs milliseconds.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.store.making import SCHEMA, Row, append, content, origin, rows_of, stage, upsert

from lastro.model.clock import utc_now
from lastro.model.errors import Corrupted, Expired, Locked
from lastro.model.version import Mode
from lastro.store.check import verify
from lastro.store.collect import collect
from lastro.store.table import Table
from lastro.store.writer import Change

ROWS = 4
BASE = 1_000_000_000


class Journal:
    """What one writer intended and what was acknowledged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self.intended = [json.loads(line[1:]) for line in lines if line[0] == "I"]
        self.acknowledged = [json.loads(line[1:]) for line in lines if line[0] == "A"]

    def note(self, sign: str, step: list[Any]) -> None:
        with self.path.open("a") as stream:
            stream.write(f"{sign}{json.dumps(step)}\n")


def batch(worker: int, turn: int) -> list[Row]:
    return [(worker * 10_000_000 + turn * ROWS + index, turn) for index in range(ROWS)]


def work(root: Path, journal: Journal, worker: int, chance: random.Random) -> None:
    """Goes on for ever: first what was left open, then new steps."""
    turn = len(journal.intended)
    if turn and journal.intended[-1:] != journal.acknowledged[-1:]:
        do(root, worker, *journal.intended[-1])
        journal.note("A", journal.intended[-1])
    while True:
        step = [turn, chance.choice(("append", "append", "upsert", "overwrite"))]
        journal.note("I", step)
        do(root, worker, *step)
        journal.note("A", step)
        turn += 1


def do(root: Path, worker: int, turn: int, kind: str) -> None:
    table, key = Table(root, "loans"), f"{worker}-{turn}"
    match kind:
        case "append":
            append(table, batch(worker, turn), key)
        case "upsert":
            upsert(table, [(BASE + worker * ROWS + index, turn) for index in range(ROWS)], key)
        case "overwrite":
            rewrite(table, batch(worker, turn), key)


def rewrite(table: Table, rows: list[Row], key: str) -> None:
    """Replaces everything by what is there and these rows, as a compaction with an addition would."""
    with table.lock() as writer, writer.staging() as folder:
        if not writer.find_key(key):
            file = stage(folder, content(table) + rows)
            writer.commit(Change(SCHEMA, [file], origin(Mode.OVERWRITE, key, file.rows), replace_all=True))


def look(root: Path, problems: Path) -> None:
    """Reads the newest version for ever and notes what is torn."""
    table = Table(root, "loans")
    while True:
        head = table.head()
        try:
            found = [] if head is None else rows_of(table.paths(head))
        except (Corrupted, Expired, FileNotFoundError):
            if head is not None and head.number in table.expired():
                continue  # the collector's clock is weeks ahead: it may take files from under a reader
            raise
        if wrong := torn(found):
            problems.write_text(json.dumps(wrong))
        time.sleep(0.005)


def tidy(root: Path, chance: random.Random) -> None:
    """Collects for ever what no version needs, as if weeks had passed."""
    table = Table(root, "loans", clock=lambda: utc_now() + timedelta(days=30))
    while True:
        with suppress(Locked):
            collect(table, keep=set(), grace=timedelta(hours=24), apply=True)
        time.sleep(chance.uniform(0.0, 0.1))


def torn(found: list[Row]) -> list[str]:
    """What no whole number of steps could have made."""
    batches = Counter((key // 10_000_000, value) for key, value in found if key < BASE)
    wrong = [f"batch {name} has {count} rows" for name, count in batches.items() if count != ROWS]
    upserted: dict[int, list[Row]] = {}
    for key, value in found:
        if key >= BASE:
            upserted.setdefault((key - BASE) // ROWS, []).append((key, value))
    for worker, rows in upserted.items():
        if len(rows) != ROWS or len({key for key, _ in rows}) != ROWS or len({value for _, value in rows}) != 1:
            wrong.append(f"upsert of {worker} is {rows}")
    return wrong


def start(action: Callable[..., None], *arguments: Any) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            action(*arguments)
        except BaseException as error:  # whatever ends a worker but a kill is a finding; the parent sees its exit
            sys.stderr.write(f"{action.__name__}: {error!r}\n")
        os._exit(3)
    return pid


def run(root: Path, kills: int, writers: int, seed: int) -> dict[str, Any]:
    """Kills and restarts at random, then judges what is left."""
    chance = random.Random(seed)
    journals = [root / f"{worker}.journal" for worker in range(writers)]
    problems = root / "problems"

    def launch(role: int) -> int:
        own = random.Random(chance.random())
        if role < writers:
            return start(work, root, Journal(journals[role]), role, own)
        return start(look, root, problems) if role < writers + 2 else start(tidy, root, own)

    append(Table(root / "warm", "up"), [(0, 0)], "so that a fork starts with everything loaded")
    running = {role: launch(role) for role in range(writers + 3)}
    died = 0
    for _kill in range(kills):
        time.sleep(chance.uniform(0.0, 0.15))
        role = chance.choice([role for role in running if role < writers or role == writers + 2])
        died += end(running[role])
        running[role] = launch(role)
    died += sum(end(pid) for pid in running.values())
    return judged(root, [Journal(path) for path in journals]) | {
        "kills": kills,
        "died": died,
        "seen": problems.exists(),
    }


def end(pid: int) -> bool:
    """Kills a worker; True if it had died of something else."""
    os.kill(pid, signal.SIGKILL)
    _pid, status = os.waitpid(pid, 0)
    return not os.WIFSIGNALED(status)


def judged(root: Path, journals: list[Journal]) -> dict[str, Any]:
    table = Table(root, "loans")
    found = content(table)
    present = Counter((key // 10_000_000, value) for key, value in found if key < BASE)
    upserts = {(key - BASE) // ROWS: value for key, value in found if key >= BASE}
    lost, doubled, strange = 0, sum(count > ROWS for count in present.values()), 0
    for worker, journal in enumerate(journals):
        kept = {turn for turn, kind in journal.acknowledged if kind != "upsert"}
        wanted = {turn for turn, kind in journal.intended if kind != "upsert"}
        here = {value for name, value in present if name == worker}
        lost += len(kept - here)
        strange += len(here - wanted)
        last = max((turn for turn, kind in journal.acknowledged if kind == "upsert"), default=-1)
        intended = max((turn for turn, kind in journal.intended if kind == "upsert"), default=-1)
        lost += not last <= upserts.get(worker, -1) <= intended
    return {
        "acknowledged": sum(len(journal.acknowledged) for journal in journals),
        "versions": len(table.history(limit=1)) and table.history(limit=1)[0].number + 1,
        "lost": lost,
        "doubled": doubled,
        "strange": strange,
        "torn": torn(found),
        "damage": [damage.to_dict() for damage in verify(table, read_data=True)],
    }


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
