"""Summaries: what people read of a profile is what the rows say, as closely as bins can tell."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from lastro.engine.profiling.count import counted
from lastro.engine.profiling.frame import framed
from lastro.model.schema import Field, Primitive, Schema
from lastro.quality.summary import STEPS, ColumnSummary, summarise

SCHEMA = Schema(
    (
        Field("amount", Primitive.DOUBLE),
        Field("age", Primitive.INTEGER),
        Field("day", Primitive.DATE),
        Field("uf", Primitive.STRING),
        Field("cpf", Primitive.STRING),
    )
)


def summary(**columns: list[object]) -> dict[str, ColumnSummary]:
    schema = Schema(tuple(SCHEMA.field(name) for name in columns))
    types = {"amount": pa.float64(), "age": pa.int32(), "day": pa.date32(), "uf": pa.string(), "cpf": pa.string()}
    table = pa.table({name: pa.array(values, types[name]) for name, values in columns.items()})
    withheld = frozenset({"cpf"})
    profile = counted(table.to_batches(), schema, framed(table, schema, withheld), withheld)
    return {column.name: column for column in summarise(profile).columns}


def test_quantiles_mean_and_deviation_are_near_those_of_the_rows() -> None:
    values = np.random.default_rng(0).lognormal(10, 1, 20_000)

    found = summary(amount=values.tolist())["amount"]

    for share, text in found.quantiles:
        assert float(text) == pytest.approx(np.quantile(values, share), rel=0.02), share
    assert found.mean == pytest.approx(values.mean())
    assert found.deviation == pytest.approx(values.std(ddof=1))


def test_quantiles_of_few_numbers_are_those_numbers() -> None:
    found = summary(age=[18] * 10 + [19] * 80 + [70] * 10)["age"]

    assert found.quantiles == ((0.05, "18"), (0.25, "19"), (0.5, "19"), (0.75, "19"), (0.95, "70"))


def test_the_picture_counts_every_row_once_and_no_outlier_squeezes_it() -> None:
    values = [*np.random.default_rng(1).normal(0, 1, 10_000).tolist(), 1e12]

    found = summary(amount=values)["amount"]

    assert len(found.picture) == STEPS
    assert abs(sum(found.picture) - len(values)) <= STEPS
    assert found.high is not None
    assert found.high < 10
    assert max(found.picture) < 2_000


def test_a_number_of_few_stands_in_one_step() -> None:
    found = summary(age=[0] * 50 + [10] * 50)["age"]

    assert [count for count in found.picture if count] == [50, 50]


def test_dates_are_written_as_dates() -> None:
    found = summary(day=[18_000, 18_001, 18_002, None])["day"]

    assert dict(found.quantiles)[0.5] == "2019-04-15"
    assert (found.minimum, found.maximum) == ("2019-04-14", "2019-04-16")
    assert found.missing_share == 0.25


def test_values_come_with_their_counts_and_others_together() -> None:
    found = summary(uf=["SP"] * 5 + ["RJ"] * 3 + [f"{number}" for number in range(4)])["uf"]

    assert found.values == (("SP", 5), ("RJ", 3))
    assert (found.others, found.complete) == (4, False)


@pytest.mark.parametrize("values", [[], [None], [float("nan")], [float("inf")], [5.0], [5.0] * 100])
def test_hardly_any_number_has_a_summary(values: list[float | None]) -> None:
    found = summary(amount=values)["amount"]

    assert found.rows == len(values)
    assert sum(found.picture) == sum(value is not None and np.isfinite(value) for value in values)
    assert found.to_dict()["name"] == "amount"


def test_of_a_withheld_column_nothing_but_the_missing_is_told() -> None:
    found = summary(cpf=["111", None])["cpf"]

    assert found == ColumnSummary("cpf", "string", 2, 1, withheld=True)
