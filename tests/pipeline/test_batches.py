"""Long readings: one commit for each batch, each with its own cursor, and no row twice however they are cut short."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest
from tests.pipeline.feeds import Feed, plan_of, rows_of, target_in

from lastro.engine.scan import StreamScan
from lastro.model.errors import DataRefused, SourceBroken
from lastro.model.finding import Policy
from lastro.model.plan import RowRule, Within
from lastro.model.version import Mode
from lastro.pipeline.ingest import ingest
from lastro.pipeline.quarantine import Quarantine
from lastro.source.protocol import Cursor, Opened, Unchanged


@dataclass(slots=True)
class Queue:
    """Rows that are read a few at a time; the cursor is how many were read."""

    rows: list[tuple[int, int]]
    step: int = 2
    fails_at: int | None = None
    kind: str = "queue"
    label: str = "queue"
    opened: list[int] = field(default_factory=list)

    @contextmanager
    def open(self, cursor: Cursor | None, mode: Mode) -> Iterator[Opened | Unchanged]:
        done = 0 if cursor is None or mode is Mode.OVERWRITE else int(cursor["done"])
        self.opened.append(done)
        if done >= len(self.rows) and cursor is not None:
            yield Unchanged()
            return
        if self.fails_at is not None and done >= self.fails_at:
            raise ConnectionAbortedError("killed")
        until = len(self.rows) if mode is Mode.OVERWRITE else min(len(self.rows), done + self.step)
        part = self.rows[done:until]
        table = pa.table({"id": pa.array([k for k, _ in part], pa.int64()), "value": pa.array([v for _, v in part])})
        more = until < len(self.rows)
        yield Opened(StreamScan(table, self.label), lambda: {"done": until}, self.label, more=lambda: more)


ROWS = [(number, number * 10) for number in range(7)]


def test_a_long_reading_commits_in_batches_and_its_result_sums_them_up(tmp_path):
    target, told, seen = target_in(tmp_path), [], []

    result = ingest(target, Queue(ROWS), mode=Mode.APPEND, on_commit=seen.append, progress=told.append)

    assert rows_of(target) == ROWS
    assert result.versions == (0, 1, 2, 3)
    assert (result.counts.read, result.counts.kept, result.inserted) == (7, 7, 7)
    assert [info.number for info in seen] == [0, 1, 2, 3]
    assert [info.origin.cursor["queue"]["done"] for info in seen] == [2, 4, 6, 7]
    assert [info.origin.more for info in seen] == [True, True, True, False]
    assert told == sorted(told, key=lambda progress: (progress.rows, progress.bytes))


def test_a_reading_that_was_cut_short_goes_on_from_the_last_commit(tmp_path):
    target, source = target_in(tmp_path), Queue(ROWS, fails_at=4)

    with pytest.raises(ConnectionAbortedError):
        ingest(target, source, mode=Mode.APPEND)
    source.fails_at = None
    result = ingest(target, source, mode=Mode.APPEND)

    assert rows_of(target) == ROWS
    assert result.versions == (2, 3)
    assert source.opened == [0, 2, 4, 4, 6]


def test_asked_again_under_the_same_key_the_first_result_is_the_answer(tmp_path):
    target, source = target_in(tmp_path), Queue(ROWS)
    first = ingest(target, source, mode=Mode.APPEND, key="night")
    source.rows = [*ROWS, (99, 99)]

    again = ingest(target, source, mode=Mode.APPEND, key="night")

    assert (again.unchanged, again.version, again.versions) == (True, first.version, first.versions)
    assert again.counts == first.counts
    assert rows_of(target) == ROWS


def test_a_key_whose_attempt_was_cut_short_ends_what_it_began(tmp_path):
    target, source = target_in(tmp_path), Queue(ROWS, fails_at=4)
    with pytest.raises(ConnectionAbortedError):
        ingest(target, source, mode=Mode.APPEND, key="night")
    source.fails_at = None

    result = ingest(target, source, mode=Mode.APPEND, key="night")

    assert rows_of(target) == ROWS
    assert result.versions == (0, 1, 2, 3)
    assert result.counts.read == 7


def test_rows_set_aside_in_each_batch_are_open_once(tmp_path):
    rule = RowRule("value.range", Within("value", minimum="0"), Policy.QUARANTINE, column="value")
    target = target_in(tmp_path, plan_of(row_rules=(rule,)))

    result = ingest(target, Queue([(1, 1), (2, -1), (3, 3), (4, -1)]), mode=Mode.APPEND)

    assert (result.counts.kept, result.counts.quarantined, result.refused["value.range"]) == (2, 2, 2)
    assert len(Quarantine(target).rows()) == 2
    assert [len(Quarantine(target).rows(version=number)) for number in result.versions] == [1, 1]


def test_a_refused_batch_leaves_those_before_it_and_says_so(tmp_path):
    rule = RowRule("value.range", Within("value", minimum="0"), Policy.FAIL, column="value")
    target = target_in(tmp_path, plan_of(row_rules=(rule,)))

    with pytest.raises(DataRefused) as caught:
        ingest(target, Queue([(1, 1), (2, 2), (3, -3), (4, 4)]), mode=Mode.APPEND)

    assert rows_of(target) == [(1, 1), (2, 2)]
    assert "1 batch is committed" in caught.value.state


def test_an_upsert_in_batches_moves_on_where_nothing_differs(tmp_path):
    target = target_in(tmp_path)
    ingest(target, Queue(ROWS), mode=Mode.OVERWRITE)
    source = Queue(ROWS)
    target = target_in(tmp_path, plan_of(row_rules=()))
    object.__setattr__(target.plan, "contract_digest", "sha256:another")

    result = ingest(target, source, mode=Mode.UPSERT)
    again = ingest(target, source, mode=Mode.UPSERT)

    assert rows_of(target) == ROWS
    assert (result.equal, result.inserted, result.updated) == (7, 0, 0)
    assert again.unchanged
    assert source.opened[-1] == 7


def test_everything_that_was_asked_for_is_never_split(tmp_path):
    target, source = target_in(tmp_path), Feed([{"id": 1, "value": 1}], more=lambda: True)

    with pytest.raises(SourceBroken):
        ingest(target, source, mode=Mode.OVERWRITE)

    assert not target.table.exists


def test_a_source_that_says_more_and_does_not_move_is_stopped(tmp_path):
    target, source = target_in(tmp_path), Feed([{"id": 1, "value": 1}], more=lambda: True)

    with pytest.raises(SourceBroken):
        ingest(target, source, mode=Mode.UPSERT)

    assert [info.number for info in target.table.history()] == [0]


def test_an_append_that_brings_nothing_and_moves_nothing_makes_no_version(tmp_path):
    target, source = target_in(tmp_path), Feed([])
    ingest(target, source, mode=Mode.APPEND)

    again: Any = ingest(target, source, mode=Mode.APPEND)

    assert (again.unchanged, again.version) == (True, 0)
