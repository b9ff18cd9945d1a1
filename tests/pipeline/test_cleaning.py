"""What cleaning did is told of every batch, summed over an ingestion, and kept with the version."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as Number

import pyarrow as pa
import pytest
from tests.pipeline.changing import Changing
from tests.pipeline.feeds import Feed, plan_of, rows_of, target_in
from tests.pipeline.test_batches import ROWS, Queue

from lastro.model.cleaning import Cleaned
from lastro.model.finding import Policy
from lastro.model.plan import CastHolds, NotNull, Plan, RowRule
from lastro.model.schema import Primitive
from lastro.model.version import Mode
from lastro.pipeline.ingest import ingest

TEXTS = pa.schema([("id", pa.int64()), ("value", pa.string())])


def cleaned(expression: str, *rules: RowRule) -> Plan:
    plan = plan_of(row_rules=rules)
    return replace(plan, columns=(plan.columns[0], replace(plan.columns[1], expression=expression)))


def test_the_batches_of_one_ingestion_add_up(tmp_path):
    target, seen = target_in(tmp_path, cleaned("nullif(value, 0) * 1")), []

    result = ingest(target, Queue(ROWS), mode=Mode.APPEND, on_commit=seen.append)

    assert result.cleaning == (Cleaned("value", 7, missing_before=0, missing_after=1, changed=1),)
    assert [info.origin.cleaning["value"]["rows"] for info in seen] == [2, 2, 2, 1]
    assert [info.origin.cleaning["value"]["changed"] for info in seen] == [1, 0, 0, 0]


def test_the_first_result_tells_it_again_under_the_same_key(tmp_path):
    target = target_in(tmp_path, cleaned("value + 1"))
    first = ingest(target, Queue(ROWS[:2]), mode=Mode.APPEND, key="night")

    again = ingest(target, Queue(ROWS), mode=Mode.APPEND, key="night")

    assert again.unchanged
    assert again.cleaning == first.cleaning == (Cleaned("value", 2, 0, 0, 2),)


def test_an_upsert_tells_of_the_rows_it_brought_not_of_those_it_changed(tmp_path):
    rule = RowRule("value.type", CastHolds("value"), Policy.QUARANTINE, column="value")
    plan = cleaned("replace(trim(value), '.', '')", rule)
    plan = replace(plan, columns=(plan.columns[0], replace(plan.columns[1], type=Primitive.LONG)))
    target = target_in(tmp_path, plan)
    ingest(target, Feed([{"id": 1, "value": "1.000"}, {"id": 2, "value": " 2"}], TEXTS), mode=Mode.UPSERT)

    rows = [{"id": 1, "value": "1000"}, {"id": 2, "value": "x"}, {"id": 3, "value": " "}, {"id": 2, "value": "3.3"}]
    result = ingest(target, Feed(rows, TEXTS), mode=Mode.UPSERT)

    assert rows_of(target) == [(1, 1000), (2, 33)]
    assert result.cleaning == (Cleaned("value", 4, missing_before=1, missing_after=1, changed=2, unreadable=2),)
    assert result.to_dict()["cleaning"][0]["changed"] == 2


def test_a_contract_that_cleans_nothing_leaves_the_version_as_it_always_was(tmp_path):
    target = target_in(tmp_path, plan_of(row_rules=(RowRule("id.required", NotNull("id"), Policy.QUARANTINE),)))

    result = ingest(target, Queue(ROWS[:2]), mode=Mode.APPEND)

    assert result.cleaning == ()
    assert target.table.head().origin.cleaning == {}


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_rows_that_were_read_again_under_a_wider_contract_are_told_of_once(tmp_path, form):
    made = Changing(tmp_path / "lake", form, policy="evolve")
    one = {"id": 1, "uf": "sp", "amount": Number("1.50"), "day": None}

    result = made.ingest(one, {**one, "id": 2**40, "uf": " RJ"}, {**one, "id": 3, "uf": "XX"})

    assert [each.column for each in result.arrived.widened] == ["id"]
    assert result.counts.read == 3
    assert {each.column: each.rows for each in result.cleaning} == {"uf": 3}
