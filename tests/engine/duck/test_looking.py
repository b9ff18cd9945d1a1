"""Looking at a source before there is a contract: columns, samples, and how a delimited file is written."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal as Number
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastro import engine as engines
from lastro.engine.duck import sniffing
from lastro.engine.duck.engine import DuckEngine
from lastro.engine.duck.failure import Refused
from lastro.engine.duck.limits import Limits
from lastro.engine.duck.sampling import COMMA, seen
from lastro.engine.scan import Csv, FileScan, JsonLines, Lines, Parquet, StreamScan
from lastro.model.errors import ConfigurationError, LimitExceeded, SourceBroken
from lastro.model.sample import Also, Sample
from lastro.model.schema import Decimal, Field, ListOf, Primitive, StructOf, Type

P = Primitive


def sampled(values: Sequence[str | None], tmp_path: Path) -> Sample:
    (found,) = seen(pa.table({"c": pa.array(values, pa.string())}), Limits(), tmp_path, narrow=True, all_read=True)
    return found.sample()


@pytest.mark.parametrize(
    ("values", "kind", "form"),
    [
        (["true", "FALSE", None], P.BOOLEAN, None),
        (["yes", "no"], P.BOOLEAN, None),
        (["0", "1", "1"], P.LONG, None),
        (["-5", "9223372036854775807"], P.LONG, None),
        (["9223372036854775808"], Decimal(38, 0), None),
        (["-" + "9" * 38, "7"], Decimal(38, 0), None),
        (["9" * 39, "1"], P.STRING, None),
        (["99999999999999999999.99", "1.5"], P.STRING, None),
        (["0.12345678901234567", "-12"], P.DOUBLE, None),
        (["0.123456789012345678", "1"], P.STRING, None),
        (["1.000000000000000055e-01", "2.5"], P.DOUBLE, None),
        (["00123", "456"], P.STRING, None),
        (["+5511999999999"], P.STRING, None),
        (["1.50", "-1000.25"], Decimal(18, 2), None),
        (["1.5", "1.25"], P.DOUBLE, None),
        (["1.5", "2"], P.DOUBLE, None),
        (["1e3", "5"], P.DOUBLE, None),
        (["1.234,56"], Decimal(18, 2), None),
        (["2024-02-29", "1999-12-31"], P.DATE, None),
        (["2023-02-29"], P.STRING, None),
        (["31/12/2024", "01/02/2024"], P.DATE, "%d/%m/%Y"),
        (["12/31/2024", "01/02/2024"], P.DATE, "%m/%d/%Y"),
        (["31-12-2024"], P.DATE, "%d-%m-%Y"),
        (["2024-01-01 10:00:00", "2024-01-01T10:00"], P.TIMESTAMP_NTZ, None),
        (["2024-01-01T10:00:00Z", "2024-01-01T10:00:00-03:00"], P.TIMESTAMP, None),
        (["31/12/2024 10:00:00"], P.TIMESTAMP_NTZ, "%d/%m/%Y %H:%M:%S"),
        (["10/Oct/2000:13:55:36 -0700"], P.TIMESTAMP, "%d/%b/%Y:%H:%M:%S %z"),
        (["NaN", "1"], P.STRING, None),
        ([None, None], P.STRING, None),
        (["", "x"], P.STRING, None),
        ([], P.STRING, None),
    ],
)
def test_text_is_narrowed_to_what_reads_all_of_it(
    values: list[str | None], kind: Type, form: str | None, tmp_path: Path
) -> None:
    found = sampled(values, tmp_path)

    assert (found.column.type, found.format) == (kind, form)
    assert found.column.nullable == (None in values)


@pytest.mark.parametrize(
    ("values", "also"),
    [
        (["1.234", "2.500", None], Also.POINTS),
        (["-1.234", "950", "0"], Also.POINTS),
        (["1,234", "2,500"], Also.COMMAS),
        (["1,234", "950"], Also.COMMAS),
        (["0.123", "1.234"], None),
        (["1234.500"], None),
        (["1.234", "1.5"], None),
        (["1.2345"], None),
        (["950", "17"], None),
        (["1,5", "1,234"], None),
        (["1,234 EUR"], None),
        (["1.234.567,00"], None),
        (["ends,but"], None),
        ([None], None),
    ],
)
def test_signs_that_may_stand_between_thousands_are_told(
    values: list[str | None], also: Also | None, tmp_path: Path
) -> None:
    assert sampled(values, tmp_path).also is also


@pytest.mark.parametrize(
    ("values", "other"),
    [
        (["01/02/2026", "03/04/2026", None], "%m/%d/%Y"),
        (["01-02-2026"], "%m-%d-%Y"),
        (["01.02.2026"], "%m.%d.%Y"),
        (["01/02/2026 10:00:00"], "%m/%d/%Y %H:%M:%S"),
        (["01/02/2026 10:00:00 -0300"], "%m/%d/%Y %H:%M:%S %z"),
        (["01/01/2026", "02/02/2026"], None),
        (["31/01/2026", "01/02/2026"], None),
        (["01/31/2026", "01/02/2026"], None),
        (["2026/01/02"], None),
        (["2026-01-02"], None),
    ],
)
def test_days_that_may_be_months_are_told(values: list[str | None], other: str | None, tmp_path: Path) -> None:
    assert sampled(values, tmp_path).also_format == other


BARE = """CASE WHEN regexp_full_match("a", '{}') THEN replace(replace("a", '.', ''), ',', '.') """
BARE = BARE.format(COMMA) + """ELSE replace("a", ',', '.') END"""
PLAIN = """replace("a", ',', '.')"""


@pytest.mark.parametrize(
    ("values", "kind", "made"),
    [
        (["1.234,56", "7,00", "-1.000.000,99"], Decimal(18, 2), BARE),
        (["12000,50", "8000,00"], Decimal(18, 2), PLAIN),
        (["0,5", "12", "3,25"], P.DOUBLE, PLAIN),
        (["1.234", "5,5"], P.DOUBLE, BARE),
        (["1,234", "5,678"], P.STRING, None),
        (["1,234.56", "2,5"], P.STRING, None),
        (["1.5", "2,5"], P.STRING, None),
        (["12.34,5"], P.STRING, None),
        (["0012,5"], P.STRING, None),
        (["1,5", "a combinar"], P.STRING, None),
        (["1.234", "1.5"], P.DOUBLE, None),
    ],
)
def test_a_decimal_comma_is_read_only_where_it_is_sure(
    engine: DuckEngine, tmp_path: Path, values: list[str], kind: Type, made: str | None
) -> None:
    (tmp_path / "a.csv").write_text("\n".join(["a", *values]))

    (found,) = engine.sample(FileScan((tmp_path / "a.csv",), Csv(delimiter=";")))

    assert (found.column.type, found.expression) == (kind, made)


def test_a_sample_counts(tmp_path: Path) -> None:
    found = sampled(["10", "9", "9", None], tmp_path)
    many = sampled([f"v{index:03}" for index in range(30)], tmp_path)

    assert (found.rows, found.nulls, found.distinct, found.unique) == (4, 1, 2, False)
    assert (found.minimum, found.maximum, found.values) == ("9", "10", ("10", "9"))
    assert (many.unique, many.values, many.length_max, many.minimum) == (True, (), 4, None)


def test_files_of_every_format_are_sampled(engine: DuckEngine, tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"n,d\n1,01/02/2024\nragged\n2,\n"))
    (tmp_path / "a.jsonl").write_text('\n{"n": 1, "x": {"y": [1]}}\nbroken\n{"b": true, "n": 2}\n')
    (tmp_path / "a.log").write_text("1 GET\nnope\n2 PUT\n")
    pq.write_table(
        pa.table({"n": ["1", "2"], "p": [Number("1.5"), None], "d": [date(2024, 1, 1)] * 2}), tmp_path / "a.parquet"
    )
    scans = {
        "a.csv.gz": Csv(),
        "a.jsonl": JsonLines(),
        "a.log": Lines(r"^(?P<n>\d+) (?P<verb>\w+)$"),
        "a.parquet": Parquet(),
    }
    found = {
        name: {
            sample.column.name: (sample.column.type, sample.rows, sample.nulls)
            for sample in engine.sample(FileScan((tmp_path / name,), form))
        }
        for name, form in scans.items()
    }

    assert found == {
        "a.csv.gz": {"n": (P.LONG, 2, 0), "d": (P.DATE, 2, 1)},
        "a.jsonl": {"n": (P.LONG, 2, 0), "x": (StructOf((Field("y", ListOf(P.LONG)),)), 2, 1), "b": (P.BOOLEAN, 2, 1)},
        "a.log": {"n": (P.LONG, 2, 0), "verb": (P.STRING, 2, 0)},
        "a.parquet": {"n": (P.STRING, 2, 0), "p": (Decimal(2, 1), 2, 1), "d": (P.DATE, 2, 0)},
    }
    for name, form in scans.items():
        assert engine.describe(FileScan((tmp_path / name,), form)).names == tuple(found[name])


def test_a_sample_of_a_large_file_says_that_it_is_a_part(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n\n" + "".join(f"{index}\n" for index in range(60_000)))
    engine = DuckEngine(temp=tmp_path / "spill", sample_rows=20_000)
    (part,) = engine.sample(FileScan((tmp_path / "a.csv",), Csv()))

    assert (part.rows, part.all_read, part.unique) == (20_000, False, True)


def test_streams_are_described_unread_and_sampled(engine: DuckEngine) -> None:
    table = pa.table({"n": ["1", None], "t": pa.array(["x", "y"]).dictionary_encode()})
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())

    assert [field.type for field in engine.describe(StreamScan(reader, "core.t")).fields] == [P.STRING, P.STRING]
    assert [sample.column.type for sample in engine.sample(StreamScan(reader, "core.t"))] == [P.LONG, P.STRING]
    records = pa.table({"record": ['{"a": 1, "b": "2024-01-01"}', '{"a": 2}']})
    assert [
        (sample.column.name, sample.column.type) for sample in engine.sample(StreamScan(records, "api", records=True))
    ] == [
        ("a", P.LONG),
        ("b", P.DATE),
    ]
    with pytest.raises(SourceBroken, match="record"):
        engine.sample(StreamScan(pa.table({"a": [1]}), "api", records=True))


def test_a_stream_that_fails_says_no_more_than_its_kind(engine: DuckEngine) -> None:
    def failing() -> object:
        yield pa.record_batch({"n": ["1"]})
        raise ConnectionError("123.456.789-09")

    scan = StreamScan(pa.RecordBatchReader.from_batches(pa.schema([("n", pa.string())]), failing()), "core.t")
    with pytest.raises(SourceBroken) as caught:
        engine.sample(scan)
    assert "123.456" not in str(caught.value)


def test_json_without_an_object_or_with_too_many_keys_is_refused(engine: DuckEngine, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("[1]\n[2]\n")
    with pytest.raises(SourceBroken, match="JSON object"):
        engine.describe(FileScan((path,), JsonLines()))
    path.write_text("{" + ",".join(f'"k{index}":1' for index in range(3000)) + "}")
    with pytest.raises(LimitExceeded, match="3000"):
        engine.describe(FileScan((path,), JsonLines()))


CELL = st.text(st.sampled_from("abc xyz019.,;'\"|\té"), max_size=8)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.tuples(CELL, st.integers(0, 999).map(str), CELL), min_size=4, max_size=9),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_a_writer_quotes_a_sniffer_reads(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], delimiter: str, encoding: str
) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("código", "idade", "nome"), *rows])
    path = tmp_path_factory.mktemp("sniff") / "a.csv"
    path.write_bytes(written.getvalue().encode(encoding))
    found = sniffing.look(path)

    assert (found.delimiter, found.quote, found.header) == (delimiter, '"', True)
    assert found.encoding == encoding.removesuffix("-sig")


def test_what_cannot_be_known_is_guessed_soberly(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for content, expected in [
        (b"1,2\n3,4\n", Csv(header=False)),
        (b"uf\nSP\nRJ\n", Csv()),
        ("nome;valor\nJoão;NA\nAna;\n".encode("cp1252"), Csv(delimiter=";", encoding="cp1252", null_texts=("", "NA"))),
        (b"a,b\n'x, y',1\n'z, w',2\n", Csv(quote="'", escape="'")),
        (b'a,b\n"x\\"y",1\n', Csv(escape="\\")),
    ]:
        path.write_bytes(content)
        assert sniffing.look(path) == expected
    for content, reason in [(b"", "empty"), (b"name,b\nx\0yz,1\n", "nul")]:
        path.write_bytes(content)
        with pytest.raises(Refused, match=reason):
            sniffing.look(path)


def test_engines_and_the_sniffer_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a;b\n1;2\n")

    assert engines.create("duckdb", memory_mb=100, temp=tmp_path).name == "duckdb"
    assert engines.sniff(tmp_path / "a.csv") == Csv(delimiter=";")
    with pytest.raises(ConfigurationError, match="duckbd") as caught:
        engines.create("duckbd")
    assert "duckdb" in caught.value.do
