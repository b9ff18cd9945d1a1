"""Names of tables as people write them: parts with dots between, each of them in quotes if it holds a dot itself."""

from __future__ import annotations

import re

from lastro.model.errors import ConfigurationError
from lastro.model.text import _


def parts_of(table: str, *, quote: str, most: int) -> tuple[str, ...]:
    """The parts of a name, unquoted. Raises `ConfigurationError`.

    >>> parts_of('sales."a.b"', quote='"', most=2)
    ('sales', 'a.b')
    """
    part = re.compile(f"{quote}((?:[^{quote}]|{quote}{quote})+){quote}|([^{quote}.]+)")
    parts: list[str] = []
    at = 0
    while (found := part.match(table, at)) and "\0" not in table and len(parts) < most:
        parts.append(found[1].replace(quote * 2, quote) if found[1] else found[2].strip())
        at = found.end()
        if at == len(table) and all(parts):
            return tuple(parts)
        if table[at : at + 1] != ".":
            break
        at += 1
    raise ConfigurationError(
        _("{table} is not the name of a table").format(table=table[:80]),
        do=_("write its parts with dots between, and a part with a dot in quotes: {example}").format(
            example=f"schema.{quote}a.b{quote}"
        ),
    )
