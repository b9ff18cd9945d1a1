"""What masks leave of values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model.access import Hiding, Mask
from lastro.policy.masks import mask, over

CASES = [
    (pa.array(["12345678909", "1234", "12", "", None]), Mask(Hiding.LAST, 4), ["*******8909", "****", "**", "", None]),
    (pa.array(["12345678909", "1234", "12", "", None]), Mask(Hiding.FIRST, 4), ["1234*******", "****", "**", "", None]),
    (pa.array(["ação😀"], pa.large_string()), Mask(Hiding.LAST, 2), ["***o😀"]),
    (pa.array([date(1988, 5, 17), None]), Mask(Hiding.YEAR), [date(1988, 1, 1), None]),
    (pa.array([date(1988, 5, 17)]), Mask(Hiding.MONTH), [date(1988, 5, 1)]),
    (
        pa.array([datetime(2020, 5, 7, 3, tzinfo=UTC)], pa.timestamp("us", "UTC")),
        Mask(Hiding.MONTH),
        [datetime(2020, 5, 1, tzinfo=UTC)],
    ),
    (pa.array([1999, -1999, None]), Mask(Hiding.ROUND, 100), [1900, -1900, None]),
    (pa.array([127, -128], pa.int8()), Mask(Hiding.ROUND, 1000), [0, 0]),
    (pa.array([(1 << 64) - 1], pa.uint64()), Mask(Hiding.ROUND, 10), [(1 << 64) - 6]),
    (pa.array([1999.99, None]), Mask(Hiding.ROUND, 500), [1500.0, None]),
    (pa.array(["x", None]), Mask(Hiding.NULL), [None, None]),
    (pa.array([1, 2]), Mask(Hiding.LAST, 4), [None, None]),
    (pa.array([True]), Mask(Hiding.ROUND, 2), [None]),
    (pa.array([Decimal("1.23")]), Mask(Hiding.ROUND, 2), [None]),
    (pa.array(["2020-01-01"]), Mask(Hiding.YEAR), [None]),
    (pa.array([{"cpf": "12345678909"}]), Mask(Hiding.LAST, 4), [None]),
    (pa.array([["12345678909"]]), Mask(Hiding.LAST, 4), [None]),
    (pa.array(["a"]).dictionary_encode(), Mask(Hiding.LAST, 1), [None]),
    (pa.array(["abc"], pa.string_view()), Mask(Hiding.LAST, 1), [None]),
]


@pytest.mark.parametrize(("column", "how", "expected"), CASES, ids=[f"{case[0].type} {case[1]}" for case in CASES])
def test_a_mask_keeps_the_type_and_hides_the_value(column: pa.Array, how: Mask, expected: list) -> None:
    masked = mask(column, how)

    assert masked.to_pylist() == expected
    assert masked.type == column.type


@given(st.lists(st.text(max_size=12) | st.none(), max_size=6), st.integers(1, 9))
def test_of_a_text_no_more_stays_than_was_said(values: list, count: int) -> None:
    masked = mask(pa.array(values, pa.string()), Mask(Hiding.LAST, count)).to_pylist()

    for before, after in zip(values, masked, strict=True):
        assert (before is None) == (after is None)
        if before is not None:
            stays = count if len(before) > count else 0
            assert after == "*" * (len(before) - stays) + before[len(before) - stays :]


def test_only_the_named_columns_of_a_stream_are_masked() -> None:
    schema = pa.schema([pa.field("cpf", pa.string(), nullable=False), pa.field("n", pa.int64())])
    table = pa.table({"cpf": ["123456"] * 3, "n": [1, 2, 3]}, schema=schema)

    masked = over(table.to_reader(max_chunksize=2), {"cpf": Mask(Hiding.NULL), "other": Mask(Hiding.NULL)}).read_all()

    assert masked.to_pydict() == {"cpf": [None] * 3, "n": [1, 2, 3]}
    assert masked.schema.field("cpf").nullable
