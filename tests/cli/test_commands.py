"""Every command on a real workspace: what it says, what its JSON holds, and how it ends."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Lastro
from tests.cli.test_reference import documented

from lastro.cli.main import run

DOCUMENTED = documented()
HOSTILE = "ana\x1b[2J\u202e"
LOANS = [
    {"id": "1", "name": "ana", "amount": "10.50"},
    {"id": "2", "name": "bia", "amount": "20"},
    {"id": "3", "name": "joão", "amount": "-3"},
]
TRAIN = """
import lastro
ws = lastro.open(".")
with ws.run("count", inputs=["loans@first"]) as run:
    run.log(rows=run.read("loans").to_arrow().num_rows)
"""


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two versions of `loans`, two rows set aside, a tag and a run; made once."""
    lake = tmp_path_factory.mktemp("told") / "lake"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LASTRO_LANG", "en")
        patch.chdir(tmp_path_factory.getbasetemp())
        at = ["-C", str(lake), "--quiet"]
        assert run(["init", str(lake)]) == 0
        write(lake / "loans.csv", LOANS)
        assert run([*at, "add", "loans.csv", "--as", "loans", "--mode", "overwrite"]) == 0
        assert run([*at, "ingest", "loans"]) == 0
        assert run([*at, "tag", "loans", "first"]) == 0
        worse = [{"id": "", "name": HOSTILE, "amount": "1"}, {"id": "5", "name": "eva", "amount": "much"}]
        write(lake / "loans.csv", [*LOANS, *worse])
        assert run([*at, "ingest"]) == 0
        (lake / "train.py").write_text(TRAIN, encoding="utf-8")
        subprocess.run([sys.executable, "train.py"], cwd=lake, check=True, timeout=120)
    return lake


