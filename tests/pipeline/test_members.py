"""A member inside an object that is new, or renamed in the middle of a walk, is told; `freeze` refuses it."""

import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.source.misbehaving import *  # noqa: F403
from tests.source.misbehaving import page

import lastro
from lastro.engine.scan import StreamScan
from lastro.model.errors import SchemaChanged
from lastro.model.plan import ColumnPlan, Plan
from lastro.model.schema import Field, ListOf, MapOf, Primitive, StructOf
from lastro.pipeline import members

PAGES = [
    [{"id": 1, "address": {"zip": "50"}}, {"id": 2, "address": {"zip": "51"}}],
    [{"id": 3, "address": {"cep": "52"}}, {"id": 4, "address": {"zip": "53"}}],
    [],
]


@pytest.fixture
def lake(serve, tmp_path):
    """A workspace whose dataset `d` was added while the API had its first page only."""

    class Lake:
        def __init__(self):
            self.pages = [PAGES[0], []]

        def ingest(self, policy=None):
            file = tmp_path / "lake" / "lastro.yaml"
            if policy is not None:
                file.write_text(file.read_text().replace("datasets:", f"schema_change: {policy}\ndatasets:", 1))
            return lastro.open(tmp_path / "lake").dataset("d").ingest()

        def edit_contract(self, old, new):
            file = tmp_path / "lake" / "contracts" / "d.odcs.yaml"
            assert old in file.read_text()
            file.write_text(file.read_text().replace(old, new, 1))

    lake = Lake()
    server = serve(lambda asked: page(lake.pages[int(asked.parameters["page"]) - 1]))
    lastro.init(tmp_path / "lake")
    options = {"allow_hosts": ["127.0.0.1"], "pagination.type": "page"}
    lastro.open(tmp_path / "lake").add(server.url(), name="d", options=options)
    lake.pages = PAGES
    return lake


@pytest.mark.parametrize("policy", [None, "evolve", "discard_value", "quarantine"])
def test_a_member_that_is_renamed_in_the_middle_is_told(lake, policy):
    result = lake.ingest(policy)

    assert result.arrived.members == ("address.cep",)
    assert any("'address.cep'" in note for note in result.notes)
    assert result.to_dict()["arrived"]["members"] == ("address.cep",)
    assert result.counts.kept == 4


def test_frozen_a_member_that_is_renamed_in_the_middle_refuses_the_batch(lake):
    with pytest.raises(SchemaChanged, match=r"'address\.cep'") as caught:
        lake.ingest("freeze")

    assert "contracts/d.odcs.yaml" in caught.value.do
    assert "nothing was committed" in caught.value.state


def test_a_member_that_is_ignored_is_known(lake):
    ignored = "    customProperties: [{property: ignored, value: [address.cep], vendor: lastro}]\n"
    lake.edit_contract("    properties:\n", ignored + "    properties:\n")

    result = lake.ingest("freeze")

    assert result.arrived.members == ()
    assert result.counts.kept == 4


KINDS = st.recursive(
    st.just(Primitive.STRING),
    lambda inner: (
        inner.map(ListOf)
        | inner.map(lambda item: MapOf(Primitive.STRING, item))
        | st.dictionaries(st.sampled_from("ab"), inner, min_size=1).map(
            lambda named: StructOf(tuple(Field(name, kind) for name, kind in named.items()))
        )
    ),
    max_leaves=6,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)


def unknown(value, kind, place):
    """The members that a type does not name, looked for one by one."""
    match kind, value:
        case StructOf(fields), dict():
            known = {field.name: field.type for field in fields}
            return {
                found
                for name, inner in value.items()
                for found in (unknown(inner, known[name], (*place, name)) if name in known else {(*place, name)})
            }
        case ListOf(item), list():
            return {found for inner in value for found in unknown(inner, item, place)}
        case MapOf(_, item), dict():
            return {found for inner in value.values() for found in unknown(inner, item, place)}
    return set()


@settings(deadline=None)
@given(KINDS, st.lists(st.lists(VALUES, max_size=4), max_size=4))
def test_every_unknown_member_is_found_and_no_other(kind, batches):
    plan = Plan("d", "", (ColumnPlan("c", "x", kind, nullable=True),))
    texts = [[json.dumps({"x": value, "other": {"z": 1}}) for value in values] for values in batches]
    schema = pa.schema([("record", pa.string())])
    stream = pa.RecordBatchReader.from_batches(
        schema, [pa.record_batch([pa.array(t, pa.string())], schema=schema) for t in texts]
    )

    watch = members.watch(StreamScan(stream, "s", records=True), plan)
    passed = watch.passing().stream.read_all()["record"].to_pylist() if watch else []

    expected = {found for values in batches for value in values for found in unknown(value, kind, ("x",))}
    assert set(watch.found if watch else ()) == expected
    assert passed == ([text for each in texts for text in each] if watch else [])


def test_a_column_that_something_else_reads_is_not_watched():
    kind = StructOf((Field("a", Primitive.STRING),))
    scan = StreamScan(pa.table({"record": ["{}"]}), "s", records=True)
    twice = (ColumnPlan("c", "x", kind, nullable=True), ColumnPlan("text", "x", Primitive.STRING, nullable=True))

    assert members.watch(scan, Plan("d", "", twice)) is None
    assert members.watch(scan, Plan("d", "", twice[:1])) is not None
