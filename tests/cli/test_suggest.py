"""`suggest`, as a person or another program calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

ROWS = "id,state\n" + "".join(f"{number},{'SP' if number % 3 else 'RJ'}\n" for number in range(600))


@pytest.fixture
def orders(tmp_path: Path, lastro) -> Path:
    """A dataset whose contract says nothing but types."""
    assert lastro("init").code == 0
    (tmp_path / "orders.csv").write_text(ROWS)
    (tmp_path / "contracts" / "orders.odcs.yaml").write_text(
        "apiVersion: v3.2.0\nkind: DataContract\nid: orders\nversion: 1.0.0\nschema:\n  - name: orders\n"
        "    properties:\n      - name: id\n        logicalType: integer\n      - name: state\n"
        "        logicalType: string\n"
    )
    (tmp_path / "lastro.yaml").write_text(
        "lastro: 1\ndatasets:\n  orders:\n    contract: contracts/orders.odcs.yaml\n    mode: overwrite\n"
        "    source: {kind: files, path: orders.csv}\n"
    )
    assert lastro("ingest", "orders").code == 0
    return tmp_path


def test_rules_are_shown_and_nothing_is_written(orders, lastro):
    before = (orders / "contracts" / "orders.odcs.yaml").read_text()

    ended = lastro("suggest", "orders")
    found = lastro("suggest", "orders@0", "--json").json

    assert ended.code == 0
    assert "one of RJ, SP" in ended.out
    assert ended.last == "4 rules suggested, nothing written. next: lastro suggest orders --write"
    assert found["schema"] == "lastro.suggest/1"
    assert found["versions"] == ["orders@0"]
    assert found["written"] is None
    assert [(each["kind"], each["column"]) for each in found["suggestions"]] == [
        ("required", "id"),
        ("unique", "id"),
        ("required", "state"),
        ("enum", "state"),
    ]
    assert (orders / "contracts" / "orders.odcs.yaml").read_text() == before


def test_written_rules_are_in_the_contract_and_not_suggested_again(orders, lastro):
    found = lastro("suggest", "orders", "--write", "--json").json

    again = lastro("suggest", "orders", "--write")
    checked = lastro("contract", "check", "contracts/orders.odcs.yaml", "--json").json

    assert Path(found["written"]).name == "orders.odcs.yaml"
    assert again.last == "orders has every rule that its versions speak for, or too few rows"
    assert checked["version"] == "1.1.0"
    assert lastro("ingest", "orders").code == 0


def test_versions_of_two_datasets_are_refused(orders, lastro):
    ended = lastro("suggest", "orders", "others")

    assert ended.code == 2
    assert "orders and others are two datasets" in ended.err
