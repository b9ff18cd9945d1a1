"""Resources of dlt: their rows through our commit, their state in it, and nothing of dlt's own beside it."""

import json
import os
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pytest
from tests.source.conformance import *  # noqa: F403
from tests.source.conformance import World, take

import lastro
from lastro.model.errors import ConfigurationError, MissingExtra, SourceBroken
from lastro.model.version import Mode
from lastro.source import create
from lastro.source.protocol import Unchanged

pytest.importorskip("dlt", reason="needs pip install 'lastro[dlt]'")
SECRET = "hunter2-123.456.789-09"
CODE = """
import dlt
from pathlib import Path

@dlt.resource(primary_key="id")
def rows(token=None, id=dlt.sources.incremental("id")):
    for line in Path({path!r}).read_text().split():
        if id.last_value is None or int(line) >= id.last_value:
            yield {{"id": int(line), "nested": {{"a": [1]}}}}

@dlt.source
def several():
    @dlt.resource
    def one():
        yield [{{"a": 1}}, {{"a": 2}}]

    @dlt.resource
    def two():
        dlt.current.resource_state()["seen"] = dlt.current.resource_state().get("seen", 0) + 1
        yield {{"b": 1}}

    return one, two

@dlt.resource
def frames():
    import pyarrow as pa
    yield pa.table({{"a": [1, 2]}})

@dlt.resource
def broken():
    yield {{"a": 1}}
    raise ValueError({secret!r})

def none():
    return 7
"""


@pytest.fixture
def place(tmp_path):
    (tmp_path / "place.txt").write_text("1 2 3")
    (tmp_path / "mine.py").write_text(CODE.format(path=str(tmp_path / "place.txt"), secret=SECRET))
    return tmp_path / "place.txt"


def resource(base, name="rows", **options):
    return create({"kind": "dlt", "resource": f"mine.py:{name}", **options}, base=base)


@pytest.fixture
def world(tmp_path, place, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", SECRET)
    return World(
        make=lambda: resource(tmp_path, arguments={"token": "${MY_TOKEN}"}),
        rows=3,
        change=lambda: place.write_text("1 2 3 4"),
        vanish=place.unlink,
        secrets=(SECRET,),
    )


def test_the_incremental_state_lives_in_our_cursor(tmp_path, place):
    rows, cursor = take(resource(tmp_path), None, Mode.APPEND)
    assert rows == 3
    place.write_text("1 2 3 4 5")

    rows, after = take(resource(tmp_path), json.loads(json.dumps(cursor)), Mode.APPEND)

    assert rows == 2
    assert "5" in json.dumps(after)
    assert isinstance(take(resource(tmp_path), after, Mode.APPEND), Unchanged)
    assert take(resource(tmp_path), after, Mode.OVERWRITE)[0] == 5


def test_a_resource_without_state_is_appended_once(tmp_path, place):
    _rows, cursor = take(resource(tmp_path, "frames"), None, Mode.APPEND)

    with pytest.raises(ConfigurationError, match="double every row"):
        take(resource(tmp_path, "frames"), cursor, Mode.APPEND)


def test_of_a_source_one_resource_is_named(tmp_path, place):
    with pytest.raises(ConfigurationError, match="which resource") as caught:
        take(resource(tmp_path, "several"))
    assert "one, two" in caught.value.do

    assert take(resource(tmp_path, "several", select="one"))[0] == 2
    rows, cursor = take(resource(tmp_path, "several", select="two"))
    assert rows == 1
    assert '"seen": 1' in json.dumps(cursor)
    _rows, cursor = take(resource(tmp_path, "several", select="two"), cursor, Mode.UPSERT)
    assert '"seen": 2' in json.dumps(cursor)


def test_frames_keep_their_types(tmp_path, place):
    with resource(tmp_path, "frames").open(None, Mode.OVERWRITE) as opened:
        found = pa.table(pa.RecordBatchReader.from_stream(opened.scan.stream))

    assert found.schema == pa.schema([("a", pa.int64())])


def test_an_error_in_a_resource_is_told_by_its_place_and_not_by_its_values(tmp_path, place):
    with pytest.raises(SourceBroken) as caught:
        take(resource(tmp_path, "broken"))

    assert "ValueError" in caught.value.what
    line = (tmp_path / "mine.py").read_text().split("raise ValueError")[0].count("\n") + 1
    assert caught.value.where == f"mine.py, line {line}"
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("mine.py:none", "neither a resource"),
        ("mine.py:nothing", "has no nothing"),
        ("no.such.module:x", "be imported"),
    ],
)
def test_what_is_no_resource_is_refused(tmp_path, place, given, says):
    with pytest.raises(ConfigurationError, match=says):
        take(create({"kind": "dlt", "resource": given}, base=tmp_path))


def test_without_dlt_the_extra_is_named(tmp_path, place, monkeypatch):
    monkeypatch.setattr("lastro.source.python.dlt.find_spec", lambda name: None)

    with pytest.raises(MissingExtra) as caught:
        resource(tmp_path)
    assert "lastro[dlt]" in caught.value.do


INGEST = """
import sys
import lastro
print("started", flush=True)
result = lastro.open(sys.argv[1]).dataset("things").ingest(mode="append")
print("committed", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lake(tmp_path):
    workspace = lastro.init(tmp_path / "lake")
    root = workspace.root
    (root / "place.txt").write_text(" ".join(map(str, range(2_000))))
    (root / "mine.py").write_text(CODE.format(path=str(root / "place.txt"), secret=SECRET))
    (root / "a.jsonl").write_text('{"id": 1}\n')
    workspace.add("a.jsonl", name="things", mode="append")
    text = (root / "lastro.yaml").read_text()
    (root / "lastro.yaml").write_text(
        text.replace("kind: files", "kind: dlt").replace("path: a.jsonl", "resource: mine.py:rows")
    )
    return root


def test_killed_after_the_commit_and_resumed_no_row_is_doubled_and_none_lost(lake, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home)}
    cwd = tmp_path / "elsewhere"
    cwd.mkdir()
    for more, moment in ((0, "committed"), (500, "started"), (500, "committed"), (1_000, "")):
        done = (lake / "place.txt").read_text().split()
        (lake / "place.txt").write_text(" ".join(map(str, range(len(done) + more))))
        child = subprocess.Popen(
            [sys.executable, "-c", INGEST, str(lake)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=cwd,
            env=environment,
            text=True,
        )
        for line in child.stdout:
            if line.strip() == (moment or "committed"):
                break
        time.sleep(0.2 if moment == "started" else 0)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        child.stdin.close()

    lastro.open(lake).dataset("things").ingest(mode="append")

    ids = lastro.open(lake).version("things").to_arrow().column("id").to_pylist()
    assert sorted(ids) == list(range(4_000))
    assert list(cwd.iterdir()) == []
    assert list(home.rglob("*")) == []
    assert not (lake / ".dlt").exists()
    assert lastro.open(lake).dataset("things").ingest(mode="append").unchanged


def test_dlt_opens_no_connection(lake, tmp_path):
    code = (
        "import socket, sys\n"
        "def refuse(*args, **kwargs): raise AssertionError('a connection')\n"
        "socket.socket.connect = refuse\n"
        "socket.getaddrinfo = refuse\n" + INGEST.replace("sys.stdin.read()", "")
    )

    done = subprocess.run([sys.executable, "-c", code, str(lake)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
