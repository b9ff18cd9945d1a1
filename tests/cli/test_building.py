"""`build` and `why` as a person or another program calls them."""

from __future__ import annotations

import pytest
from tests.workspace.lake import GOOD, Lake

BY_STATE = "SELECT uf, count(*) AS n FROM loans GROUP BY uf ORDER BY uf"


@pytest.fixture
def lake(tmp_path):
    lake = Lake(tmp_path)
    lake.csv.write_text(GOOD)
    lake.configure()
    folder = tmp_path / "transforms"
    folder.mkdir()
    (folder / "by_state.sql").write_text(BY_STATE)
    (folder / "top.sql").write_text("SELECT uf FROM by_state")
    return lake


def test_build_makes_what_is_derived_and_ends_with_0(lake, lastro):
    lastro("ingest")

    ended, again = lastro("build"), lastro("build", "--json")

    assert ended.code == 0
    assert ended.last == "2 datasets: 2 with a new version, 0 unchanged, 0 failed. next: lastro log"
    assert again.json["schema"] == "lastro.build/1"
    assert [(one["dataset"], one["outcome"]) for one in again.json["steps"]] == [
        ("by_state", "unchanged"),
        ("top", "unchanged"),
    ]


def test_ingest_without_names_leaves_out_what_is_derived(lake, lastro):
    ended = lastro("ingest", "--json")

    assert ended.code == 0
    assert [one["dataset"] for one in ended.json["results"]] == ["loans"]


def test_a_failure_ends_with_the_code_of_the_first_one_and_names_what_was_skipped(lake, lastro):
    lastro("ingest")
    (lake.root / "transforms" / "by_state.sql").write_text("SELECT nope FROM loans")
    (lake.root / "transforms" / "worse.py").write_text("def worse(loans):\n    raise ValueError('Maria')\n")

    ended = lastro("build")

    assert ended.code == 2
    assert "the SELECT uses the column 'nope', which does not exist" in ended.out
    assert "transforms/worse.py, line 2" in ended.out
    assert "top: skipped, since by_state was not built" in ended.out
    assert ended.last.endswith("2 failed, 1 skipped. next: lastro why by_state")
    assert "Maria" not in ended.out + ended.err


def test_a_plan_says_why_and_does_nothing(lake, lastro):
    lastro("ingest")

    ended = lastro("build", "--plan")
    found = lastro("build", "--plan", "--json").json

    assert ended.code == 0
    assert "by_state is stale itself, and is built first" in ended.out
    assert ended.last == "2 datasets, 2 to be built. next: lastro build"
    assert found["schema"] == "lastro.build.plan/1"
    assert [one["stale"] for one in found["steps"]] == [True, True]
    assert not (lake.root / "contracts" / "by_state.odcs.yaml").exists()


def test_why_names_what_changed(lake, lastro):
    lastro("ingest")
    lastro("build")
    fresh = lastro("why", "by_state")
    (lake.root / "transforms" / "by_state.sql").write_text(BY_STATE + " DESC")
    lake.csv.write_text(GOOD + "4,SP,1,2026-01-04\n")
    lastro("ingest")

    ended, found = lastro("why", "by_state"), lastro("why", "by_state", "--json").json

    assert fresh.last == "by_state is up to date, at version 0. next: lastro log by_state"
    assert "the upstream loans: loans@0 → loans@1" in ended.out
    assert ended.last == "by_state is stale: code, loans. next: lastro build by_state"
    assert found["schema"] == "lastro.why/1"
    assert [change["part"] for change in found["changes"]] == ["code", "upstream"]


def test_a_fault_is_told_with_its_repair(lake, lastro):
    (lake.root / "transforms" / "by_state.sql").write_text("SELECT * FROM lones")

    ended = lastro("why", "by_state")

    assert ended.code == 2
    assert "did you mean loans?" in ended.out
    assert ended.last.startswith("by_state cannot be built: there is no dataset lones to derive from. next: ")
    assert "lastro build" not in ended.last


