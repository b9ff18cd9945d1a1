"""A rule that is broken is an incident of its own: opened with its numbers, told in one message, ended by itself."""

import json
from datetime import timedelta

import pytest
from tests.workspace.lake import CONTRACT, GOOD, HEADER, write
from tests.workspace.watched import Watched

from lastro.alert.incident import State
from lastro.model import chain
from lastro.model.errors import ConfigurationError, DataRefused
from lastro.workspace.monitoring.watch import INCIDENTS, tell, watch
from lastro.workspace.quality.checking import FILE as CHECKS

ALERTS = "alerts:\n  - {webhook: 'https://hooks.example.com/x', name: chat}\n"
STRICT = CONTRACT.replace(
    "      - name: income\n        logicalType: number\n        logicalTypeOptions: {minimum: 0}\n",
    """\
      - name: income
        logicalType: number
        quality:
          - {name: some_income, type: sql, query: "SELECT count(*) FROM loans WHERE income IS NULL", mustBe: 0}
          - {name: low_incomes, type: sql, query: "SELECT count(*) FROM loans WHERE income < 500", mustBe: 0}
""",
)
BROKEN = HEADER + "1,SP,100,2026-01-01\n2,RJ,,2026-01-02\n3,MG,700,2026-01-03\n"
WHOLE = HEADER + "1,SP,600,2026-01-01\n2,RJ,650,2026-01-02\n3,MG,700,2026-01-03\n"


@pytest.fixture
def lake(tmp_path):
    made = Watched(tmp_path / "lake")
    made.configure(contract=STRICT, extra=ALERTS)
    return made


def ingest(lake, text):
    lake.wait(hours=1)
    lake.csv.write_text(text)
    return lake.open().dataset("loans").ingest()


def refuse(lake, text=BROKEN):
    with pytest.raises(DataRefused) as caught:
        ingest(lake, text)
    return caught.value


def states(lake, kind="broken"):
    found = lake.open().incidents(everything=True)
    return {one.opening.rule: one.state(lake.now).value for one in found if one.opening.kind == kind}


def test_each_rule_that_a_batch_breaks_is_an_incident_with_its_numbers(lake):
    refuse(lake)
    refuse(lake)
    found = {one.opening.rule: one for one in lake.open().incidents()}

    assert set(found) == {"some_income", "low_incomes"}
    assert found["low_incomes"].opening.numbers == {"refused": 0.0, "rows": 3.0, "measured": 1.0}
    assert found["low_incomes"].opening.what.startswith("loans breaks the rule low_incomes: 1, expected exactly 0")
    assert found["low_incomes"].opening.what.endswith("3 rows read)")
    assert [len(one.changes) for one in found.values()] == [1, 1]


def test_of_a_rule_about_rows_the_numbers_are_how_many_of_how_many(lake):
    rule = "{name: some_income, type: library, metric: nullValues, mustBe: 0, unit: rows}"
    lake.configure(contract=CONTRACT.replace("logicalTypeOptions: {minimum: 0}", f"quality: [{rule}]"), extra=ALERTS)
    refuse(lake)
    (one,) = lake.open().incidents()

    assert one.opening.what.startswith(
        "loans breaks the rule some_income: 1 of 3 rows (33.3 %), expected exactly 0 rows"
    )
    assert one.opening.numbers == {"refused": 1.0, "rows": 3.0, "measured": 1.0}


def test_what_it_measures_anew_is_added_and_nobody_is_told_again(lake):
    events = []
    refuse(lake)
    tell(lake.open(), send=lambda _target, event, _source: events.append(event))
    refuse(lake, BROKEN + "4,SP,10,2026-01-04\n")
    tell(lake.open(), send=lambda _target, event, _source: events.append(event))
    (one,) = [one for one in lake.open().incidents() if one.opening.rule == "low_incomes"]

    assert [change.action.value for change in one.changes] == ["opened", "found"]
    assert one.newest.numbers["measured"] == 2
    assert len(events) == 1


def test_a_batch_that_keeps_the_rule_ends_its_incident_and_it_opens_again(lake):
    refuse(lake)
    ingest(lake, WHOLE)
    ended = states(lake)
    refuse(lake)

    assert ended == {"some_income": "resolved", "low_incomes": "resolved"}
    assert states(lake) == {"some_income": "reopened", "low_incomes": "reopened"}


