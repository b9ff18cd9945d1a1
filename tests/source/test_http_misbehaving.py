"""An API that misbehaves: what it does wrong is refused or set aside, never silently wrong."""

import gzip
import json
import zlib

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.source.misbehaving import *  # noqa: F403
from tests.source.misbehaving import Reply, numbers, over, page, read

import lastro
from lastro.model.errors import LimitExceeded, SourceBroken, SourceChanged, SourceUnreachable
from lastro.model.version import Mode
from lastro.source.fetch.client import Answer
from lastro.source.fetch.inflate import PIECE_BYTES, Damaged, pieces
from lastro.source.http import exact

JSON = {"Content-Type": "application/json"}
OFFSET = {"type": "offset", "limit": 10}


class Shifting:
    """A table that somebody writes to while it is read: after `when` requests, `change` is done to its rows."""

    def __init__(self, rows, change, when=1):
        self.rows, self.change, self.when = list(rows), change, when

    def __call__(self, asked):
        if asked.number == self.when:
            self.change(self.rows)
        start, limit = int(asked.parameters["offset"]), int(asked.parameters["limit"])
        found = [{"id": row, "v": 0} for row in self.rows[start : start + limit]]
        return page({"data": found, "total": len(self.rows)})


INSERT = lambda rows: rows.insert(0, 99)
DELETE = lambda rows: rows.pop(0)


def swap(rows):
    INSERT(rows)
    rows.pop()


@pytest.mark.parametrize(
    ("change", "given", "says"),
    [
        (INSERT, {"key": "id"}, "1 record came twice"),
        (INSERT, {"total": "total"}, "declared 35 records at first and 36 later"),
        (DELETE, {"total": "total"}, "declared 35 records at first and 34 later"),
        (swap, {"key": "id"}, "1 record came twice"),
        (swap, {"key": "id", "total": "total"}, "1 record came twice"),
    ],
)
@pytest.mark.parametrize("parallel", [1, 3])
def test_pages_that_shift_are_refused(api, change, given, says, parallel):
    pagination = {**OFFSET, "parallel": parallel}
    when = 1 if parallel == 1 else parallel
    source, _server = api(Shifting(range(35), change, when), records="data", pagination=pagination, **given)

    with pytest.raises(SourceChanged, match=says) as caught:
        read(source)
    assert caught.value.exit_code == 3
    assert caught.value.do


def test_repeats_are_harmless_to_an_upsert(api):
    source, _server = api(Shifting(range(35), INSERT), records="data", pagination=OFFSET, key="id")

    records, _cursor = read(source, None, Mode.UPSERT)

    assert sorted(set(numbers(records))) == list(range(35))
    assert len(records) == 36


@pytest.mark.parametrize(
    ("repeat", "drop", "says"), [(True, False, "came twice"), (False, True, "declared 4 records and gave 3")]
)
def test_repeated_and_dropped_records_are_noticed(api, repeat, drop, says):
    ids = [1, 2, 2, 3] if repeat else [1, 2, 4] if drop else []
    source, _server = api(
        lambda asked: page({"data": [{"id": each} for each in ids], "total": 4}),
        records="data",
        key="id",
        total="total",
        pagination={"type": "none"},
    )

    with pytest.raises(SourceChanged, match=says):
        read(source)


def test_a_declared_total_is_reconciled(api):
    source, _server = api(
        lambda asked: page({"data": [{"id": 1}, {"id": 2}]}, X_Total="2"), records="data", total="header: X-Total"
    )

    with source.open(None, Mode.OVERWRITE) as opened:
        assert pa.table(opened.scan.stream).num_rows == 2
        opened.watermark()
        found = opened.reconciliation()

    assert found.holds
    assert found.to_dict()["source"]["rows"] == 2


@pytest.mark.parametrize("total", [None, "many", -1, 1.5, {"a": 1}, [], "9" * 30])
def test_a_total_that_is_none_is_told(api, total):
    source, _server = api(lambda asked: page({"data": [], "total": total}), records="data", total="total")

    with pytest.raises(SourceBroken, match="no total at 'total'"):
        read(source)


