"""Progress of files and streams: bytes that were read, of those that there are."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.engine.conformance import simple, staged

from lastro.engine.duck import staging
from lastro.engine.duck.engine import DuckEngine
from lastro.engine.scan import Csv, FileScan, JsonLines, Lines, Parquet, Span, StreamScan
from lastro.model.progress import Progress
from lastro.model.schema import Primitive

ROWS = 400_000
PLAN = simple({"n": Primitive.STRING})


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Stages a scan and gives what was told; told often, so that little is enough."""

    def stage(scan):
        seen = []
        staged(DuckEngine(), PLAN, scan, tmp_path / "stage", progress=seen.append)
        return seen

    monkeypatch.setattr(staging, "PROGRESS_SECONDS", 0.0)
    return stage


def written(path, kind):
    texts = [f"{n:010d}" for n in range(ROWS)]
    match kind:
        case Csv():
            path.write_text("n\n" + "\n".join(texts) + "\n")
        case JsonLines():
            path.write_text("".join(json.dumps({"n": text}) + "\n" for text in texts))
        case Lines():
            path.write_text("\n".join(texts))
        case Parquet():
            pq.write_table(pa.table({"n": texts}), path)
    return path


@pytest.mark.parametrize(
    "kind", [Csv(), JsonLines(), Lines("(?P<n>.*)"), Parquet()], ids=lambda kind: type(kind).__name__
)
def test_bytes_of_a_file_grow_to_its_size(told, tmp_path, kind):
    path = written(tmp_path / "rows", kind)
    seen = told(FileScan((path,), kind))
    last = seen[-1]

    assert seen == sorted(seen, key=lambda progress: progress.bytes)
    assert all(progress.bytes <= path.stat().st_size == progress.bytes_expected for progress in seen)
    assert last.share == pytest.approx(last.rows / ROWS, abs=0.3)
    assert last.rows == ROWS
    assert last.share == pytest.approx(1.0, abs=0.05)


def test_files_add_up_and_a_part_counts_as_a_part(told, tmp_path):
    one, other = written(tmp_path / "one", Lines("")), written(tmp_path / "other", Lines(""))
    line = 11
    seen = told(FileScan((one, other), Lines("(?P<n>.*)"), (Span(line, line * 1001), Span(0, line * 3000))))

    assert seen[-1] == Progress(4000, line * 4000, bytes_expected=line * 4000)


def test_of_a_compressed_file_nothing_is_known_until_its_end(told, tmp_path):
    first, second = tmp_path / "first.csv.gz", written(tmp_path / "second.csv", Csv())
    first.write_bytes(gzip.compress(second.read_bytes()))
    seen = told(FileScan((first, second), Csv()))

    assert seen[0].bytes == 0
    assert seen[-1].share == pytest.approx(1.0, abs=0.05)


def test_of_a_stream_the_rows_that_its_source_counted_are_the_whole(told):
    table = pa.table({"n": [f"{n}" for n in range(1000)]})
    last = told(StreamScan(table, "core.table", rows=4000))[-1]

    assert (last.rows, last.rows_expected, last.share) == (1000, 4000, 0.25)
    assert last.bytes == table.nbytes


def test_without_a_count_a_stream_has_no_share(told):
    assert told(StreamScan(pa.table({"n": ["1"]}), "core.table"))[-1].share is None
