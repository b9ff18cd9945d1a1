"""Asking an API only for what is new: each record once for `append`, at least once for `upsert`."""

import dataclasses
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.source.misbehaving import *  # noqa: F403
from tests.source.misbehaving import around, numbers, over, page, read

from lastro.model.errors import ConfigurationError, SourceBroken, SourceChanged
from lastro.model.version import Mode
from lastro.source.http import stamps
from lastro.source.http.options import Incremental
from lastro.source.protocol import Unchanged

SINCE = {"parameter": "since", "path": "at"}


def stamped(rows, *, size=2, strict=False):
    """A server's answer from rows of (id, at) by `since` (or beyond it) and page."""

    def answer(asked):
        since = asked.parameters.get("since")
        kept = [row for row in rows if since is None or row[1] > since or (row[1] == since and not strict)]
        start = size * (int(asked.parameters.get("page", 1)) - 1)
        return page([{"id": key, "at": at} for key, at in kept[start : start + size]])

    return answer


def paged(api, rows, **more):
    return api(stamped(rows), pagination={"type": "page"}, **{"incremental": SINCE, **more})


@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.UPSERT])
def test_the_greatest_stamp_is_sent_next_time(api, mode):
    rows = [(1, "2026-01-01T00:00:00Z"), (2, "2026-01-03T00:00:00Z"), (3, "2026-01-02T00:00:00Z")]
    source, server = paged(api, rows)

    first, cursor = read(source, None, mode)
    rows += [(4, "2026-01-03T00:00:01Z")]
    second, after = read(source, cursor, mode)

    assert numbers(first) == [1, 2, 3]
    assert cursor["last"] == "2026-01-03T00:00:00Z"
    assert numbers(second) == ([4] if mode is Mode.APPEND else [2, 4])
    assert after["last"] == "2026-01-03T00:00:01Z"
    assert "since" not in server.asked[0].parameters


def test_nothing_new_is_unchanged(api):
    rows = [(1, "2026-01-01T00:00:00Z"), (2, "2026-01-03T00:00:00Z")]
    for mode in (Mode.APPEND, Mode.UPSERT):
        source, server = api(stamped(rows, size=10), incremental=SINCE)
        _first, cursor = read(source, None, mode)

        again, _same = read(source, cursor, mode)

        assert isinstance(again, Unchanged)
        assert len(server.asked) == 2


def test_a_change_without_a_new_stamp_is_seen_by_upsert(api):
    rows = [(1, "2026-01-01T00:00:00Z")]
    source, _server = api(stamped(rows, size=10), incremental=SINCE)
    _first, cursor = read(source, None, Mode.UPSERT)
    rows.append((2, "2026-01-01T00:00:00Z"))

    assert numbers(read(source, cursor, Mode.UPSERT)[0]) == [1, 2]
    assert isinstance(read(source, cursor, Mode.APPEND)[0], Unchanged)


def test_overwrite_asks_for_everything(api):
    rows = [(1, "2026-01-01T00:00:00Z")]
    source, server = api(stamped(rows), incremental={**SINCE, "start": "2025-01-01"})
    _first, cursor = read(source)
    records, _cursor = read(source, cursor)

    assert numbers(records) == [1]
    assert [asked.parameters["since"] for asked in server.asked] == ["2025-01-01", "2025-01-01"]


def test_an_upsert_goes_back_by_the_lag(api):
    rows = [(1, "2026-01-01T00:00:00Z"), (2, "2026-01-01T01:00:00Z")]
    source, server = api(stamped(rows, size=10), incremental={**SINCE, "lag": 3600})
    _first, cursor = read(source, None, Mode.UPSERT)
    rows.append((3, "2026-01-01T00:30:00Z"))

    assert numbers(read(source, cursor, Mode.UPSERT)[0]) == [1, 2, 3]
    assert server.asked[-1].parameters["since"] == "2026-01-01T00:00:00Z"


def test_an_append_waits_for_what_may_still_come_late(serve, slept):
    rows = [(1, "2026-11-22T09:00:00Z"), (2, "2026-11-22T09:58:00Z")]
    server = serve(stamped(rows, size=10))
    source = over(server, slept, incremental={**SINCE, "lag": 300})
    first, cursor = read(source, None, Mode.APPEND)
    rows.insert(1, (3, "2026-11-22T09:57:00Z"))
    later = dataclasses.replace(
        source, surroundings=dataclasses.replace(around(slept), now=lambda: datetime(2026, 11, 22, 11, tzinfo=UTC))
    )
    second, _cursor = read(later, cursor, Mode.APPEND)

    assert numbers(first) == [1]
    assert numbers(second) == [3, 2]


