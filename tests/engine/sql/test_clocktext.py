"""Clean times written in a column's own format are read back as they were."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lastro.engine.duck.engine import DuckEngine
from lastro.engine.scan import StreamScan
from lastro.engine.sql.clocktext import as_read
from lastro.model.plan import ColumnPlan, Plan
from lastro.model.schema import Primitive as P

FORMS = (
    "%d/%m/%Y %H:%M:%S.%f", "%Y%m%d%H%M%S%f", "%a, %d %b %Y %H:%M:%S.%f", "%-d de %B de %Y, %Hh%M %S,%f 100%%",
    "%Y-%m-%dT%H:%M:%S.%f%z", "epoch", "epoch_ms", "epoch_us", "epoch_ns", "iso8601_ns",
)  # fmt: skip
TWICE = "2018-02-18T02:30:00.000000Z"
"""Half past eleven in São Paulo, whose clock was put back at midnight."""
ZONE = "America/Sao_Paulo"
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2280, 1, 1), timezones=st.just(UTC))


def column(kind: P, form: str | None, **more) -> ColumnPlan:
    return ColumnPlan("at", "at", kind, format=form, **more)


def read(engine: DuckEngine, folder: Path, texts: list[str], of: ColumnPlan) -> list:
    for path in folder.iterdir():
        path.unlink()
    table = pa.table({"at": pa.array(texts, pa.string())})
    staged = engine.stage(Plan("t", "", (of,)), StreamScan(table, "t"), folder, batch="b")
    return pq.read_table(staged.kept[0].path).column("at").to_pylist()


@given(
    moments=st.lists(MOMENTS, min_size=1, max_size=5),
    form=st.sampled_from(FORMS),
    zone=st.sampled_from([None, ZONE]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_moment_is_read_back_as_it_was_or_not_at_all(tmp_path, moments, form, zone):
    engine = DuckEngine(memory_mb=200, threads=1)
    of = column(P.TIMESTAMP, form, zone=zone)
    clean = [moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") for moment in moments]

    texts = [as_read(text, of) for text in clean]

    for value, moment, text, told in zip(read(engine, tmp_path, texts, of), moments, clean, texts, strict=True):
        assert value == moment or (value is None and told == text and zone is not None)


@pytest.mark.parametrize(
    ("text", "of", "told"),
    [
        ("2026-01-31", column(P.DATE, "%d/%m/%Y"), "31/01/2026"),
        ("2026-01-31", column(P.DATE, "%d.%m.%Y %H:%M"), "31.01.2026 00:00"),
        ("0044-03-15", column(P.DATE, "%Y/%m/%d"), "0044/03/15"),
        ("2026-01-31", column(P.DATE, None), "2026-01-31"),
        ("31", column(P.STRING, "%d"), "31"),
        ("10:05:00", column(P.STRING, "%Hh%M", is_time=True), "10h05"),
        ("10:05:07.250000", column(P.STRING, "%H:%M:%S.%f", is_time=True), "10:05:07.250000"),
        ("2026-01-31T10:05:00.000000", column(P.TIMESTAMP_NTZ, "%d/%m/%Y %H:%M"), "31/01/2026 10:05"),
        ("2026-01-31T10:05:00.000000Z", column(P.TIMESTAMP, "%d/%m/%Y %H:%M", zone=ZONE), "31/01/2026 07:05"),
        (TWICE, column(P.TIMESTAMP, "%d/%m/%Y %H:%M", zone=ZONE), TWICE),
        ("2300-01-01T00:00:00.000000Z", column(P.TIMESTAMP, "epoch_ns"), "2300-01-01T00:00:00.000000Z"),
        ("2026-01-31T10:05:01.000000Z", column(P.TIMESTAMP, "%d/%m/%Y %H:%M"), "2026-01-31T10:05:01.000000Z"),
    ],
)  # fmt: skip
def test_a_text_is_written_as_its_column_reads_it(text, of, told):
    found = as_read(text, of)

    assert found == told
