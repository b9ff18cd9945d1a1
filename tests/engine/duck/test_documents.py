"""JSON documents, XML and workbooks: read whole, exactly and in bounded memory – or refused in our words."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import re
import struct
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.engine.duck.conftest import Stage, plan

from lastro.engine.duck import documents, elements
from lastro.engine.duck.engine import DuckEngine
from lastro.engine.duck.failure import Refused
from lastro.engine.duck.limits import Limits
from lastro.engine.scan import Excel, FileScan, JsonLines, Xml
from lastro.model.errors import LastroError, LimitExceeded, SourceBroken, SqlRefused
from lastro.model.plan import ColumnPlan, Plan
from lastro.model.schema import Decimal, Primitive

SECRET = "123.456.789-09"
JSON = JsonLines()


def split(content: bytes, step: int) -> list[bytes]:
    """The lines a document gives, taken in blocks of `step` bytes."""
    splitter = documents.Splitter("a.json", 1 << 20)
    made = [splitter.take(content[at : at + step]) for at in range(0, len(content), step)]
    return b"".join([*made, splitter.end()]).splitlines()


# JSON

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.text(), VALUES, max_size=4) | VALUES, max_size=6),
    st.sampled_from([None, 1, 4]),
    st.integers(1, 40),
)
@example([{"a": '"]}{[,\\'}, {"b": "\\\\"}], None, 1)
def test_an_array_gives_its_elements_whatever_is_in_them(values, indent, step):
    content = json.dumps(values, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")

    assert [json.loads(line.decode("utf-8", "surrogatepass")) for line in split(content, step)] == values


@given(st.lists(st.dictionaries(st.text(), VALUES, min_size=1, max_size=4), max_size=6), st.integers(1, 40))
def test_objects_one_after_another_are_told_apart(values, step):
    content = "\n".join(json.dumps(value, indent=2) for value in values).encode()

    assert [json.loads(line) for line in split(content, step)] == values


@given(st.binary(max_size=200), st.integers(1, 20))
@example(b'[{"a":"', 1)
@example(b"]", 1)
@example(b"[}]", 1)
@example(b'{"a":1}]', 3)
def test_any_bytes_are_split_or_refused_the_same_whatever_the_blocks(content, step):
    def outcome(size):
        try:
            return split(content, size)
        except Refused as refused:
            return refused.failure.reason

    assert outcome(step) == outcome(1000)


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_an_array_of_objects_is_read_like_json_lines(stage: Stage, name: str) -> None:
    rows = [
        {"id": 12345678901234567890123, "tags": ["a", {"b": 1}]},
        {"id": 2, "late": "é\n"},
        7,
        "x",
        [1],
        {"id": "z"},
    ]
    content = "\ufeff " + json.dumps(rows, indent=2)
    packed = gzip.compress(content.encode()) if name.endswith("gz") else content.encode()

    result = stage(plan("tags", "late", id=Decimal(38, 0)), packed, JSON, name=name)

    assert [(int(row["id"]), row["tags"], row["late"]) for row in result.kept] == [
        (12345678901234567890123, '["a",{"b":1}]', None),
        (2, None, "é\n"),
    ]
    assert [(position, rules) for _source, position, rules, _record in result.places] == [
        (3, ["malformed"]),
        (4, ["malformed"]),
        (5, ["malformed"]),
        (6, ["id.type"]),
    ]


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (b'[{"a": 1}, {"a": 2', SourceBroken, "ends in the middle"),
        (b'[{"a": 1}, {"a": "2', SourceBroken, "ends in the middle"),
        (b'[{"a": 1}}', SourceBroken, "closes nothing"),
        (b"[" + b'{"a":' * 70 + b"1" + b"}" * 70 + b"]", LimitExceeded, "more than 64 deep"),
        (b"[" * 100_000, LimitExceeded, "more than 64 deep"),
        (b'[{"a": "' + b"x" * (20 << 20) + b'"}]', LimitExceeded, "longer than"),
        (b"[1, 2, 3]", SourceBroken, "none of the lines"),
    ],
    ids=["cut", "cut in a text", "closed twice", "deep", "deeper", "long", "no objects"],
)
def test_a_broken_document_is_refused(stage: Stage, content: bytes, error: type[LastroError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        stage(plan("a"), content, JSON, name="a.json") if says != "none of the lines" else DuckEngine().describe(
            FileScan((written(stage, content),), JSON)
        )
    assert caught.value.do


def written(stage: Stage, content: bytes) -> Path:
    import tempfile

    path = Path(tempfile.mkdtemp()) / "a.json"
    path.write_bytes(content)
    return path


def test_a_long_array_is_read_in_bounded_memory(engine: DuckEngine, tmp_path: Path, peak: Callable[[], int]) -> None:
    path = tmp_path / "a.json"
    with path.open("w") as stream:
        stream.write("[\n")
        for index in range(200_000):
            stream.write(json.dumps({"id": index, "text": "x" * 400}, indent=1) + ",\n")
        stream.write('{"id": -1, "text": ""}]')
    samples = engine.sample(FileScan((path,), JSON))

    assert [sample.column.name for sample in samples] == ["id", "text"]
    assert 50 << 20 < peak() < 700 << 20


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """Tells the most memory that a reading child had in this test, by what the kernel keeps of each, every 2 ms. What
    `getrusage` tells of children is of all there ever were, and no less than what this process had itself.
    """
    highest, stopped = [0], threading.Event()

    def watch() -> None:
        while not stopped.wait(0.002):
            highest[0] = max(highest[0], *map(_peak_of, _children()), 0)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield lambda: highest[0]
    stopped.set()
    watcher.join()


def _children(parent: str = "self") -> set[str]:
    """The processes below one; those that a nursery forked stand below the nursery."""
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    try:
        found = {child for path in tasks for child in path.read_text().split()}
    except OSError:
        return set()
    return found | {below for child in found for below in _children(child)}


def _peak_of(pid: str) -> int:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"duck.worker" not in command and b"duck.nursery" not in command:
            return 0  # forked, and not itself yet
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


# XML

BOOKS = """<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE catalog>
<c:catalog xmlns:c="urn:c" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <meta><book>not this one</book></meta>
  <shelf>
    <c:book id="1" xml:lang="pt"><title>Dom Casmurro &amp; \u00e9&#233;</title><price>10.50</price>
      <author>Machado</author><author born="1839">de Assis</author><gone xsi:nil="true"/><empty/></c:book>
    <c:book id="2"><title><![CDATA[<x> ]]></title><notes>a<b>bold</b>c</notes>
      <price>12345678901234567890.10</price></c:book>
    <c:book/>
  </shelf>
