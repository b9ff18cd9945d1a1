"""Files as a source: what is read, what is new, and what must not be believed."""

import itertools
import json
import os
import socket
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins
from tests.source.conformance import *  # noqa: F403
from tests.source.conformance import World, take

from lastro.engine.scan import Csv, Excel, JsonLines, Parquet, Xml
from lastro.model import digest
from lastro.model.errors import ConfigurationError, MissingExtra, SourceBroken, SourceChanged, SourceUnreachable
from lastro.model.version import Mode
from lastro.source import create
from lastro.source.files import known, reading
from lastro.source.files.known import FileMark, Known, known_files
from lastro.source.options import write_cursor
from lastro.source.protocol import Unchanged

LONG_AGO = 1_700_000_000_000_000_000


def write(path, text, *, at=LONG_AGO):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(path, ns=(at, at))
    return path


def files(base, path="in/*.csv", **options):
    return create({"kind": "files", "path": path, **options}, base=base)


def names(source, cursor=None, mode=Mode.OVERWRITE):
    with source.open(cursor, mode) as opened:
        return [] if isinstance(opened, Unchanged) else [path.name for path in opened.scan.paths]


@pytest.fixture
def world(tmp_path):
    write(tmp_path / "in/a.csv", "1\n2\n")
    write(tmp_path / "in/b.csv", "3\n")
    return World(
        make=lambda: files(tmp_path, header=False),
        rows=3,
        change=lambda: write(tmp_path / "in/c.csv", "4\n"),
        vanish=lambda: [path.unlink() for path in (tmp_path / "in").iterdir()],
        batched=lambda: files(tmp_path, header=False, batch_files=1),
    )


@pytest.fixture
def two(tmp_path):
    write(tmp_path / "in/b.csv", "x\n1\n")
    write(tmp_path / "in/a.csv", "x\n2\n")
    return tmp_path


def test_files_come_sorted_with_their_digests_in_the_cursor(two):
    rows, cursor = take(files(two))

    assert names(files(two)) == ["a.csv", "b.csv"]
    assert [mark["path"] for mark in cursor["files"]] == ["in/a.csv", "in/b.csv"]
    assert cursor["files"][0] == {
        "path": "in/a.csv",
        "size": 4,
        "mtime_ns": LONG_AGO,
        "sha256": digest.of_bytes(b"x\n2\n"),
    }
    assert rows == 4


@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.OVERWRITE, Mode.UPSERT])
def test_equal_times_are_unchanged_without_reading(two, mode):
    _rows, cursor = take(files(two))
    (two / "in/a.csv").write_bytes(b"x\n3\n")  # as long as before: only reading would tell
    os.utime(two / "in/a.csv", ns=(LONG_AGO, LONG_AGO))

    assert isinstance(take(files(two), cursor, mode), Unchanged)


@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.OVERWRITE, Mode.UPSERT])
def test_a_copy_with_other_times_is_unchanged_by_its_digest(two, mode):
    _rows, cursor = take(files(two))
    os.utime(two / "in/a.csv", ns=(LONG_AGO + 5, LONG_AGO + 5))

    assert isinstance(take(files(two), cursor, mode), Unchanged)


def test_append_reads_only_files_never_seen_and_remembers_those_that_went(two):
    _rows, cursor = take(files(two), None, Mode.APPEND)
    (two / "in/a.csv").unlink()
    write(two / "in/c.csv", "x\n9\n")

    assert names(files(two), cursor, Mode.APPEND) == ["c.csv"]
    _rows, after = take(files(two), cursor, Mode.APPEND)
    assert [mark["path"] for mark in after["files"]] == ["in/a.csv", "in/b.csv", "in/c.csv"]
    write(two / "in/a.csv", "x\n2\n")
    assert isinstance(take(files(two), after, Mode.APPEND), Unchanged)


