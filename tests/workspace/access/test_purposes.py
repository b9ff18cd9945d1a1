"""No basis, no read; and no rows of those who did not consent, or who objected."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.workspace.guarded import CPFS, Guarded

import lastro
from lastro.catalog.run_files import RunFiles
from lastro.model.errors import ConfigurationError, NotPermitted, UsageError

PURPOSES = '[{purpose: credit-scoring, basis: "LGPD art. 7, X"}, {purpose: marketing, basis: consent, consent: true}]'
CONSENTS = "consent: {dataset: consents, subject: cpf, purpose: purpose, granted: granted, withdrawn: withdrawn}\n"
TRAIN = """
import lastro
with lastro.open(".").run("mailing", inputs=["loans@0"], purpose="marketing") as run:
    run.log(rows=run.read("loans").to_arrow("id").num_rows)
"""
FIRST = f"""\
cpf,purpose,granted,withdrawn
{CPFS[0]},marketing,2026-01-01,
{CPFS[1]},marketing,2026-01-01,2026-02-01
{CPFS[2]},Marketing,2999-01-01,
{CPFS[2]},credit-scoring,,2026-01-01
"""


@pytest.fixture
def lending(guarded: Guarded) -> Guarded:
    guarded.purposes = PURPOSES
    guarded.begin()
    return guarded


@pytest.fixture
def consenting(lending: Guarded) -> Guarded:
    (lending.root / "consents.csv").write_text(FIRST)
    lending.workspace.add("consents.csv", name="consents", mode="overwrite")
    lending.workspace.dataset("consents").ingest()
    entry = (lending.root / "lastro.yaml").read_text()
    lending.more = entry[entry.index("  consents:") :] + CONSENTS
    lending.begin()
    return lending


def test_without_a_purpose_nothing_is_read(lending: Guarded) -> None:
    with pytest.raises(NotPermitted, match="no purpose was named"):
        lending.read()

    events = list(lending.workspace.ledger.events(action="refuse"))
    assert len(events) == 1


def test_nor_for_one_that_the_contract_does_not_list(lending: Guarded) -> None:
    with pytest.raises(NotPermitted, match="may not be read for profiling"):
        lending.read(purpose="profiling")


@pytest.mark.parametrize("purpose", ["credit-scoring", "Credit-Scoring"])
def test_for_a_listed_one_it_is_and_the_ledger_says_so(lending: Guarded, purpose: str) -> None:
    assert lending.read(purpose=purpose).num_rows == 3

    (_number, event) = list(lending.workspace.ledger.events(action="read"))[-1]
    assert (event.purpose, event.columns[0]) == ("credit-scoring", "id")


def test_the_purpose_of_the_environment_is_named_too(lending: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_PURPOSE", "credit-scoring")

    assert lending.read().num_rows == 3
    with pytest.raises(NotPermitted):
        lending.read(purpose="other")


def test_a_purpose_that_is_a_sentence_is_none(lending: Guarded) -> None:
    with pytest.raises(UsageError):
        lending.read(purpose="x' OR '1'='1")


def test_single_rows_are_not_shown_without_a_purpose(lending: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    lending.grow()

    assert lending.loans.diff("0", "1").examples == ()
    assert lending.loans.quarantine().rows()[0]["record"] == "{}"
    assert lending.loans.profile().summary.columns
    monkeypatch.setenv("LASTRO_PURPOSE", "credit-scoring")
    assert lending.loans.diff("0", "1").examples
    assert "refused" in lending.loans.quarantine().rows()[0]["record"]


def test_a_run_reads_for_its_purpose_and_records_it(lending: Guarded) -> None:
    with lending.workspace.run("scoring", inputs=["loans@0"], purpose="credit-scoring") as run:
        assert run.read("loans").to_arrow().num_rows == 3
        assert lending.read().num_rows == 3

    assert RunFiles(lending.root / ".lastro" / "runs").read(run.id).purpose == "credit-scoring"
    assert lending.workspace.runs()[0].purpose == "credit-scoring"


def test_consent_takes_a_list_of_consents(lending: Guarded) -> None:
    with pytest.raises(NotPermitted, match="with consent only"):
        lending.read(purpose="marketing")


def test_only_rows_of_those_who_consent_are_read(consenting: Guarded) -> None:
    assert consenting.read("id", purpose="marketing").to_pydict() == {"id": [1]}
    assert consenting.read("id", "cpf", purpose="marketing")["cpf"].to_pylist() == CPFS[:1]


def test_rows_of_those_who_objected_are_left_out(consenting: Guarded) -> None:
    assert consenting.read("id", purpose="credit-scoring").to_pydict() == {"id": [1, 2]}


def test_who_withdraws_is_left_out_from_then_on_of_every_version(consenting: Guarded) -> None:
    (consenting.root / "consents.csv").write_text(FIRST.replace("2026-01-01,\n", "2026-01-01,2026-03-01\n", 1))
    consenting.workspace.dataset("consents").ingest()

    assert consenting.read("id", purpose="marketing").num_rows == 0


@pytest.mark.parametrize("purpose", ["credit-scoring ", "Credit-Scoring", "\u00a0CREDIT-SCORING"])
@pytest.mark.parametrize("cpf", ["111.444.777-35", "111444777-35", CPFS[0]])
def test_whoever_objects_in_another_spelling_is_left_out(consenting: Guarded, purpose: str, cpf: str) -> None:
    contract = consenting.root / "contracts" / "consents.odcs.yaml"
    contract.write_text(contract.read_text().replace("logicalType: integer", "logicalType: string"))
    (consenting.root / "consents.csv").write_text(f"{FIRST}{cpf},{purpose},,2026-01-01\n")
    consenting.workspace.dataset("consents").ingest()

    assert consenting.read("id", purpose="credit-scoring").to_pydict() == {"id": [2]}


def test_who_objected_is_not_read_in_a_version_that_names_its_subject_otherwise(consenting: Guarded) -> None:
    consenting.rename("cpf", "person")

    with pytest.raises(NotPermitted, match="cannot be left out of loans@0"):
        consenting.read("id", purpose="credit-scoring")

    (consenting.root / "consents.csv").write_text(FIRST.rsplit(f"{CPFS[2]},credit", 1)[0])
    consenting.workspace.dataset("consents").ingest()
    assert consenting.read("id", purpose="credit-scoring").num_rows == 3


def test_a_withdrawal_that_was_set_aside_is_told(consenting: Guarded) -> None:
    (consenting.root / "consents.csv").write_text(f"{FIRST}{CPFS[0]},marketing,,yesterday\n")
    consenting.workspace.dataset("consents").ingest()

    bad = [each.what for each in consenting.workspace.doctor().symptoms if each.level == "bad"]

    assert "1 row of consents is set aside: who withdrew in it is not heard" in bad


def derived(lending: Guarded, name: str, sql: str) -> None:
    (lending.root / "transforms").mkdir(exist_ok=True)
    (lending.root / "transforms" / f"{name}.sql").write_text(sql)
    lending.workspace = lastro.open(lending.root)
    lending.workspace.build(name)


@pytest.mark.parametrize("sql", ["SELECT * FROM loans", "SELECT id, 'x' || lower(cpf) AS code FROM loans"])
def test_what_is_made_of_them_is_read_for_their_purposes_only(lending: Guarded, sql: str) -> None:
    derived(lending, "copied", sql)
    derived(lending, "again", "SELECT * FROM copied")

    for name in ("copied", "again"):
        with pytest.raises(NotPermitted, match="no purpose was named"):
            lending.workspace.version(name).to_arrow()
        with pytest.raises(NotPermitted, match="may not be read for profiling"):
            lending.workspace.version(name, purpose="profiling").to_arrow()
        assert lending.workspace.version(name, purpose="Credit-Scoring").to_arrow().num_rows == 3
        with pytest.raises(NotPermitted, match="with consent only"):
            lending.workspace.version(name, purpose="marketing").to_arrow()
        assert lending.workspace.explain(name).refusal


def test_a_version_that_was_brought_back_is_still_made_of_them(lending: Guarded) -> None:
    derived(lending, "copied", "SELECT * FROM loans")
    lending.workspace.dataset("copied").restore("0")

    with pytest.raises(NotPermitted, match="no purpose was named"):
        lending.workspace.version("copied").to_arrow()


def test_rows_of_what_is_made_of_them_are_not_shown_either(lending: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    derived(lending, "copied", "SELECT * FROM loans")
    lending.grow()
    lending.workspace.build("copied")

    assert lending.workspace.dataset("copied").diff("0", "1").examples == ()
    monkeypatch.setenv("LASTRO_PURPOSE", "credit-scoring")
    assert lending.workspace.dataset("copied").diff("0", "1").examples


def test_what_holds_nothing_of_persons_is_read_as_ever(lending: Guarded) -> None:
    derived(lending, "counted", "SELECT count(*) AS loans FROM loans")

    assert lending.workspace.version("counted").to_arrow().num_rows == 1


def test_a_list_of_its_own_comes_before_what_it_is_made_of(lending: Guarded) -> None:
    derived(lending, "copied", "SELECT * FROM loans")
    contract = lending.root / "contracts" / "copied.odcs.yaml"
    own = (
        "    customProperties:\n      - {property: subject, value: cpf, vendor: lastro}\n      - property: purposes\n"
        "        vendor: lastro\n        value: [{purpose: audit, basis: law}]\n    properties:\n"
    )
    contract.write_text(contract.read_text().replace("    properties:\n", own, 1))
    lending.workspace = lastro.open(lending.root)

    assert lending.workspace.version("copied", purpose="audit").to_arrow().num_rows == 3


def test_the_ledger_and_the_run_say_under_which_consents(consenting: Guarded) -> None:
    head = consenting.workspace.dataset("consents").find("latest")
    with consenting.workspace.run("mailing", inputs=["loans@0"], purpose="marketing") as run:
        run.read("loans").to_arrow("id")

    (used,) = RunFiles(consenting.root / ".lastro" / "runs").read(run.id).consents
    assert (used.name, used.reference, used.digest) == ("loans@0", "consents@0", head.digest)
    (_number, event) = list(consenting.workspace.ledger.events(action="read"))[-1]
    assert event.about["consents"] == f"consents@0 {head.digest}"


def test_consents_without_moments_are_refused(consenting: Guarded) -> None:
    consenting.more = consenting.more.replace("granted: granted", "granted: purpose")
    consenting.begin()

    with pytest.raises(ConfigurationError, match="no dates or moments"):
        consenting.read(purpose="marketing")


def test_masks_and_consent_go_together(consenting: Guarded) -> None:
    consenting.policy('@mask("cpf: null") permit(principal in Role::"analyst", action, resource);')

    assert consenting.read("cpf", "id", purpose="marketing").to_pydict() == {"cpf": [None], "id": [1]}


def test_a_replay_reads_for_the_same_purpose_under_todays_consents(
    consenting: Guarded, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (consenting.root / "train.py").write_text(TRAIN)
    monkeypatch.chdir(consenting.root)
    subprocess.run([sys.executable, "train.py"], check=True)
    run = consenting.workspace.runs()[0]

    same = consenting.workspace.replay(run.id)
    (consenting.root / "consents.csv").write_text(FIRST.replace("2026-01-01,\n", "2026-01-01,2026-03-01\n", 1))
    consenting.workspace.dataset("consents").ingest()
    other = consenting.workspace.replay(run.id)

    assert (run.purpose, same.notes) == ("marketing", ())
    assert [(pair.before, pair.after) for pair in other.metrics] == [(1.0, 0.0)]
    assert [note.partition(":")[0] for note in other.notes] == [
        "loans@0 was read under consents@0, and is now under consents@1"
    ]
