"""What is read and written is told as it happens; telling never fails the work, nor holds it up for long."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from tests.openlineage.facts import checked
from tests.workspace.lake import BAD, GOOD, HEADER, Lake

import lastro
from lastro.model.errors import ConfigurationError, LastroError
from lastro.openlineage.event import Work
from lastro.workspace.lineage import emitting
from lastro.workspace.lineage.emitting import told

BY_STATE = "SELECT uf, count(*) AS n, sum(income) AS total FROM loans GROUP BY uf ORDER BY uf"
TO_FILE = "openlineage: {file: told/events.ndjson, namespace: 'lastro://test'}\n"
NOWHERE = "openlineage: {url: 'http://127.0.0.1:9/x', allow_hosts: ['127.0.0.1:9']}\n"


def events(lake: Lake) -> list[dict[str, Any]]:
    path = lake.root / "told" / "events.ndjson"
    return [checked(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def states(lake: Lake) -> list[tuple[str, str]]:
    return [(one["job"]["name"], one["eventType"]) for one in events(lake)]


def derive(lake: Lake, text: str) -> None:
    folder = lake.root / "transforms"
    folder.mkdir(exist_ok=True)
    (folder / "by_state.sql").write_text(text)
    lake.workspace = lastro.open(lake.root)


def test_an_ingestion_is_told(lake: Lake) -> None:
    lake.configure(extra=TO_FILE)
    lake.csv.write_text(GOOD)
    lake.loans.ingest()

    begun, ended = events(lake)

    assert states(lake) == [("ingest.loans", "START"), ("ingest.loans", "COMPLETE")]
    assert begun["run"]["runId"] == ended["run"]["runId"]
    assert [(one["namespace"], one["name"]) for one in ended["inputs"]] == [("lastro://test", "loans*.csv")]
    (output,) = ended["outputs"]
    assert (output["namespace"], output["name"]) == ("lastro://test", "loans")
    assert output["facets"]["version"]["datasetVersion"] == "0"
    assert [one["name"] for one in output["facets"]["schema"]["fields"]] == ["id", "uf", "income", "applied_at"]
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 3


def test_rows_that_a_program_hands_over_have_no_input(lake: Lake) -> None:
    lake.configure(extra=TO_FILE)
    lake.loans.ingest(data=[{"id": 1, "uf": "SP", "income": 1.0, "applied_at": "2026-01-01"}])

    assert [one["inputs"] for one in events(lake)] == [[], []]


def test_nothing_new_is_told_without_a_count(lake: Lake) -> None:
    lake.configure(extra=TO_FILE)
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    lake.loans.ingest()

    last = events(lake)[-1]

    assert len(events(lake)) == 4
    assert last["eventType"] == "COMPLETE"
    assert last["outputs"][0]["outputFacets"] == {}


def test_a_build_is_told_with_its_columns(lake: Lake) -> None:
    lake.configure(extra=TO_FILE)
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    derive(lake, BY_STATE)
    lake.workspace.build()
    lake.workspace.build()

    ended = events(lake)[-1]

    assert states(lake)[2:] == [("build.by_state", "START"), ("build.by_state", "COMPLETE")]
    assert [(one["name"], one["facets"]["version"]["datasetVersion"]) for one in ended["inputs"]] == [("loans", "0")]
    fields = ended["outputs"][0]["facets"]["columnLineage"]["fields"]
    assert {name: [one["field"] for one in each["inputFields"]] for name, each in fields.items()} == {
        "uf": ["uf"],
        "n": [],
        "total": ["income"],
    }


def test_a_failure_is_told_by_its_code_alone(lake: Lake) -> None:
    lake.configure(extra=TO_FILE)
    lake.csv.write_text(HEADER + "1,SECRET-VALUE,1,2026-01-01\n")
    contract = lake.root / "contracts" / "loans.odcs.yaml"
    contract.write_text(contract.read_text().replace("transformLogic: upper(trim(uf))", "transformLogic: nothing(uf)"))
    lake.workspace = lastro.open(lake.root)
    with pytest.raises(LastroError) as caught:
        lake.loans.ingest()
    derive(lake, "SELECT 'SECRET-VALUE' AS x, nowhere FROM loans")
    lake.configure(extra=TO_FILE)
    lake.csv.write_text(BAD)
    lake.loans.ingest()
    lake.workspace.build()

    found = events(lake)

    assert states(lake)[-2:] == [("build.by_state", "START"), ("build.by_state", "FAIL")]
    assert found[-1]["run"]["facets"]["errorMessage"]["message"] == "LST-0205"
    assert "SECRET-VALUE" not in json.dumps(found)
    assert caught.value.code in json.dumps(found)


def test_what_was_killed_has_begun_only(lake: Lake) -> None:
    lake.configure(extra=TO_FILE)
    code = (
        "import os, signal, sys, lastro\n"
        "def rows():\n"
        "    yield {'id': 1, 'uf': 'SP', 'income': 1.0, 'applied_at': '2026-01-01'}\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "lastro.open(sys.argv[1]).dataset('loans').ingest(data=rows())\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, lake.root], capture_output=True, check=False)

    assert ended.returncode == -signal.SIGKILL
    assert states(lake) == [("ingest.loans", "START")]


@pytest.mark.parametrize(("error", "state"), [(KeyboardInterrupt, "ABORT"), (ZeroDivisionError, "FAIL")])
def test_what_was_broken_off_is_told(error: type[BaseException], state: str, lake: Lake) -> None:
    lake.configure(extra=TO_FILE)

    def doing() -> Any:
        raise error("SECRET-VALUE")

    with pytest.raises(error):
        told(lake.workspace, Work.INGEST, "loans", doing)

    assert [one["eventType"] for one in events(lake)] == ["START", state]
    assert "SECRET-VALUE" not in json.dumps(events(lake))


def test_a_receiver_that_is_down_fails_nothing(lake: Lake) -> None:
    lake.configure(extra=NOWHERE)
    began = time.monotonic()
    for number in range(4):
        lake.csv.write_text(GOOD + f"{number + 10},SP,1,2026-01-05\n")
        assert lake.loans.ingest().version == number

    (note,) = lake.workspace.untold.notes()

    assert lake.workspace.untold.failures == 3
    assert note.startswith("8 events of OpenLineage could not be told: ")
    assert "127.0.0.1" not in note
    assert time.monotonic() - began < 60


def test_after_a_pause_it_is_tried_again(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitting, "PAUSE_S", 0.0)
    lake.configure(extra=TO_FILE)
    (lake.root / "told").write_text("a file where a folder belongs")
    for number in range(2):
        lake.csv.write_text(GOOD + f"{number + 10},SP,1,2026-01-05\n")
        lake.loans.ingest()
    (lake.root / "told").unlink()
    lake.csv.write_text(GOOD)
    lake.loans.ingest()

    assert states(lake) == [("ingest.loans", "START"), ("ingest.loans", "COMPLETE")]
    assert (lake.workspace.untold.count, lake.workspace.untold.failures) == (4, 0)


def test_a_file_that_cannot_be_written_fails_nothing(lake: Lake) -> None:
    lake.configure(extra=TO_FILE)
    (lake.root / "told").write_text("a file where a folder belongs")
    lake.csv.write_text(GOOD)

    result = lake.loans.ingest()

    assert result.version == 0
    assert lake.workspace.untold.count == 2


def test_nothing_is_told_unless_asked(lake: Lake) -> None:
    lake.csv.write_text(GOOD)
    before = set(os.listdir(lake.root))
    lake.loans.ingest()

    assert set(os.listdir(lake.root)) == before
    assert lake.workspace.untold.notes() == ()


@pytest.mark.parametrize("extra", ["openlineage: {file: lastro.yaml}\n", "openlineage: {url: 'ftp://x'}\n"])
def test_a_wrong_section_is_an_error_before_anything_is_read(extra: str, lake: Lake) -> None:
    lake.configure(extra=extra)
    lake.csv.write_text(GOOD)

    with pytest.raises(ConfigurationError) as caught:
        lake.loans.ingest()
    assert caught.value.where == "lastro.yaml: openlineage"
    assert lake.loans.log() == ()


@pytest.mark.parametrize("extra", ["openlineage: 7\n", "openlineage: [a]\n"])
def test_the_section_has_keys(extra: str, lake: Lake) -> None:
    with pytest.raises(ConfigurationError):
        lake.configure(extra=extra)