@pytest.mark.parametrize("text", ["x\n1\n7\n", "x\n8\n"], ids=["grown", "as long as before"])
def test_append_refuses_a_seen_file_that_is_another_now(two, text):
    _rows, cursor = take(files(two), None, Mode.APPEND)
    write(two / "in/b.csv", text, at=LONG_AGO + 5)

    with pytest.raises(SourceChanged, match=r"in/b\.csv") as caught:
        take(files(two), cursor, Mode.APPEND)
    assert "upsert" in caught.value.do


@pytest.mark.parametrize("mode", [Mode.OVERWRITE, Mode.UPSERT])
def test_everything_is_read_if_one_file_changed_came_or_went(two, mode):
    _rows, cursor = take(files(two))

    write(two / "in/b.csv", "x\n8\n", at=LONG_AGO + 5)
    assert names(files(two), cursor, mode) == ["a.csv", "b.csv"]
    write(two / "in/c.csv", "x\n8\n")
    assert names(files(two), cursor, mode) == ["a.csv", "b.csv", "c.csv"]
    (two / "in/b.csv").unlink()
    (two / "in/c.csv").unlink()
    assert names(files(two), cursor, mode) == ["a.csv"]


def test_other_reading_options_read_again_except_for_append(two):
    _rows, cursor = take(files(two))

    assert names(files(two, delimiter=";"), cursor, Mode.OVERWRITE) == ["a.csv", "b.csv"]
    assert isinstance(take(files(two, delimiter=";"), cursor, Mode.APPEND), Unchanged)


def test_a_file_just_written_is_compared_by_its_digest_next_time(two):
    (two / "in/a.csv").write_text("x\n5\n")
    _rows, cursor = take(files(two))

    assert cursor["files"][0]["mtime_ns"] == 0
    assert isinstance(take(files(two), cursor), Unchanged)


def grow(path):
    path.write_bytes(path.read_bytes() + b"3\n")


def replace(path):
    other = write(path.with_name("other"), path.read_bytes())
    os.replace(other, path)


def rewrite_with_the_same_times(path):
    path.write_bytes(b"x\n9\n")
    os.utime(path, ns=(LONG_AGO, LONG_AGO))


@pytest.mark.parametrize("harm", [grow, replace, rewrite_with_the_same_times, os.unlink])
def test_a_file_that_changes_while_it_is_read_has_no_watermark(two, harm):
    with files(two).open(None, Mode.OVERWRITE) as opened:
        opened.scan.paths[0].read_bytes()
        harm(two / "in/a.csv")

        with pytest.raises(SourceChanged, match=r"in/a\.csv"):
            opened.watermark()


def test_links_are_refused_by_name(two, tmp_path):
    (two / "in/link.csv").symlink_to("/etc/passwd")

    with pytest.raises(SourceUnreachable, match=r"link\.csv.*symbolic link"):
        take(files(two))
    with pytest.raises(SourceUnreachable, match="symbolic link"):
        take(files(two, "in/link.csv"))


def test_a_linked_folder_below_a_wildcard_is_refused_and_a_written_one_is_not(two):
    (two / "also").symlink_to("in")

    assert names(files(two, "also/*.csv")) == ["a.csv", "b.csv"]
    with pytest.raises(SourceUnreachable, match="symbolic link"):
        take(files(two, "*/a.csv"))


@pytest.mark.parametrize("path", ["nothing.csv", "in/*.zip.csv", "no/such/*.csv", "a\0b.csv"])
def test_no_match_is_unreachable(two, path):
    with pytest.raises(SourceUnreachable, match="no file matches") as refused:
        take(files(two, path))

    assert refused.value.where == str(two)


def test_a_socket_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("a.csv")

        with pytest.raises(SourceBroken, match="no regular file"):
            take(files(tmp_path, "a.csv"))


