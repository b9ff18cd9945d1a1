"""`report`, as an officer, an auditor or another program calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def loans(tmp_path: Path, lastro) -> Path:
    """A dataset with one version."""
    assert lastro("init").code == 0
    (tmp_path / "loans.csv").write_text("id,uf\n1,SP\n2,RJ\n")
    assert lastro("add", "loans.csv", "--as", "loans").code == 0
    assert lastro("ingest", "loans").code == 0
    return tmp_path


def test_documents_are_shown_given_and_kept(loans, lastro):
    assert lastro("read", "loans", "-o", "out.csv").code == 0
    shown, given = lastro("report", "access"), lastro("report", "access", "loans", "--json")

    assert shown.last == "1 reading, 0 refusals. next: lastro ledger verify"
    assert (given.json["schema"], given.json["kind"]) == ("lastro.report.access/1", "access")
    assert [access["columns"] for access in given.json["accesses"]] == [["id", "uf"]]
    for kind in ("ropa", "dpia", "ripd"):
        assert lastro("report", kind).code == 0
    assert lastro("report", "ropa", "-o", "ropa.md").last.startswith("0 processing activities; written to ropa.md")
    assert (loans / "ropa.md").read_text(encoding="utf-8").startswith("# Record of processing activities")
    control = lastro("report", "control", "--json").json
    assert (control["schema"], {each["state"] for each in control["controls"]}) == (
        "lastro.report.control/1",
        {"in place", "not in place", "unknown"},
    )
    assert lastro("report", "datasheet", "loans@0", "-o", "sheet.html").code == 0
    assert (loans / "sheet.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert lastro("report", "incident", "--actor", "eve", "--since", "2026-01-01", "-o", "incident.json").code == 0
    assert json.loads((loans / "incident.json").read_text(encoding="utf-8"))["schema"] == "lastro.report.incident/1"


def test_a_description_is_printed_or_written(loans, lastro):
    printed = lastro("report", "croissant", "loans")
    written = lastro("report", "croissant", "loans", "-o", "loans.croissant.json", "--json")

    assert (
        json.loads(printed.out) == json.loads((loans / "loans.croissant.json").read_text()) == written.json["croissant"]
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ropa", "nothing"), "there is no dataset nothing"),
        (("ropa", "-o", "ropa.docx"), "ropa.docx does not say how to write it"),
        (("ropa", "-o", "loans.csv"), "loans.csv does not say how to write it"),
        (("datasheet", "loans@9"), "has no version 9"),
        (("incident", "--since", "yesterday"), "is no date or moment"),
        (("croissant", "loans", "-o", "/loans.json.d/x.json"), "do not lie below"),
    ],
)
def test_what_cannot_be_told_is_refused(loans, lastro, arguments, says):
    ended = lastro("report", *arguments)

    assert (ended.code, says in ended.err) == (2, True), ended.err


def test_no_file_is_replaced(loans, lastro):
    assert lastro("report", "ropa", "-o", "kept.md").code == 0
    before = (loans / "kept.md").read_bytes()

    assert lastro("report", "dpia", "-o", "kept.md").code == 2
    assert (loans / "kept.md").read_bytes() == before
