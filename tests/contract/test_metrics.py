"""Quality rules: metrics, operators, units, queries, expressions, severities and policies."""

import pytest
from tests.contract.documents import column, contract, rules

from lastro.model.errors import ContractError
from lastro.model.finding import Policy, Severity
from lastro.model.plan import (
    AllOf,
    Duplicates,
    Holds,
    Matches,
    NoneOf,
    NotNull,
    OneOf,
    Operator,
    Query,
    RowCount,
    RowRule,
    Scope,
    TableRule,
    Threshold,
    Unit,
)

METRICS = {
    "nullValues": ("", NotNull("x")),
    "missingValues": ("arguments: {missingValues: [null, 'N/A']}, ", NoneOf("x", ("N/A",), null_is_missing=True)),
    "invalidValues": ("arguments: {validValues: [a, b]}, ", OneOf("x", ("a", "b"))),
    "duplicateValues": ("", Duplicates(("x",))),
    "rowCount": ("", RowCount()),
}
OPERANDS = {operator: (2.0, 7.0) if "Between" in operator else (5.0,) for operator in Operator}


def only(plan):
    return [rule for rule in (*plan.row_rules, *plan.table_rules) if not rule.name.endswith(".type")][-1]


def what(rule):
    return rule.condition if isinstance(rule, RowRule) else rule.measure


@pytest.mark.parametrize("level", ["column", "schema"])
@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("operator", Operator)
@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_takes_every_operator_in_every_unit(metric, operator, unit, level):
    arguments, expected = METRICS[metric]
    operands = OPERANDS[operator]
    written = list(operands) if len(operands) == 2 else operands[0]
    if level == "schema" and metric != "rowCount":
        arguments = arguments.replace("{", "{properties: [x], ", 1) if arguments else "arguments: {properties: [x]}, "
    rule = f"- {{metric: {metric}, {arguments}{operator}: {written}, unit: {unit}}}"

    if level == "column":
        plan = contract(rules(rule)).plan()
    else:
        plan = contract(column("logicalType: string"), more=f"quality:\n{rule}\n").plan()

    found = only(plan)
    assert what(found) == expected
    assert found.threshold == Threshold(operator, operands, unit)
    assert (found.policy, found.severity) == (Policy.FAIL, Severity.ERROR)
    of_column = metric.endswith("Values") and (metric, level) != ("duplicateValues", "schema")
    assert found.name == (f"x.{metric}" if of_column else metric)


CONDITIONS = {
    "{metric: missingValues, mustBe: 0}": NoneOf("x", ("",), null_is_missing=True),
    "{metric: missingValues, mustBe: 0, arguments: {missingValues: ['', 'n/a']}}": NoneOf(
        "x", ("", "n/a"), null_is_missing=False
    ),
    "{metric: invalidValues, mustBe: 0, arguments: {pattern: '[a-z]+'}}": Matches("x", "[a-z]+"),
    "{metric: invalidValues, mustBe: 0, arguments: {validValues: [a], pattern: '[a-z]+'}}": AllOf(
        (OneOf("x", ("a",)), Matches("x", "[a-z]+"))
    ),
    "{type: sql, query: 'SELECT max({property}) FROM {object}', mustBe: 0}": Query(
        "SELECT max({property}) FROM {object}", "x"
    ),
    "{type: sql, query: 'SELECT max(${column}) FROM ${table}', mustBe: 0}": Query(
        "SELECT max({property}) FROM {object}", "x"
    ),
    "{type: sql, query: 'SELECT max({field}) FROM {model}', mustBe: 0}": Query(
        "SELECT max({property}) FROM {object}", "x"
    ),
    "{type: custom, engine: lastro, implementation: {expression: x <> 'a'}}": Holds("x <> 'a'"),
}


@pytest.mark.parametrize(("rule", "expected"), CONDITIONS.items(), ids=CONDITIONS)
def test_a_rule_says_what_it_measures(rule, expected):
    assert what(only(contract(rules(f"- {rule}")).plan())) == expected


