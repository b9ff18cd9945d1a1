"""`lastro check --server`: without a workspace, what it says, how it ends, and what it writes."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.cli.conftest import Lastro
from tests.workspace.serving import LOANS, LOCAL, Served

HERE = ("check", "loans.odcs.yaml", "--server", "here")


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """A contract and its data, in the folder the test stands in; no workspace."""
    made = Served(tmp_path)
    made.write(LOCAL, schema=LOANS.replace("name: income\n", "name: income\n        classification: restricted\n"))
    made.rows("1,SP,300,2026-01-01", "2,XX,-77,2026-01-01")
    return made


def test_a_rule_that_failed_ends_with_1_and_leads(served: Served, lastro: Lastro) -> None:
    ended = lastro(*HERE)

    assert ended.code == 1
    assert "uf.enum" in ended.out
    assert ended.last == ("here/loans breaks 2 of 7 rules. next: lastro check loans.odcs.yaml --server here --failures")


def test_no_output_holds_a_value_that_is_withheld(served: Served, lastro: Lastro) -> None:
    options = [*HERE, "--failures", "--junit", "j.xml", "--html", "h.html"]

    text, values = lastro(*options), lastro(*options, "--json").json

    outputs = [text.out, str(values), *((served.folder / name).read_text() for name in ("j.xml", "h.html"))]
    assert all("income.range" in output for output in outputs)
    assert not any(re.search(r"-77\b", output) for output in outputs)
    assert values["runs"][0]["server"] == "here"
    assert values["runs"][0]["cleaned"] is False
    assert ET.fromstring(outputs[2]).get("failures") == "2"
    assert text.last == "here/loans breaks 2 of 7 rules; written to j.xml, h.html"


def test_what_is_kept_ends_with_0_and_rules_are_chosen(served: Served, lastro: Lastro) -> None:
    chosen = lastro(*HERE, "--rule", "id.required")
    of_kind = lastro(*HERE, "--dimension", "uniqueness")

    assert (chosen.code, chosen.last) == (0, "here/loans keeps 1 rule")
    assert (of_kind.code, "primary_key" in of_kind.out) == (0, True)
    assert lastro(*HERE, "--rule", "id.requird").code == 2


def test_what_does_not_go_together_is_refused(served: Served, lastro: Lastro) -> None:
    for arguments in (
        ("check", "loans.odcs.yaml"),
        ("check", "loans.odcs.yaml", "other.odcs.yaml", "--server", "here"),
        ("check", "--server", "here"),
        ("check", "loans", "--clean"),
        ("check", "loans", "--server", "here"),
        ("check", "nothing.odcs.yaml", "--server", "here"),
        ("check", "loans.odcs.yaml", "--server", "there"),
    ):
        ended = lastro(*arguments)
        assert (ended.code, "do" in ended.err) == (2, True), arguments


def test_a_server_that_cannot_be_read_ends_with_3(served: Served, lastro: Lastro) -> None:
    (served.folder / "loans.csv").unlink()

    assert lastro(*HERE).code == 3
