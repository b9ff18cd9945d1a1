"""What every engine must count in stored files when a contract's rules are held to them; used as
`tests.engine.conformance` is.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal as Number
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.engine import cases
from tests.engine.conformance import staged, stream

from lastro.engine.protocol import Engine, Tally
from lastro.engine.rules import stored_plan
from lastro.model.errors import Corrupted
from lastro.model.finding import Policy
from lastro.model.plan import (
    CastHolds,
    ColumnPlan,
    Condition,
    Duplicates,
    Foreseen,
    Holds,
    Matches,
    NotNull,
    OneOf,
    Operator,
    Plan,
    Query,
    RowCount,
    RowRule,
    TableRule,
    Threshold,
    Within,
)
from lastro.model.schema import Decimal, Field, ListOf, Primitive, Schema, Type

P = Primitive
NONE = Threshold(Operator.MUST_BE, (0.0,))
ODD = 'a "quoted".name'
STORED = Schema((Field("id", P.LONG), Field("uf", P.STRING), Field(ODD, P.DOUBLE), Field("is_current", P.BOOLEAN)))
COLUMNS = (
    ColumnPlan("id", "ID DO CLIENTE", P.LONG, nullable=False),
    ColumnPlan("uf", "estado", P.STRING, expression="upper(trim(estado))"),
    ColumnPlan(ODD, ODD, P.DOUBLE),
)


def rule(name: str, condition: Condition, policy: Policy = Policy.QUARANTINE) -> RowRule:
    return RowRule(name, condition, policy)


PLAN = Plan(
    "loans",
    "sha256:0",
    COLUMNS,
    (
        rule("id.type", CastHolds("id")),
        rule("id.required", NotNull("id")),
        rule("uf.enum", OneOf("uf", ("SP", "RJ"))),
        rule("uf.pattern", Matches("uf", "[A-Z]{2}")),
        rule("odd.range", Within(ODD, minimum="0"), Policy.FAIL),
        rule("odd.known", Holds(f"\"{ODD.replace(chr(34), chr(34) * 2)}\" < 100 OR uf = 'SP'"), Policy.WARN),
        rule("foreseen", Foreseen()),
    ),
    (
        TableRule("enough", RowCount(), NONE),
        TableRule("id.unique", Duplicates(("id",)), NONE),
        TableRule("primary_key", Duplicates(("id",)), NONE),
        TableRule("mean", Query("select avg(id) from {object} where uf is not null"), NONE),
    ),
)


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two files of a table; the second lacks a column."""
    folder = tmp_path_factory.mktemp("checked")
    current = pa.array([True, True, False, True])
    first = {"id": [1, 2, None, 2], "uf": ["SP", "xx", None, "RJ"], ODD: [1.0, -1.0, -2.0, 150.0]}
    pq.write_table(pa.table({**first, "is_current": current}), folder / "a.parquet")
    pq.write_table(pa.table({"id": [2, 5], "uf": ["sp", "SP"], "is_current": [False, True]}), folder / "b.parquet")
    return [folder / "a.parquet", folder / "b.parquet"]


def test_rules_are_counted_over_stored_rows_as_they_are(engine: Engine, checked: list[Path]) -> None:
    plan = stored_plan(PLAN, STORED).plan

    found = engine.tally(checked, STORED, plan)

    assert found.rows == 6
    assert found.refused == {
        "id.type": 0,
        "id.required": 1,
        "uf.enum": 2,  # nothing is trimmed or made upper case again
        "uf.pattern": 2,
        "odd.range": 2,
        "odd.known": 1,
    }
    assert found.table_rules == {"enough": 6, "id.unique": 2, "primary_key": 2, "mean": 2.4}


def test_table_rules_see_some_rows_where_only_some_count(engine: Engine, checked: list[Path]) -> None:
    found = engine.tally(checked, STORED, stored_plan(PLAN, STORED).plan, only="is_current")

    assert (found.rows, found.counted) == (6, 4)
    assert found.refused["odd.range"] == 2
    assert found.table_rules == {"enough": 4, "id.unique": 1, "primary_key": 1, "mean": 2.5}


def test_no_files_are_no_rows(engine: Engine) -> None:
    found = engine.tally([], STORED, stored_plan(PLAN, STORED).plan)

    assert (found.rows, set(found.refused.values())) == (0, {0})
    assert (found.table_rules["enough"], found.table_rules["id.unique"]) == (0, 0)


def test_more_rules_than_a_word_has_bits_are_counted_and_found(engine: Engine, checked: list[Path]) -> None:
    bounds = [f"{number}" for number in range(130)]
    rules = tuple(rule(f"r{bound}", Within("id", maximum=bound)) for bound in bounds)
    plan = Plan("loans", "sha256:0", COLUMNS[:1], rules)

    found = engine.tally(checked, STORED, stored_plan(plan, STORED).plan)
    rows = engine.failing(checked, STORED, stored_plan(plan, STORED).plan, ["r4", "r129"], show=[], limit=9)

    assert [count for count in found.refused.values() if count] == [5, 4, 1, 1, 1]
    assert [(row.row, row.rules) for row in rows.rows] == [(6, ("r4",))]


