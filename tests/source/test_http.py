"""A JSON API as a source, against a server that misbehaves."""

import dataclasses
import gzip
import json
import socket
import time
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from tests.source.conformance import *  # noqa: F403
from tests.source.conformance import World, take
from tests.source.misbehaving import *  # noqa: F403
from tests.source.misbehaving import Reply, over, page, read

from lastro.model.errors import ConfigurationError, LimitExceeded, SourceBroken, SourceUnreachable
from lastro.model.version import Mode
from lastro.source import create
from lastro.source.fetch.addresses import is_public
from lastro.source.fetch.client import Surroundings
from lastro.source.fetch.pace import retry_after
from lastro.source.protocol import Unchanged


@pytest.fixture
def world(serve, slept, monkeypatch):
    monkeypatch.setenv("LASTRO_TOKEN_FOR_TEST", "hunter2")
    rows = [{"id": number} for number in range(3)]
    server = serve(lambda asked: page(rows) if asked.headers["Authorization"] == "Bearer hunter2" else page({}, 401))
    return World(
        make=lambda: over(server, slept, headers={"Authorization": "Bearer ${LASTRO_TOKEN_FOR_TEST}"}),
        rows=3,
        change=lambda: rows.append({"id": 3}),
        vanish=lambda: monkeypatch.setattr(server.server, "process_request", lambda request, _address: request.close()),
        secrets=("hunter2",),
    )


def test_records_arrive_as_the_bytes_they_are(api):
    listed = b'{"a": 1.10, "b": 12345678901234567890}, {"c":\r\n "x\\ny", "\\u00e9": "\xc3\xa9"}, 7, null'
    body = b'{"data": {"items": [' + listed + b"]}}"
    source, _server = api(lambda asked: Reply(body), records="data.items")

    records, cursor = read(source)

    assert records == [
        '{"a": 1.10, "b": 12345678901234567890}',
        '{"c":   "x\\ny", "\\u00e9": "é"}',
        "7",
        "null",
    ]
    assert list(cursor) == ["of"]


@pytest.mark.parametrize("body", [b"[]", b"null", b"\xef\xbb\xbf [ ]"])
def test_no_records_are_no_rows(api, body):
    source, _server = api(lambda asked: Reply(body))

    assert read(source)[0] == []


def test_an_answer_without_content_has_no_rows_where_it_may(api):
    source, _server = api(lambda asked: Reply(b"", 204, {}), allow_no_content=True)

    assert read(source)[0] == []


def test_pages_by_number_end_with_an_empty_one(api):
    def answer(asked):
        number = int(asked.parameters["page"])
        return page([{"n": number, "k": key} for key in range(2)] if number <= 3 else [])

    source, server = api(
        answer, "/?fixed=1", pagination={"type": "page", "size_parameter": "per", "size": 2}, parameters={"x": True}
    )

    records, _cursor = read(source)

    assert [json.loads(record)["n"] for record in records] == [1, 1, 2, 2, 3, 3]
    assert server.asked[0].parameters == {"fixed": "1", "x": "true", "per": "2", "page": "1"}
    assert len(server.asked) == 4


def test_pages_by_offset(api):
    source, server = api(
        lambda asked: page([asked.parameters["offset"]] if int(asked.parameters["offset"]) < 200 else []),
        pagination={"type": "page", "parameter": "offset", "start": 0, "step": 100},
    )

    assert read(source)[0] == ['"0"', '"100"']
    assert [asked.parameters["offset"] for asked in server.asked] == ["0", "100", "200"]


@pytest.mark.parametrize(
    "last", [{}, {"meta": None}, {"meta": {"next": None}}, {"meta": {"next": ""}}, {"meta": {"next": False}}]
)
def test_pages_by_cursor(api, last):
    def answer(asked):
        at = asked.parameters.get("after")
        if at is None:
            return page({"rows": [1], "meta": {"next": "a&b=é"}})
        return page({"rows": [2], "meta": {"next": 7}}) if at == "a&b=é" else page({"rows": [3], **last})

    source, server = api(
        answer, records="rows", pagination={"type": "cursor", "path": "meta.next", "parameter": "after"}
    )

    assert read(source)[0] == ["1", "2", "3"]
    assert [asked.parameters.get("after") for asked in server.asked] == [None, "a&b=é", "7"]


