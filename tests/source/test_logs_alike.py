"""Short logs that begin with the same few lines, without times: no line is lost, and what may be doubled is told."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from tests.source.rotating import Follower

from lastro.model.errors import SourceChanged
from lastro.source.logs.birth import born_ns

BANNER = "service 1.2 starting\nlistening on port 8080\n"
TIMED = "2026-01-31 10:00:00 up\n2026-01-31 10:00:07 ready\n"
OTHER = "service 1.2 stopping\n"


@pytest.fixture
def follower(tmp_path: Path) -> Follower:
    return Follower(tmp_path, path="app*log*")


def read(follower: Follower) -> str:
    """The lines that are new, as text."""
    before = len(follower.lines)
    follower.catch_up()
    return "".join(f"{line.decode()}\n" for line in follower.lines[before:])


def recreate(path: Path, text: str) -> None:
    """Deletes a file and makes another, whose inode is another's or not."""
    path.unlink()
    path.write_text(text)


def rest(*paths: Path) -> None:
    """Two minutes go by."""
    for path in paths:
        os.utime(path, ns=(path.stat().st_mtime_ns - 120 * 10**9,) * 2)


def needs_births(path: Path) -> None:
    """Skips where the system does not tell when a file was made: an inode that is used again then looks the same."""
    probe = path / "probe"
    probe.touch()
    known = born_ns(probe, probe.stat().st_ino)
    probe.unlink()
    if not known:
        pytest.skip("the file system does not tell when a file was made")


@pytest.mark.parametrize("rest_of_it", ["", OTHER])
def test_the_next_day_begins_with_the_same_banner(tmp_path: Path, follower: Follower, rest_of_it: str) -> None:
    (tmp_path / "app-2026-01-01.log").write_text(BANNER)
    first = read(follower)
    (tmp_path / "app-2026-01-02.log").write_text(BANNER + rest_of_it)

    assert (first, read(follower)) == (BANNER, BANNER + rest_of_it)


@pytest.mark.parametrize("rest_of_it", ["", OTHER])
def test_the_next_day_after_the_first_has_ended(tmp_path: Path, follower: Follower, rest_of_it: str) -> None:
    one, two, three = (tmp_path / f"app-2026-01-0{day}.log" for day in (1, 2, 3))
    one.write_text(BANNER)
    two.write_text("a\n")
    rest(one)
    first = read(follower)
    three.write_text(BANNER + rest_of_it)

    assert (first, read(follower)) == (BANNER + "a\n", BANNER + rest_of_it)


def test_two_days_that_hold_the_same_from_the_first(tmp_path: Path, follower: Follower) -> None:
    for day in (1, 2):
        (tmp_path / f"app-2026-01-0{day}.log").write_text(BANNER)

    assert read(follower) == BANNER * 2
    assert follower.notes == [
        "app-2026-01-02.log and app-2026-01-01.log begin with the same 44 bytes, too few to tell whether one is a "
        "copy: each is read as a log of its own"
    ]


@pytest.mark.parametrize("name", ["app.2.log", "pods/b/app.log"])
def test_another_worker_begins_with_the_same_lines(tmp_path: Path, name: str) -> None:
    follower = Follower(tmp_path, path="**/*.log")
    (tmp_path / "pods" / "b").mkdir(parents=True)
    (tmp_path / "app.1.log").write_text(BANNER)
    first = read(follower)
    (tmp_path / name).write_text(BANNER)

    assert (first, read(follower)) == (BANNER, BANNER)


@pytest.mark.parametrize("rest_of_it", ["", OTHER])
def test_a_path_that_is_made_again_is_read_again_and_told(tmp_path: Path, follower: Follower, rest_of_it: str) -> None:
    needs_births(tmp_path)
    log = tmp_path / "app.log"
    log.write_text(BANNER)
    read(follower)
    recreate(log, BANNER + rest_of_it)

    assert read(follower) == BANNER + rest_of_it
    assert follower.notes == [
        "app.log is another file than before and begins with the 44 bytes that were read, which are too few to tell "
        "whether it is the same log: it is read as a new one"
    ]
    assert read(follower) == ""


