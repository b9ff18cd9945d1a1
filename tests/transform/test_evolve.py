"""What may change in a schema without rewriting the table."""

from __future__ import annotations

import pytest

from lastro.model.errors import BreakingChange
from lastro.model.schema import Decimal, Field, Primitive, Schema
from lastro.transform.evolve import evolve

ID = Field("id", Primitive.LONG, nullable=False)
NAME = Field("name", Primitive.STRING)
STORED = Schema((ID, NAME))


def test_the_same_schema_stays():
    assert evolve(STORED, STORED, dataset="loans") == STORED


def test_a_nullable_column_comes_last_whatever_the_contracts_order():
    extra = Field("income", Decimal(12, 2))

    evolved = evolve(STORED, Schema((extra, NAME, ID)), dataset="loans")

    assert evolved.names == ("id", "name", "income")


def test_a_column_may_become_nullable():
    loose = Field("id", Primitive.LONG)

    assert evolve(STORED, Schema((loose, NAME)), dataset="loans").field("id").nullable


@pytest.mark.parametrize(
    ("wanted", "column"),
    [
        (Schema((ID,)), "name"),
        (Schema((Field("id", Primitive.STRING, nullable=False), NAME)), "id"),
        (Schema((ID, Field("name", Primitive.STRING, nullable=False))), "name"),
        (Schema((ID, NAME, Field("new", Primitive.LONG, nullable=False))), "new"),
    ],
)
def test_what_stored_rows_cannot_keep_is_breaking(wanted, column):
    with pytest.raises(BreakingChange) as caught:
        evolve(STORED, wanted, dataset="loans")

    assert caught.value.where.startswith(f"loans.{column}:")
    assert "overwrite" in caught.value.do
