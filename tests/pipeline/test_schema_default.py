"""What becomes of a changed source where `lastro.yaml` says nothing about it: as ever, but no longer in silence."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.workspace.lake import GOOD

import lastro
from lastro.model.errors import SourceBroken

MORE = "id,uf,income,applied_at,product\n1,sp,1000.5,2026-01-01,home\n2,RJ,,2026-01-02,\n"
LESS = "id,uf,income\n1,sp,1000.5\n"
RENAMED = "id,uf,incomes,applied_at\n1,sp,1000.5,2026-01-01\n"
RECORDS = (
    {"id": 1, "uf": "sp", "income": 10, "applied_at": "2026-01-01"},
    {"id": 2, "uf": "RJ", "income": None, "applied_at": "2026-01-02", "product": {"kind": "home"}},
)


def typed(**changes):
    columns = {
        "id": pa.array([1, 2], pa.int64()),
        "uf": ["SP", "RJ"],
        "income": pa.array([1.5, None], pa.float64()),
        "applied_at": pa.array(["2026-01-01", "2026-01-02"]),
    }
    return pa.table({**columns, **changes})


def test_a_column_more_in_csv_is_left_out(lake):
    lake.csv.write_text(MORE)

    result = lake.loans.ingest()

    assert result.counts.kept == 2
    assert lake.loans.version().schema.names == ("id", "uf", "income", "applied_at")


def test_a_column_less_in_csv_refuses_the_batch(lake):
    lake.csv.write_text(LESS)

    with pytest.raises(SourceBroken, match="'applied_at'") as caught:
        lake.loans.ingest()

    assert "nothing was committed" in caught.value.state


def test_a_renamed_column_refuses_the_batch_and_the_near_name_is_told(lake):
    lake.csv.write_text(RENAMED)

    with pytest.raises(SourceBroken, match="'income'") as caught:
        lake.loans.ingest()

    assert "incomes" in caught.value.do
    assert "physicalName" in caught.value.do


def test_values_of_another_type_in_csv_are_set_aside_one_by_one(lake):
    lake.csv.write_text(GOOD.replace("300", "three hundred"))

    result = lake.loans.ingest()

    assert (result.counts.kept, result.refused["income.type"]) == (2, 1)


def test_a_member_more_in_json_is_left_out_and_one_less_is_missing(lake):
    settings = "lastro: 1\ndatasets:\n  loans:\n    source: {kind: files, path: 'loans*.jsonl'}\n"
    (lake.root / "lastro.yaml").write_text(settings)
    lake.workspace = lastro.open(lake.root)
    lines = [*map(json.dumps, RECORDS), json.dumps({"id": 3, "uf": "MG"})]
    (lake.root / "loans.jsonl").write_text("\n".join(lines))

    result = lake.loans.ingest()

    assert result.counts.kept == 3
    assert lake.rows()[2] == {"id": 3, "uf": "MG", "income": None, "applied_at": None}
    assert "product" not in lake.loans.version().schema.names


def test_a_column_more_in_parquet_is_left_out(lake):
    settings = "lastro: 1\ndatasets:\n  loans:\n    source: {kind: files, path: 'loans*.parquet'}\n"
    (lake.root / "lastro.yaml").write_text(settings)
    lake.workspace = lastro.open(lake.root)
    pq.write_table(typed(product=["home", None]), lake.root / "loans.parquet")

    result = lake.loans.ingest()

    assert result.counts.kept == 2
    assert "product" not in lake.loans.version().schema.names


def test_streams_obey_the_same_rules(lake):
    more = lake.loans.ingest(data=typed(product=["home", None]))

    assert more.counts.kept == 2
    with pytest.raises(SourceBroken, match="'income'"):
        lake.loans.ingest(data=typed().drop_columns(["income"]))


def test_a_type_that_has_no_cast_refuses_the_batch_and_a_wider_one_is_read_value_by_value(lake):
    with pytest.raises(SourceBroken, match="long in the source and date"):
        lake.loans.ingest(data=typed(applied_at=pa.array([1, 2])))

    result = lake.loans.ingest(data=typed(id=pa.array([1.0, 2.5])))

    assert (result.counts.kept, result.refused["id.type"]) == (1, 1)
