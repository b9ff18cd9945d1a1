"""What a wrong encoding leaves behind in a text.

Rules:

1. U+FFFD, a byte order mark, and control characters other than tab and line ends.
2. UTF-8 that was read as Windows-1252 or Latin-1: `Ã` or `Â` before what the second byte of a letter becomes (`Ã£`,
   `Âº`), `â€` and `â‚¬` for quotes, dashes and the euro, `Ð` and `Ñ` before it for Cyrillic, `ðŸ`, `ï»¿`, `ï¿½`.
3. Where that second character is a mark that may well end a word after `Ã` – a closing quote, a dash, `®` – a letter
   must follow it: `“AMANHÃ”` is clean, `Ã”nibus` is not. A blank after `Ã` is clean, though it may have been `à`.
"""

from __future__ import annotations

from sqlglot import exp

from lastro.engine.sql.dialect import text

_CERTAIN = "ƒ„†‡ˆ‰Š‹ŒŽ‚€˜š™œžŸ¡¢£¤¥¦§¨©¬¯±²³´µ¶¸¹¼½¾¿ª°º\u00ad"
_PERHAPS = "“”‘’…–—•›»«·®™"
_CONTROLS = r"\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F"

FOUND = (
    rf"[{_CONTROLS}\x{{FFFD}}\x{{FEFF}}]"
    rf"|[ÃÂÐÑ](?:[{_CERTAIN}]|[{_PERHAPS}]\pL)"
    r"|â(?:€|‚¬|„¢|†|ˆ)|ðŸ|ï»¿|ï¿½"
)
"""What is looked for, as a regular expression."""


def is_there(value: exp.Expr) -> exp.Expr:
    """Whether a text holds any of it."""
    return exp.RegexpLike(this=value.copy(), expression=text(FOUND))
