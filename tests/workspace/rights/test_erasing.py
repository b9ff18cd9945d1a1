"""A person vanishes from every version, the quarantine and the vault; a certificate says so, and does not lie."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.workspace.people import ANA, BAD, BROKEN, CONTRACT, HEADER, RUI, People

import lastro
from lastro.governance import erase as law
from lastro.governance.sought import Sought, rows_of
from lastro.model.errors import Corrupted, NotPermitted, UnknownName, UsageError
from lastro.model.personal import Personal, Subject
from lastro.workspace.rights import erasing

CPF = "529.982.247-25"
BASIS = "LGPD art. 18, VI"
WRONG = ANA.replace("54321098", "-5")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    people = People(tmp_path_factory.mktemp("first"))
    people.deliver(ANA, RUI, BAD, WRONG)
    people.deliver(ANA.replace("54321098", "87654321"), RUI, name="b.csv")
    people.workspace.vault.close()
    people.workspace.ledger.close()
    return people


@pytest.fixture
def made(first, tmp_path):
    """Two versions and a quarantine, with Ana in all of them."""
    people = object.__new__(People)
    people.inbox, people.root = tmp_path / "inbox", tmp_path / "lake"
    shutil.copytree(first.inbox, people.inbox)
    shutil.copytree(first.root, people.root)
    people.configure()
    return people


def test_a_person_vanishes_everywhere_and_does_not_come_back(made):
    before = [made.rows(str(number)) for number in range(2)]
    token = made.workspace.vault.find("cpf", CPF)
    tokens = [entry.token for entry in made.workspace.vault.entries(token)]
    digests = [info.digest for info in made.people.table.history()]
    for path in made.inbox.iterdir():
        path.unlink()

    result = made.workspace.erase("52998224725", basis=BASIS)

    assert [made.rows(str(number)) for number in range(2)] == [
        [row for row in rows if row["cpf"] != token] for rows in before
    ]
    assert (result.people, result.unknown, result.hits, result.kept) == (1, 0, 0, ())
    assert {each.dataset for each in result.tables} == {"people", "people.quarantine"}
    assert [info.digest for info in made.people.table.history()] == digests
    assert made.workspace.vault.find("cpf", CPF) is None
    assert made.found(*tokens, "529.982.247-25", "52998224725", "ana@private.org") == []
    assert made.workspace.verify(read_data=True).passed
    again = made.deliver(ANA, RUI, name="c.csv")
    assert len(made.rows()) == 1
    assert again.counts.kept == 1
    assert list((made.root / ".lastro" / "erasures").glob(f"*{law.ENDING}")) == []


def test_the_certificate_is_genuine_until_it_is_changed(made):
    result = made.workspace.erase(f" {CPF} ", basis=BASIS)
    path = made.root / result.certificate

    record = made.workspace.verify_certificate(path).record

    assert record["basis"] == BASIS
    assert record["people"] == 1
    assert record["forgotten"]
    assert record["backups_until"] is None
    assert record["search"] == {"hits": 0, "files": [], "identifiers": True, "rows": 0}
    table = next(each for each in record["tables"] if each["dataset"] == "people")
    assert [(version["number"], version["rows"]) for version in table["versions"]] == [(0, 1), (1, 1)]
    [event] = [event for _number, event in made.workspace.ledger.events(dataset="people", action="erase")]
    assert event.digest == table["generations"][0]["digest"]
    texts = [path.with_name(path.name.replace(".json", f".{language}.md")).read_text() for language in ("en", "pt-BR")]
    assert "Certificate of erasure" in texts[0]
    assert all(BASIS in text and result.request in text for text in texts)
    path.write_text(path.read_text().replace('"people": 1', '"people": 2'))
    with pytest.raises(NotPermitted):
        made.workspace.verify_certificate(path)
    path.write_text("{}")
    with pytest.raises(Corrupted):
        made.workspace.verify_certificate(path)


def test_a_certificate_holds_whichever_key_of_the_ledger_signed_it(made):
    before = made.root / made.workspace.erase(CPF, basis=BASIS).certificate
    made.workspace.ledger.rotate()
    after = made.root / made.workspace.erase("111.444.777-35", basis=BASIS).certificate

    keys = {made.workspace.verify_certificate(path).key for path in (before, after)}

    assert keys == set(map(str, made.workspace.ledger.keys))
    other = after.read_text().replace(str(made.workspace.ledger.keys[1]), str(made.workspace.ledger.key))
    after.write_text(other)
    with pytest.raises(NotPermitted):
        made.workspace.verify_certificate(after)


@pytest.mark.parametrize(
    "subject", ["111.111.111-11", "x' OR 1=1 --", "../../etc/passwd", ".*", "ж" * 300, "1" * 10_000]
)
def test_who_is_nowhere_is_told_and_nothing_is_changed(made, subject):
    before = {path: path.read_bytes() for path in made.root.joinpath("tables").rglob("*") if path.is_file()}

    with pytest.raises(UnknownName) as raised:
        made.workspace.erase(subject, basis=BASIS)
    assert len(subject) < 3 or subject not in str(raised.value)
    assert {path: path.read_bytes() for path in made.root.joinpath("tables").rglob("*") if path.is_file()} == before


def test_an_erasure_needs_a_basis(made):
    with pytest.raises(UsageError):
        made.workspace.erase(CPF, basis=" ")


def test_what_would_go_is_told(made):
    told = made.workspace.erase(CPF, basis=BASIS, dry_run=True)

    assert not told.done
    assert [(each.dataset, each.rows) for each in told.tables] == [("people", 2), ("people.quarantine", 1)]
    assert len(made.rows()) == 2


def test_a_line_that_nobody_could_take_apart_goes_too(made):
    made.deliver(RUI, "529.982.247-25,torn\n", name="c.csv")

    result = made.workspace.erase(CPF, basis=BASIS)

    assert {each.dataset: each.rows for each in result.tables}["people.quarantine"] == 2
    assert not any("529.982.247-25" in entry.value for entry in made.workspace.vault.of_kind("lastro:line"))


HELD = CONTRACT.replace(
    "      - {property: subject, value: cpf, vendor: lastro}\n",
    "      - {property: subject, value: cpf, vendor: lastro}\n"
    "      - {property: hold, value: {basis: CTN art. 195, until: 2099-01-31}, vendor: lastro}\n",
)


def test_a_legal_hold_stands_against_it(made):
    made.configure(contract=HELD)

    with pytest.raises(NotPermitted) as raised:
        made.workspace.erase(CPF, basis=BASIS)
    assert "CTN art. 195" in str(raised.value)
    assert "2099-01-31" in str(raised.value)
    assert len(made.rows()) == 2
    result = made.workspace.erase(CPF, basis=BASIS, except_held=True)
    assert result.kept == ("people",)
    record = made.workspace.verify_certificate(made.root / result.certificate).record
    assert record["kept"] == [{"dataset": "people", "basis": "CTN art. 195", "until": "2099-01-31"}]
    assert not record["forgotten"]
    assert made.workspace.vault.find("cpf", CPF) is not None


GUARANTOR = """      - name: guarantor
        logicalType: string
        customProperties:
          - {property: personal, value: {class: identifier, kind: cpf}, vendor: lastro}
          - {property: protection, value: token, vendor: lastro}
