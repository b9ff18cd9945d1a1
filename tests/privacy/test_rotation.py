"""Keys are turned without a value being lost, also if the process is killed in between."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path
from typing import ClassVar

import pytest

from lastro.model.errors import ConfigurationError, Corrupted, NotPermitted, UnknownName, UsageError
from lastro.privacy import backup, rotation
from lastro.privacy.keys import KeyFor
from lastro.privacy.root import RootAt, text_of
from lastro.privacy.rotation import turn, turn_root
from lastro.privacy.vault import Vault

PEOPLE = [f"person {number}" for number in range(50)]
TODAY = date(2026, 11, 26)


@pytest.fixture
def vault(tmp_path):
    made = vault_in(tmp_path)
    made.tokens("id", PEOPLE, is_subject=True)
    return made


def vault_in(folder: Path, said: str = "file") -> Vault:
    return Vault(folder / "vault.sqlite", RootAt(said, folder / "keys"))


def values(vault: Vault) -> dict[str, str]:
    return {
        vault.find("id", each): vault.reveal([vault.find("id", each)])[vault.find("id", each)].value for each in PEOPLE
    }


@pytest.mark.parametrize("purpose", [KeyFor.RECORD, KeyFor.LOOKUP])
def test_a_turned_key_leaves_tokens_and_nothing_of_the_old_one(vault, tmp_path, purpose, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 20)
    before, other = values(vault), vault_in(tmp_path)
    assert other.find("id", PEOPLE[0]) in before
    with sqlite3.connect(tmp_path / "vault.sqlite") as raw:
        wrapped = [row[0] for row in raw.execute("SELECT wrapped FROM key WHERE purpose = ?", (purpose,))]
        sealed = [row[0] for row in raw.execute("SELECT sealed FROM entry")]
    raw.close()
    turned = turn(vault, purpose)

    assert (turned.number, turned.entries) == (2, 50)
    assert values(vault) == values(other) == values(vault_in(tmp_path)) == before
    content = (tmp_path / "vault.sqlite").read_bytes()
    assert not [old for old in (*wrapped, *sealed) if old in content]
    assert [state.destroyed for state in vault.ring.states() if state.purpose == purpose] == [True, False]


class Killed(BaseException):
    pass


@pytest.mark.parametrize("purpose", [KeyFor.RECORD, KeyFor.LOOKUP])
@pytest.mark.parametrize("after", [1, 2, 3])
def test_killed_while_a_key_is_turned_all_is_readable_and_it_goes_on(vault, tmp_path, purpose, after, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 20)
    before, told = values(vault), []

    def kill(count: int) -> None:
        told.append(count)
        if len(told) == after:
            raise Killed

    with pytest.raises(Killed):
        turn(vault, purpose, told=kill)
    vault.close()
    again = vault_in(tmp_path)
    assert values(again) == before
    [new] = again.tokens("id", ["somebody new"], is_subject=True)
    turned = turn(again, purpose)

    assert (turned.number, turned.entries) == (2, 50 - told[-1])
    assert values(vault_in(tmp_path)) == before
    assert vault_in(tmp_path).find("id", "somebody new") == new


def test_the_root_key_is_turned_and_the_old_one_opens_nothing(vault, tmp_path):
    before, old = values(vault), (tmp_path / "keys" / "root.key").read_bytes()
    vault.forget(vault.find("id", "person 49"))
    before.popitem()
    turn_root(vault)

    assert (tmp_path / "keys" / "root.key").read_bytes() != old
    assert not (tmp_path / "keys" / "root.key.next").exists()
    assert vault_in(tmp_path).blocked("id", ["person 49"]) == [True]
    assert vault_in(tmp_path).check() == 49
    vault.close()
    (tmp_path / "keys" / "root.key").write_bytes(old)
    with pytest.raises(NotPermitted, match="is not the one that protects the vault"):
        vault_in(tmp_path).find("id", "person 1")


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_the_root_key_is_turned_the_vault_opens_and_it_goes_on(vault, tmp_path, when, monkeypatch):
    before = values(vault)
    following = tmp_path / "keys" / "root.key.next"
    with monkeypatch.context() as patched:

        def kill(*_args: object) -> None:
            raise Killed

        if when == "before":
            patched.setattr(vault.ring, "rewrap", kill)
        else:
            patched.setattr(Path, "replace", kill)
        with pytest.raises(Killed):
            turn_root(vault)
    vault.close()
    assert following.exists()
    assert values(vault_in(tmp_path)) == before
    turn_root(vault_in(tmp_path))

    assert not following.exists()
    assert values(vault_in(tmp_path)) == before


def test_the_root_key_moves_to_the_environment_and_back(vault, tmp_path, monkeypatch):
    before = values(vault)
    monkeypatch.setenv("NEW_ROOT", text_of(b"n" * 32))
    turn_root(vault, to=RootAt("env:NEW_ROOT", tmp_path / "keys"))

    assert values(vault) == before
    assert values(vault_in(tmp_path, "env:NEW_ROOT")) == before
    with pytest.raises(UsageError, match="somewhere of its own"):
        turn_root(vault_in(tmp_path, "env:NEW_ROOT"))
    turn_root(vault, to=RootAt("file", tmp_path / "keys"))
    assert values(vault_in(tmp_path)) == before


@pytest.mark.parametrize(
    ("value", "match"), [(None, "holds no root key"), ("short", "is no root key"), ("!" * 44, "is no root key")]
)
def test_an_environment_without_a_key_is_told_and_the_key_is_not(tmp_path, monkeypatch, value, match):
    monkeypatch.delenv("SOME_ROOT", raising=False)
    if value is not None:
        monkeypatch.setenv("SOME_ROOT", value)

    with pytest.raises(ConfigurationError, match=match) as caught:
        vault_in(tmp_path, "env:SOME_ROOT").tokens("id", ["x"])
    assert value is None or value not in str(caught.value)


def test_a_place_that_nobody_knows_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match="no root key is kept in 'cloud'"):
        vault_in(tmp_path, "cloud:there").tokens("id", ["x"])


def test_the_system_s_key_ring_keeps_a_root_key(tmp_path):
    keyring = pytest.importorskip("keyring")
    from keyring.backend import KeyringBackend

    class InMemory(KeyringBackend):
        priority = 1
        held: ClassVar[dict[tuple[str, str], str]] = {}

        def get_password(self, service, username):
            return self.held.get((service, username))

        def set_password(self, service, username, password):
            self.held[service, username] = password

        def delete_password(self, service, username):
            del self.held[service, username]

    before = keyring.get_keyring()
    keyring.set_keyring(InMemory())
    try:
        vault = vault_in(tmp_path, "secret://keyring/lake")
        [token] = vault.tokens("id", ["x"])
        assert vault_in(tmp_path, "keyring:lake").find("id", "x") == token
        InMemory.held.clear()
        with pytest.raises(NotPermitted, match="the root key is gone"):
            vault_in(tmp_path, "keyring:lake").find("id", "x")
    finally:
        keyring.set_keyring(before)


def test_a_backup_comes_back_until_its_epoch_expires(vault, tmp_path):
    before, keys = values(vault), tmp_path / "keys"
    path = backup.back_up(vault, tmp_path / "safe", keys, today=TODAY)
    [epoch] = backup.epochs(keys)
    assert (epoch.name, epoch.expires) == ("2026-11", date(2027, 3, 1))
    assert not [each for each in (*PEOPLE, "entry", "SQLite") if each.encode() in path.read_bytes()]

    vault.close()
    (tmp_path / "vault.sqlite").unlink()
    backup.restore(vault_in(tmp_path), tmp_path / "safe", keys)
    assert values(vault_in(tmp_path)) == before

    assert backup.expire(keys, epoch.expires) == ()
    assert backup.expire(keys, date(2027, 3, 2)) == (epoch,)
    with pytest.raises(NotPermitted, match="the key of the epoch 2026-11 was destroyed"):
        backup.restore(vault_in(tmp_path), path, keys, replace=True)
    assert values(vault_in(tmp_path)) == before


def test_who_was_erased_since_a_backup_stays_erased(vault, tmp_path):
    keys = tmp_path / "keys"
    backup.back_up(vault, tmp_path / "safe", keys, today=TODAY)
    [late] = vault.tokens("id", ["came later"], is_subject=True)
    vault.forget(vault.find("id", "person 7"), late)

    with pytest.raises(UsageError, match="there is a vault already"):
        backup.restore(vault, tmp_path / "safe", keys)
    backup.restore(vault, tmp_path / "safe", keys, replace=True)
    restored = vault_in(tmp_path)

    assert restored.find("id", "person 7") is None
    assert restored.blocked("id", ["person 7", "came later", late, "person 8"]) == [True, True, True, False]
    assert restored.check() == 49
    assert vault.check() == 49


def test_a_backup_that_was_changed_or_cut_off_is_refused(vault, tmp_path):
    keys = tmp_path / "keys"
    vault.tokens("id", ["x" * 3_000_000])
    path = backup.back_up(vault, tmp_path / "safe", keys, today=TODAY)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    piece = 4 + int.from_bytes(whole[first : first + 4], "big")
    bent = (
        whole[:-1],
        whole[: first + piece],
        whole[:first] + whole[first + piece :],
        whole[:2000] + b"\0" + whole[2001:],
        whole[:20] + b"no",
        b"",
    )
    for content in bent:
        path.write_bytes(content)
        with pytest.raises(Corrupted):
            backup.restore(vault_in(tmp_path / "other"), path, keys)
    assert not (tmp_path / "other" / "vault.sqlite").exists()
    with pytest.raises(UnknownName):
        backup.restore(vault_in(tmp_path / "other"), tmp_path / "keys", keys)
