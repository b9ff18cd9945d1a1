"""What follows a log knows of it: single cases, those that a random rotation seldom meets among them."""

from __future__ import annotations

import gzip
import json
import os
import shutil

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.source.rotating import Follower, Rotation, Service

from lastro.engine.scan import Span
from lastro.model.errors import SourceBroken, SourceChanged
from lastro.model.version import Mode
from lastro.source import create
from lastro.source.files.known import Bounds
from lastro.source.logs import names
from lastro.source.logs.content import EDGE_BYTES
from lastro.source.logs.following import LogFiles
from lastro.source.logs.marks import NO_STAMP, REMEMBERED, Entry, LogMark, read_marks, to_cursor
from lastro.source.options import write_cursor
from lastro.source.protocol import Unchanged

TIMED = "2026-01-31 10:00:00 1\n2026-01-31 10:00:07 2\n"
BANNER = b"".join(b"# a line that each file of this log begins with, %d\n" % number for number in range(100))


@pytest.fixture
def log(tmp_path):
    return tmp_path / "app.log"


@pytest.fixture
def rotation(tmp_path):
    return Rotation(tmp_path)


@pytest.fixture
def follower(tmp_path):
    return Follower(tmp_path)


def read(follower):
    """The lines that are new, as text."""
    before = len(follower.lines)
    follower.catch_up()
    return [line.decode() for line in follower.lines[before:]]


def test_only_what_was_added_is_read(log, follower):
    log.write_text("1\n2\n")
    first = read(follower)
    with log.open("a") as file:
        file.write("3\n")

    assert (first, read(follower)) == (["1", "2"], ["3"])


def test_a_last_line_without_its_newline_waits(log, follower):
    log.write_text("1\n2")
    first = read(follower)
    log.write_text("1\n2 and its end\n")

    assert (first, read(follower)) == (["1"], ["2 and its end"])


def test_a_rotated_log_that_rests_has_no_unfinished_line(log, rotation, follower):
    log.write_text("1\n2")
    read(follower)
    rotation.rename()
    log.write_text("3\n")
    soon = read(follower)
    rotation.age()

    assert (soon, read(follower)) == (["3"], ["2"])


def test_a_compressed_log_has_no_unfinished_line(tmp_path, follower):
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(b"1\n2"))

    assert read(follower) == ["1", "2"]


def test_cut_and_grown_to_the_same_size_with_the_same_beginning(log, follower):
    log.write_bytes(BANNER + b"old 1\n")
    read(follower)
    os.truncate(log, 0)
    with log.open("ab") as file:
        file.write(BANNER + b"new 1\n")

    assert read(follower)[-1] == "new 1"
    assert len(follower.lines) == 2 * 101


def test_a_renamed_log_and_a_new_one_that_begins_alike(log, rotation, follower):
    log.write_text("started\n")
    read(follower)
    rotation.rename()
    log.write_text("started\nand going on\n")

    assert read(follower) == ["started", "and going on"]


def test_a_renamed_log_that_went_on_and_a_new_one_that_begins_alike(log, rotation, follower):
    log.write_text("started\n")
    read(follower)
    rotation.rename()
    with (log.parent / "app.log.1").open("a") as file:
        file.write("stopped\n")
    log.write_text("started\nand going on\n")

    assert sorted(read(follower)) == ["and going on", "started", "stopped"]


def test_a_log_that_was_gone_and_is_back_is_not_read_again(log, rotation, follower):
    log.write_text(TIMED)
    read(follower)
    rotation.rename()
    rotation.age()
    log.write_text("3\n")
    read(follower)
    shutil.copy(log.parent / "app.log.1", log.parent / "kept")
    (log.parent / "app.log.1").unlink()
    with log.open("a") as file:
        file.write("4\n")
    read(follower)
    (log.parent / "kept").rename(log.parent / "app.log.7")

    assert read(follower) == []
    assert follower.notes == []


def test_a_log_given_back_by_a_backup_goes_on_where_it_was(log, rotation, follower):
    log.write_text(TIMED)
    read(follower)
    log.unlink()
    log.write_text(TIMED + "3\n")

    assert read(follower) == ["3"]
    assert follower.notes == []


