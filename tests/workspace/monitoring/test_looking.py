"""Looks: what came is compared with the reference, recorded, and paid for from the month's budget."""

import multiprocessing

import pytest
from tests.workspace.lake import HEADER
from tests.workspace.watched import ROWS, Watched

import lastro
from lastro.catalog.look_files import LookFiles
from lastro.catalog.look_record import Look
from lastro.model import chain
from lastro.model.errors import Corrupted, UnknownName
from lastro.workspace.monitoring.looking import FOLDER, pins


@pytest.fixture
def lake(tmp_path):
    made = Watched(tmp_path / "lake")
    made.watch()
    return made


def compared(look):
    looked = look.looked
    return looked.reference.number, looked.current.number, looked.after.number if looked.after else None


def test_what_came_since_the_last_look_is_compared(lake):
    lake.approved()
    lake.batch(1)
    first = lake.look()
    lake.batch(2)
    lake.batch(3, moved=True)
    second = lake.look()

    assert (compared(first), first.verdict, first.alarm) == ((0, 1, 0), "unsure", False)
    assert (compared(second), second.verdict, second.alarm) == ((0, 3, 1), "drifted", True)
    assert second.rows_current == 2 * ROWS


def test_a_look_records_what_is_needed_to_make_the_comparison_again(lake):
    lake.approved()
    lake.batch(1, moved=True)
    look = lake.look()
    versions = {info.number: info.digest for info in lake.loans.log()}
    again = lake.loans.drift("0", current="1", since="0")
    (worst,) = [column for column in again.worst(9) if column.verdict == "drifted"]

    assert (look.looked.reference.digest, look.looked.current.digest) == (versions[0], versions[1])
    assert look.moment == lake.now
    assert (look.worst[0].name, look.worst[0].fact, look.worst[0].size) == (
        "income",
        "values",
        worst.shifts[0].size.value,
    )
    assert look.worst[0].low < look.worst[0].size < look.worst[0].high
    assert look.command == "lastro drift loans --reference 0 --current 1 --since 0"


@pytest.mark.parametrize(
    "monitor", ["reference: approved, margins: {income: 7%}", "reference: approved, window: 7d, time: applied_at"]
)
def test_a_look_made_again_comes_to_the_same_whatever_was_configured_since(lake, monitor):
    lake.watch(monitor)
    lake.approved()
    lake.batch(1, moved=True)
    look = lake.look()
    lake.watch("reference: latest, margin: 90%, looks: 3")
    lake.batch(2)
    lake.wait(days=40)

    assert lake.open().look_again("drift", look.number) == look
    with pytest.raises(UnknownName):
        lake.open().look_again("drift", 1)


def test_a_monitor_that_is_given_another_dataset_begins_anew(lake):
    extra = "  other:\n    mode: append\n    source: {kind: files, path: 'other*.csv'}\n"
    lake.approved()
    for number in (1, 2):
        lake.batch(number)
    lake.look()
    text = (lake.root / "contracts" / "loans.odcs.yaml").read_text().replace("name: loans", "name: other")
    (lake.root / "contracts" / "other.odcs.yaml").write_text(text)
    lake.configure(mode="append", extra=extra)
    lake.batch(0, ingest=False, name="other0.csv")
    lake.open().dataset("other").ingest()
    with (lake.root / "lastro.yaml").open("a") as out:
        out.write("monitors:\n  drift: {dataset: other, reference: 0}\n")
    (look,) = lake.open().round("other").looks

    assert (look.dataset, look.code, look.number) == ("other", "", 1)
    assert compared(lake.open().looks("drift")[-1]) == (0, 0, None)


def test_a_record_holds_no_value(lake):
    (lake.root / "loans0.csv").write_text(HEADER + "4711,SP,987654.25,2026-01-01\n" * 1)
    lake.open().dataset("loans").ingest()
    lake.loans.tag("approved")
    lake.look()
    text = (lake.root / FOLDER / "drift.jsonl").read_text()

    assert "987654" not in text
    assert "4711" not in text


