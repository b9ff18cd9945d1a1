"""Keys of encrypted columns: wrapped by the vault's, told from others, and never told."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lastro.model.errors import Corrupted, NotPermitted, UsageError
from lastro.privacy import backup
from lastro.privacy.columns import VaultColumnKeys
from lastro.privacy.keys import KeyFor
from lastro.privacy.root import RootAt
from lastro.privacy.rotation import turn, turn_root
from lastro.privacy.vault import Vault

SECRET = b"0123456789abcdef0123456789abcdef"


def keys_in(folder: Path) -> VaultColumnKeys:
    return VaultColumnKeys(Vault(folder / "vault.sqlite", RootAt("file", folder / "keys")))


@pytest.fixture
def keys(tmp_path: Path) -> VaultColumnKeys:
    return keys_in(tmp_path)


def test_a_file_s_key_opens_under_its_own_number_only(keys: VaultColumnKeys) -> None:
    assert keys.current() == 1
    text = keys.wrapped(SECRET, "1")
    turn(keys.vault, KeyFor.COLUMN)

    assert keys.current() == 2
    assert keys.unwrapped(text, "1") == SECRET
    with pytest.raises(Corrupted, match="does not open"):
        keys.unwrapped(text, "2")
    assert SECRET.decode() not in text


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", "é", "A" * 4_000])
def test_what_is_no_wrapped_key_is_refused(keys: VaultColumnKeys, text: str) -> None:
    keys.current()

    with pytest.raises(Corrupted, match="does not open"):
        keys.unwrapped(text, "1")


@pytest.mark.parametrize("number", ["x", "", "-", "1e3"])
def test_a_key_without_a_number_is_refused(keys: VaultColumnKeys, number: str) -> None:
    text = keys.wrapped(SECRET, str(keys.current()))

    with pytest.raises(Corrupted, match="does not open"):
        keys.unwrapped(text, number)


def test_a_number_that_was_never_made_is_refused(keys: VaultColumnKeys) -> None:
    text = keys.wrapped(SECRET, str(keys.current()))

    with pytest.raises(Corrupted, match="column 7"):
        keys.unwrapped(text, "7")


def test_a_fingerprint_is_the_same_after_every_turning_and_another_in_another_vault(
    keys: VaultColumnKeys, tmp_path: Path
) -> None:
    before = keys.fingerprint(b"rows")
    turn(keys.vault, KeyFor.COLUMN)
    turn_root(keys.vault)

    assert keys.fingerprint(b"rows") == keys_in(tmp_path).fingerprint(b"rows") == before
    assert keys.fingerprint(b"other rows") != before
    assert keys_in(tmp_path / "other").fingerprint(b"rows") != before


def test_nothing_tells_a_key(keys: VaultColumnKeys, tmp_path: Path) -> None:
    keys.current()
    secret = keys.vault.ring.key(KeyFor.COLUMN, 1).secret

    assert secret.hex() not in repr(keys)
    assert secret not in pickle.dumps(keys)
    assert secret not in (tmp_path / "vault.sqlite").read_bytes()


def test_without_a_vault_reading_says_so_and_makes_none(tmp_path: Path) -> None:
    keys = keys_in(tmp_path / "gone")

    with pytest.raises(NotPermitted, match="vault is gone"):
        keys.unwrapped("AAAA", "1")
    assert not keys.vault.exists


def test_threads_and_other_processes_open_files(keys: VaultColumnKeys, tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2], "secret": ["zygomatic", None]})
    paths = [tmp_path / f"{number}.parquet" for number in range(8)]
    for path in paths:
        how = keys.encryption(["secret"], keys.current())
        with pq.ParquetWriter(path, table.schema, encryption_properties=how) as writer:
            writer.write_table(table)
    again = pickle.loads(pickle.dumps(keys))
    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(lambda path: pq.ParquetFile(path, decryption_properties=again.decryption()).read(), paths)
        )

    assert all(each.equals(table) for each in found)
    assert len({path.read_bytes() for path in paths}) == 8, "every file has keys of its own"


@pytest.mark.parametrize("name", ["a,b", "a;b", "a:b", " a", "a "])
def test_names_that_would_encrypt_another_column_are_refused(keys: VaultColumnKeys, name: str) -> None:
    with pytest.raises(UsageError, match="no encrypted column"):
        keys.encryption([name], keys.current())


def test_keys_are_taken_under_their_numbers_or_not_at_all(keys: VaultColumnKeys, tmp_path: Path) -> None:
    turn(keys.vault, KeyFor.COLUMN)
    mine = [keys.vault.ring.key(KeyFor.COLUMN, number) for number in (2, 1)]
    empty, stranger = keys_in(tmp_path / "empty").vault, keys_in(tmp_path / "stranger")
    stranger.current()

    assert not empty.take_column_keys(mine[:1]), "its first key would get the second's number"
    assert empty.take_column_keys(mine)
    assert empty.take_column_keys(mine), "again, nothing is lacking"
    assert empty.ring.key(KeyFor.COLUMN, 2).secret == mine[0].secret
    assert not stranger.vault.take_column_keys(mine)
    assert stranger.vault.ring.numbers(KeyFor.COLUMN) == (1,)


def test_a_backup_of_another_vault_is_not_put_in_the_place_of_keys_that_files_need(
    keys: VaultColumnKeys, tmp_path: Path
) -> None:
    number, folder = keys.current(), tmp_path / "keys"
    stranger = VaultColumnKeys(Vault(tmp_path / "stranger.sqlite", RootAt("file", folder)))
    stranger.current()
    made = backup.back_up(stranger.vault, tmp_path / "safe", folder, today=date(2026, 11, 26), kept_days=90)
    before = keys.vault.ring.key(KeyFor.COLUMN, number).secret

    with pytest.raises(UsageError, match="other keys of encrypted columns"):
        backup.restore(keys.vault, made, folder, replace=True)
    assert keys_in(tmp_path).vault.ring.key(KeyFor.COLUMN, number).secret == before
