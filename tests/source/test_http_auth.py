"""Who asks: credentials are sent to their origin only, renewed in time, and shown by nothing."""

import dataclasses
import json
from base64 import b64encode

import pytest
from tests.source.misbehaving import *  # noqa: F403
from tests.source.misbehaving import Reply, around, over, page, read

from lastro.model.errors import ConfigurationError, SourceBroken, SourceUnreachable
from lastro.source import create

PAGES = {"type": "page", "parameter": "page"}


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setenv("LASTRO_SECRET_FOR_TEST", "hunter2&=")


def token_server(serve, *, life=3600, slow=None):
    """A place that gives tokens `t0`, `t1` … and says who asked how."""
    given = []

    def answer(asked):
        given.append(asked)
        return page({"access_token": f"t{len(given) - 1}", "token_type": "Bearer", "expires_in": life})

    return serve(answer), given


def oauth(place, **more):
    return {
        "type": "oauth2",
        "token_url": place.url("/token"),
        "client_id": "ana",
        "client_secret": "${LASTRO_SECRET_FOR_TEST}",
        **more,
    }


@pytest.mark.parametrize(
    ("auth", "header", "sent"),
    [
        ({"type": "bearer", "token": "${LASTRO_SECRET_FOR_TEST}"}, "Authorization", "Bearer hunter2&="),
        (
            {"type": "basic", "user": "ana", "password": "${LASTRO_SECRET_FOR_TEST}"},
            "Authorization",
            "Basic " + b64encode(b"ana:hunter2&=").decode(),
        ),
        ({"type": "header", "name": "X-Key", "value": "k ${LASTRO_SECRET_FOR_TEST}"}, "X-Key", "k hunter2&="),
    ],
)
def test_credentials_in_a_header_stay_at_their_origin(serve, slept, auth, header, sent):
    other = serve(lambda asked: page([1]))
    server = serve(lambda asked: Reply(b"", 302, {"Location": other.url()}))
    made = over(server, slept, auth=auth, allow_hosts=["127.0.0.1"])

    records, cursor = read(made)

    assert records == ["1"]
    assert server.asked[0].headers[header] == sent
    assert header not in other.asked[0].headers
    assert "hunter2" not in f"{made!r} {made.label} {cursor} {made.identity}"


def test_a_key_in_a_parameter_is_sent_with_every_page_and_kept_nowhere(serve, slept):
    other = serve(lambda asked: page([]))

    def answer(asked):
        if asked.parameters.get("page") == "3":
            return Reply(b"", 307, {"Location": other.url("/elsewhere")})
        return page([{"n": asked.number}])

    server = serve(answer)
    auth = {"type": "parameter", "name": "api_key", "value": "${LASTRO_SECRET_FOR_TEST}"}
    made = over(server, slept, auth=auth, pagination=PAGES, allow_hosts=["127.0.0.1"])

    records, cursor = read(made)

    assert len(records) == 2
    assert [asked.parameters["api_key"] for asked in server.asked] == ["hunter2&="] * 3
    assert "api_key" not in other.asked[0].parameters
    assert "hunter2" not in f"{made!r} {cursor}"


def test_a_token_is_asked_for_once_and_sent_as_bearer(serve, slept):
    place, given = token_server(serve)
    server = serve(lambda asked: page([{"n": 1}] if asked.parameters["page"] == "1" else []))
    made = over(
        server,
        slept,
        pagination=PAGES,
        allow_hosts=["127.0.0.1"],
        auth=oauth(place, scopes=["a", "b"], parameters={"audience": "x y"}),
    )

    read(made)

    assert [asked.headers["Authorization"] for asked in server.asked] == ["Bearer t0", "Bearer t0"]
    assert len(given) == 1
    assert given[0].method == "POST"
    assert given[0].body == b"grant_type=client_credentials&scope=a%20b&audience=x%20y"
    assert given[0].headers["Authorization"] == "Basic " + b64encode(b"ana:hunter2%26%3D").decode()
    assert given[0].headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_a_client_may_prove_itself_in_the_body(serve, slept):
    place, given = token_server(serve)
    server = serve(lambda asked: page([1]))

    read(over(server, slept, allow_hosts=["127.0.0.1"], auth=oauth(place, client_auth="body")))

    assert given[0].body.endswith(b"client_id=ana&client_secret=hunter2%26%3D")
    assert "Authorization" not in given[0].headers


def test_a_token_is_renewed_before_it_expires(serve, slept):
    place, _given = token_server(serve, life=100)
    server = serve(lambda asked: page([{"n": asked.number}] if int(asked.parameters["page"]) < 4 else []))
    made = over(server, slept, pagination=PAGES, allow_hosts=["127.0.0.1"], auth=oauth(place))
    made = dataclasses.replace(made, surroundings=around(slept, clock=lambda: 35.0 * len(server.asked)))

    read(made)

    sent = [asked.headers["Authorization"] for asked in server.asked]
    assert sent == ["Bearer t0", "Bearer t0", "Bearer t1", "Bearer t1"]


