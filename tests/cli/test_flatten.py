"""`flatten`, and `flatten: true`, as a person or another program calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.source.misbehaving import page, serve  # noqa: F401 – a fixture

ORDERS = '{"id": 1, "items": [{"sku": "A1", "taxes": [1.5]}]}\n{"id": 2, "items": []}\n'


@pytest.fixture
def shop(tmp_path: Path, lastro) -> Path:
    assert lastro("init").code == 0
    (tmp_path / "orders.jsonl").write_text(ORDERS)
    return tmp_path


def test_a_dataset_is_flattened_and_its_children_are_built(shop, lastro):
    lastro("add", "orders.jsonl", "--as", "orders")
    lastro("ingest")

    ended, again = lastro("flatten", "orders"), lastro("flatten", "orders", "--json").json
    built = lastro("build", "--json").json

    assert ended.code == 0
    assert ended.last == "2 lists, 2 new. next: lastro build"
    assert again["schema"] == "lastro.flatten/1"
    assert [(one["dataset"], one["list"], one["there"], one["sql"]) for one in again["children"]] == [
        ("orders__items", ["items"], True, None),
        ("orders__items__taxes", ["taxes"], True, None),
    ]
    assert [(one["dataset"], one["outcome"], one["kept"]) for one in built["steps"]] == [
        ("orders__items", "made", 1),
        ("orders__items__taxes", "made", 1),
    ]
    assert built["flattened"] == []


def test_a_plan_shows_the_select_and_writes_nothing(shop, lastro):
    lastro("add", "orders.jsonl", "--as", "orders")

    ended = lastro("flatten", "orders", "--plan")
    found = lastro("flatten", "orders", "--plan", "--json").json

    assert "unnest(parent.items) AS element" in ended.out
    assert ended.last == "2 lists, 2 new. next: lastro flatten orders"
    assert found["plan"] is True
    assert found["children"][1]["sql"].startswith("-- One row for each element of orders__items.taxes.")
    assert not (shop / "transforms").exists()


def test_add_with_flatten_says_what_became_of_the_lists(shop, lastro):
    ended = lastro("add", "orders.jsonl", "--as", "orders", "--flatten", "--json")

    assert ended.json["children"] == ["orders__items", "orders__items__taxes"]
    assert "    flatten: true\n" in (shop / "lastro.yaml").read_text()


def test_a_dataset_that_was_added_stays_if_its_children_have_no_name(shop, lastro):
    (shop / "other.csv").write_text("id\n1\n")
    lastro("add", "other.csv", "--as", "orders__items")

    ended = lastro("add", "orders.jsonl", "--as", "orders", "--flatten", "--json")

    assert (ended.code, ended.json["code"]) == (2, "LST-0203")
    assert ended.json["state"] == "orders is added; only its child datasets are missing"
    assert lastro("ingest", "orders").code == 0


def test_a_build_whose_children_have_no_name_leads_to_flatten(shop, lastro):
    (shop / "other.csv").write_text("id\n1\n")
    lastro("add", "other.csv", "--as", "orders__items")
    lastro("add", "orders.jsonl", "--as", "orders", "--flatten")

    ended = lastro("build")

    assert ended.code == 2
    assert "would be the dataset orders__items, and that is taken" in ended.out
    assert ended.last.endswith("next: lastro flatten orders")


def test_a_round_says_which_lists_are_new(shop, lastro):
    lastro("add", "orders.jsonl", "--as", "orders")
    text = shop / "lastro.yaml"
    text.write_text(text.read_text().replace("    mode:", "    flatten: true\n    mode:"))

    ended = lastro("run")

    assert ended.code == 0
    assert "orders__items is new: the elements of a list, transforms/orders__items.sql" in ended.out
    assert ended.last.startswith("3 datasets: 3 with a new version")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("flatten", "nobody"), "there is no dataset nobody"),
        (("flatten", "../x"), "'../x' is not a name"),
        (("flatten",), "Missing argument 'NAME'"),
        (("add", "sqlite:///x.db#*", "--flatten"), "--flatten is for one dataset; add --as NAME"),
    ],
)
def test_what_cannot_be_flattened_is_told(shop, lastro, arguments, what):
    ended = lastro(*arguments, "--json")

    assert ended.code == 2
    assert what in ended.json["what"]


def test_flatten_is_true_or_false(shop, lastro):
    lastro("add", "orders.jsonl", "--as", "orders", "--flatten")
    text = shop / "lastro.yaml"
    text.write_text(text.read_text().replace("flatten: true", "flatten: items"))

    ended = lastro("build", "--json")

    assert (ended.code, ended.json["what"]) == (2, "flatten is true or false")


def test_a_dataset_without_lists_says_so(shop, lastro):
    (shop / "plain.csv").write_text("id\n1\n")
    lastro("add", "plain.csv", "--as", "plain")

    ended = lastro("flatten", "plain")

    assert (ended.code, ended.last) == (0, "plain holds no list")


def test_an_api_is_flattened(shop, lastro, serve):  # noqa: F811
    orders = [json.loads(line) for line in ORDERS.splitlines()]
    server = serve(lambda _asked: page({"data": orders}))
    allowed = f'allow_hosts=["127.0.0.1:{server.port}"]'

    added = lastro("add", server.url(), "--as", "orders", "--flatten", "--option", allowed, "--json")
    played = lastro("run", "--json").json

    assert added.json["children"] == ["orders__items", "orders__items__taxes"], added.out
    assert [(one["dataset"], one["outcome"], one["kept"]) for one in played["steps"]] == [
        ("orders", "made", 2),
        ("orders__items", "made", 1),
        ("orders__items__taxes", "made", 1),
    ]
