"""The search for the best full-domain generalisation: one level for each column, proven to be the best.

Rules:

1. A node is a level for each column. It is allowed if the rows of classes that do not hold what is asked are no more
   than may be left out. Its loss is the mean over rows of the mean loss of their values; a row that is left out is 1.
2. What is monotone (`criteria`, rule 4) prunes: rows that are left out at a node for its sake are left out at every
   finer node, too. So a finer node of one that leaves out too many is not allowed, and no finer node loses less than
   its own values and, for those rows, what the coarser node loses by them.
3. Entropy and closeness decide whether a node is allowed, and prune nothing.
4. Nodes are visited by the loss of their values alone, the least first; the first that cannot be better than the best
   found ends the search. What comes out is the best of all nodes, as if each had been looked at. Before that, binary
   searches along some paths from the finest node to the coarsest exclude most of them, and so do those on a path up
   from each node that turns out not to be allowed.
5. A class at a node is a union of classes at every finer one: nodes are counted from the smallest table of a finer
   node that is kept.
6. After `CHECKED_MAX` nodes the search ends with the best so far, which is then not proven.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from lastro.privacy.anonymity.criteria import Criteria, Truths, held
from lastro.privacy.anonymity.hierarchy import Codes, Floats, Hierarchy, summed
from lastro.privacy.anonymity.tuples import Tuples, numbered

NODES_MAX = 1 << 22
CHECKED_MAX = 50_000
_PATHS = 40
_KEPT, _SMALLER = 256, 0.5
_CHUNK = 2048
Node = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The best node: its loss, how many rows it leaves out, the class of each tuple (-1: left out); of how many nodes
    it is the best, how many were counted, and whether that proves it.
    """

    node: Node
    loss: float
    suppressed: int
    classes: Codes
    nodes: int
    checked: int
    proven: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """The classes of a node: one tuple of each, and its rows."""

    node: Node
    tuples: Codes
    counts: Floats


@dataclass(slots=True)
class _Search:
    tuples: Tuples
    hierarchies: Sequence[Hierarchy]
    asked: Criteria
    limit: int
    shape: Node
    bound: Floats
    """The loss of each node's values, if none is left out."""
    more: Floats
    """What each node loses at least beyond that; infinite if it is not allowed."""
    kept: list[_Kept]
    best: tuple[float, int, Node] | None = None
    checked: int = 0
    looked_at: dict[Node, bool] = field(default_factory=dict)
    drawn: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    groups: list[list[Codes]] = field(default_factory=list)
    """Of each column, at each level, the group of each tuple."""

    def __post_init__(self) -> None:
        for each, codes in zip(self.hierarchies, self.tuples.codes, strict=True):
            self.groups.append([level.groups[codes].astype(np.int32) for level in each.levels])

    def check(self, node: Node) -> bool:
        """Whether the node is allowed; it is remembered if it is the best."""
        if node in self.looked_at:
            return self.looked_at[node]
        self.checked += 1
        allowed = self._counted(node)
        self.looked_at[node] = allowed
        return allowed

    def _counted(self, node: Node) -> bool:
        origin = min((each for each in self.kept if _below(each.node, node)), key=lambda each: len(each.tuples))
        classes, first = numbered(self._groups(node, origin.tuples))
        counts = summed(classes, origin.counts, len(first))
        self._keep(node, origin, first, counts)
        good = counts >= self.asked.k
        beside = bool(self.tuples.sensitive) or self.tuples.subjects is not None
        if beside and self._out(good, counts) <= self.limit:
            classes = self._everywhere(classes, origin, node)
            good = held(self.asked.monotone, self.tuples, classes, len(first))
        region = self.more[tuple(slice(0, level + 1) for level in node)]
        if self._out(good, counts) > self.limit:
            region[...] = np.inf
            return False
        extra = self._extra(node, origin.tuples[first[~good]], counts[~good])
        np.maximum(region, extra, out=region)
        if not self.asked.is_monotone:
            good &= held(self.asked, self.tuples, classes, len(first))
            if self._out(good, counts) > self.limit:
                return False
            extra = self._extra(node, origin.tuples[first[~good]], counts[~good])
        found = (float(self.bound[node]) + extra, self._out(good, counts), node)
        if self.best is None or found < self.best:
            self.best = found
        return True

    def _out(self, good: Truths, counts: Floats) -> int:
        """How many rows are left out."""
        return int(counts[~good].sum())

    def _extra(self, node: Node, out: Codes, counts: Floats) -> float:
        """What is lost by leaving rows out, beyond what their values would lose; one tuple of each class is given."""
        total = np.zeros(len(out))
        for level, each, codes in zip(node, self.hierarchies, self.tuples.codes, strict=True):
            found = each.levels[level]
            total += found.losses[found.groups[codes[out]]]
        return float((counts * (1.0 - total / len(node))).sum()) / self.tuples.rows

    def _everywhere(self, classes: Codes, origin: _Kept, node: Node) -> Codes:
        """The class of each tuple, as they are numbered."""
        if len(origin.tuples) == len(self.tuples.counts):
            return classes
        found, first = numbered(self._groups(node, np.arange(len(self.tuples.counts))))
        mine = found[origin.tuples]
        number = np.zeros(len(first), dtype=np.int64)
        number[mine] = classes
        return number[found]

    def _groups(self, node: Node, tuples: Codes) -> list[Codes]:
        there = zip(node, self.hierarchies, self.groups, strict=True)
        chosen = [groups[level] for level, each, groups in there if level < each.top]
        return [groups[tuples] for groups in chosen] or [np.zeros(len(tuples), dtype=np.int64)]

    def _keep(self, node: Node, origin: _Kept, first: Codes, counts: Floats) -> None:
        """Keeps the table if it is much smaller than the one it was made from."""
        if len(self.kept) < _KEPT and len(first) < _SMALLER * len(origin.tuples):
            self.kept.append(_Kept(node, origin.tuples[first], counts))

    def run(self) -> bool:
        """Looks at every node that may be the best; False if there were too many."""
        for path in _paths(self.shape, self.bound):
            self._along(path)
        order = np.argsort(self.bound, axis=None, kind="stable")
        bound, more = self.bound.ravel(), self.more.ravel()
        for start in range(0, len(order), _CHUNK):
            part = order[start : start + _CHUNK]
            if self.best is not None and bound[part[0]] >= self.best[0]:
                return True
            for place in part[bound[part] + more[part] < self._least()]:
                if self.checked >= CHECKED_MAX:
                    return False
                if bound[place] + more[place] < self._least():
                    node = tuple(int(level) for level in np.unravel_index(place, self.shape))
                    if not self.check(node):
                        self._climb(node)
        return True

    def _least(self) -> float:
        return np.inf if self.best is None else self.best[0]

    def _climb(self, node: Node) -> None:
        """Excludes more: looks for the last node that is not allowed on a path up from one that is not."""
        path = _upward(node, self.shape, self.drawn)
        low, high = 0, len(path) - 1
        while high - low > 1:
            middle = (low + high) // 2
            if np.isinf(self.more[path[middle]]) or not self.check(path[middle]):
                low = middle
            else:
                high = middle

    def _along(self, path: Sequence[Node]) -> None:
        low, high = 0, len(path) - 1
        while low < high:
            middle = (low + high) // 2
            if not np.isinf(self.more[path[middle]]) and self.check(path[middle]):
                high = middle
            else:
                low = middle + 1
        self.check(path[high])


