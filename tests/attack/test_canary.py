"""Canaries: personal values are planted, every command is run, and every byte that was written or said is searched.

Whoever adds a command adds it here: a verb without a line fails. What hands values out on purpose – `reveal`, and the
package that a person asked for – is named as such.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from lastro.cli.main import run
from lastro.cli.verbs import sections

CPF, NAME, EMAIL = "529.982.247-25", "Zuleica Canarinho Quirino", "canarinho.zq@example.org"
CANARIES = ("529.982.247-25", "52998224725", "529982247-25", "Canarinho", "canarinho.zq")
BASIS = "LGPD art. 18, VI"
CONTRACT = """version: 1.0.0
apiVersion: v3.2.0
kind: DataContract
id: people
status: active
schema:
  - name: people
    logicalType: object
    customProperties:
      - {property: subject, vendor: lastro, value: cpf}
      - {property: privacyBudget, vendor: lastro, value: 10}
      - {property: anonymity, vendor: lastro, value: {k: 2}}
    properties:
      - name: id
        logicalType: integer
        primaryKey: true
        customProperties: [{property: personal, vendor: lastro, value: none}]
      - name: cpf
        logicalType: string
        classification: restricted
        transformLogic: regexp_replace(cpf, '[^0-9]', '', 'g')
        quality:
          - {name: cpf_valid, type: custom, engine: lastro, implementation: {identifier: cpf}}
        customProperties:
          - {property: personal, vendor: lastro, value: {class: identifier, kind: cpf}}
          - {property: protection, vendor: lastro, value: token}
      - name: name
        logicalType: string
        classification: restricted
        customProperties:
          - {property: personal, vendor: lastro, value: {class: identifier, kind: name}}
          - {property: protection, vendor: lastro, value: token}
      - name: email
        logicalType: string
        classification: restricted
        customProperties:
          - {property: personal, vendor: lastro, value: {class: identifier, kind: email}}
          - {property: protection, vendor: lastro, value: hash}
      - name: note
        logicalType: string
        classification: restricted
        customProperties:
          - {property: personal, vendor: lastro, value: {class: sensitive}}
          - {property: protection, vendor: lastro, value: redact}
      - name: born
        logicalType: date
        customProperties:
          - {property: personal, vendor: lastro, value: quasi-identifier}
          - {property: protection, vendor: lastro, value: {method: generalise, to: year}}
      - name: income
        logicalType: number
        required: true
        logicalTypeOptions: {minimum: 0}
        customProperties: [{property: personal, vendor: lastro, value: feature}]
"""
MORE = """
organisation: {name: Exemplo, contact: privacidade@exemplo.com.br}
monitors:
  income: {dataset: people, reference: "0", columns: [income]}