@pytest.fixture
def lake(told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the workspace, which the test stands in."""
    folder = tmp_path / "lake"
    shutil.copytree(told, folder)
    monkeypatch.chdir(folder)
    return folder


def holds(found: dict[str, object]) -> None:
    """The object has the keys that the reference tells of, no fewer and no more."""
    schema = str(found["schema"])
    assert set(found) - {"schema", "ok"} == DOCUMENTED[schema], schema


SUCCEEDING = [
    ("log loans", "lastro.log/1"),
    ("log", "lastro.datasets/1"),
    ("ingest loans", "lastro.ingest/1"),
    ("ingest", "lastro.ingest/1"),
    ("ingest --plan", "lastro.plan/1"),
    ("quarantine loans", "lastro.quarantine/1"),
    ("quarantine loans --rule amount.type --limit 0", "lastro.quarantine/1"),
    ("quarantine loans --export aside.csv", "lastro.quarantine.export/1"),
    ("read loans@first -o first.csv", "lastro.read/1"),
    ("diff loans first latest", "lastro.diff/1"),
    ("lineage loans@first", "lastro.lineage/1"),
    ("lineage loans --svg loans.svg", "lastro.lineage/1"),
    ("lineage loans --columns", "lastro.lineage/1"),
    ("lineage loans --column id", "lastro.lineage/1"),
    ("profile loans", "lastro.profile/1"),
    ("profile loans@first --html loans.html", "lastro.profile/1"),
    ("drift loans --reference first --html drift.html", "lastro.drift/1"),
    ("tag loans good --version 1", "lastro.tag/1"),
    ("tag loans --list", "lastro.tags/1"),
    ("restore loans@first", "lastro.restore/1"),
    ("runs", "lastro.runs/1"),
    ("lock", "lastro.lock/1"),
    ("check", "lastro.check/1"),
    ("check loans@first loans --failures --limit 1", "lastro.check/1"),
    ("verify --read-data", "lastro.verify/1"),
    ("verify loans --subset 50%", "lastro.verify/1"),
    ("repair", "lastro.repair/1"),
    ("repair --rebuild-catalog", "lastro.repair/1"),
    ("gc loans --grace 24h", "lastro.gc/1"),
    ("contract check contracts/loans.odcs.yaml", "lastro.contract.check/1"),
    ("contract compare contracts/loans.odcs.yaml contracts/loans.odcs.yaml", "lastro.contract.compare/1"),
    ("init elsewhere", "lastro.init/1"),
]


@pytest.mark.parametrize(("words", "schema"), SUCCEEDING, ids=[words for words, _schema in SUCCEEDING])
def test_json_holds_what_the_reference_says(words: str, schema: str, lake: Path, lastro: Lastro) -> None:
    ended = lastro(*words.split(), "--json")

    assert (ended.code, ended.err) == (0, "")
    assert (ended.json["schema"], ended.json["ok"]) == (schema, True)
    holds(ended.json)


@pytest.mark.parametrize("words", [words for words, _schema in SUCCEEDING])
def test_reports_end_with_a_verdict_and_command_nothing(words: str, lake: Path, lastro: Lastro) -> None:
    ended = lastro(*words.split())

    assert (ended.code, ended.err) == (0, "")
    assert ended.last
    assert ". next: " in ended.last or words.startswith("contract")
    assert "\x1b" not in ended.out
    assert "\u202e" not in ended.out


@pytest.mark.parametrize("words", ["log loans", "ingest loans", "quarantine loans", "verify"])
def test_quiet_is_the_last_line_alone(words: str, lake: Path, lastro: Lastro) -> None:
    assert lastro(*words.split(), "--quiet").out == lastro(*words.split()).last + "\n"


def test_adding_says_what_was_guessed(lake: Path, lastro: Lastro) -> None:
    with sqlite3.connect(lake / "core.db") as connection:
        connection.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)")
        connection.execute("INSERT INTO people VALUES (1, 'ana')")
    connection.close()

    ended = lastro("add", "core.db#people", "--as", "people", "--json")

    assert ended.code == 0, ended.out
    holds(ended.json)
    assert ended.json["columns"] == 2
    assert lastro("log").out.count("people") == 1


@pytest.mark.parametrize(("column", "following"), [("cpf", "classify"), ("amount", "ingest")])
def test_what_looks_personal_is_classified_before_a_row_is_stored(
    lake: Path, lastro: Lastro, column: str, following: str
) -> None:
    write(lake / "people.csv", [{"id": "1", column: "52998224725"}])

    ended = lastro("add", "people.csv", "--as", "people")

    assert ended.last.endswith(f"next: lastro {following} people")


def test_ingest_says_what_there_is_now(lake: Path, lastro: Lastro) -> None:
    write(lake / "loans.csv", [*LOANS[:2], {"id": "", "name": "x", "amount": "1"}])

    ended = lastro("ingest", "loans")

    assert ended.last == "loans is at version 2: 2 rows kept, 1 set aside. next: lastro quarantine loans"
    assert "! set aside  id.required" in ended.out
    assert lastro("ingest", "loans").last.startswith("loans is unchanged, still at version 2")


def test_a_plan_executes_nothing(lake: Path, lastro: Lastro) -> None:
    write(lake / "loans.csv", LOANS[:1])

    ended = lastro("ingest", "loans", "--plan")

    assert "SELECT" in ended.out
    assert ended.last == "nothing was done: this is the plan. next: lastro ingest loans"
    assert lastro("log", "loans", "--json").json["versions"][0]["number"] == 1


def test_refused_data_is_exit_1_with_the_findings(lake: Path, lastro: Lastro) -> None:
    contract = lake / "contracts" / "loans.odcs.yaml"
    rule = "\n    quality:\n      - metric: rowCount\n        mustBeGreaterThan: 100\n        name: enough\n"
    contract.write_text(contract.read_text(encoding="utf-8").rstrip() + rule, encoding="utf-8")
    write(lake / "loans.csv", LOANS[:2])

    plain, as_json = lastro("ingest", "loans"), lastro("ingest", "loans", "--json")

    assert plain.code == as_json.code == 1
    assert plain.err.startswith("error LST-0101: ")
    assert "✗ failed  enough" in plain.err
    assert plain.out == ""
    assert [item["verdict"] for item in as_json.json["findings"] if item["rule"] == "enough"] == ["failed"]
    assert set(as_json.json) - {"schema", "ok"} == DOCUMENTED["lastro.error/1"]


def test_one_failure_does_not_stop_the_others(lake: Path, lastro: Lastro) -> None:
    write(lake / "more.csv", LOANS)
    assert lastro("add", "more.csv", "--as", "more").code == 0
    (lake / "loans.csv").unlink()

    ended = lastro("ingest", "--json")

    assert ended.code == 3
    holds(ended.json)
    assert ended.json["ok"] is False
    assert [result["dataset"] for result in ended.json["results"]] == ["more"]
    assert [error["code"] for error in ended.json["errors"]] == ["LST-0301"]
    assert lastro("ingest").last == (
        "failed: loans (2 datasets: 0 with a new version, 1 unchanged, 1 failed). next: lastro ingest loans"
    )


def test_an_export_writes_over_nothing(lake: Path, lastro: Lastro) -> None:
    before = (lake / "loans.csv").read_bytes()

    ended = lastro("quarantine", "loans", "--export", "loans.csv")

    assert "LST-0200" in ended.err
    assert (lake / "loans.csv").read_bytes() == before
    shown = lastro("quarantine", "loans", "--rule", "amount.type").last
    assert shown.endswith("next: lastro quarantine loans --rule amount.type --export loans-aside.csv")


def test_the_quarantine_is_corrected_and_replayed(lake: Path, lastro: Lastro) -> None:
    assert lastro("quarantine", "loans", "--export", "aside.csv").last.startswith("2 rows of loans are in aside.csv")
    with (lake / "aside.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for number, row in enumerate(rows, start=7):
        row.update(id=str(number), amount="9")
    write(lake / "aside.csv", rows)

    ended = lastro("quarantine", "loans", "--replay", "aside.csv", "--json")

    assert ended.code == 0, ended.out
    holds(ended.json)
    assert ended.json["result"]["counts"] == {"read": 2, "kept": 2, "quarantined": 0}
    assert lastro("quarantine", "loans", "--json").json["open"] == 0


def test_what_is_shown_of_the_quarantine_is_escaped(lake: Path, lastro: Lastro) -> None:
    ended = lastro("quarantine", "loans")

    assert "ana\\u001B[2J\\u202e" in ended.out
    assert "amount.type" in ended.out


def test_the_quarantine_of_one_rule(lake: Path, lastro: Lastro) -> None:
    ended = lastro("quarantine", "loans", "--rule", "id.required")

    assert ended.last.startswith("1 row of loans is set aside by the rule id.required. next: ")
    assert "amount.type" not in ended.out


@pytest.mark.parametrize(
    "words",
    ["--export a.csv --replay loans.csv", "--replay loans.csv --rule cpf", "--limit -1", "--export a.txt"],
)
def test_senseless_quarantine_options_are_refused(words: str, lake: Path, lastro: Lastro) -> None:
    ended = lastro("quarantine", "loans", *words.split())

    assert ended.code == 2
    assert "\n  do " in ended.err


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "arrow"])
def test_reading_writes_what_was_asked_for(ending: str, lake: Path, lastro: Lastro) -> None:
    target = lake / f"out.{ending}"

    ended = lastro("read", "loans@1", "-o", target.name, "--columns", "name,id", "--where", "amount > 0", "--json")

    assert ended.json["rows"] == 2
    assert ended.json["bytes"] == target.stat().st_size
    if ending == "csv":
        assert target.read_text(encoding="utf-8").splitlines()[0].replace('"', "") == "name,id"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("read loans@nothing -o a.csv", "LST-0202"),
        ("read ../x -o a.csv", "LST-0201"),
        ("read loans -o a.exe", "LST-0200"),
        ("read loans -o a.csv --columns ,", "LST-0200"),
        ("read loans -o a.csv --columns nothing", "LST-0202"),
        ("read loans -o a.csv --where read_text('/etc/passwd')", "LST-0205"),
        ("log nothing", "LST-0202"),
        ("restore loans", "LST-0200"),
        ("restore loans@99", "LST-0202"),
        ("tag loans", "LST-0200"),
        ("tag loans a --list", "LST-0200"),
        ("tag loans 17", "LST-0201"),
        ("gc --grace 1h", "LST-0200"),
        ("gc --grace soon", "LST-0200"),
        ("verify --subset 0%", "LST-0200"),
        ("add loans.csv --as loans", "LST-0203"),
        ("add loans.csv --as x --option nonsense", "LST-0200"),
        ("add nothing.csv --as x", "LST-0301"),
        ("init .", "LST-0203"),
        ("demo .", "LST-0203"),
        ("replay nothing", "LST-0201"),
        ("replay 20261122T101500123-0a1b2c3d", "LST-0202"),
        ("contract check lastro.yaml", "LST-0204"),
    ],
)
def test_what_cannot_be_done_says_why(words: str, code: str, lake: Path, lastro: Lastro) -> None:
    ended = lastro(*words.split(), "--json")

    assert ended.json["code"] == code
    assert ended.code == ended.json["exit_code"] == (3 if code == "LST-0301" else 2)
    assert ended.json["what"]
    assert ended.json["do"]


def test_a_diff_shows_what_changed(lake: Path, lastro: Lastro) -> None:
    write(lake / "loans.csv", [LOANS[0] | {"amount": "11"}, *LOANS[2:], {"id": "9", "name": "new", "amount": "1"}])
    assert lastro("ingest", "loans").code == 0

    ended = lastro("diff", "loans", "first", "latest")

    assert ended.last.startswith("from loans@0 to loans@2: 1 row added, 1 removed, 1 changed")
    assert "~ changed  id=1  amount: 10.5 → 11" in ended.out
    assert "Examples" not in lastro("diff", "loans", "first", "latest", "--limit", "0").out


@pytest.mark.parametrize(("header", "is_told"), [("a,a,", True), ("a,b,c", False)])
def test_a_first_line_that_is_taken_for_a_row_is_told(lake: Path, lastro: Lastro, header: str, is_told: bool) -> None:
    (lake / "first.csv").write_text(f"{header}\n1,2,3\n")

    notes = lastro("add", "first.csv", "--as", "first", "--json").json["notes"]

    assert any("the first line is a row" in note for note in notes) == is_told


def test_replaying_a_run_proves_its_data(lake: Path, lastro: Lastro) -> None:
    (recorded,) = lastro("runs", "--json").json["runs"]

    ended = lastro("replay", recorded["id"], "--json")

    assert ended.code == 0, ended.out
    holds(ended.json)
    assert ended.json["metrics"] == [{"name": "rows", "before": 3.0, "after": 3.0, "equal": True}]
    assert lastro("replay", recorded["id"]).last.startswith(f"{recorded['id']} gave the same again")


def test_another_result_is_exit_1(lake: Path, lastro: Lastro) -> None:
    (recorded,) = lastro("runs", "--json").json["runs"]
    (lake / "train.py").write_text(TRAIN.replace("num_rows", "num_columns + 1"), encoding="utf-8")

    ended = lastro("replay", recorded["id"], "--json")

    assert (ended.code, ended.json["code"]) == (1, "LST-0102")
    assert "rows" in ended.json["what"]


def corrupt(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    os.chmod(path, stat.S_IRUSR | stat.S_IWUSR)
    path.write_bytes(content)


def test_damage_is_exit_3_and_located(lake: Path, lastro: Lastro) -> None:
    damaged = next((lake / "tables" / "loans").glob("*.parquet"))
    corrupt(damaged)

    plain, as_json = lastro("verify", "--read-data"), lastro("verify", "--read-data", "--json")

    assert plain.code == as_json.code == 3
    assert damaged.name in plain.out
    assert plain.last.startswith("1 file is damaged")
    assert as_json.json["ok"] is False
    holds(as_json.json)
    assert [found["path"] for found in as_json.json["damage"]] == [damaged.name]


def test_repair_says_first_and_does_when_told(lake: Path, lastro: Lastro) -> None:
    manifest = lake / "tables" / "loans" / "_lastro" / "manifests" / "0.json"
    before = manifest.read_bytes()
    manifest.unlink()

    dry, applied = lastro("repair"), lastro("repair", "--apply")

    assert dry.last == "1 file would be repaired; nothing was changed. next: lastro repair --apply"
    assert applied.last == "1 file is repaired. next: lastro verify"
    assert manifest.read_bytes() == before
    assert lastro("verify").code == 0


def test_breaking_changes_are_exit_1(lake: Path, lastro: Lastro) -> None:
    old = lake / "contracts" / "loans.odcs.yaml"
    new = lake / "new.odcs.yaml"
    new.write_text(
        old.read_text(encoding="utf-8").replace("logicalType: number", "logicalType: string"), encoding="utf-8"
    )

    ended = lastro("contract", "compare", str(old), str(new))

    assert ended.code == 1
    assert "✗ breaking" in ended.out
    assert "breaking" in ended.last


def test_contracts_are_checked_without_a_workspace(lake: Path, lastro: Lastro, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lake.parent)

    assert lastro("contract", "check", "lake/contracts/loans.odcs.yaml").code == 0
    assert lastro("log").code == 2


@pytest.mark.parametrize("name", ["../x", "a/b", "A", "", "x" * 64, "a\x1b[2J", "con..fig", "-rf"])
def test_hostile_names_are_refused_and_not_obeyed(name: str, lake: Path, lastro: Lastro) -> None:
    for arguments in (["log", "--", name], ["add", "loans.csv", f"--as={name}"], ["quarantine", "--", name]):
        ended = lastro(*arguments)

        assert ended.code == 2, arguments
        assert "\x1b" not in ended.out + ended.err


def test_hostile_headers_cannot_command_the_terminal(lake: Path, lastro: Lastro) -> None:
    (lake / "bad.csv").write_text("id,na\x1b[2Jme\n1,x\n", encoding="utf-8")

    for ended in (lastro("add", "bad.csv", "--as", "bad"), lastro("ingest", "bad"), lastro("ingest", "bad", "--plan")):
        assert "\x1b" not in ended.out + ended.err
        assert ended.code in {0, 2}


def test_reports_speak_portuguese(lake: Path, process: Lastro) -> None:
    said = [process(*words.split(), LASTRO_LANG="pt_BR") for words in ("log loans", "quarantine loans", "log nothing")]

    assert said[0].out.splitlines()[0].split("  ")[1:3] == ["versão", "gravada (UTC)"]
    assert said[0].out.splitlines()[-1].startswith("loans tem 2 versões. a seguir: lastro diff loans 0 1")
    assert said[1].out.startswith("Separadas, por regra\n")
    assert said[2].err.startswith("erro LST-0202: não existe o conjunto de dados nothing\n  onde      ")


def test_json_is_english_everywhere(lake: Path, process: Lastro) -> None:
    ended = process("log", "--json", LASTRO_LANG="pt_BR")

    holds(ended.json)


def test_minus_c_works_from_anywhere(lake: Path, lastro: Lastro, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")

    ended = lastro("-C", str(lake), "log", "loans")

    assert ended.code == 0
    assert ended.last == f"loans has 2 versions. next: lastro -C {lake} diff loans 0 1"


def test_lineage_is_drawn_into_a_new_file_only(lake: Path, lastro: Lastro) -> None:
    first = lastro("lineage", "loans", "--svg", "loans.svg")
    drawn = Path("loans.svg").read_text(encoding="utf-8")

    again = lastro("lineage", "loans@first", "--svg", "loans.svg")

    assert first.last == "loans@1: made from 1, used by 0; drawn into loans.svg. next: lastro log loans"
    assert drawn.startswith("<svg ")
    assert again.code == 2
    assert "loans.svg is there already" in again.err
    assert Path("loans.svg").read_text(encoding="utf-8") == drawn


def test_a_profile_is_written_into_a_new_file_only(lake: Path, lastro: Lastro) -> None:
    first = lastro("profile", "loans", "--html", "loans.html")
    page = Path("loans.html").read_text(encoding="utf-8")

    again = lastro("profile", "loans@first", "--html", "loans.html")

    assert "; written to loans.html. next: lastro log loans" in first.last
    assert page.startswith("<!doctype html>")
    assert "<h1>Profile of loans@1</h1>" in page
    assert again.code == 2
    assert "loans.html is there already" in again.err
    assert Path("loans.html").read_text(encoding="utf-8") == page


def test_lineage_of_all_columns_or_of_one(lake: Path, lastro: Lastro) -> None:
    one = lastro("lineage", "loans", "--column", "ID", "--json").json
    all_of_them = lastro("lineage", "loans", "--columns", "--json").json
    both = lastro("lineage", "loans", "--columns", "--column", "id")
    unknown = lastro("lineage", "loans", "--column", "nothing")

    assert (one["column"], one["columns"]) == ("id", None)
    assert {node["kind"] for node in one["nodes"]} == {"column", "source"}
    assert {key: all_of_them["columns"][0][key] for key in ("column", "known")} == {"column": "id", "known": True}
    assert (both.code, unknown.code) == (2, 2)
    assert "LST-0202" in unknown.err


def test_events_of_others_are_taken_in(lake: Path, lastro: Lastro) -> None:
    event = {
        "eventType": "COMPLETE",
        "eventTime": "2026-01-31T10:00:00Z",
        "run": {"runId": "1"},
        "job": {"namespace": "airflow", "name": "score"},
        "inputs": [
            {
                "namespace": f"lastro://{lake.name}",
                "name": "loans",
                "facets": {"version": {"datasetVersion": "0"}},
            }
        ],
        "producer": "https://example.com",
    }
    (lake / "others.ndjson").write_text(json.dumps(event) + "\nbroken\n")

    taken = lastro("lineage", "--import", "others.ndjson")
    again = lastro("lineage", "--import", "others.ndjson", "--json").json
    shown = lastro("lineage", "loans@0")
    both, neither = lastro("lineage", "loans", "--import", "others.ndjson"), lastro("lineage")
    drawn = lastro("lineage", "--import", "others.ndjson", "--columns")

    assert (taken.code, taken.last) == (0, "1 event taken in; they name loans. next: lastro lineage loans")
    assert "1 skipped" in taken.out
    assert again["schema"] == "lastro.lineage.import/1"
    assert (again["new"], again["known"], again["skipped"], again["datasets"]) == (0, 1, 1, ["loans"])
    assert "job  score  airflow" in shown.out
    assert (both.code, neither.code, drawn.code) == (2, 2, 2)


def test_lineage_tells_the_run_that_read(lake: Path, lastro: Lastro) -> None:
    ended = lastro("lineage", "loans@first")

    assert re.search(r"used by\n  run  \S+  count\n", ended.out)
