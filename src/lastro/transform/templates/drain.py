"""Drain: messages that have most words in common share a template. One look at each message, in their order.

After He, Zhu, Zheng and Lyu, *Drain: An Online Log Parsing Approach with Fixed Depth Tree*, ICWS 2017. Rules:

1. A tree of fixed depth leads from the number of words to the first word to a leaf. A first word with a wildcard in it,
   and each that comes after the first `CHILDREN_MAX` ones, goes the way of the wildcard.
2. Within a leaf, a message joins the template with which it shares the largest part of its words, at equal positions,
   if that is at least the `similarity`; among equals, the one with most wildcards, then the oldest. Words that differ
   become `<*>`, runs of spaces that differ become `<space>`. A word masked in both is shared, a `<*>` is not.
3. Otherwise it begins a template. Templates are numbered from 1 by their first message. A template only ever becomes
   more general: what joined it once fits it for good, and messages that are appended later change no number.
4. Memory and time are bounded: a leaf with `LEAF_MAX` templates sends what fits none to one template that is nothing
   but wildcards; beyond `templates_max` templates, or templates of `SIZE_MAX` in all, what fits none is `UNFITTING`.
5. Equal texts that meet the same leaf unchanged get the same answer, so that it is remembered; what is forgotten is
   worked out again, with the same result.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain

from lastro.transform.templates.masking import ANYTHING, REST, SPACE, WILDCARD
from lastro.transform.templates.remembering import Remembered

UNFITTING = 0
"""The number of what no template took in; its template is `<*>`."""
CHILDREN_MAX = 100
LEAF_MAX = 100
SIZE_MAX = 32 << 20
WORD_SIZE = 64
"""What a word takes beside its text, in characters; about."""
_BETWEEN = re.compile(r"(\s+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Words:
    """A masked text taken apart: its words, and what stands after each but the last."""

    words: tuple[str, ...]
    spaces: tuple[str, ...]

    @property
    def text(self) -> str:
        """The words with what stands between."""
        rest = zip(self.spaces, self.words[1:], strict=True)
        return self.words[0] + "".join(space + word for space, word in rest)


WHOLE = Words((ANYTHING,), ())
"""The template of a message that is nothing but a parameter."""


def words_of(text: str) -> Words:
    """A masked text as words; `<rest>` is a word of its own, with nothing before it."""
    has_rest = text.endswith(REST)
    parts = _BETWEEN.split(text.removesuffix(REST) if has_rest else text)
    parts += ["", REST] if has_rest else []
    return Words(tuple(parts[::2]), tuple(parts[1::2]))


def merged(one: Words, other: Words) -> Words:
    """What two texts of equally many words have in common."""
    words = (a if a == b else ANYTHING for a, b in zip(one.words, other.words, strict=True))
    spaces = (a if a == b else SPACE for a, b in zip(one.spaces, other.spaces, strict=True))
    return Words(tuple(words), tuple(spaces))


@dataclass(slots=True)
class _Leaf:
    """A leaf of the tree: `holding` tells which templates have a word at a place, `overflow` is the one of rule 4, and
    `changes` counts how often a template came or changed a word.
    """

    size: int = 0
    holding: dict[tuple[int, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    overflow: int | None = None
    changes: int = 0

    def add(self, number: int, words: tuple[str, ...]) -> None:
        """Takes a template in."""
        self.size += 1
        self.changes += 1
        for place in enumerate(words):
            self.holding[place].append(number)

    def widen(self, number: int, before: tuple[str, ...], after: tuple[str, ...]) -> None:
        """Forgets the words that a template no longer has."""
        self.changes += before != after
        for place, (word, kept) in enumerate(zip(before, after, strict=True)):
            if word != kept:
                self.holding[place, word].remove(number)

    def shared(self, words: tuple[str, ...]) -> Mapping[int, int]:
        """How many words each template has in common with these; those that have none are left out."""
        return Counter(chain.from_iterable(self.holding.get(place, ()) for place in enumerate(words)))


class Tree:
    """The templates of the texts seen so far. `similarity` is above 0 and at most 1."""

    def __init__(self, similarity: float, templates_max: int) -> None:
        self._similarity, self._templates_max = similarity, templates_max
        self._templates: list[Words] = [WHOLE]
        self._leaves: dict[int, dict[str, _Leaf]] = {}
        self._remembered: Remembered[tuple[_Leaf, int, int]] = Remembered()
        self._size = 0

    @property
    def templates(self) -> tuple[Words, ...]:
        """The templates by number; the first is that of `UNFITTING`."""
        return tuple(self._templates)

    def assign(self, text: str) -> int:
        """The number of the template that the masked text joins or begins."""
        known = self._remembered.get(text)
        if known is not None and known[0].changes == known[1]:
            return known[2]
        found = words_of(text)
        leaf = self._leaf(found.words)
        number = self._joined(leaf, found)
        self._remembered.put(text, (leaf, leaf.changes, number))
        return number

    def _leaf(self, words: tuple[str, ...]) -> _Leaf:
        children = self._leaves.setdefault(len(words), {})
        first = ANYTHING if WILDCARD.search(words[0]) else words[0]
        if first not in children and len(children) >= CHILDREN_MAX:
            first = ANYTHING
        return children.setdefault(first, _Leaf())

    def _joined(self, leaf: _Leaf, found: Words) -> int:
        number = self._nearest(leaf, found.words)
        if number is None and leaf.size < LEAF_MAX:
            return self._begun(leaf, found)
        if number is None:
            number = self._overflow(leaf, found)
        if number != UNFITTING:
            before = self._templates[number]
            self._templates[number] = merged(before, found)
            leaf.widen(number, before.words, self._templates[number].words)
        return number

    def _nearest(self, leaf: _Leaf, words: tuple[str, ...]) -> int | None:
        least = self._similarity * len(words)
        ranked = [
            (count, self._templates[number].words.count(ANYTHING), -number)
            for number, count in leaf.shared(words).items()
            if count >= least
        ]
        return -max(ranked)[2] if ranked else None

    def _begun(self, leaf: _Leaf, found: Words) -> int:
        if self._is_full():
            return UNFITTING
        number = self._added(found)
        leaf.add(number, found.words)
        return number

    def _overflow(self, leaf: _Leaf, found: Words) -> int:
        if leaf.overflow is None:
            if self._is_full():
                return UNFITTING
            leaf.overflow = self._added(Words((ANYTHING,) * len(found.words), found.spaces))
        return leaf.overflow

    def _is_full(self) -> bool:
        return len(self._templates) > self._templates_max or self._size > SIZE_MAX

    def _added(self, template: Words) -> int:
        self._templates.append(template)
        self._size += len(template.text) + WORD_SIZE * len(template.words)
        return len(self._templates) - 1
