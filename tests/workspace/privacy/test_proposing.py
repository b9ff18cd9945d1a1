"""What looks personal is told when a dataset is added, and no value of it stands in the contract."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import lastro
from lastro.demo.people import complete, punctuate
from lastro.model.errors import ConfigurationError
from lastro.workspace.add import Added
from lastro.workspace.privacy.proposing import is_value
from lastro.workspace.workspace import Workspace

ROWS = 120
NAMES = ("Zuleica Quirino", "Ana Lima", "Rui Souza", "Bia Costa")
GIVEN = ("Zuleica", "Ana", "Paulo", "Beatriz", "Carlos", "Lucas", "Marta")
MAILS = ("zq@example.org", "ana@example.org", "rui@example.com")


def bare(chance: random.Random) -> str:
    return str(int(complete(f"{chance.randrange(10**8, 10**9)}")))


PERSONAL: dict[str, tuple[str, Callable[[random.Random], str]]] = {
    "identifier:cpf": ("doc", lambda chance: punctuate(complete(f"{chance.randrange(10**9):09d}"))),
    "identifier:cpf, as numbers, named like a rate": ("taxa", bare),
    "identifier:cpf, of few people": ("doc", lambda chance: CPFS[chance.randrange(3)]),
    "identifier:cpf, as numbers of few people": ("valor", lambda chance: str(int(CPFS[chance.randrange(3)]))),
    "identifier:name": ("quem", lambda chance: f"{chance.choice(GIVEN)} {chance.choice(('Lima', 'Souza', 'Quirino'))}"),
    "identifier:name, named so": ("nome_cliente", lambda chance: chance.choice(NAMES)),
    "identifier:email": ("contato", lambda chance: chance.choice(MAILS)),
    "identifier:text": ("obs", lambda chance: f"ligar para {punctuate(CPFS[chance.randrange(3)])} amanhã"),
    "sensitive:religion": ("religiao", lambda chance: chance.choice(("católica", "judaica", "budista"))),
    "sensitive:health": ("diagnostico", lambda chance: chance.choice(("diabetes", "asma"))),
    "sensitive:health, as numbers": ("glicose", lambda chance: str(chance.randrange(70, 180))),
}
CPFS = tuple(complete(f"{n * 7_919_013:09d}") for n in (11, 57, 93))


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("LASTRO_LANG", "en")
    return lastro.init(tmp_path / "lake")


def added(workspace: Workspace, columns: dict[str, Sequence[str]], *, name: str = "p") -> tuple[Added, str]:
    """What is told of these columns' source, and the contract's text."""
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    source = workspace.root.parent / f"{name}.csv"
    lines = [";".join(columns), *(";".join(row.values()) for row in rows)]
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = workspace.add(str(source), name=name)
    return found, (workspace.root / found.contract).read_text(encoding="utf-8")


@pytest.mark.parametrize("case", PERSONAL)
def test_no_value_of_what_looks_personal_is_written(workspace: Workspace, case: str) -> None:
    name, make = PERSONAL[case]
    chance = random.Random(5)
    values = [make(chance) for _row in range(ROWS)]

    found, text = added(workspace, {name: values, "seq": [str(n) for n in range(ROWS)]})

    assert found.personal == (name,)
    assert f"# proposed: {case.partition(',')[0]}; " in text
    assert ("classification: restricted" in text) is (case != "identifier:text")
    _head, _name, column = text.partition(f"- name: {name}\n")
    column = column.partition("- name: seq\n")[0]
    assert not any(word in column for word in ("enum:", "minimum:", "maximum:", "pattern:", "examples:"))
    for value in {*values, *(value.replace(".", "").replace("-", "") for value in values)}:
        assert len(value) < 4 or value not in text
    assert found.to_dict()["personal"] == [name]


@pytest.mark.parametrize(
    "values",
    [
        NAMES,
        [name.upper() for name in NAMES],
        [name.lower() for name in NAMES],
        ["pago", "aberto", "Dra. ANA QUIRINO"],
        ["ANA", "PAULO", "equipe"],
        ["ana", "Carlos"],
    ],
)
def test_names_of_few_people_are_not_listed(workspace: Workspace, values: Sequence[str]) -> None:
    chance = random.Random(5)

    _found, text = added(workspace, {"quem": [chance.choice(values) for _row in range(ROWS)]})

    assert "enum:" not in text
    assert not any(
        value.casefold() in text.casefold().partition("properties:")[2] for value in values if value != "ana"
    )


@pytest.mark.parametrize("values", [["jan", "april", "may"], ["rose", "blue"], ["sao paulo", "recife"]])
def test_words_that_are_names_too_are_listed(workspace: Workspace, values: Sequence[str]) -> None:
    chance = random.Random(5)

    _found, text = added(workspace, {"cor": [chance.choice(values) for _row in range(ROWS)]})

    assert "enum:" in text


def test_what_nobody_is_in_looks_like_nothing(workspace: Workspace) -> None:
    chance = random.Random(5)
    columns = {
        "loan_id": [str(n) for n in range(ROWS)],
        "uf": [chance.choice(("SP", "RJ")) for _row in range(ROWS)],
        "taxa": [f"0.{chance.randrange(10, 90)}" for _row in range(ROWS)],
        "produto": [chance.choice(("carro", "casa")) for _row in range(ROWS)],
    }

    found, text = added(workspace, columns)

    assert found.personal == ()
    assert "proposed" not in text
    assert "- value: SP" in text
    assert "maximum: 1 " in text


def test_a_state_or_an_age_is_told_beside_what_identifies_somebody(workspace: Workspace) -> None:
    chance = random.Random(5)
    uf = [chance.choice(("SP", "RJ")) for _row in range(ROWS)]

    found, text = added(workspace, {"contato": [f"a{n}@example.org" for n in range(ROWS)], "uf": uf})

    assert found.personal == ("contato", "uf")
    assert "# proposed: quasi-identifier:region; named so, and 2 distinct values do not speak against it" in text


def test_a_number_for_a_person_restricts_nothing_by_itself(workspace: Workspace) -> None:
    found, text = added(workspace, {"customer_id": [str(n % 60) for n in range(ROWS)]})

    assert found.personal == ("customer_id",)
    assert "# proposed: identifier:person_id" in text
    assert not any(word in text for word in ("classification", "minimum:", "enum:"))


def test_a_proposal_is_no_class_until_a_person_says_so(workspace: Workspace) -> None:
    added(workspace, {"contato": [f"a{n}@example.org" for n in range(ROWS)]})
    dataset = workspace.dataset("p")

    assert dataset.contract().personal.classes == ()
    assert dataset.contract().plan().withheld == {"contato"}
    dataset.ingest()
    confirmed = dataset.classify(confirm=["contato"])
    assert confirmed.confirmed == ("contato",)


def test_the_same_source_makes_the_same_contract(workspace: Workspace) -> None:
    chance = random.Random(5)
    values = [PERSONAL["identifier:cpf"][1](chance) for _row in range(3_000)]

    first, second = (added(workspace, {"doc": values}, name=name)[1] for name in ("first1", "first2"))

    assert first.replace("first1", "first2") == second


def test_a_row_in_the_place_of_names_is_refused_and_not_repeated(workspace: Workspace, tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    source.write_text("zq@example.org,Zuleica\nrui@example.org,Rui\n", encoding="utf-8")

    with pytest.raises(ConfigurationError) as caught:
        workspace.add(str(source), name="rows")

    assert "zq@" not in str(caught.value) + repr(caught.value)
    assert "header=false" in caught.value.do
    assert workspace.datasets() == ()
    assert not list((workspace.root / "contracts").iterdir())
    assert workspace.add(str(source), name="rows", options={"header": False}).columns == 2


def test_a_row_that_is_seen_to_be_one_names_no_column(workspace: Workspace, tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    source.write_text("529.982.247-25,Zuleica\n111.444.777-35,Rui\n", encoding="utf-8")

    found = workspace.add(str(source), name="rows")

    assert "529" not in (workspace.root / found.contract).read_text(encoding="utf-8")


def test_keys_of_objects_that_are_somebody_s_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_text(json.dumps({"529.982.247-25": 1, "zq@example.org": 2}) + "\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="somebody's identifier"):
        workspace.add(str(source), name="rows")


@pytest.mark.parametrize("name", ["@timestamp", "202601", "2026-01-31", "cpf", "Renda Mensal (R$)", "", "a" * 5_000])
def test_names_of_columns_are_no_values(name: str) -> None:
    assert not is_value(name)


def test_a_hostile_name_does_not_end_the_comment(workspace: Workspace, tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    rows = [{"e-mail\nversion: 9.9.9 # x": f"a{n}@example.org"} for n in range(ROWS)]
    source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    found = workspace.add(str(source), name="rows")

    assert workspace.dataset("rows").contract().version == "0.1.0"
    assert len(found.personal) == 1
