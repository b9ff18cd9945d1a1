"""Each report, made from real values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from lastro.catalog.run_record import Code, Environment, RunRecord, RunStatus, UsedVersion
from lastro.engine.protocol import ColumnMeasures
from lastro.model.cleaning import Cleaned
from lastro.model.errors import DataRefused, UnknownName
from lastro.model.finding import Finding, Policy, Severity, Verdict
from lastro.model.plan import (
    AllOf,
    Breaks,
    CastHolds,
    CleanText,
    ColumnPlan,
    Condition,
    Duplicates,
    Holds,
    Identifier,
    IdentifierKind,
    LengthWithin,
    Matches,
    Measure,
    MultipleOf,
    NoneOf,
    NotNull,
    OneOf,
    Operator,
    Orphans,
    Plan,
    Query,
    RowCount,
    RowRule,
    Share,
    Spellings,
    Statistic,
    StatisticKind,
    TableRule,
    Threshold,
    Unit,
    Within,
)
from lastro.model.schema import Decimal, Field, Primitive, Schema
from lastro.model.version import FileEntry, Mode, Origin, RowCounts, VersionInfo
from lastro.pipeline.compare import Diff, SchemaChange
from lastro.pipeline.result import IngestResult
from lastro.report import versions
from lastro.report.blocks import Blocks
from lastro.report.difference import difference, difference_verdict
from lastro.report.findings import findings
from lastro.report.html import to_html
from lastro.report.ingested import ingested, ingested_verdict
from lastro.report.plain import Page, to_text
from lastro.report.plans import condition_text, plan_blocks, plan_values
from lastro.report.problem import problem
from lastro.report.refused import quarantine
from lastro.report.runs import runs
from lastro.report.upkeep import collected, damage, repairs

DIGEST = "sha256:" + "0123456789abcdef" * 4
HOSTILE = "\x1b[2J<script>\u202e"
SHOWN = "\\x1b[2J<script>\\u202e"


def shown(blocks: Blocks, width: int | None = None) -> list[str]:
    """The report's lines; the HTML of the same blocks is made too, since nobody else may look at it."""
    assert "<script>" not in to_html(blocks)
    return to_text(blocks, Page(width=width)).splitlines()


def finding(rule: str, verdict: Verdict, **given: Any) -> Finding:
    return Finding(**{"rule": rule, "verdict": verdict, "severity": Severity.ERROR, "policy": Policy.FAIL, **given})


FINDINGS = (
    finding("rows", Verdict.PASSED, measured=588.0),
    finding(
        "income_missing",
        Verdict.WARNING,
        policy=Policy.QUARANTINE,
        column="income",
        rows_refused=1553,
        rows_total=50_000,
        measured=1553.0,
        expected="exactly 0 rows",
    ),
    finding("share_missing", Verdict.FAILED, measured=3.1, unit="percent", expected="at most 2 %"),
    finding("late", Verdict.WARNING, policy=Policy.WARN, measured=None),
)


def test_findings_stand_worst_first_with_mark_and_word() -> None:
    lines = shown(findings(FINDINGS))

    assert [line.split("  ")[1] for line in lines] == ["verdict", "✗ failed", "! set aside", "! warning", "✓ passed"]
    assert "3.1 %" in lines[1]
    assert "1,553 (3.1 %)" in lines[2]


def test_findings_may_leave_out_the_passed_but_count_them() -> None:
    lines = shown(findings(FINDINGS, passed=False))

    assert len(lines) == 5
    assert lines[-1] == "  ✓ 1 rule passed"


def result(**given: Any) -> IngestResult:
    whole = {
        "dataset": "loans",
        "version": 3,
        "digest": DIGEST,
        "unchanged": False,
        "mode": Mode.UPSERT,
        "counts": RowCounts(11_000, 10_412, 588),
        "findings": FINDINGS[:2],
        "rows_total": 60_412,
        "seconds": 2.0,
    }
    return IngestResult(**{**whole, **given})


