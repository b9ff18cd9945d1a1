"""Child datasets of lists: written once, keyed, protected, and made whole by any build."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lastro
from lastro.contract import load
from lastro.model.errors import ConfigurationError, ContractError, UnknownName
from lastro.model.status import Outcome
from lastro.workspace.derived.flatten import Child

ORDERS = (
    {
        "id": 1,
        "customer": {"name": "Ana", "phones": ["10", "11"]},
        "items": [{"sku": "A1", "size": {"cm": 3}, "taxes": [{"rate": 1.5}, {"rate": 2.5}]}, None],
    },
    {"id": 2, "customer": {"name": "Rui", "phones": []}, "items": []},
    {"id": 3, "customer": None, "items": None},
    {"id": 4, "customer": {"name": "Bia", "phones": ["40"]}, "items": [{"sku": "B7", "size": None, "taxes": []}]},
)
Rows = list[dict[str, Any]]


class Shop:
    """A workspace whose dataset `orders` reads `orders.jsonl`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.workspace = lastro.init(root)
        self.write(*ORDERS)

    def write(self, *orders: dict[str, Any]) -> None:
        text = "".join(json.dumps(order, ensure_ascii=False) + "\n" for order in orders)
        (self.root / "orders.jsonl").write_text(text, encoding="utf-8")

    def add(self, *, flatten: bool = False, name: str = "orders") -> None:
        self.workspace.add("orders.jsonl", name=name, flatten=flatten)

    def ingest(self, name: str = "orders") -> None:
        assert self.workspace.dataset(name).ingest().passed

    def build(self) -> dict[str, str]:
        found = self.workspace.build()
        assert found.passed, [step.what for step in found.steps]
        return {step.dataset: step.outcome.value for step in found.steps}

    def rows(self, name: str) -> Rows:
        contract = load(self.path("contracts", name, ".odcs.yaml"))
        key = contract.plan().primary_key
        found: Rows = self.workspace.version(name).to_arrow().to_pylist()
        return sorted(found, key=lambda row: [row[each] for each in key])

    def path(self, folder: str, name: str, ending: str) -> Path:
        return self.root / folder / (name + ending)

    def edit(self, name: str, before: str, after: str) -> None:
        path = self.path("contracts", name, ".odcs.yaml")
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after, 1))
        self.workspace = lastro.open(self.root)

    def maxima(self, name: str) -> dict[str, Any]:
        columns = self.workspace.version(name).info.origin.profile["columns"]
        return {column: each.get("maximum") for column, each in columns.items()}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop")


def names(found: tuple[Child, ...]) -> list[str]:
    return [child.dataset for child in found]


