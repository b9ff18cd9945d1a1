"""Footers of Parquet files: taken apart and put together again, with places moved."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.store.erasure import footer

NAMES = st.text("abcdé", min_size=1, max_size=9)
COLUMNS = st.dictionaries(
    NAMES,
    st.sampled_from(
        [
            pa.array([1, None, 3]),
            pa.array(["a", "é" * 50, None]),
            pa.array([1.5, float("nan"), None]),
            pa.array([[1], [], None]),
            pa.array([{"a": True, "b": [None]}, None, {"a": False, "b": ["x"]}]),
            pa.array([True, None, False]),
        ]
    ),
    min_size=1,
    max_size=20,
)


def written(columns: dict[str, pa.Array], **options: Any) -> bytes:
    with io.BytesIO() as sink:
        pq.write_table(pa.table(columns), sink, **options)
        return sink.getvalue()


def last(file: bytes) -> bytes:
    return file[len(file) - 8 - int.from_bytes(file[-8:-4], "little") : -8]


@given(COLUMNS, st.sampled_from([1, 3]), st.booleans(), st.integers(1, 2**40))
def test_what_is_not_moved_stays_byte_for_byte(
    columns: dict[str, pa.Array],
    rows: int,
    is_bounded: bool,
    by: int,
) -> None:
    found = last(written(columns, row_group_size=rows, write_statistics=is_bounded))

    assert footer.moved(found, 0) == found
    assert footer.moved(footer.moved(found, by), -by) == found


@given(COLUMNS, st.integers(0, 5000))
def test_moved_data_are_read_by_the_moved_footer(columns: dict[str, pa.Array], by: int) -> None:
    file = written(columns)
    moved = footer.moved(last(file), by)

    data = b"PAR1" + bytes(by) + file[4 : len(file) - 8 - len(last(file))]
    again = pq.read_table(io.BytesIO(data + moved + len(moved).to_bytes(4, "little") + b"PAR1"))
    assert str(again.to_pydict()) == str(pa.table(columns).to_pydict())


@given(st.binary(max_size=300))
def test_no_bytes_are_too_strange(found: bytes) -> None:
    try:
        footer.moved(found, 1)
    except (ValueError, RecursionError):
        return


def test_a_footer_with_an_index_of_pages_is_refused() -> None:
    with pytest.raises(ValueError, match="index"):
        footer.moved(last(written({"a": pa.array([1])}, write_page_index=True)), 1)
