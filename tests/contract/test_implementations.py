"""Rules of Lastro's own: what each means, where it may stand, and what is said of one that is wrong."""

import pytest
from tests.contract.documents import column, contract, rules

from lastro.model.errors import ContractError
from lastro.model.finding import Policy
from lastro.model.plan import (
    Breaks,
    CleanText,
    Duplicates,
    Identifier,
    IdentifierKind,
    Operator,
    Orphans,
    RowRule,
    Share,
    Spellings,
    Statistic,
    StatisticKind,
    Threshold,
    Unit,
)


def own(implementation, *, logical="string"):
    """The rule that an implementation at the column `x` makes."""
    return made(
        contract(rules(f"- {{type: custom, engine: lastro, implementation: {implementation}}}", logical=logical))
    )


def made(found):
    plan = found.plan()
    return [rule for rule in (*plan.row_rules, *plan.table_rules) if not rule.name.endswith(".type")][-1]


@pytest.mark.parametrize("kind", IdentifierKind)
def test_an_identifier_is_a_rule_on_each_row(kind):
    found = own(f"{{identifier: {kind}}}")

    assert (found.name, found.condition) == ("x.identifier", Identifier("x", kind))
    assert (found.policy, found.threshold) == (Policy.QUARANTINE, None)


def test_a_row_rule_may_allow_some():
    found = own("{encoding: clean, mustBeLessThan: 5, unit: percent}")

    assert isinstance(found, RowRule)
    assert found.condition == CleanText("x")
    assert found.threshold == Threshold(Operator.LESS, (5.0,), Unit.PERCENT)


NONE = Threshold(Operator.MUST_BE, (0.0,))
MEASURES = {
    "{references: {dataset: customers, columns: {x: id}}}": ("string", Orphans("customers", (("x", "id"),)), NONE),
    "{references: {dataset: customers@17, columns: {x: id}}, mustBeLessThan: 1, unit: percent}": (
        "string",
        Orphans("customers@17", (("x", "id"),)),
        Threshold(Operator.LESS, (1.0,), Unit.PERCENT),
    ),
    "{sequence: {column: x}}": ("integer", Breaks("x", step="1"), NONE),
    "{sequence: {step: 10}}": ("integer", Breaks("x", step="10"), NONE),
    "{sequence: {step: 1}}": ("date", Breaks("x", step="1"), NONE),
    "{sequence: {by: x}}": ("number", Breaks("x", by="x"), NONE),
    "{statistic: mean, mustBeBetween: [1, 5]}": (
        "number",
        Statistic("x", StatisticKind.MEAN),
        Threshold(Operator.BETWEEN, (1.0, 5.0), None),
    ),
    "{statistic: quantile, quantile: 0.95, mustBeLessThan: 9}": (
        "integer",
        Statistic("x", StatisticKind.QUANTILE, 0.95),
        Threshold(Operator.LESS, (9.0,), None),
    ),
    "{share: {value: SP}, mustBeLessThan: 60}": (
        "string",
        Share("x", "SP"),
        Threshold(Operator.LESS, (60.0,), Unit.PERCENT),
    ),
    "{share: {value: 3}, mustBeLessThan: 60, unit: rows}": (
        "integer",
        Share("x", "3"),
        Threshold(Operator.LESS, (60.0,), Unit.ROWS),
    ),
    "{spellings: consistent}": ("string", Spellings("x"), NONE),
    "{duplicates: approximate}": ("string", Duplicates(("x",), approximate=True), NONE),
    "{duplicates: approximate, columns: [x]}": ("string", Duplicates(("x",), approximate=True), NONE),
}


@pytest.mark.parametrize(("written", "expected"), MEASURES.items(), ids=MEASURES)
def test_a_measure_is_a_rule_over_the_table(written, expected):
    logical, measure, limit = expected
    found = own(written, logical=logical)

    assert (found.measure, found.threshold) == (measure, limit)
    assert (found.policy, found.column) == (Policy.FAIL, "x")


def test_columns_may_be_named_at_the_schema():
    more = (
        "quality:\n"
        "- {type: custom, engine: lastro, implementation: {references: {dataset: shops, columns: {a: id, b: no}}}}\n"
        "- {type: custom, engine: lastro, implementation: {sequence: {column: b, by: c}}}\n"
        "- {type: custom, engine: lastro, implementation: {duplicates: approximate, columns: [a, b]}}\n"
    )
    properties = (
        column("logicalType: string", name="a")
        + column("logicalType: integer", name="b")
        + column("logicalType: timestamp", name="c")
    )
    found = contract(properties, more=more).plan().table_rules

    assert [(rule.name, rule.column, rule.measure) for rule in found] == [
        ("references", None, Orphans("shops", (("a", "id"), ("b", "no")))),
        ("sequence", None, Breaks("b", by="c")),
        ("duplicates", None, Duplicates(("a", "b"), approximate=True)),
    ]


