"""Rows set aside that come again: closed by the very commit that brings them, and counted once."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from tests.pipeline.feeds import Feed, plan_of, rows_of, target_in

from lastro.model.finding import Policy
from lastro.model.merging import Deletes, History
from lastro.model.plan import CastHolds, ColumnPlan, NotNull, Plan, RowRule, Within
from lastro.model.schema import Primitive as P
from lastro.model.version import Mode
from lastro.pipeline import aside
from lastro.pipeline.ingest import ingest
from lastro.pipeline.quarantine import Quarantine
from lastro.store import writer
from lastro.store.check import verify

RULE = RowRule("value.range", Within("value", minimum="0"), Policy.QUARANTINE, column="value")
TEXTS = pa.schema([("id", pa.string()), ("value", pa.string())])


def feed(rows: dict[int | None, int]) -> Feed:
    return Feed([{"id": key, "value": value} for key, value in rows.items()])


def upserted(root, **more):
    return target_in(root, plan_of(row_rules=(RULE,)), **more)


def take(target, *batches: dict, mode: Mode = Mode.UPSERT):
    return [ingest(target, feed(rows), mode=mode) for rows in batches]


def standing(target) -> list[tuple[str | None, str]]:
    records = [json.loads(row["record"]) for row in Quarantine(target).rows()]
    return sorted((record["id"], record["value"]) for record in records)


def test_a_row_that_is_read_again_and_again_is_open_once(tmp_path):
    target = upserted(tmp_path)

    take(target, {1: 10, 2: -1}, {1: 11, 2: -1}, {1: 12, 2: -1})

    assert standing(target) == [("2", "-1")]
    assert Quarantine(target).count() == 1
    assert dict(Quarantine(target).summary()) == {"value.range": 1}


def test_the_newest_state_of_a_refused_row_is_the_open_one(tmp_path):
    target = upserted(tmp_path)

    take(target, {1: 10, 2: -1, 3: -3}, {2: -2})

    assert standing(target) == [("2", "-2"), ("3", "-3")]


def test_a_row_that_comes_again_and_is_kept_is_closed(tmp_path):
    target = upserted(tmp_path)

    take(target, {1: 10, 2: -1, 3: -3}, {2: 20})

    assert standing(target) == [("3", "-3")]
    assert rows_of(target) == [(1, 10), (2, 20)]


def test_a_row_that_comes_again_as_it_is_stored_is_closed_too(tmp_path):
    target = upserted(tmp_path)

    *_before, last = take(target, {2: 20}, {2: -1}, {2: 20})
    again = take(target, {2: 20})[0]

    assert standing(target) == []
    assert (last.unchanged, last.equal, again.unchanged) == (False, 1, True)


def test_a_commit_accounts_for_its_own_rows_alone(tmp_path):
    target = upserted(tmp_path)

    results = take(target, {1: 10, 2: -1}, {1: 11, 2: -1})

    assert [(r.counts.read, r.counts.kept, r.counts.quarantined) for r in results] == [(2, 1, 1), (2, 1, 1)]
    assert [*verify(target.table, read_data=True), *verify(target.quarantine, read_data=True)] == []


@pytest.mark.parametrize("mode", [Mode.OVERWRITE, Mode.SNAPSHOT])
def test_what_replaces_everything_leaves_what_was_open_behind(tmp_path, mode):
    target = upserted(tmp_path, deletes=Deletes(percent_max=100.0))

    take(target, {1: 10, 2: -1, 3: -1}, {1: 11, 2: -1}, mode=mode)

    assert standing(target) == [("2", "-1")]


def test_rows_that_are_appended_are_never_the_same(tmp_path):
    target = target_in(tmp_path, plan_of(row_rules=(RULE,)))

    take(target, {1: 10, 2: -1}, {3: 11, 2: -1}, mode=Mode.APPEND)

    assert standing(target) == [("2", "-1"), ("2", "-1")]


def test_a_row_without_a_key_is_known_by_its_record(tmp_path):
    required = RowRule("id.required", NotNull("id"), Policy.QUARANTINE, column="id")
    target = target_in(tmp_path, plan_of(row_rules=(required, RULE)))

    take(target, {1: 10, None: 7}, {1: 11, None: 7}, {1: 12, None: 8})

    assert standing(target) == [(None, "7"), (None, "8")]


def test_keys_meet_through_the_contracts_casts_and_cleaning(tmp_path):
    columns = (
        ColumnPlan("id", "Code", P.LONG, expression="replace(\"Code\", 'n', '')", nullable=False),
        ColumnPlan("day", "day", P.DATE, format="%d/%m/%Y", nullable=False),
        ColumnPlan("value", "value", P.LONG),
    )
    rules = (RowRule("value.type", CastHolds("value"), Policy.QUARANTINE, column="value"),)
    target = target_in(tmp_path, Plan("loans", "sha256:c", columns, row_rules=rules, primary_key=("id", "day")))
    schema = pa.schema([("Code", pa.string()), ("day", pa.string()), ("value", pa.string())])
    for rows in (
        [("n1", "01/02/2026", "x"), ("n1", "02/02/2026", "x"), ("n2", "01/02/2026", "x")],
        [("01", "1/2/2026", "5"), ("n2", "01/02/2026", "y")],
    ):
        source = Feed([dict(zip(schema.names, row, strict=True)) for row in rows], schema)
        ingest(target, source, mode=Mode.UPSERT)

    found = sorted(tuple(json.loads(row["record"]).values()) for row in Quarantine(target).rows())
    assert found == [("n1", "02/02/2026", "x"), ("n2", "01/02/2026", "y")]


def test_a_repeated_key_is_closed_when_it_comes_again(tmp_path):
    target = upserted(tmp_path)
    ingest(target, Feed([{"id": 1, "value": 1}, {"id": 1, "value": 2}]), mode=Mode.UPSERT)
    before = Quarantine(target).rows()

    take(target, {1: 3})

    assert [row["form"] for row in before] == ["clean"]
    assert Quarantine(target).rows() == []


def test_a_state_of_a_history_is_closed_by_the_same_moment_only(tmp_path):
    plan = plan_of({"id": P.LONG, "value": P.LONG, "changed": P.TIMESTAMP}, row_rules=(RULE,))
    object.__setattr__(plan.columns[2], "nullable", False)
    target = target_in(tmp_path, plan, history=History(effective="changed", whole=False))
    schema = pa.schema([("id", pa.int64()), ("value", pa.int64()), ("changed", pa.timestamp("us", "UTC"))])

    def of(*rows):
        made = [{"id": 1, "value": value, "changed": datetime(2026, 1, day, tzinfo=UTC)} for value, day in rows]
        return Feed(made, schema)

    ingest(target, of((-1, 1), (-2, 2)), mode=Mode.SCD2)

    ingest(target, of((20, 2), (30, 3)), mode=Mode.SCD2)

    assert [json.loads(row["record"])["value"] for row in Quarantine(target).rows()] == ["-1"]


def test_a_version_that_is_restored_opens_again_what_was_closed_after_it(tmp_path):
    from lastro.model.version import Origin

    target = upserted(tmp_path)
    take(target, {1: 10, 2: -1}, {2: 20})
    closed = standing(target)

    with target.table.lock() as held:
        held.restore(target.table.version(0), Origin(Mode.RESTORE, "back", source="loans@0"))

    assert closed == []
    assert standing(target) == [("2", "-1")]


def test_who_dies_between_the_two_commits_has_closed_nothing(tmp_path, monkeypatch):
    target = upserted(tmp_path)
    take(target, {1: 10, 2: -1, 3: -1})
    commit = writer.Writer.commit

    def dying(self, change):
        if self._table.dataset == "loans":
            raise KeyboardInterrupt
        return commit(self, change)

    with monkeypatch.context() as patched:
        patched.setattr(writer.Writer, "commit", dying)
        with pytest.raises(KeyboardInterrupt):
            ingest(target, feed({2: 20, 3: -2}), mode=Mode.UPSERT, key="nightly")
    between = standing(target)

    ingest(target, feed({2: 20, 3: -2}), mode=Mode.UPSERT, key="nightly")

    assert between == [("2", "-1"), ("3", "-1")]
    assert standing(target) == [("3", "-2")]


def test_marks_and_the_rows_in_their_place_are_one_commit(tmp_path, monkeypatch):
    target = upserted(tmp_path)
    take(target, {1: 10, 2: -1})
    given = []
    set_aside = aside.set_aside

    def seen(target, staged, origin, *, marks=()):
        before = target.quarantine.head().number
        set_aside(target, staged, origin, marks=marks)
        given.append(target.quarantine.head().number - before)

    monkeypatch.setattr("lastro.pipeline.ingest.set_aside", seen)

    take(target, {2: -2})

    assert given == [1]
    assert {entry.rows for entry in target.quarantine.head().files} == {1}
    assert len(target.quarantine.head().files) == 3


def test_rows_from_before_there_were_offsets_are_met_too(tmp_path):
    import pyarrow.parquet as pq

    from lastro.engine.duck.engine import DuckEngine
    from lastro.engine.protocol import Staged, StagedFile
    from lastro.model.version import RowCounts

    old, kept = tmp_path / "old.parquet", tmp_path / "kept.parquet"
    columns = {"batch": ["a", "a"], "rules": [["r"], ["r"]], "source": ["s", "s"], "position": [1, 2]}
    pq.write_table(pa.table({**columns, "form": ["raw", "raw"], "record": ['{"id": "1"}', '{"id": "2"}']}), old)
    pq.write_table(pa.table({"id": [2], "value": [5]}), kept)
    staged = Staged((StagedFile(kept, 1),), (), RowCounts(1, 1, 0), {})

    engine = DuckEngine(memory_mb=200, threads=1)
    (made,) = engine.again([old], {"a"}, staged, plan_of(), tmp_path, batch="b")
    rows = pa.table(engine.open_rows([old, made.path], {"a", "b"}, columns=("position", "offset"))).to_pylist()

    assert rows == [{"position": 1, "offset": None}]
