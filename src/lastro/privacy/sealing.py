"""Sealing: AES-256-GCM (NIST SP 800-38D) and HKDF (RFC 5869), with what a value belongs to bound into it.

Rules:

1. A sealed value is a random nonce of 12 bytes, then what AES-256-GCM makes of the content. No key seals more than
   2^32 values.
2. `about` says what the value belongs to; opened as anything else, it is refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable

KEY_BYTES = 32
_NONCE_BYTES = 12
Seal = Callable[[bytes, bytes], bytes]


class NotOpened(ValueError):
    """It was changed, belongs to something else, or was sealed with another key."""


def sealer(key: bytes) -> Seal:
    """A function that seals a content `about` something."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    encrypt, urandom = AESGCM(key).encrypt, os.urandom

    def seal(content: bytes, about: bytes) -> bytes:
        nonce = urandom(_NONCE_BYTES)
        return nonce + encrypt(nonce, content, about)

    return seal


def opener(key: bytes) -> Seal:
    """A function that opens what was sealed `about` something. It raises `NotOpened`."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    decrypt = AESGCM(key).decrypt

    def unseal(sealed: bytes, about: bytes) -> bytes:
        try:
            return decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
        except (InvalidTag, ValueError) as error:
            raise NotOpened from error

    return unseal


def derived(secret: bytes, purpose: str) -> bytes:
    """The key of a purpose, made from a secret of full strength."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(secret)
