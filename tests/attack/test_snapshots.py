"""`nothing new` is only said where the table holds what the batch would make of it."""

from __future__ import annotations

import pytest
from tests.workspace.lake import GOOD, HEADER

import lastro

OTHER = HEADER + "9,SP,1,2026-01-09\n"


def redirect(lake, path):
    text = (lake.root / "lastro.yaml").read_text()
    (lake.root / "lastro.yaml").write_text(text.replace("loans*.csv", path))
    lake.workspace = lastro.open(lake.root)
    return text


def restore_configuration(lake, text):
    (lake.root / "lastro.yaml").write_text(text)
    lake.workspace = lastro.open(lake.root)


def test_a_source_that_comes_back_is_read_again(lake):
    lake.csv.write_text(GOOD)
    (lake.root / "other.csv").write_text(OTHER)
    lake.loans.ingest()
    before = redirect(lake, "other.csv")
    lake.loans.ingest()
    restore_configuration(lake, before)

    result = lake.loans.ingest()

    assert not result.unchanged
    assert lake.ids() == [1, 2, 3]


def test_an_overwrite_after_an_upsert_is_a_snapshot_again(lake):
    lake.configure(mode="upsert")
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    lake.csv.write_text(HEADER + "2,SP,7,2026-01-02\n")
    lake.loans.ingest()

    result = lake.loans.ingest(mode="overwrite")

    assert not result.unchanged
    assert lake.ids() == [2]
    assert lake.loans.ingest(mode="overwrite").unchanged


def test_an_overwrite_of_a_restored_snapshot_takes_the_source_again(lake):
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    lake.csv.write_text(OTHER)
    lake.loans.ingest()
    lake.loans.restore("0")

    result = lake.loans.ingest()

    assert not result.unchanged
    assert lake.ids() == [9]


def test_a_changed_row_among_the_refused_is_something_new(lake):
    lake.csv.write_text(GOOD + "4,XX,10,2026-01-04\n")
    lake.loans.ingest()
    lake.csv.write_text(GOOD + "4,YY,10,2026-01-04\n")

    result = lake.loans.ingest()

    assert not result.unchanged
    assert ["YY" in row["record"] for row in lake.loans.quarantine().rows()] == [True]


def test_the_same_refused_rows_under_another_name_are_nothing_new(lake):
    lake.csv.write_text(GOOD + "4,XX,10,2026-01-04\n")
    lake.loans.ingest()
    lake.csv.write_text(lake.csv.read_text().replace("\n", "\r\n"))

    result = lake.loans.ingest()

    assert result.unchanged


def test_a_restored_version_brings_back_what_was_open_then(lake):
    lake.configure(mode="append")
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    (lake.root / "loans2.csv").write_text(HEADER + "4,XX,10,2026-01-04\n5,SP,10,2026-01-04\n")
    lake.loans.ingest()
    lake.loans.restore("0")
    after_restore = lake.loans.quarantine().rows()

    lake.loans.ingest()

    assert after_restore == []
    assert lake.ids() == [1, 2, 3, 5]
    assert len(lake.loans.quarantine().rows()) == 1


@pytest.mark.parametrize("rows", ["4,YY,10,2026-01-04\n", ""], ids=["others", "none"])
def test_refused_rows_of_an_attempt_that_got_no_further_are_replaced(lake, monkeypatch, rows):
    from lastro.store import writer

    lake.csv.write_text(GOOD + "4,XX,10,2026-01-04\n")
    commit = writer.Writer.commit

    def dying(self, change):
        if self._table.dataset == "loans":
            raise KeyboardInterrupt
        return commit(self, change)

    with monkeypatch.context() as patched:
        patched.setattr(writer.Writer, "commit", dying)
        with pytest.raises(KeyboardInterrupt):
            lake.loans.ingest(key="nightly")
    lake.csv.write_text(GOOD + rows)

    lake.loans.ingest(key="nightly")

    found = lake.loans.quarantine().rows()
    assert [("YY" in row["record"], "XX" in row["record"]) for row in found] == [(True, False)] * bool(rows)