def test_a_path_that_is_made_again_with_the_same_times_goes_on(tmp_path: Path, follower: Follower) -> None:
    log = tmp_path / "app.log"
    log.write_text(TIMED)
    read(follower)
    recreate(log, TIMED + OTHER)

    assert read(follower) == OTHER
    assert follower.notes == []


def test_the_moment_of_a_build_in_a_banner_tells_nothing(tmp_path: Path, follower: Follower) -> None:
    needs_births(tmp_path)
    log = tmp_path / "app.log"
    log.write_text("built 2026-01-31 10:00:00\n")
    read(follower)
    recreate(log, "built 2026-01-31 10:00:00\n")

    assert read(follower) == "built 2026-01-31 10:00:00\n"


def test_doubt_can_be_refused(tmp_path: Path) -> None:
    needs_births(tmp_path)
    follower = Follower(tmp_path, path="app*log*", on_doubt="refuse")
    (tmp_path / "app.log").write_text(BANNER)
    read(follower)
    recreate(tmp_path / "app.log", BANNER)

    with pytest.raises(SourceChanged, match=r"LST-0303(?s:.*)is another file than before(?s:.*)on_doubt: note"):
        follower.step()
    assert follower.lines == BANNER.encode().split(b"\n")[:-1]


@pytest.mark.parametrize("rest_of_it", ["", OTHER])
def test_a_log_renamed_and_a_new_one_with_the_same_banner_are_two_without_doubt(
    tmp_path: Path, follower: Follower, rest_of_it: str
) -> None:
    (tmp_path / "app.log").write_text(BANNER)
    read(follower)
    (tmp_path / "app.log").rename(tmp_path / "app.log.1")
    (tmp_path / "app.log").write_text(BANNER + rest_of_it)

    assert read(follower) == BANNER + rest_of_it
    assert follower.notes == []


@pytest.mark.parametrize("keeps_time", [True, False])
def test_a_log_renamed_and_compressed_at_once(tmp_path: Path, follower: Follower, keeps_time: bool) -> None:
    log, packed = tmp_path / "app.log", tmp_path / "app.log.1.gz"
    log.write_text(BANNER)
    read(follower)
    packed.write_bytes(gzip.compress((BANNER + OTHER).encode()))
    if keeps_time:
        shutil.copystat(log, packed)
    log.unlink()
    log.write_text(BANNER)

    assert read(follower) == OTHER + BANNER
    assert follower.notes == []


@pytest.mark.parametrize(("name", "keeps_time"), [("app.log.1.gz", False), ("app.log.2.gz", True)])
def test_an_ended_log_that_is_compressed(tmp_path: Path, follower: Follower, name: str, keeps_time: bool) -> None:
    ended = tmp_path / "app.log.1"
    ended.write_text(BANNER)
    (tmp_path / "app.log").write_text("live\n")
    rest(ended)
    read(follower)
    (tmp_path / name).write_bytes(gzip.compress(BANNER.encode()))
    if keeps_time:
        shutil.copystat(ended, tmp_path / name)
    ended.unlink()

    assert read(follower) == ""
    assert follower.notes == []


def test_an_ended_log_restored_with_its_time_and_one_that_only_looks_like_it(
    tmp_path: Path, follower: Follower
) -> None:
    ended = tmp_path / "app.log.1"
    ended.write_text(BANNER)
    (tmp_path / "app.log").write_text("live\n")
    rest(ended)
    read(follower)
    shutil.copy2(ended, tmp_path / "kept")
    ended.unlink()
    (tmp_path / "app.log").write_text("live\nmore\n")
    read(follower)
    shutil.copy2(tmp_path / "kept", tmp_path / "app.log.5")
    restored = read(follower)
    shutil.copy(tmp_path / "kept", tmp_path / "app-20260101.log")

    assert (restored, read(follower)) == ("", BANNER)
    assert "app-20260101.log and" in follower.notes[-1]