def test_a_field_that_vanishes_in_the_middle_is_refused_unless_it_may(api, serve, slept):
    def answer(asked):
        number = int(asked.parameters["page"])
        name = "income" if number < 3 else "monthly_income"
        return page([{"id": 20 * number + each, name: 1} for each in range(20)] if number < 5 else [])

    source, server = api(answer, pagination={"type": "page"})
    with pytest.raises(SourceChanged, match="'income', and none of a later page") as caught:
        read(source)
    assert "optional: [income]" in caught.value.do

    assert len(read(over(server, slept, pagination={"type": "page"}, optional=["income"]))[0]) == 80


def test_a_field_that_only_some_records_have_is_no_change(api):
    def answer(asked):
        number = int(asked.parameters["page"])
        rows = [{"id": each} | ({"extra": 1} if (each + number) % 3 else {}) for each in range(20 * (number < 4))]
        return page([{**row, "n": number} for row in rows])

    source, _server = api(answer, pagination={"type": "page"})

    assert len(read(source)[0]) == 60


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"code": 7, "message": "Maria"}}',
        b'{"data": [], "error": "Maria"}',
        b'{"data": [{"id": 1}], "errors": [{"message": "Maria"}]}',
    ],
)
def test_an_error_with_status_200_is_one(api, body):
    source, _server = api(lambda asked: Reply(body, 200, JSON), records="data")

    with pytest.raises(SourceBroken, match="holds an error") as caught:
        read(source)
    assert "Maria" not in str(caught.value)


@pytest.mark.parametrize("error", [b"null", b"false", b'""', b"[]", b"{}"])
def test_an_error_that_is_none_is_none(api, error):
    source, _server = api(lambda asked: Reply(b'{"data": [1], "error": ' + error + b"}", 200, JSON), records="data")

    assert read(source)[0] == ["1"]


@pytest.mark.parametrize(
    "record",
    [
        b'{"id": 1, "id": 2}',
        b'{"id": 1, "a": {"b": 1, "b": 1}}',
        b'{"id" : 1, "id" : 2}',
        b'{"id"\n:1,"id"\t:2}',
        b'{"a": [{"b": 1}, {"b": 1, "b": 2}]}',
        b'{"id": 1, "\\u0069d": 2}',
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_name_that_occurs_twice_in_a_record_is_refused(api, record, place):
    records = [b'{"id": 1, "x": 2}'] * 3
    records[place] = record
    source, _server = api(lambda asked: Reply(b"[" + b", ".join(records) + b"]", 200, JSON))

    with pytest.raises(SourceBroken, match="occurs twice"):
        read(source)


@pytest.mark.parametrize(
    "record",
    [
        r'{"a":1,"\u0061":2}',
        r'{"\u0061":1,"a":2}',
        r'{"a\"":1,"\u0061\"":2}',
        r'{"\u0061bcdefg":1,"abcdefg":2}',
        r'{"x":"\\","a":1,"\u0061":2}',
        r'{"a":{"b":1,"\u0062":2}}',
    ],
)
def test_a_name_that_occurs_twice_in_every_record_is_refused_however_it_is_written(api, record):
    source, _server = api(lambda asked: Reply(f"[{record},{record}]".encode(), 200, JSON))

    with pytest.raises(SourceBroken, match="occurs twice"):
        read(source)


@pytest.mark.parametrize("record", [r'{"a":"\\","b":1}', r'{"a":"\"","":1}', r'{"\u0061":"\"\"","b":"\\"}'])
def test_escapes_alone_make_no_name_another(api, record):
    source, _server = api(lambda asked: Reply(f"[{record},{record}]".encode(), 200, JSON))

    assert read(source)[0] == [record, record]


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [{"id": 1}], "data": [{"id": 2}]}',
        b'{"data": [{"id": 1}, {"id": 3}], "next": null, "data": []}',
        b'{"x": {"data": []}, "x": {"data": [{"id": 1}]}}',
    ],
)
def test_a_name_that_occurs_twice_around_the_records_is_refused(api, body):
    source, _server = api(lambda asked: Reply(body, 200, JSON), records="x.data" if b"x" in body[:4] else "data")

    with pytest.raises(SourceBroken, match="occurs twice"):
        read(source)


NAMES = st.sampled_from(["a", "id", "b", "long_name_of_a", "other_name_of_a", r"a\"b", r"\u0061", "é", ""])
SCALARS = st.sampled_from(["1", '"x"', "null", r'"a\":"', r'"\"id\":1"', "[]", '[{"a":1}]', "12.5"])
GAPS = st.sampled_from(["", " ", "\n", "\t", "  "])


