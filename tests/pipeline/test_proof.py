"""What the source counted is what arrived and what was kept, or nothing is committed."""

from __future__ import annotations

from decimal import Decimal as Number

import pyarrow as pa
import pytest
from tests.pipeline.feeds import Feed, plan_of, target_in

from lastro.model.errors import NotReconciled
from lastro.model.finding import Policy
from lastro.model.plan import CastHolds, RowRule
from lastro.model.reconciliation import ColumnTotals, Reconciliation, Totals
from lastro.model.schema import Decimal, Primitive
from lastro.model.version import Mode
from lastro.pipeline.ingest import ingest

SCHEMA = pa.schema([("id", pa.int64()), ("value", pa.string())])
COLUMNS = {"id": Primitive.LONG, "value": Decimal(30, 2)}
ROWS = [{"id": 1, "value": "12345678901234567890.25"}, {"id": 2, "value": None}, {"id": 3, "value": "0.75"}]
VALUE = ColumnTotals(1, "12345678901234567891.00")
COUNTED = Totals(3, {"id": ColumnTotals(0, "6"), "value": VALUE})
CHECKED = tuple(RowRule(f"{name}.type", CastHolds(name), Policy.QUARANTINE, column=name) for name in COLUMNS)


def ingested(root, source: Totals, arrived: Totals, rows=ROWS):
    target = target_in(root, plan_of(COLUMNS, row_rules=CHECKED))
    feed = Feed(rows, SCHEMA, reconciliation=lambda: Reconciliation(source, arrived))
    return target, ingest(target, feed, mode=Mode.OVERWRITE)


def test_the_proof_stands_in_the_commit_with_what_was_stored(tmp_path):
    target, result = ingested(tmp_path, COUNTED, COUNTED)

    proof = target.table.head().origin.reconciliation
    assert result.reconciled
    assert proof["holds"] is True
    assert proof["source"] == proof["arrived"]
    assert proof["stored"]["rows"] == 3
    assert proof["stored"]["columns"]["value"]["nulls"] == 1
    assert Number(proof["stored"]["columns"]["value"]["sum"]) == Number("12345678901234567891")


@pytest.mark.parametrize(
    ("source", "arrived", "named"),
    [
        (Totals(4), Totals(3), "4 at the source, 3 arrived"),
        (Totals(4), Totals(4), "4 at the source, 3 arrived"),
        (Totals(3, {"id": ColumnTotals(1)}), Totals(3, {"id": ColumnTotals(0)}), "nulls of id"),
        (Totals(3, {"id": ColumnTotals(0, "7")}), Totals(3, {"id": ColumnTotals(0, "6")}), "sum of id"),
        (Totals(3, row_hash="a"), Totals(3, row_hash="b"), "row_hash of all rows"),
        (Totals(3, {"value": ColumnTotals(0)}), Totals(3, {"value": ColumnTotals(0)}), "nulls of value"),
        (Totals(3, {"id": ColumnTotals(0, "9")}), Totals(3, {"id": ColumnTotals(0, "9")}), "sum of id"),
    ],
)
def test_a_difference_fails_the_ingestion_and_commits_nothing(tmp_path, source, arrived, named):
    with pytest.raises(NotReconciled, match=named) as caught:
        ingested(tmp_path, source, arrived)

    assert "nothing was committed" in caught.value.state
    assert "1234567890" not in str(caught.value)
    assert not (tmp_path / "tables" / "loans" / "_delta_log").exists()


def test_rows_that_were_set_aside_are_not_held_against_the_proof(tmp_path):
    rows = [*ROWS, {"id": 4, "value": "broken"}]
    counted = Totals(4, {"value": ColumnTotals(1)})

    target, result = ingested(tmp_path, counted, counted, rows)

    assert (result.counts.kept, result.counts.quarantined, result.reconciled) == (3, 1, True)
    assert "stored" not in target.table.head().origin.reconciliation


def test_a_version_without_a_proof_is_digested_as_before(tmp_path):
    target = target_in(tmp_path)
    ingest(target, Feed([{"id": 1, "value": 1}]), mode=Mode.APPEND)

    record = target.table.log.manifest(0).record["origin"]

    assert not {"reconciliation", "more", "whole", "changes"} & record.keys()
