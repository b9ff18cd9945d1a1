"""`erase`, as a person or another program calls it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.test_reference import documented

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: people
version: 1.0.0
status: active
schema:
  - name: people
    customProperties:
      - {property: subject, value: cpf, vendor: lastro}
    properties:
      - name: cpf
        logicalType: string
        customProperties:
          - {property: personal, value: {class: identifier, kind: cpf}, vendor: lastro}
          - {property: protection, value: token, vendor: lastro}
      - {name: income, logicalType: integer}
"""
BASIS = ("--basis", "LGPD art. 18, VI")
CPF = "529.982.247-25"


@pytest.fixture
def people(tmp_path: Path, lastro):
    assert lastro("init").code == 0
    (tmp_path / "people.csv").write_text(f"cpf,income\n{CPF},1\n111.444.777-35,2\n390.533.447-05,3\n")
    (tmp_path / "contracts" / "people.odcs.yaml").write_text(CONTRACT)
    (tmp_path / "lastro.yaml").write_text(
        "lastro: 1\ndatasets:\n  people:\n    contract: contracts/people.odcs.yaml\n    mode: append\n"
        "    source: {kind: files, path: people.csv}\n"
    )
    assert lastro("ingest", "people").code == 0
    return tmp_path


def test_a_person_is_erased_and_the_certificate_is_verified(people, lastro):
    told = lastro("erase", "--subject", f"cpf={CPF}", *BASIS, "--dry-run")
    ended = lastro("erase", "--subject", f"cpf={CPF}", *BASIS, "--json")
    verified = lastro("erase", "--verify", ended.json["certificate"], "--json")
    resumed = lastro("erase", "--resume", "--json")

    assert told.code == ended.code == verified.code == resumed.code == 0, ended.err
    assert told.last.startswith("1 person would be erased: 1 stored row; nothing was changed")
    assert (ended.json["schema"], ended.json["paths"]) == ("lastro.erase/1", ["people.csv"])
    for each in (ended, verified, resumed):
        assert set(each.json) - {"schema", "ok"} == documented()[each.json["schema"]]
    assert CPF not in told.out + told.err + ended.out + ended.err + verified.out
    assert lastro("verify", "--read-data").code == 0


def test_many_are_erased_from_a_file(people, lastro):
    (people / "who.txt").write_text(f"{CPF}\n11144477735\n\n000.000.000-00\n")

    ended = lastro("erase", "--file", "who.txt", "--kind", "cpf", *BASIS, "--json")

    assert (ended.json["people"], ended.json["unknown"]) == (2, 1)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--subject", "cpf=111.111.111-11", *BASIS), 2),
        (("--subject", f"cpf={CPF}"), 2),
        (("--subject", CPF, *BASIS), 2),
        (("--subject", f"cpf={CPF}", "--subject", "email=a@b.c", *BASIS), 2),
        (BASIS, 2),
        (("--file", "absent.txt", *BASIS), 2),
        (("--token", "tok_" + "a" * 26, *BASIS), 2),
    ],
)
def test_what_cannot_be_is_told_without_the_value(people, lastro, arguments, code):
    ended = lastro("erase", *arguments)

    assert ended.code == code
    assert CPF not in ended.err
    assert "111.111.111-11" not in ended.err


def test_a_certificate_that_was_changed_is_not_genuine(people, lastro):
    path = people / lastro("erase", "--subject", f"cpf={CPF}", *BASIS, "--json").json["certificate"]
    path.write_text(path.read_text().replace('"people": 1', '"people": 2'))

    assert lastro("erase", "--verify", str(path)).code == 4
