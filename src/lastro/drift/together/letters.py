"""Kinds of letters: which scripts and signs texts are made of.

Rules:

1. Each text has shares of kinds that add to 1, so that a long text weighs as much as a short one; an empty text is a
   kind of its own. Texts are looked at up to `LENGTH_MAX` letters.
2. A letter's kind follows from its Unicode category, and of letters from the script that its name begins with. Marks
   that stand alone, and Latin letters beyond ASCII, are accents.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from lastro.model.text import _

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LENGTH_MAX = 1_000


class Kind(StrEnum):
    """What a letter or sign is."""

    LATIN = "latin"
    ACCENTED = "accented"
    CYRILLIC = "cyrillic"
    GREEK = "greek"
    ARABIC = "arabic"
    HEBREW = "hebrew"
    EAST_ASIAN = "east_asian"
    OTHER_SCRIPT = "other_script"
    DIGIT = "digit"
    PUNCTUATION = "punctuation"
    SYMBOL = "symbol"
    EMOJI = "emoji"
    SPACE = "space"
    CONTROL = "control"
    DAMAGED = "damaged"
    EMPTY = "empty"


KINDS = tuple(Kind)
_PLACE = {kind: place for place, kind in enumerate(KINDS)}
_SCRIPTS = {
    "CYRILLIC": Kind.CYRILLIC,
    "GREEK": Kind.GREEK,
    "ARABIC": Kind.ARABIC,
    "HEBREW": Kind.HEBREW,
    **dict.fromkeys(("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "HALFWIDTH", "YI"), Kind.EAST_ASIAN),
}
_EMOJI = (range(0x1F000, 0x1FB00), range(0x2600, 0x27C0), range(0xFE00, 0xFE10))
_REPLACEMENT = "\ufffd"


def kind_of_letter(letter: str) -> Kind:
    """What one letter or sign is."""
    category = unicodedata.category(letter)
    if letter == _REPLACEMENT:
        return Kind.DAMAGED
    if letter.isspace():
        return Kind.SPACE
    if any(ord(letter) in block for block in _EMOJI) and category[0] in "SM":
        return Kind.EMOJI
    match category[0]:
        case "N":
            return Kind.DIGIT
        case "P":
            return Kind.PUNCTUATION
        case "S":
            return Kind.SYMBOL
        case "C":
            return Kind.CONTROL
        case "M":
            return Kind.ACCENTED
    script = unicodedata.name(letter, "").partition(" ")[0]
    if letter.isascii() or script == "FULLWIDTH":
        return Kind.LATIN
    return _SCRIPTS.get(script, Kind.ACCENTED if script == "LATIN" else Kind.OTHER_SCRIPT)


def shares(texts: list[str]) -> NDArray[np.float64]:
    """Of each text the shares of the kinds, in the order of `KINDS`."""
    import numpy as np

    cut = [text[:LENGTH_MAX] for text in texts]
    lengths = np.array([len(text) for text in cut], dtype=np.int64)
    letters = np.frombuffer("".join(cut).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    single, where = np.unique(letters, return_inverse=True)
    kinds = np.array([_place(int(letter)) for letter in single], dtype=np.int64)[where]
    rows = np.repeat(np.arange(len(cut)), lengths)
    counts = np.bincount(rows * len(KINDS) + kinds, minlength=len(cut) * len(KINDS)).reshape(len(cut), len(KINDS))
    counts[:, _PLACE[Kind.EMPTY]] = lengths == 0
    found: NDArray[np.float64] = counts / np.maximum(lengths, 1)[:, None]
    return found


def kind_text(kind: str) -> str:
    """A kind of letter as a person reads it."""
    names = {
        Kind.LATIN: _("plain Latin letters"),
        Kind.ACCENTED: _("accented letters"),
        Kind.CYRILLIC: _("Cyrillic letters"),
        Kind.GREEK: _("Greek letters"),
        Kind.ARABIC: _("Arabic letters"),
        Kind.HEBREW: _("Hebrew letters"),
        Kind.EAST_ASIAN: _("Chinese, Japanese and Korean characters"),
        Kind.OTHER_SCRIPT: _("letters of other scripts"),
        Kind.DIGIT: _("digits"),
        Kind.PUNCTUATION: _("punctuation"),
        Kind.SYMBOL: _("symbols"),
        Kind.EMOJI: _("emoji"),
        Kind.SPACE: _("spaces"),
        Kind.CONTROL: _("control characters"),
        Kind.DAMAGED: _("replacement characters of damaged text"),
        Kind.EMPTY: _("nothing at all (empty texts)"),
    }
    return names[Kind(kind)]


@lru_cache(maxsize=65_536)
def _place(letter: int) -> int:
    return _PLACE[kind_of_letter(chr(letter))]
