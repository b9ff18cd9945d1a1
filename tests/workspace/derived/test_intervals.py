"""Derived datasets made by intervals: only what was asked for is touched, and each interval is made once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.workspace.lake import HEADER, Lake

import lastro
from lastro.model.errors import ConfigurationError, UsageError
from lastro.model.schema import Primitive
from lastro.model.status import Outcome, Step
from lastro.model.version import Mode
from lastro.pipeline.lineage import interval_of, lineage
from lastro.transform.derived.intervals import Asked
from lastro.transform.derived.made_of import Part
from lastro.workspace.derived import build as building

NOW = datetime(2026, 1, 5, 13, tzinfo=UTC)
BY_DAY = """\
SELECT applied_at AS day, count(*) AS n, sum(income) AS total
FROM loans WHERE applied_at >= $start AND applied_at < $end GROUP BY applied_at ORDER BY applied_at
"""
ROWS = HEADER + "".join(f"{number},SP,{number},2026-01-0{(number - 1) // 2 + 1}\n" for number in range(1, 11))
"""Two loans each day, from the first to the fifth."""
INTERVAL = "  by_day:\n    interval: {column: day, every: 1d, since: 2026-01-01}\n"


@pytest.fixture
def made(lake: Lake) -> Lake:
    """A lake with ten loans and a step that is made day by day, at noon of the fifth day."""
    lake.csv.write_text(ROWS)
    configure(lake)
    lake.loans.ingest()
    write(lake, by_day__sql=BY_DAY)
    return lake


def configure(lake: Lake, extra: str = INTERVAL) -> None:
    folder = lake.root / "transforms"
    folder.mkdir(exist_ok=True)
    if not (folder / "by_day.sql").exists() and not (folder / "by_day.py").exists():
        (folder / "by_day.sql").write_text(BY_DAY)
    lake.configure(extra=extra)
    lake.workspace.clock = lambda: NOW


def write(lake: Lake, **texts: str) -> None:
    for name, text in texts.items():
        (lake.root / "transforms" / name.replace("__", ".")).write_text(text)
    lake.workspace = lastro.open(lake.root)
    lake.workspace.clock = lambda: NOW


def step(lake: Lake, **asked: object) -> Step:
    return next(one for one in lake.workspace.build("by_day", **asked).steps if one.dataset == "by_day")


def rows(lake: Lake, reference: str = "by_day") -> dict[str, tuple[int, float]]:
    found = lake.workspace.version(reference).to_arrow().to_pylist()
    assert len({row["day"] for row in found}) == len(found)
    return {row["day"].isoformat(): (row["n"], row["total"]) for row in found}


def days(lake: Lake) -> list[str]:
    """Which interval each version made, in the order of the versions."""
    log = lake.workspace.dataset("by_day").log()
    return [found.start.date().isoformat() for info in reversed(log) if (found := interval_of(info))]


def change_loans(lake: Lake, text: str) -> None:
    lake.csv.write_text(text)
    lake.loans.ingest()


def test_each_interval_is_a_version_and_then_nothing_is_left_to_do(made: Lake) -> None:
    first, again = step(made), step(made)

    assert (first.outcome, first.kept, again.outcome) == (Outcome.MADE, 4, Outcome.UNCHANGED), first.what
    assert days(made) == ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"]
    assert rows(made) == {
        "2026-01-01": (2, 3.0), "2026-01-02": (2, 7.0), "2026-01-03": (2, 11.0), "2026-01-04": (2, 15.0),
    }  # fmt: skip


def test_an_interval_that_is_over_now_is_made_and_the_others_are_left(made: Lake) -> None:
    step(made)
    before = {entry.path for entry in made.workspace.version("by_day").info.files}
    made.workspace.clock = lambda: NOW.replace(day=6, hour=0)

    found = step(made)

    assert (found.outcome, found.kept) == (Outcome.MADE, 1)
    assert days(made)[-1] == "2026-01-05"
    assert before < {entry.path for entry in made.workspace.version("by_day").info.files}


def test_an_interval_may_wait_for_late_rows(made: Lake) -> None:
    configure(made, INTERVAL.replace("since:", "wait: 36h, since:"))

    found = step(made)
    early = step(made, start="2026-01-04", end="2026-01-05")

    assert (found.kept, days(made)[-1]) == (3, "2026-01-03")
    assert (early.code, early.what) == ("LST-0200", "the interval that ends at 2026-01-05 is not over yet")


def test_a_version_tells_its_interval_and_what_it_was_made_of(made: Lake) -> None:
    step(made)

    info = made.workspace.version("by_day@1").info
    loans = made.loans.version().info
    assert info.origin.mode is Mode.INTERVAL
    assert info.origin.made_of["interval"] == {
        "column": "day",
        "start": "2026-01-02T00:00:00.000000Z",
        "end": "2026-01-03T00:00:00.000000Z",
    }
    assert info.origin.inputs == (f"{loans.reference} {loans.digest}",)


def test_a_span_is_made_anew_where_it_is_outdated_and_nothing_else_is_touched(made: Lake) -> None:
    step(made)
    before = made.workspace.version("by_day").info
    change_loans(made, ROWS + "11,SP,100,2026-01-01\n12,SP,100,2026-01-02\n13,SP,100,2026-01-04\n")

    found = step(made, start="2026-01-02", end=date(2026, 1, 4))

    after = made.workspace.version("by_day").info
    assert (found.outcome, found.kept) == (Outcome.MADE, 2)
    assert days(made)[4:] == ["2026-01-02", "2026-01-03"]
    assert rows(made) == {
        "2026-01-01": (2, 3.0), "2026-01-02": (3, 107.0), "2026-01-03": (2, 11.0), "2026-01-04": (2, 15.0),
    }  # fmt: skip
    assert {before.files[0], before.files[3]} < set(after.files)
    assert made.workspace.verify("by_day", read_data=True).passed


def test_a_plain_build_does_not_follow_what_changed_behind_it_but_tells(made: Lake) -> None:
    step(made)
    change_loans(made, ROWS + "11,SP,100,2026-01-01\n")

    found, why = step(made), made.workspace.why("by_day")
    (status,) = made.workspace.status("by_day")

    assert found.outcome is Outcome.UNCHANGED
    assert (status.stale, status.notes) == ((), ("4 intervals are outdated: lastro why by_day",))
    assert not why.is_stale
    assert [change.part for change in why.changes] == [Part.UPSTREAM]
    assert why.to_dict()["intervals"]["outdated"] == {
        "count": 4,
        "spans": [{"start": "2026-01-01", "end": "2026-01-05"}],
    }


def test_everything_makes_all_that_is_outdated(made: Lake) -> None:
    step(made)
    write(made, by_day__sql=BY_DAY.replace("count(*)", "count(*) + 1"))
    why = made.workspace.why("by_day")

    first, again = step(made, everything=True), step(made, everything=True)

    assert [change.part for change in why.changes] == [Part.CODE]
    assert (first.kept, again.outcome) == (4, Outcome.UNCHANGED)
    assert [n for n, _total in rows(made).values()] == [3, 3, 3, 3]
    assert not made.workspace.why("by_day").intervals.outdated


def test_rows_that_lie_elsewhere_in_one_file_stay_as_they_are(made: Lake) -> None:
    """A dataset that was made at once is cut later: one file holds all days."""
    made.configure()
    made.workspace.clock = lambda: NOW
    write(made, by_day__sql=BY_DAY.replace("WHERE applied_at >= $start AND applied_at < $end", ""))
    step(made)
    path = made.root / "contracts" / "by_day.odcs.yaml"
    before = rows(made)
    configure(made)
    change_loans(made, ROWS.replace("SP", "RJ") + "11,SP,100,2026-01-03\n")
    write(made, by_day__sql=BY_DAY)

    found = step(made, start="2026-01-03", end="2026-01-04")

    assert "required: true" in path.read_text()
    assert (found.outcome, found.kept) == (Outcome.MADE, 1), found.what
    assert rows(made) == before | {"2026-01-03": (3, 111.0)}
    assert len(made.workspace.version("by_day").info.files) == 2


def test_a_step_that_is_no_more_made_by_intervals_is_made_at_once(made: Lake) -> None:
    step(made)
    made.configure()
    made.workspace.clock = lambda: NOW
    write(made, by_day__sql=BY_DAY.replace("WHERE applied_at >= $start AND applied_at < $end", ""))
    why = made.workspace.why("by_day")

    found = step(made)

    assert [change.part for change in why.changes] == [Part.INTERVALS]
    assert (found.outcome, len(rows(made))) == (Outcome.MADE, 5)


def test_an_interval_without_rows_is_made_too_and_once(made: Lake) -> None:
    step(made)
    change_loans(made, "\n".join(line for line in ROWS.splitlines() if "2026-01-02" not in line) + "\n")

    found, again = step(made, start="2026-01-02", end="2026-01-03"), step(made, start="2026-01-02", end="2026-01-03")

    assert (found.outcome, found.kept, again.outcome) == (Outcome.MADE, 0, Outcome.UNCHANGED)
    assert "2026-01-02" not in rows(made)


def test_the_first_interval_may_be_empty(made: Lake) -> None:
    change_loans(made, "\n".join(line for line in ROWS.splitlines() if "2026-01-01" not in line) + "\n")

    found = step(made)

    assert (found.outcome, len(days(made)), len(rows(made))) == (Outcome.MADE, 4, 3), found.what


def test_without_any_row_no_contract_is_guessed(made: Lake) -> None:
    change_loans(made, HEADER)

    found = step(made)

    assert found.what == "the step gave no row with a column, so no contract can be inferred"
    assert not (made.root / "contracts" / "by_day.odcs.yaml").exists()


PYTHON = """\
import pyarrow.compute as pc

