"""What a contract protects stands nowhere in the workspace, and still joins, is corrected, and is found again."""

from __future__ import annotations

import json
from datetime import date

import pyarrow.parquet as pq
import pytest
from tests.workspace.people import ANA, BAD, BROKEN, CONTRACT, HEADER, RUI, VALUES, People

import lastro
from lastro.model.errors import NotPermitted, SqlRefused, UsageError
from lastro.privacy.token import TOKEN


@pytest.fixture
def made(tmp_path):
    return People(tmp_path)


def test_each_method_protects_its_column_and_no_value_stands_anywhere(made):
    result = made.deliver(ANA, RUI, BAD, BROKEN, ANA.replace("54321098", "54321999"))
    ana, rui = sorted(made.rows(), key=lambda row: row["born"])

    assert (result.counts.read, result.counts.kept, result.counts.quarantined) == (5, 2, 3)
    assert TOKEN.fullmatch(ana["cpf"])
    assert TOKEN.fullmatch(ana["email"])
    assert ana["cpf"] != rui["cpf"]
    assert len(ana["card"]) == 64
    assert ana["phone"] == "***77"
    assert ana["note"] == "fala de [CPF]"
    assert (ana["born"], ana["income"], ana["score"]) == (date(1987, 1, 1), 54321000, 77123)
    assert "mother" not in ana
    assert made.found(*VALUES) == []
    assert made.people.check().passed
    assert made.found(*VALUES) == []


def test_statistics_of_what_is_protected_or_withheld_stand_in_no_file(made):
    made.deliver(ANA, RUI)
    [file] = made.people.table.paths(made.people.find("latest"))
    group = pq.read_metadata(file).row_group(0)
    told = {
        group.column(index).path_in_schema for index in range(group.num_columns) if group.column(index).is_stats_set
    }

    assert told == {"uf"}


def test_a_row_that_comes_again_is_the_same_and_the_order_of_files_is_no_matter(made):
    made.deliver(ANA, RUI)
    before = made.rows()
    made.deliver(RUI, ANA, name="b.csv")
    assert sorted(made.rows(), key=str) == sorted(before, key=str)
    made.deliver(ANA.replace("54321098", "87654321"), name="c.csv")

    assert {row["cpf"] for row in made.rows()} == {row["cpf"] for row in before}
    assert sorted(row["income"] for row in made.rows()) == [43210000, 87654000]


def test_refused_rows_are_corrected_without_anybody_seeing_a_value(made, tmp_path):
    made.deliver(ANA, BAD, BROKEN)
    export = tmp_path / "aside.jsonl"
    made.people.quarantine().export(export)
    lines = [json.loads(line) for line in export.read_text().splitlines()]
    [bad] = [line for line in lines if "uf" in line]
    assert bad["uf"] == "MG", "what is open stays readable"
    assert not [value for value in VALUES if value in export.read_text()]

    bad |= {"uf": "RJ", "income": "19990001"}
    export.write_text(json.dumps(bad) + "\n")
    result = made.people.quarantine().replay(export)
    [eva] = [row for row in made.rows() if row["uf"] == "RJ"]

    assert (result.counts.kept, made.people.quarantine().count()) == (1, 1)
    assert (eva["income"], eva["born"], eva["phone"]) == (19990000, date(1991, 1, 1), "***55")
    assert made.workspace.vault.find("cpf", "39053344705") == eva["cpf"]
    assert made.found(*(value for value in VALUES if value != "-19990001")) == []


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_what_is_refused_again_can_be_exported_again(made, tmp_path, form):
    made.deliver(ANA, BAD, BROKEN)
    before = [(row["form"], row["record"]) for row in made.people.quarantine().rows(reveal=False)]
    export = tmp_path / f"aside.{form}"
    made.people.quarantine().export(export)
    made.people.quarantine().replay(export)
    after = [(row["form"], row["record"]) for row in made.people.quarantine().rows()]
    shown = made.people.quarantine(purpose="support").rows(reveal=True)

    assert [form for form, _record in after] == [form for form, _record in before]
    assert json.loads(shown[0]["record"])["cpf"] == "390.533.447-05"
    assert json.loads(shown[0]["record"])["income"] == "-19990001"
    assert "mother" not in json.loads(shown[0]["record"])
    assert shown[1]["record"] == BROKEN.strip()


