"""Values that a contract withholds stay withheld: under another contract than they came with, and in every finding."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from tests.workspace.lake import Lake

from lastro.model.errors import DataRefused, UsageError

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: people
version: 1.0.0
status: active
schema:
  - name: loans
    properties:
      - {name: id, logicalType: integer, primaryKey: true, required: true}
      - {name: uf, logicalType: string}
"""
NICKNAME = "      - {name: nickname, logicalType: string, classification: restricted}\n"
AGE = "      - {name: age, logicalType: integer, classification: restricted}\n"
SECRET = "Zé do Caixão"
OLDEST = 119_823
RULES = """\
    quality:
      - {name: oldest, type: sql, query: "select max(age) from {object}", mustBe: 0, severity: SEVERITY}
      - {name: many, type: sql, query: "select count(age) from {object}", mustBe: 0, severity: warning}
"""


@pytest.fixture
def people(lake: Lake) -> Lake:
    lake.configure(mode="append", contract=CONTRACT + NICKNAME + AGE)
    for number in range(2):
        rows = (f"{1000 * number + row},{'SP' if row % 3 else 'RJ'},{SECRET},{OLDEST}\n" for row in range(400))
        (lake.root / f"loans-{number}.csv").write_text("id,uf,nickname,age\n" + "".join(rows))
        lake.loans.ingest()
    return lake


@pytest.mark.parametrize(
    "renamed", ["", NICKNAME.replace("nickname", "NickName"), NICKNAME.replace("nickname", "alias")]
)
def test_a_column_that_the_contract_no_longer_names_tells_nothing(people: Lake, renamed: str) -> None:
    people.configure(mode="append", contract=CONTRACT + renamed)

    told = [
        people.loans.profile("0").to_dict(),
        people.loans.drift("0", current="1").to_dict(),
        [each.why for each in people.loans.suggest("0", "1").suggestions],
        people.loans.outliers("0").to_dict(),
    ]

    assert SECRET not in json.dumps(told, ensure_ascii=False)
    assert str(OLDEST) not in json.dumps(told)
    assert told[0]["columns"]["nickname"]["withheld"] is True
    kept = [gzip.decompress(path.read_bytes()) for path in people.root.rglob("profiles/*")]
    assert kept
    assert not any(SECRET.encode() in each or str(OLDEST).encode() in each for each in kept)


def test_nor_can_it_be_asked_for(people: Lake) -> None:
    people.configure(mode="append", contract=CONTRACT)

    with pytest.raises(UsageError):
        people.loans.drift("0", current="1", by="nickname")
    with pytest.raises(UsageError, match="withheld"):
        people.loans.history("mean", column="age")
    with pytest.raises(UsageError, match="withheld"):
        people.loans.outliers("0", columns=["age"])


def test_no_finding_holds_a_number_that_is_made_of_withheld_values(lake: Lake) -> None:
    (lake.root / "loans.csv").write_text(f"id,uf,age\n1,SP,{OLDEST}\n2,RJ,3\n")
    lake.configure(contract=CONTRACT + AGE + RULES.replace("SEVERITY", "warning"))

    warned = {finding.rule: finding for finding in lake.loans.ingest().findings}

    assert warned["oldest"].measured is None
    assert warned["many"].measured == 2
    assert [path for path in _texts(lake.root) if str(OLDEST) in path.read_text()] == [lake.csv]


def test_nor_does_the_error_of_a_batch_that_is_refused(lake: Lake) -> None:
    (lake.root / "loans.csv").write_text(f"id,uf,age\n1,SP,{OLDEST}\n2,RJ,3\n")
    lake.configure(contract=CONTRACT + AGE + RULES.replace("SEVERITY", "error"))

    with pytest.raises(DataRefused) as refused:
        lake.loans.ingest()

    assert refused.value.what == "loans breaks the rule oldest: expected exactly 0 rows"
    assert str(OLDEST) not in repr(refused.value.findings)


def _texts(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.suffix in {".json", ".jsonl", ".csv", ".crc"}]