"""
"""A column in which persons stand in the rows of others."""


def guaranteed(made, contract: str) -> None:
    """Ana has no value of her own but her number, and is Rui's guarantor."""
    before = "      - name: email\n"
    assert before in contract
    made.configure(contract=contract.replace(before, GUARANTOR + before))
    header = HEADER.replace("cpf,email", "cpf,guarantor,email")
    rui = RUI.replace("111.444.777-35,", f"111.444.777-35,{CPF},")
    made.deliver(ANA.replace(f"{CPF},ana@private.org", f"{CPF},,rui@private.org"), rui, header=header, name="g.csv")


def test_a_hold_stands_for_whoever_stands_in_rows_of_others_too(tmp_path):
    made = People(tmp_path)
    guaranteed(made, HELD)

    with pytest.raises(NotPermitted, match=r"CTN art\. 195"):
        made.workspace.erase(CPF, basis=BASIS)

    assert len(made.rows()) == 2


def test_what_would_go_is_what_goes(tmp_path):
    made = People(tmp_path)
    guaranteed(made, CONTRACT)

    told = made.workspace.erase(CPF, basis=BASIS, dry_run=True)
    done = made.workspace.erase(CPF, basis=BASIS)

    assert told.tables == done.tables
    assert [each.rows for each in done.tables] == [2]


@pytest.mark.parametrize("by_token", [True, False])
def test_a_value_that_persons_share_names_nobody(tmp_path, by_token):
    made = People(tmp_path)
    made.deliver(ANA, RUI.replace("rui@private.org", "ana@private.org"))
    (mail,) = {row["email"] for row in made.rows()}

    with pytest.raises(UsageError, match="names nobody: it stands in rows of 2 persons") as raised:
        made.workspace.erase(mail if by_token else "ana@private.org", kind="email", basis=BASIS)

    assert "cpf" in raised.value.do
    assert made.workspace.vault.find("email", "ana@private.org") == mail
    assert len(made.rows()) == 2


def test_an_older_vault_in_its_place_is_told(made):
    made.workspace.vault.close()
    older = made.root / "older.sqlite"
    shutil.copy(made.root / ".lastro" / "vault.sqlite", older)
    token = made.workspace.vault.find("cpf", CPF)
    done = made.workspace.erase(CPF, token, kind="cpf", basis=BASIS)
    assert done.people == 1
    (before,) = [each for each in made.workspace.doctor().symptoms if each.check == "vault"]

    made.workspace.vault.close()
    for path in (made.root / ".lastro").glob("vault.sqlite*"):
        path.unlink()
    older.rename(made.root / ".lastro" / "vault.sqlite")
    (after,) = [each for each in lastro.open(made.root).doctor().symptoms if each.check == "vault"]

    assert (before.level, after.level) == ("good", "bad")
    assert "1 person was erased" in after.what