@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.UPSERT])
def test_a_stamp_from_the_future_does_not_hide_what_follows(api, mode):
    rows = [(1, "2026-11-22T09:00:00Z"), (2, "9999-12-31T00:00:00Z")]
    source, _server = api(stamped(rows, size=10), incremental=SINCE)
    first, cursor = read(source, None, mode)
    rows.append((3, "2026-11-22T09:30:00Z"))
    second, _cursor = read(source, cursor, mode)

    assert cursor["last"] == "2026-11-22T09:00:00Z"
    assert numbers(first) == ([1] if mode is Mode.APPEND else [1, 2])
    assert 3 in numbers(second)


def test_zones_and_fractions_are_compared_by_their_instant(api):
    rows = [(1, "2026-01-01T10:00:00.5+02:00"), (2, "2026-01-01T09:00:00Z"), (3, "2026-01-01T09:00:00.000000001Z")]
    source, _server = api(stamped(rows, size=10), incremental=SINCE)

    assert read(source, None, Mode.APPEND)[1]["last"] == "2026-01-01T09:00:00.000000001Z"


def test_numbers_are_stamps_too(api):
    rows = [(1, 7), (2, 12345678901234567890), (3, 9)]
    source, server = api(lambda asked: page([{"id": key, "at": at} for key, at in rows]), incremental=SINCE)
    _records, cursor = read(source, None, Mode.UPSERT)
    rows.append((4, 12345678901234567891))
    second, _cursor = read(source, cursor, Mode.APPEND)

    assert cursor["last"] == 12345678901234567890
    assert server.asked[-1].parameters["since"] == "12345678901234567890"
    assert numbers(second) == [4]


@pytest.mark.parametrize(
    ("form", "sent"),
    [
        ("as_is", "2026-01-01T10:00:00.250+02:00"),
        ("iso", "2026-01-01T08:00:00.25Z"),
        ("date", "2026-01-01"),
        ("epoch", "1767254400"),
        ("epoch_ms", "1767254400250"),
    ],
)
def test_the_stamp_is_sent_as_the_api_wants_it(api, form, sent):
    source, server = api(
        lambda asked: page([{"id": 1, "at": "2026-01-01T10:00:00.250+02:00"}]), incremental={**SINCE, "format": form}
    )
    _records, cursor = read(source, None, Mode.UPSERT)
    read(source, cursor, Mode.UPSERT)

    assert server.asked[-1].parameters["since"] == sent


@pytest.mark.parametrize(
    ("rows", "mode", "says"),
    [
        ([{"id": 1}], Mode.APPEND, "without at"),
        ([{"id": 1, "at": None}], Mode.APPEND, "without at"),
        ([{"at": "yesterday"}], Mode.UPSERT, "neither a number nor a moment"),
        ([{"at": "2026-02-30"}], Mode.UPSERT, "neither a number nor a moment"),
        ([{"at": 7}, {"at": "2026-01-01"}], Mode.UPSERT, "no common order"),
        ([{"at": {"x": 1}}], Mode.UPSERT, "no text or number"),
        ([7], Mode.UPSERT, "no text or number"),
    ],
)
def test_stamps_that_cannot_order_are_refused(api, rows, mode, says):
    source, _server = api(lambda asked: page(rows), incremental=SINCE)

    with pytest.raises(SourceBroken, match=says):
        read(source, None, mode)


def test_stamps_deep_in_a_record_are_found_and_may_be_missing_for_upsert(api):
    source, _server = api(
        lambda asked: page([{"meta": {"at": 3}}, {"meta": {}}, {"meta": None}, {}, {"meta": {"at": 2}}]),
        incremental={"parameter": "since", "path": "meta.at"},
    )
    records, cursor = read(source, None, Mode.UPSERT)

    assert len(records) == 5
    assert cursor["last"] == 3


def test_appending_from_another_question_is_refused(api, serve, slept):
    rows = [(1, "2026-01-01T00:00:00Z")]
    source, server = api(stamped(rows), incremental=SINCE)
    _first, cursor = read(source, None, Mode.APPEND)

    with pytest.raises(SourceChanged, match="another thing"):
        read(over(server, slept, "/other", incremental=SINCE), cursor, Mode.APPEND)
    records, _cursor = read(over(server, slept, "/other", incremental=SINCE), cursor, Mode.UPSERT)
    assert numbers(records) == [1]
    assert "since" not in server.asked[-1].parameters


