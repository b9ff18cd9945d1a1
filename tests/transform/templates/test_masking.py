"""Masking: what is plainly variable is known by its kind, and nothing is lost, whatever a line holds."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.transform.templates.filling import fill
from lastro.transform.templates.masking import KINDS, TEXT_MAX, TOKENS_MAX, WILDCARD, mask

CASES = {
    "payment 4711 failed": ("payment <num> failed", ["4711"]),
    "took 2.1 s, 1,024 kB, -5, 1.5e-3": ("took <num> s, <num> kB, <num>, <num>", ["2.1", "1,024", "-5", "1.5e-3"]),
    "block blk_-1608999687919862906 done": ("block blk_<num> done", ["-1608999687919862906"]),
    "src: /10.250.19.102:54106": ("src: /<ip>:<num>", ["10.250.19.102", "54106"]),
    "from fe80::1 and ::1": ("from <ip> and <ip>", ["fe80::1", "::1"]),
    "link aa:bb:cc:dd:ee:ff up": ("link <mac> up", ["aa:bb:cc:dd:ee:ff"]),
    "mail to ana.souza@example.org.": ("mail to <email>.", ["ana.souza@example.org"]),
    "see https://example.org/a?b=1, then": ("see <url>, then", ["https://example.org/a?b=1"]),
    "open /var/log/app.log: denied": ("open <path>: denied", ["/var/log/app.log"]),
    r"open C:\data\x.csv failed": ("open <path> failed", [r"C:\data\x.csv"]),
    "id 550e8400-e29b-41d4-a716-446655440000": ("id <uuid>", ["550e8400-e29b-41d4-a716-446655440000"]),
    "at 0x7ffe, commit 4da6633f013a": ("at <hex>, commit <hex>", ["0x7ffe", "4da6633f013a"]),
    "2026-01-31T13:55:36.101Z start": ("<time> start", ["2026-01-31T13:55:36.101Z"]),
    "[31/Jan/2026:13:55:36 -0300] Jan 31 13:55:36": (
        "[<time>] <time>",
        ["31/Jan/2026:13:55:36 -0300", "Jan 31 13:55:36"],
    ),
    "waited 2h30m on node12": ("waited <id> on node<num>", ["2h30m", "12"]),
    "no file \"a b\" or 'c d'": ("no file \"<quoted>\" or '<quoted>'", ["a b", "c d"]),
    'say "a \\" b" now': ('say "<quoted>" now', ['a \\" b']),
    '{"user": "ana", "n": 3}': ('{"user": "<quoted>", "n": <num>}', ["ana", "3"]),
    "it can't be, don't": ("it can't be, don't", []),
    "std::string and/or HTTP/1.1": ("std::string and/or HTTP/<num>", ["1.1"]),
    "deface a facade": ("deface a facade", []),
    "first\nsecond 2": ("first<rest>", ["\nsecond 2"]),
    "": ("", []),
    "é 5 \x00 \N{ARABIC-INDIC DIGIT FIVE}": ("é <num> \x00 \N{ARABIC-INDIC DIGIT FIVE}", ["5"]),
}
PARTS = [
    *(f"<{kind}>" for kind in KINDS),
    '"',
    "'",
    "\\",
    "/",
    ":",
    ".",
    "-",
    "@",
    "<",
    ">",
    " ",
    "\n",
    "\t",
    "a",
    "7",
    "_",
]
HOSTILE = (
    '"',
    "'",
    "\\",
    '\\"',
    "/",
    ":",
    "a",
    "7",
    "a7",
    "-",
    ".",
    "@",
    "a.",
    "a@",
    "<num",
    " ",
    "7.",
    "/7",
    ":7",
    "\t",
    "f:",
)
LONG = f"""
from lastro.transform.templates.masking import TEXT_MAX, mask
for part in {HOSTILE!r}:
    for text in (part * 1_000_000, "x " + part * 1_000_000 + "\\n" + part):
        found = mask(text)
        assert len(found.text) < 8 * TEXT_MAX
"""


@pytest.mark.parametrize("message", CASES)
def test_what_varies_is_masked_by_its_kind(message: str) -> None:
    text, values = CASES[message]

    found = mask(message)

    assert (found.text, list(found.values)) == (text, values)


@given(st.text() | st.lists(st.sampled_from(PARTS)).map("".join))
def test_nothing_is_lost(message: str) -> None:
    found = mask(message)

    assert fill(found.text, found.values) == message


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_cannot_bring_a_wildcard_of_its_own(kind: str) -> None:
    message = f"holds <{kind}> and <<{kind}>>"

    found = mask(message)

    assert found.text == "holds <text> and <<text>>"
    assert list(found.values) == [f"<{kind}>"] * 2


def test_only_the_beginning_of_a_long_line_is_looked_at() -> None:
    wide, deep = mask("a" * 3 * TEXT_MAX), mask("word " * 3 * TOKENS_MAX)

    assert (wide.text, wide.values) == ("a" * TEXT_MAX + "<rest>", ("a" * 2 * TEXT_MAX,))
    assert deep.text == "word " * TOKENS_MAX + "<rest>"
    assert len(deep.values[0]) == len("word " * 2 * TOKENS_MAX)


def test_hostile_lines_of_megabytes_are_masked_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", LONG], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr


def test_every_pattern_names_a_kind() -> None:
    found = {kind for message, (text, _values) in CASES.items() for kind in WILDCARD.findall(text)}

    assert found | {"<text>", "<space>", "<*>"} == {f"<{kind}>" for kind in KINDS}