WRONG = {
    "{identifer: cpf}": ("string", "the key identifer is unknown here", "did you mean identifier?"),
    "{identifier: cfp}": ("string", "'cfp' is unknown here", "did you mean cpf?"),
    "{identifier: [cpf]}": ("string", "is unknown here", "did you mean"),
    "{identifier: cpf, encoding: clean}": ("string", "says several things at once", "keep one of identifier, encoding"),
    "{identifier: cpf, quantile: 1}": ("string", "the key quantile is unknown here", "did you mean"),
    "{identifier: cpf, mustBeLess: 1}": (
        "string",
        "the key mustBeLess is unknown here",
        "did you mean mustBeLessThan?",
    ),
    "{}": ("string", "the rule has no expression", "add `expression"),
    "{identifier: cnpj} ": ("integer", "does not fit the type of x", "use it at a column of text"),
    "{encoding: utf-8}": ("string", "'utf-8' is unknown here", "use one of clean"),
    "{references: customers}": ("string", "does not say of what", "write `references"),
    "{references: {dataset: customers, colums: {x: id}}}": (
        "string",
        "the key colums is unknown",
        "did you mean columns?",
    ),
    "{references: {dataset: Customers, columns: {x: id}}}": ("string", "'Customers' is not a name", "name a dataset"),
    "{references: {dataset: ../etc, columns: {x: id}}}": ("string", "is not a name", "name a dataset"),
    "{references: {dataset: customers, columns: [x]}}": ("string", "are not paired", "write them as in"),
    "{references: {dataset: customers, columns: {}}}": ("string", "are not paired", "write them as in"),
    "{references: {dataset: customers, columns: {y: id}}}": ("string", "there is no column y", "name a column"),
    "{references: {dataset: customers, columns: {x: 1}}}": ("string", "has no name", "write its name"),
    "{sequence: {column: x, step: 0}}": ("integer", "the step is no number", "such as `step: 1`"),
    "{sequence: {column: x, step: 0.5}}": ("integer", "the step is finer than the column", "write a step"),
    "{sequence: {column: x, step: '1'}}": ("integer", "the step is no number", "such as `step: 1`"),
    "{sequence: {column: x, step: 1}}": ("number", "x has no steps", "leave out `step`"),
    "{sequence: {by: x}}": ("string", "x has no order", "use numbers, dates or moments"),
    "{statistic: mean}": ("number", "compares with nothing", "add an operator"),
    "{statistic: avg, mustBe: 1}": ("number", "'avg' is unknown here", "use one of mean"),
    "{statistic: median, mustBe: 1}": ("string", "does not fit the type of x", "a column of numbers"),
    "{statistic: median, quantile: 0.5, mustBe: 1}": ("number", "has no quantile", "write `statistic: quantile`"),
    "{statistic: quantile, mustBe: 1}": ("number", "no number from 0 to 1", "such as `quantile: 0.95`"),
    "{statistic: quantile, quantile: 95, mustBe: 1}": ("number", "no number from 0 to 1", "such as `quantile: 0.95`"),
    "{statistic: sum, mustBe: 1, unit: rows}": ("number", "has the unit of its column", "remove the unit"),
    "{share: SP, mustBe: 1}": ("string", "does not say of what", "write `share"),
    "{share: {value: null}, mustBe: 1}": ("string", "the share is of no value", "write `share"),
    "{share: {value: much}, mustBe: 1}": ("integer", "is no value of the column x", "write it as a value"),
    "{share: {value: SP}}": ("string", "compares with nothing", "add an operator"),
    "{spellings: constant}": ("string", "'constant' is unknown here", "did you mean consistent?"),
    "{duplicates: approximate, columns: x}": ("string", "columns is not a list", "write `columns"),
    "{duplicates: approximate, columns: [y]}": ("string", "there is no column y", "name a column"),
}


@pytest.mark.parametrize(("written", "expected"), WRONG.items(), ids=WRONG)
def test_what_is_wrong_is_named_with_its_repair(written, expected):
    logical, what, do = expected
    with pytest.raises(ContractError) as caught:
        own(written, logical=logical)

    told = f"{caught.value.what}\n{caught.value.where}"
    assert what in told
    assert do in caught.value.do or do in told


@pytest.mark.parametrize("written", ["{identifier: cpf}", "{spellings: consistent}", "{share: {value: a}, mustBe: 1}"])
def test_rules_about_one_column_stand_at_it(written):
    with pytest.raises(ContractError, match="the rule names no column"):
        contract(
            column("logicalType: string"),
            more=f"quality:\n- {{type: custom, engine: lastro, implementation: {written}}}\n",
        )


def test_relationships_are_rules_that_warn():
    more = "relationships:\n- {from: loans.a, to: shops.id}\n- {from: [loans.a, loans.b], to: [shops.id, shops.no]}\n"
    properties = column("logicalType: string\nrelationships: [{to: people.cpf}]", name="a") + column(
        "logicalType: integer", name="b"
    )
    found = contract(properties, more=more).plan().table_rules

    assert [(rule.name, rule.measure) for rule in found] == [
        ("a.relationship", Orphans("people", (("a", "cpf"),), optional=True)),
        ("relationship", Orphans("shops", (("a", "id"),), optional=True)),
        ("relationship_2", Orphans("shops", (("a", "id"), ("b", "no")), optional=True)),
    ]
    assert {rule.policy for rule in found} == {Policy.WARN}


def test_a_relationship_may_refuse_the_batch():
    own_policy = "customProperties: [{property: policy, value: fail, vendor: lastro}]"
    found = made(contract(column(f"logicalType: string\nrelationships: [{{to: people.cpf, {own_policy}}}]")))

    assert found.policy is Policy.FAIL


@pytest.mark.parametrize(
    "to", ["schema/people_tbl/properties/cpf", "other.yaml#schema/people/properties/cpf", "People.cpf"]
)
def test_a_relationship_that_leads_elsewhere_is_kept_and_noted(to):
    found = contract(column(f"logicalType: string\nrelationships: [{{to: '{to}'}}]"))

    assert found.plan().table_rules == ()
    assert [note.split(": ")[1] for note in found.notes] == ["relationship kept, not executed"]
