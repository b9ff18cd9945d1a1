"""What every engine must do with lines of logs; used as `tests.engine.conformance` is."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.engine.conformance import Result, staged

from lastro.engine.protocol import Engine
from lastro.engine.scan import FileScan, Joining, LineColumn, Lines, Pairs
from lastro.model.plan import ColumnPlan, Plan
from lastro.model.schema import Primitive

P = Primitive


def taken(engine: Engine, folder: Path, content: bytes, kind: Lines, *columns: str, file: str = "a.log") -> Result:
    """The file's lines as text columns."""
    path = folder / file
    path.write_bytes(gzip.compress(content) if file.endswith(".gz") else content)
    plan = Plan("log", "sha256:0", tuple(ColumnPlan(f"c{index}", name, P.STRING) for index, name in enumerate(columns)))
    return staged(engine, plan, FileScan((path,), kind), folder / "stage")


def values(result: Result) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in result.kept]


def places(result: Result) -> list[tuple[int, int, str]]:
    return sorted((row["position"], row["offset"], row["record"]) for row in result.aside)


def test_groups_become_columns_by_their_numbers(engine: Engine, tmp_path: Path) -> None:
    kind = Lines("^(x)?([^ ]+) (.*)$", (LineColumn("[a][b]", 2), LineColumn('what\'s "this"?', 3), LineColumn("x", 1)))
    result = taken(engine, tmp_path, b"xa 1\nb 2\n\n   \nnone\nc 3", kind, "[a][b]", 'what\'s "this"?', "x")

    assert values(result) == [("a", "1", "x"), ("b", "2", None), ("c", "3", None)]
    assert places(result) == [(3, 14, "none")]
    assert result.read == 4


def test_a_match_of_no_text_is_none(engine: Engine, tmp_path: Path) -> None:
    result = taken(engine, tmp_path, b"aa\nbb\nba\n", Lines("(?P<a>a*)"), "a")

    assert values(result) == [("aa",)]
    assert places(result) == [(2, 3, "bb"), (3, 6, "ba")]


def test_what_is_no_text_is_set_aside_as_it_is_shown(engine: Engine, tmp_path: Path) -> None:
    content = b"\xef\xbb\xbfa 1\r\nb\xff 2\r\nc\x00 3\nd\r4\n" + "é 5\n".encode()
    result = taken(engine, tmp_path, content, Lines(r"^(?P<k>\S+)\s(?P<v>.*)$"), "k", "v")

    assert values(result) == [("a", "1"), ("d", "4"), ("é", "5")]
    assert places(result) == [(2, 8, "b\\xff 2"), (3, 14, "c\\x00 3")]


def test_a_compressed_file_is_placed_by_what_it_holds(engine: Engine, tmp_path: Path) -> None:
    result = taken(engine, tmp_path, b"a=1\nno\n", Lines("^(?P<k>.)=(?P<v>.)$"), "k", "v", file="a.log.gz")

    assert values(result) == [("a", "1")]
    assert places(result) == [(2, 4, "no")]


def test_lines_of_a_record_are_joined(engine: Engine, tmp_path: Path) -> None:
    content = b" before\n1 one\n at x\n\n at y\r\n\n2 two\n3\n"
    kind = Lines("^(?P<n>[0-9]) (?P<message>.*)$", joining=Joining("^[0-9]", starts=True))
    result = taken(engine, tmp_path, content, kind, "n", "message")

    assert values(result) == [("1", "one\n at x\n\n at y"), ("2", "two")]
    assert places(result) == [(1, 0, " before"), (4, content.index(b"3\n"), "3")]


def test_a_record_that_is_too_long_is_set_aside_line_by_line(engine: Engine, tmp_path: Path) -> None:
    kind = Lines("^(?P<n>[0-9]) (?P<message>.*)$", joining=Joining(r"^\s", starts=False, bytes_max=10))
    result = taken(engine, tmp_path, b"1 one\n at x\n at y\n2 two\n", kind, "n", "message")

    assert values(result) == [("2", "two")]
    assert places(result) == [(1, 0, "1 one"), (2, 6, " at x"), (3, 12, " at y")]


