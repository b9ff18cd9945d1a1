"""The vault's formats on disk: files that an earlier Lastro wrote open, and say what they said."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import sqlite3
from datetime import date
from pathlib import Path

from lastro.privacy import backup
from lastro.privacy.root import RootAt
from lastro.privacy.vault import Vault

DATA = Path(__file__).resolve().parent / "data"
ROOT = bytes(range(32))
ANA = "529.982.247-25"


def write(folder: Path) -> None:
    """Writes the golden files anew: for a new version of the format, beside those that are there."""
    keys = folder / "keys"
    keys.mkdir(parents=True)
    (keys / "root.key").write_bytes(ROOT)
    (keys / "root.key").chmod(0o600)
    vault = Vault(folder / "vault.sqlite", RootAt("file", keys))
    ana, rui = vault.tokens("cpf", [ANA, "111.444.777-35"], is_subject=True)
    vault.tokens("email", ["ana@private.org"], subjects=[ana])
    vault.hasher()
    vault.forget(rui)
    made = backup.back_up(vault, folder, keys, today=date(2026, 11, 26), kept_days=100_000)
    made.rename(folder / "backup.vault")
    (folder / "tokens.json").write_text(json.dumps({"ana": ana, "rui": rui, "hash": vault.hasher()(b"cpf\x00x").hex()}))
    vault.close()


def copied(tmp_path: Path) -> tuple[Vault, dict[str, str]]:
    folder = tmp_path / "vault-1"
    shutil.copytree(DATA / "vault-1", folder)
    for key in (folder / "keys").iterdir():
        key.chmod(0o600)
    vault = Vault(folder / "vault.sqlite", RootAt("file", folder / "keys"))
    return vault, json.loads((folder / "tokens.json").read_text())


def test_the_golden_vault_opens(tmp_path: Path) -> None:
    vault, tokens = copied(tmp_path)

    assert vault.find("cpf", "52998224725") == tokens["ana"]
    assert [(entry.kind, entry.value) for entry in vault.entries(tokens["ana"])] == [
        ("cpf", ANA),
        ("email", "ana@private.org"),
    ]
    assert vault.blocked("cpf", ["11144477735", tokens["rui"], ANA]) == [True, True, False]
    assert vault.hasher()(b"cpf\x00x").hex() == tokens["hash"]
    assert vault.check() == 2


def test_the_golden_backup_comes_back(tmp_path: Path) -> None:
    vault, tokens = copied(tmp_path)
    folder = vault.connection.path.parent
    backup.restore(vault, folder / "backup.vault", folder / "keys", replace=True)

    assert vault.find("cpf", ANA) == tokens["ana"]


def test_the_page_says_how_to_read_it() -> None:
    """What `docs/format.md` says, done by hand with other means than the product's."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    def derived(info: bytes) -> bytes:
        return HKDF(SHA256(), 32, None, info).derive(ROOT)

    def opened(key: bytes, sealed: bytes, about: bytes) -> bytes:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], about)

    with sqlite3.connect(f"file:{DATA}/vault-1/vault.sqlite?immutable=1", uri=True) as raw:
        found = raw.execute("SELECT purpose, number, wrapped, root FROM key").fetchall()
        entry = raw.execute("SELECT token, lookup, kind, sealed FROM entry WHERE kind = 'cpf'").fetchone()
        version = raw.execute("PRAGMA application_id").fetchone() + raw.execute("PRAGMA user_version").fetchone()
    raw.close()
    keys = {
        purpose: opened(derived(b"lastro root wrap 1"), wrapped, f"lastro key 1 {purpose} {number}".encode())
        for purpose, number, wrapped, _root in found
    }
    token, lookup, kind, sealed = entry

    assert version == (0x4C535456, 1)
    assert {root for *_key, root in found} == {derived(b"lastro root identity 1")[:8].hex()}
    assert hmac.digest(keys["lookup"], b"cpf\x0052998224725", hashlib.sha256) == lookup
    assert opened(keys["record"], sealed, b"lastro entry 1" + token + lookup + kind.encode()) == ANA.encode()