def test_an_ingest_ends_with_what_there_is_now() -> None:
    assert ingested_verdict(result()) == "loans is at version 3: 10,412 rows kept, 588 set aside"
    assert ingested_verdict(result(counts=RowCounts(1, 1, 0))) == "loans is at version 3: 1 row kept, 0 set aside"
    assert "is unchanged, still at version 3" in ingested_verdict(result(unchanged=True, counts=None))
    assert ingested_verdict(result(version=None, counts=None)) == "loans: nothing was committed"


def test_corrections_of_which_none_passes_say_so() -> None:
    one, two = (ingested_verdict(result(unchanged=True, counts=RowCounts(n, 0, n))) for n in (1, 2))

    assert one == "loans is unchanged, still at version 3: the one corrected row is refused again"
    assert two == "loans is unchanged, still at version 3: all 2 corrected rows are refused again"


def test_an_ingest_shows_its_figures() -> None:
    lines = shown(ingested(result()))

    assert lines[-2] == "  upsert: 11,000 rows read in 2 s (5,500 rows/s); the version holds 60,412 rows"
    assert lines[-1] == "  0 inserted, 0 updated, 0 deleted, 0 unchanged"


def test_an_ingest_in_batches_shows_its_versions_and_its_proof() -> None:
    lines = shown(ingested(result(versions=(3, 4, 5), reconciled=True)))

    assert lines[-2:] == [
        "  read in 3 batches: versions 3 to 5",
        "  reconciled: what the source counted is what arrived",
    ]
    assert shown(ingested(result(unchanged=True))) == []


def test_an_ingest_shows_what_cleaning_did_side_by_side() -> None:
    columns = (
        Cleaned("uf", 11_000, 0, 12, 640),
        Cleaned("name", 11_000, 3, 3, 0),
        Cleaned("amount", 11_000, 5, 2, None),
        Cleaned("cpf", 11_000, 0, 0, 10_990),
    )

    lines = shown(ingested(result(cleaning=columns)))

    at = next(number for number, line in enumerate(lines) if "missing before" in line)
    assert [line.split() for line in lines[at : at + 4]] == [
        ["cleaned", "missing", "before", "after", "changed"],
        ["cpf", "0", "0", "10,990"],
        ["uf", "0", "12", "640"],
        ["amount", "5", "2", "–"],
    ]
    assert not any("name" in line for line in lines)


def test_of_many_cleaned_columns_the_most_changed_are_shown() -> None:
    lines = shown(ingested(result(cleaning=tuple(Cleaned(f"c{n}", 99, 0, 0, n) for n in range(15)))))

    assert "  and 2 more columns" in lines
    assert not any(line.split()[:1] in (["c0"], ["c1"], ["c2"]) for line in lines)
    assert shown(ingested(result(cleaning=(Cleaned("c", 9, 1, 1, 0),)))) == shown(ingested(result()))


def test_the_figures_follow_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_LANG", "pt_BR")

    assert ingested_verdict(result()) == "loans está na versão 3: 10.412 linhas mantidas, 588 separadas"


def test_the_quarantine_shows_bars_and_rows() -> None:
    rows = [
        {"batch": "b", "rules": ["cpf", HOSTILE], "source": "a.csv", "position": 1200, "record": HOSTILE + "x" * 999}
    ]

    lines = shown(quarantine({"cpf": 30, "uf": 15, HOSTILE: 1}, rows, 46))

    assert lines[0] == "Set aside, by rule"
    assert lines[2].split() == ["cpf", "30", "65.2", "%", "████████████"]
    assert lines[3].split() == ["uf", "15", "32.6", "%", "██████"]
    assert SHOWN in lines[4]
    assert "1,200" in lines[8]
    assert lines[8].endswith("…")
    assert "45 more" in lines[9]


def test_an_empty_quarantine_says_nothing() -> None:
    assert quarantine({}, [], 0) == ()


