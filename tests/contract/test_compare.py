"""Two contracts of a dataset: compatible or breaking, field by field."""

import json

import pytest
from tests.contract.documents import column, contract, document

from lastro.contract import compare, parse
from lastro.contract.compare import is_wider
from lastro.model.schema import Decimal, Field, ListOf, MapOf, Primitive, StructOf

BASE = "logicalType: integer\n"
TEXT = "logicalType: string\n"
DATE = "logicalType: date\n"


def options(text):
    return f"logicalTypeOptions: {text}\n"


# what changes -> (lines before, lines after, field, breaking)
FIELDS = {
    "wider type": (BASE + "physicalType: int", BASE, "type", False),
    "narrower type": (BASE, BASE + "physicalType: int", "type", True),
    "another type": (BASE, TEXT, "type", True),
    "exact to double": ("logicalType: number\nphysicalType: decimal(9,2)", "logicalType: number", "type", True),
    "required": (BASE, BASE + "required: true", "required", True),
    "no longer required": (BASE + "required: true", BASE, "required", False),
    "unique": (BASE, BASE + "unique: true", "rule x.unique", True),
    "no longer unique": (BASE + "unique: true", BASE, "rule x.unique", False),
    "value less": (TEXT + "enum: [{value: a}, {value: b}]", TEXT + "enum: [{value: a}]", "enum", True),
    "value more": (TEXT + "enum: [{value: a}]", TEXT + "enum: [{value: b}, {value: a}]", "enum", False),
    "first list": (TEXT, TEXT + "enum: [{value: a}]", "enum", True),
    "no list": (TEXT + "enum: [{value: a}]", TEXT, "enum", False),
    "higher minimum": (BASE + options("{minimum: 1}"), BASE + options("{minimum: 2}"), "range", True),
    "lower minimum": (BASE + options("{minimum: 10}"), BASE + options("{minimum: 9}"), "range", False),
    "exclusive minimum": (BASE + options("{minimum: 1}"), BASE + options("{exclusiveMinimum: 1}"), "range", True),
    "inclusive minimum": (BASE + options("{exclusiveMinimum: 1}"), BASE + options("{minimum: 1}"), "range", False),
    "second bound": (BASE + options("{minimum: 1}"), BASE + options("{minimum: 1, maximum: 5}"), "range", True),
    "higher maximum": (BASE + options("{maximum: 9}"), BASE + options("{maximum: 10}"), "range", False),
    "later maximum": (DATE + options("{maximum: 2026-01-01}"), DATE + options("{maximum: 2027-01-01}"), "range", False),
    "earlier maximum": (
        DATE + options("{maximum: 2026-01-01}"),
        DATE + options("{maximum: 2025-01-01}"),
        "range",
        True,
    ),
    "longer": (TEXT + options("{maxLength: 5}"), TEXT + options("{maxLength: 6}"), "length", False),
    "shorter": (TEXT + options("{maxLength: 5}"), TEXT + options("{maxLength: 4}"), "length", True),
    "pattern": (TEXT + options("{pattern: a}"), TEXT + options("{pattern: b}"), "pattern", True),
    "multiple": (BASE + options("{multipleOf: 2}"), BASE + options("{multipleOf: 4}"), "multipleOf", True),
    "source": (BASE, BASE + "physicalName: y", "source", False),
    "cleaning": (BASE, BASE + "transformLogic: abs(x)", "expression", False),
    "date format": (DATE, DATE + options("{format: dd/MM/yyyy}"), "format", False),
    "description": (BASE, BASE + "description: a number", "description", False),
    "classification": (BASE, BASE + "classification: restricted", "classification", False),
    "rule more": (BASE, BASE + "quality: [{metric: nullValues, mustBe: 0}]", "rule x.nullValues", False),
    "rule changed": (
        BASE + "quality: [{metric: nullValues, mustBe: 0}]",
        BASE + "quality: [{metric: nullValues, mustBe: 1}]",
        "rule x.nullValues",
        False,
    ),
}


