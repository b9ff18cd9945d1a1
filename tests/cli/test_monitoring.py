"""`monitor` and `incidents` as a person or another program calls them, and `run` with monitors."""

import json

import pytest
from tests.workspace.watched import Watched

ALERTS = "alerts:\n  - {webhook: 'http://127.0.0.1:9/x', name: team, allow_hosts: ['127.0.0.1:9']}\n"


@pytest.fixture
def lake(tmp_path):
    made = Watched(tmp_path)
    made.watch()
    return made.approved()


@pytest.fixture
def drifted(lake, lastro):
    lake.batch(1, moved=True)
    lastro("monitor")
    return lake


def test_a_look_that_finds_drift_ends_with_1_and_leads_to_the_incident(lake, lastro):
    lake.batch(1, moved=True)
    ended = lastro("monitor", "drift")

    assert ended.code == 1
    assert ended.last.startswith("drift: income: distribution of values moved by 50")
    assert ended.last.endswith("(1 look, 1 found drift). next: lastro incidents")


def test_a_look_that_finds_none_ends_with_0(lake, lastro):
    lake.batch(1)
    ended = lastro("monitor", "--json")

    assert (ended.code, ended.json["passed"], ended.json["notes"]) == (0, True, [])
    assert [(look["monitor"], look["number"], look["alarm"]) for look in ended.json["looks"]] == [("drift", 0, False)]


def test_a_look_without_rows_is_no_pass(lake, lastro):
    lake.watch("reference: approved, since: latest")
    ended, again = lastro("monitor"), lastro("monitor", "--json")

    assert (ended.code, again.code, again.json["passed"]) == (1, 1, False)
    assert ended.last.startswith("drift: the window has no rows (1 look, 0 found drift)")


def test_a_look_that_fails_ends_with_its_error_and_the_others_look(lake, lastro):
    lake.watch("reference: aproved", extra="  other: {dataset: loans, reference: approved}\n")
    lake.batch(1, moved=True)
    ended = lastro("monitor")

    assert ended.code == 2
    assert "failed LST-0202" in ended.out
    assert "✗ drifted" in ended.out


def test_a_budget_that_is_used_up_is_said_plainly(lake, lastro):
    lake.watch("reference: approved, looks: 1")
    lastro("monitor")
    lake.batch(1, moved=True)
    ended = lastro("monitor")

    assert ended.code == 0
    assert "the month's budget is used up: recorded, and no alarm" in ended.out
    assert lastro("incidents", "--all", "--json").json["incidents"] == []


def test_past_looks_are_shown_and_none_is_taken(drifted, lastro):
    first, again = lastro("monitor", "--past", "--json"), lastro("monitor", "--past")

    assert (first.code, len(first.json["looks"])) == (0, 1)
    assert "✗ drifted" in again.out
    assert lastro("monitor", "--past", "--json").json["looks"] == first.json["looks"]


def test_a_look_is_made_again_as_a_proof(drifted, lastro):
    ended = lastro("monitor", "drift", "--again", "0")

    assert ended.code == 0
    assert ended.last.startswith("look 0 comes to the same again. next: lastro drift loans")
    assert lastro("monitor", "--again", "0", "--json").json["same"]
    assert lastro("monitor", "drift", "--again", "7").code == 2
    assert lastro("monitor", "drift", "--again", "0", "--past").code == 2


def test_without_monitors_there_is_nothing_to_look_at(lake, lastro):
    lake.configure(mode="append")

    assert lastro("monitor").code == 2
    assert lastro("monitor", "x").code == 2


def test_a_round_says_what_monitors_saw_and_goes_well(lake, lastro):
    lake.batch(1, moved=True, ingest=False)
    ended = lastro("run")

    assert ended.code == 0
    assert "1 of 2 columns drifted" in ended.out or "1 of 3 columns drifted" in ended.out
    assert "lastro drift loans --reference 0 --current 1 --since 0" in ended.out


