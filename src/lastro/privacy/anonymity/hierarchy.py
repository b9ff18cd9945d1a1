"""Hierarchies: how the values of a column become coarser, level by level.

Rules:

1. Leaves are a column's distinct values. Level 0 has a group for each of them (spellings of one value share theirs),
   the last level has one group. A group lies within one group of every higher level.
2. A missing value is a leaf like others. Its label is None, until it becomes `*` at the top.
3. The loss of a group is its normalised certainty penalty (Xu et al., KDD 2006): the share of the domain that it may
   stand for. It is 0 for one leaf and 1 at the top, and never falls from a level to the next.
4. Levels that tell no less than the one below are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ALL = "*"
Label = str | None
Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """One level as it is made: what it is called, the label of each leaf, and the loss of each leaf, where it is not to
    be counted in leaves.
    """

    name: str
    labels: Sequence[Label]
    losses: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """Of each leaf its group; of each group its label and loss."""

    name: str
    groups: Codes
    labels: tuple[Label, ...]
    losses: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Hierarchy:
    """The levels of one column, the finest first; `kind` says what they were made from (`dates`, `numbers`, …)."""

    kind: str
    levels: tuple[Level, ...]

    @property
    def top(self) -> int:
        """The number of the coarsest level."""
        return len(self.levels) - 1

    def without(self, number: int) -> Hierarchy:
        """The hierarchy without one of its inner levels."""
        return Hierarchy(self.kind, self.levels[:number] + self.levels[number + 1 :])


def hierarchy(kind: str, steps: Sequence[Step]) -> Hierarchy:
    """Levels from steps, the finest first. Raises `ValueError` where a group would not lie within one of the next."""
    leaves = len(steps[0].labels)
    top = Step(ALL, (ALL,) * leaves, np.ones(leaves))
    levels: list[Level] = []
    for step in (*steps, top):
        found = _level(step, levels[-1] if levels else None)
        if not levels or len(found.labels) < len(levels[-1].labels):
            levels.append(found)
    return Hierarchy(kind, tuple(levels))


def _level(step: Step, below: Level | None) -> Level:
    groups, labels = grouped(step.labels)
    sizes = np.bincount(groups, minlength=len(labels))
    if step.losses is None:
        losses = np.where(sizes > 1, sizes / max(len(groups), 1), 0.0)
    else:
        losses = np.zeros(len(labels))
        np.maximum.at(losses, groups, step.losses)
    if below is None:
        return Level(step.name, groups, labels, np.zeros(len(labels)))
    if len(np.unique(below.groups * len(labels) + groups)) != len(below.labels):
        raise ValueError("a group lies within two groups of the next level")
    np.maximum.at(losses, groups, below.losses[below.groups])
    return Level(step.name, groups, labels, np.minimum(losses, 1.0))


def grouped(labels: Sequence[Label]) -> tuple[Codes, tuple[Label, ...]]:
    """Numbers for labels, in the order in which they come first, and the labels."""
    numbers: dict[Label, int] = {}
    groups = np.fromiter((numbers.setdefault(label, len(numbers)) for label in labels), np.int64, len(labels))
    return groups, tuple(numbers)


def summed(owners: Codes, amounts: Floats, number: int) -> Floats:
    """The sum of the amounts of each of `number` owners."""
    found: Floats = np.bincount(owners, amounts, minlength=number).astype(np.float64)
    return found
