"""YAML in: lines, limits and what is refused."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lastro.contract.document import DEPTH_MAX, SIZE_MAX, decode, nearest, path_text, read
from lastro.model.errors import ContractError

HOSTILE = {
    "anchor": ("a: &x 1\n", "anchors are not allowed", 1),
    "alias": ("a: 1\nb: *x\n", "aliases are not allowed", 2),
    "recursion": ("a: &x\n  b: *x\n", "2 errors", 1),
    "merge key": ("a: 1\n<<: {b: 1}\n", "merge keys are not allowed", 2),
    "python tag": ("a: !!python/object/apply:os.system [ls]\n", "tags such as", 1),
    "own tag": ("a: 1\nb: !secret x\n", "tags such as !secret", 2),
    "duplicate key": ("a: 1\nb: 2\na: 3\n", "stands here a second time", 3),
    "tab": ("a:\n\tb: 1\n", "a tab stands where spaces must", 2),
    "empty": ("", "the contract is empty", 1),
    "only a mark": ("\ufeff\n", "the contract is empty", 1),
    "only a comment": ("# nothing\n", "a contract is a mapping", 1),
    "a list": ("- a\n", "a contract is a mapping", 1),
    "a word": ("hello\n", "a contract is a mapping", 1),
    "NUL": ("a: 1\nb: \x00\n", "control character U+0000", 2),
    "escape": ("a: \x1b[31m\n", "control character U+001B", 1),
    "half a character": ("a: \ud800\n", "half a character", 1),
    "second document": ("a: 1\n---\nb: 2\n", "a second document", 2),
    "directive": ("%YAML 1.1\n---\na: yes\n", "a YAML directive", 2),
    "key that is no text": ("1: a\n", "a key must be text", 1),
    "key that is a list": ("? [a]\n: 1\n", "a key must be text", 1),
    "not a number": ("a: .nan\n", "not a number that can be kept", 1),
    "infinite": ("a: -.inf\n", "not a number that can be kept", 1),
    "huge integer": (f"a: {'9' * 5000}\n", "not a number that can be kept", 1),
    "huge exponent": ("a: 1e999\n", "not a number that can be kept", 1),
    "open bracket": ("a: [1, 2\n", "this is not YAML", 2),
    "open quote": ("a: 'x\n", "this is not YAML", 2),
    "colon in text": ("a: b: c\n", "this is not YAML", 1),
    "deep list": ("a: " + "[" * 100_000, "deeper than 64 levels", 1),
    "deep mapping": ("a: " + "{b: " * 100_000, "deeper than 64 levels", 1),
    "deep block": ("\n".join(" " * depth + "a:" for depth in range(100)) + " 1", "deeper than 64 levels", 65),
    "too large": ("a: " + "x" * SIZE_MAX, "larger than 1048576 bytes", 1),
}


@pytest.mark.parametrize(("text", "what", "line"), HOSTILE.values(), ids=HOSTILE)
def test_what_no_contract_may_hold_is_refused_with_its_line(text, what, line):
    with pytest.raises(ContractError) as caught:
        read(text, name="c.yaml")

    assert what in caught.value.what
    assert caught.value.where.startswith(f"c.yaml:{line}")
    assert caught.value.do


def test_bytes_that_are_no_utf8_are_refused_with_their_line():
    with pytest.raises(ContractError, match="not UTF-8") as caught:
        decode("a: 1\nb: não\n".encode("latin-1"), name="c.yaml")

    assert caught.value.where == "c.yaml:2"


def test_every_key_knows_its_line():
    _values, problems = read("# c\na:\n  - x: 1\n    y: [1,\n        2]\nb: 'q'\n", name="c")

    assert problems.lines == {
        ("a",): 2,
        ("a", 0): 3,
        ("a", 0, "x"): 3,
        ("a", 0, "y"): 4,
        ("a", 0, "y", 0): 4,
        ("a", 0, "y", 1): 5,
        ("b",): 6,
    }


def test_scalars_are_read_as_yaml_1_2_with_dates_as_text():
    text = "{a: yes, b: True, c: ~, d: 0x1F, e: 0o17, f: 1_000, g: -1.5e3, h: 2026-01-01, i: '1', j: 007}"

    values, _problems = read(text, name="c")

    assert values == {
        "a": "yes",
        "b": True,
        "c": None,
        "d": 31,
        "e": 15,
        "f": 1000,
        "g": -1500.0,
        "h": "2026-01-01",
        "i": "1",
        "j": 7,
    }


def test_all_problems_are_told_at_once_in_the_order_of_lines():
    with pytest.raises(ContractError) as caught:
        read("a: &x 1\nb: *x\na: 2\n", name="c.yaml")

    first, *rest = caught.value.where.splitlines()
    assert first == "c.yaml:1: a"
    assert [line.split(" – ")[0].strip() for line in rest] == ["c.yaml:2: b", "c.yaml:3: a"]
    assert caught.value.what.startswith("3 errors in the contract")


def test_a_flood_of_problems_is_cut_short():
    with pytest.raises(ContractError) as caught:
        read("\n".join(f"k{n}: &a{n} 1" for n in range(100)), name="c")

    assert "… and 79 more" in caught.value.where
    assert len(caught.value.where.splitlines()) == 22


@settings(deadline=None)
@given(st.text(max_size=200) | st.text(alphabet="ab:-[]{}&*!|>'\"#%@`, \n\t?~1.", max_size=200))
@example("a:\n- b\n -c")
@example("? ")
@example("%TAG ! tag:x,2000:\n---\na: 1")
@example("a: !<tag:yaml.org,2002:int> x")
@example('a: "\\uD800"')
def test_any_text_is_read_or_refused_and_never_breaks(text):
    try:
        values, _problems = read(text, name="c")
    except ContractError as error:
        assert error.where.startswith("c:")
        return

    assert isinstance(values, dict)


def test_depth_is_counted_up_to_the_limit():
    values, _problems = read("a: " + "[" * (DEPTH_MAX - 1) + "]" * (DEPTH_MAX - 1), name="c")

    assert list(values) == ["a"]


def test_a_path_reads_like_a_path():
    assert path_text(("schema", 0, "properties", 3, "enum")) == "schema[0].properties[3].enum"


def test_the_nearest_word_ignores_capitals_and_gives_up_on_strangers():
    assert nearest("mustbe", ["mustBe", "metric"]) == "mustBe"
    assert nearest("zzzz", ["mustBe", "metric"]) is None