@st.composite
def objects(draw, depth=2):
    """The text of a JSON object, in which names may repeat."""
    parts = []
    for _member in range(draw(st.integers(0, 4))):
        inner = draw(objects(depth=depth - 1)) if depth and draw(st.integers(0, 9)) == 0 else draw(SCALARS)
        parts.append(f'"{draw(NAMES)}"{draw(GAPS)}:{draw(GAPS)}{inner}')
    return "{" + ",".join(parts) + "}"


@given(st.lists(objects(), max_size=5), st.lists(objects(depth=0), min_size=1, max_size=2), st.integers(0, 6))
def test_names_that_occur_twice_are_found_wherever_they_are(mixed, alike, times):
    from lastro.source.http.body import body
    from lastro.source.http.walk import lines

    def distinct(pairs):
        assert len({name for name, _value in pairs}) == len(pairs)
        return dict(pairs)

    content = ("[" + ",".join([*alike * times, *mixed]) + "]").encode()
    listed, records = body(Answer(200, {}, content, None, None), "x").records("")
    try:
        json.loads(content, object_pairs_hook=distinct)
        repeats = False
    except AssertionError:
        repeats = True

    try:
        lines(listed, records, records, "x")
        refused = False
    except SourceBroken:
        refused = True

    assert refused == repeats


def test_blanks_and_escapes_are_no_repeated_names(api):
    body = b'{\n  "data" :\t[ {"a":"\\"a\\":", "b" : "x\\":y"} ,\n {"a": "{", "b": []} ],\n\n\n "next" : null }'
    source, _server = api(lambda asked: Reply(body, 200, JSON), records="data")

    assert [json.loads(record) for record in read(source)[0]] == [{"a": '"a":', "b": 'x":y'}, {"a": "{", "b": []}]


def test_no_digit_is_lost(api):
    texts = ["12345678901234567890123", "-9223372036854775809", "0.12345678901234567890", "123456789012345678.5"]
    body = "[" + ", ".join(f'{{"id": {n}, "v": {text}}}' for n, text in enumerate(texts)) + "]"
    source, _server = api(lambda asked: Reply(body.encode(), 200, JSON))

    found = [json.loads(record, parse_int=str, parse_float=str)["v"] for record in read(source)[0]]

    assert found == texts


@pytest.mark.parametrize(
    ("written", "arrives"),
    [
        ("1.2345678901234567890e5", "123456.78901234567890"),
        ("123456789012345678901e-3", "123456789012345678.901"),
        ("9007199254740993e0", "9007199254740993"),
        ("-9007199254740993E+1", "-90071992547409930"),
        ("900719925474099.3e1", "9007199254740993"),
        ("1e400", "1e400"),
        ("1e-400", "1e-400"),
        ("12e00000000000000000000000000000000400", "12e00000000000000000000000000000000400"),
        ("1e99999999999999999999999", "1e99999999999999999999999"),
        ("1.23456789012345e-310", "1.23456789012345e-310"),
    ],
)
def test_no_digit_is_lost_to_an_exponent(api, written, arrives):
    source, _server = api(lambda asked: Reply(f'[{{"v": {written}}}, {{"v": 2.5e3}}]'.encode(), 200, JSON))

    found = [json.loads(record)["v"] for record in read(source)[0]]

    assert found == [arrives, 2500]


@given(st.decimals(allow_nan=False, allow_infinity=False), st.sampled_from(["e", "E", "f"]))
def test_a_number_arrives_as_the_double_or_the_digits_it_is(number, form):
    from decimal import Decimal

    record = f'{{"n":{number:{form}}}}'.encode()

    text = exact.with_all_digits(record)

    value = json.loads(text, parse_float=str, parse_int=str)["n"]
    assert Decimal(value) == number
    if text == record and form != "f":  # then a double is enough
        assert Decimal(repr(float(value))) == number


