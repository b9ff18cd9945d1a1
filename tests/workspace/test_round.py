"""One round: every dataset, whatever befalls another; remembered, one at a time."""

import json
import multiprocessing

import pytest
from tests.workspace.lake import BAD, GOOD

import lastro
from lastro.model.errors import Locked, SourceUnreachable, UnknownName
from lastro.model.status import Outcome
from lastro.workspace.last_round import FILE, steps_of
from lastro.workspace.round import LOCK, play


def outcomes(found):
    return {step.dataset: step.outcome.value for step in found.steps}


@pytest.fixture
def two(lake):
    """`loans` reads a file that is there, `gone` one that is not."""
    lake.csv.write_text(GOOD)
    lake.configure(
        extra="  gone:\n    contract: contracts/gone.odcs.yaml\n    source: {kind: files, path: gone.csv}\n"
        "  given:\n    contract: contracts/given.odcs.yaml\n"
    )
    text = (lake.root / "contracts" / "loans.odcs.yaml").read_text()
    for name in ("gone", "given"):
        (lake.root / "contracts" / f"{name}.odcs.yaml").write_text(text.replace("name: loans", f"name: {name}"))
    return lake


def test_a_step_that_fails_stops_no_other(two):
    waited = []
    found = play(two.workspace, (), sleep=waited.append)

    assert outcomes(found) == {"loans": "made", "gone": "failed"}
    assert not found.passed
    assert found.exit_code == 3
    assert found.steps[1].attempts == 3
    assert waited == [2.0, 4.0]


def test_what_would_fail_again_is_not_tried_again(two):
    (two.root / "contracts" / "gone.odcs.yaml").write_text("not: a contract\n")
    waited = []
    found = play(two.workspace, ("gone",), sleep=waited.append)

    assert (found.steps[0].code, found.steps[0].attempts) == ("LST-0204", 1)
    assert waited == []


def test_an_error_that_passes_is_forgotten(two):
    def mend(_seconds):
        (two.root / "gone.csv").write_text(GOOD)

    found = play(two.workspace, ("gone",), sleep=mend)

    assert outcomes(found) == {"gone": "made"}
    assert found.steps[0].attempts == 2


def test_a_second_round_finds_nothing_new(two):
    play(two.workspace, ("loans",))
    found = play(two.workspace, ("loans",))

    assert outcomes(found) == {"loans": "unchanged"}


def test_the_last_step_of_each_dataset_is_remembered(two):
    first = play(two.workspace, (), sleep=lambda _seconds: None)
    play(two.workspace, ("loans",))
    remembered = {step.dataset: step for step in steps_of(two.root)}

    assert remembered["gone"] == first.steps[1]
    assert remembered["loans"].outcome is Outcome.UNCHANGED


def test_rows_set_aside_are_counted(two):
    two.csv.write_text(BAD)
    found = play(two.workspace, ("loans",))

    assert (found.steps[0].kept, found.steps[0].quarantined) == (3, 5)


def test_an_unknown_dataset_is_refused_before_anything_is_done(two):
    with pytest.raises(UnknownName):
        play(two.workspace, ("loans", "lones"))

    assert two.loans.log() == ()


def test_stopping_ends_the_round_before_the_next_step(two):
    found = play(two.workspace, ("loans", "gone"), stopping=lambda: True)

    assert found.steps == ()


def test_a_record_that_cannot_be_read_is_no_round(two):
    for content in (b"", b"{", b"[]", b'{"lastro_round": 9, "steps": []}', b'{"lastro_round": 1, "steps": [{}]}'):
        (two.root / FILE).write_bytes(content)

        assert steps_of(two.root) == ()
    assert play(two.workspace, ("loans",)).passed


def test_no_value_of_a_row_is_remembered(two):
    two.csv.write_text(GOOD.replace("1, sp", "1, canary-4711"))
    play(two.workspace, (), sleep=lambda _seconds: None)

    assert b"canary" not in (two.root / FILE).read_bytes()
    assert json.loads((two.root / FILE).read_bytes())["lastro_round"] == 1


def hold(root, ready, done):
    from lastro.store.lock import held

    with held(root / LOCK, dataset="lastro run", timeout_s=0):
        ready.set()
        done.wait(30)


def test_one_round_at_a_time(two):
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(two.root, ready, done))
    other.start()
    try:
        assert ready.wait(30)
        with pytest.raises(Locked) as caught:
            lastro.open(two.root).round("loans")
    finally:
        done.set()
        other.join(30)

    assert caught.value.exit_code == 3
    assert lastro.open(two.root).round("loans").passed


def test_the_reason_of_a_failure_is_kept(two):
    found = two.workspace.round("gone", retries=0)

    assert found.steps[0].code == SourceUnreachable.code
    assert found.steps[0].do
