"""What the vault remembers is bounded, and never another value's."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from lastro.privacy.remembered import Remembered
from lastro.privacy.root import RootAt
from lastro.privacy.token import LENGTH, PREFIX, drawn_tokens, raw_of, raws_of, text_of, texts_of
from lastro.privacy.vault import Vault


def test_where_it_is_full_what_was_learnt_first_goes() -> None:
    remembered = Remembered(full=4)

    for number in range(5):
        remembered.learn("cpf", {str(number): f"token {number}"}, is_subject=True)

    assert remembered.tokens("cpf", ["0", "1", "2", "4"], is_subject=True) == [None, None, "token 2", "token 4"]


def test_all_kinds_together_are_bounded() -> None:
    remembered = Remembered(full=4)
    remembered.learn("cpf", {str(number): f"token {number}" for number in range(4)}, is_subject=True)

    remembered.learn("email", {"a": "token a"}, is_subject=False)

    assert remembered.tokens("cpf", ["0", "1", "2", "3"], is_subject=True) == [None, None, "token 2", "token 3"]
    assert remembered.tokens("email", ["a"], is_subject=False) == ["token a"]


def test_pairs_are_bounded_too() -> None:
    remembered = Remembered(full=4)
    pairs = [(f"entry {number}", "person") for number in range(5)]

    for pair in pairs:
        remembered.note([pair])

    assert remembered.strangers(pairs) == {*pairs[:2]}


def test_a_name_of_a_person_and_a_mere_value_are_remembered_apart() -> None:
    remembered = Remembered()
    remembered.learn("cpf", {"1": "a"}, is_subject=False)

    assert remembered.tokens("cpf", ["1"], is_subject=True) == [None]
    assert remembered.tokens("email", ["1"], is_subject=False) == [None]


def test_a_long_value_is_looked_up_each_time(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.sqlite", RootAt("file", tmp_path / "keys"))
    long = "x" * 10_000

    first = vault.tokens("note", [long, "short", long])

    assert first[0] == first[2] != first[1]
    assert vault.tokens("note", [long]) == first[:1]


def test_a_value_that_names_a_person_only_later_becomes_one(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.sqlite", RootAt("file", tmp_path / "keys"))
    token = vault.tokens("cpf", ["11144477735"])

    assert vault.held().subjects == 0
    assert vault.tokens("cpf", ["11144477735", " "], is_subject=True) == [*token, ""]
    assert vault.held().subjects == 1


def test_tokens_are_the_base32_of_their_bytes() -> None:
    drawn = drawn_tokens(1_000)

    written = texts_of(drawn)

    assert written == [PREFIX + base64.b32encode(each).decode().lower().rstrip("=") for each in drawn]
    assert {len(each) for each in written} == {LENGTH}
    assert [raw_of(each) for each in written] == drawn
    assert raws_of([*written, "tok_?", "", written[0]]) == dict(zip(written, drawn, strict=True))
    assert raws_of([]) == {}
    assert texts_of([]) == []


@pytest.mark.parametrize(
    "text", ["", "tok_", "TOK_" + "a" * 26, "tok_" + "a" * 25, "tok_" + "1" * 26, "tok_" + "b" * 26]
)
def test_what_only_looks_like_a_token_is_none(text: str) -> None:
    assert raw_of(text) is None


def test_a_token_is_read_back_as_it_was_written() -> None:
    token = drawn_tokens(1)[0]

    assert raw_of(text_of(token)) == token
    assert raw_of(text_of(token) + "\n") is None
