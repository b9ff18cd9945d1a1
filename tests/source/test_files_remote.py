"""Files in object stores and behind URLs, against real servers on this machine: each once, whole, and no other."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from tests.source.conformance import *  # noqa: F403
from tests.source.conformance import World, take
from tests.source.misbehaving import Misbehaving, Reply

from lastro.model.errors import (
    ConfigurationError,
    LimitExceeded,
    SourceBroken,
    SourceChanged,
    SourceError,
    SourceUnreachable,
)
from lastro.model.version import Mode
from lastro.source import create, guess
from lastro.source.files.formats import FilesOptions, format_of
from lastro.source.files.known import Bounds
from lastro.source.files.objects import Objects
from lastro.source.files.remote import RemoteFiles
from lastro.source.protocol import Unchanged

boto3 = pytest.importorskip("boto3", reason="needs pip install 'moto[server]' boto3")
pytest.importorskip("moto", reason="needs pip install 'moto[server]' boto3")
KEY, SECRET = "AKIDFORTESTS", "hunter2-of-the-store"


@pytest.fixture(scope="module")
def endpoint():
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint, monkeypatch):
    monkeypatch.setenv("STORE_KEY", KEY)
    monkeypatch.setenv("STORE_SECRET", SECRET)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return Bucket(endpoint)


class Bucket:
    """A bucket of one's own on the server."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.name = f"bucket-{os.urandom(6).hex()}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.client = boto3.client(
                "s3",
                endpoint_url=endpoint,
                aws_access_key_id=KEY,
                aws_secret_access_key=SECRET,
                region_name="us-east-1",
            )
        self.client.create_bucket(Bucket=self.name)

    def put(self, key, content):
        self.client.put_object(
            Bucket=self.name, Key=key, Body=content if isinstance(content, bytes) else content.encode()
        )

    def delete(self, *keys):
        for key in keys:
            self.client.delete_object(Bucket=self.name, Key=key)

    def options(self, path, **more):
        return {
            "kind": "files",
            "path": f"s3://{self.name}/{path}",
            "endpoint": self.endpoint,
            "region": "us-east-1",
            "access_key": "${STORE_KEY}",
            "secret_key": "${STORE_SECRET}",
            "allow_hosts": ["127.0.0.1"],
            "retries": 0,
            **more,
        }

    def source(self, base, path="in/*.csv", **more):
        return create(self.options(path, **more), base=base)


@pytest.fixture
def world(bucket, tmp_path):
    bucket.put("in/a.csv", "1\n2\n")
    bucket.put("in/b.csv", "3\n")
    return World(
        make=lambda: bucket.source(tmp_path, header=False),
        rows=3,
        change=lambda: bucket.put("in/c.csv", "4\n"),
        vanish=lambda: bucket.delete("in/a.csv", "in/b.csv"),
        secrets=(SECRET,),
        batched=lambda: bucket.source(tmp_path, header=False, batch_files=1),
    )


def read(source, cursor=None, mode=Mode.OVERWRITE):
    """Names and contents of what is read, and the cursor."""
    with source.open(cursor, mode) as opened:
        if isinstance(opened, Unchanged):
            return {}, cursor
        found = {path.name: path.read_bytes().decode() for path in opened.scan.paths}
        return found, json.loads(json.dumps(opened.watermark()))


def settled(cursor, source):
    """The cursor as it would be had the objects not been written a moment ago."""
    with source.place.opened() as place:
        times = {remote.name: remote.mtime_ns for remote in place.found(None, None)}
    return {**cursor, "files": [{**mark, "mtime_ns": times[mark["path"]]} for mark in cursor["files"]]}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("in/*.csv", ["[1].csv", "a.csv", "é b+c%20.csv"]),
        ("in/a.csv", ["a.csv"]),
        ("in/[[]1].csv", ["[1].csv"]),
        ("in/?.csv", ["a.csv"]),
        ("in/**/*.csv", ["[1].csv", "a.csv", "c.csv", "d.csv", "é b+c%20.csv"]),
        ("in/deep/*/*.csv", ["d.csv"]),
        ("*/deep/c.csv", ["c.csv"]),
        ("**/d.csv", ["d.csv"]),
    ],
)
def test_a_pattern_means_in_a_bucket_what_it_means_in_a_folder(bucket, tmp_path, pattern, found):
    keys = ("a.csv", "[1].csv", "é b+c%20.csv", ".hidden.csv", "a.txt", "deep/c.csv", "deep/er/d.csv")
    for key in keys:
        bucket.put(f"in/{key}", "x\n1\n")
        (tmp_path / "in" / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / key).write_text("x\n1\n")
    local = create({"kind": "files", "path": pattern}, base=tmp_path)

    with local.open(None, Mode.OVERWRITE) as opened:
        locally = sorted(path.name for path in opened.scan.paths)
    assert sorted(read(bucket.source(tmp_path, pattern))[0]) == sorted(found)
    assert set(found) == {name for name in locally if not name.startswith(".")}


