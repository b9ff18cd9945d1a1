"""The kernel of profiles, against what Python and SciPy say of the same rows."""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from lastro.engine.profiling import frame as framing
from lastro.engine.profiling import hashes, shapes
from lastro.engine.profiling.count import counted
from lastro.engine.profiling.frame import framed, settled
from lastro.model.distinct import HASH_BITS, gathered
from lastro.model.profile import Frame, Profile, merged, without
from lastro.model.profile_record import profile_of, record_of
from lastro.model.schema import Decimal, Field, Primitive, Schema

P = Primitive
SCHEMA = Schema(
    (
        Field("age", P.BYTE),
        Field("amount", P.DOUBLE),
        Field("price", Decimal(12, 2)),
        Field("day", P.DATE),
        Field("at", P.TIMESTAMP),
        Field("paid", P.BOOLEAN),
        Field("code", P.STRING),
        Field("cpf", P.STRING),
    )
)
ARROW = pa.schema(
    [
        ("age", pa.int8()),
        ("amount", pa.float64()),
        ("price", pa.decimal128(12, 2)),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
        ("paid", pa.bool_()),
        ("code", pa.string()),
        ("cpf", pa.string()),
    ]
)
HASHED_TEXTS = [7359613, 3972007, 15496675, 10412638, 3691852, 16249548]
HASHED_NUMBERS = [7359613, 1000741, 16114210, 16221622]
HASHED_DOUBLES = [7359613, 7359613, 13978782, 394134]
WITHHELD = frozenset({"cpf"})
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "age": st.integers(-128, 127),
    "amount": st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324]) | st.floats(-9, 9),
    "price": st.decimals(-9, 9, places=2, allow_nan=False),
    "day": st.dates(),
    "at": st.datetimes().map(lambda moment: moment.replace(tzinfo=None)),
    "paid": st.booleans(),
    "code": st.text(max_size=9) | st.text("Ab1-", max_size=300),
    "cpf": st.text("0123456789", min_size=11, max_size=11),
}
ROWS = st.lists(st.fixed_dictionaries({name: st.none() | each for name, each in VALUES.items()}), max_size=12)


def profile(rows: list[dict[str, Any]], frame: Frame, *, size: int = 7) -> Profile:
    return counted(pa.Table.from_pylist(rows, ARROW).to_batches(size), SCHEMA, frame, WITHHELD)


def frame_of(rows: list[dict[str, Any]]) -> Frame:
    return framed(pa.Table.from_pylist(rows, ARROW), SCHEMA, WITHHELD)


def exact(found: Profile) -> tuple[Any, ...]:
    """What adds and subtracts exactly, but for the different values, whose level may be higher."""
    columns = [
        (each.nulls, each.numbers and each.numbers.bins, each.values, each.shapes) for each in found.columns.values()
    ]
    return found.rows, columns, found.together


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS, ROWS)
def test_whatever_is_counted_adds_and_subtracts(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
    frame = frame_of(first)
    one, two, both = (profile(rows, frame) for rows in (first, second, first + second))

    assert exact(merged(one, two)) == exact(both) == exact(profile(first + second, frame, size=50))
    assert exact(without(both, two)) == exact(one)
    record = json.loads(json.dumps(record_of(both)))
    assert record_of(profile_of(record)) == record  # sums beyond a double are read as NaN
    for name, column in both.columns.items():
        assert merged(one, two).columns[name].distinct == column.distinct, name


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS)
def test_missing_together_is_counted_of_every_two_columns(rows: list[dict[str, Any]]) -> None:
    together = profile(rows, frame_of(rows)).together

    assert together is not None
    expected = {
        (one, two): sum(row[one] is None and row[two] is None for row in rows)
        for one, two in combinations(SCHEMA.names, 2)
    }
    assert {(one, two): count for one, two, count in together.missing_pairs()} == {
        k: n for k, n in expected.items() if n
    }


@settings(max_examples=60)
@given(st.lists(st.text(max_size=12) | st.text("Ab1- é", max_size=30), max_size=20))
def test_shapes_are_those_that_a_regular_expression_gives(texts: list[str]) -> None:
    def shape(text: str) -> str:
        classes = "".join(
            "9" if sign in "0123456789" else " " if sign < "!" or sign == "\x7f" else "a" if sign > "\x7f" else sign
            for sign in text
        )
        return re.sub("[a-z]+", "a", re.sub("[A-Z]+", "A", classes))

    array = pa.array(["skipped", *texts], pa.string()).slice(1)

    assert shapes.shapes_of(array).to_pylist() == [shape(text) for text in texts]


