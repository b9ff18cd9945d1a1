"""Posting: one body to one receiver that a person configured, taken or told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lastro.model.errors import MissingExtra, SourceUnreachable
from lastro.model.text import _
from lastro.source.secret import Secret

CONNECT_S_MAX = 10.0


def deliver(
    url: Secret,
    content: bytes,
    *,
    headers: Mapping[str, str],
    label: str,
    allowed: frozenset[str],
    timeout_s: float,
    retries: int,
    do: str,
) -> None:
    """Sends it under the same address checks as any source's request; anything but a 2xx is no delivery.

    `do` is what to look at then. Raises `SourceUnreachable`, `ConfigurationError`, `MissingExtra`; none repeats the
    address or a header.
    """
    receiver = Receiver(label, allowed, timeout_s, retries, do)
    ask(url, content, receiver, headers=headers)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who is told or asked: its name in errors, hosts that need not be public, how long and how often it is tried, what
    to look at when it fails, and how many bytes it may answer.
    """

    label: str
    allowed: frozenset[str]
    timeout_s: float
    retries: int
    do: str
    bytes_max: int = 64 << 20


def ask(url: Secret, content: bytes, receiver: Receiver, *, headers: Mapping[str, str]) -> bytes:
    """Sends a body as `deliver` does, and gives the body of the answer. Raises `LimitExceeded`, too."""
    label = receiver.label
    try:
        from lastro.source.fetch.client import Limits, post
    except ImportError as error:
        raise MissingExtra(
            _("sending over HTTP needs an optional library"), where=label, do="pip install 'lastro[http]'"
        ) from error
    limits = Limits(
        timeout_s=receiver.timeout_s,
        connect_s=min(receiver.timeout_s, CONNECT_S_MAX),
        retries=receiver.retries,
        bytes_max=receiver.bytes_max,
    )
    found = post(url.reveal_url(), content, headers=headers, label=label, allowed=receiver.allowed, limits=limits)
    if not 200 <= found.status < 300:
        raise SourceUnreachable(_("it answered {status}").format(status=found.status), where=label, do=receiver.do)
    return found.body