def test_a_round_goes_well_but_damaged_incidents_are_told(drifted, lastro):
    path = drifted.root / ".lastro" / "incidents.jsonl"
    path.write_text("{}\n")
    drifted.batch(2, ingest=False)
    ended = lastro("run")

    assert ended.code == 3
    assert "nobody could be told: a record is not what was written" in ended.out
    assert "1 with a new version" in ended.last
    assert lastro("incidents").code == 3
    assert path.read_text() == "{}\n"


def test_who_cannot_be_told_is_noted(lake, lastro):
    lake.watch(extra=ALERTS)
    lake.batch(1, moved=True)
    (note,) = lastro("monitor", "--json").json["notes"]

    assert note.startswith("team could not be told")


def test_incidents_are_listed_and_changed(drifted, lastro):
    assert lastro("incidents").last == "1 incident is not resolved. next: lastro incidents 1"
    assert lastro("incidents", "ack", "1", "--reason", "looking").code == 0
    assert lastro("incidents", "assign", "1", "--to", "ana", "--reason", "hers").code == 0
    assert lastro("incidents", "mute", "1", "--until", "2099-01-01", "--reason", "known").code == 0
    assert lastro("incidents", "reopen", "1", "--reason", "not known").code == 0
    assert lastro("incidents", "resolve", "1", "--reason", "done").last.startswith("incident 1 is resolved")
    found = lastro("incidents", "1", "--json").json["incident"]

    assert [change["action"] for change in found["changes"]] == [
        *("opened", "acknowledged", "assigned", "muted", "reopened", "resolved")
    ]
    assert (found["state"], found["assignee"], found["monitor"]) == ("resolved", "ana", "drift")
    assert found["changes"][3]["until"] == "2099-01-01T23:59:59.999999Z"
    assert lastro("incidents").last.startswith("0 incidents are not resolved")
    assert lastro("incidents", "--all").last.startswith("1 incident.")


def test_one_incident_tells_all_that_was_found_and_its_cause_in_words(drifted, lastro, monkeypatch):
    what = lastro("incidents", "1", "--json").json["incident"]["what"]
    told, portuguese = lastro("incidents", "1").out, ""
    monkeypatch.setenv("LASTRO_LANG", "pt_BR")
    portuguese = lastro("incidents").out

    assert f"\n  found first: {what}\n" in told
    assert "loans drifted (drift)" in told
    assert "drifted" not in portuguese.split("\n")[1].split("drift:")[0]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ack",), "write lastro incidents ack ID --reason TEXT"),
        (("ack", "1"), "a change of an incident needs a reason"),
        (("ack", "1", "--reason", "x" * 1001), "a reason of at most 1,000 characters"),
    ],
)
def test_what_a_change_lacks_is_told(drifted, lastro, arguments, told):
    assert told in lastro("incidents", *arguments).err


def test_what_people_write_commands_no_terminal(drifted, lastro):
    lastro("incidents", "assign", "1", "--to", "an\x1b[31ma", "--reason", "be\x07cause\nof it")
    shown = lastro("incidents", "1")

    assert "\x1b" not in shown.out
    assert "\x07" not in shown.out
    assert json.loads(lastro("incidents", "1", "--json").out)["incident"]["assignee"] == "an\x1b[31ma"


