"""Patterns: the same language in RE2 and in Python's (standing in for Java's) engine, and refusal of the rest."""

from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastro.engine.sql import regex
from lastro.model.errors import SqlRefused

GOOD = [
    "", "abc", "a|b|", "^a$", "[a-z]+", "[^a-z]", "[]a]", "[^]a]", "[a-]", "[-a]", "[[:alpha:]_]",
        r"\d{3}\.\d{2}", "(a(b)?)*",
    "(?:a|b){2,3}?", "(?P<n>a)(?<m>b)", "(?i)ab", r"\pL\p{Lu}\P{N}", r"\x41\x{1F600}", r"[\w.-]+@[\w.-]+",
        r"\bword\b", "a{,2}",
    "a{x}", r"[\]\[]", "[a&&b]", "[[]", r"\A\z", "é+", "[à-ü]", r"[\d-]", "a{1000}", r"\/", "#", " ", r"[\n\t]",
        "(|a)",
]  # fmt: skip
BAD = [
    "(", ")", "a)", "[", "[a", "*", "+a", "?", "a**", "a++", "a?+", "a{2}{3}", "a{1001}", "a{3,2}",
        "(a{100}){11}", r"\1", r"(a)\1",
    r"\k<n>", "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?>a)", "(?m)a", "(?s)a", "(?x)a", "(?i:a)", "(?-i)",
        "(?#c)", "(?P=n)",
    "(?P<n>a)(?P<n>b)", "(?P<1>a)", r"\C", r"\G", r"\Q", r"\E", r"\R", r"\X", r"\Z", r"\h", r"\u0041", r"\01",
        r"\x", r"\xg",
    r"\x{110000}", r"\x{D800}", r"\p{Greek}", r"\p{IsGreek}", r"\pQ", "\\", "[z-a]", r"[a-\d]", r"[\b]",
        r"[\p{Foo}]", "[[:foo:]]",
    "[[:^alpha:]]", "(?i)*", "{2}", "|*", "^*", "$?", "\\b+", "(*a)", "a" * 2001, "(" * 70 + ")" * 70,
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_good_patterns_are_patterns_of_both_engines(text: str) -> None:
    pattern = regex.read(text, where="rule")

    duckdb.connect().execute("SELECT regexp_full_match('x', $1)", [pattern.re2])
    assert pattern.java_whole.endswith(r")\z")


@pytest.mark.parametrize("text", BAD)
def test_what_the_engines_read_differently_is_refused(text: str) -> None:
    with pytest.raises(SqlRefused) as caught:
        regex.read(text, where="rule")

    assert caught.value.where == "rule"


def test_named_groups_are_told_with_their_numbers() -> None:
    pattern = regex.read(r"(a)(?P<host>\S+)(?:x)(?<bytes>\d+)", where="rule")

    assert pattern.groups == ("host", "bytes")
    assert pattern.indices == (2, 3)
    assert pattern.captures == 3


@pytest.mark.parametrize(
    ("text", "java"), [(r"\2-\1", "$2-$1"), ("$", r"\$"), (r"\\", r"\\"), ("x", "x"), (r"\0", "$0")]
)
def test_replacements_are_written_in_java_s_notation(text: str, java: str) -> None:
    assert regex.replacement(text, regex.read("(a)(b)", where="r"), where="r") == java


@pytest.mark.parametrize("text", [r"\3", "\\", r"\n"])
def test_replacements_of_groups_that_do_not_exist_are_refused(text: str) -> None:
    with pytest.raises(SqlRefused):
        regex.replacement(text, regex.read("(a)(b)", where="r"), where="r")


@settings(max_examples=400, deadline=None)
@given(st.text("ab1A-[](){}|?*+.^$\\dwsbpLx0,&é ", max_size=12), st.text("abA1é -[]\n", max_size=8))
def test_a_pattern_that_passes_matches_alike_as_written_and_as_regenerated(text: str, value: str) -> None:
    try:
        pattern = regex.read(text, where="rule")
    except SqlRefused:
        return
    found = duckdb.connect().execute("SELECT regexp_full_match($1, $2)", [value, pattern.re2]).fetchone()
    as_written = duckdb.connect().execute("SELECT regexp_full_match($1, $2)", [value, text]).fetchone()

    assert found == as_written
    if "\\p" not in pattern.re2 and "\\P" not in pattern.re2:
        assert found == (_python_matches(pattern.java, value),)


def _python_matches(java: str, value: str) -> bool:
    """Java's pattern in Python, which writes code points and the end of the text in another way."""
    text = re.sub(r"\\x\{([0-9A-F]+)\}", lambda found: f"\\U{int(found[1], 16):08x}", java.removeprefix("(?d)"))
    return re.fullmatch(text.replace(r"\z", r"\Z"), value, re.ASCII) is not None
