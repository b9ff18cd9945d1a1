"""Encrypted columns: clear to those who may read, unreadable without the keys, in every file of every version."""

from __future__ import annotations

import json
import os
import pickle
import shutil

import deltalake
import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from tests.workspace.people import People

import lastro
from lastro.engine.encrypted import encrypted_in
from lastro.model.errors import ContractError, Corrupted, NotPermitted

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: 5b0c1c1e-people
version: 1.0.0
status: active
schema:
  - name: people
    customProperties:
      - {property: subject, value: cpf, vendor: lastro}
    properties:
      - name: id
        logicalType: integer
        primaryKey: true
        required: true
        customProperties: [{property: personal, value: none, vendor: lastro}]
      - name: cpf
        logicalType: string
        customProperties:
          - {property: personal, value: {class: identifier, kind: cpf}, vendor: lastro}
          - {property: protection, value: token, vendor: lastro}
      - name: diagnosis
        logicalType: string
        customProperties:
          - {property: personal, value: sensitive, vendor: lastro}
          - {property: protection, value: encrypt, vendor: lastro}
      - name: dose
        logicalType: integer
        logicalTypeOptions: {minimum: 0}
        customProperties:
          - {property: personal, value: sensitive, vendor: lastro}
          - {property: protection, value: encrypt, vendor: lastro}
      - name: uf
        logicalType: string
        customProperties: [{property: personal, value: feature, vendor: lastro}]
