"""Rows set aside: shown, exported, corrected, taken in again."""

from __future__ import annotations

import csv
import json

import pytest
from tests.workspace.lake import BAD, CONTRACT, GOOD

import lastro
from lastro.model.errors import NameRefused, SourceBroken, SourceUnreachable, UnknownName, UsageError


@pytest.fixture
def aside(lake):
    lake.csv.write_text(BAD)
    lake.loans.ingest()
    return lake


def correct(path, target, **fixes):
    """Copies an exported CSV, with cells changed per position; rows without a fix are left out."""
    with path.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["_position"] in fixes]
    with target.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows({**row, **fixes[row["_position"]]} for row in rows)
    return target


def test_the_summary_counts_open_rows_per_rule(aside):
    assert dict(aside.loans.quarantine().summary()) == {
        "uf.enum": 1,
        "id.type": 1,
        "income.range": 1,
        "applied_at.type": 1,
        "primary_key": 1,
        "malformed": 1,
    }


def test_rows_can_be_asked_by_rule_and_limit(aside):
    quarantine = aside.loans.quarantine()

    assert [row["position"] for row in quarantine.rows(rule="id.type")] == [5]
    assert len(quarantine.rows(limit=2)) == 2
    assert len(quarantine.rows(version=0)) == 5


def test_corrected_rows_join_the_dataset_and_are_closed(aside, tmp_path):
    exported = tmp_path / "bad.csv"
    quarantine = aside.loans.quarantine()
    assert quarantine.export(exported) == 5
    fixed = correct(exported, tmp_path / "fixed.csv", **{"4": {"uf": "SP"}, "5": {"id": "5"}, "6": {"income": "1"}})

    result = quarantine.replay(fixed)

    assert (result.counts.read, result.counts.kept, result.counts.quarantined) == (3, 2, 1)
    assert aside.ids() == [1, 2, 3, 4, 5]
    still = quarantine.rows()
    assert [row["rules"] for row in still if row["source"].endswith("fixed.csv")] == [["applied_at.type"]]
    assert sorted(row["position"] for row in still if row["source"].endswith("loans.csv")) == [7, 8]


def test_the_same_corrections_twice_are_taken_once(aside, tmp_path):
    exported = tmp_path / "bad.csv"
    quarantine = aside.loans.quarantine()
    quarantine.export(exported, rule="uf.enum")
    fixed = correct(exported, tmp_path / "fixed.csv", **{"4": {"uf": "SP"}})
    quarantine.replay(fixed)

    again = quarantine.replay(fixed)

    assert again.unchanged
    assert aside.ids() == [1, 2, 3, 4]


def test_json_lines_can_be_corrected_too(aside, tmp_path):
    exported = tmp_path / "bad.jsonl"
    quarantine = aside.loans.quarantine()
    quarantine.export(exported, rule="uf.enum")
    row = json.loads(exported.read_text())
    exported.write_text(json.dumps({**row, "uf": "RJ"}) + "\n")

    quarantine.replay(exported)

    assert aside.ids() == [1, 2, 3, 4]


def test_a_new_snapshot_leaves_the_old_quarantine_behind(aside):
    aside.csv.write_text(GOOD)
    aside.loans.ingest()

    assert aside.loans.quarantine().rows() == []
    assert len(aside.loans.quarantine().rows(version=1)) == 0


@pytest.mark.parametrize("content", ["id,uf\n1,SP\n", "id,_batch,_source,_position\n1,x,y,z\n"])
def test_corrections_that_name_no_row_are_refused(aside, tmp_path, content):
    path = tmp_path / "fixed.csv"
    path.write_text(content)

    with pytest.raises(SourceBroken):
        aside.loans.quarantine().replay(path)
    assert aside.ids() == [1, 2, 3]


def test_rows_that_are_not_open_are_refused(aside, tmp_path):
    path = tmp_path / "fixed.csv"
    path.write_text("id,uf,income,applied_at,_batch,_source,_position\n4,SP,1,2026-01-01,none,x,1\n")

    with pytest.raises(UnknownName):
        aside.loans.quarantine().replay(path)


