"""Methods that make values tell less: the same type, the same length, and nothing new when they are asked twice."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.privacy import methods


@pytest.mark.parametrize(
    ("values", "kind", "options", "expected"),
    [
        (
            [date(1987, 5, 6), None, date(3, 2, 1)],
            pa.date32(),
            {"to": "decade"},
            [date(1980, 1, 1), None, date(1, 1, 1)],
        ),
        ([date(1987, 5, 6)], pa.date32(), {"to": "month"}, [date(1987, 5, 1)]),
        (
            [datetime(1969, 12, 31, 23, 59, tzinfo=UTC)],
            pa.timestamp("us", "UTC"),
            {"to": "hour"},
            [datetime(1969, 12, 31, 23, tzinfo=UTC)],
        ),
        ([-7, 3, 45, None], pa.int64(), {"bins": 10}, [-10, 0, 40, None]),
        ([-128, 127], pa.int8(), {"bins": 100}, [-100, 100]),
        ([-7, 18, 99, None], pa.int32(), {"bins": [18, 0, 60]}, [0, 18, 60, None]),
        ([1.5, -0.1, None], pa.float64(), {"bins": 0.5}, [1.5, -0.5, None]),
        ([Decimal("12.34"), None], pa.decimal128(10, 2), {"bins": 5}, [Decimal("10.00"), None]),
        (["01310-100", "1310100", "", None], pa.string(), {}, ["01310-XXX", "01310-XXX", "", None]),
        (["01310-100", "Rua X, 3"], pa.string(), {"to": 3}, ["013XX-XXX", "XXXXX-XXX"]),
    ],
)
def test_coarser_values(values: list, kind: pa.DataType, options: dict, expected: list) -> None:
    once = methods.generalised(pa.array(values, kind), options)

    assert once.type == kind
    assert once.to_pylist() == expected
    assert methods.generalised(once, options).to_pylist() == expected


def test_masks_show_one_end_and_hide_the_length() -> None:
    column = pa.array(["11988887777", "7777", "", None, "***7777"])

    assert methods.masked(column, {}).to_pylist() == ["***7777", "***", "", None, "***7777"]
    assert methods.masked(column, {"keep": 2, "from": "start"}).to_pylist() == ["11***", "77***", "", None, "*****"]
    assert methods.masked(column, {"keep": 0}).to_pylist()[:2] == ["***", "***"]


@given(st.lists(st.one_of(st.none(), st.text(max_size=12))), st.integers(0, 6), st.sampled_from(["end", "start"]))
def test_masks_given_twice_are_masks(values: list, keep: int, at: str) -> None:
    once = methods.masked(pa.array(values, pa.string()), {"keep": keep, "from": at})
    twice = methods.masked(once, {"keep": keep, "from": at})

    assert twice.to_pylist() == once.to_pylist()
    assert all(len(shown) <= keep + 3 for shown in once.to_pylist() if shown is not None)


def test_hashes_are_of_the_canonical_form_and_of_the_kind() -> None:
    def digest(content: bytes) -> bytes:
        return content.ljust(32, b"\0")[:32]

    column = pa.array(["529.982.247-25", "52998224725", "", None])
    [first, second, blank, missing] = methods.hashed(column, "cpf", digest, known=lambda _text: False).to_pylist()

    assert first == second == digest(b"cpf\x0052998224725").hex()
    assert (blank, missing) == ("", None)
    assert methods.hashed(pa.array([first]), "cpf", digest, known=lambda text: text == first).to_pylist() == [first]


def test_identifiers_inside_texts_are_taken_out() -> None:
    column = pa.array(["CPF 111.444.777-35, ana@example.org", "nada", None])

    assert methods.redacted(column).to_pylist() == ["CPF [CPF], [EMAIL]", "nada", None]
    assert not re.search(r"\d", methods.redacted(column).to_pylist()[0])
