"""Errors of a contract: each names file, line, key and repair."""

from textwrap import dedent

import pytest
from tests.contract.documents import HEAD, column, contract, document, rules

from lastro.contract import parse
from lastro.model.errors import ContractError

# what is wrong -> (property `x`, key it stands at, what is said, what is to be done)
WRONG = {
    "unknown key": (column("logicalType: string\nrequird: true"), "requird", "unknown here", "mean required?"),
    "unknown type": (column("logicalType: strin"), "logicalType", "not allowed here", "mean string?"),
    "no type": (column("physicalType: text"), "", "logicalType is missing", "logicalType: string"),
    "wrong kind": (column("logicalType: string\nrequired: 'yes'"), "required", "is text", "true or false"),
    "unknown option": (
        column("logicalType: string\nlogicalTypeOptions: {maxLenght: 3}"),
        "logicalTypeOptions.maxLenght",
        "unknown here",
        "mean maxLength?",
    ),
    "option of another type": (
        column("logicalType: boolean\nitems: {logicalType: string}"),
        "items",
        "does not belong",
        "logicalType: array",
    ),
    "enum of words": (column("logicalType: string\nenum: [a]"), "enum[0]", "is text", "keys and values"),
    "empty enum": (column("logicalType: string\nenum: []"), "enum", "minItems", "standard"),
    "map without types": (column("logicalType: map"), "", "the key map is missing", "add `map"),
    "vector without dimensions": (
        column("logicalType: vector\nlogicalTypeOptions: {elementType: float32}"),
        "logicalTypeOptions",
        "the key dimensions is missing",
        "add `dimensions",
    ),
    "array of anything": (column("logicalType: array"), "", "says not what it holds", "items:"),
    "object of anything": (column("logicalType: object"), "", "says not what it holds", "properties:"),
    "items without type": (column("logicalType: array\nitems: {name: a}"), "items", "logicalType is missing", "add"),
    "name with a space": (column("logicalType: string", name="a b"), "name", "cannot be a column's name", "' '"),
    "name with a comma": (column("logicalType: string", name="'a,b'"), "name", "cannot be a column's name", "','"),
    "empty name": (column("logicalType: string", name="''"), "name", "cannot be a column's name", "1 to 255"),
    "long name": (column("logicalType: string", name="n" * 256), "name", "cannot be a column's name", "1 to 255"),
    "unknown date letter": (
        column("logicalType: date\nlogicalTypeOptions: {format: dd/MM/jjjj}"),
        "logicalTypeOptions.format",
        "unknown part: jjjj",
        "dd/MM/yyyy",
    ),
    "unknown directive": (
        column("logicalType: date\nlogicalTypeOptions: {format: '%d/%q'}"),
        "logicalTypeOptions.format",
        "unknown part: %q",
        "%d/%m/%Y",
    ),
    "date without a year": (
        column("logicalType: date\nlogicalTypeOptions: {format: dd/MM}"),
        "logicalTypeOptions.format",
        "no full date",
        "year, month and day",
    ),
    "other zone": (
        column("logicalType: timestamp\nlogicalTypeOptions: {defaultTimezone: America/Sampa}"),
        "logicalTypeOptions.defaultTimezone",
        "no time zone",
        "America/Sao_Paulo",
    ),
    "decimal too wide": (
        column("logicalType: number\nphysicalType: decimal(40,2)"),
        "physicalType",
        "out of range",
        "1 to 38",
    ),
    "bounds exchanged": (
        column("logicalType: integer\nlogicalTypeOptions: {minimum: 5, maximum: 1}"),
        "logicalTypeOptions",
        "minimum is larger",
        "exchange",
    ),
    "lengths exchanged": (
        column("logicalType: string\nlogicalTypeOptions: {minLength: 5, maxLength: 1}"),
        "logicalTypeOptions",
        "larger than the largest",
        "exchange",
    ),
    "bound that is no date": (
        column("logicalType: date\nlogicalTypeOptions: {minimum: yesterday}"),
        "logicalTypeOptions.minimum",
        "no value of the column",
        "column's type",
    ),
    "bound that is no day": (
        column("logicalType: date\nlogicalTypeOptions: {minimum: 2026-02-30}"),
        "logicalTypeOptions.minimum",
        "no value of the column",
        "column's type",
    ),
    "number for text": (
        column("logicalType: string\nenum: [{value: 01}]"),
        "enum[0]",
        "no value of the column",
        "in quotes",
    ),
    "text for a number": (
        column("logicalType: integer\nenum: [{value: a}]"),
        "enum[0]",
        "no value of the column",
        "column's type",
    ),
    "look-around": (
        column("logicalType: string\nlogicalTypeOptions: {pattern: 'a(?=b)'}"),
        "logicalTypeOptions.pattern",
        "no linear engine",
        "RE2",
    ),
    "back-reference": (
        column("logicalType: string\nlogicalTypeOptions: {pattern: '(a)\\1'}"),
        "logicalTypeOptions.pattern",
        "no linear engine",
        "RE2",
    ),
    "open group": (
        column("logicalType: string\nlogicalTypeOptions: {pattern: '(a'}"),
        "logicalTypeOptions.pattern",
        "the pattern is wrong",
        "RE2",
    ),
    "endless repetition": (
        column("logicalType: string\nlogicalTypeOptions: {pattern: 'a{1,9999}'}"),
        "logicalTypeOptions.pattern",
        "more than 1000 times",
        "RE2",
    ),
    "list as a key": (
        column("logicalType: array\nprimaryKey: true\nitems: {logicalType: string}"),
        "primaryKey",
        "cannot be a key",
        "remove",
    ),
    "unknown policy": (
        column("logicalType: string\ncustomProperties: [{property: policy, value: drop, vendor: lastro}]"),
        "customProperties[0].value",
        "'drop' is not a policy",
        "quarantine",
    ),
    "unknown own property": (
        column("logicalType: string\ncustomProperties: [{property: polcy, value: fail, vendor: lastro}]"),
        "customProperties[0].property",
        "Lastro knows no property polcy",
        "mean policy?",
    ),
    "no operator": (rules("- metric: nullValues"), "quality[0]", "says not what its number must be", "mustBe: 0"),
    "misspelt operator": (
        rules("- {metric: nullValues, mustBeLesThan: 3}"),
        "quality[0]",
        "2 errors",
        "`mustBeLessThan: 0`",
    ),
    "two operators": (
        rules("- {metric: nullValues, mustBe: 0, mustNotBe: 1}"),
        "quality[0]",
        "several operators: mustBe, mustNotBe",
        "keep one",
    ),
    "between one number": (
        rules("- {metric: nullValues, mustBeBetween: 3}"),
        "quality[0].mustBeBetween",
        "no fitting number",
        "[1, 5]",
    ),
    "between exchanged": (
        rules("- {metric: nullValues, mustBeBetween: [5, 1]}"),
        "quality[0].mustBeBetween",
        "larger number stands first",
        "smaller number first",
    ),
    "compared with text": (
        rules("- {metric: nullValues, mustBe: none}"),
        "quality[0].mustBe",
        "no fitting number",
        "write a number",
    ),
    "unknown metric": (
        rules("- {metric: nullValue, mustBe: 0}"),
        "quality[0].metric",
        "not allowed here",
        "mean nullValues?",
    ),
    "rule that is none": (rules("- "), "quality[0]", "is empty", "keys and values"),
    "no metric": (rules("- {description: a rule}"), "quality[0]", "measures nothing", "type: text"),
    "unknown unit": (
        rules("- {metric: nullValues, mustBe: 0, unit: rats}"),
        "quality[0].unit",
        "'rats' is not a unit",
        "rows, percent",
    ),
    "unknown severity": (
        rules("- {metric: nullValues, mustBe: 0, severity: meh}"),
        "quality[0].severity",
        "'meh' is not a severity",
        "error, warning, info",
    ),
    "unknown dimension": (
        rules("- {metric: nullValues, mustBe: 0, dimension: validity}"),
        "quality[0].dimension",
        "not allowed here",
        "use one of accuracy",
    ),
    "unknown argument": (
        rules("- {metric: missingValues, mustBe: 0, arguments: {missingValue: [x]}}"),
        "quality[0].arguments.missingValue",
        "no argument missingValue",
        "mean missingValues?",
    ),
    "argument that is no list": (
        rules("- {metric: missingValues, mustBe: 0, arguments: {missingValues: x}}"),
        "quality[0].arguments.missingValues",
        "is not a list",
        "[…]",
    ),
    "nothing is valid": (
        rules("- {metric: invalidValues, mustBe: 0}"),
        "quality[0].arguments",
        "says not what is valid",
        "validValues",
    ),
    "quarantine without rows": (
        rules(
            "- {metric: duplicateValues, mustBe: 0, customProperties: "
            "[{property: policy, value: quarantine, vendor: lastro}]}"
        ),
        "quality[0]",
        "no rows to quarantine",
        "fail or warn",
    ),
    "query without SQL": (rules("- {type: sql, mustBe: 0}"), "quality[0]", "the key query is missing", "add `query"),
    "empty query": (rules("- {type: sql, query: ' ', mustBe: 0}"), "quality[0].query", "empty", "one SELECT"),
    "implementation as text": (
        rules("- {type: custom, engine: lastro, implementation: x > 0}"),
        "quality[0].implementation",
        "is text",
        "expression",
    ),
    "unknown implementation": (
        rules("- {type: custom, engine: lastro, implementation: {expresion: x > 0}}"),
        "quality[0].implementation.expresion",
        "unknown here",
        "mean expression?",
    ),
    "empty expression": (
        rules("- {type: custom, engine: lastro, implementation: {expression: ''}}"),
        "quality[0].implementation",
        "no expression",
        "a condition over the row",
    ),
}


