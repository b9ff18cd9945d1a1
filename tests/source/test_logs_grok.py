"""Grok: what expressions stand for, that each known pattern takes what its name says, and what is refused."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.source.lines_taken import lines_of, taken

from lastro.model.errors import ConfigurationError
from lastro.source.logs.grok import KNOWN, grok
from lastro.source.logs.shape import Broken

TAKES = {
    "USER": ["ana.maria-1", "x_y"],
    "EMAILADDRESS": ["ana+x@example.com.br"],
    "INT": ["-12", "+3", "0"],
    "NUMBER": ["1.5", "-.5", "12"],
    "BASE16NUM": ["0xDEADbeef", "ff"],
    "POSINT": ["12"],
    "WORD": ["abc_1"],
    "NOTSPACE": ["a;b"],
    "QS": ['"say \\"x\\""', "'x'", "`y`"],
    "UUID": ["123e4567-e89b-12d3-a456-426614174000"],
    "MAC": ["00:1A:2b:3c:4d:5e", "00-1A-2B-3C-4D-5E", "001a.2b3c.4d5e"],
    "IPV4": ["255.0.10.199"],
    "IPV6": [
        "::", "::1", "1::", "2001:db8::8a2e:370:7334", "2001:db8:85a3:0:0:8a2e:370:7334", "::ffff:10.0.0.1",
        "fe80::1:2:3:4:5:6", "1:2:3:4:5:6:7::", "64:ff9b::1.2.3.4",
    ],
    "IP": ["10.0.0.1", "::1"],
    "IPORHOST": ["example.com", "10.0.0.1", "h"],
    "HOSTPORT": ["example.com:80"],
    "PATH": ["/var/log/x-1.log", r"C:\x\y"],
    "URI": ["https://ana:x@example.com:8080/a/b?c=d&e[]=f", "ftp://h"],
    "URIPATHPARAM": ["/a/b?c=d"],
    "MONTH": ["Jan", "September"],
    "MONTHDAY": ["31", "1", "09"],
    "TIME": ["23:59:59.123", "1:02"],
    "TIMESTAMP_ISO8601": [
        "2026-01-31T13:55:36.123Z", "2026-01-31 13:55:36,123", "2026-01-31T13:55:36-03:00", "2026-01-31 13:55",
    ],
    "HTTPDATE": ["10/Oct/2026:13:55:36 -0300"],
    "SYSLOGTIMESTAMP": ["Jan  3 01:02:03", "Oct 11 22:14:15"],
    "DATESTAMP_RFC2822": ["Sat, 31 Jan 2026 13:55:36 -03:00"],
    "LOGLEVEL": ["INFO", "warning", "Err", "FATAL"],
    "JAVACLASS": ["org.example.App$Inner"],
}  # fmt: skip
REFUSES = {
    "IPV4": ["256.0.0.1", "1.2.3", "1.2.3.4.5"],
    "IPV6": ["1:2:3:4:5:6:7:8:9", ":", "12345::", "g::"],
    "POSINT": ["0", "-1"],
    "UUID": ["123e4567e89b12d3a456426614174000"],
    "MONTH": ["Janu", "Foo"],
    "MONTHDAY": ["32", "0"],
    "HTTPDATE": ["2026-01-31"],
    "INT": ["1.5", ""],
}


def matches(name: str, text: str) -> bool:
    pattern = grok("^%{" + name + ":x}$", {}).pattern
    return bool(pc.match_substring_regex(pa.array([text]), pattern)[0].as_py())


@pytest.mark.parametrize("name", TAKES)
def test_a_known_pattern_takes_what_its_name_says(name: str) -> None:
    assert [text for text in TAKES[name] if not matches(name, text)] == []


@pytest.mark.parametrize("name", REFUSES)
def test_a_known_pattern_takes_nothing_else(name: str) -> None:
    assert [text for text in REFUSES[name] if matches(name, text)] == []


@pytest.mark.parametrize("name", KNOWN)
def test_every_known_pattern_is_one_of_re2(name: str) -> None:
    assert matches(name, "\0") is False or name in ("DATA", "GREEDYDATA", "JAVALOGMESSAGE", "NOTSPACE")


def test_names_become_columns() -> None:
    kind = lines_of(
        format={
            "grok": "^%{IPORHOST:[client][ip]} %{WORD:verb} %{DATA:what's this} "
            "(?<rest>%{NUMBER:n:int}(ms)?) %{NUMBER:n}$"
        }
    )

    assert taken(kind, "10.0.0.1 GET a b 12ms 3") == [
        {"[client][ip]": "10.0.0.1", "verb": "GET", "what's this": "a b", "rest": "12ms", "n": "12", "n_2": "3"}
    ]


def test_patterns_of_one_s_own_come_first() -> None:
    form = {"grok": "^%{THING:x} %{INT:y}$", "patterns": {"THING": "<%{WORD}>", "INT": "[a-z]"}}

    assert taken(lines_of(format=form), "<a> b", "<a> 1") == [{"x": "<a>", "y": "b"}, None]


def test_a_common_access_log() -> None:
    line = '10.0.0.1 - ana [10/Oct/2026:13:55:36 -0300] "GET /x?y=1 HTTP/1.1" 200 - "http://a" "curl"'
    (found,) = taken(lines_of(format={"grok": "^%{COMBINEDAPACHELOG}$"}), line)

    assert found is not None
    assert {
        "client": "10.0.0.1",
        "auth": "ana",
        "verb": "GET",
        "request": "/x?y=1",
        "agent": '"curl"',
    }.items() <= found.items()
    assert lines_of(format={"grok": "%{HTTPDATE:at}"}).moments[0].column == "at"


def test_a_syslog_time_is_dated() -> None:
    kind = lines_of(format={"grok": "^%{SYSLOGBASE} %{GREEDYDATA:message}$"}, year=2024)

    assert taken(kind, "Jan  3 01:02:03 h sshd[12]: Failed") == [
        {"timestamp": "2024-01-03T01:02:03", "host": "h", "process": "sshd", "pid": "12", "message": "Failed"}
    ]


@pytest.mark.parametrize(
    ("text", "own", "what"),
    [
        ("%{A:x}", {"A": "%{A}"}, "A uses itself"),
        ("%{A:x}", {"A": "a%{B}", "B": "%{C}", "C": "(?:%{A})"}, "A uses itself"),
        ("%{A0:x}", {f"A{n}": f"%{{A{n + 1}}}" for n in range(50)} | {"A50": "x"}, "uses itself"),
        ("%{A0:x}", {f"A{n}": f"%{{A{n + 1}}}%{{A{n + 1}}}" for n in range(30)} | {"A30": "x" * 50}, "too long"),
        ("%{NOPE:x}", {}, "no pattern NOPE"),
        ("%{WORD}", {}, "names no column"),
        ("nothing", {}, "names no column"),
        ("[%{LOGLEVEL:level} ] %{GREEDYDATA:message}", {}, r"level stands between \[ and \]"),
        ("%{WORD:a}" * 501, {}, "more than 500"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_does_not_end_or_names_nothing_is_refused(text: str, own: dict[str, str], what: str) -> None:
    with pytest.raises(Broken, match=what):
        grok(text, own)
    with pytest.raises(ConfigurationError, match=what):
        lines_of(format={"grok": text, "patterns": own})
