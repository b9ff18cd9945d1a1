"""Pages of every kind, several at once, at a pace, from hosts that fail."""

import dataclasses
import json
import threading
import time

import pyarrow as pa
import pytest
from tests.source.misbehaving import *  # noqa: F403
from tests.source.misbehaving import Reply, around, numbers, over, page, read

from lastro.model.errors import ConfigurationError, SourceBroken, SourceChanged, SourceUnreachable
from lastro.model.version import Mode
from lastro.source import create
from lastro.source.fetch.circuit import Circuits, Fuse
from lastro.source.fetch.pace import Pace

OFFSET = {"type": "offset", "limit": 10}


def table(rows, *, limit_max=1000):
    """A server's answer from a list, by offset and limit."""

    def answer(asked):
        start, limit = int(asked.parameters["offset"]), min(int(asked.parameters["limit"]), limit_max)
        return page({"data": [{"id": row} for row in rows[start : start + limit]], "total": len(rows)})

    return answer


@pytest.mark.parametrize("parallel", [1, 3])
@pytest.mark.parametrize("rows", [0, 9, 10, 11, 35])
def test_pages_by_offset(api, rows, parallel):
    source, server = api(table(range(rows)), records="data", pagination={**OFFSET, "parallel": parallel})

    assert numbers(read(source)[0]) == list(range(rows))
    assert len(server.asked) <= rows // 10 + 1 + parallel


def test_several_pages_at_once_come_in_order_and_are_few(api):
    lock, running, most = threading.Lock(), [0], [0]

    def answer(asked):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        number = int(asked.parameters["page"])
        time.sleep(0.02 if number % 2 else 0.0)
        with lock:
            running[0] -= 1
        return page([{"id": number}] if number <= 20 else [])

    source, server = api(answer, pagination={"type": "page", "parallel": 4})

    assert numbers(read(source)[0]) == list(range(1, 21))
    assert 1 < most[0] <= 4
    assert len(server.asked) <= 25


def test_a_failure_among_several_pages_is_the_one_that_is_told(api):
    def answer(asked):
        number = int(asked.parameters["page"])
        return page({}, 403) if number == 3 else page([{"id": number}] if number < 9 else [])

    source, _server = api(answer, pagination={"type": "page", "parallel": 4})

    with pytest.raises(SourceUnreachable, match="answered 403"):
        read(source)


def test_a_page_beyond_the_end_may_be_an_error_where_the_end_is_known(api):
    def answer(asked):
        number = int(asked.parameters["page"])
        return page({"rows": [{"id": number}], "meta": {"total": 3}}) if number <= 3 else page({}, 404)

    given = {"records": "rows", "total": "meta.total"}
    source, _server = api(answer, **given, pagination={"type": "page", "parallel": 3, "end": "total"})
    assert numbers(read(source)[0]) == [1, 2, 3]

    source, _server = api(answer, **given, pagination={"type": "page"})
    with pytest.raises(SourceUnreachable, match="404"):
        read(source)


@pytest.mark.parametrize("limit_max", [7, 9])
def test_a_limit_that_the_api_does_not_grant_would_leave_records_out(api, limit_max):
    source, _server = api(table(range(35), limit_max=limit_max), records="data", pagination=OFFSET)

    with pytest.raises(SourceBroken, match="the 10 that were asked for"):
        read(source)


def test_a_page_fuller_than_asked_is_refused(api):
    source, _server = api(lambda asked: page([{"id": 1}] * 11), pagination=OFFSET)

    with pytest.raises(SourceBroken, match="the 10 that were asked for"):
        read(source)


def test_a_flag_says_whether_there_is_more_even_behind_an_empty_page(api):
    def answer(asked):
        number = int(asked.parameters["page"])
        return page({"rows": [{"id": number}] if number != 2 else [], "more": number < 4})

    source, server = api(answer, records="rows", pagination={"type": "page", "has_more": "more"})

    assert numbers(read(source)[0]) == [1, 3, 4]
    assert len(server.asked) == 4


@pytest.mark.parametrize("flag", [{}, {"more": "yes"}, {"more": []}])
def test_a_flag_that_is_none_does_not_end_the_reading_in_silence(api, flag):
    source, _server = api(
        lambda asked: page({"rows": [1], **flag}), records="rows", pagination={"type": "page", "has_more": "more"}
    )

    with pytest.raises(SourceBroken, match="no true or false"):
        read(source)


def test_a_cursor_may_be_in_a_header(api):
    def answer(asked):
        number = int(asked.parameters.get("after", 0))
        return page([{"id": number}], **({"X_Next": str(number + 1)} if number < 3 else {}))

    source, _server = api(answer, pagination={"type": "cursor", "header": "X-Next", "parameter": "after"})

    assert numbers(read(source)[0]) == [0, 1, 2, 3]


def test_a_cursor_behind_the_last_page_is_not_followed(api):
    def answer(asked):
        number = int(asked.parameters.get("cursor", 0))
        return page({"rows": [{"id": number}], "next": number + 1, "more": number < 2})

    source, _server = api(answer, records="rows", pagination={"type": "cursor", "path": "next", "has_more": "more"})
    assert numbers(read(source)[0]) == [0, 1, 2]

    source, _server = api(
        lambda asked: page({"rows": [], "more": True}),
        records="rows",
        pagination={"type": "cursor", "path": "next", "has_more": "more"},
    )
    with pytest.raises(SourceBroken, match="no cursor"):
        read(source)


