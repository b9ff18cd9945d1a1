"""Relations: what is missing together by more than chance, in groups; correlations that are hardly by chance."""

from __future__ import annotations

import random

import pyarrow as pa

from lastro.engine.profiling.count import counted
from lastro.engine.profiling.frame import framed
from lastro.model.schema import Field, Primitive, Schema
from lastro.quality.relations import Relations
from lastro.quality.summary import summarise

ROWS = 2_000


def relations(**columns: list[float | None]) -> Relations:
    table = pa.table({name: pa.array(values, pa.float64()) for name, values in columns.items()})
    schema = Schema(tuple(Field(name, Primitive.DOUBLE) for name in columns))
    found = summarise(counted(table.to_batches(), schema, framed(table, schema, frozenset()), frozenset())).relations
    assert found is not None
    return found


def gaps(*places: int, of: int = 10) -> list[float | None]:
    """Numbers that are missing where the row's number leaves one of these rests."""
    return [None if row % of in places else 1.0 for row in range(ROWS)]


def test_columns_that_are_missing_in_the_same_rows_are_one_group() -> None:
    found = relations(street=gaps(1), city=gaps(1), zip=gaps(1), fax=gaps(1, 2, 3), age=gaps())

    assert [(each.columns, each.rows, each.share) for each in found.missing] == [
        (("street", "city", "zip"), 200, 1.0),
        (("city", "fax"), 200, 1 / 3),
        (("street", "fax"), 200, 1 / 3),
        (("zip", "fax"), 200, 1 / 3),
    ]


def test_what_is_missing_together_by_chance_or_always_is_not_told() -> None:
    draw = random.Random(0)
    one, two = ([None if draw.random() < 0.5 else 1.0 for _row in range(ROWS)] for _side in range(2))

    assert relations(one=one, two=two, never=[None] * ROWS).missing == ()


def test_correlations_that_may_be_none_are_not_told() -> None:
    draw = random.Random(0)
    one, two = ([draw.random() for _row in range(ROWS)] for _side in range(2))
    falling = [-value for value in one]

    found = relations(one=one, two=two, falling=falling).correlations

    assert [(each.columns, round(each.value, 3), each.rows) for each in found] == [(("one", "falling"), -1.0, ROWS)]


def test_a_few_rows_and_one_row_correlate_with_nothing() -> None:
    assert relations(one=[1.0, 2.0, 3.0], two=[1.0, 2.0, 3.0]).correlations == ()
    assert relations(one=[1.0], two=[None]) == Relations((), (), ("one", "two"), ("one",))