def test_an_inode_that_is_used_again(log, follower, tmp_path):
    log.write_text("1\n2\n3\n")
    read(follower)
    inode = follower.cursor["logs"][0]["inode"]
    log.unlink()
    log.write_text("another beginning\n")
    follower.cursor["logs"][0]["inode"] = log.stat().st_ino  # whether the system does so or not

    assert read(follower) == ["another beginning"]
    assert inode > 0


def test_an_inode_that_a_copy_of_a_restored_log_got(log, rotation, follower, tmp_path):
    log.write_text(TIMED)
    read(follower)
    rotation.restore(log)
    with log.open("a") as file:
        file.write("3\n")
    rotation.copy(part=0.99)
    follower.cursor["logs"][0]["inode"] = (tmp_path / "app.log.1").stat().st_ino  # whether the system does so or not
    before = read(follower)
    rotation.truncate()
    log.write_text("4\n")

    assert (before, read(follower)) == (["3"], ["4"])


def test_a_rename_of_a_log_at_the_same_time_as_a_new_one_that_begins_alike(log, rotation, follower):
    log.write_text("started\n")
    read(follower)
    rotation.rename()
    log.write_text("started\nand going on\n")
    rotation.even()

    assert read(follower) == ["started", "and going on"]


def test_a_compressed_copy_is_continued_inside(log, rotation, follower, tmp_path):
    log.write_text("1\n2\n")
    read(follower)
    with log.open("a") as file:
        file.write("3\n4")
    rotation.rename()
    rotation.pack(tmp_path / "app.log.1")
    log.write_text("5\n")

    assert read(follower) == ["3", "4", "5"]


def test_zstd_is_unpacked(tmp_path, follower):
    (tmp_path / "app.log.1.zst").write_bytes(pa.compress(b"1\n2\n", codec="zstd", asbytes=True))

    assert read(follower) == ["1", "2"]


def test_gzip_of_several_members(tmp_path, log, follower):
    log.write_text("1\n2\n3\n")
    read(follower)
    log.unlink()
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(b"1\n2\n") + gzip.compress(b"3\n4\n"))

    assert read(follower) == ["4"]


def test_gzip_whose_last_member_is_as_long_as_what_was_read(tmp_path, log, follower):
    log.write_text("1\n2\n")
    read(follower)
    log.unlink()
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(b"1\n2\n") + gzip.compress(b"3\n4\n"))

    assert read(follower) == ["3", "4"]