def test_pages_by_link_header_and_by_link_in_the_page(api):
    def by_header(asked):
        more = {"Link": '<?page=2>; rel="next", </>; rel="first"'} if not asked.parameters else {}
        return page([len(asked.parameters)], **more)

    def by_path(asked):
        return page({"rows": [len(asked.parameters)], "links": {"next": None if asked.parameters else "/?page=2"}})

    header, _server = api(by_header, pagination={"type": "link"})
    path, _server = api(by_path, records="rows", pagination={"type": "link", "path": "links.next"})

    assert read(header)[0] == ["0", "1"]
    assert read(path)[0] == ["0", "1"]


def test_pages_are_fetched_as_they_are_asked_for(api):
    source, server = api(lambda asked: page([asked.number] if asked.number < 5 else []), pagination={"type": "page"})

    with source.open(None, Mode.OVERWRITE) as opened:
        reader = pa.RecordBatchReader.from_stream(opened.scan.stream)
        assert len(server.asked) == 1
        reader.read_next_batch()
        reader.read_next_batch()
        assert len(server.asked) <= 3


@pytest.mark.parametrize(
    ("answer", "pagination", "says"),
    [
        (lambda asked: page([1, 2]), {"type": "page"}, "page came twice"),
        (
            lambda asked: page({"rows": [asked.number], "next": "same"}),
            {"type": "cursor", "path": "next"},
            "cursor came twice",
        ),
        (lambda asked: page([asked.number], Link='</x>; rel="next"'), {"type": "link"}, "link came twice"),
        (lambda asked: page([1], Link='</x>; rel="next"'), {"type": "none"}, "more pages"),
    ],
)
def test_pages_that_would_never_end_are_broken(api, answer, pagination, says):
    source, server = api(answer, records="rows" if pagination["type"] == "cursor" else "", pagination=pagination)

    with pytest.raises(SourceBroken, match=says):
        read(source)
    assert len(server.asked) <= 3


def test_more_pages_than_agreed_are_refused(api):
    source, server = api(lambda asked: page([asked.number]), pagination={"type": "page"}, pages_max=4)

    with pytest.raises(LimitExceeded, match="more than 4 pages"):
        read(source)
    assert len(server.asked) == 4


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/", "//localhost/", "https://example.org/"])
def test_a_next_page_elsewhere_is_refused(api, target):
    source, _server = api(lambda asked: page([1], Link=f'<{target}>; rel="next"'), pagination={"type": "link"})

    with pytest.raises(SourceBroken, match="at another place"):
        read(source)


HTML = {"Content-Type": "text/html; charset=utf-8"}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(b"<!doctype html><title>Sign in</title>", 200, HTML), "HTML"),
        (Reply(b"  <html>", 200, JSON), "HTML"),
        (Reply(b"a,b\n1,2\n", 200, {"Content-Type": "text/csv"}), "text/csv"),
        (Reply(b'[{"name": "Jos\xe9"}]', 200, JSON), "UTF-8"),
        (Reply('[{"a": 1}]'.encode("utf-16"), 200, JSON), "UTF-8"),
        (Reply(b'[{"a": 1}, {"a":', 200, JSON), "not JSON"),
        (Reply(b"", 200, JSON), "not JSON"),
        (Reply(b"[1] [2]", 200, JSON), "not JSON"),
        (Reply(b'[{"a": Maria}]', 200, JSON), "not JSON"),
        (Reply(b'{"items": {"a": 1}, "total": 3}', 200, JSON), "no list of records"),
        (Reply(b"7", 200, JSON), "no list of records"),
        (Reply(b"\x1f\x8bnot gzip", 200, {**JSON, "Content-Encoding": "gzip"}), "compression"),
    ],
)
def test_an_answer_that_is_not_json_records_is_broken(api, reply, says):
    source, _server = api(lambda asked: reply)

    with pytest.raises(SourceBroken, match=says) as caught:
        read(source)
    assert caught.value.exit_code == 3
    assert caught.value.do
    assert "Maria" not in str(caught.value)


