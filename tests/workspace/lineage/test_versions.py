"""Lineage: found in versions and runs as they are recorded, in both directions, and never endless."""

from __future__ import annotations

import shutil

import pytest
from tests.workspace.lake import GOOD, HEADER, Lake, told, write

import lastro
from lastro.model.errors import NameRefused, UnknownName, UsageError
from lastro.model.lineage import Presence
from lastro.workspace.lineage.versions import lineage

BY_STATE = "SELECT uf, count(*) AS n FROM loans GROUP BY uf ORDER BY uf"
SIZED = "SELECT l.id, b.n FROM loans AS l JOIN by_state AS b ON l.uf = b.uf ORDER BY l.id"


@pytest.fixture
def made(lake: Lake) -> Lake:
    """Three loans; `by_state` is made from them, `sized` from both."""
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    write(lake, by_state__sql=BY_STATE, sized__sql=SIZED)
    lake.workspace.build()
    return lake


def test_a_derived_version_leads_back_to_the_source(made: Lake) -> None:
    found = made.workspace.lineage("sized")

    assert sorted(told(found)) == [
        (1, "step:transforms/sized.sql"),
        (1, "version:by_state@0"),
        (1, "version:loans@0"),
        (2, "source:loans*.csv"),
        (2, "step:transforms/by_state.sql"),
        (2, "version:loans@0"),
    ]
    assert told(found, downstream=True) == []


def test_a_link_leads_to_the_right(made: Lake) -> None:
    found = made.workspace.lineage("sized")

    columns = found.columns()

    assert columns["version:sized@0"] == 0
    assert columns["source:loans*.csv"] == -3
    assert all(columns[link.upstream] < columns[link.downstream] for link in found.links)


def test_what_was_told_is_not_told_twice(made: Lake) -> None:
    places = list(made.workspace.lineage("sized").tree())

    assert [place.again for place in places if place.node.name == "loans@0"] == [False, True]


def test_downstream_are_datasets_and_runs(made: Lake) -> None:
    with made.workspace.run("train", inputs=["by_state@latest"]) as run:
        run.read("by_state")

    found = made.workspace.lineage("loans")

    assert sorted(told(found, downstream=True)) == [
        (1, "version:by_state@0"),
        (1, "version:sized@0"),
        (2, f"run:{run.id}"),
        (2, "version:sized@0"),
    ]


def test_the_id_of_a_run_is_told_as_what_it_is(made: Lake) -> None:
    with made.workspace.run("train", inputs=["by_state@latest"]) as run:
        run.read("by_state")

    for column in (None, "n"):
        with pytest.raises(UsageError, match="is a run") as caught:
            made.workspace.lineage(run.id, column=column)
        assert caught.value.do == "lastro lineage by_state@0"


def test_a_newer_version_is_used_by_nothing_until_a_build(made: Lake) -> None:
    made.csv.write_text(GOOD + "4,SP,1,2026-01-05\n")
    made.loans.ingest()
    before = told(made.workspace.lineage("loans"), downstream=True)
    made.workspace.build()

    after = told(made.workspace.lineage("loans"), downstream=True)

    assert before == []
    assert {name for _depth, name in after} == {"version:by_state@1", "version:sized@1"}
    assert told(made.workspace.lineage("loans@0"), downstream=True) == []


def test_what_a_run_wrote_leads_back_to_what_it_read(made: Lake) -> None:
    with made.workspace.run("again", inputs=["by_state@latest"]) as run:
        run.read("by_state")
        made.csv.write_text(GOOD + "4,SP,1,2026-01-05\n")
        made.loans.ingest()

    back = told(made.workspace.lineage("loans@1"))
    forth = told(made.workspace.lineage("by_state"), downstream=True)

    assert (1, f"run:{run.id}") in back
    assert (2, "version:by_state@0") in back
    assert (2, "version:loans@1") in forth


def test_appended_batches_are_all_sources(lake: Lake) -> None:
    lake.configure(mode="append")
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    (lake.root / "loans-2.csv").write_text(HEADER + "9,SP,1,2026-01-05\n")
    (lake.root / "lastro.yaml").write_text((lake.root / "lastro.yaml").read_text().replace("loans*.csv", "loans-2.csv"))
    lake.workspace = lastro.open(lake.root)
    lake.loans.ingest()

    found = lake.workspace.lineage("loans")

    assert {node.name for node in found.nodes} == {"loans@1", "loans*.csv", "loans-2.csv"}
    assert {node.name for node in lake.workspace.lineage("loans@0").nodes} == {"loans@0", "loans*.csv"}


def test_a_restored_version_is_made_of_what_it_restores(made: Lake) -> None:
    (made.root / "transforms" / "by_state.sql").write_text(BY_STATE.replace("ORDER BY uf", "ORDER BY n"))
    made.workspace = lastro.open(made.root)
    made.workspace.build("by_state")
    made.workspace.dataset("by_state").restore("0")

    found = made.workspace.lineage("by_state")

    assert found.start.name == "by_state@2"
    assert {name for _depth, name in told(found)} >= {"step:transforms/by_state.sql", "version:loans@0"}
    assert "version:by_state@0" not in {node.id for node in found.nodes}


def test_an_upstream_that_went_or_is_another_is_missing(made: Lake) -> None:
    shutil.rmtree(made.root / "tables" / "loans")
    gone = lastro.open(made.root).lineage("by_state")
    made.csv.write_text(HEADER + "1,SP,1,2026-01-05\n")
    made.workspace = lastro.open(made.root)
    made.loans.ingest()

    another = made.workspace.lineage("by_state")

    for found in (gone, another):
        (node,) = [node for node in found.nodes if node.name == "loans@0"]
        assert node.presence is Presence.MISSING
    assert told(made.workspace.lineage("loans"), downstream=True) == []


def test_no_more_is_collected_than_asked(made: Lake) -> None:
    found = lineage(made.workspace, "sized", nodes_max=3)

    ids = {node.id for node in found.nodes}

    assert (len(found.nodes), found.cut) == (3, True)
    assert all({link.upstream, link.downstream} <= ids for link in found.links)


@pytest.mark.parametrize(
    ("reference", "error"), [("nothing", UnknownName), ("loans@9", UnknownName), ("../x", NameRefused)]
)
def test_what_is_not_there_is_an_error(reference: str, error: type[Exception], made: Lake) -> None:
    with pytest.raises(error):
        made.workspace.lineage(reference)


def test_asking_twice_gives_the_same(made: Lake) -> None:
    first, again = made.workspace.lineage("sized"), lastro.open(made.root).lineage("sized")

    assert first == again
