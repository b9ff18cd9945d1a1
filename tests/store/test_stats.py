"""Bounds of columns, as they are stored in a Parquet file's footer."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from decimal import Decimal as Number

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastro.model.schema import Decimal, Field, Primitive, Schema
from lastro.store.stats import read_footer

NEGATIVE = Number("-12345678.90")
MOMENT = dt.datetime(2026, 1, 31, 23, 59, 59, 999_999)


def bounds_of(values, kind, declared, folder):
    path = folder / "a.parquet"
    pq.write_table(pa.table({"x": pa.array(values, kind)}), path, store_schema=False)
    found = json.loads(read_footer(path, Schema((Field("x", declared),))).stats)
    return found["minValues"].get("x"), found["maxValues"].get("x")


@settings(deadline=None)
@given(values=st.lists(st.dates(), min_size=1, max_size=5))
def test_dates_keep_their_bounds(values, tmp_path_factory):
    found = bounds_of(values, pa.date32(), Primitive.DATE, tmp_path_factory.mktemp("d"))

    assert found == (min(values).isoformat(), max(values).isoformat())


@settings(deadline=None)
@given(values=st.lists(st.decimals(min_value=-(10**9), max_value=10**9, places=2), min_size=1, max_size=5))
@pytest.mark.parametrize("physical", [False, True])
def test_decimals_keep_their_bounds_however_they_are_stored(physical, values, tmp_path_factory):
    path = tmp_path_factory.mktemp("n") / "a.parquet"
    table = pa.table({"x": pa.array(values, pa.decimal128(12, 2))})
    pq.write_table(table, path, store_schema=False, store_decimal_as_integer=physical)

    found = json.loads(read_footer(path, Schema((Field("x", Decimal(12, 2)),))).stats)

    assert Number(str(found["minValues"]["x"])) == min(values)
    assert Number(str(found["maxValues"]["x"])) == max(values)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_moments_have_bounds_that_hold(tmp_path, unit, zone):
    values = [MOMENT.replace(tzinfo=dt.UTC if zone else None), None]
    exact = [values[0].replace(microsecond=999_000)] if unit == "ms" else values

    low, high = bounds_of(exact, pa.timestamp(unit, zone), Primitive.TIMESTAMP, tmp_path)

    assert low == "2026-01-31T23:59:59.999" + ("Z" if zone else "")
    assert high == ("2026-01-31T23:59:59.999" if unit == "ms" else "2026-02-01T00:00:00.000") + ("Z" if zone else "")


def test_a_date_that_no_calendar_of_python_has_gets_no_bounds(tmp_path):
    assert bounds_of([3_000_000], pa.date32(), Primitive.DATE, tmp_path) == (None, None)


def test_reading_bounds_does_not_load_pandas(tmp_path):
    path = tmp_path / "a.parquet"
    columns = {"d": [dt.date(2026, 1, 31)], "n": [NEGATIVE], "t": [MOMENT]}
    kinds = {"d": pa.date32(), "n": pa.decimal128(12, 2), "t": pa.timestamp("us", "UTC")}
    pq.write_table(pa.table({name: pa.array(columns[name], kind) for name, kind in kinds.items()}), path)
    code = (
        "import sys; from pathlib import Path; from lastro.store.stats import read_footer\n"
        "from lastro.model.schema import Decimal, Field, Primitive as P, Schema\n"
        "schema = Schema((Field('d', P.DATE), Field('n', Decimal(12, 2)), Field('t', P.TIMESTAMP)))\n"
        f"print(read_footer(Path({str(path)!r}), schema).stats, 'pandas' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert '"n":-12345678.90' in done.stdout
    assert done.stdout.strip().endswith("False")
