"""An erasure that is killed anywhere, and readers while it runs: before or after, never doubled, never torn."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from tests.store.by_value import ByValue
from tests.store.making import Clock, Row, append, content, restore, upsert

from lastro.model.errors import WriteFailed
from lastro.store import checkpoint, disk
from lastro.store.check import verify
from lastro.store.erasure.erasing import erase
from lastro.store.table import Table

ROOT = Path(__file__).resolve().parents[2]
GONE = ByValue("value", frozenset({"3"}))
VERSIONS = 6


def make(root: Path) -> Table:
    table = Table(root, "loans", clock=Clock())
    for batch in range(4):
        append(table, [(key, key % 5) for key in range(batch * 10, batch * 10 + 10)], f"append {batch}")
    checkpoint.write(table.places, 3)
    upsert(table, [(1, 100), (2, 3)], "upsert")
    restore(table, 3, "restore")
    return table


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Table:
    return make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def copy(made: Table, quick_folder: Path) -> Iterator[Callable[[], Table]]:
    """Gives the same table, elsewhere, as often as it is asked for."""

    def new() -> Table:
        shutil.rmtree(quick_folder / "lake", ignore_errors=True)
        shutil.copytree(made.places.root, quick_folder / "lake")
        return Table(quick_folder / "lake", "loans")

    yield new


def by_delta(table: Table, number: int) -> list[Row]:
    found = DeltaTable(str(table.path), version=number).to_pyarrow_table()
    return sorted(zip(found["id"].to_pylist(), found["value"].to_pylist(), strict=True))


def seen(table: Table, number: int) -> list[Row]:
    """What delta-rs reads; it opens a file once for the footer and again for the data, and may meet two different ones
    in between: then it fails, and reads well the next time.
    """
    for _attempt in range(20):
        with suppress(OSError, DeltaError):
            return by_delta(table, number)
    return by_delta(table, number)


class Killed(BaseException):
    """Ends the erasure as a kill would: nothing catches it."""


def judge(table: Table, before: list[list[Row]]) -> bool:
    """Every version is as before or as after, at once and by every reader; true if the erasure was done."""
    after = [[row for row in rows if row[1] != 3] for rows in before]
    for number in range(VERSIONS):
        found = by_delta(table, number)
        assert sorted({row for row in found if row[1] != 3}) == after[number] == [row for row in found if row[1] != 3]
        assert set(found) <= set(before[number])
        assert len(found) == len(set(found))
    fresh = Table(table.places.root, "loans")
    found = [content(fresh, number) for number in range(VERSIONS)]
    assert found in (before, after)
    assert verify(fresh, read_data=True) == ()
    assert not table.places.journal.exists()
    with fresh.lock():
        assert not table.places.erasure.exists()
    return found == after


@pytest.mark.parametrize("durable", ["replace", "move", "remove", "write_temporary", "freeze"])
def test_an_erasure_that_ends_at_any_step_is_finished_or_never_was(
    made: Table, copy: Callable[[], Table], monkeypatch: pytest.MonkeyPatch, durable: str
) -> None:
    before = [content(made, number) for number in range(VERSIONS)]
    real = getattr(disk, durable)
    outcomes = []

    for last in range(1000):
        table, calls = copy(), iter(range(1000))

        def ending(*given: object, calls: Iterator[int] = calls, last: int = last, **named: object) -> object:
            if next(calls) == last:
                raise Killed
            return real(*given, **named)

        with monkeypatch.context() as patched, pytest.MonkeyPatch.context():
            patched.setattr(disk, durable, ending)
            patched.setattr("lastro.store.erasure.journal.clear", lambda places: None)
            try:
                erase(table, GONE)
            except Killed:
                pass
            else:
                break
        outcomes.append(judge(table, before))

    # Once done it stays done: all that came before the journal is as before, all that follows as after.
    assert outcomes == sorted(outcomes)
    assert outcomes


def test_a_full_disk_before_the_journal_changes_nothing(
    made: Table, copy: Callable[[], Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    table, before = copy(), [content(made, number) for number in range(VERSIONS)]
    monkeypatch.setattr(disk, "freeze", lambda path: (_ for _ in ()).throw(OSError(28, "No space left", str(path))))

    with pytest.raises(WriteFailed):
        erase(table, GONE)
    monkeypatch.undo()
    assert not table.places.erasure.exists()
    assert not judge(table, before)


def test_readers_while_it_runs_see_a_version_before_or_after(
    made: Table, copy: Callable[[], Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    table, before = copy(), [content(made, number) for number in range(VERSIONS)]
    after = [[row for row in rows if row[1] != 3] for rows in before]
    old, infos = [DeltaTable(str(table.path), version=n) for n in range(VERSIONS)], [*reversed(table.history())]
    move, wrong, reads = disk.move, [], []

    def slowly(source: Path, target: Path) -> None:
        move(source, target)
        look()

    def look() -> None:
        fresh = Table(table.places.root, "loans")
        for number in range(VERSIONS):
            of_old = old[number].to_pyarrow_table()
            for found in (
                by_delta(table, number),
                sorted(zip(of_old["id"].to_pylist(), of_old["value"].to_pylist(), strict=True)),
            ):
                extra = set(found) - set(after[number])
                reads.append(number)
                if len(found) != len(set(found)) or not set(after[number]) <= set(found) <= set(before[number]):
                    wrong.append((number, extra))
            fresh.paths(infos[number])
            again = fresh.version(number)
            fresh.paths(again)
            assert again.digest == infos[number].digest
            assert again.rows in (len(before[number]), len(after[number]))
        assert [each.number for each in fresh.history()] == [*range(VERSIONS)][::-1]

    monkeypatch.setattr(disk, "move", slowly)
    erase(table, GONE)
    monkeypatch.undo()

    assert wrong == []
    assert len(reads) > 100
    assert judge(table, before)


def test_readers_and_a_writer_beside_two_erasures(copy: Callable[[], Table]) -> None:
    table = copy()
    stop, failures, lens = threading.Event(), [], []

    def read() -> None:
        while not stop.is_set():
            try:
                fresh = Table(table.places.root, "loans")
                for info in fresh.history():
                    fresh.paths(info)
                lens.append(len(seen(table, 4)))
            except Exception as error:  # whatever a reader meets is told below
                failures.append(error)

    readers = [threading.Thread(target=read, daemon=True) for _reader in range(2)]
    for reader in readers:
        reader.start()
    try:
        erase(table, GONE)
        append(Table(table.places.root, "loans"), [(900, 2), (901, 4)], "beside")
        erase(Table(table.places.root, "loans"), ByValue("value", frozenset({"2"})))
    finally:
        stop.set()
    for reader in readers:
        reader.join()

    assert checkpoint.is_vouched_for(table.places, 3, thoroughly=True)
    assert failures == []
    assert lens
    assert content(table, 6) == sorted([*content(table, 5), (901, 4)])
    assert verify(table, read_data=True) == ()


ERASING = """
import sys, time
from pathlib import Path
from lastro.store import disk
from lastro.store.erasure.erasing import erase
from tests.store.by_value import ByValue
from lastro.store.table import Table
for name in ("move", "remove", "sync_folder", "freeze"):
    def slowly(*given, real=getattr(disk, name)):
        time.sleep(0.002)
        return real(*given)
    setattr(disk, name, slowly)
table = Table(Path(sys.argv[1]), "loans")
print("ready", flush=True)
erase(table, ByValue("value", frozenset({"3"})))
"""


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_kill_9_at_a_thousand_moments(made: Table, copy: Callable[[], Table], seed: int) -> None:
    before = [content(made, number) for number in range(VERSIONS)]
    chance = random.Random(seed)

    for _kill in range(50):
        table = copy()
        command = [sys.executable, "-c", ERASING, str(table.places.root)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0, 1.5))
            process.send_signal(signal.SIGKILL)

        judge(table, before)