def test_of_a_batch_that_is_refused_for_another_rule_the_kept_rule_ends(lake):
    refuse(lake)
    refuse(lake, BROKEN.replace("2,RJ,,", "2,RJ,800,"))

    assert states(lake) == {"some_income": "resolved", "low_incomes": "open"}


def test_a_source_that_has_nothing_new_any_longer_ends_it(lake):
    ingest(lake, WHOLE)
    refuse(lake)
    assert ingest(lake, WHOLE).unchanged

    assert set(states(lake).values()) == {"resolved"}


def test_a_rule_that_the_contract_has_no_longer_ends_its_incident(lake):
    refuse(lake)
    lake.configure(contract=CONTRACT)
    ingest(lake, BROKEN)

    assert set(states(lake).values()) == {"resolved"}


def test_a_muted_rule_stays_muted_and_the_next_breach_after_it_opens_it(lake):
    refuse(lake)
    (number,) = [one.number for one in lake.open().incidents() if one.opening.rule == "low_incomes"]
    lake.open().change_incident(number, "muted", reason="known", until=lake.now + timedelta(hours=2))
    ingest(lake, WHOLE)
    muted = lake.open().incident(number).state(lake.now)
    lake.wait(hours=3)
    refuse(lake)

    assert muted is State.MUTED
    assert lake.open().incident(number).state(lake.now) is State.REOPENED


def test_a_round_that_is_refused_is_one_message_led_by_the_rule(lake):
    lake.csv.write_text(BROKEN)
    events = []
    for _round in range(3):
        workspace = lake.open()
        workspace.round(retries=0)
        watch(workspace, workspace.status(), send=lambda _target, event, _source: events.append(event))
    (event,) = events

    assert event.title == "loans breaks the rule some_income, and 2 more"
    assert event.what.splitlines()[1].startswith("loans breaks the rule low_incomes: 1")
    assert event.do == "lastro incidents"
    assert {(each.kind.value, each.rule) for each in event.also} == {
        *{("broken", "some_income"), ("broken", "low_incomes"), ("failed", "")}
    }
    assert [each["incident"] for each in event.to_dict()["events"]] == [1, 2, 3]


def test_its_end_is_one_message_too(lake):
    events = []

    def play(text):
        lake.csv.write_text(text)
        workspace = lake.open()
        workspace.round(retries=0)
        watch(workspace, workspace.status(), send=lambda _target, event, _source: events.append(event))

    play(BROKEN)
    play(WHOLE)

    assert [(event.resolved, len(event.also)) for event in events] == [(False, 3), (True, 3)]
    assert events[1].title == "loans works again, and 2 more" or events[1].title.startswith("loans keeps the rule")


def test_the_number_of_a_rule_that_tells_a_withheld_value_is_not_told(lake):
    secret = STRICT.replace("SELECT count(*) FROM loans WHERE income < 500", "SELECT max(income) FROM loans").replace(
        "      - name: income\n", "      - name: income\n        classification: confidential\n"
    )
    lake.configure(contract=secret)
    error = refuse(lake, BROKEN.replace("700", "98765"))
    workspace = lake.open()
    watch(workspace, (workspace.round(retries=0), workspace.status())[1], send=lambda *_given: None)
    written = "".join(path.read_text() for path in (lake.root / ".lastro").glob("*.json*"))

    assert {one.opening.kind.value for one in lake.open().incidents()} == {"broken", "failed"}
    assert "98765" not in written + str(error)
    assert "98,765" not in written + str(error)
    assert [each.measured for each in error.findings if each.rule == "low_incomes"] == [None]


def test_damaged_incidents_fail_no_ingestion_and_are_told(lake):
    refuse(lake)
    (lake.root / INCIDENTS).write_text(damaged := "{}\n")
    result = ingest(lake, WHOLE)
    error = refuse(lake)

    assert result.version == 0
    assert result.notes[0].startswith("incidents could not be recorded: a record is not what was written")
    assert error.__notes__ == [result.notes[0]]
    assert (lake.root / INCIDENTS).read_text() == damaged


def test_ingestion_without_trouble_writes_no_incidents(lake):
    ingest(lake, WHOLE)

    assert not (lake.root / INCIDENTS).exists()


