"""Corrected rows meet the stored ones as the dataset's mode has it."""

from __future__ import annotations

import csv
import json

import pytest
from tests.workspace.lake import CONTRACT, GOOD, HEADER

from lastro.model.errors import UnknownName

BAD = GOOD + "4,XX,10,2026-01-04\n"


def aside_in(lake, mode: str, *texts: str, contract: str = CONTRACT):
    """One file after another is taken in."""
    lake.configure(mode=mode, contract=contract)
    for number, text in enumerate(texts):
        (lake.root / f"loans{number or ''}.csv").write_text(text)
        lake.loans.ingest()
    return lake.loans.quarantine()


def corrected(quarantine, path, **changes):
    """An export with the same change in every row."""
    quarantine.export(path)
    with path.open(newline="") as stream:
        rows = [{**row, **changes} for row in csv.DictReader(stream)]
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_corrected_row_of_an_upsert_takes_the_place_of_the_stored_one(lake, tmp_path):
    quarantine = aside_in(lake, "upsert", GOOD, HEADER + "2,XX,7,2026-02-02\n")

    result = quarantine.replay(corrected(quarantine, tmp_path / "fixed.csv", uf="SP"))

    assert (result.inserted, result.updated, result.notes) == (0, 1, ())
    assert [(row["id"], row["uf"], row["income"]) for row in lake.rows()][1] == (2, "SP", 7)
    assert quarantine.rows() == []


def test_a_corrected_row_of_a_snapshot_joins_and_removes_nothing(lake, tmp_path):
    quarantine = aside_in(lake, "snapshot", BAD)

    result = quarantine.replay(corrected(quarantine, tmp_path / "fixed.csv", uf="SP"))

    assert (lake.ids(), result.deleted) == ([1, 2, 3, 4], 0)
    assert "correct them at the source" in result.notes[0]
    assert lake.loans.ingest().unchanged


def test_a_corrected_row_of_a_history_is_the_next_state(lake, tmp_path):
    lake.configure(mode="scd2")
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    lake.csv.write_text(GOOD.replace("2,RJ,,2026-01-02", "2,XX,7,2026-02-02"))
    lake.loans.ingest()
    quarantine = lake.loans.quarantine()

    result = quarantine.replay(corrected(quarantine, tmp_path / "fixed.csv", uf="SP"))

    assert [(row["uf"], row["is_current"]) for row in lake.rows() if row["id"] == 2] == [("RJ", False), ("SP", True)]
    assert result.notes == ()


def test_corrections_of_what_the_next_reading_replaces_say_so(lake, tmp_path):
    quarantine = aside_in(lake, "overwrite", BAD)

    result = quarantine.replay(corrected(quarantine, tmp_path / "fixed.csv", uf="SP"))

    assert lake.ids() == [1, 2, 3, 4]
    assert "replaces loans as a whole" in result.notes[0]


def test_one_of_two_open_rows_of_a_key_is_corrected_and_the_other_stays(lake, tmp_path):
    quarantine = aside_in(lake, "upsert", GOOD + "4,XX,10,2026-01-04\n4,YY,11,2026-01-04\n")
    path = tmp_path / "fixed.csv"
    quarantine.export(path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1].replace("XX", "SP")]) + "\n")

    quarantine.replay(path)

    assert [row["income"] for row in lake.rows() if row["id"] == 4] == [10]
    assert ["YY" in row["record"] for row in quarantine.rows()] == [True]


def test_the_same_correction_of_a_second_row_closes_it_too(lake, tmp_path):
    quarantine = aside_in(lake, "upsert", GOOD + "4,XX,10,2026-01-04\n4,XX,10,2026-01-04\n")
    path = tmp_path / "fixed.csv"
    quarantine.export(path)
    lines = path.read_text().replace("XX", "SP").splitlines()
    for line in lines[1:]:
        path.write_text(f"{lines[0]}\n{line}\n")
        quarantine.replay(path)

    assert lake.ids() == [1, 2, 3, 4]
    assert quarantine.rows() == []


