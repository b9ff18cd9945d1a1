"""Rows from Python: whatever code gives arrives whole, once, and its errors say where and not what."""

import datetime as dt
import enum
import json
import math
import subprocess
import sys
import uuid
from collections import namedtuple
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.source.conformance import *  # noqa: F403
from tests.source.conformance import World, take

import lastro
from lastro.engine.registry import create as create_engine
from lastro.model.errors import ConfigurationError, SourceBroken, SourceChanged
from lastro.model.version import Mode
from lastro.source import create
from lastro.source.protocol import Unchanged
from lastro.source.python.rows import scan_of
from lastro.source.stream import telling

SECRET = "hunter2-123.456.789-09"
CODE = """
from pathlib import Path
from lastro import Cursor

def rows(cursor):
    after = cursor["last"] if cursor else 0
    for line in Path({path!r}).read_text().split():
        if int(line) > after:
            yield {{"id": int(line)}}
            yield Cursor(last=int(line))
"""


def python(base, code, function="rows", **options):
    (base / "sources").mkdir(exist_ok=True)
    (base / "sources" / "mine.py").write_text(code)
    return create({"kind": "python", "function": f"sources/mine.py:{function}", **options}, base=base)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "place.txt").write_text("1 2 3")
    return tmp_path / "place.txt"


@pytest.fixture
def world(tmp_path, place, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", SECRET)
    code = "from pathlib import Path\ndef rows(token):\n"
    code += f"    return [{{'id': int(line)}} for line in Path({str(place)!r}).read_text().split()]\n"
    return World(
        make=lambda: python(tmp_path, code, arguments={"token": "${MY_TOKEN}"}),
        rows=3,
        change=lambda: place.write_text("1 2 3 4"),
        vanish=place.unlink,
        secrets=(SECRET,),
        batched=lambda: python(tmp_path, CODE.format(path=str(place)), batch_rows=1),
        large=lambda: python(tmp_path, "def rows():\n    yield from ({'a': 'x' * 5_000} for _ in range(30_000))\n"),
    )


def records(items):
    """What a stream of records holds, as JSON."""
    scan, stream = scan_of(items, "mine")
    assert scan.records
    with telling(stream):
        texts = pa.table(pa.RecordBatchReader.from_stream(scan.stream)).column(0).to_pylist()
    return [json.loads(text) for text in texts]


def frame(items):
    scan, stream = scan_of(items, "mine")
    assert not scan.records
    with telling(stream):
        return pa.table(pa.RecordBatchReader.from_stream(scan.stream))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8"))
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=6,
)
ROWS = st.lists(st.dictionaries(st.text(st.characters(codec="utf-8")), VALUES, max_size=4), max_size=6)


@given(ROWS, st.integers(1, 3))
def test_dicts_arrive_as_they_are_alone_or_in_lists(rows, size):
    assert records(iter(rows)) == rows
    assert records(rows[at : at + size] for at in range(0, len(rows), size)) == rows


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: int


Named = namedtuple("Named", "a b")


def test_values_that_json_lacks_lose_nothing():
    import numpy as np
    import pandas as pd

    zone = dt.timezone(dt.timedelta(hours=-3))
    given = {
        "big": 2**200,
        "decimal": Decimal("0.10000000000000000000000000000000000001"),
        "exponent": Decimal("1E+3"),
        "moment": dt.datetime(2026, 1, 31, 12, 0, 0, 5, zone),
        "day": dt.date(1500, 1, 1),
        "time": dt.time(8, 5),
        "span": dt.timedelta(days=1, milliseconds=5),
        "bytes": b"\x00\xff",
        "nan": math.nan,
        "low": -math.inf,
        "colour": Colour.RED,
        "id": uuid.UUID(int=7),
        "point": Point(3),
        "set": {4},
        "deep": {"a": [{"b": Decimal("1.50")}]},
        "numpy": np.int64(2**62),
        "array": np.array([1.5, 2]),
        "pandas": pd.Timestamp("2026-01-31T01:02:03.000000004"),
        "nat": pd.NaT,
        "na": pd.NA,
        7: "a key that is no text",
    }

    (found,) = records([given])

    assert found == {
        "big": 2**200,
        "decimal": "0.10000000000000000000000000000000000001",
        "exponent": "1000",
        "moment": "2026-01-31T12:00:00.000005-03:00",
        "day": "1500-01-01",
        "time": "08:05:00",
        "span": 86400.005,
        "bytes": "AP8=",
        "nan": "nan",
        "low": "-inf",
        "colour": "red",
        "id": "00000000-0000-0000-0000-000000000007",
        "point": {"x": 3},
        "set": [4],
        "deep": {"a": [{"b": "1.50"}]},
        "numpy": 2**62,
        "array": [1.5, 2.0],
        "pandas": "2026-01-31T01:02:03.000000004",
        "nat": None,
        "na": None,
        "7": "a key that is no text",
    }


def test_rows_of_other_kinds_and_frames_among_dicts_are_rows():
    import polars as pl

    assert records([Named(1, 2), [Point(3)], {"late": 1}, pl.DataFrame({"a": [5]})]) == [
        {"a": 1, "b": 2},
        {"x": 3},
        {"late": 1},
        {"a": 5},
    ]


