"""From a file through its contract into versions, with everything real."""

from __future__ import annotations

import pyarrow as pa
import pytest
from tests.workspace.lake import BAD, CONTRACT, GOOD, HEADER

from lastro.model.errors import (
    BreakingChange,
    ConfigurationError,
    DataRefused,
    SourceUnreachable,
    SqlRefused,
    UnknownName,
)


def test_a_clean_file_becomes_version_zero(lake):
    lake.csv.write_text(GOOD)

    result = lake.loans.ingest()

    assert (result.version, result.unchanged, result.rows_total) == (0, False, 3)
    assert (result.counts.read, result.counts.kept, result.counts.quarantined) == (3, 3, 0)
    assert [row["uf"] for row in lake.rows()] == ["SP", "RJ", "MG"]
    assert lake.rows()[1]["income"] is None


def test_each_bad_row_is_set_aside_with_its_rules_and_its_place(lake):
    lake.csv.write_text(BAD)

    result = lake.loans.ingest()

    rows = {row["position"]: row for row in lake.loans.quarantine().rows()}
    assert (result.counts.read, result.counts.kept, result.counts.quarantined) == (8, 3, 5)
    assert lake.ids() == [1, 2, 3]
    assert {position: row["rules"] for position, row in rows.items()} == {
        4: ["uf.enum"],
        5: ["id.type"],
        6: ["income.range", "applied_at.type"],
        7: ["primary_key"],
        8: ["malformed"],
    }
    assert rows[8]["record"] == "7,SP"
    assert all(row["source"].endswith("loans.csv") for row in rows.values())


def test_the_same_file_makes_no_second_version(lake):
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    lake.csv.touch()

    again = lake.loans.ingest()

    assert (again.unchanged, again.version) == (True, 0)
    assert len(lake.loans.log()) == 1


def test_a_changed_contract_reads_the_same_file_again(lake):
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    lake.configure(contract=CONTRACT.replace("{value: RJ}, {value: MG}]", "{value: RJ}]"))

    result = lake.loans.ingest()

    assert (result.version, result.counts.quarantined) == (1, 1)


def test_append_takes_only_files_not_seen(lake):
    lake.configure(mode="append")
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    (lake.root / "loans-2.csv").write_text(HEADER + "10,SP,1,2026-02-01\n")

    result = lake.loans.ingest()

    assert (result.counts.read, result.rows_total) == (1, 4)
    assert lake.ids() == [1, 2, 3, 10]
    assert lake.ids("0") == [1, 2, 3]


def test_append_of_a_stored_key_is_refused_and_changes_nothing(lake):
    lake.configure(mode="append")
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    (lake.root / "loans-2.csv").write_text(HEADER + "3,SP,1,2026-02-01\n")

    with pytest.raises(DataRefused) as caught:
        lake.loans.ingest()

    assert "upsert" in caught.value.do
    assert "still at version 0" in caught.value.state
    assert lake.ids() == [1, 2, 3]


def test_upsert_replaces_equal_keys_and_keeps_the_last_of_a_batch(lake):
    lake.configure(mode="upsert")
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    lake.csv.write_text(HEADER + "3,SP,1,2026-02-01\n3,RJ,2,2026-02-02\n9,SP,5,2026-02-03\n")

    result = lake.loans.ingest()

    assert (result.inserted, result.updated, result.rows_total) == (1, 1, 4)
    assert (result.counts.read, result.counts.kept, result.counts.quarantined) == (3, 2, 1)
    assert [(row["id"], row["uf"]) for row in lake.rows()] == [(1, "SP"), (2, "RJ"), (3, "RJ"), (9, "SP")]
    assert [(row["id"], row["uf"]) for row in lake.rows("0")] == [(1, "SP"), (2, "RJ"), (3, "MG")]


def test_a_failed_rule_commits_nothing_and_shows_every_finding(lake):
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    policy = "\n        customProperties: [{property: policy, value: fail, vendor: lastro}]"
    lake.configure(contract=CONTRACT.replace("{value: MG}]", "{value: MG}]" + policy))
    lake.csv.write_text(BAD)

    with pytest.raises(DataRefused) as caught:
        lake.loans.ingest()

    assert "uf.enum" in caught.value.what
    assert any(finding.rule == "id.type" for finding in caught.value.findings)
    assert len(lake.loans.log()) == 1
    assert lake.loans.quarantine().rows() == []


