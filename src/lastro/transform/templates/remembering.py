"""What is remembered of texts, within bounds: all of it is forgotten when it has grown too large."""

from __future__ import annotations

from typing import Generic, TypeVar

Found = TypeVar("Found")
SIZE_MAX = 32 << 20
ENTRY_SIZE = 256
"""What an entry takes beside its text, in characters; about."""


class Remembered(Generic[Found]):
    """What was found of each text, until it is forgotten."""

    def __init__(self) -> None:
        self._found: dict[str, Found] = {}
        self._size = 0

    def get(self, text: str) -> Found | None:
        """What was found, or None where nothing is known any more."""
        return self._found.get(text)

    def put(self, text: str, found: Found) -> None:
        """Remembers, and forgets all else if that is too much."""
        self._size += len(text) + ENTRY_SIZE
        if self._size > SIZE_MAX:
            self.forget()
            self._size = len(text) + ENTRY_SIZE
        self._found[text] = found

    def forget(self) -> None:
        """Forgets everything."""
        self._found.clear()
        self._size = 0
