"""What `--plan` says of columns that changed, before anything is taken in."""

from __future__ import annotations

import json

import pytest
from tests.pipeline.changing import CONTRACT, Changing

from lastro.cli.main import run

HEAD = "id,uf,amount,day"


@pytest.fixture(params=["csv", "jsonl"])
def made(request, tmp_path):
    return Changing(tmp_path / "lake", request.param, policy="evolve")


def bring(made, **row):
    text = json.dumps(row) if made.form == "jsonl" else "\n".join([",".join(row), ",".join(map(str, row.values()))])
    (made.root / f"in-1.{made.form}").write_text(text + "\n")


def test_a_new_column_is_announced_with_its_type_and_nothing_is_taken_in(made):
    bring(made, id=1, uf="sp", amount=1, day="2026-01-01", score=7)

    found = made.loans.preview()

    assert [(each.column, each.type) for each in found.arrived.added] == [("score", "long")]
    assert made.contract_file.read_text() == CONTRACT
    assert made.loans.log() == ()


def test_what_would_be_refused_is_said_with_the_repair(made):
    bring(made, id=1, uf="sp", amount=1, when="2026-01-01")

    found = made.loans.preview(schema_change="freeze")

    assert "when" in found.refused
    assert "loans.odcs.yaml" in found.refused


def test_the_command_shows_it_and_says_it_in_json(made, monkeypatch, capfd):
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("LASTRO_LANG", "en")
    bring(made, id=1, uf="sp", amount=1, day="2026-01-01", score=7)

    run(["ingest", "loans", "--plan", "--schema-change", "discard_value"])
    plain = capfd.readouterr().out
    run(["--json", "ingest", "loans", "--plan"])
    values = json.loads(capfd.readouterr().out)

    assert "left out, for the contract does not name them: 'score'" in plain
    assert values["plans"][0]["source"]["added"] == [{"column": "score", "source": "score", "type": "long"}]


def test_a_source_that_cannot_be_reached_spoils_no_plan(made, monkeypatch, capfd):
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("LASTRO_LANG", "en")

    code = run(["ingest", "loans", "--plan"])

    assert code == 0
    assert "could not be looked at" in capfd.readouterr().out