@pytest.mark.parametrize("mode", ["append", "upsert", "overwrite"])
def test_corrections_that_are_all_refused_make_no_version(lake, tmp_path, mode):
    quarantine = aside_in(lake, mode, BAD)
    before = lake.loans.table.head()
    path = corrected(quarantine, tmp_path / "fixed.csv", uf="YY")

    result = quarantine.replay(path)
    again = quarantine.replay(path)

    assert (result.unchanged, result.version, result.versions) == (True, before.number, ())
    assert (result.counts.read, result.counts.kept, result.counts.quarantined) == (1, 0, 1)
    assert dict(result.refused)["uf.enum"] == 1
    assert lake.loans.table.head() == before
    assert [json.loads(row["record"])["uf"] for row in quarantine.rows()] == ["YY"]
    assert again.unchanged
    assert quarantine.count() == 1


def test_files_of_one_name_may_be_refused_again_and_again(lake, tmp_path):
    quarantine = aside_in(lake, "append", BAD + "5,XX,11,2026-01-05\n")
    path = tmp_path / "fixed.csv"
    for state in ("YY", "ZZ", "WW"):
        quarantine.replay(corrected(quarantine, path, uf=state))
        assert sorted(json.loads(row["record"])["uf"] for row in quarantine.rows()) == [state, state]

    quarantine.replay(corrected(quarantine, path, uf="SP"))

    assert (lake.ids(), quarantine.rows()) == ([1, 2, 3, 4, 5], [])
    assert len(lake.loans.log()) == 2


def test_refused_corrections_are_past_with_the_version_that_they_were_made_on(lake, tmp_path):
    quarantine = aside_in(lake, "append", BAD, HEADER + "5,SP,1,2026-01-05\n")
    quarantine.replay(corrected(quarantine, tmp_path / "fixed.csv", uf="YY"))

    lake.loans.restore("0")

    assert [json.loads(row["record"])["uf"] for row in quarantine.rows()] == ["XX"]
    quarantine.replay(corrected(quarantine, tmp_path / "more.csv", uf="SP"))
    assert lake.ids() == [1, 2, 3, 4]


def test_who_dies_while_refused_corrections_are_set_aside_has_changed_nothing(lake, tmp_path, monkeypatch):
    from lastro.store import writer

    quarantine = aside_in(lake, "append", BAD)
    path = corrected(quarantine, tmp_path / "fixed.csv", uf="YY")

    def dying(self, change):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(writer.Writer, "commit", dying)
        with pytest.raises(KeyboardInterrupt):
            quarantine.replay(path)
    between = [json.loads(row["record"])["uf"] for row in quarantine.rows()]

    quarantine.replay(path)

    assert between == ["XX"]
    assert [json.loads(row["record"])["uf"] for row in quarantine.rows()] == ["YY"]
    with pytest.raises(UnknownName):
        aside_in(lake, "append").replay(corrected_twice(path, tmp_path / "other.csv"))


def corrected_twice(path, target):
    target.write_text(path.read_text().replace("YY", "ZZ"))
    return target


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_an_unchanged_export_of_repeated_keys_has_the_same_values_again(lake, tmp_path, ending):
    contract = CONTRACT + (
        "        logicalTypeOptions: {format: dd/MM/yyyy}\n"
        "      - name: paid_at\n        logicalType: timestamp\n"
        "        logicalTypeOptions:\n          {format: dd/MM/yyyy HH:mm:ss, timezone: true, "
        "defaultTimezone: America/Sao_Paulo}\n"
    )
    header = "id,uf,income,applied_at,paid_at\n"
    first, second = "1,SP,1.5,31/01/2026,31/01/2026 10:00:00\n", "1,RJ,2.5,28/02/2026,28/02/2026 23:59:59\n"
    quarantine = aside_in(lake, "upsert", header + second + first, contract=contract)
    path = tmp_path / f"aside.{ending}"
    quarantine.export(path)

    result = quarantine.replay(path)

    assert "28/02/2026 23:59:59" in path.read_text()
    assert (result.counts.kept, result.counts.quarantined) == (1, 0)
    (row,) = lake.rows()
    assert (row["uf"], row["applied_at"].isoformat(), row["paid_at"].isoformat()) == (
        "RJ",
        "2026-02-28",
        "2026-03-01T02:59:59+00:00",
    )