def search(tuples: Tuples, hierarchies: Sequence[Hierarchy], asked: Criteria, *, limit: int) -> Found | None:
    """The node that loses least while at most `limit` rows are left out; None if no node is allowed.

    Raises `ValueError` for more than `NODES_MAX` nodes.
    """
    shape = tuple(len(each.levels) for each in hierarchies)
    if prod(shape) > NODES_MAX:
        raise ValueError("too many nodes")
    everything = np.arange(len(tuples.counts))
    bottom = _Kept((0,) * len(shape), everything, tuples.counts)
    looking = _Search(tuples, hierarchies, asked, limit, shape, _bounds(tuples, hierarchies), np.zeros(shape), [bottom])
    proven = looking.run()
    if looking.best is None:
        return None
    loss, out, node = looking.best
    return Found(node, loss, out, classes_at(tuples, hierarchies, asked, node), prod(shape), looking.checked, proven)


def classes_at(tuples: Tuples, hierarchies: Sequence[Hierarchy], asked: Criteria, node: Node) -> Codes:
    """The class of each tuple at a node, -1 where it does not hold what is asked."""
    groups = [
        each.levels[level].groups[codes] for level, each, codes in zip(node, hierarchies, tuples.codes, strict=True)
    ]
    classes, first = numbered(groups)
    return np.where(held(asked, tuples, classes, len(first))[classes], classes, -1)


def _bounds(tuples: Tuples, hierarchies: Sequence[Hierarchy]) -> Floats:
    """The loss of each node's values, all rows kept."""
    columns = len(hierarchies)
    total = np.zeros(tuple(len(each.levels) for each in hierarchies))
    for place, (each, codes) in enumerate(zip(hierarchies, tuples.codes, strict=True)):
        means = [float((level.losses[level.groups[codes]] * tuples.counts).sum()) for level in each.levels]
        own = np.array(means) / (tuples.rows * columns)
        total += own.reshape([-1 if other == place else 1 for other in range(columns)])
    return total


def _below(finer: Node, coarser: Node) -> bool:
    return all(first <= second for first, second in zip(finer, coarser, strict=True))


def _paths(shape: Node, bound: Floats) -> Iterator[list[Node]]:
    """Paths from the finest node to the coarsest: the one of the cheapest steps, then some drawn ones, always alike."""
    node = [0] * len(shape)
    path: list[Node] = [tuple(node)]
    while steps := [place for place, size in enumerate(shape) if node[place] + 1 < size]:
        costs = {place: bound[(*node[:place], node[place] + 1, *node[place + 1 :])] for place in steps}
        node[min(steps, key=lambda place: costs[place])] += 1
        path.append(tuple(node))
    yield path
    drawn = np.random.default_rng(0)
    for _number in range(_PATHS if prod(shape) > _PATHS else 0):
        yield _upward((0,) * len(shape), shape, drawn)


def _upward(begin: Node, shape: Node, drawn: np.random.Generator) -> list[Node]:
    """A path of single steps from a node to the coarsest, drawn."""
    steps = [place for place, size in enumerate(shape) for _step in range(size - 1 - begin[place])]
    node, path = list(begin), [begin]
    for place in drawn.permutation(steps):
        node[place] += 1
        path.append(tuple(node))
    return path