def test_thousands_of_objects_are_listed_page_by_page(bucket, tmp_path):
    for index in range(1_203):
        bucket.put(f"in/{index:04d}.csv", "x\n")
    source = bucket.source(tmp_path)

    with source.place.opened() as place:
        found = place.found(None, None)
    assert len(found) == 1_203
    assert found[0].name == f"s3://{bucket.name}/in/0000.csv"


def test_append_reads_each_object_once_and_in_batches(bucket, tmp_path):
    for index in range(7):
        bucket.put(f"in/{index}.csv", f"x\n{index}\n")
    seen, cursor, more, batches = [], None, True, 0
    while more:
        with bucket.source(tmp_path, batch_files=3).open(cursor, Mode.APPEND) as opened:
            seen += [path.name for path in opened.scan.paths]
            cursor, more, batches = opened.watermark(), opened.more(), batches + 1

    assert seen == [f"{index}.csv" for index in range(7)]
    assert batches == 3
    assert isinstance(take(bucket.source(tmp_path), cursor, Mode.APPEND), Unchanged)


def test_an_object_that_was_deleted_stays_known(bucket, tmp_path):
    bucket.put("in/a.csv", "x\n1\n")
    bucket.put("in/b.csv", "x\n2\n")
    _found, cursor = read(bucket.source(tmp_path), None, Mode.APPEND)
    bucket.delete("in/a.csv")
    bucket.put("in/c.csv", "x\n3\n")

    found, cursor = read(bucket.source(tmp_path), cursor, Mode.APPEND)
    assert list(found) == ["c.csv"]
    bucket.put("in/a.csv", "x\n1\n")
    assert read(bucket.source(tmp_path), cursor, Mode.APPEND)[0] == {}


def test_an_object_written_again_with_the_same_bytes_is_the_same_and_another_is_refused(bucket, tmp_path):
    bucket.put("in/a.csv", "x\n1\n")
    _found, cursor = read(bucket.source(tmp_path), None, Mode.APPEND)
    time.sleep(1.1)  # the store counts in seconds
    bucket.put("in/a.csv", "x\n1\n")
    assert read(bucket.source(tmp_path), cursor, Mode.APPEND)[0] == {}

    bucket.put("in/a.csv", "x\n9\n")

    with pytest.raises(SourceChanged, match="another file now") as caught:
        read(bucket.source(tmp_path), cursor, Mode.APPEND)
    assert f"s3://{bucket.name}/in/a.csv" in str(caught.value)
    assert read(bucket.source(tmp_path), cursor, Mode.UPSERT)[0] == {"a.csv": "x\n9\n"}


def test_settled_objects_are_unchanged_without_being_fetched(bucket, tmp_path, monkeypatch):
    bucket.put("in/a.csv", "x\n1\n")
    source = bucket.source(tmp_path)
    _found, cursor = read(source)
    assert cursor["files"][0]["mtime_ns"] == 0
    monkeypatch.setattr(Objects, "fetch", lambda *_: pytest.fail("it was fetched"))

    for mode in Mode.APPEND, Mode.OVERWRITE, Mode.UPSERT:
        assert read(source, settled(cursor, source), mode)[0] == {}


