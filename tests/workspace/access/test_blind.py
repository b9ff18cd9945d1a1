"""Monitors that cannot look, that look at each ingestion, or that are gone: nothing is silent, or told twice."""

import multiprocessing
from datetime import timedelta

import pytest
from tests.workspace.monitoring.test_watch import Told
from tests.workspace.watched import Watched

import lastro
from lastro.alert.incident import State
from lastro.workspace.monitoring.looking import FOLDER
from lastro.workspace.monitoring.watch import INCIDENTS, TAKEN, tell

ALERTS = "alerts:\n  - {webhook: 'https://hooks.example.com/x', name: chat}\n"


@pytest.fixture
def lake(tmp_path):
    made = Watched(tmp_path / "lake")
    made.watch(extra=ALERTS)
    return made.approved()


@pytest.fixture
def told():
    return Told()


def states(lake):
    found = lake.open().incidents(everything=True)
    return {one.opening.kind.value: one.state(lake.now).value for one in found}


def look_and_tell(lake, told):
    lake.wait(hours=1)
    look = lake.look()
    return look, tell(lake.open(), send=told)


@pytest.mark.parametrize(
    ("monitor", "what"),
    [
        ("reference: aproved", "drift: there is no version loans@aproved to compare with"),
        ("reference: approved, columns: [incoem]", "drift: loans@0 has no column 'incoem'"),
        ("run: 20260101T000000000-00000000", "drift: there is no run"),
    ],
)
def test_a_look_that_fails_is_an_incident_told_once_until_one_goes_well(lake, told, monitor, what):
    lake.watch(monitor, extra=ALERTS)
    for _time in range(3):
        look_and_tell(lake, told)
    (one,) = lake.open().incidents()
    lake.watch(extra=ALERTS)
    look_and_tell(lake, told)

    assert one.opening.what.startswith(what)
    assert one.opening.do == "lastro monitor drift"
    assert (one.opening.code[:6], one.opening.monitor, one.found) == ("LST-02", "drift", 1)
    assert told.said == [("chat", "blind", "loans", False), ("chat", "blind", "loans", True)]
    assert states(lake) == {"blind": "resolved"}


def test_another_failure_is_added_and_a_look_that_cannot_tell_ends_it_too(lake, told):
    lake.watch("reference: aproved", extra=ALERTS)
    look_and_tell(lake, told)
    lake.watch("reference: approved, window: 7d, time: uf", extra=ALERTS)
    look_and_tell(lake, told)
    (one,) = lake.open().incidents()
    lake.watch(extra=ALERTS)
    lake.batch(1)
    look, _notes = look_and_tell(lake, told)

    assert [change.action.value for change in one.changes] == ["opened", "found"]
    assert look.verdict == "unsure"
    assert states(lake) == {"blind": "resolved"}


def test_drift_stays_open_while_its_monitor_is_blind(lake, told):
    lake.batch(1, moved=True)
    look_and_tell(lake, told)
    lake.watch("reference: aproved", extra=ALERTS)
    look_and_tell(lake, told)

    assert states(lake) == {"drifted": "open", "blind": "open"}


def test_looks_that_are_damaged_make_the_monitor_blind_until_they_are_whole(lake, told):
    look_and_tell(lake, told)
    path = lake.root / FOLDER / "drift.jsonl"
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"loans"', b'"lones"'))
    notes = tell(lake.open(), send=told)
    tell(lake.open(), send=told)
    damaged = states(lake)
    path.write_bytes(content)
    tell(lake.open(), send=told)

    assert notes == ("the looks of drift cannot be read: a record is not what was written",)
    assert damaged == {"blind": "open"}
    assert states(lake) == {"blind": "resolved"}
    assert [resolved for *_rest, resolved in told.said] == [False, True]


def test_looks_that_are_whole_again_but_fail_leave_it_blind(lake, told):
    look_and_tell(lake, told)
    path = lake.root / FOLDER / "drift.jsonl"
    content = path.read_bytes()
    path.write_bytes(b"{}\n")
    tell(lake.open(), send=told)
    path.write_bytes(content)
    lake.watch("reference: aproved", extra=ALERTS)
    look_and_tell(lake, told)

    assert states(lake) == {"blind": "reopened"}


