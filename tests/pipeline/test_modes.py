"""Snapshots and histories, by the readings that bring them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.pipeline.feeds import Feed, plan_of, rows_of, target_in

from lastro.model.errors import BreakingChange, ConfigurationError, DataRefused
from lastro.model.merging import Deletes, History
from lastro.model.plan import Duplicates, Operator, TableRule, Threshold
from lastro.model.schema import Primitive
from lastro.model.version import Mode
from lastro.pipeline.ingest import ingest
from lastro.store.table import Table

START = datetime(2026, 1, 1, tzinfo=UTC)
UNGUARDED = Deletes(percent_max=100.0)
P = Primitive


def feed(state: dict[int, int | None], label: str = "feed") -> Feed:
    return Feed([{"id": key, "value": value} for key, value in state.items()], label=label)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(days=1)
        return self.now


def history_in(root, **more):
    target = target_in(root, more.pop("plan", None), **more)
    object.__setattr__(target, "table", Table(root, "loans", clock=Clock()))
    return target


def states(target) -> list[tuple]:
    head = target.table.head()
    rows = pa.table(target.engine.read(target.table.paths(head), head.schema)).to_pylist()
    return sorted((r["id"], r["value"], r["valid_to"] is None, r["is_current"]) for r in rows)


def test_a_snapshot_adds_changes_and_removes_and_says_how_many(tmp_path):
    target = target_in(tmp_path)
    ingest(target, feed({1: 10, 2: 20, 3: 30}), mode=Mode.SNAPSHOT)

    result = ingest(target, feed({1: 10, 2: 21, 4: 40}), mode=Mode.SNAPSHOT)

    assert rows_of(target) == [(1, 10), (2, 21), (4, 40)]
    assert (result.inserted, result.updated, result.deleted, result.equal) == (1, 1, 1, 1)


def test_a_snapshot_without_a_difference_makes_no_version_whatever_the_order(tmp_path):
    target = target_in(tmp_path)
    ingest(target, feed({1: 10, 2: 20}), mode=Mode.SNAPSHOT)

    again = ingest(target, feed({2: 20, 1: 10}), mode=Mode.SNAPSHOT)

    assert (again.unchanged, again.version) == (True, 0)


def test_files_without_a_difference_are_shared_by_versions(tmp_path):
    target = target_in(tmp_path)
    ingest(target, feed({1: 10, 2: 20}), mode=Mode.UPSERT)
    ingest(target, feed({11: 10, 12: 20}), mode=Mode.UPSERT)
    before = {entry.path for entry in target.table.head().files}

    ingest(target, feed({1: 10, 2: 20, 11: 10, 12: 21}), mode=Mode.SNAPSHOT)

    after = {entry.path for entry in target.table.head().files}
    assert len(before & after) == 1


STATE = st.dictionaries(st.integers(0, 6), st.one_of(st.none(), st.integers(0, 2)), max_size=6)


@given(changes=st.lists(STATE, min_size=1, max_size=3))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_snapshot_holds_what_an_overwrite_would(tmp_path_factory, changes):
    first, second = (target_in(tmp_path_factory.mktemp("modes"), deletes=UNGUARDED) for _ in range(2))
    for state in changes:
        ingest(first, feed(state), mode=Mode.SNAPSHOT)
        ingest(second, feed(state), mode=Mode.OVERWRITE)

        assert rows_of(first) == rows_of(second)


def test_a_source_that_is_suddenly_empty_empties_no_table(tmp_path):
    target = target_in(tmp_path)
    ingest(target, feed({key: key for key in range(5)}), mode=Mode.SNAPSHOT)

    with pytest.raises(DataRefused) as caught:
        ingest(target, feed({}), mode=Mode.SNAPSHOT)

    assert "5 of 5" in caught.value.what
    assert "deletes.max" in caught.value.do
    assert len(rows_of(target)) == 5


def test_few_rows_may_vanish_and_many_may_where_it_is_said(tmp_path):
    target = target_in(tmp_path)
    ingest(target, feed({key: key for key in range(30)}), mode=Mode.SNAPSHOT)
    ingest(target, feed({key: key for key in range(20)}), mode=Mode.SNAPSHOT)

    with pytest.raises(DataRefused):
        ingest(target, feed({key: key for key in range(9)}), mode=Mode.SNAPSHOT)
    ingest(target_in(tmp_path, deletes=UNGUARDED), feed({}), mode=Mode.SNAPSHOT)

    assert rows_of(target) == []


def test_a_history_closes_opens_and_reopens(tmp_path):
    target = history_in(tmp_path, deletes=UNGUARDED)
    for state in ({1: 10, 2: 20}, {1: 11, 2: 20}, {1: 11}, {1: 11}, {1: 11, 2: 20}):
        result = ingest(target, feed(state), mode=Mode.SCD2)

    assert states(target) == [
        (1, 10, False, False),
        (1, 11, True, True),
        (2, 20, False, False),
        (2, 20, True, True),
    ]
    assert (result.version, result.inserted, result.equal) == (3, 1, 1)


def test_the_states_of_a_key_never_overlap_and_leave_a_gap_where_it_was_gone(tmp_path):
    target = history_in(tmp_path, deletes=UNGUARDED)
    for state in ({1: 10}, {}, {1: 10}, {1: 12}):
        ingest(target, feed(state), mode=Mode.SCD2)

    head = target.table.head()
    rows = pa.table(target.engine.read(target.table.paths(head), head.schema)).to_pylist()
    spans = sorted((row["valid_from"], row["valid_to"]) for row in rows if row["valid_to"])
    assert spans[0][1] < spans[1][0]
    assert spans[1][1] == next(row["valid_from"] for row in rows if row["is_current"])


def test_a_history_of_changes_closes_nothing_that_is_absent(tmp_path):
    target = history_in(tmp_path, history=History(whole=False))
    ingest(target, feed({1: 10, 2: 20}), mode=Mode.SCD2)
    ingest(target, feed({1: 11}), mode=Mode.SCD2)

    assert states(target) == [(1, 10, False, False), (1, 11, True, True), (2, 20, True, True)]


def test_ignored_columns_make_no_new_state(tmp_path):
    target = history_in(tmp_path, history=History(ignore=("value",)))
    ingest(target, feed({1: 10}), mode=Mode.SCD2)

    again = ingest(target, feed({1: 11}), mode=Mode.SCD2)

    assert again.unchanged
    assert states(target) == [(1, 10, True, True)]


def test_a_table_without_a_history_begins_one(tmp_path):
    target = history_in(tmp_path)
    ingest(target, feed({1: 10, 2: 20}), mode=Mode.UPSERT)
    began = target.table.head().committed

    ingest(target, feed({1: 11, 2: 20}), mode=Mode.SCD2)

    head = target.table.head()
    rows = pa.table(target.engine.read(target.table.paths(head), head.schema)).to_pylist()
    assert states(target) == [(1, 10, False, False), (1, 11, True, True), (2, 20, True, True)]
    assert {row["valid_from"] for row in rows if row["value"] in {10, 20}} == {began}


def test_table_rules_see_the_current_rows_of_a_history(tmp_path):
    rule = TableRule("id.unique", Duplicates(("id",)), Threshold(Operator.MUST_BE, (0.0,)))
    target = history_in(tmp_path, plan=plan_of(table_rules=(rule,)))
    ingest(target, feed({1: 10}), mode=Mode.SCD2)

    result = ingest(target, feed({1: 11}), mode=Mode.SCD2)

    assert result.passed
    assert len(states(target)) == 2


@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.UPSERT, Mode.SNAPSHOT])
def test_a_mode_that_would_break_a_history_is_refused(tmp_path, mode):
    target = history_in(tmp_path)
    ingest(target, feed({1: 10}), mode=Mode.SCD2)

    with pytest.raises(BreakingChange):
        ingest(target, feed({2: 10}), mode=mode)


DATED = {"id": P.LONG, "value": P.LONG, "changed": P.TIMESTAMP}
DATED_ARROW = pa.schema([("id", pa.int64()), ("value", pa.int64()), ("changed", pa.timestamp("us", "UTC"))])


def dated(*rows: tuple[int, int, int]) -> Feed:
    made = [{"id": key, "value": value, "changed": START + timedelta(days=day)} for key, value, day in rows]
    return Feed(made, DATED_ARROW)


def dated_in(root, **more):
    plan = plan_of(DATED)
    object.__setattr__(plan.columns[2], "nullable", False)
    return history_in(root, plan=plan, history=History(effective="changed", **more))


def test_several_changes_of_one_key_in_a_batch_are_all_states(tmp_path):
    target = dated_in(tmp_path, whole=False)

    result = ingest(target, dated((1, 12, 3), (1, 10, 1), (1, 11, 2)), mode=Mode.SCD2)

    assert states(target) == [(1, 10, False, False), (1, 11, False, False), (1, 12, True, True)]
    assert (result.counts.quarantined, result.inserted, result.updated) == (0, 1, 2)


def test_a_late_change_finds_its_place_in_the_history(tmp_path):
    target = dated_in(tmp_path, whole=False)
    ingest(target, dated((1, 10, 1), (1, 30, 9)), mode=Mode.SCD2)

    ingest(target, dated((1, 20, 5)), mode=Mode.SCD2)
    again = ingest(target, dated((1, 20, 5)), mode=Mode.SCD2)

    head = target.table.head()
    rows = pa.table(target.engine.read(target.table.paths(head), head.schema)).to_pylist()
    days = sorted(
        (r["value"], (r["valid_from"] - START).days, r["valid_to"] and (r["valid_to"] - START).days) for r in rows
    )
    assert days == [(10, 1, 5), (20, 5, 9), (30, 9, None)]
    assert again.unchanged


def test_a_key_that_comes_back_with_an_old_moment_begins_now(tmp_path):
    target = dated_in(tmp_path)
    object.__setattr__(target, "deletes", UNGUARDED)
    for rows in (((1, 10, 0), (2, 20, 0)), ((2, 20, 0),), ((1, 10, 0), (2, 20, 0))):
        ingest(target, dated(*rows), mode=Mode.SCD2)

    assert states(target) == [(1, 10, False, False), (1, 10, True, True), (2, 20, True, True)]


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        (Mode.SCD2, {"history": History(start="value")}),
        (Mode.SCD2, {"history": History(start="a", end="a")}),
        (Mode.SCD2, {"history": History(effective="value")}),
        (Mode.SCD2, {"history": History(effective="nothing")}),
        (Mode.SCD2, {"history": History(ignore=("nothing",))}),
        (Mode.APPEND, {"deletes": Deletes(keys=True)}),
        (Mode.APPEND, {"deletes": Deletes(column="value")}),
        (Mode.UPSERT, {"deletes": Deletes(column="nothing")}),
        (Mode.OVERWRITE, {"deletes": Deletes(keys=True)}),
    ],
)
def test_a_promise_that_cannot_be_kept_is_refused_before_anything_is_read(tmp_path, mode, more):
    source = feed({1: 1})

    with pytest.raises(ConfigurationError) as caught:
        ingest(target_in(tmp_path, **more), source, mode=mode)

    assert caught.value.do
    assert source.asked == []


@pytest.mark.parametrize("mode", [Mode.UPSERT, Mode.SNAPSHOT, Mode.SCD2])
def test_a_mode_that_compares_needs_a_key(tmp_path, mode):
    with pytest.raises(ConfigurationError):
        ingest(target_in(tmp_path, plan_of(key=())), feed({1: 1}), mode=mode)