def test_a_copy_before_its_original_is_cut_off_waits_and_is_told(tmp_path: Path, follower: Follower) -> None:
    log, copy = tmp_path / "app.log", tmp_path / "app.log.1"
    log.write_text(BANNER)
    first = read(follower)
    shutil.copyfile(log, copy)
    with log.open("a") as file:
        file.write(OTHER)
    meanwhile = read(follower)
    shutil.copyfile(log, copy)
    os.truncate(log, 0)
    with log.open("a") as file:
        file.write("new\n")

    assert (first, meanwhile, read(follower)) == (BANNER, OTHER, "new\n")
    assert follower.notes == [
        "app.log.1 waits for a minute: it may be a copy of app.log that is being made, and holds no more"
    ]


def test_an_ended_log_that_is_compressed_while_the_live_one_is_copied(tmp_path: Path, follower: Follower) -> None:
    log, ended, copy = tmp_path / "app.log", tmp_path / "app.log-20260101", tmp_path / "app.log-20260102"
    ended.write_text(BANNER)
    log.write_text(BANNER)
    rest(ended, log)
    first = read(follower)
    packed = tmp_path / "app.log-20260101.gz"
    packed.write_bytes(gzip.compress(BANNER.encode()))
    shutil.copystat(ended, packed)
    ended.unlink()
    shutil.copyfile(log, copy)
    os.truncate(log, 0)
    log.write_text(OTHER)

    assert (first, read(follower)) == (BANNER * 2, OTHER)


def test_a_copy_whose_original_was_not_cut_off_is_a_log_and_told(tmp_path: Path, follower: Follower) -> None:
    (tmp_path / "app.log").write_text(BANNER)
    read(follower)
    shutil.copyfile(tmp_path / "app.log", tmp_path / "app.log.1")
    soon = read(follower)
    rest(tmp_path / "app.log.1")

    assert (soon, read(follower)) == ("", BANNER)
    assert "app.log.1 and app.log begin with the same 44 bytes" in follower.notes[-1]


def test_a_deleted_log_of_which_only_a_banner_is_found_elsewhere_is_lost(tmp_path: Path, follower: Follower) -> None:
    (tmp_path / "app.log").write_text(BANNER)
    read(follower)
    (tmp_path / "app.log").unlink()
    (tmp_path / "app-other.log").write_text("x\n")
    read(follower)

    assert "app.log was read up to byte 44" in follower.notes[-1]


def test_what_concerns_many_files_is_told_once(tmp_path: Path, follower: Follower) -> None:
    for day in range(10, 20):
        (tmp_path / f"app-2026-01-{day}.log").write_text(BANNER)
    read(follower)

    (note,) = follower.notes
    assert note.endswith("; and so it is with 8 more")
    assert len(follower.lines) == 20


