"""A contract held to what is stored: at any time, on any version, without changing anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.workspace.lake import BAD, CONTRACT, GOOD, HEADER

import lastro
from lastro.model.check import Result
from lastro.model.errors import ContractError, Corrupted, SqlRefused, UnknownName, UsageError
from lastro.model.finding import Verdict

RICH = CONTRACT.replace(
    "    properties:\n",
    """    quality:
      - {name: enough, metric: rowCount, mustBeGreaterThan: 1, dimension: coverage}
      - {name: mean_income, type: sql, query: "SELECT avg(income) FROM {object}", mustBeLessThan: 700}
      - {name: cheap, type: custom, engine: lastro, implementation: {expression: "income < 900 OR uf <> 'SP'"}}
    properties:
""",
    1,
)


def check(lake, **asked):
    return lake.workspace.dataset("loans").check(**asked)


def verdicts(report):
    return {each.finding.rule: each.finding.verdict.value for each in report.rules}


def of(report, name):
    (found,) = [each for each in report.rules if each.finding.rule == name]
    return found


@pytest.fixture
def stored(lake):
    """The dataset with one good version."""
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    return lake


def test_what_went_through_the_contract_keeps_it(lake):
    lake.csv.write_text(BAD)
    lake.loans.ingest()

    report = check(lake)

    assert report.passed
    assert report.result is Result.PASSED
    assert set(verdicts(report).values()) == {"passed"}
    assert report.reference == "loans@0"
    assert report.rows == lake.loans.log()[0].rows


def test_every_rule_of_the_contract_is_judged_and_the_key_is_one(stored):
    stored.configure(contract=RICH)

    report = check(stored)

    plan = stored.loans.contract().plan()
    names = {rule.name for rule in (*plan.row_rules, *plan.table_rules)}
    assert set(verdicts(report)) == names | {"primary_key"}


def test_a_contract_that_changed_since_is_held_to_old_rows(stored):
    stored.configure(contract=RICH.replace("{minimum: 0}", "{minimum: 500}"))

    report = check(stored)

    broken = {each.finding.rule: each.finding for each in report.rules if not each.finding.passed}
    assert set(broken) == {"income.range", "cheap"}
    assert (broken["income.range"].measured, broken["income.range"].rows_total) == (1.0, 3)
    assert report.result is Result.FAILED
    assert not report.passed
    assert of(report, "mean_income").finding.measured == pytest.approx(650.25)


def test_stored_values_are_not_cleaned_again(stored):
    stored.configure(contract=CONTRACT.replace("upper(trim(uf))", "lower(uf)"))

    assert check(stored).passed


def test_nothing_is_changed_and_who_was_shown_rows_is_told(stored):
    def state():
        files = (path for path in stored.root.rglob("*") if path.is_file() and "ledger" not in path.name)
        return {path: path.stat().st_mtime_ns for path in files}

    before = state()

    check(stored, failures=5)

    assert state() == before
    assert [event.dataset for _number, event in stored.workspace.ledger.events(action="read")] == ["loans"]
    assert len(stored.loans.log()) == 1


def test_an_old_version_is_checked_as_well_as_the_newest(stored):
    stored.csv.write_text(HEADER + "1,SP,10,2026-01-01\n")
    stored.loans.ingest()
    stored.configure(contract=CONTRACT.replace("{minimum: 0}", "{maximum: 100}"))

    assert check(stored).passed
    assert not check(stored, selector="0").passed


def test_a_column_that_an_old_version_lacks_is_a_finding_and_its_rules_are_not_judged(stored):
    more = "      - {name: city, logicalType: string, required: true, logicalTypeOptions: {maxLength: 9}}\n"
    rule = '      - {name: pair, type: sql, query: "SELECT count(city) FROM loans", mustBe: 3}\n'
    stored.configure(contract=CONTRACT.replace("    properties:\n", f"    quality:\n{rule}    properties:\n") + more)

    report = check(stored)

    failed = {each.finding.rule for each in report.rules if not each.finding.passed}
    assert failed == {"city.present", "city.required", "city.length", "pair"}
    assert {of(report, name).finding.measured for name in failed} == {None}
    assert all("city" in of(report, name).reason for name in failed - {"city.present"})
    assert of(report, "uf.enum").finding.passed


def test_a_type_that_cannot_become_the_contracts_is_a_finding(stored):
    stored.configure(
        contract=CONTRACT.replace("applied_at\n        logicalType: date", "applied_at\n        logicalType: boolean")
    )

    report = check(stored)

    assert not of(report, "applied_at.present").finding.passed
    assert "type" in of(report, "applied_at.type").reason


def test_a_type_that_can_is_cast_as_strictly_as_on_the_way_in(stored):
    stored.configure(
        contract=CONTRACT.replace("income\n        logicalType: number", "income\n        logicalType: integer")
    )

    report = check(stored)

    assert (of(report, "income.type").finding.rows_refused, of(report, "income.range").finding.rows_refused) == (1, 0)


def test_columns_beside_the_contracts_are_no_finding(stored):
    stored.configure(contract=CONTRACT.replace("      - name: applied_at\n        logicalType: date\n", ""))

    assert check(stored).passed


def test_a_column_of_nothing_but_nulls_keeps_all_but_what_is_required(stored):
    stored.csv.write_text(HEADER + "1,SP,,\n2,SP,,\n")
    stored.loans.ingest()
    stored.configure(
        contract=RICH.replace("name: income\n", "name: income\n        required: true\n        unique: true\n")
    )

    report = check(stored)

    failed = {each.finding.rule for each in report.rules if not each.finding.passed}
    assert failed == {"income.required", "mean_income"}
    assert of(report, "mean_income").finding.measured is None


def test_an_empty_version_warns_instead_of_passing_in_silence(stored):
    stored.csv.write_text(HEADER)
    stored.loans.ingest()

    report = check(stored, failures=3)

    assert report.rows == 0
    assert verdicts(report)["empty"] == "warning"
    assert report.result is Result.WARNING
    assert report.failures.total == 0


def test_a_dataset_without_a_version_is_told_and_does_not_pass_in_silence(lake):
    (report,) = lake.workspace.check()

    assert (report.result, report.reference) == (Result.WARNING, "loans")
    with pytest.raises(UnknownName):
        check(lake)


def test_equal_keys_in_a_table_that_grew_are_a_finding(lake):
    lake.configure(mode="append", contract=CONTRACT.replace("        primaryKey: true\n", ""))
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    (lake.root / "loans2.csv").write_text(HEADER + "3,SP,1,2026-01-01\n9,SP,1,2026-01-01\n")
    lake.loans.ingest()
    lake.configure(mode="append")

    report = check(lake, failures=9)

    assert [each.finding.rule for each in report.rules if not each.finding.passed] == ["primary_key"]
    assert of(report, "primary_key").finding.measured == 1
    assert [(row.rules, row.key) for row in report.failures.rows] == [(("primary_key",), {"id": 3})]


def test_in_a_history_only_current_rows_must_differ(lake):
    lake.configure(mode="scd2", contract=RICH)
    lake.csv.write_text(GOOD)
    lake.loans.ingest()
    lake.csv.write_text(GOOD.replace("300", "301"))
    lake.loans.ingest()

    report = check(lake)

    assert report.rows == 3  # of two loans: the third was set aside
    assert of(report, "primary_key").finding.passed
    assert of(report, "enough").finding.measured == 2


def test_a_rule_about_a_batch_is_told_as_it_was_when_the_batch_came(lake):
    own = "customProperties: [{property: scope, value: batch, vendor: lastro}]"
    rule = f"    quality:\n      - {{name: few, metric: rowCount, mustBeLessThan: 4, {own}}}\n"
    contract = CONTRACT.replace("    properties:\n", rule + "    properties:\n")
    lake.configure(mode="append", contract=contract)
    for number in range(2):
        (lake.root / f"loans{number}.csv").write_text(GOOD.replace("\n", f"\n{number}")[:-1])
        lake.loans.ingest()

    recorded = of(check(lake), "few")
    alone = of(check(lake, selector="0"), "few")
    lake.configure(mode="append", contract=contract.replace("Than: 4", "Than: 5"))
    lost = of(check(lake), "few")

    assert (recorded.finding.verdict, recorded.finding.measured) == (Verdict.PASSED, 3)
    assert recorded.reason
    assert (alone.finding.measured, alone.reason) == (3, "")
    assert (lost.finding.verdict, lost.finding.measured) == (Verdict.WARNING, None)


def test_rows_that_fail_come_with_their_key_and_what_their_rules_read(stored):
    stored.configure(contract=RICH.replace("{minimum: 0}", "{minimum: 500}"))

    found = check(stored, failures=5).failures

    assert found.total == 2
    assert [(row.row, row.rules, row.key, row.values) for row in found.rows] == [
        (1, ("cheap",), {"id": 1}, {"uf": "SP", "income": 1000.5}),
        (3, ("income.range",), {"id": 3}, {"income": 300.0}),
    ]


def test_rows_that_a_rule_allows_to_break_it_are_shown_only_if_it_is_named(stored):
    rule = (
        "    quality:\n      - {metric: nullValues, arguments: {properties: [income]}, name: told, mustBeLessThan: 2}\n"
    )
    stored.configure(contract=CONTRACT.replace("    properties:\n", rule + "    properties:\n", 1))

    kept = check(stored, failures=5)
    named = check(stored, rules=["told"], failures=5)

    assert kept.passed
    assert kept.failures.total == 0
    assert [(row.key, row.values) for row in named.failures.rows] == [({"id": 2}, {"income": None})]


def test_values_that_are_withheld_are_shown_nowhere(stored):
    secret = RICH.replace("{minimum: 0}", "{minimum: 500}")
    secret = secret.replace("name: income\n", "name: income\n        classification: confidential\n")
    secret = secret.replace("name: id\n", "name: id\n        classification: restricted\n")
    stored.configure(contract=secret)

    report = check(stored, failures=5)

    assert [row.key for row in report.failures.rows] == [{}, {}]
    assert [row.values for row in report.failures.rows] == [{"uf": "SP"}, {}]
    assert [row.withheld for row in report.failures.rows] == [("id", "income"), ("id", "income")]
    assert "1000.5" not in str(report.to_dict())


def test_a_number_made_of_withheld_values_is_withheld_though_it_is_judged(stored):
    queries = (
        '      - {name: highest, type: sql, query: "SELECT max(income) FROM {object}", mustBeLessThan: 700}\n'
        '      - {name: high, type: sql, query: "SELECT count(*) FROM {object} WHERE income > 900", mustBe: 1}\n'
    )
    contract = CONTRACT.replace("    properties:\n", f"    quality:\n{queries}    properties:\n", 1)
    stored.configure(contract=contract.replace("name: income\n", "name: income\n        classification: restricted\n"))

    report = check(stored)

    highest = of(report, "highest")
    assert (highest.finding.verdict, highest.finding.measured) == (Verdict.FAILED, None)
    assert "income" in highest.reason
    assert of(report, "high").finding.measured == 1
    assert "1000.5" not in str(report.to_dict())


def test_no_value_stands_in_a_reports_own_form(stored):
    stored.configure(contract=RICH)

    report = check(stored, failures=5)

    assert "1000.5" not in repr(report)


def test_names_with_dots_and_quotes_are_names_and_patterns_are_patterns(lake):
    odd = "a.b'c[0]"
    contract = CONTRACT + (
        f'      - name: "{odd}"\n        logicalType: string\n'
        "        logicalTypeOptions: {pattern: '[a-z]+[.$]?'}\n        unique: true\n"
    )
    lake.configure(contract=contract)
    lake.csv.write_text(f"id,uf,income,applied_at,{odd}\n1,SP,1,2026-01-01,x$\n2,SP,1,2026-01-01,y.\n")
    lake.loans.ingest()
    kept = check(lake)
    lake.configure(contract=contract.replace("+[.$]?", "+"))

    broken = check(lake, failures=1)

    assert kept.passed
    assert of(broken, f"{odd}.pattern").finding.rows_refused == 2
    assert broken.failures.rows[0].values == {odd: "x$"}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"rules": ["uf.enum", "enough"]}, {"uf.enum", "enough"}),
        ({"dimensions": ["uniqueness"]}, {"primary_key"}),
        ({"dimensions": ["coverage", "completeness"]}, {"enough", "id.required"}),
        ({"rules": ["uf.enum"], "dimensions": ["completeness"]}, set()),
    ],
)
def test_rules_are_chosen_by_name_and_by_dimension(stored, asked, names):
    stored.configure(contract=RICH)

    assert set(verdicts(check(stored, **asked))) == names


def test_a_rule_judged_alone_comes_to_what_it_does_among_all(lake):
    """`required` leaves a value that cannot be read to the rule about types, even where that is not asked for."""
    lake.configure(contract=CONTRACT.replace("logicalType: integer", "logicalType: string").replace("required", "xx"))
    lake.csv.write_text(GOOD.replace("1, sp", "one, sp"))
    lake.configure(contract=CONTRACT.replace("logicalType: integer", "logicalType: string"))
    lake.loans.ingest()
    lake.configure()

    alone = of(check(lake, rules=["id.required"]), "id.required").finding

    assert alone == of(check(lake), "id.required").finding
    assert alone.passed


@pytest.mark.parametrize("asked", [{"rules": ["uf.enumm"]}, {"dimensions": ["beauty"]}])
def test_what_is_not_there_cannot_be_asked_for(stored, asked):
    with pytest.raises(UnknownName) as caught:
        check(stored, **asked)

    assert "uf.enum" in caught.value.do or "conformity" in caught.value.do


def test_a_number_of_rows_below_none_is_refused(stored):
    with pytest.raises(UsageError):
        check(stored, failures=-1)


def test_sql_that_the_door_refuses_is_an_error_not_a_pass(stored):
    stored.configure(contract=RICH.replace("avg(income)", "getenv('HOME')"))

    with pytest.raises(SqlRefused):
        check(stored)


def test_damage_is_told_as_damage(stored):
    (path,) = stored.loans.table.paths(stored.loans.log()[0])
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    with pytest.raises(Corrupted):
        check(stored)


def test_service_levels_are_judged_on_the_newest_version_alone(stored):
    promises = (
        "  - {property: latency, value: 2, unit: d, element: applied_at}\n"
        "  - {property: frequency, value: 1, unit: d}\n"
    )
    stored.configure(contract=CONTRACT + "slaProperties:\n" + promises)
    stored.csv.write_text(GOOD.replace("300", "301"))
    stored.loans.ingest()
    committed = stored.loans.log()[0].committed

    def at(moment, selector="latest"):
        workspace = replace(stored.workspace, clock=lambda: moment)
        return verdicts(workspace.dataset("loans").check(selector))

    late = at(committed + timedelta(days=1, seconds=1))
    early = at(datetime(2026, 1, 5, tzinfo=UTC))
    old = at(committed, "0")

    assert (late["applied_at.latency"], late["frequency"]) == ("failed", "failed")
    assert early["applied_at.latency"] == "passed"
    assert not {"frequency", "applied_at.latency"} & set(old)


def test_a_promise_that_cannot_be_judged_warns(stored):
    promises = "  - {property: latency, value: 2, unit: d, element: uf}\n  - {property: latency, value: soon}\n"
    stored.configure(contract=CONTRACT + "slaProperties:\n" + promises)

    report = check(stored)

    assert of(report, "uf.latency").finding.verdict is Verdict.WARNING
    assert of(report, "uf.latency").reason
    assert of(report, "servicelevel").reason


def test_of_several_datasets_one_that_cannot_be_checked_stops_no_other(stored):
    text = (stored.root / "lastro.yaml").read_text()
    entry = "  other:\n    contract: contracts/other.odcs.yaml\n    source: {kind: files, path: other.csv}\n"
    (stored.root / "lastro.yaml").write_text(text + entry)
    (stored.root / "contracts" / "other.odcs.yaml").write_text("apiVersion: v3.2.0\nkind: nothing\n")
    workspace = lastro.open(stored.root)

    loans, other = workspace.check()

    assert loans.passed
    assert (other.passed, other.result, other.error["exit_code"]) == (False, Result.ERROR, 2)
    with pytest.raises(ContractError):
        workspace.check("other")


def test_the_form_is_the_one_that_data_contract_tools_exchange(stored):
    stored.configure(contract=RICH)

    form = check(stored).to_dict()

    assert {"runId", "dataContractId", "dataProductId", "server", "timestampStart", "timestampEnd"} < set(form)
    assert {"checks", "logs", "result"} < set(form)
    keys = {"id", "category", "type", "name", "model", "field", "engine", "language", "implementation", "result"}
    assert all(keys | {"reason", "details", "diagnostics"} == set(each) for each in form["checks"])
    by_name = {each["name"]: each for each in form["checks"]}
    assert by_name["mean_income"]["implementation"] == "SELECT avg(income) FROM {object}"
    assert by_name["cheap"]["result"] == "failed"
    assert form["result"] == "failed"
