"""A private key is a file that only its owner reads; whoever else can is told, and nothing is signed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from lastro.model.errors import Corrupted, NotPermitted
from lastro.privacy.signing import is_signed, key_of, load, load_or_make


def test_known_key_and_signature() -> None:
    # RFC 8032, 7.1, test 2
    key = key_of(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    signature = key.sign(b"\x72")

    assert key.public.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert signature.hex().startswith("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da")
    assert is_signed(key.public, signature, b"\x72")
    assert not is_signed(key.public, signature, b"\x73")
    assert not is_signed(key.public, signature[:-1], b"\x72")
    assert not is_signed(b"short", signature, b"\x72")


def test_a_key_is_made_once_and_is_nobodys_else(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "ledger.key"
    made, again = load_or_make(path), load_or_make(path)

    assert made.public == again.public
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert path.read_bytes().hex() not in repr(made)
    assert os.listdir(path.parent) == ["ledger.key"]


def test_of_many_who_make_one_all_use_the_same(tmp_path: Path) -> None:
    path, found = tmp_path / "keys" / "ledger.key", set()
    threads = [threading.Thread(target=lambda: found.add(load_or_make(path).public)) for _each in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 1


def test_there_may_be_none(tmp_path: Path) -> None:
    assert load(tmp_path / "none") is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "ledger.key"
    load_or_make(path)
    path.chmod(mode)

    with pytest.raises(NotPermitted, match=r"LST-0601(?s:.*)0600"):
        load_or_make(path)


def test_a_link_to_a_key_is_refused(tmp_path: Path) -> None:
    load_or_make(tmp_path / "real.key")
    (tmp_path / "ledger.key").symlink_to(tmp_path / "real.key")

    with pytest.raises(NotPermitted, match="not a link"):
        load(tmp_path / "ledger.key")


def test_a_folder_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "ledger.key").mkdir(mode=0o700)

    with pytest.raises(NotPermitted):
        load(tmp_path / "ledger.key")


@pytest.mark.parametrize("content", [b"", b"k" * 31, b"k" * 33])
def test_a_file_of_another_length_is_no_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.key"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(Corrupted, match="no key"):
        load(path)


def test_a_key_that_cannot_be_kept_says_so(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file")

    with pytest.raises(NotPermitted, match="cannot be read"):
        load_or_make(tmp_path / "keys" / "ledger.key")
