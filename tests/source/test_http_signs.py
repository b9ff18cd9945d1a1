"""What a first page tells by itself: guessed where it is evident, asked back where it is not."""

import json

import pytest
from tests.source.misbehaving import *  # noqa: F403
from tests.source.misbehaving import Reply, numbers, page, read

import lastro
from lastro.model.errors import ConfigurationError, SourceBroken
from lastro.workspace import configuration

ROWS = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]


@pytest.fixture
def added(serve, tmp_path):
    """The options that `add` writes for a server, and the server."""

    def add(answer, **options):
        server = serve(answer)
        lake = lastro.init(tmp_path / "lake")
        lake.add(server.url(), name="d", options={"allow_hosts": ["127.0.0.1"], **options})
        found = dict(configuration.read(tmp_path / "lake").datasets["d"].source)
        return {
            name: json.loads(json.dumps(found[name])) for name in found if name in ("records", "pagination", "auth")
        }

    return add


def paged(value, *, key="data", **headers):
    """Two pages, the second by `?p=2`."""

    def answer(asked):
        last = "p" in asked.parameters
        body = {**({} if last else value), key: [{"id": 3}] if last else ROWS}
        return page(body, **({} if last else headers))

    return answer


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (lambda asked: page(ROWS), {}),
        (lambda asked: page({"data": ROWS}), {"records": "data"}),
        (lambda asked: page({"result": {"items": ROWS, "tags": ["x"]}, "total": 2}), {"records": "result.items"}),
        (paged({}, Link='</?p=2>; rel="next"'), {"records": "data", "pagination": {"type": "link"}}),
        (paged({"next": "/?p=2"}), {"records": "data", "pagination": {"type": "link", "path": "next"}}),
        (
            paged({"links": {"self": "/", "next": "?p=2"}}),
            {"records": "data", "pagination": {"type": "link", "path": "links.next"}},
        ),
        (
            paged({"_links": {"next": {"href": "/?p=2"}}}),
            {"records": "data", "pagination": {"type": "link", "path": "_links.next.href"}},
        ),
        (
            paged({"@odata.nextLink": "/?p=2"}, key="value"),
            {"records": "value", "pagination": {"type": "link", "path": "@odata.nextLink"}},
        ),
        (lambda asked: page({"data": ROWS, "next": None, "has_more": False}), {"records": "data"}),
    ],
)
def test_what_is_evident_is_written_down(added, answer, found):
    assert added(answer) == found


@pytest.mark.parametrize(
    ("answer", "asks"),
    [
        (lambda asked: page({"data": ROWS, "other": ROWS}), "which of these lists holds the records: data, other?"),
        (lambda asked: page({"data": ROWS, "meta": {"next_cursor": "abc"}}), "meta.next_cursor says"),
        (lambda asked: page({"data": ROWS, "nextPageToken": "abc"}), "nextPageToken says"),
        (lambda asked: page({"data": ROWS, "has_more": True}), "has_more says"),
        (lambda asked: page({"data": ROWS, "total": 50}), "total says"),
        (lambda asked: page({"data": ROWS, "page": {"totalElements": 50}}), "page.totalElements says"),
        (lambda asked: page(ROWS, X_Total_Count="50"), "x-total-count says"),
        (lambda asked: page(ROWS, X_Next_Page="2"), "x-next-page says"),
        (lambda asked: page({"data": ROWS, "next": "/?p=2", "next_url": "/?p=3"}), "next says"),
    ],
)
def test_what_is_not_evident_is_asked(added, answer, asks, tmp_path):
    with pytest.raises(ConfigurationError, match=asks.replace("?", "[?]").replace(".", "[.]")) as caught:
        added(answer)
    assert "--option" in caught.value.do
    assert configuration.read(tmp_path / "lake").datasets == {}


def test_what_is_said_is_not_guessed(added):
    answer = lambda asked: page({"a": ROWS, "b": ROWS, "next": "/?p=2"})
    said = {"records": "b", "pagination.type": "none"}

    assert added(answer, **said) == {"records": "b", "pagination": {"type": "none"}}


def test_options_within_options(added, monkeypatch):
    monkeypatch.setenv("LASTRO_SECRET_FOR_TEST", "hunter2")
    given = {
        "pagination.type": "page",
        "pagination.size": 2,
        "pagination.size_parameter": "n",
        "auth.type": "bearer",
        "auth.token": "${LASTRO_SECRET_FOR_TEST}",
    }
    found = added(lambda asked: page(ROWS if asked.parameters["page"] == "1" else []), **given)

    assert found == {
        "pagination": {"type": "page", "size": 2, "size_parameter": "n"},
        "auth": {"type": "bearer", "token": "${LASTRO_SECRET_FOR_TEST}"},
    }


@pytest.mark.parametrize("names", [["a", "a.b"], ["a.b", "a"], ["a."], [".a"], ["a..b"]])
def test_options_that_do_not_go_together_are_refused(added, names):
    with pytest.raises(ConfigurationError):
        added(lambda asked: page(ROWS), **dict.fromkeys(names, 1))


@pytest.mark.parametrize(
    "body", [{"data": ROWS, "next": "abc"}, {"data": ROWS, "hasMore": True}, {"data": ROWS, "total": "3"}]
)
def test_pages_that_nobody_spoke_of_are_not_passed_over(api, body):
    source, _server = api(lambda asked: page(body), records="data")
    with pytest.raises(SourceBroken, match="more pages than this one") as caught:
        read(source)
    assert "pagination" in caught.value.do

    source, _server = api(lambda asked: page(body), records="data", pagination={"type": "none"})
    assert numbers(read(source)[0]) == [1, 2]


def test_records_are_no_signs(api):
    rows = [{"next": "x", "total": 99, "has_more": True}]
    source, _server = api(lambda asked: page({"data": rows, "next": [], "total": 1}), records="data")

    assert len(read(source)[0]) == 1


def test_a_page_for_people_is_told_when_it_is_added(added):
    with pytest.raises(SourceBroken, match="HTML"):
        added(lambda asked: Reply(b"<html>", 200, {"Content-Type": "text/html"}))
