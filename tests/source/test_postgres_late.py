"""Late commits: writers commit in another order than they wrote, while readers go on. Nothing is lost, nothing doubled.

Writers take serial numbers and times in one order and commit in another: delays, savepoints rolled back, transactions
rolled back, updates, and (where the server allows them) prepared transactions. Readers go on from the cursor of their
last batch, as the pipeline does, `append` in batches that stop in between.
"""

import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pytest

from lastro.model.errors import SourceUnreachable
from lastro.model.version import Mode
from lastro.source import create
from lastro.source.postgres.fence import Fence
from lastro.source.protocol import Unchanged


@dataclass
class Reader:
    """Reads on and on, as the pipeline would; `seen` is what it has of each row, `times` how often it got it."""

    server: object
    mode: Mode
    column: str
    options: dict = field(default_factory=dict)
    cursor: object = None
    seen: dict = field(default_factory=dict)
    times: Counter = field(default_factory=Counter)
    mismatches: list = field(default_factory=list)
    readings: int = 0

    def once(self):
        made = create(
            {
                "kind": "postgres",
                "url": self.server.reference,
                "table": f"{self.server.schema}.t",
                "cursor": self.column,
                **self.options,
            },
            base=None,
        )
        try:
            with made.open(self.cursor, self.mode) as opened:
                if isinstance(opened, Unchanged):
                    return False
                rows = pa.table(opened.scan.stream).to_pylist()
                after = json.loads(json.dumps(opened.watermark()))
                self.mismatches += opened.reconciliation().differences()
                more = opened.more()
        except SourceUnreachable:  # `append` will not pass a transaction that stays open; it tries again
            return True
        self.readings += 1
        self.cursor = after
        self.seen |= {row["id"]: row["value"] for row in rows}
        self.times.update(row["id"] for row in rows)
        return more

    def until(self, finished):
        while not finished.is_set():
            self.once()
        while self.once():
            pass


def write(server, seed, seconds, *, prepared):
    dice, connection = random.Random(seed), server.session()
    deadline, number = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        number += 1
        for _row in range(dice.randint(1, 4)):
            server.run(f"INSERT INTO SCHEMA_.t (value) VALUES ({seed})", on=connection)
            time.sleep(dice.random() * 0.01)
        kind = dice.random()
        if kind < 0.2:
            server.run("SAVEPOINT s", "INSERT INTO SCHEMA_.t (value) VALUES (-1)", "ROLLBACK TO s", on=connection)
        elif kind < 0.4:
            server.run("SAVEPOINT s", f"INSERT INTO SCHEMA_.t (value) VALUES ({seed})", "RELEASE s", on=connection)
        elif kind < 0.6:
            server.run(
                "UPDATE SCHEMA_.t SET value = value + 100, updated_at = now() WHERE id = (SELECT id FROM SCHEMA_.t"
                f" WHERE value % 100 = {seed} ORDER BY random() LIMIT 1)",
                on=connection,
            )
        time.sleep(dice.random() * 0.08)
        if dice.random() < 0.2:
            connection.rollback()
        elif prepared and dice.random() < 0.3:
            name = f"{server.schema}_{seed}_{number}"
            server.run(f"PREPARE TRANSACTION '{name}'", on=connection)
            connection.rollback()
            time.sleep(dice.random() * 0.05)
            server.run(f"COMMIT PREPARED '{name}'")
        else:
            connection.commit()
    connection.close()
    server._connections.remove(connection)


def race(server, *, writers, seconds):
    """Readers, once all writers have ended and all is read, and what the table holds then."""
    prepared = int(server.value("SELECT current_setting('max_prepared_transactions')::int")) > 0
    server.run(
        "CREATE TABLE SCHEMA_.t (id bigserial PRIMARY KEY, value int, updated_at timestamptz NOT NULL DEFAULT now())",
        "CREATE INDEX ON SCHEMA_.t (updated_at)",
    )
    readers = [
        Reader(server, Mode.APPEND, "id", {"batch_rows": 40}),
        Reader(server, Mode.UPSERT, "updated_at", {"batch_rows": 60}),
        Reader(server, Mode.UPSERT, "updated_at", {"wait_s": 0.01}),
    ]
    finished = threading.Event()
    reading = [threading.Thread(target=reader.until, args=(finished,)) for reader in readers]
    writing = [
        threading.Thread(target=write, args=(server, seed, seconds), kwargs={"prepared": prepared})
        for seed in range(1, writers + 1)
    ]
    for thread in [*reading, *writing]:
        thread.start()
    for thread in writing:
        thread.join()
    finished.set()
    for thread in reading:
        thread.join()
    rows = server.value("SELECT coalesce(json_object_agg(id, value)::text, '{}') FROM SCHEMA_.t")
    return readers, {int(name): value for name, value in json.loads(rows).items()}


def check(readers, stored):
    append, *upserts = readers
    assert len(stored) > 50
    assert append.seen.keys() == stored.keys(), "lost or invented"
    assert set(append.times.values()) == {1}, "doubled"
    for upsert in upserts:
        assert upsert.seen == stored, "lost, invented or stale"
    assert [each for reader in readers for each in reader.mismatches] == []
    assert all(reader.readings > 3 for reader in readers)


def test_eight_writers_lose_nothing(server):
    check(*race(server, writers=8, seconds=3))


@pytest.mark.soak
@pytest.mark.parametrize("attempt", range(10))
def test_eight_writers_lose_nothing_for_long(server, attempt):
    check(*race(server, writers=8, seconds=60))


class Scripted:
    """A session whose lists of open transactions are given."""

    def __init__(self, *lists):
        self._lists = list(lists)

    def rows(self, statement):
        return [(name,) for name in (self._lists.pop(0) if len(self._lists) > 1 else self._lists[0])]


@pytest.mark.parametrize(
    ("lists", "left"),
    [
        ([["3/4294967295"], []], 0),
        ([["3/4294967295"], ["3/1"]], 0),  # the counter of one connection began anew; it is another transaction
        ([["3/7"], ["3/7"]], 1),
        ([["3/7", "4/1"], ["3/8", "4/1"]], 1),
        ([["3/7"], ["prepared x"]], 1),  # it let go of its own id by being prepared
        ([[], ["prepared x"]], 1),
        ([["3/7"], ["prepared x"], []], 0),
    ],
)
def test_transactions_are_told_apart_by_name_alone(lists, left):
    assert Fence.behind(Scripted(*lists)).wait(0.1, sleep=lambda _seconds: None) == left
