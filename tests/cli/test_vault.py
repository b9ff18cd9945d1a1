"""`vault`, `keys` and `reveal`, as a person or another program calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.workspace.people import ANA, BAD, CONTRACT, HEADER, RUI


@pytest.fixture
def people(tmp_path: Path, lastro) -> Path:
    """A dataset with two persons, and a third set aside."""
    assert lastro("init").code == 0
    (tmp_path / "contracts" / "people.odcs.yaml").write_text(CONTRACT)
    (tmp_path / "people.csv").write_text(HEADER + ANA + RUI + BAD)
    (tmp_path / "lastro.yaml").write_text(
        "lastro: 1\ndatasets:\n  people: {mode: upsert, source: {kind: files, path: people.csv}}\n"
    )
    assert lastro("ingest", "people").code == 0
    return tmp_path


def test_values_are_shown_for_a_purpose_only(people, lastro):
    silent, bare = lastro("reveal", "people", "--where", "uf = 'SP'"), lastro("reveal", "people", "--purpose", "x")
    shown = lastro("reveal", "people", "--where", "uf = 'SP'", "--purpose", "support", "--json")
    page = lastro("reveal", "people@0", "--where", "true", "--limit", "1", "--purpose", "support")

    assert (silent.code, bare.code) == (2, 2)
    assert "52998224725" not in silent.out + silent.err + bare.out + bare.err
    assert shown.json["rows"] == [{"cpf": "52998224725", "email": "ana@private.org"}]
    assert (page.code, page.out.count("@private.org")) == (0, 1)
    assert page.last.startswith("1 of 2 rows of people@0 are revealed for support")
    assert len(lastro("ledger", "show", "--action", "reveal", "--json").json["events"]) == 2


def test_the_quarantine_shows_tokens_until_a_purpose_is_named(people, lastro):
    closed = lastro("quarantine", "people")
    refused = lastro("quarantine", "people", "--reveal")
    opened = lastro("quarantine", "people", "--reveal", "--purpose", "repair", "--json")
    assert lastro("quarantine", "people", "--export", "a.csv", "--reveal", "--purpose", "repair").code == 0

    assert "eva@" not in closed.out + refused.out + refused.err
    assert (closed.code, refused.code) == (0, 2)
    assert json.loads(opened.json["rows"][0]["record"])["email"] == "eva@private.org"
    assert "eva@private.org" in (people / "a.csv").read_text()


def test_keys_are_turned_and_listed(people, lastro):
    turned = lastro("keys", "rotate", "--json")
    listed = lastro("keys", "status", "--json")
    hashed, unknown = lastro("keys", "rotate", "--hash"), lastro("keys", "rotate", "--root", "--to", "nowhere")
    moved = lastro("keys", "rotate", "--root", "--to", "env:ABSENT_KEY")

    assert [each["purpose"] for each in turned.json["turned"]] == ["root", "record", "lookup"]
    assert {each["purpose"]: each["number"] for each in listed.json["keys"] if not each["destroyed"]} == {
        "hash": 1,
        "lookup": 2,
        "record": 2,
    }
    assert (hashed.code, unknown.code, moved.code) == (2, 2, 2)
    assert "people has hashes" in hashed.err
    assert lastro("reveal", "people", "--where", "uf = 'SP'", "--purpose", "support").code == 0
    assert lastro("keys", "status").code == 0
    assert [
        event["about"]["keys"] for event in lastro("ledger", "show", "--action", "vault", "--json").json["events"]
    ] == [
        "root",
        "record",
        "lookup",
    ]


def test_the_vault_is_counted_backed_up_and_brought_back(people, lastro):
    before = lastro("vault", "status", "--check", "--json").json
    saved = lastro("vault", "backup", "safe", "--json")
    kept, back = lastro("vault", "restore", "safe"), lastro("vault", "restore", "safe", "--replace")
    after = lastro("vault", "status", "--json").json

    assert (before["persons"], before["erased"], before["entries"]["cpf"]) == (3, 0, 3)
    assert (saved.code, kept.code, back.code) == (0, 2, 0)
    assert [each["expires"] for each in after["backups"]] == [saved.json["expires"]]
    assert after["entries"] == before["entries"]
    assert lastro("vault", "status").code == 0
    assert lastro("vault", "unblock", "cpf=529.982.247-25").code == 1
    assert lastro("vault", "unblock", "nobody").code == 2


def test_a_workspace_without_a_vault_says_so_and_gets_none(tmp_path, lastro):
    assert lastro("init").code == 0

    assert lastro("vault", "status", "--json").json["persons"] == 0
    assert lastro("keys", "status").last.startswith("0 keys")
    assert lastro("keys", "rotate").code == 2
    assert lastro("vault", "backup", "safe").code == 2
    assert not (tmp_path / ".lastro" / "vault.sqlite").exists()
