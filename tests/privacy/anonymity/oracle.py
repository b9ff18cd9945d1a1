"""The same questions, answered slowly: dictionaries, loops, and every node of the lattice."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True)
class Oracle:
    """Rows as leaves; of each column the group and the loss of each leaf at each level."""

    rows: Sequence[Sequence[int]]
    groups: Sequence[Sequence[Sequence[int]]]
    losses: Sequence[Sequence[Sequence[float]]]
    k: int
    l: int | None = None  # noqa: E741
    t: float | None = None
    entropy: bool = False
    sensitive: Sequence[int] = ()
    ordered: bool = False
    subjects: Sequence[int] = ()

    def classes(self, key: Callable[[int], tuple]) -> dict[tuple, list[int]]:
        found = defaultdict(list)
        for place in range(len(self.rows)):
            found[key(place)].append(place)
        return found

    def at(self, node: Sequence[int]) -> dict[tuple, list[int]]:
        return self.classes(
            lambda place: tuple(self.groups[c][level][self.rows[place][c]] for c, level in enumerate(node))
        )

    def holds(self, members: list[int]) -> bool:
        size = len({self.subjects[place] for place in members}) if self.subjects else len(members)
        if size < self.k:
            return False
        if not self.sensitive:
            return True
        values = Counter(self.sensitive[place] for place in members)
        if self.l is not None:
            shares = [count / len(members) for count in values.values()]
            reached = math.exp(-sum(s * math.log(s) for s in shares)) if self.entropy else len(values)
            if reached < self.l - 1e-9:
                return False
        return self.t is None or self.distance(values) <= self.t + 1e-9

    def distance(self, values: Counter) -> float:
        everybody = Counter(self.sensitive)
        names = range(max(everybody) + 1)
        gaps = [values[name] / sum(values.values()) - everybody[name] / len(self.sensitive) for name in names]
        if not self.ordered or len(gaps) < 2:
            return sum(map(abs, gaps)) / 2
        running = [sum(gaps[: place + 1]) for place in range(len(gaps))]
        return sum(map(abs, running)) / (len(gaps) - 1)

    def loss(self, node: Sequence[int]) -> tuple[float, int]:
        total, out = 0.0, 0
        for members in self.at(node).values():
            if self.holds(members):
                for place in members:
                    total += sum(self.losses[c][level][self.rows[place][c]] for c, level in enumerate(node)) / len(node)
            else:
                out += len(members)
        return (total + out) / len(self.rows), out

    def best(self, limit: int) -> float | None:
        nodes = product(*(range(len(levels)) for levels in self.groups))
        allowed = [loss for loss, out in map(self.loss, nodes) if out <= limit]
        return min(allowed, default=None)