@settings(max_examples=60)
@given(st.lists(st.text(max_size=40) | st.text("ab", min_size=120, max_size=300), max_size=20))
def test_a_texts_hash_depends_on_nothing_but_the_text(texts: list[str]) -> None:
    alone = [int(hashes.of_texts(pa.array([text], pa.string()))[0]) for text in texts]

    assert hashes.of_texts(pa.array(["x" * 999, *texts], pa.string()))[1:].tolist() == alone
    assert hashes.of_texts(pa.array(["other", *texts, "é"], pa.string()).slice(1, len(texts))).tolist() == alone


def test_hashes_are_part_of_the_stored_form() -> None:
    texts = pa.array(["", "SP", "12345678", "123456789", "x" * 65, "y" * 200], pa.string())

    assert hashes.of_texts(texts).tolist() == HASHED_TEXTS
    assert hashes.of_numbers(np.array([0, 1, -1, 2**62])).tolist() == HASHED_NUMBERS
    assert hashes.of_numbers(np.array([0.0, -0.0, 0.5, np.inf])).tolist() == HASHED_DOUBLES


@pytest.mark.parametrize(
    "numbers",
    [np.arange(200_000), np.arange(200_000) * 1024, np.arange(200_000) / 100, np.arange(200_000) - 1e15],
)
def test_hashes_of_numbers_that_count_on_are_spread_evenly(numbers: Any) -> None:
    found = hashes.of_numbers(numbers) >> np.uint64(HASH_BITS - 8)

    times = np.bincount(found.astype(np.int64), minlength=256)
    assert ((times - 781.25) ** 2 / 781.25).sum() < 400  # chi-squared of 255 degrees; more is not seen in 1e8 tables


def texts_of(kind: str) -> list[str]:
    draw = random.Random(3)
    make = {
        "running": lambda place: f"customer-{place:08d}@example.com.br",
        "prefix": lambda place: f"{place}/a/long/common/tail/of/a/path/that/all/have.parquet",
        "cpf": lambda _place: f"{draw.randrange(10**9):09d}"[:3] + f".{draw.randrange(10**6)}",
    }[kind]
    return sorted({make(place) for place in range(30_000)})


@pytest.mark.parametrize("kind", ["running", "prefix", "cpf"])
def test_hashes_of_texts_are_spread_evenly(kind: str) -> None:
    texts = texts_of(kind)
    found = hashes.of_texts(pa.array(texts, pa.string()))

    times = np.bincount((found >> np.uint64(HASH_BITS - 6)).astype(np.int64), minlength=64)
    expected = len(texts) / 64
    assert ((times - expected) ** 2 / expected).sum() < 140
    assert len(set(found.tolist())) > 0.995 * len(texts) * (1 - len(texts) / 2**25)


def normal(correlation: float, rows: int = 20_000) -> pa.Table:
    rng = np.random.default_rng(7)
    first, other = rng.normal(size=rows), rng.normal(size=rows)
    second = np.exp(correlation * first + math.sqrt(1 - correlation**2) * other)
    return pa.table({"one": first, "two": second})


def correlation(table: pa.Table) -> float | None:
    schema = Schema((Field("one", P.DOUBLE), Field("two", P.DOUBLE)))
    together = counted(table.to_batches(3_000), schema, framed(table, schema, frozenset()), frozenset()).together
    assert together is not None
    return together.levels.correlation(0, 1)


@pytest.mark.parametrize("size", [-0.95, -0.4, 0.0, 0.2, 0.6, 0.99])
def test_correlations_are_near_spearmans(size: float) -> None:
    table = normal(size)

    assert correlation(table) == pytest.approx(spearmanr(table["one"], table["two"]).statistic, abs=0.01)


def test_correlations_are_over_the_rows_that_have_both_and_no_outlier_outweighs_them() -> None:
    table = normal(0.6)
    rng = np.random.default_rng(1)
    one = np.where(rng.random(20_000) < 0.2, np.nan, table["one"].to_numpy())
    two = pa.array(table["two"].to_numpy(), mask=table["one"].to_numpy() > 0.5)
    both = ~np.isnan(one) & two.is_valid().to_numpy(zero_copy_only=False)
    one[0], both[0] = math.inf, False

    found = correlation(pa.table({"one": one, "two": two}))

    expected = spearmanr(one[both], two.to_numpy(zero_copy_only=False)[both]).statistic
    assert found == pytest.approx(expected, abs=0.02)


