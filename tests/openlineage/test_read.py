"""Events of others: taken as they are well formed, and nothing else of what a file may hold."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lastro.model.errors import UsageError
from lastro.model.foreign import ForeignDataset, ForeignEvent, ForeignJob
from lastro.openlineage import read
from lastro.openlineage.event import Job, State, Told, Work, event
from lastro.openlineage.read import Counts, events

RUN = "0196d5e0-0000-7000-8000-000000000001"
NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)
PLAIN: dict[str, Any] = {
    "eventType": "COMPLETE",
    "eventTime": "2026-01-31T10:00:00+02:00",
    "run": {"runId": RUN, "facets": {"spark": {"x": [1, 2, {"y": "free text"}]}}},
    "job": {"namespace": "airflow", "name": "dag.task", "facets": {}},
    "inputs": [
        {"namespace": "postgres://core:5432", "name": "core.loans"},
        {"namespace": "lastro://lake", "name": "by_uf", "facets": {"version": {"datasetVersion": "3"}}},
    ],
    "outputs": [{"namespace": "s3://lake", "name": "scores/2026"}],
    "producer": "https://github.com/apache/airflow",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
}
TAKEN = ForeignEvent(
    run=RUN,
    type="COMPLETE",
    moment=NOW,
    job=ForeignJob("airflow", "dag.task"),
    inputs=(ForeignDataset("postgres://core:5432", "core.loans"), ForeignDataset("lastro://lake", "by_uf", "3")),
    outputs=(ForeignDataset("s3://lake", "scores/2026"),),
)


def taken(path: Path) -> tuple[list[ForeignEvent], Counts]:
    counts = Counts()
    return list(events(path, namespace="lastro://lake", counts=counts)), counts


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "events.ndjson"
    path.write_bytes(content)
    return path


def line(**others: Any) -> bytes:
    return json.dumps({**PLAIN, **others}).encode()


@pytest.mark.parametrize(
    "content",
    [
        line() + b"\n",
        line(),
        b"\n\n" + line() + b"\r\n\n",
        json.dumps(PLAIN, indent=2).encode(),
        json.dumps([PLAIN]).encode(),
        json.dumps([PLAIN], indent=1).encode(),
        b"  [" + line() + b"]\n",
    ],
    ids=["line", "unended", "empty lines", "object", "list", "long list", "list in a line"],
)
def test_an_event_is_taken_however_the_file_is_written(content: bytes, tmp_path: Path) -> None:
    found, counts = taken(written(tmp_path, content))

    assert found == [TAKEN]
    assert (counts.taken, counts.skipped) == (1, 0)


def test_what_is_optional_may_be_missing(tmp_path: Path) -> None:
    plain = {key: value for key, value in PLAIN.items() if key not in {"eventType", "inputs", "outputs", "schemaURL"}}

    (found,), _counts = taken(written(tmp_path, json.dumps(plain).encode()))

    assert (found.type, found.inputs, found.outputs) == ("OTHER", (), ())


def test_a_moment_without_a_zone_is_in_utc(tmp_path: Path) -> None:
    plain = {key: value for key, value in PLAIN.items() if key != "producer"} | {"eventTime": "2026-01-31T08:00:00"}

    found, _counts = taken(written(tmp_path, json.dumps(plain).encode()))

    assert found == [TAKEN]


@pytest.mark.parametrize(
    ("version", "expected"),
    [("a1", "a1"), (3, "3"), (None, ""), ({"x": 1}, ""), ("\x1b", ""), ("x" * 201, ""), (True, "")],
)
def test_a_version_is_what_can_be_one(version: object, expected: str, tmp_path: Path) -> None:
    dataset = {"namespace": "a", "name": "b", "facets": {"version": {"datasetVersion": version}}}
    odd = {"namespace": "a", "name": "c", "facets": {"version": [1]}}

    (found,), _counts = taken(written(tmp_path, line(inputs=[dataset, odd])))

    assert [one.version for one in found.inputs] == [expected, ""]


BROKEN = {
    "no JSON": b"{broken",
    "no object": b"7",
    "no run": json.dumps({key: value for key, value in PLAIN.items() if key != "run"}).encode(),
    "a dataset event": json.dumps({"eventTime": "2026-01-31T10:00:00Z", "producer": "x", "dataset": {}}).encode(),
    "broken UTF-8": line().replace(b"dag.task", b"dag\xff\xfe"),
    "half a surrogate": line().replace(b"dag.task", b"dag\\ud800"),
    "an unknown type": line(eventType="DROP TABLE"),
    "no moment": line(eventTime="yesterday"),
    "year 0": line(eventTime="0000-01-01T00:00:00Z"),
    "control characters": line(job={"namespace": "a", "name": "\x1b[2J"}),
    "a line break in a name": line(inputs=[{"namespace": "a\nb", "name": "c"}]),
    "a turned text": line(outputs=[{"namespace": "a", "name": "b\u202ec"}]),
    "an empty name": line(inputs=[{"namespace": "a", "name": ""}]),
    "a long name": line(inputs=[{"namespace": "a", "name": "x" * 2001}]),
    "a long run": line(run={"runId": "x" * 201}),
    "many datasets": line(inputs=[{"namespace": "a", "name": str(n)} for n in range(read.DATASETS_MAX + 1)]),
    "a deep facet": line(run={"runId": RUN, "facets": 0}).replace(
        b": 0}", b": " + b"[" * 100_000 + b"]" * 100_000 + b"}"
    ),
    "a name that is a number": line(job={"namespace": 1, "name": 2}),
    "a NUL": b"\x00" * 50,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_what_is_not_well_formed_is_skipped_and_counted(content: bytes, tmp_path: Path) -> None:
    found, counts = taken(written(tmp_path, content + b"\n" + line() + b"\n" + content + b"\n"))

    assert found == [TAKEN]
    assert (counts.taken, counts.skipped) == (1, 2)


@pytest.mark.parametrize("content", [*BROKEN.values(), b"", b"\n", b"[]", b"{}", b"[1,2,3]"])
def test_a_file_without_an_event_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run event"):
        taken(written(tmp_path, content))


def test_a_line_that_is_too_long_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "LINE_BYTES_MAX", 5_000)
    long = line(job={"namespace": "a", "name": "b", "facets": {"x": "y" * 20_000}})

    found, counts = taken(written(tmp_path, line() + b"\n" + long + b"\n" + line(eventType="START")))

    assert [each.type for each in found] == ["COMPLETE", "START"]
    assert counts.skipped == 1


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = written(tmp_path, line())
    os.truncate(path, read.FILE_BYTES_MAX + 1)
    began = time.monotonic()

    with pytest.raises(UsageError, match="too large"):
        taken(path)
    assert time.monotonic() - began < 1


def test_a_list_of_very_many_members_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "COMMAS_MAX", 1_000)

    with pytest.raises(UsageError, match="no run event"):
        taken(written(tmp_path, b"[" + b"1," * 5_000 + line() + b"]"))


@pytest.mark.parametrize("kind", ["folder", "pipe", "nothing"])
def test_what_is_no_file_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "nothing": lambda: None}[kind]()

    with pytest.raises(UsageError):
        taken(path)


def test_the_workspaces_own_events_are_left_out(tmp_path: Path) -> None:
    mine = event(Job("lastro://lake", Work.INGEST, "loans", "a.csv"), RUN, Told(State.START, NOW))
    others = event(Job("lastro://another", Work.INGEST, "loans", "a.csv"), RUN, Told(State.START, NOW))

    found, counts = taken(written(tmp_path, mine + b"\n" + others))

    assert [each.job.namespace for each in found] == ["lastro://another"]
    assert (counts.own, counts.taken) == (1, 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
def test_any_bytes_are_taken_skipped_or_refused(tmp_path: Path, content: bytes) -> None:
    found, counts = taken(written(tmp_path, line() + b"\n" + content))

    assert len(found) == counts.taken == 1