def files(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_lists_become_children_and_theirs_theirs(shop: Shop) -> None:
    shop.add(flatten=True)
    shop.ingest()

    first, again = shop.build(), shop.build()

    children = ["orders__customer__phones", "orders__items", "orders__items__taxes"]
    assert first == dict.fromkeys(children, "made")
    assert again == dict.fromkeys(children, "unchanged")
    assert shop.rows("orders__items") == [
        {"orders_id": 1, "items_position": 1, "sku": "A1", "size__cm": 3, "taxes": [{"rate": 1.5}, {"rate": 2.5}]},
        {"orders_id": 1, "items_position": 2, "sku": None, "size__cm": None, "taxes": None},
        {"orders_id": 4, "items_position": 1, "sku": "B7", "size__cm": None, "taxes": []},
    ]
    assert shop.rows("orders__items__taxes") == [
        {"orders_id": 1, "items_position": 1, "taxes_position": 1, "rate": 1.5},
        {"orders_id": 1, "items_position": 1, "taxes_position": 2, "rate": 2.5},
    ]
    assert shop.rows("orders__customer__phones") == [
        {"orders_id": 1, "phones_position": 1, "value": "10"},
        {"orders_id": 1, "phones_position": 2, "value": "11"},
        {"orders_id": 4, "phones_position": 1, "value": "40"},
    ]


def test_the_contract_has_the_key_and_says_whose_elements_the_rows_are(shop: Shop) -> None:
    shop.add(flatten=True)

    contract = load(shop.path("contracts", "orders__items__taxes", ".odcs.yaml"))

    assert contract.plan().primary_key == ("orders_id", "items_position", "taxes_position")
    (dataset,) = contract.document["schema"]
    assert dataset["relationships"] == [
        {
            "type": "foreignKey",
            "from": ["orders__items__taxes.orders_id", "orders__items__taxes.items_position"],
            "to": ["orders__items.orders_id", "orders__items.items_position"],
        }
    ]
    assert dataset["customProperties"] == [
        {"property": "elements", "value": {"of": "orders__items", "path": ["taxes"]}, "vendor": "lastro"}
    ]


def test_a_plan_writes_nothing_and_a_second_call_finds_all_there(shop: Shop) -> None:
    shop.add()
    before = files(shop.root)

    planned = shop.workspace.flatten("orders", plan=True)
    unwritten = files(shop.root)
    written = shop.workspace.flatten("orders")
    after = files(shop.root)
    again = shop.workspace.flatten("orders")

    assert unwritten == before
    assert names(planned) == names(written) == names(again)
    assert [child.is_there for child in written] == [False] * 3
    assert [child.is_there for child in again] == [True] * 3
    assert {path for path in after if path not in before} == {
        str(shop.root / file) for child in written for file in (child.file, child.contract)
    }
    assert files(shop.root) == after


def test_new_rows_of_the_parent_are_followed(shop: Shop) -> None:
    shop.add(flatten=True)
    shop.ingest()
    shop.build()
    shop.write({"id": 9, "customer": None, "items": [{"sku": "Z", "size": None, "taxes": [{"rate": 9.5}]}]})
    shop.ingest()

    found = shop.build()

    assert set(found.values()) == {"made"}
    assert [row["sku"] for row in shop.rows("orders__items")] == ["Z"]
    assert [row["rate"] for row in shop.rows("orders__items__taxes")] == [9.5]
    assert shop.rows("orders__customer__phones") == []
    info = shop.workspace.version("orders__items").info
    assert info.origin.inputs[0].startswith("orders@1 sha256:")


def test_lists_without_any_element_make_children_without_rows(shop: Shop) -> None:
    shop.add(flatten=True)
    shop.write({"id": 1, "customer": None, "items": []})
    shop.ingest()

    shop.build()

    assert shop.rows("orders__items") == shop.rows("orders__items__taxes") == []


def test_a_build_writes_the_child_of_a_list_that_came_later_and_says_so(shop: Shop) -> None:
    text = shop.root / "lastro.yaml"
    shop.add(flatten=True)
    text.write_text(text.read_text().replace("    flatten: true\n", "    flatten: true\n    schema_change: evolve\n"))
    shop.workspace = lastro.open(shop.root)
    shop.ingest()
    shop.build()
    shop.write(*ORDERS, {"id": 5, "customer": None, "items": [], "coupons": [{"code": "X", "percent": 5}, None]})
    shop.ingest()

    found = shop.workspace.build()
    again = shop.workspace.build()

    assert found.flattened == ("orders__coupons",)
    assert found.to_dict()["flattened"] == ["orders__coupons"]
    assert found.passed, [step.what for step in found.steps]
    assert shop.rows("orders__coupons") == [
        {"orders_id": 5, "coupons_position": 1, "code": "X", "percent": 5},
        {"orders_id": 5, "coupons_position": 2, "code": None, "percent": None},
    ]
    assert again.flattened == ()
    assert shop.maxima("orders__coupons")["percent"] is None  # nobody has classified the new column yet


def test_a_round_writes_and_makes_what_lacks(shop: Shop) -> None:
    shop.add()
    text = shop.root / "lastro.yaml"
    text.write_text(text.read_text().replace("    mode:", "    flatten: true\n    mode:"))
    shop.workspace = lastro.open(shop.root)

    alone = shop.workspace.round("orders", retries=0)
    played = shop.workspace.round(retries=0)

    assert len(alone.flattened) == 3
    assert [step.dataset for step in alone.steps] == ["orders"]
    assert played.flattened == ()
    assert {step.outcome for step in played.steps if step.dataset != "orders"} == {Outcome.MADE}


def test_without_flatten_a_build_writes_nothing(shop: Shop) -> None:
    shop.add()
    shop.ingest()

    assert shop.build() == {}
    assert not (shop.root / "transforms").exists()


def test_a_list_without_a_key_is_refused_before_anything_is_added(shop: Shop) -> None:
    shop.write({"n": 1.5, "items": [1]}, {"n": 1.5, "items": [2]})

    with pytest.raises(ContractError, match="orders has no primary key") as refused:
        shop.add(flatten=True)

    assert refused.value.do.startswith("add it without --flatten, mark its key with `primaryKey: true`")
    assert shop.workspace.datasets() == ()
    assert not shop.path("contracts", "orders", ".odcs.yaml").exists()


def test_a_key_that_is_gone_fails_the_build_of_its_children_only(shop: Shop) -> None:
    shop.add(flatten=True)
    shop.ingest()
    shop.build()
    shop.edit("orders", "primaryKey: true", "unique: true")

    found = shop.workspace.build()

    assert (found.steps[0].dataset, found.steps[0].outcome) == ("orders", Outcome.FAILED)
    assert "no primary key" in found.steps[0].what
    assert all(step.outcome is not Outcome.FAILED for step in found.steps[1:])
    (shop.root / "transforms" / "x.sql").write_text("SELECT 1 AS one")
    assert shop.workspace.build("x").passed


def test_a_dataset_without_lists_has_no_children(shop: Shop) -> None:
    shop.write({"n": 1.5, "m": {"x": 1}})
    shop.add(flatten=True)

    assert shop.workspace.flatten("orders") == ()
    with pytest.raises(UnknownName):
        shop.workspace.flatten("nobody")


def test_no_dataset_and_no_file_is_overwritten(shop: Shop) -> None:
    shop.add()
    (shop.root / "other.csv").write_text("id\n1\n")
    shop.workspace.add("other.csv", name="orders__items")
    before = files(shop.root)

    with pytest.raises(ConfigurationError, match="would be the dataset orders__items, and that is taken"):
        shop.workspace.flatten("orders")

    assert files(shop.root) == before


@pytest.mark.parametrize("file", ["transforms/orders__items.py", "transforms/orders__items.sql"])
def test_a_step_of_that_name_that_reads_something_else_is_not_touched(shop: Shop, file: str) -> None:
    shop.add()
    (shop.root / "other.csv").write_text("id\n1\n")
    shop.workspace.add("other.csv", name="other")
    (shop.root / "transforms").mkdir()
    text = "def orders__items(other):\n    return other\n" if file.endswith("py") else "SELECT id FROM other"
    (shop.root / file).write_text(text)

    with pytest.raises(ConfigurationError, match="that is taken") as refused:
        shop.workspace.flatten("orders")

    assert refused.value.where == file
    assert (shop.root / file).read_text() == text


@pytest.mark.parametrize("file", ["contracts/orders__items.odcs.yaml", "transforms/orders__items.sql"])
def test_a_link_or_a_strange_contract_in_the_way_is_told(shop: Shop, file: str, tmp_path: Path) -> None:
    shop.add()
    (shop.root / "transforms").mkdir()
    (shop.root / file).symlink_to(tmp_path / "nowhere")

    with pytest.raises(ConfigurationError, match="that is taken") as refused:
        shop.workspace.flatten("orders")

    assert refused.value.where == file
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_is_a_link_is_not_written_into(shop: Shop, tmp_path: Path) -> None:
    shop.add()
    (tmp_path / "elsewhere").mkdir()
    (shop.root / "transforms").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ConfigurationError, match="transforms is a symbolic link"):
        shop.workspace.flatten("orders")

    assert not list((tmp_path / "elsewhere").iterdir())
    assert not shop.path("contracts", "orders__items", ".odcs.yaml").exists()


