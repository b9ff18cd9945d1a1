"""What risk of being found again is left in rows, and how anonymous they are.

Rules:

1. A class is what an attacker sees: rows with equal quasi-identifiers. Its size is counted in subjects where the
   contract names them and they have several rows.
2. The prosecutor knows that a person is in the rows: the chance to pick the right one is 1 over the class's size
   (El Emam, 2013). The highest and the mean chance are told.
3. The journalist does not know that: the class's size in the whole population counts. Of a population that is not
   known the rows themselves are taken, which is the most that the risk can be, never less.
4. The marketer wants many: which share of the rows is found on average, if each is matched at random within its class.
5. `unique` is the share of the rows that are alone in their class.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lastro.privacy.anonymity.criteria import distances, distinct, entropies, sizes
from lastro.privacy.anonymity.hierarchy import Codes, Floats, Hierarchy, summed
from lastro.privacy.anonymity.outcome import Diversity, Risk
from lastro.privacy.anonymity.tuples import Tuples, numbered


def risk(tuples: Tuples, classes: Codes, *, in_population: Floats | None = None, population: str = "") -> Risk:
    """The risk of the rows whose tuples have a class (not -1). `in_population` says of each class how many people of
    the `population` look like it.
    """
    there = classes >= 0
    if not tuples.counts[there].sum():
        return Risk(0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0)
    known, compact = np.unique(classes[there], return_inverse=True)
    own = np.full(len(classes), -1, dtype=np.int64)
    own[there] = compact
    number = len(known)
    rows = summed(compact, tuples.counts[there], number)
    people = sizes(tuples, own, number)
    total = float(rows.sum())
    everybody = people if in_population is None else np.maximum(in_population[known], people)
    found = {
        each.name: Diversity(
            int(distinct(each, own, number).min()),
            float(entropies(each, own, number).min()),
            float(distances(each, own, number).max()),
        )
        for each in tuples.sensitive
    }
    return Risk(
        rows=int(total),
        classes=number,
        k=int(people.min()),
        prosecutor=float(1 / people.min()),
        prosecutor_mean=float((rows / people).sum() / total),
        journalist=float(1 / everybody.min()),
        marketer=float((rows / everybody).sum() / total),
        unique=float(rows[people == 1].sum() / total),
        sensitive=found,
        population=population,
    )


def in_population(
    tuples: Tuples, hierarchies: Sequence[Hierarchy], classes: Codes, levels: Codes, population: Sequence[Codes]
) -> Floats:
    """Of each class how many people of a population look like its rows, at the levels that the class has; `population`
    are the people's leaves, of each quasi-identifier, `levels` those of each tuple (tuples x columns).
    """
    there = np.flatnonzero(classes >= 0)
    _known, first = np.unique(classes[there], return_index=True)
    chosen = there[first]
    found = np.zeros(int(classes.max(initial=-1)) + 1)
    ways, way = np.unique(levels[chosen], axis=0, return_inverse=True)
    for number, node in enumerate(ways.tolist()):
        here = chosen[way.ravel() == number]
        groups = [
            each.levels[level].groups[np.concatenate((codes[here], people))]
            for each, level, codes, people in zip(hierarchies, node, tuples.codes, population, strict=True)
        ]
        alike, _first = numbered(groups)
        counts = np.bincount(alike[len(here) :], minlength=int(alike.max()) + 1)
        found[classes[here]] = counts[alike[: len(here)]]
    return found
