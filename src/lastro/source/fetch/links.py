"""The `Link` header (RFC 8288, section 3): where the next page is.

Rules:

1. Names of parameters and relations are compared without regard to case; `rel` may hold several, apart by blanks. Of
   several `rel` the first counts.
2. Whatever stands between `<` and `>` is the target, be it with `;` or `,`.
3. What follows a part that is no link is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TARGET = re.compile(r"[\s,]*<([^>]*)>")
_PARAMETER = re.compile(r"""\s*;\s*([^\s=;,"<>]*)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?""")


def next_target(header: str) -> str | None:
    """The target of the first link whose relation is `next`; None if there is none."""
    return next((target for target, relations in _links(header) if "next" in relations), None)


def _links(header: str) -> Iterator[tuple[str, list[str]]]:
    place = 0
    while found := _TARGET.match(header, place):
        place = found.end()
        relations: list[str] | None = None
        while parameter := _PARAMETER.match(header, place):
            place = parameter.end()
            if relations is None and parameter[1].lower() == "rel":
                value = parameter[3] if parameter[2] is None else re.sub(r"\\(.)", r"\1", parameter[2])
                relations = (value or "").lower().split()
        yield found[1].strip(), relations or []
