"""What is due to a target at one time is one message of what began and one of what ended."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from lastro.alert.event import Event, Kind, cloud_event
from lastro.alert.message import TOLD, messages

NOW = datetime(2026, 1, 31, 10, tzinfo=UTC)


def event(number, kind=Kind.LATE, dataset="loans", **more):
    return Event(f"{number:032}", kind, dataset, NOW, f"what {number}", f"do {number}", incident=number, **more)


BROKEN = event(1, Kind.BROKEN, rule="income.max", numbers={"refused": 3.0, "rows": 9.0})
REFUSED = event(2, Kind.FAILED, code="LST-0101")


def test_one_event_is_its_own_message():
    (found,) = messages([("chat", BROKEN)])

    assert (found.event, found.events) == (BROKEN, (BROKEN,))
    assert "events" not in found.event.to_dict()


def test_what_began_and_what_ended_are_two_messages_of_each_target():
    due = [("chat", event(1)), ("team", event(1)), ("chat", replace(event(2), resolved=True)), ("chat", event(3))]
    found = [(each.target, each.event.resolved, len(each.events)) for each in messages(due)]

    assert found == [("chat", False, 2), ("team", False, 1), ("chat", True, 1)]


def test_the_first_cause_leads_and_a_refusal_is_told_by_its_rule():
    (found,) = messages([("chat", event(3, Kind.QUARANTINED)), ("chat", REFUSED), ("chat", BROKEN)])

    assert found.event.title == "loans breaks the rule income.max, and 2 more"
    assert found.event.what == "what 1\nwhat 3"
    assert (found.event.numbers, found.event.do) == (BROKEN.numbers, "lastro incidents")
    assert [each.incident for each in found.event.also] == [1, 3, 2]


def test_a_rule_and_its_refusal_lead_to_the_rules_own_command():
    (found,) = messages([("chat", REFUSED), ("chat", BROKEN)])

    assert (found.event.what, found.event.do) == ("what 1", "do 1")


def test_a_failure_of_another_kind_leads():
    (found,) = messages([("chat", BROKEN), ("chat", event(2, Kind.FAILED, code="LST-0301"))])

    assert found.event.what == "what 2\nwhat 1"


def test_a_storm_is_one_message_that_counts_what_it_does_not_tell():
    (found,) = messages(("chat", event(number, dataset=f"d{number}")) for number in range(40))

    assert len(found.events) == 40
    assert found.event.what.splitlines()[-1] == f"and {40 - TOLD} more"
    assert len(found.event.to_dict()["events"]) == 40
    assert cloud_event(found.event, source="lake")


@given(order=st.permutations(range(5)))
def test_the_same_events_have_the_same_message_whatever_their_order(order):
    events = [event(number, list(Kind)[number]) for number in range(5)]
    (found,) = messages(("chat", events[number]) for number in order)
    (other,) = messages(("chat", each) for each in events[:4])

    assert found.event == messages(("chat", each) for each in events)[0].event
    assert found.event.id != other.event.id
