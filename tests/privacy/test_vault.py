"""The vault: one token for a value, nothing of it in the file, and nobody comes back who was forgotten."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastro.model.errors import Corrupted, NotPermitted
from lastro.privacy.canonical import canonical
from lastro.privacy.root import RootAt
from lastro.privacy.token import TOKEN
from lastro.privacy.vault import Vault

ANA = "529.982.247-25"


def vault_in(folder: Path) -> Vault:
    return Vault(folder / "vault.sqlite", RootAt("file", folder / "keys"))


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_one_person_has_one_token_however_it_is_written(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    tokens = vault.tokens("cpf", [ANA, "52998224725", " 529982247-25 ", "111.444.777-35", ANA], is_subject=True)

    assert tokens[0] == tokens[1] == tokens[2] == tokens[4] != tokens[3]
    assert all(TOKEN.fullmatch(token) for token in tokens)
    assert vault.tokens("cpf", tokens) == tokens, "a token is its own"
    assert vault.find("cpf", "52998224725") == tokens[0]
    assert vault.find("cpf", "00000000000") is None
    assert vault.reveal([*tokens, "tok_" + "a" * 26, "no token"])[tokens[0]].value == ANA
    assert len(vault.reveal(tokens)) == 2
    assert vault_in(tmp_path).tokens("cpf", ["52998224725"]) == tokens[:1], "another process finds the same"


def test_nothing_is_made_by_asking(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    found = vault.find("cpf", ANA), vault.reveal(["tok_" + "a" * 26]), vault.entries("x"), vault.blocked("cpf", [ANA])

    assert found == (None, {}, (), [False])
    assert not any(tmp_path.iterdir())


def test_what_is_blank_has_no_token(tmp_path: Path) -> None:
    assert vault_in(tmp_path).tokens("cpf", ["", "  ", "\n"]) == ["", "", ""]


@pytest.mark.parametrize(
    "value",
    [
        "'; DROP TABLE entry; --",
        "../../etc/passwd",
        ".*(a+)+$",
        "x" * 10_000_000,
        "Ọlámidé Ṣàngó 木村 عمر",
        "nul\0byte",
        "tok_notatoken",
        "tok_" + "z" * 26,
        "🙂\u202e",
    ],
    ids=["sql", "path", "regex", "10 MB", "scripts", "nul", "half a token", "a token's form", "signs"],
)
def test_hostile_values_are_values(tmp_path: Path, value: str) -> None:
    vault = vault_in(tmp_path)
    [token] = vault.tokens("id", [value], is_subject=True)

    assert vault.reveal([token])[token].value == value
    assert vault.tokens("id", [value]) == [token]
    assert vault.find("id", value) == token
    assert len(value) < 4 or value.encode() not in bytes_of(tmp_path)
    assert vault.forget(token).tokens == (token,)
    assert vault.blocked("id", [value, "another"]) == [True, False]


@given(st.lists(st.text(max_size=20), max_size=20))
@settings(max_examples=30, deadline=None)
def test_tokens_and_values_are_one_to_one(values: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        vault = vault_in(Path(folder))
        tokens = vault.tokens("word", values)
        shown = vault.reveal(tokens)

        for value, token in zip(values, tokens, strict=True):
            assert (token == "") == (not value or value.isspace())
            assert not token or canonical("word", shown[token].value) == canonical("word", value)
        assert len(shown) == len({canonical("word", each) for each in values if each and not each.isspace()})


@pytest.mark.parametrize(
    ("kind", "written", "form"),
    [
        ("cpf", "1234567-89", "00123456789"),
        ("cpf", "no number", "no number"),
        ("cpf", "123.456.789-091", "123.456.789-091"),
        ("cnpj", "12.abc.345/01de-35", "12ABC34501DE35"),
        ("cnpj", "191", "00000000000191"),
        ("cep", "01310-100", "01310100"),
        ("email", " Ana@Exemplo.COM ", "ana@exemplo.com"),
        ("name", " Jose\u0301 ", "José"),
    ],
)
def test_canonical_forms(kind: str, written: str, form: str) -> None:
    assert canonical(kind, written) == form


def test_a_person_has_entries_that_others_may_share(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    ana, rui = vault.tokens("cpf", [ANA, "111.444.777-35"], is_subject=True)
    mail, phone, same = vault.tokens("contact", ["ana@x.org", "+55 11", "+55 11"], subjects=[ana, ana, rui])
    [alone] = vault.tokens("contact", ["nobody@x.org"], subjects=[None])

    assert [entry.token for entry in vault.entries(ana)] == [ana, mail, phone]
    assert vault.owners(phone) == (ana, rui)
    assert phone == same
    assert vault.owners(ana) == (ana,)
    assert vault.owners(alone) == ()

    gone = vault.forget(ana)

    assert (set(gone.tokens), gone.shared) == ({ana, mail}, 1)
    assert vault.entries(ana) == ()
    assert vault.reveal([ana, mail, phone]).keys() == {phone}
    assert vault.owners(phone) == (rui,)
    assert vault.forget(ana).tokens == ()


def test_who_was_forgotten_is_known_until_let_in_again(tmp_path: Path) -> None:
    vault, other = vault_in(tmp_path), vault_in(tmp_path)
    [ana] = vault.tokens("cpf", [ANA], is_subject=True)
    assert other.tokens("cpf", [ANA]) == [ana]
    vault.forget(ana)

    assert other.blocked("cpf", ["52998224725", ana, "111.444.777-35"]) == [True, True, False]
    assert other.blocked("name", ["52998224725"]) == [False]
    assert other.tokens("cpf", [ANA]) != [ana], "what was remembered is no longer"
    assert other.unblock("cpf", ANA)
    assert not other.unblock("cpf", ANA)
    assert vault.blocked("cpf", [ANA]) == [False]


def test_no_deleted_byte_stays_in_the_file(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    people = vault.tokens("id", [f"person {each}" for each in range(4_000)], is_subject=True)
    vault.tokens("note", [f"note {each} " * 20 for each in range(4_000)], subjects=people)
    with sqlite3.connect(tmp_path / "vault.sqlite") as raw:
        sealed = dict(raw.execute("SELECT token, sealed FROM entry"))
        rows = raw.execute("SELECT entry.token, sealed, lookup FROM entry JOIN belongs ON entry = number").fetchall()
    raw.close()
    import base64

    going = people[::40]
    notes = [entry.token for each in going for entry in vault.entries(each)]
    vault.forget(*going)

    left = bytes_of(tmp_path)
    gone = [base64.b32decode(each[4:].upper() + "======") for each in notes]
    assert len(gone) == 200
    assert not [token for token in gone if token in left]
    assert not [token for token in gone if sealed[token] in left]
    assert not [row for row in rows if row[0] in set(gone) and row[2] in left]
    assert vault.check() == 7_800


def test_an_entry_that_was_changed_or_moved_is_noticed(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    tokens = vault.tokens("cpf", [ANA, "111.444.777-35"], is_subject=True)
    vault.close()
    whole = (tmp_path / "vault.sqlite").read_bytes()
    for statement in (
        "UPDATE entry SET sealed = (SELECT sealed FROM entry WHERE number = 2) WHERE number = 1",
        "UPDATE entry SET kind = 'name' WHERE number = 1",
        "UPDATE entry SET token = zeroblob(16) WHERE number = 1",
        "UPDATE entry SET lookup = zeroblob(32) WHERE number = 1",
        "UPDATE entry SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || x'00' AS BLOB) WHERE number = 1",
        "UPDATE entry SET sealed = x'00' WHERE number = 1",
    ):
        (tmp_path / "vault.sqlite").write_bytes(whole)
        with sqlite3.connect(tmp_path / "vault.sqlite") as raw:
            raw.execute(statement)
        raw.close()
        again = vault_in(tmp_path)

        with pytest.raises(Corrupted, match="was changed"):
            again.check()
        again.close()
    assert len(tokens) == 2


def test_another_key_and_no_key_are_told(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    [token] = vault.tokens("cpf", [ANA], is_subject=True)
    key = tmp_path / "keys" / "root.key"
    secret = key.read_bytes()
    vault.close()

    key.unlink()
    with pytest.raises(NotPermitted, match="the root key is gone") as lost:
        vault_in(tmp_path).reveal([token])
    assert "tokens can no longer be turned into values" in lost.value.do
    assert not key.exists(), "no new key is made for a vault that has keys"

    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    with pytest.raises(NotPermitted, match="is not the one that protects the vault"):
        vault_in(tmp_path).tokens("cpf", ["1"])

    key.write_bytes(secret)
    key.chmod(0o640)
    with pytest.raises(NotPermitted, match="others may read"):
        vault_in(tmp_path).reveal([token])

    key.chmod(0o600)
    assert vault_in(tmp_path).reveal([token])[token].value == ANA


def test_a_vault_travels_as_its_place(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    [token] = vault.tokens("cpf", [ANA])
    content = pickle.dumps(vault)

    assert (tmp_path / "keys" / "root.key").read_bytes() not in content
    assert pickle.loads(content).find("cpf", ANA) == token


def _take(folder: Path, begin: int, results: object) -> None:
    vault = vault_in(folder)
    values = [f"person {each}" for each in range(begin, begin + 2_000)]
    results.put([vault.tokens("id", values[at : at + 100], is_subject=True) for at in range(0, 2_000, 100)])  # type: ignore[attr-defined]


def test_two_processes_that_meet_the_same_people_agree(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=_take, args=(tmp_path, 0, results)) for _each in range(2)]
    for worker in workers:
        worker.start()
    first, second = results.get(timeout=60), results.get(timeout=60)
    for worker in workers:
        worker.join()

    assert first == second
    assert len({token for part in first for token in part}) == 2_000


def test_threads_agree(tmp_path: Path) -> None:
    vault, found = vault_in(tmp_path), []
    values = [f"person {each}" for each in range(500)]
    threads = [threading.Thread(target=lambda: found.append(tuple(vault.tokens("id", values)))) for _each in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 6
    assert len(set(found)) == 1


def test_a_vault_that_was_taken_away_is_not_written_into(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    vault.tokens("cpf", [ANA])
    shutil.move(tmp_path / "vault.sqlite", tmp_path / "elsewhere.sqlite")

    with pytest.raises(OSError, match="the vault was replaced or removed"):
        vault.tokens("cpf", ["1"])


def test_a_value_is_put_right_under_the_same_token(tmp_path: Path) -> None:
    vault, other = vault_in(tmp_path), vault_in(tmp_path)
    ana, bea = vault.tokens("cpf", [ANA, "11144477735"], is_subject=True)
    (mail,) = vault.tokens("email", ["wrong@exemplo.com.br"], subjects=[ana])
    assert other.tokens("email", ["wrong@exemplo.com.br"]) == [mail], "and remembers it"

    done = [vault.rectify(mail, "right@exemplo.com.br"), vault.rectify(ana, "111.444.777-35")]

    assert done == [True, False], "two persons are not made one"
    assert vault.rectify("tok_" + "a" * 26, "x") is False
    assert (vault.reveal([mail])[mail].value, vault.owners(mail)) == ("right@exemplo.com.br", (ana,))
    assert other.find("email", "wrong@exemplo.com.br") is None
    assert other.tokens("email", ["RIGHT@exemplo.com.br"]) == [mail]
    assert vault.reveal([ana, bea])[ana].value == ANA
    assert vault.rectify(ana, "52998224725"), "another spelling of the same"
    assert vault.check() == 3