"""

COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "ingest": (("people", "--plan"), ("people",)),
    "build": ((), ("births",)),
    "flatten": (("people",),),
    "why": (("births",),),
    "quarantine": (("people",), ("people", "--rule", "income.range"), ("people", "--export", "aside.csv")),
    "contract": (("check", "contracts/people.odcs.yaml"),),
    "status": ((),),
    "run": ((),),
    "monitor": ((),),
    "incidents": ((), ("--all",)),
    "emit": (("cron",),),
    "metrics": ((),),
    "check": (("people",), ("people", "--failures")),
    "profile": (("people",), ("people", "--html", "profile.html")),
    "outliers": (("people",),),
    "history": (("people", "rows"),),
    "drift": (("people", "--reference", "0"),),
    "performance": (("people", "--reference", "0", "--prediction", "income", "--label", "id"),),
    "suggest": (("people",),),
    "log": ((), ("people",)),
    "read": (("people", "-o", "out.csv"), ("people", "--where", "cpf = '52998224725'", "-o", "none.csv")),
    "diff": (("people", "0", "latest"),),
    "templates": (("people@0", "--column", "note"),),
    "lineage": (("people",), ("people", "--columns")),
    "tag": (("people", "first"), ("people", "--list")),
    "restore": (("people@0",),),
    "runs": ((),),
    "leakage": (("people@0", "people"),),
    "replay": (("20260101T000000000-00000000",),),
    "lock": ((),),
    "classify": (("people",),),
    "anonymise": (("people", "--measure"), ("people", "--quasi", "born", "--k", "2", "--to", "safe")),
    "dp": (("people", "--count", "--epsilon", "1"),),
    "subject": (
        ("find", "cpf=nobody"),
        ("find", f"cpf={CPF}"),
        ("export", f"cpf={CPF}", "--to", "../package", "--all-versions"),
        ("rectify", f"cpf={CPF}", "--dataset", "people", "--set", "income=77", "--receipt", "receipt.md"),
        ("requests",),
    ),
    "retain": (("people",), ("people", "--apply")),
    "vault": (("status", "--check"),),
    "keys": (("status",), ("rotate", "--vault")),
    "policy": (("explain", "people"), ("test",)),
    "doctor": ((),),
    "ledger": (("show",), ("verify",), ("export", "ledger")),
    "report": (
        ("ropa", "-o", "ropa.md"),
        ("dpia",),
        ("access", "-o", "access.html"),
        ("control", "-o", "control.md"),
        ("datasheet", "people"),
    ),
    "verify": (("--read-data",),),
    "repair": ((),),
    "gc": ((),),
}
FRUITLESS = {("replay", "20260101T000000000-00000000"), ("policy", "test")}
"""Calls that end in an error here, as they should: of what is not there."""
ELSEWHERE = {
    "init": "makes the workspace of these tests",
    "add": "is tested below, before there is a contract that protects",
    "demo": "invents its own people, and tells of none of them",
    "reveal": "shows values on purpose",
    "erase": "is tested below",
}


def said(*arguments: str, codes: frozenset[int] = frozenset({0, 1, 2, 3, 4})) -> str:
    """What a command prints, to both streams; it ends with one of these codes, which all are documented."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(arguments)
    assert code in codes, (arguments, code, err.getvalue())
    return out.getvalue() + err.getvalue()


