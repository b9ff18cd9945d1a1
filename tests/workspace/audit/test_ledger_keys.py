"""A ledger whose key is replaced stays one ledger; whoever holds a checkpoint finds what was changed."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.workspace.guarded import Guarded

from lastro.ledger.export import proof_text
from lastro.model.errors import Corrupted, NotPermitted, UnknownName, UsageError
from lastro.workspace.audit import anchoring
from lastro.workspace.audit.ledger import WorkspaceLedger
from lastro.workspace.workspace import create


def verified(folder: Path, *arguments: str) -> int:
    """The exit code of the verifier that stands alone."""
    return subprocess.run(
        [sys.executable, folder / "verify.py", *arguments], capture_output=True, check=False
    ).returncode


def test_a_rotated_ledger_verifies_from_its_first_key(guarded: Guarded, tmp_path: Path) -> None:
    ledger = guarded.workspace.ledger
    first, old = ledger.key, ledger.checkpoint()

    keys = [ledger.rotate(), ledger.rotate()]
    guarded.read()

    assert ledger.key == first
    assert len({str(first), *map(str, keys)}) == 3
    assert ledger.verify(anchors=[old, ledger.checkpoint()]).passed
    assert not (ledger.state / "keys" / "ledger.key.new").exists()
    ledger.export(tmp_path / "out")
    (tmp_path / "old.txt").write_text(old)
    assert (
        verified(tmp_path / "out", str(tmp_path / "out"), "--key", str(first), "--anchor", str(tmp_path / "old.txt"))
        == 0
    )
    assert verified(tmp_path / "out", str(tmp_path / "out"), "--key", str(keys[0])) == 1


def test_a_proof_leads_through_the_keys(guarded: Guarded, tmp_path: Path) -> None:
    ledger = guarded.workspace.ledger
    ledger.rotate()
    assert ledger.prove(0).keys == ()
    guarded.read()
    ledger.export(tmp_path / "out")
    proof = json.loads(proof_text(ledger.prove(0)))
    (tmp_path / "whole.json").write_text(json.dumps(proof))
    (tmp_path / "cut.json").write_text(json.dumps({**proof, "keys": []}))

    assert len(proof["keys"]) == 1
    assert verified(tmp_path / "out", "--proof", str(tmp_path / "whole.json"), "--key", str(ledger.key)) == 0
    assert verified(tmp_path / "out", "--proof", str(tmp_path / "cut.json"), "--key", str(ledger.key)) == 1


def test_another_process_takes_the_new_key_up(guarded: Guarded) -> None:
    ledger = guarded.workspace.ledger
    other = WorkspaceLedger(ledger.state)
    info = guarded.loans.find("0")
    other.tagged(info, "before")

    ledger.rotate()
    other.tagged(info, "after")

    assert ledger.verify().passed


def test_a_crash_between_announcing_and_putting_in_place_is_mended(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = guarded.workspace.ledger
    monkeypatch.setattr(WorkspaceLedger, "_put_in_place", lambda *_given: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        ledger.rotate()
    monkeypatch.undo()

    again = WorkspaceLedger(ledger.state)
    again.tagged(guarded.loans.find("0"), "after")

    assert again.verify().passed
    assert len((ledger.state / "keys" / "ledger.pub").read_text().splitlines()) == 2


def test_an_old_private_key_signs_nothing_any_more(guarded: Guarded) -> None:
    ledger = guarded.workspace.ledger
    kept = (ledger.state / "keys" / "ledger.key").read_bytes()
    ledger.rotate()
    (ledger.state / "keys" / "ledger.key").write_bytes(kept)

    with pytest.raises(Corrupted, match="not the ledger's"):
        WorkspaceLedger(ledger.state).tagged(guarded.loans.find("0"), "x")


def test_nothing_is_rotated_before_there_is_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(UnknownName):
        create(tmp_path).ledger.rotate()


def test_a_file_of_anchors_holds_many(guarded: Guarded, tmp_path: Path) -> None:
    ledger, path = guarded.workspace.ledger, tmp_path / "anchors.txt"
    assert not ledger.anchored()

    anchoring.into_file(ledger, path)
    anchoring.into_file(ledger, path)
    guarded.read()
    anchoring.into_file(ledger, path)

    notes = anchoring.notes_of(path)
    assert len(notes) == 2
    assert ledger.anchored()
    assert ledger.verify(anchors=notes).passed


def test_an_anchor_finds_a_ledger_that_was_cut_off(guarded: Guarded, tmp_path: Path) -> None:
    ledger, path = guarded.workspace.ledger, tmp_path / "anchors.txt"
    shutil.copytree(ledger.state, tmp_path / "before")
    guarded.read()
    anchoring.into_file(ledger, path)
    ledger.close()
    for each in ledger.state.glob("ledger.sqlite*"):
        each.unlink()
    shutil.copy(tmp_path / "before" / "ledger.sqlite", ledger.state)
    for each in (tmp_path / "before").glob("ledger.sqlite-*"):
        shutil.copy(each, ledger.state)

    assert not WorkspaceLedger(ledger.state).verify(anchors=anchoring.notes_of(path)).passed


def test_what_is_no_anchor_is_told_by_the_audit(guarded: Guarded, tmp_path: Path) -> None:
    path = tmp_path / "anchors.txt"
    path.write_bytes(b"\xff no\n" * 6)

    assert not guarded.workspace.ledger.verify(anchors=anchoring.notes_of(path)).passed


def test_a_tag_in_git_is_an_anchor(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        monkeypatch.setenv(name, "ana")
    for name in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "ana@example.com")
    ledger = guarded.workspace.ledger
    with pytest.raises(UsageError, match="git does not do it"):
        anchoring.into_git(ledger)
    for command in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "begin")):
        subprocess.run(["git", "-C", guarded.root, *command], check=True)

    note, tag = anchoring.into_git(ledger)
    again = anchoring.into_git(ledger)

    assert again == (note, tag)
    assert anchoring.of_git(ledger) == [note]
    assert ledger.verify(anchors=anchoring.of_git(ledger)).passed


def test_what_somebody_touched(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded.policy('permit(principal in Role::"analyst", action, resource) unless { resource.class == "identifier" };')
    guarded.read("id", purpose="audit")
    guarded.read("id", "uf")
    with pytest.raises(NotPermitted):
        guarded.read("cpf")
    monkeypatch.setenv("LASTRO_ACTOR", "bruno")
    with pytest.raises(NotPermitted):
        guarded.read("id")

    (found,) = guarded.workspace.ledger.touched(actor="ana")

    assert (found.reference, found.columns, found.purposes) == ("loans@0", ("id", "uf"), ("audit",))
    assert (found.actions, found.refused) == ({"read": 2}, 1)
    assert guarded.workspace.ledger.touched(actor="bruno")[0].actions == {}


def test_what_a_key_touched(guarded: Guarded) -> None:
    ledger = guarded.workspace.ledger
    first = ledger.key.id.hex()
    second = ledger.rotate().id.hex()
    guarded.read("id")

    before, after = ledger.touched(key=first), ledger.touched(key=second)

    assert [each.actions for each in before] == [{"commit": 1}, {"key": 1}]
    assert [(each.reference, each.actions) for each in after] == [("loans@0", {"read": 1})]
    assert base64.b64decode(str(ledger.key).split("+", 2)[2])[0] == 1
