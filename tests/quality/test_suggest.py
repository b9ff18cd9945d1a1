"""Suggestions: what profiles speak for, what they do not, and what a contract has already."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from tests.contract.documents import contract

from lastro.engine.profiling.count import counted
from lastro.engine.profiling.frame import framed, settled
from lastro.model.schema import Field, Primitive, Schema
from lastro.quality.suggest import ROWS_MIN, may_be_unique, suggest
from lastro.quality.suggestion import Kind, Observed, Suggestion

N = 1_000
TYPES = {
    Primitive.STRING: ("string", pa.string()),
    Primitive.LONG: ("integer", pa.int64()),
    Primitive.DOUBLE: ("number", pa.float64()),
    Primitive.DATE: ("date", pa.date32()),
    Primitive.BOOLEAN: ("boolean", pa.bool_()),
}
WITHHELD = frozenset({"secret"})


def observed(kind: Primitive, values: list[Any], *, name: str = "x", number: int = 0) -> Observed:
    """A version with one column, of which no value is known to repeat unless it does."""
    schema = Schema((Field(name, kind),))
    table = pa.table({name: pa.array(values, TYPES[kind][1])})
    frame = framed(table, schema, WITHHELD)
    profile = settled(counted(table.to_batches(), schema, frame, WITHHELD), frame)
    present = [value for value in values if value is not None]
    return Observed(f"loans@{number}", profile, {name: len(present) - len(set(present))})


def found(
    kind: Primitive, *versions: list[Any], name: str = "x", more: str = "", withheld: frozenset[str] = frozenset()
) -> dict[Kind, Suggestion]:
    """What these versions of one column speak for, by its kind."""
    plan = contract(f"- name: {name}\n  logicalType: {TYPES[kind][0]}\n{more}").plan()
    seen = [observed(kind, values, name=name, number=number) for number, values in enumerate(versions)]
    return {each.kind: each for each in suggest(seen, plan, withheld=plan.withheld | withheld)}


def cycled(*values: Any, times: int = N) -> list[Any]:
    return [values[place % len(values)] for place in range(times)]


def test_what_was_never_missing_is_required_and_the_rule_of_three_says_how_sure_that_is() -> None:
    suggestion = found(Primitive.DOUBLE, cycled(1.5, 2.5))[Kind.REQUIRED]

    assert suggestion.rule == {"metric": "nullValues", "mustBe": 0}
    assert suggestion.why == "no value was missing in 1,000 rows, so that with 95 % certainty fewer than 0.3 % are"


def test_the_evidence_is_written_with_the_readers_separators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_LANG", "pt_BR")

    suggestion = found(Primitive.DOUBLE, cycled(1.5, 2.5))[Kind.REQUIRED]

    assert "1.000" in suggestion.why
    assert "0,3 %" in suggestion.why


def test_versions_that_share_rows_are_no_more_evidence_than_the_largest() -> None:
    once = found(Primitive.DOUBLE, cycled(1.5, 2.5))
    often = found(Primitive.DOUBLE, *[cycled(1.5, 2.5)] * 2)

    assert often == once


def test_a_share_may_be_missing_that_a_batch_of_that_size_hardly_exceeds() -> None:
    values = cycled(*[1.5] * 9, None)

    few, many = found(Primitive.DOUBLE, values), found(Primitive.DOUBLE, values * 1_000)

    assert few[Kind.MISSING].rule["mustBeLessOrEqualTo"] == pytest.approx(13, abs=1)
    assert 10 < many[Kind.MISSING].rule["mustBeLessOrEqualTo"] <= 11
    assert Kind.REQUIRED not in few


def test_a_share_of_more_than_half_promises_nothing() -> None:
    assert Kind.MISSING not in found(Primitive.DOUBLE, cycled(1.5, None, None))


def test_text_of_few_values_gets_them_as_a_list_and_no_length() -> None:
    suggestions = found(Primitive.STRING, cycled("SP", "RJ", "MG"))

    assert suggestions[Kind.ENUM].rule["arguments"] == {"validValues": ["MG", "RJ", "SP"]}
    assert Kind.LENGTH not in suggestions


def test_every_versions_values_are_listed() -> None:
    suggestions = found(Primitive.STRING, cycled("SP", "RJ"), cycled("SP", "MG"))

    assert suggestions[Kind.ENUM].rule["arguments"] == {"validValues": ["MG", "RJ", "SP"]}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("x", [*cycled("SP", "RJ"), *["MG"] * 2]),  # too few rows of one value
        ("x", ["SP"] * N),  # a constant
        ("x", cycled("Ana Lima", "Rui Costa")),  # people
        ("cpf", cycled("SP", "RJ")),  # an identifier
        ("x", cycled("a\x07", "b")),  # a sign that no contract may hold
        ("x", [*cycled("SP", "RJ"), *[f"x{place}" for place in range(200)]]),  # others
    ],
)
def test_no_list_where_it_would_promise_nothing_or_tell_of_people(name: str, values: list[str]) -> None:
    assert Kind.ENUM not in found(Primitive.STRING, values, name=name)


def test_numbers_get_a_range_with_slack_whose_evidence_names_no_value() -> None:
    draw = random.Random(0)
    values = [draw.gauss(50, 5) for _row in range(N)]

    suggestion = found(Primitive.DOUBLE, values)[Kind.RANGE]

    assert suggestion.rule["implementation"]["expression"] == '"x" BETWEEN 20 AND 90'
    assert str(max(values)) not in str(suggestion)
    assert str(min(values)) not in str(suggestion)


@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [
        (Primitive.DOUBLE, "x", cycled(1.5, float("nan"))),
        (Primitive.DOUBLE, "x", cycled(1.5, float("inf"))),
        (Primitive.DOUBLE, "x", [3.5] * N),
        (Primitive.DOUBLE, "x", cycled(1e300, 2.5)),
        (Primitive.LONG, "account_id", cycled(1, 2, 3)),
        (Primitive.LONG, "x", list(range(N))),  # numbers that count rows go on
        (Primitive.DATE, "x", cycled(1, 2, 3)),
    ],
)
def test_no_range_where_numbers_have_no_end_or_count_on(kind: Primitive, name: str, values: list[Any]) -> None:
    assert Kind.RANGE not in found(kind, values, name=name)


def test_text_gets_a_length_and_a_fixed_one_is_told_exactly() -> None:
    fixed = found(Primitive.STRING, [f"ab {place:08d}" for place in range(N)])
    free = found(Primitive.STRING, ["x" * (place % 40) + str(place) for place in range(N)])

    assert fixed[Kind.LENGTH].rule["implementation"]["expression"] == 'length("x") = 11'
    assert free[Kind.LENGTH].rule["implementation"]["expression"].startswith('length("x") <= ')


def test_text_whose_shapes_say_which_signs_there_are_gets_a_pattern_and_no_length() -> None:
    dotted = [f"{place:03d}.{place:03d}-{place % 90:02d}" for place in range(N)]
    suggestions = found(Primitive.STRING, [*dotted, *(f"AB{place:08d}" for place in range(50))])

    assert suggestions[Kind.PATTERN].rule["arguments"] == {
        "pattern": r"(?:[0-9]{3}\.[0-9]{3}\-[0-9]{2}|[A-Z]+[0-9]{8})"
    }
    assert suggestions[Kind.PATTERN].why.startswith("all 1,050 texts have 2 shapes")
    assert Kind.LENGTH not in suggestions


@pytest.mark.parametrize(
    "more",
    [
        ["x"],  # another shape
        ["Ana"] * 50,  # letters that are not said
        ["XYZ"] * 50,  # nothing but capitals
        ["1 2"] * 50,  # a blank, which may be a tab
        ["1-2"] * 2,  # too few rows of one shape
    ],
)
def test_no_pattern_where_it_would_promise_nothing(more: list[str]) -> None:
    assert Kind.PATTERN not in found(Primitive.STRING, [*(f"{place:03d}" for place in range(N)), *more])


def test_a_name_that_is_no_plain_word_is_quoted() -> None:
    suggestion = found(Primitive.DOUBLE, cycled(-1.5, 2.5), name="renda-r$")[Kind.RANGE]

    assert suggestion.rule["implementation"]["expression"].startswith('"renda-r$" BETWEEN ')


def test_numbers_that_would_have_repeated_by_accident_are_unique() -> None:
    draw = random.Random(0)
    dense, sparse = draw.sample(range(2 * N), N), draw.sample(range(10**12), N)

    assert Kind.UNIQUE in found(Primitive.LONG, dense)
    assert Kind.UNIQUE not in found(Primitive.LONG, sparse)
    assert Kind.UNIQUE in found(Primitive.LONG, sparse, name="order_id")
    assert Kind.UNIQUE not in found(Primitive.LONG, [*dense, dense[0]])


def test_only_columns_whose_counts_do_not_say_that_values_repeat_are_worth_counting() -> None:
    plan = contract("- name: x\n  logicalType: integer\n").plan()
    repeated, distinct = observed(Primitive.LONG, cycled(1, 2)), observed(Primitive.LONG, list(range(N)))

    assert may_be_unique(plan, [repeated], withheld=frozenset()) == ()
    assert may_be_unique(plan, [distinct], withheld=frozenset()) == ("x",)
    assert may_be_unique(plan, [distinct, repeated], withheld=frozenset()) == ()
    assert may_be_unique(plan, [distinct], withheld=frozenset({"x"})) == ()


def test_a_column_whose_repeats_were_not_counted_is_not_called_unique() -> None:
    plan = contract("- name: x\n  logicalType: integer\n").plan()
    seen = replace(observed(Primitive.LONG, list(range(N))), repeated={})

    assert Kind.UNIQUE not in {each.kind for each in suggest([seen], plan, withheld=frozenset())}


def test_the_number_of_rows_is_foreseen_from_three_versions() -> None:
    values = cycled(1.5, 2.5, times=5_000)

    two = found(Primitive.DOUBLE, values[:1_000], values[:1_100])
    varying = found(Primitive.DOUBLE, *(values[:n] for n in (1_000, 1_100, 1_050, 990, 1_020)))
    same = found(Primitive.DOUBLE, *(values[:n] for n in (1_000, 1_000, 1_000)))
    growing = found(Primitive.DOUBLE, *(values[:n] for n in (1_000, 1_100, 1_200)))

    assert Kind.ROWS not in two
    low, high = varying[Kind.ROWS].rule["mustBeBetween"]
    assert 700 < low < 990
    assert 1_100 < high < 1_400
    low, high = same[Kind.ROWS].rule["mustBeBetween"]
    assert low < 1_000 < high
    assert growing[Kind.ROWS].rule == {"metric": "rowCount", "mustBeGreaterOrEqualTo": 1_000}


def test_of_a_withheld_column_only_the_missing_are_looked_at() -> None:
    by_policy = found(Primitive.STRING, cycled("SP", "RJ"), name="secret")
    by_contract = found(Primitive.STRING, cycled("SP", "RJ"), more="  classification: restricted\n")
    now = found(Primitive.LONG, list(range(N)), withheld=frozenset({"x"}))

    assert set(by_policy) == set(by_contract) == set(now) == {Kind.REQUIRED}


def test_few_rows_speak_for_nothing() -> None:
    assert found(Primitive.STRING, cycled("SP", "RJ", times=ROWS_MIN - 1)) == {}
    assert found(Primitive.LONG, list(range(ROWS_MIN - 1))) == {}
    assert found(Primitive.LONG, []) == {}
    assert suggest([], contract("- name: x\n  logicalType: integer\n").plan(), withheld=frozenset()) == ()


RULES = {
    Kind.REQUIRED: "  required: true\n",
    Kind.ENUM: "  enum: [{value: SP}, {value: RJ}]\n",
    Kind.MISSING: "  quality: [{metric: nullValues, mustBeLessThan: 5, unit: percent}]\n",
    Kind.LENGTH: "  logicalTypeOptions: {maxLength: 90}\n",
    Kind.PATTERN: "  logicalTypeOptions: {pattern: '[0-9]+'}\n",
    Kind.UNIQUE: "  unique: true\n",
    Kind.RANGE: "  logicalTypeOptions: {minimum: 0}\n",
}


@pytest.mark.parametrize(
    ("kind", "type_", "values", "name"),
    [
        (Kind.REQUIRED, Primitive.STRING, cycled("SP", "RJ"), "x"),
        (Kind.ENUM, Primitive.STRING, cycled("SP", "RJ"), "x"),
        (Kind.MISSING, Primitive.STRING, cycled("SP", "RJ", "RJ", None), "x"),
        (Kind.LENGTH, Primitive.STRING, [f"a {place:03d}" for place in range(N)], "x"),
        (Kind.PATTERN, Primitive.STRING, [f"{place:03d}" for place in range(N)], "x"),
        (Kind.UNIQUE, Primitive.LONG, list(range(N)), "x"),
        (Kind.RANGE, Primitive.DOUBLE, cycled(0.5, 1.5), "x"),
    ],
)
def test_a_rule_that_is_there_is_not_suggested_again(
    kind: Kind, type_: Primitive, values: list[Any], name: str
) -> None:
    assert kind in found(type_, values, name=name)
    assert kind not in found(type_, values, name=name, more=RULES[kind])


def test_a_suggestion_that_was_written_is_not_made_again_whatever_its_name_is() -> None:
    for expression in ('"x" BETWEEN 0 AND 9', '"x" >= 0', '"x" = 3'):
        rule = f"{{type: custom, engine: lastro, name: ours, implementation: {{expression: '{expression}'}}}}"
        assert Kind.RANGE not in found(Primitive.DOUBLE, cycled(0.5, 1.5), more=f"  quality: [{rule}]\n")


def test_a_column_that_a_version_lacks_or_has_with_another_type_is_left_alone() -> None:
    plan = contract("- name: x\n  logicalType: integer\n- name: y\n  logicalType: integer\n").plan()
    seen = observed(Primitive.DOUBLE, cycled(1.5, 2.5))

    assert suggest([seen], plan, withheld=frozenset()) == ()
