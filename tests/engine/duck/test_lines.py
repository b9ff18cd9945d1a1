"""Lines as records: every byte in its place, whatever the blocks, whatever the bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lastro.engine.duck.failure import Refused, refuse
from lastro.engine.duck.lines import LineReader
from lastro.engine.pattern import groups, unnamed
from lastro.engine.scan import Joining

PIECES = (b"a", b"b", b" ", b"\n", b"\n\n", b"\r\n", b"\r", "é".encode(), "\u2028".encode(), b"\xff", b"\0", b"\xc3")
contents = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)
Record = tuple[str, int, bool]


def records(
    content: bytes,
    *,
    size: int = 7,
    line_max: int = 1 << 20,
    begin: int = 0,
    joining: Joining | None = None,
    encoding: str = "utf-8",
) -> list[Record]:
    def blocks() -> Iterator[bytes]:
        return (content[start : start + size] for start in range(0, len(content), size))

    reader = LineReader(blocks, "a.log", line_bytes_max=line_max, begin=begin, joining=joining, encoding=encoding)
    table = reader.stream().read_all()
    table.validate(full=True)
    reader.finish()
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def shown(raw: bytes) -> tuple[str, bool]:
    """A record's bytes as the reader should give them, and whether they are broken."""
    plain = raw.removesuffix(b"\n").removesuffix(b"\r").replace(b"\r\n", b"\n")
    try:
        text = plain.decode()
    except UnicodeDecodeError:
        return plain.decode(errors="backslashreplace").replace("\0", "\\x00"), True
    return text.replace("\0", "\\x00"), "\0" in text


def parts(content: bytes, offsets: Sequence[int]) -> list[bytes]:
    return [content[start:end] for start, end in pairwise([*offsets, len(content)])]


def line_starts(content: bytes) -> list[int]:
    return [start for start in [0, *(found.end() for found in re.finditer(b"\n", content))] if start < len(content)]


@given(contents, st.integers(1, 9))
@example(b"\r", 1)
@example(b"a\r\n\r", 2)
def test_each_line_is_a_record_with_its_place(content: bytes, size: int) -> None:
    found = records(content, size=size)

    offsets = [offset for _text, offset, _broken in found]
    assert offsets == line_starts(content)
    assert [(text, broken) for text, _offset, broken in found] == [shown(raw) for raw in parts(content, offsets)]


@given(contents, st.integers(1, 9), st.booleans())
def test_lines_join_the_record_before_them(content: bytes, size: int, starts: bool) -> None:
    joining = Joining("^a" if starts else r"^\s|^$", starts)
    found = records(content, size=size, joining=joining)

    begins = re.compile(rb"a" if starts else rb"(?![\s]|\r?(?:\n|$))")
    expected = [start for start in line_starts(content) if start == 0 or begins.match(content, start)]
    offsets = [offset for _text, offset, _broken in found]
    assert offsets == expected
    assert [(text, broken) for text, _offset, broken in found] == [shown(raw) for raw in parts(content, offsets)]


@given(
    contents,
    st.integers(1, 9),
    st.integers(1, 6),
    st.sampled_from([None, Joining("^a", True, 4), Joining("^ ", False, 4)]),
)
@settings(max_examples=300)
def test_beyond_the_limits_every_byte_arrives_once_and_is_marked(
    content: bytes, size: int, line_max: int, joining: Joining | None
) -> None:
    found = records(content, size=size, line_max=line_max, joining=joining)

    offsets = [offset for _text, offset, _broken in found]
    assert offsets == sorted(set(offsets))
    assert offsets[:1] == ([0] if content else [])
    for (text, _offset, broken), raw in zip(found, parts(content, offsets), strict=True):
        assert broken or (text, False) == shown(raw)
        assert text in (shown(raw)[0], raw.decode(errors="backslashreplace").replace("\0", "\\x00"))


def test_a_byte_order_mark_is_no_text_at_the_start_of_a_file_only() -> None:
    content = "\ufeffa\n\ufeffb\n".encode()

    assert records(content, size=2) == [("a", 3, False), ("\ufeffb", 5, False)]
    assert records(content, begin=100)[0] == ("\ufeffa", 100, False)


