"""From looks and rounds to incidents, from incidents to those who are told – once, whoever is killed in between."""

import multiprocessing
from datetime import timedelta

import pytest
from tests.workspace.lake import GOOD
from tests.workspace.monitoring.test_watch import Told
from tests.workspace.watched import Watched

import lastro
from lastro.alert.incident import State
from lastro.model.errors import Corrupted, UnknownName, UsageError
from lastro.workspace.monitoring import watch as watching
from lastro.workspace.monitoring.incidents import NAME_MAX, REASON_MAX
from lastro.workspace.monitoring.watch import FILE, INCIDENTS, tell, watch

ALERTS = """\
alerts:
  - {webhook: 'https://hooks.example.com/x', name: chat}
  - {webhook: 'https://hooks.example.com/y', name: team, on: [failed]}
"""


@pytest.fixture
def lake(tmp_path):
    made = Watched(tmp_path / "lake")
    made.watch(extra=ALERTS)
    return made.approved()


@pytest.fixture
def told():
    return Told()


def look_and_tell(lake, told, number, *, moved):
    lake.wait(hours=1)
    lake.batch(number, moved=moved)
    lake.look()
    return tell(lake.workspace, send=told)


def states(lake):
    return [one.state(lake.now).value for one in lake.open().incidents(everything=True)]


def test_drift_is_told_once_with_numbers_and_the_command_to_look_further(lake):
    events = []
    for number in (1, 2):
        look_and_tell(lake, lambda _target, event, _source: events.append(event), number, moved=True)
    (event,) = events

    assert event.title == "loans drifted (drift)"
    assert event.what.startswith("drift: income: distribution of values moved by 50")
    assert event.do == "lastro drift loans --reference 0 --current 1 --since 0"
    assert event.numbers["low"] > event.numbers["margin"] == 0.05
    assert (event.numbers["drifted"], event.incident) == (1, 1)
    assert lake.open().incident(1).found == 2


def test_its_end_is_told_and_so_is_its_return(lake, told):
    lake.watch("reference: approved, margin: 20%", extra=ALERTS)
    for number, moved in enumerate((True, True, False, False, True), start=1):
        look_and_tell(lake, told, number, moved=moved)

    assert [resolved for _name, _kind, _dataset, resolved in told.said] == [False, True, False]
    assert states(lake) == ["reopened"]


def test_a_monitor_names_whom_to_tell_whatever_they_listen_to(lake, told):
    lake.watch("reference: approved, alert: [team]", extra=ALERTS)
    look_and_tell(lake, told, 1, moved=True)

    assert told.said == [("team", "drifted", "loans", False)]


def test_without_targets_there_are_incidents_and_no_book(lake, told):
    lake.watch()
    look_and_tell(lake, told, 1, moved=True)

    assert states(lake) == ["open"]
    assert told.said == []
    assert not (lake.root / FILE).exists()


def test_a_round_makes_incidents_of_its_own_troubles(lake, told):
    lake.csv.write_text("id,uf\n")
    (lake.root / "loans0.csv").unlink()
    lake.watch("reference: approved", mode="overwrite", extra=ALERTS)
    lake.csv.unlink()
    for _round in range(2):
        workspace = lake.open()
        workspace.round(retries=0)
        watch(workspace, workspace.status(), send=told)
    (one,) = lake.open().incidents()

    assert (one.opening.kind.value, one.opening.code, one.found) == ("failed", "LST-0301", 1)
    assert told.said == [("chat", "failed", "loans", False), ("team", "failed", "loans", False)]
    lake.csv.write_text(GOOD)
    workspace = lake.open()
    workspace.round(retries=0)
    watch(workspace, workspace.status(), send=told)
    assert lake.open().incident(one.number).state(lake.now) is State.RESOLVED
    assert told.said[-1] == ("team", "failed", "loans", True)


def test_muted_it_is_quiet_and_then_told_again(lake, told):
    look_and_tell(lake, told, 1, moved=True)
    lake.open().change_incident(1, "muted", reason="known", until=lake.now + timedelta(hours=2))
    look_and_tell(lake, told, 2, moved=True)
    quiet = len(told.said)
    lake.wait(hours=2)
    look_and_tell(lake, told, 3, moved=True)

    assert quiet == 1
    assert told.said == [("chat", "drifted", "loans", False)] * 2
    assert states(lake) == ["reopened"]


def test_muted_before_it_could_be_told_nothing_is_said(lake, told):
    told.down = True
    look_and_tell(lake, told, 1, moved=True)
    lake.open().change_incident(1, "muted", reason="known", until=lake.now + timedelta(hours=2))
    told.down = False
    tell(lake.open(), send=told)

    assert told.said == []


def test_resolved_by_a_person_its_end_is_told_and_the_next_finding_opens_it(lake, told):
    look_and_tell(lake, told, 1, moved=True)
    lake.open().change_incident(1, "resolved", reason="the feed was mended")
    tell(lake.open(), send=told)
    look_and_tell(lake, told, 2, moved=True)

    assert [resolved for *_rest, resolved in told.said] == [False, True, False]
    assert [change.by for change in lake.open().incident(1).changes][0::2] == ["lastro", "lastro"]


def test_looks_beyond_the_budget_make_no_incident(lake, told):
    lake.watch("reference: approved, looks: 1", extra=ALERTS)
    look_and_tell(lake, told, 1, moved=False)
    look_and_tell(lake, told, 2, moved=True)

    assert states(lake) == []
    assert told.said == []


