"""Bytes before parsing: surveyed, decompressed, decoded, their line ends made alike; and headers."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastro.engine.duck import feed, header
from lastro.engine.duck.failure import Refused
from lastro.engine.duck.survey import Surveyor, survey
from lastro.engine.scan import Csv

LINE_MAX = 1000


def refused(reason: str) -> pytest.RaisesContext[Refused]:
    return pytest.raises(Refused, match=f"^{reason}$")


def test_a_survey_names_the_line_of_a_nul_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" * 500_000 + b"1,\x002\n")

    with refused("nul") as caught:
        survey(path, LINE_MAX)
    assert caught.value.failure.line == 500_001


@pytest.mark.parametrize("size", [1, 3, 7, 999])
def test_a_survey_refuses_long_lines_across_blocks(size: int) -> None:
    text = b"short\n" * 5 + b"x" * (LINE_MAX + 1) + b"\nshort\n"
    surveyor = Surveyor("a.csv", LINE_MAX)

    with refused("line_long") as caught:
        for start in range(0, len(text), size):
            surveyor.look(text[start : start + size])
    assert caught.value.failure.line == 6


def test_a_survey_lets_a_line_of_the_limit_pass() -> None:
    surveyor = Surveyor("a.csv", LINE_MAX)
    surveyor.look(b"x" * LINE_MAX + b"\n")

    assert surveyor.report().size == LINE_MAX + 1


@pytest.mark.parametrize("size", [1, 10, 900])
def test_a_survey_refuses_a_quote_never_closed(size: int) -> None:
    text = b'a,b\n1,"x\n' + b"2,3\n" * LINE_MAX
    surveyor = Surveyor("a.csv", LINE_MAX, quote='"')

    with refused("quote_open") as caught:
        for start in range(0, len(text), size):
            surveyor.look(text[start : start + size])
        surveyor.look(b"end")
    assert caught.value.failure.line == 2


def test_a_survey_lets_a_quote_inside_a_value_pass() -> None:
    surveyor = Surveyor("a.csv", LINE_MAX, quote='"')
    surveyor.look(b'a,b\n1,5" pipe\n' + b"2,3\n" * LINE_MAX)
    surveyor.look(b"2,3\n" * LINE_MAX)

    assert surveyor.report().uniform


@settings(deadline=None)
@given(st.text("a\r\n", max_size=40), st.integers(1, 7))
def test_line_ends_are_uniform_only_if_all_are_alike(text: str, size: int) -> None:
    content = text.encode()
    surveyor = Surveyor("a.csv", LINE_MAX)
    for start in range(0, len(content), size):
        surveyor.look(content[start : start + size])
    pairs = text.count("\r\n")
    alike = "\r" not in text or pairs == text.count("\r") == text.count("\n")

    assert not surveyor.report().uniform or alike  # where it is not sure, it says no
    assert surveyor.report().uniform == alike or size < len(content)


@settings(deadline=None)
@given(
    st.lists(st.lists(st.text('a"\r\n,', max_size=6), min_size=2, max_size=3), max_size=5),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(1, 9),
)
def test_line_ends_become_alike_outside_quotes_only(records: list[list[str]], ends: str, size: int) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator=ends, quoting=csv.QUOTE_ALL).writerows(records)
    expected = io.StringIO(newline="")
    csv.writer(expected, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(records)
    content = written.getvalue().encode()
    normalise = feed.QuotedText('"', '"')
    made = b"".join(normalise(content[start : start + size]) for start in range(0, len(content), size)) + normalise(b"")

    assert made == expected.getvalue().encode()


@pytest.mark.parametrize("size", range(1, 12))
def test_line_ends_respect_a_backslash_as_escape(size: int) -> None:
    normalise = feed.QuotedText('"', "\\")
    text = b'1,"a\\"b\r\nc"\r\n2,"\\\\"\r\n3,x\r\n'
    made = b"".join(normalise(text[start : start + size]) for start in range(0, len(text), size)) + normalise(b"")

    assert made == b'1,"a\\"b\r\nc"\n2,"\\\\"\n3,x\n'


def test_a_carriage_return_alone_becomes_a_space_in_lines() -> None:
    normalise = feed.LineText()

    assert normalise(b'{"a":\r1}\r') + normalise(b"\nx\r") + normalise(b"") == b'{"a": 1}\nx '


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le", "cp850"])
def test_any_encoding_arrives_as_utf_8(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    text = "ação,é\n" * 200_000
    path.write_bytes(text.encode(encoding))

    assert b"".join(feed.blocks(path, encoding=encoding)).decode() == text


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a")

    with refused("encoding_unknown"):
        list(feed.blocks(path, encoding="klingon"))


def test_a_byte_that_the_encoding_lacks_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a\n\x81\n")

    with refused("encoding"):
        list(feed.blocks(path, encoding="cp1252"))


COMPRESSED = {
    ".gz": gzip.compress(b"a,b\n" * 300_000),
    ".zst": pa.Codec("zstd").compress(b"a,b\n" * 300_000, asbytes=True),
}


@pytest.mark.parametrize("ending", list(COMPRESSED))
def test_compressed_files_are_whole_or_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.csv{ending}"
    whole = COMPRESSED[ending]
    path.write_bytes(whole)

    assert b"".join(feed.blocks(path)) == b"a,b\n" * 300_000
    for cut in (whole[: len(whole) // 2], whole[:-2], whole[:20] + b"\xff\xff" + whole[22:], b"a,b\n"):
        path.write_bytes(cut)
        with refused("truncated"):
            list(feed.blocks(path))


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("a")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")

    for path, reason in [
        (tmp_path / "link.csv", "link"),
        (tmp_path, "link"),
        (Path("/dev/zero"), "link"),
        (tmp_path / "no", "missing"),
    ]:
        with refused(reason):
            feed.open_plain(path)


CELLS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1, max_size=8).filter(str.strip),
    min_size=1,
    max_size=6,
    unique_by=str.casefold,
)


@settings(deadline=None)
@given(
    CELLS,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.integers(1, 50),
)
def test_a_header_is_read_as_it_was_written(names: list[str], delimiter: str, quoting: int, size: int) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter, quoting=quoting, lineterminator="\r\n").writerow(names)
    content = written.getvalue().encode() + b"1,2\r\n"
    blocks = (content[start : start + size] for start in range(0, len(content), size))

    assert header.columns(blocks, Csv(delimiter=delimiter), 2000, "a.csv") == tuple(names)


@pytest.mark.parametrize(
    ("content", "reason", "numbers"),
    [
        (b"", "empty", (0, 0)),
        (b"\n", "empty", (0, 0)),
        (b"a,,c\n", "no_columns", (2, 0)),
        (b"a,b,\n", "no_columns", (3, 0)),
        (b"a,b,A\n", "same_name", (1, 3)),
        (b"a,b\0\n", "nul", (0, 0)),
        (b"a,\xff\n", "encoding", (0, 0)),
        (b",".join(b"c%d" % i for i in range(200_000)), "columns", (200_000, 2000)),
        (b'"' + b"x" * (header.HEADER_BYTES_MAX + 10), "header_long", (header.HEADER_BYTES_MAX, 0)),
    ],
    ids=["nothing", "blank", "no name", "no last name", "same name", "NUL", "not UTF-8", "200,000 columns", "endless"],
)
def test_a_bad_header_is_refused_by_position(content: bytes, reason: str, numbers: tuple[int, int]) -> None:
    blocks = [content[start : start + 65536] for start in range(0, len(content), 65536)]

    with refused(reason) as caught:
        header.columns(blocks, Csv(), 2000, "a.csv")
    assert (caught.value.failure.first, caught.value.failure.second) == numbers


def test_a_header_may_hold_line_ends_and_follow_other_lines() -> None:
    text = b'about\nmore\n"a\nb","c ""d"""\n1,2\n'

    assert header.columns([text], Csv(skip=2), 2000, "a.csv") == ("a\nb", 'c "d"')
    assert header.columns([text], Csv(skip=3, header=False), 2000, "a.csv") == ("column_1", "column_2")