def info(number: int, **given: Any) -> VersionInfo:
    whole = {
        "dataset": "loans",
        "number": number,
        "digest": DIGEST,
        "parent": None,
        "committed": datetime(2026, 11, 22, 10, tzinfo=UTC),
        "schema": Schema((Field("id", Primitive.LONG, nullable=False), Field("amount", Decimal(12, 2)))),
        "rows": 60_412,
        "size": 5 << 20,
        "files": (FileEntry("a.parquet", 5 << 20, "ab" * 32, 60_412),),
        "origin": Origin(Mode.UPSERT, "key", counts=RowCounts(11_000, 10_412, 588)),
    }
    return VersionInfo(**{**whole, **given})


def test_the_log_tells_versions_apart() -> None:
    restored = info(1, origin=Origin(Mode.RESTORE, "key2"))

    lines = shown(versions.log([info(2), restored], {"approved": 2, "best": 2, "old": 1}))

    assert "2026-11-22 10:00  upsert   60,412  10,412" in lines[1]
    assert lines[1].endswith("  0123456789  approved, best")
    assert "restore  60,412       –          –  5 MiB" in lines[2]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_log_fits_the_page(width: int) -> None:
    lines = shown(versions.log([info(2)], {"approved": 2}), width)

    assert max(map(len, lines)) <= width
    assert "60,412" in lines[1]
    assert "approved" in lines[1]


def test_datasets_without_a_version_are_listed_too() -> None:
    lines = shown(versions.datasets({"loans": info(2), "customers": None}))

    assert lines[2].split() == ["customers", "–", "–", "–", "–", "–"]


def test_a_versions_values_name_its_columns() -> None:
    values = versions.version_values(info(2))

    assert values["reference"] == "loans@2"
    assert values["columns"][1] == {"name": "amount", "type": "decimal(12,2)", "nullable": True}


def diff(**given: Any) -> Diff:
    whole = {
        "before": "loans@1",
        "after": "loans@2",
        "key": ("id",),
        "schema": (SchemaChange("score", "added", None, "double"),),
        "rows": (100, 220),
        "added": 120,
        "removed": 0,
        "changed": 30,
        "cells": {"status": 30, "amount": 15, "name": 0},
        "numbers": {"amount": (measures(2), measures(12)), "score": (None, measures(0))},
        "examples": (
            {"change": "changed", "key": {"id": 7}, "before": {"status": "a"}, "after": {"status": HOSTILE}},
            {"change": "added", "key": {"id": 8}, "before": None, "after": {"status": "b"}},
            {"change": "removed", "key": {"id": 9}, "before": {"status": "c"}, "after": None},
        ),
    }
    return Diff(**{**whole, **given})


def measures(nulls: int) -> ColumnMeasures:
    return ColumnMeasures(nulls=nulls, distinct=5, minimum="1.00", maximum="9.00", mean=4.256)


def test_a_difference_shows_all_its_parts() -> None:
    lines = shown(difference(diff()))
    text = "\n".join(lines)

    assert "  score   added   –       double" in lines
    assert ["added", "120", "████████████"] in [line.split() for line in lines]
    assert ["amount", "15", "50", "%", "██████"] in [line.split() for line in lines]
    assert "2 → 12  +10" in text
    assert "– → 4.26" in text
    assert f"~ changed  id=7  status: a → {SHOWN}" in text
    assert "+ added    id=8  status=b" in text
    assert "- removed  id=9  status=c" in text
    assert "  name " not in text


def test_a_value_that_is_not_there_is_shown_as_everywhere_else() -> None:
    examples = (
        {"change": "added", "key": {"id": 8}, "before": None, "after": {"obs": None}},
        {"change": "changed", "key": {"id": 7}, "before": {"obs": None}, "after": {"obs": "x"}},
    )

    text = "\n".join(shown(difference(diff(examples=examples))))

    assert "obs=–" in text
    assert "obs: – → x" in text
    assert "None" not in text


def test_the_verdict_on_a_difference() -> None:
    assert difference_verdict(diff()) == "from loans@1 to loans@2: 120 rows added, 0 removed, 30 changed"
    same = diff(schema=(), added=0, changed=0, cells={}, numbers={}, examples=())
    assert difference_verdict(same) == "loans@1 and loans@2 hold the same rows"