def test_an_object_overwritten_between_listing_and_reading_is_refused(bucket, tmp_path, monkeypatch):
    bucket.put("in/a.csv", "x\n1\n")
    bucket.put("in/b.csv", "x\n1\n")
    whole = Objects.found

    def found(*args):
        listed = whole(*args)
        time.sleep(1.1)
        bucket.put("in/b.csv", "x\n2\n")
        return listed

    monkeypatch.setattr(Objects, "found", found)

    with pytest.raises(SourceChanged, match=r"in/b\.csv changed while"):
        read(bucket.source(tmp_path))


def test_an_object_deleted_between_listing_and_reading_is_refused(bucket, tmp_path, monkeypatch):
    bucket.put("in/a.csv", "x\n1\n")
    whole = Objects.found

    def found(*args):
        listed = whole(*args)
        bucket.delete("in/a.csv")
        return listed

    monkeypatch.setattr(Objects, "found", found)

    with pytest.raises(SourceChanged, match=r"in/a\.csv"):
        read(bucket.source(tmp_path))


def test_an_object_overwritten_while_it_is_read_is_refused(bucket, tmp_path, monkeypatch):
    bucket.put("in/a.csv", "x\n" + "1\n" * 3_000_000)
    source = bucket.source(tmp_path)

    class Slow:
        """A filesystem that lets somebody else write after the first block."""

        def __init__(self, inner):
            self.inner, self.written = inner, False

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def open_input_stream(self, key, compression):
            if self.written:
                return self.inner.open_input_stream(key, compression=compression)
            self.written = True
            stream = self.inner.open_input_stream(key, compression=compression)
            bucket.put("in/a.csv", "x\n" + "2\n" * 3_000_000)  # in the same second, as long as before
            return stream

    opened = type(source.place).opened

    def slowly(place):
        import contextlib

        @contextlib.contextmanager
        def inner():
            with opened(place) as real:
                yield Objects(Slow(real.filesystem), real.scheme, real.pattern)

        return inner()

    monkeypatch.setattr(type(source.place), "opened", slowly)

    with pytest.raises(SourceChanged, match="changed while it was read"):
        read(source)


def test_nothing_stays_behind(bucket, tmp_path):
    staging = tmp_path / ".lastro" / "staging"
    staging.mkdir(parents=True)
    bucket.put("in/a.csv", "x\n1\n")

    with bucket.source(tmp_path).open(None, Mode.OVERWRITE) as opened:
        (path,) = opened.scan.paths
        assert path.is_relative_to(staging)
        assert path.parents[len(path.relative_to(staging).parts) - 2].stat().st_mode & 0o777 == 0o700
    assert list(staging.iterdir()) == []
    with pytest.raises(RuntimeError), bucket.source(tmp_path).open(None, Mode.OVERWRITE):
        raise RuntimeError
    assert list(staging.iterdir()) == []


def test_what_does_not_fit_is_refused_before_it_is_fetched(bucket, tmp_path, monkeypatch):
    for name in "ab":
        bucket.put(f"in/{name}.csv", "x\n1234567\n")
    monkeypatch.setattr(Objects, "fetch", lambda *_: pytest.fail("it was fetched"))

    with pytest.raises(LimitExceeded, match="20 bytes have to be fetched") as caught:
        read(bucket.source(tmp_path, spool_bytes_max=15))
    assert "append" in caught.value.do


def test_a_missing_bucket_and_an_empty_one_are_unreachable(bucket, tmp_path):
    options = bucket.options("in/*.csv")

    for path, says in (
        (f"s3://{bucket.name}/none/*.csv", "no object matches"),
        (f"s3://{bucket.name}/none.csv", "no object matches"),
        ("s3://nobody-has-this/in/*.csv", "bucket is not there"),
        ("s3://nobody-has-this/in/a.csv", "bucket is not there"),
    ):
        with pytest.raises(SourceUnreachable, match=says) as caught:
            read(create({**options, "path": path}, base=tmp_path))
        assert caught.value.do
        assert SECRET not in str(caught.value)


def test_a_store_that_is_not_there_is_unreachable(bucket, tmp_path):
    with pytest.raises(SourceUnreachable, match="cannot be reached"):
        read(bucket.source(tmp_path, endpoint="http://127.0.0.1:1"))


