"""Lines that mean harm, patterns that would explode elsewhere: the parent lives, nothing is lost, the rest is read."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest
from tests.engine.duck.conftest import Result

from lastro.engine.duck.engine import DuckEngine
from lastro.engine.scan import FileScan, Joining, LineColumn, Lines, Pairs
from lastro.model.errors import LastroError, SourceBroken
from lastro.model.plan import ColumnPlan, Plan
from lastro.model.schema import Primitive


def read(engine: DuckEngine, path: Path, kind: Lines, *names: str) -> Result:
    import pyarrow.parquet as pq

    folder = path.parent / f"stage-{path.name}"
    folder.mkdir()
    plan = Plan("t", "", tuple(ColumnPlan(f"c{index}", name, Primitive.STRING) for index, name in enumerate(names)))
    staged = engine.stage(plan, FileScan((path,), kind), folder, batch="b")
    kept, aside = (
        [row for file in files for row in pq.read_table(file.path).to_pylist()]
        for files in (staged.kept, staged.quarantined)
    )
    assert staged.counts.conserved
    return Result(staged, kept, aside)


WHOLE = Lines("^(?P<k>[a-z]+) (?P<v>.*)$")


@pytest.mark.parametrize(
    ("content", "kept", "aside"),
    [
        (b"", 0, 0),
        (b"\n\n \n", 0, 0),
        (b"\xef\xbb\xbf", 0, 0),
        (b"\xef", 0, 1),
        (b"\0" * 100_000 + b"a b\n", 0, 1),
        (b"a b\n" + b"\0" * 3_000_000 + b"\na c\n", 2, 1),
        (b"a " + b"x" * 10_000_000 + b"\na b\n", 2, 0),
        (b"a " + b"x" * 40_000_000 + b"\na b\n", 1, 3),
        (b"a \xc3\n\xa9\na b", 1, 2),
        (b"a 1\rb 2\rc 3\r", 1, 0),
        (b"a 1\r\n\r\nb 2\r\n", 2, 0),
        (b"\xff\xfea\x00 \x00b\x00\n\x00", 0, 2),
        (b"a \x1b[31mred\x07\x08\n", 1, 0),
        ("a \u2028\u0085\x0b\x0c\n".encode(), 1, 0),
    ],
    ids=range(14),
)
def test_bytes_of_any_kind_are_read_or_set_aside(
    engine: DuckEngine, tmp_path: Path, content: bytes, kept: int, aside: int
) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(content)
    result = read(engine, path, WHOLE, "k", "v")

    assert (len(result.kept), len(result.aside)) == (kept, aside)
    for row in result.aside:
        assert content[row["offset"] :].startswith(row["record"].encode()[:1]) or "\\x" in row["record"]


def test_a_long_line_keeps_every_byte(engine: DuckEngine, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"a " + b"x" * 10_000_000 + b"\n")

    assert read(engine, path, WHOLE, "k", "v").kept[0]["c1"] == "x" * 10_000_000


@pytest.mark.parametrize("pattern", ["^(?P<k>(a+)+)$", "^(?P<k>(a|aa)+)$", "(?P<k>(.*)*)x$", "^(?P<k>(a*)*b)$"])
def test_a_pattern_that_explodes_elsewhere_runs_in_linear_time(
    engine: DuckEngine, tmp_path: Path, pattern: str
) -> None:
    path = tmp_path / "a.log"
    path.write_bytes((b"a" * 5_000 + b"!\n") * 20)

    begun = time.process_time()
    result = read(engine, path, Lines(pattern), "k")

    assert len(result.aside) == 20
    assert time.process_time() - begun < 60  # exponential would be beyond the age of the universe


@pytest.mark.parametrize(
    "pattern",
    [
        "(?P<k>a",
        "(?P<k>[z-a])",
        r"(?P<k>a)\1",
        "(?P<k>(?=a))",
        "(?P<k>(((a{1000}){1000}){1000}))",
        "(?P<k>\\",
        "no groups",
    ],
    ids=range(7),
)
def test_a_pattern_that_is_none_is_refused(engine: DuckEngine, tmp_path: Path, pattern: str) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"a\n")

    with pytest.raises(SourceBroken, match="line pattern") as caught:
        read(engine, path, Lines(pattern), "k")
    assert pattern not in str(caught.value) or pattern == "no groups"


def test_a_pattern_for_joining_is_proven_too(engine: DuckEngine, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"a b\n")

    with pytest.raises(SourceBroken, match="line pattern"):
        read(engine, path, Lines(WHOLE.pattern, joining=Joining("(", starts=True)), "k", "v")


def test_five_hundred_columns(engine: DuckEngine, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b",".join(b"%d" % number for number in range(500)) + b"\n1,2\n")
    columns = tuple(LineColumn(f"c {number}", number) for number in range(1, 501))
    result = read(engine, path, Lines("^" + ",".join(["([^,]*)"] * 500) + "$", columns), "c 1", "c 500")

    assert result.kept == [{"c0": "0", "c1": "499"}]
    assert len(result.aside) == 1


@pytest.mark.parametrize("kind", [Lines(pairs=Pairs()), Lines(objects=True), WHOLE])
def test_what_looks_like_sql_or_json_is_text(engine: DuckEngine, tmp_path: Path, kind: Lines) -> None:
    path = tmp_path / "a.log"
    evil = "'); DROP TABLE x; --"
    path.write_text(f'k="{evil}" v=1\n{{"k": "{evil}"}}\nk {evil}\n' + '{"k":' * 5_000 + "\n")
    result = read(engine, path, kind, "k", "v")

    assert len(result.kept) == 1
    assert evil in next(iter(filter(None, result.kept[0].values()))) or result.kept[0]["c1"] == evil
    assert len(result.aside) == 3


def test_a_compressed_file_that_ends_too_early_is_refused_whole(engine: DuckEngine, tmp_path: Path) -> None:
    path = tmp_path / "a.log.gz"
    path.write_bytes(gzip.compress(b"a b\n" * 100_000)[:-100])

    with pytest.raises(SourceBroken, match="ends too early"):
        read(engine, path, WHOLE, "k", "v")


def test_a_bomb_of_blank_space_stays_within_its_memory(tmp_path: Path) -> None:
    engine = DuckEngine(memory_mb=200, address_mb=3_000, temp=tmp_path / "spill")
    path = tmp_path / "a.log.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for _block in range(200):
            stream.write(b" " * (1 << 20))
        stream.write(b"\na b\n")
    try:
        result = read(engine, path, WHOLE, "k", "v")
    except LastroError as refused:
        assert refused.code in ("LST-0304", "LST-0305")
    else:
        assert [row["c1"] for row in result.kept] == ["b"]