def test_a_row_set_aside_is_closed_when_its_key_comes_well(made):
    made.deliver(ANA, BAD)
    assert made.people.quarantine().count() == 1
    made.deliver(BAD.replace("MG", "RJ").replace("-19990001", "29990001").replace("surplus-one", ""), name="b.csv")

    assert made.people.quarantine().count() == 0
    assert len(made.rows()) == 2


def test_primary_keys_set_aside_can_be_replayed_and_hashes_stay_what_they_are(made, tmp_path):
    made.deliver(ANA, ANA.replace("54321098", "99990001"))
    [row] = made.rows()
    export = tmp_path / "aside.csv"
    made.people.quarantine().export(export)
    made.people.quarantine().replay(export)
    [again] = made.rows()

    assert again["card"] == row["card"]
    assert (row["income"], again["income"]) == (99990000, 54321000)
    assert {name: again[name] for name in row if name != "income"} == {n: row[n] for n in row if n != "income"}


def test_who_was_erased_does_not_come_in_again_unless_let(made):
    made.deliver(ANA, RUI)
    vault = made.workspace.vault
    token = vault.find("cpf", "529.982.247-25")
    vault.forget(token)
    refused = ANA.replace("SP", "MG").replace("54321098", "7777")
    result = made.deliver(ANA.replace("54321098", "7654"), RUI.replace("43210987", "9321"), refused, name="b.csv")
    aside = made.people.quarantine().rows()

    assert (result.counts.read, result.counts.kept, result.counts.quarantined) == (3, 1, 2)
    assert result.refused["erased"] == 2
    assert [(row["rules"], row["record"]) for row in aside] == [(["erased"], "{}")] * 2
    assert sorted(row["position"] for row in aside) == [1, 3]
    assert made.workspace.vault.find("cpf", "52998224725") is None
    assert made.workspace.vault.unblock("cpf", "52998224725")
    assert made.deliver(ANA.replace("54321098", "6543"), name="c.csv").counts.kept == 1


def test_one_person_joins_across_datasets_by_the_token(made):
    made.deliver(ANA, RUI)
    orders = CONTRACT.replace("name: people", "name: orders").replace("primaryKey: true", "primaryKey: false")
    (made.root / "contracts" / "orders.odcs.yaml").write_text(orders)
    text = (made.root / "lastro.yaml").read_text()
    (made.root / "lastro.yaml").write_text(
        text + "  orders:\n    contract: contracts/orders.odcs.yaml\n    mode: append\n"
    )
    ws = lastro.open(made.root)
    ws.dataset("orders").ingest(
        data=[{**dict(zip(HEADER.strip().split(","), RUI.strip().split(","), strict=True))}] * 3
    )
    tokens = {row["cpf"] for row in ws.version("orders").to_arrow().to_pylist()}

    assert tokens < {row["cpf"] for row in made.rows()}
    assert made.found(*VALUES) == []


@pytest.mark.parametrize("mode", ["append", "overwrite", "snapshot", "scd2"])
def test_every_mode_keeps_values_out(tmp_path, mode):
    made = People(tmp_path, mode=mode)
    made.deliver(ANA, BAD)
    (made.inbox / "a.csv").unlink()
    made.deliver(*([] if mode == "append" else [ANA.replace("54321098", "84320987")]), RUI, name="b.csv")
    tokens = [row["cpf"] for row in made.rows()]

    assert len(set(tokens)) == 2
    assert made.found(*VALUES) == []


