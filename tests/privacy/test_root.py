"""Root keys: ours keep the protocol of `lastro.keys`, and what another package registers is found and used."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from lastro.model import plugin
from lastro.privacy import root as roots
from lastro.privacy.conformance import *  # noqa: F403
from lastro.privacy.root import RootAt, local
from lastro.privacy.vault import Vault


@pytest.fixture
def root():
    return local(b"r" * 32)


def provider(address: str):
    """What another package would register."""
    return local(address.encode().ljust(32, b"."))


def test_a_provider_of_another_package_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = importlib.metadata.EntryPoint("bao", f"{__name__}:provider", roots.ENTRY_POINTS)
    monkeypatch.setattr(type(point), "load", lambda _self: provider)
    monkeypatch.setattr(plugin, "entry_points", lambda **_asked: [point])
    vault = Vault(tmp_path / "vault.sqlite", RootAt("bao:transit/lake", tmp_path / "keys"))
    [token] = vault.tokens("id", ["x"])

    assert vault.ring.states()[0].root == provider("transit/lake").identity
    assert vault.reveal([token])[token].value == "x"
    assert not (tmp_path / "keys").exists()


def test_a_root_key_is_in_no_repr() -> None:
    assert "rrrr" not in repr(local(b"r" * 32))