def test_placeholders_for_missing_numbers_may_be_words():
    rule = "- {metric: missingValues, mustBe: 0, arguments: {missingValues: [-1, 'N/A', null]}}"

    assert what(only(contract(rules(rule, logical="integer")).plan())) == NoneOf("x", ("-1", "N/A"))


def test_duplicates_over_several_columns_are_one_rule():
    more = "quality:\n- {metric: duplicateValues, arguments: {properties: [a, b]}, mustBe: 0}\n"
    plan = contract(column("logicalType: string", name="a") + column("logicalType: date", name="b"), more=more).plan()

    assert plan.table_rules[0].measure == Duplicates(("a", "b"))
    assert plan.table_rules[0].column is None


def test_a_row_metric_at_the_schema_makes_one_rule_for_each_column():
    more = "quality:\n- {metric: nullValues, arguments: {properties: [a, b]}, mustBe: 0}\n"
    plan = contract(column("logicalType: string", name="a") + column("logicalType: string", name="b"), more=more).plan()

    assert [(rule.name, rule.column) for rule in plan.row_rules] == [("a.nullValues", "a"), ("b.nullValues", "b")]


@pytest.mark.parametrize("metric", ["nullValues", "duplicateValues"])
def test_a_rule_at_the_schema_must_name_its_columns(metric):
    with pytest.raises(ContractError, match="the rule names no column"):
        contract(column("logicalType: string"), more=f"quality:\n- {{metric: {metric}, mustBe: 0}}\n")


def test_a_rule_about_a_column_that_is_not_there_is_given_the_nearest():
    more = "quality:\n- {metric: duplicateValues, arguments: {properties: [custmer]}, mustBe: 0}\n"

    with pytest.raises(ContractError, match="there is no column custmer") as caught:
        contract(column("logicalType: string", name="customer"), more=more)

    assert caught.value.do == "did you mean customer?"


def test_a_query_at_the_schema_cannot_mean_a_column():
    with pytest.raises(ContractError, match="means a column, but stands at none"):
        contract(
            column("logicalType: string"),
            more="quality:\n- {type: sql, query: 'SELECT max({property}) FROM {object}', mustBe: 0}\n",
        )


def test_a_query_may_be_compared_with_true_and_has_a_unit_of_its_own():
    found = only(contract(rules("- {type: sql, query: SELECT true, mustBe: true, unit: days}")).plan())

    assert found.threshold == Threshold(Operator.MUST_BE, (1.0,))


def test_an_expression_quarantines_and_may_have_a_threshold():
    rule = "- {type: custom, engine: lastro, implementation: {expression: x > 1, mustBeLessThan: 2, unit: percent}}"
    found = only(contract(rules(rule, logical="integer")).plan())

    assert found.policy is Policy.QUARANTINE
    assert found.threshold == Threshold(Operator.LESS, (2.0,), Unit.PERCENT)


def test_rules_that_only_others_execute_are_kept_and_noted():
    made = contract(
        rules("- {type: text, description: by hand}\n- {type: custom, engine: soda, implementation: 'type: x'}")
    )

    assert made.plan().row_rules == ()
    assert [note.split(": ")[1] for note in made.notes] == [
        "rule of text kept, not executed",
        "rule of soda kept, not executed",
    ]


SEVERITIES = {
    "error": (Severity.ERROR, Policy.FAIL),
    "CRITICAL": (Severity.ERROR, Policy.FAIL),
    "alta": (Severity.ERROR, Policy.FAIL),
    "warning": (Severity.WARNING, Policy.WARN),
    "Aviso": (Severity.WARNING, Policy.WARN),
    "medium": (Severity.WARNING, Policy.WARN),
    "info": (Severity.INFO, Policy.WARN),
    "low": (Severity.INFO, Policy.WARN),
}


@pytest.mark.parametrize(("word", "expected"), SEVERITIES.items(), ids=SEVERITIES)
def test_a_severity_is_understood_and_sets_the_policy(word, expected):
    found = only(contract(rules(f"- {{metric: nullValues, mustBe: 0, severity: {word}}}")).plan())

    assert (found.severity, found.policy) == expected


