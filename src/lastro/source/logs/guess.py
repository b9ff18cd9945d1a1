"""Guessing how a log is written, from its first lines; for `lastro add`, never while reading.

Rules:

1. The formats are tried in the order of this list; the first that takes at least nine lines of ten is it, else the one
   that takes the most, if it takes half of them.
2. Lines that do not match and look like the rest of a record before them (they are indented, or begin a stack trace)
   are no lines of their own: a format with a moment at its start then joins them.
3. Where nothing fits, the whole line is one column, `message`.
4. Patterns run by RE2, over lines cut to a length.
5. Blanks that fill a level up to a width, and those at a line's end, belong to no column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lastro.model.text import _
from lastro.source.logs import access, syslog
from lastro.source.logs.grok import grok

LINE_CHARACTERS_MAX = 8_000
SURE, LIKELY = 0.9, 0.5
Options = Mapping[str, Any]  # Any: options of the source, as YAML has them
_REST = (
    r"^(?:\s|Caused by: |Traceback |During handling |\.\.\. [0-9]+ more|[A-Za-z_$][\w$.]*(?:Error|Exception)\b|at "
    "|#[0-9]+ |goroutine )"
)
_START = r"^\[?[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T ][0-9]{2}:[0-9]{2}"
_KEY, _VALUE = r'[^\s"=]+', r'(?:"(?:[^"\\]|\\.)*"|\S*)'
_TIME = "%{TIMESTAMP_ISO8601:time}"
_LEVEL = r"\[?\s*%{LOGLEVEL:level}\b\s*\]?"
"""A level, in brackets or not, on either side of which blanks may fill it up."""
_MESSAGE = r"%{DATA:message}\s*$"
_SLASHED = "(?P<time>%{YEAR}/%{MONTHNUM2}/%{MONTHDAY} %{TIME})"


@dataclass(frozen=True, slots=True)
class Guess:
    """The options that say how a log is written, what it is called, and how many of the lines that were seen fit it."""

    options: Options
    name: str
    fitting: int
    seen: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    name: str
    format: Any  # Any: the option `format`
    pattern: str
    start: str = ""
    """What begins a record, where records may span lines."""


def _named(name: str, pattern: str) -> _Candidate:
    return _Candidate(name, name, pattern)


def _grok(name: str, text: str, *, start: str = _START) -> _Candidate:
    return _Candidate(name, {"grok": text}, text, start)


_WHOLE = Guess({"format": {"pattern": "^(?P<message>.+)$"}}, "", 0, 0)


def _candidates() -> tuple[_Candidate, ...]:
    return (
        _named("json", r"^\s*\{.*\}\s*$"),
        _named("combined", access.PATTERNS["combined"]),
        _named("rfc5424", syslog.RFC5424.pattern),
        _named("rfc3164", rf"^(?:<[0-9]+>)?(?:{syslog.BSD}|{syslog.ISO}) [^ ]+ [^ :\[\]]+(?:\[[^\]]*\])?:(?: |$)"),
        _named("logfmt", rf"^\s*{_KEY}={_VALUE}(?:\s+{_KEY}={_VALUE})+\s*$"),
        _grok(
            _("nginx's error log"),
            rf"^{_SLASHED} \[%{{LOGLEVEL:level}}\s*\] %{{NONNEGINT:pid}}#%{{NONNEGINT:tid}}: {_MESSAGE}",
        ),
        _grok(
            _("Apache's error log"),
            r"^\[(?P<time>%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR})\] \[%{NOTSPACE:level}\](?: \[pid %{DATA:pid}\])?"
            rf"(?: \[client %{{DATA:client}}\])? {_MESSAGE}",
            start=r"^\[(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ",
        ),
        _grok(
            _("Spring's log"),
            rf"^{_TIME}\s+{_LEVEL} %{{NONNEGINT:pid}} --- \[\s*(?P<thread>[^\]]*?)\s*\] %{{NOTSPACE:logger}}"
            rf"\s*: {_MESSAGE}",
        ),
        _grok(_("Python's log"), rf"^{_TIME} - %{{NOTSPACE:logger}}\s+- {_LEVEL}\s+- {_MESSAGE}"),
        _grok(
            _("Logback's log"),
            rf"^{_TIME} \[(?P<thread>[^\]]+?)\s*\] {_LEVEL}\s+%{{NOTSPACE:logger}}\s+- {_MESSAGE}",
        ),
        _grok(
            _("a time, a level and a message"),
            rf"^\[?{_TIME}\]?[\s|]+{_LEVEL}[\s|:-]*{_MESSAGE}",
        ),
        _grok(_("a time and a message"), rf"^\[?{_TIME}\]?[\s|:-]+{_MESSAGE}"),
        _grok(_("a time and a message"), rf"^\[?{_SLASHED}\]?[\s|:-]+{_MESSAGE}"),
    )


def guess(lines: Sequence[str]) -> Guess:
    """How the lines are most likely written. `fitting` is 0 if no format is known that would fit."""
    import pyarrow as pa

    seen = pa.array([line[:LINE_CHARACTERS_MAX] for line in lines if line.strip()], pa.string())
    best: Guess | None = None
    for found in _tried(seen) if len(seen) else ():
        if found.fitting >= SURE * found.seen:
            return found
        if best is None or found.fitting > best.fitting:
            best = found
    if best is None or best.fitting < LIKELY * best.seen:
        return Guess(_WHOLE.options, _WHOLE.name, 0, len(seen))
    return best


def _tried(seen: Any) -> Iterator[Guess]:  # Any: a pyarrow array of lines
    import pyarrow.compute as pc

    rest = pc.match_substring_regex(seen, _REST)
    for candidate in _candidates():
        pattern = grok(candidate.pattern, {}).pattern if candidate.start else candidate.pattern
        fits = pc.match_substring_regex(seen, pattern)
        fitting = int(pc.sum(fits).as_py() or 0)
        joined = int(pc.sum(pc.and_(rest, pc.invert(fits))).as_py() or 0) if candidate.start and fitting else 0
        more = {"multiline": {"start": candidate.start}} if joined else {}
        yield Guess({"format": candidate.format, **more}, candidate.name, fitting, len(seen) - joined)
