"""What a source's own schema says of its columns, beyond their Arrow types: of one by metadata of its Arrow field, of a
table by a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lastro.model.schema import Type

_KEY, _TEXT = b"lastro.declared", b"text"
TEXT: Mapping[bytes, bytes] = {_KEY: _TEXT}
"""The column is text by declaration: what looks like a number or a date in it, is not taken for one."""


def is_text(metadata: Mapping[bytes, bytes] | None) -> bool:
    """True for a field with such metadata."""
    return metadata is not None and metadata.get(_KEY) == _TEXT


@dataclass(frozen=True, slots=True)
class Declared:
    """What a table says of itself: its primary key, in order, and the types of columns that arrive without theirs."""

    key: tuple[str, ...] = ()
    types: Mapping[str, Type] = field(default_factory=dict)
