"""What a source's own schema says of a column, beyond its Arrow type: metadata of the Arrow field."""

from __future__ import annotations

from collections.abc import Mapping

_KEY, _TEXT = b"lastro.declared", b"text"
TEXT: Mapping[bytes, bytes] = {_KEY: _TEXT}
"""The column is text by declaration: what looks like a number or a date in it, is not taken for one."""


def is_text(metadata: Mapping[bytes, bytes] | None) -> bool:
    """True for a field with such metadata."""
    return metadata is not None and metadata.get(_KEY) == _TEXT