def test_empty_pages_before_the_last_cursor_are_passed(api):
    def answer(asked):
        number = int(asked.parameters.get("cursor", 0))
        return page({"rows": [{"id": number}] if number % 3 == 0 else [], "next": number + 1 if number < 9 else None})

    source, _server = api(answer, records="rows", pagination={"type": "cursor", "path": "next"})

    assert numbers(read(source)[0]) == [0, 3, 6, 9]


def test_a_search_is_posted_with_its_page_in_the_body(api, monkeypatch):
    monkeypatch.setenv("LASTRO_SECRET_FOR_TEST", "hunter2")

    source, server = api(
        lambda asked: answer_by_cursor(json.loads(asked.body)),
        records="rows",
        body={"filter": {"state": "open"}, "paging": {"size": 1}, "key": "${LASTRO_SECRET_FOR_TEST}"},
        pagination={"type": "cursor", "parameter": "paging.after", "path": "next"},
    )
    records, cursor = read(source)

    assert numbers(records) == [0, 1, 2]
    assert {asked.method for asked in server.asked} == {"POST"}
    assert json.loads(server.asked[1].body) == {
        "filter": {"state": "open"},
        "paging": {"size": 1, "after": 1},
        "key": "hunter2",
    }
    assert server.asked[1].headers["Content-Type"] == "application/json"
    assert "hunter2" not in f"{source!r} {cursor}"


def answer_by_cursor(asked):
    number = int(asked["paging"].get("after", 0))
    return page({"rows": [{"id": number}], "next": number + 1 if number < 2 else None})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"pagination": {"type": "offset"}}, "limit"),
        ({"pagination": {"type": "cursor"}}, "path or header"),
        ({"pagination": {"type": "cursor", "path": "a", "header": "b"}}, "path or header"),
        ({"pagination": {"type": "page", "end": "total"}}, "total"),
        ({"pagination": {"type": "page", "parallel": 0}}, "parallel"),
        ({"pagination": {"type": "page", "parallel": 1000}}, "parallel"),
        ({"rate_limit": "fast"}, "rate_limit"),
        ({"rate_limit": "5/day"}, "rate_limit"),
        ({"circuit": {"failures": 0}}, "failures"),
        ({"batch_rows": 0}, "batch_rows"),
        ({"incremental": {"parameter": "since"}}, "path"),
        ({"incremental": {"parameter": "since", "path": "a", "format": "rfc"}}, "not one of those"),
    ],
)
def test_wrong_options_for_pages_are_refused(given, says):
    with pytest.raises(ConfigurationError) as caught:
        create({"kind": "http", "url": "https://h/", **given}, base=None)
    assert says in str(caught.value)


def test_the_rate_limit_spreads_requests(api, slept):
    source, server = api(
        lambda asked: page([{"id": asked.number}] if asked.number < 3 else []),
        pagination={"type": "page"},
        rate_limit="30/minute",
    )
    source = dataclasses.replace(source, surroundings=around(slept, clock=lambda: 100.0 + sum(slept)))

    read(source)

    assert slept == [2.0, 2.0, 2.0]
    assert len(server.asked) == 4


def test_threads_share_one_pace():
    moments, lock = [], threading.Lock()
    pace = Pace(
        1.0, clock=lambda: 0.0, sleep=lambda seconds: lock.acquire() and (moments.append(seconds), lock.release())
    )
    threads = [threading.Thread(target=pace.wait) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(moments) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]


def test_a_host_that_keeps_failing_is_left_in_peace_for_a_while(serve, slept):
    now, healthy = [1000.0], [False]
    circuits = Circuits(clock=lambda: now[0])
    server = serve(lambda asked: page([1]) if healthy[0] else Reply(b"", 500, {}))
    made = over(server, slept, circuit={"failures": 4, "pause_s": 30})
    made = dataclasses.replace(made, surroundings=dataclasses.replace(around(slept), circuits=circuits))

    with pytest.raises(SourceUnreachable, match="no answer after 3 attempts"):
        read(made)
    with pytest.raises(SourceUnreachable, match=r"failed 4 times in a row and is not asked for another 30 s"):
        read(made)
    asked = len(server.asked)
    now[0] += 29
    with pytest.raises(SourceUnreachable, match="another 1 s"):
        read(made)
    assert len(server.asked) == asked == 4

    now[0] += 2
    with pytest.raises(SourceUnreachable, match="failed 5 times"):
        read(made)
    assert len(server.asked) == 5

    now[0] += 31
    healthy[0] = True
    assert read(made)[0] == ["1"]
    healthy[0] = False
    with pytest.raises(SourceUnreachable, match="no answer after 3 attempts"):
        read(made)