def test_the_same_comparison_is_not_paid_for_twice(lake):
    lake.approved()
    lake.batch(1, moved=True)
    first, second, third = lake.look(), lake.look(), lake.look()

    assert (second.repeats, third.repeats) == (first.number, first.number)
    assert (second.spent, second.spent_before) == (0, first.spent)
    assert second.alarm


def test_once_the_budget_is_used_up_looks_are_recorded_and_cannot_alarm(lake):
    lake.watch("reference: approved, looks: 2, budget: 4%")
    lake.approved()
    looks = []
    for number in (1, 2, 3):
        lake.batch(number, moved=True)
        looks.append(lake.look())

    assert [(look.alarm, look.quiet) for look in looks] == [(True, False), (True, False), (False, True)]
    assert [look.verdict for look in looks] == ["drifted"] * 3
    assert [look.spent for look in looks] == [0.01, 0.01, 0]
    assert sum(look.spent for look in looks) <= 0.04 / 2
    assert lake.look().quiet


def test_the_next_month_has_a_budget_of_its_own(lake):
    lake.watch("reference: approved, looks: 1")
    lake.approved()
    lake.batch(1, moved=True)
    lake.look()
    lake.batch(2, moved=True)
    spent = lake.look()
    lake.wait(days=22)
    fresh = lake.look()

    assert (spent.quiet, fresh.quiet) == (True, False)
    assert fresh.alarm
    assert fresh.repeats is None


def test_looks_beyond_the_budget_alarm_if_that_is_wanted(lake):
    lake.watch("reference: approved, looks: 1, when_spent: alarm")
    lake.approved()
    for number in (1, 2):
        lake.batch(number, moved=True)
        look = lake.look()

    assert (look.quiet, look.alarm, look.spent) == (True, True, 0)


def test_fewer_looks_in_the_middle_of_a_month_do_not_make_the_budget_larger(lake):
    lake.watch("reference: approved, looks: 4")
    lake.approved()
    for number in (1, 2, 3):
        lake.batch(number)
        lake.look()
    lake.watch("reference: approved, looks: 2")
    lake.batch(4, moved=True)

    assert lake.look().quiet


def test_a_batch_that_replaced_all_rows_is_seen_whole(lake):
    lake.watch(mode="overwrite")
    lake.approved()
    (lake.root / "loans0.csv").unlink()
    lake.batch(1, moved=True)
    look = lake.look()

    assert (compared(look), look.rows_current, look.alarm) == ((0, 1, None), ROWS, True)


def test_a_window_of_time_is_by_a_column(lake):
    lake.watch("reference: approved, window: 7d, time: applied_at")
    lake.approved()
    look = lake.look()

    assert (look.looked.time, look.looked.start.isoformat()) == ("applied_at", "2026-01-03T12:00:00+00:00")
    assert 0 < look.rows_current < ROWS
    assert look.command.endswith("--since 2026-01-03T12:00:00.000000Z --time applied_at")


def test_a_window_may_begin_in_the_first_year(lake):
    lake.watch("reference: approved, since: 0001-01-01, time: applied_at")
    lake.approved()
    look = lake.look()

    assert look.rows_current == ROWS
    assert lake.open().looks("drift") == (look,)


def test_the_reference_may_be_what_a_run_read(lake):
    lake.approved()
    with lake.open().run("train", inputs=["loans@approved"]) as run:
        run.read("loans").to_arrow()
    lake.batch(1, moved=True)
    lake.watch(f"run: {run.id}")

    assert (compared(lake.look()), lake.look().alarm) == ((0, 1, 0), True)


@pytest.mark.parametrize(
    ("monitor", "what"),
    [
        ("reference: aproved", "there is no version loans@aproved"),
        ("reference: approved, margins: {incoem: 1%}", "has no column 'incoem'"),
        ("reference: approved, columns: [incoem]", "has no column 'incoem'"),
        ("reference: approved, window: 7d, time: uf", "uf holds no dates"),
        ("run: 20260101T000000000-00000000", "there is no run"),
    ],
)
def test_a_look_that_fails_is_recorded_once_and_pays_nothing(lake, monitor, what):
    lake.approved()
    lake.watch(monitor)
    first, again = lake.look(), lake.look()

    assert what in first.what
    assert (first.spent, first.alarm, first.verdict, first.exit_code) == (0, False, "", 2)
    assert first.code.startswith("LST-02")
    assert again.number == first.number
    assert len(lake.open().looks("drift")) == 1


