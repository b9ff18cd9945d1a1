"""Whether an answer is all of what was asked for, or a part of it.

Rules:

1. `206`, and a `Content-Range` under any status, announce a part. A range from 0 to the last of a known total is all.
2. APIs count in their own unit, or in none, and some name it on every page (`items 0-24/3573`); bytes cut through it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_UNIT, _NUMBER = r"(?:([A-Za-z][A-Za-z0-9_-]{0,30})[ =]\s*)?", "([0-9]{1,18})"
_RANGE = re.compile(rf"{_UNIT}{_NUMBER}\s*-\s*{_NUMBER}\s*/\s*(?:{_NUMBER}|\*)")


@dataclass(frozen=True, slots=True)
class Part:
    """A part. `is_counted` is true if the server says which one, in a unit that is not bytes."""

    is_counted: bool


def part(status: int, headers: Mapping[str, str]) -> Part | None:
    """The part that an answer is; None if it is all. Names of headers are in lower case."""
    written = headers.get("content-range", "").strip()
    if status != 206 and not written:
        return None
    found = _RANGE.fullmatch(written)
    if found is None:
        return Part(is_counted=False)
    unit, first, last, total = found.groups()
    if total is not None and int(first) == 0 and int(last) + 1 == int(total):
        return None
    return Part(is_counted=(unit or "").lower() != "bytes")