@pytest.mark.parametrize("bad", ["text", 7, b"bytes", [["nested"]], object()])
def test_what_is_no_row_is_refused_by_its_kind(bad):
    with pytest.raises(SourceBroken) as caught:
        records([{"a": 1}, bad])
    assert "text" not in str(caught.value)


def test_what_is_nested_too_deep_is_refused():
    deep = []
    for _level in range(100):
        deep = [deep]

    with pytest.raises(SourceBroken):
        records([{"a": deep}])


def arrow(**columns):
    return pa.table(columns)


def frames_of_every_library():
    import pandas as pd
    import polars as pl

    table = arrow(a=[1, 2], b=["x", None])
    return {
        "table": table,
        "batch": table.to_batches()[0],
        "reader": table.to_reader(),
        "polars": pl.DataFrame({"a": [1, 2], "b": ["x", None]}),
        "pandas": pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=[7, 8]),
    }


@pytest.mark.parametrize("library", ["table", "batch", "reader", "polars", "pandas"])
def test_frames_keep_their_types(library):
    found = frame(iter([frames_of_every_library()[library], frames_of_every_library()["table"]]))

    assert found.num_rows == 4
    assert found.column_names == ["a", "b"]
    assert found.column("a").to_pylist() == [1, 2, 1, 2]
    assert found.schema.field("a").type == pa.int64()


def test_the_first_frames_are_united_and_later_ones_must_fit():
    united = frame([arrow(a=pa.nulls(1)), arrow(a=["x"], late=[1]), arrow(late=pa.array([2], pa.int8()))])
    assert united.to_pylist() == [{"a": None, "late": None}, {"a": "x", "late": 1}, {"a": None, "late": 2}]

    many = [arrow(a=[1])] * 20
    for misfit in (arrow(b=[1]), arrow(a=["x"]), arrow(a=[2**63 - 1], b=[1]), {"a": 1}):
        with pytest.raises(SourceBroken):
            frame([*many, misfit])
    assert frame([*many, arrow(a=pa.array([7], pa.int8()))]).column("a").to_pylist()[-1] == 7
    with pytest.raises(SourceBroken, match="the column a is string in a frame and int64"):
        frame([arrow(a=[1]), arrow(a=["x"])])


def test_a_function_is_read_from_its_cursor_and_each_row_once(tmp_path, place):
    source = python(tmp_path, CODE.format(path=str(place)))
    rows, cursor = take(source, None, Mode.APPEND)
    assert rows == 3

    place.write_text("1 2 3 4 5")
    rows, cursor = take(source, json.loads(json.dumps(cursor)), Mode.APPEND)

    assert rows == 2
    assert cursor["value"] == {"last": 5}
    assert isinstance(take(source, cursor, Mode.APPEND), Unchanged)
    assert take(source, cursor, Mode.OVERWRITE)[0] == 5


def test_a_long_function_stops_at_a_cursor_and_goes_on(tmp_path, place):
    place.write_text(" ".join(map(str, range(1, 11))))
    source = python(tmp_path, CODE.format(path=str(place)), batch_rows=4)
    counts, cursor, more = [], None, True
    while more:
        with source.open(cursor, Mode.APPEND) as opened:
            if isinstance(opened, Unchanged):
                break
            reader = pa.RecordBatchReader.from_stream(opened.scan.stream)
            counts.append(sum(batch.num_rows for batch in reader))
            cursor, more = opened.watermark(), opened.more()

    assert counts == [4, 4, 2]
    assert take(source, None, Mode.OVERWRITE)[0] == 10


def test_a_cursor_may_be_returned(tmp_path):
    code = "def rows(cursor):\n    yield [{'a': 1}]\n    return {'seen': 1 + (cursor or {'seen': 0})['seen']}\n"
    source = python(tmp_path, code)

    _rows, cursor = take(source, None, Mode.APPEND)
    _rows, cursor = take(source, cursor, Mode.APPEND)

    assert cursor["value"] == {"seen": 2}


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def rows(cursor):\n    yield {'a': 1}\n", "1 row came behind the last cursor"),
        (
            "from lastro import Cursor\ndef rows(cursor):\n    yield Cursor(a=1)\n    yield {'a': 1}\n",
            "behind the last",
        ),
        ("from lastro import Cursor\ndef rows(cursor):\n    yield Cursor(a=object())\n", "JSON does not"),
        ("from lastro import Cursor\ndef rows(cursor):\n    yield Cursor(a=float('nan'))\n", "JSON does not"),
        ("from lastro import Cursor\ndef rows(cursor):\n    yield Cursor(a='x' * 2_000_000)\n", "too large"),
    ],
)
def test_a_cursor_that_cannot_be_kept_is_refused(tmp_path, code, says):
    with pytest.raises(SourceBroken, match=says) as caught:
        take(python(tmp_path, code), None, Mode.APPEND)
    assert caught.value.do