"""
PLAIN = CONTRACT.replace("\n          - {property: protection, value: encrypt, vendor: lastro}", "")
HEADER = "id,cpf,diagnosis,dose,uf\n"
ANA = "1,529.982.247-25,Zygomatic-lupus,7731001,SP\n"
RUI = "2,111.444.777-35,Quartan-ague,7731002,RJ\n"
EVA = "3,390.533.447-05,Brittle-glass,7731003,MG\n"
BAD = "4,168.995.350-09,Hidden-rash,-7731999,MG\n"
SECRETS = ("Zygomatic", "Quartan", "Brittle", "Hidden-rash", "7731001", "7731002", "7731003", "7731999")


@pytest.fixture
def made(tmp_path):
    return People(tmp_path, contract=CONTRACT)


def deliver(made, *lines, name="a.csv"):
    return made.deliver(*lines, name=name, header=HEADER)


def files(made, selector="latest"):
    return made.people.table.paths(made.people.find(selector))


def values(made, selector="latest"):
    return {row["id"]: (row["diagnosis"], row["dose"]) for row in made.rows(selector)}


ALL = {1: ("Zygomatic-lupus", 7731001), 2: ("Quartan-ague", 7731002), 3: ("Brittle-glass", 7731003)}


def test_those_who_may_read_it_see_the_values_and_no_file_holds_them(made):
    result = deliver(made, ANA, RUI, EVA, BAD)

    assert (result.counts.kept, result.counts.quarantined) == (3, 1)
    assert values(made) == ALL
    assert made.found(*SECRETS) == []
    assert all(encrypted_in(path).columns == ("diagnosis", "dose") for path in files(made))


def test_conditions_profiles_checks_differences_and_derived_sql_see_the_column(made, tmp_path):
    deliver(made, ANA, RUI)
    deliver(made, ANA.replace("Zygomatic-lupus", "Cured"), EVA, name="b.csv")
    people, latest = made.people, made.people.version("latest")

    assert [row["id"] for row in latest.to_arrow(where="diagnosis = 'Cured'").to_pylist()] == [1]
    assert latest.to_arrow("dose", where="dose > 7731002").column("dose").to_pylist() == [7731003]
    assert people.check().passed
    assert people.profile().counts.columns["dose"].withheld
    difference = people.diff(0, 1)
    assert (difference.added, difference.changed) == (1, 1)
    assert made.found("Cured", *SECRETS) == []


def test_statistics_stand_in_no_footer_no_log_and_no_profile(made):
    deliver(made, ANA, RUI)
    [path] = files(made)
    [added] = [
        json.loads(line)["add"]
        for line in (made.people.table.path / "_delta_log" / f"{0:020d}.json").read_text().splitlines()
        if "add" in json.loads(line)
    ]
    told = json.loads(added["stats"])

    assert not {"diagnosis", "dose"} & {name for part in ("minValues", "maxValues", "nullCount") for name in told[part]}
    assert {"id", "uf"} <= set(told["nullCount"])
    assert b"7731" not in path.read_bytes()


def test_a_repeated_file_changes_nothing_though_its_bytes_differ(made):
    deliver(made, ANA, RUI)
    again = deliver(made, ANA, RUI, name="b.csv")

    assert again.unchanged
    assert made.people.find("latest").number == 0


def test_rewritten_files_stay_encrypted(made):
    deliver(made, ANA, RUI, EVA)
    deliver(made, RUI.replace("7731002", "5"), name="b.csv")

    assert values(made) == ALL | {2: ("Quartan-ague", 5)}
    assert all(encrypted_in(path).columns for path in files(made))
    assert made.found(*SECRETS) == []


@pytest.mark.parametrize("mode", ["append", "overwrite", "scd2"])
def test_every_mode_encrypts(tmp_path, mode):
    made = People(tmp_path, mode=mode, contract=CONTRACT)
    deliver(made, ANA, RUI)
    deliver(made, EVA, *([ANA, RUI] if mode != "append" else []), name="b.csv")

    assert {each[0] for each in values(made).values()} == {each[0] for each in ALL.values()}
    assert made.found(*SECRETS) == []


def test_others_read_all_other_columns_of_the_same_files(made):
    deliver(made, ANA, RUI)
    [path] = map(str, files(made))
    table = str(made.people.table.path)

    assert duckdb.connect().execute(f"SELECT id, uf FROM read_parquet('{path}') ORDER BY id").fetchall() == [
        (1, "SP"),
        (2, "RJ"),
    ]
    assert pl.read_parquet(path, columns=["id"])["id"].to_list() == [1, 2]
    assert pq.read_table(path, columns=["uf"]).column("uf").to_pylist() == ["SP", "RJ"]
    assert deltalake.DeltaTable(table).to_pyarrow_table(columns=["id"]).num_rows == 2
    with pytest.raises(OSError, match="ecrypt"):
        pq.read_table(path, columns=["dose"])
    with pytest.raises(pl.exceptions.ComputeError, match="encrypted"):
        pl.read_parquet(path, columns=["dose"])
    with pytest.raises(duckdb.Error, match="encrypted"):
        duckdb.connect().execute(f"SELECT dose FROM read_parquet('{path}')").fetchall()


def test_without_the_root_key_the_error_names_no_value_and_other_columns_are_read(made):
    deliver(made, ANA, RUI)
    made.workspace.vault.close()
    (made.root / ".lastro" / "keys" / "root.key").unlink()
    made.workspace = lastro.open(made.root)

    assert made.people.version("latest").to_arrow("id").num_rows == 2
    with pytest.raises(NotPermitted, match="root key is gone") as caught:
        made.rows()
    assert not any(secret in str(caught.value) for secret in SECRETS)


def test_a_key_that_others_may_read_and_a_wrong_key_are_refused(made):
    deliver(made, ANA)
    path = made.root / ".lastro" / "keys" / "root.key"
    os.chmod(path, 0o644)
    with pytest.raises(NotPermitted, match="others may read"):
        lastro.open(made.root).dataset("people").version("latest").to_arrow()
    path.unlink()
    path.write_bytes(os.urandom(32))
    path.chmod(0o600)

    with pytest.raises(NotPermitted, match="is not the one"):
        lastro.open(made.root).dataset("people").version("latest").to_arrow()


def test_another_vault_does_not_open_the_files(made, tmp_path):
    deliver(made, ANA)
    other = tmp_path / "other"
    other.mkdir()
    another = People(other, contract=CONTRACT)
    deliver(another, ANA)
    for name in ("vault.sqlite", "vault.sqlite-wal", "vault.sqlite-shm"):
        (made.root / ".lastro" / name).unlink(missing_ok=True)
    another.workspace.vault.close()
    shutil.copy(another.root / ".lastro" / "vault.sqlite", made.root / ".lastro" / "vault.sqlite")
    shutil.copy(another.root / ".lastro" / "keys" / "root.key", made.root / ".lastro" / "keys" / "root.key")

    with pytest.raises(Corrupted, match="does not open"):
        lastro.open(made.root).dataset("people").version("latest").to_arrow()


def test_keys_turn_and_old_files_stay_readable(made):
    deliver(made, ANA)
    [old] = files(made)
    made.workspace.keys.rotate("column")
    made.workspace.keys.rotate("root")
    deliver(made, RUI, name="b.csv")
    numbers = {encrypted_in(path).key for path in files(made)}

    assert encrypted_in(old).key == 1
    assert numbers == {1, 2}
    assert values(made) == {1: ALL[1], 2: ALL[2]}
    assert deliver(made, RUI, name="c.csv").unchanged, "the fingerprint outlives the key"


def test_a_restored_vault_reads_the_files(made, tmp_path):
    deliver(made, ANA)
    made.workspace.keys.back_up(tmp_path / "backup")
    made.workspace.vault.close()
    for path in (made.root / ".lastro").glob("vault.sqlite*"):
        path.unlink()
    made.workspace = lastro.open(made.root)
    with pytest.raises(NotPermitted, match="vault is gone"):
        made.rows()
    made.workspace.keys.restore(tmp_path / "backup")

    assert values(made) == {1: ALL[1]}


def test_an_older_backup_brings_no_file_out_of_reach(made, tmp_path):
    deliver(made, ANA)
    made.workspace.keys.back_up(tmp_path / "backup")
    made.workspace.keys.rotate("column")
    deliver(made, RUI, name="b.csv")
    made.workspace.keys.restore(tmp_path / "backup", replace=True)

    assert values(lastro_again(made)) == {1: ALL[1], 2: ALL[2]}
    assert {encrypted_in(path).key for path in files(made)} == {1, 2}


def lastro_again(made):
    made.workspace = lastro.open(made.root)
    return made


def test_the_contract_may_turn_it_on_and_off_and_old_files_stay_as_they_are(tmp_path):
    made = People(tmp_path, mode="append", contract=PLAIN)
    deliver(made, ANA)
    [plain] = files(made)
    before = plain.read_bytes()
    made.configure(mode="append", contract=CONTRACT)
    deliver(made, RUI, name="b.csv")
    made.configure(mode="append", contract=PLAIN)
    deliver(made, EVA, name="c.csv")

    assert [bool(encrypted_in(path).columns) for path in files(made)] == [False, True, False]
    assert values(made) == ALL
    assert plain.read_bytes() == before


def test_after_an_erasure_nothing_is_left_and_the_rest_stays_encrypted(made):
    deliver(made, ANA, RUI, EVA)
    [path] = files(made)
    size = path.stat().st_size
    made.workspace.erase("529.982.247-25", basis="LGPD art. 18, VI")
    [after] = files(made)

    assert (after.name, after.stat().st_size) == (path.name, size)
    assert values(made) == {2: ALL[2], 3: ALL[3]}
    assert encrypted_in(after).columns == ("diagnosis", "dose")
    assert made.found(*SECRETS) == []
    assert made.workspace.verify(read_data=True).passed


def test_a_version_goes_to_a_worker_process(made):
    deliver(made, ANA)
    path = pickle.loads(pickle.dumps(files(made)[0]))

    assert path == files(made)[0]
    assert encrypted_in(path).columns
    assert path.keys.decryption() is not None


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ("{name: id, logicalType: integer, primaryKey: true}", "tell rows apart"),
        ("{name: cpf, logicalType: string}", "found by cpf"),
        ("{name: tags, logicalType: array, items: {logicalType: string}}", "lists or objects"),
    ],
)
def test_what_cannot_be_encrypted_is_refused(tmp_path, column, told):
    made = People(tmp_path, contract=CONTRACT)
    own = "customProperties: [{property: protection, value: encrypt, vendor: lastro}]}"
    contract = CONTRACT[: CONTRACT.index("      - name: id")]
    others = [each for each in ("id", "cpf") if f"name: {each}" not in column]
    contract += "".join(f"      - {{name: {each}, logicalType: string}}\n" for each in others)
    made.configure(contract=contract + f"      - {column[:-1]}, {own}\n")

    with pytest.raises(ContractError, match=told):
        made.people.contract().plan()


def test_what_is_derived_from_it_is_encrypted_too(made):
    deliver(made, ANA, RUI, EVA)
    (made.root / "transforms").mkdir(exist_ok=True)
    (made.root / "transforms" / "doses.sql").write_text(
        "SELECT uf, diagnosis AS illness, max(dose) AS highest FROM people GROUP BY uf, diagnosis\n"
    )
    made.workspace.build("doses")
    doses = made.workspace.dataset("doses")
    [path] = doses.table.paths(doses.find("latest"))

    assert encrypted_in(path).columns == ("illness", "highest")
    assert {row["illness"] for row in doses.version("latest").to_arrow().to_pylist()} == {
        each for each, _n in ALL.values()
    }
    assert made.found(*SECRETS) == []
