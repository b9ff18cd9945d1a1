"""Access logs cut at their quotes: never another answer than the pattern's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.source.lines_taken import lines_of, taken

from lastro.engine.duck import access

TIME = "10/Oct/2026:13:55:36 -0300"
COMMON = f'h - ana [{TIME}] "GET /x HTTP/1.1" 200 12'
COMBINED = f'{COMMON} "https://a" "curl/8 (x; y)"'
ODD = st.sampled_from(["", " ", '"', "\\", "[", "]", "-", "é", "\r", "  ", '" "', "] ", '\\"', "x"])
word = st.sampled_from(["-", "a", "", "-a", "a b", "[", "]", "é", "x]y", '"', "GET", "\\x22"])


@st.composite
def lines(draw: st.DrawFn) -> str:
    """Lines that are nearly right."""
    request = draw(
        st.sampled_from(["GET /x HTTP/1.1", "GET /x y HTTP/2", "-", "", "get /x HTTP/1.1", "G /- HTTP/1.10", "-X"])
    )
    time = draw(st.sampled_from([TIME, "t", "a b c", " ", "a  b", "a]b c"]))
    status = draw(st.sampled_from(["200", "-", "20", "2000", ""]))
    size = draw(st.sampled_from(["12", "-", "x", ""]))
    line = f'{draw(word)} {draw(word)} {draw(word)} [{time}] "{request}" {status} {size}'
    if draw(st.booleans()):
        line += f' "{draw(word)}" "{draw(word)}"'
    at = draw(st.integers(0, len(line)))
    return line[:at] + draw(ODD) + line[at:]


@settings(deadline=None, max_examples=60)
@given(st.lists(lines(), min_size=30, max_size=60))
@example([COMMON, COMBINED, COMBINED + " ", COMBINED.replace("curl", "-"), COMBINED.replace('"https://a"', '"-"'), ""])
@pytest.mark.parametrize("form", ["common", "combined"])
def test_what_is_cut_is_what_the_pattern_finds(form: str, given_lines: list[str]) -> None:
    kind = lines_of(format=form)

    assert taken(kind, *given_lines) == taken(replace(kind, usual=""), *given_lines)


def test_the_usual_lines_are_cut() -> None:
    import duckdb
    import pyarrow as pa

    from lastro.engine.duck.lines import SCHEMA

    table = pa.table([[COMMON, COMBINED, "x"], [0, 1, 2], [False] * 3], schema=SCHEMA)
    with duckdb.connect() as connection:
        connection.register("given", table)
        found = connection.sql(f"SELECT cut FROM ({access.cut('SELECT * FROM given', 'combined')})").fetchall()

    assert found == [(True,), (True,), (False,)]