def test_a_file_of_the_first_form_is_read_and_goes_on(lake):
    refuse(lake)
    path = lake.root / INCIDENTS
    old = [record["change"] for record in chain.read(path).records]
    path.unlink()
    for change in old:
        event = {key: value for key, value in change["event"].items() if key != "rule"}
        chain.append(
            path, [{"change": {**change, "event": {**event, "kind": "late", "dataset": f"d{event['incident']}"}}}]
        )
    refuse(lake)
    forms = [json.loads(line)["record"]["lastro"] for line in path.read_text().splitlines()]

    assert forms == [1, 1, 2, 2]
    assert len(lake.open().incidents()) == 4


def test_a_form_that_is_newer_says_to_upgrade(lake):
    chain.append(lake.root / INCIDENTS, [{"change": {}}], form=9)

    with pytest.raises(ConfigurationError, match="format 9"):
        lake.open().incidents()


def checked_lake(lake, every="1d"):
    lake.configure(mode="append", contract=CONTRACT, extra=ALERTS)
    text = (lake.root / "lastro.yaml").read_text().replace("    source:", f"    check: {every}\n    source:")
    (lake.root / "lastro.yaml").write_text(text)
    lake.csv.write_text(GOOD)
    first = lake.open().round()
    (lake.root / "contracts" / "loans.odcs.yaml").write_text(STRICT)
    return first


def test_a_round_checks_what_is_stored_as_often_as_is_wanted(lake):
    first = checked_lake(lake)
    second = lake.open().round()
    lake.wait(days=1)
    third, fourth = lake.open().round(), lake.open().round()
    lake.wait(days=-30)
    fifth = lake.open().round()

    assert [len(each.checks) for each in (first, second, third, fourth, fifth)] == [1, 0, 1, 0, 1]
    assert (first.checks[0].passed, third.checks[0].passed) == (True, False)
    assert third.checks[0].what.startswith("loans@0 breaks 2 of")
    assert third.passed


def test_what_a_check_finds_is_ended_by_a_check_alone(lake):
    checked_lake(lake)
    lake.wait(days=1)
    lake.open().round()
    found = {one.opening.rule: one.opening.numbers for one in lake.open().incidents()}
    lake.open().dataset("loans").ingest()
    after_ingestion = states(lake)
    lake.wait(days=1)
    contract = lake.root / "contracts" / "loans.odcs.yaml"
    contract.write_text(STRICT.replace("mustBe: 0", "mustBeLessThan: 9"))
    lake.open().round()

    assert found["low_incomes"] == {"refused": 0.0, "rows": 3.0, "measured": 1.0, "version": 0.0}
    assert set(after_ingestion.values()) == {"open"}
    assert set(states(lake).values()) == {"resolved"}


def test_a_check_that_cannot_be_made_is_an_incident_until_it_can(lake):
    checked_lake(lake)
    (data,) = (lake.root / "tables" / "loans").glob("*.parquet")
    content = data.read_bytes()
    data.unlink()
    lake.wait(days=1)
    failed = lake.open().round()
    blind = states(lake, "blind")
    data.write_bytes(content)
    again = lake.open().round()

    assert failed.checks[0].code.startswith("LST-")
    assert blind == {"": "open"}
    assert len(again.checks) == 1
    assert states(lake, "blind") == {"": "resolved"}


@pytest.mark.parametrize(
    "content", ["", "{", '{"lastro_checks": 2}', '{"lastro_checks": 1, "checks": {"loans": 7}}', "[]"]
)
def test_a_damaged_note_of_checks_makes_them_due(lake, content):
    checked_lake(lake)
    (lake.root / CHECKS).write_text(content)

    assert len(lake.open().round().checks) == 1


def test_a_rule_that_a_build_breaks_is_an_incident_too(lake):
    lake.csv.write_text(GOOD)
    lake.configure(contract=CONTRACT)
    lake.loans.ingest()
    write(lake, small__sql="SELECT id, income FROM loans")
    lake.workspace.build("small")
    path = lake.root / "contracts" / "small.odcs.yaml"
    rule = "    quality: [{name: many, type: library, metric: rowCount, mustBeGreaterThan: 9}]\n"
    text = path.read_text()
    path.write_text(text.replace("    properties:", f"{rule}    properties:", 1))
    lake.open().build("small")
    (one,) = lake.open().incidents()
    path.write_text(text)
    lake.open().build("small")

    assert (one.opening.dataset, one.opening.rule, one.opening.do) == ("small", "many", "lastro build small")
    assert states(lake) == {"many": "resolved"}
