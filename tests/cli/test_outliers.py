"""`outliers` and `history` as a person or another program calls them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.cli.conftest import Lastro

import lastro as package
from lastro.model.errors import UsageError
from lastro.workspace.dataset import Dataset

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: sales
version: 1.0.0
status: active
schema:
  - name: sales
    properties:
      - {name: id, logicalType: integer, primaryKey: true, required: true}
      - {name: amount, logicalType: number}
      - {name: pieces, logicalType: integer}
      - {name: day, logicalType: date}
      - {name: shop, logicalType: string}
      - {name: salary, logicalType: number, classification: confidential}
"""


def rows(first: int, count: int, *, far: int = 0) -> pa.Table:
    """So many rows, the first `far` of which have an amount, pieces and a day like no other."""
    draws = np.random.default_rng(first)
    amount, pieces = draws.lognormal(3, 0.3, count), draws.poisson(4, count)
    day = 20_000 + draws.integers(0, 365, count)
    amount[:far], pieces[:far], day[:far] = 98765.0, 4321, 0
    return pa.table(
        {
            "id": pa.array(range(first, first + count)),
            "amount": pa.array(amount, mask=draws.random(count) < 0.05 * (np.arange(count) >= far)),
            "pieces": pieces,
            "day": pa.array(day.astype(np.int32), pa.date32()),
            "shop": pa.array(np.where(draws.random(count) < 0.7, "A", "B")),
            "salary": draws.normal(size=count),
        }
    )


@pytest.fixture
def sales(tmp_path: Path) -> Dataset:
    package.init(tmp_path)
    (tmp_path / "contracts" / "sales.odcs.yaml").write_text(CONTRACT)
    (tmp_path / "lastro.yaml").write_text("lastro: 1\ndatasets:\n  sales: {mode: append}\n")
    return package.open(tmp_path).dataset("sales")


def test_columns_are_told_the_one_with_most_outliers_first(sales: Dataset, lastro: Lastro) -> None:
    sales.ingest(data=rows(0, 5000, far=3))

    ended, found = lastro("outliers", "sales"), lastro("outliers", "sales", "--json").json

    assert ended.code == 0
    assert "left out: id (a key), salary (withheld)" in ended.out
    assert "sales@0 has outliers in 3 of 3 columns" in ended.last
    assert "98,765" not in ended.out
    by_name = {column["name"]: column for column in found["columns"]}
    assert found["schema"] == "lastro.outliers/1"
    assert by_name["day"]["below"] == 3
    assert by_name["amount"]["above"] >= 3
    assert by_name["amount"]["missing"] > 0
    assert by_name["amount"]["deviations_above"] > 1000


def test_the_limits_of_dates_are_dates(sales: Dataset, lastro: Lastro) -> None:
    sales.ingest(data=rows(0, 1000))

    ended = lastro("outliers", "sales", "--column", "day")

    assert "2023-" in ended.out
    assert ended.last.startswith("sales@0 has no outliers")


def test_rows_are_ranked_and_nothing_is_claimed(sales: Dataset, lastro: Lastro) -> None:
    sales.ingest(data=rows(0, 2000, far=1))

    ended = lastro("outliers", "sales@0", "--rows", "--limit", "2")
    found = lastro("outliers", "sales@0", "--rows", "--json").json

    assert ended.last.startswith("sales@0: the 2 most unusual rows of 2,000, by rank only")
    assert ended.last.endswith("next: lastro read sales@0 -o sales.parquet")
    assert "amount is among the highest" in ended.out
    assert (found["schema"], found["columns"], found["called"]) == ("lastro.outliers.rows/1", ["amount", "pieces"], 0)
    assert found["rows"][0]["row"] == 0


def test_new_rows_are_tested_against_those_of_an_earlier_version(sales: Dataset, lastro: Lastro) -> None:
    sales.ingest(data=rows(0, 20_000))
    sales.ingest(data=rows(50_000, 1000, far=3))

    ended = lastro("outliers", "sales", "--rows", "--against", "0")
    found = lastro("outliers", "sales", "--rows", "--against", "0", "--json").json

    told = (
        " of 1,000 new rows are unlike those of sales@0; of these, at most 10 % are expected to be like them after all"
    )
    assert told in ended.last
    assert 3 <= found["called"] <= 6
    assert (found["tested"], found["against"]) == (1000, "sales@0")
    ids = sales.version().to_arrow("id").column("id").to_pylist()
    assert sorted(ids[row["row"]] for row in found["rows"][:3]) == [50_000, 50_001, 50_002]


def test_too_few_good_rows_for_the_budget_are_told(sales: Dataset, lastro: Lastro) -> None:
    sales.ingest(data=rows(0, 200))
    sales.ingest(data=rows(50_000, 1000, far=3))

    ended = lastro("outliers", "sales", "--rows", "--against", "0")

    assert ended.last.startswith("sales@1: 0 of 1,000 new rows are unlike")
    assert "fewer than 100 rows cannot be called unlike" in ended.out