def test_names_with_odd_characters_are_files_like_others(tmp_path):
    for name in ("é 'x' \"y\".csv", "new\nline.csv", "[1].csv", "-r.csv"):
        write(tmp_path / "in" / name, "x\n1\n")

    assert len(names(files(tmp_path))) == 4


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("a.csv", Csv()),
        ("a.CSV.gz", Csv()),
        ("a.tsv.zst", Csv(delimiter="\t")),
        ("a.ndjson", JsonLines()),
        ("a.json", JsonLines()),
        ("x/*.parquet", Parquet()),
        ("a.XLSX", Excel()),
        ("a.ods", Excel()),
        ("a.xml.gz", Xml()),
    ],
)
def test_the_extension_tells_the_format(tmp_path, path, form):
    assert files(tmp_path, path).format == form


def test_csv_options_reach_the_engine(tmp_path):
    source = files(
        tmp_path,
        "a.data",
        format="csv",
        delimiter="|",
        quote="'",
        header=False,
        encoding="latin-1",
        null_texts=["", "NA"],
        skip=2,
        columns=["a", "b"],
    )

    assert source.format == Csv("|", "'", "'", False, "latin-1", ("", "NA"), 2, ("a", "b"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"path": "a.data"}, "format: csv"),
        ({"path": "a.csv", "delimeter": ";"}, "did you mean 'delimiter'"),
        ({"path": "a.csv", "delimiter": ";;"}, "one character"),
        ({"path": "a.csv", "quote": ","}, "other than the delimiter"),
        ({"path": "a.csv", "encoding": "utf-9"}, "no such encoding"),
        ({"path": "a.csv", "skip": -1}, "skip"),
        ({"path": "a.csv", "header": "yes"}, "header"),
        ({"path": "a.csv", "columns": ["a"]}, "header: false"),
        ({"path": "a.jsonl", "delimiter": ";"}, "delimiter is for csv"),
        ({"path": "a.parquet.gz"}, "compressed"),
        ({"path": "a.csv", "format": "xlsx"}, "not one of those allowed"),
        ({"path": "a.xlsx.gz"}, "compressed inside"),
        ({"path": "a.xlsx", "sheet": 0}, "a number from 1"),
        ({"path": "a.xlsx", "columns": ["a"]}, "header: false"),
        ({"path": "a.xlsx", "delimiter": ";"}, "delimiter is for csv, and this is excel"),
        ({"path": "a.xml", "sheet": "x"}, "sheet is for excel"),
        ({"path": "a.csv", "record": "a/b"}, "record is for xml"),
        ({"path": "a.csv", "batch_files": 0}, "batch_files"),
        ({"path": ""}, "path"),
        ({}, "path"),
    ],
)
def test_a_wrong_option_is_refused_with_its_repair(tmp_path, options, says):
    with pytest.raises(ConfigurationError) as caught:
        create({"kind": "files", **options}, base=tmp_path)
    assert says in str(caught.value)
    assert caught.value.do


def test_a_cursor_of_another_kind_is_refused(two):
    with pytest.raises(SourceChanged, match="another kind"):
        take(files(two), {"of": "x", "last": 3})


def test_options_of_workbooks_and_xml_reach_the_engine(tmp_path):
    options = {"sheet": "Jan", "header": False, "skip": 3, "columns": ["a"], "null_texts": ["-"], "fill_merged": True}

    assert files(tmp_path, "a.xlsx", **options).format == Excel("Jan", False, 3, ("a",), ("-",), True)
    assert files(tmp_path, "a.xml", record="shelf/book").format == Xml("shelf/book")


def test_without_its_library_a_workbook_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr("lastro.source.files.formats.find_spec", lambda name: None)

    with pytest.raises(MissingExtra) as caught:
        files(tmp_path, "a.xlsx")
    assert "lastro[excel]" in caught.value.do


# The memory of many files


def test_append_stops_at_a_bound_and_says_that_there_is_more(tmp_path):
    for index in range(10):
        write(tmp_path / f"in/{index}.csv", "x" * 10)
    cursor, seen, batches = None, [], []
    more = True
    while more:
        with files(tmp_path, batch_files=4, batch_bytes=35).open(cursor, Mode.APPEND) as opened:
            seen += [path.name for path in opened.scan.paths]
            batches.append(len(opened.scan.paths))
            cursor, more = json.loads(json.dumps(opened.watermark())), opened.more()

    assert seen == [f"{index}.csv" for index in range(10)]
    assert batches == [3, 3, 3, 1]
    assert len(names(files(tmp_path, batch_bytes=5), None, Mode.APPEND)) == 1
    assert len(names(files(tmp_path, batch_files=4))) == 10


