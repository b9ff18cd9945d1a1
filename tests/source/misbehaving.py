"""A local HTTP server that does what a test tells it to, request by request, and a source that reads from it."""

import dataclasses
import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pyarrow as pa
import pytest

from lastro.model.version import Mode
from lastro.source import create
from lastro.source.fetch.circuit import Circuits
from lastro.source.fetch.client import Surroundings
from lastro.source.protocol import Unchanged

__all__ = ["api", "serve", "slept"]

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)


@dataclass
class Asked:
    """One request as the server saw it."""

    path: str
    parameters: dict
    headers: Message
    number: int
    method: str = "GET"
    body: bytes = b""


@dataclass
class Reply:
    """What to answer. `raw` is written to the socket as it is, instead of everything else; `cut` bytes of the body are
    sent before the connection is closed.
    """

    body: bytes = b""
    status: int = 200
    headers: dict = field(default_factory=lambda: {"Content-Type": "application/json"})
    raw: bytes | None = None
    cut: int | None = None


def page(value, status=200, **headers):
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(json.dumps(value).encode(), status, {"Content-Type": "application/json", **named})


class Misbehaving:
    """The server. `answer(asked)` gives a `Reply`, or a generator of bytes that are written one by one."""

    def __init__(self, answer):
        self.asked = []
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.take("GET", b"")

            def do_POST(self):
                self.take("POST", self.rfile.read(int(self.headers["Content-Length"])))

            def take(self, method, body):
                parts = urlsplit(self.path)
                with outer.lock:
                    asked = Asked(
                        parts.path, dict(parse_qsl(parts.query)), self.headers, len(outer.asked), method, body
                    )
                    outer.asked.append(asked)
                try:
                    self.reply(answer(asked))
                except OSError:  # the client went away, as some tests want
                    self.close_connection = True

            def reply(self, given):
                if not isinstance(given, Reply):
                    for part in given:
                        self.wfile.write(part)
                    self.close_connection = True
                    return
                if given.raw is not None:
                    self.wfile.write(given.raw)
                    self.close_connection = True
                    return
                self.send_response(given.status)
                for name, value in given.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(given.body)))
                self.end_headers()
                self.wfile.write(given.body if given.cut is None else given.body[: given.cut])
                self.close_connection = self.close_connection or given.cut is not None

            def log_message(self, *_args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_request: None  # clients go away, as some tests want
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def around(slept, **others):
    """Surroundings in which nothing waits and each test has circuits of its own."""
    return Surroundings(sleep=slept.append, chance=lambda: 0.5, now=lambda: NOW, circuits=Circuits(), **others)


def over(server, slept, path="/", **options):
    """A source over a server of ours, which sleeps without waiting."""
    allowed = {"allow_hosts": [f"127.0.0.1:{server.port}"]}
    made = create({"kind": "http", "url": server.url(path), "retries": 2, **allowed, **options}, base=None)
    return dataclasses.replace(made, surroundings=around(slept))


def read(made, cursor=None, mode=Mode.OVERWRITE):
    """All records of one reading and its watermark; `Unchanged` and the cursor as it was."""
    with made.open(cursor, mode) as opened:
        if isinstance(opened, Unchanged):
            return opened, cursor
        records = pa.table(opened.scan.stream)["record"].to_pylist()
        return records, json.loads(json.dumps(opened.watermark()))


def numbers(records, name="id"):
    """One field of each record."""
    return [json.loads(record)[name] for record in records]


@pytest.fixture
def serve():
    servers = []

    def start(answer):
        servers.append(Misbehaving(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def slept():
    return []


@pytest.fixture
def api(serve, slept):
    """A source over a server that answers by a function."""

    def make(answer, path="/", **options):
        server = serve(answer)
        return over(server, slept, path, **options), server

    return make