@given(st.decimals(allow_nan=False, allow_infinity=False), st.text(max_size=20))
def test_a_record_keeps_its_values(number, text):
    record = json.dumps({"t": text, "n": 0}, ensure_ascii=False).replace('"n": 0', f'"n": {number:f}').encode()

    found = json.loads(exact.with_all_digits(record), parse_float=str, parse_int=str)

    assert found["t"] == text
    assert type(number)(found["n"]) == number


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.text(max_size=4), JSON_VALUES, max_size=4), max_size=6), st.booleans())
def test_records_without_faults_pass_as_they_are(rows, spaced):
    from lastro.source.http.body import body
    from lastro.source.http.walk import lines

    written = json.dumps({"data": rows, "n": 1}, indent=2 if spaced else None, ensure_ascii=False)
    content = written.encode("utf-8", "replace")
    assume(rows == json.loads(content)["data"])  # no lone surrogates, which would make two names one
    answer = Answer(200, {}, content, None, None)

    listed, records = body(answer, "x").records("data")
    found = lines(listed, records, records, "x")["record"].to_pylist()

    assert [json.loads(record) for record in found] == json.loads(content)["data"]


@pytest.mark.parametrize("depth", [65, 70, 500, 5_000])
def test_records_nested_too_deep_are_refused(api, depth):
    deep = b'{"a": ' * depth + b"1" + b"}" * depth
    source, _server = api(lambda asked: Reply(b'[{"a": 1}, ' + deep + b"]", 200, JSON))

    with pytest.raises(LimitExceeded, match="too deep"):
        read(source)


def test_records_as_deep_as_allowed_pass(api):
    deep = b'{"a": ' * 64 + b"1" + b"}" * 64
    source, _server = api(lambda asked: Reply(b"[" + deep + b"]", 200, JSON))

    assert len(read(source)[0]) == 1


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"01", b"+1", b".5", b"0x10", b"1_000"])
def test_numbers_that_json_does_not_have_are_refused(api, number):
    source, _server = api(lambda asked: Reply(b'[{"a": ' + number + b"}]", 200, JSON))

    with pytest.raises(SourceBroken, match="not JSON"):
        read(source)


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"])
def test_bytes_that_are_no_utf8_are_refused_wherever_they_are(api, bad):
    source, _server = api(
        lambda asked: Reply(b'{"note": "' + bad + b'", "data": [{"a": 1}]}', 200, JSON), records="data"
    )

    with pytest.raises(SourceBroken, match="UTF-8"):
        read(source)


def test_half_a_character_is_refused(api):
    source, _server = api(lambda asked: Reply(b'[{"id": 1, "t": "a"}, {"id": 2, "t": "\\ud800"}]', 200, JSON))

    with pytest.raises(SourceBroken, match="not JSON"):
        read(source)


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        zlib.compress,
        lambda data: zlib.compress(data)[2:-4],
    ],
)
def test_a_bomb_is_broken_off_before_it_unfolds(api, pack):
    packed = pack(b"[" + b" " * 300_000_000 + b"]") if pack is gzip.compress else pack(b"[" + b" " * 30_000_000 + b"]")
    name = "gzip" if pack is gzip.compress else "deflate"
    source, _server = api(
        lambda asked: Reply(packed, 200, {**JSON, "Content-Encoding": name}), page_bytes_max=1_000_000
    )

    with pytest.raises(LimitExceeded, match="larger than 1,000,000"):
        read(source)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x"])
def test_a_packing_that_was_not_asked_for_is_refused(api, encoding):
    source, _server = api(lambda asked: Reply(b"[1]", 200, {**JSON, "Content-Encoding": encoding}))

    with pytest.raises(SourceBroken, match="compression"):
        read(source)


@given(st.binary(max_size=5000), st.sampled_from(["gzip", "deflate", "raw", "identity"]), st.integers(1, 700))
def test_packed_bodies_come_out_as_they_went_in(data, encoding, cut):
    packed = {
        "gzip": gzip.compress(data),
        "deflate": zlib.compress(data),
        "raw": zlib.compress(data, wbits=-15),
        "identity": data,
    }[encoding]
    parts = [packed[start : start + cut] for start in range(0, len(packed), cut)]

    found = list(pieces(parts, "deflate" if encoding == "raw" else encoding))

    assert b"".join(found) == data
    assert all(len(piece) <= PIECE_BYTES for piece in found)


@given(st.binary(max_size=300), st.integers(1, 50))
def test_packed_bodies_that_end_too_early_are_damaged(data, missing):
    packed = gzip.compress(data)[:-missing]
    assume(packed)

    with pytest.raises(Damaged):
        list(pieces([packed], "gzip"))


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1, 2, 3]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n[1, 2, 3]",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n[1, 2, 3]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 3\r\n\r\n[1, 2, 3]",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n",
    ],
)
def test_a_content_length_that_lies_is_noticed(api, raw):
    source, _server = api(lambda asked: Reply(raw=raw), retries=0)

    with pytest.raises((SourceBroken, SourceUnreachable)):
        read(source)


