"""Paths of files that may have encrypted columns: they carry the keys along, so that whoever reads the file finds them.

The keys themselves are never in the path: it knows whom to ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PosixPath
from typing import Any, Protocol


def can_be_encrypted(column: str) -> bool:
    """False for names that the list of encrypted columns cannot hold: with a comma, semicolon or colon in them, or a
    blank at an end.
    """
    return column == column.strip() and not set(column) & set(",;:")


class ColumnKeys(Protocol):
    """Who knows the keys of encrypted columns. `Any` are pyarrow's, which this module must not import."""

    def current(self) -> int:
        """The number of the key that new files are encrypted with, made if there is none."""
        ...

    def encryption(self, columns: Sequence[str], number: int) -> Any:  # Any: FileEncryptionProperties
        """How these columns of one file are written, under the key of this number."""
        ...

    def decryption(self) -> Any:  # Any: FileDecryptionProperties
        """How files with encrypted columns are read."""
        ...

    def fingerprint(self, content: bytes) -> str:
        """A digest of what a file says in clear, which tells nothing of it to those who have no key: `hmac-sha256:…`.
        It is the same under later keys.
        """
        ...


class KeyedPath(PosixPath):
    """A path with the keys of its file's encrypted columns, equal to the same path without them."""

    keys: ColumnKeys
    encrypted: tuple[str, ...] | None = None
    """The file's encrypted columns, once somebody looked; they never change."""
    clear: Any = None  # Any: what `engine.decrypted` keeps of the file while this path lives

    def __reduce__(self) -> tuple[Any, ...]:  # Any: how pickling puts it together again
        return keyed, (str(self), self.keys)


def keyed(path: Path | str, keys: ColumnKeys) -> KeyedPath:
    """The path of a file that may have columns encrypted under these keys."""
    found = KeyedPath(path)
    found.keys = keys
    return found
