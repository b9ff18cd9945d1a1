"""What is done in a workspace is in its ledger: before rows are handed out, and after a crash, too."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

import lastro
from lastro.model.errors import Corrupted, LastroError, NotPermitted, UnknownName, WriteFailed
from lastro.workspace.audit.ledger import actor
from lastro.workspace.workspace import Workspace, create


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    create(tmp_path)
    (tmp_path / "loans.csv").write_text("id,uf,income\n1,SP,10\n2,RJ,20\n3,MG,30\n")
    workspace = lastro.open(tmp_path)
    workspace.add("loans.csv", name="loans", mode="overwrite")
    return lastro.open(tmp_path)


def again(workspace: Workspace, rows: str) -> None:
    (workspace.root / "loans.csv").write_text(f"id,uf,income\n{rows}")
    workspace.dataset("loans").ingest()


def told(workspace: Workspace) -> list[tuple[str, str, int | None, tuple[str, ...]]]:
    events = (event for _number, event in workspace.ledger.events())
    return [(event.action, event.dataset, event.version, event.columns) for event in events]


def test_commits_readings_and_tags_are_told(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_ACTOR", "ana")
    loans = workspace.dataset("loans")
    loans.ingest()
    loans.tag("approved")
    workspace.version("loans@approved").to_arrow("income", where="uf = 'SP'")

    assert told(workspace) == [
        ("commit", "loans", 0, ()), ("tag", "loans", 0, ()), ("read", "loans", 0, ("income",))
    ]  # fmt: skip
    events = [event for _number, event in workspace.ledger.events()]
    assert {event.actor for event in events} == {"ana"}
    assert (events[0].rows, events[1].about, events[2].about) == (3, {"tag": "approved"}, {"filtered": 1})
    assert workspace.ledger.verify().passed


def test_no_literal_of_a_query_is_in_the_ledger(workspace: Workspace) -> None:
    workspace.dataset("loans").ingest()
    workspace.version("loans").to_arrow("income", where="uf = 'SECRET-4711'")
    for path in (workspace.root / ".lastro").glob("ledger.sqlite*"):
        assert b"4711" not in path.read_bytes()


def test_a_reading_in_a_run_names_the_run(workspace: Workspace) -> None:
    workspace.dataset("loans").ingest()
    with workspace.run("train", inputs=["loans"]) as run:
        run.read("loans").to_arrow()

    *_before, (_number, last) = workspace.ledger.events(action="read")
    assert last.run == run.id


def test_nothing_new_is_no_event(workspace: Workspace) -> None:
    loans = workspace.dataset("loans")
    loans.ingest()
    before = told(workspace)
    loans.ingest()

    assert told(workspace) == before


def test_what_a_crash_kept_out_comes_with_the_next_commit(workspace: Workspace) -> None:
    again(workspace, "1,SP,10\n")
    for ending in ("", "-wal", "-shm"):
        path = workspace.root / ".lastro" / f"ledger.sqlite{ending}"
        path.unlink(missing_ok=True)
    workspace = lastro.open(workspace.root)
    again(workspace, "1,SP,11\n")
    again(workspace, "1,SP,12\n")

    assert [version for _action, _dataset, version, _columns in told(workspace)] == [0, 1, 2]


def test_without_a_record_no_row_is_handed_out(workspace: Workspace) -> None:
    workspace.dataset("loans").ingest()
    workspace = lastro.open(workspace.root)
    (workspace.root / ".lastro" / "keys" / "ledger.key").chmod(0o644)

    with pytest.raises(NotPermitted, match="0600"):
        workspace.version("loans").to_arrow()


def test_a_commit_that_could_not_be_recorded_says_that_it_holds(workspace: Workspace) -> None:
    workspace.dataset("loans").ingest()
    (workspace.root / ".lastro" / "keys" / "ledger.key").chmod(0o644)
    workspace = lastro.open(workspace.root)

    with pytest.raises(NotPermitted, match=r"loans@1 is committed; only the ledger lacks it"):
        again(workspace, "1,SP,11\n")
    (workspace.root / ".lastro" / "keys" / "ledger.key").chmod(0o600)
    again(lastro.open(workspace.root), "1,SP,12\n")
    assert [version for _action, _dataset, version, _columns in told(workspace)] == [0, 1, 2]


def test_readings_can_be_left_out(workspace: Workspace) -> None:
    with (workspace.root / "lastro.yaml").open("a") as file:
        file.write("ledger:\n  reads: false\n")
    workspace = lastro.open(workspace.root)
    workspace.dataset("loans").ingest()
    workspace.version("loans").to_arrow()

    assert [action for action, *_rest in told(workspace)] == ["commit"]


@pytest.mark.parametrize("written", ["ledger: no", "ledger: {reads: sometimes}", "ledger: {read: false}"])
def test_what_cannot_be_meant_is_refused(workspace: Workspace, written: str) -> None:
    with (workspace.root / "lastro.yaml").open("a") as file:
        file.write(f"{written}\n")

    with pytest.raises(LastroError, match=r"LST-0203(?s:.*)ledger"):
        lastro.open(workspace.root)


def test_an_empty_workspace_has_nothing_to_prove(tmp_path: Path) -> None:
    ledger = create(tmp_path).ledger

    assert list(ledger.events()) == []
    for asked in (ledger.checkpoint, ledger.verify, lambda: ledger.prove(0), lambda: ledger.export(tmp_path / "out")):
        with pytest.raises(UnknownName, match="nothing was recorded yet"):
            asked()
    assert not (tmp_path / ".lastro" / "ledger.sqlite").exists()


def test_a_changed_event_is_found_and_an_older_copy_needs_an_anchor(workspace: Workspace) -> None:
    workspace.dataset("loans").ingest()
    path = workspace.root / ".lastro" / "ledger.sqlite"
    workspace.ledger.close()  # what was written is in the file itself then
    shutil.copy(path, workspace.root / "older.sqlite")
    workspace.version("loans").to_arrow()
    anchor = workspace.ledger.checkpoint()
    assert workspace.ledger.verify(anchors=[anchor]).passed
    workspace.ledger.close()

    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("UPDATE event SET content = replace(content, 'read', 'look')")
    connection.close()
    assert not workspace.ledger.verify().passed
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    (workspace.root / "older.sqlite").replace(path)
    assert workspace.ledger.verify().passed
    assert not workspace.ledger.verify(anchors=[anchor]).passed


def test_a_link_is_not_followed(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (workspace.root / ".lastro" / "keys").symlink_to(outside)

    with pytest.raises(LastroError, match="keys"):
        lastro.open(workspace.root)


def test_the_actor_is_the_account_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LASTRO_ACTOR", raising=False)
    monkeypatch.setenv("LOGNAME", "conta")
    assert actor() == "conta"
    monkeypatch.setenv("LASTRO_ACTOR", " robô\n")
    assert actor() == "robô"


def test_a_public_key_that_is_lost_is_not_made_up(workspace: Workspace) -> None:
    workspace.dataset("loans").ingest()
    (workspace.root / ".lastro" / "keys" / "ledger.pub").write_text("no key\n")

    with pytest.raises(LastroError, match="public key cannot be read"):
        lastro.open(workspace.root).version("loans").to_arrow()


def test_a_private_key_that_is_lost_is_not_made_anew(workspace: Workspace) -> None:
    workspace.dataset("loans").ingest()
    (workspace.root / ".lastro" / "keys" / "ledger.key").unlink()

    with pytest.raises(Corrupted, match="private key is gone"):
        lastro.open(workspace.root).version("loans").to_arrow()
    assert workspace.ledger.verify().passed


def test_a_key_of_another_ledger_signs_nothing(workspace: Workspace) -> None:
    workspace.dataset("loans").ingest()
    (workspace.root / ".lastro" / "keys" / "ledger.key").write_bytes(b"k" * 32)

    with pytest.raises(Corrupted, match="private key is not"):
        lastro.open(workspace.root).version("loans").to_arrow()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_workspace_says_how_to_read_without_a_record(workspace: Workspace) -> None:
    workspace.dataset("loans").ingest()
    (workspace.root / ".lastro").chmod(0o500)
    with pytest.raises(WriteFailed, match="reads: false"):
        lastro.open(workspace.root).version("loans").to_arrow()


def test_an_actor_of_bytes_that_are_no_text_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_ACTOR", "jo\udce3o")

    assert actor() == r"jo\udce3o"


def test_a_ledger_that_was_deleted_is_told(workspace: Workspace) -> None:
    workspace.dataset("loans").ingest()
    workspace.ledger.close()
    for ending in ("", "-wal", "-shm"):
        (workspace.root / ".lastro" / f"ledger.sqlite{ending}").unlink(missing_ok=True)

    assert not lastro.open(workspace.root).ledger.verify().passed


@pytest.mark.parametrize(("name", "error"), [("ledger.key", NotPermitted), ("ledger.pub", Corrupted)])
def test_a_key_that_is_a_pipe_is_refused_and_not_waited_for(
    workspace: Workspace, name: str, error: type[LastroError]
) -> None:
    workspace.dataset("loans").ingest()
    path = workspace.root / ".lastro" / "keys" / name
    path.unlink()
    os.mkfifo(path, 0o600)

    with pytest.raises(error):
        lastro.open(workspace.root).version("loans").to_arrow()
