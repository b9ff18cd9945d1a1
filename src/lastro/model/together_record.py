"""What columns have to do with each other as JSON values: what follows from other numbers is left out.

Rules:

1. `absent` are the places of the columns that miss something; `missing` are the pairs of these, row by row.
2. `own` are each column's rows, levels and squares over the rows that have it. They are those over the rows that have
   both it and another, if the other has all rows: `given` are the columns of which that is not so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from lastro.model.together import Levels, Matrix, Together

Record = Mapping[str, Any]  # Any: JSON values


def record_of(found: Together) -> dict[str, Any]:  # Any: JSON values
    """The sums as JSON values."""
    absent = [place for place in range(len(found.columns)) if found.missing[place][place]]
    record: dict[str, Any] = {"columns": list(found.columns)}  # Any: JSON values
    if absent:
        record["absent"] = absent
        record["missing"] = [found.missing[one][two] for one, two in _pairs(absent)]
    if found.levels.columns:
        record["levels"] = _levels(found.levels)
    return record


def together_of(record: Record) -> Together:
    """The sums that a record holds. Raises `ValueError`, `LookupError` or `TypeError` if it holds none."""
    columns = tuple(map(str, record["columns"]))
    absent = list(map(int, record.get("absent", ())))
    missing: Matrix = ((0,) * len(columns),) * len(columns)
    if absent:
        rows = [[0] * len(columns) for _ in columns]
        for (one, two), both in zip(_pairs(absent), record["missing"], strict=True):
            rows[one][two] = rows[two][one] = int(both)
        missing = tuple(map(tuple, rows))
    levels = record.get("levels")
    return Together(columns, missing, Levels((), (), (), (), ()) if levels is None else _levels_of(levels))


def _levels(found: Levels) -> dict[str, Any]:  # Any: JSON values
    places = range(len(found.columns))
    own = [[each[place][place] for place in places] for each in (found.rows, found.sums, found.squares)]
    given = {}
    for two in places:
        column = [[each[one][two] for one in places] for each in (found.rows, found.sums, found.squares)]
        if column != own:
            given[str(two)] = column
    products = [found.products[one][two] for one, two in combinations(places, 2)]
    return {"columns": list(found.columns), "own": own, "given": given, "products": products}


def _levels_of(record: Record) -> Levels:
    columns = tuple(map(str, record["columns"]))
    given = {int(two): sums for two, sums in record["given"].items()}
    own = [tuple(map(int, numbers)) for numbers in record["own"]]
    rows, sums, squares = (
        _matrix(numbers, {two: each[k] for two, each in given.items()}) for k, numbers in enumerate(own)
    )
    if len(own) != 3 or any(len(numbers) != len(columns) for numbers in own):
        raise ValueError("sums over other columns than there are")
    products = [[0] * len(columns) for _ in columns]
    for place, square in enumerate(own[2]):
        products[place][place] = square
    for (one, two), number in zip(combinations(range(len(columns)), 2), record["products"], strict=True):
        products[one][two] = products[two][one] = int(number)
    return Levels(columns, rows, sums, squares, tuple(map(tuple, products)))


def _matrix(own: tuple[int, ...], given: Mapping[int, list[int]]) -> Matrix:
    """A row of each column's own number, but for the columns that are given."""
    rows = [[number] * len(own) for number in own]
    for two, column in given.items():
        for row, number in zip(rows, column, strict=True):
            row[two] = int(number)
    return tuple(map(tuple, rows))


def _pairs(places: list[int]) -> Iterator[tuple[int, int]]:
    for index, one in enumerate(places):
        for two in places[index:]:
            yield one, two