def test_new_columns_follow_the_policy_without_being_written_down(tmp_path):
    made = People(tmp_path, extra="    schema_change: evolve\n")
    made.deliver(ANA, BAD)
    made.deliver(RUI.replace(",RJ,", ",RJ,12"), ANA.replace("54321098", "54321098.5"), name="b.csv")
    [rui] = [row for row in made.rows() if row["uf"] == "RJ"]

    assert rui["extra"] == "12"
    assert made.people.quarantine().summary()["income.type"] == 1, "what is protected is not widened"
    assert made.found(*VALUES) == []


def test_values_are_revealed_for_a_purpose_and_on_record(made):
    made.deliver(ANA, RUI)
    [token] = [row["cpf"] for row in made.rows() if row["uf"] == "SP"]

    with pytest.raises(UsageError, match="without a purpose"):
        made.people.reveal(tokens=[token])
    with pytest.raises(UsageError, match="is no token"):
        made.people.reveal(tokens=["x' OR 1=1 --"], purpose="support")
    shown = made.people.reveal(tokens=[token], purpose="support")
    everybody = made.people.reveal(where="uf IN ('SP', 'RJ')", purpose="support", limit=1)
    events = [event for _number, event in made.workspace.ledger.events(action="reveal")]

    assert shown.rows == ({"cpf": "52998224725", "email": "ana@private.org"},)
    assert (everybody.total, len(everybody.rows)) == (2, 1)
    assert [(event.purpose, event.columns, event.rows) for event in events] == [("support", ("cpf", "email"), 1)] * 2
    assert made.found(*VALUES) == []


@pytest.mark.parametrize("where", ["uf = 'RJ') OR (true", "uf = 'RJ' -- ", "1 = 1; DROP TABLE x"])
def test_a_condition_does_not_reach_beyond_the_tokens(made, where):
    made.deliver(ANA, RUI)
    [token] = [row["cpf"] for row in made.rows() if row["uf"] == "SP"]

    try:
        shown = made.people.reveal(tokens=[token], where=where, purpose="support").total
    except SqlRefused:
        shown = 0
    assert shown == 0


def test_the_quarantine_is_revealed_for_a_purpose_and_on_record(made):
    made.deliver(ANA, BAD)
    with pytest.raises(UsageError, match="without a purpose"):
        made.people.quarantine().rows(reveal=True)
    [row] = made.people.quarantine(purpose="repair").rows(reveal=True)
    [event] = [event for _number, event in made.workspace.ledger.events(action="reveal")]

    assert json.loads(row["record"])["email"] == "eva@private.org"
    assert (event.purpose, event.columns, event.rows, event.dataset) == ("repair", ("record",), 1, "people.quarantine")


def test_a_policy_keeps_from_revealing(made):
    pytest.importorskip("cedarpy")
    made.deliver(ANA)
    (made.root / "policies").mkdir()
    (made.root / "policies" / "a.cedar").write_text('permit(principal, action == Action::"read", resource);\n')

    with pytest.raises(NotPermitted):
        lastro.open(made.root).dataset("people").reveal(where="uf = 'SP'", purpose="support")


def test_no_vault_is_made_where_nothing_is_protected(tmp_path):
    made = People(
        tmp_path,
        contract="\n".join(line for line in CONTRACT.splitlines() if "protection" not in line or "personal" in line),
    )
    made.deliver(ANA, BAD)

    assert not (made.root / ".lastro" / "vault.sqlite").exists()
    assert not (made.root / ".lastro" / "keys" / "root.key").exists()
    assert "eva@private.org" in made.people.quarantine().rows()[0]["record"]


