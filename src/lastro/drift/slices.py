"""Which slices of the rows explain a change: exact, by counts alone, without a model.

Rules:

1. What is distributed is every cell of a column: its bins, or its values and all others, then NaN and missing.
2. The change of a cell's share is a sum over the slices of two terms: its mix (the slice has another share of all rows)
   and what is within (the slice itself has another distribution), each at the mean of both sides (Kitagawa 1955). The
   mix is taken from what all rows are like, so a slice that grew and is like all others explains nothing.
3. The total variation is half the sum of the cells' changes, each with its sign; so it is the sum of what slices
   explain. A slice that counteracts explains less than nothing.
4. A slice of one side only is all mix.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from lastro.model.profile import ColumnProfile, Profile

Cells = list[float]


@dataclass(frozen=True, slots=True)
class SliceShare:
    """How much of a change one slice explains: `explained` of the total variation, the sum of `mix` and `within`.

    `share` is `explained` of all that is explained; `reference` and `current` are the slice's rows.
    """

    slice: str = field(repr=False)
    explained: float
    mix: float
    within: float
    share: float
    reference: int
    current: int


def contributions(
    reference: Mapping[str, Profile], current: Mapping[str, Profile], *, column: str | None = None
) -> tuple[SliceShare, ...]:
    """The slices by what they explain of one column's change, or of all columns' together; most first.

    Without rows on a side there is nothing to explain. Raises `ValueError` if the slices' frames differ.
    """
    profiles = [*reference.values(), *current.values()]
    if any(profile.frame != profiles[0].frame for profile in profiles):
        raise ValueError("slices with different frames do not compare")
    before, after = _rows(reference), _rows(current)
    names = list(dict.fromkeys([*reference, *current]))
    if not sum(before.values()) or not sum(after.values()):
        return ()
    columns = [column] if column is not None else list(profiles[0].columns)
    mix, within = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for each in columns:
        for name, (one, two) in _explained(each, names, reference, current).items():
            mix[name] += one
            within[name] += two
    total = math.fsum([*mix.values(), *within.values()])
    found = [
        SliceShare(
            name,
            mix[name] + within[name],
            mix[name],
            within[name],
            (mix[name] + within[name]) / total if total > 0 else 0.0,
            before.get(name, 0),
            after.get(name, 0),
        )
        for name in names
    ]
    return tuple(sorted(found, key=lambda each: (-each.explained, each.slice)))


def _explained(
    column: str, names: list[str], reference: Mapping[str, Profile], current: Mapping[str, Profile]
) -> dict[str, tuple[float, float]]:
    """Each slice's two terms of one column's total variation."""
    counts = {name: (_counted(reference, name, column), _counted(current, name, column)) for name in names}
    totals = [sum(sum(pair[side]) for pair in counts.values()) for side in (0, 1)]
    width = max(len(cells) for pair in counts.values() for cells in pair)
    whole = [
        [sum(pair[side][cell] for pair in counts.values() if pair[side]) / totals[side] for cell in range(width)]
        for side in (0, 1)
    ]
    signs = [math.copysign(1, two - one) if one != two else 0.0 for one, two in zip(*whole, strict=True)]
    like_all = [(one + two) / 2 for one, two in zip(*whole, strict=True)]
    return {name: _terms(pair, totals, signs, like_all) for name, pair in counts.items()}


def _terms(pair: tuple[Cells, Cells], totals: list[float], signs: Cells, like_all: Cells) -> tuple[float, float]:
    weights = [sum(cells) / total for cells, total in zip(pair, totals, strict=True)]
    inside = [[cell / sum(cells) for cell in cells] if sum(cells) else [] for cells in pair]
    one, two = inside[0] or inside[1], inside[1] or inside[0]
    if not one:
        return 0.0, 0.0
    grown, usual = weights[1] - weights[0], (weights[0] + weights[1]) / 2
    cells = list(zip(signs, one, two, like_all, strict=True))
    mix = math.fsum(sign * grown * ((a + b) / 2 - like) for sign, a, b, like in cells) / 2
    within = math.fsum(sign * usual * (b - a) for sign, a, b, _like in cells) / 2
    return mix, within


def _counted(side: Mapping[str, Profile], name: str, column: str) -> Cells:
    """The cells of one slice; empty if this side has no such slice."""
    profile = side.get(name)
    return _cells(profile.columns[column], profile.rows) if profile is not None else []


def _cells(column: ColumnProfile, rows: int) -> Cells:
    if column.values is not None:
        told = [*column.values.times, column.values.others]
    elif column.numbers is not None:
        told = [*column.numbers.bins, column.numbers.nans]
    else:
        told = [rows - column.nulls]
    return [float(count) for count in (*told, column.nulls)]


def _rows(side: Mapping[str, Profile]) -> dict[str, int]:
    return {name: profile.rows for name, profile in side.items()}
