"""Cursor columns on SQLite, the one code for all databases but PostgreSQL: batches, passes that were cut, counting."""

import sqlite3

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastro.model.errors import ConfigurationError, SourceBroken
from lastro.model.reconciliation import Reconciliation
from lastro.model.version import Mode
from lastro.source import create
from lastro.source.protocol import Unchanged
from lastro.source.sqlite.survey import CellTally


class Place:
    """A SQLite file with one table, and a pipeline that commits what it read."""

    def __init__(self, base, **options):
        self.base, self.options = base, options
        self.connection = sqlite3.connect(base / "core.db", isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, seen)")
        self.cursor = None

    def insert(self, *seen):
        self.connection.executemany("INSERT INTO t (seen) VALUES (?)", [(value,) for value in seen])

    def read(self, mode, **options):
        """The ids of one reading, whether there is more; None if nothing changed."""
        given = {"kind": "sqlite", "path": "core.db", "table": "t", "cursor": "seen", **self.options, **options}
        with create(given, base=self.base).open(self.cursor, mode) as opened:
            if isinstance(opened, Unchanged):
                return None
            ids = [int(cell) for cell in pa.table(opened.scan.stream)["id"].to_pylist()]
            self.cursor = opened.watermark()
            assert opened.reconciliation().differences() == ()
            return ids, opened.more()

    def read_on(self, mode, between=lambda: None, **options):
        """All readings until there is no more."""
        readings = []
        while (found := self.read(mode, **options)) is not None:
            readings.append(found[0])
            if not found[1]:
                break
            between()
        return readings


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path, batch_rows=3)
    yield made
    made.connection.close()


def test_append_stops_between_two_values_and_goes_on(place):
    place.insert(1, 2, 3, 3, 3, 4, 5)

    assert place.read(Mode.APPEND) == ([1, 2, 3, 4, 5], True)
    assert place.read(Mode.APPEND) == ([6, 7], False)
    assert place.read(Mode.APPEND) is None


def test_a_batch_that_ends_exactly_at_the_end_has_no_more(place):
    place.insert(1, 2, 3)

    assert place.read(Mode.APPEND) == ([1, 2, 3], False)


@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.UPSERT])
def test_equal_values_are_read_together_however_many(place, mode):
    place.insert(*[7] * 10_000, 8)

    ids, more = place.read(mode)

    assert len(ids) == 10_000
    assert more


def test_overwrite_never_stops_early(place):
    place.insert(*range(20))

    ids, more = place.read(Mode.OVERWRITE)

    assert (len(ids), more) == (20, False)


def test_an_unfinished_upsert_keeps_where_its_pass_began(place):
    place.insert(1, 2)
    place.read(Mode.UPSERT)
    begun = place.cursor
    place.insert(None, 3, 4, 5, 6, 7)

    assert place.read(Mode.UPSERT) == ([3, 2, 4, 5], True)
    assert (place.cursor["last"], place.cursor["resume"], place.cursor["tail"]) == (2, 4, begun["tail"])
    assert place.read(Mode.UPSERT) == ([6, 7, 8], False)
    assert (place.cursor["last"], place.cursor.get("resume")) == (7, None)


def test_an_upsert_does_not_stop_within_the_lag_of_the_newest(place):
    place.insert(1, 2, 10, 11, 12, 13, 14)

    ids, more = place.read(Mode.UPSERT, lag=5)

    assert (len(ids), more) == (7, False)


def test_append_after_an_unfinished_upsert_reads_nothing_twice(place):
    place.insert(*range(1, 8))
    place.read(Mode.UPSERT)

    assert place.read(Mode.APPEND) == ([4, 5, 6], True)


def test_a_file_nobody_wrote_to_is_not_unchanged_while_a_pass_is_unfinished(tmp_path):
    place = Place(tmp_path, batch_rows=3)
    place.insert(*range(1, 8))
    place.connection.close()

    readings = place.read_on(Mode.APPEND)

    assert readings == [[1, 2, 3], [4, 5, 6], [7]]


values = st.integers(0, 6) | st.sampled_from([2.5, 10**12])


