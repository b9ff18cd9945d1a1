"""Rules that look keys up in other datasets: in which version, and what is said of it."""

from __future__ import annotations

import json

import pytest
from tests.workspace.lake import CONTRACT, GOOD, HEADER, Lake

from lastro.model.errors import ContractError, DataRefused, UnknownName
from lastro.model.finding import Verdict

STATES = """\
apiVersion: v3.2.0
kind: DataContract
id: states
version: 1.0.0
status: active
schema:
  - name: states
    properties:
      - {name: code, logicalType: string, primaryKey: true}
      - {name: number, logicalType: integer}
"""
EXTRA = """\
  states:
    contract: contracts/states.odcs.yaml
    mode: overwrite
    source: {kind: files, path: 'states.csv'}
"""


def looking(lake: Lake, reference: str, columns: str = "{uf: code}", *, mode: str = "overwrite") -> Lake:
    """The lake with a rule that looks states up."""
    rule = f"{{name: known, type: custom, engine: lastro, implementation: {{references: {{dataset: {reference}, "
    rule += f"columns: {columns}}}}}}}"
    (lake.root / "contracts" / "states.odcs.yaml").write_text(STATES)
    lake.configure(
        contract=CONTRACT.replace("    properties:", f"    quality: [{rule}]\n    properties:", 1),
        extra=EXTRA,
        mode=mode,
    )
    lake.csv.write_text(GOOD)
    return lake


def states(lake: Lake, *codes: str) -> None:
    """A new version of the states."""
    (lake.root / "states.csv").write_text("code,number\n" + "".join(f"{code},1\n" for code in codes))
    lake.workspace.dataset("states").ingest()


def test_keys_are_looked_up_in_the_newest_version_which_the_finding_names(lake: Lake) -> None:
    looking(lake, "states")
    states(lake, "SP")
    states(lake, "SP", "RJ", "MG")

    result = lake.loans.ingest()

    newest = lake.workspace.dataset("states").find("latest")
    (found,) = [finding for finding in result.findings if finding.rule == "known"]
    assert (found.verdict, found.measured, found.against) == (Verdict.PASSED, 0, f"states@1 {newest.digest}")
    (kept,) = [each for each in lake.loans.find("latest").origin.findings if each["rule"] == "known"]
    assert kept["against"] == f"states@1 {newest.digest}"
    assert all("against" not in each for each in lake.loans.find("latest").origin.findings if each["rule"] != "known")
    json.dumps(result.to_dict())


def test_keys_that_are_nowhere_refuse_the_batch(lake: Lake) -> None:
    looking(lake, "states@0")
    states(lake, "SP")
    states(lake, "SP", "RJ", "MG")

    with pytest.raises(DataRefused, match="breaks the rule known: 2 rows, expected exactly 0 rows"):
        lake.loans.ingest()
    assert lake.loans.table.head() is None


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_what_is_appended_is_judged_with_what_stands_there(lake: Lake, mode: str) -> None:
    looking(lake, "states", mode=mode)
    states(lake, "SP", "RJ", "MG")
    lake.loans.ingest()
    states(lake, "SP")
    (lake.root / "loans2.csv").write_text(HEADER + "9,SP,1,2026-01-09\n")

    with pytest.raises(DataRefused, match="known: 2 rows"):
        lake.loans.ingest()


@pytest.mark.parametrize(
    ("reference", "what"),
    [
        ("states", "the rule known looks into states, which is not there"),
        ("states@7", "the rule known looks into states@7, which is not there"),
        ("state", "the rule known looks into state, which is not there"),
    ],
)
def test_a_dataset_that_is_not_there_is_told(lake: Lake, reference: str, what: str) -> None:
    looking(lake, reference)
    if "@" in reference:
        states(lake, "SP")

    with pytest.raises(UnknownName, match=what) as caught:
        lake.loans.ingest()
    assert caught.value.do.startswith(f"ingest {reference.partition('@')[0]} first")
    assert lake.loans.table.head() is None


@pytest.mark.parametrize(
    ("columns", "what"),
    [("{uf: cod}", "columns that do not exist: cod"), ("{uf: number}", "uf and states.number have types")],
)
def test_a_column_that_does_not_fit_is_told(lake: Lake, columns: str, what: str) -> None:
    looking(lake, "states", columns)
    states(lake, "SP")

    with pytest.raises(ContractError, match=what):
        lake.loans.ingest()


def test_rows_may_refer_to_rows_of_their_own_dataset(lake: Lake) -> None:
    looking(lake, "loans", "{income: id}")
    lake.csv.write_text(HEADER + "1,SP,,2026-01-01\n2,RJ,1,2026-01-02\n3,MG,2,2026-01-03\n")
    lake.loans.ingest()
    lake.csv.write_text(HEADER + "1,SP,,2026-01-01\n2,RJ,1,2026-01-02\n3,MG,7,2026-01-03\n")

    with pytest.raises(DataRefused, match="known: 1 row,"):
        lake.loans.ingest()
    assert lake.loans.table.version(0).origin.findings[-1].get("against") is None


def related(lake: Lake, *, policy: str = "warn") -> Lake:
    """The lake with a relationship to the states."""
    own = f"customProperties: [{{property: policy, value: {policy}, vendor: lastro}}]"
    relationships = f"    relationships: [{{from: loans.uf, to: states.code, {own}}}]\n"
    (lake.root / "contracts" / "states.odcs.yaml").write_text(STATES)
    lake.configure(contract=CONTRACT.replace("    properties:", f"{relationships}    properties:", 1), extra=EXTRA)
    lake.csv.write_text(GOOD)
    return lake


def test_a_relationship_is_not_judged_while_the_other_dataset_is_not_there(lake: Lake) -> None:
    related(lake, policy="fail")

    assert [finding.rule for finding in lake.loans.ingest().findings if finding.rule == "relationship"] == []


def test_a_relationship_warns_of_keys_that_are_nowhere(lake: Lake) -> None:
    related(lake)
    states(lake, "SP")

    (found,) = [finding for finding in lake.loans.ingest().findings if finding.rule == "relationship"]
    assert (found.verdict, found.measured) == (Verdict.WARNING, 2)
    assert found.against.startswith("states@0 sha256:")


def test_a_stored_version_is_held_to_the_other_dataset_as_it_is_now(lake: Lake) -> None:
    looking(lake, "states")
    states(lake, "SP", "RJ", "MG")
    lake.loans.ingest()
    states(lake, "SP")

    (known,) = [rule for rule in lake.loans.check().rules if rule.finding.rule == "known"]

    newest = lake.workspace.dataset("states").find("latest")
    assert (known.finding.verdict, known.finding.measured) == (Verdict.FAILED, 2)
    assert known.finding.against == f"states@1 {newest.digest}"
