"""Guessing a log's format from its first lines, and that what was guessed takes those lines."""

from __future__ import annotations

from typing import Any

import pytest
from tests.source.lines_taken import lines_of, taken

from lastro.source.logs.guess import guess

ACCESS = '10.0.0.1 - - [10/Oct/2026:13:55:36 -0300] "GET /x HTTP/1.1" 200 12'
KNOWN = {
    "json": ['{"a": 1}', ' {"b": {}} '],
    "combined": [ACCESS, f'{ACCESS} "-" "curl"'],
    "rfc3164": ["Jan  3 01:02:03 h kernel: x", "<34>Jan 31 01:02:03 h su[1]: y", "2026-01-31T13:55:36Z h app: z"],
    "rfc5424": ["<1>1 - - - - - -", '<1>1 2026-01-31T13:55:36Z h a 1 m [x y="z"] text'],
    "logfmt": ['level=info msg="a b" n=1', "level=warn n=2"],
    "nginx's error log": ["2026/01/31 13:55:36 [error] 12#3: *1 open() failed"],
    "Apache's error log": ["[Sat Jan 31 13:55:36.123456 2026] [core:error] [pid 12:tid 3] [client 1.2.3.4:5] AH0: x"],
    "Spring's log": ["2026-01-31 10:00:00.123  INFO 12 --- [  main] c.e.App   : started"],
    "Python's log": ["2026-01-31 10:00:00,123 - root - INFO - hi"],
    "Logback's log": ["2026-01-31 10:00:00.123 [main] WARN  c.e.App - hi"],
    "a time, a level and a message": ["2026-01-31T10:00:00Z ERROR boom", "[2026-01-31 10:00:00] [info] x"],
    "a time and a message": ["2026-01-31 10:00:00 boom", "2026-01-31T10:00:01 bang"],
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_format_is_told_from_its_lines(name: str) -> None:
    found = guess(KNOWN[name])

    assert (found.name, found.fitting, found.seen) == (name, len(KNOWN[name]), len(KNOWN[name]))
    assert None not in taken(lines_of(**found.options), *KNOWN[name], fields=fields_for(found.options))


def fields_for(options: Any) -> list[str]:
    return ["a", "level"] if options["format"] in ("json", "logfmt") else []


T = "2026-01-31 10:00:00"


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        (f"{T} [INFO ] started", "INFO", "started"),
        (f"{T} [ INFO] started", "INFO", "started"),
        (f"{T} [INFO ] [main] started", "INFO", "[main] started"),
        (f"{T} [INFO ]: started  ", "INFO", "started"),
        (f"{T} INFO  started ", "INFO", "started"),
        (f"{T} | INFO     | started", "INFO", "started"),
        (f"{T} - root    - INFO     - started ", "INFO", "started"),
        (f"{T},123 [main ] [WARN ] c.e.App  - started", "WARN", "started"),
        (f"{T},123 [WARN ] 12 --- [ main  ] c.e.App : started ", "WARN", "started"),
        ("2026/01/31 13:55:36 [warn ] 12#3: started ", "warn", "started"),
    ],
)
def test_blanks_that_fill_a_line_up_are_in_no_column(line: str, level: str, message: str) -> None:
    found = guess([line])

    (row,) = taken(lines_of(**found.options), line)
    assert row is not None
    assert (row["level"], row["message"]) == (level, message)
    assert not [value for value in row.values() if value != value.strip()]


def test_most_lines_decide() -> None:
    found = guess([ACCESS] * 20 + ["garbage"])

    assert (found.options, found.fitting, found.seen) == ({"format": "combined"}, 20, 21)


def test_lines_that_belong_to_a_record_are_joined() -> None:
    found = guess(
        [
            "2026-01-31 10:00:00,123 - root - ERROR - boom",
            "Traceback (most recent call last):",
            '  File "a.py", line 1, in f',
            "ValueError: x",
            "",
            "2026-01-31 10:00:01,123 - root - INFO - ok",
        ]
    )

    assert found.name == "Python's log"
    assert found.options["multiline"] == {"start": r"^\[?[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T ][0-9]{2}:[0-9]{2}"}
    assert (found.fitting, found.seen) == (2, 2)


@pytest.mark.parametrize("lines", [[], ["", "  "], ["hello world"], ["\\x00\\xff" * 50_000], ["="], ["{", "}"]])
def test_what_is_not_known_is_one_column(lines: list[str]) -> None:
    found = guess(lines)

    assert found.options == {"format": {"pattern": "^(?P<message>.+)$"}}
    assert found.fitting == 0