@pytest.mark.parametrize(
    ("size", "ended"),
    [
        *((size, False) for size in (EDGE_BYTES - 10, EDGE_BYTES, EDGE_BYTES + 10, 3 * EDGE_BYTES)),
        *((size, True) for size in (EDGE_BYTES + 10, 3 * EDGE_BYTES)),
    ],
)
def test_a_gzip_member_is_no_log(tmp_path, log, rotation, follower, size, ended):
    first, second = (letter * 9 + b"\n" for letter in (b"1", b"2"))
    log.write_bytes(first * (size // 10))
    read(follower)
    if ended:
        rotation.rename()
        rotation.age()
        log.write_text("live\n")
        read(follower)
        log.unlink()
        log = tmp_path / "app.log.1"
    log.unlink()
    (tmp_path / "app.log.2.gz").write_bytes(gzip.compress(first * (size // 10)) + gzip.compress(second * (size // 10)))

    assert read(follower) == ["2" * 9] * (size // 10)


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("app.log", b"".join),
        ("app.log.2", b"".join),
        ("app.log.2.gz", lambda parts: gzip.compress(b"".join(parts))),
        ("app.log.2.gz", lambda parts: b"".join(gzip.compress(part) for part in parts)),
        ("app.log.2.zst", lambda parts: pa.compress(b"".join(parts), codec="zstd", asbytes=True)),
    ],
)
@pytest.mark.parametrize("rest", [b"", b"x" * len(BANNER) + b"more1\n"], ids=["", "and more"])
def test_a_log_that_begins_as_an_ended_one_and_ends_otherwise(tmp_path, log, rotation, follower, name, stored, rest):
    """Both begin with an edge of the same bytes, as logs with a long banner do, and one (or its last part) is as long
    as the other.
    """
    log.write_bytes(BANNER + b"old 1\n")
    read(follower)
    rotation.rename()
    rotation.age()
    log.write_text("live\n")
    read(follower)
    (tmp_path / "app.log.1").unlink()
    parts = [BANNER + b"new 1\n", *([rest] if rest else [])]
    (tmp_path / name).write_bytes(stored(parts))

    assert read(follower)[100:101] == ["new 1"]


@pytest.mark.parametrize("name", ["app.log.2.xz", "app.log.1.bz2"])
def test_a_compression_that_is_not_read_is_refused(tmp_path, follower, name):
    (tmp_path / name).write_bytes(b"whatever")

    with pytest.raises(SourceBroken, match="not read"):
        follower.step()


def test_a_file_that_is_still_compressed_waits_and_a_broken_one_is_refused(tmp_path, log, rotation, follower):
    log.write_text("1\n")
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(b"0\n" * 1_000)[:20])
    soon = read(follower)
    rotation.age()

    with pytest.raises(SourceBroken, match=r"app\.log\.1\.gz ends too early"):
        follower.step()
    assert soon == ["1"]


def test_a_log_deleted_before_it_was_read_is_told(log, follower):
    log.write_text("1\n2\n3 is not fin")
    read(follower)
    log.unlink()
    log.write_text("4\n")

    assert read(follower) == ["4"]
    assert follower.notes[1:] == ["app.log is gone before it was read to its end: at least 12 bytes are lost"]


def test_a_log_replaced_outside_the_path_is_told_once(log, rotation, tmp_path):
    follower = Follower(tmp_path, path="app.log")
    log.write_text("1\n2\n")
    read(follower)
    rotation.rename()
    log.write_text("3\n")
    read(follower)
    with log.open("a") as file:
        file.write("4\n")

    assert read(follower) == ["4"]
    assert len(follower.notes) == 1
    assert "app.log was read up to byte 4, and no file that app.log takes in" in follower.notes[0]


def test_a_loss_is_told_though_nothing_is_new(log, follower):
    log.write_text("1\n")
    read(follower)
    log.write_text("")

    with create(follower.options, base=follower.folder).open(follower.cursor, Mode.APPEND) as opened:
        assert isinstance(opened, Unchanged)
        assert "lines written after it may be lost" in opened.notes[0]


def test_a_loss_can_be_refused(log, tmp_path):
    follower = Follower(tmp_path, on_loss="refuse")
    log.write_text("1\n")
    read(follower)
    log.write_text("")

    with pytest.raises(SourceChanged, match=r"LST-0303(?s:.*)on_loss: note"):
        follower.step()


def test_growing_while_it_is_read_is_no_change(log, follower):
    log.write_text("1\n")

    def grow():
        with log.open("a") as file:
            file.write("2\n")

    follower.step(meanwhile=grow)

    assert (follower.lines, read(follower)) == ([b"1"], ["2"])


@pytest.mark.parametrize("what", ["replaced", "cut", "removed", "other content"])
def test_what_changes_while_it_is_read_is_not_committed(log, follower, what):
    log.write_text("1\n2\n")

    def change():
        match what:
            case "replaced":
                log.rename(log.parent / "elsewhere")
                log.write_text("1\n2\n")
            case "cut":
                os.truncate(log, 2)
            case "removed":
                log.unlink()
            case _:
                os.truncate(log, 0)
                with log.open("a") as file:
                    file.write("8\n9\n0\n")

    with (
        create(follower.options, base=follower.folder).open(None, Mode.APPEND) as opened,
        pytest.raises(SourceChanged, match="while it was read"),
    ):
        change()
        opened.watermark()


def test_a_large_log_is_cut_between_lines(log, tmp_path):
    log.write_bytes(b"".join(b"%d\n" % number for number in range(1, 1_000)) + b"x" * 500 + b"\nthe end\n")
    follower = Follower(tmp_path, batch_bytes=100)

    batches = 0
    while follower.step():
        batches += 1

    assert batches > 30
    assert [line.decode() for line in follower.lines[:999]] == [str(number) for number in range(1, 1_000)]
    assert follower.lines[999:] == [b"x" * 500, b"the end"]


def test_the_rest_of_a_log_comes_before_what_is_younger(log, tmp_path):
    (tmp_path / "app.log.1").write_bytes(b"a line of many\n" * 20)
    os.utime(tmp_path / "app.log.1", (1_700_000_000,) * 2)
    log.write_text("the youngest\n")
    follower = Follower(tmp_path, batch_bytes=100)

    follower.step()

    assert follower.more
    assert read(follower)[-1] == "the youngest"


def test_the_oldest_come_first(tmp_path):
    follower = Follower(tmp_path, batch_files=1)
    for age, name in enumerate(["app.log", "app.log.1", "app.log.2", "app.log-20260101", "app.log.10"]):
        (tmp_path / name).write_text(f"{name}\n")
        os.utime(tmp_path / name, (1_700_000_000 - 100 * age,) * 2)

    assert read(follower) == ["app.log.10", "app.log-20260101", "app.log.2", "app.log.1", "app.log"]


@given(st.permutations(["app.log.12.gz", "app.log.9.gz", "app.log.2", "app.log.1", "app.log"]))
def test_names_tell_the_age_where_times_do_not(shuffled):
    assert sorted(shuffled, key=names.age) == ["app.log.12.gz", "app.log.9.gz", "app.log.2", "app.log.1", "app.log"]


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("app.log", "app.log"),
        ("app.log.1", "app.log"),
        ("app.log.2.gz", "app.log"),
        ("app.1.log", "app.log"),
        ("app-20260131.log.zst", "app.log"),
        ("app.log-2026-01-31", "app.log"),
        ("app.log-20260131T1200Z", "app.log"),
        ("app.log.old", "app.log"),
        ("web1.log", "web1.log"),
        ("older.log", "older.log"),
        ("syslog", "syslog"),
        ("syslog.1", "syslog"),
    ],
)
def test_a_logs_own_name(name, own):
    assert names.own(name) == own
    assert names.is_bare(name) is (name == own)


def test_equal_files_of_different_logs_are_two(tmp_path):
    for name in ("web1.log", "web2.log"):
        (tmp_path / name).write_text("GET /health\n")

    assert read(Follower(tmp_path, path="*.log")) == ["GET /health"] * 2


def test_a_record_that_may_go_on_waits(log, tmp_path):
    """A hook like that of joined lines: a line that begins with a blank belongs to the one before."""

    def unfinished(tail: bytes) -> int:
        lines = tail[: tail.rfind(b"\n") + 1]
        start = len(lines)
        while start:
            start = lines.rfind(b"\n", 0, start - 1) + 1
            if start and lines[start : start + 1] != b" ":
                return len(tail) - start
        return len(tail)

    source = LogFiles("app.log*", tmp_path, create(Follower(tmp_path).options, base=tmp_path).format)
    source = LogFiles(source.path, tmp_path, source.format, bounds=Bounds(size=50_000), unfinished=unfinished)
    log.write_bytes(b"one\n at a\n at b\ntwo\n" + b" at c\n" * 30_000)

    with source.open(None, Mode.APPEND) as opened:
        assert opened.scan.spans == (Span(0, len("one\n at a\n at b\n")),)
        cursor = opened.watermark()
    with source.open(cursor, Mode.APPEND) as opened:
        assert isinstance(opened, Unchanged)
    with log.open("ab") as file:
        file.write(b"three\n")
    with source.open(cursor, Mode.APPEND) as opened:
        assert opened.scan.spans == (Span(16, log.stat().st_size - len("three\n")),)


def test_an_edge_is_all_that_is_read_of_a_log_with_nothing_new(log, follower, monkeypatch):
    log.write_bytes(b"%s\n" % (b"x" * 99) * 10_000)
    read(follower)
    asked = []
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda file, size, begin: asked.append(size) or pread(file, size, begin))

    assert not follower.step()
    assert sum(asked) <= 2 * EDGE_BYTES


