"""The doctor tells what is broken, and what nobody can promise."""

from __future__ import annotations

import subprocess

import pytest
from tests.workspace.guarded import Guarded

from lastro.model.access import Act
from lastro.model.errors import NotPermitted
from lastro.workspace.access.admission import require
from lastro.workspace.access.doctor import Level


def told(guarded: Guarded) -> dict[str, Level]:
    """The gravest level of each check."""
    found: dict[str, Level] = {}
    for symptom in reversed(guarded.workspace.doctor().symptoms):
        found[symptom.check] = symptom.level
    return found


@pytest.fixture
def private(guarded: Guarded) -> Guarded:
    guarded.root.chmod(0o700)
    return guarded


def test_a_workspace_without_policies_is_told_so(private: Guarded) -> None:
    examination = private.workspace.doctor()

    assert examination.passed
    assert told(private)["access"] is Level.NOTE
    assert any("guidance and a log" in each for each in examination.cannot)


def test_what_contracts_do_not_say_is_named(private: Guarded) -> None:
    notes = {each.check: each.what for each in private.workspace.doctor().of(Level.NOTE)}

    assert notes["classes"] == "1 column is not classified yet, in loans"
    assert "loans hold personal data without purposes" in notes["basis"]
    assert "without a retention" in notes["retention"]


@pytest.mark.parametrize("path", [".lastro", ".lastro/keys/ledger.key"])
def test_what_others_may_open_is_bad(private: Guarded, path: str) -> None:
    (private.root / path).chmod(0o755)

    bad = private.workspace.doctor().of(Level.BAD)

    assert [each.check for each in bad][:1] == ["modes"]
    assert bad[0].do.startswith("chmod ")


@pytest.mark.parametrize("ending", ["", "-wal"])
def test_a_vault_that_others_may_read_is_bad(private: Guarded, ending: str) -> None:
    private.workspace.vault.tokens("cpf", ["52998224725"], is_subject=True)
    path = private.root / f".lastro/vault.sqlite{ending}"
    path.touch()
    path.chmod(0o640)

    bad = private.workspace.doctor().of(Level.BAD)

    assert bad[0].do == f"chmod 600 .lastro/vault.sqlite{ending}"
    path.chmod(0o600)
    assert private.workspace.doctor().passed


def test_policies_that_cannot_be_read_are_bad(private: Guarded) -> None:
    private.policy("permit(")

    examination = private.workspace.doctor()

    assert not examination.passed
    assert examination.of(Level.BAD)[0].check == "access"


def test_policies_without_examples_are_noted(private: Guarded) -> None:
    private.policy("permit(principal, action, resource);")
    assert told(private)["access"] is Level.NOTE

    (private.root / "policies" / "people.test.yaml").write_text("tests: []\n")
    assert told(private)["access"] is Level.GOOD


def test_a_changed_ledger_is_bad(private: Guarded) -> None:
    private.workspace.ledger.close()
    (private.root / ".lastro" / "keys" / "ledger.pub").write_text("x\n")

    assert told(private)["ledger"] is Level.BAD


def test_consent_that_nobody_can_give_is_bad(private: Guarded) -> None:
    private.purposes = "[{purpose: marketing, basis: consent, consent: true}]"
    private.begin()

    assert told(private)["consent"] is Level.BAD


def test_state_that_git_would_publish_is_bad(private: Guarded) -> None:
    subprocess.run(["git", "init", "-q", private.root], check=True)
    assert told(private)["git"] is Level.GOOD

    (private.root / ".gitignore").unlink()
    assert told(private)["git"] is Level.BAD


def test_an_action_on_a_whole_dataset_takes_a_policy(private: Guarded) -> None:
    require(private.loans, Act.ERASE)
    private.policy('permit(principal in Role::"analyst", action == Action::"erase", resource in Dataset::"loans");')

    require(private.loans, Act.ERASE)
    with pytest.raises(NotPermitted, match="may not reveal loans"):
        require(private.loans, Act.REVEAL)
