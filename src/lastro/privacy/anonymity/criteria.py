"""Criteria: which classes of rows, alike in their quasi-identifiers, may be shown.

Rules:

1. k-anonymity (Sweeney, 2002): a class has at least k rows; where a subject has several rows, of k subjects.
2. l-diversity (Machanavajjhala et al., 2007), of each sensitive column: a class has at least l distinct values, or –
   with `entropy` – values whose entropy is at least log l, which frequent values cannot outweigh.
3. t-closeness (Li et al., 2007), of each sensitive column: the earth mover's distance between a class and all rows is
   at most t; of ordered values by their ranks, of others with equal distances.
4. k and distinct l are monotone: a class that holds them still does when any rows join it. Entropy and closeness hold
   for the union of two classes for which both hold, but not for one of them with any other rows. `lattice` relies on
   the first, `recoding` on neither.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lastro.privacy.anonymity.hierarchy import Codes, Floats, summed
from lastro.privacy.anonymity.tuples import Beside, Tuples

Truths = NDArray[np.bool_]
_EXACT = 1e-9
"""What sums of fractions may be off by."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is asked of every class; None asks nothing."""

    k: int
    l: int | None = None  # noqa: E741 – the name that the measure has
    t: float | None = None
    entropy: bool = False

    @property
    def monotone(self) -> Criteria:
        """What is asked at least, and holds for whatever joins: entropy of log l takes l distinct values."""
        return Criteria(self.k, self.l)

    @property
    def is_monotone(self) -> bool:
        """Whether all that is asked is monotone."""
        return self.t is None and not (self.l and self.entropy)


def held(asked: Criteria, tuples: Tuples, classes: Codes, number: int) -> Truths:
    """For each of `number` classes whether it holds; `classes` has the class of each tuple, -1 for none."""
    good = sizes(tuples, classes, number) >= asked.k
    for each in tuples.sensitive:
        if not good.any():
            break
        good &= _diverse(asked, each, classes, number)
    return good


def _diverse(asked: Criteria, beside: Beside, classes: Codes, number: int) -> Truths:
    good = np.ones(number, dtype=np.bool_)
    if asked.l is not None and asked.entropy:
        good &= entropies(beside, classes, number) >= asked.l - _EXACT
    elif asked.l is not None:
        good &= distinct(beside, classes, number) >= asked.l
    if asked.t is not None:
        good &= distances(beside, classes, number) <= asked.t + _EXACT
    return good


def sizes(tuples: Tuples, classes: Codes, number: int) -> Floats:
    """The rows of each class, or its subjects where those have several rows."""
    if tuples.subjects is not None:
        return distinct(tuples.subjects, classes, number)
    there = classes >= 0
    return summed(classes[there], tuples.counts[there], number)


def distinct(beside: Beside, classes: Codes, number: int) -> Floats:
    """How many distinct values each class has."""
    owners, _values, _counts = _pairs(beside, classes)
    return np.bincount(owners, minlength=number).astype(np.float64)


def entropies(beside: Beside, classes: Codes, number: int) -> Floats:
    """Of each class the exponential of its values' entropy: of how many equally frequent values it is as diverse."""
    owners, _values, counts = _pairs(beside, classes)
    totals = summed(owners, counts, number)
    shares = counts / totals[owners]
    return np.asarray(np.exp(summed(owners, -shares * np.log(shares), number)))


def distances(beside: Beside, classes: Codes, number: int) -> Floats:
    """The earth mover's distance of each class from the distribution of all rows, 0 to 1."""
    owners, values, counts = _pairs(beside, classes)
    totals = summed(owners, counts, number)
    shares = counts / totals[owners]
    if beside.ordered and len(beside.shares) > 1:
        return _by_ranks(beside.shares, owners, values, shares, number)
    return summed(owners, np.maximum(shares - beside.shares[values], 0.0), number)


def _by_ranks(shares_of_all: Floats, owners: Codes, values: Codes, shares: Floats, number: int) -> Floats:
    """The mean of |F - G| over the ranks but the last, F a class's and G everybody's distribution function.

    F is constant between two values of a class: each piece's sum comes from prefix sums of G, cut where G passes F.
    """
    ranks = len(shares_of_all)
    everybody = np.cumsum(shares_of_all)
    before = np.concatenate(([0.0], np.cumsum(everybody)))
    running = np.cumsum(shares)
    begins = np.flatnonzero(np.concatenate(([True], owners[1:] != owners[:-1])))
    offset = np.concatenate(([0.0], running))[begins]
    height = running - np.repeat(offset, np.diff(np.append(begins, len(owners))))
    end = np.append(values[1:], ranks - 1)
    last = np.append(begins[1:] - 1, len(owners) - 1)
    end[last] = ranks - 1
    end = np.minimum(end, ranks - 1)
    start = np.minimum(values, end)
    cut = np.clip(np.searchsorted(everybody, height), start, end)
    piece = height * (cut - start) - (before[cut] - before[start])
    piece += (before[end] - before[cut]) - height * (end - cut)
    total = summed(owners, piece, number)
    first = before[values[begins]]  # below its first value a class has nothing
    total[owners[begins]] += first
    return total / (ranks - 1)


def _pairs(beside: Beside, classes: Codes) -> tuple[Codes, Codes, Floats]:
    """The classes, values and counts of the pairs that there are, by class and value."""
    of_pair = classes[beside.tuples]
    there = of_pair >= 0
    size = len(beside.shares)
    keys, where = np.unique(of_pair[there] * size + beside.values[there], return_inverse=True)
    counts = summed(where, beside.counts[there], len(keys))
    return keys // size, keys % size, counts
