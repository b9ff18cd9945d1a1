"""Access logs: what each format's pattern takes from a line, by RE2 as engines use it and by Python alike."""

import re

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.source.conformance import *  # noqa: F403
from tests.source.conformance import World

from lastro.engine.scan import FileScan, LineColumn, Lines, Moments, Span
from lastro.model.errors import ConfigurationError
from lastro.model.version import Mode
from lastro.source import create
from lastro.source.logs.access import CLF_TIME, PATTERNS

PLAIN = '203.0.113.7 - ana [10/Oct/2026:13:55:36 -0300] "GET /loans?id=1 HTTP/1.1" 200 2326'
COMBINED = PLAIN + ' "https://example.org/" "Mozilla/5.0 (X11)"'


def fields(line, form="combined"):
    """What RE2 takes from a line, without what is missing; None if the line does not match. Python must agree."""
    pattern = PATTERNS[form]
    taken = pc.extract_regex(pa.array([line]), pattern)[0].as_py()
    found = re.match(pattern, line)
    assert (taken is None) == (found is None)
    if taken is None:
        return None
    re2 = {name: value for name, value in taken.items() if value}
    assert re2 == {name: value for name, value in found.groupdict().items() if value}
    return re2


@pytest.fixture
def world(tmp_path):
    (tmp_path / "access.log").write_text(f"{COMBINED}\n" * 3)
    return World(
        make=lambda: create({"kind": "logs", "path": "*.log"}, base=tmp_path),
        rows=3,
        change=lambda: (tmp_path / "later.log").write_text(f"{COMBINED}\n"),
        vanish=(tmp_path / "access.log").unlink,
        batched=lambda: create({"kind": "logs", "path": "*.log", "batch_bytes": 1}, base=tmp_path),
    )


def test_a_combined_line():
    assert fields(COMBINED) == {
        "host": "203.0.113.7",
        "user": "ana",
        "time": "10/Oct/2026:13:55:36 -0300",
        "method": "GET",
        "target": "/loans?id=1",
        "protocol": "HTTP/1.1",
        "status": "200",
        "size": "2326",
        "referer": "https://example.org/",
        "agent": "Mozilla/5.0 (X11)",
    }


def test_common_lines_are_read_by_both_formats():
    assert fields(PLAIN, "common") == fields(PLAIN, "combined")
    assert "agent" not in fields(PLAIN)
    assert fields(COMBINED, "common") is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('::1 - - [t] "GET / HTTP/2.0" 304 - "-" "-"', {"host": "::1", "target": "/", "protocol": "HTTP/2.0"}),
        ('2001:db8::a%eth0 id - [t] "-" 408 0 "" ""', {"host": "2001:db8::a%eth0", "ident": "id", "size": "0"}),
        (r'h - - [t] "GET /a\"b HTTP/1.1" 200 1 "-" "say \"hi\" \\"', {"agent": r"say \"hi\" \\"}),
        ('h - Ana Maria [t] "GET / HTTP/1.1" 200 1', {"user": "Ana Maria"}),
        (r'h - - [t] "\x16\x03\x01\x02" 400 226 "-" "-"', {"target": r"\x16\x03\x01\x02"}),
        ('h - - [t] "GET /a b c HTTP/1.1" 200 1', {"method": "GET", "target": "/a b c", "protocol": "HTTP/1.1"}),
        ('h - - [t] "GET /old" 200 1', {"method": "GET", "target": "/old"}),
        ('h - - [t] "" 400 0', {"status": "400"}),
        ('h - - [t] "VERSION-CONTROL /x HTTP/1.1" - -', {"method": "VERSION-CONTROL"}),
        ('h - -x [t] "GET /- HTTP/1.1" 200 1', {"user": "-x", "target": "/-"}),
        ('é - - [t] "GET /é HTTP/1.1" 200 1 "-" "😀"', {"host": "é", "agent": "😀"}),
    ],
)
def test_odd_lines_still_match(line, expected):
    found = fields(line)

    assert found is not None
    assert expected.items() <= found.items()
    assert "-" not in found.values()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "-",
        "garbage",
        'h - - [t] "GET / HTTP/1.1" 200',
        'h - - [t] "GET / HTTP/1.1" 200 1 "-" "-" more',
        'h - - [t] "GET "quoted" HTTP/1.1" 200 1',
        'h - - [t] "GET / HTTP/1.1" 20 1 "-" "-"',
        '\x00 - - t "GET / HTTP/1.1" 200 1',
    ],
)
def test_lines_that_are_something_else_do_not_match(line):
    assert fields(line) is None


quoted = st.text(st.sampled_from('ab /-"\\é:'), max_size=12).map(lambda text: re.sub(r'(["\\])', r"\\\1", text))


@given(referer=quoted, agent=quoted, target=st.text(st.sampled_from("/abc?=&%-é"), min_size=1, max_size=12))
def test_what_was_escaped_comes_back(referer, agent, target):
    found = fields(f'h - - [t] "PUT {target} HTTP/1.1" 200 1 "{referer}" "{agent}"')

    assert found["target"] == target
    assert found.get("referer", "") == ("" if referer == "-" else referer)
    assert found.get("agent", "") == ("" if agent == "-" else agent)


def test_the_scan_carries_the_pattern_and_how_times_are_written(tmp_path):
    (tmp_path / "a.log").write_text(COMBINED + "\n")
    source = create({"kind": "logs", "path": "a.log", "format": "combined"}, base=tmp_path)

    with source.open(None, Mode.APPEND) as opened:
        assert opened.scan == FileScan(
            (tmp_path / "a.log",),
            Lines(PATTERNS["combined"], usual="combined", moments=(Moments("time", CLF_TIME),)),
            (Span(0, len(COMBINED) + 1),),
        )


def test_a_pattern_of_ones_own(tmp_path):
    source = create({"kind": "logs", "path": "a.log", "format": {"pattern": "^(?P<level>[A-Z]+) .*"}}, base=tmp_path)

    assert source.format == Lines("^(?P<level>[A-Z]+) .*", (LineColumn("level", 1),))


@pytest.mark.parametrize(
    "form", ["combine", {"pattern": "no groups"}, {"pattern": "(?P<a>x)(?P<a>y)"}, {"patern": "(?P<a>x)"}, {}]
)
def test_a_wrong_format_is_refused(tmp_path, form):
    with pytest.raises(ConfigurationError, match=r"LST-0203"):
        create({"kind": "logs", "path": "a.log", "format": form}, base=tmp_path)