def test_an_endpoint_in_the_own_network_must_be_allowed(bucket, tmp_path):
    with pytest.raises(SourceUnreachable, match="not a public one") as caught:
        read(bucket.source(tmp_path, allow_hosts=[]))
    assert "allow_hosts" in caught.value.do


LISTED = """<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix>in/</Prefix><KeyCount>1</KeyCount>
<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><Contents><Key>in/a.csv</Key>
<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"e"</ETag><Size>{size}</Size></Contents></ListBucketResult>"""


def lying(*, listed, headed, sent):
    """A store that lists one size, tells another when asked, and sends a third."""

    def answer(asked):
        if "list-type" in asked.parameters:
            return Reply(LISTED.format(size=listed).encode(), 200, {"Content-Type": "application/xml"})
        head = f'Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: "e"\r\nContent-Length: {headed}\r\n'
        return Reply(raw=f"HTTP/1.1 206 OK\r\n{head}Connection: close\r\n\r\n".encode() + b"x\n" * (sent // 2))

    def head(self):
        self.wfile.write(
            b'HTTP/1.1 200 OK\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: "e"\r\n'
            + f"Content-Length: {headed}\r\nConnection: close\r\n\r\n".encode()
        )
        self.close_connection = True

    server = Misbehaving(answer)
    server.server.RequestHandlerClass.do_HEAD = head
    return server


@pytest.mark.parametrize(
    ("listed", "headed", "sent"),
    [(100, 100, 40), (100, 40, 40), (40, 100, 100), (100, 100, 0)],
    ids=["truncated", "shorter than listed", "longer than listed", "empty"],
)
def test_a_truncated_object_and_a_lying_size_are_refused(bucket, tmp_path, listed, headed, sent):
    server = lying(listed=listed, headed=headed, sent=sent)
    try:
        source = create({**bucket.options("*"), "path": "s3://bbb/in/*.csv", "endpoint": server.url("")}, base=tmp_path)
        with pytest.raises(SourceError) as caught:
            read(source)
    finally:
        server.close()
    assert "s3://bbb/in/a.csv" in str(caught.value)
    assert caught.value.do


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (403, "AccessDenied", "access is denied"),
        (403, "InvalidAccessKeyId", "access is denied"),
        (403, "SignatureDoesNotMatch", "access is denied"),
        (301, "PermanentRedirect", "another region"),
        (400, "AuthorizationHeaderMalformed", "another region"),
        (503, "SlowDown", "the store"),
    ],
)
def test_a_store_that_refuses_is_told_in_our_words(bucket, tmp_path, status, code, says):
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no {SECRET}; the region is wrong</Message></Error>"
    if code == "AccessDenied":
        text = text.replace("; the region is wrong", "")
    server = Misbehaving(lambda asked: Reply(text.encode(), status, {"Content-Type": "application/xml"}))
    try:
        with pytest.raises(SourceUnreachable, match=says) as caught:
            read(bucket.source(tmp_path, endpoint=server.url("")))
    finally:
        server.close()
    assert SECRET not in str(caught.value)


INGEST = """
import sys
import lastro
print(lastro.open(sys.argv[1]).dataset("loans").ingest(mode="append").to_dict()["counts"], flush=True)
"""


def test_a_kill_in_the_middle_of_fetching_loses_and_doubles_nothing(bucket, tmp_path):
    import lastro

    for index in range(4):
        rows = "".join(f"{index * 1_000_000 + row},{'x' * 60}\n" for row in range(100_000))
        bucket.put(f"in/{index}.csv", "id,text\n" + rows)
    lake = tmp_path / "lake"
    options = bucket.options("in/*.csv")
    workspace = lastro.init(lake)
    workspace.add(options["path"], name="loans", mode="append", options=options)
    staging = lake / ".lastro" / "staging"
    killed = 0
    for delay in (0.0, 0.02):
        child = subprocess.Popen([sys.executable, "-c", INGEST, str(lake)], stdout=subprocess.PIPE)
        before = set(staging.iterdir())
        while child.poll() is None and not [
            path for path in staging.glob("engine-*/fetched/**/*.csv") if path.stat().st_size
        ]:
            time.sleep(0.002)
        time.sleep(delay)
        killed += child.poll() is None
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        del before

    done = subprocess.run([sys.executable, "-c", INGEST, str(lake)], capture_output=True, text=True, check=True)

    assert killed == 2
    assert "400000" in done.stdout
    table = lastro.open(lake).version("loans").to_arrow()
    assert table.num_rows == len(set(table.column("id").to_pylist())) == 400_000
    lastro.open(lake).engine()  # who makes an engine next sweeps
    assert not list(staging.glob("engine-*/fetched"))


