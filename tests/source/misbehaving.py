"""A local HTTP server that does what a test tells it to, request by request."""

import json
import threading
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Asked:
    """One request as the server saw it."""

    path: str
    parameters: dict
    headers: Message
    number: int


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
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                parts = urlsplit(self.path)
                asked = Asked(parts.path, dict(parse_qsl(parts.query)), self.headers, len(outer.asked))
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
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
