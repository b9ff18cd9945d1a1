"""What reaches a terminal, and how wide it is there."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lastro.report.cells import clean, cut, pad, width

HOSTILE = {
    "a title": ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
    "cleared screen": ("a\x1b[2Jb", "a\\x1b[2Jb"),
    "eight-bit control": ("a\x9b31mb", "a\\x9b31mb"),
    "line over line": ("good\rbad", "good\\rbad"),
    "a line of its own": ("a\nerror", "a\\nerror"),
    "backspaces": ("abc\b\b\b", "abc\\x08\\x08\\x08"),
    "right to left": ("txt.\u202eexe", "txt.\\u202eexe"),
    "invisible": ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
    "a tag character": ("a\U000e0041", "a\\U000e0041"),
    "a lone surrogate": ("a\udc80", "a\\udc80"),
    "line separator": ("a\u2028b", "a\\u2028b"),
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_controls_are_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize("text", ["João da Silva", "日本語", "Ω≈ç", "👍🏽", "e\u0301", "a\u00a0b", "'\"<&>"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_dangerous_survives(text: str) -> None:
    shown = clean(text)

    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert clean(shown) == shown


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2FFFF)).map(clean), st.integers(1, 40))
def test_cutting_never_exceeds_the_room(text: str, cells: int) -> None:
    short = cut(text, cells)

    assert width(short) <= cells
    assert short == text or short.endswith("…")
    assert text.startswith(short.removesuffix("…"))


@pytest.mark.parametrize("text", ["plain", "日本語のデータ", "São Paulo", "한국어", "Ａ１", "…", "█▌"])
def test_width_agrees_with_rich(text: str) -> None:
    assert width(text) == cell_len(text)


def test_marks_without_end_are_cut() -> None:
    assert len(cut("e" + "\u0301" * 100_000, 10)) < 50


def test_padding_aligns_wide_text() -> None:
    assert pad("日本", 6) == "日本  "
    assert pad("7", 3, right=True) == "  7"
