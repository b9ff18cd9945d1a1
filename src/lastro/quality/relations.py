"""Relations: which columns are missing in the same rows, and which rise together, from the sums that were counted.

Rules:

1. Two columns are missing together if so many rows miss both, of those that miss one at least, as `SHARED_MIN`, and
   more than would by chance: `CHANCE_MAX` times as many as if each were missing anywhere.
2. Columns of which that share is `ALIKE` or more, each with each, are one group.
3. A correlation is told if at least `ROWS_MIN` rows have both columns, and if it is not likely to be none: its size is
   more than `SURE` standard errors of a rank correlation of columns without any, `1 / sqrt(n - 1)`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from lastro.model.together import Levels, Together

SHARED_MIN = 0.2
CHANCE_MAX = 1.5
ALIKE = 0.9
ROWS_MIN = 30
SURE = 4.0


@dataclass(frozen=True, slots=True)
class MissingTogether:
    """Columns of which all are missing in `rows` rows; these are the `share` of the rows in which one at least is."""

    columns: tuple[str, ...]
    rows: int
    share: float


@dataclass(frozen=True, slots=True)
class Correlation:
    """How alike two columns rise over the `rows` that have both: 1 is always, -1 is one falls as the other rises."""

    columns: tuple[str, str]
    value: float
    rows: int


@dataclass(frozen=True, slots=True)
class Relations:
    """What columns have to do with each other, the strongest first.

    `missing` is about the columns of `looked_at`, `correlations` about those of `ordered`.
    """

    missing: tuple[MissingTogether, ...]
    correlations: tuple[Correlation, ...]
    looked_at: tuple[str, ...]
    ordered: tuple[str, ...]


def related(found: Together, rows: int) -> Relations:
    """What follows from the sums over so many rows."""
    return Relations(
        tuple(_missing(found, rows)), tuple(_correlations(found.levels)), found.columns, found.levels.columns
    )


def _missing(found: Together, rows: int) -> list[MissingTogether]:
    alone = {name: found.missing[place][place] for place, name in enumerate(found.columns)}
    pairs = {}
    for one, two, both in found.missing_pairs():
        share = both / (alone[one] + alone[two] - both)
        # A column without any value is missing wherever another is: that says nothing.
        if share >= SHARED_MIN and both * rows > CHANCE_MAX * alone[one] * alone[two]:
            pairs[one, two] = MissingTogether((one, two), both, share)
    groups = _groups([names for names, each in pairs.items() if each.share >= ALIKE], found.columns)
    inside = {pair for group in groups for pair in combinations(group, 2)}
    told = [_group(group, pairs) for group in groups]
    told += [each for names, each in pairs.items() if names not in inside]
    return sorted(told, key=lambda each: (-each.share, -each.rows, each.columns))


def _groups(alike: Sequence[tuple[str, str]], names: Sequence[str]) -> list[tuple[str, ...]]:
    """The names in groups in which each is alike each; a name is in one group at most."""
    known = set(alike)
    groups: list[list[str]] = []
    for name in names:
        home = next((group for group in groups if all((other, name) in known for other in group)), None)
        if home is None:
            groups.append([name])
        else:
            home.append(name)
    return [tuple(group) for group in groups if len(group) > 1]


def _group(names: tuple[str, ...], pairs: dict[tuple[str, str], MissingTogether]) -> MissingTogether:
    """A group, of which is known what is missing of every two."""
    inner = [pairs[pair] for pair in combinations(names, 2)]
    return MissingTogether(names, min(each.rows for each in inner), min(each.share for each in inner))


def _correlations(levels: Levels) -> list[Correlation]:
    found = []
    for one, two in combinations(range(len(levels.columns)), 2):
        rows = levels.rows[one][two]
        value = levels.correlation(one, two) if rows >= ROWS_MIN else None
        if value is not None and abs(value) > SURE / math.sqrt(rows - 1):
            found.append(Correlation((levels.columns[one], levels.columns[two]), value, rows))
    return sorted(found, key=lambda each: (-abs(each.value), each.columns))
