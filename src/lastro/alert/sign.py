"""Signatures of webhooks, so that whoever receives one knows that it is ours and fresh.

The form is that of Standard Webhooks (https://www.standardwebhooks.com): the headers `webhook-id`, `webhook-timestamp`
(seconds) and `webhook-signature: v1,` followed by the Base64 of HMAC-SHA256 over `id.timestamp.body`. A key that begins
with `whsec_` is the Base64 of the key's bytes; any other is taken as UTF-8.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from lastro.model.errors import ConfigurationError
from lastro.model.text import _

_PREFIX = "whsec_"


def signed(body: bytes, *, message: str, moment: datetime, key: str) -> Mapping[str, str]:
    """The headers that sign a body. `message` is the event's id. Raises `ConfigurationError` on a malformed key."""
    stamp = str(int(moment.timestamp()))
    content = b".".join((message.encode(), stamp.encode(), body))
    digest = hmac.digest(_bytes(key), content, hashlib.sha256)
    return {
        "webhook-id": message,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _bytes(key: str) -> bytes:
    if not key.startswith(_PREFIX):
        return key.encode()
    try:
        return base64.b64decode(key.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ConfigurationError(
            _("the key of a webhook is not Base64 after its prefix"), do=_("copy it again from the receiver")
        ) from None
