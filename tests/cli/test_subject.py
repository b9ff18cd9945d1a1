"""`subject` and `retain`, as a data protection officer calls them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from tests.governance.people import ANA, BEA, made, row

from lastro.cli.main import run


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [row(1, ANA, asked="2019-01-01"), row(2, ANA), row(3, BEA), row(4, ANA, amount=-1)]
    made(tmp_path / "lake", rows)
    monkeypatch.chdir(tmp_path / "lake")
    monkeypatch.setenv("LASTRO_PURPOSE", "scoring")
    return tmp_path / "lake"


def test_a_person_is_found_by_what_standard_input_says(lake, lastro, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ANA}\n"))

    shown = lastro("subject", "find", "cpf=-")

    assert (shown.code, shown.last.split(".")[0]) == (0, "3 rows in 1 dataset")
    given = lastro("subject", "find", f"cpf={ANA}", "--json")
    assert given.json["found"][0] | {"columns": []} == {
        "dataset": "loans",
        "columns": [],
        "rows": 2,
        "newest": 0,
        "versions": {"0": 2},
        "set_aside": 1,
        "collected": [],
    }
    assert "529" not in shown.out + shown.err + given.out


def test_nobody_is_an_answer(lake, lastro):
    assert lastro("subject", "find", "cpf=1").last == "nothing about this person in 1 dataset"
    assert lastro("subject", "export", "cpf=1", "--to", "../x").last.startswith("nothing about this person; said so in")


@pytest.mark.parametrize("who", ["", "529.982.247-25", "name=529.982.247-25", "tok_" + "b" * 26])
def test_who_cannot_be_told_is_refused_without_being_repeated(lake, lastro, who):
    ended = lastro("subject", "find", who)

    assert ended.code == 2
    assert not who or who not in ended.err


def test_a_request_from_its_entry_to_its_answer(lake, lastro):
    late = lastro("subject", "requests", "--add", "access", "--received", "2020-01-31", "--json")
    (entered,) = late.json["requests"]
    assert (late.code, entered["overdue"], entered["due"]) == (1, True, {"GDPR": "2020-02-29", "LGPD": "2020-02-15"})

    done = lastro("subject", "export", f"cpf={ANA}", "--to", "../ana", "--request", entered["id"], "--json")

    assert (done.code, done.json["rows"], done.json["request"]) == (0, 3, entered["id"])
    assert lastro("subject", "requests").code == 0
    assert ANA not in done.out + (lake / ".lastro/requests.jsonl").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--basis", "x"),
        ("--add", "access", "--close", "x"),
        ("--add", "nope"),
        ("--close", "../x"),
        ("--add", "access", "--received", "2999-01-01"),
    ],
)
def test_options_that_do_not_go_together(lake, lastro, arguments):
    assert lastro("subject", "requests", *arguments).code == 2
    assert not (lake / ".lastro/requests.jsonl").exists()


def test_a_correction_and_its_receipts(lake, lastro):
    wanted = ("subject", "rectify", f"cpf={ANA}", "--dataset", "loans", "--set", "amount=4321", "--set", "note=")

    done = lastro(*wanted, "--receipt", "../r.md", "--receipt", "../r.json", "--receipt", "../r.html")

    assert (done.code, done.last) == (0, "amount, note put right in 2 rows of loans. next: lastro check loans")
    receipts = [(lake.parent / f"r.{ending}").read_text() for ending in ("md", "json", "html")]
    assert not any("4321" in text or ANA in text for text in [done.out, *receipts])
    assert json.loads(receipts[1])["rows"] == 2
    assert lastro(*wanted, "--receipt", "../r.md").code == 2
    refused = lastro("subject", "rectify", f"cpf={ANA}", "--dataset", "loans", "--set", "amount=-7")
    assert (refused.code, "-7" in refused.err) == (1, False)


def test_what_is_past_is_counted_then_removed(lake, lastro):
    counted = lastro("retain")
    removed = lastro("retain", "loans", "--apply", "--json")

    assert counted.last == (
        "1 row and 0 versions are past their retention; nothing was removed. next: lastro retain --apply"
    )
    assert (removed.code, removed.json["datasets"][0]["made"]) == (0, 1)
    assert lastro("retain", "nope").code == 2


def test_a_retention_that_cannot_be_read(lake, lastro):
    path = lake / "contracts/loans.odcs.yaml"
    path.write_text(path.read_text().replace("unit: y", "unit: m"))

    assert run(["retain", "--apply"]) == 2


def test_an_erasure_answers_a_request(lake, lastro):
    (entered,) = lastro("subject", "requests", "--add", "erasure", "--json").json["requests"]

    done = lastro("erase", "--subject", f"cpf={ANA}", "--basis", "GDPR art. 17", "--request", entered["id"])

    (known,) = lastro("subject", "requests", "--json").json["requests"]
    assert (done.code, known["outcome"].startswith("erased: 20")) == (0, True)
    assert lastro("subject", "find", f"cpf={ANA}").last.startswith("nothing about this person")