@settings(max_examples=60, deadline=None)
@given(first=st.lists(values, max_size=25), later=st.integers(0, 6), size=st.integers(1, 9))
def test_append_reads_each_row_once_whatever_comes_between(tmp_path_factory, first, later, size):
    place = Place(tmp_path_factory.mktemp("db"), batch_rows=size)
    place.insert(*first)
    coming = iter(range(later))

    def grow():
        for number in [next(coming, None)]:
            if number is not None:
                place.insert(10**13 + number // 2)

    readings = place.read_on(Mode.APPEND, grow)

    read = [row for reading in readings for row in reading]
    there = [row for (row,) in place.connection.execute("SELECT id FROM t")]
    place.connection.close()
    assert sorted(read) == there


@settings(max_examples=60, deadline=None)
@given(
    first=st.lists(st.none() | st.integers(0, 6), max_size=25),
    touched=st.lists(st.tuples(st.integers(1, 25), st.integers(1, 5)), max_size=8),
    size=st.integers(1, 9),
)
def test_upsert_sees_every_last_state_whatever_is_changed_between(tmp_path_factory, first, touched, size):
    place = Place(tmp_path_factory.mktemp("db"), batch_rows=size)
    place.insert(*first)
    changes, clock, known = iter(touched), [6], {}

    def change():
        for row, step in [next(changes, (1, 1))]:
            clock[0] += step
            place.connection.execute("UPDATE t SET seen = ? WHERE id = ?", [clock[0], row])

    for _pass in range(2):
        for _reading in range(40):
            found = place.read(Mode.UPSERT)
            if found is None:
                break
            known |= dict(
                place.connection.execute(
                    f"SELECT id, seen FROM t WHERE id IN ({', '.join(map(str, found[0])) or 'NULL'})"
                )
            )
            if not found[1]:
                break
            if _reading < 8:
                change()

    there = dict(place.connection.execute("SELECT id, seen FROM t"))
    place.connection.close()
    assert known == there


def test_the_database_counts_what_arrives(place):
    place.connection.execute("CREATE TABLE mixed (a, b, c)")
    place.connection.executemany(
        "INSERT INTO mixed VALUES (?, ?, ?)",
        [(2**63 - 1, 0.1, "5"), (2**63 - 1, 1e300, None), (-(2**63), 2, b"\x00"), (None, float("inf"), "é")],
    )

    with create({"kind": "sqlite", "path": "core.db", "table": "mixed", "reconcile": "rows"}, base=place.base).open(
        None, Mode.OVERWRITE
    ) as opened:
        pa.table(opened.scan.stream)
        found = opened.reconciliation()

    assert found.differences() == ()
    assert found.source.rows == 4
    assert {name: column.nulls for name, column in found.source.columns.items()} == {"a": 1, "b": 0, "c": 1}
    assert found.source.columns["a"].total == str(2**63 - 2)
    assert float(found.source.columns["b"].total) == pytest.approx(2.1)
    assert found.source.row_hash == found.arrived.row_hash != "0"


def test_a_row_lost_on_the_way_is_told(place):
    place.insert(1, 2, 3)
    tally = CellTally(["id", "seen"], hashed=False)
    with create({"kind": "sqlite", "path": "core.db", "table": "t"}, base=place.base).open(
        None, Mode.OVERWRITE
    ) as opened:
        pa.table(opened.scan.stream)
        counted = opened.reconciliation().source
    tally.add([(1, 2), (1, 2)])

    found = Reconciliation(counted, tally.totals())

    assert [(each.measure, each.source, each.arrived) for each in found.differences()][:2] == [
        ("rows", "3", "2"),
        ("sum", "6", "3"),
    ]


def test_keys_are_those_of_all_rows_in_the_same_state(place):
    place.insert(1, 2, 3, 4, 5)
    place.read(Mode.APPEND)
    with create(
        {"kind": "sqlite", "path": "core.db", "table": "t", "cursor": "seen", "batch_rows": 3}, base=place.base
    ).open(place.cursor, Mode.APPEND) as opened:
        pa.table(opened.scan.stream)
        place.connection.execute("DELETE FROM t WHERE id = 2")
        keys = pa.table(opened.keys(["id"]))

        with pytest.raises(ConfigurationError, match="no column nope"):
            opened.keys(["nope"])

    assert keys["id"].to_pylist() == ["1", "2", "3", "4", "5"]
    assert keys.column_names == ["id"]


def test_reconciliation_can_be_left_out(place):
    place.insert(1)
    with create({"kind": "sqlite", "path": "core.db", "table": "t", "reconcile": False}, base=place.base).open(
        None, Mode.OVERWRITE
    ) as opened:
        assert opened.reconciliation is None


def test_a_cursor_of_blobs_is_refused(place):
    place.insert(b"\x00")

    with pytest.raises(SourceBroken, match="neither numbers"):
        place.read(Mode.UPSERT)
