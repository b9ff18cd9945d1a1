"""The register of measures: what is shown by records, and never more than a library can promise."""

from __future__ import annotations

import html
import json
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

import lastro
from lastro.model.control import Register, State
from lastro.model.errors import UnknownName
from lastro.report.json_values import answer_json
from lastro.workspace.audit.anchoring import into_file
from lastro.workspace.audit.controls import controls
from lastro.workspace.workspace import Workspace

CONTRACT = """version: 1.2.0
apiVersion: v3.2.0
kind: DataContract
id: people
status: active
slaProperties: [{property: retention, value: 5, unit: y}]
schema:
  - name: people
    logicalType: object
    customProperties:
      - {property: subject, vendor: lastro, value: cpf}
      - {property: purposes, vendor: lastro, value: [{purpose: scoring, basis: "LGPD art. 7, X"}]}
    properties:
      - name: cpf
        logicalType: string
        required: true
        customProperties:
          - {property: personal, vendor: lastro, value: {class: identifier, kind: cpf, confirmed: ana}}
          - {property: protection, vendor: lastro, value: token}
      - name: health
        logicalType: string
        customProperties:
          - {property: personal, vendor: lastro, value: {class: sensitive, kind: health}}
          - {property: protection, vendor: lastro, value: redact}
      - name: amount
        logicalType: number
        customProperties: [{property: personal, vendor: lastro, value: feature}]
"""
ABOUT = """
keys: {root: "env:CONTROL_ROOT"}
alerts: [{webhook: "https://alerts.example.org/x"}]
organisation:
  name: Banco <Exemplo>
  contact: privacidade@exemplo.com.br
  officer: {name: Ana Lima, contact: dpo@exemplo.com.br}
judgements: {security: [disks are encrypted]}
"""
KEY = "bGFzdHJvLXRlc3Qtcm9vdC1rZXktMzItYnl0ZXMhISE="
ENVIRONMENT = {"LASTRO_LANG": "en", "LASTRO_ACTOR": "ana", "LASTRO_PURPOSE": "scoring", "CONTROL_ROOT": KEY}
EXAMPLES = "tests: [{principal: ana, dataset: people, purpose: scoring, columns: {amount: allow}}]\n"
UNKNOWABLE = {"disk-encryption", "folder-backup", "identity", "people"}


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace that lacks everything."""
    monkeypatch.setenv("LASTRO_LANG", "en")
    return lastro.init(tmp_path / "lake")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which everything is done that Lastro can see."""
    folder = tmp_path_factory.mktemp("controls")
    source = folder / "people.jsonl"
    rows = [{"cpf": f"529.982.247-2{n}", "health": "flu-7391", "amount": n} for n in range(3)]
    source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        for name, value in ENVIRONMENT.items():
            patched.setenv(name, value)
        workspace = lastro.init(folder / "lake")
        workspace.root.chmod(0o700)
        workspace.add(str(source), name="people")
        (workspace.root / "contracts" / "people.odcs.yaml").write_text(CONTRACT, encoding="utf-8")
        with (workspace.root / "lastro.yaml").open("a", encoding="utf-8") as stream:
            stream.write(ABOUT)
        policies = workspace.root / "policies"
        policies.mkdir()
        (policies / "people.cedar").write_text("permit(principal, action, resource);\n")
        workspace = lastro.open(workspace.root)
        workspace.dataset("people").ingest()
        workspace.dataset("people").version().to_arrow("amount")
        workspace.keys.back_up(folder / "backups")
        workspace.keys.restore(folder / "backups", replace=True)
        workspace.keys.rotate("record")
        workspace.enter_request("access")
    return workspace.root