def test_looks_that_were_moved_away_begin_anew_and_count(lake, told):
    lake.batch(1, moved=True)
    for _time in range(3):
        look_and_tell(lake, told)
    lake.open().change_incident(1, "resolved", reason="done")
    (lake.root / FOLDER / "drift.jsonl").rename(lake.root / "aside.jsonl")
    lake.batch(2, moved=True)
    look, _notes = look_and_tell(lake, told)

    assert look.number == 0
    assert states(lake) == {"drifted": "reopened"}


def test_a_look_of_which_a_crash_left_a_part_was_never_taken(lake, told):
    lake.batch(1, moved=True)
    look_and_tell(lake, told)
    path = lake.root / FOLDER / "drift.jsonl"
    content = path.read_bytes()
    lake.batch(2, moved=True)
    lake.look()
    path.write_bytes(path.read_bytes()[:-9])
    look, _notes = look_and_tell(lake, told)

    assert look.number == 1
    assert path.read_bytes().startswith(content)
    assert len(list(path.parent.glob("drift.jsonl.torn-*"))) == 1
    assert lake.open().incident(1).found == 2


def test_the_incidents_of_a_monitor_that_is_gone_end_with_the_reason(lake, told):
    lake.batch(1, moved=True)
    look_and_tell(lake, told)
    lake.configure(mode="append", extra=ALERTS)
    tell(lake.open(), send=told)
    ended = lake.open().incident(1).changes[-1]
    lake.watch(extra=ALERTS)
    tell(lake.open(), send=told)
    back = states(lake)
    lake.batch(2, moved=True)
    look_and_tell(lake, told)

    assert (ended.action.value, ended.by, ended.reason) == ("resolved", "lastro", "lastro.yaml has it no longer")
    assert back == {"drifted": "resolved"}
    assert states(lake) == {"drifted": "reopened"}
    assert [resolved for *_rest, resolved in told.said] == [False, True, False]


def test_what_a_person_muted_stays_muted_though_its_monitor_is_gone(lake, told):
    lake.batch(1, moved=True)
    look_and_tell(lake, told)
    lake.open().change_incident(1, "muted", reason="known", until=lake.now + timedelta(hours=2))
    lake.configure(mode="append", extra=ALERTS)
    tell(lake.open(), send=told)
    muted = states(lake)
    lake.wait(hours=3)
    tell(lake.open(), send=told)

    assert muted == {"drifted": "muted"}
    assert states(lake) == {"drifted": "resolved"}


def test_a_look_while_it_was_muted_ends_it_once_the_mute_is_over(lake, told):
    lake.batch(1, moved=True)
    look_and_tell(lake, told)
    lake.open().change_incident(1, "muted", reason="known", until=lake.now + timedelta(hours=3))
    lake.watch("reference: approved, margin: 90%", extra=ALERTS)
    lake.batch(2)
    look, _notes = look_and_tell(lake, told)
    muted = states(lake)
    lake.wait(hours=3)
    tell(lake.open(), send=told)

    assert look.verdict in {"stable", "still"}
    assert muted == {"drifted": "muted"}
    assert states(lake) == {"drifted": "resolved"}


def test_what_a_person_reopens_is_not_ended_by_looks_of_before(lake, told):
    lake.watch("reference: approved, margin: 20%", extra=ALERTS)
    lake.batch(1, moved=True)
    look_and_tell(lake, told)
    lake.open().change_incident(1, "resolved", reason="done")
    lake.batch(2)
    quiet, _notes = look_and_tell(lake, told)
    lake.open().change_incident(1, "reopened", reason="not done")
    tell(lake.open(), send=told)

    assert quiet.verdict in {"stable", "still"}
    assert states(lake) == {"drifted": "reopened"}


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"lastro_taken": 9}', '{"lastro_taken": 1, "at": [99, 9, "x"], "monitors": {"drift": ["x", 9]}}'],
)
def test_how_far_looks_were_taken_in_is_no_record(lake, told, content):
    lake.batch(1, moved=True)
    look_and_tell(lake, told)
    before = (lake.root / INCIDENTS).read_bytes()
    (lake.root / TAKEN).write_text(content)
    tell(lake.open(), send=told)

    assert (lake.root / INCIDENTS).read_bytes() == before
    assert len(told.said) == 1


def test_incidents_that_an_older_copy_replaced_are_made_again(lake, told):
    look_and_tell(lake, told)
    lake.batch(1, moved=True)
    look_and_tell(lake, told)
    older = (lake.root / INCIDENTS).read_bytes()
    lake.watch("reference: approved, margin: 90%", extra=ALERTS)
    lake.batch(2)
    look_and_tell(lake, told)
    (lake.root / INCIDENTS).write_bytes(older)
    tell(lake.open(), send=told)

    assert states(lake) == {"drifted": "resolved"}


