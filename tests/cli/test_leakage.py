"""`leakage`, as a person or another program calls it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def loans(tmp_path: Path, lastro) -> Path:
    """Two loans of each customer; what was collected stands only where a loan went bad."""
    assert lastro("init").code == 0
    lines = [f"{n},{n // 2},{'bad' if n % 3 else 'good'},{'9' if n % 3 else ''}" for n in range(400)]
    (tmp_path / "loans.csv").write_text("id,customer,outcome,collected\n" + "\n".join(lines) + "\n")
    assert lastro("add", "loans.csv", "--as", "loans").code == 0
    assert lastro("ingest", "loans").code == 0
    return tmp_path


def test_a_split_by_rows_leaks_subjects_and_a_late_column(loans, lastro):
    ended = lastro("leakage", "loans", "--split", "id", "--key", "customer", "--target", "outcome")
    found = lastro("leakage", "loans@0", "--split", "id", "--key", "customer", "--target", "outcome", "--json")

    assert ended.code == found.code == 1
    assert "same key" in ended.out
    assert "gives it away by missing" in ended.out
    assert "leaks from loans@0[train] into loans@0[test]" in ended.last
    assert found.json["schema"] == "lastro.leakage/1"
    assert {each["leak"] for each in found.json["leaks"]} >= {"key", "missing"}
    assert sum(found.json["rows"]) == 400


def test_a_split_by_subject_passes(loans, lastro):
    ended = lastro("leakage", "loans", "--split", "customer", "--key", "customer")

    assert ended.code == 0
    assert ended.last == "nothing leaks from loans@0[train] into loans@0[test], of what was looked for"


def test_a_version_leaks_into_itself(loans, lastro):
    ended = lastro("leakage", "loans@0", "loans@0", "--tolerate", "5%")

    assert ended.code == 1
    assert "400 rows of loans@0 (100 %) are in loans@0, too" in " ".join(ended.out.split())


@pytest.mark.parametrize("arguments", [["loans"], ["loans", "loans", "--split", "id"]])
def test_either_two_versions_or_a_split(loans, lastro, arguments):
    ended = lastro("leakage", *arguments)

    assert ended.code == 2
    assert "either two versions are compared, or one is split" in ended.err


def test_a_side_without_rows_is_no_pass(loans, lastro):
    (loans / "one.csv").write_text("id,kind\n" + "".join(f"{n},same\n" for n in range(9)))
    assert lastro("add", "one.csv", "--as", "one").code == lastro("ingest", "one").code == 0
    ended = lastro("leakage", "one", "--split", "kind")

    assert ended.code == 1
    assert ended.last.endswith("has no rows, so that nothing can be told")


def test_sides_without_a_column_in_common_are_a_mistake(loans, lastro):
    (loans / "other.csv").write_text("unrelated\n1\n")
    assert lastro("add", "other.csv", "--as", "other").code == lastro("ingest", "other").code == 0
    ended = lastro("leakage", "loans", "other")

    assert ended.code == 2
    assert "loans@0 and other@0 have no column in common" in ended.err
