"""A wrong value is put right: for one person, through the contract, with a receipt that holds no value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.governance.people import ANA, BEA, CAIO, LOANS, add, every_byte, made, row, token

import lastro
from lastro.model.errors import DataRefused, UnknownName, UsageError
from lastro.workspace.rights.rectifying import receipt
from lastro.workspace.workspace import Workspace

PROTECTED = LOANS.replace(
    "value: {class: identifier, kind: cpf, confirmed: ana}}\n",
    "value: {class: identifier, kind: cpf, confirmed: ana}}\n"
    "          - {property: protection, vendor: lastro, value: token}\n",
).replace(
    "      - {name: note, logicalType: string}\n",
    "      - name: note\n        logicalType: string\n        customProperties:\n"
    "          - {property: personal, vendor: lastro, value: {class: identifier, kind: email}}\n"
    "          - {property: protection, vendor: lastro, value: token}\n",
)


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("LASTRO_LANG", "en")
    rows = [row(1, ANA), row(2, "52998224725"), row(3, BEA), row(4, ANA, amount=-1)]
    return made(tmp_path / "lake", rows)


def rows_of(workspace: Workspace, reference: str = "loans") -> dict[int, dict[str, Any]]:
    return {each["id"]: each for each in workspace.version(reference).to_arrow().to_pylist()}


def test_every_row_of_the_person_has_the_value_and_no_other(lake: Workspace) -> None:
    before = rows_of(lake)

    done = lake.subject_rectify(f"cpf={ANA}", dataset="loans", values={"amount": "99.5", "note": "it's =right"})

    after = rows_of(lake)
    assert [(after[n]["amount"], after[n]["note"]) for n in (1, 2)] == [(99.5, "it's =right")] * 2
    assert after[3] == before[3]
    assert {n: {**after[n], "amount": 10.5, "note": "a loan"} for n in after} == before
    assert (done.rows, done.earlier, done.aside) == (2, (0,), 1)
    assert rows_of(lake, "loans@0") == before
    assert lake.verify(read_data=True).passed


def test_the_receipt_says_whom_to_tell_and_holds_no_value(lake: Workspace, tmp_path: Path) -> None:
    lake.subject_export(f"cpf={ANA}", to=tmp_path / "ana")

    done = lake.subject_rectify(f"cpf={ANA}", dataset="loans", values={"amount": "777123"}, basis="GDPR art. 16")

    told = receipt(done).to_markdown()
    for word in ("Bureau SA", "loans@1", done.request.id, "Earlier versions keep the old value: 0", "GDPR art. 16"):
        assert word in told, word
    assert "777123" not in told + receipt(done).to_html()
    assert b"777123" not in every_byte(lake.root / ".lastro")
    (event,) = [event for _n, event in lake.ledger.events(action="rectify")]
    assert (event.columns, event.rows, event.about["request"]) == (("amount",), 2, done.request.id)


@pytest.mark.parametrize("value", ["-5", "many", "1e999x", "'; DROP TABLE loans; --"])
def test_what_the_contract_refuses_is_not_written(lake: Workspace, value: str) -> None:
    with pytest.raises(DataRefused, match="amount") as refused:
        lake.subject_rectify(f"cpf={ANA}", dataset="loans", values={"amount": value})

    assert value not in str(refused.value)
    assert len(lake.dataset("loans").log()) == 1
    assert lake.subject_requests().requests == ()
    assert value.encode() not in every_byte(lake.root) or value == "-5"


@pytest.mark.parametrize("column", ["nope", "id", "tags", "\udcff", "'\"; --"])
def test_what_cannot_be_put_right_is_refused(lake: Workspace, column: str) -> None:
    with pytest.raises(UsageError):
        lake.subject_rectify(f"cpf={ANA}", dataset="loans", values={column: "1"})

    assert len(lake.dataset("loans").log()) == 1


def test_a_person_nowhere_and_a_missing_value(lake: Workspace) -> None:
    with pytest.raises(UnknownName):
        lake.subject_rectify(f"cpf={CAIO}", dataset="loans", values={"amount": "1"})

    lake.subject_rectify(f"cpf={ANA}", dataset="loans", values={"amount": None, "asked": "2026-02-03"})

    assert [(each["amount"], str(each["asked"])) for n, each in rows_of(lake).items() if n < 3] == [
        (None, "2026-02-03")
    ] * 2


def test_appending_goes_on_and_corrected_rows_stay(lake: Workspace) -> None:
    lake.subject_rectify(f"cpf={ANA}", dataset="loans", values={"amount": "1"})

    lake.dataset("loans").ingest(data=[row(9, BEA)])

    assert sorted(rows_of(lake)) == [1, 2, 3, 9]
    assert rows_of(lake)[1]["amount"] == 1
    assert lake.dataset("loans").quarantine().count() == 1


def test_a_token_keeps_its_place_and_tells_the_new_value(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake", [row(1, BEA)])
    ana, bea = token(lake, "cpf", ANA), token(lake, "cpf", BEA)
    mail = token(lake, "email", "wrong@x.br", subjects_=(ana,))
    shared = token(lake, "email", "both@x.br", subjects_=(ana, bea))
    rows = [row(1, ana, note=mail), row(2, ana, note=mail), row(3, bea, note=shared)]
    lake = add(lake.root, "cards", PROTECTED, rows)

    done = lake.subject_rectify(f"cpf={ANA}", dataset="cards", values={"note": "right@x.br"})
    other = lake.subject_rectify(f"cpf={BEA}", dataset="cards", values={"note": "new@x.br"})

    vault = lake.vault
    assert (done.vaulted, done.made, vault.reveal([mail])[mail].value) == (("note",), "cards@0", "right@x.br")
    assert (other.vaulted, vault.reveal([shared])[shared].value) == ((), "both@x.br")
    new = rows_of(lake, "cards")[3]["note"]
    assert (vault.find("email", "new@x.br"), vault.reveal([new])[new].value) == (new, "new@x.br")
    assert vault.find("email", "wrong@x.br") is None
    assert b"new@x.br" not in every_byte(lake.root)


def test_two_persons_are_not_made_one(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake", [row(1, BEA)])
    ana, _bea = token(lake, "cpf", ANA), token(lake, "cpf", BEA)
    lake = add(lake.root, "cards", PROTECTED, [row(1, ana, note="")])

    with pytest.raises(UsageError, match="somebody else"):
        lake.subject_rectify(ana, dataset="cards", values={"cpf": BEA})
    done = lake.subject_rectify(ana, dataset="cards", values={"cpf": CAIO})

    assert done.vaulted == ("cpf",)
    assert lake.subject_find(f"cpf={CAIO}").rows == 1
    assert not lake.subject_find(f"cpf={ANA}").is_anywhere


def test_a_derived_dataset_is_put_right_at_its_origin(lake: Workspace) -> None:
    (lake.root / "transforms").mkdir()
    (lake.root / "transforms/big.sql").write_text("SELECT * FROM loans WHERE amount > 1")
    workspace = lastro.open(lake.root)
    workspace.build()

    with pytest.raises(UsageError, match="derived"):
        workspace.subject_rectify(f"cpf={ANA}", dataset="big", values={"amount": "2"})
    done = workspace.subject_rectify(f"cpf={ANA}", dataset="loans", values={"amount": "2"})
    workspace.build()

    assert done.derived == ("big",)
    assert rows_of(workspace, "big")[1]["amount"] == 2


def test_every_state_of_a_history_is_put_right(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake", [row(1, ANA, tags=None), row(2, BEA, tags=None)], mode="scd2")
    changed = [row(1, ANA, amount=20, tags=None), row(2, BEA, tags=None)]
    lake.dataset("loans").ingest(data=changed)

    done = lake.subject_rectify(f"cpf={ANA}", dataset="loans", values={"note": "right"})
    again = lake.dataset("loans").ingest(data=[row(1, ANA, amount=30, note="right", tags=None)])

    states = lake.version("loans").to_arrow().to_pylist()
    assert done.rows == 2
    assert sorted((each["id"], each["amount"], each["note"]) for each in states) == [
        (1, 10.5, "right"),
        (1, 20, "right"),
        (1, 30, "right"),
        (2, 10.5, "a loan"),
    ]
    assert again.counts.kept == 1
