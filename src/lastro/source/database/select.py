"""Queries that people write for their databases: one statement that selects, told without a parser of any dialect.

Rules:

1. The text begins with SELECT, WITH or VALUES.
2. Outside quotes and comments it has no `;` and its parentheses balance and never close more than was opened: it can
   stand in `SELECT * FROM (…)` without ending it.
3. That is a lock on the door, not the wall: the database itself is opened so that it refuses to write.
"""

from __future__ import annotations

import re

from lastro.model.errors import SqlRefused
from lastro.model.text import _

_BEGIN = re.compile(r"(select|with|values)\b", re.I)
_PIECE = re.compile(
    r"'[^']*'"  # a text; a doubled quote reads as two texts side by side
    r'|"[^"]*"'  # a name
    r"|(?<![\w$])\$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$"  # a text between dollars
    r"|--[^\r\n]*"
    r"|/\*(?:[^*/]|\*(?!/)|/(?!\*))*\*/"  # nested comments are not matched, for not every dialect nests them
    r"|[();'\"\\\x00]|/\*|\*/|\$\w*\$",
    re.S,
)


def quoted(name: str) -> str:
    """A name as SQL writes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def check_select(query: str, where: str) -> str:
    """The query, without a last `;`. Raises `SqlRefused`."""
    text = query.strip().removesuffix(";").rstrip()
    if not _BEGIN.match(_without_comments(text)):
        raise _refused(_("the query does not begin with SELECT or WITH"), where)
    depth = 0
    for piece in _PIECE.finditer(text):
        match piece[0]:
            case "(":
                depth += 1
            case ")":
                depth -= 1
            case other if _ends_early(other):
                raise _refused(_("the query is more than one statement, or a quote or comment is not plain"), where)
        if depth < 0:
            break
    if depth:
        raise _refused(_("the query's parentheses do not balance"), where)
    return text


def _ends_early(piece: str) -> bool:
    """True for what stands alone and should not, and for a backslash before a quote: dialects differ on its meaning."""
    return len(piece) == 1 or piece in ("/*", "*/") or piece.endswith("\\'") or bool(re.fullmatch(r"\$\w*\$", piece))


def _without_comments(text: str) -> str:
    return re.sub(r"^(\s|\(|--[^\n]*\n|/\*.*?\*/)+", "", text, flags=re.S)


def _refused(what: str, where: str) -> SqlRefused:
    return SqlRefused(what, where=where, do=_("write one SELECT"))
