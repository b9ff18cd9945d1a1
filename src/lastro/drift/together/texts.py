"""Texts of a column: which letters they are made of, how many of their words the reference lacks, and whether a
classifier tells them apart.

Rules:

1. Missing texts are in no answer; their share is a fact of the column. So are the lengths.
2. Letters: the total variation of the mean shares of kinds. A text's share of any set of kinds is from 0 to 1, so the
   bound of sets holds for means as it does for counts (Hoeffding 1963).
3. Words: one half of the reference's texts is the vocabulary; which share of a text's words is not in it is measured
   of the other half and of the window, so that rare words count alike on both sides. The difference of the means has
   Hoeffding's bound. Words are runs of letters, in small letters; a text without any has none that is unknown.
4. Where words are not set apart – in Chinese, say – hardly any run of letters occurs twice. Then the share is near 1
   on both sides, and tells nothing; letters and the classifier do.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from lastro.drift import bounds
from lastro.drift.result import Estimate
from lastro.drift.settings import Chance
from lastro.drift.together import learner, letters
from lastro.drift.together.answer import Part
from lastro.drift.together.halves import Halves
from lastro.drift.together.letters import KINDS, LENGTH_MAX

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lastro.drift.together.halves import Learned, Places

_WORD = re.compile(r"[^\W\d_]+")
PART_MIN = 0.005
"""A kind of letter is told if its share changed by this much."""
TEXTS_MAX = 5_000
"""The classifier is taught and tested with so many texts of each side."""


def letters_moved(reference: list[str], current: list[str], chance: Chance) -> tuple[Estimate, tuple[Part, ...]]:
    """How much the kinds of letters moved, and which, those that changed most first; neither side may be empty."""
    before, after = (letters.shares(side).mean(axis=0) for side in (reference, current))
    value = float(abs(after - before).sum() / 2)
    width = bounds.sets_width(len(reference), len(current), len(KINDS), chance)
    parts = [Part(kind, float(one), float(two)) for kind, one, two in zip(KINDS, before, after, strict=True)]
    told = [part for part in parts if abs(part.after - part.before) >= PART_MIN]
    told.sort(key=lambda part: -abs(part.after - part.before))
    return Estimate(value, max(0.0, value - width), min(1.0, value + width)), tuple(told)


def unknown_words(
    reference: list[str], current: list[str], chance: Chance, *, seed: int
) -> tuple[Estimate, float, float, int]:
    """The rise of the share of words that the reference lacks, that share before and after, and by how many of the
    reference's texts it is known; the reference must have two texts, the window one.
    """
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(reference)).tolist()
    half = len(order) // 2
    known = {word for place in order[half:] for word in _words(reference[place])}
    before = float(np.mean([_unknown(reference[place], known) for place in order[:half]]))
    after = float(np.mean([_unknown(text, known) for text in current]))
    width = math.sqrt(math.log(2 / chance.either) * (1 / half + 1 / len(current)) / 2)
    rise = max(0.0, after - before)
    found = Estimate(rise, max(0.0, after - before - width), max(0.0, min(1.0, after - before + width)))
    return found, before, after, half


def told_apart(texts: list[str], halves: Halves) -> float:
    """The AUC of a classifier of the texts, of which the reference's come first. Raises `MissingExtra`."""
    rows = learner.hashed([text[:LENGTH_MAX] for text in texts])
    labels: NDArray[np.bool_] = halves.labels

    def learn(train: Places) -> Learned:
        score = learner.linear(rows[train], labels[train], seed=halves.seed)
        return lambda test: score(rows[test])

    return halves.mean_area(learn)


def _words(text: str) -> list[str]:
    return _WORD.findall(text[:LENGTH_MAX].casefold())


def _unknown(text: str, known: set[str]) -> float:
    words = _words(text)
    return sum(word not in known for word in words) / len(words) if words else 0.0
