"""What a contract says of personal values, and what it may not say."""

from __future__ import annotations

from datetime import date

import pytest

from lastro.contract.contract import parse
from lastro.model.errors import ContractError
from lastro.model.personal import (
    Classified,
    Hold,
    Method,
    PersonalClass,
    Protection,
    Purpose,
    Subject,
    Thresholds,
)

HEAD = """version: 1.0.0
apiVersion: v3.2.0
kind: DataContract
id: people
status: active
schema:
  - name: people
    logicalType: object
"""


def own(indent: int, **properties: str) -> str:
    space = " " * indent
    lines = [f"{space}  - {{property: {name}, vendor: lastro, value: {value}}}" for name, value in properties.items()]
    return "\n".join([f"{space}customProperties:", *lines]) + "\n" if lines else ""


def document(of: dict[str, str] | None = None, **columns: tuple[str, dict[str, str]]) -> str:
    text = HEAD + own(4, **(of or {})) + "    properties:\n"
    for name, (kind, properties) in columns.items():
        text += f"      - name: {name}\n        logicalType: {kind}\n" + own(8, **properties)
    return text


def test_all_that_a_contract_says_is_read() -> None:
    text = document(
        {
            "subject": "cpf",
            "purposes": "[{purpose: scoring, basis: 'LGPD art. 7, X'}, "
            "{purpose: ads, basis: 'LGPD art. 7, I', consent: true}]",
            "hold": "{basis: CTN art. 195, until: 2031-01-31}",
            "anonymity": "{k: 5, l: 2, t: 0.2}",
        },
        cpf=("string", {"personal": "{class: identifier, kind: cpf, confirmed: ana}", "protection": "token"}),
        phone=("string", {"personal": "identifier", "protection": "{method: mask, keep: 4}"}),
        amount=("number", {}),
    )

    found = parse(text, name="people.odcs.yaml").personal

    assert found.of("cpf") == Classified("cpf", PersonalClass.IDENTIFIER, kind="cpf", confirmed="ana")
    assert found.protections == (
        Protection("cpf", Method.TOKEN, "cpf"),
        Protection("phone", Method.MASK, "phone", {"keep": 4}),
    )
    assert found.subject == Subject("cpf", "cpf")
    assert found.purposes == (Purpose("scoring", "LGPD art. 7, X"), Purpose("ads", "LGPD art. 7, I", consent=True))
    assert found.hold == Hold("CTN art. 195", date(2031, 1, 31))
    assert found.thresholds == Thresholds(5, 2, 0.2)
    assert found.of("amount") is None
    assert found.is_personal


def test_a_contract_that_says_nothing_is_not_personal() -> None:
    assert not parse(document(amount=("number", {})), name="x").personal.is_personal


@pytest.mark.parametrize(
    ("of", "column", "what"),
    [
        ({"subject": "cfp"}, ("string", {}), "there is no column cfp"),
        ({"subject": "[cpf]"}, ("string", {}), "there is no column"),
        ({"subject": "cpf"}, ("string", {"protection": "mask"}), "nobody would be found by cpf again"),
        ({"purposes": "scoring"}, ("string", {}), "the purposes are no list"),
        ({"purposes": "[{purpose: scoring}]"}, ("string", {}), "a purpose has a name and a legal basis"),
        ({"purposes": "[{purpose: a, basis: b, consent: sim}]"}, ("string", {}), "neither true nor false"),
        ({"purposes": "[{porpose: a, basis: b}]"}, ("string", {}), "the key porpose is unknown"),
        ({"hold": "{until: 2030-01-01}"}, ("string", {}), "the hold names no legal basis"),
        ({"hold": "{basis: x, until: soon}"}, ("string", {}), "is no date"),
        ({"hold": "forever"}, ("string", {}), "it does not say what it has to"),
        ({"anonymity": "{k: 0}"}, ("string", {}), "whole numbers from 1"),
        ({"anonymity": "{k: 5, t: 2}"}, ("string", {}), "whole numbers from 1"),
        ({}, ("string", {"personal": "secret"}), "is no class of personal values"),
        ({}, ("string", {"personal": "{class: identifier, knid: cpf}"}), "the key knid is unknown"),
        ({}, ("string", {"personal": "7"}), "it does not say what it has to"),
        ({}, ("string", {"protection": "rot13"}), "is no protection"),
        ({}, ("string", {"protection": "{method: mask, kepe: 3}"}), "the key kepe is unknown"),
        ({}, ("integer", {"protection": "token"}), "is no text"),
    ],
)
def test_what_is_wrong_is_told(of: dict[str, str], column: tuple[str, dict[str, str]], what: str) -> None:
    with pytest.raises(ContractError, match=what):
        parse(document(of, cpf=column), name="people.odcs.yaml")


def test_a_key_stays_a_key() -> None:
    text = document(cpf=("string", {"protection": "mask"})).replace(
        "name: cpf\n", "name: cpf\n        primaryKey: true\n"
    )

    with pytest.raises(ContractError, match="would no longer tell rows apart"):
        parse(text, name="people.odcs.yaml")


@pytest.mark.parametrize(
    ("kind", "protection"),
    [
        ("string", "{method: mask, keep: 0, from: start}"),
        ("string", "{method: generalise, to: region}"),
        ("string", "{method: generalise, to: 3}"),
        ("date", "{method: generalise, to: decade}"),
        ("timestamp", "{method: generalise, to: hour}"),
        ("integer", "{method: generalise, bins: 10}"),
        ("number", "{method: generalise, bins: [0, 18.5, 60]}"),
    ],
)
def test_options_that_fit_their_column(kind: str, protection: str) -> None:
    found = parse(document(a=(kind, {"protection": protection})), name="p").personal

    assert [each.column for each in found.protections] == ["a"]


@pytest.mark.parametrize(
    ("kind", "protection", "match"),
    [
        ("array", "encrypt", "lists or objects"),
        ("string", "{method: mask, keep: -1}", "no number of characters"),
        ("string", "{method: mask, keep: true}", "no number of characters"),
        ("string", "{method: mask, from: middle}", "neither `end` nor `start`"),
        ("string", "{method: generalise, bins: 3}", "how a is generalised"),
        ("string", "{method: generalise, to: 9}", "how a is generalised"),
        ("date", "generalise", "how a is generalised"),
        ("date", "{method: generalise, to: hour}", "how a is generalised"),
        ("integer", "{method: generalise, bins: 0.5}", "how a is generalised"),
        ("integer", "{method: generalise, bins: []}", "how a is generalised"),
        ("number", "{method: generalise, bins: [a]}", "how a is generalised"),
        ("boolean", "{method: generalise, to: year}", "how a is generalised"),
    ],
)
def test_options_that_do_not_fit_their_column(kind: str, protection: str, match: str) -> None:
    with pytest.raises(ContractError, match=match):
        parse(document(a=(kind, {"protection": protection})), name="p")


def test_a_kind_of_lastro_s_own_is_refused() -> None:
    with pytest.raises(ContractError, match="Lastro's own"):
        parse(
            document(a=("string", {"personal": "{class: identifier, kind: 'lastro:line'}", "protection": "token"})),
            name="p",
        )


def test_a_dropped_column_is_no_column_and_what_is_protected_is_withheld() -> None:
    found = parse(
        document(a=("string", {"protection": "drop"}), b=("string", {"protection": "token"}), c=("string", {})),
        name="p",
    )

    assert found.plan().schema.names == ("b", "c")
    assert found.plan().withheld == {"b"}
    assert "a" in found.plan().ignored
    assert any("dropped" in note for note in found.notes)
