"""`dp`, as a person or another program calls it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.test_reference import documented

import lastro as library

pytest.importorskip("opendp", reason="OpenDP is not installed: lastro[opendp]")

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: people
version: 1.0.0
status: active
schema:
  - name: people
    logicalType: object
    customProperties:
      - {property: privacyBudget, vendor: lastro, value: 40}
      - {property: subject, vendor: lastro, value: person}
    properties:
      - {name: person, logicalType: string}
      - {name: age, logicalType: integer}
      - {name: uf, logicalType: string}
"""
YAML = """\
lastro: 1
engine: duckdb
datasets:
  people:
    contract: contracts/people.odcs.yaml
    source: {kind: files, path: people.csv}
"""


@pytest.fixture
def people(tmp_path: Path, lastro) -> Path:
    """100 persons with three rows each."""
    assert lastro("init").code == 0
    lines = [f"p{n // 3},{20 + n % 50},{'SP' if n % 2 else 'RJ'}" for n in range(300)]
    (tmp_path / "people.csv").write_text("person,age,uf\n" + "\n".join(lines) + "\n")
    (tmp_path / "contracts" / "people.odcs.yaml").write_text(CONTRACT)
    (tmp_path / "lastro.yaml").write_text(YAML)
    assert lastro("ingest", "people").code == 0
    return tmp_path


def test_persons_are_counted_not_rows(people, lastro):
    ended = lastro("dp", "people", "--count", "--epsilon", "20")
    found = lastro("dp", "people", "--count", "--epsilon", "10", "--contributions", "3", "--json").json

    assert ended.code == 0, ended.err
    assert "a person is a subject: person; rows of each that count: 1" in ended.out
    assert ended.last.startswith("count of people@0 is about ")
    assert ended.last.endswith("20 of 40 of the privacy budget is spent")
    assert found["numbers"][0] == pytest.approx(300, abs=10)
    assert (found["spent"], found["budget"]) == (30, 40)
    assert set(found) - {"schema", "ok"} == documented()["lastro.dp/1"]


def test_one_person_in_two_spellings_is_one_person(people, lastro):
    lines = [f"{form},30,SP" for n in range(100) for form in (f"{n:011}", f"{n:011}"[:9] + "-" + f"{n:02}")]
    (people / "people.csv").write_text("person,age,uf\n" + "\n".join(lines) + "\n")
    contract = people / "contracts" / "people.odcs.yaml"
    said = ", customProperties: [{property: personal, vendor: lastro, value: {class: identifier, kind: cpf}}]}"
    contract.write_text(
        CONTRACT.replace("{name: person, logicalType: string}", "{name: person, logicalType: string" + said)
    )
    assert lastro("ingest", "people").code == 0

    found = lastro("dp", "people", "--count", "--epsilon", "20", "--json").json

    assert found["numbers"][0] == pytest.approx(100, abs=10)


def test_the_budget_ends_and_known_answers_cost_nothing(people, lastro):
    mean = ("dp", "people", "--mean", "age", "--lower", "0", "--upper", "100", "--epsilon", "30", "--json")
    first, again = lastro(*mean).json, lastro(*mean).json
    refused = lastro("dp", "people", "--count", "--epsilon", "10.000001")
    reads = [event for event in lastro("ledger", "show", "--json").json["events"] if event["action"] == "read"]

    assert first["numbers"] == again["numbers"]
    assert (first["epsilon"], again["epsilon"], again["spent"], again["again"]) == (30, 0, 30, True)
    assert refused.code == 4
    assert "30 of 40 is spent" in refused.err
    assert len(reads) == 2  # the first, and that of the question that the budget did not allow


def test_histograms(people, lastro):
    bins = lastro("dp", "people", "--histogram", "age", "--bins", "0,40,100", "--epsilon", "10")
    values = lastro("dp", "people", "--histogram", "uf", "--values", "SP,RJ", "--epsilon", "10", "--json").json

    assert bins.code == 0
    assert "[40, 100]" in bins.out
    assert values["labels"] == ["SP", "RJ", "all else"]
    assert sum(values["numbers"]) == pytest.approx(100, abs=15)
    assert "RJ" not in (people / ".lastro" / "budget.sqlite").read_bytes().decode("latin-1")


def test_what_cannot_be_asked_costs_nothing(people, lastro):
    refused = [
        (["--count"], 2),
        (["--epsilon", "1"], 2),
        (["--count", "--sum", "age", "--epsilon", "1"], 2),
        (["--sum", "age", "--epsilon", "1"], 2),
        (["--mean", "uf", "--lower", "0", "--upper", "1", "--epsilon", "1"], 2),
        (["--mean", "absent", "--lower", "0", "--upper", "1", "--epsilon", "1"], 2),
        (["--histogram", "age", "--bins", "a,b", "--epsilon", "1"], 2),
        (["--count", "--epsilon", "0"], 2),
        (["--count", "--epsilon", "41"], 4),
    ]

    for arguments, code in refused:
        assert lastro("dp", "people", *arguments).code == code, arguments
    assert lastro("dp", "people", "--count", "--epsilon", "40").code == 0


def test_a_dataset_without_a_budget_gives_no_answer(people, lastro):
    contract = people / "contracts" / "people.odcs.yaml"
    contract.write_text(contract.read_text().replace("value: 40", "value: -1"))
    wrong = lastro("contract", "check", "contracts/people.odcs.yaml")
    contract.write_text(CONTRACT.replace("      - {property: privacyBudget, vendor: lastro, value: 40}\n", ""))
    without = lastro("dp", "people", "--count", "--epsilon", "1")

    assert "privacy budget is a number above 0" in wrong.out + wrong.err
    assert without.code == 2
    assert "privacyBudget" in without.err


def test_a_refused_reading_costs_nothing_and_no_known_answer_goes_around_it(people, lastro):
    ask = ("dp", "people", "--count", "--epsilon", "10")
    assert lastro(*ask).code == 0
    purposes = "      - {property: purposes, vendor: lastro, value: [{purpose: research, basis: LGPD art. 7 IV}]}\n"
    told = CONTRACT.replace("    properties:\n", purposes + "    properties:\n", 1)
    told = told.replace(
        "logicalType: string}",
        "logicalType: string, customProperties: [{property: personal, vendor: lastro, value: quasi-identifier}]}",
    )
    (people / "contracts" / "people.odcs.yaml").write_text(told)
    refused = lastro(*ask)
    known = lastro(*ask, "--purpose", "research", "--json")

    assert refused.code == 4
    assert "no basis, no read" in refused.err
    assert (known.code, known.json["again"], known.json["spent"]) == (0, True, 10)


def test_the_library_asks_the_same(people):
    found = library.open(".").dp("people", "sum", column="age", lower=0, upper=100, epsilon=20)

    assert found.numbers[0] == pytest.approx(100 * 44.5, rel=0.25)
    assert found.spent == 20
