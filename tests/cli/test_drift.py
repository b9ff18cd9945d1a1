"""`lastro profile` and `lastro drift`: what is printed, what is written, and which code they end with."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Lastro
from tests.pipeline.test_drift import month
from tests.workspace.lake import Lake

import lastro as package


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    made = Lake(tmp_path / "lake")
    made.configure(mode="append")
    for number, text in enumerate((month(1), month(3, low=600.0, missing=0.2)), start=1):
        (made.root / f"loans-{number}.csv").write_text(text)
        made.loans.ingest()
    monkeypatch.chdir(made.root)
    return made


def test_a_profile_shows_every_column(lake: Lake, lastro: Lastro) -> None:
    ended, found = lastro("profile", "loans@0"), lastro("profile", "loans", "--json").json

    assert ended.code == 0
    assert ended.last.startswith("loans@0 has 4,000 rows; no value is missing")
    assert found["version"] == "loans@1"
    assert found["columns"]["income"]["missing"] > 0
    assert set(found["columns"]["uf"]["values"]) == {"SP", "RJ", "MG"}


def test_drift_ends_with_1_and_names_the_cause_first(lake: Lake, lastro: Lastro) -> None:
    ended = lastro("drift", "loans", "--reference", "0", "--since", "0")
    found = lastro("drift", "loans", "--reference", "0", "--since", "0", "--json").json

    assert ended.code == 1
    assert ended.last.startswith("income: ")
    assert "left out: id (a key)" in ended.out
    assert found["schema"] == "lastro.drift/1"
    assert found["columns"][0]["name"] == "income"
    assert found["passed"] is False


def test_no_drift_ends_with_0(lake: Lake, lastro: Lastro) -> None:
    assert lastro("drift", "loans", "--reference", "0", "--current", "0").code == 0


def test_a_margin_for_all_or_for_one_column_is_obeyed(lake: Lake, lastro: Lastro) -> None:
    asked = ("drift", "loans", "--reference", "0", "--since", "0", "--column", "income")

    assert lastro(*asked, "--margin", "95%", "--json").json["columns"][0]["verdict"] == "drifted"  # missing values
    found = lastro(*asked, "--margin-of", "income=95%", "--json").json["columns"][0]["shifts"]
    assert {shift["fact"]: shift["verdict"] for shift in found}["values"] == "stable"
    assert lastro(*asked, "--margin-of", "income").code == 2


def test_the_reference_may_be_what_a_run_read(lake: Lake, lastro: Lastro) -> None:
    with package.open().run("train", inputs=["loans@0"]) as run:
        run.read("loans").to_arrow()

    found = lastro("drift", "--run", run.id, "--since", "0", "--json").json

    assert found["reference"]["version"] == "loans@0"
    assert lastro("drift", "customers", "--run", run.id).code == 2


def test_a_report_is_written_as_a_page(lake: Lake, lastro: Lastro, tmp_path: Path) -> None:
    page = tmp_path / "drift.html"

    ended = lastro("drift", "loans", "--reference", "0", "--since", "0", "--html", str(page))

    assert "income" in page.read_text()
    assert "drift.html" in ended.last
    assert lastro("drift", "loans", "--reference", "0", "--html", str(page)).code == 2


@pytest.mark.parametrize("asked", [(), ("loans",), ("loans", "--reference", "0", "--run", "x")])
def test_what_is_not_said_is_asked_for(lake: Lake, lastro: Lastro, asked: tuple[str, ...]) -> None:
    ended = lastro("drift", *asked)

    assert ended.code == 2
    assert "lastro drift NAME --reference REF" in ended.err


def test_rows_as_wholes_are_compared_if_asked_for(lake: Lake, lastro: Lastro, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    asked = ("drift", "loans", "--reference", "0", "--since", "0", "--together", "--sample", "1000")
    page = tmp_path / "drift.html"

    ended, found = lastro(*asked, "--html", str(page)), lastro(*asked, "--json").json["together"]

    assert ended.code == 1
    assert "; together: rows as wholes: ✗ drifted: AUC 0." in ended.last
    assert "Columns that tell the rows apart" in ended.out
    assert "Columns that tell the rows apart" in page.read_text()
    assert found["answers"][0]["separators"][0]["column"] == "income"
    assert (found["verdict"], found["sample_rows"]) == ("drifted", 1000)


def test_how_rows_are_compared_together_is_said_with_together_only(lake: Lake, lastro: Lastro) -> None:
    for option in (("--margin-together", "10%"), ("--sample", "100")):
        ended = lastro("drift", "loans", "--reference", "0", *option)

        assert ended.code == 2
        assert "add --together" in ended.err