CONDITIONS: list[tuple[Condition, str]] = [
    (NotNull("a"), "a has a value"),
    (CastHolds("a"), "a can be read as its type"),
    (OneOf("a", ("x", "y")), "a is one of x, y"),
    (OneOf("a", tuple("abcdefgh")), "a is one of a, b, c, d, e, f, …"),
    (NoneOf("a", ("N/A",)), "a is none of N/A"),
    (Matches("a", "[a-z]+"), "a matches [a-z]+"),
    (Within("a", "0", "10"), "0 ≤ a ≤ 10"),
    (Within("a", "0", None, exclusive_minimum=True), "a > 0"),
    (Within("ms", "0.0"), "ms ≥ 0"),
    (Within("ms", "-1.50", "10.0"), "-1.5 ≤ ms ≤ 10"),
    (Within("day", "2026-01-10", None), "day ≥ 2026-01-10"),
    (Within("a", None, "10", exclusive_maximum=True), "a < 10"),
    (LengthWithin("a", 2, 2), "2 ≤ length of a ≤ 2"),
    (MultipleOf("a", "0.01"), "a is a multiple of 0.01"),
    (Holds("a > b"), "a > b"),
    (AllOf((NotNull("a"), Holds("a > 0"))), "a has a value and a > 0"),
    (Identifier("a", IdentifierKind.CPF), "a is a valid CPF"),
    (Identifier("a", IdentifierKind.EMAIL), "a is a valid e-mail address"),
    (CleanText("a"), "a shows no trace of a wrong encoding"),
]


@pytest.mark.parametrize(("condition", "words"), CONDITIONS, ids=[words for _condition, words in CONDITIONS])
def test_conditions_in_words(condition: Condition, words: str) -> None:
    assert condition_text(condition) == words


MEASURES: list[tuple[Measure, str]] = [
    (Duplicates(("a", "b"), approximate=True), "rows that repeat a, b but for case, accents and blanks"),
    (Orphans("shops@3", (("a", "id"), ("b", "no"))), "rows whose a, b is not in shops@3"),
    (Breaks("a", step="1"), "rows whose a is not 1 above the one before, by a"),
    (Breaks("a", by="b"), "rows whose a is not above the one before, by b"),
    (Statistic("a", StatisticKind.MEAN), "mean of a"),
    (Statistic("a", StatisticKind.QUANTILE, 0.95), "quantile 0.95 of a"),
    (Share("a", "SP"), "rows with a = SP"),
    (Spellings("a"), "rows with a rarer spelling of a"),
]


@pytest.mark.parametrize(("measure", "words"), MEASURES, ids=[words for _measure, words in MEASURES])
def test_measures_in_words(measure: Measure, words: str) -> None:
    limit = Threshold(Operator.BETWEEN, (1.0, 5.0), None)
    rule = TableRule("rule", measure, limit)

    values = plan_values(Plan("loans", DIGEST, (), table_rules=(rule,)))
    assert [(each["measure"], each["allowed"]) for each in values["table_rules"]] == [(words, "between 1 and 5")]


PLAN = Plan(
    dataset="loans",
    contract_digest=DIGEST,
    columns=(
        ColumnPlan("id", "id", Primitive.LONG, nullable=False),
        ColumnPlan("uf", "UF", Primitive.STRING, expression="upper(trim(UF))"),
        ColumnPlan("born", "born", Primitive.DATE, format="%d/%m/%Y"),
    ),
    row_rules=(
        RowRule("uf_known", OneOf("uf", ("SP", "RJ")), Policy.QUARANTINE),
        RowRule("cpf", NotNull("id"), Policy.FAIL, threshold=Threshold(Operator.LESS_OR_EQUAL, (2.0,), Unit.PERCENT)),
    ),
    table_rules=(
        TableRule("unique_id", Duplicates(("id",)), Threshold(Operator.MUST_BE, (0.0,))),
        TableRule("enough", RowCount(), Threshold(Operator.BETWEEN, (10.0, 20.0)), Policy.WARN),
        TableRule("own", Query("SELECT count(*) FROM {object}"), Threshold(Operator.GREATER, (1.0,))),
    ),
    primary_key=("id",),
    quarantined_max=Threshold(Operator.LESS, (5.0,), Unit.PERCENT),
)