@pytest.fixture
def whole(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy of that, whose ledger's checkpoint is kept in another file."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    shutil.copytree(made, tmp_path / "lake")
    workspace = lastro.open(tmp_path / "lake")
    into_file(workspace.ledger, tmp_path / "anchors.txt")
    return workspace


def states(register: Register) -> dict[str, State]:
    return {each.key: each.state for each in register.controls}


def test_nothing_is_claimed_of_a_workspace_that_lacks_everything(bare: Workspace) -> None:
    found = controls(bare)

    assert {key for key, state in states(found).items() if state is State.IN_PLACE} <= {
        *("modes", "git", "libraries"),
        *("integrity", "readings"),
    }
    assert {each.key for each in found.of(State.UNKNOWN)} >= UNKNOWABLE
    for key in ("responsible", "classification", "access", "root-key", "vault-backup", "restore-tested", "anchor"):
        assert states(found)[key] is State.MISSING, key
    assert all(each.do for each in found.of(State.MISSING))


def test_what_is_done_is_shown_with_its_proof(whole: Workspace) -> None:
    found = controls(whole)
    by_key = {each.key: each for each in found.controls}

    lacking = {each.key for each in found.of(State.MISSING)}
    assert lacking == {"access-tested"}, [(each.key, each.evidence) for each in found.of(State.MISSING)]
    assert {each.key for each in found.of(State.UNKNOWN)} == UNKNOWABLE
    contract = whole.dataset("people").contract()
    assert contract.digest in {each.digest for each in by_key["purposes"].evidence}
    events = dict(whole.ledger.events())
    for key, action in (("restore-tested", "vault"), ("vault-backup", "vault"), ("readings", "read")):
        (proof,) = [each for each in by_key[key].evidence if each.event is not None]
        assert proof.event is not None
        assert (events[proof.event].action, events[proof.event].moment) == (action, proof.at)


def test_examples_of_policies_are_run(whole: Workspace) -> None:
    (whole.root / "policies" / "people.test.yaml").write_text(EXAMPLES)

    assert states(controls(whole))["access-tested"] is State.IN_PLACE

    (whole.root / "policies" / "people.cedar").write_text("forbid(principal, action, resource);\n")
    assert states(controls(whole))["access-tested"] is State.MISSING


@pytest.mark.parametrize("language", ["en", "pt_BR"])
def test_no_value_and_no_secret_is_told(whole: Workspace, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_LANG", language)
    found = whole.report("control")

    for text in (found.to_markdown(), found.to_html(), answer_json("x/1", found.values, ok=True)):
        for digest in {each.digest for each in whole.dataset("people").log()}:
            text = text.replace(digest, "")
        assert "529.982" not in text
        assert "flu-7391" not in text
        assert KEY not in text
        assert "Ana Lima" in text


@pytest.mark.parametrize("language", ["en", "pt_BR"])
def test_what_no_library_can_promise_is_said(whole: Workspace, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_LANG", language)
    found = controls(whole)
    told = html.unescape(whole.report("control").to_html())

    by_key = {each.key: each for each in found.controls}
    for key in ("access", "purposes", "protection", "readings", "ledger", "anchor", "erasure", "vault-backup"):
        assert by_key[key].state is State.IN_PLACE
        assert by_key[key].limit in told
    for sentence in (*found.cannot, *found.promises):
        assert sentence in told
    assert whole.dataset("people").version().digest in told
    head = whole.ledger.head()
    assert head is not None
    assert head.root in told


def test_people_saying_so_does_not_make_it_known(whole: Workspace) -> None:
    told = whole.report("control").to_markdown()

    assert "disks are encrypted" in told
    assert states(controls(whole))["disk-encryption"] is State.UNKNOWN


def test_a_broken_contract_puts_nothing_in_place(whole: Workspace) -> None:
    (whole.root / "contracts" / "people.odcs.yaml").write_text("schema: [", encoding="utf-8")

    found = states(controls(whole))

    for key in ("purposes", "classification", "retention", "erasure", "accuracy"):
        assert found[key] is State.MISSING, key
    assert found["protection"] is not State.IN_PLACE


def test_a_column_without_class_leaves_protection_unknown(whole: Workspace) -> None:
    path = whole.root / "contracts" / "people.odcs.yaml"
    path.write_text(CONTRACT.replace("{property: personal, vendor: lastro, value: feature}", ""), encoding="utf-8")

    found = states(controls(whole))

    assert (found["classification"], found["protection"]) == (State.MISSING, State.UNKNOWN)


def test_old_keys_and_expired_backups_are_not_in_place(whole: Workspace) -> None:
    now = whole.clock
    later = lastro.open(whole.root)
    later.clock = lambda: now() + timedelta(days=800)

    found = {each.key: each for each in controls(later).controls}

    assert found["key-rotation"].state is State.MISSING
    assert found["key-rotation"].do == "lastro keys rotate"
    assert found["vault-backup"].state is State.MISSING
    assert found["requests"].state is State.MISSING


def test_an_anchor_that_is_gone_is_not_known(whole: Workspace, tmp_path: Path) -> None:
    (tmp_path / "anchors.txt").unlink()

    assert states(controls(whole))["anchor"] is State.UNKNOWN


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"x 1\nlastro\n", b"1\n" * 6])
def test_an_anchor_of_something_else_is_no_proof(whole: Workspace, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "anchors.txt").write_bytes(content)

    assert states(controls(whole))["anchor"] is not State.IN_PLACE


def test_a_changed_ledger_is_not_in_place(whole: Workspace) -> None:
    whole.ledger.close()
    with sqlite3.connect(whole.root / ".lastro" / "ledger.sqlite") as handle:
        handle.execute("UPDATE event SET content = replace(content, 'scoring', 'ads')")
    handle.close()

    found = states(controls(lastro.open(whole.root)))

    assert (found["ledger"], found["anchor"]) == (State.MISSING, State.MISSING)


def test_a_dataset_that_is_not_there_is_told(whole: Workspace) -> None:
    with pytest.raises(UnknownName):
        whole.report("control", "nobody")
