"""Classes in contracts: written in place, and what they open or withhold."""

from __future__ import annotations

import pytest

from lastro.contract.classes import with_classes
from lastro.contract.contract import parse
from lastro.model.personal import Classified, PersonalClass

HEAD = """\
apiVersion: v3.2.0
kind: DataContract
id: people
version: 1.0.0
status: active
schema:
  - name: people
"""
COLUMNS = """\
    properties:
      - name: cpf  # who it is
        logicalType: string
        customProperties:
          - {property: owner, value: ana}
      - name: income
        logicalType: number
        classification: internal
      - name: note
        logicalType: string
"""
IDENTIFIER, FEATURE = PersonalClass.IDENTIFIER, PersonalClass.FEATURE
OWN = "        customProperties: [{property: personal, vendor: lastro, value: %s}]\n"


def test_a_class_is_put_where_it_belongs_and_the_rest_stays() -> None:
    contract = parse(HEAD + COLUMNS, name="people")
    said = [
        Classified("cpf", IDENTIFIER, "cpf", "100 % of 9"),
        Classified("income", FEATURE, "income", confirmed="ana"),
        Classified("gone", FEATURE),
    ]

    found = with_classes(contract, said)

    assert found.personal.classes == (said[0], said[1])
    text = found.dump()
    assert "# who it is" in text
    assert "property: owner" in text
    assert text.count("classification: restricted") == 1
    assert "classification: internal" in text
    assert "version: 1.1.0" in text
    assert with_classes(found, said) is found


def test_a_class_takes_the_place_of_the_one_before() -> None:
    first = with_classes(parse(HEAD + COLUMNS, name="people"), [Classified("note", FEATURE, evidence="seen")])

    found = with_classes(first, [Classified("note", PersonalClass.NONE, confirmed="ana")])

    assert found.personal.classes == (Classified("note", PersonalClass.NONE, confirmed="ana"),)
    assert found.dump().count("property: personal") == 1


@pytest.mark.parametrize(
    ("beside", "of_note", "withheld"),
    [
        ("", "", set()),
        ("    customProperties: [{property: subject, vendor: lastro, value: cpf}]\n", "", {"cpf", "note"}),
        ("", OWN % "feature", {"cpf"}),
        ("", OWN % "none", {"cpf"}),
        ("", OWN % "{class: feature, evidence: seen}", {"cpf", "note"}),
        ("", OWN % "{class: feature, evidence: seen, confirmed: ana}", {"cpf"}),
        ("", OWN % "identifier", {"cpf", "note"}),
        ("", OWN % "identifier" + "        classification: public\n", {"cpf"}),
        ("", OWN % "feature" + "        classification: restricted\n", {"cpf", "note"}),
    ],
)
def test_what_nobody_classified_is_withheld_once_a_contract_has_classes(
    beside: str, of_note: str, withheld: set[str]
) -> None:
    contract = parse(HEAD + beside + COLUMNS + of_note, name="people")

    assert contract.plan().withheld == withheld