def test_a_plan_in_words() -> None:
    lines = shown(plan_blocks(PLAN, "SELECT 1\nFROM x"))
    text = "\n".join(lines)

    assert "  uf      string  upper(trim(UF))  yes" in lines
    assert "born (%d/%m/%Y)" in text
    assert "uf_known  uf is one of SP, RJ  the row is set aside  –" in text
    assert "at most 2 %" in text
    assert "rows that repeat id" in text
    assert "between 10 and 20 rows" in text
    assert "  primary key: id" in lines
    assert "  rows set aside: less than 5 %" in lines
    assert lines[-2:] == ["  SELECT 1", "  FROM x"]


def test_a_plans_values_say_the_same() -> None:
    values = plan_values(PLAN)

    assert values["primary_key"] == ("id",)
    assert [rule["condition"] for rule in values["row_rules"]] == ["uf is one of SP, RJ", "id has a value"]
    assert [rule["allowed"] for rule in values["table_rules"]] == [
        "exactly 0 rows",
        "between 10 and 20 rows",
        "more than 1 row",
    ]


def test_a_problem_has_its_four_parts() -> None:
    error = UnknownName("no such\ndataset\x07", where="lake", do="one\ntwo", state="as before")

    assert problem(error, Page()).splitlines() == [
        "error LST-0202: no such",
        "  dataset\\x07",
        "  where  lake",
        "  do     one",
        "         two",
        "  state  as before",
    ]


def test_refused_data_names_the_rules_it_broke() -> None:
    error = DataRefused("loans breaks a rule")
    error.findings = FINDINGS

    text = problem(error, Page())

    assert "✗ failed     share_missing" in text
    assert "✓ 1 rule passed" in text


@dataclass(frozen=True)
class Broken:
    kind: str = "data file"
    path: str = HOSTILE
    what: str = "has other bytes"
    repairable: bool = False


def test_damage_is_located() -> None:
    lines = shown(damage([("loans", Broken()), ("loans", Broken("manifest", repairable=True))]))

    assert re.split("  +", lines[1].strip()) == ["loans", "data file", SHOWN, "has other bytes", "✗ no"]
    assert lines[2].endswith("✓ yes")
    assert damage([]) == ()


def test_repairs_are_told() -> None:
    assert "has other bytes" in shown(repairs([("loans", Broken())]))[1]
    assert repairs([]) == ()


@dataclass(frozen=True)
class Gone:
    files: tuple[str, ...] = ()
    size: int = 0
    expired: tuple[int, ...] = ()


def test_what_was_collected_is_counted() -> None:
    lines = shown(collected([("loans", Gone(("a", "b"), 1536, tuple(range(1200, 1210)))), ("empty", Gone())]))

    assert lines[1].split()[:4] == ["loans", "2", "1.5", "KiB"]
    assert lines[1].endswith("1,200, 1,201, 1,202, 1,203, 1,204, 1,205, 1,206, 1,207, …")
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("status", "mark"),
    [(RunStatus.SUCCEEDED, "✓ succeeded"), (RunStatus.FAILED, "✗ failed"), (RunStatus.RUNNING, "… running")],
)
def test_runs_say_how_they_ended(status: RunStatus, mark: str) -> None:
    record = RunRecord(
        id="20261122T101500123-0a1b2c3d",
        name="credit",
        started=datetime(2026, 11, 22, 10, 15, tzinfo=UTC),
        status=status,
        command=("python", "train.py"),
        folder=".",
        environment=Environment.of(python="3.11", platform="linux", packages={}),
        code=Code("0123456789abcdef", dirty=True),
        inputs=(UsedVersion("loans@approved", "loans", 17, DIGEST),),
        metrics={"auc": 0.81, "rows": 1200, "slope": -3},
    )

    line = shown(runs([record]))[1]

    assert mark in line
    assert "loans@17  0123456789 + changes  auc=0.81; rows=1,200; slope=-3" in line
