"""Logs that are written and rotated while they are ingested, by processes that are killed at random moments:
`python -m tests.pipeline.killing_logs FOLDER KILLS SEED`.

A service writes lines, some of which no pattern takes apart, and its log is renamed, cut off and compressed meanwhile.
In the end each line must be in the dataset or in its quarantine, once. Processes are forked from one that computes
nothing.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.compute
import pyarrow.parquet  # noqa: F401  loaded before the fork
from tests.pipeline.feeds import plan_of, rows_of, target_in
from tests.pipeline.killing import end, start
from tests.source.rotating import Rotation, Service

from lastro.engine.duck import stage  # noqa: F401  loaded before the fork
from lastro.model.errors import Locked, SourceChanged, SourceUnreachable
from lastro.model.schema import Primitive
from lastro.model.version import Mode
from lastro.pipeline.ingest import ingest
from lastro.pipeline.quarantine import Quarantine
from lastro.pipeline.target import Target
from lastro.source import create
from lastro.source.protocol import Source
from lastro.store.check import verify

PATTERN = r"^(?P<id>\d+) (?P<value>x+);$"
BATCH_BYTES = 40_000


def target_of(root: Path) -> Target:
    return target_in(root / "lake", plan_of({"id": Primitive.LONG, "value": Primitive.STRING}, key=()))


def source_of(root: Path) -> Source:
    options = {"kind": "logs", "path": "app.log*", "format": {"pattern": PATTERN}, "batch_bytes": BATCH_BYTES}
    return create(options, base=root / "logs")


def work(root: Path) -> None:
    """Ingests for ever. What a rotation takes away while it is read, and another's lock, are met by trying again."""
    target, source = target_of(root), source_of(root)
    while True:
        try:
            ingest(target, source, mode=Mode.APPEND)
        except (Locked, SourceChanged, SourceUnreachable):
            continue


def serve(root: Path, seed: int) -> None:
    """Writes and rotates until it is told to stop; then tells what it wrote."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
    chance = random.Random(seed)
    service, rotation = Service(root / "logs"), Rotation(root / "logs")
    while not stopped:
        time.sleep(chance.uniform(0, 0.1))
        match chance.randrange(40):
            case 0:
                rotation.rename()
                service.write(chance.randrange(3))  # to the old file, as until a signal is heard
                service.end()
                service.reopen()
            case 1:
                service.end()
                rotation.copy(part=chance.random())
                time.sleep(chance.uniform(0, 0.05))
                rotation.truncate()
            case 2:
                pack(rotation, chance)
            case 3 | 4 | 5:
                service.begin()
            case _:
                service.write(chance.randrange(1, 8), size=chance.choice([12, 12, 12, 1_500]))
    service.end()
    service.close()
    (root / "written").write_text(json.dumps([line.decode() for line in service.written]))
    os._exit(0)


def pack(rotation: Rotation, chance: random.Random) -> None:
    """Compresses the newest rotated file, not at once."""
    plain = [path for path in rotation.numbered() if path.suffix != ".gz"]
    if plain:
        rotation.pack(plain[0], done=False)
        time.sleep(chance.uniform(0, 0.05))
        rotation.pack(plain[0])


def ingestion_s(root: Path) -> float:
    """How long one small ingestion takes here, measured in a process of its own: kills are to meet it half-way."""
    (root / "logs").mkdir(parents=True)
    (root / "lake").mkdir()
    (root / "logs" / "app.log").write_text("1 x;\n")
    since = time.monotonic()
    os.waitpid(start(lambda: ingest(target_of(root), source_of(root), mode=Mode.APPEND) and None), 0)
    return time.monotonic() - since


def run(root: Path, workers: int, kills: int, seed: int) -> dict[str, Any]:
    """Kills and restarts at random, then lets one process end the work and judges."""
    (root / "logs").mkdir(parents=True)
    (root / "lake").mkdir()
    chance, died, pause_s = random.Random(seed), 0, ingestion_s(root / "warm")
    service = start(serve, root, seed)
    running = [start(work, root) for _worker in range(workers)]
    for _kill in range(kills):
        time.sleep(chance.uniform(0.3, 4.0) * pause_s)
        place = chance.randrange(workers)
        died += end(running[place])
        running[place] = start(work, root)
    os.kill(service, signal.SIGTERM)
    os.waitpid(service, 0)
    died += sum(end(pid) for pid in running)
    judge = start(lambda: (root / "found").write_text(json.dumps(judged(root))) and None)
    os.waitpid(judge, 0)
    return {**json.loads((root / "found").read_text()), "died": died, "kills": kills}


def judged(root: Path) -> dict[str, Any]:
    target = target_of(root)
    before = target.table.head()
    Rotation(root / "logs").age()
    result = ingest(target, source_of(root), mode=Mode.APPEND)
    found = Counter(f"{number} {value};" for number, value in rows_of(target))
    aside = Counter(row["record"] for row in Quarantine(target).rows())
    wanted = Counter(json.loads((root / "written").read_text()))
    return {
        "lost": len(wanted - found - aside),
        "doubled": len(found + aside - wanted),
        "notes": list(result.notes),
        "aside": sum(aside.values()),
        "rows": sum(found.values()),
        "versions": 0 if before is None else before.number + 1,
        "rotated": len(list((root / "logs").iterdir())) - 1,
        "damage": [damage.to_dict() for damage in verify(target.table, read_data=True)],
    }


if __name__ == "__main__":
    folder, count, first = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps({f"{each}": run(folder / str(each), each, count, first + each) for each in (1, 2)}))
