"""Processes that ingest and are killed at random moments: `python -m tests.pipeline.killing FOLDER KILLS SEED`.

One source grows while it is read; several writers read it into the same dataset, under keys that they note before and
repeat after a kill. In the end the dataset must hold what the source holds, each row once, and the quarantine each row
that was refused, once – where rows come again, as long as they did not. The processes are made by fork from a parent
that computes nothing.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb  # noqa: F401  loaded before the fork
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet
import sqlglot  # noqa: F401
from tests.pipeline.feeds import plan_of, rows_of, target_in

from lastro.engine.duck import chain, stage  # noqa: F401  loaded before the fork
from lastro.engine.scan import StreamScan
from lastro.model.errors import Locked
from lastro.model.finding import Policy
from lastro.model.merging import Deletes
from lastro.model.plan import RowRule, Within
from lastro.model.version import Mode
from lastro.pipeline.ingest import ingest
from lastro.pipeline.quarantine import Quarantine
from lastro.pipeline.target import Target
from lastro.source.protocol import Cursor, Opened, Unchanged
from lastro.store.check import verify

KEYS, STEP, BAD_EVERY, GROWTH = 24, 9, 7, 6
Row = tuple[int, int]


def value(event: int) -> int:
    """What an event says; every seventh is refused by the contract."""
    return -1 if event % BAD_EVERY == 0 else event


def state(events: int) -> dict[int, int]:
    """The source as a table after so many events: each key's last event; a key comes and goes."""
    last = {event % KEYS: event for event in range(events)}
    return {key: event for key, event in last.items() if (events // 10 + key) % 5}


@dataclass(slots=True)
class Growing:
    """The source: how many events there are stands in a file. Changes are read a few at a time."""

    length: Path
    keyed: bool
    kind: str = "growing"
    label: str = "growing"

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        there = int(self.length.read_text())
        done = 0 if cursor is None else int(cursor["done"])
        if cursor is not None and done == there:
            yield Unchanged()
            return
        if mode is Mode.OVERWRITE:
            rows = [(key, value(event)) for key, event in state(there).items()]
            until = there
        else:
            until = min(there, done + STEP)
            rows = [(event % KEYS if self.keyed else event, value(event)) for event in range(done, until)]
        table = pa.table(
            {"id": pa.array([k for k, _ in rows], pa.int64()), "value": pa.array([v for _, v in rows], pa.int64())}
        )
        yield Opened(StreamScan(table, self.label), lambda: {"done": until}, self.label, more=lambda: until < there)


def target_of(root: Path) -> Target:
    rule = RowRule("value.range", Within("value", minimum="0"), Policy.QUARANTINE, column="value")
    return target_in(root, plan_of(row_rules=(rule,)), deletes=Deletes(percent_max=100.0))


def work(root: Path, mode: Mode, worker: int) -> None:
    """Ingests for ever; each attempt's key is noted before and repeated until it is answered."""
    note = root / f"{worker}.key"
    turn = int(note.read_text()) if note.exists() else 0
    target, source = target_of(root), Growing(root / "length", mode is Mode.UPSERT)
    while True:
        try:
            ingest(target, source, mode=mode, key=f"{worker}-{turn}")
        except Locked:
            continue
        turn += 1
        note.with_suffix(".new").write_text(str(turn))
        note.with_suffix(".new").replace(note)


def grow(root: Path, events: int) -> None:
    (root / "length.new").write_text(str(events))
    (root / "length.new").replace(root / "length")


def start(action: Callable[..., None], *arguments: Any) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            action(*arguments)
        except BaseException as error:  # whatever ends a worker but a kill is a finding; the parent sees its exit
            sys.stderr.write(f"{action.__name__}: {error!r}\n")
        os._exit(3)
    return pid


def end(pid: int) -> bool:
    """Kills a worker; True if it had died of something else."""
    os.kill(pid, signal.SIGKILL)
    _pid, status = os.waitpid(pid, 0)
    return not os.WIFSIGNALED(status)


def ingestion_s(root: Path) -> float:
    """How long one small ingestion takes here, measured in a process of its own: kills are to meet it half-way."""
    root.mkdir(parents=True)
    grow(root, GROWTH)
    since = time.monotonic()
    os.waitpid(start(lambda: ingest(target_of(root), Growing(root / "length", keyed=False), mode=Mode.APPEND)), 0)
    return min(time.monotonic() - since, 1.0)


def run(root: Path, mode: Mode, writers: int, kills: int, chance: random.Random) -> dict[str, Any]:
    """Kills and restarts at random, then lets one process end the work and judges."""
    pause_s = ingestion_s(root / "warm")
    events, died = GROWTH, 0
    grow(root, events)
    running = {worker: start(work, root, mode, worker) for worker in range(writers)}
    for _kill in range(kills):
        time.sleep(chance.uniform(0.1, 1.5) * pause_s)
        events += chance.randint(1, 2 * GROWTH)
        grow(root, events)
        worker = chance.choice(list(running))
        died += end(running[worker])
        running[worker] = start(work, root, mode, worker)
    died += sum(end(pid) for pid in running.values())
    judge = start(lambda: (root / "found").write_text(json.dumps(judged(root, mode, events))) and None)
    os.waitpid(judge, 0)
    return {**json.loads((root / "found").read_text()), "died": died, "kills": kills}


def judged(root: Path, mode: Mode, events: int) -> dict[str, Any]:
    target = target_of(root)
    before = target.table.head()
    ingest(target, Growing(root / "length", mode is Mode.UPSERT), mode=mode)
    found, wanted = Counter(rows_of(target)), Counter(expected(mode, events))
    aside = Counter(json.loads(row["record"])["id"] for row in Quarantine(target).rows())
    refused = Counter(refusals(mode, events))
    return {
        "lost": len(wanted - found),
        "doubled": len(found - wanted),
        "aside_lost": len(refused - aside),
        "aside_doubled": len(aside - refused),
        "versions": 0 if before is None else before.number + 1,
        "rows": sum(found.values()),
        "damage": [damage.to_dict() for damage in verify(target.table, read_data=True)],
    }


def expected(mode: Mode, events: int) -> list[Row]:
    match mode:
        case Mode.APPEND:
            return [(event, event) for event in range(events) if value(event) >= 0]
        case Mode.UPSERT:
            return list({event % KEYS: event for event in range(events) if value(event) >= 0}.items())
        case _:
            return [(key, event) for key, event in state(events).items() if value(event) >= 0]


def refusals(mode: Mode, events: int) -> list[str]:
    if mode is Mode.SNAPSHOT:
        return [str(key) for key, event in state(events).items() if value(event) < 0]
    if mode is Mode.UPSERT:  # a key that came again closed what was open of it, whether it was refused again or not
        last = {event % KEYS: event for event in range(events)}
        return [str(key) for key, event in last.items() if value(event) < 0]
    return [str(event) for event in range(events) if value(event) < 0]


if __name__ == "__main__":
    folder, count, chance = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    results = {
        f"{mode.value} x {writers}": run(folder / f"{mode.value}-{writers}", mode, writers, count, chance)
        for mode in (Mode.APPEND, Mode.UPSERT, Mode.SNAPSHOT)
        for writers in (1, 2, 4)
    }
    print(json.dumps(results))
