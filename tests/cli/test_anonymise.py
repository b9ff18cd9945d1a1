"""`anonymise`, as a person or another program calls it."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.cli.test_reference import documented

import lastro as library
from lastro.model.errors import UsageError

ROWS = 400
SECRET = "Zuleica"
CLASSES = {
    "cpf": "identifier",
    "name": "identifier",
    "birth": "quasi-identifier",
    "cep": "{class: quasi-identifier, kind: cep}",
    "uf": "quasi-identifier",
    "diagnosis": "sensitive",
    "score": "feature",
}
THRESHOLDS = "      - {property: anonymity, vendor: lastro, value: {k: 5, l: 2}}\n"
SUBJECT = "      - {property: subject, vendor: lastro, value: cpf}\n"


def contract(*, classes: dict[str, str] = CLASSES, about: str = THRESHOLDS + SUBJECT) -> str:
    lines = ["apiVersion: v3.2.0", "kind: DataContract", "id: people", "version: 1.0.0", "status: active", "schema:"]
    lines += [
        "  - name: people",
        "    logicalType: object",
        *(["    customProperties:", about.rstrip()] if about else []),
    ]
    lines += ["    properties:"]
    for name in CLASSES:
        lines += [f"      - name: {name}", f"        logicalType: {'date' if name == 'birth' else 'string'}"]
        if name in classes:
            lines += ["        customProperties:"]
            lines += [f"          - {{property: personal, vendor: lastro, value: {classes[name]}}}"]
    return "\n".join(lines) + "\n"


def rows(count: int = ROWS, *, each: int = 1) -> str:
    """Persons, each with so many rows."""
    drawn = random.Random(5)
    lines = [",".join(CLASSES)]
    for number in range(count):
        birth = date(1960, 1, 1) + timedelta(days=drawn.randrange(12_000))
        cep, uf = f"{drawn.randrange(1000, 99999):05d}-000", drawn.choice(["SP", "RJ", "BA", "sp", "", "XX"])
        for _row in range(each):
            what = drawn.choice(["flu", "flu", "cold", "asthma"])
            lines.append(f"{number:011d},{SECRET} {number},{birth},{cep},{uf},{what},{number % 7}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def people(tmp_path: Path, lastro):
    """Makes a workspace with people of whom the contract says everything."""

    def make(text: str | None = None, told: str | None = None) -> Path:
        assert lastro("init").code == 0
        (tmp_path / "people.csv").write_text(rows() if text is None else text)
        (tmp_path / "contracts" / "people.odcs.yaml").write_text(contract() if told is None else told)
        (tmp_path / "lastro.yaml").write_text(
            "lastro: 1\nengine: duckdb\ndatasets:\n  people:\n    contract: contracts/people.odcs.yaml\n"
            "    source: {kind: files, path: people.csv}\n"
        )
        assert lastro("ingest", "people").code == 0
        return tmp_path

    return make


def test_what_the_contract_says_is_held_and_only_then_called_anonymised(people, lastro):
    people()
    ended = lastro("anonymise", "people", "--suppress", "2%")
    lines = lastro("read", "people_k5", "-o", "shown.csv")

    assert ended.code == lines.code == 0, ended.err
    assert ended.last.startswith("people_k5@0 is anonymised: k ")
    assert "identifies persons directly" in ended.out
    assert "says whom a row is about" in ended.out
    header, *shown = Path("shown.csv").read_text().splitlines()
    assert header.replace('"', "") == "birth,cep,uf,diagnosis,score"
    classes = [line.rsplit(",", 2)[0] for line in shown]
    assert min(classes.count(each) for each in set(classes)) >= 5
    assert shown == sorted(shown) or len(shown) > 300
    assert SECRET not in Path("shown.csv").read_text() + ended.out


def test_the_report_is_bound_to_both_versions_in_every_form(people, lastro):
    people()
    told = lastro("anonymise", "people", "--to", "shared", "--report", "risk.json", "--json")
    page = lastro("anonymise", "people", "--to", "shared", "--report", "risk.html")
    text = lastro("anonymise", "people@0", "--to", "shared", "--report", "risk.md")

    assert told.code == page.code == text.code == 0
    workspace = library.open(".")
    source, target = workspace.version("people").digest, workspace.version("shared@0").digest
    assert (told.json["source_digest"], told.json["target_digest"]) == (source, target)
    assert told.json["schema"] == "lastro.anonymise/1"
    assert set(told.json) - {"schema", "ok"} == documented()["lastro.anonymise/1"]
    assert told.json["anonymised"] is True
    written = json.loads(Path("risk.json").read_text())
    assert written["schema"] == "lastro.risk-report/1"
    assert written["after"]["k"] == told.json["after"]["k"] >= 5
    for name in ("risk.html", "risk.md"):
        assert source in Path(name).read_text()
        assert SECRET not in Path(name).read_text()


def test_reading_and_making_are_recorded(people, lastro):
    people()
    assert lastro("anonymise", "people", "--to", "shared").code == 0
    events = lastro("ledger", "show", "--json").json["events"]
    lineage = lastro("lineage", "shared", "--column", "birth", "--json").json

    reads = [event for event in events if event["action"] == "read"]
    assert [event["dataset"] for event in reads] == ["people"]
    assert "name" not in reads[0]["columns"]
    assert {"shared"} <= {event["dataset"] for event in events if event["action"] == "commit"}
    assert "people@0" in {node["name"] for node in lineage["nodes"]}
    assert lastro("check", "shared").code == 0


@pytest.mark.parametrize(
    ("told", "arguments", "why"),
    [
        (
            {"classes": {name: said for name, said in CLASSES.items() if name != "score"}},
            ["--keep", "score"],
            "classified",
        ),
        ({"classes": {**CLASSES, "score": "{class: feature, evidence: name}"}}, [], "confirmed"),
        ({}, ["--k", "2", "--l", "1"], "k is below 5|l is below 2"),
        ({"about": SUBJECT}, ["--k", "1"], "k is below 2"),
    ],
)
def test_what_is_in_doubt_is_called_pseudonymised(people, lastro, told, arguments, why):
    import re

    people(told=contract(**told))
    ended = lastro("anonymise", "people", "--to", "shared", *arguments)

    assert ended.code == 0, ended.err
    assert "is pseudonymised" in ended.last
    assert re.search(f"pseudonymised, since .*({why})", ended.out)
    assert "result: pseudonymised" in Path("contracts/shared.odcs.yaml").read_text()


def test_k_counts_subjects_where_they_have_several_rows(people, lastro):
    people(rows(100, each=6))
    measured = lastro("anonymise", "people", "--measure", "--json").json
    found = lastro("anonymise", "people", "--json").json

    assert set(measured) - {"schema", "ok"} == documented()["lastro.anonymise.measure/1"]
    assert measured["risk"]["k"] == 1
    assert measured["risk"]["rows"] == 600
    assert found["after"]["k"] >= 5
    assert found["after"]["classes"] <= 20


def test_done_again_it_is_the_next_version_and_other_datasets_are_left_alone(people, lastro):
    people()
    first = lastro("anonymise", "people", "--to", "shared", "--json").json
    second = lastro("anonymise", "people", "--to", "shared", "--k", "20", "--json").json
    refused = lastro("anonymise", "people", "--to", "people")

    assert (first["target"], second["target"]) == ("shared@0", "shared@1")
    assert second["after"]["k"] >= 20
    assert refused.code == 2
    assert "there is a dataset people already" in refused.err


def test_closeness_holds_for_what_is_shown(people, lastro):
    people()
    found = lastro("anonymise", "people", "--t", "0.15", "--suppress", "5%", "--json").json
    again = lastro("anonymise", "people_k5", "--measure", "--json").json

    assert found["after"]["t"] <= 0.15
    assert again["risk"]["sensitive"] == found["after"]["sensitive"]
    assert again["risk"]["k"] == found["after"]["k"]


def test_a_population_tells_what_the_journalist_risks(people, lastro):
    folder = people()
    (folder / "census.csv").write_text(rows(ROWS * 3))
    assert lastro("add", "census.csv", "--as", "census").code == lastro("ingest", "census").code == 0
    found = lastro("anonymise", "people", "--population", "census", "--json").json["after"]
    alone = lastro("anonymise", "people", "--json").json["after"]

    assert found["population"] == "census@0"
    assert found["prosecutor"] <= 0.2
    assert found["journalist"] < alone["journalist"] == alone["prosecutor"]
    assert found["marketer"] < alone["marketer"]


def test_a_hierarchy_from_a_file(people, lastro):
    people()
    Path("states.csv").write_text("SP;South\nRJ;South\nBA;North\n")
    ended = lastro("anonymise", "people", "--hierarchy", "uf=states.csv", "--to", "shared")
    wrong = lastro("anonymise", "people", "--hierarchy", "score=states.csv")

    assert ended.code == 0, ended.err
    assert "given" in ended.out
    assert "becomes * at once" in ended.out or "become * at once" in ended.out
    assert wrong.code == 2
    assert "no quasi-identifier" in wrong.err


REFUSED = [
    (["--k", "401"], 1, "no generalisation of people@0 holds what is asked"),
    (["--l", "5"], 1, "holds what is asked"),
    (["--quasi", "cpf"], 2, "cpf identifies persons directly"),
    (["--quasi", "birth,birth"], 2, "named twice"),
    (["--quasi", "absent"], 2, "no column absent"),
    (["--keep", "name"], 2, "name identifies persons directly"),
    (["--suppress", "2"], 2, "no share"),
    (["--hierarchy", "uf"], 2, "COLUMN=FILE"),
    (["--hierarchy", "uf=absent.csv"], 3, "cannot be read"),
    (["--report", "risk.pdf"], 2, "form of risk.pdf"),
    (["--to", "a/b"], 2, "a/b"),
]


def test_what_cannot_be_done_changes_nothing(people, lastro):
    people()
    before = Path("lastro.yaml").read_text()

    for arguments, code, why in REFUSED:
        ended = lastro("anonymise", "people", *arguments)

        assert (ended.code, why in " ".join(ended.err.split())) == (code, True), ended.err
        assert Path("lastro.yaml").read_text() == before
        assert sorted(Path("contracts").iterdir()) == [Path("contracts/people.odcs.yaml")]


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_rows_are_refused(people, lastro, count):
    people(rows(count) if count else rows(1).replace("\n0", "\n#"))
    ended = lastro("anonymise", "people", "--k", "5" if count else "2")

    assert ended.code == 1
    assert SECRET not in ended.err + ended.out


def test_who_may_not_read_may_not_anonymise(people, lastro):
    purposes = "      - {property: purposes, vendor: lastro, value: [{purpose: research, basis: LGPD art. 7 IV}]}\n"
    people(told=contract(about=THRESHOLDS + SUBJECT + purposes))
    refused = lastro("anonymise", "people")
    unmeasured = lastro("anonymise", "people", "--measure")
    done = lastro("anonymise", "people", "--purpose", "research")

    assert (refused.code, unmeasured.code, done.code) == (4, 4, 0)
    assert "no basis, no read" in refused.err
    assert Path("contracts/people_k5.odcs.yaml").exists()


def test_without_a_k_or_a_quasi_identifier_nothing_is_done(people, lastro):
    people(told=contract(classes={}, about=""))
    silent = lastro("anonymise", "people", "--k", "5")
    without = lastro("anonymise", "people", "--quasi", "uf")
    found = lastro("anonymise", "people", "--quasi", "uf", "--k", "5", "--to", "shared")

    assert silent.code == without.code == 2
    assert "--quasi" in silent.err
    assert "neither the call nor the contract says k" in without.err
    assert found.code == 0
    assert found.out.count("nobody classified it") == 6


def test_the_library_takes_mappings(people, lastro):
    people()
    workspace = library.open(".")

    found = workspace.anonymise("people", k=5, hierarchies={"uf": {"SP": "South", "RJ": "South", "BA": "North"}})

    assert found.is_anonymised
    assert found.target == "people_k5@0"
    assert workspace.risk("people_k5").risk.k == found.after.k
    with pytest.raises(UsageError):
        workspace.anonymise("people", k=5, suppress=1.5)
