"""Who reads, counts or builds while somebody is erased sees each file before or after, and leaves nothing behind."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from tests.workspace.people import ANA, RUI, People

import lastro
from lastro.pipeline import profiling
from lastro.store import disk

CPF = "529.982.247-25"
BASIS = "LGPD art. 18, VI"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> People:
    people = People(tmp_path_factory.mktemp("first"))
    people.deliver(ANA, RUI)
    people.deliver(RUI.replace("43210987", "33210987"), name="b.csv")
    people.workspace.vault.close()
    people.workspace.ledger.close()
    return people


@pytest.fixture
def made(first: People, tmp_path: Path) -> People:
    people = object.__new__(People)
    people.inbox, people.root = tmp_path / "inbox", tmp_path / "lake"
    shutil.copytree(first.inbox, people.inbox)
    shutil.copytree(first.root, people.root)
    people.configure()
    return people


def test_handles_of_before_read_on_at_every_rename(made, monkeypatch):
    token = made.workspace.vault.find("cpf", CPF)
    readers = lastro.open(made.root)
    old = [readers.version(f"people@{number}") for number in range(2)]
    streams = [pa.RecordBatchReader.from_stream(version) for version in old]
    whole = [version.to_arrow().num_rows for version in old]
    move, seen = disk.move, []

    def moving(source: Path, target: Path) -> None:
        move(source, target)
        for number, version in enumerate(old):
            for handle in (version, lastro.open(made.root).version(f"people@{number}")):
                rows = handle.to_arrow()
                handle.prove()
                seen.append((number, rows.num_rows, len(set(map(str, rows.to_pylist())))))

    monkeypatch.setattr(disk, "move", moving)
    made.workspace.erase(CPF, basis=BASIS)
    monkeypatch.undo()

    assert {rows for number, rows, _different in seen if number == 0} == {whole[0], whole[0] - 1}
    assert {rows for number, rows, _different in seen if number == 1} == {whole[1], whole[1] - 1}
    assert all(rows == different for _number, rows, different in seen)
    assert [sum(batch.num_rows for batch in stream) for stream in streams] in (whole, [each - 1 for each in whole])
    assert [len(version) for version in old] == [each - 1 for each in whole]
    assert all(token not in str(version.to_arrow().to_pylist()) for version in old)


def test_a_build_in_between_brings_nobody_back(made, monkeypatch):
    token = made.workspace.vault.find("cpf", CPF)
    (made.root / "transforms").mkdir()
    (made.root / "transforms" / "aaa.sql").write_text("SELECT cpf, uf FROM people")
    lastro.open(made.root).build()
    (made.root / "transforms" / "aaa.sql").write_text("SELECT cpf, uf || uf AS uf FROM people")
    move, building = disk.move, []

    def moving(source: Path, target: Path) -> None:
        if "people/" in str(target) and not building:  # the rows of `aaa` are gone, those of `people` not yet
            building.append(threading.Thread(target=lastro.open(made.root).build))
            building[0].start()
            building[0].join(timeout=20)
        move(source, target)

    monkeypatch.setattr(disk, "move", moving)
    result = made.workspace.erase(CPF, basis=BASIS)
    monkeypatch.undo()

    [thread] = building
    thread.join()
    workspace = lastro.open(made.root)
    assert (result.hits, len(workspace.dataset("aaa").table.history())) == (0, 2)
    for number in range(2):
        assert token not in str(workspace.version(f"aaa@{number}").to_arrow().to_pylist())
    assert workspace.verify(read_data=True).passed


def test_a_profile_that_was_counted_before_is_not_kept_after(made, monkeypatch):
    shutil.rmtree(made.root / "tables" / "people" / "_lastro" / "profiles")
    kept = profiling.kept

    def slowly(*given, **named):
        found = kept(*given, **named)
        lastro.open(made.root).erase(CPF, basis=BASIS)
        return found

    monkeypatch.setattr(profiling, "kept", slowly)
    made.people.profile("1")
    monkeypatch.undo()

    assert not list((made.root / "tables" / "people" / "_lastro" / "profiles").glob("*"))
    made.people.profile("1")
    assert (made.root / "tables" / "people" / "_lastro" / "profiles" / "1.json.gz").exists()