def test_a_wrong_path_to_the_records_tells_the_names_there_are(api):
    source, _server = api(lambda asked: page({"items": [], "total": 0}), records="data.items")

    with pytest.raises(SourceBroken, match="'data'") as caught:
        read(source)
    assert "items, total" in caught.value.do


def test_json_nested_100_000_deep_is_refused(api):
    source, _server = api(lambda asked: Reply(b"[" * 100_000 + b"]" * 100_000))

    with pytest.raises(LimitExceeded, match="too deep"):
        read(source)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_body_beyond_the_limit_is_refused(api, pack):
    headers = JSON if pack is bytes else {**JSON, "Content-Encoding": "gzip"}
    source, _server = api(
        lambda asked: Reply(pack(b"[" + b" " * 3_000_000 + b"]"), 200, headers), page_bytes_max=1_000_000
    )

    with pytest.raises(LimitExceeded, match="larger than 1,000,000"):
        read(source)


def test_passing_faults_are_tried_again(api, slept):
    replies = [
        Reply(b"", 503, {}),
        Reply(b"x" * 100, 200, JSON, cut=10),
        page([1]),
    ]
    source, server = api(lambda asked: replies[asked.number])

    assert read(source)[0] == ["1"]
    assert len(server.asked) == 3
    assert slept == [0.5, 1.0]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"", 500, {}),
        Reply(b"[1]", 200, JSON, cut=1),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Le"),
        Reply(raw=b"garbage\r\n\r\n"),
        Reply(raw=b""),
        Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"),
    ],
)
def test_faults_that_last_are_unreachable(api, slept, reply):
    source, server = api(lambda asked: reply)

    with pytest.raises(SourceUnreachable, match="no answer after 3 attempts") as caught:
        read(source)
    assert len(server.asked) == 3
    assert len(slept) == 2
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 304, 418])
def test_other_answers_are_final(api, slept, status):
    source, server = api(lambda asked: page({"detail": "Maria"}, status) if status != 304 else Reply(b"", 304, {}))

    with pytest.raises(SourceUnreachable, match=f"it answered {status}") as caught:
        read(source)
    assert (len(server.asked), slept) == (1, [])
    assert "Maria" not in str(caught.value)


@pytest.mark.parametrize(
    ("asks", "waits"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Sun, 22 Nov 2026 10:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0.0),
        ("soon", 0.5),
        ("-5", 0.5),
        ("", 0.5),
    ],
)
def test_retry_after_is_obeyed(api, slept, asks, waits):
    source, _server = api(lambda asked: page([1]) if asked.number else page({}, 429, Retry_After=asks))

    assert read(source)[0] == ["1"]
    assert slept == [waits]


