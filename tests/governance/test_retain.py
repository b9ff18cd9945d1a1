"""What is past its retention: counted, held back by law, removed – and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.governance.people import ANA, BEA, add, every_byte, made, row

import lastro
from lastro.contract.retention import Retention
from lastro.model.errors import Expired
from lastro.workspace.workspace import Workspace

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
HELD = '      - {{property: hold, vendor: lastro, value: {{basis: "CTN art. 195", until: {day}}}}}\n'


def at(root: Path, moment: datetime = NOW) -> Workspace:
    """The workspace at that moment."""
    workspace = lastro.open(root)
    workspace.clock = lambda: moment
    return workspace


def lake(tmp_path: Path, *days: str | None, mode: str = "append", **said: Any) -> Workspace:
    """`loans` with a row of each day; the numbers of rows begin at 1."""
    rows = [row(number, ANA if number % 2 else BEA, asked=day) for number, day in enumerate(days, 1)]
    return at(made(tmp_path / "lake", rows, mode=mode, **said).root)


def ids(workspace: Workspace, reference: str = "loans") -> list[int]:
    return workspace.version(reference).to_arrow("id").column(0).to_pylist()


def test_rows_are_counted_and_nothing_goes_without_being_asked_twice(tmp_path: Path) -> None:
    workspace = lake(tmp_path, "2021-11-25", "2021-11-26", "2026-01-01", None)

    (found,) = workspace.retain().datasets

    assert (found.rows, found.undated, found.kept_for) == (1, 1, "5 years")
    assert ids(workspace) == [1, 2, 3, 4]
    assert len(workspace.dataset("loans").log()) == 1


def test_applied_the_newest_version_lacks_what_was_past(tmp_path: Path) -> None:
    workspace = lake(tmp_path, "2021-11-25", "2021-11-26", "2026-01-01", None)

    done = workspace.retain("loans", apply=True)
    again = workspace.retain("loans", apply=True)

    assert (ids(workspace), done.datasets[0].made, done.datasets[0].erased, again.due) == ([2, 3, 4], 1, (0,), ())
    assert ids(workspace, "loans@0") == [2, 3, 4]
    origin = workspace.dataset("loans").log()[0].origin
    assert (origin.source, origin.changes.removed) == ("law:retention", 1)
    assert workspace.verify(read_data=True).passed
    told = [
        (event.dataset, event.rows, "generation" in event.about)
        for _n, event in workspace.ledger.events(action="erase")
    ]
    assert told == [("loans", 1, False), ("loans", 1, True)]


@pytest.mark.parametrize(("until", "rows"), [("2026-11-26", 2), ("2031-01-31", 2), ("2026-11-25", 1)])
def test_a_law_that_holds_rows_is_stronger(tmp_path: Path, until: str, rows: int) -> None:
    workspace = lake(tmp_path, "2020-01-01", "2026-01-01", more=HELD.format(day=until))

    found = workspace.retain(apply=True)

    assert len(ids(workspace)) == rows
    assert [each.held for each in found.held] == ([f"CTN art. 195, until {until}"] if rows == 2 else [])


def test_rows_that_were_set_aside_go_too(tmp_path: Path) -> None:
    workspace = lake(tmp_path, "2026-01-01")
    bad = [row(7, ANA, amount=-1, asked="2020-01-01"), row(8, ANA, amount=-1), row(9, BEA, amount="x")]
    workspace.dataset("loans").ingest(data=bad)

    found = at(workspace.root).retain(apply=True)
    later = at(workspace.root, NOW + timedelta(days=5 * 366)).retain()

    assert found.datasets[0].quarantined == 1
    assert at(workspace.root).dataset("loans").quarantine().count() == 2
    assert later.datasets[0].quarantined == 2


def test_without_a_column_versions_go_and_pins_stay(tmp_path: Path) -> None:
    kept = "{property: retention, value: 30, unit: d}"
    root = made(tmp_path / "lake", [row(1, ANA)], mode="overwrite", retention=kept).root
    for number in (2, 3, 4):
        lastro.open(root).dataset("loans").ingest(data=[row(number, ANA)])
    lastro.open(root).dataset("loans").tag("approved", 1)
    then = at(root, lastro.open(root).clock() + timedelta(days=31))

    looked, done = then.retain().datasets[0], then.retain(apply=True).datasets[0]

    assert (looked.expiring, looked.pinned) == (done.expiring, done.pinned) == ((0, 2), (1,))
    assert (ids(then), ids(then, "loans@approved")) == ([4], [2])
    with pytest.raises(Expired):
        then.version("loans@0")


def test_an_unchanged_source_does_not_bring_back_what_went(tmp_path: Path) -> None:
    rows = [row(1, ANA, asked="2020-01-01"), row(2, BEA, asked="2026-01-01")]
    workspace = at(made(tmp_path / "lake", rows, mode="overwrite").root)
    workspace.retain(apply=True)

    result = workspace.dataset("loans").ingest(data=rows)

    assert (result.unchanged, ids(workspace)) == (True, [2])


@pytest.mark.parametrize(
    "said",
    [
        "value: 5, unit: m",
        "value: -1, unit: y",
        "value: many, unit: y",
        "value: 5, unit: y, element: nope",
        "value: 5, unit: y, element: cpf",
        "value: 1.5, unit: y",
    ],
)
def test_what_cannot_be_read_is_a_fault_and_removes_nothing(tmp_path: Path, said: str) -> None:
    workspace = lake(tmp_path, "2020-01-01", retention=f"{{property: retention, {said}}}")
    add(workspace.root, "cards", "      - {name: id, logicalType: integer}", [], subject="id")

    found = at(workspace.root).retain(apply=True)

    assert [bool(each.fault) for each in found.datasets] == [True, True]
    assert ids(workspace) == [1]


@pytest.mark.parametrize(
    ("value", "unit", "before"),
    [
        (5, "year", date(2023, 2, 28)),
        (1, "month", date(2028, 1, 29)),
        (2, "week", date(2028, 2, 15)),
        (3000, "year", date(1, 1, 1)),
        (100_000, "week", date(111, 8, 18)),
    ],
)
def test_time_is_counted_by_the_calendar(value: int, unit: str, before: date) -> None:
    assert Retention(value, unit).before(datetime(2028, 2, 29, 12, tzinfo=UTC)).date() == before


def test_what_was_past_stands_in_no_file_any_more(tmp_path: Path) -> None:
    gone = row(1, ANA, note="vanishing-7391", asked="2019-01-01")
    aside = row(4, ANA, note="vanishing-7392", asked="2019-01-01", amount=-1)
    workspace = at(made(tmp_path / "lake", [gone, row(2, BEA), aside]).root)
    workspace.dataset("loans").ingest(data=[row(3, BEA)])
    workspace.dataset("loans").tag("approved", 0)

    workspace.retain(apply=True)

    assert (sorted(ids(workspace)), ids(workspace, "loans@approved")) == ([2, 3], [2])
    tables = every_byte(workspace.root / "tables")
    assert b"vanishing-7391" not in tables
    assert b"vanishing-7392" not in tables
    assert workspace.verify(read_data=True).passed
