"""What every engine must count: see `conformance.py`, of which this is the part about profiles."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as Number
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lastro.engine.duck.arrow import to_arrow
from lastro.engine.profiling.slices import MISSING, OTHERS
from lastro.engine.protocol import Engine
from lastro.model.profile import ColumnFrame, NumberFrame, Profile, ValueFrame, merged
from lastro.model.schema import Decimal, Field, ListOf, Primitive, Schema

P = Primitive
MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)
UGLY = Schema(
    (
        Field("amount", P.DOUBLE),
        Field("small", P.BYTE),
        Field("large", P.LONG),
        Field("price", Decimal(12, 2)),
        Field("day", P.DATE),
        Field("at", P.TIMESTAMP),
        Field("uf", P.STRING),
        Field("note", P.STRING),
        Field("paid", P.BOOLEAN),
        Field("items", ListOf(P.STRING)),
        Field("secret", P.STRING),
        Field("nothing", P.DOUBLE),
    )
)


def ugly(rows: int, *, seed: int = 0) -> list[dict[str, Any]]:
    """Rows with every kind of value, and every kind missing now and then."""
    rng = np.random.default_rng(seed)
    odd = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7e308]
    made = []
    for number in range(rows):
        row: dict[str, Any] = {
            "amount": odd[number % 6] if number % 50 < 6 else float(rng.lognormal(10, 1)),
            "small": int(rng.integers(-128, 128)),
            "large": int(rng.choice([-(1 << 63), (1 << 63) - 1, 0, int(rng.integers(0, 1 << 60))])),
            "price": Number(int(rng.integers(-(10**11), 10**11))).scaleb(-2),
            "day": date(1, 1, 1) + timedelta(days=int(rng.integers(0, 700_000))),
            "at": MOMENT + timedelta(microseconds=int(rng.integers(-(10**15), 10**15))),
            "uf": str(rng.choice(["SP", "RJ", "AC", ""])),
            "note": f"{'ã' * int(rng.integers(0, 9))}{number}",
            "paid": bool(rng.integers(0, 2)),
            "items": ["a"],
            "secret": f"person {number}",
            "nothing": None,
        }
        made.append({name: None if rng.random() < 0.1 else value for name, value in row.items()})
    return made


def written(folder: Path, rows: list[dict[str, Any]], name: str = "a", schema: Schema = UGLY) -> Path:
    path = folder / f"{name}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, to_arrow(schema)), path, row_group_size=300)
    return path


def expected(numbers: list[float], edges: tuple[float, ...]) -> tuple[int, ...]:
    """How many numbers lie between the edges, one by one."""
    bins = [0] * (len(edges) + 1)
    for number in numbers:
        bins[sum(number > edge for edge in edges)] += 1
    return tuple(bins)


def present(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows if row[name] is not None]


def edges(profile: Profile, name: str) -> tuple[float, ...]:
    frame = profile.columns[name].frame.numbers
    assert frame is not None
    return frame.edges


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return ugly(2_000)


@pytest.fixture(scope="module")
def profile(engine: Engine, rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Profile:
    path = written(tmp_path_factory.mktemp("profile"), rows)
    return engine.profile([path], UGLY, withheld=frozenset({"secret"}))


def test_rows_and_missing_values_are_counted(profile: Profile, rows: list[dict[str, Any]]) -> None:
    assert profile.rows == 2_000
    assert list(profile.columns) == list(UGLY.names)
    for name, column in profile.columns.items():
        assert column.nulls == 2_000 - len(present(rows, name)), name


@pytest.mark.parametrize("name", ["amount", "small", "large", "price"])
def test_numbers_are_counted_between_edges(profile: Profile, rows: list[dict[str, Any]], name: str) -> None:
    found = profile.columns[name].numbers
    numbers = [value for value in present(rows, name) if not math.isnan(value)]

    assert found is not None
    assert len(found.bins) > 20
    assert found.bins == expected(numbers, edges(profile, name))
    assert found.counted + found.nans == len(present(rows, name))


def test_odd_numbers_are_counted_apart(profile: Profile, rows: list[dict[str, Any]]) -> None:
    found = profile.columns["amount"].numbers
    values = present(rows, "amount")

    assert found is not None
    assert found.nans == sum(map(math.isnan, values)) > 0
    assert found.infinite == sum(map(math.isinf, values)) > 0
    assert (found.minimum, found.maximum) == ("-inf", "inf")


def test_extremes_are_exact(profile: Profile, rows: list[dict[str, Any]]) -> None:
    bounds = {
        name: (column.numbers.minimum, column.numbers.maximum)
        for name, column in profile.columns.items()
        if column.numbers
    }
    at = [value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z" for value in present(rows, "at")]

    assert bounds["large"] == (str(-(1 << 63)), str((1 << 63) - 1))
    assert bounds["price"] == (str(min(present(rows, "price"))), str(max(present(rows, "price"))))
    assert bounds["day"] == (min(present(rows, "day")).isoformat(), max(present(rows, "day")).isoformat())
    assert bounds["at"] == (min(at), max(at))


def test_dates_are_days_and_moments_are_seconds(profile: Profile, rows: list[dict[str, Any]]) -> None:
    days = [(value - date(1970, 1, 1)).days for value in present(rows, "day")]
    moments = [value.timestamp() for value in present(rows, "at")]
    day, at = profile.columns["day"].numbers, profile.columns["at"].numbers

    assert day is not None
    assert at is not None
    assert day.bins == expected(days, edges(profile, "day"))
    assert at.bins == expected(moments, edges(profile, "at"))


def test_values_are_counted_each_and_texts_by_their_length(profile: Profile, rows: list[dict[str, Any]]) -> None:
    uf, note, paid = (profile.columns[name] for name in ("uf", "note", "paid"))
    counts = Counter(present(rows, "uf"))

    assert uf.frame.values == ValueFrame(tuple(value for value, _times in counts.most_common()), complete=True)
    assert uf.values is not None
    assert uf.values.times == tuple(times for _value, times in counts.most_common())
    assert note.values is None
    assert note.numbers is not None
    assert note.numbers.bins == expected([len(text) for text in present(rows, "note")], edges(profile, "note"))
    assert paid.values is not None
    assert paid.values.times == (present(rows, "paid").count(False), present(rows, "paid").count(True))


def test_of_withheld_nested_and_empty_columns_only_the_missing_are_counted(profile: Profile) -> None:
    for name in ("secret", "items", "nothing"):
        column = profile.columns[name]
        assert (column.numbers, column.values) == (None, None), name
        assert column.withheld is (name == "secret")


def test_different_values_and_shapes_are_counted(profile: Profile, rows: list[dict[str, Any]]) -> None:
    note, large, small = (profile.columns[name] for name in ("note", "large", "small"))
    notes = Counter(
        "a9" if text[0] == "ã" else "9" for text in (re.sub("[0-9]+", "9", each) for each in present(rows, "note"))
    )

    assert note.shapes is not None
    assert note.frame.shapes is not None
    listed = Counter()
    for shape, times in zip(note.frame.shapes, note.shapes.times, strict=True):
        listed[re.sub("9+", "9", shape)] += times
    assert listed == notes
    for column, name in ((large, "large"), (small, "small"), (note, "note")):
        different = len(set(present(rows, name)))
        estimate = column.distinct and column.distinct.estimate(len(present(rows, name)))
        assert estimate is not None
        assert abs(estimate.count - different) <= 1.5 * estimate.error * different


def test_what_columns_have_to_do_with_each_other_is_counted(profile: Profile, rows: list[dict[str, Any]]) -> None:
    together = profile.together

    assert together is not None
    pairs = {(one, two): count for one, two, count in together.missing_pairs()}
    assert pairs["uf", "secret"] == sum(row["uf"] is None and row["secret"] is None for row in rows)
    assert together.levels.columns == ("amount", "small", "large", "price", "day", "at", "paid")
    small, price = together.levels.columns.index("small"), together.levels.columns.index("price")
    assert together.levels.rows[small][price] == sum(
        row["small"] is not None and row["price"] is not None for row in rows
    )
    assert together.levels.correlation(small, price) == pytest.approx(0, abs=0.1)


def test_a_frame_is_kept_and_profiles_of_parts_add_up(engine: Engine, profile: Profile, tmp_path: Path) -> None:
    more = ugly(700, seed=1)
    more[0]["uf"] = "XX"
    parts = [written(tmp_path, more[:300], "b"), written(tmp_path, more[300:], "c")]

    found = [engine.profile([path], UGLY, frame=profile.frame, withheld=frozenset({"secret"})) for path in parts]
    both = engine.profile(parts, UGLY, frame=profile.frame, withheld=frozenset({"secret"}))

    assert both.frame == profile.frame
    assert counts_of(merged(*found)) == counts_of(both)
    assert merged(*found).together == both.together
    assert both.columns["uf"].values is not None
    assert both.columns["uf"].values.others == 1


def counts_of(profile: Profile) -> Any:
    """The profile without the sums, whose last digits depend on the order."""
    return {
        name: replace(column, numbers=column.numbers and replace(column.numbers, total=0.0, squares=0.0))
        for name, column in profile.columns.items()
    }


def test_no_rows_and_no_files_have_a_profile(engine: Engine, tmp_path: Path) -> None:
    nothing = engine.profile([], UGLY)
    empty = engine.profile([written(tmp_path, [], "d")], UGLY)

    assert nothing == empty
    assert nothing.rows == 0
    assert all(
        column.frame == ColumnFrame(column.frame.type) or column.frame.type == "boolean"
        for column in nothing.columns.values()
    )


def test_a_column_that_a_file_does_not_have_is_missing_in_its_rows(engine: Engine, tmp_path: Path) -> None:
    narrow = Schema((Field("old", P.LONG),))
    wide = Schema((Field("old", P.LONG), Field("new", P.LONG)))
    files = [
        written(tmp_path, [{"old": 1}, {"old": 2}], "old", narrow),
        written(tmp_path, [{"old": 3, "new": 7}], "new", wide),
    ]

    found = engine.profile(files, wide)

    assert found.columns["new"].nulls == 2
    assert found.columns["new"].frame.numbers == NumberFrame((7.0,), 7.0, single=True)


def test_rows_of_which_a_condition_is_true_are_counted(engine: Engine, profile: Profile, tmp_path: Path) -> None:
    rows = ugly(500, seed=2)
    path = written(tmp_path, rows, "e")

    found = engine.profile([path], UGLY, frame=profile.frame, withheld=frozenset({"secret"}), where="uf = 'SP'")

    of_sp = [row for row in rows if row["uf"] == "SP"]
    assert found.rows == len(of_sp) > 0
    assert found.columns["amount"].nulls == sum(row["amount"] is None for row in of_sp)


@pytest.mark.parametrize("by", ["uf", "paid", "small"])
def test_slices_are_told_apart_and_add_up(engine: Engine, tmp_path: Path, by: str) -> None:
    rows = [{**row, "small": None if row["small"] is None else row["small"] % 3} for row in ugly(600, seed=3)]
    path = written(tmp_path, rows, "f")
    frame = engine.profile([path], UGLY).frame
    others = [{**row, "uf": "XX", "small": 7} for row in rows[:5]]
    files = [path, written(tmp_path, others, "g")]

    found = engine.slices(files, UGLY, by=by, frame=frame)

    whole = engine.profile(files, UGLY, frame=frame)
    assert sum(each.rows for each in found.values()) == whole.rows
    assert counts_of(reduce(merged, found.values())) == counts_of(whole)
    names = Counter(sliced(row[by], others=row in others and by != "paid") for row in [*rows, *others])
    assert {name: each.rows for name, each in found.items()} == dict(names)


def sliced(value: Any, *, others: bool) -> str:
    """What the slice of a value is called."""
    if others:
        return OTHERS
    if value is None:
        return MISSING
    return str(value).lower() if isinstance(value, bool) else str(value)
