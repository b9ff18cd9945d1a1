"""Files as a source: what is read, what is new, and what must not be believed."""

import gzip
import os
import socket

import pyarrow as pa
import pytest
from tests.source.conformance import *  # noqa: F403
from tests.source.conformance import World, take

from lastro.engine.scan import Csv, JsonLines, Parquet
from lastro.model import digest
from lastro.model.errors import ConfigurationError, SourceBroken, SourceChanged, SourceUnreachable
from lastro.model.version import Mode
from lastro.source import create
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
    with pytest.raises(SourceUnreachable, match="no file matches"):
        take(files(two, path))


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
        ({"path": "a.jsonl", "delimiter": ";"}, "is for CSV"),
        ({"path": "a.parquet.gz"}, "compressed"),
        ({"path": "a.csv", "format": "xlsx"}, "not one of those allowed"),
        ({"path": ""}, "path"),
        ({}, "path"),
    ],
)
def test_a_wrong_option_is_refused_with_its_repair(tmp_path, options, says):
    with pytest.raises(ConfigurationError) as caught:
        create({"kind": "files", **options}, base=tmp_path)
    assert says in str(caught.value)
    assert caught.value.do


def zstd(content):
    return pa.Codec("zstd").compress(content, asbytes=True)


@pytest.mark.parametrize(("ending", "pack"), [("", bytes), (".gz", gzip.compress), (".zst", zstd)])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'[{"a": 1}, {"a": 2}]', "one JSON array"),
        (b'\xef\xbb\xbf \n[\n{"a": 1}\n]', "one JSON array"),
        (b'{\n  "a": 1\n}\n', "several lines"),
    ],
)
def test_a_json_document_is_not_json_lines(tmp_path, ending, pack, content, says):
    write(tmp_path / f"a.json{ending}", pack(content))

    with pytest.raises(SourceBroken, match=says) as caught:
        take(files(tmp_path, f"a.json{ending}"))
    assert "jq -c" in caught.value.do


@pytest.mark.parametrize("content", [b'{"a": 1}\n{"a": 2}\n', b"", b"\x1f\x8b\x08\x00garbage"])
def test_what_is_not_plainly_an_array_is_left_to_the_engine(tmp_path, content):
    write(tmp_path / "a.jsonl", content)
    write(tmp_path / "b.jsonl.gz", content)

    assert names(files(tmp_path, "*.jsonl*")) == ["a.jsonl", "b.jsonl.gz"]


def test_a_cursor_of_another_kind_is_refused(two):
    with pytest.raises(SourceChanged, match="another kind"):
        take(files(two), {"of": "x", "last": 3})