@pytest.mark.parametrize(("before", "after", "field", "breaking"), FIELDS.values(), ids=FIELDS)
def test_a_change_of_a_column_is_named_and_judged(before, after, field, breaking):
    comparison = compare(contract(column(before)), contract(column(after)))

    changes = {change.field: change for change in comparison.changes}
    assert changes[field].column == "x"
    assert changes[field].breaking is breaking
    assert comparison.breaking is any(change.breaking for change in comparison.changes)
    assert breaking or not comparison.breaking


TABLES = {
    "column removed": (column(BASE) + column(BASE, name="y"), column(BASE), "y", "column", True),
    "column added": (column(BASE), column(BASE) + column(BASE, name="y"), "y", "column", False),
    "required column added": (
        column(BASE),
        column(BASE) + column(BASE + "required: true", name="y"),
        "y",
        "column",
        True,
    ),
    "columns in another order": (
        column(BASE) + column(BASE, name="y"),
        column(BASE, name="y") + column(BASE),
        None,
        "columns",
        False,
    ),
    "key": (column(BASE + "required: true"), column(BASE + "primaryKey: true"), None, "primaryKey", True),
}


@pytest.mark.parametrize(("before", "after", "name", "field", "breaking"), TABLES.values(), ids=TABLES)
def test_a_change_of_the_table_is_named_and_judged(before, after, name, field, breaking):
    comparison = compare(contract(before), contract(after))

    assert [(change.column, change.field, change.breaking) for change in comparison.changes] == [
        (name, field, breaking)
    ]


def test_another_dataset_is_a_break():
    text = document(column(BASE))

    assert compare(parse(text, name="a"), parse(text.replace("- name: loans", "- name: lend"), name="b")).breaking


def test_the_documents_own_fields_are_compared_too():
    text = document(column(BASE))
    after = parse(text.replace("version: 1.0.0", "version: 2.0.0") + "domain: credit\n", name="c")

    comparison = compare(parse(text, name="c"), after)

    assert [(change.field, change.before, change.after) for change in comparison.changes] == [
        ("domain", None, "credit"),
        ("version", "1.0.0", "2.0.0"),
    ]
    assert not comparison.breaking


def test_a_contract_does_not_differ_from_itself():
    one = contract(column(BASE + "quality: [{metric: nullValues, mustBe: 0}]"))

    comparison = compare(one, one)

    assert comparison.changes == ()
    assert comparison.before == comparison.after == one.digest


def test_a_comparison_is_plain_values():
    comparison = compare(contract(column(BASE)), contract(column(BASE + "required: true")))

    plain = json.loads(json.dumps(comparison.to_dict()))

    assert plain["breaking"] is True
    assert plain["changes"] == [
        {"column": "x", "field": "required", "before": "false", "after": "true", "breaking": True}
    ]


A, B = Field("a", Primitive.INTEGER), Field("a", Primitive.LONG)
WIDER = {
    "same": (Primitive.DATE, Primitive.DATE, True),
    "more bits": (Primitive.BYTE, Primitive.LONG, True),
    "fewer bits": (Primitive.LONG, Primitive.INTEGER, False),
    "int in double": (Primitive.INTEGER, Primitive.DOUBLE, True),
    "long in double": (Primitive.LONG, Primitive.DOUBLE, False),
    "long in decimal": (Primitive.LONG, Decimal(20, 1), True),
    "long in small decimal": (Primitive.LONG, Decimal(18, 0), False),
    "more digits": (Decimal(9, 2), Decimal(12, 2), True),
    "more scale only": (Decimal(9, 2), Decimal(9, 3), False),
    "list": (ListOf(Primitive.INTEGER), ListOf(Primitive.LONG), True),
    "map": (MapOf(Primitive.STRING, Primitive.LONG), MapOf(Primitive.STRING, Primitive.INTEGER), False),
    "member added": (StructOf((A,)), StructOf((B, Field("b", Primitive.DATE))), True),
    "member removed": (StructOf((A, Field("b", Primitive.DATE))), StructOf((A,)), False),
    "into text": (Primitive.DATE, Primitive.STRING, False),
    "date in moment": (Primitive.DATE, Primitive.TIMESTAMP, False),
}


@pytest.mark.parametrize(("old", "new", "wider"), WIDER.values(), ids=WIDER)
def test_a_type_is_wider_if_it_holds_every_old_value(old, new, wider):
    assert is_wider(old, new) is wider