def test_a_page_that_never_ends_is_broken_off(api):
    def endless(asked):
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n["
        while True:
            yield b'{"a": 1},' * 1000

    source, _server = api(endless, page_bytes_max=1_000_000)

    with pytest.raises(LimitExceeded, match="larger than"):
        read(source)


def ingested(server, folder, columns, **options):
    """What comes of an API's records under a contract of these columns."""
    lastro.init(folder / "lake")
    lines = ["apiVersion: v3.2.0", "kind: DataContract", "id: d", "version: 1.0.0", "status: active", "schema:"]
    lines += ["  - name: d", "    logicalType: object", "    properties:"]
    for name, kind in columns.items():
        logical, _comma, physical = kind.partition("/")
        lines += [f"      - name: {name}", f"        logicalType: {logical}"]
        lines += [f"        physicalType: {physical}"] if physical else []
    (folder / "lake" / "contracts").mkdir(exist_ok=True)
    (folder / "lake" / "contracts" / "d.odcs.yaml").write_text("\n".join(lines) + "\n")
    source = {"kind": "http", "url": server.url(), "allow_hosts": ["127.0.0.1"], **options}
    (folder / "lake" / "lastro.yaml").write_text(json.dumps({"lastro": 1, "datasets": {"d": {"source": source}}}))
    return lastro.open(folder / "lake").dataset("d").ingest()


def test_all_digits_reach_the_table(api, tmp_path):
    from decimal import Decimal

    body = (
        b'[{"whole": 12345678901234567890123, "part": 0.12345678901234567890, "price": 1.10},'
        b' {"whole": -1, "part": 1e-20, "price": 99999999999999.99}]'
    )
    _source, server = api(lambda asked: Reply(body, 200, JSON))
    columns = {"whole": "number/decimal(38,0)", "part": "number/decimal(38,20)", "price": "number/decimal(18,2)"}

    result = ingested(server, tmp_path, columns)
    rows = lastro.open(tmp_path / "lake").version("d").to_arrow().to_pylist()

    assert result.counts.kept == len(rows)
    assert rows[0] == {
        "whole": Decimal("12345678901234567890123"),
        "part": Decimal("0.12345678901234567890"),
        "price": Decimal("1.10"),
    }


@pytest.mark.parametrize("number", ["1e400", "-1e999", "123456789012345678901234567890e300"])
def test_a_number_beyond_all_doubles_is_set_aside(api, tmp_path, number):
    _source, server = api(lambda asked: Reply(f'[{{"v": 1}}, {{"v": {number}}}]'.encode(), 200, JSON))

    result = ingested(server, tmp_path, {"v": "number"})

    assert (result.counts.kept, result.counts.quarantined) == (1, 1)


def test_a_type_that_changes_in_the_middle_is_set_aside(api, tmp_path):
    def answer(asked):
        number = int(asked.parameters["page"])
        value = 1 if number == 1 else "one" if number == 2 else {"amount": 1}
        return page([{"id": 10 * number + each, "v": value} for each in range(10 * (number < 4))])

    _source, server = api(answer)

    result = ingested(server, tmp_path, {"id": "integer", "v": "integer"}, pagination={"type": "page"})

    assert (result.counts.kept, result.counts.quarantined) == (10, 20)


@pytest.mark.parametrize("ids", [[-1, -2], [0, 2**61 - 1], [1, "1"], ["a", "b"], [1.5, 2]])
def test_different_keys_are_never_taken_for_one(api, ids):
    source, _server = api(lambda asked: page([{"id": each} for each in ids]), key="id")

    assert numbers(read(source)[0]) == ids


@pytest.mark.parametrize(
    ("rows", "says"),
    [([{"id": 1}, {"x": 2}], "a record has no id"), ([{"id": 1}, 7], "no text or number"), ([{"id": [1]}], "no text")],
)
def test_records_without_their_key_are_refused(api, rows, says):
    source, _server = api(lambda asked: page(rows), key="id")

    with pytest.raises(SourceBroken, match=says):
        read(source)
