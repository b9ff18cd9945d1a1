"""What `alerts:` may say, and what it may not."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest

from lastro.alert.event import Event, Kind, cloud_event
from lastro.alert.sign import signed
from lastro.alert.target import Apprise, Webhook, targets
from lastro.model.errors import ConfigurationError

NOW = datetime(2026, 1, 31, 10, tzinfo=UTC)


def test_targets_are_read_with_their_defaults():
    webhook, mail = targets(
        [
            {"webhook": "https://hooks.example.com/x", "key": "${KEY}", "on": ["failed"], "allow_hosts": ["Hooks:80"]},
            {"apprise": "${MAIL_URL}", "name": "mail"},
        ]
    )

    assert isinstance(webhook, Webhook)
    assert (webhook.name, webhook.kinds, webhook.allowed) == ("target-1", {Kind.FAILED}, {"hooks:80"})
    assert isinstance(mail, Apprise)
    assert (mail.name, mail.kinds) == ("mail", set(Kind))


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"webhook": "https://a.example", "apprise": "${A}"},
        {"webhook": "ftp://a.example"},
        {"webhook": "https://user:secret@a.example"},
        {"webhook": "https://a.example?token=abc"},
        {"webhook": "https://a.example", "key": "s3cr3t-k3y"},
        {"webhook": "https://a.example/${not a name}"},
        {"webhook": "https://a.example", "on": ["everything"]},
        {"webhook": "https://a.example", "name": "UPPER"},
        {"webhook": "https://a.example", "unknown": 1},
        {"webhook": 7},
        {"apprise": "mailto://user:password@example.com"},
        {"apprise": "${A}", "key": "${B}"},
    ],
)
def test_a_wrong_entry_is_refused_and_no_secret_is_repeated(entry):
    with pytest.raises(ConfigurationError) as caught:
        targets([entry])

    shown = str(caught.value)
    assert caught.value.do
    assert not [secret for secret in ("secret@", ":secret@", "=abc", "s3cr3t", ":password") if secret in shown]


def test_names_are_told_apart():
    with pytest.raises(ConfigurationError, match="same name"):
        targets([{"apprise": "${A}", "name": "x"}, {"apprise": "${B}", "name": "x"}])


def test_a_signature_is_what_the_standard_says():
    body = b'{"a":1}'
    headers = signed(body, message="msg", moment=NOW, key="whsec_" + base64.b64encode(b"key").decode())
    expected = hmac.new(b"key", b"msg." + str(int(NOW.timestamp())).encode() + b"." + body, hashlib.sha256).digest()

    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
    assert headers["webhook-id"] == "msg"


def test_a_plain_key_is_its_bytes_and_a_malformed_one_is_refused():
    assert signed(b"", message="m", moment=NOW, key="ção") != signed(b"", message="m", moment=NOW, key="cao")
    with pytest.raises(ConfigurationError):
        signed(b"", message="m", moment=NOW, key="whsec_not base64")


def test_a_cloud_event_has_the_required_attributes():
    event = Event("7", Kind.LATE, "loans", NOW, "late", "lastro status loans", numbers={"late_s": 60})
    told = json.loads(cloud_event(event, source="lake"))

    assert {name: told[name] for name in ("specversion", "id", "source", "type", "subject", "time")} == {
        "specversion": "1.0",
        "id": "7.opened",
        "source": "lake",
        "type": "lastro.alert.opened.v1",
        "subject": "loans",
        "time": "2026-01-31T10:00:00.000000Z",
    }
    assert told["data"]["numbers"] == {"late_s": 60}