</c:catalog>""".encode("iso-8859-1")


def test_elements_become_rows_with_everything_they_hold(stage: Stage) -> None:
    what = plan("@id", "@lang", "title", "author", "notes", "gone", "empty", price=Decimal(38, 2))

    result = stage(what, BOOKS, Xml("shelf/book"), name="a.xml")

    one, two = result.kept[:2]
    assert (one["@id"], one["@lang"], one["title"], str(one["price"])) == ("1", "pt", "Dom Casmurro & éé", "10.50")
    assert json.loads(one["author"]) == ["Machado", {"@born": "1839", "#text": "de Assis"}]
    assert one["gone"] is one["empty"] is None
    assert (two["title"], str(two["price"])) == ("<x> ", "12345678901234567890.10")
    assert json.loads(two["notes"]) == {"b": "bold", "#text": "ac"}
    assert result.staged.counts.read == 3


@pytest.mark.parametrize(("record", "rows"), [("book", 4), ("shelf/*", 3), ("", 2), ("catalog/shelf/book", 3)])
def test_a_record_is_named_by_the_end_of_its_path(tmp_path: Path, record: str, rows: int) -> None:
    (tmp_path / "a.xml").write_bytes(BOOKS)

    made = b"".join(elements.lines(tmp_path / "a.xml", Xml(record), Limits()))

    assert made.count(b"\n") == rows


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><r><x>&j;</x></r>"
).encode()
OUTSIDE = b'<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r><x>&e;</x></r>'
PARAMETER = b'<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]><r><x>1</x></r>'
FOREIGN = b'<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd"><r><x>&e;</x></r>'


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (LAUGHS, SourceBroken, "entities"),
        (OUTSIDE, SourceBroken, "entities"),
        (PARAMETER, SourceBroken, "entities"),
        (FOREIGN, SourceBroken, "entities"),
        (b"<r><x>&e;</x></r>", SourceBroken, "entities"),
        (b"<r><x>1</x>", SourceBroken, "well-formed"),
        (b"", SourceBroken, "well-formed"),
        (b"not xml", SourceBroken, "well-formed"),
        (b'<?xml version="1.0" encoding="nonsense"?><r><x/></r>', SourceBroken, "well-formed"),
        (b"<r/>", SourceBroken, "no element"),
        (b"<a>" * 100_000, LimitExceeded, "more than 64 deep"),
        (b"<r><x " + b" ".join(b'a%d="1"' % n for n in range(100_000)) + b"/></r>", LimitExceeded, "columns"),
        (b"<r><x>" + b"".join(b"<c%d/>" % n for n in range(100_000)) + b"</x></r>", LimitExceeded, "columns"),
        (b"<r><x>" + b"y" * (20 << 20) + b"</x></r>", LimitExceeded, "longer than"),
        (b'<r><x a="' + b"y" * (40 << 20), LimitExceeded, "longer than"),
        (b"<r><" + b"y" * (40 << 20), LimitExceeded, "longer than"),
        (gzip.compress(b"<r><x>1</x></r>")[:-4], SourceBroken, "ends too early"),
    ],
    ids=["laughs", "outside", "parameter", "foreign", "undefined", "cut", "empty", "text", "encoding", "none", "deep",
         "attributes", "children", "long", "attribute", "token", "truncated"],
)  # fmt: skip
def test_a_hostile_document_is_refused(
    stage: Stage, peak: Callable[[], int], content: bytes, error: type[LastroError], says: str
) -> None:
    started = time.monotonic()

    with pytest.raises(error, match=says) as caught:
        stage(plan("a"), content, Xml(), name="a.xml.gz" if content[:2] == b"\x1f\x8b" else "a.xml")

    assert caught.value.do
    assert time.monotonic() - started < 20  # a hang, not a speed
    assert peak() < 1 << 30


def test_an_xml_bomb_in_gzip_is_stopped(stage: Stage, peak: Callable[[], int]) -> None:
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb") as packed:
        packed.write(b"<r><x>")
        for _mebibyte in range(300):
            packed.write(b"y" * (1 << 20))
    content = stream.getvalue()

    with pytest.raises(LimitExceeded, match="longer than"):
        stage(plan("a"), content, Xml(), name="a.xml.gz")
    assert peak() < 1 << 30


def test_columns_of_a_document_are_found(engine: DuckEngine, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(BOOKS)

    found = engine.describe(FileScan((tmp_path / "a.xml",), Xml("shelf/book")))

    assert set(found.names) == {"@id", "@lang", "title", "price", "author", "notes", "gone", "empty"}


# Workbooks

calamine = pytest.importorskip("python_calamine", reason="needs pip install 'lastro[excel]'")
openpyxl = pytest.importorskip("openpyxl", reason="needs pip install openpyxl")


def book(*rows: list[object], change: object = None, epoch: object = None) -> bytes:
    made = openpyxl.Workbook()
    if epoch:
        made.epoch = epoch
    sheet = made.active
    sheet.title = "Data é"
    for row in rows:
        sheet.append(row)
    if callable(change):
        change(made)
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


HEAD = ["id", "amount", "when", "day", "at", "took", "ok", "text", None, "note"]
ROW = [
    7,
    0.1,
    dt.datetime(2026, 1, 31, 12, 30, 15),
    dt.date(2026, 1, 31),
    dt.time(8, 5),
    dt.timedelta(hours=30, seconds=1),
    True,
    "007",
    "nameless",
    "",
]


def test_cells_arrive_as_the_texts_that_mean_them(stage: Stage) -> None:
    content = book(HEAD, ROW, [], [1e300, 123456789012345, *[None] * 5, "é\nb"], [-2.50, 1e-7])
    names = ["id", "amount", "when", "day", "at", "took", "ok", "text", "column_9"]

    result = stage(plan(*names), content, Excel(), name="a.xlsx")

    assert [result.kept[0][name] for name in names] == [
        "7", "0.1", "2026-01-31 12:30:15", "2026-01-31", "08:05:00", "30:00:01", "true", "007", "nameless",
    ]  # fmt: skip
    assert [result.kept[1][name] for name in ("id", "amount", "text")] == ["1e+300", "123456789012345", "é\nb"]
    assert [result.kept[2][name] for name in ("id", "amount")] == ["-2.5", "1e-07"]
    assert result.staged.counts.read == 3


@pytest.mark.parametrize(
    "epoch", [openpyxl.utils.datetime.CALENDAR_WINDOWS_1900, openpyxl.utils.datetime.CALENDAR_MAC_1904]
)
def test_dates_count_from_the_workbooks_own_beginning(stage: Stage, epoch: object) -> None:
    days = [dt.date(2026, 1, 31), dt.date(1904, 3, 1), dt.date(2000, 2, 29)]

    result = stage(
        plan(day=Primitive.DATE), book(["day"], *[[day] for day in days], epoch=epoch), Excel(), name="a.xlsx"
    )

    assert [row["day"] for row in result.kept] == days


def test_errors_are_set_aside_where_a_value_must_be(stage: Stage) -> None:
    def broken(made: object) -> None:
        for place, error in (("A3", "#N/A"), ("B4", "#DIV/0!")):
            made.active[place].value = error  # type: ignore[attr-defined]
            made.active[place].data_type = "e"  # type: ignore[attr-defined]

    content = book(["n", "t"], [1, "a"], [2, "b"], [3, "c"], change=broken)

    result = stage(plan("t", n=Primitive.LONG), content, Excel(), name="a.xlsx")

    assert [(row["n"], row["t"]) for row in result.kept] == [(1, "a"), (3, "#DIV/0!")]
    assert [(position, rules) for _s, position, rules, _r in result.places] == [(2, ["n.type"])]
    missing = stage(plan("t", n=Primitive.LONG), content, Excel(null_texts=("", "#N/A")), name="b.xlsx")
    assert [row["n"] for row in missing.kept] == [1, None, 3]


def test_formulas_give_their_stored_value(stage: Stage) -> None:
    content = book(["n"], [1])
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for part in old.namelist():
            text = old.read(part)
            if part == "xl/worksheets/sheet1.xml":
                text = text.replace(b"<v>1</v>", b"<f>6*7</f><v>42</v>")
            new.writestr(part, text)

    assert stage(plan("n"), stream.getvalue(), Excel(), name="a.xlsx").kept == [{"n": "42"}]


def test_a_sheet_is_named_or_numbered_and_hidden_ones_are_not_the_first(stage: Stage) -> None:
    def sheets(made: object) -> None:
        made.active.sheet_state = "hidden"  # type: ignore[attr-defined]
        second = made.create_sheet("Second")  # type: ignore[attr-defined]
        second["C5"], second["C6"] = "x", "second"

    content = book(["x"], ["hidden"], change=sheets)

    for sheet, value in ((None, "second"), ("Second", "second"), (2, "second"), (1, "hidden"), ("Data é", "hidden")):
        assert stage(plan("x"), content, Excel(sheet=sheet), name=f"a-{sheet}.xlsx").kept == [{"x": value}]
    for sheet in ("Third", 3):
        with pytest.raises(SourceBroken, match="no such sheet; it has 2"):
            stage(plan("x"), content, Excel(sheet=sheet), name="a.xlsx")


def test_merged_cells_are_filled_where_asked(stage: Stage) -> None:
    def merge(made: object) -> None:
        made.active.merge_cells("A2:A4")  # type: ignore[attr-defined]

    content = book(["state", "n"], ["SP", 1], [None, 2], [None, 3], ["RJ", 4], change=merge)

    assert [row["state"] for row in stage(plan("state"), content, Excel(), name="a.xlsx").kept] == [
        "SP",
        None,
        None,
        "RJ",
    ]
    filled = stage(plan("state"), content, Excel(fill_merged=True), name="b.xlsx")
    assert [row["state"] for row in filled.kept] == ["SP", "SP", "SP", "RJ"]


def test_the_header_may_stand_below_other_rows_or_be_given(stage: Stage) -> None:
    content = book(["Report of 2026"], [], ["n"], [1], [2])

    assert [row["n"] for row in stage(plan("n"), content, Excel(skip=1), name="a.xlsx").kept] == ["1", "2"]
    given = Excel(skip=3, header=False, columns=("n",))
    assert [row["n"] for row in stage(plan("n"), content, given, name="b.xlsx").kept] == ["1", "2"]
    with pytest.raises(SourceBroken, match="same name"):
        stage(plan("n"), book(["n", "N"], [1, 2]), Excel(), name="c.xlsx")


def ods(*rows: str) -> bytes:
    stream = io.BytesIO()
    names = ["office", "table", "text", "calcext"]
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)
    table = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="T">{table}</table:table></office:spreadsheet></office:body>'
            "</office:document-content>",
        )
    return stream.getvalue()


def test_an_open_document_is_read(stage: Stage) -> None:
    content = ods(
        '<table:table-cell office:value-type="string"><text:p>n</text:p></table:table-cell>'
        '<table:table-cell office:value-type="string"><text:p>d</text:p></table:table-cell>',
        '<table:table-cell office:value-type="float" office:value="1.50"><text:p>1,5</text:p></table:table-cell>'
        '<table:table-cell office:value-type="date" office:date-value="2026-01-31"><text:p/></table:table-cell>',
    )

    result = stage(plan("n", d=Primitive.DATE), content, Excel(), name="a.ods")

    assert result.kept == [{"n": "1.5", "d": dt.date(2026, 1, 31)}]


def compound(**streams: bytes) -> bytes:
    """A compound file (MS-CFB) with these streams, each padded to be kept in whole sectors."""
    sector, end, free = 512, 0xFFFFFFFE, 0xFFFFFFFF
    padded = {
        name: data + bytes(max(4096, -(-len(data) // sector) * sector) - len(data)) for name, data in streams.items()
    }
    chain: list[int] = []
    starts: dict[str, int] = {}
    for name, data in padded.items():
        starts[name] = len(chain) + 2
        count = len(data) // sector
        chain += [*range(starts[name] + 1, starts[name] + count), end]
    table = [0xFFFFFFFD, end, *chain]
    assert len(table) <= sector // 4
    fat = struct.pack("<128I", *table, *[free] * (128 - len(table)))

    def entry(name: str, kind: int, child: int, start: int, size: int, right: int = free) -> bytes:
        text = name.encode("utf-16-le")
        head = (
            text
            + bytes(64 - len(text))
            + struct.pack("<HBB3I", len(text) + 2 if name else 0, kind, 1, free, right, child)
        )
        return head + bytes(36) + struct.pack("<IQ", start, size)

    entries = [entry("Root Entry", 5, 1, end, 0)]
    for index, (name, data) in enumerate(padded.items(), 1):
        entries.append(entry(name, 2, free, starts[name], len(data), index + 1 if index < len(padded) else free))
    directory = b"".join(entries).ljust(sector, b"\0")
    header = struct.pack("<8s16sHHHHH6s", bytes.fromhex("d0cf11e0a1b11ae1"), bytes(16), 0x3E, 3, 0xFFFE, 9, 6, bytes(6))
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<109I", 0, *[free] * 108)
    return header + fat + directory + b"".join(padded.values())


def biff(*cells: tuple[int, int, object], locked: bool = False) -> bytes:
    """A BIFF8 stream with one sheet of these cells."""

    def record(kind: int, data: bytes) -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    body = record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))
    for row, column, value in cells:
        if isinstance(value, str):
            text = struct.pack("<HB", len(value), 0) + value.encode("latin-1")
            body += record(0x204, struct.pack("<HHH", row, column, 0) + text)
        else:
            body += record(0x203, struct.pack("<HHHd", row, column, 0, value))
    body += record(0x0A, b"")
    start = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
    font = record(0x2F, struct.pack("<HHH", 1, 1, 1) + bytes(48)) if locked else record(0xE0, bytes(20))
    sheet = struct.pack("<IBBBB", 0, 0, 0, 1, 0) + b"S"
    size = len(start) + len(font) + len(record(0x85, sheet)) + 4
    return start + font + record(0x85, struct.pack("<I", size) + sheet[4:]) + record(0x0A, b"") + body


def test_a_workbook_under_another_ending_is_read(stage: Stage) -> None:
    assert stage(plan("n"), book(["n"], [1]), Excel(), name="a.xls").kept == [{"n": "1"}]


def test_an_old_workbook_is_read(stage: Stage) -> None:
    content = compound(Workbook=biff((0, 0, "n"), (0, 1, "t"), (1, 0, 1.5), (1, 1, "x"), (2, 0, 2.0)))

    result = stage(plan("n", "t"), content, Excel(), name="a.xls")

    assert result.kept == [{"n": "1.5", "t": "x"}, {"n": "2", "t": None}]


def part(content: bytes, name: str, text: bytes, *, level: int = 9, filler: int = 0) -> bytes:
    """A workbook with one part replaced; `%f` in it stands for so many MiB of one letter."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as new,
    ):
        for each in old.namelist():
            before, _mark, after = (text if each == name else old.read(each)).partition(b"%f")
            with new.open(each, "w") as sink:
                sink.write(before)
                for _mebibyte in range(filler if after else 0):
                    sink.write(b"a" * (1 << 20))
                sink.write(after)
    return stream.getvalue()


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
PLAIN = book(["a"], [1])
XL = "xl/worksheets/sheet1.xml"