class Alike(RuleBasedStateMachine):
    """A service without clock that writes few different lines, and dated files beside its log. Time goes by when it is
    told to, for the service and for who follows it.
    """

    lines = st.lists(st.sampled_from(["starting", "ready", "working"]), min_size=1, max_size=3)

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.live = self.folder / "app.log"
        self.written: list[bytes] = []
        self.follower = Follower(self.folder, path="app*log*")
        self.day = self.number = self.ahead_ns = 0
        self.append(self.live, ["starting"])

    def now_ns(self, *, real: Callable[[], int] = time.time_ns) -> int:
        return real() + self.ahead_ns

    def append(self, path: Path, texts: list[str]) -> None:
        with path.open("ab") as file:
            for text in texts:
                file.write(text.encode() + b"\n")
                self.written.append(text.encode())
        self.touch(path)

    def touch(self, path: Path) -> None:
        """What was written just now says so."""
        os.utime(path, ns=(self.now_ns(), self.now_ns()))

    def rotated(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("app*-*") if path.suffix != ".gz")

    def next_name(self) -> Path:
        """Rotated files are numbered or dated; higher numbers are younger, so that none has to be moved."""
        self.number += 1
        return self.folder / f"app.log-{20260100 + self.number}"

    @rule(lines=lines)
    def write(self, lines: list[str]) -> None:
        self.append(self.live, lines)

    @rule(lines=lines)
    def write_a_new_day(self, lines: list[str]) -> None:
        self.day += 1
        self.append(self.folder / f"app-2026-02-{self.day:02}.log", lines)

    @precondition(lambda self: self.rotated())
    @rule(place=st.integers(0, 5))
    def pack(self, place: int) -> None:
        files = self.rotated()
        path = files[place % len(files)]
        packed = path.with_name(path.name + ".gz")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        shutil.copystat(path, packed)
        path.unlink()

    @rule()
    def age(self) -> None:
        self.ahead_ns += 120 * 10**9

    @rule(commit=st.booleans())
    def follow(self, commit: bool) -> None:
        with mock.patch.object(time, "time_ns", self.now_ns):
            self.follower.step(commit=commit)

    def catch_up(self) -> None:
        with mock.patch.object(time, "time_ns", self.now_ns):
            self.follower.catch_up()

    def teardown(self) -> None:
        self.catch_up()
        self.age()
        self.catch_up()
        missing, doubled = self.follower.wrong(self.written)
        notes = self.follower.notes
        shutil.rmtree(self.folder)
        assert missing == Counter()
        assert doubled == Counter() or self.may_double(notes)

    def may_double(self, notes: list[str]) -> bool:
        """Rotation by renaming never does."""
        return False


class Renamed(Alike):
    """Rotation by renaming."""

    @rule(lines=Alike.lines)
    def rename(self, lines: list[str]) -> None:
        self.live.rename(self.next_name())
        self.append(self.live, lines)


class Copied(Alike):
    """Rotation by copying and cutting off: of copies that hold the same, made between two readings, it cannot be told
    which one was read; it is told that it cannot.
    """

    @rule(lines=Alike.lines, looks=st.booleans())
    def copy_and_cut(self, lines: list[str], looks: bool) -> None:
        copy = self.next_name()
        shutil.copyfile(self.live, copy)
        self.touch(copy)
        if looks:
            self.follow(commit=True)
        os.truncate(self.live, 0)
        self.append(self.live, lines)

    def may_double(self, notes: list[str]) -> bool:
        return any("read as a" in note for note in notes)


class Replaced(Renamed, Copied):
    """Both, and files that are deleted and made again, restored or copied by hand: where it is in doubt, it is told."""

    @rule(lines=Alike.lines)
    def recreate(self, lines: list[str]) -> None:
        self.catch_up()  # what is deleted before it was read is lost
        self.live.unlink()
        self.append(self.live, lines)
        self.catch_up()  # nor can it be told if it is compressed meanwhile

    @precondition(lambda self: self.rotated())
    @rule(place=st.integers(0, 5), keeps_time=st.booleans())
    def restore(self, place: int, keeps_time: bool) -> None:
        files = self.rotated()
        self.remake(files[place % len(files)], keeps_time=keeps_time)

    @rule(keeps_time=st.booleans())
    def restore_live(self, keeps_time: bool) -> None:
        self.remake(self.live, keeps_time=keeps_time)

    @rule()
    def copy_by_hand(self) -> None:
        """A copy that is compressed, too, could not be told from a rotation; this one stays as it is."""
        self.number += 1
        copy = self.folder / f"app.log.{self.number}"
        shutil.copy(self.live, copy)
        self.touch(copy)

    def may_double(self, notes: list[str]) -> bool:
        return Copied.may_double(self, notes)

    def remake(self, path: Path, *, keeps_time: bool) -> None:
        restored = self.folder / "restored.tmp"
        shutil.copy2(path, restored)
        if not keeps_time:
            self.touch(restored)
        restored.replace(path)


TestRenamed, TestCopied = Renamed.TestCase, Copied.TestCase
TestRenamed.settings = TestCopied.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
if born_ns(Path(__file__), Path(__file__).stat().st_ino):
    TestReplaced = Replaced.TestCase
    TestReplaced.settings = TestRenamed.settings