def test_a_step_that_a_person_wrote_for_the_list_stays(shop: Shop) -> None:
    shop.add()
    (shop.root / "transforms").mkdir()
    sql = "SELECT id, unnest(items).sku AS sku FROM orders"
    shop.path("transforms", "orders__items", ".sql").write_text(sql)

    found = shop.workspace.flatten("orders")

    assert [(child.dataset, child.is_there) for child in found] == [
        ("orders__customer__phones", False),
        ("orders__items", True),
    ]
    assert shop.path("transforms", "orders__items", ".sql").read_text() == sql


def test_a_child_that_was_renamed_is_known_by_its_contract(shop: Shop) -> None:
    shop.add(flatten=True)
    shop.path("transforms", "orders__items", ".sql").rename(shop.path("transforms", "lines", ".sql"))
    shop.path("contracts", "orders__items", ".odcs.yaml").rename(shop.path("contracts", "lines", ".odcs.yaml"))
    shop.edit("lines", "- name: orders__items", "- name: lines")
    for ending in (("transforms", "orders__items__taxes", ".sql"), ("contracts", "orders__items__taxes", ".odcs.yaml")):
        shop.path(*ending).unlink()

    found = shop.workspace.flatten("orders")

    assert [(child.dataset, child.is_there) for child in found] == [
        ("orders__customer__phones", True),
        ("lines", True),
        ("lines__taxes", False),
    ]


def test_a_contract_without_its_step_is_completed(shop: Shop) -> None:
    shop.add(flatten=True)
    step = shop.path("transforms", "orders__items", ".sql")
    text = step.read_text()
    step.unlink()
    contract = shop.path("contracts", "orders__customer__phones", ".odcs.yaml")
    promised = contract.read_text()
    contract.unlink()
    shop.workspace = lastro.open(shop.root)

    found = shop.workspace.flatten("orders")

    assert [child.is_there for child in found] == [False, False, True]
    assert (step.read_text(), contract.read_text()) == (text, promised)