def found(folder: Path, *, words: tuple[str, ...] = CANARIES) -> list[str]:
    """The files below a folder in whose bytes, or names, one of the words stands."""
    wanted = [word.encode() for word in words]
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if any(word in path.name.encode() for word in wanted)
        or (path.is_file() and any(word in path.read_bytes() for word in wanted))
    )


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A workspace in which the canary is kept, set aside, malformed and free text; its source lies outside."""
    for name, value in {"LASTRO_LANG": "en", "LASTRO_ACTOR": "ana", "COLUMNS": "200"}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    source = tmp_path / "source" / "people.csv"
    source.parent.mkdir()
    lines = ["id,cpf,name,email,note,born,income"]
    lines += [f"{n},{cpf(n)},Person {n},p{n}@example.com,all well,19{60 + n % 40}-03-04,{n * 10}" for n in range(1, 60)]
    lines += [
        f"60,{CPF},{NAME},{EMAIL},call {CPF} after noon,1985-02-03,1000",
        f"61,{CPF},{NAME},{EMAIL},write to {EMAIL},1985-02-03,-5",
        f"62,{CPF},{NAME},{EMAIL},x,1985-02-03,7,one,too,many",
    ]
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert said("init", "lake")
    monkeypatch.chdir(tmp_path / "lake")
    yield tmp_path / "lake"


def cpf(number: int) -> str:
    """A CPF with right check digits."""
    from lastro.demo.people import complete, punctuate

    return punctuate(complete(f"{number * 7919:09d}"))


def test_every_command_has_a_line() -> None:
    verbs = {verb for names in sections().values() for verb in names}

    assert verbs == COMMANDS.keys() | ELSEWHERE.keys()


@pytest.mark.xdist_group("canary")
def test_no_canary_is_heard(lake: Path) -> None:
    source = lake.parent / "source" / "people.csv"
    heard = {"add": said("add", str(source), "--as", "people")}
    assert found(lake) == []
    (lake / "contracts" / "people.odcs.yaml").write_text(CONTRACT, encoding="utf-8")
    heard["ingest"] = said("ingest", "people")
    with (lake / "lastro.yaml").open("a", encoding="utf-8") as stream:
        stream.write(MORE)
    (lake / "transforms").mkdir(exist_ok=True)
    (lake / "transforms" / "births.sql").write_text("SELECT born, count(*) AS people FROM people GROUP BY born\n")

    for verb, calls in COMMANDS.items():
        for arguments in calls:
            codes = frozenset({2} if (verb, *arguments) in FRUITLESS else {0, 1})
            heard[" ".join([verb, *arguments])] = said(verb, *arguments, codes=codes)
            heard[" ".join([verb, *arguments, "--json"])] = said(verb, *arguments, "--json")

    told = {command for command, text in heard.items() if any(word in text for word in CANARIES)}
    assert told == {f"read people --where cpf = '52998224725' -o none.csv{end}" for end in ("", " --json")} & told
    assert found(lake) == []
    assert found(lake.parent / "tmp") == []
    assert "60 rows kept, 2 set aside" in heard["ingest"]
    assert "written to ../package" in heard[f"subject export cpf={CPF} --to ../package --all-versions"]
    assert "income put right in " in "".join(
        text for command, text in heard.items() if command.startswith("subject rectify")
    )


@pytest.mark.xdist_group("canary")
def test_after_the_erasure_nothing_is_left_anywhere(lake: Path) -> None:
    source = lake.parent / "source" / "people.csv"
    said("add", str(source), "--as", "people")
    (lake / "contracts" / "people.odcs.yaml").write_text(CONTRACT, encoding="utf-8")
    said("ingest", "people")
    said("tag", "people", "first", codes=frozenset({0}))
    shown = json.loads(said("reveal", "people", "--where", "id = 60", "--purpose", "test", "--json"))
    assert NAME in json.dumps(shown)

    erased = said("erase", "--subject", f"cpf={CPF}", "--basis", BASIS, "--json")

    assert json.loads(erased)["hits"] == 0
    assert found(lake) == []
    assert found(lake.parent / "tmp") == []
    assert "as they were committed" in said("verify", "--read-data")
    with source.open("a", encoding="utf-8") as stream:
        stream.write(f"63,{cpf(63)},Person 63,p63@example.com,all well,1990-03-04,630\n")
    (again,) = json.loads(said("ingest", "people", "--json"))["results"]
    assert again["refused"]["erased"] >= 1
    assert found(lake) == []


ILLNESS = "Febre-do-canavial"
HANDING_OUT = {"read", "diff"}
"""Verbs that give the rows of a version to whoever may read them, and so the values of encrypted columns, too."""


@pytest.mark.xdist_group("canary")
def test_what_is_encrypted_stands_in_no_file_and_is_told_by_no_command_that_hands_out_no_rows(lake: Path) -> None:
    source = lake.parent / "source" / "people.csv"
    lines = source.read_text(encoding="utf-8").splitlines()
    rows = [f"{line},{ILLNESS}-{number % 7}" for number, line in enumerate(lines[1:-1])]
    source.write_text("\n".join([f"{lines[0]},illness", *rows, lines[-1]]) + "\n", encoding="utf-8")
    said("add", str(source), "--as", "people")
    column = """      - name: illness
        logicalType: string
        customProperties:
          - {property: personal, vendor: lastro, value: sensitive}
          - {property: protection, vendor: lastro, value: encrypt}
"""
    (lake / "contracts" / "people.odcs.yaml").write_text(CONTRACT + column, encoding="utf-8")
    said("ingest", "people", codes=frozenset({0}))
    with (lake / "lastro.yaml").open("a", encoding="utf-8") as stream:
        stream.write(MORE)
    (lake / "transforms").mkdir(exist_ok=True)
    (lake / "transforms" / "births.sql").write_text("SELECT born, count(*) AS people FROM people GROUP BY born\n")
    (lake / "transforms" / "ill.sql").write_text(
        "SELECT illness AS what, count(*) AS people FROM people GROUP BY illness\n"
    )

    heard = {}
    for verb, calls in COMMANDS.items():
        for arguments in calls if verb not in HANDING_OUT else ():
            heard[" ".join([verb, *arguments])] = said(verb, *arguments)

    assert {command for command, text in heard.items() if ILLNESS in text} == set()
    assert found(lake, words=(ILLNESS,)) == []
    assert found(lake.parent / "tmp", words=(ILLNESS,)) == []
    said("read", "people", "-o", "../out.csv", codes=frozenset({0}))
    assert ILLNESS in (lake.parent / "out.csv").read_text()
