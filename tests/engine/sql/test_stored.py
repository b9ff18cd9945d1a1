"""A plan for rows that are stored already: which columns read themselves, and which rules cannot be judged."""

from __future__ import annotations

import pytest

from lastro.engine.rules import read_by, stored_plan, tells_values
from lastro.model.finding import Policy
from lastro.model.plan import (
    AllOf,
    CastHolds,
    ColumnPlan,
    Duplicates,
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
)
from lastro.model.schema import Decimal, Field, ListOf, Primitive, Schema

P = Primitive
NONE = Threshold(Operator.MUST_BE, (0.0,))


def plan(*columns: ColumnPlan, rules: tuple[RowRule, ...] = (), tables: tuple[TableRule, ...] = ()) -> Plan:
    return Plan("loans", "sha256:0", columns, rules, tables)


def test_a_stored_column_reads_itself():
    cleaned = ColumnPlan("day", "DT_REF", P.DATE, expression="trim(DT_REF)", format="%d/%m/%Y", zone="America/Bahia")

    restated = stored_plan(plan(cleaned), Schema((Field("day", P.DATE),)))

    (column,) = restated.plan.columns
    assert (column.source, column.type, column.expression, column.format) == ("day", P.DATE, None, None)


def test_names_are_compared_without_regard_to_capitals():
    restated = stored_plan(plan(ColumnPlan("uf", "uf", P.STRING)), Schema((Field("UF", P.STRING),)))

    assert [column.source for column in restated.plan.columns] == ["UF"]
    assert restated.missing == ()


def test_rules_that_read_a_column_that_is_not_there_are_named_with_it():
    columns = [ColumnPlan(name, name, P.STRING) for name in ("a", "b", "c")]
    conditions = {
        "plain": NotNull("b"),
        "all": AllOf((OneOf("a", ("x",)), Matches("b", "x"))),
        "sql": Holds("B = a"),
        "fine": Holds("a = 'b'"),
    }
    rules = tuple(RowRule(name, condition, Policy.FAIL) for name, condition in conditions.items())
    tables = (
        TableRule("pair", Duplicates(("a", "b", "c")), NONE),
        TableRule("query", Query("select count({property}) from {object}", "b"), NONE),
        TableRule("rows", RowCount(), NONE),
        TableRule("star", Query("select count(*) from {object}"), NONE),
    )

    restated = stored_plan(plan(*columns, rules=rules, tables=tables), Schema((Field("a", P.STRING),)))

    assert restated.missing == ("b", "c")
    lost = {"plain": ("b",), "all": ("b",), "sql": ("b",), "pair": ("b", "c"), "query": ("b",)}
    assert restated.unjudged == lost
    assert [rule.name for rule in restated.plan.row_rules] == ["fine"]
    assert [rule.name for rule in restated.plan.table_rules] == ["rows", "star"]


@pytest.mark.parametrize(
    ("stored", "wanted", "is_unfit"),
    [
        (P.STRING, P.LONG, False),
        (P.LONG, P.STRING, False),
        (P.LONG, Decimal(5, 2), False),
        (P.LONG, P.DATE, True),
        (ListOf(P.STRING), P.STRING, True),
        (P.DATE, ListOf(P.DATE), True),
    ],
)
def test_a_type_that_cannot_become_the_contracts_leaves_its_rules_unjudged(stored, wanted, is_unfit):
    rules = (RowRule("a.type", CastHolds("a"), Policy.QUARANTINE),)

    restated = stored_plan(plan(ColumnPlan("a", "a", wanted), rules=rules), Schema((Field("a", stored),)))

    assert restated.unfit == (("a",) if is_unfit else ())
    assert restated.unjudged == ({"a.type": ("a",)} if is_unfit else {})


def test_a_time_of_day_stays_one():
    column = ColumnPlan("at", "at", P.STRING, is_time=True, format="%Hh%M")

    (kept,) = stored_plan(plan(column), Schema((Field("at", P.STRING),))).plan.columns
    lost = stored_plan(plan(column), Schema((Field("at", P.LONG),)))

    assert (kept.is_time, kept.format) == (True, None)
    assert lost.unfit == ("at",)


def test_what_a_rule_reads_is_told_in_the_plans_order():
    found = read_by(RowRule("r", Holds("c > a"), Policy.FAIL), plan(*(ColumnPlan(n, n, P.LONG) for n in "abc")))

    assert found == ("a", "c")


@pytest.mark.parametrize(
    ("query", "tells"),
    [
        ("select count(*) from {object} where income > 3", False),
        ("select 100.0 * count_if(income > 3) / count(distinct income) from {object}", False),
        ("select count(*) filter (where income > 3) from {object}", False),
        ("select cast(count(income) as double) from {object}", False),
        ("select max(income) from {object}", True),
        ("select count(*) + avg(income) from {object}", True),
        ("select count(*) + (select income from {object}) from {object}", True),
        ("select sum(income) filter (where income > 3) from {object}", True),
    ],
)
def test_a_number_that_may_be_a_value_is_told_from_a_count(query, tells):
    of = plan(ColumnPlan("income", "income", P.LONG))

    assert tells_values(TableRule("r", Query(query), NONE), of) is tells
    assert not tells_values(TableRule("r", Duplicates(("income",)), NONE), of)
