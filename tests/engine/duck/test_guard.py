"""The guarded child: killed, stalled, orphaned, out of memory – and never a zombie, a hang or a file left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.duck.conftest import plan

from lastro.engine.duck import frames, guard, parsers
from lastro.engine.duck.engine import DuckEngine
from lastro.engine.duck.limits import Limits
from lastro.engine.scan import Csv, FileScan
from lastro.model.errors import LimitExceeded, WriteFailed

PARENTS: list[int] = []


@pytest.fixture(scope="module")
def nurseries() -> Iterator[list[parsers.Nursery]]:
    """The nurseries of these tests' own."""
    made: list[parsers.Nursery] = []
    yield made
    for each in made:
        each.end()


@pytest.fixture
def nursery(nurseries: list[parsers.Nursery]) -> parsers.Nursery:
    """One that lives: on a busy machine, an idle one may have gone."""
    if not (nurseries and nurseries[-1].lives):
        nurseries.append(parsers.Nursery(idle_s=3600))
    return nurseries[-1]


@pytest.fixture(autouse=True, params=["started", "born"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether the child is started for itself, or born in a nursery: nothing differs."""
    found = request.getfixturevalue("nursery") if request.param == "born" else None
    monkeypatch.setattr(parsers, "_nursery", lambda: found)
    PARENTS[:] = [os.getpid()] if found is None else [found.pid]
    return str(request.param)


def children() -> set[int]:
    """The processes whose parent is this one, or the nursery, zombies included."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) in PARENTS and "nursery" not in _command(folder):
            found.add(int(folder.name))
    return found


def _command(folder: Path) -> str:
    """The command of one of our own children that is a nursery; its children's is the same."""
    if [os.getpid()] != PARENTS:
        return ""
    try:
        return (folder / "cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


@pytest.fixture(autouse=True)
def none_left(tmp_path: Path, kind: str) -> object:
    before = children()
    yield
    until = time.monotonic() + 5
    while children() != before and time.monotonic() < until:
        time.sleep(0.01)
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

    class Kill:
        sealing = None

        def erased(self, batch: object) -> None:
            for pid in children() - before:
                os.kill(pid, how)

        def kept(self, batch: object) -> object:
            return batch

    with pytest.raises(LimitExceeded, match=how.name) as caught:
        engine.stage(plan("a", "b"), big, folder, batch="b", protect=Kill())
    assert caught.value.where.endswith("big.csv")
    assert not list(folder.iterdir())


def test_a_failing_parent_ends_its_child(engine: DuckEngine, big: FileScan, tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    folder.mkdir()

    class Fail:
        sealing = None

        def erased(self, batch: object) -> None:
            raise KeyboardInterrupt

        def kept(self, batch: object) -> object:
            return batch

    with pytest.raises(KeyboardInterrupt):
        engine.stage(plan("a", "b"), big, folder, batch="b", protect=Fail())
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
    from lastro.engine.duck import frames, guard, parsers
    from lastro.engine.duck.limits import Limits
    from lastro.engine.scan import Csv, FileScan

    if sys.argv[3] == "born":
        parsers.start().kill()
    with guard.guarded("stage", FileScan((Path(sys.argv[1]),), Csv()), Limits(), temp=Path(sys.argv[2])) as child:
        child.answer(frames.Described)
        print(child.pid, flush=True)
        time.sleep(60)
"""


def test_a_killed_parent_takes_its_child_along(tmp_path: Path, big: FileScan, kind: str) -> None:
    command = [sys.executable, "-c", textwrap.dedent(ORPHAN), str(big.paths[0]), str(tmp_path / "orphan"), kind]
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


def test_the_second_parser_comes_from_a_nursery(big: FileScan, tmp_path: Path) -> None:
    code = """
        import sys
        from lastro.engine.duck import parsers

        kinds = []
        for _each in range(3):
            parser = parsers.start()
            kinds.append(type(parser).__name__)
            parser.kill()
            assert parser.wait(timeout_s=10) < 0
        parsers._nurseries[0].end()
        parser = parsers.start()
        kinds.append(type(parser).__name__)
        parser.kill()
        print(*kinds)
    """

    said = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["Started", "Born", "Born", "Born"]


def test_a_nursery_that_died_costs_one_start(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = parsers.Nursery()
    lost.end()
    monkeypatch.setattr(parsers, "_nursery", lambda: lost)

    parser = parsers.start()
    assert isinstance(parser, parsers.Started)
    parser.kill()
    parser.input.close()
    parser.output.close()
    assert parser.wait() < 0


def test_children_that_end_at_once_are_told_apart(nursery: parsers.Nursery) -> None:
    born = [nursery.bear() for _each in range(8)]
    for parser in born:
        parser.input.close()
        parser.output.close()

    assert [parser.wait(timeout_s=20) for parser in born] == [0] * 8


def test_whoever_waits_twice_is_told_twice() -> None:
    parser = parsers.start()
    parser.kill()

    found = parser.wait(timeout_s=20), parser.wait(timeout_s=20)  # before its input ends, which would end it, too
    parser.input.close()
    parser.output.close()
    assert found == (-signal.SIGKILL, -signal.SIGKILL)
