"""An erasure that was killed is finished by whoever changes tables next, whatever they came for."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from tests.workspace.people import ANA, BAD, BROKEN, HEADER, RUI, People

import lastro
from lastro.governance import erase as law
from lastro.model.errors import LastroError, Locked
from lastro.store.lock import held
from lastro.workspace.rights import erasing

CPF, RUIS = "529.982.247-25", "111.444.777-35"
BASIS = "LGPD art. 18, VI"
ROOT = Path(__file__).resolve().parents[3]
KILLED = """
import os, signal, sys
import lastro
from lastro.store import disk
from lastro.store.erasure import journal

begin, left = journal.begin, int(sys.argv[2])

def ending(places, made):
    begin(places, made)
    move, moves = disk.move, iter(range(left))
    def moving(source, target):
        if next(moves, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        move(source, target)
    disk.move = moving

journal.begin = ending
lastro.open(sys.argv[1]).erase(sys.argv[3], basis=sys.argv[4])
"""


def killed(root: Path, moves: int) -> None:
    """An erasure in another process that is killed between its journal and the renames, or after some of them."""
    path = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", KILLED, str(root), str(moves), CPF, BASIS], env=path, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.fixture(scope="module", params=[0, 2], ids=["journal", "two moves"])
def left(request, tmp_path_factory):
    """A workspace with a derived dataset and rows set aside, and an erasure of Ana that was killed."""
    people = People(tmp_path_factory.mktemp("first"))
    people.deliver(ANA, RUI, BAD)
    people.deliver(ANA.replace("54321098", "87654321"), RUI, name="b.csv")
    (people.root / "transforms").mkdir()
    (people.root / "transforms" / "notes.sql").write_text("SELECT uf || '-' || cpf AS note FROM people")
    people.workspace = lastro.open(people.root)
    people.workspace.build()
    (people.root / "transforms" / "notes.sql").write_text("SELECT cpf AS note, uf FROM people")
    people.workspace.vault.close()
    people.workspace.ledger.close()
    killed(people.root, request.param)
    assert list((people.root / "tables").glob("*/_lastro/erasure/journal.json"))
    return people


@pytest.fixture
def cut(left, tmp_path):
    people = object.__new__(People)
    people.inbox, people.root = tmp_path / "inbox", tmp_path / "lake"
    shutil.copytree(left.inbox, people.inbox)
    shutil.copytree(left.root, people.root)
    people.configure()
    return people


def _replay(people: People) -> None:
    corrected = people.root.parent / "corrected.csv"
    with suppress(LastroError):  # whether it can be taken in is not what is asked here
        corrected.write_text(HEADER)
        people.people.quarantine().replay(corrected)


WRITERS = {
    "ingest": lambda people: people.deliver(RUI, BROKEN, name="c.csv"),
    "build": lambda people: people.workspace.build(),
    "run": lambda people: people.workspace.round(retries=0),
    "restore": lambda people: people.people.restore("0"),
    "rectify": lambda people: people.workspace.subject_rectify(f"cpf={RUIS}", dataset="people", values={"uf": "SP"}),
    "retain": lambda people: people.workspace.retain(apply=True),
    "gc": lambda people: people.workspace.gc(apply=True, grace=timedelta(days=7)),
    "repair": lambda people: people.workspace.repair(apply=True),
    "replay": _replay,
    "erase": lambda people: people.workspace.erase(RUIS, basis=BASIS),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_whoever_changes_tables_finishes_first(cut, writer):
    assert len(law.open_requests(cut.root / erasing.FOLDER)) == 1

    WRITERS[writer](cut)

    workspace = lastro.open(cut.root)
    assert law.open_requests(cut.root / erasing.FOLDER) == ()
    assert workspace.vault.find("cpf", CPF) is None
    certificates = sorted((cut.root / erasing.FOLDER).glob("*.certificate.json"))
    records = [workspace.verify_certificate(path).record for path in certificates]
    assert len(records) == (2 if writer == "erase" else 1)
    assert records[0]["search"]["hits"] == records[0]["search"]["rows"] == 0
    assert workspace.verify(read_data=True).passed
    events = [event.dataset for _number, event in workspace.ledger.events(action="erase")]
    assert sorted(set(events)) == sorted({each["dataset"] for each in records[0]["tables"]} | set(events))
    assert writer == "erase" or len(events) == len(set(events))


@pytest.mark.parametrize("looker", ["retain", "gc", "repair"])
def test_who_only_looks_changes_nothing(cut, looker):
    getattr(cut.workspace, looker)()

    assert len(law.open_requests(cut.root / erasing.FOLDER)) == 1


def test_while_another_erases_nobody_waits(cut):
    with held(cut.root / erasing.FOLDER / "alone.lock", dataset="lastro erase", timeout_s=0):
        cut.deliver(RUI, name="c.csv")

        assert len(law.open_requests(cut.root / erasing.FOLDER)) == 1
    assert len(cut.workspace.resume_erasures()) == 1


def test_two_erasures_do_not_meet(cut, monkeypatch):
    monkeypatch.setattr(erasing, "_PATIENCE_S", 0.1)

    with (
        held(cut.root / erasing.FOLDER / "alone.lock", dataset="lastro erase", timeout_s=0),
        pytest.raises(Locked),
    ):
        cut.workspace.erase(RUIS, basis=BASIS)
    assert len(cut.rows()) >= 1
