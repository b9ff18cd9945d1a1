"""Ed25519 keys (RFC 8032): making one, keeping it where only its owner reads it (`key_file`), signing and checking.

No private key is in a `repr`, an error or a log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lastro.privacy import key_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key: `public` (32 bytes) tells others which."""

    public: bytes
    _key: Ed25519PrivateKey = field(repr=False)

    def sign(self, content: bytes) -> bytes:
        """The signature over some bytes, 64 bytes."""
        return self._key.sign(content)


def is_signed(public: bytes, signature: bytes, content: bytes) -> bool:
    """True if the signature over the bytes was made with the private key of this public one."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if len(public) != PUBLIC_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def key_of(seed: bytes) -> SigningKey:
    """The key of a seed of 32 bytes. Raises `ValueError`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(seed)
    return SigningKey(key.public_key().public_bytes_raw(), key)


def load_or_make(path: Path) -> SigningKey:
    """The key of a file; a new one if there is none. Raises `NotPermitted`, `Corrupted`, `WriteFailed`."""
    return key_of(key_file.load_or_make(path))


def load(path: Path) -> SigningKey | None:
    """The key of a file, None if there is none. Raises `NotPermitted`, `Corrupted`."""
    seed = key_file.load(path)
    return None if seed is None else key_of(seed)
