"""Events reach files and receivers whole; what does not get through is an error without a secret, and soon."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from lastro.model.errors import LastroError, MissingExtra, SourceUnreachable, WriteFailed
from lastro.openlineage import emit as emitting
from lastro.openlineage.emit import emit
from lastro.openlineage.target import File, Target, target


class Handler(BaseHTTPRequestHandler):
    """Keeps what it got, and answers as the server was told, after a while if it was told so."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((dict(self.headers.items()), body))
        time.sleep(self.server.slow)
        self.send_response(self.server.answer)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_anything):
        pass


@pytest.fixture
def receiver() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.got, server.answer, server.slow = [], 201, 0
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def at(server: HTTPServer, **options: object) -> Target:
    address = f"127.0.0.1:{server.server_port}"
    found = target({"url": f"http://{address}/api/v1/lineage", "allow_hosts": [address], **options}, Path())
    assert found is not None
    return found


def write(path: Path, process: int) -> None:
    for number in range(40):
        emit(File(path), json.dumps({"process": process, "number": number, "filling": "x" * 50_000}).encode())


def test_lines_of_several_processes_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write, args=(path, number)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    found = [json.loads(line) for line in path.read_bytes().splitlines()]

    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert sorted((each["process"], each["number"]) for each in found) == [(p, n) for p in range(3) for n in range(40)]


def test_after_a_line_that_was_cut_a_new_one_begins(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "events.ndjson"
    path.parent.mkdir()
    path.write_bytes(b'{"a":1}\n{"b":')

    emit(File(path), b'{"c":3}')

    assert path.read_bytes() == b'{"a":1}\n{"b":\n{"c":3}\n'


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_nothing_but_a_file_is_written_to(kind: str, tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "events.ndjson", tmp_path / "elsewhere"
    elsewhere.write_text("as it was")
    {"link": lambda: path.symlink_to(elsewhere), "folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}[kind]()

    with pytest.raises(WriteFailed):
        emit(File(path), b"{}")
    assert elsewhere.read_text() == "as it was"


def test_a_receiver_gets_the_event_and_the_key(receiver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_FOR_TEST", "k3y")

    emit(at(receiver, key="${KEY_FOR_TEST}"), b'{"a":1}')

    ((headers, body),) = receiver.got
    given = {name.lower(): value for name, value in headers.items()}
    assert body == b'{"a":1}'
    assert (given["authorization"], given["content-type"]) == ("Bearer k3y", "application/json; charset=utf-8")


@pytest.mark.parametrize("answer", [301, 400, 401, 500, 503])
def test_what_was_not_taken_is_an_error_at_once(receiver: HTTPServer, answer: int) -> None:
    receiver.answer = answer

    with pytest.raises(SourceUnreachable, match=str(answer)):
        emit(at(receiver), b"{}")
    assert len(receiver.got) == 1


def test_a_host_that_is_not_public_must_be_allowed(receiver: HTTPServer) -> None:
    with pytest.raises(SourceUnreachable, match="public"):
        emit(at(receiver, allow_hosts=[]), b"{}")


def test_without_the_library_it_is_said_how_to_get_it(receiver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lastro.source.fetch.client", None)

    with pytest.raises(MissingExtra) as caught:
        emit(at(receiver), b"{}")
    assert "lastro[http]" in caught.value.do


def test_a_receiver_that_does_not_answer_is_given_up(receiver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitting, "TIMEOUT_S", 0.3)
    receiver.slow = 3
    began = time.monotonic()

    with pytest.raises(SourceUnreachable):
        emit(at(receiver), b"{}")
    assert time.monotonic() - began < 2


def test_no_error_shows_the_key_or_the_address(receiver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_FOR_TEST", "k3y-that-nobody-sees")
    receiver.answer = 403

    with pytest.raises(LastroError) as caught:
        emit(at(receiver, key="${KEY_FOR_TEST}"), b"{}")
    assert "nobody-sees" not in repr(caught.value.to_dict())
    assert str(receiver.server_port) not in repr(caught.value.to_dict())
