"""Everything about a person, found in every dataset, and handed out without anybody else's."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import stat
from pathlib import Path

import pytest
from tests.governance.people import ANA, BEA, CAIO, LOANS, add, contract, every_byte, made, row, token

import lastro
from lastro.model.errors import LastroError, NotPermitted, UnknownName, UsageError
from lastro.workspace.workspace import Workspace

TOKENS = "\n          - {property: protection, vendor: lastro, value: token}"
GUARANTOR = f"""      - name: guarantor
        logicalType: string
        customProperties:
          - {{property: personal, vendor: lastro, value: {{class: identifier, kind: cpf}}}}{TOKENS}
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [row(1, ANA), row(2, "52998224725", note="=1+1"), row(3, BEA), row(4, ANA, amount=-1)]
    return made(tmp_path_factory.mktemp("people") / "lake", rows).root


@pytest.fixture
def lake(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("LASTRO_LANG", "en")
    shutil.copytree(kept, tmp_path / "lake")
    return lastro.open(tmp_path / "lake")


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_person_is_found_however_their_number_is_written(lake: Workspace) -> None:
    for who in ("cpf=529.982.247-25", "cpf=52998224725", "cpf= 529982247-25 "):
        found = lake.subject_find(who)

        assert [(each.dataset, each.rows, each.quarantined) for each in found.found] == [("loans", 2, 1)]
        assert ANA not in repr(found)


def test_a_package_holds_rows_and_what_was_done_with_them(lake: Workspace, tmp_path: Path) -> None:
    with lake.run("scoring", inputs=["loans"]) as run:
        run.read("loans").to_arrow("amount")

    done = lake.subject_export(f"cpf={ANA}", to=tmp_path / "ana", basis="LGPD art. 18, II")

    assert done.rows == 3
    assert [each["id"] for each in lines(tmp_path / "ana/data/loans.jsonl")] == [1, 2]
    (aside,) = lines(tmp_path / "ana/data/loans.set-aside.jsonl")
    assert aside["record"]["amount"] == "-1"
    english = (tmp_path / "ana/answer.en.md").read_text(encoding="utf-8")
    for word in (
        "scoring (LGPD art. 7, X)",
        "Bureau SA, recipient, BR",
        "5 y",
        "dpo@exemplo.com.br",
        "loans@0",
        run.id,
    ):
        assert word in english, word
    assert ANA not in english
    assert (tmp_path / "ana/answer.pt-BR.html").exists()
    assert BEA.encode() not in every_byte(tmp_path / "ana")


def test_a_package_is_private_and_its_manifest_proves_every_file(lake: Workspace, tmp_path: Path) -> None:
    lake.subject_export(f"cpf={ANA}", to=tmp_path / "ana")

    told = json.loads((tmp_path / "ana/manifest.json").read_text(encoding="utf-8"))

    assert stat.S_IMODE((tmp_path / "ana").stat().st_mode) == 0o700
    for path in (each for each in (tmp_path / "ana").rglob("*") if each.is_file()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for each in told["files"]:
        content = (tmp_path / "ana" / each["path"]).read_bytes()
        assert each["sha256"] == "sha256:" + hashlib.sha256(content).hexdigest()
    assert told["versions"] == [
        {"reference": "loans@0", "digest": lake.dataset("loans").version().digest},
    ]
    assert told["ledger"]["size"] == len(list(lake.ledger.events()))


def test_the_ledger_and_the_register_hold_no_value(lake: Workspace, tmp_path: Path) -> None:
    done = lake.subject_export(f"cpf={ANA}", to=tmp_path / "ana")

    events = [event for _n, event in lake.ledger.events(action="export")]

    assert [(event.dataset, event.rows) for event in events] == [("loans", 2), ("loans.quarantine", 1)]
    assert events[0].about["request"] == done.request.id
    kept = every_byte(lake.root / ".lastro")
    assert ANA.encode() not in kept
    assert b"52998224725" not in kept


def test_a_spreadsheet_gets_no_formula(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    risky = ["=1+1", "+55 11", "-5", "@x", "\tx", "plain", "'quoted'"]
    lake = made(tmp_path / "lake", [row(n, ANA, note=text) for n, text in enumerate(risky, 1)])

    lake.subject_export(f"cpf={ANA}", to=tmp_path / "ana")

    with (tmp_path / "ana/data/loans.csv").open(encoding="utf-8", newline="") as stream:
        read = list(csv.DictReader(stream))
    assert [each["note"] for each in read] == ["'=1+1", "'+55 11", "'-5", "'@x", "'\tx", "plain", "'quoted'"]
    assert [each["note"] for each in lines(tmp_path / "ana/data/loans.jsonl")] == risky
    assert (read[0]["tags"], read[0]["amount"]) == ('["a"]', "10.5")


def test_tokens_become_values_and_those_of_others_stay(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake", [row(1, BEA)])
    ana, caio = token(lake, "cpf", ANA), token(lake, "cpf", CAIO)
    mail = token(lake, "email", "ana@exemplo.com.br", subjects_=(ana,))
    columns = LOANS.replace("note", "mail").replace("asked", "day").replace("tags", "list")
    rows = [
        {"id": 1, "cpf": ana, "mail": mail, "day": "2026-01-01", "amount": 1, "list": []},
        {"id": 2, "cpf": ana, "mail": caio, "day": "2026-01-01", "amount": 1, "list": []},
        {"id": 3, "cpf": caio, "mail": mail, "day": "2026-01-01", "amount": 1, "list": []},
    ]
    lake = add(lake.root, "cards", columns, rows)

    for place, who in enumerate((f"cpf={ANA}", ana, f"cpf={ana}")):
        done = lake.subject_export(who, to=tmp_path / str(place))

        told = lines(tmp_path / str(place) / "data/cards.jsonl")
        assert [(each["cpf"], each["mail"]) for each in told] == [(ANA, "ana@exemplo.com.br"), (ANA, caio)]
        assert done.others == 1
        assert {each["kind"] for each in lines(tmp_path / str(place) / "data/_vault.jsonl")} == {"cpf", "email"}


def test_a_token_of_somebody_else_or_of_nobody_is_told_apart(lake: Workspace) -> None:
    mail = token(lake, "email", "ana@exemplo.com.br", subjects_=(token(lake, "cpf", ANA),))

    for who in (mail, "tok_" + "a" * 26, f"cpf={mail}"):
        with pytest.raises(UnknownName, match="knows nobody"):
            lake.subject_find(who)


def test_a_name_that_is_theirs_alone_leads_on_and_a_shared_one_does_not(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake", [row(1, ANA)])
    ana, bea = token(lake, "cpf", ANA), token(lake, "cpf", BEA)
    for number in ("c-1", "c-2"):
        token(lake, "customer", number)
    token(lake, "customer", "c-1", subjects_=(ana,))
    token(lake, "customer", "c-2", subjects_=(ana, bea))
    columns = LOANS.replace("name: cpf", "name: customer").replace("kind: cpf", "kind: customer")
    rows = [{**row(n, ""), "customer": f"c-{n}"} for n in (1, 2)]
    lake = add(
        lake.root,
        "visits",
        columns,
        [{k: v for k, v in each.items() if k != "cpf"} for each in rows],
        subject="customer",
    )

    found = lake.subject_find(f"cpf={ANA}")

    assert {each.dataset: each.rows for each in found.found} == {"loans": 1, "visits": 1}
    assert (found.linked, found.shared) == (("customer",), 1)


def test_another_person_in_their_rows_is_not_taken_for_them(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake", [])
    columns = GUARANTOR + LOANS.replace("kind: cpf, confirmed: ana}}", "kind: cpf}}" + TOKENS)
    lake = add(lake.root, "cards", columns, [])
    cards = [row(1, ANA, guarantor=BEA), row(2, BEA, guarantor=None), row(3, CAIO, guarantor="390.533.447-05")]
    lake.dataset("cards").ingest(data=cards)

    found = lake.subject_find(f"cpf={ANA}")
    ana = lake.subject_export(f"cpf={ANA}", to=tmp_path / "ana")
    caio = lake.subject_export(f"cpf={CAIO}", to=tmp_path / "caio")

    assert (found.linked, {each.dataset: each.rows for each in found.found}) == ((), {"cards": 1})
    for name, who, done in (("ana", ANA, ana), ("caio", CAIO, caio)):
        (told,) = lines(tmp_path / name / "data/cards.jsonl")
        assert told["cpf"] == who
        assert told["guarantor"].startswith("tok_")
        assert [each["value"] for each in lines(tmp_path / name / "data/_vault.jsonl")] == [who]
        assert done.others == 2
    assert BEA.encode() not in every_byte(tmp_path / "ana")


def test_a_name_to_which_another_person_belongs_is_not_followed(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake", [row(1, ANA)])
    ana = token(lake, "cpf", ANA)
    sponsor = token(lake, "customer", "c-1")
    token(lake, "cpf", BEA)
    token(lake, "cpf", BEA, subjects_=(sponsor,))
    token(lake, "customer", "c-1", subjects_=(ana,))

    found = lake.subject_find(f"cpf={ANA}")

    assert (found.linked, found.shared) == ((), 1)


def test_derived_rows_are_found_by_where_their_column_comes_from(lake: Workspace) -> None:
    folder = lake.root / "transforms"
    folder.mkdir()
    (folder / "renamed.sql").write_text("SELECT cpf AS who, amount FROM loans")
    (folder / "totals.sql").write_text("SELECT sum(amount) AS amount FROM loans")
    workspace = lastro.open(lake.root)
    workspace.build()

    found = workspace.subject_find(f"cpf={ANA}")

    assert {each.dataset: (each.columns, each.rows) for each in found.found} == {
        "loans": (("cpf",), 2),
        "renamed": (("who",), 2),
    }
    assert [each.dataset for each in found.skipped] == ["totals"]


def test_every_version_tells_where_each_row_stood(lake: Workspace, tmp_path: Path) -> None:
    lake.dataset("loans").ingest(data=[row(5, ANA)], mode="append")
    lake.dataset("loans").ingest(data=[row(9, BEA)], mode="overwrite")

    found = lake.subject_find(f"cpf={ANA}")
    done = lake.subject_export(f"cpf={ANA}", to=tmp_path / "ana", all_versions=True)

    assert dict(found.found[0].versions) == {0: 2, 1: 3}
    told = {each["id"]: each["_versions"] for each in lines(tmp_path / "ana/data/loans.jsonl")}
    assert told == {1: [0, 1], 2: [0, 1], 5: [1]}
    assert done.sought.rows == 0


def test_nobody_is_an_answer_too(lake: Workspace, tmp_path: Path) -> None:
    done = lake.subject_export("cpf=390.533.447-05", to=tmp_path / "nobody")

    assert not done.sought.is_anywhere
    told = (tmp_path / "nobody/answer.en.md").read_text(encoding="utf-8")
    assert "Nothing about this person was found" in told
    assert done.request.outcome == "nothing kept"
    (event,) = [event for _n, event in lake.ledger.events(action="export")]
    assert (event.rows, event.dataset) == (0, "")


HOSTILE = (
    "cpf=' OR 1=1 --",
    "cpf=.*",
    "cpf=%",
    "cpf=../../etc/passwd",
    "cpf=\x00\x1b[31m\n",
    "cpf=" + "9" * 10_000_000,
    "cpf=٥٢٩٩٨٢٢٤٧٢٥",
    "cpf=\udcff",
    "cpf=５２９９８２２４７２５",
)


@pytest.mark.parametrize("who", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_values_find_nobody(lake: Workspace, who: str) -> None:
    assert not lake.subject_find(who).is_anywhere


@pytest.mark.parametrize("who", ["", "cpf", "cpf=", "cpf=  ", "=x", "nome=529.982.247-25", "529.982.247-25", "x y=1"])
def test_what_names_nobody_is_refused_without_its_value(lake: Workspace, who: str) -> None:
    with pytest.raises(UsageError) as refused:
        lake.subject_find(who)

    assert "529" not in str(refused.value)


def test_a_package_goes_neither_into_the_workspace_nor_under_git_nor_over_anything(
    lake: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(lake.root)
    places = (lake.root / "x", tmp_path / "link/x", tmp_path / "repo/x", tmp_path / "there", tmp_path / "none/x")

    for place in places:
        with pytest.raises(UsageError):
            lake.subject_export(f"cpf={ANA}", to=place)

    assert lake.subject_requests().requests == ()
    assert not list((tmp_path / "there").iterdir())


def test_a_dataset_that_cannot_be_searched_is_told(lake: Workspace) -> None:
    add(lake.root, "broken", "      - {name: cpf, logicalType: string}", [])
    (lake.root / "contracts/broken.odcs.yaml").write_text("schema: [")

    found = lastro.open(lake.root).subject_find(f"cpf={ANA}")

    assert [each.dataset for each in found.skipped] == ["broken"]
    assert found.skipped[0].why


def test_a_request_that_waits_is_answered_by_its_package(lake: Workspace, tmp_path: Path) -> None:
    from lastro.workspace.rights import subject_requests

    entered = subject_requests.enter(lake, "access", basis="GDPR art. 15")

    lake.subject_export(f"cpf={ANA}", to=tmp_path / "ana", request=entered.id)

    (known,) = lake.subject_requests().requests
    assert (known.id, known.outcome, [due.law for due in known.dues]) == (entered.id, "exported", ["GDPR"])
    with pytest.raises(LastroError):
        lake.subject_export(f"cpf={ANA}", to=tmp_path / "again", request="req-000000000000")


ODD = """      - {name: id, logicalType: integer}
      - name: cpf
        logicalType: string
        customProperties:
          - {property: personal, vendor: lastro, value: {class: identifier, kind: cpf}}
      - {name: "-a'b", logicalType: string}
      - {name: _versions, logicalType: string}
      - name: home
        logicalType: object
        properties: [{name: city, logicalType: string}, {name: since, logicalType: date}]
"""


def test_odd_names_and_nested_values_are_written_as_they_are(tmp_path: Path) -> None:
    home = {"city": 'São Paulo, "SP"\n=x', "since": "2020-01-31"}
    odd = {"id": 1, "cpf": ANA, "-a'b": "x", "_versions": "own", "home": home}
    lake = add(made(tmp_path / "lake", []).root, "odd", ODD, [odd])

    lake.subject_export(f"cpf={ANA}", to=tmp_path / "ana", all_versions=True)

    (told,) = lines(tmp_path / "ana/data/odd.jsonl")
    assert told == {**odd, "_versions_": [0]}
    with (tmp_path / "ana/data/odd.csv").open(encoding="utf-8", newline="") as stream:
        names, values = csv.reader(stream)
    assert names == ["id", "cpf", "'-a'b", "_versions", "home", "_versions_"]
    assert (json.loads(values[4]), values[5]) == (home, "[0]")


PROTECTED = LOANS.replace(
    "kind: cpf, confirmed: ana}}\n", "kind: cpf}}\n          - {property: protection, vendor: lastro, value: token}\n"
)


def test_what_was_protected_on_its_way_in_comes_out_for_its_person(tmp_path: Path) -> None:
    lake = add(made(tmp_path / "lake", []).root, "cards", PROTECTED, [row(1, ANA), row(2, BEA), row(3, ANA, amount=-1)])
    lake.dataset("cards").ingest(data=[row(4, "52998224725")])
    assert ANA.encode() not in every_byte(lake.root)

    done = lake.subject_export(f"cpf={ANA}", to=tmp_path / "ana")

    assert [each["cpf"] for each in lines(tmp_path / "ana/data/cards.jsonl")] == [ANA, ANA]
    (aside,) = lines(tmp_path / "ana/data/cards.set-aside.jsonl")
    assert (aside["record"]["cpf"], aside["rules"]) == (ANA, ["amount.range"])
    assert (done.others, BEA.encode() in every_byte(tmp_path / "ana")) == (0, False)
    assert ANA.encode() not in every_byte(lake.root)


def test_a_failed_package_leaves_nothing(lake: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lastro.governance.subject_export.private", full)

    with pytest.raises(LastroError):
        lake.subject_export(f"cpf={ANA}", to=tmp_path / "ana")

    assert sorted(each.name for each in tmp_path.iterdir()) == ["lake"]
    assert lake.subject_requests().open == 1


def test_where_access_is_controlled_it_takes_a_policy(lake: Workspace, tmp_path: Path) -> None:
    pytest.importorskip("cedarpy")
    (lake.root / "policies").mkdir()
    with (lake.root / "lastro.yaml").open("a") as stream:
        stream.write("access: {people: {dora: [dpo]}}\n")
    (lake.root / "policies/dpo.cedar").write_text(
        'permit (principal in Role::"dpo", action == Action::"export", resource)'
        ' when { context.purpose == "subject-request" };\n'
    )
    guarded = lastro.open(lake.root)

    with pytest.MonkeyPatch.context() as as_somebody:
        as_somebody.setenv("LASTRO_ACTOR", "eve")
        with pytest.raises(NotPermitted):
            guarded.subject_find(f"cpf={ANA}")
        with pytest.raises(NotPermitted):
            guarded.subject_export(f"cpf={ANA}", to=tmp_path / "ana")
        as_somebody.setenv("LASTRO_ACTOR", "dora")
        done = guarded.subject_export(f"cpf={ANA}", to=tmp_path / "ana")

    assert done.rows == 3
    assert [event.actor for _n, event in guarded.ledger.events(action="refuse")] == ["eve", "eve"]


def test_where_a_contract_names_no_subject_columns_of_the_kind_are_searched(lake: Workspace) -> None:
    path = add(lake.root, "cards", LOANS, [row(1, ANA), row(2, BEA)]).root / "contracts/cards.odcs.yaml"
    path.write_text(path.read_text().replace("      - {property: subject, vendor: lastro, value: cpf}\n", ""))

    found = lastro.open(lake.root).subject_find(f"cpf={ANA}")

    assert {each.dataset: each.rows for each in found.found} == {"loans": 2, "cards": 1}


TAGS = "      - {name: tags, logicalType: array, items: {logicalType: string}}\n"


@pytest.mark.parametrize("columns", [LOANS, PROTECTED], ids=["plain", "protected"])
def test_a_line_that_could_not_be_taken_apart_is_theirs_if_it_names_them(tmp_path: Path, columns: str) -> None:
    root = made(tmp_path / "lake", []).root
    broken = f"id,cpf,note,asked,amount\n1,529982247-25\n2,{BEA}\n3,{BEA},a,2026-01-01,1\n"
    (tmp_path / "lines.csv").write_text(broken)
    text = (root / "lastro.yaml").read_text()
    said = "  cards: {contract: contracts/cards.odcs.yaml, mode: append, source: {kind: files, path: ../lines.csv}}\n"
    (root / "lastro.yaml").write_text(text + said)
    contract(root, "cards", columns.replace(TAGS, ""))
    lake = lastro.open(root)
    lake.dataset("cards").ingest()

    lake.subject_export(f"cpf={ANA}", to=tmp_path / "ana")

    (aside,) = lines(tmp_path / "ana/data/cards.set-aside.jsonl")
    assert (aside["form"], aside["record"]) == ("text", "1,529982247-25")


def test_verify_tells_of_a_register_that_was_changed(lake: Workspace, tmp_path: Path) -> None:
    lake.enter_request("access", basis="GDPR art. 15")
    assert lake.verify().passed
    path = lake.root / ".lastro/requests.jsonl"
    path.write_bytes(path.read_bytes().replace(b"access", b"excess"))

    (damaged,) = lake.verify().records

    assert damaged.path.endswith("requests.jsonl:1")


def test_a_row_that_stayed_is_told_once_with_all_its_versions(tmp_path: Path) -> None:
    first = [row(1, ANA), row(2, ANA), row(2, ANA), row(3, BEA)]
    lake = made(tmp_path / "lake", first, mode="overwrite", primary=False)
    lake.dataset("loans").ingest(data=[row(1, ANA), row(2, ANA, amount=7), row(3, BEA)])
    lake.dataset("loans").ingest(data=[row(1, ANA), row(2, ANA), row(2, ANA), row(2, ANA), row(3, BEA, amount=8)])

    lake.subject_export(f"cpf={ANA}", to=tmp_path / "ana", all_versions=True)

    told = [(each["id"], each["amount"], each["_versions"]) for each in lines(tmp_path / "ana/data/loans.jsonl")]
    assert sorted(told) == [(1, 10.5, [0, 1, 2]), (2, 7, [1]), (2, 10.5, [0, 2]), (2, 10.5, [0, 2]), (2, 10.5, [2])]


def test_a_derived_column_of_nested_values_tells_of_nobody(lake: Workspace) -> None:
    (lake.root / "transforms").mkdir()
    (lake.root / "transforms/nested.sql").write_text("SELECT amount, list(cpf) AS cpf FROM loans GROUP BY amount")
    workspace = lastro.open(lake.root)
    workspace.build()

    assert [each.dataset for each in workspace.subject_find(f"cpf={ANA}").found] == ["loans"]


def test_values_of_somebody_without_rows_are_handed_out_on_record(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake", [row(1, BEA)])
    token(lake, "cpf", ANA)

    done = lake.subject_export(f"cpf={ANA}", to=tmp_path / "ana")

    assert (done.sought.is_anywhere, lines(tmp_path / "ana/data/_vault.jsonl")) == (
        True,
        [{"kind": "cpf", "value": ANA}],
    )
    (event,) = [event for _n, event in lake.ledger.events(action="export")]
    assert event.about["values"] == 1