def test_files_at_rest_are_not_opened(tmp_path, log, rotation, follower, monkeypatch):
    for number in range(1, 30):
        (tmp_path / f"app.log.{number}.gz").write_bytes(gzip.compress(b"%d\n" % number))
    log.write_text("live\n")
    rotation.age()
    read(follower)
    opened = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest: opened.append(str(path)) or real(path, *rest))

    assert read(follower) == []
    assert {path for path in opened if "app.log." in path} == set()


@pytest.mark.parametrize("mode", [Mode.OVERWRITE, Mode.UPSERT])
def test_the_other_modes_read_everything(log, follower, mode):
    log.write_text("1\n2")
    source = create(follower.options, base=follower.folder)

    with source.open(None, mode) as opened:
        assert opened.scan.spans == ()
        cursor = opened.watermark()
    with source.open(cursor, mode) as opened:
        assert isinstance(opened, Unchanged)


def test_a_cursor_of_append_does_not_bind_the_other_modes(log, follower):
    log.write_text("1\n2\n")
    read(follower)

    with create(follower.options, base=follower.folder).open(follower.cursor, Mode.UPSERT) as opened:
        assert opened.scan.paths == (log,)


def earlier(follower):
    """The cursor of one who read files whole, as before logs were followed."""
    with create({**follower.options, "kind": "files", "format": "jsonl"}, base=follower.folder).open(
        None, Mode.APPEND
    ) as opened:
        return json.loads(json.dumps(opened.watermark()))


