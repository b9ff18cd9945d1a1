"""Contracts as wholes: written back unchanged, digested by meaning, refused with one kind of error."""

import random
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from tests.contract.documents import column, document

from lastro.contract import load, parse
from lastro.model.errors import ContractError

DATA = Path(__file__).parent / "data"
LOANS = (DATA / "loans.odcs.yaml").read_text(encoding="utf-8")


def test_an_unchanged_contract_is_written_back_byte_for_byte():
    assert load(DATA / "loans.odcs.yaml").dump().encode() == (DATA / "loans.odcs.yaml").read_bytes()


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_endings_and_marks_survive_and_mean_nothing(tmp_path, ending, mark):
    content = (mark + LOANS.replace("\n", ending)).encode()
    path = tmp_path / "loans.odcs.yaml"
    path.write_bytes(content)

    made = load(path)

    assert made.dump().encode() == content
    assert made.digest == parse(LOANS, name="c").digest


def shuffled(value, chance):
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    if isinstance(value, list):
        return [shuffled(item, chance) for item in value]
    return value


@settings(max_examples=12, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans(), st.integers(1, 4), st.integers(30, 200))
def test_the_digest_does_not_know_layout_comments_or_the_order_of_keys(chance, flow, indent, width):
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.indent, yaml.width = flow, indent + 1, width
    values = shuffled(parse(LOANS, name="c").document, chance)
    stream = StringIO()
    yaml.dump(values, stream)
    text = "# another layout\n" + stream.getvalue()

    made = parse(text, name="c")

    assert made.digest == parse(LOANS, name="c").digest
    assert made.plan() == parse(LOANS, name="c").plan()
    assert made.dump() == text


MEANINGFUL = {
    "maximum": ("maximum: 72", "maximum: 84"),
    "policy": ("value: warn", "value: fail"),
    "expression": ("upper(trim(uf))", "lower(trim(uf))"),
    "allowed value": ("- value: MG", "- value: PR"),
    "version": ("version: 1.2.0", "version: 1.3.0"),
    "threshold": ("mustBeLessOrEqualTo: 2", "mustBeLessOrEqualTo: 3"),
    "other vendor": ("value: loans-v1", "value: loans-v2"),
    "description": ("Number of the application", "The number"),
}


@pytest.mark.parametrize(("old", "new"), MEANINGFUL.values(), ids=MEANINGFUL)
def test_the_digest_knows_every_change_of_meaning(old, new):
    assert old in LOANS

    assert parse(LOANS.replace(old, new), name="c").digest != parse(LOANS, name="c").digest


def test_a_number_means_the_same_with_and_without_a_point():
    low = column("logicalType: integer\nlogicalTypeOptions: {minimum: 1}")

    assert parse(document(low), name="c").digest == parse(document(low.replace("1}", "1.0}")), name="c").digest


def test_columns_in_another_order_are_another_contract():
    first, second = column("logicalType: string", name="a"), column("logicalType: string", name="b")

    assert parse(document(first + second), name="c").digest != parse(document(second + first), name="c").digest


def test_a_contract_does_not_show_its_text_in_its_repr():
    assert "Number of the application" not in repr(parse(LOANS, name="c"))


def test_a_file_that_is_not_there_is_a_contract_error(tmp_path):
    with pytest.raises(ContractError, match="cannot be read") as caught:
        load(tmp_path / "none.odcs.yaml")

    assert caught.value.where.endswith("none.odcs.yaml")


def test_a_large_file_is_refused_without_reading_all_of_it(tmp_path):
    path = tmp_path / "large.odcs.yaml"
    with path.open("wb") as stream:
        stream.truncate(1 << 30)

    with pytest.raises(ContractError, match="larger than"):
        load(path)


def test_a_folder_is_no_contract(tmp_path):
    with pytest.raises(ContractError, match="cannot be read"):
        load(tmp_path)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["", "x", ": ", "- ", "[", "{}", "null", "\n", "  ", "'", "1", "true"]))
def test_a_damaged_contract_is_read_or_refused_and_never_breaks(seed, scrap):
    chance = random.Random(seed)
    start = chance.randrange(len(LOANS))
    text = LOANS[:start] + scrap + LOANS[start + chance.randrange(12) :]

    try:
        made = parse(text, name="c")
    except ContractError as error:
        assert error.where.startswith("c:")
        assert error.do
        return

    assert made.dump() == text


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["x", "", "2026-01-01", "nullValues"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "value"]), inner, max_size=2),
    max_leaves=3,
)


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_value_of_any_kind_at_any_key_is_read_or_refused(data):
    document_ = parse(LOANS, name="c").document
    *above, last = data.draw(st.sampled_from([path for path in places(document_) if path]))
    node = document_
    for key in above:
        node = node[key]
    node[last] = data.draw(VALUES)
    stream = StringIO()
    YAML(typ="safe", pure=True).dump(document_, stream)

    try:
        parse(stream.getvalue(), name="c")
    except ContractError as error:
        assert error.where.startswith("c:")
