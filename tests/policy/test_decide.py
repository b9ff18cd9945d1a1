"""What a principal gets of each column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.deciding import COLUMNS, asked, decided, policies, resource

from lastro.model.access import Act, ColumnFacts, Reach
from lastro.model.errors import ConfigurationError
from lastro.model.personal import PersonalClass
from lastro.policy import cedar
from lastro.policy.decide import is_forbidden

ANALYSTS = 'permit(principal in Role::"analyst", action == Action::"read", resource in Dataset::"loans");'


def test_nothing_is_read_by_default() -> None:
    access = decided("")

    assert set(access.named(Reach.DENIED)) == set(COLUMNS)


def test_the_contract_opens_what_is_not_restricted_to_its_readers() -> None:
    access = decided("", readers=("analyst",))

    assert access.named(Reach.CLEAR) == ("income", "uf")
    assert access.of("income").because == ("contract",)


def test_a_policy_opens_what_it_permits() -> None:
    access = decided(ANALYSTS)

    assert access.named(Reach.CLEAR) == COLUMNS


@pytest.mark.parametrize("more", ["", ANALYSTS])
def test_forbid_wins(more: str) -> None:
    forbid = '@reason("LGPD art. 11") forbid(principal, action, resource) when { resource.class == "identifier" };'

    access = decided(more + forbid, readers=("analyst",))

    assert access.of("cpf").reach is Reach.DENIED
    assert access.of("cpf").why == "forbidden: LGPD art. 11"
    assert access.of("income").reach is Reach.CLEAR


def test_a_forbid_wins_over_the_contract() -> None:
    access = decided('forbid(principal, action, resource == Column::"loans/income");', readers=("analyst",))

    assert access.named(Reach.CLEAR) == ("uf",)


@pytest.mark.parametrize("name", ["CPF", "Cpf", "cpf"])
def test_a_column_is_the_same_in_other_capitals(name: str) -> None:
    text = ANALYSTS + f'forbid(principal, action, resource == Column::"loans/{name}");'
    older = resource(ColumnFacts("cPf", PersonalClass.IDENTIFIER))

    access = decided(text, on=older)

    assert access.of("cPf").reach is Reach.DENIED


def test_accents_are_the_same_however_they_are_written() -> None:
    text = 'permit(principal, action, resource == Column::"loans/ra\u0063\u0327a");'

    access = decided(text, on=resource(ColumnFacts("raça", PersonalClass.SENSITIVE)))

    assert access.of("raça").reach is Reach.CLEAR


def test_who_is_called_like_a_role_does_not_have_it() -> None:
    access = decided(ANALYSTS, who=asked("analyst", roles=()))

    assert not access.named(Reach.CLEAR)


@pytest.mark.parametrize(
    "name", ['a" }; permit(principal, action, resource); //', "аnalyst", 'Role::"analyst"', "\0", ""]
)
def test_a_strange_name_is_a_name(name: str) -> None:
    access = decided(ANALYSTS, who=asked(name, roles=()))

    assert not access.named(Reach.CLEAR)


def test_a_purpose_can_be_asked_for() -> None:
    text = ANALYSTS.replace(";", ' when { context.purpose == "audit" };')

    found = [decided(text, who=asked(purpose=purpose)).named(Reach.CLEAR) for purpose in ("audit", "", "Audit")]

    assert [bool(each) for each in found] == [True, False, False]


def test_an_action_is_not_another() -> None:
    access = decided(ANALYSTS, who=asked(act=Act.EXPORT), readers=("analyst",))

    assert not access.named(Reach.CLEAR)


def test_a_mask_hides_what_is_read_by_it() -> None:
    access = decided('@mask("CPF: last4; *: null")' + ANALYSTS)

    assert [str(each.mask) for each in access.columns] == ["last4", "null", "null", "null"]
    assert access.named(Reach.MASKED) == COLUMNS


def test_what_another_rule_gives_in_the_clear_is_clear() -> None:
    text = '@mask("cpf: last4")' + ANALYSTS + 'permit(principal in Role::"dpo", action, resource);'

    access = decided(text, who=asked(roles=("analyst", "dpo")))

    assert access.of("cpf").mask is None


def test_not_if_it_gives_some_rows_only() -> None:
    some = """@rows("uf = 'SP'") permit(principal in Role::"dpo", action, resource);"""

    access = decided('@mask("cpf: last4")' + ANALYSTS + some, who=asked(roles=("analyst", "dpo")))

    assert str(access.of("cpf").mask) == "last4"
    assert access.of("cpf").rows == ()


def test_of_several_masks_the_one_that_hides_most_is_used() -> None:
    rules = "".join(f'@mask("cpf: {mask}")' + ANALYSTS for mask in ("last8", "last2", "first3", "round10"))

    assert str(decided(rules).of("cpf").mask) == "last2"


def test_rows_are_those_of_any_rule() -> None:
    text = "".join(f"""@rows("uf = '{uf}'")""" + ANALYSTS for uf in ("SP", "RJ", "SP"))

    assert decided(text).of("cpf").rows == ("uf = 'SP'", "uf = 'RJ'")
    assert decided(text + ANALYSTS).of("cpf").rows == ()


def test_rows_that_a_version_cannot_tell_are_not_given() -> None:
    access = decided("""@rows("branch = 'SP'")""" + ANALYSTS)

    assert not access.named(Reach.CLEAR)
    assert "cannot be told" in access.of("cpf").why


BROKEN = {
    "no policy": "permit(principal;",
    "an action that there is not": 'permit(principal, action == Action::"steal", resource);',
    "an attribute that there is not": 'permit(principal, action, resource) when { resource.klass == "none" };',
    "a type that there is not": 'permit(principal == User::"ana", action, resource);',
    "another type": "permit(principal, action, resource) when { resource.class == 3 };",
    "a slot": "permit(principal == ?principal, action, resource);",
    "a wrong annotation": '@masks("cpf: null")' + ANALYSTS,
    "a mask that there is not": '@mask("cpf: sha256")' + ANALYSTS,
    "a mask without a number": '@mask("cpf: last")' + ANALYSTS,
    "a mask with a number": '@mask("cpf: null4")' + ANALYSTS,
    "a mask of nothing": '@mask("")' + ANALYSTS,
    "two masks of one": '@mask("cpf: null; CPF: last4")' + ANALYSTS,
    "rows that are no SQL": '@rows("uf = = 1")' + ANALYSTS,
    "rows that are two conditions": '@rows("true) or (true")' + ANALYSTS,
    "rows that are another query": '@rows("uf in (select uf from loans)")' + ANALYSTS,
    "rows that read a file": "@rows(\"read_text('/etc/passwd') = 'x'\")" + ANALYSTS,
    "rows that are a value": '@rows("1")' + ANALYSTS,
    "rows of nothing": '@rows("")' + ANALYSTS,
    "a forbid with rows": '@rows("true") forbid(principal, action, resource);',
    "a forbid with a mask": '@mask("cpf: null") forbid(principal, action, resource);',
    "one name for two": ('@id("a")' + ANALYSTS) * 2,
    "text": "dear policy, let me in",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_is_no_policy_stops_everything(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        policies(text)

    assert "people.cedar" in caught.value.where
    assert caught.value.do


def test_an_action_that_hands_nobody_values_goes_on_unless_it_is_forbidden() -> None:
    forbid = '@id("frozen") forbid(principal, action == Action::"ingest", resource == Dataset::"loans");'

    assert is_forbidden(asked(act=Act.INGEST), resource(), policies(ANALYSTS)) == ()
    assert is_forbidden(asked(act=Act.INGEST), resource(), policies(forbid)) == ("frozen",)
    assert is_forbidden(asked(act=Act.BUILD), resource(), policies(forbid)) == ()


def test_ten_thousand_policies() -> None:
    text = "".join(f'permit(principal == Principal::"p{n}", action, resource);' for n in range(10_000))

    read = policies(text)

    assert decided(read, who=asked("p9999")).named(Reach.CLEAR) == COLUMNS
    assert not decided(read, who=asked("ana")).named(Reach.CLEAR)


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_name_of_a_column_breaks_out(dataset: str, column: str) -> None:
    other = resource(ColumnFacts(column, PersonalClass.NONE), ColumnFacts(column + "x"))
    text = 'permit(principal, action, resource == Column::"loans/cpf");'

    access = decided(text, on=other)

    assert access.columns[0].reach is (Reach.CLEAR if column.casefold() == "cpf" else Reach.DENIED)
    assert dataset is not None


HEADS = (
    *("principal", 'principal == Principal::"ana"', 'principal == Principal::"bia"', 'principal in Role::"analyst"'),
    *('principal in Role::"dpo"', "principal is Principal", 'principal is Principal in Role::"analyst"'),
)
WHATS = (
    *("resource", 'resource == Column::"loans/CPF"', 'resource == Column::"other/cpf"', 'resource in Dataset::"loans"'),
    *('resource in Dataset::"other"', 'resource == Dataset::"loans"', "resource is Column"),
    'resource is Column in Dataset::"other"',
)


@given(st.lists(st.tuples(st.sampled_from(("permit", "forbid")), st.sampled_from(HEADS), st.sampled_from(WHATS))))
def test_of_many_rules_those_that_are_not_asked_would_change_nothing(parts: list[tuple[str, str, str]]) -> None:
    text = "".join(f"{effect}({who}, action, {what});" for effect, who, what in parts)
    many = "".join(f'permit(principal == Principal::"p{n}", action, resource);' for n in range(cedar.FEW))

    assert decided(text + many).columns == decided(text).columns
