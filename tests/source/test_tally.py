"""The tally against plain Python, for every type and for sums that no machine word holds."""

import hashlib
import math
import struct
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastro.model.reconciliation import ColumnTotals, Totals
from lastro.source.database.tally import CANCELLED, Tally, exact, hashable, row_hash, summing

FLOATS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e190, max_value=1e190)


def counted(kind, *batches, **options):
    schema = pa.schema([pa.field("c", kind)])
    tally = Tally(schema, **options)
    for values in batches:
        tally.add(pa.record_batch([pa.array(values, kind)], schema=schema))
    return tally.totals()


@settings(deadline=None)
@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)), st.lists(st.none() | st.integers(-5, 5)))
def test_integers_are_summed_without_overflow(first, second):
    found = counted(pa.int64(), first, second)

    both = [value for value in first + second if value is not None]
    rows = len(first) + len(second)
    assert found == Totals(rows, {"c": ColumnTotals(rows - len(both), str(sum(both)))})


@settings(deadline=None)
@given(st.lists(st.none() | st.integers(-(10**38) + 1, 10**38 - 1), max_size=30), st.integers(0, 38))
def test_decimals_are_summed_without_overflow(unscaled, scale):
    values = [
        None if value is None else Decimal((value < 0, [*map(int, str(abs(value)))], -scale)) for value in unscaled
    ]

    found = counted(pa.decimal128(38, scale), values).columns["c"].total

    whole = sum(value for value in unscaled if value is not None)
    assert int(Decimal(found).scaleb(scale).to_integral_exact()) == whole if abs(whole) < 10**27 else True
    head, _, tail = found.lstrip("-").partition(".")
    assert int(head + tail.ljust(scale, "0")) == abs(whole)
    assert not tail.endswith("0") and "E" not in found


@settings(deadline=None)
@given(st.lists(FLOATS))
def test_floats_are_summed_about_or_not_at_all(values):
    found = counted(pa.float64(), values).columns["c"]

    size = math.fsum(map(abs, values))
    if found.total is None:
        assert abs(math.fsum(values)) <= 1.01 * CANCELLED * size
    else:
        assert float(found.total) == pytest.approx(math.fsum(values), rel=1e-9)
    assert found.approximate


def test_what_would_spoil_a_sum_of_floats_stays_outside():
    found = counted(pa.float64(), [1.5, math.nan, math.inf, 1e308, 1e308, None, 2.5], [1e308, -1e308, 1e308])

    assert found.columns["c"] == ColumnTotals(1, "4.0", approximate=True)


TEXTS = [
    (pa.int64(), -(2**63), b"-9223372036854775808"),
    (pa.uint8(), 255, b"255"),
    (pa.bool_(), True, b"1"),
    (pa.bool_(), False, b"0"),
    (pa.decimal128(20, 10), Decimal("-0.0000000001"), b"-1"),
    (pa.decimal128(5, 2), Decimal("1.50"), b"150"),
    (pa.float64(), -0.0, b"8000000000000000"),
    (pa.float64(), 1.0, b"3ff0000000000000"),
    (pa.float32(), 0.1, struct.pack(">f", 0.1).hex().encode()),
    (pa.binary(), b"\x00\xff", b"00ff"),
    (pa.binary(), b"", b""),
    (pa.string(), "é-1:", "é-1:".encode()),
    (pa.string(), "", b""),
    (pa.date32(), date(1969, 12, 31), b"-1"),
    (pa.timestamp("us"), datetime(1970, 1, 1, 0, 0, 1), b"1000000"),
    (pa.timestamp("us", tz="UTC"), datetime(1970, 1, 1, 0, 0, 0, 5, tzinfo=UTC), b"5"),
]


def by_hand(*texts):
    row = b"".join(b"-" if text is None else b"%d:%s" % (len(text), text) for text in texts)
    return int(hashlib.md5(row).hexdigest()[:15], 16)


@pytest.mark.parametrize(("kind", "value", "text"), TEXTS, ids=lambda value: str(value)[:30])
def test_every_type_has_its_text_in_the_row_hash(kind, value, text):
    found = counted(kind, [value, None], [value], hashed=["c"])

    assert hashable(kind)
    assert found.row_hash == str(2 * by_hand(text) + by_hand(None))


def test_a_slice_of_an_array_is_hashed_as_that_slice():
    for kind, value, text in TEXTS:
        array = pa.array([None, None, value, value], kind).slice(2, 1)

        assert row_hash([array], 1) == by_hand(text)


ROWS = st.lists(st.tuples(st.none() | st.text(max_size=5), st.none() | st.integers(-9, 9)), max_size=8)


@settings(deadline=None)
@given(ROWS, ROWS)
def test_equal_hashes_mean_equal_rows_in_any_order(first, second):
    schema = pa.schema([("a", pa.string()), ("b", pa.int64())])
    hashes = []
    for rows in (first, second):
        tally = Tally(schema, hashed=["b", "a"])
        tally.add(pa.record_batch([[a for a, _b in rows], [b for _a, b in rows]], schema=schema))
        hashes.append(tally.totals().row_hash)

    alike = sorted(map(repr, first)) == sorted(map(repr, second))
    assert (hashes[0] == hashes[1]) is alike


def test_what_has_no_sum_or_no_text_says_so():
    assert summing(pa.string()) is None
    assert not hashable(pa.list_(pa.int64()))
    with pytest.raises(TypeError, match="no text"):
        row_hash([pa.array([[1]])], 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "0"), ("0E-20", "0"), ("1E+3", "1000"), ("-0.000", "0"), ("120", "120"), ("1.0500", "1.05")],
)
def test_one_spelling_of_a_sum(value, text):
    assert exact(value) == text


def test_nothing_counted_is_nothing():
    assert counted(pa.int64(), hashed=[]) == Totals(0, {"c": ColumnTotals(0, "0")}, "0")
