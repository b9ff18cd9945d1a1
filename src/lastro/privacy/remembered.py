"""What the vault gave, remembered in memory: most rows of a batch are about people who were met before.

Rules:

1. It is bounded, all kinds together: where it is full, what was learnt first of the largest kind goes. A long value is
   not remembered.
2. It is as good as the vault was when it was asked; whoever holds it drops it when the vault changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TypeVar

FULL = 1_000_000
"""So many values of all kinds, and so many pairs of a value and a person: about 200 bytes each."""
_LENGTH_MAX = 200
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Remembered:
    """Tokens by the values that they stand for, and whose they are."""

    def __init__(self, *, full: int = FULL) -> None:
        self._full = full
        self._tokens: dict[tuple[str, bool], dict[str, str]] = {}
        self._belonging: dict[tuple[str, str], None] = {}

    def tokens(self, kind: str, values: Sequence[str], *, is_subject: bool) -> list[str | None]:
        """The token of each value of a kind, None for what is not remembered."""
        return list(map(self._tokens.get((kind, is_subject), {}).get, values))

    def learn(self, kind: str, tokens: Mapping[str, str], *, is_subject: bool) -> None:
        """Remembers tokens by value. `is_subject` says that they were given as names of persons."""
        known = self._tokens.setdefault((kind, is_subject), {})
        known.update((value, token) for value, token in tokens.items() if len(value) <= _LENGTH_MAX)
        if sum(map(len, self._tokens.values())) > self._full:
            largest = max(self._tokens, key=lambda shelf: len(self._tokens[shelf]))
            self._tokens[largest] = _newer_half(self._tokens[largest])

    def strangers(self, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those pairs of an entry's token and a person's that were not noted."""
        return set(pairs).difference(self._belonging)

    def note(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Remembers that entries belong to persons."""
        self._belonging.update(dict.fromkeys(pairs))
        if len(self._belonging) > self._full:
            self._belonging = _newer_half(self._belonging)


def _newer_half(known: dict[_Key, _Value]) -> dict[_Key, _Value]:
    return dict(islice(known.items(), len(known) // 2, None))
