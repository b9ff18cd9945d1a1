"""The words that a name is made of."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[a-z0-9]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def plain(text: str) -> str:
    """The text without accents and without letters beyond ASCII."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def words(name: str) -> tuple[str, ...]:
    """The words in lower case, without accents: `rendaMensal (R$)` has `renda`, `mensal`, `r`."""
    return tuple(_WORD.findall(_HUMP.sub(" ", plain(name)).lower()))