@pytest.mark.parametrize("asks", ["86400", "9" * 40, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_long_retry_after_is_told_instead_of_waited_for(api, slept, asks):
    source, _server = api(lambda asked: page({}, 503, Retry_After=asks))

    with pytest.raises(SourceUnreachable, match="asks to wait"):
        read(source)
    assert slept == []


def test_a_server_that_says_nothing_or_drips_is_given_up(api):
    def drip(asked):
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n["
        while True:
            time.sleep(0.02)
            yield b" "

    def silent(asked):
        time.sleep(0.5)
        yield b""

    for answer in (drip, silent):
        source, _server = api(answer, timeout_s=0.2, retries=0)

        with pytest.raises(SourceUnreachable, match="took too long"):
            read(source)


def test_a_server_that_is_not_there(slept):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        made = create(
            {"kind": "http", "url": f"http://127.0.0.1:{port}/", "retries": 1, "allow_hosts": ["127.0.0.1"]}, base=None
        )
        made = dataclasses.replace(made, surroundings=Surroundings(sleep=slept.append))

        with pytest.raises(SourceUnreachable, match="no connection"):
            read(made)
    assert len(slept) == 1


def test_a_server_that_dies_between_pages(api):
    source, _server = api(lambda asked: page([1]) if asked.number == 0 else Reply(raw=b""), pagination={"type": "page"})

    with pytest.raises(SourceUnreachable, match="no answer"):
        read(source)


def test_a_redirect_is_followed_and_its_address_checked(api, serve):
    source, _server = api(lambda asked: page([1]) if asked.path == "/new" else Reply(b"", 302, {"Location": "/new"}))
    assert read(source)[0] == ["1"]

    secret = serve(lambda asked: page(["secret"]))
    for target in (secret.url(), "http://169.254.169.254/latest/meta-data/", "http://localhost/", "http://[::1]/"):
        source, _server = api(lambda asked, target=target: Reply(b"", 307, {"Location": target}))
        with pytest.raises(SourceUnreachable, match="not a public one"):
            read(source)
    assert secret.asked == []


def test_redirects_without_end_or_to_other_schemes_are_broken(api):
    for target, says in (("/", "without end"), ("file:///etc/passwd", "nothing may be sent"), ("ftp://h/", "nothing")):
        source, server = api(lambda asked, target=target: Reply(b"", 301, {"Location": target}))
        with pytest.raises(SourceBroken, match=says):
            read(source)
        assert len(server.asked) <= 6


def test_headers_and_account_stay_at_their_origin(serve, slept, monkeypatch):
    monkeypatch.setenv("LASTRO_TOKEN_FOR_TEST", "hunter2")
    other = serve(lambda asked: page([1]))
    first = serve(lambda asked: Reply(b"", 302, {"Location": other.url()}))
    made = create(
        {
            "kind": "http",
            "url": f"http://ana:${{LASTRO_TOKEN_FOR_TEST}}@127.0.0.1:{first.port}/",
            "headers": {"X-Api-Key": "${LASTRO_TOKEN_FOR_TEST}"},
            "allow_hosts": ["127.0.0.1"],
        },
        base=None,
    )

    assert read(made)[0] == ["1"]
    assert first.asked[0].headers["X-Api-Key"] == "hunter2"
    assert first.asked[0].headers["Authorization"] == "Basic YW5hOmh1bnRlcjI="
    assert "hunter2" not in str(other.asked[0].headers)
    assert "Authorization" not in other.asked[0].headers
    assert "hunter2" not in f"{made!r}{made.label}"


def test_a_host_is_resolved_once_and_its_checked_address_used(serve, slept):
    server = serve(lambda asked: page([asked.headers["Host"]]))
    answers = iter([["127.0.0.1"], ["8.8.8.8"]])
    made = create(
        {"kind": "http", "url": f"http://api.example.org:{server.port}/", "allow_hosts": ["api.example.org"]}, base=None
    )
    made = dataclasses.replace(made, surroundings=Surroundings(resolve=lambda host, port: next(answers)))

    assert read(made)[0] == [f'"api.example.org:{server.port}"']


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["64:ff9b::a00:1"], ["::ffff:10.0.0.1"]])
def test_one_address_that_is_not_public_is_enough_to_refuse(addresses):
    made = create({"kind": "http", "url": "http://api.example.org/", "allow_hosts": ["other.example.org"]}, base=None)
    made = dataclasses.replace(made, surroundings=Surroundings(resolve=lambda host, port: addresses))

    with pytest.raises(SourceUnreachable, match="not a public one") as caught:
        read(made)
    assert "api.example.org:80" in caught.value.do


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "0", "localhost", "[::]", "[::ffff:7f00:1]"])
def test_other_spellings_of_this_machine_are_refused(host):
    made = create({"kind": "http", "url": f"http://{host}:9/", "retries": 0}, base=None)

    with pytest.raises((SourceUnreachable, ConfigurationError)) as caught:
        read(made)
    assert "no answer" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("2002:808:808::1", True),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::1", False),
        ("nonsense", False),
    ],
)
def test_which_addresses_are_public(address, public):
    assert is_public(address) is public


