"""Rows that are gone at the source: by a column that says so, and by the keys it still lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from tests.pipeline.feeds import Feed, plan_of, rows_of, target_in

from lastro.model.errors import ConfigurationError, DataRefused
from lastro.model.merging import Deletes, History
from lastro.model.schema import Primitive
from lastro.model.version import Mode
from lastro.pipeline.ingest import ingest
from lastro.source.protocol import Unchanged

P = Primitive
KINDS: dict[P, tuple[Any, list[Any], list[Any]]] = {
    P.BOOLEAN: (pa.bool_(), [True], [False, None]),
    P.LONG: (pa.int64(), [1, -1], [0, None]),
    P.TIMESTAMP: (pa.timestamp("us", "UTC"), [datetime(2026, 1, 1, tzinfo=UTC)], [None]),
}


def flagged(kind: P, rows: Sequence[tuple[int, Any]]) -> Feed:
    schema = pa.schema([("id", pa.int64()), ("gone", KINDS[kind][0])])
    return Feed([{"id": key, "gone": gone} for key, gone in rows], schema)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", [Mode.UPSERT, Mode.SNAPSHOT, Mode.OVERWRITE])
def test_a_column_that_says_so_removes_the_row(tmp_path, kind, mode):
    target = target_in(tmp_path, plan_of({"id": P.LONG, "gone": kind}), deletes=Deletes(column="gone"))
    yes, no = KINDS[kind][1:]
    keys = range(len(yes) + len(no))
    ingest(target, flagged(kind, [(key, no[-1]) for key in keys]), mode=mode)

    result = ingest(target, flagged(kind, list(zip(keys, [*yes, *no], strict=True))), mode=mode)

    assert [row[0] for row in rows_of(target)] == list(keys)[len(yes) :]
    assert (result.counts.read, result.counts.quarantined) == (len(keys), 0)


def test_a_deleted_row_never_joins(tmp_path):
    target = target_in(tmp_path, plan_of({"id": P.LONG, "gone": P.BOOLEAN}), deletes=Deletes(column="gone"))

    result = ingest(target, flagged(P.BOOLEAN, [(1, True), (2, False)]), mode=Mode.UPSERT)

    assert [row[0] for row in rows_of(target)] == [2]
    assert (result.inserted, result.deleted) == (1, 0)


def test_a_text_is_no_truth_value(tmp_path):
    target = target_in(tmp_path, plan_of({"id": P.LONG, "gone": P.STRING}), deletes=Deletes(column="gone"))

    with pytest.raises(ConfigurationError, match="string"):
        ingest(target, flagged(P.BOOLEAN, [(1, True)]), mode=Mode.UPSERT)


def test_a_history_ends_what_a_column_says_is_gone(tmp_path):
    plan = plan_of({"id": P.LONG, "gone": P.BOOLEAN})
    target = target_in(tmp_path, plan, deletes=Deletes(column="gone"), history=History(whole=False))
    ingest(target, flagged(P.BOOLEAN, [(1, False), (2, False)]), mode=Mode.SCD2)

    result = ingest(target, flagged(P.BOOLEAN, [(1, True)]), mode=Mode.SCD2)
    again = ingest(target, flagged(P.BOOLEAN, [(1, True)]), mode=Mode.SCD2)

    assert sorted((row[0], row[4]) for row in rows_of(target)) == [(1, False), (2, True)]
    assert (result.deleted, again.unchanged) == (1, True)


@dataclass(slots=True)
class Keyed:
    """A source that gives what changed, and lists its keys."""

    changed: dict[int, int]
    held: Sequence[object]
    quiet: bool = False
    kind: str = "keyed"
    label: str = "keyed"

    @contextmanager
    def open(self, cursor: Any, mode: Mode) -> Iterator[Any]:
        def keys(names: Sequence[str]) -> pa.Table:
            assert list(names) == ["id"]
            return pa.table({"id": pa.array([None if key is None else str(key) for key in self.held], pa.string())})

        if self.quiet and cursor is not None:
            yield Unchanged(keys=keys)
            return
        feed = Feed([{"id": key, "value": value} for key, value in self.changed.items()], label=self.label, keys=keys)
        with feed.open(cursor, mode) as opened:
            yield opened


KEYS = Deletes(keys=True)


def test_rows_whose_key_the_source_no_longer_lists_go(tmp_path):
    target = target_in(tmp_path, deletes=KEYS)
    ingest(target, Keyed({1: 10, 2: 20, 3: 30}, [1, 2, 3]), mode=Mode.UPSERT)

    result = ingest(target, Keyed({2: 21}, ["2", 3, None, "broken", 99]), mode=Mode.UPSERT)

    assert rows_of(target) == [(2, 21), (3, 30)]
    assert (result.updated, result.deleted) == (1, 1)


def test_keys_are_compared_where_the_cursor_saw_nothing(tmp_path):
    target = target_in(tmp_path, deletes=KEYS)
    ingest(target, Keyed({1: 10, 2: 20, 3: 30}, [1, 2, 3]), mode=Mode.UPSERT)

    same = ingest(target, Keyed({}, [1, 2, 3], quiet=True), mode=Mode.UPSERT)
    fewer = ingest(target, Keyed({}, [1, 2], quiet=True), mode=Mode.UPSERT)

    assert same.unchanged
    assert (fewer.version, fewer.deleted) == (1, 1)
    assert rows_of(target) == [(1, 10), (2, 20)]
    assert target.table.head().origin.cursor == target.table.version(0).origin.cursor


def test_a_history_ends_rows_whose_key_is_gone(tmp_path):
    target = target_in(tmp_path, deletes=KEYS, history=History(whole=False))
    ingest(target, Keyed({1: 10, 2: 20}, [1, 2]), mode=Mode.SCD2)

    ingest(target, Keyed({}, [2]), mode=Mode.SCD2)

    assert sorted((row[0], row[4]) for row in rows_of(target)) == [(1, False), (2, True)]


def test_a_source_that_lists_no_keys_is_refused_at_once(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot list the keys"):
        ingest(target_in(tmp_path, deletes=KEYS), Feed([{"id": 1, "value": 1}]), mode=Mode.UPSERT)

    assert not (tmp_path / "tables" / "loans" / "_delta_log").exists()


def test_a_source_that_lists_too_few_keys_is_refused(tmp_path):
    target = target_in(tmp_path, deletes=Deletes(keys=True, percent_max=40.0))
    ingest(target, Keyed({1: 10, 2: 20}, [1, 2]), mode=Mode.UPSERT)

    with pytest.raises(DataRefused, match=r"50\.0 %"):
        ingest(target, Keyed({}, [1]), mode=Mode.UPSERT)