def test_versions_that_are_the_same_have_no_new_rows(sales: Dataset, lastro: Lastro) -> None:
    sales.ingest(data=rows(0, 100))

    assert lastro("outliers", "sales", "--rows", "--against", "0", "--json").json["tested"] == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--column", "nothing"], "there is no column 'nothing'"),
        (["--column", "salary"], "salary is withheld"),
        (["--column", "shop"], "shop is string, not a number"),
        (["--against", "0"], "are about rows"),
        (["--rows", "--budget", "100%"], "less than all"),
        (["--rows", "--column", "salary"], "salary is withheld"),
    ],
)
def test_what_cannot_be_asked_is_refused(sales: Dataset, lastro: Lastro, words: list[str], told: str) -> None:
    sales.ingest(data=rows(0, 50))

    ended = lastro("outliers", "sales", *words)

    assert ended.code == 2
    assert told in ended.err


@pytest.mark.parametrize("count", [0, 1])
def test_hardly_any_rows_have_a_report(sales: Dataset, lastro: Lastro, count: int) -> None:
    sales.ingest(data=rows(0, 5), mode="overwrite")
    sales.ingest(data=rows(9, count), mode="overwrite")

    assert lastro("outliers", "sales").code == 0
    assert lastro("outliers", "sales", "--rows").code == 0
    assert lastro("outliers", "sales@0", "--rows", "--against", "1").code == (2 if count < 2 else 0)


def test_a_sample_makes_the_limits_and_all_rows_are_counted(sales: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    from lastro.workspace.quality import outlying

    monkeypatch.setattr(outlying, "SAMPLE_ROWS", 500)
    sales.ingest(data=rows(0, 5000, far=3))

    found = {each.name: each for each in sales.outliers().columns}

    assert 300 < found["pieces"].limits.made_of < 700
    assert found["pieces"].counts.rows == 5000
    assert found["day"].counts.below == 3


def grown(sales: Dataset) -> None:
    """Versions of about 100 rows each, the last of 5, all other rows replaced."""
    draws = np.random.default_rng(0)
    for count in (*draws.integers(95, 105, 24).tolist(), 2):
        sales.ingest(data=rows(count * 1000, count), mode="overwrite")


def test_a_metric_is_followed_over_versions(sales: Dataset, lastro: Lastro) -> None:
    grown(sales)

    ended, found = lastro("history", "sales", "--budget", "30"), lastro("history", "sales", "--budget", "30", "--json")

    assert ended.code == 0
    assert ended.last.startswith("rows of sales: lower than expected by the l")
    assert found.json["schema"] == "lastro.history/1"
    assert found.json["values"][-1]["verdict"] == "anomaly"
    assert found.json["values"][0]["verdict"] == "too little history"
    assert len(lastro("history", "sales", "--limit", "3").out.splitlines()) == 6


@pytest.mark.parametrize(
    ("words", "low", "high"),
    [
        (["missing", "--column", "amount"], 0.0, 0.15),
        (["missing", "--column", "salary"], 0.0, 0.0),
        (["mean", "--column", "pieces"], 3.0, 5.0),
        (["share", "--column", "shop", "--value", "A"], 0.5, 0.9),
        (["share", "--column", "shop", "--value", "C"], 0.0, 0.0),
    ],
)
def test_metrics_of_columns_come_from_profiles(
    sales: Dataset, lastro: Lastro, words: list[str], low: float, high: float
) -> None:
    sales.ingest(data=rows(0, 500))

    (value,) = lastro("history", "sales", *words, "--json").json["values"]

    assert low <= value["value"] <= high
    assert value["version"] == "sales@0"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["mean"], "is of one column"),
        (["rows", "--column", "amount"], "is of a whole table"),
        (["mean", "--column", "nothing"], "there is no column 'nothing'"),
        (["mean", "--column", "salary"], "salary is withheld"),
        (["share", "--column", "salary", "--value", "1"], "salary is withheld"),
        (["share", "--column", "shop"], "only the metric share is of one value"),
        (["mean", "--column", "amount", "--value", "A"], "only the metric share is of one value"),
    ],
)
def test_metrics_that_are_none_are_refused(sales: Dataset, lastro: Lastro, words: list[str], told: str) -> None:
    sales.ingest(data=rows(0, 50))

    ended = lastro("history", "sales", *words)

    assert ended.code == 2
    assert told in ended.err


def test_without_a_version_there_is_no_history(sales: Dataset, lastro: Lastro) -> None:
    assert lastro("history", "sales").last.startswith("sales has no rows yet")


def test_an_unknown_metric_or_a_budget_of_nothing_is_refused(sales: Dataset) -> None:
    with pytest.raises(UsageError, match="not followed"):
        sales.history("freshness")
    with pytest.raises(UsageError, match="more than none"):
        sales.history(budget=0.0)
