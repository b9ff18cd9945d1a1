"""Suggested rules hold for the very rows they were made from, and are written as a person would write them."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.workspace.lake import CONTRACT, Lake

from lastro.engine.duck.engine import DuckEngine
from lastro.model.errors import UnknownName
from lastro.model.finding import Policy, Verdict
from lastro.quality.suggest import ROWS_MIN
from lastro.quality.suggestion import Kind

OPEN = """\
apiVersion: v3.2.0
kind: DataContract
id: loans
version: 1.0.0
schema:
  - name: loans
    properties:
      - name: id
        logicalType: integer
      - name: count
        logicalType: integer
      - name: share
        logicalType: number
      - name: small
        logicalType: number
        logicalTypeOptions:
          format: f32
      - name: price
        logicalType: number
        physicalType: decimal(20,6)
      - name: text
        logicalType: string
      - name: flag
        logicalType: boolean
      - name: day
        logicalType: date
"""
LARGE = 10**13
FINITE = st.floats(allow_nan=False, allow_infinity=False)
POOLS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "count": (pa.int64(), st.integers(-LARGE, LARGE)),
    "share": (pa.float64(), FINITE),
    "small": (pa.float32(), st.floats(width=32, allow_nan=False, allow_infinity=False)),
    "price": (pa.decimal128(20, 6), st.decimals(-LARGE, LARGE, places=6)),
    "text": (pa.string(), st.text(max_size=12)),
    "flag": (pa.bool_(), st.booleans()),
    "day": (pa.date32(), st.dates()),
}


@st.composite
def tables(draw: st.DrawFn) -> list[pa.Table]:
    """One to three tables of the contract's columns, of few values or of many, some of them missing."""
    rnd = random.Random(draw(st.integers(0, 2**32)))
    pools = {name: draw(st.lists(pool, min_size=1, max_size=6)) for name, (_type, pool) in POOLS.items()}
    holes = {name: draw(st.sampled_from([0, 0, 0.1])) for name in POOLS}
    made = []
    for _version in range(draw(st.integers(1, 3))):
        rows = draw(st.integers(ROWS_MIN, ROWS_MIN + 60))
        columns = {"id": pa.array(rnd.sample(range(2 * rows), rows), pa.int64())}
        for name, (kind, _pool) in POOLS.items():
            values = [None if rnd.random() < holes[name] else rnd.choice(pools[name]) for _row in range(rows)]
            columns[name] = pa.array(values, kind)
        made.append(pa.table(columns))
    return made


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.generate])
@given(tables())
def test_what_was_suggested_holds_for_the_rows_it_was_made_from(versions: list[pa.Table]) -> None:
    with TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake")
        lake.configure(contract=OPEN)
        # Equal rows make no version, so that each says in its own first column which it is.
        numbers = [lake.loans.ingest(data=table).version for table in versions]

        found = lake.loans.suggest(*map(str, numbers), write=True)
        names = {f"{each.column}.{each.rule.get('metric')}" for each in found.suggestions}
        results = [lake.loans.ingest(data=table) for table in versions]

        assert {"id.nullValues", "id.duplicateValues"} <= names
        warned = [finding for result in results for finding in result.findings if finding.verdict is not Verdict.PASSED]
        assert not warned
        assert not any(result.counts.quarantined for result in results)
        assert lake.loans.suggest(*map(str, numbers)).suggestions == ()


@pytest.fixture
def known(lake: Lake) -> Lake:
    """Three versions of rows whose first column counts on."""
    columns = OPEN.partition("      - name: small")[0]
    lake.configure(contract=columns.replace("logicalType: number\n", "logicalType: number  # of all\n"))
    rnd = random.Random(3)
    for rows in (900, 1_000, 950):
        lines = "".join(f"{number},{rnd.randrange(20)},{rnd.random():.6f}\n" for number in range(rows))
        lake.csv.write_text("id,count,share\n" + lines)
        lake.loans.ingest()
    return lake


def contract_of(lake: Lake) -> str:
    return (lake.root / "contracts" / "loans.odcs.yaml").read_text()


def test_nothing_is_written_unless_asked(known: Lake) -> None:
    before = contract_of(known)

    found = known.loans.suggest("0", "1", "2")

    assert found.written is None
    assert {(each.column, each.kind) for each in found.suggestions} == {
        ("id", Kind.REQUIRED),
        ("id", Kind.UNIQUE),
        ("count", Kind.REQUIRED),
        ("count", Kind.RANGE),
        ("share", Kind.REQUIRED),
        ("share", Kind.RANGE),
        (None, Kind.ROWS),
    }
    assert contract_of(known) == before


def test_written_rules_warn_and_refuse_nothing(known: Lake) -> None:
    found = known.loans.suggest("0", "1", "2", write=True)
    rules = known.loans.contract().plan()

    known.csv.write_text("id,count,share\n1,2,0.5\n1,,7000\n")
    result = known.loans.ingest()

    assert found.written == known.root / "contracts" / "loans.odcs.yaml"
    assert "logicalType: number  # of all\n" in contract_of(known)
    assert {rule.policy for rule in (*rules.row_rules, *rules.table_rules) if "type" not in rule.name} == {Policy.WARN}
    assert result.counts.kept == 2
    assert {each.rule for each in result.findings if each.verdict is Verdict.WARNING} == {
        "id.duplicateValues",
        "count.nullValues",
        "share.range",
        "rowCount",
    }


def test_only_the_newest_version_is_looked_at_unless_others_are_named(known: Lake) -> None:
    found = known.loans.suggest()

    assert found.versions == ("loans@2",)
    assert known.loans.suggest("2", "0", "2").versions == ("loans@0", "loans@2")
    with pytest.raises(UnknownName):
        known.loans.suggest("9")


def test_rows_are_read_only_for_columns_that_may_be_unique(known: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[str] = []
    measure = DuckEngine.measure

    def noted(engine, files, schema, rules, **options):
        measured.extend(rule.name for rule in rules)
        return measure(engine, files, schema, rules, **options)

    monkeypatch.setattr(DuckEngine, "measure", noted)
    monkeypatch.setattr(DuckEngine, "profile", None)
    known.loans.suggest()

    assert measured == ["id"]


def test_a_rule_that_somebody_wrote_in_the_meantime_is_not_doubled(known: Lake) -> None:
    stale = known.workspace.dataset("loans")
    target = stale.target()
    first = "        logicalType: integer\n"
    mine = contract_of(known).replace(first, first + "        required: true\n", 1)
    (known.root / "contracts" / "loans.odcs.yaml").write_text(mine)

    from lastro.pipeline.suggest import suggested

    found = suggested(target, [stale.find("2")], write=True)

    assert ("id", Kind.REQUIRED) not in {(each.column, each.kind) for each in found.suggestions}
    assert "required: true" in contract_of(known)
    assert contract_of(known).count("metric: nullValues") == 2


def test_a_contract_with_rules_of_its_own_gets_only_what_it_lacks(lake: Lake) -> None:
    lake.configure(contract=CONTRACT)
    lake.csv.write_text("id,uf,income,applied_at\n" + "".join(f"{n},SP,{n % 7}.5,2026-01-01\n" for n in range(400)))
    lake.loans.ingest()

    found = lake.loans.suggest()

    assert {(each.column, each.kind) for each in found.suggestions} == {
        ("uf", Kind.REQUIRED),
        ("income", Kind.REQUIRED),
        ("applied_at", Kind.REQUIRED),
    }
