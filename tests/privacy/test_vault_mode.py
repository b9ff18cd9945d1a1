"""The vault is its owner's alone, from its first byte on, whatever the umask says."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from lastro.privacy import backup
from lastro.privacy.root import RootAt
from lastro.privacy.vault import Vault

TODAY = date(2026, 11, 26)


@pytest.fixture(autouse=True)
def permissive() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def vault_in(folder: Path) -> Vault:
    return Vault(folder / "vault.sqlite", RootAt("file", folder / "keys"))


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.glob("*vault.sqlite*")}


def test_it_is_private_before_anything_is_written(tmp_path, monkeypatch):
    connect, seen = sqlite3.connect, []

    def connecting(path, **given):
        seen.append((path.stat().st_size, path.stat().st_mode & 0o777))
        return connect(path, **given)

    monkeypatch.setattr(sqlite3, "connect", connecting)
    vault = vault_in(tmp_path)
    vault.tokens("id", ["Ana"], is_subject=True)

    assert seen == [(0, 0o600)]
    assert modes(tmp_path) == dict.fromkeys(("vault.sqlite", "vault.sqlite-wal", "vault.sqlite-shm"), 0o600)


def test_it_stays_private_when_it_is_wiped(tmp_path):
    vault = vault_in(tmp_path)
    [token] = vault.tokens("id", ["Ana"], is_subject=True)
    vault.tokens("id", ["Rui"], is_subject=True)

    vault.forget(token)

    assert set(modes(tmp_path).values()) == {0o600}
    vault.close()
    assert vault_in(tmp_path).find("id", "Rui") is not None
    assert set(modes(tmp_path).values()) == {0o600}


def test_copies_of_it_are_private_and_so_is_what_is_brought_back(tmp_path):
    vault, keys = vault_in(tmp_path), tmp_path / "keys"
    vault.tokens("id", ["Ana"], is_subject=True)
    vault.connection.copy_to(tmp_path / "copy")
    path = backup.back_up(vault, tmp_path / "safe", keys, today=TODAY)
    vault.tokens("id", ["Rui"], is_subject=True)

    backup.restore(vault, path, keys, replace=True)

    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    assert path.stat().st_mode & 0o777 == 0o600
    assert vault_in(tmp_path).find("id", "Ana") is not None
    assert vault_in(tmp_path).find("id", "Rui") is None
    assert set(modes(tmp_path).values()) == {0o600}


def test_an_older_vault_keeps_the_mode_that_it_was_given(tmp_path):
    vault_in(tmp_path).tokens("id", ["Ana"], is_subject=True)
    (tmp_path / "vault.sqlite").chmod(0o640)

    assert vault_in(tmp_path).find("id", "Ana") is not None
    assert modes(tmp_path)["vault.sqlite"] == 0o640
