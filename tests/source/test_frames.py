"""Frames of every library: exact or refused, and told by source, column and kind; never by a value."""

import datetime as dt
from decimal import Decimal

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.source.test_rows import SECRET, frame, records

import lastro
from lastro.model.errors import SourceBroken
from lastro.model.status import Outcome

LONG = Decimal("12345678901234567890.123")
MANY = 20


def arrow(*values, kind=None):
    return pa.table({"amount": pa.array(values, kind)})


UNREADABLE = {
    "mixed": (lambda: pd.DataFrame({"id": [1, 1], "amount": [1, SECRET]}), "int, str"),
    "beyond 64 bits": (lambda: pd.DataFrame({"id": [1], "amount": [2**70]}), "OverflowError"),
    "objects": (lambda: pd.DataFrame({"amount": [object()]}), "object"),
    "complex": (lambda: pd.DataFrame({"amount": [1j]}), "complex128"),
    "128 bits": (lambda: pl.DataFrame({"id": [1], "amount": pl.Series([1], dtype=pl.Int128)}), "Int128"),
    "objects of Polars": (lambda: pl.DataFrame({"amount": pl.Series([object()], dtype=pl.Object)}), "Object"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_frame_that_arrow_cannot_take_is_refused_by_its_column_and_kind(case):
    make, kind = UNREADABLE[case]

    with pytest.raises(SourceBroken) as caught:
        frame(iter([make()]))

    assert "amount" in caught.value.what
    assert kind in caught.value.what
    assert caught.value.where == "mine"
    assert caught.value.do
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_later_frame_that_arrow_cannot_take_is_refused_too(case):
    make, kind = UNREADABLE[case]

    with pytest.raises(SourceBroken, match=f"amount.*{kind}"):
        frame([*([arrow(1)] * MANY), make()])


def test_a_stream_that_breaks_off_is_told_by_its_kind():
    def batches():
        yield arrow(1).to_batches()[0]
        raise ValueError(SECRET)

    with pytest.raises(SourceBroken) as caught:
        frame(iter([pa.RecordBatchReader.from_batches(arrow(1).schema, batches())]))
    assert SECRET not in str(caught.value)


def test_a_frame_with_a_column_twice_is_refused():
    for twice in (pd.DataFrame([[1, 2]], columns=[1, "1"]), pd.DataFrame([[1, 2]], columns=["1", "1"])):
        with pytest.raises(SourceBroken, match="column 1 twice"):
            frame([twice])


def test_categories_of_polars_are_texts():
    given = pl.DataFrame({"amount": pl.Series(["x", None], dtype=pl.Categorical)})

    assert frame([given]).column("amount").to_pylist() == ["x", None]


@pytest.mark.parametrize("many", [1, MANY])
@pytest.mark.parametrize(
    "pair",
    [
        (arrow(LONG), arrow(0.1)),
        (arrow(0.1), arrow(LONG)),
        (arrow({"x": LONG}), arrow({"x": 0.1})),
        (arrow([LONG]), arrow([0.1])),
        (arrow(Decimal("1.50")), arrow(0.125)),
        (arrow(1, kind=pa.date32()), arrow(1, kind=pa.timestamp("us"))),
        (arrow(True), arrow(2)),
        (arrow(1), arrow("007")),
        (arrow(1, kind=pa.timestamp("us")), arrow(1, kind=pa.timestamp("us", "America/Sao_Paulo"))),
        (arrow(0.5), arrow(2**53 + 1)),
    ],
    ids=lambda pair: f"{pair[0].schema.types[0]}, {pair[1].schema.types[0]}",
)
def test_types_that_nothing_holds_both_exactly_are_refused_wherever_they_meet(many, pair):
    first, second = pair

    with pytest.raises(SourceBroken, match="column amount"):
        frame([*([first] * many), second])


def test_a_narrow_float_does_not_cut_later_wide_ones():
    with pytest.raises(SourceBroken, match="amount is double in a frame and float"):
        frame([*([arrow(0.5, kind=pa.float32())] * MANY), arrow(0.1)])

    assert frame([arrow(0.5, kind=pa.float32()), arrow(0.1)]).column("amount").to_pylist() == [0.5, 0.1]


NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(lambda value: arrow(value, kind=pa.int64())),
    st.integers(-(2**15), 2**15 - 1).map(lambda value: arrow(value, kind=pa.int16())),
    st.integers(0, 2**64 - 1).map(lambda value: arrow(value, kind=pa.uint64())),
    st.decimals(-(10**12), 10**12, places=5).map(arrow),
    st.floats(allow_nan=False).map(arrow),
    st.floats(allow_nan=False, width=32).map(lambda value: arrow(value, kind=pa.float32())),
)


@given(st.lists(NUMBERS, min_size=1, max_size=12))
def test_numbers_arrive_exactly_or_not_at_all(frames):
    try:
        found = frame(frames)
    except SourceBroken:
        return

    before = [value for each in frames for value in each.column("amount").to_pylist()]
    assert found.column("amount").to_pylist() == before


def test_a_later_value_that_the_column_cannot_hold_is_refused():
    with pytest.raises(SourceBroken, match="a value of the column amount, of type double, does not fit int64"):
        frame([*([arrow(1)] * MANY), arrow(0.125)])

    assert frame([arrow(1), arrow(0.125)]).column("amount").to_pylist() == [1.0, 0.125]


def test_moments_of_several_zones_are_moments():
    moments = [arrow(1, kind=pa.timestamp(unit, zone)) for unit, zone in (("s", "UTC"), ("us", "America/Sao_Paulo"))]

    assert frame(moments).schema.field("amount").type == pa.timestamp("us", "UTC")
    assert [value.timestamp() for value in frame(moments).column("amount").to_pylist()] == [1, 0.000001]


class Broken:
    """A value of a library that cannot be taken out of it."""

    def tolist(self):
        raise RuntimeError(SECRET)


@pytest.mark.parametrize(
    ("row", "kinds"),
    [
        ({"id": 1, "amount": Broken()}, "Broken.*RuntimeError"),
        ({"amount": 10**5000}, "int.*ValueError"),
        (pa.table({"amount": pa.array([10**18], pa.timestamp("us"))}), "timestamp.*amount|amount.*timestamp"),
    ],
    ids=["code", "digits", "year"],
)
def test_a_value_that_cannot_be_taken_is_told_by_its_field_and_kind(row, kinds):
    with pytest.raises(SourceBroken, match=kinds) as caught:
        records([{"id": 1}, row])

    assert "amount" in caught.value.what
    assert caught.value.where == "mine"
    assert SECRET not in str(caught.value)


def test_two_keys_that_are_one_text_are_refused():
    for row in ({1: "a", "1": SECRET}, {"deep": {1: "a", "1": SECRET}}):
        with pytest.raises(SourceBroken, match="two keys") as caught:
            records([row])
        assert SECRET not in str(caught.value)


@given(st.timedeltas())
def test_spans_keep_every_microsecond(span):
    (found,) = records([{"span": span}])

    assert Decimal(str(found["span"])) * 10**6 == span // dt.timedelta(microseconds=1)


def workspace_of(tmp_path, code):
    workspace = lastro.init(tmp_path / "lake")
    root = tmp_path / "lake"
    (root / "good.csv").write_text("id\n1\n")
    (root / "sources").mkdir(exist_ok=True)
    (root / "sources" / "mine.py").write_text("def rows():\n    return [{'amount': 1}]\n")
    workspace.add("sources/mine.py:rows", name="bad")
    workspace.add("good.csv", name="good")
    (root / "sources" / "mine.py").write_text(code)
    return workspace


@pytest.mark.parametrize("values", [f"[1, '{SECRET}']", "[2**70]"])
def test_a_round_goes_on_after_a_frame_that_cannot_be_read(tmp_path, values):
    code = f"import pandas as pd\ndef rows():\n    yield pd.DataFrame({{'amount': {values}}})\n"
    workspace = workspace_of(tmp_path, code)

    steps = {step.dataset: step for step in workspace.round(retries=0).steps}

    assert steps["bad"].outcome is Outcome.FAILED
    assert steps["bad"].code == "LST-0302"
    assert "amount" in steps["bad"].what
    assert steps["good"].outcome is not Outcome.FAILED


@pytest.mark.parametrize("data", [pl.DataFrame({"amount": pl.Series([1], dtype=pl.Int128)})], ids=["128 bits"])
def test_a_frame_that_is_handed_over_is_refused_by_its_column(tmp_path, data):
    workspace = workspace_of(tmp_path, "def rows():\n    return []\n")

    with pytest.raises(SourceBroken, match=r"amount.*Int128"):
        workspace.dataset("bad").ingest(data=data)
