"""Columns that may have been renamed: one is missing, a new one looks like it. Suggested, never assumed.

Rules:

1. Two names look alike if they have the same words, or letters that are six tenths the same, or share half their words.
2. A type that could not hold the old column's values, or numbers that lie wholly elsewhere, speak against it.
3. Where one column is missing and one is new, in the same place, its name need not look alike.
4. A new column is suggested for one missing column at most, the one most alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal as Number
from decimal import InvalidOperation
from difflib import SequenceMatcher

from lastro.model.naming import words
from lastro.model.schema import Primitive, Type
from lastro.model.widening import widest

ALIKE = 0.6
WORDS_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a column: its name, its place among the others, its type, its smallest and largest value."""

    name: str
    place: int = -1
    type: Type | None = None
    minimum: str | None = None
    maximum: str | None = None


def renames(missing: Sequence[Facts], new: Sequence[Facts]) -> tuple[tuple[Facts, Facts], ...]:
    """Pairs of a missing and a new column, the most alike first."""
    pairs = sorted(_pairs(missing, new), key=lambda pair: (-pair[0], pair[1].name, pair[2].name))
    found: list[tuple[Facts, Facts]] = []
    for _alike, old, now in pairs:
        if all(old.name != other.name and now.name != taken.name for other, taken in found):
            found.append((old, now))
    return tuple(found)


def _pairs(missing: Sequence[Facts], new: Sequence[Facts]) -> Iterator[tuple[float, Facts, Facts]]:
    alone = len(missing) == len(new) == 1
    for old in missing:
        for now in new:
            if not (_types_fit(old.type, now.type) and _ranges_meet(old, now)):
                continue
            alike = likeness(old.name, now.name)
            if alike or (alone and old.place == now.place >= 0):
                yield alike, old, now


def likeness(first: str, second: str) -> float:
    """How alike two names are, from 0 (not at all) to 1."""
    left, right = words(first), words(second)
    if left == right:
        return 1.0
    letters = SequenceMatcher(None, "".join(left), "".join(right)).ratio()
    shared = len(set(left) & set(right)) / max(1, len(set(left) | set(right)))
    if letters >= ALIKE or shared >= WORDS_ALIKE:
        return min(0.99, max(letters, shared))
    return 0.0


def _types_fit(old: Type | None, now: Type | None) -> bool:
    """Text may hold anything; else one type must hold both."""
    return old is None or now is None or Primitive.STRING in (old, now) or widest(old, now) is not None


def _ranges_meet(old: Facts, now: Facts) -> bool:
    try:
        low, high = Number(old.minimum or ""), Number(old.maximum or "")
        other_low, other_high = Number(now.minimum or ""), Number(now.maximum or "")
    except InvalidOperation:  # not numbers, or not known
        return True
    return low <= other_high and other_low <= high