def own(name, value):
    return f"customProperties: [{{property: {name}, value: {value}, vendor: lastro}}]"


def test_a_rules_own_policy_wins_over_its_severity():
    rule = f"- {{metric: nullValues, mustBe: 0, severity: warning, {own('policy', 'quarantine')}}}"

    assert only(contract(rules(rule)).plan()).policy is Policy.QUARANTINE


def test_a_columns_policy_is_for_its_built_in_rules_only():
    lines = f"logicalType: integer\nrequired: true\n{own('policy', 'fail')}\nquality: [{{metric: rowCount, mustBe: 1}}]"
    more = own("policy", "warn")

    plan = contract(column(lines), more=more + "\n").plan()

    assert {rule.name: rule.policy for rule in (*plan.row_rules, *plan.table_rules)} == {
        "x.type": Policy.FAIL,
        "x.required": Policy.FAIL,
        "rowCount": Policy.WARN,
    }


def test_the_schemas_policy_is_the_default_and_no_table_rule_quarantines():
    more = own("policy", "quarantine") + "\n"
    plan = contract(rules("- {metric: nullValues, mustBe: 0}\n- {metric: rowCount, mustBe: 1}"), more=more).plan()

    assert plan.row_rules[-1].policy is Policy.QUARANTINE
    assert plan.table_rules[-1].policy is Policy.FAIL


def test_a_table_rule_may_look_at_the_batch_only():
    found = only(contract(rules(f"- {{metric: rowCount, mustBe: 1, {own('scope', 'batch')}}}")).plan())

    assert isinstance(found, TableRule)
    assert found.scope is Scope.BATCH


@pytest.mark.parametrize(
    ("written", "limit"),
    {
        "5 percent": Threshold(Operator.LESS_OR_EQUAL, (5.0,), Unit.PERCENT),
        "2.5%": Threshold(Operator.LESS_OR_EQUAL, (2.5,), Unit.PERCENT),
        "100 rows": Threshold(Operator.LESS_OR_EQUAL, (100.0,), Unit.ROWS),
        "100": Threshold(Operator.LESS_OR_EQUAL, (100.0,), Unit.ROWS),
        "{mustBeLessThan: 5, unit: percent}": Threshold(Operator.LESS, (5.0,), Unit.PERCENT),
    }.items(),
)
def test_how_much_may_be_quarantined_is_read_in_several_forms(written, limit):
    plan = contract(column("logicalType: string"), more=own("quarantinedMax", written) + "\n").plan()

    assert plan.quarantined_max == limit


@pytest.mark.parametrize("written", ["much", "-5", "true", "{unit: percent}", "[1]", "null", "5 cats"])
def test_an_amount_that_is_none_is_refused(written):
    with pytest.raises(ContractError, match="is not an amount of rows"):
        contract(column("logicalType: string"), more=own("quarantinedMax", written) + "\n")


NAMES = {
    "Enough rows": "Enough_rows",
    "Não há nulos!": "Nao_ha_nulos",
    "a/../b": "a_.._b",
    "...": "x.nullValues",
    "n" * 80: "n" * 63,
}


@pytest.mark.parametrize(("own_name", "name"), NAMES.items(), ids=["spaces", "accents", "path", "nothing", "long"])
def test_a_rules_own_name_is_made_safe(own_name, name):
    found = only(contract(rules(f"- {{metric: nullValues, mustBe: 0, name: '{own_name}'}}")).plan())

    assert found.name == name


def test_names_are_distinct_and_keep_clear_of_the_engines_own():
    rule = "- {metric: nullValues, mustBe: 0, name: NAME}\n"
    plan = contract(rules(rule.replace("NAME", "primary_key") + rule.replace("NAME", "a") * 3)).plan()

    assert [found.name for found in plan.row_rules] == ["primary_key_2", "a", "a_2", "a_3"]