@pytest.mark.parametrize(
    "arguments",
    [
        ("ack", "1"),
        ("ack", "2", "--reason", "x"),
        ("ack", "one", "--reason", "x"),
        ("burn", "1", "--reason", "x"),
        ("mute", "1", "--reason", "x"),
        ("mute", "1", "--reason", "x", "--until", "soon"),
        ("mute", "1", "--reason", "x", "--until", "2001-01-01"),
        ("assign", "1", "--reason", "x"),
        ("resolve", "1", "--reason", "x", "--to", "ana"),
        ("1", "--reason", "x"),
        ("--reason", "x"),
        ("9" * 30,),
        ("ack", "1", "2", "--reason", "x"),
        ("ack", "1", "--all", "--reason", "x"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(drifted, lastro, arguments):
    before = (drifted.root / ".lastro" / "incidents.jsonl").read_bytes()

    assert lastro("incidents", *arguments).code == 2
    assert (drifted.root / ".lastro" / "incidents.jsonl").read_bytes() == before


def test_an_ingestion_says_that_it_drifted_and_leads_to_the_columns(lake, lastro):
    lake.watch("reference: approved, at_ingestion: true", extra=ALERTS)
    lake.batch(1, moved=True, ingest=False)
    ended = lastro("ingest", "loans")
    (look,) = lastro("status", "--json").json["datasets"]

    assert ended.code == 0
    assert ended.last.startswith("drifted: loans (loans is at version 1:")
    assert ended.last.endswith("next: lastro drift loans --reference 0 --current 1 --since 0")
    assert "drift: income: distribution of values moved by 50" in ended.out
    assert "team could not be told" in ended.out
    assert look["incidents"] == 1


def test_status_and_metrics_count_open_incidents_and_lead_to_them(drifted, lastro):
    before = lastro("status", "--json").json
    text = lastro("status")
    metrics = lastro("metrics").out
    lastro("incidents", "mute", "1", "--until", "2099-01-01", "--reason", "known")

    assert (before["incidents"], before["datasets"][0]["incidents"]) == (1, 1)
    assert before["schema"] == "lastro.status/2"
    assert text.last == "1 dataset, 0 late; 1 incident is open. next: lastro incidents"
    assert "1 incident is open: lastro incidents" in text.out
    assert 'lastro_dataset_incidents{dataset="loans"} 1\n' in metrics
    assert lastro("status", "--json").json["incidents"] == 0


def test_the_status_says_that_incidents_cannot_be_read(drifted, lastro):
    (drifted.root / ".lastro" / "incidents.jsonl").write_text("{}\n")
    (found,) = lastro("status", "--json").json["datasets"]

    assert found["incidents"] is None
    assert found["notes"][0].startswith("incidents cannot be read: a record is not what was written")
    assert "lastro_dataset_incidents{" not in lastro("metrics").out


@pytest.mark.parametrize("name", ["incidents.jsonl", "monitors/drift.jsonl"])
def test_verify_proves_the_records_of_looks_and_incidents(drifted, lastro, name):
    assert lastro("verify").code == 0
    path = drifted.root / ".lastro" / name
    path.write_bytes(path.read_bytes().replace(b"income", b"outcom", 1))
    ended = lastro("verify", "--json")

    assert (ended.code, ended.json["passed"], ended.json["damage"]) == (3, False, [])
    assert [each["path"] for each in ended.json["records"]] == [f"{path}:1"]
    assert lastro("verify").last.startswith("1 file is damaged")


def test_a_rule_that_an_ingestion_breaks_is_an_incident(lake, lastro):
    contract = lake.root / "contracts" / "loans.odcs.yaml"
    rule = "quality: [{name: low, type: sql, query: 'SELECT count(*) FROM loans WHERE income < 500', mustBe: 0}]"
    contract.write_text(contract.read_text().replace("logicalTypeOptions: {minimum: 0}", rule))
    lake.batch(1, ingest=False)
    ended = lastro("ingest")
    (one,) = lastro("incidents", "--json").json["incidents"]

    assert ended.code == 1
    assert (one["kind"], one["rule"], one["state"]) == ("broken", "low", "open")
    assert one["numbers"]["measured"] == 2000
    assert one["do"] == "lastro ingest loans"
    assert "loans breaks the rule low: 2,000, expected exactly 0" in one["what"]


def test_a_round_tells_what_its_checks_found(lake, lastro):
    text = (lake.root / "lastro.yaml").read_text().replace("    source:", "    check: 1d\n    source:")
    (lake.root / "lastro.yaml").write_text(text)
    ended = lastro("run", "--json")

    assert (ended.code, ended.json["checks"][0]["passed"], ended.json["checks"][0]["failed"]) == (0, True, 0)
    (lake.root / "lastro.yaml").write_text(text.replace("1d", "soon"))
    assert lastro("run").code == 2
