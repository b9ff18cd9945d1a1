"""A dataset that a person wrote into `lastro.yaml` gets its contract from its source."""

import pytest

import lastro as package
from lastro.model.errors import ConfigurationError

ENTRY = """\
lastro: 1
datasets:
  loans:
    mode: append
    source: {kind: files, path: loans.csv, format: csv, delimiter: ";"}
"""


@pytest.fixture
def lake(tmp_path, lastro, monkeypatch):
    assert lastro("init", "lake").code == 0
    monkeypatch.chdir(tmp_path / "lake")
    (tmp_path / "lake" / "lastro.yaml").write_text(ENTRY)
    (tmp_path / "lake" / "loans.csv").write_text("id;amount\n1;2.5\n")
    return tmp_path / "lake"


@pytest.mark.parametrize("command", [["ingest"], ["ingest", "--plan"]], ids=" ".join)
def test_what_lacks_a_contract_names_the_command_that_makes_it(lake, lastro, command):
    ended = lastro(*command, "loans")

    assert ended.code == 2
    assert "loans has no contract yet" in ended.err
    assert "lastro add --as loans" in ended.err


def test_the_contract_is_made_from_the_source_as_it_is_configured(lake, lastro):
    added = lastro("add", "--as", "loans")
    ingested = lastro("ingest", "loans")

    assert added.last.endswith(
        "is added with 2 columns; its contract is contracts/loans.odcs.yaml. next: lastro ingest loans"
    )
    assert (lake / "lastro.yaml").read_text() == ENTRY
    assert ingested.last.startswith("loans is at version 0: 1 row kept")


def test_a_contract_that_is_there_stays(lake, lastro):
    lastro("add", "--as", "loans")
    contract = (lake / "contracts" / "loans.odcs.yaml").read_bytes()

    ended = lastro("add", "--as", "loans")

    assert ended.code == 2
    assert "loans has a contract already" in ended.err
    assert (lake / "contracts" / "loans.odcs.yaml").read_bytes() == contract


@pytest.mark.parametrize("words", [["add"], ["add", "--as", "nobody"], ["add", "--as", "loans", "--mode", "append"]])
def test_neither_a_location_nor_a_configured_source_is_refused(lake, lastro, words):
    ended = lastro(*words)

    assert ended.code == 2
    assert "LST-02" in ended.err
    assert not (lake / "contracts" / "loans.odcs.yaml").exists()


def test_what_has_no_source_gets_no_contract(lake):
    (lake / "lastro.yaml").write_text("lastro: 1\ndatasets:\n  loans: {}\n")

    with pytest.raises(ConfigurationError, match="no source"):
        package.open(lake).add(name="loans")
