"""Posting: one body to one receiver that a person configured, taken or told."""

from __future__ import annotations

from collections.abc import Mapping

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
    try:
        from lastro.source.fetch.client import Limits, post
    except ImportError as error:
        raise MissingExtra(
            _("sending over HTTP needs an optional library"), where=label, do="pip install 'lastro[http]'"
        ) from error
    limits = Limits(timeout_s=timeout_s, connect_s=min(timeout_s, CONNECT_S_MAX), retries=retries)
    status = post(url.reveal_url(), content, headers=headers, label=label, allowed=allowed, limits=limits)
    if not 200 <= status < 300:
        raise SourceUnreachable(_("it answered {status}").format(status=status), where=label, do=do)