def test_a_type_that_changed_since_is_cast_strictly_and_counted(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "old.parquet"
    pq.write_table(pa.table({"id": ["1", "01", "x", None], "uf": [1, 2, 3, 4]}), path)
    old = Schema((Field("id", P.STRING), Field("uf", P.LONG)))
    rules = (rule("id.type", CastHolds("id")), rule("id.required", NotNull("id")), rule("uf.enum", OneOf("uf", ("1",))))
    queries = (TableRule("sum", Query("select sum(id) from loans"), NONE), TableRule("u", Duplicates(("id",)), NONE))
    restated = stored_plan(Plan("loans", "", COLUMNS[:2], rules, queries), old)

    found = engine.tally([path], old, restated.plan)

    assert (restated.missing, restated.unfit, restated.unjudged) == ((), (), {})
    assert found == Tally(4, {"id.type": 1, "id.required": 1, "uf.enum": 3}, 4, {"sum": 2, "u": 1})


def test_every_condition_counts_in_storage_what_it_refused_on_the_way_in(engine: Engine, tmp_path: Path) -> None:
    """Values of all types that are kept, because rules only warn, are counted again exactly so."""
    columns = tuple(ColumnPlan(name, name, kind) for name, kind in cases.TYPES.items())
    rules = tuple(rule(f"{name}.required", NotNull(name), Policy.WARN) for name in cases.TYPES)
    plan = Plan("loans", "sha256:0", columns, rules)
    rows = {name: [value for value, _ in texts] for name, texts in cases.TEXTS.items()}
    result = staged(engine, plan, stream(rows), tmp_path)

    found = engine.tally(sorted(tmp_path.glob("kept*.parquet")), plan.schema, stored_plan(plan, plan.schema).plan)

    assert {name: count for name, count in found.refused.items() if count} == result.refused


def test_failing_rows_come_with_their_number_their_rules_and_what_is_shown(engine: Engine, checked: list[Path]) -> None:
    plan = stored_plan(PLAN, STORED).plan

    found = engine.failing(checked, STORED, plan, ["odd.range", "uf.enum", "id.unique"], show=["id", ODD], limit=3)

    assert found.total == 4
    assert [(row.row, row.rules, row.values) for row in found.rows] == [
        (2, ("uf.enum", "odd.range"), {"id": 2, ODD: -1.0}),
        (3, ("odd.range",), {"id": None, ODD: -2.0}),
        (4, ("id.unique",), {"id": 2, ODD: 150.0}),
    ]


def test_failing_values_of_any_type_are_shown(engine: Engine, tmp_path: Path) -> None:
    """Moments far away, and within other values, as texts: Python's own cannot hold them all."""
    far = pa.scalar(10**17, pa.timestamp("us", tz="UTC"))
    kinds: dict[str, tuple[pa.DataType, object, Type, object]] = {
        "t": (
            pa.timestamp("us", tz="UTC"),
            datetime(2024, 2, 29, 1, tzinfo=UTC),
            P.TIMESTAMP,
            "2024-02-29T01:00:00.000000Z",
        ),
        "far": (far.type, far, P.TIMESTAMP, "5138-11-16T09:46:40.000000Z"),
        "n": (pa.timestamp("us"), datetime(2024, 2, 29), P.TIMESTAMP_NTZ, "2024-02-29T00:00:00.000000"),
        "d": (pa.date32(), date(1, 1, 1), P.DATE, "0001-01-01"),
        "x": (pa.decimal128(5, 2), Number("1.50"), Decimal(5, 2), Number("1.50")),
        "b": (pa.binary(), b"\x00", P.BINARY, b"\x00"),
        "l": (pa.list_(pa.date32()), [date(2024, 1, 2)], ListOf(P.DATE), '["2024-01-02"]'),
    }
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({name: pa.array([value], kind) for name, (kind, value, _, _) in kinds.items()}), path)
    schema = Schema(tuple(Field(name, kind) for name, (_, _, kind, _) in kinds.items()))
    columns = tuple(ColumnPlan(field.name, field.name, field.type) for field in schema.fields)
    plan = Plan("loans", "", columns, (rule("never", Holds("d > date '2000-01-01'")),))

    (found,) = engine.failing(
        [path], schema, stored_plan(plan, schema).plan, ["never"], show=schema.names, limit=1
    ).rows

    assert found.values == {name: shown for name, (_, _, _, shown) in kinds.items()}


def test_only_the_rows_that_count_are_repeats(engine: Engine, checked: list[Path]) -> None:
    plan = stored_plan(PLAN, STORED).plan

    found = engine.failing(checked, STORED, plan, ["id.unique"], show=[], limit=9, only="is_current")
    unseen = engine.failing(checked, STORED, plan, ["id.unique"], show=[], limit=0)

    assert [row.row for row in found.rows] == [4]
    assert (unseen.total, unseen.rows) == (2, ())


def test_a_damaged_file_is_told_as_such_when_rules_are_counted(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nothing PAR1")
    if engine.name != "duckdb":
        pytest.skip("Spark's own words are turned into an engine error")

    with pytest.raises(Corrupted):
        engine.tally([tmp_path / "a.parquet"], STORED, stored_plan(PLAN, STORED).plan)