def test_a_column_that_goes_breaks_append_but_not_overwrite(lake):
    lake.configure(mode="append")
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    without = CONTRACT[: CONTRACT.index("      - name: applied_at")]
    lake.configure(mode="append", contract=without)
    (lake.root / "loans-2.csv").write_text("id,uf,income\n10,SP,1\n")

    with pytest.raises(BreakingChange, match="does not fit"):
        lake.loans.ingest()
    (lake.root / "loans-2.csv").unlink()
    result = lake.loans.ingest(mode="overwrite")

    assert result.version == 1
    assert lake.loans.version().schema.names == ("id", "uf", "income")


def test_a_new_nullable_column_joins_and_older_rows_read_null(lake):
    lake.configure(mode="append")
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    lake.configure(mode="append", contract=CONTRACT + "      - name: product\n        logicalType: string\n")
    (lake.root / "loans-2.csv").write_text("id,uf,income,applied_at,product\n10,SP,1,2026-02-01,home\n")
    lake.loans.ingest()

    assert [row["product"] for row in lake.rows()] == [None, None, None, "home"]
    assert "product" not in lake.rows("0")[0]


def test_data_in_memory_goes_through_the_same_contract_once_per_key(lake):
    table = pa.table({"id": ["1", "x"], "uf": ["sp", "sp"], "income": [1.0, 2.0], "applied_at": ["2026-01-01"] * 2})

    first = lake.loans.ingest(data=table, mode="append", key="batch-1")
    again = lake.loans.ingest(data=table, mode="append", key="batch-1")

    assert (first.version, first.counts.quarantined) == (0, 1)
    assert (again.version, again.unchanged) == (0, True)


def test_a_missing_file_leaves_the_head(lake):
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    lake.csv.unlink()

    with pytest.raises(SourceUnreachable) as caught:
        lake.loans.ingest()

    assert "still at version 0" in caught.value.state


def test_a_rule_that_reads_files_is_refused_before_anything_is_read(lake):
    lake.configure(contract=CONTRACT.replace("upper(trim(uf))", "(SELECT content FROM read_text('/etc/passwd'))"))

    with pytest.raises(SqlRefused):
        lake.loans.ingest()
    with pytest.raises(SqlRefused):
        lake.loans.plan()


def test_a_crash_between_quarantine_and_commit_leaves_nothing_visible(lake, monkeypatch):
    from lastro.store.writer import Writer

    lake.csv.write_text(BAD)
    commit = Writer.commit

    def crash(self, change):
        if change.schema.names[0] == "id":
            raise KeyboardInterrupt
        return commit(self, change)

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "commit", crash)
        with pytest.raises(KeyboardInterrupt):
            lake.loans.ingest()

    assert lake.loans.log() == ()
    assert lake.loans.quarantine().rows() == []
    assert [path for path in (lake.root / ".lastro" / "staging").rglob("*") if path.name != "lock"] == list(
        (lake.root / ".lastro" / "staging").glob("engine-*")
    )
    lake.loans.ingest()
    assert len(lake.loans.quarantine().rows()) == 5


def test_the_plan_is_shown_and_nothing_is_read(lake):
    view = lake.loans.plan()

    assert [column.name for column in view.plan.columns] == ["id", "uf", "income", "applied_at"]
    assert "upper" in view.sql.lower()


def test_appending_a_whole_table_again_and_again_is_refused(lake):
    (lake.root / "lastro.yaml").write_text(
        "lastro: 1\ndatasets:\n  loans:\n    contract: contracts/loans.odcs.yaml\n    mode: append\n"
        "    source: {kind: sqlite, path: core.db, table: loans}\n"
    )
    import lastro

    with pytest.raises(ConfigurationError, match="all of the source's rows"):
        lastro.open(lake.root).dataset("loans").ingest()


def test_an_unknown_dataset_names_the_known(lake):
    with pytest.raises(UnknownName) as caught:
        lake.workspace.dataset("lones")

    assert "loans" in caught.value.do