@pytest.mark.parametrize(("properties", "key", "what", "do"), WRONG.values(), ids=WRONG)
def test_an_error_names_file_line_key_and_repair(properties, key, what, do):
    with pytest.raises(ContractError) as caught:
        contract(properties)

    error = caught.value
    place = "schema[0].properties[0]" + (f".{key}" if key and not key.startswith("[") else key)
    file, line, path = error.where.splitlines()[0].split(":", 2)
    assert (file, path.strip()) == ("loans.odcs.yaml", place)
    assert 8 <= int(line) <= 12
    assert what in error.what
    assert do in error.do


TOP = {
    "unknown key": ("descripton: x\n", "descripton", "mean description?"),
    "text for keys": ("description: x\n", "description", "keys and values"),
    "number for team": ("team: 4\n", "team", "a list"),
    "member without name": ("team:\n  members:\n  - usrname: a\n", "team.members[0]", "add `username"),
    "unknown server": ("servers:\n- {server: a, type: postgre}\n", "servers[0].type", "mean postgres?"),
    "server without host": (
        "servers:\n- {server: a, type: postgres, port: 1, database: b, schema: c}\n",
        "servers[0]",
        "add `host",
    ),
    "context of a number": ("context: 4\n", "context", "text"),
    "custom property without value": ("customProperties:\n- property: a\n", "customProperties[0]", "add `value"),
}