@pytest.mark.parametrize("step", ["IncidentFile", "_tell", "book"])
def test_killed_between_record_and_alert_nothing_is_lost_or_told_twice(lake, told, monkeypatch, step):
    class Killed(BaseException):
        """The process is gone."""

    def die(*_arguments, **_named):
        raise Killed

    lake.batch(1, moved=True)
    lake.look()
    with monkeypatch.context() as patched:
        if step == "book":
            patched.setattr(watching.book, "write", die)
        else:
            patched.setattr(watching, step, die)
        with pytest.raises(Killed):
            tell(lake.open(), send=Told())
    tell(lake.open(), send=told)
    tell(lake.open(), send=told)

    assert told.said == [("chat", "drifted", "loans", False)]
    assert [len(one.changes) for one in lake.open().incidents()] == [1]


def test_a_lost_book_tells_what_is_open_once_more(lake, told):
    look_and_tell(lake, told, 1, moved=True)
    (lake.root / FILE).write_text("{")
    tell(lake.open(), send=told)
    tell(lake.open(), send=told)

    assert len(told.said) == 2


def test_damaged_incidents_are_refused_and_nothing_is_lost(lake, told):
    look_and_tell(lake, told, 1, moved=True)
    path = lake.root / INCIDENTS
    path.write_bytes(damaged := path.read_bytes().replace(b"income", b"outcome"))
    workspace = lake.open()

    for doing in (
        workspace.incidents,
        lambda: workspace.incident(1),
        lambda: workspace.change_incident(1, "resolved", reason="x"),
        lambda: tell(workspace, send=told),
    ):
        with pytest.raises(Corrupted) as caught:
            doing()
        assert caught.value.where == f"{path}:1"
    assert path.read_bytes() == damaged


def test_incidents_that_were_moved_away_are_made_again_from_the_looks(lake, told):
    look_and_tell(lake, told, 1, moved=True)
    (lake.root / INCIDENTS).rename(lake.root / "aside.jsonl")
    tell(lake.open(), send=told)

    assert states(lake) == ["open"]


def test_looks_that_cannot_be_read_are_noted_and_others_count(lake, told):
    lake.watch(extra=f"  other: {{dataset: loans, reference: approved}}\n{ALERTS}")
    lake.batch(1, moved=True)
    lake.open().look("other")
    (lake.root / ".lastro" / "monitors" / "drift.jsonl").write_text("{}\n")
    notes = tell(lake.open(), send=told)

    assert notes == ("the looks of drift cannot be read: a record is not what was written",)
    assert len(told.said) == 1


def test_every_change_is_kept_with_who_when_and_why(lake, told):
    look_and_tell(lake, told, 1, moved=True)
    for action, more in (
        ("acknowledged", {}),
        ("assigned", {"to": "bob"}),
        ("muted", {"until": lake.now + timedelta(days=1)}),
        ("reopened", {}),
        ("resolved", {}),
        ("reopened", {}),
    ):
        lake.open().change_incident(1, action, reason=f"for {action}", by="ana", **more)
    changes = lake.open().incident(1).changes

    assert [change.action.value for change in changes[1:]] == [change.reason[4:] for change in changes[1:]]
    assert {(change.by, change.moment) for change in changes[1:]} == {("ana", lake.now)}
    assert lake.open().incident(1).assignee == "bob"


@pytest.mark.parametrize(
    ("action", "more"),
    [
        ("acknowledged", {"reason": " "}),
        ("acknowledged", {"reason": "x" * (REASON_MAX + 1)}),
        ("acknowledged", {"to": "bob"}),
        ("acknowledged", {"until": Watched.now + timedelta(days=9)}),
        ("assigned", {}),
        ("assigned", {"to": "x" * (NAME_MAX + 1)}),
        ("muted", {}),
        ("muted", {"until": Watched.now}),
        ("reopened", {}),
        ("opened", {}),
        ("found", {}),
        ("burnt", {}),
    ],
)
def test_a_change_without_meaning_is_refused(lake, told, action, more):
    look_and_tell(lake, told, 1, moved=True)
    before = (lake.root / INCIDENTS).read_bytes()

    with pytest.raises(UsageError):
        lake.open().change_incident(1, action, **{"reason": "because", **more})
    assert (lake.root / INCIDENTS).read_bytes() == before


@pytest.mark.parametrize("action", ["acknowledged", "muted", "resolved"])
def test_what_is_resolved_is_reopened_first(lake, told, action):
    look_and_tell(lake, told, 1, moved=True)
    lake.open().change_incident(1, "resolved", reason="done")
    more = {"until": lake.now + timedelta(days=1)} if action == "muted" else {}

    with pytest.raises(UsageError, match="is resolved"):
        lake.open().change_incident(1, action, reason="x", **more)


def test_an_incident_that_there_is_not_is_told(lake):
    with pytest.raises(UnknownName):
        lake.open().incident(7)


def change_from_another_process(root, barrier, number):
    workspace = lastro.open(root)
    barrier.wait(60)
    for turn in range(20):
        workspace.change_incident(1, "assigned", reason=f"{number}-{turn}", to="bob")


def test_two_processes_change_at_once_and_nothing_is_lost(lake, told):
    look_and_tell(lake, told, 1, moved=True)
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    others = [
        context.Process(target=change_from_another_process, args=(lake.root, barrier, number)) for number in range(2)
    ]
    for other in others:
        other.start()
    for other in others:
        other.join(120)

    assert [other.exitcode for other in others] == [0, 0]
    reasons = [change.reason for change in lake.open().incident(1).changes[1:]]
    assert sorted(reasons) == sorted(f"{number}-{turn}" for number in range(2) for turn in range(20))
