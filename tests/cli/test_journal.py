"""The journal tells what happened, line by line, and no line can be forged or torn."""

import json
import re

import pytest
from tests.workspace.lake import BAD, GOOD, Lake


@pytest.fixture
def lake(tmp_path):
    lake = Lake(tmp_path)
    lake.csv.write_text(GOOD)
    lake.configure()
    return lake


def events(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_command_tells_its_begin_what_it_did_and_its_end(lake, lastro, tmp_path):
    path = tmp_path / "journal.jsonl"
    lastro("ingest", "--log-json", str(path))
    started, ingested, ended = events(path)

    assert (started["event"], started["command"]) == ("started", "ingest")
    assert (ingested["dataset"], ingested["counts"]) == ("loans", {"read": 3, "kept": 3, "quarantined": 0})
    assert (ended["event"], ended["exit_code"]) == ("ended", 0)
    assert {event["schema"] for event in events(path)} == {"lastro.journal/1"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", event["time"]) for event in events(path))
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_round_is_told_whole(lake, lastro, tmp_path):
    path = tmp_path / "journal.jsonl"
    lastro("--log-json", str(path), "run")

    assert [event["event"] for event in events(path)] == ["started", "round", "ended"]
    assert events(path)[1]["steps"][0]["outcome"] == "made"


def test_an_error_is_told_with_its_code(lake, lastro, tmp_path):
    path = tmp_path / "journal.jsonl"
    lake.csv.unlink()
    ended = lastro("ingest", "--log-json", str(path))
    last = events(path)[-1]

    assert ended.code == 3
    assert (last["event"], last["level"], last["code"]) == ("failed", "error", "LST-0301")


def test_lines_are_appended(lake, lastro, tmp_path):
    path = tmp_path / "journal.jsonl"
    lastro("log", "--log-json", str(path))
    lastro("log", "--log-json", str(path))

    assert len(events(path)) == 4


def test_the_file_is_named_from_where_the_person_stands(lake, lastro, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    lastro("-C", str(lake.root), "log", "--log-json", "here.jsonl")

    assert len(events(elsewhere / "here.jsonl")) == 2


def test_no_value_and_no_argument_is_told(lake, lastro, tmp_path):
    path = tmp_path / "journal.jsonl"
    lake.csv.write_text(BAD.replace("XX", "canary-uf"))
    lastro("ingest", "--log-json", str(path))
    lastro("read", "loans", "canary.csv", "--where", "uf = 'canary'", "--log-json", str(path))

    assert "canary" not in path.read_text()


def test_a_control_character_stays_in_its_line(lake, lastro, tmp_path):
    path = tmp_path / "journal.jsonl"
    lastro("log", "lo\nans\x1b[31m", "--log-json", str(path))

    assert len(path.read_bytes().splitlines()) == 2
    assert path.read_bytes().isascii()
    assert b"\x1b" not in path.read_bytes()


def test_a_journal_that_cannot_be_opened_stops_the_command_before_it_begins(lake, lastro, tmp_path):
    ended = lastro("ingest", "--log-json", str(tmp_path / "no" / "such" / "folder.jsonl"))

    assert ended.code == 3
    assert "nothing was done" in ended.err
    assert lake.loans.log() == ()