# The other stores: options and errors; the listing through the same interface, over a folder.


@pytest.mark.parametrize("scheme", ["gs", "az"])
def test_other_stores_are_listed_and_fetched_through_the_same_interface(tmp_path, scheme):
    from contextlib import contextmanager

    from pyarrow import fs

    root = tmp_path / "store"
    for key in ("bucket/in/a.csv", "bucket/in/deep/b.csv"):
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_text("x\n1\n")

    class Place:
        @contextmanager
        def opened(self):
            yield Objects(fs.SubTreeFileSystem(str(root), fs.LocalFileSystem()), scheme, "bucket/in/**/*.csv")

    given = FilesOptions(kind="files", path=f"{scheme}://bucket/in/**/*.csv")
    source = RemoteFiles(given.path, tmp_path, format_of(given), Place(), bounds=Bounds())

    found, cursor = read(source)

    assert found == {"a.csv": "x\n1\n", "b.csv": "x\n1\n"}
    assert [mark["path"] for mark in cursor["files"]] == [
        f"{scheme}://bucket/in/a.csv",
        f"{scheme}://bucket/in/deep/b.csv",
    ]
    assert read(source, cursor)[0] == {}


@pytest.mark.parametrize(
    ("path", "options", "says"),
    [
        ("s3://bucket", {}, "a bucket and what is in it"),
        ("s3://bucket/", {}, "a bucket and what is in it"),
        ("s3://*/a.csv", {}, "a bucket and what is in it"),
        ("s3://bucket/a//b.csv", {}, "no part may be empty"),
        ("s3://bucket/../b.csv", {}, "no part may be empty"),
        ("s3://bucket/a.csv", {"secret_key": "hunter2"}, "written out"),
        ("s3://bucket/a.csv", {"secret_key": "${A}"}, "belong together"),
        ("s3://bucket/a.csv", {"access_key": "a", "secret_key": "${A}", "anonymous": True}, "more than one way"),
        ("s3://bucket/a.csv", {"regoin": "x"}, "did you mean 'region'"),
        ("s3://bucket/a.csv", {"account": "x"}, "not an option"),
        ("s3://bucket/a.data", {}, "does not tell its format"),
        ("gs://bucket/a.csv", {"token": "hunter2"}, "written out"),
        ("gs://bucket/a.csv", {"region": "x"}, "not an option"),
        ("az://container/a.csv", {}, "which storage account"),
        ("az://container/a.csv", {"account": "me", "account_key": "hunter2"}, "written out"),
        ("az://container/a.csv", {"account": "me", "account_key": "${A}", "sas_token": "${B}"}, "more than one way"),
        ("az://container/a.csv", {"account": "me", "client": "c"}, "belong together"),
        ("https://host/a.csv", {"headers": {"Authorization": "hunter2"}}, "written out"),
        ("https://host/a.csv?token=hunter2", {}, "written out"),
        ("https://host/in/", {"files": ["a.csv", "a.csv"]}, "named twice"),
        ("https://host/in/", {"files": ["file:///etc/passwd.csv"]}, "names or URLs of HTTP"),
        ("https://host/in/", {}, "does not tell its format"),
    ],
)
def test_a_wrong_option_is_refused_with_its_repair(tmp_path, path, options, says):
    with pytest.raises(ConfigurationError) as caught:
        create({"kind": "files", "path": path, **options}, base=tmp_path)
    assert says in str(caught.value)
    assert caught.value.do
    assert "hunter2" not in str(caught.value)


def test_endpoints_are_urls_of_hosts(tmp_path, monkeypatch):
    for endpoint in ("127.0.0.1:9000", "ftp://x", "http://user:pw@x", "http://x/path"):
        source = create({"kind": "files", "path": "s3://bucket/a.csv", "endpoint": endpoint}, base=tmp_path)
        with pytest.raises(ConfigurationError, match="endpoint"):
            read(source)