def test_from_files_known_whole_to_logs_that_are_followed(tmp_path, log, rotation, follower):
    log.write_text("1\n2\n")
    (tmp_path / "app.log.1").write_text("0\n")
    (tmp_path / "app.log.2.gz").write_bytes(gzip.compress(b"-1\n"))
    follower.cursor = earlier(follower)
    nothing = read(follower)
    with log.open("a") as file:
        file.write("3\n")
    rotation.rename()
    rotation.pack(tmp_path / "app.log.2")
    log.write_text("4\n")

    assert (nothing, read(follower)) == ([], ["3", "4"])
    assert follower.cursor["follows"] == 2
    assert follower.notes == []


def test_a_replaced_file_that_was_known_whole_is_told(log, follower):
    log.write_text("1\n2\n")
    follower.cursor = earlier(follower)
    log.write_text("3\n")

    assert read(follower) == ["3"]
    assert "app.log was read up to byte 4" in follower.notes[0]


hexes = st.binary(min_size=10, max_size=10).map(bytes.hex)
sizes = st.integers(0, (1 << 48) - 1)
entries = st.builds(Entry, st.binary(min_size=8, max_size=8), sizes, hexes, hexes)
logs = st.builds(LogMark, st.text(max_size=9), sizes, hexes, hexes, sizes, sizes, sizes)


@given(st.lists(logs, max_size=5), st.lists(entries, max_size=5, unique_by=lambda entry: entry.offset))
def test_a_cursor_comes_back_as_it_was(marks, ended):
    cursor = json.loads(json.dumps(write_cursor(to_cursor(marks, ended))))

    found, left = read_marks(cursor, "app.log*")

    assert sorted(found, key=repr) == sorted(marks, key=repr)
    assert left == tuple(ended)


def test_the_oldest_of_many_that_are_gone_are_forgotten():
    gone = [Entry(NO_STAMP, number, "00" * 10, "00" * 10) for number in range(REMEMBERED + 3)]
    there = Entry(b"12345678", 7, "11" * 10, "00" * 10)

    _logs, left = read_marks(write_cursor(to_cursor([], [there, *gone])), "app.log*")

    assert left == (there, *gone[3:])


@pytest.mark.parametrize(
    "cursor",
    [
        {"follows": 3, "logs": []},
        {"follows": 2, "logs": [], "ended": "A" * 48},
        {"follows": 1, "logs": [{"name": "app.log"}]},
        {"follows": 1, "logs": [], "ended": "AAAA"},
        {"follows": 1, "logs": [], "ended": "%"},
    ],
)
@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.OVERWRITE])
def test_a_cursor_that_cannot_be_read_is_refused(log, follower, cursor, mode):
    log.write_text("1\n")

    with (
        pytest.raises(SourceChanged, match="LST-0303"),
        create(follower.options, base=follower.folder).open(cursor, mode),
    ):
        raise AssertionError("it was read")


def test_a_service_that_writes_on_after_its_log_was_renamed(tmp_path, rotation, follower):
    service = Service(tmp_path)
    service.write(2)
    read(follower)
    rotation.rename()
    service.write(2)
    between = read(follower)
    service.reopen()
    service.write(1)
    service.close()

    assert len(between) == 2
    assert len(read(follower)) == 1
    assert follower.wrong(service.written) == ({}, {})