def test_append_of_a_function_without_cursor_is_refused_the_second_time(tmp_path):
    source = python(tmp_path, "def rows():\n    return [{'a': 1}]\n")
    _rows, cursor = take(source, None, Mode.APPEND)

    with pytest.raises(ConfigurationError, match="double every row"):
        take(source, cursor, Mode.APPEND)
    with pytest.raises(SourceChanged, match="another kind"):
        take(source, {"files": []}, Mode.APPEND)


HELPER = "def broken(value):\n    return int(value)\n"


@pytest.mark.parametrize(
    ("code", "line", "kind"),
    [
        (f"def rows():\n    raise ValueError('{SECRET}')\n", 2, "ValueError"),
        (f"def rows():\n    yield {{'a': 1}}\n    x = '{SECRET}'\n    yield {{'a': int(x)}}\n", 4, "ValueError"),
        (f"x = {{}}['{SECRET}']\n", 1, "KeyError"),
        (f"def rows():\n    import json\n    yield json.loads('{SECRET}')\n", 3, "JSONDecodeError"),
        ("def rows():\n    yield {'a': 1}\n    raise StopIteration\n", 3, "StopIteration"),
        ("def rows()\n", None, "SyntaxError"),
    ],
)
def test_an_error_in_a_persons_code_is_told_by_its_place_and_not_by_its_values(tmp_path, code, line, kind):
    with pytest.raises(SourceBroken) as caught:
        take(python(tmp_path, code), None, Mode.OVERWRITE)

    assert kind in caught.value.what
    if line:
        assert caught.value.where == f"sources/mine.py, line {line}"
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("sources/mine.py:nothing", "has no nothing"),
        ("sources/none.py:rows", "names no function"),
        ("../outside.py:rows", "names no function"),
        ("/etc/passwd:rows", "names no function"),
        ("sources/mine.py", "names no function"),
        ("json:loads", "names no function"),
        ("sources/mine.py:NUMBER", "no function"),
    ],
)
def test_only_functions_in_files_of_the_workspace_are_called(tmp_path, function, says):
    inner = tmp_path / "lake"
    inner.mkdir()
    (tmp_path / "outside.py").write_text("def rows():\n    return [{'a': 1}]\n")
    python(inner, "NUMBER = 7\n")

    with pytest.raises(ConfigurationError, match=says):
        take(create({"kind": "python", "function": function}, base=inner))


def test_a_link_out_of_the_workspace_is_not_followed(tmp_path):
    inner = tmp_path / "lake"
    inner.mkdir()
    (tmp_path / "outside.py").write_text("def rows():\n    return [{'a': 1}]\n")
    (inner / "in.py").symlink_to(tmp_path / "outside.py")

    with pytest.raises(ConfigurationError, match="names no function"):
        take(create({"kind": "python", "function": "in.py:rows"}, base=inner))


def test_siblings_can_be_imported_and_arguments_are_given(tmp_path):
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "shared_by_my_sources.py").write_text("TIMES = 3\n")
    code = "from shared_by_my_sources import TIMES\ndef rows(what):\n    return [{'a': what}] * TIMES\n"

    assert take(python(tmp_path, code, arguments={"what": 7}))[0] == 3
    with pytest.raises(ConfigurationError, match="sounds like a secret"):
        python(tmp_path, code, arguments={"api_token": "hunter2"})


def test_the_engine_reads_late_columns_and_mixed_types(tmp_path):
    engine = create_engine("duckdb", memory_mb=256, threads=1, temp=None)
    code = "def rows():\n    yield {'n': 1}\n    yield {'n': 2**70, 'late': {'a': [1]}}\n    yield [{'n': 'three'}]\n"

    with python(tmp_path, code).open(None, Mode.OVERWRITE) as opened:
        samples = {sample.column.name: sample for sample in engine.sample(opened.scan)}

    assert samples["n"].values == ("1", "1180591620717411303424", "three")
    assert json.loads(samples["late"].values[0]) == {"a": [1]}


def test_a_dataset_takes_a_generator(tmp_path):
    workspace = lastro.init(tmp_path / "lake")
    (tmp_path / "lake" / "a.jsonl").write_text('{"id": 1}\n')
    workspace.add("a.jsonl", name="things")

    result = workspace.dataset("things").ingest(data=({"id": number} for number in range(5)))
    assert result.counts.kept == 5

    def broken():
        yield {"id": 1}
        raise ValueError(SECRET)

    with pytest.raises(SourceBroken, match="ValueError") as caught:
        workspace.dataset("things").ingest(data=broken())
    assert SECRET not in str(caught.value)
    assert workspace.dataset("things").log()[0].rows == 5


def test_neither_polars_nor_pandas_is_loaded_unless_it_is_used(tmp_path):
    code = "import sys\nfrom lastro.source.python.rows import scan_of\nscan_of([{'a': 1}], 'x')\n"
    code += "print({'pandas', 'polars', 'dlt'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "code", ["import sys\nsys.exit(0)\n", "import sys\ndef rows():\n    yield {'id': 1}\n    sys.exit(0)\n"]
)
def test_code_that_ends_the_program_ends_its_own_reading_alone(tmp_path, code):
    with pytest.raises(SourceBroken, match="SystemExit"):
        take(python(tmp_path, code))
