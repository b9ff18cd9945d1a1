"""Logical and physical types, date formats, bounds: each alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.documents import column, contract

from lastro.contract.formats import jdk_format
from lastro.contract.literals import literal
from lastro.model.plan import LengthWithin, Matches, MultipleOf, OneOf, Within
from lastro.model.schema import Decimal, Field, ListOf, MapOf, Primitive, StructOf

TYPES = {
    "logicalType: string": Primitive.STRING,
    "logicalType: string\nphysicalType: bytea": Primitive.BINARY,
    "logicalType: string\nphysicalType: varchar(20)": Primitive.STRING,
    "logicalType: boolean": Primitive.BOOLEAN,
    "logicalType: date": Primitive.DATE,
    "logicalType: time": Primitive.STRING,
    "logicalType: integer": Primitive.LONG,
    "logicalType: integer\nphysicalType: INT": Primitive.INTEGER,
    "logicalType: integer\nphysicalType: smallint": Primitive.SHORT,
    "logicalType: integer\nphysicalType: TINYINT(1)": Primitive.BYTE,
    "logicalType: integer\nphysicalType: bigint": Primitive.LONG,
    "logicalType: integer\nphysicalType: number(10)": Primitive.LONG,
    "logicalType: integer\nphysicalType: number(30)": Decimal(30, 0),
    "logicalType: integer\nphysicalType: int\nlogicalTypeOptions: {format: i64}": Primitive.LONG,
    "logicalType: integer\nlogicalTypeOptions: {format: i32}": Primitive.INTEGER,
    "logicalType: integer\nlogicalTypeOptions: {format: u8}": Primitive.SHORT,
    "logicalType: integer\nlogicalTypeOptions: {format: u64}": Decimal(20, 0),
    "logicalType: number": Primitive.DOUBLE,
    "logicalType: number\nphysicalType: double precision": Primitive.DOUBLE,
    "logicalType: number\nphysicalType: real": Primitive.FLOAT,
    "logicalType: number\nlogicalTypeOptions: {format: f32}": Primitive.FLOAT,
    "logicalType: number\nphysicalType: decimal(12,2)": Decimal(12, 2),
    "logicalType: number\nphysicalType: 'NUMERIC ( 12 , 2 )'": Decimal(12, 2),
    "logicalType: number\nphysicalType: numeric": Primitive.DOUBLE,
    "logicalType: number\nphysicalType: decimal(12)": Decimal(12, 0),
    "logicalType: number\nphysicalType: money": Decimal(19, 4),
    "logicalType: timestamp": Primitive.TIMESTAMP,
    "logicalType: timestamp\nphysicalType: timestamp(3) without time zone": Primitive.TIMESTAMP_NTZ,
    "logicalType: timestamp\nphysicalType: timestamptz": Primitive.TIMESTAMP,
    "logicalType: timestamp\nlogicalTypeOptions: {timezone: false}": Primitive.TIMESTAMP_NTZ,
    "logicalType: timestamp\nlogicalTypeOptions: {timezone: true, defaultTimezone: Asia/Tokyo}": Primitive.TIMESTAMP,
    "logicalType: timestamp\nlogicalTypeOptions: {timezone: false, defaultTimezone: GMT-3}": Primitive.TIMESTAMP_NTZ,
    "logicalType: timestamp\nlogicalTypeOptions: {defaultTimezone: Etc/UTC}": Primitive.TIMESTAMP,
    "logicalType: array\nitems: {logicalType: integer}": ListOf(Primitive.LONG),
    "logicalType: array\nitems: {logicalType: array, items: {logicalType: date}}": ListOf(ListOf(Primitive.DATE)),
    "logicalType: vector\nlogicalTypeOptions: {dimensions: 3}": ListOf(Primitive.FLOAT),
    "logicalType: vector\nlogicalTypeOptions: {dimensions: 3, elementType: float64}": ListOf(Primitive.DOUBLE),
    "logicalType: map\nmap: {key: {logicalType: string}, value: {logicalType: number}}": MapOf(
        Primitive.STRING, Primitive.DOUBLE
    ),
    "logicalType: object\nproperties: [{name: a, logicalType: string, required: true}]": StructOf(
        (Field("a", Primitive.STRING),)
    ),
}


@pytest.mark.parametrize(("lines", "kind"), TYPES.items(), ids=TYPES)
def test_a_type_comes_from_logical_physical_and_options(lines, kind):
    plan = contract(column(lines)).plan()

    assert plan.columns[0].type == kind


FORMATS = {
    "dd/MM/yyyy": "%d/%m/%Y",
    "d.M.yy": "%d.%m.%y",
    "yyyyMMdd": "%Y%m%d",
    "dd MMM yyyy": "%d %b %Y",
    "YYYY/MM/DD": "%Y/%m/%d",
    "yyyy-DDD": "%Y-%j",
    "%d/%m/%Y": "%d/%m/%Y",
    "dd 'de' MMMM 'de' yyyy": "%d de %B de %Y",
    "yyyy''MM''dd": "%Y'%m'%d",
    "yyyy-MM-dd": None,
    "%Y-%m-%d": None,
}


@pytest.mark.parametrize(("written", "form"), FORMATS.items(), ids=FORMATS)
def test_a_date_format_becomes_strptime(written, form):
    lines = f'logicalType: date\nlogicalTypeOptions: {{format: "{written}"}}'

    assert contract(column(lines)).plan().columns[0].format == form


TIMES = {
    "yyyy-MM-dd HH:mm:ss": "%Y-%m-%d %H:%M:%S",
    "YYYY-MM-DDTHH:mm:ss.SSSZ": None,
    "yyyy-MM-dd'T'HH:mm:ss": None,
    "dd/MM/yyyy hh:mm a": "%d/%m/%Y %I:%M %p",
    "yyyy-MM-dd HH:mm:ss XXX": "%Y-%m-%d %H:%M:%S %z",
}


@pytest.mark.parametrize(("written", "form"), TIMES.items(), ids=TIMES)
def test_a_timestamp_format_becomes_strptime(written, form):
    lines = f'logicalType: timestamp\nlogicalTypeOptions: {{format: "{written}"}}'

    assert contract(column(lines)).plan().columns[0].format == form


def test_a_time_of_day_is_marked_and_needs_no_date():
    plan = contract(column("logicalType: time\nlogicalTypeOptions: {format: HH:mm}")).plan()

    assert (plan.columns[0].is_time, plan.columns[0].format) == (True, "%H:%M")


PARTS = [
    "%Y",
    "%m",
    "%d",
    "%H",
    "%M",
    "%S",
    "%f",
    "%y",
    "%b",
    "%B",
    "%p",
    "%z",
    "%j",
    "/",
    "-",
    " ",
    ":",
    "T",
    "de",
    "'",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=6))
def test_a_format_survives_the_way_to_jdk_letters_and_back(parts):
    form = "%d/%m/%Y" + "".join(part + "|" for part in parts)
    lines = "logicalType: date\nlogicalTypeOptions:\n  format: >-\n    " + jdk_format(form)

    assert contract(column(lines)).plan().columns[0].format == form


LIMITS = {
    "integer\nlogicalTypeOptions: {minimum: 1, maximum: 5}": Within("x", "1", "5"),
    "integer\nlogicalTypeOptions: {exclusiveMinimum: 0}": Within("x", "0", exclusive_minimum=True),
    "integer\nlogicalTypeOptions: {minimum: 1, exclusiveMinimum: 1}": Within("x", "1", exclusive_minimum=True),
    "integer\nlogicalTypeOptions: {minimum: 2, exclusiveMinimum: 1}": Within("x", "2"),
    "integer\nlogicalTypeOptions: {maximum: 9, exclusiveMaximum: 10}": Within("x", None, "9"),
    "integer\nlogicalTypeOptions: {minimum: 0.5}": Within("x", "0.5"),
    "integer\nlogicalTypeOptions: {format: u16}": Within("x", "0"),
    "integer\nlogicalTypeOptions: {maximum: 1e20}": Within("x", None, "100000000000000000000"),
    "number\nphysicalType: decimal(5,2)\nlogicalTypeOptions: {maximum: 999.99}": Within("x", None, "999.99"),
    "number\nlogicalTypeOptions: {minimum: 0}": Within("x", "0.0"),
    "date\nlogicalTypeOptions: {minimum: 2026-01-31}": Within("x", "2026-01-31"),
    "date\nlogicalTypeOptions: {format: dd/MM/yyyy, maximum: 31/01/2026}": Within("x", None, "2026-01-31"),
    "timestamp\nlogicalTypeOptions: {minimum: '2026-01-31T10:00:00-03:00'}": Within("x", "2026-01-31 13:00:00+00:00"),
    "timestamp\nlogicalTypeOptions: {timezone: false, minimum: '2026-01-31'}": Within("x", "2026-01-31 00:00:00"),
    "time\nlogicalTypeOptions: {maximum: '18:00'}": Within("x", None, "18:00:00"),
    "string\nlogicalTypeOptions: {minLength: 2}": LengthWithin("x", 2, None),
    "string\nlogicalTypeOptions: {maxLength: 0}": LengthWithin("x", None, 0),
    "string\nlogicalTypeOptions: {pattern: '[A-Z]{2}'}": Matches("x", "[A-Z]{2}"),
    "string\nlogicalTypeOptions: {pattern: '\\p{Lu}+'}": Matches("x", "\\p{Lu}+"),
    "array\nitems: {logicalType: string}\nlogicalTypeOptions: {minItems: 1, maxItems: 3}": LengthWithin("x", 1, 3),
    "vector\nlogicalTypeOptions: {dimensions: 384}": LengthWithin("x", 384, 384),
    "integer\nlogicalTypeOptions: {multipleOf: 5}": MultipleOf("x", "5"),
    "number\nlogicalTypeOptions: {multipleOf: 0.01}": MultipleOf("x", "0.01"),
    "string\nenum: [{value: a}, {value: ''}, {value: a b}]": OneOf("x", ("a", "", "a b")),
    "integer\nenum: [{value: 1}, {value: 2.0}, {value: null}]": OneOf("x", ("1", "2")),
    "number\nenum: [{value: 1}]": OneOf("x", ("1.0",)),
    "number\nphysicalType: decimal(5,2)\nenum: [{value: 1.5}]": OneOf("x", ("1.50",)),
    "boolean\nenum: [{value: true}]": OneOf("x", ("true",)),
    "date\nenum: [{value: 2026-01-31}]": OneOf("x", ("2026-01-31",)),
}


@pytest.mark.parametrize(("lines", "condition"), LIMITS.items(), ids=LIMITS)
def test_a_limit_becomes_a_condition(lines, condition):
    plan = contract(column(f"logicalType: {lines}")).plan()

    assert plan.row_rules[-1].condition == condition


@given(st.integers(-(10**30), 10**30))
def test_whole_numbers_are_written_without_a_point(number):
    assert literal(number, Primitive.LONG) == str(number)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_is_written_so_that_it_is_read_back_exactly(number):
    assert float(literal(number, Primitive.DOUBLE)) == number
