"""Parts of files: a scan's spans, of plain and compressed logs."""

import gzip

import pytest

from lastro.engine.duck import feed
from lastro.engine.duck.failure import Refused
from lastro.engine.scan import Csv, FileScan, Lines, Span
from lastro.model.errors import SourceChanged
from lastro.model.plan import ColumnPlan, Plan
from lastro.model.schema import Primitive

LINES = Lines("^(?P<word>[a-z]+) (?P<number>[0-9]+)$")
PLAN = Plan("logs", "", tuple(ColumnPlan(name, name, Primitive.STRING) for name in ("word", "number")))


@pytest.fixture(params=["app.log", "app.log.gz"])
def log(request, tmp_path):
    path = tmp_path / request.param
    text = b"".join(b"line %d\n" % number for number in range(300_000))
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path, text


@pytest.mark.parametrize(("begin", "end"), [(0, 7), (7, 14), (7, 7), (1 << 20, (1 << 21) + 5), (0, 3_488_890)])
def test_a_part_is_those_bytes(log, begin, end):
    path, text = log

    found = b"".join(feed.raw_blocks(path, span=Span(begin, end)))

    assert found == text[begin:end]


def test_a_part_that_is_not_there_is_refused(log):
    path, text = log

    with pytest.raises(Refused, match="ended"):
        list(feed.raw_blocks(path, span=Span(0, len(text) + 1)))


def test_the_rows_of_a_part(engine, log, tmp_path):
    path, text = log
    begin, end = text.index(b"line 1000\n"), text.index(b"line 250000\n")

    staged = engine.stage(PLAN, FileScan((path,), LINES, (Span(begin, end),)), tmp_path, batch="b")

    assert staged.counts.kept == 249_000


def test_a_file_cut_while_it_is_read_has_changed(engine, log, tmp_path):
    path, text = log

    with pytest.raises(SourceChanged, match="ended before"):
        engine.stage(PLAN, FileScan((path,), LINES, (Span(0, len(text) + 8),)), tmp_path, batch="b")


def test_only_lines_have_parts(log):
    path, _text = log

    with pytest.raises(ValueError, match="of lines"):
        FileScan((path,), Csv(), (Span(0, 1),))
