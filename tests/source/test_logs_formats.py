"""Formats of logs: what a server's own format string, a syslog or a line of values comes to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.source.lines_taken import lines_of, taken

from lastro.engine.scan import LineColumn, Lines, Moments
from lastro.model.errors import ConfigurationError
from lastro.source.logs import syslog
from lastro.source.logs.access import CLF_TIME

COMBINED = (
    '203.0.113.7 - ana [10/Oct/2026:13:55:36 -0300] "GET /loans?id=1 HTTP/1.1" 200 2326 '
    '"https://example.org/" "Mozilla/5.0 (X11)"'
)
NGINX = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)
APACHE = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"'
ODD = (
    r'h - - [10/Oct/2026:13:55:36 -0300] "GET /a\"b HTTP/1.1" 200 1 "-" "say \"hi\" \\"',
    r'h - - [10/Oct/2026:13:55:36 -0300] "\x16\x03\x01\x02" 400 226 "-" "-"',
    'h - Ana Maria [10/Oct/2026:13:55:36 -0300] "" 400 0 "" ""',
    '::1 - - [10/Oct/2026:13:55:36 -0300] "-" 408 - "-" "-"',
    'h - - [10/Oct/2026:13:55:36 -0300] "GET "x" HTTP/1.1" 200 1 "-" "-"',
    "garbage",
)


@pytest.mark.parametrize("form", [{"nginx": NGINX}, {"apache": APACHE}])
@pytest.mark.parametrize("line", [COMBINED, *ODD])
def test_a_server_s_own_words_for_combined_mean_combined(form: dict[str, str], line: str) -> None:
    assert taken(lines_of(format=form), line) == taken(lines_of(format="combined"), line)


def test_nginx_s_own_format() -> None:
    kind = lines_of(
        format={
            "nginx": "log_format timed escape=default '$remote_addr \"$request\" $status '\n"
            "    '$request_time ${upstream_response_time} [$time_iso8601]\\t\"$http_x_forwarded_for\" $host';"
        }
    )
    line = '10.0.0.1 "POST /x HTTP/2.0" 502 0.031 0.001, - : 0.02 [2026-01-31T13:55:36-03:00]\t"1.2.3.4, 5.6.7.8" a.org'

    assert taken(kind, line) == [
        {
            "host": "10.0.0.1",
            "method": "POST",
            "target": "/x",
            "protocol": "HTTP/2.0",
            "status": "502",
            "request_time": "0.031",
            "upstream_response_time": "0.001, - : 0.02",
            "time": "2026-01-31T13:55:36-03:00",
            "http_x_forwarded_for": "1.2.3.4, 5.6.7.8",
            "host_2": "a.org",
        }
    ]


def test_nginx_s_clock_is_told_to_whoever_looks() -> None:
    assert lines_of(format={"nginx": "$time_local $status"}).moments == (Moments("time", CLF_TIME),)
    assert lines_of(format={"nginx": "$msec $status"}).moments == (Moments("time", "epoch"),)
    assert taken(lines_of(format={"nginx": "$time_local $status"}), "10/Oct/2026:13:55:36 -0300 200") == [
        {"time": "10/Oct/2026:13:55:36 -0300", "status": "200"}
    ]


def test_apache_s_own_format() -> None:
    kind = lines_of(
        format={
            "apache": r'LogFormat "%v:%p %a %{%Y-%m-%d %T}t.%{msec_frac}t \"%m %U%q %H\" %s %>s %O %D %{ms}T '
            r'%{X-Request-Id}o %{session}C %!200{Referer}i 100%% %X" vhost'
        }
    )
    line = 'a.org:443 10.0.0.1 2026-01-31 13:55:36.042 "GET /x?a=1 HTTP/1.1" 200 304 512 1234 1 abc-1 - http://b 100% +'

    assert kind.moments[0] == Moments("time", "%Y-%m-%d %H:%M:%S")
    assert taken(kind, line) == [
        {
            "server": "a.org",
            "port": "443",
            "host": "10.0.0.1",
            "time": "2026-01-31 13:55:36",
            "msec_frac": "042",
            "method": "GET",
            "target": "/x",
            "query": "?a=1",
            "protocol": "HTTP/1.1",
            "status": "200",
            "status_2": "304",
            "bytes_out": "512",
            "time_us": "1234",
            "time_ms": "1",
            "out_x_request_id": "abc-1",
            "referer": "http://b",
            "connection": "+",
        }
    ]


@pytest.mark.parametrize(
    ("form", "what"),
    [
        ({"nginx": "no values"}, "names no values"),
        ({"nginx": ""}, "length >= 1"),
        ({"nginx": "$a$b"}, "touch: a and b"),
        ({"nginx": 'log_format x escape=json \'{"a": "$a"}\''}, "are JSON"),
        ({"apache": "%h %Z"}, "not known: %Z"),
        ({"apache": "%{%s}t"}, "not known: %s"),
        ({"apache": "50% %h"}, "not known"),
        ({"pattern": "(a)"}, "named groups"),
        ({"pattern": "(?P<a>x)(?P<A>y)"}, "twice"),
        ({"pattern": "x", "grok": "y"}, "one of pattern"),
        ({"patterns": {"A": "x"}}, "one of pattern"),
        ({}, "one of pattern"),
        ({"pairs": {"between": "ab"}}, "no letters"),
        ({"pairs": {"within": " "}}, "no letters"),
        ({"pairs": {"between": "=", "within": "="}}, "no letters"),
        ({"delimited": {"columns": []}}, "length >= 1"),
        ({"delimited": {"columns": ["a", "A"]}}, "twice"),
        ({"delimited": {"columns": ["a"], "delimiter": '"'}}, "quotes"),
    ],
)
def test_a_format_that_cannot_be_used_is_refused(form: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigurationError, match=what):
        lines_of(format=form)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"multiline": {}}, "either start or continues"),
        ({"multiline": {"start": "a", "continues": "b"}}, "either start or continues"),
        ({"multiline": {"start": "a", "bytes_max": 1}}, ">= 1000"),
        ({"zone": "America/Sampa"}, "no time zone"),
        ({"zone": "../../etc/passwd"}, "no time zone"),
        ({"year": 26}, ">= 1970"),
        ({"encoding": "utf-16"}, "each character is one byte"),
        ({"encoding": "shift_jis"}, "each character is one byte"),
        ({"encoding": "cp037"}, "each character is one byte"),
        ({"encoding": "zip"}, "each character is one byte"),
        ({"encoding": "no such"}, "each character is one byte"),
        ({"times": {"time": "%Y-%q"}}, "cannot be used"),
    ],
)
def test_options_that_say_nothing_are_refused(options: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigurationError, match=what):
        lines_of(**options)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "<34>Oct 11 22:14:15 mymachine su[230]: 'su root' failed",
            {
                "facility": "auth",
                "severity": "crit",
                "time": "2025-10-11T22:14:15",
                "host": "mymachine",
                "app": "su",
                "pid": "230",
                "message": "'su root' failed",
            },
        ),
        ("Jan  3 01:02:03 h kernel: [1.5] up", {"time": "2026-01-03T01:02:03", "app": "kernel", "message": "[1.5] up"}),
        ("Jan 31 01:02:03 h -- MARK --", {"host": "h", "message": "-- MARK --"}),
        ("2026-01-31T13:55:36.123456-03:00 h a/b[x]:", {"time": "2026-01-31T13:55:36.123456-03:00", "app": "a/b"}),
        ("<191>Jan 31 01:02:03 h CRON[1]: (root) CMD (a: b)", {"severity": "debug", "message": "(root) CMD (a: b)"}),
    ],
)
def test_lines_of_rfc_3164(line: str, expected: dict[str, str]) -> None:
    (found,) = taken(lines_of(format="rfc3164"), line)

    assert found is not None
    assert expected.items() <= found.items()


def test_lines_of_rfc_5424() -> None:
    found = taken(
        lines_of(format="rfc5424"),
        "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 "
        '[exampleSDID@32473 iut="3" eventSource="Appl \\"x\\""][b] \ufeffAn event',
        "<0>1 - - - - - -",
        '<1>1 - - - - - [a b="x\\]"]',
    )

    assert found == [
        {
            "facility": "local4",
            "severity": "notice",
            "time": "2003-10-11T22:14:15.003Z",
            "host": "mymachine.example.com",
            "app": "evntslog",
            "message_id": "ID47",
            "structured": '{"exampleSDID@32473":{"iut":"3","eventSource":"Appl \\"x\\""},"b":{}}',
            "message": "An event",
        },
        {"facility": "kern", "severity": "emerg"},
        {"facility": "kern", "severity": "alert", "structured": '{"a":{"b":"x]"}}'},
    ]


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("rfc3164", "<192>Jan 31 01:02:03 h a: b"),
        ("rfc3164", "<034>Jan 31 01:02:03 h a: b"),
        ("rfc3164", "Jan 3 01:02:03"),
        ("rfc5424", "<1>0 - - - - - -"),
        ("rfc5424", "<1>1 - - - - - [a b=x]"),
        ("rfc5424", "<1>1 yesterday - - - - -"),
        ("rfc5424", "1 - - - - - -"),
    ],
)
def test_lines_that_are_no_syslog_are_set_aside(form: str, line: str) -> None:
    assert taken(lines_of(format=form), line) == [None]


def test_delimited_values() -> None:
    kind = lines_of(format={"delimited": {"delimiter": ";", "columns": ["a", "b c", "d'e"], "missing": ["-", "NULL"]}})

    assert taken(kind, '1;"x; ""y""";-', "NULL;;", ";;-x", "1;2", "1;2;3;4", '1;"x;y') == [
        {"a": "1", "b c": 'x; "y"'},
        {},
        {"d'e": "-x"},
        None,
        None,
        None,
    ]


value = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=8)


@settings(deadline=None)
@given(st.lists(st.tuples(value, value, value), min_size=1, max_size=5))
def test_what_was_written_with_quotes_comes_back(rows: list[tuple[str, str, str]]) -> None:
    kind = lines_of(format={"delimited": {"columns": ["a", "b", "c"]}})
    lines = [",".join('"' + each.replace('"', '""') + '"' for each in row) for row in rows]

    found = taken(kind, *lines)

    assert found == [{name: each for name, each in zip("abc", row, strict=True) if each} for row in rows]


@settings(deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_.\-]{0,5}", fullmatch=True), value, min_size=1, max_size=4))
def test_pairs_that_were_written_come_back(pairs: dict[str, str]) -> None:
    line = " ".join(f"{key}={quoted(each)}" for key, each in pairs.items())

    (found,) = taken(lines_of(format="logfmt"), line, fields=list(pairs))

    assert found == {key: each for key, each in pairs.items() if each}


def quoted(text: str) -> str:
    """The value as logfmt writers do: bare where it can be."""
    bare = text.isascii() and text.isalnum()
    return text if bare else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_a_time_without_a_year_is_dated_where_its_format_says_so() -> None:
    kind = lines_of(format={"pattern": "^(?P<at>.{15}) (?P<x>.*)$"}, times={"at": "%b %d %H:%M:%S"}, year=2024)

    assert kind == Lines("^(?P<at>.{15}) (?P<x>.*)$", (LineColumn("at", 1, "dated"), LineColumn("x", 2)), year=2024)
    assert taken(kind, "Jan 31 13:55:36 y") == [{"at": "2024-01-31T13:55:36", "x": "y"}]


def test_the_priority_knows_every_facility() -> None:
    kind = syslog.RFC3164.lines()
    found = taken(kind, *(f"<{number}>Jan 31 01:02:03 h a: b" for number in range(192)))

    assert len({(row["facility"], row["severity"]) for row in found if row}) == 192


def test_injected_text_stays_in_its_value() -> None:
    agent = r"x\" 500 1 \"-\" \"evil"
    line = rf'h - - [10/Oct/2026:13:55:36 -0300] "GET / HTTP/1.1" 200 1 "-" "{agent}"'

    assert [row and (row["status"], row["agent"]) for row in taken(lines_of(), line)] == [("200", agent)]
    assert taken(lines_of(format="logfmt"), 'msg="a level=fatal" level=info', fields=["level"]) == [{"level": "info"}]


@pytest.mark.parametrize("name", ["latin-1", "cp1252", "iso-8859-15", "koi8-r", "cp850", "UTF8", "ascii"])
def test_encodings_of_a_byte_a_character_are_read(name: str) -> None:
    assert lines_of(encoding=name).encoding
