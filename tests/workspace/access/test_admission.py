"""The gate: whoever may not read something gets it by no way."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.workspace.guarded import CPFS, INCOMES, Guarded

from lastro.model.errors import ConfigurationError, LastroError, NotPermitted, SqlRefused, UsageError

READ = 'permit(principal in Role::"analyst", action == Action::"read", resource in Dataset::"loans");'
MASKED = '@mask("cpf: last2")' + READ
SOME = """@rows("uf = 'SP'")""" + READ
NOT_INCOME = READ + 'forbid(principal, action, resource == Column::"loans/income");'


def test_without_policies_reading_is_as_free_as_the_files(guarded: Guarded) -> None:
    assert guarded.read().num_columns == 5


def test_with_an_empty_access_nobody_reads_anything(guarded: Guarded) -> None:
    guarded.access("access: {}")

    with pytest.raises(NotPermitted) as caught:
        guarded.read()

    assert caught.value.exit_code == 4
    assert "lastro policy explain loans" in caught.value.do


def test_a_role_of_the_contract_reads_what_is_open(guarded: Guarded) -> None:
    guarded.access("access: {people: {ana: [analyst]}}")

    assert guarded.read().column_names == ["id", "income"]


def test_a_policy_gives_the_rest(guarded: Guarded) -> None:
    guarded.policy(READ)

    assert guarded.read().num_columns == 5
    assert guarded.read("cpf")["cpf"].to_pylist() == CPFS


def test_masks_are_laid_over_whatever_form_the_rows_take(guarded: Guarded, tmp_path: Path) -> None:
    guarded.policy(MASKED)
    version = guarded.version()
    hidden = [f"*********{cpf[-2:]}" for cpf in CPFS]

    version.write(tmp_path / "loans.csv")
    batches = [value for batch in version.batches(2, columns=["cpf"]) for value in batch["cpf"]]
    parts = version.split("id", fractions={"a": 0.5, "b": 0.5})

    assert version.to_arrow("cpf")["cpf"].to_pylist() == batches == hidden
    assert version.to_polars("cpf")["cpf"].to_list() == hidden
    assert sorted(row["cpf"] for part in parts.values() for row in part.to_arrow().to_pylist()) == sorted(hidden)
    assert not any(cpf in (tmp_path / "loans.csv").read_text() for cpf in CPFS)


def test_a_worker_process_has_the_same_masks(guarded: Guarded) -> None:
    guarded.policy(MASKED)

    again = pickle.loads(pickle.dumps(guarded.version()))

    assert again.to_arrow("cpf")["cpf"].to_pylist()[0].startswith("*****")


def test_rows_are_chosen_by_a_column_that_is_not_handed_out(guarded: Guarded) -> None:
    guarded.policy(SOME + 'forbid(principal, action, resource == Column::"loans/uf");')

    assert guarded.read("id")["id"].to_pylist() == [1, 3]
    with pytest.raises(NotPermitted, match="may not read uf"):
        guarded.read("uf")


@pytest.mark.parametrize("where", ["id = 2", "id = 2 OR true", "id = 2 -- ", "true"])
def test_a_condition_of_ones_own_opens_no_other_rows(guarded: Guarded, where: str) -> None:
    guarded.policy(SOME)

    assert 2 not in guarded.version().to_arrow("id", where=where)["id"].to_pylist()


@pytest.mark.parametrize("where", ["id = 2) OR (true", "true /*", "id = 2; select 1", "true) --"])
def test_nor_does_one_that_is_none(guarded: Guarded, where: str) -> None:
    guarded.policy(SOME)

    with pytest.raises(SqlRefused):
        guarded.version().to_arrow("id", where=where)


@pytest.mark.parametrize(
    "where", ["cpf = '1'", "CPF like '1%'", 'length("cpf") > 1', "case when cpf > '5' then true end"]
)
@pytest.mark.parametrize("policy", [MASKED, READ + 'forbid(principal, action, resource == Column::"loans/cpf");'])
def test_nobody_probes_a_column_that_he_does_not_see(guarded: Guarded, policy: str, where: str) -> None:
    guarded.policy(policy)

    with pytest.raises(NotPermitted, match="may not choose rows of loans by cpf"):
        guarded.version().to_arrow("id", where=where)


@pytest.mark.parametrize("columns", [("income",), ("id", "income"), ("income", "id")])
def test_who_names_a_column_that_is_denied_gets_nothing(guarded: Guarded, columns: tuple[str, ...]) -> None:
    guarded.policy(NOT_INCOME)

    with pytest.raises(NotPermitted, match="may not read income"):
        guarded.version().to_arrow(*columns)
    with pytest.raises(NotPermitted, match="may not read income"):
        guarded.version().to_numpy(*columns)
    assert "income" not in guarded.read().column_names
    assert guarded.read("uf", "id").column_names == ["uf", "id"]


def test_todays_policy_holds_for_every_version(guarded: Guarded) -> None:
    guarded.grow()
    guarded.policy(MASKED)

    assert all(value.startswith("***") for value in guarded.version("0").to_arrow("cpf")["cpf"].to_pylist())
    assert len(guarded.version("1").to_arrow("cpf")) == 4


def test_a_column_that_only_an_older_version_has_is_not_classified(guarded: Guarded) -> None:
    guarded.rename("cpf", "document")
    guarded.access("access: {people: {ana: [analyst]}}")

    assert guarded.version("0").to_arrow().column_names == ["id", "income"]
    guarded.policy(READ + 'forbid(principal, action, resource) when { resource.class == "unclassified" };')
    assert "cpf" not in guarded.version("0").to_arrow().column_names


def test_a_mask_for_a_text_hides_an_older_versions_number(guarded: Guarded) -> None:
    guarded.policy('@mask("income: last2")' + READ)

    assert guarded.read("income")["income"].to_pylist() == [None] * 3


@pytest.mark.parametrize(
    "look",
    [
        lambda it: it.loans.profile().to_dict(),
        lambda it: it.loans.drift("0", current="1").to_dict(),
        lambda it: it.loans.diff("0", "1").to_dict(),
        lambda it: it.loans.check(failures=10).to_dict(),
        lambda it: [each.why for each in it.loans.suggest().suggestions],
        lambda it: it.loans.outliers().to_dict(),
        lambda it: it.loans.quarantine().rows(),
    ],
    ids=["profile", "drift", "diff", "check", "suggest", "outliers", "quarantine"],
)
@pytest.mark.parametrize("policy", [MASKED, NOT_INCOME, SOME], ids=["masked", "denied", "rows"])
def test_no_other_way_tells_of_what_is_not_read(guarded: Guarded, policy: str, look: Callable) -> None:
    guarded.grow()
    guarded.policy(policy)
    incomes = [str(each) for each in INCOMES]
    secrets = {MASKED: CPFS, NOT_INCOME: incomes, SOME: [*CPFS, incomes[0]]}[policy]

    told = json.dumps(look(guarded), default=str)

    assert not [each for each in secrets if each in told]


def test_the_rows_set_aside_are_not_exported_to_who_may_not_read_them(guarded: Guarded, tmp_path: Path) -> None:
    guarded.policy(MASKED)

    with pytest.raises(NotPermitted):
        guarded.loans.quarantine().export(tmp_path / "aside.csv")

    assert not (tmp_path / "aside.csv").exists()


@pytest.mark.parametrize("column", ["cpf", "income"])
def test_a_metric_of_a_hidden_column_is_not_told(guarded: Guarded, column: str) -> None:
    guarded.policy('@mask("cpf: null; income: null")' + READ)

    with pytest.raises(UsageError, match="withheld"):
        guarded.loans.history("mean", column=column)


def test_rows_are_not_cut_by_a_hidden_column(guarded: Guarded) -> None:
    guarded.policy(MASKED)

    with pytest.raises(LastroError):
        guarded.loans.drift("0", by="cpf")
    with pytest.raises(NotPermitted):
        guarded.loans.performance("0", prediction="cpf", label="income")


def test_a_policy_that_cannot_be_read_stops_every_reading(guarded: Guarded) -> None:
    guarded.policy(READ + "permit(")

    with pytest.raises(ConfigurationError, match="nobody reads anything"):
        guarded.read()


def test_policies_are_not_read_through_links(guarded: Guarded) -> None:
    (guarded.root / "elsewhere.cedar").write_text(READ)
    guarded.policy(READ)
    (guarded.root / "policies" / "more.cedar").symlink_to(guarded.root / "elsewhere.cedar")

    with pytest.raises(ConfigurationError, match="symbolic link"):
        guarded.read()


def test_policies_that_vanish_open_nothing(guarded: Guarded) -> None:
    (guarded.root / "policies").mkdir()
    (guarded.root / "policies" / "people.cedar").write_text("permit(principal, action, resource);")
    assert guarded.read().num_rows == 3
    shutil.rmtree(guarded.root / "policies")

    with pytest.raises(ConfigurationError, match="they are gone") as caught:
        guarded.read()

    assert ".lastro/policies.seen" in caught.value.do
    (guarded.root / ".lastro" / "policies.seen").unlink()
    assert guarded.read().num_rows == 3


def test_a_folder_without_a_policy_gives_nothing(guarded: Guarded) -> None:
    (guarded.root / "policies").mkdir()

    with pytest.raises(NotPermitted):
        guarded.read()


@pytest.mark.parametrize("name", ["team/people.cedar", "a/b/c/people.cedar", "people.CEDAR"])
def test_policies_that_are_not_read_stop_every_reading(guarded: Guarded, name: str) -> None:
    path = guarded.root / "policies" / name
    path.parent.mkdir(parents=True)
    path.write_text(READ)

    with pytest.raises(ConfigurationError, match="that are not read"):
        guarded.read()


def test_a_file_in_the_place_of_the_folder_stops_every_reading(guarded: Guarded) -> None:
    (guarded.root / "policies").write_text(READ)

    with pytest.raises(ConfigurationError, match="no folder"):
        guarded.read()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('forbid(principal, action, resource in Dataset::"laons");', "laons"),
        ('forbid(principal, action, resource == Column::"loans/incme");', "loans/incme"),
        ('forbid(principal, action, resource) when { resource in Dataset::"laons" };', "laons"),
        ('@mask("cpff: last2") permit(principal, action, resource in Dataset::"loans");', "loans/cpff"),
    ],
)
def test_a_misspelt_name_keeps_everybody_out(guarded: Guarded, text: str, name: str) -> None:
    guarded.policy("permit(principal, action, resource);\n" + text)

    with pytest.raises(ConfigurationError, match=f"speaks of {name}, which there is not"):
        guarded.read()


def test_a_column_of_an_older_version_may_be_spoken_of(guarded: Guarded) -> None:
    guarded.policy('permit(principal, action, resource); forbid(principal, action, resource == Column::"loans/UF");')
    guarded.rename("uf", "state")

    with pytest.raises(NotPermitted, match="may not read uf"):
        guarded.read("uf")


def test_readings_and_refusals_are_in_the_ledger(guarded: Guarded) -> None:
    guarded.policy(MASKED)
    guarded.read("id", "cpf")
    with pytest.raises(NotPermitted):
        guarded.version().to_arrow("id", where="cpf = '1'")

    events = [event for _number, event in guarded.workspace.ledger.events(dataset="loans")][-2:]

    assert (events[0].columns, events[0].about) == (("id", "cpf"), {"masked": 1})
    assert (events[1].action, events[1].decision, events[1].about) == ("refuse", "deny", {"asked": "read"})


def test_ingesting_goes_on_unless_it_is_forbidden(guarded: Guarded) -> None:
    guarded.policy(READ)
    guarded.grow()
    guarded.policy('forbid(principal, action == Action::"ingest", resource) unless { principal in Role::"engineer" };')

    with pytest.raises(NotPermitted, match="may not ingest loans"):
        guarded.grow()


def test_an_account_of_another_name_has_no_role(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded.policy(READ)
    monkeypatch.setenv("LASTRO_ACTOR", "Ana")

    with pytest.raises(NotPermitted):
        guarded.read()
