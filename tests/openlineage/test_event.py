"""Events are as OpenLineage asks, whatever the names are."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.openlineage.facts import checked

from lastro.openlineage.event import Job, State, Told, Work, event, identity

NOW = datetime(2026, 1, 31, 10, tzinfo=UTC)
RUN = str(uuid.UUID(int=1))
JOB = Job(
    "lastro://lake", Work.BUILD, "by_uf", inputs=("loans@3 sha256:aa", "core.uf@0 sha256:bb"), engine=("duckdb", "2")
)


@pytest.mark.parametrize("state", State)
def test_every_state_is_an_event(state: State) -> None:
    found = checked(event(JOB, RUN, Told(state, NOW)))

    assert found["eventType"] == state.value
    assert found["job"]["name"] == "build.by_uf"
    assert [one["name"] for one in found["inputs"]] == ["loans", "core.uf"]
    assert [one["facets"]["version"]["datasetVersion"] for one in found["inputs"]] == ["3", "0"]
    assert ("errorMessage" in found["run"]["facets"]) == (state is State.FAIL)


def test_of_an_error_only_the_code_is_told() -> None:
    told = checked(event(JOB, RUN, Told(State.FAIL, NOW, code="LST-0101")))
    untold = checked(event(JOB, RUN, Told(State.FAIL, NOW)))

    assert told["run"]["facets"]["errorMessage"]["message"] == "LST-0101"
    assert untold["run"]["facets"]["errorMessage"]["message"] == "unexpected error"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("loans*.csv", ("lastro://lake", "loans*.csv")),
        ("s3://bucket/a/b.parquet", ("s3://bucket", "a/b.parquet")),
        ("https://api.example.com/v1", ("https://api.example.com", "v1")),
        ("https://api.example.com", ("lastro://lake", "https://api.example.com")),
        ("core.db#loans", ("lastro://lake", "core.db#loans")),
    ],
)
def test_a_source_has_a_namespace(source: str, expected: tuple[str, str]) -> None:
    assert identity(source, "lastro://lake") == expected


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_source_is_one_line_of_json(source: str) -> None:
    content = event(Job("n", Work.INGEST, "loans", source), RUN, Told(State.START, NOW))

    assert b"\n" not in content
    (only,) = checked(content)["inputs"]
    assert source in {only["name"], f"{only['namespace']}/{only['name']}"}


def test_half_a_surrogate_stops_nothing() -> None:
    found = checked(event(Job("n", Work.INGEST, "loans", "a\udcff.csv"), RUN, Told(State.START, NOW)))

    assert found["inputs"][0]["name"] == "a?.csv"


def test_the_facts_refuse_what_is_no_event() -> None:
    broken = json.loads(event(JOB, RUN, Told(State.START, NOW)))
    del broken["run"]["runId"]

    with pytest.raises(jsonschema.ValidationError):
        checked(json.dumps(broken))
