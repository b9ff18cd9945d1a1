"""`lastro check`: what it says, how it ends, and what it writes."""

from __future__ import annotations

import os
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.cli.conftest import Lastro
from tests.workspace.lake import CONTRACT, GOOD, Lake

STRICT = CONTRACT.replace("{minimum: 0}", "{minimum: 500}").replace(
    "name: income\n", "name: income\n        classification: confidential\n"
)


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A dataset with one version, in the folder the test stands in."""
    made = Lake(tmp_path / "lake")
    made.configure()
    made.csv.write_text(GOOD)
    made.loans.ingest()
    monkeypatch.chdir(made.root)
    return made


def test_what_is_kept_ends_with_0(lake: Lake, lastro: Lastro) -> None:
    ended = lastro("check", "loans")

    assert (ended.code, ended.err) == (0, "")
    assert ended.last == "loans@0 keeps all 9 rules. next: lastro log loans"


def test_a_rule_that_failed_ends_with_1_and_leads(lake: Lake, lastro: Lastro) -> None:
    lake.configure(contract=STRICT)

    ended = lastro("check")

    assert ended.code == 1
    assert re.split(r"  +", ended.out.splitlines()[1].strip())[:4] == [
        "✗ failed",
        "income.range",
        "1",
        "exactly 0 rows",
    ]
    assert ended.last == "loans@0 breaks 1 of 9 rules. next: lastro check loans@0 --failures"


def test_no_output_holds_a_value_that_is_withheld(lake: Lake, lastro: Lastro) -> None:
    lake.configure(contract=STRICT)
    options = ["loans", "--failures", "--junit", "j.xml", "--html", "h.html"]

    written = lastro("check", *options)
    outputs = [written.out, lastro("check", *options, "--json").out]
    outputs += [(lake.root / name).read_text() for name in ("j.xml", "h.html")]

    assert all("income.range" in output for output in outputs)
    assert not any(re.search(r"\b300\b", output) for output in outputs)
    assert "income: withheld" in outputs[0]
    assert "; written to j.xml, h.html. next:" in written.last
    assert ET.fromstring(outputs[2]).get("failures") == "1"


def test_rules_are_chosen_and_what_is_not_there_is_refused(lake: Lake, lastro: Lastro) -> None:
    chosen = lastro("check", "loans", "--rule", "uf.enum", "--rule", "id.type", "--json")
    unknown = lastro("check", "loans", "--rule", "uf.enumm")
    nameless = lastro("check", "--dimension", "completeness")

    assert [each["name"] for each in chosen.json["runs"][0]["checks"]] == ["id.type", "uf.enum"]
    assert (unknown.code, "uf.enum" in unknown.err) == (2, True)
    assert nameless.code == 2


def test_a_version_that_is_not_there_is_refused(lake: Lake, lastro: Lastro) -> None:
    assert lastro("check", "loans@7").code == 2
    assert lastro("check", "nothing").code == 2


def test_of_several_one_that_cannot_be_checked_tells_its_code(lake: Lake, lastro: Lastro) -> None:
    ended = lastro("check", "loans", "loans@7")

    assert ended.code == 2
    assert "loans@7" in ended.last


def test_a_file_that_cannot_be_written_is_told(lake: Lake, lastro: Lastro) -> None:
    ended = lastro("check", "loans", "--junit", "nowhere/j.xml")

    assert ended.code == 3
    assert "nowhere/j.xml" in ended.err


def test_where_no_dataset_has_a_contract_there_is_nothing_to_check(tmp_path: Path, lastro: Lastro) -> None:
    assert lastro("init", "empty").code == 0

    ended = lastro("-C", "empty", "check")

    assert (ended.code, ended.last.startswith("no dataset has a contract yet")) == (0, True)


@pytest.mark.parametrize("option", ["--junit", "--html"])
def test_a_report_replaces_a_report_and_nothing_else(lake: Lake, lastro: Lastro, option: str) -> None:
    contract = lake.root / "contracts" / "loans.odcs.yaml"
    before, report = contract.read_text(), lake.root / "report"
    os.mkfifo(lake.root / "pipe")

    first, again = lastro("check", "loans", option, "report"), lastro("check", "loans", option, "report")
    refused = [lastro("check", "loans", option, name) for name in (str(contract), "pipe", "")]

    assert (first.code, again.code, report.stat().st_size > 100) == (0, 0, True)
    assert [ended.code for ended in refused] == [2, 2, 2]
    assert "is no such report" in refused[0].err
    assert contract.read_text() == before


def test_a_link_to_a_report_stays_a_link(lake: Lake, lastro: Lastro) -> None:
    (lake.root / "real").touch()
    (lake.root / "link").symlink_to(lake.root / "real")

    assert lastro("check", "loans", "--html", "link").code == 0
    assert (lake.root / "link").is_symlink()
    assert "<main" in (lake.root / "real").read_text()
