"""Events reach real receivers, signed; and whatever does not get through is said without a secret."""

import json
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from lastro.alert.deliver import deliver
from lastro.alert.event import Event, Kind
from lastro.alert.sign import signed
from lastro.alert.target import targets
from lastro.model.errors import ConfigurationError, LastroError, MissingExtra, SourceUnreachable

NOW = datetime(2026, 1, 31, 10, tzinfo=UTC)
IMPORTS_OLD_MODULES = pytest.mark.filterwarnings("ignore:.*imghdr:DeprecationWarning")
EVENT = Event("e1", Kind.FAILED, "loans", NOW, "it broke", "lastro status loans", "LST-0301")


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it got, and answers with the status that the server was told."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((dict(self.headers.items()), body))
        self.send_response(self.server.answer)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_anything):
        pass


@pytest.fixture
def receiver():
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.answer = [], 204
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def webhook(receiver, **options):
    address = f"127.0.0.1:{receiver.server_port}"
    return targets([{"webhook": f"http://{address}/hook", "allow_hosts": [address], **options}])[0]


def test_a_webhook_gets_the_event_and_its_signature(receiver, monkeypatch):
    monkeypatch.setenv("KEY_FOR_TEST", "k")
    deliver(webhook(receiver, key="${KEY_FOR_TEST}"), EVENT, source="lake")
    ((headers, body),) = receiver.got
    given = {name.lower(): value for name, value in headers.items()}

    assert json.loads(body)["data"]["code"] == "LST-0301"
    assert given["content-type"].startswith("application/cloudevents+json")
    assert signed(body, message="e1", moment=NOW, key="k").items() <= given.items()


def test_a_webhook_without_a_key_is_not_signed(receiver):
    deliver(webhook(receiver), EVENT, source="lake")

    assert not [name for name in receiver.got[0][0] if name.lower() == "webhook-signature"]


def test_without_the_library_it_is_said_how_to_get_it(receiver, monkeypatch):
    monkeypatch.setitem(sys.modules, "lastro.source.fetch.client", None)

    with pytest.raises(MissingExtra) as caught:
        deliver(webhook(receiver), EVENT, source="lake")
    assert caught.value.do == "pip install 'lastro[http]'"


@pytest.mark.parametrize("answer", [301, 400, 401, 404])
def test_what_was_not_taken_is_an_error(receiver, answer):
    receiver.answer = answer

    with pytest.raises(SourceUnreachable, match=str(answer)):
        deliver(webhook(receiver), EVENT, source="lake")
    assert len(receiver.got) == 1


def test_a_host_that_is_not_public_must_be_allowed(receiver):
    with pytest.raises(SourceUnreachable, match="public"):
        deliver(webhook(receiver, allow_hosts=[]), EVENT, source="lake")
    assert receiver.got == []


def test_a_secret_in_the_address_is_in_no_error(monkeypatch):
    monkeypatch.setenv("ADDRESS_FOR_TEST", "http://127.0.0.1:9/s3cr3t")
    (target,) = targets([{"webhook": "${ADDRESS_FOR_TEST}"}])

    with pytest.raises(LastroError) as caught:
        deliver(target, EVENT, source="lake")
    assert "s3cr3t" not in str(caught.value) + repr(target)


def test_a_variable_that_is_not_set_is_named(monkeypatch):
    monkeypatch.delenv("NOT_SET_FOR_TEST", raising=False)

    with pytest.raises(ConfigurationError, match="NOT_SET_FOR_TEST"):
        deliver(targets([{"webhook": "${NOT_SET_FOR_TEST}"}])[0], EVENT, source="lake")


@IMPORTS_OLD_MODULES
def test_apprise_delivers_to_its_services(receiver, monkeypatch):
    pytest.importorskip("apprise", reason="needs pip install 'lastro[notify]'")
    monkeypatch.setenv("SERVICE_FOR_TEST", f"json://127.0.0.1:{receiver.server_port}/team")
    receiver.answer = 200
    deliver(targets([{"apprise": "${SERVICE_FOR_TEST}"}])[0], EVENT, source="lake")
    told = json.loads(receiver.got[0][1])

    assert (told["title"], told["message"]) == ("loans failed", "it broke\nlastro status loans")


@IMPORTS_OLD_MODULES
@pytest.mark.parametrize("address", ["nothing://s3cr3t", "", "json://127.0.0.1:9/s3cr3t"])
def test_what_apprise_cannot_deliver_is_an_error_without_the_address(address, monkeypatch):
    pytest.importorskip("apprise", reason="needs pip install 'lastro[notify]'")
    monkeypatch.setenv("SERVICE_FOR_TEST", address)

    with pytest.raises(SourceUnreachable) as caught:
        deliver(targets([{"apprise": "${SERVICE_FOR_TEST}"}])[0], EVENT, source="lake")
    assert "s3cr3t" not in str(caught.value)
