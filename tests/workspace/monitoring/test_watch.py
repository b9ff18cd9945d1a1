"""From a round to those who are told: once when it begins, once when it ends, again if it could not be delivered."""

import pytest
from tests.workspace.lake import BAD, GOOD

import lastro
from lastro.model.errors import ConfigurationError, SourceUnreachable
from lastro.workspace.monitoring.watch import FILE, watch

ALERTS = "alerts:\n  - {webhook: 'https://hooks.example.com/x', name: chat}\n"


class Told:
    """A sender that keeps what it sent, or fails while it is down."""

    def __init__(self):
        self.said, self.down = [], False

    def __call__(self, target, event, source):
        if self.down:
            raise SourceUnreachable("no answer")
        self.said.append((target.name, event.kind.value, event.dataset, event.resolved))


def round_and_watch(lake, send):
    workspace = lastro.open(lake.root)
    workspace.round(retries=0)
    return watch(workspace, workspace.status(), send=send)


@pytest.fixture
def told(lake):
    lake.csv.write_text(GOOD)
    lake.configure(extra=ALERTS)
    return Told()


def test_a_failure_is_told_once_and_so_is_its_end(lake, told):
    lake.csv.unlink()
    for _round in range(3):
        round_and_watch(lake, told)
    lake.csv.write_text(GOOD)
    for _round in range(3):
        round_and_watch(lake, told)

    assert told.said == [("chat", "failed", "loans", False), ("chat", "failed", "loans", True)]


def test_open_rows_are_told(lake, told):
    lake.csv.write_text(BAD)
    round_and_watch(lake, told)

    assert told.said == [("chat", "quarantined", "loans", False)]


def test_what_could_not_be_delivered_is_noted_and_tried_again(lake, told):
    lake.csv.unlink()
    told.down = True
    notes = round_and_watch(lake, told)
    told.down = False
    again = round_and_watch(lake, told)

    assert notes == ("chat could not be told: no answer",)
    assert again == ()
    assert told.said == [("chat", "failed", "loans", False)]


def test_where_all_is_well_nothing_is_said_or_written(lake, told):
    round_and_watch(lake, told)

    assert told.said == []
    assert not (lake.root / FILE).exists()


def test_without_targets_nothing_happens(lake, told):
    lake.configure()
    lake.csv.unlink()

    assert round_and_watch(lake, told) == ()
    assert not (lake.root / FILE).exists()


def test_a_wrong_target_is_a_configuration_error(lake, told):
    lake.configure(extra="alerts:\n  - {webhook: 'ftp://x'}\n")
    workspace = lastro.open(lake.root)

    with pytest.raises(ConfigurationError):
        watch(workspace, workspace.status(), send=told)


@pytest.mark.parametrize("text", ["alerts: 7\n", "alerts:\n  - text\n", "alerts: {webhook: x}\n"])
def test_alerts_are_a_list_of_targets(lake, text):
    lake.configure()
    (lake.root / "lastro.yaml").write_text((lake.root / "lastro.yaml").read_text() + text)

    with pytest.raises(ConfigurationError) as caught:
        lastro.open(lake.root)
    assert "lastro.yaml:" in caught.value.where


def test_what_is_told_holds_no_value_of_a_row(lake, told):
    lake.csv.write_text(BAD.replace("XX", "canary"))
    events = []
    workspace = lastro.open(lake.root)
    workspace.round(retries=0)
    watch(workspace, workspace.status(), send=lambda _target, event, _source: events.append(event))

    assert events
    assert "canary" not in str([event.to_dict() for event in events]) + (lake.root / FILE).read_text()