def test_a_circle_of_children_ends(shop: Shop) -> None:
    shop.add(flatten=True)
    shop.edit(
        "orders__items",
        "of: orders\n          path:\n            - items",
        "of: orders__items\n          path:\n            - taxes",
    )

    found = shop.workspace.flatten("orders")

    assert names(found)[:2] == ["orders__customer__phones", "orders__items"]


def test_what_the_parent_withholds_is_withheld_under_any_name(shop: Shop) -> None:
    shop.write(
        *({"id": n, "orders_id": 0, "parts": [{"ref.no": n * 10, "orders_id": n, "code": f"c{n}"}]} for n in (1, 2))
    )
    shop.add()
    shop.edit("orders", "- name: parts\n", "- name: parts\n        classification: confidential\n")
    shop.workspace.flatten("orders")
    shop.ingest()
    shop.build()

    maxima = shop.maxima("orders__parts")

    assert maxima == {
        "orders_id": "2", "parts_position": "1", "ref_no": None, "orders_id_2": None, "code": None,
    }  # fmt: skip
    assert shop.path("contracts", "orders__parts", ".odcs.yaml").read_text().count("classification: confidential") == 3


def test_a_classification_within_a_list_counts_for_its_column(shop: Shop) -> None:
    shop.write({"id": 1, "parts": [{"salary": 3, "name": "Ana", "weight": 2}]})
    shop.add()
    shop.edit(
        "orders",
        "            - name: salary\n",
        "            - name: salary\n              classification: restricted\n",
    )
    text = shop.path("contracts", "orders", ".odcs.yaml")
    lines = text.read_text().splitlines()
    text.write_text("\n".join(line for line in lines if not line.startswith("        classification:")) + "\n")
    shop.workspace.flatten("orders")

    plan = load(shop.path("contracts", "orders__parts", ".odcs.yaml")).plan()

    assert plan.withheld == {"salary", "name"}
    assert "# guessed: name looks personal" in shop.path("contracts", "orders__parts", ".odcs.yaml").read_text()


def test_what_the_parent_comes_to_withhold_is_withheld_all_the_way_unless_a_person_opened_it(shop: Shop) -> None:
    shop.write({"id": 7, "parts": [{"weight": 2, "depth": 5, "rings": [{"cm": 3}]}]})
    shop.add(flatten=True)
    shop.ingest()
    shop.build()
    before = shop.maxima("orders__parts"), shop.maxima("orders__parts__rings")
    shop.edit("orders", "- name: parts\n", "- name: parts\n        classification: confidential\n")
    shop.edit("orders", "primaryKey: true", "primaryKey: true\n        classification: secret")
    shop.edit("orders__parts", "- name: depth\n", "- name: depth\n        classification: internal\n")
    shop.write({"id": 7, "parts": [{"weight": 3, "depth": 6, "rings": [{"cm": 4}]}]})
    shop.ingest()
    shop.build()

    after = shop.maxima("orders__parts"), shop.maxima("orders__parts__rings")

    keys = {"orders_id": "7", "parts_position": "1"}
    assert before == (
        {**keys, "weight": "2", "depth": "5", "rings": None},
        {**keys, "rings_position": "1", "cm": "3"},
    )
    assert after == (
        {"orders_id": None, "parts_position": "1", "weight": None, "depth": "6", "rings": None},
        {"orders_id": None, "parts_position": "1", "rings_position": "1", "cm": None},
    )


def test_an_inferred_contract_withholds_members_of_what_is_withheld(shop: Shop) -> None:
    shop.write({"id": 1, "parts": [{"weight": 2}]})
    shop.add()
    shop.edit("orders", "- name: parts\n", "- name: parts\n        classification: confidential\n")
    (shop.root / "transforms").mkdir()
    (shop.root / "transforms" / "x.sql").write_text("SELECT id, unnest(parts).weight AS weight FROM orders")
    shop.workspace = lastro.open(shop.root)
    shop.ingest()
    shop.build()

    assert shop.maxima("x") == {"id": "1", "weight": None}


def test_hostile_names_reach_their_columns(shop: Shop) -> None:
    record = {"a.b": 1, "it's": 2, "😀": 3, "SELECT": 4, "orders_id": 5, "list_position": 6, "Größe": 7, "--": 8}
    shop.write({"id": 1, "📦": [record], "x.y": [record], "order": {"group": [record]}})
    shop.add(flatten=True)
    shop.ingest()

    shop.build()

    assert names(shop.workspace.flatten("orders")) == ["orders__column_2", "orders__x_y", "orders__order__group"]
    for name in names(shop.workspace.flatten("orders")):
        (row,) = shop.rows(name)
        assert list(row.values())[2:] == [1, 2, 3, 4, 5, 6, 7, 8], row
        assert row["orders_id"] == 1


