"""Time-stamps (RFC 3161): an authority signs that some bytes were there at a moment.

Rules:

1. Asked is about the SHA-512 of the bytes, with a random nonce and for the authority's certificate: the bytes
   themselves go nowhere, and an answer to another question is told from ours.
2. A time-stamp is believed under certificates that somebody holds, and at its own moment: that the certificate expired
   since does not matter. None is taken from the system, and none from the answer but to lead to those.
3. Whatever an authority answers is bytes of a stranger: what is no time-stamp is `NotStamped`, with nothing of it told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lastro.model.errors import MissingExtra
from lastro.model.text import _

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

GRANTED = 0


class NotStamped(ValueError):
    """The bytes are no time-stamp, or none of what it was held against; the text says which."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent to an authority, as DER, and the nonce that its answer has to repeat."""

    encoded: bytes
    nonce: int


@dataclass(frozen=True, slots=True)
class Stamp:
    """When an authority saw the bytes, under which policy (an object identifier), and its number for it."""

    moment: datetime
    policy: str
    serial: int


def question(content: bytes) -> Question:
    """The question about some bytes. Raises `MissingExtra`."""
    _installed()
    from rfc3161_client import TimestampRequestBuilder

    made = TimestampRequestBuilder().data(content).build()
    return Question(made.as_bytes(), made.nonce or 0)


def read(answer: bytes, content: bytes, *, nonce: int | None = None) -> Stamp:
    """What an answer says of these bytes; its signature is not looked at. Raises `NotStamped`, `MissingExtra`."""
    found = _read(answer)
    told = found.tst_info
    imprint = told.message_imprint
    if imprint.message != _digest(imprint.hash_algorithm.dotted_string, content):
        raise NotStamped(_("it is of other bytes"))
    if nonce is not None and told.nonce != nonce:
        raise NotStamped(_("it answers another question"))
    return Stamp(told.gen_time, told.policy.dotted_string, told.serial_number)


def proven(answer: bytes, content: bytes, certificates: bytes) -> Stamp:
    """What an answer says of these bytes, signed under one of the certificates (PEM, the root among them).

    Raises `NotStamped`, `MissingExtra`.
    """
    stamp = read(answer, content)
    from rfc3161_client import VerificationError, VerifierBuilder

    held = _certificates(certificates)
    roots = [each for each in held if each.issuer == each.subject]
    if not roots:
        raise NotStamped(_("there is no root certificate among those given"))
    verifier = VerifierBuilder(roots=roots, intermediates=[each for each in held if each not in roots]).build()
    try:
        verifier.verify_message(_read(answer), content)
    except (VerificationError, ValueError):  # whose words hold parts of the answer
        raise NotStamped(_("it is not signed under the certificates given")) from None
    return stamp


def _installed() -> None:
    try:
        import rfc3161_client  # noqa: F401 – whether it is there
    except ImportError as error:
        raise MissingExtra(_("time-stamps need an optional library"), do="pip install 'lastro[tsa]'") from error


def _read(answer: bytes) -> TimeStampResponse:
    """The answer taken apart, if it grants a time-stamp."""
    _installed()
    from rfc3161_client import decode_timestamp_response

    try:
        found = decode_timestamp_response(answer)
        status = found.status
        if status == GRANTED:
            _whole(found)
    except (ValueError, OverflowError):
        raise NotStamped(_("it is no time-stamp")) from None
    if status != GRANTED:
        raise NotStamped(_("the authority refused: status {status}").format(status=status))
    return found


def _whole(found: TimeStampResponse) -> None:
    """Reads what is read lazily, so that what is damaged is found here."""
    told = found.tst_info
    _looked_at = (told.gen_time, told.nonce, told.serial_number, told.policy, told.message_imprint.message)


def _certificates(content: bytes) -> list[Certificate]:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        raise NotStamped(_("the certificates cannot be read; they are PEM")) from None


def _digest(algorithm: str, content: bytes) -> bytes:
    """The digest by an algorithm's object identifier; none by one that is not known, or broken."""
    import hashlib

    known = {
        "2.16.840.1.101.3.4.2.1": hashlib.sha256,
        "2.16.840.1.101.3.4.2.2": hashlib.sha384,
        "2.16.840.1.101.3.4.2.3": hashlib.sha512,
    }
    return known[algorithm](content).digest() if algorithm in known else b""
