"""Names that Lastro makes from names that people gave."""

from __future__ import annotations

import re
from collections.abc import Container

from lastro.model.naming import plain, words

RULE_MAX = 63


def rule_name(text: str) -> str:
    """A rule's own name as one word: letters, digits, `_`, `-` and `.`, at most 63; empty if nothing is left."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", plain(text)).strip("_.-")[:RULE_MAX]


def snake(text: str) -> str:
    """The text as a lower-case name with underscores: `Renda Mensal (R$)` is `renda_mensal_r`; may be empty."""
    return "_".join(words(text))


def distinct(name: str, taken: Container[str]) -> str:
    """The name, or `name_2`, `name_3`, …: the first that is not taken."""
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
