"""Kills and rivals while a contract is amended: the commit is the truth, and the file follows it."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from tests.pipeline.changing import CONTRACT, Changing

from lastro.contract import load
from lastro.model.errors import WriteFailed

KILLED_AT = {
    "before the commit": "lastro.store.writer:Writer.commit:before",
    "after the commit": "lastro.store.writer:Writer.commit:after",
    "before the contract is written": "lastro.pipeline.contract_file:write_durably:before",
    "after the contract is written": "lastro.pipeline.contract_file:write_durably:after",
    "while the contract is replaced": "pathlib:Path.replace:before",
}
KILLED = """
import os, signal, sys
from importlib import import_module
import lastro
root, place = sys.argv[1:]
module, path, when = place.split(":")
owner = import_module(module)
*parts, name = path.split(".")
for part in parts:
    owner = getattr(owner, part)
real = getattr(owner, name)

def killed(*given, **named):
    mine = name != "replace" or given[0].name.startswith(".loans.odcs.yaml.")
    if when == "before" and mine:
        os.kill(os.getpid(), signal.SIGKILL)
    found = real(*given, **named)
    if mine:
        os.kill(os.getpid(), signal.SIGKILL)
    return found

dataset = lastro.open(root).dataset("loans")
setattr(owner, name, killed)
dataset.ingest()
"""
RIVAL = """
import sys, time
import pyarrow as pa, lastro
root, number, start = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
dataset = lastro.open(root).dataset("loans")
dataset.target()
time.sleep(max(0, start - time.time()))
for step in range(3):
    key = number * 100 + step
    wide = pa.array([key + (1 << 40) * (step == 2)], pa.int64())
    row = pa.table({"id": wide, "uf": ["sp"], "amount": ["1.00"], "day": ["2026-01-01"], f"c{number}_{step}": ["x"]})
    dataset.ingest(data=row, mode="append", key=f"{number}-{step}")
"""


@pytest.mark.parametrize("place", KILLED_AT.values(), ids=KILLED_AT)
def test_a_kill_at_any_step_is_mended_by_the_next_ingestion(tmp_path, place):
    made = Changing(tmp_path / "lake", "csv", policy="evolve")
    made.ingest({"id": 1, "uf": "sp", "amount": "1.00", "day": "2026-01-01"})
    (made.root / "in-900.csv").write_text("id,uf,amount,day,code\n3000000000,sp,1.00,2026-01-01,x\n")

    done = subprocess.run([sys.executable, "-c", KILLED, made.root, place], capture_output=True, check=False)
    made.ingest({"id": 9, "uf": "sp", "amount": "1.00", "day": "2026-01-01", "code": "y"})

    assert done.returncode == -signal.SIGKILL, done.stderr
    assert [(row["id"], row["code"]) for row in made.rows()] == [(1, None), (9, "y"), (3_000_000_000, "x")]
    contract = load(made.contract_file)
    assert contract.digest == made.loans.log()[0].origin.contract_digest
    assert [column.name for column in contract.plan().columns].count("code") == 1
    assert made.workspace.verify(read_data=True).passed


def test_a_contract_that_a_person_changed_after_the_kill_is_theirs(tmp_path):
    made = Changing(tmp_path / "lake", "csv", policy="evolve")
    (made.root / "in-900.csv").write_text("id,uf,amount,day,code\n1,sp,1.00,2026-01-01,x\n")
    place = KILLED_AT["after the commit"]
    subprocess.run([sys.executable, "-c", KILLED, made.root, place], capture_output=True, check=False)
    own = CONTRACT + "      - name: code\n        logicalType: string\n        description: mine\n"
    made.contract_file.write_text(own)

    made.ingest({"id": 2, "uf": "sp", "amount": "1.00", "day": "2026-01-01", "code": "y"})

    assert made.contract_file.read_text() == own
    assert [row["code"] for row in made.rows()] == ["x", "y"]


def test_a_contract_that_cannot_be_written_is_told_and_made_up_for(tmp_path, monkeypatch):
    made = Changing(tmp_path / "lake", "csv", policy="evolve")

    def full(path, content):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("lastro.pipeline.contract_file.write_durably", full)
        with pytest.raises(WriteFailed) as caught:
            made.ingest({"id": 1, "uf": "sp", "amount": "1.00", "day": "2026-01-01", "code": "x"})
    made.ingest({"id": 2, "uf": "sp", "amount": "1.00", "day": "2026-01-01", "code": "y"})

    assert "loans@0 is committed" in caught.value.state
    assert [row["code"] for row in made.rows()] == ["x", "y"]
    assert "name: code" in made.contract_file.read_text()


def test_rivals_that_evolve_one_dataset_at_once_lose_neither_rows_nor_columns(tmp_path):
    import time

    made = Changing(tmp_path / "lake", "data", policy="evolve")
    start = str(time.time() + 3)

    rivals = [
        subprocess.Popen([sys.executable, "-c", RIVAL, made.root, str(number), start], stderr=subprocess.PIPE)
        for number in range(3)
    ]
    errors = [rival.communicate()[1].decode() for rival in rivals]

    assert errors == [""] * 3
    expected = {f"c{number}_{step}" for number in range(3) for step in range(3)}
    assert expected <= set(made.types())
    contract = load(made.contract_file)
    assert contract.digest == made.loans.log()[0].origin.contract_digest
    assert made.types()["id"] == "long"
    rows = made.rows()
    assert len(rows) == 9
    assert {name: sum(row[name] is not None for row in rows) for name in expected} == dict.fromkeys(expected, 1)
