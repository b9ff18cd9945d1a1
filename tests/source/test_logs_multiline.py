"""Which bytes at a log's end wait: never half a record is read, and what waits is read once another begins."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.duck.test_lines import records

from lastro.engine.scan import Joining
from lastro.model.errors import ConfigurationError
from lastro.source.logs.multiline import open_record

STARTS, CONTINUES = Joining("^a", starts=True), Joining(r"^\s", starts=False)
contents = st.lists(st.sampled_from([b"a", b"b", b" ", b"\n", b"\r\n", b"\xff", "é".encode()]), max_size=40).map(
    b"".join
)


@pytest.mark.parametrize(
    ("tail", "joining", "waits"),
    [
        (b"", STARTS, b""),
        (b"x", STARTS, b"x"),
        (b"x\n", STARTS, b"x\n"),
        (b"cut\na 1\n b\n", STARTS, b"a 1\n b\n"),
        (b"cut\na 1\n b\na 2\n", STARTS, b"a 2\n"),
        (b"cut\na 1\na 2", STARTS, b"a 1\na 2"),
        (b"a cut\n b\n c\n", STARTS, b"a cut\n b\n c\n"),
        (b"cut\nx\n y\n\xff\n z\n", CONTINUES, b"\xff\n z\n"),
    ],
)
def test_the_last_record_waits(tail: bytes, joining: Joining, waits: bytes) -> None:
    assert open_record(joining)(tail) == len(waits)


ACCENTED, SMALL = Joining("^É", starts=True), Joining("^é", starts=True)


@pytest.mark.parametrize(
    ("text", "encoding", "joining", "waits"),
    [
        ("cut\nÉ 1\n b\nÉ 2\n c\n", "latin-1", ACCENTED, "É 2\n c\n"),
        ("cut\nx\né y\nx 2\né z\n", "cp1252", Joining("^é", starts=False), "x 2\né z\n"),
        ("cut\nÉ 1\nÃ‰ 2\n", "cp1252", ACCENTED, "É 1\nÃ‰ 2\n"),
        ("cut\nÉ 1\nÉ 2\n", "utf-8", ACCENTED, "É 2\n"),
    ],
)
def test_what_begins_a_record_is_judged_by_its_text(text: str, encoding: str, joining: Joining, waits: str) -> None:
    """`Ã‰` in cp1252 is `É` to those who take it for UTF-8."""
    assert open_record(joining, encoding=encoding)(text.encode(encoding)) == len(waits.encode(encoding))


def test_a_broken_byte_changes_nothing_for_other_lines() -> None:
    assert open_record(ACCENTED)(b"cut\n" + "É 1\n".encode() + b"\xff\n" + "É 2\n".encode()) == len("É 2\n".encode())


def test_a_record_beyond_its_limit_waits_no_longer() -> None:
    joining = Joining("^a", starts=True, bytes_max=1_000)

    assert open_record(joining)(b" x\n" * 400 + b"rest") == len(b"rest")


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no regular expression"):
        open_record(Joining("(", starts=True))(b"a\nb\n")


@given(contents, st.lists(st.integers(0, 120), max_size=5), st.sampled_from([STARTS, CONTINUES, SMALL]))
def test_a_log_read_while_it_grows_gives_the_records_of_the_whole(
    content: bytes, moments: list[int], joining: Joining
) -> None:
    unfinished, read = open_record(joining), [0]
    for length in sorted(moments):
        there = content[:length]
        tail = there[read[-1] :]
        read.append(read[-1] + len(tail) - unfinished(tail))
    read.append(len(content))

    found = [
        record for begin, end in pairwise(read) for record in records(content[begin:end], begin=begin, joining=joining)
    ]
    assert found == records(content, joining=joining)
