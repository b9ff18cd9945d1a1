"""A checkpoint's note has one form; a byte more, a byte fewer or another byte, and it is none."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.ledger import note
from lastro.ledger.note import Checkpoint, PublicKey
from lastro.privacy.signing import key_of

KEY = key_of(bytes(range(32)))
PUBLIC = PublicKey("lastro/5e0c", KEY.public)
CHECKPOINT = Checkpoint("lastro/5e0c", 7, b"r" * 32, 3, "2026-11-26T00:00:00.000000Z")


def test_the_note_is_that_of_the_specification() -> None:
    written = note.signed(CHECKPOINT, KEY)

    assert written.splitlines()[:5] == [
        "lastro/5e0c", "7", base64.b64encode(b"r" * 32).decode(), "lastro 3 2026-11-26T00:00:00.000000Z", ""
    ]  # fmt: skip
    assert written.splitlines()[5].startswith(f"— lastro/5e0c {base64.b64encode(PUBLIC.id).decode()[:5]}")
    assert note.opened(written, PUBLIC) == CHECKPOINT


def test_a_key_is_written_and_read() -> None:
    text = str(PUBLIC)

    assert note.public_key(text) == PUBLIC
    assert text.split("+")[1] == PUBLIC.id.hex()


@given(st.integers(0, 400), st.sampled_from(["drop", "double", "change"]), st.sampled_from("\n A0+=—"))
def test_any_other_byte_makes_it_none(place: int, how: str, other: str) -> None:
    written = note.signed(CHECKPOINT, KEY)
    place %= len(written)
    middle = {"drop": "", "double": written[place] * 2, "change": other}[how]
    changed = written[:place] + middle + written[place + 1 :]

    assert (note.opened(changed, PUBLIC) is not None) is (changed == written)


@given(st.text(max_size=300))
def test_whatever_it_is_it_is_no_note(text: str) -> None:
    assert note.opened(text, PUBLIC) is None
    assert note.size_of(text) is None


@pytest.mark.parametrize("text", ["", "a", "a+b", "a+00000000+!", "++", str(PUBLIC)[:-1], f"x{PUBLIC}", "a+b+AQ=="])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        note.public_key(text)


def test_a_note_of_another_origin_or_key_is_none() -> None:
    written = note.signed(CHECKPOINT, KEY)

    assert note.opened(written, PublicKey("lastro/other", KEY.public)) is None
    assert note.opened(written, PublicKey("lastro/5e0c", key_of(b"x" * 32).public)) is None
