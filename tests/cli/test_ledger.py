"""`ledger`, as a person, an auditor or another program calls it."""

from __future__ import annotations

import json
import sqlite3
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


def test_events_are_shown_and_given(loans, lastro):
    assert lastro("read", "loans", "--columns", "uf", "-o", "out.csv").code == 0
    shown, given = lastro("ledger", "show"), lastro("ledger", "show", "--dataset", "loans", "--json")

    assert shown.last == "2 events. next: lastro ledger prove 1"
    assert [event["action"] for event in given.json["events"]] == ["commit", "read"]
    assert given.json["events"][1]["columns"] == ["uf"]
    assert lastro("ledger", "show", "--action", "tag").last.startswith("0 events")


def test_a_whole_ledger_and_a_changed_one(loans, lastro):
    assert lastro("ledger", "checkpoint", "--out", "kept.txt").code == 0
    whole = lastro("ledger", "verify", "--anchor", "kept.txt", "--json")
    assert (whole.code, whole.json["passed"], whole.json["anchors"]) == (0, True, 1)

    with sqlite3.connect(loans / ".lastro" / "ledger.sqlite", isolation_level=None) as connection:
        connection.execute("UPDATE event SET content = replace(content, 'overwrite', 'append')")
    connection.close()
    changed = lastro("ledger", "verify")
    assert (changed.code, "checkpoint 0 is of other events" in changed.out) == (3, True)


def test_an_anchor_that_is_no_checkpoint(loans, lastro):
    (loans / "kept.txt").write_bytes(b"\xff\x00 no checkpoint")

    ended = lastro("ledger", "verify", "--anchor", "kept.txt")
    assert (ended.code, "is not signed with the ledger's key" in ended.out) == (3, True)


def test_a_checkpoint_and_a_proof_can_be_redirected_into_files(loans, lastro):
    (loans / "kept.txt").write_text(lastro("ledger", "checkpoint").out, encoding="utf-8")
    assert lastro("ledger", "prove", "0", "-o", "proof.json").code == 0

    assert lastro("ledger", "verify", "--anchor", "kept.txt").code == 0
    assert lastro("ledger", "checkpoint", "--output", "written.txt").code == 0
    assert (loans / "written.txt").read_text(encoding="utf-8") == (loans / "kept.txt").read_text(encoding="utf-8")
    assert lastro("ledger", "prove", "0").out == (loans / "proof.json").read_text(encoding="utf-8")


def test_a_proof_is_written_once(loans, lastro):
    assert lastro("ledger", "prove", "0", "--out", "proof.json").code == 0
    proof = json.loads((loans / "proof.json").read_text())

    assert set(proof) == {"number", "content", "note", "path"}
    assert lastro("ledger", "prove", "0", "--out", "proof.json").code == 2
    assert lastro("ledger", "prove", "7").code == 2
    assert lastro("ledger", "prove", str(1 << 63)).code == 2


def test_an_export_is_a_new_folder(loans, lastro):
    ended = lastro("ledger", "export", "audit")

    assert ended.code == 0
    assert ended.last.startswith("1 event written to audit. next: python audit/verify.py audit --key lastro/")
    assert sorted(path.name for path in (loans / "audit").iterdir()) == [
        "checkpoints.txt", "events.jsonl", "key.txt", "verify.py"
    ]  # fmt: skip
    assert lastro("ledger", "export", "audit").code == 2


@pytest.mark.parametrize("words", [["checkpoint"], ["verify"], ["prove", "0"], ["export", "audit"]])
def test_an_empty_workspace_has_nothing_to_prove(tmp_path, lastro, words):
    assert lastro("init").code == 0

    assert lastro("ledger", *words).code == 2
    assert lastro("ledger", "show").last.startswith("0 events")
