"""Values with which engines differ if they are left to themselves, and what must become of each. None is 'refused'."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal as Number
from pathlib import Path
from typing import Any

import pyarrow as pa

from lastro.model.plan import (
    AllOf,
    Condition,
    Holds,
    LengthWithin,
    Matches,
    MultipleOf,
    NoneOf,
    NotNull,
    OneOf,
    Within,
)
from lastro.model.schema import Decimal, Field, ListOf, MapOf, Primitive, StructOf, Type

P = Primitive
Rows = Sequence[tuple[Any, Any]]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


TYPES: dict[str, Type] = {
    "long": P.LONG,
    "integer": P.INTEGER,
    "short": P.SHORT,
    "byte": P.BYTE,
    "decimal": Decimal(12, 2),
    "whole": Decimal(38, 0),
    "double": P.DOUBLE,
    "float": P.FLOAT,
    "boolean": P.BOOLEAN,
    "date": P.DATE,
    "timestamp": P.TIMESTAMP,
    "local": P.TIMESTAMP_NTZ,
    "string": P.STRING,
    "binary": P.BINARY,
}
_NO_NUMBERS = [
    "",
    " ",
    "-",
    "+",
    "--1",
    "+-1",
    "- 1",
    "1 2",
    "x",
    "1x",
    "1_000",
    "0x1F",
    "0b11",
    "1,5",
    "1.2.3",
    "١",
    "NULL",
]
_WHOLE = [("1", 1), (" 7 ", 7), ("\t7", 7), ("+5", 5), ("-0", 0), ("007", 7), ("-42", -42), (None, None)]
_NOT_WHOLE = ["1.5", "1.0", "1.", ".5", "1e3", "1E2", "1e2", "nan", "true", "7\u00a0"]
_DAY = [("2024-02-29", date(2024, 2, 29)), (" 2024-01-05\t", date(2024, 1, 5)), ("0001-01-01", date(1, 1, 1))]
_NO_DAY = [
    "2023-02-29", "2024-04-31", "2024-13-01", "2024-00-10", "2024-01-00", "2024-1-5", "24-01-05", "2024/01/05",
        "20240105",
    "05/01/2024", "2024-01-05 00:00:00", "2024-01-05T00:00", "0000-01-01", "-0001-01-01", "+2024-01-05",
        "10000-01-01",
    "0044-03-15 (BC)", "epoch", "infinity", "today", "now", "2024-01", "2024", "2024-W01-1", "", " ", "x",
        "2024 01 05",
    "2024-01-05Z", "02024-01-05", " 224-01-05",
]  # fmt: skip
_NO_MOMENT = [
    "2024-01-05", "2024-01-05 24:00:00", "2024-01-05 23:59:60", "2024-01-05 10:60", "2024-01-05 10",
        "2024-02-30 10:00:00",
    "2024-01-05 10:00:00.1234567", "2024-01-05 10:00:00.", "2024-01-05  10:00:00", "2024-01-05t10:00:00", "epoch",
        "now",
    "infinity", "2024-01-05 10:00:00 America/Sao_Paulo", "2024-01-05 10:00:00 UTC", "1704448800",
        "0000-01-01 00:00:00",
    "2024-01-05 1:00:00", "2024-01-05 10:00:00 PM", "10:00:00", "", "x", "2024-01-05 10:00:00,5",
]  # fmt: skip
_ZONED = ["2024-01-05T10:00:00Z", "2024-01-05 10:00:00+02", "2024-01-05 10:00:00-03:30"]


def _refused(texts: Sequence[str]) -> list[tuple[str, None]]:
    return [(text, None) for text in texts]


TEXTS: dict[str, Rows] = {
    "long": [
        *_WHOLE,
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("00000000000000000000000000012", 12),
        *_refused([*_NO_NUMBERS, *_NOT_WHOLE, "9223372036854775808", "-9223372036854775809", "1" * 40]),
    ],
    "integer": [*_WHOLE, ("2147483647", 2**31 - 1), *_refused([*_NO_NUMBERS, *_NOT_WHOLE, "2147483648",
        "-2147483649"])],
    "short": [*_WHOLE, ("-32768", -32768), *_refused([*_NO_NUMBERS, *_NOT_WHOLE, "32768"])],
    "byte": [*_WHOLE, ("127", 127), *_refused([*_NO_NUMBERS, *_NOT_WHOLE, "128", "-129", "255"])],
    "decimal": [
        ("1.5", Number("1.50")), ("12", Number("12.00")), ("-0.01", Number("-0.01")), (" +1.5 ", Number("1.50")),
        ("1.500", Number("1.50")), ("1.5000000000000000000000000000000000000000000000", Number("1.50")),
        (".5", Number("0.50")), ("-.25", Number("-0.25")), ("5.", Number("5.00")), ("007.10", Number("7.10")),
        ("9999999999.99", Number("9999999999.99")), ("-9999999999.990", Number("-9999999999.99")), (None, None),
        *_refused([*_NO_NUMBERS, ".", "1.555", "1.005", "0.001", "1e2", "1E400", "10000000000", "10000000000.00",
        "nan", "1.5f"]),
    ],
    "whole": [
        ("9" * 38, Number("9" * 38)), ("-1", Number(-1)), ("1.000", Number(1)), ("1.", Number(1)),
        *_refused([*_NO_NUMBERS, "1" + "0" * 38, "1.5", "0.4", ".0", "1e3"]),
    ],
    "double": [
        ("1", 1.0), ("1.5", 1.5), ("-1.5e3", -1500.0), ("1E-3", 0.001), (".5", 0.5), ("5.", 5.0), (" 0.1\t", 0.1),
        ("+2", 2.0),
        ("1e308", 1e308), ("5e-324", 5e-324), ("1e-400", 0.0), ("0.1234567890123456789", 0.12345678901234568),
        ("9007199254740993", 9007199254740992.0), ("1e+2", 100.0), (None, None),
        *_refused([*_NO_NUMBERS, "nan", "NaN", "inf", "-inf", "Infinity", "infinity", "1e400", "-1e400", "1d",
        "1f", "1e", "e5",
                   "0x1p3", ".", "1e1.5", "1e 5", "1.5.2"]),
    ],
    "float": [
        ("1.5", 1.5), ("0.1", 0.10000000149011612), ("16777217", 16777216.0), ("-3e38", -3.0000000054977558e38),
        *_refused([*_NO_NUMBERS, "1e39", "nan", "inf", "1f"]),
    ],
    "boolean": [
        *[(text, True) for text in ("true", "TRUE", "True", "t", "T", "1", "yes", "YES", " true ", "\tt")],
        *[(text, False) for text in ("false", "FALSE", "f", "F", "0", "no", "No", " no")],
        (None, None),
        *_refused(["", " ", "y", "n", "on", "off", "2", "-1", "1.0", "verdadeiro", "sim", "truee", "null"]),
    ],
    "date": [*_DAY, ("9999-12-31", date(9999, 12, 31)), ("1582-10-10", date(1582, 10, 10)), (None, None),
        *_refused(_NO_DAY)],
    "timestamp": [
        ("2024-01-05T10:00:00Z", utc(2024, 1, 5, 10)),
        ("2024-01-05 10:00:00", utc(2024, 1, 5, 10)),
        ("2024-01-05T10:00", utc(2024, 1, 5, 10)),
        ("2024-01-05T10:00+02:00", utc(2024, 1, 5, 8)),
        ("2024-01-05 10:00:00+02", utc(2024, 1, 5, 8)),
        ("2024-01-05 10:00:00-0330", utc(2024, 1, 5, 13, 30)),
        ("2024-01-05T10:00:00.5-03:30", utc(2024, 1, 5, 13, 30, 0, 500000)),
        (" 2024-01-05T10:00:00.123456Z ", utc(2024, 1, 5, 10, 0, 0, 123456)),
        ("2024-02-29 23:59:59.000001", utc(2024, 2, 29, 23, 59, 59, 1)),
        ("1969-12-31T23:59:59.9Z", utc(1969, 12, 31, 23, 59, 59, 900000)),
        ("1500-01-01 00:00:00", utc(1500, 1, 1)),
        (None, None),
        *_refused([*_NO_MOMENT, "2024-01-05T10:00:00+2", "2024-01-05T10:00:00 Z", "2024-01-05T10:00:00z",
        "2024-01-05T10:00:00ZZ"]),
    ],
    "local": [
        ("2024-01-05 10:00:00", datetime(2024, 1, 5, 10)),
        ("2024-01-05T10:00", datetime(2024, 1, 5, 10)),
        ("2024-01-05T10:00:59.1", datetime(2024, 1, 5, 10, 0, 59, 100000)),
        ("\t2024-02-29 23:59:59.000001", datetime(2024, 2, 29, 23, 59, 59, 1)),
        ("0001-01-01 00:00:00", datetime(1, 1, 1)),
        (None, None),
        *_refused([*_NO_MOMENT, *_ZONED]),
    ],
    "string": [(text, text) for text in ("", " ", "x", "São Paulo", "😀", "e\u0301", "a\nb", "'\"\\`", "NULL",
        None, "{}", "\x7f")],
    "binary": [("", b""), ("00ff", b"\x00\xff"), ("DEADbeef", b"\xde\xad\xbe\xef"), *_refused(["0", "0g", " 00",
        "0x00", "é"])],
}  # fmt: skip

FORMATS: dict[str, tuple[Type, str | None, bool, Rows]] = {
    "br": (P.DATE, "%d/%m/%Y", False, [
        ("29/02/2024", date(2024, 2, 29)), ("5/3/2024", date(2024, 3, 5)), (" 05/03/2024 ", date(2024, 3, 5)),
        (None, None),
        *_refused(["31/02/2024", "30/02/2023", "2024-02-29", "05/03/24", "13/13/2024", "00/01/2024", "5-3-2024",
        "05/03/2024 10:00", "x", ""]),
    ]),
    "packed": (P.DATE, "%Y%m%d", False, [("20240229", date(2024, 2, 29)), *_refused(["2024229", "20230229",
        "2024-02-29", "202402290"])]),
    "us": (P.DATE, "%b %d, %Y", False, [("Feb 29, 2024", date(2024, 2, 29)), *_refused(["Fev 29, 2024",
        "Feb 30, 2024", "29 Feb 2024"])]),
    "cut": (P.DATE, "%d/%m/%Y %H:%M", False, [("29/02/2024 00:00", date(2024, 2, 29)),
        *_refused(["29/02/2024 10:00", "29/02/2024"])]),
    "log": (P.TIMESTAMP, "%d/%b/%Y:%H:%M:%S %z", False, [
        ("10/Oct/2000:13:55:36 -0700", utc(2000, 10, 10, 20, 55, 36)), ("10/Oct/2000:13:55:36 +03:00", utc(2000,
        10, 10, 10, 55, 36)),
        *_refused(["10/Oct/2000:13:55:36", "10/Oct/2000:13:55:36 Z", "32/Oct/2000:13:55:36 -0700",
        "10/Oct/2000:25:55:36 -0700"]),
    ]),
    "fraction": (P.TIMESTAMP_NTZ, "%Y-%m-%d %H.%M.%S.%f", False, [
        ("2024-01-05 10.11.12.5", datetime(2024, 1, 5, 10, 11, 12, 500000)),
        ("2024-01-05 10.11.12.000001", datetime(2024, 1, 5, 10, 11, 12, 1)),
        *_refused(["2024-01-05 10.11.12", "2024-01-05 10.11.12.1234567", "2024-01-05 10:11:12.5"]),
    ]),
    "utc": (P.TIMESTAMP, "%d/%m/%Y %H:%M:%S", False, [("05/01/2024 10:00:00", utc(2024, 1, 5, 10)),
        *_refused(["05/01/2024"])]),
    "mail": (P.TIMESTAMP, "%a, %d %b %Y %H:%M:%S %z", False, [
        ("Sat, 31 Jan 2026 13:55:36 -0300", utc(2026, 1, 31, 16, 55, 36)),
        ("Mon, 31 Jan 2026 13:55:36 +0000", utc(2026, 1, 31, 13, 55, 36)),
        *_refused(["31 Jan 2026 13:55:36 -0300", "Sab, 31 Jan 2026 13:55:36 -0300", "Sat, 31 Feb 2026 13:55:36 -0300",
        "Sat, 31 Jan 2026 13:55:36"]),
    ]),
    "comma": (P.TIMESTAMP_NTZ, "%Y-%m-%d %H:%M:%S,%f", False, [
        ("2026-01-31 13:55:36,123", datetime(2026, 1, 31, 13, 55, 36, 123000)),
        *_refused(["2026-01-31 13:55:36.123", "2026-01-31 13:55:36"]),
    ]),
    "seconds": (P.TIMESTAMP, "epoch", False, [
        ("1769864136", utc(2026, 1, 31, 12, 55, 36)), (" 1769864136.1234569 ", utc(2026, 1, 31, 12, 55, 36, 123456)),
        ("0", utc(1970, 1, 1)), ("-0.5", utc(1969, 12, 31, 23, 59, 59, 500000)), (None, None),
        *_refused(["", "x", "1e9", "+1", "1,5", "176986413600", "2026-01-31", "1769864136.1234567891"]),
    ]),
    "milliseconds": (P.TIMESTAMP, "epoch_ms", False, [
        ("1769864136123", utc(2026, 1, 31, 12, 55, 36, 123000)), ("-1", utc(1969, 12, 31, 23, 59, 59, 999000)),
        *_refused(["", "x", "999999999999999"]),
    ]),
    "microseconds": (P.TIMESTAMP, "epoch_us", False, [
        ("1769864136123456", utc(2026, 1, 31, 12, 55, 36, 123456)), *_refused(["999999999999999999"]),
    ]),
    "nanoseconds": (P.TIMESTAMP, "epoch_ns", False, [
        ("1769864136123456789", utc(2026, 1, 31, 12, 55, 36, 123456)),
        ("-1", utc(1969, 12, 31, 23, 59, 59, 999999)), *_refused(["17698641361234567890"]),
    ]),
    "fine": (P.TIMESTAMP, "iso8601_ns", False, [
        ("2026-01-31T12:55:36.123456789Z", utc(2026, 1, 31, 12, 55, 36, 123456)),
        (" 2026-01-31 12:55:36.9999999-03:00", utc(2026, 1, 31, 15, 55, 36, 999999)),
        ("2026-01-31T12:55:36.123456789", utc(2026, 1, 31, 12, 55, 36, 123456)),
        ("1969-12-31T23:59:59.999999999Z", utc(1969, 12, 31, 23, 59, 59, 999999)),
        ("2026-01-31T12:55:36Z", utc(2026, 1, 31, 12, 55, 36)), ("2026-01-31T12:55Z", utc(2026, 1, 31, 12, 55)),
        ("2026-01-31T12:55:36.5Z", utc(2026, 1, 31, 12, 55, 36, 500000)), (None, None),
        *_refused(["", "x", "2026-02-30T12:55:36.123456789Z", "2026-01-31T12:55:36.1234567890Z",
        "2026-01-31T25:55:36.123456789Z", "2026-01-31T12:55:36,123456789Z", "2026-01-31T12:55:36.123456789z",
        "2026-01-31.1234567", "2026-01-31T12:55:36.Z"]),
    ]),
    "fine_ntz": (P.TIMESTAMP_NTZ, "iso8601_ns", False, [
        ("2026-01-31T12:55:36.123456789", datetime(2026, 1, 31, 12, 55, 36, 123456)),
        ("2026-01-31 12:55:36.1234561 ", datetime(2026, 1, 31, 12, 55, 36, 123456)),
        *_refused(["2026-01-31T12:55:36.123456789Z", "2026-01-31T12:55:36.1234567891"]),
    ]),
    "time": (P.STRING, None, True, [
        ("10:00", "10:00:00"), ("23:59:59", "23:59:59"), (" 10:00:00.5 ", "10:00:00.500000"), ("10:00:00.000",
        "10:00:00"),
        ("00:00:00.000001", "00:00:00.000001"), (None, None),
        *_refused(["24:00", "10:60", "10:00:60", "1:00", "10", "10:00:00.1234567", "10:00Z", "x", "", "10:00 PM"]),
    ]),
    "clock": (P.STRING, "%Hh%M", True, [("10h05", "10:05:00"), ("9h30", "09:30:00"), *_refused(["25h00", "10:05",
        "10h"])]),
}  # fmt: skip

NESTED: dict[str, tuple[Type, Rows]] = {
    "list": (ListOf(P.LONG), [
        ("[1, 2]", [1, 2]), ("[]", []), (" [1, null]", [1, None]), ('["3"]', [3]), (None, None),
        *_refused(['[1, "x"]', "[1.5]", "[1", "{}", "1", "", "x", "[[1]]"]),
    ]),
    "struct": (StructOf((Field("a", P.LONG), Field("b c", ListOf(P.DATE)))), [
        ('{"a": 1, "b c": ["2024-02-29"]}', {"a": 1, "b c": [date(2024, 2, 29)]}),
        ('{"a": 1, "z": true}', {"a": 1, "b c": None}), ("{}", {"a": None, "b c": None}), (None, None),
        *_refused(['{"a": "x"}', '{"b c": ["2023-02-29"]}', '{"b c": "x"}', "[1]", "{", "null", "x", ""]),
    ]),
    "map": (MapOf(P.STRING, P.DOUBLE), [
        ('{"k": 1.5, "é": null}', {"k": 1.5, "é": None}), ("{}", {}), (None, None), *_refused(['{"k": "x"}', "[]",
        "{", ""]),
    ]),
    "deep": (ListOf(StructOf((Field("x", MapOf(P.STRING, P.STRING)),))), [
        ('[{"x": {"a": "b"}}, {"x": null}]', [{"x": [("a", "b")]}, {"x": None}]), *_refused(['[{"x": 1}]', "[1]"]),
    ]),
}  # fmt: skip

_MOMENT = utc(2024, 1, 5, 10, 30)
TYPED: dict[str, tuple[pa.DataType, Type, Rows]] = {
    "int_long": (pa.int32(), P.LONG, [(5, 5), (None, None)]),
    "long_int": (pa.int64(), P.INTEGER, [(5, 5), (2**31, None), (-(2**31), -(2**31))]),
    "long_double": (pa.int64(), P.DOUBLE, [(5, 5.0), (2**53, float(2**53)), (2**53 + 1, None)]),
    "long_decimal": (pa.int64(), Decimal(6, 2), [(1234, Number("1234.00")), (12345, None)]),
    "double_long": (pa.float64(), P.LONG, [(5.0, 5), (5.5, None), (-0.0, 0), (1e19, None), (float("nan"), None)]),
    "double_decimal": (
        pa.float64(),
        Decimal(6, 2),
        [(0.25, Number("0.25")), (0.1, Number("0.10")), (0.125, None), (1e9, None)],
    ),
    "double_float": (pa.float64(), P.FLOAT, [(1.5, 1.5), (0.1, None), (1e300, None)]),
    "double_double": (pa.float64(), P.DOUBLE, [(float("nan"), float("nan")), (float("inf"), float("inf"))]),
    "decimal_less": (
        pa.decimal128(10, 4),
        Decimal(6, 2),
        [(Number("1.5000"), Number("1.50")), (Number("1.5001"), None)],
    ),
    "decimal_long": (pa.decimal128(10, 2), P.LONG, [(Number("7.00"), 7), (Number("7.01"), None)]),
    "decimal_double": (pa.decimal128(10, 2), P.DOUBLE, [(Number("0.10"), 0.1)]),
    "moment_date": (
        pa.timestamp("us"),
        P.DATE,
        [(datetime(2024, 1, 5), date(2024, 1, 5)), (datetime(2024, 1, 5, 1), None)],
    ),
    "utc_date": (pa.timestamp("us", tz="UTC"), P.DATE, [(utc(2024, 1, 5), date(2024, 1, 5)), (_MOMENT, None)]),
    "date_moment": (pa.date32(), P.TIMESTAMP, [(date(2024, 1, 5), utc(2024, 1, 5))]),
    "local_utc": (pa.timestamp("us"), P.TIMESTAMP, [(datetime(2024, 1, 5, 1), utc(2024, 1, 5, 1))]),
    "int_boolean": (pa.int64(), P.BOOLEAN, [(1, True), (0, False), (2, None), (None, None)]),
    "boolean_int": (pa.bool_(), P.INTEGER, [(True, 1), (False, 0)]),
    "int_text": (pa.int64(), P.STRING, [(-5, "-5")]),
    "decimal_text": (pa.decimal128(10, 2), P.STRING, [(Number("1.50"), "1.50")]),
    "date_text": (pa.date32(), P.STRING, [(date(2024, 1, 5), "2024-01-05")]),
    "boolean_text": (pa.bool_(), P.STRING, [(True, "true")]),
    "moment_text": (pa.timestamp("us", tz="UTC"), P.STRING, [(_MOMENT, "2024-01-05T10:30:00.000000Z")]),
    "lists": (pa.list_(pa.int32()), ListOf(P.LONG), [([1, None], [1, None]), ([], [])]),
}

RULE_TYPES: dict[str, Type] = {
    "n": P.LONG, "p": Decimal(6, 2), "x": P.DOUBLE, "s": P.STRING, "d": P.DATE, "t": P.TIMESTAMP, "b": P.BOOLEAN,
        "l": ListOf(P.LONG),
}  # fmt: skip
RULE_ROWS: dict[str, Sequence[str | None]] = {
    "n": ["1", "2", "3", "10", "-5", None],
    "p": ["1.00", "1.50", "0.05", "-1.00", "99.99", None],
    "x": ["0.3", "0.35", "1", "-2.5", "1e10", None],
    "s": ["SP", "RJ", "são", "", "a\nb", None],
    "d": ["2024-01-01", "2024-02-29", "2023-12-31", "2030-01-01", "1999-01-01", None],
    "t": [
        "2024-01-01T00:00:00Z",
        "2024-01-01T00:00:01Z",
        "2023-12-31T23:59:59Z",
        "2024-06-01T00:00Z",
        "2024-01-01T01:00+01:00",
        None,
    ],
    "b": ["true", "false", "1", "0", "t", None],
    "l": ["[1]", "[]", "[1,2,3]", "[1,2]", "[null]", None],
}
RULES: list[tuple[str, Condition, int]] = [
    ("not null", NotNull("n"), 1),
    ("one of", OneOf("s", ("SP", "RJ", "")), 2),
    ("one of nothing", OneOf("s", ()), 5),
    ("one of numbers", OneOf("n", ("1", "2.0", "x", "99999999999999999999")), 3),
    ("one of decimals", OneOf("p", ("1", "1.5", "1.555")), 3),
    ("one of doubles", OneOf("x", ("1.0", "10000000000")), 3),
    ("one of dates", OneOf("d", ("2024-02-29", "nonsense")), 4),
    ("one of booleans", OneOf("b", ("true",)), 2),
    ("none of", NoneOf("s", ("", "RJ")), 3),
    ("none of, null is fine", NoneOf("s", ("", "RJ"), null_is_missing=False), 2),
    ("none of numbers", NoneOf("n", ("-5", "n/a")), 2),
    ("none of nothing", NoneOf("n", (), null_is_missing=False), 0),
    ("matches", Matches("s", "[A-Z]{2}"), 3),
    ("matches whole", Matches("s", "S|SP|R"), 4),
    ("matches unicode", Matches("s", r"\pL+"), 2),
    ("matches dot", Matches("s", ".*"), 1),
    ("matches end", Matches("s", "^[A-Z]*$"), 2),
    ("matches case", Matches("s", "(?i)sp|SÃO"), 3),
    ("matches number", Matches("n", "[0-9]+"), 1),
    ("matches date", Matches("d", "2024-.*"), 3),
    ("within", Within("n", "2", "3"), 3),
    ("within exclusive", Within("n", "1", "10", exclusive_minimum=True, exclusive_maximum=True), 3),
    ("within fractions", Within("n", "1.5", "2.5"), 4),
    ("within beyond the type", Within("n", "-1e30", "1e30"), 0),
    ("above the type", Within("n", "1e30"), 5),
    ("within decimals", Within("p", "0.051", "99.989"), 3),
    ("within decimals exclusive", Within("p", "0.05", "99.99", exclusive_minimum=True, exclusive_maximum=True), 3),
    ("within doubles", Within("x", "0.3", "1"), 2),
    ("within doubles exclusive", Within("x", "0.3", exclusive_minimum=True), 2),
    ("within texts", Within("s", "A", "Z"), 3),
    ("within dates", Within("d", "2024-01-01", "2024-12-31"), 3),
    ("within quoted dates", Within("d", "'2024-01-01'", None, exclusive_minimum=True), 3),
    ("within moments", Within("t", "2024-01-01T00:00:00Z", "2024-03-01"), 2),
    ("length", LengthWithin("s", 2, 2), 3),
    ("length of lists", LengthWithin("l", 1, 2), 2),
    ("length at most", LengthWithin("s", None, 2), 2),
    ("multiple", MultipleOf("n", "5"), 3),
    ("multiple of a fraction", MultipleOf("n", "0.5"), 0),
    ("multiple of decimals", MultipleOf("p", "0.05"), 1),
    ("multiple of decimals, coarse", MultipleOf("p", "0.5"), 2),
    ("multiple of doubles", MultipleOf("x", "0.1"), 1),
    ("holds", Holds("n > 1 and length(s) > 0"), 3),
    ("holds, null passes", Holds("n > 0"), 1),
    ("holds over columns", Holds("d <= cast('2024-12-31' as date) or n > 5"), 0),
    ("holds a case", Holds("case when n is null then false else true end"), 1),
    ("all of", AllOf((OneOf("s", ("SP", "são", "a\nb")), Matches("s", "[A-Z]+"))), 4),
    ("all of with null", AllOf((NotNull("s"), LengthWithin("s", 1))), 2),
]  # fmt: skip

JSON_TYPES: dict[str, Type] = {"id": P.LONG, "name": P.STRING, "nested": ListOf(P.LONG)}
MALFORMED = ("malformed",)
JSON_LINES: list[tuple[str, Any]] = [
    ('{"id": 1, "name": "Ana", "nested": [1, 2]}', {"id": 1, "name": "Ana", "nested": [1, 2]}),
    ('{"name": "\\u00e9\\n", "id": "2", "other": {}}', {"id": 2, "name": "é\n", "nested": None}),
    ("", None),
    ('{"id": 3, "name": {"a": [1, "b", null, true]}}', {"id": 3, "name": '{"a":[1,"b",null,true]}', "nested": None}),
    ('{"id": 9223372036854775808}', ("id.type",)),
    (
        '{"id": 4, "name": 123456789012345678901234567890}',
        {"id": 4, "name": "123456789012345678901234567890", "nested": None},
    ),
    ('{"id": 5, "name": true}', {"id": 5, "name": "true", "nested": None}),
    ('{"id": 6, "name": null}', {"id": 6, "name": None, "nested": None}),
    ('{"id": 1.5}', ("id.type",)),
    ('{"id": 7, "name": 1.50}', {"id": 7, "name": "1.5", "nested": None}),
    ('{"id": 8, "name": 1e3}', {"id": 8, "name": "1000.0", "nested": None}),
    ('{"id": 8, "name": 1.5e-7}', {"id": 8, "name": "1.5e-7", "nested": None}),
    ("   ", None),
    ("{", MALFORMED),
    ("[1]", MALFORMED),
    ("nonsense", MALFORMED),
    ('"text"', MALFORMED),
    ("null", MALFORMED),
    ("{'id': 1}", MALFORMED),
    ('{"id": NaN}', ("id.type",)),
    ('{"id": 1} {"id": 2}', MALFORMED),
    ('{"id": 9, "nested": ["x"]}', ("nested.type",)),
    ('{"id": 10, "id": 11}', MALFORMED),
    ('{"id": 10, "\\u0069d": 10}', MALFORMED),
    ('{"id": 10, "x": 1, "x": 1}', MALFORMED),
    ("{" + ", ".join(f'"k{n % 29}": {n}' for n in range(30)) + "}", MALFORMED),
    ("{" + ", ".join(f'"k{n}": {n}' for n in range(30)) + "}", {"id": None, "name": None, "nested": None}),
    ('{"name": {"a": 1, "a": 2}}', {"id": None, "name": '{"a":1,"a":2}', "nested": None}),
    ("{}", {"id": None, "name": None, "nested": None}),
    ('  {"ID": 1}  ', {"id": None, "name": None, "nested": None}),
    ("[" * 5_000, MALFORMED),
]

_ROWS = [
    {"a": " Ana ", "b": "x", "n": 1, "m": 2, "x": 1.5, "p": Number("1.50"), "d": date(2024, 1, 31),
        "e": date(2024, 3, 1),
     "t": datetime(2024, 1, 31, 10, 30, 15), "ok": True},
    {"a": "123.456.789-09", "b": "", "n": 0, "m": 0, "x": -2.25, "p": Number("-10.25"), "d": date(2023, 12, 31),
     "e": date(2024, 1, 1), "t": datetime(2023, 12, 31, 23, 59, 59), "ok": False},
    {"a": "31/01/2024", "b": None, "n": 120, "m": 7, "x": 1000.0, "p": Number("99.99"), "d": date(2024, 2, 29),
     "e": date(2020, 2, 29), "t": datetime(2024, 2, 29), "ok": None},
    {"a": "42", "b": "42", "n": -7, "m": 3, "x": 0.0, "p": Number("0.00"), "d": date(2000, 1, 1), "e": date(2000,
        1, 1),
     "t": datetime(2000, 1, 1), "ok": True},
    {"a": "joão@exemplo.br", "b": "João", "n": 5, "m": -2, "x": 2.5, "p": Number("7.00"), "d": date(1999, 6, 15),
     "e": date(2031, 6, 14), "t": datetime(1999, 6, 15, 1, 2, 3), "ok": False},
    {"a": None, "b": None, "n": None, "m": None, "x": None, "p": None, "d": None, "e": None, "t": None, "ok": None},
]  # fmt: skip
EXPRESSION_ROWS: dict[str, list[Any]] = {name: [row[name] for row in _ROWS] for name in _ROWS[0]}
EXPRESSION_TYPES = {
    "n": pa.int64(), "m": pa.int64(), "x": pa.float64(), "p": pa.decimal128(12, 2), "d": pa.date32(),
        "e": pa.date32(),
    "t": pa.timestamp("us"), "ok": pa.bool_(),
}  # fmt: skip
_KINDS: dict[str, Type] = {
    "text": P.STRING,
    "whole": P.LONG,
    "number": P.DOUBLE,
    "truth": P.BOOLEAN,
    "date": P.DATE,
    "moment": P.TIMESTAMP_NTZ,
}


def _expressions() -> list[tuple[str, Type, list[Any]]]:
    """Each expression, the type it is cast to, and its values for the rows above, as reviewed and kept here."""
    found = json.loads(Path(__file__).with_name("expressions.json").read_text(encoding="utf-8"))
    readers = {"date": date.fromisoformat, "moment": datetime.fromisoformat}
    return [
        (
            text,
            _KINDS[kind],
            [value if value is None else readers.get(kind, lambda same: same)(value) for value in values],
        )
        for text, kind, values in found
    ]


EXPRESSIONS = _expressions()
