"""One incident for each cause: what is found again is added, opens it again, or is kept quiet."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.alert.event import Event, Kind
from lastro.alert.incident import Action, Change, Finding, Incidents, State, dataset_findings
from lastro.alert.incident_file import IncidentFile
from lastro.model import chain
from lastro.model.errors import Corrupted

NOW = datetime(2026, 1, 31, 10, tzinfo=UTC)
DRIFT = Event("d", Kind.DRIFTED, "loans", NOW, "income moved", "lastro drift", monitor="watch")
FAILED = Event("f", Kind.FAILED, "loans", NOW, "it broke", "look", "LST-0301")


def later(hours):
    return NOW + timedelta(hours=hours)


def drift(look):
    return Finding(DRIFT.key, replace(DRIFT, moment=later(look)), look)


def quiet(look):
    return Finding(DRIFT.key, None, look)


def after(*steps, known=None):
    """The incidents after findings and changes by people, an hour apart."""
    found = known or Incidents()
    for hour, step in enumerate(steps, start=1):
        changes = found.look([step], later(hour)) if isinstance(step, Finding) else [step]
        found = found.taken(changes)
    return found


def by_ana(action, **more):
    return Change(1, action, NOW, by="ana", reason="because", **more)


def actions(found):
    return [change.action.value for change in found.entries[1].changes]


def test_a_repeated_finding_is_added_to_the_open_incident():
    found = after(drift(1), drift(2), drift(3))

    assert list(found.entries) == [1]
    assert actions(found) == ["opened", "found", "found"]
    assert (found.entries[1].found, found.entries[1].opening.moment) == (3, later(1))


def test_a_look_is_taken_in_once():
    found = after(drift(1), drift(2))

    assert found.look([drift(1), drift(2)], NOW) == ()


def test_a_look_that_surely_found_none_resolves_it():
    found = after(drift(1), quiet(2))

    assert found.entries[1].state(NOW) is State.RESOLVED
    assert found.ended(NOW) == {DRIFT.key}
    assert found.look([quiet(3)], NOW) == ()


def test_it_opens_again_when_it_is_found_again():
    found = after(drift(1), by_ana(Action.RESOLVED), drift(2))

    assert actions(found) == ["opened", "resolved", "reopened"]
    assert found.entries[1].state(NOW) is State.REOPENED
    assert found.entries[1].opening.moment == later(2)


def test_who_acknowledged_it_hears_nothing_new():
    found = after(drift(1), by_ana(Action.ACKNOWLEDGED), drift(2))

    assert found.entries[1].state(NOW) is State.ACKNOWLEDGED
    assert [event.moment for event in found.open_events(NOW)] == [later(1)]


def test_while_it_is_muted_it_is_quiet_and_does_not_end_by_itself():
    muted = by_ana(Action.MUTED, until=later(100))
    found = after(drift(1), muted, drift(2), quiet(3))

    assert found.entries[1].state(later(50)) is State.MUTED
    assert list(found.open_events(later(50))) == []
    assert found.ended(later(50)) == frozenset()


def test_after_its_mute_the_next_finding_opens_it_again():
    found = after(drift(1), by_ana(Action.MUTED, until=later(2)))
    again = found.taken(found.look([drift(2)], later(3)))

    assert found.entries[1].state(later(3)) is State.OPEN
    assert actions(again)[-1] == "reopened"


def test_an_assignee_stays_whatever_comes():
    found = after(drift(1), by_ana(Action.ASSIGNED, to="bob"), by_ana(Action.RESOLVED), drift(2))

    assert found.entries[1].assignee == "bob"


def test_a_trouble_that_lasts_does_not_grow_the_file():
    found = Incidents()
    for hour in range(5):
        again = replace(FAILED, id=str(hour), moment=later(hour))
        found = found.taken(found.look(dataset_findings(found, [again], {"loans"}), later(hour)))

    assert actions(found) == ["opened"]


def test_another_error_of_the_same_trouble_is_added():
    found = after(Finding(FAILED.key, FAILED), Finding(FAILED.key, replace(FAILED, code="LST-0101")))

    assert actions(found) == ["opened", "found"]
    assert found.entries[1].newest.code == "LST-0101"


def test_only_a_look_at_the_dataset_resolves_its_trouble_and_none_of_drift():
    found = after(Finding(FAILED.key, FAILED), drift(1))

    assert dataset_findings(found, [], {"customers"}) == ()
    assert dataset_findings(found, [], {"loans"}) == (Finding(FAILED.key, None),)


def test_two_monitors_have_two_incidents():
    other = replace(DRIFT, monitor="other")
    found = after(drift(1), Finding(other.key, other, 1))

    assert [one.opening.monitor for one in found.entries.values()] == ["watch", "other"]


FINDINGS = st.lists(st.booleans(), min_size=1, max_size=30)


@given(found=FINDINGS)
def test_it_is_open_exactly_if_the_last_look_found_it(found):
    incidents = after(*(drift(look) if is_drift else quiet(look) for look, is_drift in enumerate(found)))

    assert [event.kind for event in incidents.open_events(later(99))] == [Kind.DRIFTED] * found[-1]


@given(found=FINDINGS, killed_after=st.integers(0, 30))
def test_taking_all_looks_again_changes_nothing(found, killed_after):
    looks = [drift(look) if is_drift else quiet(look) for look, is_drift in enumerate(found)]
    first = after(*looks[:killed_after])
    at_once = first.taken(first.look(looks, NOW))

    assert at_once.look(looks, NOW) == ()
    assert [c.action for one in at_once.entries.values() for c in one.changes] == [
        c.action for one in after(*looks).entries.values() for c in one.changes
    ]


def test_the_file_gives_the_incidents_back(tmp_path):
    file = IncidentFile(tmp_path / "incidents.jsonl")
    file.change(lambda known: known.look([drift(1)], NOW))
    changed = file.change(
        lambda _known: [by_ana(Action.MUTED, until=later(9)), by_ana(Action.ASSIGNED, to="bo\nb\x1b")]
    )

    assert file.whole() == changed
    assert actions(changed.incidents) == ["opened", "muted", "assigned"]


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"change": None},
        {"change": {"incident": 1}},
        {"change": by_ana(Action.RESOLVED).to_dict()},
        {"change": {**Change(1, Action.OPENED, NOW, event=DRIFT).to_dict(), "action": "burnt"}},
    ],
)
def test_a_record_that_makes_no_sense_is_damage(tmp_path, content):
    path = tmp_path / "incidents.jsonl"
    chain.append(path, [content])
    before = path.read_bytes()

    with pytest.raises(Corrupted):
        IncidentFile(path).change(lambda known: known.look([drift(1)], NOW))
    assert path.read_bytes() == before