def test_azure_names_the_account_in_its_own_url(tmp_path):
    source = create({"kind": "files", "path": "abfss://box@acme.dfs.core.windows.net/in/*.parquet"}, base=tmp_path)

    assert source.place.given.account == "acme"
    assert source.place.pattern == "box/in/*.parquet"
    assert source.label == "abfss://box@acme.dfs.core.windows.net/in/*.parquet"


@pytest.mark.parametrize("path", ["gs://bucket/in/*.csv", "az://box/in/*.csv"])
def test_other_stores_that_are_not_there_are_unreachable(tmp_path, path, monkeypatch):
    monkeypatch.setenv("STORE_SECRET", "aGVsbG8=")
    account = {"account": "me", "account_key": "${STORE_SECRET}"} if path.startswith("az") else {"anonymous": True}
    more = {"endpoint": "http://127.0.0.1:1", "allow_hosts": ["127.0.0.1"], "retries": 0}

    with pytest.raises(SourceUnreachable) as caught:
        read(create({"kind": "files", "path": path, **account, **more}, base=tmp_path))
    assert caught.value.do


@pytest.mark.parametrize(
    ("location", "options"),
    [
        ("s3://bucket/in/*.parquet", {"kind": "files", "path": "s3://bucket/in/*.parquet"}),
        ("gs://bucket/in/x.csv.gz", {"kind": "files", "path": "gs://bucket/in/x.csv.gz"}),
        ("https://host/x.csv?year=2026", {"kind": "files", "path": "https://host/x.csv?year=2026"}),
        ("https://host/x.json", {"kind": "http", "url": "https://host/x.json"}),
    ],
)
def test_what_a_location_means(location, options):
    assert guess(location) == options


# HTTP


def web(server, tmp_path, path="/in/a.csv", **options):
    given = {"kind": "files", "path": server.url(path), "allow_hosts": ["127.0.0.1"], "retries": 0, **options}
    return create(given, base=tmp_path)


@pytest.fixture
def site():
    contents = {"/in/a.csv": b"x\n1\n", "/in/b.csv": b"x\n2\n"}

    def answer(asked):
        if asked.path not in contents:
            return Reply(b"<html>no</html>", 404, {"Content-Type": "text/html"})
        body = contents[asked.path]
        tag = f'"{hash(body)}"'
        if asked.headers.get("if-none-match") == tag:
            return Reply(b"", 304, {"ETag": tag})
        return Reply(body, 200, {"Content-Type": "text/csv", "ETag": tag})

    server = Misbehaving(answer)
    server.contents = contents
    yield server
    server.close()


def test_a_file_behind_a_url_is_read_and_not_fetched_again_while_it_is_the_same(site, tmp_path):
    found, cursor = read(web(site, tmp_path))

    assert found == {"a.csv": "x\n1\n"}
    for mode in Mode.APPEND, Mode.OVERWRITE, Mode.UPSERT:
        assert read(web(site, tmp_path), cursor, mode)[0] == {}
    assert [asked.headers.get("if-none-match") is not None for asked in site.asked] == [False, True, True, True]


def test_of_several_urls_those_that_changed_are_known(site, tmp_path):
    several = {"path": "/in/", "files": ["a.csv", "b.csv"]}
    found, cursor = read(web(site, tmp_path, **several), None, Mode.APPEND)
    assert list(found) == ["a.csv", "b.csv"]
    site.contents["/in/b.csv"] = b"x\n3\n"

    with pytest.raises(SourceChanged, match=r"in/b\.csv was ingested before"):
        read(web(site, tmp_path, **several), cursor, Mode.APPEND)
    found, _cursor = read(web(site, tmp_path, **several), cursor, Mode.OVERWRITE)
    assert found == {"a.csv": "x\n1\n", "b.csv": "x\n3\n"}


