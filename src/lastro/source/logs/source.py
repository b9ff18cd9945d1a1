r"""Access logs of nginx and Apache, and lines of any other log by a pattern.

Rules:

1. `combined` is `host ident user [time] "request" status size "referer" "agent"`; without the last two it is `common`,
   which `combined` reads too: referer and agent are then missing.
2. `-` and an empty text mean that nothing was said: the group takes no part in the match, so the value is missing.
3. A quoted text may hold escaped quotes (`\"`); it is kept as it is written, escapes included.
4. A request is `method target protocol`. One that is not (a TLS greeting, a lone word) still matches: what cannot be
   told apart stands whole in `target`, and `method` and `protocol` are missing.
5. A line that does not match at all goes to the engine as it is, which sets it aside as malformed.
6. Files are found, told apart and followed by `following`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from lastro.engine.scan import Lines
from lastro.model.text import _
from lastro.source.logs.following import FollowOptions, LogFiles, followed
from lastro.source.options import read_options, wrong_option

TIME_FORMAT = "%d/%b/%Y:%H:%M:%S %z"
"""How nginx and Apache write the time, in strptime notation: `10/Oct/2026:13:55:36 -0300`."""

_TEXT = r'(?:[^"\\]|\\.)'
_REQUEST = (
    r'"(?:-|(?:(?P<method>[A-Z][A-Z-]*) )?'
    rf"(?P<target>{_TEXT}+?)?"
    r'(?: (?P<protocol>HTTP/[0-9](?:\.[0-9])?))?)"'
)
_COMMON = (
    r"^(?P<host>[^ ]+) (?:-|(?P<ident>[^ ]+)) (?:-|(?P<user>.+?)) \[(?P<time>[^\]]+)\] "
    rf"{_REQUEST} (?:-|(?P<status>[0-9]{{3}})) (?:-|(?P<size>[0-9]+))"
)
_LAST_TWO = rf' "(?:-|(?P<referer>{_TEXT}+)?)" "(?:-|(?P<agent>{_TEXT}+)?)"'
PATTERNS = {"common": rf"{_COMMON}\r?$", "combined": rf"{_COMMON}(?:{_LAST_TWO})?\r?$"}
"""The regular expressions (RE2 and Python alike) of the formats that have a name."""

_GROUP = re.compile(r"(?<!\\)\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>")


class LinePattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A format of one's own: a regular expression in RE2 syntax with one named group a column."""

    pattern: str


class LogsOptions(FollowOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the kind `logs`: where the files are, and `format`: combined, common or `{pattern: …}`."""

    format: Literal["combined", "common"] | LinePattern = "combined"


def logs_source(options: Mapping[str, Any], base: Path) -> LogFiles:  # Any: a person's YAML values
    """The source of kind `logs`. Raises `ConfigurationError`."""
    given = read_options(options, LogsOptions)
    if isinstance(given.format, str):
        named = Lines(PATTERNS[given.format])
        return followed(given, base, named, formats={"time": TIME_FORMAT})
    names = _GROUP.findall(given.format.pattern)
    if not names or len(set(names)) != len(names):
        raise wrong_option(
            given.kind,
            _("pattern: a regular expression with named groups, each name once"),
            do=_("write a group for each column: (?P<host>[^ ]+)"),
        )
    return followed(given, base, Lines(given.format.pattern))