def test_a_column_of_one_value_has_no_correlation() -> None:
    assert correlation(pa.table({"one": [1.0] * 50, "two": [*range(50)]})) is None


def test_of_many_different_values_some_stand_for_all_and_still_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "EVERY_FROM", 1_000)
    rng = np.random.default_rng(0)
    keys = rng.permutation(40_000)
    one = rng.normal(size=40_000)
    texts = [f"{key:06d}" if key % 50 else f"X-{key}" for key in keys.tolist()]
    table = pa.table({"key": keys, "one": one, "two": one + rng.normal(size=40_000), "code": pa.array(texts)})
    schema = Schema((Field("key", P.LONG), Field("one", P.DOUBLE), Field("two", P.DOUBLE), Field("code", P.STRING)))
    frame = framed(table, schema, frozenset())
    parts = [
        counted(table.slice(at, 10_000).to_batches(999), schema, frame, frozenset()) for at in range(0, 40_000, 10_000)
    ]

    found = settled(reduce(merged, parts), frame)

    together, code = found.together, found.columns["code"]
    assert frame["key"].every == framing.EVERY
    assert code.frame.shapes is not None
    assert code.shapes is not None
    assert together is not None
    assert code.frame.shapes[0] == "999999"
    assert code.shapes.times[0] / code.shapes.counted == pytest.approx(0.98, abs=0.01)
    assert code.shapes.counted == pytest.approx(40_000 / framing.EVERY, rel=0.1)
    assert together.levels.rows[0][0] == pytest.approx(40_000 / framing.EVERY, rel=0.1)
    assert together.levels.correlation(1, 2) == pytest.approx(0.69, abs=0.05)
    assert exact(found) == exact(counted(table.to_batches(), schema, found.frame, frozenset()))


def test_of_withheld_columns_nothing_is_kept_but_what_is_missing() -> None:
    rows = [{"cpf": f"{place:011d}", "code": f"{place:03d}"} for place in range(300)]
    found = profile(rows, frame_of(rows)).columns

    assert (found["cpf"].distinct, found["cpf"].shapes, found["cpf"].values, found["cpf"].numbers) == (None,) * 4
    assert found["code"].distinct is not None
    assert found["code"].shapes is not None


def test_different_values_are_counted_as_python_counts_them_where_they_are_few() -> None:
    rows = [
        {"age": place % 90, "amount": [0.0, -0.0, 2.5][place % 3], "code": f"c{place % 110}"} for place in range(999)
    ]
    found = profile(rows, frame_of(rows)).columns

    for name, values in (("age", 90), ("amount", 2), ("code", 110)):
        distinct = found[name].distinct
        assert distinct is not None
        assert (distinct.level, len(distinct.hashes)) == (0, values)
        assert Counter(row[name] for row in rows).most_common(1)[0][1] == max(distinct.times)


def test_profiles_whose_columns_stand_in_another_order_add_without_what_columns_have_together() -> None:
    rows = [{"age": place % 5, "amount": float(place), "code": "x"} for place in range(50)]
    frame = frame_of(rows)
    turned = Schema(tuple(reversed(SCHEMA.fields)))

    other = counted(pa.Table.from_pylist(rows, ARROW).to_batches(), turned, frame, WITHHELD)
    found = merged(profile(rows, frame), other)

    assert found.together is None
    assert found.columns["age"].distinct == gathered(0, dict.fromkeys(other.columns["age"].distinct.hashes, 20))


def test_values_of_a_dictionary_that_no_row_has_are_not_counted() -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0, 0, 1]), pa.array(["a", "b", *map(str, range(900))]))
    schema = Schema((Field("code", P.STRING),))
    table = pa.table({"code": ["a", "a", "b"]})

    found = counted([pa.record_batch({"code": texts})], schema, framed(table, schema, frozenset()), frozenset())

    assert (
        found.columns["code"].distinct
        == counted(table.to_batches(), schema, framed(table, schema, frozenset()), frozenset()).columns["code"].distinct
    )
