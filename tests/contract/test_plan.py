"""The compiler: golden plans, keys, names, sources, and what is left to others."""

from pathlib import Path

import pytest
from tests.contract.documents import column, contract

from lastro.contract import load
from lastro.model.errors import ContractError
from lastro.model.finding import Policy
from lastro.model.plan import (
    CastHolds,
    ColumnPlan,
    Duplicates,
    Holds,
    NotNull,
    OneOf,
    Operator,
    Threshold,
    Unit,
    Within,
)
from lastro.model.schema import Decimal, Primitive, type_text

DATA = Path(__file__).parent / "data"


def test_the_lenders_contract_compiles_to_its_columns():
    plan = load(DATA / "loans.odcs.yaml").plan()

    assert plan.dataset == "loans"
    assert {column.name: type_text(column.type) for column in plan.columns} == {
        "loan_id": "long",
        "customer_id": "string",
        "applied_on": "date",
        "income": "decimal(12,2)",
        "installment": "double",
        "uf": "string",
        "term_months": "short",
        "approved": "boolean",
        "decided_at": "timestamp",
        "call_time": "string",
        "tags": "list<string>",
        "address": "struct<city: string, zip: string>",
        "attributes": "map<string, double>",
        "embedding": "list<float>",
    }
    assert plan.columns[3] == ColumnPlan(
        name="income",
        source="renda",
        type=Decimal(12, 2),
        expression="replace(replace(renda, '.', ''), ',', '.')",
    )


def test_the_lenders_contract_compiles_to_its_rules():
    contract_ = load(DATA / "loans.odcs.yaml")
    plan = contract_.plan()

    assert [rule.name for rule in plan.row_rules] == [
        *("loan_id.type", "loan_id.required", "customer_id.required", "customer_id.pattern"),
        *("applied_on.type", "applied_on.range", "income.type", "income.range", "income.nullValues"),
        *("installment.type", "installment.range", "uf.type", "uf.enum"),
        *("term_months.type", "term_months.range", "term_months.multipleOf", "approved.type", "decided_at.type"),
        *("call_time.type", "tags.type", "tags.length", "address.type", "attributes.type"),
        *("embedding.type", "embedding.length", "Installment_below_income"),
    ]
    assert [rule.name for rule in plan.table_rules] == ["Enough_rows", "one-per-customer-and-day", "recent"]
    assert plan.quarantined_max == Threshold(Operator.LESS_OR_EQUAL, (5.0,), Unit.PERCENT)
    assert plan.contract_digest == contract_.digest
    assert plan.withheld == {"customer_id"}


def test_rules_carry_column_condition_and_policy():
    rules = {rule.name: rule for rule in load(DATA / "loans.odcs.yaml").plan().row_rules}

    assert rules["uf.enum"].condition == OneOf("uf", ("SP", "RJ", "MG"))
    assert rules["uf.enum"].policy is Policy.WARN
    assert rules["income.range"].condition == Within("income", "0", "1000000", exclusive_maximum=True)
    assert rules["income.range"].policy is Policy.QUARANTINE
    assert rules["income.nullValues"].policy is Policy.FAIL
    assert rules["Installment_below_income"].condition == Holds("installment <= income")


def test_a_contract_says_what_it_keeps_without_executing():
    assert load(DATA / "loans.odcs.yaml").notes == ("schema[0].quality: rule of text kept, not executed",)


def test_plain_text_needs_no_type_rule_but_cleaned_text_does():
    assert contract(column("logicalType: string")).plan().row_rules == ()
    assert contract(column("logicalType: string\ntransformLogic: trim(x)")).plan().row_rules[0].condition == CastHolds(
        "x"
    )


def test_required_makes_a_column_not_nullable_unless_it_only_warns():
    lines = "logicalType: string\nrequired: true"
    warned = lines + "\ncustomProperties: [{property: policy, value: warn, vendor: lastro}]"

    assert contract(column(lines)).plan().columns[0].nullable is False
    assert contract(column(warned)).plan().columns[0].nullable is True


def test_a_policy_without_vendor_is_someone_elses():
    lines = "logicalType: string\nrequired: true\ncustomProperties: [{property: policy, value: warn}]"

    assert contract(column(lines)).plan().row_rules[0].policy is Policy.QUARANTINE


def test_the_key_follows_its_positions_and_is_required():
    properties = (
        column("logicalType: string\nprimaryKey: true", name="c")
        + column("logicalType: integer\nprimaryKey: true\nprimaryKeyPosition: 2", name="a")
        + column("logicalType: date\nprimaryKey: true\nprimaryKeyPosition: 1", name="b")
    )
    plan = contract(properties).plan()

    assert plan.primary_key == ("b", "a", "c")
    assert [rule.column for rule in plan.row_rules if isinstance(rule.condition, NotNull)] == ["c", "a", "b"]


def test_two_columns_cannot_share_a_position_in_the_key():
    lines = "logicalType: string\nprimaryKey: true\nprimaryKeyPosition: 1"

    with pytest.raises(ContractError, match="two columns have the position 1"):
        contract(column(lines, name="a") + column(lines, name="b"))


def test_unique_is_a_rule_over_the_table():
    rule = contract(column("logicalType: string\nunique: true")).plan().table_rules[0]

    assert (rule.name, rule.measure, rule.policy) == ("x.unique", Duplicates(("x",)), Policy.FAIL)
    assert rule.threshold == Threshold(Operator.MUST_BE, (0.0,))


def test_the_sources_name_may_be_anything_even_empty():
    assert contract(column("logicalType: string\nphysicalName: 'Renda (R$)'")).plan().columns[0].source == "Renda (R$)"
    assert contract(column("logicalType: string\nphysicalName: ''")).plan().columns[0].source == ""


def test_a_measure_is_no_column():
    made = contract(column("logicalType: string") + column("logicalType: number\nsemanticType: measure", name="sum"))

    assert made.plan().schema.names == ("x",)
    assert made.notes == ("schema[0].properties[1]: a measure is no column",)


def test_constraints_within_objects_are_noted_as_not_checked():
    lines = "logicalType: object\nproperties: [{name: a, logicalType: integer, required: true, enum: [{value: 1}]}]"

    assert [note.split(":")[0] for note in contract(column(lines)).notes] == [
        "schema[0].properties[0].properties[0].required",
        "schema[0].properties[0].properties[0].enum",
    ]


@pytest.mark.parametrize(
    ("word", "hidden"),
    {"public": False, "Internal": False, "1": False, "restricted": True, "confidential": True, "pii": True}.items(),
)
def test_a_classification_withholds_values_unless_it_is_open(word, hidden):
    plan = contract(column(f"logicalType: string\nclassification: '{word}'")).plan()

    assert ("x" in plan.withheld) is hidden


def test_accents_and_points_are_allowed_in_a_columns_name():
    plan = contract(column("logicalType: string", name="código.região")).plan()

    assert plan.schema.field("código.região").type is Primitive.STRING