@pytest.mark.parametrize(
    "person",
    ["'; DROP TABLE people; --", "../../../etc/passwd", "(a+)+$", "Ọlámidé 木村", "x" * 300_000, "tok_" + "a" * 26],
    ids=["sql", "path", "regex", "scripts", "long", "like a token"],
)
def test_hostile_subjects_are_people_too(tmp_path, person):
    contract = CONTRACT.replace("        transformLogic: regexp_replace(cpf, '[^0-9]', '', 'g')\n", "").replace(
        "        logicalTypeOptions: {pattern: '^[0-9]{11}$'}\n", ""
    )
    made = People(tmp_path, contract=contract)
    rest = ANA.partition(",")[2]
    made.deliver(f'"{person}",{rest}', f",{rest}", f'"{person}2",{rest.replace("SP", "MG")}')
    [row] = made.rows()
    vault = made.workspace.vault

    assert vault.reveal([row["cpf"]])[row["cpf"]].value == person
    assert made.found(person[:100]) == []
    vault.forget(row["cpf"])
    assert made.deliver(f'"{person}",{rest.replace("54321098", "1")}', name="b.csv").refused["erased"] == 1


def test_a_derived_dataset_holds_the_same_tokens(made):
    made.deliver(ANA, RUI)
    (made.root / "transforms").mkdir(exist_ok=True)
    (made.root / "transforms" / "states.sql").write_text("SELECT cpf, email, uf FROM people")
    (made.root / "contracts" / "states.odcs.yaml").write_text(
        CONTRACT[: CONTRACT.index("      - name: card")].replace("name: people", "name: states")
        + "      - name: uf\n        logicalType: string\n        classification: public\n"
    )
    ws = lastro.open(made.root)
    # What cleans raw values would bend tokens: a derived dataset takes the column as it is.
    path = made.root / "contracts" / "states.odcs.yaml"
    lines = [line for line in path.read_text().splitlines() if "transformLogic" not in line and "pattern" not in line]
    path.write_text("\n".join(lines) + "\n")
    built = ws.build("states")
    derived = ws.version("states").to_arrow().to_pylist()

    assert built.exit_code == 0
    assert {row["cpf"] for row in derived} == {row["cpf"] for row in made.rows()}
    assert {row["email"] for row in derived} == {row["email"] for row in made.rows()}
    assert ws.vault.held().entries["cpf"] == 2


def test_rows_whose_protected_key_is_gone_at_the_source_go(tmp_path):
    import sqlite3

    made = People(tmp_path)
    database = tmp_path / "core.db"
    columns = HEADER.strip().split(",")
    people = [dict(zip(columns, line.strip().split(","), strict=True)) for line in (ANA, RUI)]
    with sqlite3.connect(database) as raw:
        raw.execute(f"CREATE TABLE people ({', '.join(columns)}, changed INTEGER)")
        for number, person in enumerate(people):
            raw.execute(f"INSERT INTO people VALUES ({', '.join('?' * 12)})", (*person.values(), number))
    (made.root / "lastro.yaml").write_text(
        "lastro: 1\ndatasets:\n  people:\n    mode: upsert\n    deletes: {keys: true}\n"
        f"    source: {{kind: sqlite, path: '{database}', table: people, cursor: changed}}\n"
    )
    made.workspace = lastro.open(made.root)
    made.people.ingest()
    assert len(made.rows()) == 2
    with sqlite3.connect(database) as raw:
        raw.execute("DELETE FROM people WHERE uf = 'RJ'")
    raw.close()
    result = made.people.ingest()

    assert (result.deleted, [row["uf"] for row in made.rows()]) == (1, ["SP"])
    assert made.found(*VALUES) == []


def test_profiles_and_differences_tell_no_value(made):
    made.deliver(ANA, RUI)
    made.deliver(ANA.replace("54321098", "11112222"), name="b.csv")
    profile, difference = made.people.profile(), made.people.diff("0", "1")

    shown = str(profile) + str(difference)
    assert difference.changed == 1
    assert not [value for value in (*VALUES, "11112222") if value in shown]
    assert made.found(*VALUES, "11112222") == []