def test_a_server_without_tags_is_compared_by_digest(tmp_path):
    server = Misbehaving(lambda _asked: Reply(b"x\n1\n", 200, {"Content-Type": "text/csv"}))
    try:
        _found, cursor = read(web(server, tmp_path))

        assert read(web(server, tmp_path), cursor)[0] == {}
    finally:
        server.close()


def test_the_secret_of_a_header_is_sent_and_never_shown(site, tmp_path, monkeypatch):
    monkeypatch.setenv("WEB_TOKEN", SECRET)
    source = web(site, tmp_path, headers={"Authorization": "Bearer ${WEB_TOKEN}"})

    _found, cursor = read(source)

    assert site.asked[0].headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in f"{source!r} {cursor}"


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        (Reply(b"x\n1\n", 404, {}), SourceUnreachable, "answered 404"),
        (Reply(b"x\n1\n", 403, {}), SourceUnreachable, "answered 403"),
        (Reply(b"x\n1\n", 500, {}), SourceUnreachable, "answered 500"),
        (Reply(b"", 204, {}), SourceBroken, "no file"),
        (Reply(b"<html>", 200, {"Content-Type": "text/html; charset=utf-8"}), SourceBroken, "web page"),
        (Reply(b"x\n1\n" * 100, 200, {}, cut=40), SourceUnreachable, "broke off"),
        (Reply(b"x" * 5000, 200, {}), LimitExceeded, "larger than"),
        (Reply(b"junk", 200, {"Content-Encoding": "gzip"}), SourceBroken, "damaged"),
        (Reply(b"", 302, {"Location": "file:///etc/passwd"}), SourceBroken, "redirects"),
        (Reply(b"", 302, {"Location": "http://169.254.169.254/x.csv"}), SourceUnreachable, "not a public one"),
    ],
)
def test_a_server_that_misbehaves_is_refused(tmp_path, reply, error, says):
    server = Misbehaving(lambda _asked: reply)
    try:
        with pytest.raises(error, match=says) as caught:
            read(web(server, tmp_path, spool_bytes_max=1000))
    finally:
        server.close()
    assert caught.value.do or caught.value.where


def test_a_body_that_broke_off_is_taken_from_the_start_again(tmp_path):
    body = b"x\n" + b"1\n" * 50
    server = Misbehaving(lambda asked: Reply(body, 200, {}, cut=31 if asked.number == 0 else None))
    try:
        found, _cursor = read(web(server, tmp_path, retries=1))
    finally:
        server.close()
    assert found == {"a.csv": body.decode()}


def test_an_engine_reads_what_was_fetched_and_names_the_object(bucket, tmp_path):
    from lastro.engine.registry import create as create_engine

    engine = create_engine("duckdb", memory_mb=256, threads=1, temp=None)
    bucket.put("in/a.csv.gz", gzip.compress(b"x\n1\n"))
    with bucket.source(tmp_path, "in/*.csv.gz").open(None, Mode.OVERWRITE) as opened:
        assert [sample.column.name for sample in engine.sample(opened.scan)] == ["x"]
    bucket.put("in/b.csv.gz", gzip.compress(b"x\n1\n")[:-6])

    with pytest.raises(SourceBroken) as caught:  # noqa: SIM117 - the context itself raises
        with bucket.source(tmp_path, "in/*.csv.gz").open(None, Mode.OVERWRITE) as opened:
            engine.sample(opened.scan)
    assert f"s3://{bucket.name}/in/b.csv.gz" in caught.value.where
    assert str(tmp_path) not in str(caught.value)


def test_odd_names_stay_in_the_folder(bucket, tmp_path):
    from lastro.source.files.remote import Spool

    spool = Spool(tmp_path / "spool", None, 1)
    names = [
        "s3://b/../../x.csv",
        "s3://b/./x.csv",
        "s3://b//x.csv",
        "s3://b/a\nb.csv",
        f"s3://b/{'é' * 400}.csv",
        "s3://b/x\0",
    ]

    paths = [spool.path(name) for name in [*names, *names]]

    assert paths[: len(names)] == paths[len(names) :]
    assert len(set(paths)) == len(names)
    for path in paths:
        assert Path(os.path.normpath(path)).is_relative_to(tmp_path / "spool")
        assert len(path.name.encode()) < 250
    assert paths[4].suffix == ".csv"
