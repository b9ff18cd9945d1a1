"""A contract held to the data where it lives: files of every format, before cleaning and after it, nothing left."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from tests.workspace.lake import GOOD, Lake
from tests.workspace.serving import LOANS, LOCAL, TABLE, Served, broken, reason, verdicts
from tests.workspace.test_lookups import looking, states

import lastro
from lastro.model.check import Result
from lastro.model.errors import (
    ConfigurationError,
    Corrupted,
    SourceBroken,
    SourceUnreachable,
    UnknownName,
    WriteFailed,
)

CLEANED = LOANS.replace("name: uf\n", "name: uf\n        transformLogic: upper(trim(uf))\n")
COLUMNS = {
    "id": pa.array([1, 2, 2], pa.int32()),
    "uf": ["SP", "XX", None],
    "income": [10.5, -1.0, None],
    "applied_at": pa.array([1, 2, 3], pa.date32()),
}
BROKEN = {"uf.enum": 1.0, "income.range": 1.0, "primary_key": 1.0}


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's temporary folder, of the test's own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    folder = tmp_path / "served"
    folder.mkdir()
    monkeypatch.chdir(folder)
    made = Served(folder)
    made.write(LOCAL)
    return made


def test_data_that_keeps_the_contract_passes_and_nothing_is_left(served, temporary):
    served.rows("1,SP,10.5,2026-01-01", "2,RJ,,2026-01-02")
    before = sorted(served.folder.rglob("*"))

    report = served.check()

    assert report.passed
    assert (report.reference, report.server, report.rows, report.cleaned) == ("here/loans", "here", 2, False)
    assert report.to_dict()["server"] == "here"
    assert report.result is Result.PASSED
    assert sorted(served.folder.rglob("*")) == before
    assert list(temporary.iterdir()) == []


def test_rules_mean_what_they_mean_at_ingestion(served, tmp_path):
    lines = [
        "1,SP,1e400,2026-01-01",
        "2,RJ,1_0,2026-1-2",
        "x,,3, 2026-02-30",
        "2,MG,-0,2026-01-31 ",
        "٣,SP,1,2026-01-01",
    ]
    served.rows(*lines)
    lake = Lake(tmp_path / "lake")
    quarantine = served.contract.read_text()
    lake.configure(contract=quarantine)
    lake.csv.write_text((served.folder / "loans.csv").read_text())
    result = lake.loans.ingest()

    report = served.check()

    refused = {each.rule: each.rows_refused for each in result.findings if each.rows_refused}
    assert {rule: refused.get(rule, 0) for rule in refused if rule != "primary_key"} == {
        each.finding.rule: each.finding.rows_refused for each in report.rules if each.finding.rows_refused
    }
    assert not report.passed


def test_a_separator_a_header_and_an_encoding_are_found_as_when_data_is_added(served):
    served.write(LOCAL.replace("csv}", "csv, encoding: ISO-8859-1}"), schema=LOANS.replace("value: MG", "value: São"))
    (served.folder / "loans.csv").write_bytes("id;uf;income;applied_at\n1;São;NULL;2026-01-01\n".encode("latin-1"))

    report = served.check()

    assert report.passed
    assert report.rows == 1


def test_how_text_is_written_may_be_said(served):
    options = "{delimiter: '|', header: false, columns: [id, uf, income, applied_at]}"
    said = f"customProperties: [{{property: source, vendor: lastro, value: {options}}}]"
    served.write(LOCAL.replace("csv}", f"csv, {said}}}"))
    (served.folder / "loans.csv").write_text("1|SP|1|2026-01-01\n")

    assert served.check().passed


def test_several_files_are_one_table(served):
    served.rows("1,SP,1,2026-01-01", name="loans-1.csv")
    served.rows("1,SP,1,2026-01-01", name="loans-2.csv")

    report = served.check()

    assert broken(report) == {"primary_key": 1.0}
    assert report.rows == 2


def test_parquet_json_delta_and_duckdb_say_the_same(served):
    pq.write_table(pa.table(COLUMNS), served.folder / "p.parquet")
    objects = [
        dict(zip(COLUMNS, row, strict=True)) for row in zip(*pa.table(COLUMNS).to_pydict().values(), strict=True)
    ]
    (served.folder / "j.json").write_text(json.dumps(objects, default=str))
    write_deltalake(served.folder / "d", pa.table(COLUMNS))
    write_deltalake(served.folder / "parts", pa.table(COLUMNS), partition_by=["uf"])
    with duckdb.connect(str(served.folder / "base.duckdb")) as base:
        base.register("given", pa.table(COLUMNS))
        base.execute('CREATE SCHEMA core; CREATE TABLE core."lo""ans" AS SELECT * FROM given')
    served.write(
        "{server: parquet, type: local, path: p.parquet, format: parquet}",
        "{server: json, type: local, path: j.json, format: json}",
        "{server: delta, type: local, path: d, format: delta}",
        "{server: parts, type: local, path: ./parts, format: delta}",
        "{server: duckdb, type: duckdb, database: base.duckdb, schema: core}",
        schema=LOANS.replace("- name: loans\n", "- name: loans\n    physicalName: 'lo\"ans'\n"),
    )

    for name in ("parquet", "json", "delta", "parts", "duckdb"):
        assert broken(served.check(name)) == BROKEN, name


def test_a_model_in_a_path_is_the_schema_objects_name(served):
    served.write("{server: here, type: local, path: '{model}/*.csv', format: csv}")
    (served.folder / "loans").mkdir()
    served.rows("1,SP,1,2026-01-01", name="loans/a.csv")

    assert served.check().passed


def test_before_cleaning_values_are_judged_as_they_are_and_after_it_if_asked(served):
    served.write(TABLE, schema=CLEANED)
    served.table("1, sp ,1,2026-01-01")

    before, after = served.check(), served.check(clean=True)

    assert broken(before) == {"uf.enum": 1.0}
    assert any("before cleaning" in note for note in before.notes)
    assert after.passed
    assert after.cleaned
    assert any("after cleaning" in note for note in after.notes)


def test_a_column_that_cleaning_makes_is_not_missing_but_cannot_be_judged_before_it(served):
    made = LOANS + "      - {name: pair, logicalType: string, required: true, transformLogic: \"uf || ':' || id\"}\n"
    served.write(TABLE, schema=made)
    served.table("1,SP,1,2026-01-01")

    before, after = served.check(), served.check(clean=True)

    assert broken(before) == {"pair.required": None, "pair.type": None}
    assert "cleaning" in reason(before, "pair.required")
    assert after.passed


def test_a_missing_column_is_a_finding_and_its_rules_are_not_judged(served):
    served.rows("1,SP,1", header="id,UF,income")

    report = served.check()

    assert broken(report) == dict.fromkeys(["uf.present", "applied_at.present", "uf.enum", "applied_at.type"])
    assert "'UF'" in reason(report, "uf.present")
    assert any("UF" in note for note in report.notes)


def test_a_column_that_one_of_the_files_lacks_is_a_finding(served):
    served.rows("1,SP,1,2026-01-01", name="loans-1.csv")
    served.rows("2,SP,2026-01-01", name="loans-2.csv", header="id,uf,applied_at")

    report = served.check()

    assert broken(report) == {"income.present": None}
    assert "some of the files" in reason(report, "income.present")


def test_columns_with_none_of_the_contracts_names_still_count_rows(served):
    served.write(TABLE)
    served.table("1", "2", header="other")

    report = served.check()

    assert report.rows == 2
    assert not report.passed
    assert verdicts(report)["id.present"] == "failed"
    assert not any("other" in note for note in report.notes)


def test_a_member_that_no_object_has_is_told(served):
    (served.folder / "j.json").write_text('{"id": 1, "applied_at": "2026-01-01", "Income": 5}\n')
    served.write("{server: here, type: local, path: j.json, format: json}")

    report = served.check()

    assert {name: verdict for name, verdict in verdicts(report).items() if verdict != "passed"} == {
        "uf.present": "warning",
        "income.present": "warning",
    }
    assert any("Income" in note for note in report.notes)


def test_a_type_that_cannot_be_the_contracts_is_a_finding(served):
    pq.write_table(pa.table({**COLUMNS, "applied_at": [True, False, None]}), served.folder / "p.parquet")
    served.write("{server: here, type: local, path: p.parquet, format: parquet}")

    report = served.check()

    assert set(broken(report)) == {*BROKEN, "applied_at.present", "applied_at.type"}


def test_files_that_differ_in_a_type_are_read_as_what_holds_both(served):
    for place, kind in enumerate((pa.int32(), pa.int64())):
        found = pa.table({**COLUMNS, "id": pa.array([place * 10 + each for each in (1, 2, 3)], kind)})
        pq.write_table(found, served.folder / f"p{place}.parquet")
    served.write("{server: here, type: local, path: 'p*.parquet', format: parquet}")

    assert broken(served.check()) == {"uf.enum": 2.0, "income.range": 2.0}


def test_no_rows_are_a_warning(served):
    served.rows()
    write_deltalake(served.folder / "d", pa.table(COLUMNS).slice(0, 0))
    served.write(LOCAL, "{server: delta, type: local, path: d, format: delta}")

    for name in ("here", "delta"):
        report = served.check(name)
        assert (verdicts(report)["empty"], report.rows, report.result) == ("warning", 0, Result.WARNING)


def test_records_that_cannot_be_taken_apart_fail(served, temporary):
    served.rows("1,SP,1,2026-01-01", "2,SP")

    report = served.check(rules=["malformed", "id.type"])
    served.rows("1,SP,1,2026-01-01")

    assert verdicts(report) == {"malformed": "failed", "id.type": "passed"}
    assert verdicts(served.check(rules=["malformed"])) == {"malformed": "passed"}
    assert report.rows == 1
    assert list(temporary.iterdir()) == []


def test_a_threshold_that_the_contract_states_holds_whatever_the_policy(served):
    rule = (
        "        quality:\n          - {metric: invalidValues, mustBeLessThan: 60, unit: percent, "
        "arguments: {validValues: [A]}, customProperties: [{property: policy, vendor: lastro, value: quarantine}]}\n"
    )
    served.write(TABLE, schema=LOANS.replace("        enum: [{value: SP}, {value: RJ}, {value: MG}]\n", rule))
    served.table("1,A,1,2026-01-01", "2,B,1,2026-01-01")

    assert verdicts(served.check())["uf.invalidValues"] == "passed"


def test_failing_rows_come_by_key_without_what_is_withheld(served):
    income = LOANS.replace("name: income\n", "name: income\n        classification: restricted\n")
    served.write(TABLE, schema=income)
    served.table("1,SP,-770011223,2026-01-01", "2,XX,5,2026-01-01")

    report = served.check(failures=5)

    first, second = report.failures.rows
    assert (first.key, first.values, first.withheld) == ({"id": "1"}, {}, ("income",))
    assert (second.rules, second.values) == (("uf.enum",), {"uf": "XX"})
    assert "-770011223" not in json.dumps(report.to_dict())


def test_a_raw_value_is_not_shown_where_the_contract_speaks_of_the_cleaned_one(served):
    masked = LOANS.replace(
        "name: uf\n",
        "name: uf\n        physicalName: cpf\n        classification: public\n        transformLogic: left(cpf, 2)\n",
    )
    more = "      - {name: again, physicalName: secret, logicalType: string, enum: [{value: A}]}\n"
    more += "      - {name: secret, logicalType: string, classification: restricted}\n"
    query = "SELECT max(length(uf)) FROM {object}"
    total = f"    quality:\n      - {{name: top, type: sql, query: '{query}', mustBeLessThan: 3}}\n"
    served.write(TABLE, schema=masked.replace("    properties:\n", f"{total}    properties:\n") + more)
    served.table("1,52998224725,1,2026-01-01,hush", header="id,cpf,income,applied_at,secret")

    for clean in (False, True):
        told = json.dumps(served.check(failures=5, clean=clean).to_dict())
        assert "52998224725" not in told
        assert "hush" not in told
    assert broken(served.check(rules=["top"])) == {"top": None}


def test_promises_about_time_are_judged_by_the_newest_value(served):
    served.write(
        TABLE,
        more="slaProperties:\n  - {property: latency, value: 2, unit: d, element: loans.applied_at}\n"
        "  - {property: frequency, value: 1, unit: d}\n",
    )
    served.table(f"1,SP,1,{datetime.now(UTC).date() - timedelta(days=9)}")

    report = served.check()

    assert verdicts(report)["applied_at.latency"] == "failed"
    assert verdicts(report)["frequency"] == "warning"
    assert "no versions" in reason(report, "frequency")


def test_what_needs_batches_or_other_contracts_cannot_be_judged_and_says_so(served):
    scope = "customProperties: [{property: scope, vendor: lastro, value: batch}]"
    rules = f"""    quality:
      - {{name: enough, metric: rowCount, mustBeGreaterThan: 0, {scope}}}
      - name: pinned
        type: custom
        engine: lastro
        implementation: {{references: {{dataset: customers@3, columns: {{id: id}}}}}}
      - {{name: theirs, type: custom, engine: soda, implementation: "row_count > 0"}}
