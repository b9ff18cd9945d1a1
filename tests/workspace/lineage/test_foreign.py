"""Lineage beyond the workspace: others' jobs stand around the workspace's own versions."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.workspace.lake import GOOD, Lake, told

import lastro
from lastro.model.errors import UsageError
from lastro.model.lineage import Kind, Presence
from lastro.report.drawing import to_svg

SPACE = "lastro://test"
NAMED = f"openlineage: {{namespace: '{SPACE}'}}\n"


@pytest.fixture
def made(lake: Lake) -> Lake:
    """Three loans in a workspace with a namespace."""
    lake.configure(extra=NAMED)
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    return lake


def event(job: str, *, run: str = "", state: str = "COMPLETE", when: datetime | None = None, **used: Any) -> str:
    moment = when or datetime.now(UTC)
    return json.dumps(
        {
            "eventType": state,
            "eventTime": moment.isoformat(),
            "run": {"runId": run or job},
            "job": {"namespace": "others", "name": job},
            "inputs": [dataset(*one) for one in used.get("inputs", ())],
            "outputs": [dataset(*one) for one in used.get("outputs", ())],
            "producer": "https://example.com",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        }
    )


def dataset(namespace: str, name: str, version: str = "") -> dict[str, Any]:
    facets = {"version": {"_producer": "x", "_schemaURL": "x", "datasetVersion": version}} if version else {}
    return {"namespace": namespace, "name": name, "facets": facets}


def take(lake: Lake, *lines: str) -> Any:
    path = lake.root / "others.ndjson"
    path.write_text("\n".join(lines))
    return lake.workspace.take_lineage(path)


def test_others_stand_on_both_sides(made: Lake) -> None:
    found = take(
        made,
        event("export", inputs=[("pg://core", "core.loans")], outputs=[(SPACE, "loans*.csv")]),
        event("load", outputs=[("pg://core", "core.loans")]),
        event("score", inputs=[(SPACE, "loans", "0")], outputs=[("s3://lake", "scores")]),
        event("publish", inputs=[("s3://lake", "scores")]),
    )

    lineage = made.workspace.lineage("loans")

    assert (found.new, found.known, found.datasets) == (4, 0, ("loans",))
    assert told(lineage) == [
        (1, "source:loans*.csv"),
        (2, "job:others export"),
        (3, "dataset:pg://core core.loans"),
        (4, "job:others load"),
    ]
    assert told(lineage, downstream=True) == [
        (1, "job:others score"),
        (2, "dataset:s3://lake scores"),
        (3, "job:others publish"),
    ]
    assert "core.loans" in to_svg(lineage)


def test_a_local_file_is_known_by_its_path(made: Lake) -> None:
    take(made, event("export", outputs=[("file", str(made.root / "loans*.csv"))]))

    assert (2, "job:others export") in told(made.workspace.lineage("loans"))


def test_the_version_is_the_one_they_say_or_the_newest_then(made: Lake) -> None:
    before = datetime.now(UTC)
    made.csv.write_text(GOOD + "4,SP,1,2026-01-05\n")
    made.loans.ingest()
    take(
        made,
        event("named", inputs=[(SPACE, "loans", "0")]),
        event("then", inputs=[(SPACE, "loans")], when=before),
        event("now", inputs=[(SPACE, "loans")], when=datetime.now(UTC) + timedelta(minutes=1)),
        event("never", inputs=[(SPACE, "loans", "77")]),
    )

    old, new = (told(made.workspace.lineage(f"loans@{number}"), downstream=True) for number in (0, 1))

    assert old == [(1, "job:others named"), (1, "job:others then")]
    assert new == [(1, "job:others now")]


def test_a_way_out_and_in_again_is_followed_back(made: Lake) -> None:
    (made.root / "scores.csv").write_text("id,score\n1,0.5\n")
    made.workspace.add("scores.csv", name="scores")
    made.workspace.dataset("scores").ingest()
    take(
        made,
        event("score", inputs=[(SPACE, "loans"), (SPACE, "loans", "9")], outputs=[(SPACE, "scores.csv")]),
    )

    found = made.workspace.lineage("scores")

    assert sorted(told(found)) == [
        (1, "source:scores.csv"),
        (2, "job:others score"),
        (3, "version:loans@0"),
        (3, "version:loans@9"),
        (4, "source:loans*.csv"),
    ]
    (gone,) = [node for node in found.nodes if node.presence is Presence.MISSING]
    assert gone.name == "loans@9"


def test_a_job_that_wrote_a_version_stands_above_it(made: Lake) -> None:
    now = datetime.now(UTC)
    made.csv.write_text(GOOD + "4,SP,1,2026-01-05\n")
    made.loans.ingest()
    take(
        made,
        event("nightly", inputs=[("pg://core", "core.loans")], outputs=[(SPACE, "loans")], when=now),
        event("score", inputs=[(SPACE, "loans", "0")], outputs=[(SPACE, "loans", "1")]),
    )

    old, new = made.workspace.lineage("loans@0"), made.workspace.lineage("loans@1")

    assert {(1, "job:others nightly"), (2, "dataset:pg://core core.loans")} <= set(told(old))
    assert told(old, downstream=True) == [(1, "job:others score"), (2, "version:loans@1")]
    assert (1, "job:others score") in told(new)
    assert (1, "job:others nightly") not in told(new)


def test_a_circle_ends(made: Lake) -> None:
    take(
        made,
        event("a", inputs=[(SPACE, "loans"), ("x", "two")], outputs=[("x", "one")]),
        event("b", inputs=[("x", "one")], outputs=[("x", "two"), (SPACE, "loans*.csv")]),
    )

    found = made.workspace.lineage("loans")

    assert {node.kind for node in found.nodes} == {Kind.VERSION, Kind.SOURCE, Kind.JOB, Kind.DATASET}
    assert to_svg(found).endswith("</svg>\n")


def test_told_again_nothing_changes(made: Lake) -> None:
    lines = [event("score", inputs=[(SPACE, "loans", "0")], when=datetime(2026, 1, 1, tzinfo=UTC))]
    first, again = take(made, *lines), take(made, *lines, "broken")

    assert (first.new, again.new, again.known, again.skipped) == (1, 0, 1, 1)


def test_a_rebuilt_catalogue_keeps_what_others_told(made: Lake) -> None:
    take(made, event("score", inputs=[(SPACE, "loans", "0")]))
    before = told(made.workspace.lineage("loans"), downstream=True)

    made.workspace.repair(apply=True, rebuild_catalog=True)

    assert told(lastro.open(made.root).lineage("loans"), downstream=True) == before == [(1, "job:others score")]


def test_another_namespace_is_another_dataset(made: Lake) -> None:
    take(made, event("score", inputs=[("lastro://elsewhere", "loans", "0")]))

    assert told(made.workspace.lineage("loans"), downstream=True) == []


def test_what_this_workspace_told_itself_is_not_taken(made: Lake) -> None:
    made.configure(extra=NAMED.replace("{", "{file: events.ndjson, "))
    made.csv.write_text(GOOD + "4,SP,1,2026-01-05\n")
    made.loans.ingest()

    found = made.workspace.take_lineage(made.root / "events.ndjson")

    assert (found.new, found.own) == (0, 2)


def test_a_file_that_is_none_leaves_all_as_it_was(made: Lake) -> None:
    path = Path(made.root) / "broken.json"
    path.write_bytes(b"\xff" * 100)

    with pytest.raises(UsageError):
        made.workspace.take_lineage(path)
    assert told(made.workspace.lineage("loans"), downstream=True) == []
