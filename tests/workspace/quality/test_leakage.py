"""Leakage between versions, and between the views of one."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from tests.workspace.lake import Lake

from lastro.model.errors import UnknownName, UsageError
from lastro.quality.leakage import Leak

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: loans
version: 1.0.0
schema:
  - name: loans
    properties:
      - name: id
        logicalType: integer
      - name: customer
        logicalType: string
        classification: restricted
      - name: amount
        logicalType: number
      - name: collected
        logicalType: string
      - name: tags
        logicalType: array
        items:
          logicalType: string
      - name: bad
        logicalType: boolean
"""


def table(numbers: range, *, collected: bool = False) -> pa.Table:
    """Loans of a customer each, whose target nothing tells unless what was collected does."""
    draw = random.Random(numbers.start)
    bad = [draw.random() < 0.3 for _number in numbers]
    return pa.table(
        {
            "id": list(numbers),
            "customer": [f"c{number // 2}" for number in numbers],
            "amount": [draw.uniform(0, 100) for _number in numbers],
            "collected": pa.array(["x" if collected and each else None for each in bad], pa.string()),
            "tags": [[str(number)] for number in numbers],
            "bad": bad,
        }
    )


@pytest.fixture
def sides(lake: Lake) -> Lake:
    """Version 0 is to train on; 1 is clean, 2 shares rows and customers with 0."""
    lake.configure(contract=CONTRACT)
    first = table(range(1_000), collected=True)
    lake.loans.ingest(data=first)
    lake.loans.ingest(data=table(range(1_000, 1_300)))
    lake.loans.ingest(data=pa.concat_tables([first.slice(0, 5), table(range(5, 200))]))
    return lake


def test_sides_that_share_nothing_pass(sides: Lake) -> None:
    found = sides.workspace.leakage("loans@0", "loans@1", key=["customer"])

    assert found.passed
    assert found.rows == (1_000, 300)


def test_shared_rows_and_subjects_and_a_column_that_comes_after_the_target_are_told(sides: Lake) -> None:
    found = sides.workspace.leakage("loans@0", "loans@2", key=["customer"], target="bad")

    assert [(each.leak, each.rows, each.column) for each in found.leaks] == [
        (Leak.KEY, 200, None),
        (Leak.EQUAL, 5, None),
        (Leak.MISSING, 1_000, "collected"),
    ]
    assert "c0" not in str(found.to_dict())


def test_views_of_a_split_are_compared_and_nothing_is_left_behind(sides: Lake) -> None:
    version = sides.workspace.version("loans@0")
    by_row, by_customer = version.split("id"), version.split("customer")

    careless = sides.workspace.leakage(by_row["train"], by_row["test"], key=["customer"])
    careful = sides.workspace.leakage(by_customer["train"], by_customer["test"], key=["customer"])

    assert [each.leak for each in careless.leaks] == [Leak.KEY]
    assert careful.passed
    assert sum(careful.rows) == 1_000
    assert not list((sides.root / ".lastro" / "staging").rglob("*.parquet"))


def test_what_is_tolerated_is_not_told(sides: Lake) -> None:
    assert not sides.workspace.leakage("loans@0", "loans@2").passed
    assert sides.workspace.leakage("loans@0", "loans@2", tolerated=0.03).passed


def test_columns_must_be_there_on_both_sides_and_plain(sides: Lake) -> None:
    with pytest.raises(UnknownName, match="no column gone"):
        sides.workspace.leakage("loans@0", "loans@1", target="gone")
    with pytest.raises(UsageError, match="neither a key nor a target"):
        sides.workspace.leakage("loans@0", "loans@1", key=["tags"])
    with pytest.raises(UsageError, match="no share"):
        sides.workspace.leakage("loans@0", "loans@1", tolerated=1)
