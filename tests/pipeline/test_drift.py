"""Drift of a dataset: which rows are compared, when rows are read for it, and what is told first."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.workspace.lake import CONTRACT, HEADER, Lake
from tests.workspace.predictions import Predictions

from lastro.drift.result import Verdict
from lastro.drift.settings import Settings
from lastro.engine.duck.engine import DuckEngine
from lastro.model.errors import Corrupted, UnknownName, UsageError
from lastro.model.reference import Moment

Month = dict[str, float]


def month(number: int, *, rows: int = 4_000, low: float = 0.0, missing: float = 0.0, sp: float = 1 / 3) -> str:
    """A month's applications as CSV: incomes from `low` on, a share of them missing, a share of them from SP."""
    draw = random.Random(number)
    lines = []
    for index in range(rows):
        uf = "SP" if draw.random() < sp else draw.choice(["RJ", "MG"])
        income = "" if draw.random() < missing else f"{low + draw.gammavariate(4, 500):.2f}"
        lines.append(f"{number * 100_000 + index},{uf},{income},2026-{number:02d}-{draw.randint(1, 28):02d}\n")
    return HEADER + "".join(lines)


@pytest.fixture
def months(lake: Lake) -> Lake:
    """Two months alike, and one that drifted; each is a version."""
    lake.configure(mode="append")
    for number, text in enumerate((month(1), month(2), month(3, low=600.0, missing=0.2)), start=1):
        (lake.root / f"loans-{number}.csv").write_text(text)
        lake.loans.ingest()
    return lake


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files whose rows are counted."""
    read: list[Path] = []
    counting = DuckEngine.profile

    def noted(engine, files, schema, **options):
        read.extend(files)
        return counting(engine, files, schema, **options)

    monkeypatch.setattr(DuckEngine, "profile", noted)
    return read


def verdicts(report) -> dict[str, str]:
    return {column.name: str(column.verdict) for column in report.comparison.drift.columns}


def test_a_month_that_drifted_is_told_and_the_cause_comes_first(months: Lake) -> None:
    report = months.loans.drift("0", since="1")

    assert not report.passed
    assert report.worst(1)[0].name == "income"
    assert verdicts(report)["uf"] != "drifted"
    assert set(report.comparison.left_out) == {"id", "applied_at"}
    assert report.comparison.drift.current == 4_000


def test_a_month_alike_is_quiet(months: Lake) -> None:
    report = months.loans.drift("0", current="1", since="0")

    assert report.passed
    assert Verdict.DRIFTED not in verdicts(report).values()


def test_versions_that_were_counted_alike_are_compared_without_reading_a_row(months: Lake, reading: list[Path]) -> None:
    reading.clear()

    reports = [months.loans.drift("1", current="2"), months.loans.drift("1", since="1")]

    assert reading == []
    assert [report.comparison.rows_read for report in reports] == [False, False]


def test_what_was_counted_equals_what_is_read(months: Lake) -> None:
    counted = months.loans.drift("1", since="1")
    for number in (1, 2):
        months.loans.table.places.profile(number).unlink()

    read = months.loans.drift("1", since="1")

    assert read.comparison.rows_read
    assert verdicts(read) == verdicts(counted)


def test_a_window_of_time_takes_the_rows_whose_column_lies_there(months: Lake) -> None:
    report = months.loans.drift("0", time="applied_at", since="2026-03-01")

    assert report.comparison.drift.current == 4_000
    assert report.comparison.left_out["applied_at"]
    assert report.worst(1)[0].name == "income"


def test_a_window_of_commits_begins_at_a_moment(months: Lake) -> None:
    first = months.loans.find("0").committed
    months.workspace.clock = lambda: first

    whole = months.loans.drift("0", window="7d")

    assert whole.comparison.drift.current == 12_000
    assert months.loans.table.find(Moment(first)).number == 0


def test_slices_explain_the_change(lake: Lake) -> None:
    lake.configure(mode="append")
    (lake.root / "loans-1.csv").write_text(month(1))
    lake.loans.ingest()
    moved = month(2).splitlines(keepends=True)
    moved = [line.replace(",SP,", ",SP,9") if ",SP," in line else line for line in moved]
    (lake.root / "loans-2.csv").write_text("".join(moved))
    lake.loans.ingest()

    report = lake.loans.drift("0", since="0", by="uf")

    assert report.comparison.slices[0].slice == "SP"
    assert report.comparison.by_column["income"][0].share > 0.8
    assert report.to_dict()["slices"][0]["slice"] == "SP"
    shown = report._repr_html_()
    assert "income" in shown
    assert "<svg" in shown
    assert "id=" not in shown


def test_slices_explain_what_was_compared_and_not_columns_that_only_go_on(months: Lake) -> None:
    report = months.loans.drift("0", since="1", by="uf")
    explained = sum(share.explained for share in report.comparison.slices)
    of_income = sum(share.explained for share in report.comparison.by_column["income"])

    assert set(report.comparison.left_out) == {"id", "applied_at"}
    assert explained == pytest.approx(of_income)


def test_named_columns_are_compared_whatever_they_are(months: Lake) -> None:
    report = months.loans.drift("0", since="1", columns=["id"])

    assert verdicts(report) == {"id": "drifted"}


def unprofiled(lake: Lake) -> Path:
    """The folder of the table, whose newest version has no profile any more: its rows must be read."""
    table = lake.root / "tables" / "loans"
    (table / "_lastro" / "profiles" / "2.json.gz").unlink()
    return table


@pytest.mark.parametrize("time", [None, "applied_at"])
def test_of_rows_that_are_read_only_the_named_columns_are_counted(
    months: Lake, monkeypatch: pytest.MonkeyPatch, time: str | None
) -> None:
    unprofiled(months)
    counted: list[tuple[str, ...]] = []
    counting = DuckEngine.profile

    def noted(engine, files, schema, **options):
        counted.append(schema.names)
        return counting(engine, files, schema, **options)

    monkeypatch.setattr(DuckEngine, "profile", noted)

    report = months.loans.drift("0", since="1" if time is None else "2026-03-01", time=time, columns=["income"])

    assert verdicts(report) == {"income": "drifted"}
    assert report.comparison.rows_read
    assert counted == [("income",) if time is None else ("income", "applied_at")]


def test_only_the_windows_files_are_proven(months: Lake) -> None:
    table = unprofiled(months)
    first, *_others, last = sorted(table.glob("part-*.parquet"))
    damage(first)

    report = months.loans.drift("0", since="1")

    assert verdicts(report)["income"] == "drifted"
    damage(last)
    with pytest.raises(Corrupted):
        months.loans.drift("0", since="1")


def damage(path: Path) -> None:
    """Changes a byte in the middle."""
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_reading_rows_loads_neither_pandas_nor_an_engine_it_does_not_need(months: Lake) -> None:
    unprofiled(months)
    program = (
        f"import lastro, sys; report = lastro.open({str(months.root)!r}).dataset('loans').drift('0', since='1');"
        "print(report.comparison.rows_read, [name for name in ('pandas', 'duckdb', 'sqlglot') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "True []\n"


def test_a_row_that_was_replaced_leaves_no_window_of_commits(lake: Lake) -> None:
    lake.configure(mode="upsert")
    lake.csv.write_text(month(1, rows=50))
    lake.loans.ingest()
    lake.csv.write_text(month(1, rows=50, low=5.0))
    lake.loans.ingest()

    with pytest.raises(UsageError, match="changed or taken away") as found:
        lake.loans.drift("0", since="0")

    assert "--time" in (found.value.do or "")
    assert lake.loans.drift("0", current="1").comparison.drift.current == 50


@pytest.mark.parametrize(
    ("asked", "kind", "what"),
    [
        ({"since": "0", "window": "7d"}, UsageError, "both"),
        ({"time": "applied_at"}, UsageError, "beginning"),
        ({"time": "applied_at", "since": "0"}, UsageError, "no date"),
        ({"time": "uf", "since": "2026-01-01"}, UsageError, "no dates"),
        ({"time": "nothing", "window": "7d"}, UnknownName, "no column"),
        ({"columns": ["nothing"]}, UnknownName, "no column"),
        ({"settings": Settings(margins={"nothing": 0.1})}, UnknownName, "no column"),
        ({"by": "income"}, UsageError, "told apart"),
        ({"by": "nothing"}, UsageError, "told apart"),
        ({"current": "nobody"}, UnknownName, "no such version"),
    ],
)
def test_what_makes_no_sense_is_refused(months: Lake, asked, kind, what: str) -> None:
    with pytest.raises(kind, match=what):
        months.loans.drift("0", **asked)


def test_a_window_without_rows_is_told(months: Lake) -> None:
    report = months.loans.drift("0", time="applied_at", since="2030-01-01")

    assert not report.passed
    assert report.comparison.drift.verdict is Verdict.NOT_COMPARABLE
    assert "no rows" in report.comparison.drift.words


def test_a_reference_of_another_schema_is_compared_as_far_as_it_goes(lake: Lake) -> None:
    lake.configure(mode="overwrite")
    lake.csv.write_text(month(1))
    lake.loans.ingest()
    wider = CONTRACT + "      - name: channel\n        logicalType: string\n"
    wider = wider.replace("logicalType: number\n        logicalTypeOptions: {minimum: 0}", "logicalType: string")
    lake.configure(contract=wider)
    lines = month(2).replace("\n", ",web\n").replace("applied_at,web", "applied_at,channel")
    lake.csv.write_text(lines)
    lake.loans.ingest()

    found = verdicts(lake.loans.drift("0"))

    assert found["channel"] == "not comparable"
    assert found["income"] == "not comparable"
    assert found["uf"] == "unsure"


def test_a_withheld_column_shows_no_value(months: Lake) -> None:
    closed = CONTRACT.replace("- name: uf\n", "- name: uf\n        classification: restricted\n")
    months.configure(mode="append", contract=closed)

    report = months.loans.drift("0", since="1")

    assert "SP" not in repr(report.to_dict())
    assert verdicts(report)["income"] == "drifted"
    with pytest.raises(UsageError, match="told apart"):
        months.loans.drift("0", since="1", by="uf")


@pytest.mark.parametrize(
    ("before", "after", "is_left_out"),
    [
        (range(1, 401), range(5_001, 5_401), True),  # running numbers, a year later
        (range(1, 401), range(401, 403), True),
        ([202_511, 202_512] * 200, [202_601] * 400, True),  # months
        ([1_000 + n % 97 for n in range(400)], [100_000 + 100 * (n % 97) for n in range(400)], False),  # in cents
        ([1_000 + 7 * n for n in range(400)], [100_000 + 700 * n for n in range(400)], False),  # no value comes twice
        ([n % 7 for n in range(400)], [1_000 + n % 7 for n in range(400)], False),
    ],
)
def test_a_number_that_only_goes_on_is_no_number_of_another_unit(
    tmp_path: Path, before: Sequence[int], after: Sequence[int], is_left_out: bool
) -> None:
    world = Predictions(tmp_path / "lake", {"number": "logicalType: integer"})
    for values in (before, after):
        world.add({"number": list(values)})

    report = world.dataset.drift("0", since="0")

    assert ("number" in report.comparison.left_out) is is_left_out
    assert report.passed is is_left_out
