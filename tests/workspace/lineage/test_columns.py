"""Lineage of columns: kept with derived versions, followed from one to the next, and never made up."""

from __future__ import annotations

import shutil

import pytest
from tests.workspace.lake import GOOD, HEADER, Lake, told, write

import lastro
from lastro.model.errors import UnknownName
from lastro.model.lineage import Presence
from lastro.workspace.lineage.columns import column

BY_STATE = "SELECT uf, count(*) AS n, sum(income) AS Total FROM loans GROUP BY uf ORDER BY uf"
TWICE = 'def twice(by_state, by: int = 2):\n    return f"SELECT uf, total * {by} AS twice FROM {by_state}"\n'
ROWS = "def rows(twice):\n    return twice.arrow()\n"
LAST = "SELECT r.twice + b.n AS sum, b.total FROM rows AS r JOIN by_state AS b USING (uf)"


@pytest.fixture
def made(lake: Lake) -> Lake:
    """`by_state` by SQL, `twice` by Python that gives SQL, `rows` by Python that gives rows, `last` from both kinds."""
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    write(lake, by_state__sql=BY_STATE, twice__py=TWICE, rows__py=ROWS, last__sql=LAST)
    assert lake.workspace.build().passed
    return lake


def test_a_version_keeps_what_its_columns_come_from(made: Lake) -> None:
    origins = {name: made.workspace.version(name).info.origin.columns for name in ("by_state", "twice", "rows")}

    assert origins["by_state"] == {"uf": [["loans", "uf"]], "n": [], "Total": [["loans", "income"]]}
    assert origins["twice"] == {"uf": [["by_state", "uf"]], "twice": [["by_state", "Total"]]}
    assert origins["rows"] == {}
    assert made.loans.version().info.origin.columns == {}
    assert made.workspace.verify(read_data=True).passed


def test_every_column_tells_what_it_was_made_from(made: Lake) -> None:
    by_state, rows, loans = (made.workspace.columns(name) for name in ("by_state", "rows", "loans"))

    assert [(one.column, [node.id for node in one.upstream], one.known) for one in by_state] == [
        ("uf", ["column:loans@0 uf"], True),
        ("n", [], True),
        ("Total", ["column:loans@0 income"], True),
    ]
    assert [(one.known, [node.id for node in one.upstream]) for one in rows] == [
        (False, ["step:transforms/rows.py"])
    ] * 2
    assert {node.id for one in loans for node in one.upstream} == {"source:loans*.csv"}


def test_a_column_is_followed_to_the_source(made: Lake) -> None:
    found = made.workspace.lineage("twice", column="TWICE")

    assert (found.start.name, found.start.column) == ("twice@0", "twice")
    assert told(found) == [(1, "column:by_state@0 Total"), (2, "column:loans@0 income"), (3, "source:loans*.csv")]


def test_a_column_ends_where_nobody_knows(made: Lake) -> None:
    found = made.workspace.lineage("last", column="sum")

    (step,) = [node for node in found.nodes if node.presence is Presence.UNKNOWN]
    assert step.id == "step:transforms/rows.py"
    assert told(found) == [
        (1, "column:by_state@0 n"),
        (1, "column:rows@0 twice"),
        (2, "step:transforms/rows.py"),
    ]


def test_a_column_is_followed_to_its_uses(made: Lake) -> None:
    found = made.workspace.lineage("loans", column="income")

    assert sorted(told(found, downstream=True)) == [
        (1, "column:by_state@0 Total"),
        (2, "column:last@0 Total"),
        (2, "column:twice@0 twice"),
        (3, "version:rows@0"),
    ]
    assert [node.id for node in found.nodes if node.presence is Presence.UNKNOWN] == ["version:rows@0"]
    assert told(made.workspace.lineage("loans", column="applied_at"), downstream=True) == []


def test_the_contract_may_make_a_column_of_others(made: Lake) -> None:
    path = made.root / "contracts" / "by_state.odcs.yaml"
    text = path.read_text()
    assert '      - name: "n"\n' in text
    path.write_text(text.replace('      - name: "n"\n', '      - name: "n"\n        transformLogic: n + Total\n'))
    made.workspace = lastro.open(made.root)
    assert made.workspace.build("by_state").passed

    origin = made.workspace.version("by_state").info.origin

    assert origin.columns["n"] == [["loans", "income"]]


def test_a_restored_version_has_the_columns_of_what_it_restores(made: Lake) -> None:
    (made.root / "transforms" / "by_state.sql").write_text(BY_STATE.replace("sum(income)", "sum(id)"))
    made.workspace = lastro.open(made.root)
    made.workspace.build("by_state")
    changed = told(made.workspace.lineage("by_state", column="Total"))
    made.workspace.dataset("by_state").restore("0")

    restored = made.workspace.lineage("by_state", column="Total")

    assert changed[0] == (1, "column:loans@0 id")
    assert restored.start.name == "by_state@2"
    assert told(restored)[0] == (1, "column:loans@0 income")


def test_an_upstream_that_is_another_now_is_missing(made: Lake) -> None:
    shutil.rmtree(made.root / "tables" / "loans")
    made.csv.write_text(HEADER + "1,SP,1,2026-01-05\n")
    made.workspace = lastro.open(made.root)
    made.loans.ingest()

    found = made.workspace.lineage("by_state", column="Total")

    (node,) = [node for node in found.nodes if node.name == "loans@0"]
    assert (node.presence, node.column) == (Presence.MISSING, "income")
    assert len(told(found)) == 1
    assert told(made.workspace.lineage("loans", column="income"), downstream=True) == []


def test_sql_whose_columns_cannot_be_told_is_built_all_the_same(made: Lake) -> None:
    (made.root / "transforms" / "pivoted.sql").write_text("SELECT COLUMNS('^i') FROM loans")
    made.workspace = lastro.open(made.root)

    built = made.workspace.build("pivoted")

    assert built.passed
    assert [one.known for one in made.workspace.columns("pivoted")] == [False, False]


def test_a_dataset_whose_name_has_a_dot_is_found(made: Lake) -> None:
    shutil.copy(made.csv, made.root / "odd.csv")
    made.workspace.add("odd.csv", name="core.odd")
    made.workspace.dataset("core.odd").ingest()
    (made.root / "transforms" / "dotted.sql").write_text('SELECT o."uf" AS u FROM "core.odd" AS o')
    made.workspace = lastro.open(made.root)
    assert made.workspace.build("dotted").passed

    assert told(made.workspace.lineage("dotted", column="u"))[0] == (1, "column:core.odd@0 uf")


def test_no_more_is_collected_than_asked(made: Lake) -> None:
    found = column(made.workspace, "twice", "twice", nodes_max=2)

    assert (len(found.nodes), found.cut) == (2, True)


def test_a_column_that_is_not_there_is_an_error(made: Lake) -> None:
    with pytest.raises(UnknownName) as caught:
        made.workspace.lineage("twice", column="nothing")

    assert "uf, twice" in caught.value.do
