"""Files that lie, break off or attack: a clear error or the quarantine, and nothing lost in silence."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.engine.duck.conftest import Stage, plan

from lastro.engine.duck.engine import DuckEngine
from lastro.engine.scan import Csv, FileScan, JsonLines, Lines, Parquet
from lastro.model.errors import LastroError, LimitExceeded, SourceBroken
from lastro.model.finding import Policy
from lastro.model.plan import OneOf, RowRule
from lastro.model.schema import Decimal, Primitive

LONG, STRING = Primitive.LONG, Primitive.STRING
SECRET = "123.456.789-09"


def test_ragged_records_are_set_aside_whole_and_in_place(stage: Stage) -> None:
    content = b'a,b\n1,x\n\n2\n3,"multi\nline"\n\r\n4,y,z\nq,w\n5,"a""b"\n\n6\n'
    result = stage(plan("b", a=LONG), content, Csv())

    assert [row["a"] for row in result.kept] == [1, 3, 5]
    assert result.places == [
        ("a.csv", 2, ["malformed"], "2"),
        ("a.csv", 4, ["malformed"], "4,y,z"),
        ("a.csv", 5, ["a.type"], '{"a":"q","b":"w"}'),
        ("a.csv", 7, ["malformed"], "6"),
    ]
    assert result.staged.counts.read == 7
    assert {row["form"] for row in result.aside} == {"raw", "text"}


def test_positions_are_right_in_a_large_file_whatever_a_rule_compares_with(stage: Stage) -> None:
    rows = 400_000  # several buffers of the reader; and a list so long that DuckDB would rather join with it
    bad, wrong = set(range(1000, rows, 7919)), set(range(500, rows, 6007))
    filler = "value " * 45
    lines = [
        f"{index}" if index in bad else f"{'x' if index in wrong else index},{filler},u{index % 20}"
        for index in range(1, rows + 1)
    ]
    what = plan("b", "c", a=LONG)
    listed = RowRule("c.values", OneOf("c", tuple(f"u{index}" for index in range(20))), Policy.QUARANTINE)
    what = replace(what, row_rules=(*what.row_rules, listed))
    result = stage(what, ("a,b,c\n" + "\n".join(lines) + "\n").encode(), Csv())

    places = {row["position"]: row["rules"] for row in result.aside}
    assert places == {index: ["malformed"] if index in bad else ["a.type"] for index in wrong | bad}
    assert [row["a"] for row in result.kept] == [index for index in range(1, rows + 1) if index not in places]


def test_what_is_not_utf_8_is_set_aside_with_its_bytes_shown(stage: Stage) -> None:
    content = "a,b\n1,é\n".encode() + b"2,\xe9\xff\n3,x\n" + b"4," + b"y" * 12_000 + b"\xe9\n"
    result = stage(plan("a", "b"), content, Csv())

    assert [row["a"] for row in result.kept] == ["1", "3"]
    assert result.places == [
        ("a.csv", 2, ["malformed"], "2,\\xe9\\xff"),
        ("a.csv", 4, ["malformed"], "4," + "y" * 12_000 + "\\xe9"),
    ]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_long_malformed_record_is_kept_whole(stage: Stage, name: str) -> None:
    record = b"1,2," + b"x" * 50_000
    content = b"a,b\n0,0\n" + record + b"\n9,9\n"
    result = stage(plan("a", "b"), gzip.compress(content) if name.endswith("gz") else content, Csv(), name=name)

    assert result.places == [(name, 2, ["malformed"], record.decode())]
    assert [row["a"] for row in result.kept] == ["0", "9"]


def test_mixed_line_ends_are_read(stage: Stage) -> None:
    result = stage(plan("a", "b"), b'a,b\r\n1,"x\r\ny"\n2,y\r\n3,z\r4,"\n"\n', Csv())

    assert [(row["a"], row["b"]) for row in result.kept] == [("1", "x\r\ny"), ("2", "y"), ("3", "z"), ("4", "\n")]


def test_a_byte_order_mark_is_no_part_of_a_name(stage: Stage) -> None:
    result = stage(plan("a", "b"), b"\xef\xbb\xbfa,b\n1,2\n", Csv())

    assert result.kept == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16"])
def test_other_encodings_are_read(stage: Stage, encoding: str) -> None:
    result = stage(plan("código", "b"), "código,b\n1,ção\n2,\n3\n".encode(encoding), Csv(encoding=encoding))

    assert result.kept == [{"código": "1", "b": "ção"}, {"código": "2", "b": None}]
    assert result.places == [("a.csv", 3, ["malformed"], "3")]


def test_numbers_beyond_range_and_days_that_do_not_exist_are_set_aside(stage: Stage) -> None:
    what = plan(n=LONG, d=Primitive.DATE, p=Decimal(5, 2), t=Primitive.TIMESTAMP)
    content = (
        "n,d,p,t\n1,2024-02-29,999.99,2024-01-01T00:00:00Z\n9223372036854775808,2024-01-01,1,2024-01-01T00:00\n"
        "1,2023-02-29,1,\n1,2024-13-01,1000.00,2024-01-01T25:00:00Z\n1e999,0000-00-00,1.001,x\n"
    )
    result = stage(what, content.encode(), Csv())

    assert result.staged.counts.kept == 1
    assert dict(result.staged.refused) == {"n.type": 2, "d.type": 3, "p.type": 2, "t.type": 2, "malformed": 0}


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", SourceBroken, "empty"),
        (b"\n\n", SourceBroken, "empty"),
        (b"a,a\n1,2\n", SourceBroken, "columns 1 and 2"),
        (b"a,,b\n1,2,3\n", SourceBroken, "column 2"),
        (b"a,b\n1,2\n1,x\0y\n", SourceBroken, "line 3"),
        (b"a,\xe7\n1,2\n", SourceBroken, "UTF-8"),
        (",".join(f"c{i}" for i in range(200_000)).encode(), LimitExceeded, "200000 columns"),
        (b"a,b\n1,2\n" + b"1," + b"x" * (18 << 20) + b"\n3,4\n", LimitExceeded, "line 3"),
        (b'a,b\n1,2\n1,"x\n' + b"3,4\n" * 100, SourceBroken, "line 3"),
        (b'a,b\n1,2\n1,"x\n' + b"3,4\n" * 5_000_000, SourceBroken, "line 3"),
        (b'a,b\n1,"' + b"x\n" * (10 << 20) + b'"\n3,4\n', SourceBroken, "line 2"),
    ],
    ids=[
        "empty", "blank", "same names", "no name", "NUL", "header not UTF-8", "200,000 columns", "18 MiB cell",
        "open quote", "open quote, 20 MB", "20 MB quoted",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_place(
    stage: Stage, content: bytes, error: type[LastroError], words: str
) -> None:
    with pytest.raises(error) as caught:
        stage(plan("a", "b"), content, Csv())
    assert words in str(caught.value)
    assert caught.value.do
    assert "a.csv" in caught.value.where


def test_an_error_never_holds_a_value(stage: Stage, tmp_path: Path) -> None:
    for content, form in [
        (f"{SECRET},{SECRET}\n1,2\n".encode(), Csv()),
        (f'a,b\n1,"{SECRET}\n1,2\n'.encode(), Csv()),
        (f"a,b\n{SECRET}\0,2\n".encode(), Csv()),
        (f"PAR1{SECRET}".encode(), Parquet()),
        (f"{SECRET}\n".encode(), Lines("(?P<broken")),
    ]:
        with pytest.raises(LastroError) as caught:
            stage(plan("a"), content, form)
        assert SECRET not in str(caught.value) + repr(caught.value) + json.dumps(caught.value.to_dict())


@pytest.mark.parametrize("cut", [2, 9, 1000])
def test_truncated_compressed_text_is_refused(stage: Stage, cut: int) -> None:
    content = b"a,b\n" + b"".join(b"%d,value\n" % index for index in range(50_000))
    for name, packed in [
        ("a.csv.gz", gzip.compress(content)),
        ("a.csv.zst", pa.Codec("zstd").compress(content, asbytes=True)),
    ]:
        with pytest.raises(SourceBroken, match="too early"):
            stage(plan("a", "b"), packed[:-cut], Csv(), name=name)


def test_links_devices_and_folders_are_not_followed(engine: DuckEngine, tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("a\n1\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    (tmp_path / "passwd.csv").symlink_to("/etc/passwd")

    for path in (tmp_path / "link.csv", tmp_path / "passwd.csv", Path("/dev/zero"), tmp_path):
        with pytest.raises(SourceBroken, match="link"):
            engine.describe(FileScan((path,), Csv()))


DEEP = "[" * 100_000 + "]" * 100_000


def test_json_nested_deep_hurts_nobody(stage: Stage) -> None:
    content = f'{{"a": {DEEP}, "b": 1}}\n{DEEP}\n{{"a": {"[" * 100_000}\n{{"a": 2, "b": 3}}\n'.encode()
    result = stage(plan("a", b=LONG), content, JsonLines(), name="a.jsonl")

    assert [row["b"] for row in result.kept] == [1, 3]
    assert result.kept[0]["a"] == DEEP
    assert [(place[1], place[2]) for place in result.places] == [(2, ["malformed"]), (3, ["malformed"])]


def test_json_lines_not_in_utf_8_or_with_stray_controls_keep_their_place(stage: Stage) -> None:
    content = b'{"a":1}\n\n{"a":"\xff"}\n  \n{"a":\r2}\r\n\n{"a":"\xc3("}\nbad\x01\n{"a":"x"}\n'
    result = stage(plan(a=LONG), content, JsonLines(), name="a.jsonl")

    assert [row["a"] for row in result.kept] == [1, 2]
    assert result.places == [
        ("a.jsonl", 2, ["malformed"], '{"a":"\\xff"}'),
        ("a.jsonl", 4, ["malformed"], '{"a":"\\xc3("}'),
        ("a.jsonl", 5, ["malformed"], "bad\x01"),
        ("a.jsonl", 6, ["a.type"], '{"a":"x"}'),
    ]
    assert result.staged.counts.read == 6


def test_keys_of_json_are_taken_literally(stage: Stage) -> None:
    names = ["a/b", "a~b", 'say "x"', "$.a", "0", "*", "ação", "a.b", "a'b"]
    content = json.dumps({name: f"v{index}" for index, name in enumerate(names)}).encode()
    result = stage(plan(*names), content, JsonLines(), name="a.jsonl")

    assert result.kept == [{name: f"v{index}" for index, name in enumerate(names)}]


def test_whole_numbers_of_any_size_keep_their_digits(stage: Stage) -> None:
    digits = "1234567890" * 12
    result = stage(plan("a"), f'{{"a": {digits}}}\n'.encode(), JsonLines(), name="a.jsonl")

    assert result.kept == [{"a": digits}]


def test_broken_parquet_is_refused(stage: Stage, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["x" * 50] * 100_000}), tmp_path / "good.parquet", use_dictionary=False)
    good = (tmp_path / "good.parquet").read_bytes()
    flipped = bytearray(good)
    flipped[len(good) // 2 :] = bytes(reversed(good[len(good) // 2 :]))

    for content in (good[: len(good) // 2], good[:-1], b"PAR1", b"a,b\n1,2\n", bytes(flipped), b""):
        with pytest.raises((SourceBroken, LimitExceeded)):
            stage(plan("a"), content, Parquet(), name="a.parquet")


def test_a_parquet_bomb_stays_in_its_child(tmp_path: Path) -> None:
    bomb = pa.table(
        {"a": pa.DictionaryArray.from_arrays(pa.array([0] * 60_000, pa.int32()), pa.array(["x" * 1_000_000]))}
    )
    pq.write_table(bomb, tmp_path / "bomb.parquet", compression="zstd")
    folder = tmp_path / "stage"
    folder.mkdir()
    engine = DuckEngine(temp=tmp_path / "spill", memory_mb=300, address_mb=1500)

    assert (tmp_path / "bomb.parquet").stat().st_size < 1_000_000
    with pytest.raises(LimitExceeded):
        engine.stage(plan("a"), FileScan((tmp_path / "bomb.parquet",), Parquet()), folder, batch="b")
    assert not list(folder.iterdir())


def test_lines_that_do_not_match_are_set_aside(stage: Stage) -> None:
    form = Lines(r"^(?P<host>\S+) (?P<bytes>\d*)$")
    result = stage(plan("host", bytes=LONG), b"h1 10\nh2 \n\nnope\nh3 x\n", form, name="access.log")

    assert result.kept == [{"host": "h1", "bytes": 10}, {"host": "h2", "bytes": None}]
    assert result.places == [("access.log", 3, ["malformed"], "nope"), ("access.log", 4, ["malformed"], "h3 x")]


@pytest.mark.parametrize("pattern", ["(?P<a>", "no groups", r"(?P<a>x)\1", "(?P<a>(?<=x)y)"])
def test_a_pattern_that_is_not_linear_is_refused(stage: Stage, pattern: str) -> None:
    with pytest.raises(LastroError):
        stage(plan("a"), b"x\n", Lines(pattern), name="a.log")


def test_files_are_named_apart_and_each_has_its_columns(engine: DuckEngine, stage: Stage, tmp_path: Path) -> None:
    for folder, content in [("one", "a,b\n1,x\nq,x\n"), ("two", "b,c,a\ny,z,2\ny,z,r\n")]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "part.csv").write_text(content)
    scan = FileScan((tmp_path / "one" / "part.csv", tmp_path / "two" / "part.csv"), Csv())
    result = stage(plan("b", a=LONG), scan)

    assert [(row["a"], row["b"]) for row in result.kept] == [(1, "x"), (2, "y")]
    assert [place[:2] for place in result.places] == [("one/part.csv", 2), ("two/part.csv", 2)]
    assert engine.describe(scan).names == ("a", "b", "c")


def test_a_column_missing_in_one_file_is_told_with_the_file(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("a,b\n1,2\n")
    (tmp_path / "two.csv").write_text("a\n1\n")

    with pytest.raises(SourceBroken) as caught:
        stage(plan("a", "b"), FileScan((tmp_path / "one.csv", tmp_path / "two.csv"), Csv()))
    assert caught.value.where.endswith("two.csv")


@pytest.mark.parametrize("names", [["a", "a"], ["a", "A"], ["ß", "SS"]])
def test_columns_that_would_be_taken_for_one_another_are_refused(engine: DuckEngine, tmp_path: Path, names: list[str]):
    path = tmp_path / "twins.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=names), path)
    lines = tmp_path / "twins.jsonl"
    lines.write_text('{"a":1,"A":2}\n')

    with pytest.raises(SourceBroken, match="columns 1 and 2 have the same name"):
        engine.describe(FileScan((path,), Parquet()))
    with pytest.raises(SourceBroken, match="columns 1 and 2 have the same name"):
        engine.sample(FileScan((lines,), JsonLines()))
