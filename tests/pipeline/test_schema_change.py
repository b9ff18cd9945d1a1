"""Four policies for a source whose columns change, in every form in which rows arrive."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal as Number

import pyarrow as pa
import pytest
from tests.pipeline.changing import CONTRACT, FORMS, Changing

from lastro.contract import load
from lastro.model.errors import BreakingChange, DataRefused, SchemaChanged, SourceBroken

DAY = date(2026, 1, 1)
ONE = {"id": 1, "uf": "sp", "amount": Number("1.50"), "day": DAY}
TWO = {"id": 2, "uf": "rj", "amount": None, "day": None}
CODED = {**TWO, "product code": "A7"}


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


def make(tmp_path, form, policy, **options):
    return Changing(tmp_path / "lake", form, policy=policy, **options)


def test_evolve_adds_a_new_column_to_contract_and_table(tmp_path, form):
    made = make(tmp_path, form, "evolve")
    made.ingest(ONE)

    result = made.ingest(CODED, {**TWO, "id": 3, "product code": None})

    assert made.types()["product_code"] == "string"
    assert [row["product_code"] for row in made.rows()] == [None, "A7", None]
    assert "product_code" not in made.types("0")
    assert (result.counts.read, result.counts.kept) == (2, 2)
    assert [(each.column, each.source) for each in result.arrived.added] == [("product_code", "product code")]
    assert any("product_code" in note for note in result.notes)
    contract = load(made.contract_file)
    assert contract.version == "1.1.0"
    assert contract.digest == made.loans.log()[0].origin.contract_digest
    assert "physicalType: int   # fits for now" in contract.text
    added = contract.document["schema"][0]["properties"][-1]
    assert added["physicalName"] == "product code"
    assert "classification" not in added
    assert "product_code" in contract.plan().withheld


def test_once_followed_the_next_batch_is_like_any_other(tmp_path, form):
    made = make(tmp_path, form, "evolve")
    made.ingest({**ONE, "product code": "A7"})
    text = made.contract_file.read_text()

    result = made.ingest({**CODED, "amount": Number("2.00"), "day": DAY})

    assert not result.arrived
    assert made.contract_file.read_text() == text
    assert [row["product_code"] for row in made.rows()] == ["A7", "A7"]


def test_discard_value_leaves_a_new_column_out_and_tells_it_every_time(tmp_path, form):
    made = make(tmp_path, form, "discard_value")

    results = [made.ingest({**ONE, "id": number, "product code": "A7"}) for number in (1, 2)]

    assert [result.arrived.left_out for result in results] == [("product code",)] * 2
    assert all(any("product code" in note for note in result.notes) for result in results)
    assert set(made.types()) == {"id", "uf", "amount", "day"}
    assert made.contract_file.read_text() == CONTRACT


def test_where_nothing_is_stated_new_columns_are_left_out_and_told(tmp_path, form):
    made = make(tmp_path, form, None)

    result = made.ingest({**ONE, "product code": "A7"})

    assert result.arrived.left_out == ("product code",)
    assert json.loads(json.dumps(result.to_dict()["arrived"]))["left_out"] == ["product code"]


def test_freeze_refuses_a_new_column_and_names_it(tmp_path, form):
    made = make(tmp_path, form, "freeze")
    made.ingest(ONE)

    with pytest.raises(SchemaChanged, match="'product code'") as caught:
        made.ingest(CODED)

    assert "loans.odcs.yaml" in caught.value.do
    assert "--schema-change evolve" in caught.value.do
    assert "still at version 0" in caught.value.state
    assert made.contract_file.read_text() == CONTRACT


def test_quarantine_sets_aside_whole_rows_that_hold_a_value_in_a_new_column(tmp_path, form):
    made = make(tmp_path, form, "quarantine")

    result = made.ingest({**ONE, "product code": None}, CODED)

    assert (result.counts.kept, result.refused["schema_change"], result.arrived.set_aside) == (1, 1, 1)
    (row,) = made.loans.quarantine().rows()
    assert row["rules"] == ["schema_change"]
    assert json.loads(row["record"])["product code"] == "A7"
    assert any(finding.rule == "schema_change" for finding in result.findings)


def test_rows_set_aside_are_taken_in_once_the_contract_names_the_column(tmp_path, form):
    made = make(tmp_path, form, "quarantine")
    made.ingest(ONE, CODED)
    more = "      - name: product\n        physicalName: product code\n        logicalType: string\n"
    made.configure("quarantine", contract=CONTRACT + more)
    for name in ("aside.jsonl", "aside.csv"):
        assert made.loans.quarantine().export(tmp_path / name) == 1

    result = made.loans.quarantine().replay(tmp_path / "aside.jsonl")

    assert (result.counts.read, result.counts.kept) == (1, 1)
    assert [row["product"] for row in made.rows()] == [None, "A7"]
    assert made.loans.quarantine().rows() == []


@pytest.mark.parametrize("name", ["aside.jsonl", "aside.csv"])
def test_a_replay_under_evolve_follows_too(tmp_path, form, name):
    made = make(tmp_path, form, "quarantine")
    made.ingest(ONE, CODED)
    made.loans.quarantine().export(tmp_path / name)
    made.configure("evolve")

    made.loans.quarantine().replay(tmp_path / name)

    assert [row["product_code"] for row in made.rows()] == [None, "A7"]
    assert "_batch" not in made.types()


@pytest.mark.parametrize("policy", ["evolve", "discard_value"])
def test_a_column_that_may_be_missing_is_filled_in_and_told(tmp_path, form, policy):
    made = make(tmp_path, form, policy)
    made.ingest(ONE)

    result = made.ingest({"id": 2, "uf": "sp", "amount": None})

    assert result.arrived.missing[0] == ("amount" if form == "jsonl" else "day")
    assert made.rows()[1] == {"id": 2, "uf": "SP", "amount": None, "day": None}
    assert any("day" in note for note in result.notes)


@pytest.mark.parametrize("form", [form for form in FORMS if form != "jsonl"])
@pytest.mark.parametrize("policy", ["freeze", "quarantine", None])
def test_a_missing_column_refuses_the_batch_elsewhere(tmp_path, form, policy):
    made = make(tmp_path, form, policy)

    with pytest.raises(SchemaChanged if policy else SourceBroken, match="'day'"):
        made.ingest({"id": 2, "uf": "sp", "amount": None})


@pytest.mark.parametrize("policy", ["evolve", "discard_value", "quarantine", "freeze"])
def test_a_missing_column_that_must_be_there_refuses_the_batch(tmp_path, form, policy):
    made = make(tmp_path, form, policy)
    made.configure(policy, contract=CONTRACT + "        required: true\n")

    if form == "jsonl":
        result = made.ingest({"id": 1, "uf": "sp", "amount": None}, ONE | {"id": 2})
        assert result.refused["day.required"] == 1
    else:
        with pytest.raises(SchemaChanged, match="'day'"):
            made.ingest({"id": 1, "uf": "sp", "amount": None})


@pytest.mark.parametrize("policy", ["evolve", "discard_value", "quarantine", "freeze", None])
def test_a_rename_is_suggested_with_its_edit_and_never_done(tmp_path, form, policy):
    made = make(tmp_path, form, policy)
    renamed = {"id": 1, "uf": "sp", "Amount (R$)": Number("1.50"), "day": DAY}

    if policy in ("evolve", "discard_value") or (form == "jsonl" and policy != "freeze"):
        result = made.ingest(renamed, types={"Amount (R$)": pa.decimal128(20, 2)})
        text = " ".join(result.notes)
    else:
        with pytest.raises((SchemaChanged, SourceBroken)) as caught:
            made.ingest(renamed, types={"Amount (R$)": pa.decimal128(20, 2)})
        text = caught.value.do

    assert "was 'amount' renamed to 'Amount (R$)'?" in text
    assert 'physicalName: "Amount (R$)"' in text
    assert 'physicalName: "Amount (R$)"' not in made.contract_file.read_text() or policy == "evolve"


def test_evolve_widens_types_that_values_do_not_fit_and_rewrites_what_is_stored(tmp_path, form):
    made = make(tmp_path, form, "evolve")
    made.ingest(ONE)
    files = {entry.path for entry in made.loans.log()[0].files}
    wide = {"id": 3_000_000_000, "uf": "sp", "amount": Number("123456.25"), "day": datetime(2026, 1, 2, 10, 30)}

    result = made.ingest(
        {**TWO, "day": None}, wide, types={"day": pa.timestamp("us")}, columns=["id", "uf", "amount", "day"]
    )

    assert made.types() == {"id": "long", "uf": "string", "amount": "decimal(18,2)", "day": "timestamp_ntz"}
    assert made.types("0") == {"id": "integer", "uf": "string", "amount": "decimal(5,2)", "day": "date"}
    assert (result.counts.read, result.counts.kept, result.rows_total) == (2, 2, 3)
    assert made.rows()[0] == {"id": 1, "uf": "SP", "amount": Number("1.50"), "day": datetime(2026, 1, 1)}
    assert made.rows()[2] == {**wide, "uf": "SP"}
    assert made.rows("0") == [{**ONE, "uf": "SP"}]
    assert {each.column for each in result.arrived.widened} == {"id", "amount", "day"}
    assert files.isdisjoint(entry.path for entry in made.loans.log()[0].files)
    assert made.workspace.verify(read_data=True).passed


def test_a_value_that_no_wider_type_holds_stays_a_matter_of_its_row(tmp_path):
    made = make(tmp_path, "csv", "evolve")

    result = made.ingest(ONE, {**TWO, "id": "five"}, {**TWO, "id": "2.5"}, {**TWO, "id": "7", "amount": "x"})

    assert made.types()["id"] == "decimal(18,1)"
    assert result.counts.kept == 2
    assert result.refused == {**result.refused, "id.type": 1, "amount.type": 1}
    places = {row["position"]: row["rules"] for row in made.loans.quarantine().rows()}
    assert places == {2: ["id.type"], 4: ["amount.type"]}


def test_freeze_refuses_values_that_ask_for_a_wider_type_and_no_others(tmp_path, form):
    made = make(tmp_path, form, "freeze")

    with pytest.raises(SchemaChanged, match="decimal"):
        made.ingest({**ONE, "amount": Number("123456.25")})

    assert made.loans.log() == ()


@pytest.mark.parametrize("policy", ["discard_value", "quarantine", None])
def test_elsewhere_a_wider_type_is_suggested(tmp_path, form, policy):
    made = make(tmp_path, form, policy)

    result = made.ingest(ONE, {**TWO, "amount": Number("123456.25")})

    assert (result.counts.kept, result.refused["amount.type"]) == (1, 1)
    assert [(each.column, each.after, each.rows) for each in result.arrived.wider] == [("amount", "decimal(18,2)", 1)]


@pytest.mark.parametrize("stated", ["warn", "fail"])
@pytest.mark.parametrize("policy", ["evolve", "freeze"])
def test_a_policy_of_the_column_itself_stays_in_force(tmp_path, policy, stated):
    own = f"        customProperties: [{{property: policy, value: {stated}, vendor: lastro}}]\n"
    made = make(tmp_path, "csv", policy)
    made.configure(policy, contract=CONTRACT + own)
    rows = (ONE, {**TWO, "day": "soon"})

    if stated == "fail":
        with pytest.raises(DataRefused, match=r"day\.type"):
            made.ingest(*rows)
    else:
        result = made.ingest(*rows)
        assert (result.counts.kept, result.refused["day.type"]) == (2, 1)
        assert made.rows()[1]["day"] is None


def test_a_hand_widened_contract_is_accepted_by_append_and_upsert_alike(tmp_path, form):
    made = make(tmp_path, form, None)
    made.ingest(ONE, TWO)
    wider = CONTRACT.replace("        physicalType: int   # fits for now\n", "").replace("decimal(5,2)", "decimal(9,2)")
    made.configure(None, contract=wider)

    made.ingest({**ONE, "id": 3})
    updated = made.ingest({**ONE, "id": 2, "amount": Number("7.00")}, mode="upsert")

    assert made.types()["id"] == "long"
    assert (updated.updated, updated.inserted, updated.rows_total) == (1, 0, 3)
    assert [row["amount"] for row in made.rows()] == [Number("1.50"), Number("7.00"), Number("1.50")]


def test_an_upsert_may_widen_and_replace_at_once(tmp_path, form):
    made = make(tmp_path, form, "evolve", mode="upsert")
    made.ingest(ONE, TWO)

    result = made.ingest({**TWO, "amount": Number("123456.25")}, {**TWO, "id": 9, "amount": Number("1.25")})

    assert (result.updated, result.inserted, result.rows_total) == (1, 1, 3)
    assert [row["amount"] for row in made.rows()] == [Number("1.50"), Number("123456.25"), Number("1.25")]


def test_narrowing_is_refused_with_the_repair(tmp_path, form):
    made = make(tmp_path, form, "evolve")
    made.ingest(ONE)
    made.configure("evolve", contract=CONTRACT.replace("decimal(5,2)", "decimal(4,2)"))

    with pytest.raises(BreakingChange, match="does not fit") as caught:
        made.ingest(TWO)

    assert "decimal(5,2) to decimal(4,2)" in caught.value.where
    assert "overwrite" in caught.value.do


def test_the_policy_of_one_batch_overrules_the_datasets(tmp_path, form):
    made = make(tmp_path, form, "freeze")

    made.ingest({**ONE, "product code": "A7"}, schema_change="evolve")

    assert "product_code" in made.types()


def test_ignored_columns_are_known_and_left_out_in_silence(tmp_path, form):
    ignored = "    customProperties: [{property: ignored, value: [product code, other], vendor: lastro}]\n"
    made = make(tmp_path, form, "freeze")
    made.configure("freeze", contract=CONTRACT.replace("    properties:\n", ignored + "    properties:\n"))

    result = made.ingest({**ONE, "product code": "A7"})

    assert not result.arrived
    assert result.notes == ()


def test_a_batch_that_a_rule_refuses_changes_neither_contract_nor_table(tmp_path, form):
    failing = "        required: true\n        customProperties: [{property: policy, value: fail, vendor: lastro}]\n"
    made = make(tmp_path, form, "evolve")
    made.configure("evolve", contract=CONTRACT + failing)

    with pytest.raises(DataRefused):
        made.ingest({**CODED, "day": None})

    assert made.contract_file.read_text() == CONTRACT + failing
    assert made.loans.log() == ()


def test_a_member_in_one_record_of_many_is_found_and_typed_by_all_its_values(tmp_path):
    made = make(tmp_path, "jsonl", "evolve")
    rows = [{"id": number, "uf": "sp"} for number in range(30_000)]
    rows[29_000]["late"] = 7
    for number in range(25_000):
        rows[number]["score"] = number
    rows[25_000]["score"] = "n/a"

    result = made.ingest(*rows)

    assert (made.types()["late"], made.types()["score"]) == ("long", "string")
    found = made.rows()
    assert (result.counts.kept, len(found)) == (30_000, 30_000)
    assert found[29_000]["late"] == 7
    assert [found[number]["score"] for number in (0, 24_999, 25_000, 25_001)] == ["0", "24999", "n/a", None]


def test_a_new_column_without_a_value_is_told_and_not_added(tmp_path):
    made = make(tmp_path, "csv", "evolve")

    result = made.ingest(ONE, columns=["id", "uf", "amount", "day", "empty"])

    assert result.arrived.left_out == ("empty",)
    assert "empty" not in made.types()


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_of_rows_with_one_key_the_sources_order_decides_though_they_went_different_ways(tmp_path, mode):
    made = make(tmp_path, "jsonl", "evolve", mode=mode)
    rows = [
        {"id": 1, "uf": "a"},
        {"id": 1, "uf": "b", "code": "x"},
        {"id": 2, "uf": "c", "code": "x"},
        {"id": 2, "uf": "d"},
        {"id": 2, "uf": "e", "code": "y"},
        {"id": "none", "uf": "f", "code": "z"},
        {"id": 3, "uf": "g"},
    ]

    result = made.ingest(*rows)

    found = [(row["id"], row["uf"], row["code"]) for row in made.rows()]
    first, last = [(1, "A", None), (2, "C", "x"), (3, "G", None)], [(1, "B", "x"), (2, "E", "y"), (3, "G", None)]
    assert found == (first if mode == "append" else last)
    assert (result.counts.read, result.counts.kept, result.refused["primary_key"]) == (7, 3, 3)
    aside = {row["position"]: row["rules"][0] for row in made.loans.quarantine().rows()}
    assert sorted(aside) == ([2, 4, 5, 6] if mode == "append" else [1, 3, 4, 6])
    assert aside[6] == "id.type"


def test_numbers_that_are_none_survive_a_second_stage(tmp_path):
    made = make(tmp_path, "data", "evolve")
    made.configure("evolve", contract=CONTRACT + "      - name: score\n        logicalType: number\n")
    rows = ({**ONE, "score": float("nan")}, {**TWO, "id": 3_000_000_000, "score": float("inf")})

    made.ingest(*rows, types={"score": pa.float64()})

    scores = [row["score"] for row in made.rows()]
    assert scores[0] != scores[0]
    assert scores[1] == float("inf")
