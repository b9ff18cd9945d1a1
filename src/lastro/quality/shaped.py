"""Shapes of texts as a pattern that a contract can hold.

Rules:

1. A digit of a shape is `[0-9]`, as often as it stands there; capitals are `[A-Z]+`; all else is itself.
2. There is no pattern for small or other letters and blanks, of which a shape does not say which they were, and none
   where a shape is nothing but capitals: it would promise little.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

_VAGUE = frozenset("a ")


def pattern_of(shapes: Sequence[str]) -> str | None:
    """The pattern of texts that have one of these shapes, in RE2's syntax; None by rule 2."""
    if not shapes or any(_VAGUE & set(shape) or not set(shape) - {"A"} for shape in shapes):
        return None
    patterns = ["".join(_part(sign, len(list(run))) for sign, run in groupby(shape)) for shape in sorted(shapes)]
    return patterns[0] if len(patterns) == 1 else f"(?:{'|'.join(patterns)})"


def _part(sign: str, times: int) -> str:
    if sign == "9":
        return f"[0-9]{{{times}}}"
    return "[A-Z]+" if sign == "A" else re.escape(sign) * times
