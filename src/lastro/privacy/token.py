"""Tokens: what stands in the place of an identifier. They are random, and tell nothing."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Sequence

import numpy as np

PREFIX = "tok_"
TOKEN = re.compile(r"tok_[a-z2-7]{26}", re.ASCII)
_WRITTEN = re.compile(r"tok_[a-z2-7]{25}[aeimquy4]", re.ASCII)  # of 130 bits, the last two are zeros
LENGTH = 30
"""So many characters a token has."""
BYTES = 16
"""So many bytes it is made of; it is written as `PREFIX` and their base32 (RFC 4648) in small letters, unpadded."""
_ALPHABET = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", np.uint8)
_VALUES = np.zeros(256, np.uint64)
_VALUES[_ALPHABET] = np.arange(32)
_SHIFTS = np.arange(35, -1, -5).astype(np.uint64)


def drawn_tokens(count: int) -> list[bytes]:
    """So many new tokens, as bytes."""
    random = os.urandom(BYTES * count)
    return [random[at : at + BYTES] for at in range(0, len(random), BYTES)]


def texts_of(tokens: Sequence[bytes]) -> list[str]:
    """Tokens as they are written."""
    count, width = len(tokens), LENGTH - len(PREFIX)
    groups = np.zeros((count, 4, 8), np.uint8)  # eight letters are 40 bits: the lower five bytes of a number
    filled = b"".join([token + b"\0\0\0\0" for token in tokens])
    groups[:, :, 3:] = np.frombuffer(filled, np.uint8).reshape(count, 4, 5)
    numbers = groups.reshape(count, 32).view(">u8").astype(np.uint64)
    letters = _ALPHABET[(numbers[:, :, None] >> _SHIFTS) & np.uint64(31)].reshape(count, 32)
    written = letters[:, :width].tobytes().decode("ascii")
    return [PREFIX + written[at : at + width] for at in range(0, len(written), width)]


def text_of(token: bytes) -> str:
    """One token as it is written."""
    return texts_of([token])[0]


def raw_of(written: str) -> bytes | None:
    """The bytes of a token, None for what does not look like one."""
    if not written.startswith(PREFIX) or not _WRITTEN.fullmatch(written):
        return None
    return base64.b32decode(written[len(PREFIX) :].upper() + "======")


def raws_of(written: Iterable[str]) -> dict[str, bytes]:
    """The bytes of many tokens, by their texts; what does not look like one is left out."""
    tokens = [each for each in dict.fromkeys(written) if each.startswith(PREFIX) and _WRITTEN.fullmatch(each)]
    letters = np.frombuffer("".join(tokens).encode("ascii"), np.uint8).reshape(len(tokens), LENGTH)
    groups = np.zeros((len(tokens), 4, 8), np.uint64)  # eight letters are 40 bits
    groups.reshape(len(tokens), 32)[:, : LENGTH - len(PREFIX)] = _VALUES[letters[:, len(PREFIX) :]]
    numbers = np.bitwise_or.reduce(groups << _SHIFTS, axis=2).astype(">u8")
    found = numbers.view(np.uint8).reshape(len(tokens), 4, 8)[:, :, 3:].reshape(len(tokens), 20)[:, :BYTES].tobytes()
    return {each: found[at * BYTES : (at + 1) * BYTES] for at, each in enumerate(tokens)}