def test_other_files_are_refused_with_the_kinds_that_work(aside, tmp_path):
    with pytest.raises(UsageError, match="export"):
        aside.loans.quarantine().export(tmp_path / "bad.xlsx")
    with pytest.raises(SourceUnreachable):
        aside.loans.quarantine().replay(tmp_path / "none.csv")


def test_a_repeated_key_is_exported_under_the_sources_names(lake, tmp_path):
    renamed = CONTRACT.replace("      - name: uf\n", "      - name: uf\n        physicalName: UF\n").replace(
        "upper(trim(uf))", "upper(trim(UF))"
    )
    lake.configure(contract=renamed)
    lake.csv.write_text("id,UF,income,applied_at\n1,SP,1.10,2026-01-01\n1,RJ,2.50,2026-01-02\n")
    lake.loans.ingest()
    exported = tmp_path / "aside.csv"
    lake.loans.quarantine().export(exported)

    header = exported.read_text().splitlines()[0]
    result = lake.loans.quarantine().replay(correct(exported, tmp_path / "fixed.csv", **{"2": {"id": "2"}}))

    assert header == "id,UF,income,applied_at,_rules,_source,_position,_batch"
    assert (result.counts.kept, result.counts.quarantined) == (1, 0)
    assert [(row["id"], row["uf"], row["income"]) for row in lake.rows()] == [(1, "SP", 1.1), (2, "RJ", 2.5)]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_row_that_is_refused_again_and_again_stays_correctable(aside, tmp_path, ending):
    quarantine = aside.loans.quarantine()
    for turn, (old, new) in enumerate([("XX", "YY"), ("YY", "ZZ"), ("ZZ", "SP")]):
        exported = tmp_path / f"turn{turn}.{ending}"
        assert quarantine.export(exported, rule="uf.enum") == 1
        exported.write_text(exported.read_text().replace(old, new))
        quarantine.replay(exported)

    assert aside.ids() == [1, 2, 3, 4]
    assert "uf.enum" not in quarantine.summary()


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_row_that_is_set_aside_again_is_the_sources_record_alone(aside, tmp_path, ending):
    exported = tmp_path / f"bad.{ending}"
    quarantine = aside.loans.quarantine()
    quarantine.export(exported)
    exported.write_text("\n".join(line for line in exported.read_text().splitlines() if "primary_key" not in line))

    quarantine.replay(exported)

    found = {row["form"]: json.loads(row["record"]) for row in quarantine.rows() if row["form"] != "text"}
    assert all(set(record) == {"id", "uf", "income", "applied_at"} for record in found.values())
    assert [row["record"] for row in quarantine.rows() if row["form"] == "text"] == ["7,SP"]


def test_an_export_from_before_says_what_to_do(aside, tmp_path):
    exported = tmp_path / "bad.csv"
    quarantine = aside.loans.quarantine()
    quarantine.export(exported, rule="uf.enum")
    quarantine.replay(correct(exported, tmp_path / "fixed.csv", **{"4": {"uf": "YY"}}))

    with pytest.raises(UnknownName, match="set aside anew") as caught:
        quarantine.replay(correct(exported, tmp_path / "again.csv", **{"4": {"uf": "SP"}}))
    assert "lastro quarantine loans --export FILE" in caught.value.do


@pytest.mark.parametrize("length", [52, 53, 63])
def test_a_dataset_with_a_long_name_has_a_quarantine(lake, length):
    name = "n" * length
    (lake.root / "long.csv").write_text(BAD)
    lake.workspace.add("long.csv", name=name)
    contract = lake.root / "contracts" / f"{name}.odcs.yaml"
    contract.write_text(CONTRACT.replace("name: loans", f"name: {name}"))
    workspace = lastro.open(lake.root)

    result = workspace.dataset(name).ingest()

    assert result.counts.quarantined == workspace.dataset(name).quarantine().count() == 5
    verified = workspace.verify(name)
    assert (verified.passed, sorted(verified.tables)) == (True, [name, f"{name}.quarantine"])


def test_a_name_that_is_too_long_is_refused_before_anything_is_read(lake):
    (lake.root / "long.csv").write_text(GOOD)

    with pytest.raises(NameRefused, match="63"):
        lake.workspace.add("long.csv", name="n" * 64)