def by_day(loans, start, end):
    rows = loans.arrow().filter((pc.field("applied_at") >= start) & (pc.field("applied_at") < end))
    return rows.group_by("applied_at").aggregate([([], "count_all"), ("income", "sum")]).rename_columns(
        ["day", "n", "total"])
"""


@pytest.mark.parametrize(
    "text",
    [
        PYTHON,
        "def by_day(loans, *, start, end):\n    return '''" + BY_DAY + "'''\n",
        "def by_day(loans, start, end):\n    return loans.relation().filter(f\"applied_at >= '{start}' and "
        "applied_at < '{end}'\").aggregate('applied_at as day, count(*) as n, sum(income) as total', 'applied_at')\n",
    ],
)
def test_python_takes_the_bounds_too(made: Lake, text: str) -> None:
    (made.root / "transforms" / "by_day.sql").unlink()
    write(made, by_day__py=text)

    found = step(made)

    assert found.outcome is Outcome.MADE, (found.what, found.where)
    assert rows(made)["2026-01-03"] == (2, 11.0)
    assert len(days(made)) == 4


def test_rows_outside_of_the_interval_fail_the_step_with_their_number_alone(made: Lake) -> None:
    step(made)
    before = made.workspace.version("by_day").digest
    write(made, by_day__sql=BY_DAY.replace("applied_at < $end", "$end IS NOT NULL"))

    found = step(made, everything=True)

    assert (found.outcome, found.code, found.exit_code) == (Outcome.FAILED, "LST-0101", 1)
    assert found.what == "4 rows of the step lie outside of the interval that was to be made"
    assert found.where == "by_day.day, interval 2026-01-01 – 2026-01-02"
    assert made.workspace.version("by_day").digest == before


def test_what_was_made_before_a_failure_stays_and_is_not_made_again(made: Lake) -> None:
    broken = BY_DAY.replace("sum(income)", "sum(CASE WHEN applied_at = DATE '2026-01-03' THEN error('Maria') END)")
    write(made, by_day__sql=BY_DAY)
    step(made, start="2026-01-01", end="2026-01-02")
    write(made, by_day__sql=broken)

    failed = step(made, everything=True)
    made_so_far = days(made)
    write(made, by_day__sql=BY_DAY)
    found = step(made)

    assert (failed.outcome, failed.what) == (
        Outcome.FAILED,
        "the SELECT failed while it ran (InvalidInputException)",
    )
    assert "interval 2026-01-03 – 2026-01-04" in failed.where
    assert made_so_far == ["2026-01-01", "2026-01-01", "2026-01-02"]
    assert found.outcome is Outcome.MADE
    assert days(made)[3:] == ["2026-01-03", "2026-01-04"]


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-01-03", "2026-01-03", "no interval begins at or after 2026-01-03 and ends by 2026-01-03"),
        ("2026-01-04", "2026-01-02", "no interval begins at or after 2026-01-04"),
        ("2026-01-03T05:00", "2026-01-04", "no interval of 1d begins at 2026-01-03T05:00Z"),
        ("2026-01-03", "2026-01-04T05:00", "no interval of 1d begins at 2026-01-04T05:00Z"),
        ("2026-01-03", "2026-01-06", "the interval that ends at 2026-01-06 is not over yet"),
    ],
)
def test_spans_that_are_none_are_refused(made: Lake, start: str, end: str, words: str) -> None:
    span = Asked(*(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)))

    found, plan = step(made, start=start, end=end), building.plan(made.workspace, ("by_day",), asked=span)

    assert (found.outcome, found.code) == (Outcome.FAILED, "LST-0200"), found
    assert words in found.what
    assert plan[0].fault is not None
    assert words in plan[0].fault.what


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"start": "2026-01-01T00:00-03:00"}, "is not in UTC, and intervals are"),
        ({"start": datetime(2026, 1, 1, tzinfo=UTC).astimezone()}, None),
        ({"start": "2026-13-01"}, "'2026-13-01' is no date or moment"),
        ({"start": "yesterday"}, "'yesterday' is no date or moment"),
        ({"end": "2026-01-02"}, "a span that ends must begin somewhere"),
        ({"start": "2026-01-01", "everything": True}, "either a span is made or everything"),
        ({"anew": True}, "it is not said with which intervals to begin anew"),
    ],
)
def test_what_is_no_span_in_utc_is_refused_at_once(made: Lake, asked: dict, words: str | None) -> None:
    if words is None:
        assert step(made, **asked).outcome is Outcome.MADE
        return
    with pytest.raises(UsageError, match=words):
        made.workspace.build("by_day", **asked)


def test_only_what_is_made_by_intervals_has_any(made: Lake) -> None:
    write(made, top__sql="SELECT n FROM by_day")

    with pytest.raises(UsageError, match="top is not made by intervals"):
        made.workspace.build("top", everything=True)
    with pytest.raises(UsageError, match="intervals are asked for, but of no dataset"):
        made.workspace.build(everything=True)


def test_upstream_of_what_is_named_is_built_as_always(made: Lake) -> None:
    write(
        made, by_state__sql="SELECT uf, income, applied_at FROM loans", by_day__sql=BY_DAY.replace("loans", "by_state")
    )

    found = made.workspace.build("by_day", start="2026-01-02", end="2026-01-03")

    assert [(one.dataset, one.outcome) for one in found.steps] == [
        ("by_state", Outcome.MADE),
        ("by_day", Outcome.MADE),
    ]
    assert days(made) == ["2026-01-02"]


def test_without_a_beginning_the_first_span_must_be_asked_for(made: Lake) -> None:
    configure(made, INTERVAL.replace(", since: 2026-01-01", ""))

    refused = step(made)
    asked = step(made, start="2026-01-02", end="2026-01-03")
    plain = step(made)

    assert (refused.code, refused.what) == ("LST-0203", "nothing says where the first interval begins")
    assert asked.outcome is Outcome.MADE
    assert (plain.outcome, days(made)) == (Outcome.MADE, ["2026-01-02", "2026-01-03", "2026-01-04"])


def test_a_plan_tells_the_intervals_and_executes_nothing(made: Lake) -> None:
    before = {str(path): path.stat().st_mtime_ns for path in made.root.rglob("*") if path.is_file()}

    (found,) = building.plan(made.workspace, ())

    assert found.words() == ("never built", "4 intervals")
    assert found.to_dict()["intervals"] == {
        "column": "day",
        "every": "1d",
        "make": {"count": 4, "spans": [{"start": "2026-01-01", "end": "2026-01-05"}]},
        "outdated": {"count": 0, "spans": []},
    }
    assert {str(path): path.stat().st_mtime_ns for path in made.root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("  by_day:\n    interval: {column: day, every: 1x}\n", "'1x' is not the length of an interval"),
        ("  by_day:\n    interval: {column: day}\n", "is not the length of an interval"),
        ("  by_day:\n    interval: {every: 1d}\n", "the name of a column belongs here"),
        ("  by_day:\n    interval: 1d\n", "keys and values belong here"),
        ("  by_day:\n    interval: {column: [day], every: 1d}\n", "the name of a column belongs here"),
        ("  by_day:\n    interval: {column: day, every: [1d]}\n", "is not the length of an interval"),
        ("  by_day:\n    interval: {column: day, every: {a: 1}}\n", "is not the length of an interval"),
        ("  by_day:\n    interval: {column: day, every: 1d, since: [1]}\n", "is no date or moment"),
        ("  by_day:\n    interval: {column: day, every: 1d, since: 20260101}\n", "is no date or moment"),
        ("  by_day:\n    interval: {column: day, every: 1mo, since: 2026-01-02}\n", "no interval of 1mo begins at"),
        ("  by_day:\n    interval: {column: day, every: 1d, since: '2026-01-02T00:00-03:00'}\n", "is not in UTC"),
        ("  by_day:\n    interval: {column: day, every: 1d, wait: long}\n", "'long' is not a period"),
        ("  by_day:\n    interval: {column: day, every: 1d, wait: -1h}\n", "'-1h' is not a period"),
        ("  by_day:\n    interval: {column: day, every: 1d, zone: America/Sao_Paulo}\n", "unknown key 'zone'"),
        ("    interval: {column: applied_at, every: 1d}\n", "loans is to be made by intervals, but is not derived"),
        ("  by_day:\n    mode: upsert\n", "by_day is derived, and mode has no meaning for it"),
        ("  by_day:\n    history: {start: since}\n", "by_day is derived, and history has no meaning for it"),
        ("  by_day:\n    deletes: {keys: true}\n", "by_day is derived, and deletes has no meaning for it"),
    ],
)
def test_what_the_file_of_the_workspace_may_not_say(made: Lake, extra: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        made.configure(extra=extra)


def test_a_step_that_does_not_take_its_bounds_is_at_fault(made: Lake) -> None:
    write(made, by_day__sql="SELECT applied_at AS day FROM loans WHERE applied_at >= $start")
    sql = step(made)
    (made.root / "transforms" / "by_day.sql").unlink()
    write(made, by_day__py="def by_day(loans, start: str = '', end: str = ''):\n    return loans\n")
    python = step(made)

    assert "its SELECT does not use both $start and $end" in sql.what
    assert "its function does not take both start and end" in python.what


@pytest.mark.parametrize(
    "text", ["SELECT * FROM loans WHERE id > $start", "SELECT * FROM loans WHERE id > ?", "SELECT $1 AS x FROM loans"]
)
def test_other_parameters_have_no_value(made: Lake, text: str) -> None:
    configure(made, "")
    write(made, by_day__sql=text)

    found = step(made)

    assert found.code == "LST-0205"
    assert "which has no value" in found.what


@pytest.mark.parametrize(
    ("select", "interval", "words"),
    [
        ("id AS day", "column: day, every: 1d", "day is of type long, and tells no time"),
        ("uf AS day", "column: day, every: 1d", "day is of type string, and tells no time"),
        ("applied_at AS other", "column: day, every: 1d", "there is no column day"),
        ("applied_at AS day", "column: day, every: 1h", "day is a date, and has no hours"),
        ("CASE WHEN id > 2 THEN applied_at END AS day", "column: day, every: 1d", "day may be missing in a row"),
    ],
)
def test_a_column_that_cannot_be_cut_is_refused(made: Lake, select: str, interval: str, words: str) -> None:
    configure(made, f"  by_day:\n    interval: {{{interval}, since: 2026-01-01}}\n")
    write(made, by_day__sql=f"SELECT {select} FROM loans WHERE applied_at >= $start AND applied_at < $end")

    found = step(made, start="2026-01-01", end="2026-01-05")

    assert found.code == "LST-0203", found
    assert words in found.what
    assert made.workspace.dataset("by_day").log() == ()


def test_a_missing_value_is_set_aside_and_open_until_its_interval_is_made_anew(made: Lake) -> None:
    step(made)
    contract = made.root / "contracts" / "by_day.odcs.yaml"
    nobody = "SELECT NULL AS day, 1 AS n, 1.0 AS total WHERE $start < $end"
    write(made, by_day__sql=f"(FROM ({BY_DAY})) UNION ALL {nobody}")
    spoiled = step(made, start="2026-01-01", end="2026-01-02")
    opened = made.workspace.dataset("by_day").quarantine().count()
    write(made, by_day__sql=BY_DAY)
    step(made, start="2026-01-01", end="2026-01-02")

    assert "required: true" in contract.read_text()
    assert (spoiled.kept, spoiled.quarantined, opened) == (1, 1, 1), spoiled.what
    assert made.workspace.dataset("by_day").quarantine().count() == 0


def test_months_weeks_and_hours_are_those_of_the_calendar(lake: Lake) -> None:
    lake.csv.write_text(HEADER + "1,SP,1,2024-01-31\n2,SP,2,2024-02-29\n3,SP,3,2024-03-01\n")
    configure(lake, "  by_day:\n    interval: {column: day, every: 1mo, since: 2024-01-01}\n")
    lake.workspace.clock = lambda: datetime(2024, 3, 31, 23, tzinfo=UTC)
    lake.loans.ingest()

    found = step(lake)

    assert found.kept == 2, found.what
    assert set(rows(lake)) == {"2024-01-31", "2024-02-29"}
    assert days(lake) == ["2024-01-01", "2024-02-01"]


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMPTZ"])
def test_hours_of_both_kinds_of_moments(made: Lake, kind: str) -> None:
    configure(made, "  by_day:\n    interval: {column: moment, every: 1h, since: 2026-01-01T22:00}\n")
    made.workspace.clock = lambda: datetime(2026, 1, 2, 1, 30, tzinfo=UTC)
    code = (
        f"SELECT CAST(applied_at AS {kind}) - INTERVAL 1 SECOND AS moment, income FROM loans "
        "WHERE moment >= $start AND moment < $end"
    )
    write(made, by_day__sql=code)
    made.workspace.clock = lambda: datetime(2026, 1, 2, 1, 30, tzinfo=UTC)

    found = step(made)

    assert (found.outcome, found.kept) == (Outcome.MADE, 2), (found.what, found.where)
    kept = made.workspace.version("by_day").to_arrow().to_pylist()
    assert len(made.workspace.dataset("by_day").log()) == 3
    assert {row["moment"].replace(tzinfo=None) for row in kept} == {datetime(2026, 1, 1, 23, 59, 59)}


def test_a_key_that_another_interval_holds_refuses_the_interval(made: Lake) -> None:
    write(made, by_day__sql="SELECT applied_at AS day, id FROM loans WHERE applied_at >= $start AND applied_at < $end")
    step(made)
    change_loans(made, ROWS.replace("1,SP,1,2026-01-01", "1,SP,1,2026-01-02"))

    found = step(made, start="2026-01-02", end="2026-01-03")

    assert (found.outcome, found.code) == (Outcome.FAILED, "LST-0101")
    assert found.what == "by_day holds rows with these primary keys outside of the interval"


def test_lineage_counts_each_interval_once_and_none_that_was_replaced(made: Lake) -> None:
    step(made)
    change_loans(made, ROWS + "11,SP,100,2026-01-01\n")
    step(made, start="2026-01-01", end="2026-01-03")

    parts = [info.number for info in lineage(made.workspace.dataset("by_day").table)]
    nodes = {node.name for node in made.workspace.lineage("by_day").nodes}
    step(made, everything=True)
    after = {node.name for node in made.workspace.lineage("by_day").nodes}

    assert parts == [5, 4, 3, 2]
    assert {"loans@0", "loans@1"} <= nodes
    assert "loans@0" not in after


def test_a_restored_version_has_the_intervals_that_it_had(made: Lake) -> None:
    step(made, start="2026-01-01", end="2026-01-03")
    step(made)
    made.workspace.dataset("by_day").restore("1")

    why = made.workspace.why("by_day")
    found = step(made)

    assert len(why.intervals.make) == 2
    assert (found.outcome, len(rows(made))) == (Outcome.MADE, 4)


def test_another_size_makes_the_intervals_anew(made: Lake) -> None:
    step(made)
    configure(made, INTERVAL.replace("every: 1d", "every: 1mo"))
    made.workspace.clock = lambda: NOW.replace(month=2)

    found = step(made)
    parts = [info.number for info in lineage(made.workspace.dataset("by_day").table)]

    assert (found.outcome, found.kept, len(rows(made))) == (Outcome.MADE, 5, 5)
    assert parts == [4]


def test_steps_made_from_it_are_followed(made: Lake) -> None:
    write(made, top__sql="SELECT sum(n) AS n FROM by_day")
    made.workspace.build()
    change_loans(made, ROWS + "11,SP,100,2026-01-01\n")
    made.workspace.build("by_day", everything=True)

    found = made.workspace.build()

    assert {one.dataset: one.outcome for one in found.steps} == {"by_day": Outcome.UNCHANGED, "top": Outcome.MADE}
    assert made.workspace.version("top").to_arrow().to_pylist() == [{"n": 9}]


def test_two_builds_at_once_make_each_interval_once(made: Lake) -> None:
    step(made, start="2026-01-01", end="2026-01-02")
    others = [lastro.open(made.root) for _ in range(3)]
    errors: list[Step] = []

    def run(workspace: lastro.Workspace) -> None:
        workspace.clock = lambda: NOW
        errors.extend(one for one in workspace.build("by_day").steps if one.outcome is Outcome.FAILED)

    threads = [threading.Thread(target=run, args=(one,)) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert days(made) == ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"]


def test_a_build_that_is_killed_goes_on_with_the_interval_it_was_at(made: Lake) -> None:
    code = (
        "import os, pathlib, signal\n\ndef by_day(loans, start, end):\n"
        "    die = pathlib.Path(__file__).with_name('die.txt')\n"
        "    for number in range(20_000):\n"
        "        if number == 15_000 and die.exists() and str(start) == '2026-01-03':\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n        yield {'day': start, 'value': number + ADDED}\n"
    )
    (made.root / "transforms" / "by_day.sql").unlink()
    write(made, by_day__py="ADDED = 0\n" + code)
    step(made, start="2026-01-01", end="2026-01-05")
    write(made, by_day__py="ADDED = 1\n" + code, die__txt="")
    command = "import lastro; print(lastro.open().build('by_day', start='2026-01-01', end='2026-01-05'))"

    killed = subprocess.run([sys.executable, "-c", command], cwd=made.root, check=False, timeout=120)
    table = made.workspace.version("by_day").to_arrow()
    (made.root / "transforms" / "die.txt").unlink()
    found = step(made, start="2026-01-01", end="2026-01-05")

    assert killed.returncode == -signal.SIGKILL
    sums = {row["day"]: row["value_sum"] for row in table.group_by("day").aggregate([("value", "sum")]).to_pylist()}
    whole = sum(range(20_000))
    assert [sums[date(2026, 1, day)] for day in range(1, 5)] == [whole + 20_000, whole + 20_000, whole, whole]
    assert (found.outcome, found.kept) == (Outcome.MADE, 40_000)
    assert days(made)[4:] == ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"]
    assert made.workspace.verify("by_day", read_data=True).passed


def test_builds_killed_at_any_moment_make_each_interval_once(made: Lake) -> None:
    step(made)
    command = [
        sys.executable,
        "-c",
        "import lastro; lastro.open().build('by_day', start='2026-01-01', end='2026-01-05')",
    ]
    for number in range(4):
        write(made, by_day__sql=BY_DAY.replace("count(*)", f"count(*) + {number + 1}"))
        process = subprocess.Popen(command, cwd=made.root)
        time.sleep(0.5 + 0.35 * number)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
        found = step(made, everything=True)
        assert found.outcome in {Outcome.MADE, Outcome.UNCHANGED}, found.what
        assert [n for n, _total in rows(made).values()] == [3 + number] * 4

    assert days(made) == ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"] * 5
    assert made.workspace.verify(read_data=True).passed


def test_a_contract_that_fits_no_more_is_told_and_the_dataset_begins_anew(made: Lake) -> None:
    step(made)
    path = made.root / "contracts" / "by_day.odcs.yaml"
    path.write_text(path.read_text().replace("name: total", "name: sum"))
    write(made, by_day__sql=BY_DAY.replace("AS total", "AS sum"))

    found = step(made, everything=True)
    first = made.workspace.version("by_day").number
    anew = step(made, everything=True, anew=True)
    again = step(made)
    parts = [info.number for info in lineage(made.workspace.dataset("by_day").table)]

    assert (found.outcome, found.code, first) == (Outcome.FAILED, "LST-0103", 3), found
    assert found.do == "undo the change, or begin anew: lastro build by_day --all --anew"
    assert (anew.outcome, anew.kept, again.outcome) == (Outcome.MADE, 4, Outcome.UNCHANGED), anew.what
    assert made.workspace.version("by_day@4").info.rows == 1
    assert [row["sum"] for row in made.workspace.version("by_day").to_arrow().to_pylist()] == [3.0, 7.0, 11.0, 15.0]
    assert parts == [7, 6, 5, 4]
    assert made.workspace.verify("by_day", read_data=True).passed


def test_beginning_anew_that_was_broken_off_is_resumed_without_it(made: Lake) -> None:
    step(made)
    spoiled = "sum(CASE WHEN applied_at = DATE '2026-01-03' THEN error('x') ELSE income END)"
    write(made, by_day__sql=BY_DAY.replace("sum(income)", spoiled))
    failed = step(made, everything=True, anew=True)
    held = set(rows(made))
    write(made, by_day__sql=BY_DAY)

    found = step(made)

    assert failed.outcome is Outcome.FAILED
    assert held == {"2026-01-01", "2026-01-02"}
    assert (found.outcome, found.kept, len(rows(made))) == (Outcome.MADE, 2, 4)


def test_rows_outside_are_refused_where_a_dataset_begins_anew_too(made: Lake) -> None:
    step(made)
    write(made, by_day__sql=BY_DAY.replace("applied_at < $end", "$end IS NOT NULL"))

    found = step(made, everything=True, anew=True)

    assert (found.outcome, found.code, len(rows(made))) == (Outcome.FAILED, "LST-0101", 4)


def test_a_wider_type_carries_all_other_intervals_over(made: Lake) -> None:
    write(made, by_day__sql=BY_DAY.replace("count(*) AS n", "CAST(count(*) AS BIGINT) AS n"))
    contract = made.root / "contracts" / "by_day.odcs.yaml"
    contract.write_text(
        "apiVersion: v3.2.0\nkind: DataContract\nid: by-day\nversion: 1.0.0\nstatus: active\nschema:\n"
        "  - name: by_day\n    properties:\n"
        "      - {name: day, logicalType: date, required: true}\n"
        "      - {name: n, logicalType: integer, physicalType: int}\n"
        "      - {name: total, logicalType: number}\n"
    )
    step(made)
    before = made.workspace.version("by_day")
    contract.write_text(contract.read_text().replace(", physicalType: int", ""))
    write(made, by_day__sql=BY_DAY.replace("count(*)", "count(*) + 1"))

    found = step(made, start="2026-01-02", end="2026-01-03")

    after = made.workspace.version("by_day")
    assert found.outcome is Outcome.MADE, (found.what, found.where)
    assert (before.schema.field("n").type, after.schema.field("n").type) == (Primitive.INTEGER, Primitive.LONG)
    assert sorted(row["n"] for row in after.to_arrow().to_pylist()) == [2, 2, 2, 3]
    assert rows(made, before.reference)["2026-01-02"] == (2, 7.0)
    assert made.workspace.verify("by_day", read_data=True).passed


def test_a_column_that_is_new_is_null_in_the_intervals_before(made: Lake) -> None:
    step(made)
    configure(made, INTERVAL + "    schema_change: evolve\n")
    write(made, by_day__sql=BY_DAY.replace("count(*) AS n", "count(*) AS n, min(id) AS least"))

    found = step(made, start="2026-01-03", end="2026-01-05")
    again = step(made, start="2026-01-03", end="2026-01-05")

    least = {row["day"].day: row["least"] for row in made.workspace.version("by_day").to_arrow().to_pylist()}
    assert (found.outcome, again.outcome) == (Outcome.MADE, Outcome.UNCHANGED), found.what
    assert least == {1: None, 2: None, 3: 5, 4: 7}


def test_corrected_rows_join_and_go_with_their_interval(made: Lake, tmp_path: Path) -> None:
    step(made)
    nobody = "SELECT NULL AS day, 1 AS n, 1.0 AS total WHERE $start < $end"
    write(made, by_day__sql=f"(FROM ({BY_DAY})) UNION ALL {nobody}")
    step(made, start="2026-01-01", end="2026-01-02")
    aside = tmp_path / "aside.csv"
    made.workspace.dataset("by_day").quarantine().export(aside)
    header, line = aside.read_text().strip().split("\n")
    values = line.split(",")
    values[header.replace('"', "").split(",").index("day")] = "2026-01-03"
    aside.write_text(header + "\n" + ",".join(values) + "\n")

    made.workspace.dataset("by_day").quarantine().replay(aside)
    joined = made.workspace.version("by_day").info.rows
    plain = step(made)
    write(made, by_day__sql=BY_DAY + "-- again")
    step(made, everything=True)

    assert (joined, plain.outcome) == (5, Outcome.UNCHANGED)
    assert rows(made)["2026-01-03"] == (2, 11.0)
    assert made.workspace.dataset("by_day").quarantine().count() == 0


def test_a_run_knows_every_interval_that_was_made(made: Lake) -> None:
    with made.workspace.run("build") as run:
        made.workspace.build("by_day")

    record = next(one for one in made.workspace.runs() if one.id == run.id)
    assert [one.reference for one in record.inputs] == ["loans@0"]
    assert [one.reference for one in record.outputs] == [f"by_day@{number}" for number in range(4)]


def test_a_round_and_the_status_know_of_intervals(made: Lake) -> None:
    before = {one.dataset: one.stale for one in made.workspace.status()}
    played = made.workspace.round()
    after = {one.dataset: one.stale for one in made.workspace.status()}

    assert before["by_day"] == ("never built", "4 intervals")
    assert {one.dataset: one.outcome for one in played.steps}["by_day"] is Outcome.MADE
    assert after["by_day"] == ()


def test_versions_that_were_collected_still_tell_their_intervals(made: Lake) -> None:
    step(made)
    change_loans(made, ROWS + "11,SP,100,2026-01-02\n")
    step(made, everything=True)
    made.workspace = lastro.open(made.root)
    made.workspace.clock = lambda: NOW.replace(month=2, day=1)
    collected = made.workspace.gc("by_day", apply=True, grace=timedelta(days=2))
    made.workspace = lastro.open(made.root)
    made.workspace.clock = lambda: NOW

    why = made.workspace.why("by_day")

    assert dict(collected.collected)["by_day"].expired == tuple(range(7)), collected
    assert (why.is_stale, why.intervals.outdated) == (False, ())
    assert step(made).outcome is Outcome.UNCHANGED
