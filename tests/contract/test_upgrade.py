"""Documents of ODCS 3.0 and 3.1, read through the upgrade."""

from pathlib import Path

import pytest
from tests.contract.documents import column, document

from lastro.contract import load, parse
from lastro.contract.document import Problems
from lastro.contract.upgrade import upgrade
from lastro.model.errors import ContractError
from lastro.model.plan import Duplicates, NotNull, OneOf, RowCount, Within
from lastro.model.schema import Decimal, Primitive

DATA = Path(__file__).parent / "data"
OLD = DATA / "payments-3.0.2.odcs.yaml"


def test_an_old_contract_says_what_was_changed():
    assert load(OLD).changes == (
        "apiVersion: v3.0.2 became v3.2.0",
        "team: the list of members became team.members",
        "schema[0].quality[0]: rule rowCount became metric rowCount",
        "schema[0].properties[0].quality[0]: rule duplicateCount became metric duplicateValues",
        "schema[0].properties[1].quality[0]: rule nullCheck became metric nullValues",
        "schema[0].properties[1].quality[0]: mustBe: 0 was implied and is written now",
        "schema[0].properties[2].logicalTypeOptions.exclusiveMinimum: true or false became the bound itself",
        "schema[0].properties[2].logicalTypeOptions.exclusiveMaximum: true or false became the bound itself",
        "schema[0].properties[3].logicalType: date became timestamp",
        "schema[0].properties[4].quality[0]: rule validValues became metric invalidValues",
        "schema[0].properties[4].quality[0]: validValues became arguments.validValues",
        "schema[0].properties[4].quality[0]: mustBe: 0 was implied and is written now",
    )


def test_an_old_contract_compiles_as_it_was_meant():
    plan = load(OLD).plan()
    conditions = {rule.name: rule.condition for rule in plan.row_rules}

    assert [field.type for field in plan.schema.fields] == [
        Primitive.LONG,
        Primitive.LONG,
        Decimal(12, 2),
        Primitive.TIMESTAMP,
        Primitive.STRING,
    ]
    assert conditions["loan_id.nullValues"] == NotNull("loan_id")
    assert conditions["amount.range"] == Within("amount", "0", "1000000", exclusive_minimum=True)
    assert conditions["known_channels"] == OneOf("channel", ("pix", "boleto", "debito"))
    assert [rule.measure for rule in plan.table_rules] == [Duplicates(("payment_id",)), RowCount()]


def test_the_upgraded_file_keeps_comments_order_and_quotes():
    golden = (DATA / "payments-3.0.2.upgraded.odcs.yaml").read_text(encoding="utf-8")

    assert load(OLD).dump() == golden


def test_what_was_upgraded_needs_no_second_upgrade_and_means_the_same():
    old = load(OLD)
    new = parse(old.dump(), name="payments.odcs.yaml")

    assert new.changes == ()
    assert new.dump() == old.dump()
    assert (new.digest, new.plan()) == (old.digest, old.plan())


def test_3_1_changes_its_version_only():
    text = document(column("logicalType: string")).replace("v3.2.0", "v3.1.0")
    made = parse(text, name="c")

    assert made.changes == ("apiVersion: v3.1.0 became v3.2.0",)
    assert made.dump() == text.replace("v3.1.0", "v3.2.0")
    assert made.digest == parse(text.replace("v3.1.0", "v3.2.0"), name="c").digest


def test_a_time_of_day_was_a_date_once():
    lines = "logicalType: date\nlogicalTypeOptions: {format: HH:mm:ss}"
    made = parse(document(column(lines)).replace("v3.2.0", "v3.0.0"), name="c")

    assert made.plan().columns[0].is_time


def test_an_athena_servers_old_key_is_renamed():
    old = {"apiVersion": "v3.0.0", "servers": [{"server": "a", "type": "athena", "staging_dir": "s3://x"}]}

    upgrade(old, Problems("c"))

    assert old["servers"] == [{"server": "a", "type": "athena", "stagingDir": "s3://x"}]


def test_errors_in_an_old_contract_keep_their_lines():
    text = OLD.read_text(encoding="utf-8").replace("username: ana.souza", "usrname: ana.souza")

    with pytest.raises(ContractError, match="username is missing") as caught:
        parse(text, name="c")

    assert caught.value.where.splitlines()[0] == "c:9: team.members[0]"


@pytest.mark.parametrize(
    "rule", ["{rule: betweenCheck, mustBeBetween: [1, 2]}", "{rule: [x], mustBe: 0}", "{rule: countCheck}"]
)
def test_an_old_rule_that_cannot_be_understood_is_an_error(rule):
    text = document(column(f"logicalType: string\nquality: [{rule}]")).replace("v3.2.0", "v3.0.2")

    with pytest.raises(ContractError):
        parse(text, name="c")


@pytest.mark.parametrize(
    "old",
    [
        {"apiVersion": "v3.0.0", "team": "a", "schema": "b", "servers": 1},
        {"apiVersion": "v3.0.0", "schema": [1, {"properties": [{"quality": [1], "logicalTypeOptions": []}]}]},
        {"apiVersion": "v3.0.0", "schema": [{"quality": {}, "properties": {"a": 1}, "items": {"items": []}}]},
    ],
)
def test_values_of_a_wrong_kind_are_left_to_validation(old):
    problems = Problems("c")

    assert upgrade(old, problems)[0] == "apiVersion: v3.0.0 became v3.2.0"
    assert problems.found == []