def test_pairs_are_columns(engine: Engine, tmp_path: Path) -> None:
    content = (
        b'level=info msg="hello \\"you\\" level=fatal" n=1.50 empty=\n'
        b"n=2 level=warn level=error path=/a?b=c\n"
        b"just words and=one\nx\n=5\n"
        b'level="no end\n'
    )
    result = taken(engine, tmp_path, content, Lines(pairs=Pairs()), "level", "msg", "n", "empty", "path")

    assert values(result) == [
        ("info", 'hello "you" level=fatal', "1.50", None, None),
        ("warn", None, "2", None, "/a?b=c"),
    ]
    assert [record for _position, _offset, record in places(result)] == [
        "just words and=one", "x", "=5", 'level="no end',
    ]  # fmt: skip


def test_pairs_have_separators_of_their_own(engine: Engine, tmp_path: Path) -> None:
    result = taken(
        engine, tmp_path, b"name: Ana Maria; age: 7;\nname:x;age:\n", Lines(pairs=Pairs(";", ":")), "name", "age"
    )

    assert values(result) == [("Ana Maria", "7"), ("x", None)]


def test_objects_are_columns(engine: Engine, tmp_path: Path) -> None:
    content = b'{"a": 1, "b": {"c": [true]}}\n{"a": "x\\ny"}\n[1]\n{"a": \n{"a": "\xff"}\n'
    result = taken(engine, tmp_path, content, Lines(objects=True), "a", "b")

    assert values(result) == [("1", '{"c":[true]}'), ("x\ny", None)]
    assert places(result) == [(3, 43, "[1]"), (4, 47, '{"a": '), (5, 54, '{"a": "\\xff"}')]


def test_syslog_s_parts_are_told(engine: Engine, tmp_path: Path) -> None:
    kind = Lines(
        r"^<([0-9]+)>(?:-|(\[.*\])) (.*)$",
        (
            LineColumn("facility", 1, "facility"),
            LineColumn("severity", 1, "severity"),
            LineColumn("data", 2, "structured"),
            LineColumn("rest", 3),
        ),
    )
    content = b'<34>[a@1 k="v \\"q\\" \\] \\\\ \\n" l=""][b] x\n<191>- y\n<999>[odd] z\n'
    result = taken(engine, tmp_path, content, kind, "facility", "severity", "data", "rest")

    assert [row[:2] for row in values(result)] == [("auth", "crit"), ("local7", "debug"), (None, "debug")]
    assert json.loads(values(result)[0][2]) == {"a@1": {"k": 'v "q" ] \\ \\n', "l": ""}, "b": {}}
    assert values(result)[1][2] is None


def test_times_without_a_year_get_that_of_the_file(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("Dec 31 23:59:59\nJan  1 00:00:01\nJan  2 10:00:00\nJan  4 10:00:00\n02-29 10:00:00.5\nsoon\n")
    changed = datetime(2026, 1, 2, 12, tzinfo=UTC).timestamp()
    os.utime(path, (changed, changed))
    kind = Lines("^(.*)$", (LineColumn("time", 1, "dated"),))
    plan = Plan("log", "sha256:0", (ColumnPlan("time", "time", P.STRING),))

    result = staged(engine, plan, FileScan((path,), kind), tmp_path / "stage")
    told = staged(engine, plan, FileScan((path,), Lines(kind.pattern, kind.columns, year=2024)), tmp_path / "other")

    assert result.column("time") == [
        "2025-12-31T23:59:59", "2026-01-01T00:00:01", "2026-01-02T10:00:00", "2025-01-04T10:00:00",
        "2024-02-29T10:00:00.5", "soon",
    ]  # fmt: skip
    assert told.column("time")[:2] == ["2024-12-31T23:59:59", "2024-01-01T00:00:01"]


def test_quoted_values_are_unquoted(engine: Engine, tmp_path: Path) -> None:
    kind = Lines('^("(?:[^"]|"")*"|[^",]*),(.*)$', (LineColumn("a", 1, "quoted"), LineColumn("b", 2, "quoted")))
    result = taken(engine, tmp_path, b'"x, ""y""","z"\n"",\nplain,\n', kind, "a", "b")

    assert values(result) == [('x, "y"', "z"), (None, None), ("plain", None)]


def test_text_of_another_encoding_is_placed_by_its_own_bytes(engine: Engine, tmp_path: Path) -> None:
    kind = Lines("^(?P<k>.)=(?P<v>.*)$", encoding="latin-1")
    result = taken(engine, tmp_path, "é=São\nnão\nã=ç\n".encode("latin-1"), kind, "k", "v")

    assert values(result) == [("é", "São"), ("ã", "ç")]
    assert places(result) == [(2, 6, "não")]
