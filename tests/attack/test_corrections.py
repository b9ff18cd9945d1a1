"""Files of corrected rows that lie, repeat themselves, or hold what a file should not."""

from __future__ import annotations

import csv
import json
import threading

import pytest
from tests.workspace.lake import CONTRACT, GOOD

import lastro
from lastro.model.errors import LastroError, SourceBroken, UnknownName, UsageError, WriteFailed


@pytest.fixture
def aside(lake):
    lake.csv.write_text(GOOD + "4,XX,10,2026-01-04\n5,XX,10,2026-01-05\n")
    lake.loans.ingest()
    return lake


def exported(lake, name="bad.jsonl"):
    path = lake.root / name
    lake.loans.quarantine().export(path)
    return path


def corrected(path, target, **changes):
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    target.write_text("".join(json.dumps({**row, "uf": "SP", **changes}) + "\n" for row in rows))
    return target


def test_a_row_that_stands_twice_is_refused(aside):
    fixed = corrected(exported(aside), aside.root / "fixed.jsonl")
    fixed.write_text(fixed.read_text() + fixed.read_text().replace('"id": "', '"id": "1'))

    with pytest.raises(SourceBroken, match="more than once"):
        aside.loans.quarantine().replay(fixed)
    assert aside.ids() == [1, 2, 3]
    assert len(aside.loans.quarantine().rows()) == 2


@pytest.mark.parametrize("field", ["_batch", "_source", "_position"])
def test_rows_that_name_others_are_refused(aside, field):
    fixed = corrected(exported(aside), aside.root / "fixed.jsonl", **{field: "77"})

    with pytest.raises((UnknownName, SourceBroken)):
        aside.loans.quarantine().replay(fixed)
    assert aside.ids() == [1, 2, 3]


def test_two_corrections_of_the_same_rows_at_once_count_once(aside):
    path = exported(aside)
    files = [corrected(path, aside.root / f"fixed{n}.jsonl", income=str(n)) for n in range(3)]
    refused = []

    def replay(file):
        try:
            lastro.open(aside.root).dataset("loans").quarantine().replay(file)
        except LastroError as error:
            refused.append(error)

    threads = [threading.Thread(target=replay, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert aside.ids() == [1, 2, 3, 4, 5]
    assert [type(error) for error in refused] == [UnknownName, UnknownName]


def test_corrections_that_were_restored_away_can_be_taken_in_again(aside):
    fixed = corrected(exported(aside), aside.root / "fixed.jsonl")
    aside.loans.quarantine().replay(fixed)
    aside.loans.restore("0")
    reopened = len(aside.loans.quarantine().rows())

    aside.loans.quarantine().replay(fixed)

    assert reopened == 2
    assert aside.ids() == [1, 2, 3, 4, 5]
    assert aside.loans.quarantine().rows() == []
    with pytest.raises(UnknownName):
        aside.loans.quarantine().replay(fixed)


@pytest.mark.parametrize(
    "content",
    ["[" * 100_000 + "]" * 100_000, '{"_batch": []}', "null", '{"_batch": "x", "_source": "y", "_position": 1.5}'],
    ids=["deep", "list", "null", "half"],
)
def test_hostile_lines_are_refused_without_quoting_them(aside, content):
    path = aside.root / "fixed.jsonl"
    path.write_text(content + "\n")

    with pytest.raises(SourceBroken) as caught:
        aside.loans.quarantine().replay(path)
    assert caught.value.__cause__ is None


def test_cells_beyond_the_csv_modules_own_limit_go_out_and_come_back(lake):
    lake.csv.write_text(GOOD + f"4,{'X' * 200_000},10,2026-01-04\n")
    lake.loans.ingest()
    before = csv.field_size_limit()
    path = exported(lake, "bad.csv")
    path.write_text(path.read_text().replace("X" * 200_000, "SP"))
    lake.loans.quarantine().replay(path)

    assert lake.ids() == [1, 2, 3, 4]
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("name", ["bad.csv", "bad.jsonl"])
def test_an_export_changes_no_value(lake, name):
    lake.configure()
    text = (lake.root / "lastro.yaml").read_text()
    (lake.root / "lastro.yaml").write_text(text.replace("loans*.csv", "in.jsonl"))
    (lake.root / "contracts" / "loans.odcs.yaml").write_text(
        CONTRACT + "      - name: _id\n        logicalType: string\n      - name: note\n        logicalType: string\n"
    )
    lake.workspace = lastro.open(lake.root)
    (lake.root / "in.jsonl").write_text(
        '{"id": 1, "uf": "XX", "income": 1234567890.25, "_id": "k", "note": "a\\u2028b"}\n'
    )
    lake.loans.ingest()

    content = exported(lake, name).read_text()

    assert "1234567890.25" in content
    assert "_id" in content


def test_columns_that_an_export_needs_itself_are_not_overwritten(lake):
    lake.csv.write_text("id,uf,income,applied_at,_source\n4,XX,1,2026-01-04,bank\n")
    (lake.root / "contracts" / "loans.odcs.yaml").write_text(
        CONTRACT + "      - {name: _source, logicalType: string}\n"
    )
    lake.loans.ingest()

    with pytest.raises(UsageError, match="_source"):
        exported(lake)
    assert not list(lake.root.glob(".*tmp"))


def test_an_export_to_nowhere_is_an_error_of_the_tree(aside):
    with pytest.raises(WriteFailed):
        aside.loans.quarantine().export(aside.root / "none" / "bad.csv")
    with pytest.raises(LastroError):
        aside.loans.quarantine().replay(aside.root / ".csv" / "x.csv")