def test_a_line_beyond_the_limit_comes_in_broken_pieces() -> None:
    found = records(b"ok\n" + b"x" * 25 + b"\nok\n", size=10, line_max=10)

    assert found[0] == ("ok", 0, False)
    assert found[-1] == ("ok", 29, False)
    assert "".join(text for text, _offset, broken in found if broken) == "x" * 25


def test_the_lines_of_a_record_beyond_its_limit_come_one_by_one() -> None:
    content = b"2026 start\n" + b" at x\n" * 400 + b"2027 next\n at y\n"
    found = records(content, size=64, joining=Joining("^[0-9]", True, 1_000))

    assert found[0] == ("2026 start", 0, True)
    assert [broken for _text, _offset, broken in found] == [True] * 401 + [False]
    assert found[-1] == ("2027 next\n at y", len(content) - 16, False)


def test_a_stream_that_breaks_says_why() -> None:
    def blocks() -> Iterator[bytes]:
        yield b"a\n"
        refuse("truncated", "a.log")

    reader = LineReader(blocks, "a.log", line_bytes_max=100)

    with pytest.raises(Exception, match="truncated"):
        reader.stream().read_all()
    with pytest.raises(Refused, match="truncated"):
        reader.finish()


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", ()),
        ("(a)(?:b)(?P<c>d)(?<e>f)", (None, "c", "e")),
        (r"\((?P<a>[()\](]+)\)", ("a",)),
        (r"[](](?P<a>x)[^](](?i)(?i:y)", ("a",)),
        (r"\Q(no)\E(?P<yes>x)\Q(", ("yes",)),
        ("[[:alpha:](](x)", (None,)),
        ("(?P<a b>x)(?P<a-1>y)", ("a b", "a-1")),
        ("[(", ()),
        ("\\", ()),
    ],
)
def test_groups_are_told_without_running_the_pattern(pattern: str, expected: tuple[str | None, ...]) -> None:
    assert groups(pattern) == expected


@given(st.text(r"()[]\?:P<>a^|*QE", max_size=30))
def test_groups_are_those_that_python_counts(pattern: str) -> None:
    try:
        known = re.compile(pattern)
    except (re.error, FutureWarning):
        groups(pattern)  # ends, whatever it says
        return
    if r"\Q" in pattern or "(?P=" in pattern or "[:" in pattern:  # what only one of the two knows
        return

    found = groups(pattern)
    assert len(found) == known.groups
    assert {name: index for index, name in enumerate(found, 1) if name} == dict(known.groupindex)


@given(st.text(r"()[]\?:P<>a^|*", max_size=30))
def test_without_names_a_pattern_has_the_same_groups(pattern: str) -> None:
    bare = unnamed(pattern)

    assert groups(bare) == (None,) * len(groups(pattern))
    assert unnamed(bare) == bare


@given(
    st.lists(st.sampled_from([b"a", b" ", b"\n", b"\r\n", b"\xe9", b"\x80", b"\xe9\xe3" * 5]), max_size=40).map(
        b"".join
    )
)
def test_text_of_a_byte_a_character_keeps_its_places(content: bytes) -> None:
    joining = Joining("^a", starts=True)
    for size, joined in ((1, None), (3, joining), (50, None), (50, joining)):
        found = records(content, size=size, joining=joined, begin=10, encoding="cp1252")

        offsets = [offset - 10 for _text, offset, _broken in found]
        expected = [shown(raw.decode("cp1252").encode()) for raw in parts(content, offsets)]
        assert [(text, broken) for text, _offset, broken in found] == expected


def test_a_byte_that_an_encoding_does_not_have_breaks_its_record() -> None:
    assert records(b"a\xe9\n\x81b\n\xe9\n", encoding="cp1252") == [
        ("a\u00e9", 0, False), ("\\x00b", 3, True), ("\u00e9", 6, False),
    ]  # fmt: skip