def test_a_hold_that_ended_stands_against_nothing(made):
    made.configure(contract=HELD.replace("2099", "2001"))

    assert made.workspace.erase(CPF, basis=BASIS).kept == ()


class Killed(BaseException):
    """Ends the erasure as a kill would."""


@pytest.mark.parametrize("after", ["write", "take_out", "forget", "_note", "_certified", "close"])
def test_what_was_cut_off_is_finished(made, monkeypatch, after):
    token = made.workspace.vault.find("cpf", CPF)
    owner = {"forget": type(made.workspace.vault), "_note": erasing, "_certified": erasing}.get(after, law)
    real = getattr(owner, after)

    def ending(*given, **named):
        real(*given, **named)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(owner, after, ending)
        with pytest.raises(Killed):
            made.workspace.erase(CPF, basis=BASIS)
    workspace = lastro.open(made.root)
    pending = law.open_requests(made.root / erasing.FOLDER)
    finished = workspace.resume_erasures()

    assert len(finished) == len(pending) == (0 if after == "close" else 1)
    assert all(token not in str(row) for number in range(2) for row in made.rows(str(number)))
    assert workspace.vault.find("cpf", CPF) is None
    assert workspace.verify(read_data=True).passed
    [path] = (made.root / erasing.FOLDER).glob("*.certificate.json")
    assert {each["dataset"] for each in tables(path)} == {"people", "people.quarantine"}
    assert workspace.verify_certificate(path)
    assert len(list(workspace.ledger.events(dataset="people", action="erase"))) == 1
    assert workspace.resume_erasures() == ()


def test_what_was_cut_off_is_finished_before_the_next_batch(made, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(law, "take_out", lambda *_given: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            made.workspace.erase(CPF, basis=BASIS)

    made.workspace = lastro.open(made.root)
    made.deliver(RUI, BROKEN, name="d.csv")

    assert made.workspace.vault.find("cpf", CPF) is None
    assert made.workspace.resume_erasures() == ()


def test_a_damaged_request_is_told(made):
    folder = made.root / erasing.FOLDER
    folder.mkdir(parents=True)
    (folder / f"x{law.ENDING}").write_text('{"request": {}}')

    with pytest.raises(Corrupted):
        made.workspace.resume_erasures()


def test_many_at_once_are_one_generation(made):
    result = made.workspace.erase(CPF, "111.444.777-35", "000.000.000-00", basis=BASIS)

    assert (result.people, result.unknown) == (2, 1)
    assert made.rows("0") == made.rows("1") == []
    assert [len(each["generations"]) for each in tables(made.root / result.certificate)] == [1, 1]


def tables(path: Path) -> list:
    return json.loads(path.read_bytes())["certificate"]["tables"]


PLAIN = """\
apiVersion: v3.2.0
kind: DataContract
id: plain
version: 1.0.0
status: active
schema:
  - name: visits
    customProperties:
      - {property: subject, value: who, vendor: lastro}
    properties:
      - name: who
        logicalType: string
        customProperties:
          - {property: personal, value: {class: identifier, kind: cpf}, vendor: lastro}
      - {name: day, logicalType: integer}
"""


def test_where_nothing_is_protected_values_are_looked_for_in_any_spelling(tmp_path):
    root = tmp_path / "lake"
    lastro.init(root)
    (root / "contracts" / "visits.odcs.yaml").write_text(PLAIN)
    (root / "lastro.yaml").write_text(
        "lastro: 1\ndatasets:\n  visits:\n    contract: contracts/visits.odcs.yaml\n    mode: append\n"
        f"    source: {{kind: files, path: '{tmp_path}/*.csv'}}\n"
    )
    (tmp_path / "a.csv").write_text("who,day\n529.982.247-25,1\n52998224725,2\n11144477735,3\n,4\n")
    workspace = lastro.open(root)
    workspace.dataset("visits").ingest()

    result = workspace.erase("52998224725", basis=BASIS)

    assert [row["day"] for row in workspace.version("visits").to_arrow().to_pylist()] == [3, 4]
    assert (result.people, result.hits) == (1, 0)
    assert workspace.vault.blocked("cpf", ["529.982.247-25"]) == [True]


def test_derived_rows_go_wherever_a_token_stands_and_other_numbers_stay(made):
    steps = made.root / "transforms"
    steps.mkdir(exist_ok=True)
    (steps / "notes.sql").write_text("SELECT uf || '-' || cpf AS note FROM people")
    made.workspace = lastro.open(made.root)
    made.workspace.build()

    made.workspace.erase(CPF, basis=BASIS)

    rui = made.workspace.vault.find("cpf", "111.444.777-35")
    assert made.workspace.version("notes").to_arrow()["note"].to_pylist() == [f"RJ-{rui}"]


def test_a_short_identifier_is_looked_for_in_its_own_column_only():
    sought = Sought("customer", {}, frozenset({"12345"}))
    personal = Personal(subject=Subject("who", "customer"))

    of_subject, of_others = rows_of(sought, personal, ("who", "zip")), rows_of(sought, None, ("zip",))
    assert of_subject is not None
    assert of_subject.columns == ("who",)
    assert of_others is None