def test_a_file_that_arrives_between_batches_is_not_lost(tmp_path):
    for name in "bcd":
        write(tmp_path / f"in/{name}.csv", "x")
    _rows, cursor = take(files(tmp_path, batch_files=2), None, Mode.APPEND)
    write(tmp_path / "in/a.csv", "x")

    assert names(files(tmp_path), cursor, Mode.APPEND) == ["a.csv", "d.csv"]


MARKS = st.lists(
    st.builds(FileMark, st.text(max_size=8), st.integers(0, 9), st.sampled_from([0, 1, 2]), st.sampled_from("abc")),
    max_size=30,
)


@dataclass(frozen=True)
class Now:
    name: str
    size: int
    mtime_ns: int
    sha256: str


@given(st.lists(MARKS, max_size=4), st.integers(0, 12))
def test_what_is_known_is_known_whether_in_detail_or_not(readings, detailed):
    told = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known, "DETAILED", detailed)
        memory = Known(None)
        for marks in readings:
            marks = list({mark.path: mark for mark in marks}.values())
            cursor = json.loads(json.dumps(write_cursor(memory.with_marks(marks, "r"))))
            memory = known_files(cursor, "files")
            told |= {mark.path: mark for mark in marks}
            assert len(cursor["files"]) <= max(detailed, 0)

    assert len(memory) == len(told)
    for path, mark in told.items():
        assert path in memory
        assert f"{path}!" not in memory or f"{path}!" in told
        for size, time, content in itertools.product((mark.size, 10), (mark.mtime_ns, 7, 0), (mark.sha256, "z")):
            same, _hashed = memory.equals(Now(path, size, time, content), lambda content=content: content)
            by_time = time != 0 and (size, time) == (mark.size, mark.mtime_ns)
            assert same == (by_time or (size, content) == (mark.size, mark.sha256))


def test_the_memory_of_a_hundred_thousand_files_is_small():
    marks = [
        FileMark(f"in/2026/01/{index:08d}.csv", index, LONG_AGO, digest.of_bytes(b"x")) for index in range(100_000)
    ]

    cursor = write_cursor(Known(None).with_marks(marks, "r"))

    size = len(json.dumps(cursor))
    assert size < 3_000_000
    assert size < len(json.dumps([to_builtins(mark) for mark in marks])) / 5
    assert len(known_files(cursor, "files")) == 100_000


@pytest.mark.parametrize("older", ["AAAA", "!", "é", "A" * 27])
def test_a_damaged_memory_is_refused(two, older):
    with pytest.raises(SourceChanged, match="cannot be read"):
        take(files(two), {"reading": "r", "files": [], "older": older})


def test_append_does_not_read_again_what_it_knows(two, monkeypatch):
    _rows, cursor = take(files(two), None, Mode.APPEND)
    write(two / "in/c.csv", "x\n9\n")
    hashed = []
    monkeypatch.setattr(reading.Hasher, "_hash", lambda self, path: hashed.append(path.name) or "sha256:0")

    _rows, after = take(files(two), cursor, Mode.APPEND)

    assert hashed == ["c.csv"]
    assert len(after["files"]) == 3


def test_a_touched_file_is_remembered_with_its_new_time(two):
    _rows, cursor = take(files(two), None, Mode.APPEND)
    os.utime(two / "in/a.csv", ns=(LONG_AGO + 5, LONG_AGO + 5))
    write(two / "in/c.csv", "x\n9\n")

    _rows, after = take(files(two), cursor, Mode.APPEND)

    assert [mark["mtime_ns"] for mark in after["files"]] == [LONG_AGO + 5, LONG_AGO, LONG_AGO]
