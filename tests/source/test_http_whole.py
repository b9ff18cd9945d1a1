"""An answer is whole, and came in time, or it is refused: parts, answers without content, servers that drip."""

import json
import time

import pytest
from tests.source.misbehaving import *  # noqa: F403
from tests.source.misbehaving import Reply, numbers, over, page, read

import lastro
from lastro.model.errors import ConfigurationError, SourceBroken, SourceUnreachable
from lastro.model.version import Mode

ROWS = [{"id": 1}, {"id": 2}]
NOTHING = b"HTTP/1.1 204 No Content\r\n"


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (206, {}),
        (206, {"Content_Range": "items 0-1/3573"}),
        (206, {"Content_Range": "0-1/*"}),
        (206, {"Content_Range": "bytes 0-20/90"}),
        (206, {"Content_Range": "bytes 5-24/25"}),
        (206, {"Content_Range": "whatever"}),
        (200, {"Content_Range": "items 0-1/3"}),
    ],
)
def test_a_part_is_not_taken_for_all_there_is(api, status, headers):
    source, _server = api(lambda asked: page(ROWS, status, **headers))

    with pytest.raises(SourceBroken, match="only a part") as caught:
        read(source)
    assert "pagination" in caught.value.do


@pytest.mark.parametrize("found", ["items 0-1/2", "bytes 0-20/21", "0-1/2"])
@pytest.mark.parametrize("status", [200, 206])
def test_a_range_of_everything_is_no_part(api, found, status):
    source, _server = api(lambda asked: page(ROWS, status, Content_Range=found))

    assert numbers(read(source)[0]) == [1, 2]


def test_a_part_that_was_asked_for_is_taken(api):
    source, server = api(lambda asked: page(ROWS, 206, Content_Range="items 0-1/9"), headers={"range": "items=0-1"})

    assert numbers(read(source)[0]) == [1, 2]
    assert server.asked[0].headers["Range"] == "items=0-1"


def test_a_page_that_says_which_part_of_all_it_is_is_a_page(api, serve, slept):
    def answer(asked, unit=""):
        start = int(asked.parameters["offset"])
        rows = [{"id": each} for each in range(start, min(start + 2, 5))]
        return page(rows, 206, Content_Range=f"{unit}{start}-{start + 1}/5")

    source, _server = api(answer, pagination={"type": "offset", "limit": 2})
    by_bytes = over(serve(lambda asked: answer(asked, "bytes ")), slept, pagination={"type": "offset", "limit": 2})

    assert numbers(read(source)[0]) == [0, 1, 2, 3, 4]
    with pytest.raises(SourceBroken, match="only a part"):
        read(by_bytes)


def test_an_answer_without_content_does_not_empty_a_dataset(serve, tmp_path):
    answers = [page(ROWS)]
    server = serve(lambda asked: answers[0])
    lastro.init(tmp_path / "lake")
    workspace = lastro.open(tmp_path / "lake")
    options = {"allow_hosts": ["127.0.0.1"]}
    workspace.add(server.url(), name="d", options=options)
    workspace.dataset("d").ingest()
    answers[0] = Reply(b"", 204, {})

    with pytest.raises(SourceBroken, match="without content") as caught:
        workspace.dataset("d").ingest()
    assert "allow_no_content: true" in caught.value.do
    assert workspace.dataset("d").version().info.rows == 2


def test_adding_from_a_host_that_is_not_public_says_how_it_may_be(serve, tmp_path):
    server = serve(lambda asked: page(ROWS))
    host = f"127.0.0.1:{server.port}"
    lastro.init(tmp_path / "lake")
    workspace = lastro.open(tmp_path / "lake")

    with pytest.raises(SourceUnreachable, match="not a public one") as caught:
        workspace.add(server.url(), name="d")
    option = f'allow_hosts=["{host}"]'
    assert f"--option '{option}'" in caught.value.do
    assert workspace.add(server.url(), name="d", options={"allow_hosts": [host]}).columns == 1


@pytest.mark.parametrize("ask", ["ingest", "preview"])
def test_a_mistake_in_a_source_does_not_hide_behind_a_contract_that_is_not_there(tmp_path, ask):
    lastro.init(tmp_path / "lake")
    source = {"kind": "http", "url": "https://api.example.com/", "pagination": {"type": "page", "sise": 5}}
    (tmp_path / "lake" / "lastro.yaml").write_text(json.dumps({"lastro": 1, "datasets": {"d": {"source": source}}}))
    dataset = lastro.open(tmp_path / "lake").dataset("d")

    with pytest.raises(ConfigurationError, match=r"pagination.*sise"):
        getattr(dataset, ask)()


@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.UPSERT])
def test_an_answer_without_content_brings_nothing_where_nothing_is_taken_away(api, mode):
    source, _server = api(lambda asked: Reply(b"", 204, {}))

    assert read(source, None, mode)[0] == []


def test_an_answer_without_content_is_an_end_behind_the_first_page(api):
    source, _server = api(
        lambda asked: page(ROWS) if asked.parameters["page"] == "1" else Reply(b"", 204, {}),
        pagination={"type": "page"},
    )

    assert numbers(read(source)[0]) == [1, 2]


def header_drip(asked):
    yield NOTHING
    for _each in range(40):
        time.sleep(0.05)
        yield b"X-Slow: 1\r\n"
    yield b"\r\n"


def informational(asked):
    for _each in range(40):
        time.sleep(0.05)
        yield b"HTTP/1.1 103 Early Hints\r\n\r\n"
    yield NOTHING + b"\r\n"


@pytest.mark.parametrize("answer", [header_drip, informational])
def test_what_comes_before_a_body_does_not_outlast_the_time_limit(api, answer):
    source, _server = api(answer, timeout_s=0.3, retries=0)

    with pytest.raises(SourceUnreachable, match="took too long"):
        read(source, None, Mode.APPEND)


def test_a_file_whose_headers_drip_is_given_up(serve, tmp_path):
    from lastro.source import create

    server = serve(header_drip)
    options = {"kind": "files", "path": server.url("/a.csv"), "allow_hosts": ["127.0.0.1"], "retries": 0}
    source = create({**options, "timeout_s": 0.3}, base=tmp_path)

    with pytest.raises(SourceUnreachable, match="took too long"), source.open(None, Mode.OVERWRITE):
        pass