def test_a_clock_that_goes_back_buys_no_second_budget(lake):
    lake.watch("reference: approved, looks: 1")
    lake.batch(1, moved=True)
    first = lake.look()
    lake.wait(days=40)
    lake.batch(2, moved=True)
    second = lake.look()
    for _time in range(70):
        lake.look()
    lake.wait(days=-40)
    lake.batch(3, moved=True)
    third = lake.look()

    assert [look.alarm for look in (first, second, third)] == [True, True, False]
    assert third.spent_before == first.spent


def test_an_incident_whose_clock_went_back_still_ends(lake, told):
    lake.watch("reference: approved, margin: 20%", extra=ALERTS)
    lake.batch(1, moved=True)
    look_and_tell(lake, told)
    lake.wait(days=-5)
    lake.batch(2)
    look_and_tell(lake, told)

    assert states(lake) == {"drifted": "resolved"}


def test_names_with_odd_characters_stay_apart(lake, told):
    extra = "  d.proven: {dataset: loans, reference: approved}\n  d-_.9: {dataset: loans, reference: aproved}\n"
    lake.watch(extra=extra + ALERTS)
    lake.batch(1, moved=True)
    for name in ("drift", "d.proven", "d-_.9"):
        lake.open().look(name)
    tell(lake.open(), send=told)
    tell(lake.open(), send=told)
    found = {one.opening.monitor: one.opening.kind.value for one in lake.open().incidents()}

    assert found == {"drift": "drifted", "d.proven": "drifted", "d-_.9": "blind"}
    assert told.said == [("chat", "blind", "loans", False)]


def drifting(lake, **keys):
    more = "".join(f", {name}: {value}" for name, value in keys.items())
    lake.watch(f"reference: approved, at_ingestion: true{more}")
    lake.batch(1, moved=True, ingest=False)
    return lake.open().dataset("loans").ingest()


def test_a_monitor_may_look_at_each_ingestion_without_reading_rows(lake, monkeypatch):
    from lastro.pipeline import drift as comparing

    seen = []
    compare = comparing.drift
    monkeypatch.setattr(comparing, "drift", lambda *given, **named: seen.append(compare(*given, **named)) or seen[-1])
    result = drifting(lake)
    again = lake.open().dataset("loans").ingest()

    assert [(look.monitor, look.verdict, look.alarm) for look in result.looks] == [("drift", "drifted", True)]
    assert [found.rows_read for found in seen] == [False]
    assert again.looks == ()
    assert states(lake) == {"drifted": "open"}
    assert lake.open().round().looks == ()


def test_without_it_an_ingestion_looks_not_and_the_round_does(lake):
    lake.batch(1, moved=True)

    assert states(lake) == {}
    assert [look.alarm for look in lake.open().round().looks] == [True]


def test_in_a_round_it_looks_once(lake):
    lake.watch("reference: approved, at_ingestion: true")
    lake.batch(1, moved=True, ingest=False)
    found = lake.open().round()

    assert [look.number for look in found.looks] == [0]
    assert len(lake.open().looks("drift")) == 1


def test_a_look_that_fails_or_is_not_due_fails_no_ingestion(lake):
    lake.watch("reference: aproved, at_ingestion: true, every: 1d")
    lake.batch(1, ingest=False)
    first = lake.open().dataset("loans").ingest()
    lake.batch(2, ingest=False)
    second = lake.open().dataset("loans").ingest()

    assert [look.code for look in first.looks] == ["LST-0202"]
    assert (second.version, second.looks) == (2, ())
    assert states(lake) == {"blind": "open"}


def take_from_another_process(root, barrier):
    workspace = lastro.open(root)
    barrier.wait(60)
    for _turn in range(5):
        tell(workspace)


def test_two_processes_take_the_same_looks_once(lake):
    lake.watch()
    lake.batch(1, moved=True)
    lake.look()
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    others = [context.Process(target=take_from_another_process, args=(lake.root, barrier)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join(120)

    assert [other.exitcode for other in others] == [0, 0]
    assert [len(one.changes) for one in lake.open().incidents()] == [1]
    assert lake.open().incident(1).state(lake.now) is State.OPEN