def test_appending_twice_needs_to_know_what_is_new(api):
    source, _server = api(lambda asked: page([{"id": 1}]))
    _first, cursor = read(source, None, Mode.APPEND)

    with pytest.raises(ConfigurationError, match="would double"):
        read(source, cursor, Mode.APPEND)


def test_a_pass_in_batches_keeps_its_bounds(serve, slept):
    """The upper bound is the pass's own: what was held back in its first batch is not passed over by its last."""
    rows = [
        (1, "2026-11-22T08:00:00Z"),
        (2, "2026-11-22T10:30:00Z"),
        (3, "2026-11-22T09:00:00Z"),
        (4, "2026-11-22T10:45:00Z"),
    ]
    server = serve(stamped(rows, size=2))
    source = over(server, slept, incremental=SINCE, batch_rows=2, pagination={"type": "page"})
    later = dataclasses.replace(
        source, surroundings=dataclasses.replace(around(slept), now=lambda: datetime(2026, 11, 22, 11, tzinfo=UTC))
    )
    taken, cursor = read(source, None, Mode.APPEND)
    assert "last" not in cursor
    for _batch in range(2):
        more, cursor = read(later, cursor, Mode.APPEND)
        taken += more
    assert numbers(taken) == [1, 3]
    assert cursor["last"] == "2026-11-22T09:00:00Z"
    for _batch in range(3):
        more, cursor = read(later, cursor, Mode.APPEND)
        taken += [] if isinstance(more, Unchanged) else more

    assert sorted(numbers(taken)) == [1, 2, 3, 4]


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(min_value=datetime(2, 1, 2), max_value=datetime(9998, 12, 30), timezones=ZONES)


@given(MOMENTS, MOMENTS)
def test_instants_are_ordered_as_python_orders_them(one, other):
    first, second = stamps.instant(one.isoformat()), stamps.instant(other.isoformat(sep=" "))

    assert (first < second) == (one < other)
    assert (first == second) == (one == other)


@given(MOMENTS)
def test_what_is_sent_is_the_instant_that_was_seen(moment):
    options = Incremental(parameter="since", path="at", format="iso")
    sent = stamps.sent(options, moment.isoformat(), "x")["since"]

    assert datetime.fromisoformat(sent) == moment


@given(st.text(max_size=30))
def test_any_text_is_an_instant_or_none(text):
    found = stamps.instant(text)

    assert found is None or isinstance(found[0], int)


def test_an_ingested_api_appends_each_record_once(api, tmp_path):
    """The whole way: cursor in the commit, rows in the table."""
    import lastro

    rows = [(1, "2026-01-01T00:00:00Z"), (2, "2026-01-02T00:00:00Z")]
    _source, server = api(stamped(rows, size=10))
    workspace = lastro.init(tmp_path / "lake")
    workspace.add(
        server.url(),
        name="events",
        mode="append",
        options={"allow_hosts": [f"127.0.0.1:{server.port}"], "incremental": SINCE},
    )
    events = workspace.dataset("events")

    events.ingest()
    rows += [(3, "2026-01-03T00:00:00Z")]
    second = events.ingest()
    third = events.ingest()

    assert second.counts.read == 1
    assert third.unchanged
    assert workspace.version("events").to_arrow().column("id").to_pylist() == [1, 2, 3]


def test_how_fast_and_how_far_may_change_between_two_readings(serve, slept):
    rows = [(1, "2026-01-01T00:00:00Z"), (2, "2026-01-02T00:00:00Z"), (3, "2026-01-03T00:00:00Z")]
    server = serve(stamped(rows))
    _first, cursor = read(over(server, slept, incremental=SINCE, pagination={"type": "page"}), None, Mode.APPEND)
    changed = over(
        server,
        slept,
        incremental={**SINCE, "lag": 60, "start": "2020-01-01"},
        pagination={"type": "page", "parallel": 2},
    )
    rows.append((4, "2026-01-04T00:00:00Z"))

    assert numbers(read(changed, cursor, Mode.APPEND)[0]) == [4]


def test_an_older_record_that_comes_along_is_not_taken_for_nothing(api):
    """An API that counts by days sends more than was asked for, and among it a change."""
    rows = [{"id": 1, "at": "2026-01-01T08:00:00Z", "v": 1}, {"id": 2, "at": "2026-01-01T09:00:00Z", "v": 1}]
    source, _server = api(lambda asked: page(rows), incremental={**SINCE, "format": "date"})
    _first, cursor = read(source, None, Mode.UPSERT)
    rows[0]["v"] = 2

    assert numbers(read(source, cursor, Mode.UPSERT)[0], "v") == [2, 1]