def test_an_etag_that_still_holds_is_unchanged(api):
    def answer(asked):
        return Reply(b"", 304, {}) if asked.headers.get("If-None-Match") == '"v1"' else page([1], ETag='"v1"')

    source, server = api(answer)
    _records, cursor = read(source)
    again, _same = read(source, cursor)

    assert cursor["etag"] == '"v1"'
    assert isinstance(again, Unchanged)
    assert len(server.asked) == 2


def test_last_modified_is_used_where_there_is_no_etag(api):
    when = "Sun, 22 Nov 2026 10:00:00 GMT"

    def answer(asked):
        known = asked.headers.get("If-Modified-Since") == when
        return Reply(b"", 304, {}) if known else page([1], Last_Modified=when)

    source, _server = api(answer)
    _records, cursor = read(source)

    assert isinstance(read(source, cursor)[0], Unchanged)


def test_marks_of_the_first_of_several_pages_prove_nothing(api):
    source, server = api(
        lambda asked: page([asked.number] if asked.parameters["page"] == "1" else [], ETag='"v1"'),
        pagination={"type": "page"},
    )
    _records, cursor = read(source)
    read(source, cursor)

    assert "etag" not in cursor
    assert not [asked for asked in server.asked if "If-None-Match" in asked.headers]


def test_another_question_does_not_use_the_marks_of_the_last(api, slept):
    source, server = api(lambda asked: page({"a": [1], "b": [2]}, ETag='"v1"'), records="a")
    _records, cursor = read(source)

    assert read(over(server, slept, records="b"), cursor)[0] == ["2"]
    assert "If-None-Match" not in server.asked[1].headers


@pytest.mark.parametrize("value", ["hunter2\r\nX-Evil: 1", "hunter2é", "hunter2\x00"])
def test_a_header_that_cannot_be_sent_is_refused_without_showing_it(api, monkeypatch, value):
    if "\x00" not in value:
        monkeypatch.setenv("LASTRO_TOKEN_FOR_TEST", value)
    name = "X-Token" if "\x00" not in value else "X\x00"
    reference = "${LASTRO_TOKEN_FOR_TEST}" if "\x00" not in value else "plain"
    source, server = api(lambda asked: page([1]), headers={name: reference})

    with pytest.raises(ConfigurationError, match="cannot be sent") as caught:
        read(source)
    assert "hunter2" not in str(caught.value)
    assert server.asked == []


def test_environment_proxies_are_not_used(api, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    source, _server = api(lambda asked: page([1]))

    assert read(source)[0] == ["1"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"headers": {"Authorization": "Bearer hunter2"}}, "${NAME}"),
        ({"parameters": {"api_key": "hunter2"}}, "${NAME}"),
        ({"url": "http://h/?token=hunter2"}, "${NAME}"),
        ({"url": "http://u:hunter2@h/"}, "${NAME}"),
        ({"url": "ftp://h/"}, "https://"),
        ({"url": ""}, "url"),
        ({"pagination": {"type": "pages"}}, "not one of those"),
        ({"pagination": {"type": "cursor"}}, "path"),
        ({"pagination": {"type": "page", "stepp": 1}}, "stepp"),
        ({"retry": 3}, "did you mean 'retries'"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"headers": {"X": 3}}, "headers"),
        ({"headers": {"X": "${1}"}}, "not a reference"),
    ],
)
def test_a_wrong_option_is_refused(options, says):
    with pytest.raises(ConfigurationError) as caught:
        create({"kind": "http", "url": "https://h/", **options}, base=None)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_two_readings_of_an_unmarked_api_give_the_same_rows(api):
    source, _server = api(lambda asked: page([{"a": 1}, {"a": 2}]))
    rows, cursor = take(source)

    assert take(source, cursor)[0] == rows == 2


@pytest.mark.parametrize(
    "text", ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Mon, 01 Jan 2026 00:00:00 +99999999999999"]
)
def test_a_retry_after_that_no_calendar_has_says_nothing(text):
    assert retry_after(text, datetime(2026, 1, 1, tzinfo=UTC)) is None