def test_without_rows_nothing_can_be_compared(lake):
    assert "there is no version" in lake.look().what


def test_an_unknown_monitor_is_refused_with_the_known_ones(lake):
    with pytest.raises(UnknownName) as caught:
        lake.open().look("dirft")
    assert "drift" in caught.value.do


def test_a_round_looks_once_at_each_new_version(lake):
    lake.approved()
    lake.batch(1, moved=True, ingest=False)
    first, second = lake.open().round(), lake.open().round()

    assert [(look.monitor, look.verdict, look.alarm) for look in first.looks] == [("drift", "drifted", True)]
    assert first.passed
    assert second.looks == ()
    assert second.to_dict()["looks"] == []


def test_a_round_looks_at_a_version_that_a_killed_round_left(lake):
    lake.approved()
    lake.batch(1, moved=True)

    assert [look.alarm for look in lake.open().round().looks] == [True]


def test_a_round_looks_no_more_often_than_is_wanted(lake):
    lake.watch("reference: approved, every: 1d")
    lake.approved()
    looks = []
    for number in (1, 2, 3):
        lake.batch(number, ingest=False)
        looks.append(len(lake.open().round().looks))
        lake.wait(hours=13)

    assert looks == [1, 0, 1]
    assert compared(lake.open().looks("drift")[-1]) == (0, 3, 1)


def test_a_look_that_fails_fails_no_round(lake):
    lake.approved()
    lake.watch("reference: aproved")
    lake.batch(1, ingest=False)
    found = lake.open().round()

    assert (found.passed, found.exit_code) == (True, 0)
    assert "aproved" in found.looks[0].what
    assert found.looks[0].code == "LST-0202"


def test_a_damaged_record_fails_no_round_and_loses_nothing(lake):
    lake.approved()
    lake.look()
    path = lake.root / FOLDER / "drift.jsonl"
    path.write_bytes(damaged := path.read_bytes().replace(b'"drift"', b'"dRift"'))
    lake.batch(1, ingest=False)
    found = lake.open().round()

    assert found.passed
    assert found.looks[0].code == "LST-0404"
    assert path.read_bytes() == damaged
    with pytest.raises(Corrupted):
        lake.look()
    with pytest.raises(Corrupted):
        lake.open().gc()


def test_a_record_with_a_field_of_another_type_is_damage(lake):
    files = LookFiles(lake.root / FOLDER)
    look = Look("drift", "loans", lake.now)
    files.append(look)

    assert files.read("drift") == (look,)
    chain.append(lake.root / FOLDER / "drift.jsonl", [{**look.to_dict(), "columns": "many"}])
    with pytest.raises(Corrupted) as caught:
        files.read("drift")
    assert caught.value.where.endswith("drift.jsonl:2")


def test_what_a_monitor_needs_is_not_collected(lake):
    lake.watch("reference: 0", mode="overwrite")
    lake.batch(0)
    for number in (1, 2, 3):
        lake.batch(number)
        if number == 2:
            lake.look()
    lake.batch(4)

    assert pins(lake.open()) == {"loans": {0, 2}}


def look_from_another_process(root, barrier, results):
    barrier.wait(60)
    look = lastro.open(root).look("drift")
    results.put((look.number, look.repeats))


def test_two_processes_look_one_after_the_other(lake):
    lake.approved()
    lake.batch(1, moved=True)
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    others = [context.Process(target=look_from_another_process, args=(lake.root, barrier, results)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join(120)

    assert sorted(results.get(timeout=10) for _ in others) == [(0, None), (1, 0)]
    looks = lastro.open(lake.root).looks("drift")
    assert [look.spent > 0 for look in looks] == [True, False]
