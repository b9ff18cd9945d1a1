"""The guarded child: killed, stalled, orphaned, out of memory – and never a zombie, a hang or a file left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from tests.engine.duck.conftest import plan

from lastro.engine.duck import frames, guard
from lastro.engine.duck.engine import DuckEngine
from lastro.engine.duck.limits import Limits
from lastro.engine.scan import Csv, FileScan
from lastro.model.errors import LimitExceeded, WriteFailed


def children() -> set[int]:
    """The processes whose parent is this one, zombies included."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == os.getpid():
            found.add(int(folder.name))
    return found


@pytest.fixture(autouse=True)
def none_left(tmp_path: Path) -> object:
    before = children()
    yield
    assert children() == before
    assert not list((tmp_path / "spill").glob("*"))


@pytest.fixture
def big(tmp_path: Path) -> FileScan:
    path = tmp_path / "big.csv"
    path.write_text("a,b\n" + "1,some value or other\n" * 2_000_000)
    return FileScan((path,), Csv())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_child_killed_in_the_middle_is_an_error_and_leaves_nothing(
    engine: DuckEngine, big: FileScan, tmp_path: Path, how: signal.Signals
) -> None:
    folder = tmp_path / "stage"
    folder.mkdir()
    before = children()

    def kill(_batch: object) -> object:
        for pid in children() - before:
            os.kill(pid, how)
        return _batch

    with pytest.raises(LimitExceeded, match=how.name) as caught:
        engine.stage(plan("a", "b"), big, folder, batch="b", protect=kill)
    assert caught.value.where.endswith("big.csv")
    assert not list(folder.iterdir())


def test_a_failing_parent_ends_its_child(engine: DuckEngine, big: FileScan, tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    folder.mkdir()

    def fail(_batch: object) -> object:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.stage(plan("a", "b"), big, folder, batch="b", protect=fail)
    assert not list(folder.iterdir())


def test_silence_is_told_not_waited_for(tmp_path: Path, big: FileScan) -> None:
    limits = Limits(stall_seconds=0.3)
    with guard.guarded("describe", big, limits, temp=tmp_path / "spill") as child:
        os.kill(child.pid, signal.SIGSTOP)
        started = time.monotonic()

        with pytest.raises(LimitExceeded, match="no progress"):
            child.answer(frames.Described)
        assert time.monotonic() - started < 30


def test_a_child_has_no_environment_and_few_open_files(
    tmp_path: Path, big: FileScan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LASTRO_SECRET", "s3cret")
    with (
        (tmp_path / "secret").open("w") as secret,
        guard.guarded("stage", big, Limits(), temp=tmp_path / "spill") as child,
    ):
        os.set_inheritable(secret.fileno(), True)
        child.answer(frames.Described)
        environment = Path(f"/proc/{child.pid}/environ").read_bytes()
        opened = {os.readlink(link) for link in Path(f"/proc/{child.pid}/fd").iterdir()}
        limits = Path(f"/proc/{child.pid}/limits").read_text()

        assert b"s3cret" not in environment
        assert not any("secret" in name for name in opened)
        assert any(line.split()[:6] == ["Max", "core", "file", "size", "0", "0"] for line in limits.splitlines())


def test_out_of_memory_is_the_child_s_own(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    row = ",".join(["x" * 10_000] * 100)
    path.write_text(",".join(f"c{index}" for index in range(100)) + "\n" + f"{row}\n" * 100)
    engine = DuckEngine(temp=tmp_path / "spill", memory_mb=60, address_mb=500)
    folder = tmp_path / "stage"
    folder.mkdir()

    with pytest.raises(LimitExceeded):
        engine.stage(plan("c0"), FileScan((path,), Csv()), folder, batch="b")
    assert not list(folder.iterdir())


ORPHAN = """
    import os, sys, time
    from pathlib import Path
    from lastro.engine.duck import frames, guard
    from lastro.engine.duck.limits import Limits
    from lastro.engine.scan import Csv, FileScan

    with guard.guarded("stage", FileScan((Path(sys.argv[1]),), Csv()), Limits(), temp=Path(sys.argv[2])) as child:
        child.answer(frames.Described)
        print(child.pid, flush=True)
        time.sleep(60)
"""


def test_a_killed_parent_takes_its_child_along(tmp_path: Path, big: FileScan) -> None:
    command = [sys.executable, "-c", textwrap.dedent(ORPHAN), str(big.paths[0]), str(tmp_path / "orphan")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    until = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.05)

    assert not Path(f"/proc/{pid}").exists()


def test_a_folder_that_is_gone_is_told(engine: DuckEngine, big: FileScan, tmp_path: Path) -> None:
    with pytest.raises(WriteFailed, match="does not exist"):
        engine.stage(plan("a", "b"), big, tmp_path / "none", batch="b")


FULL = """
    import resource, sys, signal
    from pathlib import Path
    from lastro.engine.duck.engine import DuckEngine
    from lastro.engine.scan import Csv, FileScan
    from lastro.model.errors import WriteFailed
    from lastro.model.plan import ColumnPlan, Plan
    from lastro.model.schema import Primitive

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    folder = Path(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    columns = (ColumnPlan("a", "a", Primitive.STRING), ColumnPlan("b", "b", Primitive.STRING))
    try:
        DuckEngine().stage(Plan("d", "", columns), FileScan((Path(sys.argv[1]),), Csv()), folder, batch="b")
    except WriteFailed as error:
        print(error.code, len(list(folder.iterdir())))
"""


def test_a_full_disk_is_told_and_leaves_nothing(big: FileScan, tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    folder.mkdir()
    command = [sys.executable, "-c", textwrap.dedent(FULL), str(big.paths[0]), str(folder)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert found.stdout.split() == ["LST-0401", "0"], found.stderr
