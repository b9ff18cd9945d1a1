"""Merging against the plainest thing that does the same: dictionaries and lists in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lastro.engine.duck.arrow import to_arrow
from lastro.engine.duck.engine import DuckEngine
from lastro.engine.duck.parquet import Writer
from lastro.engine.protocol import Merged, StagedFile
from lastro.model.merging import History, MergePlan
from lastro.model.schema import Field, Primitive, Schema

P = Primitive
PLAIN = Schema((Field("id", P.LONG), Field("v", P.STRING), Field("dead", P.BOOLEAN)))
KEYED = MergePlan(("id",), ("v", "dead"), gone="dead")
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=30)
HISTORY = History()
EFFECTIVE = History(effective="at")
DATED = Schema((Field("id", P.LONG), Field("v", P.STRING), Field("at", P.TIMESTAMP), Field("dead", P.BOOLEAN)))
Rows = list[dict[str, Any]]
UNHURRIED = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def engine() -> DuckEngine:
    return DuckEngine(memory_mb=200, threads=1)


class Place:
    """A folder that takes a new name for every set of files."""

    def __init__(self, root: Path) -> None:
        self.root, self.count = root, 0

    def folder(self) -> Path:
        self.count += 1
        made = self.root / f"{self.count:05d}"
        made.mkdir()
        return made

    def write(self, rows: Rows, schema: Schema) -> list[StagedFile]:
        with Writer(self.folder(), "rows", schema=to_arrow(schema)) as writer:
            for batch in pa.Table.from_pylist(rows, to_arrow(schema)).to_batches():
                writer.write(batch)
        return writer.files


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def read(engine: DuckEngine, paths: list[Path], schema: Schema) -> Rows:
    return pa.table(engine.read(paths, schema)).to_pylist()


def after(engine: DuckEngine, stored: list[Path], merged: Merged, schema: Schema) -> Rows:
    left = [path for path in stored if path not in merged.touched]
    return read(engine, [*left, *(file.path for file in (*merged.rewritten, *merged.added))], schema)


def accounted(merged: Merged, kept: int) -> bool:
    import pyarrow.parquet as pq

    added = sum(file.rows for file in (*merged.added, *merged.rewritten))
    return merged.changes.account_for(kept, added, sum(pq.read_metadata(path).num_rows for path in merged.touched))


VALUES = st.sampled_from(["a", "b", None])
TABLE = st.dictionaries(st.integers(0, 9), VALUES, max_size=8)
BATCH = st.dictionaries(st.integers(0, 12), st.tuples(VALUES, st.booleans()), max_size=10)


def plain(table: dict[int, Any]) -> Rows:
    return [{"id": key, "v": value, "dead": False} for key, value in table.items()]


@pytest.mark.parametrize("whole", [False, True])
@given(one=TABLE, two=TABLE, batch=BATCH)
@UNHURRIED
def test_an_upsert_or_snapshot_is_that_of_a_dict(tmp_path_factory, engine, whole, one, two, batch):
    place = Place(tmp_path_factory.mktemp("merge"))
    two = {key + 5: value for key, value in two.items() if key + 5 not in one}
    stored = [file.path for rows in (plain(one), plain(two)) for file in place.write(rows, PLAIN)]
    incoming = [{"id": key, "v": value, "dead": dead} for key, (value, dead) in batch.items()]
    before = {**one, **two}

    merged = engine.merge(stored, place.write(incoming, PLAIN), PLAIN, replace(KEYED, whole=whole), place.folder())

    found = after(engine, stored, merged, PLAIN)
    live = {key: value for key, (value, dead) in batch.items() if not dead}
    base = {} if whole else {key: value for key, value in before.items() if key not in batch}
    wanted = {**base, **live}
    assert {row["id"]: row["v"] for row in found} == wanted
    assert len(found) == len(wanted)
    changes = merged.changes
    assert changes.inserted == len(live.keys() - before.keys())
    assert changes.updated == sum(key in before and before[key] != value for key, value in live.items())
    assert changes.unchanged == sum(key in before and before[key] == value for key, value in live.items())
    assert changes.deleted == len(before.keys() - wanted.keys())
    assert accounted(merged, len(batch))
    assert whole is False or merged.held == len(before)


@given(table=TABLE, present=st.sets(st.integers(0, 9)), batch=BATCH)
@UNHURRIED
def test_stored_rows_whose_key_the_source_lacks_go(tmp_path_factory, engine, table, present, batch):
    place = Place(tmp_path_factory.mktemp("merge"))
    stored = [file.path for file in place.write(plain(table), PLAIN)]
    incoming = [{"id": key, "v": value, "dead": dead} for key, (value, dead) in batch.items()]
    only = Schema((Field("id", P.LONG),))
    keys = [file.path for file in place.write([{"id": key} for key in present], only)]

    merged = engine.merge(stored, place.write(incoming, PLAIN), PLAIN, KEYED, place.folder(), present=keys)

    live = {key: value for key, (value, dead) in batch.items() if not dead}
    wanted = {key: value for key, value in table.items() if key in present and key not in batch} | live
    assert {row["id"]: row["v"] for row in after(engine, stored, merged, PLAIN)} == wanted
    assert merged.absent == len(table.keys() - present - batch.keys())
    assert accounted(merged, len(batch))


STATES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 9), VALUES, st.sampled_from([False, False, False, True])),
    max_size=12,
    unique_by=lambda state: state[:2],
)


class Model:
    """The history of one key as a plain list of (from, to, value), told one change at a time.

    A state that is told to have ended earlier, or never to have begun, still says to the batch that tells so when it
    ended (`ends`).
    """

    def __init__(self) -> None:
        self.states: list[list[Any]] = []
        self.ends: list[tuple[int, int]] = []

    def tell(self, at: int, value: Any, dead: bool) -> None:
        here = next((s for s in self.states if s[0] <= at and (s[1] is None or at < s[1])), None)
        later = min((s[0] for s in self.states if s[0] > at), default=None)
        exact = next((s for s in self.states if s[0] == at), None)
        if here is not None and not dead and here[2] == value:
            return
        end = later if here is None else here[1]
        if here is None:
            known = [until for begin, until in self.ends if begin <= at < until]
            end = min((until for until in (end, *known) if until is not None), default=None)
        if dead and here is not None and here[1] is not None:
            self.ends.append((at, here[1]))
        if exact is not None:
            self.states.remove(exact)
        elif here is not None:
            here[1] = at
        if not dead:
            self.states.append([at, end, value])
        self.states.sort(key=lambda state: state[0])


def dated(states: Any) -> Rows:
    return [{"id": k, "v": v, "at": START + timedelta(days=at), "dead": dead} for k, at, v, dead in states]


@example(first=[(0, 0, "a", False), (0, 2, "a", True)], second=[(0, 0, "a", True), (0, 1, "a", False)])
@given(first=STATES, second=STATES)
@UNHURRIED
def test_a_history_by_moments_is_that_of_a_list(tmp_path_factory, engine, first, second):
    place = Place(tmp_path_factory.mktemp("merge"))
    schema = Schema((*DATED.fields, *EFFECTIVE.fields(DATED)))
    plan = MergePlan(("id",), ("v",), gone="dead", history=EFFECTIVE, moment=NOW)
    models = {key: Model() for key in range(3)}
    stored: list[Path] = []
    for states in (first, second):
        for model in models.values():
            model.ends.clear()
        for key, at, value, dead in sorted(states, key=lambda state: state[1]):
            models[key].tell(at, value, dead)

        merged = engine.merge(stored, place.write(dated(states), DATED), schema, plan, place.folder())

        assert accounted(merged, len(states))
        left = [path for path in stored if path not in merged.touched]
        stored = [*left, *(file.path for file in (*merged.rewritten, *merged.added))]
        found = sorted(_told(row) for row in read(engine, stored, schema))
        wanted = sorted(
            (key, start, 99 if end is None else end, value or "", end is None)
            for key, model in models.items()
            for start, end, value in model.states
        )
        assert found == wanted


def _told(row: dict[str, Any]) -> tuple[Any, ...]:
    start, end = (None if at is None else (at - START).days for at in (row["valid_from"], row["valid_to"]))
    return row["id"], start, 99 if end is None else end, row["v"] or "", row["is_current"]