def wide() -> bytes:
    cells = b"".join(b'<c r="%s%d"><v>1</v></c>' % (letters, row) for row, letters in ((1, b"A"), (1_048_576, b"XFD")))
    return part(
        PLAIN, XL, SHEET % (b'<row r="1">' + cells.replace(b"</c><c", b'</c></row><row r="1048576"><c') + b"</row>")
    )


def columns(count: int) -> bytes:
    def letters(number: int) -> str:
        text = ""
        while number:
            number, rest = divmod(number - 1, 26)
            text = chr(65 + rest) + text
        return text

    cells = "".join(f'<c r="{letters(n)}1" t="inlineStr"><is><t>c{n}</t></is></c>' for n in range(1, count + 1))
    return part(PLAIN, XL, SHEET % f'<row r="1">{cells}</row>'.encode())


FILLED = b'<row r="1"><c r="A1" t="inlineStr"><is><t>%f</t></is></c></row>'


def bomb() -> bytes:
    return part(PLAIN, XL, SHEET % FILLED, filler=900)


def lying_bomb() -> bytes:
    """A part of 400 MB that says it has ten bytes."""
    content = part(PLAIN, XL, SHEET % FILLED, filler=400)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = archive.getinfo(XL).file_size
    return content.replace(struct.pack("<I", size), struct.pack("<I", 10))


