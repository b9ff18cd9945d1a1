"""Contracts of child datasets, made from their parent's alone."""

from __future__ import annotations

from typing import Any

import pytest

from lastro.contract import Contract, parse
from lastro.contract.elements import child_name, elements_of, inherited, origin, text_of
from lastro.model.errors import ContractError

HEAD = "apiVersion: v3.2.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: active\nschema:\n  - name: orders\n"
ID = {"name": "id", "logicalType": "integer", "primaryKey": True}
NUMBER = {"logicalType": "number"}


def contract(*properties: dict[str, Any], own: str = "") -> Contract:
    lines = "".join(f"      - {property_}\n" for property_ in map(flow, properties))
    return parse(f"{HEAD}{own}    properties:\n{lines}", name="orders.odcs.yaml")


def flow(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def array(name: str, items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "logicalType": "array", "items": items, **more}


def struct(*properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"logicalType": "object", "properties": list(properties), **more}


def test_a_vector_is_a_value_and_no_list() -> None:
    vector = {"logicalType": "vector", "logicalTypeOptions": {"dimensions": 3}}
    parent = contract(ID, {"name": "v", **vector}, array("items", struct({"name": "w", **vector})))

    (found,) = elements_of(parent)

    child = parse(text_of(found, "orders__items"), name="child")
    assert found.path == ("items",)
    assert elements_of(child) == ()
    assert child.document["schema"][0]["properties"][-1] == {"name": "w", **vector}


def test_too_many_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lastro.contract.elements.COLUMNS_MAX", 10)
    members = [{"name": f"c{n}", "logicalType": "integer"} for n in range(9)]

    with pytest.raises(ContractError, match="the elements of items have more than 10 columns"):
        elements_of(contract(ID, array("items", struct(*members))))
    (found,) = elements_of(contract(ID, array("items", struct(*members[1:]))))
    assert len(parse(text_of(found, "x"), name="x").plan().columns) == 10


def test_the_nearest_classification_counts() -> None:
    inner = struct(
        {"name": "email", "logicalType": "string", "classification": "public"},
        {"name": "weight", **NUMBER, "classification": "secret"},
        {"name": "size", **struct({"name": "cm", **NUMBER}), "classification": "internal"},
        {"name": "rest", **NUMBER},
    )
    parent = contract(ID, array("items", inner, classification="confidential"))

    (found,) = elements_of(parent)

    assert {member.name: member.classification for member in found.members} == {
        "email": "public",
        "weight": "secret",
        "size__cm": "internal",
        "rest": "confidential",
    }


def test_what_a_parent_withholds_later_is_inherited_where_the_child_says_nothing() -> None:
    inner = struct({"name": "a", **NUMBER}, {"name": "b", **NUMBER}, {"name": "email", "logicalType": "string"})
    (found,) = elements_of(contract(ID, array("items", inner)))
    text = text_of(found, "child").replace("name: b\n", "name: b\n        classification: public\n")
    text = text.replace("        classification: restricted\n", "")
    child = parse(text, name="x")
    stated = struct({"name": "a", **NUMBER, "classification": "secret"}, *inner["properties"][1:])

    assert inherited(child, contract(ID, array("items", inner)), frozenset()) == set()
    assert inherited(child, contract(ID, array("items", stated)), frozenset()) == {"a"}
    assert inherited(child, contract(ID, array("items", inner)), frozenset({"items"})) == {"a", "email"}
    assert inherited(child, contract(ID, array("items", inner)), frozenset({"id"})) == {"orders_id"}
    assert inherited(child, child, frozenset({"items"})) == set()


def test_a_column_that_nobody_classified_since_it_came_is_withheld() -> None:
    added = {"property": "added", "value": {"since": "2026-01-01"}, "vendor": "lastro"}
    parent = contract(ID, array("items", NUMBER, customProperties=[added]))

    (found,) = elements_of(parent)

    assert parse(text_of(found, "x"), name="x").plan().withheld == {"value"}


def test_a_key_keeps_its_protection_and_its_order() -> None:
    parent = contract(
        {"name": "cpf", "logicalType": "string", "primaryKey": True, "primaryKeyPosition": 2, "classification": "pii"},
        {"name": "n", "logicalType": "integer", "primaryKey": True, "primaryKeyPosition": 1},
        array("items", NUMBER),
    )

    (found,) = elements_of(parent)

    plan = parse(text_of(found, "x"), name="x").plan()
    assert plan.primary_key == found.key == ("orders_n", "orders_cpf", "items_position")
    assert plan.withheld == {"orders_cpf"}
    assert not any(plan.schema.field(name).nullable for name in plan.primary_key)
    assert plan.schema.field("value").nullable


def test_lists_without_a_key_are_refused_and_none_needs_no_key() -> None:
    assert elements_of(contract({"name": "n", **NUMBER})) == ()
    with pytest.raises(ContractError, match="orders has no primary key"):
        elements_of(contract({"name": "n", **NUMBER}, array("items", NUMBER)))


def test_names_beyond_ascii_make_no_relationship_that_the_standard_refuses() -> None:
    parent = contract({"name": "número", "logicalType": "integer", "primaryKey": True}, array("items", NUMBER))

    (found,) = elements_of(parent)

    child = parse(text_of(found, "x"), name="x")
    assert child.plan().primary_key == ("orders_número", "items_position")
    assert "relationships" not in child.document["schema"][0]


def test_a_map_keeps_its_lists() -> None:
    kind = {"logicalType": "map", "map": {"key": {"logicalType": "string"}, "value": array("x", NUMBER)}}
    del kind["map"]["value"]["name"]  # type: ignore[attr-defined]

    assert elements_of(contract(ID, {"name": "m", **kind})) == ()


def test_a_child_says_whose_it_is_and_its_own_children_keep_its_key() -> None:
    parent = contract(ID, array("items", array("", NUMBER) | {"name": "inner"}))
    (found,) = elements_of(parent)
    child = parse(text_of(found, "orders__items"), name="x")

    (within,) = elements_of(child)

    assert origin(parent) is None
    assert origin(child) == ("orders", ("items",))
    assert within.path == ("value",)
    assert within.key == ("orders_id", "items_position", "value_position")


@pytest.mark.parametrize(
    "value",
    ["orders", "[orders, items]", "{of: orders}", "{of: orders, path: []}", "{of: 1, path: [a]}", "{path: [a]}"],
)
def test_a_property_that_names_no_list_is_refused(value: str) -> None:
    own = f"    customProperties: [{{property: elements, value: {value}, vendor: lastro}}]\n"

    with pytest.raises(ContractError, match="does not say whose elements"):
        contract(ID, own=own)


def test_a_name_is_made_of_the_path() -> None:
    assert child_name("orders", ("items", "address__phones")) == "orders__items__address__phones"
    assert child_name("shop.orders", ("Größe (cm)", "😀", "a.b")) == "shop.orders__groe_cm__list__a_b"
