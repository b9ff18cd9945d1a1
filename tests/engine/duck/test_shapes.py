"""JSON texts of one shape become structs and lists; all others stay the text they are."""

import json
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastro.contract import infer
from lastro.contract.guess import is_personal
from lastro.engine.duck.engine import DuckEngine
from lastro.engine.scan import StreamScan
from lastro.model.schema import Field, ListOf, Primitive, StructOf

LONG, DOUBLE, TEXT = Primitive.LONG, Primitive.DOUBLE, Primitive.STRING


def seen(values):
    """The type that the column `v` of these records is inferred to have."""
    lines = [json.dumps({"id": number, "v": value}) for number, value in enumerate(values)]
    scan = StreamScan(pa.table({"record": lines}), "x", records=True)
    return next(each for each in DuckEngine().sample(scan) if each.column.name == "v")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([{"a": 1}, {"a": 2.5, "b": "x"}, None], StructOf((Field("a", DOUBLE), Field("b", TEXT)))),
        ([{"a": {"b": [1, None]}}], StructOf((Field("a", StructOf((Field("b", ListOf(LONG)),))),))),
        ([[{"sku": "a"}], []], ListOf(StructOf((Field("sku", TEXT),)))),
        ([[True], [False]], ListOf(Primitive.BOOLEAN)),
        ([[[1], []], []], ListOf(ListOf(LONG))),
        ([[], []], ListOf(TEXT)),
        ([{"a": None}], StructOf((Field("a", TEXT),))),
        ([{"a": 1}, {"a": {"b": 1}}], StructOf((Field("a", TEXT),))),
        ([[1, "a"]], ListOf(TEXT)),
        ([{"a": 12345678901234567890123}, {"a": 1}], StructOf((Field("a", TEXT),))),
        ([{"a": 1}, [1]], TEXT),
        ([{"a": 1}, "x"], TEXT),
        ([{}, {}], TEXT),
        ([{"a b": 1}], TEXT),
        ([{"": 1}], TEXT),
        ([{"a": 1, "A": 2}], TEXT),
        ([{"x" * 300: 1}], TEXT),
        ([{f"k{number}": 1 for number in range(101)}], TEXT),
        (["[1", "{", "{a: 1}"], TEXT),
    ],
)
def test_what_a_column_of_json_is(values, kind):
    assert seen(values).column.type == kind


def test_depth_has_an_end():
    deep = 1
    for _level in range(40):
        deep = {"a": deep}

    kind = seen([deep]).column.type
    levels = 0
    while isinstance(kind, StructOf):
        kind, levels = kind.fields[0].type, levels + 1

    assert (kind, levels) == (TEXT, 8)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(VALUES, max_size=3) | st.dictionaries(st.text(max_size=3), VALUES, max_size=3), min_size=1))
def test_any_json_gives_a_contract_that_reads_what_was_seen(tmp_path_factory, values):
    from lastro.contract import parse

    engine = DuckEngine()
    lines = pa.table({"record": [json.dumps({"id": n, "v": value}) for n, value in enumerate(values)]})
    samples = engine.sample(StreamScan(lines, "x", records=True))
    plan = parse(infer("d", samples, source="x", today=date(2026, 1, 1)), name="d").plan()
    folder = tmp_path_factory.mktemp("staged")

    staged = engine.stage(plan, StreamScan(lines, "x", records=True), folder, batch="b")

    assert staged.counts.kept == len(values)


def test_what_is_about_a_person_inside_is_personal():
    assert is_personal(seen([{"contact": {"email": "x"}}]))
    assert is_personal(seen([[{"cpf": "1"}]]))
    assert not is_personal(seen([{"state": "SP"}]))
