"""Schemas and their Delta form."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model.schema import Decimal, Field, ListOf, MapOf, Primitive, Schema, StructOf, type_text

NAMES = st.text("abcdefgçã_", min_size=1, max_size=8)
SIMPLE = st.one_of(
    st.sampled_from(list(Primitive)),
    st.integers(1, 38).flatmap(lambda digits: st.integers(0, digits).map(lambda scale: Decimal(digits, scale))),
)
TYPES = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        inner.map(ListOf),
        st.tuples(inner, inner).map(lambda pair: MapOf(*pair)),
        st.lists(st.builds(Field, NAMES, inner, st.booleans()), max_size=3).map(lambda each: StructOf(tuple(each))),
    ),
    max_leaves=6,
)


@given(st.lists(st.builds(Field, NAMES, TYPES, st.booleans()), max_size=5))
def test_a_schema_survives_its_delta_form(fields):
    schema = Schema(tuple(fields))

    assert Schema.from_delta(schema.to_delta()) == schema
    assert json.loads(schema.to_delta())["type"] == "struct"


@pytest.mark.parametrize(("precision", "scale"), [(0, 0), (39, 0), (5, 6), (5, -1)])
def test_a_decimal_out_of_range_is_refused(precision, scale):
    with pytest.raises(ValueError, match="out of range"):
        Decimal(precision, scale)


@pytest.mark.parametrize(
    "text", ['"long"', '{"type": "variant"}', '{"type":"struct","fields":[{"name":"a","type":"x"}]}']
)
def test_an_unknown_type_is_refused(text):
    with pytest.raises(ValueError):
        Schema.from_delta(text)


def test_types_read_as_a_person_writes_them():
    nested = StructOf((Field("a", ListOf(Decimal(12, 2))), Field("b", MapOf(Primitive.STRING, Primitive.LONG))))

    assert type_text(nested) == "struct<a: list<decimal(12,2)>, b: map<string, long>>"


def test_an_unknown_column_is_a_key_error():
    with pytest.raises(KeyError):
        Schema(()).field("x")