def test_an_answer_that_is_no_failure_keeps_the_circuit_closed():
    circuits, fuse = Circuits(), Fuse(failures=2)
    circuits.failed("h", fuse)
    circuits.succeeded("h")
    circuits.failed("h", fuse)

    circuits.check("h", fuse, "x")


def test_retry_after_is_obeyed_on_503_too(api, slept):
    source, _server = api(lambda asked: page([1]) if asked.number else page({}, 503, Retry_After="7"))

    assert read(source)[0] == ["1"]
    assert slept == [7.0]


def test_a_reading_left_early_stops_its_requests(api):
    source, server = api(lambda asked: page([{"id": asked.number}]), pagination={"type": "page", "parallel": 2})

    with source.open(None, Mode.OVERWRITE) as opened:
        reader = pa.RecordBatchReader.from_stream(opened.scan.stream)
        reader.read_next_batch()
        reader.read_next_batch()
    asked = len(server.asked)
    time.sleep(0.05)

    assert len(server.asked) == asked <= 4
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("page_")]


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_an_upsert_in_batches_resumes_where_it_was_committed(api, cut):
    rows = [{"id": number} for number in range(7)]
    kinds = [
        ({"type": "page", "size": 2, "size_parameter": "limit", "start": 0}, lambda q: 2 * int(q["page"])),
        ({"type": "offset", "limit": 2}, lambda q: int(q["offset"])),
        ({"type": "cursor", "path": "next", "parameter": "after"}, lambda q: int(q.get("after", 0))),
    ]
    pagination, place = kinds[cut]

    def answer(asked):
        start = place(asked.parameters)
        return page({"rows": rows[start : start + 2], "next": start + 2 if start + 2 < 7 else None})

    source, _server = api(answer, records="rows", pagination=pagination, batch_rows=4)
    taken, cursor, more = [], None, True
    batches = 0
    while more:
        with source.open(cursor, Mode.UPSERT) as opened:
            found = pa.table(opened.scan.stream)["record"].to_pylist()
            cursor, more = json.loads(json.dumps(opened.watermark())), opened.more()
        taken += numbers(found)
        batches += 1

    assert taken == list(range(7))
    assert batches == 2
    assert "resume" not in cursor


def test_an_overwrite_never_stops_early(api):
    source, _server = api(table(range(35)), records="data", pagination=OFFSET, batch_rows=10)

    with source.open(None, Mode.OVERWRITE) as opened:
        assert pa.table(opened.scan.stream).num_rows == 35
        assert not opened.more()


def test_links_are_kept_without_their_origin_and_without_the_key(api, monkeypatch):
    monkeypatch.setenv("LASTRO_SECRET_FOR_TEST", "hunter2")

    def answer(asked):
        number = int(asked.parameters.get("p", 0))
        link = f'</next?p={number + 1}&api_key={asked.parameters["api_key"]}>; rel="next"'
        return page([{"id": number}], **({"Link": link} if number < 3 else {}))

    auth = {"type": "parameter", "name": "api_key", "value": "${LASTRO_SECRET_FOR_TEST}"}
    source, server = api(answer, pagination={"type": "link"}, auth=auth, batch_rows=2)
    first, cursor = read(source, None, Mode.UPSERT)
    second, last = read(source, cursor, Mode.UPSERT)

    assert numbers(first + second) == [0, 1, 2, 3]
    assert cursor["resume"] == "/next?p=2"
    assert "resume" not in last
    assert {asked.parameters["api_key"] for asked in server.asked} == {"hunter2"}


def test_a_place_that_holds_a_secret_is_not_kept(api, monkeypatch):
    monkeypatch.setenv("LASTRO_SECRET_FOR_TEST", "hunter2")
    source, _server = api(
        lambda asked: page([{"id": asked.number}], Link='</n?k=hunter2>; rel="next"'),
        pagination={"type": "link"},
        parameters={"k": "${LASTRO_SECRET_FOR_TEST}"},
        batch_rows=1,
    )

    with pytest.raises(SourceBroken, match="holds a secret") as caught:
        read(source, None, Mode.UPSERT)
    assert "hunter2" not in str(caught.value)


def test_a_forgotten_place_begins_again_for_upsert_and_is_refused_for_append(api):
    expired = [False]

    def answer(asked):
        token = asked.parameters.get("cursor")
        if token is not None and expired[0] and asked.number == 2:
            return page({"error": "expired"}, 410)
        number = int(token or 0)
        rows = [{"id": number, "at": number}]
        return page({"rows": rows, "next": number + 1 if number < 3 else None})

    given = {
        "records": "rows",
        "pagination": {"type": "cursor", "path": "next"},
        "incremental": {"parameter": "since", "path": "at"},
        "batch_rows": 2,
    }
    source, _server = api(answer, **given)
    first, cursor = read(source, None, Mode.UPSERT)
    expired[0] = True
    again, _cursor = read(source, cursor, Mode.UPSERT)
    assert (numbers(first), numbers(again)) == ([0, 1], [0, 1])

    expired[0] = False
    source, _server = api(answer, **given)
    _first, cursor = read(source, None, Mode.APPEND)
    expired[0] = True
    with pytest.raises(SourceChanged, match="no longer knows"):
        read(source, cursor, Mode.APPEND)
