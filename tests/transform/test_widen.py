"""Which wider type refused texts ask for."""

from __future__ import annotations

from decimal import Decimal as Number

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model.schema import Decimal, Primitive
from lastro.model.widening import is_wider, widest
from lastro.transform.widen import Needs

P = Primitive
NUMERIC = (P.BYTE, P.SHORT, P.INTEGER, P.LONG, P.FLOAT, P.DOUBLE, Decimal(5, 2), Decimal(18, 0), Decimal(38, 10))
KINDS = (*NUMERIC, P.DATE, P.TIMESTAMP_NTZ, P.TIMESTAMP, P.STRING, P.BOOLEAN, P.BINARY)


def needed(kind, *texts):
    needs = Needs(kind)
    needs.look(texts)
    return needs.wider()


@pytest.mark.parametrize(
    ("kind", "texts", "wider"),
    [
        (P.BYTE, ["300"], P.SHORT),
        (P.BYTE, ["70000", "-3"], P.INTEGER),
        (P.INTEGER, ["2147483648"], P.LONG),
        (P.LONG, ["9223372036854775808"], Decimal(38, 0)),
        (P.LONG, ["1.50", "2.25"], Decimal(38, 2)),
        (P.LONG, ["1.0"], Decimal(38, 1)),
        (P.LONG, ["1.5", "2.125"], Decimal(38, 3)),
        (P.INTEGER, ["1.50"], Decimal(18, 2)),
        (P.INTEGER, ["1.5", "2.125"], P.DOUBLE),
        (P.INTEGER, ["1e-7"], P.DOUBLE),
        (P.LONG, ["1e3"], None),
        (P.LONG, ["five", "", None, ".", "NaN", "0x1F", "1_000"], None),
        (P.LONG, ["five", "0.5"], Decimal(38, 1)),
        (P.LONG, ["0." + "1" * 30], None),
        (P.LONG, ["1" * 39], None),
        (Decimal(5, 2), ["1234.5"], Decimal(18, 2)),
        (Decimal(5, 2), ["1.234"], Decimal(18, 3)),
        (Decimal(38, 10), ["1" * 29], None),
        (P.FLOAT, ["1e39"], P.DOUBLE),
        (P.FLOAT, ["1e999"], None),
        (P.DATE, ["2026-01-01 10:00", "2026-01-01T10:00:00.5"], P.TIMESTAMP_NTZ),
        (P.DATE, ["2026-02-30", "2026-01-01T10:00Z"], None),
        (P.DOUBLE, ["1" * 400], None),
        (P.BOOLEAN, ["2"], None),
        (P.STRING, ["x"], None),
    ],
)
def test_refused_texts_ask_for_the_narrowest_type_that_holds_them(kind, texts, wider):
    assert needed(kind, *texts) == wider


@given(kind=st.sampled_from(KINDS), texts=st.lists(st.text("0123456789.-+eE T:", max_size=45) | st.text(), max_size=6))
def test_what_is_asked_for_holds_all_that_the_column_held(kind, texts):
    wider = needed(kind, *texts)

    assert wider is None or (wider != kind and is_wider(kind, wider))


@given(
    kind=st.sampled_from([P.BYTE, P.SHORT, P.INTEGER, P.LONG, Decimal(5, 2), Decimal(20, 4)]),
    numbers=st.lists(
        st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**22), max_value=10**22)
    ),
)
def test_a_decimal_that_is_asked_for_holds_what_asked_for_it(kind, numbers):
    wider = needed(kind, *(format(number, "f") for number in numbers))

    if isinstance(wider, Decimal):
        assert wider.scale >= 3
        assert all(abs(number) < Number(10) ** (wider.precision - wider.scale) for number in numbers)


@given(first=st.sampled_from(KINDS), second=st.sampled_from(KINDS), third=st.sampled_from(KINDS))
def test_wider_is_an_order_and_the_widest_holds_both(first, second, third):
    both = widest(first, second)

    assert not (is_wider(first, second) and is_wider(second, first)) or first == second
    assert not (is_wider(first, second) and is_wider(second, third)) or is_wider(first, third)
    assert both is None or (is_wider(first, both) and is_wider(second, both))