"""
    limit = "    customProperties: [{property: quarantinedMax, vendor: lastro, value: 5 percent}]\n"
    served.write(TABLE, schema=LOANS.replace("    properties:\n", f"{limit}{rules}    properties:\n"))
    served.table("1,SP,1,2026-01-01")

    report = served.check()

    assert verdicts(report)["pinned"] == "failed"
    assert "customers@3" in reason(report, "pinned")
    assert verdicts(report)["enough"] == "warning"
    assert "batch" in reason(report, "enough")
    assert any("soda" in note for note in report.notes)
    assert any("quarantinedMax" in note for note in report.notes)


CUSTOMERS = """\
  - name: customers
    properties:
      - {name: cpf, logicalType: string, primaryKey: true}
"""
RELATED = """\
  - name: loans
    relationships:
      - type: foreignKey
        from: loans.customer
        to: customers.cpf
        customProperties: [{property: policy, vendor: lastro, value: fail}]
    properties:
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: customer, logicalType: string}
"""


def test_keys_are_looked_up_in_the_contracts_other_tables_at_the_same_server(served):
    served.write(TABLE, schema=CUSTOMERS + RELATED)
    served.table("1,A", "2,B", "3,", header="id,customer")
    served.table("A", "C", name="customers", header="cpf")

    customers, loans = served.every()

    assert customers.passed
    assert broken(loans) == {"relationship": 1.0}


def test_of_several_tables_one_that_is_not_there_stops_no_other(served):
    served.write(TABLE, schema=CUSTOMERS + RELATED)
    served.table("1,A", header="id,customer")

    customers, loans = served.every()

    assert (customers.error["code"], customers.result) == ("LST-0302", Result.ERROR)
    assert broken(loans) == {"relationship": None}
    assert "customers" in reason(loans, "relationship")


def test_a_datasets_contract_is_checked_where_its_data_lives(tmp_path, monkeypatch):
    lake = Lake(tmp_path / "lake")
    contract = Served(tmp_path)
    contract.write(LOCAL, schema=CLEANED)
    lake.configure(contract=contract.contract.read_text())
    lake.csv.write_text(GOOD)
    monkeypatch.chdir(lake.root / "contracts")

    (report,) = lastro.check("loans", server="here", clean=True)
    again = lake.loans.check_server("here", clean=True)

    assert report.passed
    assert report.rows == 3
    assert again.rules == report.rules
    assert lake.loans.log() == ()


def test_a_datasets_keys_are_looked_up_in_the_workspaces_stored_versions(tmp_path):
    lake = looking(Lake(tmp_path / "lake"), "states")
    contract = lake.root / "contracts" / "loans.odcs.yaml"
    contract.write_text(contract.read_text().replace("schema:\n", f"servers:\n  - {LOCAL}\nschema:\n", 1))
    (before,) = [each for each in lake.loans.check_server("here").rules if each.finding.rule == "known"]
    states(lake, "RJ", "SP")

    (after,) = [each for each in lake.loans.check_server("here", clean=True).rules if each.finding.rule == "known"]

    assert (before.finding.verdict, before.finding.measured, "states" in before.reason) == ("failed", None, True)
    assert (after.finding.measured, after.finding.against.partition(" ")[0]) == (1.0, "states@0")


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ("{server: here, type: local, path: 'nothing*.csv', format: csv}", SourceUnreachable),
        ("{server: here, type: local, path: loans.csv, format: parquet}", SourceBroken),
        ("{server: here, type: local, path: nothing, format: delta}", SourceUnreachable),
        ("{server: here, type: local, path: folder, format: delta}", SourceBroken),
        ("{server: here, type: local, path: link.csv, format: csv}", SourceUnreachable),
        ("{server: here, type: local, path: linked, format: delta}", SourceUnreachable),
        ("{server: here, type: duckdb, database: loans.csv}", SourceBroken),
        ("{server: here, type: duckdb, database: nothing.duckdb}", SourceUnreachable),
        ("{server: here, type: kafka, host: a:1}", ConfigurationError),
        ("{server: here, type: s3, location: 's3://b/d', format: delta}", ConfigurationError),
        ("{server: there, type: local, path: loans.csv, format: csv}", UnknownName),
    ],
)
def test_what_cannot_be_read_is_a_clear_error_and_leaves_nothing(served, temporary, entry, error):
    served.rows("1,SP,1,2026-01-01")
    (served.folder / "link.csv").symlink_to(served.folder / "loans.csv")
    (served.folder / "folder" / "_delta_log").mkdir(parents=True)
    (served.folder / "folder" / "_delta_log" / "00000000000000000000.json").write_text("{broken")
    (served.folder / "linked").symlink_to(served.folder / "folder")
    served.write(entry)

    with pytest.raises(error) as caught:
        served.check()

    assert caught.value.do
    assert list(temporary.iterdir()) == []


def test_a_contract_without_servers_says_what_to_write(served):
    served.contract.write_text(served.contract.read_text().replace(f"servers:\n  - {LOCAL}\n", ""))

    with pytest.raises(ConfigurationError, match="no servers") as caught:
        served.check()

    assert "servers:" in caught.value.do


def test_a_file_of_a_delta_table_that_lies_outside_is_not_read(served):
    pq.write_table(pa.table(COLUMNS), served.folder / "out.parquet")
    write_deltalake(served.folder / "d", pa.table(COLUMNS))
    (log,) = (served.folder / "d" / "_delta_log").glob("*.json")
    (name,) = [path.name for path in (served.folder / "d").glob("*.parquet")]
    log.write_text(log.read_text().replace(f'"path":"{name}"', '"path":"../out.parquet"'))
    served.write("{server: here, type: local, path: d, format: delta}")

    with pytest.raises(Corrupted, match="outside"):
        served.check()


def test_a_contract_brings_no_code(served):
    code = "[{property: source, vendor: lastro, value: {kind: python, function: 'evil.py:rows'}}]"
    (served.folder / "evil.py").write_text("open('ran', 'w')\ndef rows():\n    return []\n")
    served.write(f"{{server: here, type: custom, customProperties: {code}}}")

    with pytest.raises(ConfigurationError, match="code"):
        served.check()

    assert not (served.folder / "ran").exists()


def test_what_a_killed_check_left_the_next_removes(served, temporary):
    served.write(TABLE)
    served.table("1,SP,1,2026-01-01")
    shared = temporary / f"lastro-check-{os.getuid()}"
    left = shared / "engine-killed"
    left.mkdir(parents=True, mode=0o700)
    shared.chmod(0o700)
    (left / "lock").touch()
    (left / "rows.parquet").write_text("personal")

    served.check()

    assert list(temporary.iterdir()) == []


def test_somebody_elses_folder_is_not_used(served, temporary, tmp_path):
    served.write(TABLE)
    served.table("1,SP,1,2026-01-01")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (temporary / f"lastro-check-{os.getuid()}").symlink_to(theirs)

    assert served.check().passed

    assert list(theirs.iterdir()) == []


def test_of_several_tables_a_rule_need_be_in_one_only(served):
    served.write(TABLE, schema=CUSTOMERS + RELATED)
    served.table("A", name="customers", header="cpf")
    served.table("1,A", header="id,customer")

    customers, loans = served.every(rules=["relationship"])
    nowhere = served.every(rules=["nothing"])

    assert (customers.rules, customers.error) == ((), {})
    assert verdicts(loans) == {"relationship": "passed"}
    assert {report.error["code"] for report in nowhere} == {UnknownName.code}


def test_names_of_our_own_folders_are_names_of_datasets_too(served):
    names = "rows spill lock typed"
    served.write(TABLE, schema="".join(CUSTOMERS.replace("customers", name) for name in names.split()))
    for name in names.split():
        served.table("A", name=name, header="cpf")

    assert all(report.passed and report.rows == 1 for report in served.every())


def test_a_temporary_folder_that_cannot_be_made_is_told(served, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(served.contract))
    served.table("1,SP,1,2026-01-01")
    served.write(TABLE)

    with pytest.raises(WriteFailed):
        served.check()