def test_children_whose_names_would_be_one_are_told_apart(shop: Shop) -> None:
    shop.write({"id": 1, "o": {"a-b": [1], "a.b": [2], "a_b": [3]}, "o__a": {"b": [4]}})
    shop.add(flatten=True)
    shop.ingest()

    shop.build()

    found = shop.workspace.flatten("orders")
    assert names(found) == ["orders__o__a_b", "orders__o__a_b_2", "orders__o__a_b_3", "orders__o__a__b"]
    assert [shop.rows(name)[0]["value"] for name in names(found)] == [1, 2, 3, 4]


def test_a_long_name_is_cut_and_stays_its_own(shop: Shop) -> None:
    long = "x" * 200
    shop.write({"id": 1, "o": {long + "1": [[1]], long + "2": [[2]]}})
    shop.add(flatten=True)
    shop.ingest()

    shop.build()

    found = shop.workspace.flatten("orders")
    assert len(set(names(found))) == 4
    assert all(len(name) <= 52 for name in names(found))
    assert [shop.rows(name)[0]["value"] for name in names(found)] == [[1], 1, [2], 2]


def test_types_stay_what_they_are(shop: Shop) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    element = {
        "price": Decimal("12345678901234567890.12"),
        "at": moment,
        "local": moment.replace(tzinfo=None),
        "day": moment.date(),
        "raw": b"\x00\xff",
        "ok": True,
        "tags": [("k", 1)],
        "small": 1.5,
    }
    kind = pa.struct(
        [
            ("price", pa.decimal128(22, 2)),
            ("at", pa.timestamp("us", "UTC")),
            ("local", pa.timestamp("us")),
            ("day", pa.date32()),
            ("raw", pa.binary()),
            ("ok", pa.bool_()),
            ("tags", pa.map_(pa.string(), pa.int64())),
            ("small", pa.float32()),
        ]
    )
    table = pa.table({"id": pa.array([1], pa.int64()), "items": pa.array([[element, None]], pa.list_(kind))})
    pq.write_table(table, shop.root / "typed.parquet")
    shop.workspace.add("typed.parquet", name="typed", flatten=True)
    shop.ingest("typed")

    shop.build()

    first, second = shop.rows("typed__items")
    assert first == {"typed_id": 1, "items_position": 1, **element}
    assert second == {"typed_id": 1, "items_position": 2, **dict.fromkeys(element)}


def test_each_state_of_a_history_has_its_elements(shop: Shop) -> None:
    shop.workspace.add("orders.jsonl", name="orders", mode=None)
    text = shop.root / "lastro.yaml"
    text.write_text(text.read_text().replace("mode: overwrite", "mode: scd2"))
    shop.workspace = lastro.open(shop.root)
    shop.workspace.flatten("orders")
    shop.ingest()
    shop.write(*ORDERS[:3], {**ORDERS[3], "items": [{"sku": "C9", "size": None, "taxes": []}]})
    shop.ingest()

    found = shop.workspace.build()

    assert all(step.quarantined == 0 for step in found.steps)
    lines = [row for row in shop.rows("orders__items") if row["orders_id"] == 4]
    assert [row["sku"] for row in lines] == ["B7", "C9"]
    assert lines[0]["orders_valid_from"] < lines[1]["orders_valid_from"]


def test_a_process_that_dies_between_parent_and_children_is_made_good_by_a_build(shop: Shop) -> None:
    shop.add(flatten=True)
    shop.ingest()
    shop.build()
    shop.write({"id": 9, "customer": None, "items": [{"sku": "Z", "size": None, "taxes": [{"rate": 9.5}]}]})
    script = (
        "import os, signal, lastro\n"
        "workspace = lastro.open()\n"
        "workspace.dataset('orders').ingest()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )

    killed = subprocess.run([sys.executable, "-c", script], cwd=shop.root, check=False, timeout=120)
    held = [row["sku"] for row in shop.rows("orders__items")]
    shop.workspace = lastro.open(shop.root)
    shop.build()

    assert killed.returncode == -signal.SIGKILL
    assert held == ["A1", None, "B7"]
    assert [row["sku"] for row in shop.rows("orders__items")] == ["Z"]
    assert [row["rate"] for row in shop.rows("orders__items__taxes")] == [9.5]
    assert shop.workspace.verify(read_data=True).passed
