"""Checkpoints: how long the ledger is and what its root is, under a signature, in a text that others can keep.

Rules:

1. A checkpoint is a signed note as the C2SP specifications `tlog-checkpoint` and `signed-note` have it: the lines
   origin, size in decimal and root in base64, one line of our own, an empty line, and one signature line.
2. Our own line is `lastro N AT`: the checkpoint's number, from 0, and its moment. So none can be left out unnoticed.
3. A key is written `NAME+ID+BASE64`: the name of the origin, eight hexadecimal digits that follow from name and key,
   and the byte 1 (Ed25519) before the 32 bytes of the public key.
4. A note that has one byte more or fewer than this form is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from lastro.privacy.signing import PUBLIC_BYTES, SigningKey, is_signed

_ED25519 = b"\1"
_ID_BYTES = 4
_DASH = "\N{EM DASH}"
_NOTE = re.compile(
    r"(?P<body>(?P<origin>[^\s+]+)\n(?P<size>0|[1-9][0-9]{0,17})\n(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"lastro (?P<number>0|[1-9][0-9]{0,17}) (?P<at>[0-9TZ:.-]{27})\n)"
    rf"\n{_DASH} (?P<name>[^\s+]+) (?P<signed>[A-Za-z0-9+/]{{91}}=)\n",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How long the ledger was (`size`, in events) and what its root was, when checkpoint `number` was made."""

    origin: str
    size: int
    root: bytes
    number: int
    at: str

    @property
    def body(self) -> str:
        """What is signed."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\nlastro {self.number} {self.at}\n"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Who signs: the origin's name and the public key."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that tell the key in a note."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.key).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.key).decode()}"


def public_key(text: str) -> PublicKey:
    """The key of a text (rule 3). Raises `ValueError`."""
    name, _plus, rest = text.strip().partition("+")
    _id, _plus, key = rest.partition("+")
    content = base64.b64decode(key, validate=True)
    found = PublicKey(name, content[1:])
    if content[:1] != _ED25519 or len(found.key) != PUBLIC_BYTES or str(found) != text.strip() or not name:
        raise ValueError("no public key of a ledger")
    return found


def signed(checkpoint: Checkpoint, key: SigningKey) -> str:
    """The checkpoint's note."""
    who = PublicKey(checkpoint.origin, key.public)
    return _written(checkpoint, who.id + key.sign(checkpoint.body.encode()))


def opened(note: str, key: PublicKey) -> Checkpoint | None:
    """The checkpoint of a note; None if it is not in the form, of another origin, or not signed with the key."""
    found = _NOTE.fullmatch(note)
    if found is None or not found["origin"] == found["name"] == key.name:
        return None
    try:
        root = base64.b64decode(found["root"], validate=True)
        content = base64.b64decode(found["signed"], validate=True)
    except binascii.Error:
        return None
    checkpoint = Checkpoint(found["origin"], int(found["size"]), root, int(found["number"]), found["at"])
    is_ours = content[:_ID_BYTES] == key.id and is_signed(key.key, content[_ID_BYTES:], found["body"].encode())
    return checkpoint if is_ours and note == _written(checkpoint, content) else None


def size_of(note: str) -> int | None:
    """How many events a note says it covers, signed or not; None if it is not in the form."""
    found = _NOTE.fullmatch(note)
    return int(found["size"]) if found else None


def _written(checkpoint: Checkpoint, signature: bytes) -> str:
    """The one way to write a note: base64 can write the same bytes in several."""
    return f"{checkpoint.body}\n{_DASH} {checkpoint.origin} {base64.b64encode(signature).decode()}\n"
