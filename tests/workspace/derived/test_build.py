"""Derived datasets: built once, anew when something changed, and never by halves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.workspace.lake import CONTRACT, GOOD, HEADER, Lake, write

import lastro
from lastro.contract import document
from lastro.model.errors import ConfigurationError, UnknownName, UsageError
from lastro.model.status import Outcome, Step
from lastro.transform.derived.made_of import Part
from lastro.workspace.derived import build as building

BY_STATE = "SELECT uf, count(*) AS n, sum(income) AS total FROM loans GROUP BY uf ORDER BY uf"
TOP = """\
import pyarrow.compute as pc

def top(by_state, least: int = 1):
    return by_state.arrow().filter(pc.field("n") >= least)
"""


@pytest.fixture
def made(lake: Lake) -> Lake:
    """A lake with three loans and two steps, the second made from the first."""
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    write(lake, by_state__sql=BY_STATE, top__py=TOP)
    return lake


def step(lake: Lake, name: str) -> Step:
    return next(one for one in lake.workspace.build(name).steps if one.dataset == name)


def outcomes(steps: tuple[Step, ...]) -> dict[str, str]:
    return {one.dataset: one.outcome.value for one in steps}


def rows(lake: Lake, reference: str) -> list[dict]:
    return lake.workspace.version(reference).to_arrow().to_pylist()


def files(root: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


def test_a_build_makes_what_is_stale_in_order_and_then_nothing(made: Lake) -> None:
    first = made.workspace.build()
    before = files(made.root / "tables")
    again = made.workspace.build()

    assert [one.dataset for one in first.steps] == ["by_state", "top"]
    assert outcomes(first.steps) == {"by_state": "made", "top": "made"}
    assert outcomes(again.steps) == {"by_state": "unchanged", "top": "unchanged"}
    assert files(made.root / "tables") == before
    assert rows(made, "by_state") == [
        {"uf": "MG", "n": 1, "total": 300.0},
        {"uf": "RJ", "n": 1, "total": None},
        {"uf": "SP", "n": 1, "total": 1000.5},
    ]


def test_the_version_says_what_it_was_made_of(made: Lake) -> None:
    made.workspace.build()

    info = made.workspace.version("by_state").info
    loans = made.loans.version().info
    assert info.origin.inputs == (f"{loans.reference} {loans.digest}",)
    assert info.origin.made_of["code"].startswith("sha256:")
    assert info.origin.source == "transforms/by_state.sql"
    assert made.workspace.version("top").info.origin.made_of["parameters"] == {"least": 1}
    assert loans.origin.made_of == {}


def test_new_rows_upstream_are_followed_all_the_way(made: Lake) -> None:
    made.workspace.build()
    made.csv.write_text(GOOD + "4,SP,1,2026-01-04\n")
    made.loans.ingest()
    why = made.workspace.why("top")

    found = made.workspace.build()

    assert why.after == ("by_state",)
    assert outcomes(found.steps) == {"by_state": "made", "top": "made"}
    assert rows(made, "top")[-1] == {"uf": "SP", "n": 2, "total": 1001.5}


def test_changed_code_that_gives_the_same_rows_makes_a_version_once(made: Lake) -> None:
    made.workspace.build()
    write(made, by_state__sql=BY_STATE + " -- the same")
    why = made.workspace.why("by_state")

    found, again = made.workspace.build(), made.workspace.build()

    assert [change.part for change in why.changes] == [Part.CODE]
    assert outcomes(found.steps) == {"by_state": "made", "top": "made"}
    assert outcomes(again.steps) == {"by_state": "unchanged", "top": "unchanged"}


def test_code_that_goes_back_to_what_it_was_is_built_again(made: Lake) -> None:
    made.workspace.build()
    first = rows(made, "by_state")
    write(made, by_state__sql=BY_STATE.replace("count(*)", "count(*) + 1"))
    made.workspace.build()
    write(made, by_state__sql=BY_STATE)

    found = made.workspace.build("by_state")

    assert outcomes(found.steps) == {"by_state": "made"}
    assert rows(made, "by_state") == first
    assert not made.workspace.why("by_state").is_stale


def test_a_parameter_in_the_file_of_the_workspace_is_followed_and_told(made: Lake) -> None:
    made.workspace.build()
    made.configure(extra="  top:\n    parameters: {least: 2}\n")
    why = made.workspace.why("top")

    made.workspace.build()

    assert [(one.part, one.name, one.before, one.after) for one in why.changes] == [(Part.PARAMETER, "least", "1", "2")]
    assert rows(made, "top") == []


def test_a_changed_contract_is_followed(made: Lake) -> None:
    made.workspace.build()
    path = made.root / "contracts" / "by_state.odcs.yaml"
    path.write_text(path.read_text().replace("minimum: 0", "minimum: 1", 1))

    why = made.workspace.why("by_state")

    assert [change.part for change in why.changes] == [Part.CONTRACT]
    assert outcomes(made.workspace.build("by_state").steps) == {"by_state": "made"}
    assert not made.workspace.why("by_state").is_stale


def test_a_contract_that_is_there_is_obeyed(made: Lake) -> None:
    contract = made.root / "contracts" / "by_state.odcs.yaml"
    contract.write_text(
        "apiVersion: v3.2.0\nkind: DataContract\nid: by-state\nversion: 1.0.0\nstatus: active\nschema:\n"
        "  - name: by_state\n    properties:\n"
        "      - {name: uf, logicalType: string, enum: [{value: SP}, {value: RJ}]}\n"
        "      - {name: n, logicalType: integer}\n"
    )
    text = contract.read_text()

    found = step(made, "by_state")

    assert (found.kept, found.quarantined) == (2, 1)
    assert contract.read_text() == text


def test_a_restored_version_is_what_it_was_made_of(made: Lake) -> None:
    made.workspace.build()
    write(made, by_state__sql=BY_STATE.replace("count(*)", "count(*) + 1"))
    made.workspace.build()
    made.workspace.dataset("by_state").restore("0")

    assert [change.part for change in made.workspace.why("by_state").changes] == [Part.CODE]


@pytest.mark.parametrize(
    "body",
    [
        "'SELECT id, income FROM loans ORDER BY id'",
        "f'SELECT id, income FROM {loans} ORDER BY id'",
        "loans.arrow().select(['id', 'income'])",
        "loans.arrow().select(['id', 'income']).to_reader()",
        "loans.polars().select('id', 'income')",
        "loans.polars().lazy().select('id', 'income')",
        "loans.pandas()[['id', 'income']]",
        "loans.relation().select('id, income').order('id')",
        "[{'id': row['id'], 'income': row['income']} for row in loans.arrow().to_pylist()]",
        "({'id': row['id'], 'income': row['income']} for row in loans.arrow().to_pylist())",
    ],
)
def test_a_function_may_return_any_of_these(made: Lake, body: str) -> None:
    write(made, x__py=f"def x(loans):\n    return {body}\n")

    found = step(made, "x")

    assert found.outcome is Outcome.MADE, found.what
    assert rows(made, "x") == [{"id": 1, "income": 1000.5}, {"id": 2, "income": None}, {"id": 3, "income": 300.0}]


def test_a_frame_that_arrow_cannot_take_is_told_by_its_column(made: Lake) -> None:
    write(made, x__py="import polars as pl\n\ndef x(loans):\n    return loans.polars().cast({'id': pl.Int128})\n")

    found = step(made, "x")

    assert found.code == "LST-0302"
    assert "the column id of a frame cannot be read as Arrow data (Int128" in found.what


def test_a_function_may_give_back_its_upstream(made: Lake) -> None:
    write(made, x__py="def x(loans):\n    assert loans.reference == 'loans@0'\n    return loans\n")

    assert step(made, "x").outcome is Outcome.MADE
    assert rows(made, "x") == made.rows()


@pytest.mark.parametrize("body", ["None", "7", "{'id': 1}", "b'SELECT 1'", "object()"])
def test_what_is_neither_rows_nor_sql_is_refused(made: Lake, body: str) -> None:
    write(made, x__py=f"def x(loans):\n    return {body}\n")

    found = step(made, "x")

    assert found.outcome is Outcome.FAILED
    assert "which is neither rows nor SQL" in found.what
    assert found.where == "transforms/x.py"


@pytest.mark.parametrize(
    "text",
    [
        "def x(loans):\n    name = 'Maria'\n    raise ValueError(name)\n",
        "def x(loans):\n    yield {'id': 1}\n    raise ValueError('Maria')\n",
        "def x(loans):\n    return\nraise ValueError('Maria')\n",
    ],
)
def test_an_exception_is_told_by_kind_and_line_without_its_message(made: Lake, text: str) -> None:
    write(made, x__py=text)

    found = step(made, "x")

    assert found.code == "LST-0302"
    assert "ValueError" in found.what
    assert found.where == "transforms/x.py, line 3"
    assert found.do.endswith("lastro build x")
    assert "Maria" not in str(found)
    assert not (made.root / "contracts" / "x.odcs.yaml").exists()


@pytest.mark.parametrize(
    ("sql", "code", "words"),
    [
        ("SELECT nope FROM loans", "LST-0205", "the column 'nope', which does not exist"),
        ("SELECT CAST(uf AS INTEGER) AS n FROM loans", "LST-0501", "ConversionException"),
        ("SELECT no_such_function(uf) AS n FROM loans", "LST-0205", "CatalogException"),
        ("SELECT id, uf AS id FROM loans", "LST-0203", "the column id twice"),
        ("SELECT id, uf AS ID FROM loans", "LST-0203", "the column ID twice"),
        ("SELECT id, INTERVAL 1 DAY AS period FROM loans", "LST-0203", "the column period is an interval"),
    ],
)
def test_sql_that_cannot_run_is_told_without_values(made: Lake, sql: str, code: str, words: str) -> None:
    write(made, x__sql=sql)

    found = step(made, "x")

    assert (found.outcome, found.code) == (Outcome.FAILED, code)
    assert words in found.what
    assert "SP" not in str(found)


def test_a_function_that_ends_the_program_fails_its_step_alone(made: Lake) -> None:
    write(made, x__py="import sys\n\ndef x(loans):\n    sys.exit(0)\n")

    found = made.workspace.build()

    assert outcomes(found.steps) == {"by_state": "made", "top": "made", "x": "failed"}
    assert "SystemExit" in next(one.what for one in found.steps if one.dataset == "x")


def test_what_upstream_withholds_is_withheld(made: Lake) -> None:
    made.configure(
        contract=CONTRACT.replace("- name: income\n", "- name: income\n        classification: restricted\n")
    )
    made.loans.ingest()
    write(made, x__sql="SELECT id, income, 2 * income AS twice FROM loans")
    write(made, y__py="def y(loans):\n    return [{'income': 5, 'n': 1}, {'income': 6, 'n': 2}]\n")

    made.workspace.build("x", "y")

    columns = made.workspace.version("x").info.origin.profile["columns"]
    rows = made.workspace.version("y").info.origin.profile["columns"]
    assert columns["income"].get("maximum") is None
    assert columns["twice"].get("maximum") is None
    assert columns["id"]["maximum"] == "3"
    assert rows["income"].get("maximum") is None
    assert rows["n"]["maximum"] == "2"


@pytest.mark.parametrize(
    "expression", ["md5_number('a')", "[md5_number('a')]", "'10:00:00+05'::TIMETZ", "'0101'::BIT", "{'a': '1'::BIT}"]
)
def test_a_type_that_would_arrive_as_another_value_is_refused(made: Lake, expression: str) -> None:
    write(made, x__sql=f"SELECT id, {expression} AS k FROM loans")

    found = step(made, "x")

    assert found.outcome is Outcome.FAILED
    assert "the column k is" in found.what


def test_a_relation_with_such_a_type_is_refused(made: Lake) -> None:
    write(made, x__py="def x(loans):\n    return loans.relation().project(\"id, md5_number('a') AS k\")\n")

    found = step(made, "x")

    assert found.outcome is Outcome.FAILED
    assert "the column k is UHUGEINT" in found.what


def test_parameters_of_what_is_not_derived_are_refused(made: Lake) -> None:
    with pytest.raises(ConfigurationError, match="loans has build parameters, but is not derived"):
        made.configure(extra="    parameters: {least: 2}\n")


def test_sql_that_a_function_returns_sees_its_parameters_only(made: Lake) -> None:
    made.workspace.build()
    write(made, x__py="def x(by_state):\n    return 'SELECT * FROM loans'\n")

    found = step(made, "x")

    assert found.code == "LST-0205"
    assert "reads loans, which is not among its tables" in found.what


def test_a_session_opens_no_other_file(made: Lake) -> None:
    secret = made.root / "secret.csv"
    secret.write_text("id\n1\n")
    write(
        made, x__py=f"def x(loans):\n    return loans.relation().query('t', \"SELECT * FROM read_csv('{secret}')\")\n"
    )

    found = step(made, "x")

    assert found.outcome is Outcome.FAILED
    assert "PermissionException" in found.what


def test_a_failing_step_leaves_others_whole_and_skips_what_is_made_from_it(made: Lake) -> None:
    made.workspace.build()
    before = rows(made, "top")
    write(
        made, by_state__sql="SELECT nope FROM loans", other__sql="SELECT id FROM loans", last__sql="SELECT n FROM top"
    )

    found = made.workspace.build()

    assert outcomes(found.steps) == {"by_state": "failed", "other": "made", "top": "skipped", "last": "skipped"}
    told = {one.dataset: one.what for one in found.steps}
    assert told["top"] == "skipped, since by_state was not built"
    assert told["last"] == "skipped, since top was not built"
    assert rows(made, "top") == before
    assert not found.passed


def test_a_circle_fails_its_own_steps_skips_what_is_made_from_them_and_leaves_the_others(made: Lake) -> None:
    write(made, ring__sql="SELECT * FROM ring", last__sql="SELECT * FROM ring")
    before = {one.dataset: one.stale for one in made.workspace.status()}

    found = made.workspace.build()
    played = made.workspace.round(retries=0)

    assert outcomes(found.steps) == {"by_state": "made", "top": "made", "ring": "failed", "last": "skipped"}
    assert (found.exit_code, found.steps[1].where) == (2, "transforms/ring.sql")
    assert outcomes(played.steps)["top"] == "unchanged"
    assert before["by_state"] == ("never built",)
    after = {one.dataset: one.stale for one in made.workspace.status()}
    assert (after["by_state"], after["top"]) == ((), ())
    assert after["ring"] == ("derived datasets read each other in a circle: ring → ring",)
    assert after["last"] == ("never built", "ring")


def test_each_step_of_a_circle_tells_it(made: Lake) -> None:
    write(made, by_state__sql="SELECT * FROM top")

    found = made.workspace.build()

    assert outcomes(found.steps) == {"by_state": "failed", "top": "failed"}
    assert {one.what.partition(": ")[2] for one in found.steps} == {"by_state → top → by_state"}
    assert outcomes(made.workspace.build("top").steps) == {"top": "failed"}


def test_an_upstream_without_a_version_is_told(lake: Lake) -> None:
    write(lake, by_state__sql=BY_STATE)

    found = step(lake, "by_state")

    assert found.what == "loans has no version yet to derive from"
    assert found.do == "lastro ingest loans"


def test_no_rows_at_the_first_build_want_a_contract(made: Lake) -> None:
    write(made, x__py="def x(loans):\n    return []\n")

    found = step(made, "x")

    assert found.what == "the step gave no row with a column, so no contract can be inferred"


def test_no_rows_empty_a_dataset_that_has_a_contract(made: Lake) -> None:
    write(made, x__py="def x(loans):\n    return [{'id': 1}]\n")
    made.workspace.build("x")
    write(made, x__py="def x(loans):\n    return []\n")

    found = step(made, "x")

    assert found.outcome is Outcome.MADE, found.what
    assert rows(made, "x") == []


def test_more_rows_than_inference_looks_at(made: Lake) -> None:
    write(made, x__sql="SELECT unnest(range(600000)) AS number FROM (SELECT min(id) AS id FROM loans)")

    found = step(made, "x")

    assert (found.outcome, found.kept) == (Outcome.MADE, 600_000), found.what


def test_only_what_is_derived_is_built(made: Lake) -> None:
    with pytest.raises(UsageError, match="loans is not derived"):
        made.workspace.build("loans")
    with pytest.raises(UsageError, match="loans is not derived"):
        made.workspace.why("loans")
    with pytest.raises(UnknownName):
        made.workspace.build("nobody")
    with pytest.raises(ConfigurationError, match="is derived from other datasets"):
        made.workspace.dataset("by_state").ingest()
    with pytest.raises(ConfigurationError, match="there is a dataset by_state already"):
        made.workspace.add(str(made.csv), name="by_state")


def test_the_file_of_the_workspace_is_read_once_in_a_build_and_anew_once_it_changed(made: Lake, monkeypatch) -> None:
    read, plain = [], document.read

    def reading(text: str, *, name: str):
        read.extend([name] if name == "lastro.yaml" else [])
        return plain(text, name=name)

    monkeypatch.setattr(document, "read", reading)
    file = made.root / "lastro.yaml"
    text = file.read_text()

    file.write_text(text + "# seen\n")
    lastro.open(made.root).build()
    once = len(read)
    file.write_text(text + "# soon\n")
    lastro.open(made.root).build()

    assert (once, len(read)) == (1, 2)


def test_a_name_brings_what_it_is_made_from(made: Lake) -> None:
    write(made, other__sql="SELECT id FROM loans")

    found = made.workspace.build("top")

    assert [one.dataset for one in found.steps] == ["by_state", "top"]


def test_a_plan_executes_nothing(made: Lake) -> None:
    before = files(made.root)

    found = building.plan(made.workspace, ())

    assert [(one.dataset, one.words()) for one in found] == [
        ("by_state", ("never built",)),
        ("top", ("never built", "by_state")),
    ]
    assert files(made.root) == before


def test_a_round_builds_after_it_ingested(made: Lake) -> None:
    made.workspace.build()
    made.csv.write_text(GOOD + "4,SP,1,2026-01-04\n")

    played = made.workspace.round()
    named = made.workspace.round("top")

    assert outcomes(played.steps) == {"loans": "made", "by_state": "made", "top": "made"}
    assert outcomes(named.steps) == {"top": "unchanged"}


def test_the_status_says_what_is_stale(made: Lake) -> None:
    before = {one.dataset: one.stale for one in made.workspace.status()}
    made.workspace.build()
    after = {one.dataset: one.stale for one in made.workspace.status()}
    write(made, by_state__sql="SELECT * FROM lones")
    broken = {one.dataset: one.stale for one in made.workspace.status()}

    assert before == {"loans": None, "by_state": ("never built",), "top": ("never built", "by_state")}
    assert after == {"loans": None, "by_state": (), "top": ()}
    assert broken["by_state"] == ("there is no dataset lones to derive from",)


def test_a_step_is_tried_again(made: Lake) -> None:
    write(
        made,
        x__py="import pathlib\n\ndef x(loans):\n    mark = pathlib.Path(__file__).with_name('mark.txt')\n"
        "    if not mark.exists():\n        mark.write_text('')\n        raise OSError('away')\n    return loans\n",
    )
    pauses: list[float] = []

    found = building.build(made.workspace, ("x",), retries=1, sleep=pauses.append)

    assert (found.steps[0].outcome, found.steps[0].attempts, pauses) == (Outcome.MADE, 2, [2.0])


def test_modules_of_the_folder_are_loaded_afresh(made: Lake) -> None:
    write(
        made,
        _shared__py="LEAST = 1\n",
        x__py="from _shared import LEAST\n\ndef x(loans):\n    return [{'least': LEAST}]\n",
    )
    made.workspace.build("x")
    write(made, _shared__py="LEAST = 20\n")

    found = step(made, "x")

    assert found.outcome is Outcome.MADE
    assert rows(made, "x") == [{"least": 20}]
    assert "_shared" not in sys.modules
    assert not list((made.root / "transforms").rglob("*.pyc"))


def test_code_that_changes_while_it_runs_is_noticed(made: Lake) -> None:
    write(
        made, x__py="def x(loans):\n    with open(__file__, 'a') as file:\n        file.write('#')\n    return loans\n"
    )

    found = step(made, "x")

    assert found.what == "the step's code changed while it ran"
    assert made.workspace.dataset("x").log() == ()


def test_two_builds_at_once_make_one_version(made: Lake) -> None:
    made.workspace.build()
    write(made, by_state__sql=BY_STATE + " -- again")
    others = [lastro.open(made.root) for _ in range(3)]
    found: list[str] = []

    def run(workspace: lastro.Workspace) -> None:
        found.extend(one.outcome.value for one in workspace.build("by_state").steps)

    threads = [threading.Thread(target=run, args=(one,)) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made.workspace.dataset("by_state").log()) == 2
    assert sorted(found) in (["made", "unchanged", "unchanged"], ["made", "made", "unchanged"], ["made"] * 3)


def test_a_build_killed_in_the_middle_of_its_rows_leaves_the_version_before_it(made: Lake) -> None:
    code = (
        "import os, pathlib, signal\n\ndef x(loans):\n    die = pathlib.Path(__file__).with_name('die.txt')\n"
        "    for number in range(30_000):\n        if number == 20_000 and die.exists():\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n        yield {'id': number}\n"
    )
    write(made, x__py=code)
    made.workspace.build("x")
    write(made, die__txt="", x__py=code.replace("'id': number", "'id': number + 1"))

    killed = subprocess.run(
        [sys.executable, "-c", "import lastro; lastro.open().build('x')"], cwd=made.root, check=False, timeout=120
    )
    held = made.workspace.version("x").to_arrow("id").column("id").to_pylist()
    (made.root / "transforms" / "die.txt").unlink()
    found = step(made, "x")

    assert killed.returncode == -signal.SIGKILL
    assert sorted(held) == list(range(30_000))
    assert (found.outcome, found.kept) == (Outcome.MADE, 30_000)
    assert sorted(made.workspace.version("x").to_arrow("id").column("id").to_pylist()) == list(range(1, 30_001))
    assert made.workspace.verify("x", read_data=True).passed


def test_builds_killed_at_any_moment_end_in_one_version_for_each_change(made: Lake) -> None:
    made.workspace.build()
    for number in range(4):
        write(made, by_state__sql=BY_STATE.replace("count(*)", f"count(*) + {number + 1}"))
        process = subprocess.Popen([sys.executable, "-c", "import lastro; lastro.open().build()"], cwd=made.root)
        time.sleep(0.35 * (number + 1))
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
        found = made.workspace.build()
        assert found.passed
        assert {row["n"] for row in rows(made, "by_state")} == {number + 2}

    assert len(made.workspace.dataset("by_state").log()) == 5
    assert made.workspace.verify(read_data=True).passed


def test_a_column_that_is_new_is_told_by_the_contract_not_lost_silently(made: Lake) -> None:
    made.workspace.build("by_state")
    made.configure(extra="  by_state:\n    schema_change: evolve\n")
    write(made, by_state__sql=BY_STATE.replace("count(*) AS n", "count(*) AS n, 1 AS one"))

    first, again = step(made, "by_state"), step(made, "by_state")

    assert (first.outcome, again.outcome) == (Outcome.MADE, Outcome.UNCHANGED)
    assert rows(made, "by_state")[0]["one"] == 1


def test_a_run_knows_what_was_read_and_made(made: Lake) -> None:
    with made.workspace.run("build") as run:
        made.workspace.build("by_state")

    record = next(one for one in made.workspace.runs() if one.id == run.id)
    assert [one.reference for one in record.inputs] == ["loans@0"]
    assert [one.reference for one in record.outputs] == ["by_state@0"]


def test_an_empty_upstream_is_derived_from(lake: Lake) -> None:
    lake.csv.write_text(HEADER + "1,SP,1,2026-01-01\n")
    lake.loans.ingest()
    write(lake, by_state__sql=BY_STATE)
    lake.workspace.build()
    lake.csv.write_text(HEADER)
    lake.loans.ingest()

    assert step(lake, "by_state").outcome is Outcome.MADE
    assert rows(lake, "by_state") == []
