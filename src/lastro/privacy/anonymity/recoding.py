"""Local recoding: what the best node made coarser than it had to be becomes finer again.

Rules:

1. It begins with the classes of a node. The rows that the node left out are one more class, of the coarsest values, if
   that holds what is asked; else they stay out.
2. A class is split by one column whose values become one level finer: the groups that hold what is asked move, the rest
   stays – and holds what is asked itself, or is empty; else the class is not split so. Of all columns the one is taken
   that wins most. This goes on until no class can be split.
3. So no value is coarser than before, no loss rises, and every class holds at all times what is asked.
4. Rows with equal quasi-identifiers have equal ones afterwards: who knows all of a person's, and this procedure, still
   finds a class of k.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lastro.privacy.anonymity.criteria import Criteria, held
from lastro.privacy.anonymity.hierarchy import Codes, Floats, Hierarchy, summed
from lastro.privacy.anonymity.lattice import Found
from lastro.privacy.anonymity.tuples import Tuples

_LEAST = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Recoded:
    """Of each tuple its class (-1: left out) and its level in each column (tuples x columns); the loss of all."""

    classes: Codes
    levels: Codes
    loss: float
    suppressed: int


@dataclass(frozen=True, slots=True, eq=False)
class _Split:
    """What splitting by one column comes to: which tuples move into which new class, and what each class wins."""

    moved: Codes
    into: Codes
    wins: Floats


class _Recoding:
    def __init__(self, tuples: Tuples, hierarchies: Sequence[Hierarchy], asked: Criteria, found: Found) -> None:
        self.tuples = tuples
        self.asked = asked
        self.tops = np.array([each.top for each in hierarchies], dtype=np.int64)
        self.groups = [np.stack([level.groups for level in each.levels]) for each in hierarchies]
        self.losses = [np.stack([level.losses[level.groups] for level in each.levels]) for each in hierarchies]
        self.classes = found.classes.copy()
        self.levels = np.tile(np.array(found.node, dtype=np.int64), (len(tuples.counts), 1))
        self._take_in()

    def _take_in(self) -> None:
        """Makes one class of what was left out (rule 1)."""
        out = self.classes < 0
        if not out.any():
            return
        alone = np.where(out, 0, -1)
        if held(self.asked, self.tuples, alone, 1)[0]:
            self.classes[out] = self.classes.max(initial=-1) + 1
            self.levels[out] = self.tops

    def run(self) -> None:
        active = np.flatnonzero(self.classes >= 0)
        while len(active):
            _known, self.classes[self.classes >= 0] = np.unique(self.classes[self.classes >= 0], return_inverse=True)
            number = int(self.classes.max()) + 1
            splits = [self._split(column, active, number) for column in range(len(self.groups))]
            wins = np.stack([split.wins for split in splits])
            best = wins.argmax(axis=0)
            wins_most = wins.max(axis=0) > _LEAST
            changed = np.zeros(number, dtype=np.bool_)
            following = number
            for column, split in enumerate(splits):
                owners = self.classes[split.moved]
                taken = wins_most[owners] & (best[owners] == column)
                moved = split.moved[taken]
                changed[owners[taken]] = True
                self.levels[moved, column] -= 1
                splits[column] = _Split(moved, split.into[taken] + following, split.wins)
                following += int(split.into.max(initial=-1)) + 1
            again = (self.classes >= 0) & changed[self.classes]
            for split in splits:
                self.classes[split.moved] = split.into
            active = np.flatnonzero(again)

    def _split(self, column: int, active: Codes, number: int) -> _Split:
        """What it comes to if every active class is split by this column."""
        levels = self.levels[active, column]
        there = active[levels > 0]
        nothing = np.zeros(0, dtype=np.int64)
        if not len(there):
            return _Split(nothing, nothing, np.zeros(number))
        finer = self.levels[there, column] - 1
        leaves = self.tuples.codes[column][there]
        owners = self.classes[there]
        size = self.groups[column].shape[1] + 1
        keys, into = np.unique(owners * size + self.groups[column][finer, leaves], return_inverse=True)
        good = self._held(there, into, len(keys))[into]
        stays = self._held(there[~good], owners[~good], number)
        whole = np.bincount(owners[~good], minlength=number) == 0
        moves = good & (stays | whole)[owners]
        loss = self.losses[column]
        wins = self.tuples.counts[there] * (loss[finer + 1, leaves] - loss[finer, leaves])
        won = summed(owners[moves], wins[moves], number)
        return _Split(there[moves], into[moves].astype(np.int64), won)

    def _held(self, there: Codes, classes: Codes, number: int) -> NDArray[np.bool_]:
        everywhere = np.full(len(self.tuples.counts), -1, dtype=np.int64)
        everywhere[there] = classes
        return held(self.asked, self.tuples, everywhere, number)

    def result(self) -> Recoded:
        """What came of it."""
        kept = self.classes >= 0
        total = np.zeros(len(self.classes))
        for column, losses in enumerate(self.losses):
            total += losses[self.levels[:, column], self.tuples.codes[column]]
        each = np.where(kept, total / len(self.losses), 1.0)
        counts = self.tuples.counts
        loss = float((each * counts).sum() / counts.sum())
        return Recoded(self.classes, self.levels, loss, int(counts[~kept].sum()))


def recoded(tuples: Tuples, hierarchies: Sequence[Hierarchy], asked: Criteria, found: Found) -> Recoded:
    """The best node's classes, made finer where that breaks nothing. Its loss is never above the node's."""
    recoding = _Recoding(tuples, hierarchies, asked, found)
    recoding.run()
    return recoding.result()