def test_a_refused_token_is_renewed_once_for_a_request(serve, slept):
    place, given = token_server(serve)
    good = {"Bearer t1"}
    server = serve(lambda asked: page([1]) if asked.headers["Authorization"] in good else page({}, 401))

    assert read(over(server, slept, allow_hosts=["127.0.0.1"], auth=oauth(place)))[0] == ["1"]
    good.clear()
    with pytest.raises(SourceUnreachable, match="answered 401"):
        read(over(server, slept, allow_hosts=["127.0.0.1"], auth=oauth(place)))
    assert len(given) == 4
    assert slept == []


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (page({"error": "invalid_client", "error_description": "hunter2"}, 401), "401 (invalid_client)"),
        (page({"error": "hunter2"}, 400), "400"),
        (Reply(b"<html>hunter2", 200), "without a token"),
        (page({"access_token": "", "token_type": "bearer"}), "without a token"),
        (page({"access_token": "x", "token_type": "mac"}), "not of the type bearer"),
        (Reply(b"[" * 100_000), "without a token"),
        (Reply(b"", 302, {"Location": "http://10.0.0.1/"}), "302"),
    ],
)
def test_a_place_that_gives_no_token_is_told_without_its_words(serve, slept, reply, says):
    place = serve(lambda asked: reply)
    server = serve(lambda asked: page([1]))

    with pytest.raises(SourceUnreachable) as caught:
        read(over(server, slept, allow_hosts=["127.0.0.1"], auth=oauth(place)))
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert server.asked == []


def test_a_token_with_a_line_break_is_not_sent(serve, slept):
    place = serve(lambda asked: page({"access_token": "x\r\nX-Evil: 1", "token_type": "bearer"}))
    server = serve(lambda asked: page([1]))

    with pytest.raises(ConfigurationError, match="cannot be sent") as caught:
        read(over(server, slept, allow_hosts=["127.0.0.1"], auth=oauth(place)))
    assert "Evil" not in str(caught.value)
    assert server.asked == []


def test_the_tokens_place_passes_the_address_checks(serve, slept):
    server = serve(lambda asked: page([1]))
    place = serve(lambda asked: page({}))

    auth = oauth(place) | {"token_url": "https://localhost:9/token"}
    with pytest.raises(SourceUnreachable, match="not a public one"):
        read(over(server, slept, auth=auth))


def test_a_secret_is_never_posted_to_another_origin(serve, slept):
    thief = serve(lambda asked: page({"access_token": "x", "token_type": "bearer"}))
    place = serve(lambda asked: Reply(b"", 308, {"Location": thief.url()}))
    server = serve(lambda asked: page([1]))

    with pytest.raises(SourceBroken, match="nothing may be sent"):
        read(over(server, slept, allow_hosts=["127.0.0.1"], auth=oauth(place)))
    assert thief.asked == []


def test_credentials_do_not_go_over_plain_http():
    made = create(
        {
            "kind": "http",
            "url": "http://example.org/",
            "auth": {"type": "bearer", "token": "${LASTRO_SECRET_FOR_TEST}"},
        },
        base=None,
    )

    with pytest.raises(ConfigurationError, match="plain HTTP"):
        read(made)


@pytest.mark.parametrize(
    ("auth", "says"),
    [
        ({"type": "bearer", "token": "hunter2"}, "auth.token is written out"),
        ({"type": "basic", "user": "u", "password": "hunter2"}, "auth.password"),
        ({"type": "header", "name": "X", "value": "hunter2"}, "auth.value"),
        ({"type": "parameter", "name": "k", "value": "hunter2"}, "auth.value"),
        ({"type": "oauth2", "token_url": "https://h/", "client_id": "c", "client_secret": "hunter2"}, "client_secret"),
        ({"type": "digest"}, "not one of those"),
        ({"type": "bearer"}, "token"),
        ({"type": "bearer", "token": "${1}"}, "not a reference"),
        ({"type": "bearer", "token": "${A}", "user": "x"}, "user"),
    ],
)
def test_a_wrong_auth_is_refused(auth, says):
    with pytest.raises(ConfigurationError) as caught:
        create({"kind": "http", "url": "https://h/", "auth": auth}, base=None)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_post_goes_out_under_the_same_rules(serve, slept):
    from lastro.source.fetch.client import Limits, post

    replies = [Reply(b"", 503, {}), Reply(b"", 200, {})]
    server = serve(lambda asked: replies[asked.number])
    url = server.url("/hook")

    answer = post(
        url,
        json.dumps({"a": 1}).encode(),
        headers={"content-type": "application/json"},
        label="a webhook",
        allowed=frozenset({"127.0.0.1"}),
        limits=Limits(retries=1),
        surroundings=around(slept),
    )

    assert answer.status == 200
    assert [(asked.method, asked.body) for asked in server.asked] == [("POST", b'{"a": 1}')] * 2
    assert slept == [0.5]
    with pytest.raises(SourceUnreachable, match="not a public one"):
        post(url, b"", headers={}, label="a webhook", surroundings=around(slept))


def test_no_secret_is_in_any_byte_that_is_written(serve, tmp_path, monkeypatch):
    import lastro

    monkeypatch.setenv("LASTRO_SECRET_FOR_TEST", "canary-7f3a")
    place = serve(lambda asked: page({"access_token": "canary-token", "token_type": "bearer"}))

    def answer(asked):
        last = "k" in asked.parameters
        return page({"d": [{"id": int(last)}], "next": None if last else "/?k=1"})

    server = serve(answer)
    lake = lastro.init(tmp_path / "lake")
    options = {
        "allow_hosts": ["127.0.0.1"],
        "auth": oauth(place),
        "parameters": {"api_key": "${LASTRO_SECRET_FOR_TEST}"},
        "headers": {"X-Token": "${LASTRO_SECRET_FOR_TEST}"},
        "pagination": {"type": "link", "path": "next"},
        "batch_rows": 1,
    }

    lake.add(server.url(), name="d", mode="upsert", options=options)
    lake.dataset("d").ingest()

    assert server.asked[-1].headers["Authorization"] == "Bearer canary-token"
    written = [path for path in (tmp_path / "lake").rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if b"canary" in path.read_bytes()]