def test_what_is_not_derived_has_no_reason(lake, lastro):
    assert lastro("why", "loans").code == 2
    assert lastro("why", "nobody").code == 2


@pytest.fixture
def by_day(lake, lastro):
    """A step that is made day by day, of loans of the first three days of 2026."""
    for path in (lake.root / "transforms").iterdir():
        path.unlink()
    (lake.root / "transforms" / "by_day.sql").write_text(
        "SELECT applied_at AS day, id FROM loans WHERE applied_at >= $start AND applied_at < $end"
    )
    lake.configure(extra="  by_day:\n    interval: {column: day, every: 1d}\n")
    lastro("ingest")
    return lake


def test_intervals_are_planned_made_and_told(by_day, lastro):
    asked = ("build", "by_day", "--from", "2026-01-01", "--to", "2026-01-03")

    unasked = lastro("build")
    plan, ended, again = lastro(*asked, "--plan"), lastro(*asked), lastro(*asked)
    versions = lastro("log", "by_day", "--json").json["versions"]

    assert unasked.code == 2
    assert "nothing says where the first interval begins" in unasked.out
    assert "to be made: 2 intervals (2026-01-01 – 2026-01-03)" in plan.out
    assert plan.last == "1 dataset, 1 to be built. next: lastro build by_day --from 2026-01-01 --to 2026-01-03"
    assert (ended.code, again.code) == (0, 0)
    assert "0 with a new version, 1 unchanged" in again.last
    assert [one["interval"]["start"][:10] for one in versions] == ["2026-01-02", "2026-01-01"]


def test_outdated_intervals_are_told_by_why(by_day, lastro):
    lastro("build", "by_day", "--from", "2026-01-01", "--to", "2026-01-03")
    path = by_day.root / "transforms" / "by_day.sql"
    path.write_text(path.read_text() + " -- again")

    ended, found = lastro("why", "by_day"), lastro("why", "by_day", "--json").json
    status = lastro("status")

    assert "outdated: 2 intervals (2026-01-01 – 2026-01-03); lastro build by_day --all makes them anew" in ended.out
    assert found["intervals"]["outdated"]["count"] == 2
    assert found["intervals"]["make"]["spans"][0]["start"] == "2026-01-03"
    assert found["stale"]
    assert " intervals" in status.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["by_day", "--from", "2026-01-01T00:00-03:00"], "is not in UTC, and intervals are"),
        (["by_day", "--from", "2026-02-30"], "is no date or moment"),
        (["by_day", "--to", "2026-01-03"], "a span that ends must begin somewhere"),
        (["by_day", "--from", "2026-01-03", "--to", "2026-01-01"], "no interval begins at or after 2026-01-03"),
        (["by_day", "--from", "2026-01-01", "--all"], "either a span is made or everything"),
        (["--all"], "intervals are asked for, but of no dataset"),
    ],
)
def test_spans_that_are_none_end_with_2(by_day, lastro, options, words):
    ended = lastro("build", *options)

    assert ended.code == 2
    assert words in ended.out + ended.err


def test_nothing_to_build(lake, lastro):
    for path in (lake.root / "transforms").iterdir():
        path.unlink()

    ended = lastro("build")

    assert ended.code == 0
    assert ended.last.startswith("there is nothing to build: transforms/ has no file")


def test_run_builds_and_status_names_what_is_stale(lake, lastro):
    ended = lastro("run")
    before = lastro("status").out
    (lake.root / "transforms" / "by_state.sql").write_text(BY_STATE + " DESC")
    after = lastro("status")

    assert ended.code == 0
    assert ended.last.startswith("3 datasets: 3 with a new version")
    assert "stale" not in before
    assert "by_state is stale: code" in after.out
    assert after.last == "stale: by_state, top (3 datasets, 0 late). next: lastro build"