def laughing() -> bytes:
    text = SHEET % b'<row r="1"><c r="A1" t="inlineStr"><is><t>&j;</t></is></c></row>'
    return part(PLAIN, XL, LAUGHS[: LAUGHS.index(b"<r>")].replace(b"DOCTYPE r", b"DOCTYPE worksheet") + text)


@pytest.mark.parametrize(
    ("name", "make", "says"),
    [
        ("a.xlsx", lambda: PLAIN[:-200], "not a readable workbook"),
        ("a.xlsx", lambda: PLAIN[: len(PLAIN) // 2], "not a readable workbook"),
        ("a.xlsx", lambda: b"PK\x03\x04" + b"\0" * 100, "not a readable workbook"),
        ("a.xlsx", lambda: b"a,b\n1,2\n", "not a readable workbook"),
        ("a.xlsx", lambda: b"", "not a readable workbook"),
        ("a.xls", lambda: bytes.fromhex("d0cf11e0a1b11ae1") + b"\xff" * 600, "not a readable workbook"),
        ("a.xlsx", lambda: part(PLAIN, XL, b"<worksheet><sheetData><row"), "workbook|empty"),
        ("a.xlsx", lambda: part(PLAIN, XL, SHEET % b""), "empty"),
        ("a.xlsx", lambda: compound(EncryptionInfo=b"x", EncryptedPackage=b"y"), "password"),
        ("a.xls", lambda: compound(Workbook=biff((0, 0, "n"), locked=True)), "password"),
        ("a.xlsx", wide, "died|more memory|not a readable"),
        ("a.xlsx", lambda: columns(16_384), "16384 columns"),
        ("a.xlsx", bomb, "unpacks to more"),
        ("a.xlsx", lying_bomb, "not a readable workbook|died|memory"),
        ("a.xlsx", laughing, "workbook|empty|no column"),
        ("a.ods", lambda: ods('<table:table-cell table:number-columns-repeated="999999999" office:value-type="float" '
                              'office:value="1"/>'), "died|memory|workbook|columns"),
        ("a.ods", lambda: ods('<table:table-cell office:value-type="float" office:value="1"/></table:table-row>'
                              '<table:table-row table:number-rows-repeated="999999999"><table:table-cell '
                              'office:value-type="float" office:value="1"/>'), "died|memory|workbook|column"),
    ],
    ids=["cut", "half", "zip", "text", "empty", "compound", "open", "no-cells", "password", "locked", "wide", "columns",
         "bomb", "lying", "laughs", "ods-wide", "ods-long"],
)  # fmt: skip
def test_a_hostile_workbook_is_refused(
    stage: Stage, peak: Callable[[], int], name: str, make: object, says: str
) -> None:
    content = make()  # type: ignore[operator]
    started = time.monotonic()

    with pytest.raises(LastroError, match=says) as caught:
        stage(plan("a"), content, Excel(), name=name)

    assert caught.value.exit_code == 3
    assert caught.value.do
    assert time.monotonic() - started < 30  # a hang, not a speed
    assert peak() < 1 << 30


def test_no_value_of_a_workbook_stands_in_an_error(stage: Stage) -> None:
    with pytest.raises(SourceBroken) as caught:
        stage(plan("b"), book(["a"], [SECRET]), Excel(), name="a.xlsx")
    assert SECRET not in str(caught.value)


def test_a_large_sheet_is_read_whole(engine: DuckEngine, tmp_path: Path) -> None:
    rows = b"".join(
        b'<row r="%d"><c r="A%d"><v>%d</v></c><c r="B%d"><v>0.5</v></c></row>' % (n, n, n, n) for n in range(2, 60_002)
    )
    head = (
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>n</t></is></c><c r="B1" t="inlineStr"><is><t>x</t></is></c></row>'
    )
    (tmp_path / "a.xlsx").write_bytes(part(PLAIN, XL, SHEET % (head + rows), level=1))

    number, half = engine.sample(FileScan((tmp_path / "a.xlsx",), Excel()))

    assert (number.rows, number.distinct, number.maximum, half.distinct) == (60_000, 60_000, "60001", 1)


@pytest.mark.parametrize(
    ("content", "kind", "says"),
    [(LAUGHS, Xml(), "entities"), (b'[{"a": 1', JSON, "ends in the middle"), (b"<r/>", Xml(), "no element")],
)
def test_what_is_wrong_with_a_document_is_told_when_it_is_looked_at(
    engine: DuckEngine, tmp_path: Path, content: bytes, kind: JsonLines | Xml, says: str
) -> None:
    (tmp_path / "a.any").write_bytes(content)

    for look in (engine.describe, engine.sample):
        with pytest.raises(SourceBroken, match=says):
            look(FileScan((tmp_path / "a.any",), kind))


def test_sql_that_does_not_fit_the_types_is_the_contract_s_fault(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text(f'{{"amount": 1, "cpf": "{SECRET}"}}\n', encoding="utf-8")
    absolute = ColumnPlan("amount", "amount", Primitive.DOUBLE, expression="abs(amount)")

    with pytest.raises(SqlRefused, match="does not fit the types") as caught:
        DuckEngine().stage(Plan("loans", "sha256:0", (absolute,)), FileScan((source,), JSON), tmp_path, batch="b")
    assert SECRET not in str(caught.value)
