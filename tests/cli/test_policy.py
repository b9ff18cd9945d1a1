"""`policy` and `doctor`, as a person or another program calls them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workspace.guarded import CPFS, Guarded

POLICY = """
@id("analysts") @mask("cpf: last2") @reason("scoring")
permit(principal in Role::"analyst", action == Action::"read", resource in Dataset::"loans");
@id("no-notes") @reason("never classified")
forbid(principal, action, resource) when { resource.class == "unclassified" };
"""
TESTS = """
tests:
  - name: analysts see no CPF
    principal: ana
    dataset: loans
    purpose: credit-scoring
    columns: {income: allow, cpf: mask last2, note: deny}
  - principal: eva
    roles: []
    dataset: loans
    columns: {income: deny}
  - principal: eva
    roles: [analyst]
    dataset: loans
    columns: {cpf: mask}
    rows: []
"""


@pytest.fixture
def loans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guarded:
    monkeypatch.setenv("LASTRO_ACTOR", "ana")
    guarded = Guarded(tmp_path / "lake")
    guarded.root.chmod(0o700)
    monkeypatch.chdir(guarded.root)
    guarded.policy(POLICY)
    return guarded


def test_a_decision_is_explained(loans: Guarded, lastro) -> None:
    told = lastro("policy", "explain", "loans@0", "--json").json

    assert told["columns"]["cpf"] == {
        "reach": "masked", "mask": "last2", "rows": [], "because": ["analysts"], "why": "permitted: analysts"
    }  # fmt: skip
    assert told["columns"]["note"]["why"] == "forbidden: never classified"
    assert (told["principal"], told["roles"], told["access_control"]) == ("ana", ["analyst"], True)
    shown = lastro("policy", "explain", "loans")
    assert shown.last == "ana gets 4 of 5 columns of loans@0. next: lastro policy test"
    assert "masked: last2" in shown.out
    assert lastro("policy", "explain", "loans", "--as", "eva").last.startswith("eva gets 0 of 5 columns")


def test_examples_hold_or_are_told(loans: Guarded, lastro) -> None:
    assert lastro("policy", "test").code == 2
    (loans.root / "policies" / "people.test.yaml").write_text(TESTS)

    assert lastro("policy", "test").last == "all 3 examples hold"
    (loans.root / "policies" / "people.test.yaml").write_text(TESTS.replace("mask last2", "allow"))
    missed = lastro("policy", "test", "--json")
    assert (missed.code, missed.json["passed"]) == (1, False)
    assert missed.json["tests"][0]["missed"] == [
        "cpf: expected allow, found mask last2 (permitted: analysts)"
    ]  # fmt: skip
    assert "1 of 3 examples does not hold" in lastro("policy", "test").last


@pytest.mark.parametrize(
    "text",
    [
        "tests: 3",
        "tests: [3]",
        "test: []",
        "tests:\n- {principal: ana}",
        "tests:\n- {principal: ana, dataset: loans}",
        "tests:\n- {principal: ana, dataset: loans, columns: {cpf: maybe}}",
        "tests:\n- {principal: ana, dataset: loans, columns: [cpf]}",
        "tests:\n- {principal: ana, dataset: loans, column: {cpf: deny}}",
        "tests:\n- {principal: ana, dataset: loans, action: steal, columns: {cpf: deny}}",
        "tests:\n- {principal: ana, dataset: nowhere, columns: {cpf: deny}}",
        "\x00",
        "- &a [*a]",
    ],
)
def test_examples_that_are_none_are_refused(loans: Guarded, lastro, text: str) -> None:
    (loans.root / "policies" / "people.test.yaml").write_text(text)

    assert lastro("policy", "test").code == 2


def test_a_purpose_without_a_basis_is_told(loans: Guarded, lastro) -> None:
    loans.purposes = '[{purpose: credit-scoring, basis: "LGPD art. 7, X"}]'
    loans.begin()

    refused = lastro("policy", "explain", "loans", "--purpose", "marketing")
    assert (refused.code, "GDPR art. 6" in refused.out) == (4, True)
    assert lastro("policy", "explain", "loans", "--purpose", "credit-scoring").code == 0
    assert lastro("read", "loans@0", "-o", "out.csv").code == 4
    read = lastro("read", "loans@0", "-o", "out.csv", "--purpose", "credit-scoring")
    assert (read.code, "left out: note" in read.out, "masked: cpf" in read.out) == (0, True, True)
    text = Path("out.csv").read_text()
    assert not any(cpf in text for cpf in CPFS)
    assert "note" not in text
    assert lastro("read", "loans@0", "-o", "out.csv").code == 4  # a purpose holds for one command


def test_the_doctor_tells(loans: Guarded, lastro) -> None:
    told = lastro("doctor", "--json")
    assert (told.code, told.json["passed"], told.json["mode"]) == (0, True, "embedded")
    assert "What it cannot" in lastro("doctor").out

    (loans.root / ".lastro").chmod(0o777)
    broken = lastro("doctor")
    assert (broken.code, broken.last.startswith("1 thing is to be put right")) == (1, True)


def test_what_somebody_touched_is_listed(loans: Guarded, lastro) -> None:
    assert lastro("read", "loans@0", "-o", "out.csv").code == 0

    (found,) = lastro("ledger", "touched", "--actor", "ana", "--json").json["touched"][-1:]
    assert (found["reference"], "cpf" in found["columns"]) == ("loans@0", True)
    assert lastro("ledger", "touched").code == 2
    assert lastro("ledger", "touched", "--actor", "ana", "--since", "2999-01-01").last.startswith("0 versions")
    assert lastro("ledger", "rotate").last.endswith("next: lastro ledger verify")
    assert lastro("ledger", "anchor").code == 2
    assert lastro("ledger", "anchor", "--file", "anchors.txt").code == 0
    assert lastro("ledger", "verify", "--anchor", "anchors.txt").code == 0