@pytest.mark.parametrize(("text", "key", "do"), TOP.values(), ids=TOP)
def test_errors_outside_the_schema_are_found_too(text, key, do):
    with pytest.raises(ContractError) as caught:
        parse(document(column("logicalType: string")) + text, name="c")

    assert caught.value.where.splitlines()[0].endswith(f": {key}")
    assert do in caught.value.do


@pytest.mark.parametrize("key", ["version", "apiVersion", "kind", "id"])
def test_a_required_key_is_missed_by_name(key):
    text = "\n".join(
        line for line in document(column("logicalType: string")).splitlines() if not line.startswith(f"{key}:")
    )

    with pytest.raises(ContractError, match=f"the key {key} is missing"):
        parse(text, name="c")


@pytest.mark.parametrize("version", ["v2.2.2", "v4.0.0", "3.2.0", "'3'", "[v3.2.0]", "3.2"])
def test_another_version_of_the_standard_is_refused(version):
    text = document(column("logicalType: string")).replace("apiVersion: v3.2.0", f"apiVersion: {version}")

    with pytest.raises(ContractError, match=r"apiVersion .* is not read") as caught:
        parse(text, name="c")

    assert caught.value.where == "c:2: apiVersion"
    assert "v3.2.0" in caught.value.do


def test_errors_of_all_kinds_are_told_together():
    properties = dedent(
        """\
        - name: a
          logicalType: strin
        - name: b
          logicalType: integer
          logicalTypeOptions: {minimum: 5, maximum: 1}
        - name: c d
          logicalType: string
        """
    )

    with pytest.raises(ContractError) as caught:
        contract(properties)

    where = caught.value.where
    assert caught.value.what.startswith("3 errors in the contract")
    assert [f"properties[{n}]" in where for n in range(3)] == [True, True, True]


def test_other_vendors_properties_are_kept_and_not_judged():
    text = document(
        column("logicalType: string\ncustomProperties: [{property: policy, value: {a: [1]}, vendor: zeenea}]")
    )

    assert parse(text, name="c").dump() == text


def test_a_contract_without_schema_is_told_how_to_begin_one():
    with pytest.raises(ContractError, match="no schema object") as caught:
        parse(HEAD.split("schema:")[0], name="c")

    assert "add `schema:`" in caught.value.do


def test_a_dataset_needs_columns():
    with pytest.raises(ContractError, match="no column"):
        parse(HEAD, name="c")


def test_more_than_two_thousand_columns_are_refused():
    properties = "".join(f"- {{name: c{n}, logicalType: string}}\n" for n in range(2001))

    with pytest.raises(ContractError, match="2001 columns are more than 2000"):
        contract(properties)


def test_names_that_differ_by_capitals_only_are_refused():
    with pytest.raises(ContractError, match="the name UF is used twice") as caught:
        contract(column("logicalType: string", name="uf") + column("logicalType: string", name="UF"))

    assert caught.value.where == "loans.odcs.yaml:10: schema[0].properties[1].name"


def test_the_same_name_twice_is_refused():
    with pytest.raises(ContractError, match="used twice"):
        contract(column("logicalType: string", name="uf") * 2)


@pytest.mark.parametrize(
    ("name", "better"), [("../x", "x"), ("Loan Applications", "loan_applications"), ("ção", "cao")]
)
def test_a_dataset_name_that_is_none_is_given_a_better_one(name, better):
    text = document(column("logicalType: string")).replace("- name: loans", f"- name: {name}")

    with pytest.raises(ContractError, match="is not a name") as caught:
        parse(text, name="c")

    assert f"name it {better};" in caught.value.do


def test_of_several_schema_objects_one_must_be_selected():
    second = "  - name: payments\n    properties:\n      - {name: y, logicalType: string}\n"
    text = document(column("logicalType: string")) + second

    with pytest.raises(ContractError, match="several schema objects"):
        parse(text, name="c")
    selected = parse(text, name="c", dataset="payments")

    assert selected.plan().schema.names == ("y",)


def test_a_dataset_that_is_not_there_cannot_be_selected():
    with pytest.raises(ContractError, match="no such schema object"):
        parse(document(column("logicalType: string")), name="c", dataset="payments")
